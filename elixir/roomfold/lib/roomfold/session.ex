defmodule Roomfold.Session do
  @moduledoc """
  One client's connection to a room, as data: messages from the client and from the room go in, frames for the client come out. It is
  neither a process nor a transport: a channel or a gateway holds one and sends its frames.

      iex> session = Roomfold.Session.new(room: "studio", user: "tom")
      iex> {:ok, reply, frames, session} = Roomfold.Session.join(session, %{"format" => "json"})
      iex> {reply["seq"], reply["format"], frames}
      {0, "json", [{:push, "snapshot", {:json, ~s({"seq":0,"entities":{}})}}]}
      iex> {[], _session} = Roomfold.Session.input(session, "user_moved", %{"user_id" => "tom", "position" => [1, 2, 3]}, "7")

  The room sends messages to the process that called `join/2`, which passes each of them to `handle/2`. A process has at most one session
  of a room: a second user's join is refused; when the same user joins once more, in whatever format, the older session is closed with the
  reason `replaced`. Two clients are two processes. Sessions of several rooms may share one, if the rooms' ids differ.

  ## Frames

    * `{:push, event, payload}` - a message to the client
    * `{:reply, ref, :ok | :error, payload}` - the reply to a message of the client

  A payload is a map, `{:json, iodata}`: a map as text, or `{:binary, bytes}`.

  ## The conversation

  The client joins with `format` (`"json"` or `"packed"`) and the `versions` of the packed format that it knows (`[1]`); to come back, it
  adds `last_seq` and `last_term` (both: a seq alone may be of another room that had this name, and brings a snapshot). `events: true` asks for the events that a diff does not show, `presence: true` for users who come and go.

  It gets `snapshot` or, coming back, perhaps a `diff`; then a `diff` for each tick that changed something, `events` (`{"events": [..]}`),
  `presence_diff`, `authority` (in a room where a client has it: who, at the join and when it changes), and `term` when the room has restarted
  and the session has joined it again.

  It sends events under their names; where it has a room's authority, what the system does as `system` with `{"events": [{"event_name": ..}, ..]}`, which are
  one batch and by `"system"`; and now and then `ack` with `{"seq": n}`, once it has received everything up to that seq. Snapshots and
  diffs that are not acknowledged may have at most `max_unacknowledged` bytes (the reply to the join has the number). A client that reads
  too slowly gets no more diffs until it has caught up, then one diff for all that it missed or a snapshot. If it takes too long, it is
  disconnected.
  """

  alias Roomfold.{Error, JSON, OptionList}
  alias Roomfold.Room.{Limit, Options, Text, Update}
  alias Roomfold.Session.{Backlog, JoinParams, Lane, Link, Reply}

  @type payload :: map | {:json, iodata} | {:binary, binary}
  @type frame :: {:push, String.t(), payload} | {:reply, ref :: term, :ok | :error, payload}

  # Messages from the room name its id, and those to one session also the number of its join, which distinguishes it from an earlier one of the
  # same process.
  defstruct [
    :room,
    :user,
    :options,
    # what the client asked for: the format of diffs, and more
    :format,
    :params,
    # the room, by its process; where the client's events go: the room, or its inbox
    :pid,
    :to,
    :monitor,
    :id,
    :term,
    :number,
    # the last one that the client was sent
    :seq,
    # what the client may still send, and acknowledge
    :limit,
    :ack_limit,
    :json,
    :lane,
    link: Link,
    backlog: Backlog.new(),
    waiting: %{},
    # the room could not bring it up to date, and will be asked again
    asks_again?: false,
    events?: false,
    presence?: false
  ]

  @type t :: %__MODULE__{}

  @own [:room, :user, :fastlane]
  @defaults [
              max_input_bytes: 65_536,
              max_waiting: 256,
              max_unacknowledged: 1_048_576,
              max_lag_ms: 15_000
            ] ++ Limit.defaults()

  @doc """
  A session that has not joined.

  ## Options

    * `:room`, `:user` - required
    * `:max_input_bytes` - of one message from the client, also of its join (65,536); `:max_waiting` - messages that are not answered yet (256)
    * `:max_unacknowledged` - bytes sent to the client and not acknowledged (1,048,576); `:max_lag_ms` (15,000)
    * `:events_per_s` (120), `:bytes_per_s` (131,072), `:burst_s` (2) - what the client may send, and separately the same for its `ack`s;
      checked here, so that a flood never reaches the room. Beyond that it is refused, `rate_limited`
    * `:fastlane` - `{pid, {module, argument}}`, for a host that calls `flushed/1`: a client that keeps up gets its diffs straight from the
      room. The room sends `module.message(argument, frame)` to `pid`, the process that writes to the socket; the message is made once for
      all clients with an equal module and argument. If that fails, the room says so in the log, and the client gets its diffs from the session.
      Not for a `Roomfold.Replay`

  ## Examples

      iex> Roomfold.Session.new(room: "studio", user: "tom").user
      "tom"
  """
  @spec new(keyword) :: t
  def new(opts) do
    {link, opts} = opts |> OptionList.once!("a session") |> Keyword.pop(:link, Link)
    {own, options} = opts |> OptionList.validate!(@own ++ @defaults, "a session") |> Keyword.split(@own)
    options = check!(own, Map.new(options))

    %__MODULE__{
      room: Keyword.fetch!(own, :room),
      user: Keyword.fetch!(own, :user),
      lane: Lane.new(own[:fastlane]),
      options: with_rates(options),
      link: link
    }
  end

  # Sessions with the default options, most of them, share one map, a literal: with thousands of clients each look at one of its own would be
  # a cache miss.
  @default_options Map.new(@defaults)
  @default_rates Limit.rates(
                   @default_options.events_per_s,
                   @default_options.bytes_per_s,
                   @default_options.burst_s
                 )
  @default_options_with_rates Map.put(@default_options, :rates, @default_rates)

  defp with_rates(@default_options), do: @default_options_with_rates

  defp with_rates(options),
    do: Map.put(options, :rates, Limit.rates(options.events_per_s, options.bytes_per_s, options.burst_s))

  defp check!(own, options) do
    for name <- [:max_input_bytes, :max_waiting, :max_unacknowledged, :max_lag_ms],
        do: Options.must!(name, options[name], &(is_integer(&1) and &1 >= 0), "a whole number, 0 or more")

    for name <- [:events_per_s, :bytes_per_s, :burst_s],
        do: Options.must!(name, options[name], &(is_integer(&1) and &1 > 0), "a whole number above 0")

    fastlane? = &(&1 == nil or match?({pid, {module, _}} when is_pid(pid) and is_atom(module), &1))
    Options.must!(:fastlane, own[:fastlane], fastlane?, "{pid, {module, argument}} or nil")
    options
  end

  # ---- joining and leaving ----

  @doc """
  Joins, or comes back. Returns the reply for the client, and the frames that must be sent to it first.

  ## Examples

      iex> session = Roomfold.Session.new(room: "studio 2", user: "ann")
      iex> {:error, error} = Roomfold.Session.join(session, %{"format" => "xml"})
      iex> error["message"]
      ~s(field "format": an argument is not what the function takes: it is "json" or "packed", got the string "xml")
  """
  @spec join(t, map) :: {:ok, map, [frame], t} | {:error, map}
  def join(%__MODULE__{} = session, params) when is_map(params) do
    with :ok <- at_most(size(params), session.options.max_input_bytes, :too_large),
         {:ok, asked} <- JoinParams.read(params),
         session = asked(session, asked),
         {:ok, joined, frames, session} <- enter(session, asked.last_seq, asked.last_term) do
      reply = %{
        "seq" => joined.seq,
        "term" => joined.term,
        "user" => session.user,
        "format" => Atom.to_string(asked.format),
        "version" => asked.version,
        "tick_ms" => joined.tick_ms,
        "max_unacknowledged" => session.options.max_unacknowledged
      }

      {:ok, reply, frames ++ present(session, joined.users), session}
    else
      {:error, %Error{} = error} -> {:error, reason(error)}
    end
  end

  defp asked(session, asked) do
    full = Limit.new(session.options.rates, now(session))

    %{
      session
      | format: asked.format,
        params: asked.params,
        events?: asked.events?,
        presence?: asked.presence?,
        limit: full,
        ack_limit: full
    }
  end

  defp enter(session, last_seq, last_term) do
    how = [
      format: session.format,
      events: session.events?,
      last_seq: last_seq,
      last_term: last_term,
      params: session.params
    ]

    with {:ok, joined} <- session.link.join(session.room, session.user, how) do
      monitor = session.link.monitor(joined.pid)

      session = %{
        session
        | pid: joined.pid,
          to: Map.get(joined, :inbox) || joined.pid,
          monitor: monitor,
          term: joined.term,
          id: joined.room,
          number: Map.get(joined, :number),
          seq: joined.seq,
          json: joined.json,
          lane: Lane.joined(session.lane),
          backlog: Backlog.new(),
          asks_again?: false
      }

      {frames, session} = state_frame(joined.frame, joined.seq, session)
      {:ok, joined, frames, session}
    end
  end

  defp present(%{presence?: false}, _), do: []

  defp present(_, users), do: [{:push, "presence_state", as_presence(users)}]

  # In the form that the client's library for presence takes.
  defp as_presence(users), do: Map.new(users, &{&1, %{"metas" => [%{"phx_ref" => &1}]}})

  @doc """
  Leaves: the user is gone at once, if this was its last connection. When a connection breaks, just let its process end: then the
  user has a time of grace to come back.

      iex> {:ok, _, _, session} = Roomfold.Session.join(Roomfold.Session.new(room: "studio 3", user: "eve"), %{})
      iex> Roomfold.Session.leave(session)
      :ok
  """
  @spec leave(t) :: :ok
  def leave(%__MODULE__{pid: nil}), do: :ok

  def leave(%__MODULE__{} = session) do
    session.link.demonitor(session.monitor)
    _ = session.link.leave(session.pid)
    :ok
  end

  @doc """
  A host with the option `:fastlane` calls this after it has handed the frames of the last call to the transport.

      iex> {:ok, _, frames, session} = Roomfold.Session.join(Roomfold.Session.new(room: "studio 5", user: "tom"), %{})
      iex> Enum.each(frames, fn _frame -> :sent end)
      iex> Roomfold.Session.flushed(session) == session
      true
  """
  @spec flushed(t) :: t
  def flushed(
        %__MODULE__{
          lane: %{host: {to, host_lane}, fast?: false} = lane,
          backlog: %{lagging: nil, bytes: bytes},
          pid: pid
        } = session
      )
      when pid != nil do
    entry = %{
      to: to,
      lane: host_lane,
      format: session.format,
      events?: session.events?,
      limit: session.options.max_unacknowledged,
      sent: bytes
    }

    session.link.fastlane(pid, session.seq, entry)
    %{session | lane: Lane.enter(lane)}
  end

  def flushed(%__MODULE__{} = session), do: session

  # ---- from the client ----

  @doc """
  A message from the client: an event by its name and payload, or `ack`. The payload may be JSON text. A binary is a packed frame of
  input (`docs/wire-format.md`), under any name: it contains poses, events and an acknowledgement.

  The reply comes when the events are in the room's log (`handle/2`), with `ref` and the seq of the last event; an `ack` has one only if it is
  refused. If `ref` is `nil` there is no reply, not even to input that is refused. A session that has not joined, or a name that is not a
  string, raises.

  ## Examples

      iex> {:ok, _, _, session} = Roomfold.Session.join(Roomfold.Session.new(room: "studio 4", user: "bob"), %{})
      iex> {[], session} = Roomfold.Session.input(session, "user_moved", {:json, ~s({"user_id":)}, "1")
      iex> answer = receive do {ref, {:error, _}} = answer when is_reference(ref) -> answer end
      iex> {frames, _session} = Roomfold.Session.handle(session, answer)
      iex> frames
      [{:reply, "1", :error, %{"reason" => "unexpected_end", "message" => "at byte 11: the JSON text ends too early", "offset" => 11}}]
  """
  @spec input(t, String.t(), payload, ref :: term) :: {[frame], t}
  def input(session, event, payload, ref \\ nil)

  # A frame contains its kind, and what the client has received.
  def input(%__MODULE__{} = session, _event, {:binary, frame}, ref) do
    now = now(session)

    with {:ok, limit} <- may_send(session, byte_size(frame), now),
         {:ok, ack} <- Roomfold.Wire.Input.ack(frame) do
      session = publish(session, limit, {:packed, frame}, {ref, nil}, now)
      if ack > 0, do: acknowledge(session, ack), else: {[], session}
    else
      refusal -> refused(session, ref, refusal)
    end
  end

  def input(%__MODULE__{limit: nil}, "ack", _, _), do: not_joined()

  def input(%__MODULE__{} = session, "ack", payload, ref) do
    case may_acknowledge(session, size(payload)) do
      {:ok, limit} -> read_ack(%{session | ack_limit: limit}, decode(session, payload), ref)
      {:limited, limit} -> refuse(%{session | ack_limit: limit}, ref, Error.new(:rate_limited))
      {:error, error} -> refuse(session, ref, error)
    end
  end

  def input(%__MODULE__{} = session, "system", payload, ref) do
    now = now(session)

    case may_send(session, size(payload), now) do
      {:ok, limit} -> by_system(%{session | limit: limit}, events_of(session, payload), ref, now)
      refusal -> refused(session, ref, refusal)
    end
  end

  def input(%__MODULE__{} = session, event, payload, ref) when is_binary(event) do
    now = now(session)

    case may_send(session, size(payload), now) do
      {:ok, limit} -> {[], publish(session, limit, {event, payload}, {ref, text_of(event, payload)}, now)}
      refusal -> refused(session, ref, refusal)
    end
  end

  def input(%__MODULE__{}, event, _, _),
    do: raise(ArgumentError, "an event's name must be a string, got: #{inspect(event)}")

  defp by_system(%{user: user, limit: limit} = session, {:ok, events}, ref, now),
    do: {[], publish(session, limit, {:elected, user}, events, {ref, nil}, now)}

  defp by_system(session, {:error, error}, ref, _), do: refuse(session, ref, error)

  # Limited apart from its other messages: else a client that sends too much would seem to read too slowly, and get no more diffs.
  defp may_acknowledge(%{options: options, ack_limit: limit, link: link}, bytes) do
    with :ok <- at_most(bytes, options.max_input_bytes, :too_large),
         do: Limit.take(limit, options.rates, 1, bytes, link.now())
  end

  defp read_ack(session, {:ok, %{"seq" => seq}}, _) when is_integer(seq), do: acknowledge(session, seq)
  defp read_ack(session, {:error, error}, ref), do: refuse(session, ref, error)
  defp read_ack(session, {:ok, _}, ref), do: refuse(session, ref, Error.new(:invalid_seq, field: "seq"))

  # Returns the new limit. (A session has many fields: the path of every input reads and changes them in one go.)
  defp may_send(%{options: options, waiting: waiting, limit: limit}, bytes, now) do
    %{max_input_bytes: most_bytes, max_waiting: most_waiting, rates: rates} = options

    with :ok <- at_most(bytes, most_bytes, :too_large),
         :ok <- at_most(map_size(waiting) + 1, most_waiting, :overloaded),
         do: Limit.take(limit, rates, 1, bytes, now)
  end

  defp publish(%{user: user} = session, limit, event, asked, now),
    do: publish(session, limit, {:user, user}, [event], asked, now)

  defp publish(%{waiting: waiting, link: link, to: to} = session, limit, sender, events, asked, now) do
    room_ref = link.publish(to, events, sender, now)
    %{session | limit: limit, waiting: Map.put(waiting, room_ref, asked)}
  end

  defp refused(_, _, :no_limit), do: not_joined()

  defp refused(session, ref, {:limited, limit}),
    do: refuse(%{session | limit: limit}, ref, Error.new(:rate_limited))

  defp refused(session, ref, {:error, error}), do: refuse(session, ref, error)

  defp size({:json, text}), do: IO.iodata_length(text)
  defp size(map), do: :erlang.external_size(map)

  defp at_most(value, limit, reason), do: if(value <= limit, do: :ok, else: {:error, Error.new(reason)})

  defp decode(session, {:json, text}), do: JSON.decode(IO.iodata_to_binary(text), impl: session.json)
  defp decode(_, value), do: {:ok, value}

  # The event, if its payload was the client's own text.
  defp text_of(event, {:json, _}), do: event
  defp text_of(_, _), do: nil

  # Maps as the log has them; what is none is refused with its index.
  defp events_of(session, payload) do
    case decode(session, payload) do
      {:ok, %{"events" => [_ | _] = events}} ->
        {:ok, Enum.map(events, &if(is_map(&1), do: Text.event_of(&1), else: &1))}

      {:ok, _} ->
        {:error, Error.new(:invalid_argument, field: "events", detail: "it is a list of events, not empty")}

      error ->
        error
    end
  end

  defp not_joined,
    do: raise(ArgumentError, "this session has not joined its room: call Roomfold.Session.join/2 first")

  defp refuse(session, ref, error), do: {Reply.error(ref, error), session}

  @doc """
  An error as a client gets it: `reason`, `message`, and where it is.

      iex> Roomfold.Session.reason(Roomfold.Error.new(:not_owned, field: "user_id"))["reason"]
      "not_owned"
  """
  @spec reason(Error.t()) :: map
  def reason(%Error{} = error), do: Reply.reason(error)

  # ---- what the client was sent, and has ----

  defp acknowledge(%{backlog: backlog} = session, seq) do
    %{session | backlog: Backlog.acknowledged(backlog, seq)} |> tell() |> caught_up()
  end

  defp caught_up(%{backlog: backlog, options: options} = session) do
    if Backlog.caught_up?(backlog, options.max_unacknowledged), do: catch_up(session), else: {[], session}
  end

  # The room knows of acknowledgements what it must, while it sends to the client directly.
  defp tell(%{lane: %{fast?: false}} = session), do: session

  defp tell(%{lane: lane, backlog: %{acked: acked}, link: link} = session) do
    {what, lane} = Lane.tell(lane, acked, link.now())

    case what do
      :now -> link.acked(session.pid, acked)
      {:later, ms} -> link.later({:roomfold, session.id, :tell}, ms)
      :nothing -> :ok
    end

    %{session | lane: lane}
  end

  # If it can't, the room has stopped, and a message will follow; or it does not answer in time, and may have no more to say by itself: then
  # it is asked again.
  defp catch_up(session) do
    case missed(session) do
      {:ok, answer} -> answer
      {:error, _} -> {[], ask_again(session)}
    end
  end

  defp missed(session) do
    with {:ok, {seq, frame}} <- session.link.catch_up(session.pid, session.seq, session.format) do
      session = %{session | backlog: Backlog.catches_up(session.backlog)}
      {:ok, state_frame(frame, seq, session)}
    end
  end

  @again_ms 1_000
  defp ask_again(%{asks_again?: true} = session), do: session

  defp ask_again(session) do
    session.link.later({:roomfold, session.id, {:ask_again, session.term, session.number}}, @again_ms)
    %{session | asks_again?: true}
  end

  # Of a room that has ended: a message follows, and the session comes back.
  @ended [:room_closed, :no_room, :log_failed]

  # One that lags is asked for when its client acknowledges more.
  defp asked_again(%{backlog: %{lagging: lagging} = backlog, options: options} = session) do
    if lagging == nil or Backlog.caught_up?(backlog, options.max_unacknowledged) do
      case missed(%{session | lane: Lane.leave(session.lane)}) do
        {:ok, answer} -> answer
        {:error, %{reason: reason}} when reason in @ended -> {[], session}
        {:error, error} -> {:close, to_string(error.reason), [{:push, "closing", reason(error)}], session}
      end
    else
      {[], session}
    end
  end

  defp state_frame(frame, seq, session), do: state_frame(frame, seq, session, session.waiting)

  # One change of the session for all: it has many fields.
  defp state_frame({kind, bytes}, seq, %{format: format, backlog: backlog} = session, waiting) do
    payload = if format == :json, do: {:json, bytes}, else: {:binary, bytes}
    backlog = Backlog.sent(backlog, seq, byte_size(bytes))
    session = %{session | seq: seq, backlog: backlog, waiting: waiting, asks_again?: false}
    {[{:push, Atom.to_string(kind), payload}], session}
  end

  # ---- from the room ----

  @doc """
  A message that the process received. `:ignore`: it is not meant for the session, but perhaps for one of another room; `{:close, reason, frames, session}`: close the
  connection after these frames.

      iex> session = Roomfold.Session.new(room: "balcony", user: "tom")
      iex> {:ok, _, _, session} = Roomfold.Session.join(session, %{"format" => "json"})
      iex> {frames, session} = receive do message -> Roomfold.Session.handle(session, message) end
      iex> [{:push, "diff", {:json, text}}] = frames
      iex> IO.iodata_to_binary(text)
      ~s({"from":0,"seq":1,"creates":{"tom":{}},"updates":{},"deletes":[]})
      iex> Roomfold.Session.handle(session, :something_else)
      :ignore
  """
  @spec handle(t, message :: term) :: {[frame], t} | {:close, String.t(), [frame], t} | :ignore
  def handle(%__MODULE__{id: id} = session, {:roomfold, id, {:update, %Update{} = update}}),
    do: told(session, update, session.waiting)

  # With answers, as they would come one by one after it.
  def handle(%__MODULE__{id: id} = session, {:roomfold, id, {:update, %Update{} = update, answers}}) do
    {replies, waiting} = Reply.answers(answers, session.waiting, session.json)

    case told(session, update, waiting) do
      {:close, reason, frames, session} -> {:close, reason, replies ++ frames, session}
      {frames, session} -> {frames ++ replies, session}
    end
  end

  # The client has not acknowledged what the room sent it directly; or it has, and the room did not know yet.
  def handle(
        %__MODULE__{id: id, term: term, number: number} = session,
        {:roomfold, id, {:behind, term, number, seq, bytes}}
      ) do
    # It can't have received more than there was.
    acked = min(session.backlog.acked, seq)
    backlog = Backlog.behind(seq, bytes, acked, now(session))
    caught_up(%{session | seq: seq, backlog: backlog, lane: Lane.leave(session.lane, acked)})
  end

  # The host's module has failed, so that the room can't send to the client directly.
  def handle(
        %__MODULE__{id: id, term: term, number: number} = session,
        {:roomfold, id, {:slow, term, number, seq, bytes}}
      ),
      do: handle(%{session | lane: Lane.new(nil)}, {:roomfold, id, {:behind, term, number, seq, bytes}})

  # It was said to an earlier session of this process.
  def handle(%__MODULE__{id: id} = session, {:roomfold, id, {kind, _, _, _, _}})
      when kind in [:behind, :slow],
      do: {[], session}

  def handle(%__MODULE__{id: id} = session, {:roomfold, id, :tell}),
    do: {[], tell(%{session | lane: Lane.waited(session.lane)})}

  def handle(
        %__MODULE__{id: id, term: term, number: number, asks_again?: true} = session,
        {:roomfold, id, {:ask_again, term, number}}
      ),
      do: asked_again(%{session | asks_again?: false})

  def handle(%__MODULE__{id: id} = session, {:roomfold, id, {:ask_again, _, _}}), do: {[], session}

  # A replay has jumped to another place.
  def handle(%__MODULE__{id: id} = session, {:roomfold, id, :again}) do
    session.link.demonitor(session.monitor)

    case enter(session, nil, nil) do
      {:ok, _, frames, session} -> {frames, session}
      {:error, error} -> {:close, to_string(error.reason), [{:push, "closing", reason(error)}], session}
    end
  end

  def handle(%__MODULE__{id: id} = session, {:roomfold, id, {:presence, joins, leaves}}) do
    diff = %{"joins" => as_presence(joins), "leaves" => as_presence(leaves)}
    if session.presence?, do: {[{:push, "presence_diff", diff}], session}, else: {[], session}
  end

  def handle(%__MODULE__{id: id} = session, {:roomfold, id, {:authority, user}}),
    do: {[{:push, "authority", %{"user" => user}}], session}

  # The process has joined once more, by another session.
  def handle(
        %__MODULE__{id: id, term: term, number: number} = session,
        {:roomfold, id, {:replaced, term, number}}
      )
      when number != nil,
      do: {:close, "replaced", [{:push, "closing", %{"reason" => "replaced"}}], session}

  def handle(%__MODULE__{id: id} = session, {:roomfold, id, {:replaced, _, _}}), do: {[], session}

  def handle(%{monitor: monitor} = session, {:DOWN, monitor, _, _, _}) when monitor != nil,
    do: come_back(session)

  def handle(%{waiting: waiting} = session, {room_ref, _} = answer) when is_map_key(waiting, room_ref),
    do: answered(answer, session)

  def handle(_, _), do: :ignore

  defp answered(answer, %{waiting: waiting, json: json} = session) do
    {replies, waiting} = Reply.answers([answer], waiting, json)
    {replies, %{session | waiting: waiting}}
  end

  # waiting: what of the session's field is still waiting after the answers that came with the update.
  #
  # The room sends to the session, and so no longer to the client.
  defp told(%{lane: %{fast?: true} = lane} = session, update, waiting),
    do: told(%{session | lane: Lane.leave(lane)}, update, waiting)

  # From before this session came, or came back.
  defp told(%{term: term, seq: seq} = session, update, waiting)
       when update.term != term or update.seq <= seq,
       do: {[], %{session | waiting: waiting}}

  defp told(%{backlog: %{lagging: lagging, bytes: bytes}, options: options} = session, update, waiting) do
    cond do
      lagging ->
        still_lagging(%{session | waiting: waiting}, lagging)

      bytes > options.max_unacknowledged ->
        {[], %{session | waiting: waiting, backlog: Backlog.lags(session.backlog, now(session))}}

      true ->
        updated(session, update, waiting)
    end
  end

  defp updated(session, update, waiting) do
    {kind, bytes} = Map.fetch!(update.frames, session.format)

    # A diff applies only where it starts.
    if kind == :diff and update.from != session.seq do
      catch_up(%{session | waiting: waiting})
    else
      {frames, session} = state_frame({kind, bytes}, update.seq, session, waiting)
      {frames ++ events(session, update), session}
    end
  end

  defp events(%{events?: true}, %{events: events}) when events != nil,
    do: [{:push, "events", {:json, events}}]

  defp events(_, _), do: []

  defp still_lagging(%{backlog: backlog, options: options} = session, since) do
    cond do
      # It was the room that did not answer; here it is again.
      session.asks_again? and Backlog.caught_up?(backlog, options.max_unacknowledged) -> catch_up(session)
      now(session) - since <= options.max_lag_ms -> {[], session}
      true -> {:close, "too_slow", [{:push, "closing", %{"reason" => "too_slow"}}], session}
    end
  end

  # What was not answered yet may or may not be in the room's log.
  defp come_back(session) do
    lost = Reply.lost(session.waiting)
    session = %{session | waiting: %{}}
    was = session.term
    # What the room sent directly, the session does not know.
    last_seq = if session.lane.fast?, do: nil, else: session.seq

    case enter(session, last_seq, session.term) do
      {:ok, _, frames, session} ->
        {lost ++ term(session, was) ++ frames, session}

      {:error, error} ->
        {:close, to_string(error.reason), lost ++ [{:push, "closing", reason(error)}], session}
    end
  end

  # The term that the client needs when it comes back by itself.
  defp term(%{term: term}, term), do: []
  defp term(%{term: term}, _), do: [{:push, "term", %{"term" => term}}]

  defp now(session), do: session.link.now()
end
