defmodule Roomfold.Room do
  @moduledoc """
  A room: one process with sole authority over an ordered stream of events. It checks published events, numbers them, logs them,
  folds them into the world, and sends them to everybody.

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
  It starts on first use, stops when it has been idle for a while, and is restored from its log. So a misspelt id is a new, empty room,
  also for `get/2`, `snapshot/2` or `info/1`. `whereis/1` shows whether a room runs. Asking for the past of a room that never existed
  (`state_at/2` and the functions after it) is the error `:no_room`.

  ## A module of your own

  A room needs no code. For decisions of your own, `use Roomfold.Room` with options, and override the callbacks you need:

      defmodule Xr.Room do
        use Roomfold.Room, tick_ms: 33, rules: Roomfold.Rules.doom()

        @impl true
        def authorize({"door_triggered", _}, user, world, _state) do
          case Roomfold.World.get(world, user) do
            %{"keys" => keys} when is_list(keys) -> if "red" in keys, do: :ok, else: {:error, "the door is locked"}
            _ -> {:error, "the door is locked"}
          end
        end

        def authorize(_, _, _, _), do: :ok

        @impl true
        def handle_event({"door_triggered", %{"id" => id}}, _world, state), do: {[{"door_opened", %{"id" => id}}], state}
        def handle_event(_, _, state), do: {[], state}
      end

  A callback that raises, exits, throws or answers what it may not ends no room, but for `init/3`: what `authorize/4` was asked about is refused
  (`:not_allowed`), the others have said nothing, and the module's state is what it was. It is logged, the first time and once in 1,000 times, and counted (`:failed`
  of `info/1`). So is a process that a callback has linked to the room, and that breaks: the room goes on, and does not start it again.
  """

  alias Roomfold.{Error, EventLog, EventStream, OptionList, Rooms, Rules, Timer, World}
  alias Roomfold.Room.{Fork, History, Inbox, Options, Read, Server, Text}

  @type id :: String.t()
  @type t :: id | {Rooms.t(), id} | pid
  @typedoc "A user's id; or `:system` or `:server`, the room itself."
  @type sender :: String.t() | :system | :server

  @type event :: World.event() | {String.t(), {:json, iodata}} | {:json, binary} | {:packed, binary}

  @doc """
  Called when the room starts, also each time it is restored from its log. Events are published by "system". They are in the world before anybody
  joins, reads or publishes (what they cause in turn comes later), unless the log fails or takes longer than four seconds.
  """
  @callback init(id, World.t(), args :: term) :: {:ok, state :: term} | {:ok, state :: term, [World.event()]}
  @doc """
  Whether this user may send this event. What it allows, the rules and ownership may still refuse: they are asked afterwards. The event is what
  the client has sent, so a field may be missing, or hold anything.
  """
  @callback authorize(World.event(), user :: String.t(), World.t(), state :: term) ::
              :ok | {:error, Error.t() | String.t()}
  @doc """
  The events that an event causes, published by "system"; called after it was folded. Those that are refused are logged and counted
  (`info/1`).
  """
  @callback handle_event(World.event(), World.t(), state :: term) :: {[World.event()], state :: term}
  @doc """
  The events for a user who is new here, published by "server". By default user_joined, if the rules have it and there is no entity with
  the user's id, or one that another user has made and owns. The room adds `"connected" => true` to the user's own user_joined: after a crash, the room waits for that user.
  """
  @callback joined(user :: String.t(), params :: map, World.t(), state :: term) :: [World.event()]
  @doc "The events for a user who has left, published by \"server\". By default user_left, if the rules have it."
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
      def joined(user, params, world, _state),
        do: Roomfold.Room.Callbacks.default_joined(user, params, world)

      @impl true
      def left(user, world, _state), do: Roomfold.Room.Callbacks.default_left(user, world)

      defoverridable init: 3, joined: 4, left: 3
    end
  end

  @doc """
  Starts a room under the calling process. Rooms start on demand: call this for a room with options of its own.

  In a supervision tree, `{Roomfold.Room, id: "lobby", rooms: MyApp.Rooms}` after its place, a room runs from the beginning and does not stop
  when it is idle (unless it has an `:idle_ms`). One that crashed is restarted. One that was stopped, whose log has ended or that runs already is left to its
  place, which starts it on its next use.

  ## Options

    * `:id` - required
    * `:rooms` - the place where it is registered by its id (`Roomfold.Rooms`); `nil`: it has only a pid
    * `:module` - with this behaviour; `:args` for its `init/3`
    * `:impl`, `:schema`, `:rules`, `:level`, `:history` (8,192), `:max_entities` - of its world (`Roomfold.World.new/1`)
    * `:systems` - what runs on every tick (`Roomfold.Room.System`)
    * `:authority` - who sends system events: `:room` (default), or `:client`, the user who has been here longest
    * `:tick_ms` - how long events are gathered for one commit, one fold and one publish (50)
    * `:idle_ms` - how long until a room without connections stops (60,000; `:infinity`); after its start not within a second
    * `:grace_ms` - how long a user whose connection is gone may take to come back (5,000)
    * `:snapshot_every` - how many events lie between snapshots in the log (10,000; 0: only when the room stops)
    * `:max_event_bytes` (16,384), `:max_queue` - waiting events (20,000; during a commit, sessions may have as many more)
    * `:user_events_per_s` (120), `:user_bytes_per_s` (131,072), `:user_burst_s` (2) - what one user may send, over all its connections, and separately
      how often it may join: a tenth as often
    * `:user_connections` - how many connections one user may have at a time (100)
    * `:diff_tells` - names of events that are not sent to clients, because the diff shows the same (create, update, delete, and all
      movement events)
    * `:move` - the event that the poses of a client's packed input become (`"user_moved"`)
    * `:rewind` - whether past positions are remembered, for `Roomfold.Hits` (default: if there is a level)
    * `:rules_version`, `:schema_version` (1) - increase them when the rules or the schema change: logs and snapshots record them, and a
      room that starts with new ones rebuilds its world from the log. Older ones than the log's are refused (`:log_newer`)
    * `:spawn_opt` - of the room's process, as for `GenServer.start_link/3`, without links and monitors (`[]`). A room whose `min_heap_size` and
      `max_heap_size` are not set has a heap of at least 8,000 words, which the VM makes 88 KB of. With `[priority: :high]` rooms keep their
      ticks when a node has more to do than it can; everything else on it waits then (docs/scaling.md)
    * `:upcasters` - functions that take an event of the log as decoded JSON, or that and a map of the versions it was written with
      (`"rules"`, `"schema"`), and return the event as it would be written today

  ## Examples

      iex> {:ok, room} = Roomfold.Room.start_link(id: "den", rooms: nil, impl: :elixir)
      iex> Roomfold.Room.publish(room, {"user_joined", %{"user_id" => "tom"}}, by: :server)
      {:ok, 1}
  """
  @spec start_link(keyword) :: GenServer.on_start()
  def start_link(opts) do
    id = opts |> OptionList.once!("a room") |> Keyword.fetch!(:id)

    rooms = Keyword.get(opts, :rooms, Rooms)
    Options.must!(:rooms, rooms, &is_atom/1, "the name of a place, an atom, or nil")

    case rooms do
      nil -> Server.start_link(Options.new([Options.of_module(opts[:module]), opts]))
      rooms -> start_link(rooms, id, Keyword.drop(opts, [:id, :rooms]))
    end
  end

  # In the place it is one of its rooms, and may be started there by its id later.
  defp start_link(rooms, id, opts) do
    with %Options{} = options <- Rooms.if_running(rooms, fn -> Rooms.options(rooms, id, opts) end),
         {:ok, pid} <- Server.start_link(options) do
      if opts != [], do: Rooms.remember(options, opts)
      {:ok, pid}
    end
  end

  @doc false
  # Its place starts a room that stopped in good order (its log has ended, it has moved) on its next use. A supervisor that did so, too, would
  # soon have restarted more than it may.
  def child_spec(opts) do
    %{
      id: {__MODULE__, if(opts[:rooms], do: {opts[:rooms], opts[:id]}, else: opts[:id])},
      start: {__MODULE__, :start_child, [Keyword.put_new(opts, :idle_ms, :infinity)]},
      restart: if(Keyword.get(opts, :rooms, Rooms), do: :transient, else: :permanent)
    }
  end

  @doc false
  def start_child(opts) do
    case start_link(opts) do
      # Somebody has used it before, here or on another node: it runs.
      {:error, {:already_started, _}} -> :ignore
      answer -> answer
    end
  end

  @doc """
  Starts a room and registers it by its id, unless it runs already. It may have options of its own (`start_link/1`), which its place
  remembers (`Roomfold.Rooms`): the room comes back with them, until it is started with others. A room that runs keeps its options.

      iex> {:ok, room} = Roomfold.Room.ensure_started("cellar", tick_ms: 20)
      iex> Roomfold.Room.whereis("cellar") == room
      true
  """
  @spec ensure_started(id | {Rooms.t(), id}, keyword) :: {:ok, pid} | {:error, Error.t()}
  def ensure_started(room, opts \\ []) do
    for name <- [:id, :rooms], opts |> OptionList.once!("a room") |> Keyword.has_key?(name) do
      raise ArgumentError, "#{inspect(name)} is no option here: the first argument, #{inspect(room)}, says it"
    end

    with {:ok, {rooms, id}} <- of_place(name(room)), do: Rooms.fetch(rooms, id, opts)
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
      {rooms, id} ->
        with {:error, error} <- Rooms.if_running(rooms, fn -> Rooms.whereis(rooms, id) end), do: raise(error)

      :none ->
        raise elem(valid(:none), 1)
    end
  end

  @doc """
  Publishes an event, or several that follow one another, all or none of them. Returns their seqs when they are in the log.

  An event is `{name, payload}`, `{name, {:json, payload_as_text}}`, or `{:json, text}` with the name in the text. Text is not decoded
  unless somebody subscribes to terms.

  `{:packed, frame}`, by itself, is what a user's client sent (`Roomfold.Wire.encode_input/2`), or from `:system` and `:server` a
  batch of creates, updates and deletes (`Roomfold.Wire.encode_events/2`). The result has all their seqs, for a batch as a range. In a
  room without a log, and while nobody wants events as terms, a batch is folded as it is, at a tenth of the cost of text.

  ## Options

    * `:by` - a user's id, `:system` or `:server` (default)
    * `:as` - `:system`: the user acts as the room's authority (`authority: :client`)
    * `:timeout` - milliseconds (5,000) that the room may take. After that the error is `:overloaded`, as for a full queue, but the events may
      still be committed; the message mentions it

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
    opts = OptionList.validate!(opts, [by: :server, as: nil, timeout: 5_000], "publish")
    timeout = Timer.timeout!(:timeout, opts[:timeout])

    with {:ok, sender} <- sender(opts[:by], opts[:as]),
         {:ok, texts} <- Text.events(listed(event_or_events), json()),
         {:ok, seqs} <- call(room, {:publish, sender, texts}, timeout) do
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
  Like `publish/3`, but does not wait: `{ref, {:ok, seqs}}` or `{ref, {:error, error}}` comes as a message.
  Calls from one process stay in order. Events that a `Roomfold.Session` of the same process publishes may overtake those that are not
  answered yet.

  The room must be running (`ensure_started/2`); the caller should monitor it.

      iex> {:ok, room} = Roomfold.Room.ensure_started("yard")
      iex> ref = Roomfold.Room.publish_async(room, [{"user_joined", %{"user_id" => "tom"}}], by: :server)
      iex> receive do {^ref, answer} -> answer end
      {:ok, [1]}
  """
  @spec publish_async(pid, [event], keyword) :: reference
  def publish_async(room, events, opts) do
    unless is_pid(room),
      do: raise(ArgumentError, "publish_async takes a room's pid (ensure_started/2), got #{Error.got(room)}")

    unless is_list(events),
      do: raise(ArgumentError, "publish_async takes a list of events, got #{Error.got(events)}")

    opts = OptionList.validate!(opts, [by: :server, as: nil], "publish_async")

    case sender(opts[:by], opts[:as]) do
      {:ok, sender} -> publish_from(room, sender, events, :tag, :erlang.monotonic_time(:millisecond))
      error -> answer(make_ref(), error)
    end
  end

  @doc false
  # For a session (how: :session), whose user was checked when it joined: the answer may come with the update that the session gets
  # anyway. On the room's own node the session has the room's inbox. now: milliseconds of the monotonic clock.
  def publish_from(room, sender, events, how, now) do
    ref = make_ref()

    case texts(room, events) do
      {:ok, texts} ->
        case hand_over(room, {how, self(), ref}, sender, texts, now) do
          :ok -> ref
          :full -> answer(ref, {:error, Error.new(:overloaded)})
        end

      error ->
        answer(ref, error)
    end
  end

  defp texts(%Inbox{}, events), do: Text.for_inbox(events, json())
  defp texts(_, events), do: Text.events(events, json())

  defp hand_over(%Inbox{} = inbox, to, sender, texts, now), do: Inbox.put(inbox, to, sender, texts, now)
  defp hand_over(room, to, sender, texts, _), do: GenServer.cast(room, {:publish, to, sender, texts})

  defp answer(ref, error) do
    send(self(), {ref, error})
    ref
  end

  defp json, do: Roomfold.JSON.compiled()

  defp sender(user, as) when as not in [nil, :system] or (as == :system and not is_binary(user)),
    do:
      {:error, Error.new(:invalid_argument, field: "as", detail: "it is :system, beside a user's id in :by")}

  defp sender(name, nil) when name in ["system", "server"],
    do: {:error, Error.new(:invalid_id, field: "by", detail: "#{inspect(name)} is the room itself, no user")}

  defp sender(user, nil) when is_binary(user) do
    if byte_size(user) in 1..255 and String.valid?(user),
      do: {:ok, {:user, user}},
      else: {:error, Error.new(:invalid_id, field: "by")}
  end

  defp sender(user, :system),
    do: with({:ok, {:user, user}} <- sender(user, nil), do: {:ok, {:elected, user}})

  defp sender(sender, nil) when sender in [:system, :server], do: {:ok, sender}

  defp sender(other, nil),
    do: {:error, Error.new(:invalid_id, field: "by", detail: "got #{Error.got(other)}")}

  @doc """
  Subscribes the calling process to the room's events: messages `{name, payload}`. The room need not be running.

  It takes the room's id, like all functions here, not the topic of the stream (`"stream:" <> id`, `Roomfold.EventStream.topic/1`):
  `subscribe("stream:attic")` subscribes to another room, one with that id.

  With a place's own stream (`Roomfold.EventStream.Local`) the process is linked to it: if the place stops or is restarted, it ends with the reason
  `:shutdown`, or gets that as a message if it traps exits, as nothing would come any more. It belongs after the place in its supervisor.

      iex> Roomfold.Room.subscribe("attic")
      :ok
  """
  @spec subscribe(id | {Rooms.t(), id}) :: :ok | {:error, term}
  def subscribe(room) do
    with {:ok, {rooms, id}} <- of_place(name(room)),
         do: on_stream(rooms, id, &EventStream.subscribe/2)
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
    with {:ok, {rooms, id}} <- of_place(name(room)),
         do: on_stream(rooms, id, &EventStream.unsubscribe/2)
  end

  defp on_stream(rooms, id, function),
    do: Rooms.if_running(rooms, fn -> function.(Rooms.stream(rooms), EventStream.topic(id)) end)

  @doc """
  Makes the calling process a connection of a user (`Roomfold.Session` is built on this). It gets a snapshot or what it missed, and from
  then on `{:roomfold, id, {:update, %Roomfold.Room.Update{}}}` for every tick that changed something, without a gap.

  The answer has `:frame`, `{:snapshot | :diff, bytes}`, which brings the process to `:seq` of the life `:term`; who is here, `:users`; `:tick_ms`; and `:pid`, the
  room's process, to be monitored. Other messages `{:roomfold, id, message}` are `{:presence, joins, leaves}` with users' ids, `{:authority, user}` where a client
  has it (`authority: :client`), and `{:replaced, term, number}`: the process itself has joined once more, what came before is over.

  A process is one connection to a room: joining once more as the same user starts over, as another user it is refused
  (`:not_supported`). The same process may be in several rooms.

  ## Options

    * `:format` - `:json` (default) or `:packed`
    * `:events` - whether it wants the events that the diff does not show (`true`)
    * `:last_seq`, `:last_term` - how far a client that comes back had got, and in which life of the room; without both it gets a snapshot
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
    known = [format: :json, events: true, last_seq: nil, last_term: nil, params: %{}]
    opts = OptionList.validate!(opts, known, "a join")

    how = check_join!(Map.new(opts))

    case sender(user, nil) do
      {:ok, {:user, user}} -> call(room, {:join, self(), user, how}, Timer.call_ms())
      {:ok, _} -> {:error, Error.new(:invalid_id, field: "user", detail: "#{inspect(user)} is no user")}
      {:error, error} -> {:error, Error.new(error.reason, field: "user", detail: error.detail)}
    end
  end

  defp check_join!(%{last_seq: seq, last_term: term} = how) do
    place? = &(&1 == nil or (is_integer(&1) and &1 >= 0))
    Options.must!(:format, how.format, &(&1 in [:json, :packed]), ":json or :packed")
    Options.must!(:events, how.events, &is_boolean/1, "true or false")
    Options.must!(:last_seq, seq, place?, "a seq, a whole number from 0, or nil")
    Options.must!(:last_term, term, place?, "a term, a whole number from 0, or nil")
    Options.must!(:params, how.params, &is_map/1, "a map")
    how
  end

  @doc """
  Ends the calling process's connection. If it was its user's last one, the user has left, without any grace.

      iex> {:ok, _} = Roomfold.Room.join("gate", "tom")
      iex> Roomfold.Room.leave("gate")
      :ok
  """
  @spec leave(t) :: :ok | {:error, Error.t()}
  def leave(room), do: call(room, {:leave, self(), true}, Timer.call_ms())

  @doc false
  # For a session that lags: {seq, {:diff | :snapshot, bytes}}.
  def catch_up(room, from, format), do: call(room, {:catch_up, from, format}, Timer.call_ms())

  @doc false
  # For a session whose client has everything up to seq: from now on frames go straight to the process that writes to its socket.
  def fastlane(room, seq, entry) when is_pid(room), do: GenServer.cast(room, {:fastlane, self(), seq, entry})

  @doc false
  # In the fast lane the room needs to know of acknowledgements.
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
  def get(room, id) when is_binary(id), do: read!(room, &World.get(&1, id))

  @doc """
  All entities as they are now (`Roomfold.World.snapshot/2`).

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

  # A large map sent as a message would be copied in one go, and hold up a scheduler and the room: the caller gets a copy of the world
  # instead.
  @large 1_000
  defp snapshot_or_copy(world, opts, asked_by) do
    if asked_by == node() and World.count(world) > @large,
      do: {:copy, elem(World.copy(world), 1)},
      else: {:snapshot, World.snapshot(world, opts)}
  end

  @doc """
  Runs a function on the room's world, in the room's process: it must be quick. It can't fold that world (`:not_supported`;
  `Roomfold.World.copy/1` makes one that it can). What it raises, exits with or throws does so in the caller.

      iex> Roomfold.Room.read("new room", &Roomfold.World.count/1)
      {:ok, 0}
  """
  @spec read(t, (World.t() -> value)) :: {:ok, value} | {:error, Error.t()} when value: term
  def read(room, function) when is_function(function, 1) do
    Read.answered(call(room, {:read, function}, Timer.call_ms()))
  end

  defp read!(room, function) do
    case read(room, function) do
      {:ok, value} -> value
      {:error, error} -> raise error
    end
  end

  @doc """
  Figures of a room:

    * `:seq`, `:term`, `:entities`, `:connections`, `:users`, `:queued` events
    * `:ticks` (there are none while there is nothing to do), and `:shed` - ticks that were left out
    * `:strays` - messages that others broadcast on its stream; they are not folded
    * `:refused` - events of its systems and its module that were refused; `:failed` - how often a system, a callback of its
      module, a process that these have linked to the room, its stream, or the module of a host's fast lane (`Roomfold.Session.new/1`) failed
    * `:busy_us` - how long it worked on a tick or after a commit, in microseconds: `:count`, `:mean`, `:p50`, `:p99`, `:max`

      iex> Roomfold.Room.info("new room").users
      []
  """
  @spec info(t) :: map
  def info(room) do
    case call(room, :info, Timer.call_ms()) do
      {:error, error} -> raise error
      info -> info
    end
  end

  @doc """
  Stops a room in good order: what was published is in the log, and so is a snapshot. It starts again on the next use.

      iex> Roomfold.Room.seq("old room")
      0
      iex> Roomfold.Room.stop("old room")
      :ok
  """
  @spec stop(t) :: :ok
  def stop(room) do
    with pid when is_pid(pid) <- whereis(room) do
      try do
        GenServer.stop(pid, :shutdown, Timer.call_ms())
      catch
        :exit, reason -> stopped?(reason) || exit(reason)
      end
    end

    :ok
  end

  # By itself, or because somebody else has asked.
  defp stopped?({reason, {module, _, _}}) when module in [GenServer, :sys], do: stopped?(reason)
  defp stopped?({:shutdown, reason}), do: reason in [:idle, :moved]
  defp stopped?(reason), do: reason in [:noproc, :normal, :shutdown]

  # ---- the past ----

  @doc """
  The world as it was at a seq, built from the log for the caller.

      iex> Roomfold.Room.publish("vault", [{"user_joined", %{"user_id" => "tom"}}, {"user_joined", %{"user_id" => "ann"}}])
      iex> {:ok, world} = Roomfold.Room.state_at("vault", 1)
      iex> Roomfold.World.snapshot(world)
      %{"tom" => %{}}
      iex> {:error, error} = Roomfold.Room.state_at("vault", 3)
      iex> error.reason
      :seq_ahead
      iex> {:error, error} = Roomfold.Room.state_at("vault", "1")
      iex> error.message
      "an argument is not what the function takes: a seq is an integer from 0, got the string \\"1\\""
  """
  @spec state_at(t, non_neg_integer) :: {:ok, World.t()} | {:error, Error.t()}
  def state_at(room, seq),
    do: with(:ok <- check_seq(seq), do: past(room, &History.state_at(&1, seq)))

  @doc """
  What changed between two seqs, which are at most 1,048,576 apart (`:history_gone`).

      iex> Roomfold.Room.publish("ledger", [{"user_joined", %{"user_id" => "tom"}}, {"user_joined", %{"user_id" => "ann"}}])
      iex> {:ok, diff} = Roomfold.Room.diff("ledger", 1, 2)
      iex> diff["creates"]
      %{"ann" => %{}}
  """
  @spec diff(t, non_neg_integer, non_neg_integer) :: {:ok, map} | {:error, Error.t()}
  def diff(room, a, b) do
    with :ok <- check_seq(a), :ok <- check_seq(b), do: past(room, &History.diff(&1, a, b))
  end

  @doc """
  Makes a new room with the same events up to a seq, in a log of its own. If the room's log was trimmed, it can't (`:log_trimmed`).

  ## Options

    * `:id` - of the new room (`"ID@SEQ-…"`, a new one each time; of a long id the beginning). There must be none of that id; of several who
      fork to one id at the same moment, one makes it. It is made wholly or not at all: what is left where a VM dies meanwhile can't be opened
      (`:fork_unfinished`), and the next fork to that id begins anew

  It has the options of the original, also those of its own.

  ## Examples

      iex> Roomfold.Room.publish("origin", [{"user_joined", %{"user_id" => "tom"}}, {"user_joined", %{"user_id" => "ann"}}])
      iex> {:ok, fork} = Roomfold.Room.fork("origin", 1)
      iex> Roomfold.Room.publish(fork, {"user_left", %{"user_id" => "tom"}})
      {:ok, 2}
      iex> Roomfold.Room.snapshot("origin")
      %{"ann" => %{}, "tom" => %{}}
  """
  @spec fork(id | {Rooms.t(), id}, non_neg_integer, keyword) :: {:ok, t} | {:error, Error.t()}
  def fork(room, seq, opts \\ []) do
    opts = OptionList.validate!(opts, [:id], "a fork")

    with :ok <- check_seq(seq),
         {:ok, {rooms, id}} <- of_place(name(room)),
         new = Keyword.get_lazy(opts, :id, fn -> fork_id(id, seq) end),
         {:ok, _} <- valid({rooms, new}, "id"),
         {:ok, options, node} <- options(room),
         {:ok, home} <- Rooms.home(rooms, new, options.log),
         :ok <- Fork.make(from_here(options, node), seq, from_here(%{options | id: new}, home)),
         :ok <- Rooms.inherit(options, rooms, new, home),
         do: {:ok, if(is_binary(room), do: new, else: {rooms, new})}
  end

  defp fork_id(id, seq) do
    suffix = Base.encode32(:crypto.strong_rand_bytes(5), case: :lower, padding: false)
    behind = "@#{seq}-#{suffix}"
    shortened(id, 255 - byte_size(behind)) <> behind
  end

  # To whole characters.
  defp shortened(id, bytes) when byte_size(id) <= bytes, do: id

  defp shortened(id, bytes) do
    part = binary_part(id, 0, bytes)
    if String.valid?(part), do: part, else: shortened(id, bytes - 1)
  end

  @doc """
  Folds the log by new rules and by the room's, and compares: `:same`, or `{:different, found}` with the first event after which the
  worlds differ: its `:seq`, the `:event`, and what it changes by the room's rules (`:ours`) and by the new ones (`:theirs`). If the log was
  trimmed, both begin with its oldest snapshot.

  ## Options

    * `:every` - how many events lie between comparisons (1,000). What differs and is the same again before the next comparison, such as somebody who came and left,
      is not found; 1 finds all, and takes longer

  ## Examples

      iex> Roomfold.Room.publish("court", [{"user_joined", %{"user_id" => "tom"}}, {"user_left", %{"user_id" => "tom"}}])
      iex> rules = Roomfold.Rules.new!(%{"user_joined" => [{:create, "user_id", %{}}], "user_left" => []})
      iex> {:different, found} = Roomfold.Room.refold("court", rules)
      iex> {found.seq, found.ours["deletes"], found.theirs["deletes"]}
      {2, ["tom"], []}
      iex> {:error, error} = Roomfold.Room.refold("court", :doom)
      iex> error.detail
      "the rules are a Roomfold.Rules, such as Roomfold.Rules.xr(), got the atom :doom"
  """
  @spec refold(t, Roomfold.Rules.t(), keyword) :: :same | {:different, map} | {:error, Error.t()}
  def refold(room, rules, opts \\ [])

  def refold(room, %Rules{} = rules, opts) do
    every = OptionList.validate!(opts, [every: 1_000], "a refold")[:every]
    Options.must!(:every, every, &(is_integer(&1) and &1 > 0), "a whole number above 0")
    past(room, &History.refold(&1, rules, every))
  end

  def refold(_, other, _),
    do: taken("the rules are a Roomfold.Rules, such as Roomfold.Rules.xr(), got #{Error.got(other)}")

  @doc """
  Hashes of the state after every so many events, `[{seq, hash}]`. Two logs, or two folds of one, part before the first hash that differs.
  If the log was trimmed, they begin with its oldest snapshot.

      iex> Roomfold.Room.publish("twin", {"user_joined", %{"user_id" => "tom"}})
      iex> {:ok, [{1, hash}]} = Roomfold.Room.hashes("twin", 100)
      iex> byte_size(hash)
      32
  """
  @spec hashes(t, pos_integer) :: {:ok, [{pos_integer, binary}]} | {:error, Error.t()}
  def hashes(room, every) when is_integer(every) and every > 0, do: past(room, &History.hashes(&1, every))

  def hashes(_, other),
    do: taken("hashes are taken after every so many events, an integer above 0, got #{Error.got(other)}")

  defp check_seq(seq) when is_integer(seq) and seq >= 0, do: :ok
  defp check_seq(other), do: taken("a seq is an integer from 0, got #{Error.got(other)}")

  defp taken(detail), do: {:error, Error.new(:invalid_argument, detail: detail)}

  @doc """
  Starts a room that plays this one's log back (options: `Roomfold.Replay`). It is joined like a live one.

      iex> Roomfold.Room.publish("stage", {"user_joined", %{"user_id" => "tom"}})
      iex> {:ok, replay} = Roomfold.Room.replay("stage", speed: 100)
      iex> Roomfold.Room.get(replay, "tom")
      %{}
  """
  @spec replay(t, keyword) :: {:ok, pid} | {:error, Error.t()}
  def replay(room, opts \\ []) do
    opts = OptionList.once!(opts, "a replay")

    past(room, fn options ->
      world =
        options
        |> Map.take(
          [:id, :impl, :schema, :rules, :level, :history, :max_entities, :upcasters, :diff_tells] ++
            [:rules_version, :schema_version]
        )
        |> Map.to_list()

      if options.log,
        do: Roomfold.Replay.start_link(Keyword.merge([log: options.log] ++ world, opts)),
        else: {:error, Error.new(:not_supported, detail: "the room has no log")}
    end)
  end

  # The room need not run for it.
  defp past(room, function) do
    with {:ok, options, node} <- options(room), do: function.(from_here(options, node))
  end

  # With the node that they are of, whose log is the room's.
  defp options(pid) when is_pid(pid),
    do: with(%Options{} = options <- call(pid, :options, Timer.call_ms()), do: {:ok, options, node(pid)})

  defp options(room) do
    with {:ok, {rooms, id}} <- valid(name(room)) do
      case Rooms.if_running(rooms, fn -> Rooms.whereis(rooms, id) || Rooms.options_at_home(rooms, id) end) do
        pid when is_pid(pid) -> options(pid)
        answer -> answer
      end
    end
  end

  defp from_here(%Options{} = options, node), do: %{options | log: EventLog.on_node(options.log, node)}

  # ---- calls ----

  defp name({rooms, id}) when is_atom(rooms) and is_binary(id), do: {rooms, id}
  defp name(id) when is_binary(id), do: {Rooms, id}
  defp name(_), do: :none

  # A room that stopped before the call reached it is started once more. While it moves to another node, its name may still belong to the
  # process that has just ended, for as long as the nodes take to tell one another: the pauses double, to a second and a quarter in all.
  @tries 9
  @pause_ms 5

  defp call(room, request, timeout, tries \\ @tries) do
    with {:ok, pid} <- process(room) do
      try do
        GenServer.call(pid, request, timeout)
      catch
        :exit, {reason, {GenServer, :call, _}}
        when tries > 1 and not is_pid(room) and reason in [:noproc, :normal] ->
          Process.sleep(@pause_ms * Integer.pow(2, @tries - tries))
          call(room, request, timeout, tries - 1)

        # A room that stops in good order has not done what it did not answer.
        :exit, {{:shutdown, reason}, {GenServer, :call, _}}
        when tries > 1 and not is_pid(room) and reason in [:idle, :moved] ->
          call(room, request, timeout, tries - 1)

        :exit, {:shutdown, {GenServer, :call, _}} when tries > 1 and not is_pid(room) ->
          call(room, request, timeout, tries - 1)

        :exit, {:timeout, {GenServer, :call, _}} ->
          {:error, Error.new(:overloaded, detail: "no answer within #{timeout} ms; it may still be done")}

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

  # What can't be called by its pid: it may not run, or what is asked for belongs to its place.
  defp of_place(:none),
    do: {:error, Error.new(:invalid_id, field: "room", detail: "here a room is its id or {rooms, id}")}

  defp of_place(name), do: valid(name)

  defp valid(name, field \\ "room")

  defp valid({rooms, id}, field),
    do: with(:ok <- EventLog.check_room(id, field), do: {:ok, {rooms, id}})

  defp valid(:none, field),
    do: {:error, Error.new(:invalid_id, field: field, detail: "a room is its id, {rooms, id} or its pid")}
end
