defmodule Roomfold.Room do
  @moduledoc """
  A room: one process that is the one authority over an ordered stream of events. It checks what is published, numbers it, logs
  it, folds it into the world, and tells everybody.

      iex> Roomfold.Room.subscribe("lobby")
      :ok
      iex> Roomfold.Room.publish("lobby", {"user_joined", %{"user_id" => "tom", "position" => [0, 1, 2]}}, by: :server)
      {:ok, 1}
      iex> receive do {"user_joined", payload} -> {payload["user_id"], payload["seq"], payload["by"]} end
      {"tom", 1, "server"}
      iex> Roomfold.Room.publish("lobby", {"user_moved", %{"user_id" => "tom", "position" => [3, 1, 2]}}, by: "tom")
      {:ok, 2}
      iex> Roomfold.Room.get("lobby", "tom")
      %{"position" => [3.0, 1.0, 2.0]}
      iex> {:error, error} = Roomfold.Room.publish("lobby", {"user_moved", %{"user_id" => "tom"}}, by: "eve")
      iex> error.message
      "field \\"user_id\\": a user speaks for itself and for what it owns: the sender is \\"eve\\", not \\"tom\\""

  A room is named by its id (in the place `Roomfold.Rooms`), by `{rooms, id}` with a `Roomfold.Rooms` of your own, or by its pid.
  It is started by whoever first asks for it, stops when nobody has needed it for a while, and comes back from its log. So an id that is
  misspelt is a new, empty room, also for `get/2`, `snapshot/2` or `info/1`: whether one runs says `whereis/1`, and its past (`state_at/2` and
  what stands with it) is `:no_room` of one that has never been.

  ## A module of your own

  A room needs no code. To decide more, `use Roomfold.Room` with options, and overrule what you like:

      defmodule Xr.Room do
        use Roomfold.Room, tick_ms: 33, rules: Roomfold.Rules.doom()

        @impl true
        def authorize({"door_triggered", _}, user, world, _state) do
          if "red" in (Roomfold.World.get(world, user)["keys"] || []), do: :ok, else: {:error, "the door is locked"}
        end

        def authorize(_, _, _, _), do: :ok

        @impl true
        def handle_event({"door_triggered", %{"id" => id}}, _world, state), do: {[{"door_opened", %{"id" => id}}], state}
        def handle_event(_, _, state), do: {[], state}
      end
  """

  alias Roomfold.{Error, EventStream, Rooms, World}
  alias Roomfold.Room.{History, Inbox, Options, Server, Text}

  @type id :: String.t()
  @type t :: id | {Rooms.t(), id} | pid
  @typedoc "A user's id, or who speaks for the room."
  @type sender :: String.t() | :system | :server

  @type event :: World.event() | {String.t(), {:json, iodata}} | {:json, binary} | {:packed, binary}

  @doc "When the room starts. Events go in by \"system\", also each time it comes back."
  @callback init(id, World.t(), args :: term) :: {:ok, state :: term} | {:ok, state :: term, [World.event()]}
  @doc "May this user send this event? Asked after the rules and ownership have agreed."
  @callback authorize(World.event(), user :: String.t(), World.t(), state :: term) ::
              :ok | {:error, Error.t() | String.t()}
  @doc """
  Events that an event causes, by "system"; called after it was folded. What is refused of them is logged and counted (`info/1`).
  """
  @callback handle_event(World.event(), World.t(), state :: term) :: {[World.event()], state :: term}
  @doc "Events when a user is new here, by \"server\". By default user_joined, if the rules have it and the user is no entity yet."
  @callback joined(user :: String.t(), params :: map, World.t(), state :: term) :: [World.event()]
  @doc "Events when a user has left, by \"server\". By default user_left, if the rules have it."
  @callback left(user :: String.t(), World.t(), state :: term) :: [World.event()]

  @optional_callbacks authorize: 4, handle_event: 3

  defmacro __using__(opts) do
    quote do
      @behaviour Roomfold.Room

      @doc false
      def __room__, do: Keyword.put(unquote(opts), :module, __MODULE__)

      @impl true
      def init(_id, _world, args), do: {:ok, args}
      @impl true
      def joined(user, params, world, _state), do: Roomfold.Room.default_joined(user, params, world)
      @impl true
      def left(user, world, _state), do: Roomfold.Room.default_left(user, world)

      defoverridable init: 3, joined: 4, left: 3
    end
  end

  @doc false
  def default_joined(user, _params, world) do
    if Roomfold.Rules.sender(world.rules, "user_joined") && World.get(world, user) == nil,
      do: [{"user_joined", %{"user_id" => user}}],
      else: []
  end

  @doc false
  def default_left(user, world) do
    if Roomfold.Rules.sender(world.rules, "user_left"), do: [{"user_left", %{"user_id" => user}}], else: []
  end

  @doc """
  Starts a room under the calling process. Rooms are started on demand: this is for a room with options of its own, or one in a
  supervision tree of yours.

  ## Options

    * `:id` - required
    * `:rooms` - where it is found by its id (`Roomfold.Rooms`); `nil`: only by its pid
    * `:module` - with this behaviour; `:args` for its `init/3`
    * `:impl`, `:schema`, `:rules`, `:level`, `:history` (8,192), `:max_entities` - of its world (`Roomfold.World.new/1`)
    * `:systems` - what happens by itself (`Roomfold.Room.System`)
    * `:authority` - who sends system events: `:room` (default), or `:client`, the user who has been here longest
    * `:tick_ms` - how long what comes is gathered: one commit, one fold, one publish (50)
    * `:idle_ms` - after which a room without connections stops (60,000; `:infinity`)
    * `:grace_ms` - for which a user whose connection is gone may come back (5,000)
    * `:snapshot_every` - so many events a snapshot goes into the log (10,000; 0: only when the room stops)
    * `:max_event_bytes` (16,384), `:max_queue` events that wait (20,000; while the log is at work, as many inputs of sessions besides)
    * `:user_events_per_s` (120), `:user_bytes_per_s` (131,072), `:user_burst_s` (2) - what one user may send
    * `:diff_tells` - names of events that clients need not be sent, since a diff says as much (create, update, delete, and all
      that move)
    * `:move` - the event that the poses of a client's packed input become (`"user_moved"`)
    * `:rewind` - whether it is remembered where everything was, for `Roomfold.Hits` (if there is a level)
    * `:rules_version`, `:schema_version` (1) - raise them when what they are of changes: logs and snapshots say theirs, and the
      world is made anew from the log, by the new ones, when the room starts
    * `:upcasters` - functions of an event of the log as decoded JSON, or of that and a map of what it was written in (`"rules"`,
      `"schema"`), that answer it as it would be written today

  ## Examples

      iex> {:ok, room} = Roomfold.Room.start_link(id: "den", rooms: nil, impl: :elixir)
      iex> Roomfold.Room.publish(room, {"user_joined", %{"user_id" => "tom"}}, by: :server)
      {:ok, 1}
  """
  @spec start_link(keyword) :: GenServer.on_start()
  def start_link(opts) do
    id = Keyword.fetch!(opts, :id)

    case Keyword.get(opts, :rooms, Rooms) do
      nil -> Server.start_link(Options.new([Options.of_module(opts[:module]), opts]))
      rooms -> Server.start_link(Rooms.options(rooms, id, opts))
    end
  end

  @doc false
  def child_spec(opts),
    do: %{id: {__MODULE__, opts[:id]}, start: {__MODULE__, :start_link, [opts]}, restart: :permanent}

  @doc """
  Starts a room that is to be found by its id, if it does not run. With options of its own (`start_link/1`) it must not run yet.

      iex> {:ok, room} = Roomfold.Room.ensure_started("cellar", tick_ms: 20)
      iex> Roomfold.Room.whereis("cellar") == room
      true
  """
  @spec ensure_started(id | {Rooms.t(), id}, keyword) :: {:ok, pid} | {:error, Error.t()}
  def ensure_started(room, opts \\ []) do
    with {:ok, {rooms, id}} <- valid(name(room)), do: Rooms.fetch(rooms, id, opts)
  end

  @doc """
  The process of a room, or `nil` if it does not run.

      iex> Roomfold.Room.whereis("nowhere")
      nil
  """
  @spec whereis(t) :: pid | nil
  def whereis(room) when is_pid(room), do: room

  def whereis(room) do
    case name(room) do
      {rooms, id} -> Rooms.whereis(rooms, id)
      :none -> raise elem(valid(:none), 1)
    end
  end

  @doc """
  Publishes an event, or several that come one behind the other or not at all, and answers their seqs after they are in the log.

  An event is `{name, payload}`, `{name, {:json, payload_as_text}}`, or `{:json, text}` with its name in it: of text no term is made
  unless somebody subscribes to terms.

  `{:packed, frame}`, by itself, is what a user's client sent (`Roomfold.Wire.encode_input/2`), or from `:system` and `:server` a
  batch of creates, updates and deletes (`Roomfold.Wire.encode_events/2`). The answer has all their seqs, of a batch as a range. In a room that keeps no log, and
  while nobody wants events as terms, a batch is folded as it is, at a tenth of what text costs.

  ## Options

    * `:by` - a user's id, `:system` or `:server` (default)
    * `:as` - `:system`: a user speaks as the room's authority (`authority: :client`)
    * `:timeout` - milliseconds (5,000). After them the answer is `:overloaded`, as for a full queue, but the events may still be
      committed: the message says so

  ## Examples

      iex> Roomfold.Room.publish("hall", [{"user_joined", %{"user_id" => "tom"}}, {"user_joined", %{"user_id" => "ann"}}])
      {:ok, [1, 2]}

      iex> {:error, error} = Roomfold.Room.publish("hall", {"user_moved", %{"user_id" => "tom", "position" => "there"}}, by: "tom")
      iex> {error.reason, error.component}
      {:wrong_type, "position"}

      iex> {:ok, frame} = Roomfold.Wire.encode_events([{"create", %{"entity_id" => "lamp", "components" => %{"lit" => true}}}])
      iex> Roomfold.Room.publish("packed hall", {:packed, frame}, by: :system)
      {:ok, 1..1}
  """
  @spec publish(t, event | [event], keyword) ::
          {:ok, pos_integer | [pos_integer] | Range.t()} | {:error, Error.t()}
  def publish(room, event_or_events, opts \\ []) do
    opts = Keyword.validate!(opts, by: :server, as: nil, timeout: 5_000)

    with {:ok, sender} <- sender(opts[:by], opts[:as]),
         {:ok, texts} <- Text.events(listed(event_or_events), json()),
         {:ok, seqs} <- call(room, {:publish, sender, texts}, opts[:timeout]) do
      case event_or_events do
        {:packed, _} -> {:ok, seqs}
        events when is_list(events) -> {:ok, seqs}
        _ -> {:ok, hd(seqs)}
      end
    end
  end

  defp listed(events) when is_list(events), do: events
  defp listed(event), do: [event]

  @doc """
  As `publish/3`, but does not wait: `{ref, {:ok, seqs}}` or `{ref, {:error, error}}` comes as a message.
  Several of one process stay in order. What a `Roomfold.Session` of the same process publishes may pass those that are not answered yet.

  The room must run (`ensure_started/2`); whether it still does is for the caller to monitor.

      iex> {:ok, room} = Roomfold.Room.ensure_started("yard")
      iex> ref = Roomfold.Room.publish_async(room, [{"user_joined", %{"user_id" => "tom"}}], by: :server)
      iex> receive do {^ref, answer} -> answer end
      {:ok, [1]}
  """
  @spec publish_async(pid, [event], keyword) :: reference
  def publish_async(room, events, opts) when is_pid(room) and is_list(events) do
    opts = Keyword.validate!(opts, by: :server, as: nil)

    case sender(opts[:by], opts[:as]) do
      {:ok, sender} -> publish_from(room, sender, events)
      error -> answer(make_ref(), error)
    end
  end

  @doc false
  # For a session (how: :session), whose user was checked when it joined: its answer may come within the update that it gets anyway. On the room's
  # own node it has the room's inbox.
  def publish_from(room, sender, events, how \\ :tag) do
    ref = make_ref()

    case Text.events(events, json()) do
      {:ok, texts} ->
        case hand_over(room, {how, self(), ref}, sender, texts) do
          :ok -> ref
          :full -> answer(ref, {:error, Error.new(:overloaded)})
        end

      error ->
        answer(ref, error)
    end
  end

  defp hand_over(%Inbox{} = inbox, to, sender, texts), do: Inbox.put(inbox, to, sender, texts)
  defp hand_over(room, to, sender, texts), do: GenServer.cast(room, {:publish, to, sender, texts})

  defp answer(ref, error) do
    send(self(), {ref, error})
    ref
  end

  defp json, do: Roomfold.JSON.compiled()

  defp sender(user, nil) when is_binary(user) do
    if byte_size(user) in 1..255 and user not in ["system", "server"] and String.valid?(user),
      do: {:ok, {:user, user}},
      else: {:error, Error.new(:invalid_id, field: "by")}
  end

  defp sender(user, :system) when is_binary(user),
    do: with({:ok, {:user, user}} <- sender(user, nil), do: {:ok, {:elected, user}})

  defp sender(sender, nil) when sender in [:system, :server], do: {:ok, sender}
  defp sender(_, _), do: {:error, Error.new(:invalid_id, field: "by")}

  @doc """
  Makes the calling process a subscriber of the room's events: messages `{name, payload}`. The room need not run.

  It takes the room's id, as all functions here, and not the topic that the id has on the stream (`"stream:" <> id`, `Roomfold.EventStream.topic/1`), which
  is for who subscribes to the stream itself: `subscribe("stream:attic")` hears of another room, whose id that is.

      iex> Roomfold.Room.subscribe("attic")
      :ok
  """
  @spec subscribe(id | {Rooms.t(), id}) :: :ok | {:error, term}
  def subscribe(room) do
    with {:ok, {rooms, id}} <- valid(name(room)),
         do: EventStream.subscribe(Rooms.stream(rooms), EventStream.topic(id))
  end

  @doc """
  The opposite of `subscribe/1`.

      iex> :ok = Roomfold.Room.subscribe("loft")
      iex> Roomfold.Room.unsubscribe("loft")
      :ok
      iex> {:ok, 1} = Roomfold.Room.publish("loft", {"user_joined", %{"user_id" => "tom"}})
      iex> receive do {"user_joined", _} -> :heard after 50 -> :nothing end
      :nothing
  """
  @spec unsubscribe(id | {Rooms.t(), id}) :: :ok | {:error, Error.t()}
  def unsubscribe(room) do
    with {:ok, {rooms, id}} <- valid(name(room)),
         do: EventStream.unsubscribe(Rooms.stream(rooms), EventStream.topic(id))
  end

  @doc """
  Makes the calling process a connection of a user (`Roomfold.Session` is made of this): a snapshot or what was missed, and from
  then on `{:roomfold, id, {:update, %Roomfold.Room.Update{}}}` for every tick that changed something, without a gap.

  A process is one connection of a room: joining once more as the same user begins anew, as another one is refused (`:not_supported`). The same process may be in
  several rooms.

  ## Options

    * `:format` - `:json` (default) or `:packed`
    * `:events` - whether it wants the events that a diff does not tell by itself (`true`)
    * `:last_seq`, `:last_term` - where a world is that comes back
    * `:params` - a map for the callback `joined`

  ## Examples

      iex> {:ok, joined} = Roomfold.Room.join("porch", "tom")
      iex> {joined.seq, joined.users, joined.frame}
      {0, ["tom"], {:snapshot, ~s({"seq":0,"entities":{}})}}
      iex> receive do {:roomfold, "porch", {:update, update}} -> update.frames.json end
      {:diff, ~s({"from":0,"seq":1,"creates":{"tom":{}},"updates":{},"deletes":[]})}
  """
  @spec join(t, user :: String.t(), keyword) :: {:ok, map} | {:error, Error.t()}
  def join(room, user, opts \\ []) do
    opts = Keyword.validate!(opts, format: :json, events: true, last_seq: nil, last_term: nil, params: %{})

    with {:ok, {:user, user}} <- sender(user, nil),
         do: call(room, {:join, self(), user, Map.new(opts)}, 15_000)
  end

  @doc """
  The calling process is no connection any more, and its user has left if it was the last: nobody waits for it to come back.

      iex> {:ok, _} = Roomfold.Room.join("gate", "tom")
      iex> Roomfold.Room.leave("gate")
      :ok
  """
  @spec leave(t) :: :ok | {:error, Error.t()}
  def leave(room), do: call(room, {:leave, self(), true}, 5_000)

  @doc false
  # For a session that lags: {seq, {:diff | :snapshot, bytes}}.
  def catch_up(room, from, format), do: call(room, {:catch_up, from, format}, 15_000)

  @doc false
  # For a session whose client has everything up to seq: from now on straight to the process that writes to its socket.
  def fastlane(room, seq, entry) when is_pid(room), do: GenServer.cast(room, {:fastlane, self(), seq, entry})

  @doc false
  # Then acknowledgements are for the room.
  def acked(room, seq) when is_pid(room), do: GenServer.cast(room, {:acked, self(), seq})

  @doc """
  The seq of the last event.

      iex> Roomfold.Room.seq("new room")
      0
  """
  @spec seq(t) :: non_neg_integer
  def seq(room), do: read!(room, &World.seq/1)

  @doc """
  An entity's components, or `nil`.

      iex> Roomfold.Room.get("new room", "tom")
      nil
  """
  @spec get(t, String.t()) :: map | nil
  def get(room, id), do: read!(room, &World.get(&1, id))

  @doc """
  What there is now (`Roomfold.World.snapshot/2`).

      iex> Roomfold.Room.snapshot("new room", by: :kind)
      %{}
  """
  @spec snapshot(t, keyword) :: map
  def snapshot(room, opts \\ []) do
    here = node()

    case read!(room, &snapshot_or_copy(&1, opts, here)) do
      {:snapshot, snapshot} -> snapshot
      {:copy, world} -> World.snapshot(world, opts)
    end
  end

  # A large map as a message would be copied in one go, and hold up a scheduler and the room: who asks gets a world of its own instead.
  @large 1_000
  defp snapshot_or_copy(world, opts, asked_by) do
    if asked_by == node() and World.count(world) > @large,
      do: {:copy, elem(World.copy(world), 1)},
      else: {:snapshot, World.snapshot(world, opts)}
  end

  @doc """
  Runs a function on the room's world, inside the room: be quick, and do not fold.

      iex> Roomfold.Room.read("new room", &Roomfold.World.count/1)
      {:ok, 0}
  """
  @spec read(t, (World.t() -> value)) :: {:ok, value} | {:error, Error.t()} when value: term
  def read(room, function) when is_function(function, 1) do
    call(room, {:read, fn world -> {:ok, function.(world)} end}, 15_000)
  end

  defp read!(room, function) do
    case read(room, function) do
      {:ok, value} -> value
      {:error, error} -> raise error
    end
  end

  @doc """
  The room in figures: `:seq`, `:term`, `:entities`, `:connections`, `:users`, `:queued` events, `:ticks` (none is made while there is nothing to do), those of them that were
  left out (`:shed`), `:strays`: what others broadcast on its stream, which is not folded, `:refused`: events of its own, of systems and of its module, that were refused, `:failed`:
  how often a system raised, and `:busy_us`: how long it was at work at a time, on a tick or on what came back from the log, in microseconds (`:count`, `:mean`, `:p50`, `:p99`, `:max`).

      iex> Roomfold.Room.info("new room").users
      []
  """
  @spec info(t) :: map
  def info(room) do
    case call(room, :info, 5_000) do
      {:error, error} -> raise error
      info -> info
    end
  end

  @doc """
  Stops a room in good order: what was published is in the log, and so is a snapshot. It is started again by whoever asks for it.

      iex> Roomfold.Room.seq("old room")
      0
      iex> Roomfold.Room.stop("old room")
      :ok
  """
  @spec stop(t) :: :ok
  def stop(room) do
    with pid when is_pid(pid) <- whereis(room) do
      try do
        GenServer.stop(pid, :shutdown, 15_000)
      catch
        :exit, {reason, _} when reason in [:noproc, :normal, :shutdown] -> :ok
      end
    end

    :ok
  end

  # ---- the past ----

  @doc """
  The world as it was at a seq, from the log: one of the caller's own.

      iex> Roomfold.Room.publish("vault", [{"user_joined", %{"user_id" => "tom"}}, {"user_joined", %{"user_id" => "ann"}}])
      iex> {:ok, world} = Roomfold.Room.state_at("vault", 1)
      iex> Roomfold.World.snapshot(world)
      %{"tom" => %{}}
      iex> {:error, error} = Roomfold.Room.state_at("vault", 3)
      iex> error.reason
      :seq_ahead
  """
  @spec state_at(t, non_neg_integer) :: {:ok, World.t()} | {:error, Error.t()}
  def state_at(room, seq) when is_integer(seq) and seq >= 0, do: past(room, &History.state_at(&1, seq))

  @doc """
  What changed between any two points.

      iex> Roomfold.Room.publish("ledger", [{"user_joined", %{"user_id" => "tom"}}, {"user_joined", %{"user_id" => "ann"}}])
      iex> {:ok, diff} = Roomfold.Room.diff("ledger", 1, 2)
      iex> diff["creates"]
      %{"ann" => %{}}
  """
  @spec diff(t, non_neg_integer, non_neg_integer) :: {:ok, map} | {:error, Error.t()}
  def diff(room, a, b) when is_integer(a) and a >= 0 and is_integer(b) and b >= 0,
    do: past(room, &History.diff(&1, a, b))

  @doc """
  A new room that has gone the same way up to a seq, with a log of its own.

  ## Options

    * `:id` - of the new room (`"ID@SEQ-…"`, a new one each time)

  ## Examples

      iex> Roomfold.Room.publish("origin", [{"user_joined", %{"user_id" => "tom"}}, {"user_joined", %{"user_id" => "ann"}}])
      iex> {:ok, fork} = Roomfold.Room.fork("origin", 1)
      iex> Roomfold.Room.publish(fork, {"user_left", %{"user_id" => "tom"}})
      {:ok, 2}
      iex> Roomfold.Room.snapshot("origin")
      %{"ann" => %{}, "tom" => %{}}
  """
  @spec fork(id | {Rooms.t(), id}, non_neg_integer, keyword) :: {:ok, t} | {:error, Error.t()}
  def fork(room, seq, opts \\ []) when is_integer(seq) and seq >= 0 do
    with {:ok, {rooms, id}} <- valid(name(room)),
         new = Keyword.get_lazy(opts, :id, fn -> fork_id(id, seq) end),
         {:ok, _} <- valid({rooms, new}),
         :ok <- past(room, &History.fork(&1, seq, new)),
         do: {:ok, if(is_binary(room), do: new, else: {rooms, new})}
  end

  defp fork_id(id, seq) do
    suffix = Base.encode32(:crypto.strong_rand_bytes(5), case: :lower, padding: false)
    "#{id}@#{seq}-#{suffix}"
  end

  @doc """
  New rules over the old log: `:same`, or `{:different, found}` with the first event that makes another world: its `:seq`, the
  `:event` and what it changes by the rules of the room (`:ours`) and by the new ones (`:theirs`).

  ## Options

    * `:every` - how many events lie between comparisons (1,000)

  ## Examples

      iex> Roomfold.Room.publish("court", [{"user_joined", %{"user_id" => "tom"}}, {"user_left", %{"user_id" => "tom"}}])
      iex> rules = Roomfold.Rules.new!(%{"user_joined" => [{:create, "user_id", %{}}], "user_left" => []})
      iex> {:different, found} = Roomfold.Room.refold("court", rules)
      iex> {found.seq, found.ours["deletes"], found.theirs["deletes"]}
      {2, ["tom"], []}
  """
  @spec refold(t, Roomfold.Rules.t(), keyword) :: :same | {:different, map} | {:error, Error.t()}
  def refold(room, rules, opts \\ []),
    do: past(room, &History.refold(&1, rules, Keyword.get(opts, :every, 1_000)))

  @doc """
  Hashes of the state every so many events, `[{seq, hash}]`: two logs, or two folds of one, part before the first that differs.

      iex> Roomfold.Room.publish("twin", {"user_joined", %{"user_id" => "tom"}})
      iex> {:ok, [{1, hash}]} = Roomfold.Room.hashes("twin", 100)
      iex> byte_size(hash)
      32
  """
  @spec hashes(t, pos_integer) :: {:ok, [{pos_integer, binary}]} | {:error, Error.t()}
  def hashes(room, every) when is_integer(every) and every > 0, do: past(room, &History.hashes(&1, every))

  @doc """
  A room that plays this one's log back (`Roomfold.Replay`, also for its options): join it like a live one.

      iex> Roomfold.Room.publish("stage", {"user_joined", %{"user_id" => "tom"}})
      iex> {:ok, replay} = Roomfold.Room.replay("stage", speed: 100)
      iex> Roomfold.Room.get(replay, "tom")
      %{}
  """
  @spec replay(t, keyword) :: {:ok, pid} | {:error, Error.t()}
  def replay(room, opts \\ []) do
    past(room, fn options ->
      world =
        options
        |> Map.take(
          [:id, :impl, :schema, :rules, :level, :history, :max_entities, :upcasters, :diff_tells] ++
            [:rules_version, :schema_version]
        )
        |> Map.to_list()

      if options.log,
        do: Roomfold.Replay.start_link([log: options.log] ++ world ++ opts),
        else: {:error, Error.new(:not_supported, detail: "the room has no log")}
    end)
  end

  # The room need not run for it.
  defp past(room, function) do
    with {:ok, %Options{} = options} <- options(room), do: function.(options)
  end

  defp options(pid) when is_pid(pid),
    do: with(%Options{} = options <- call(pid, :options, 5_000), do: {:ok, options})

  defp options(room) do
    with {:ok, {rooms, id}} <- valid(name(room)) do
      case Rooms.whereis(rooms, id) do
        nil -> {:ok, Rooms.options(rooms, id, [])}
        pid -> options(pid)
      end
    end
  end

  # ---- calls ----

  defp name({rooms, id}) when is_atom(rooms) and is_binary(id), do: {rooms, id}
  defp name(id) when is_binary(id), do: {Rooms, id}
  defp name(_), do: :none

  # A room that stopped between being found and being asked is started once more. While it moves, its name may still be that of the
  # process that has just gone.
  defp call(room, request, timeout, tries \\ 5)

  defp call(room, request, timeout, tries) do
    with {:ok, pid} <- process(room) do
      try do
        GenServer.call(pid, request, timeout)
      catch
        :exit, {reason, {GenServer, :call, _}}
        when tries > 1 and not is_pid(room) and reason in [:noproc, :normal] ->
          Process.sleep(5)
          call(room, request, timeout, tries - 1)

        # What it had not answered when it stopped in good order it had not done.
        :exit, {{:shutdown, reason}, {GenServer, :call, _}}
        when tries > 1 and not is_pid(room) and reason in [:idle, :moved] ->
          call(room, request, timeout, tries - 1)

        :exit, {:timeout, {GenServer, :call, _}} ->
          {:error,
           Error.new(:overloaded, detail: "no answer within #{timeout} ms; what was asked may still be done")}

        :exit, {:noproc, {GenServer, :call, _}} ->
          {:error, Error.new(:no_room)}

        # It could not start.
        :exit, {%Error{} = error, {GenServer, :call, _}} ->
          {:error, error}

        :exit, {{:shutdown, :log_unreachable}, {GenServer, :call, _}} ->
          {:error, Error.new(:log_failed, detail: "it can't be reached")}

        :exit, {reason, {GenServer, :call, _}} ->
          {:error, Error.new(:room_closed, detail: inspect(reason))}
      end
    end
  end

  defp process(pid) when is_pid(pid), do: {:ok, pid}

  defp process(room) do
    with {:ok, {rooms, id}} <- valid(name(room)), do: Rooms.fetch(rooms, id)
  end

  defp valid({rooms, id}) when is_binary(id) and byte_size(id) in 1..255, do: {:ok, {rooms, id}}
  defp valid({_, _}), do: {:error, Error.new(:invalid_id, field: "room")}

  defp valid(:none),
    do: {:error, Error.new(:invalid_id, field: "room", detail: "a room is its id, {rooms, id} or its pid")}
end
