defmodule Roomfold.Replay do
  @moduledoc """
  A room that plays a log back: in its original timing, faster or slower, with pause and seek. Sessions join it like a live room
  (`Roomfold.Session.new(room: replay, user: "me")`), so that a page can show either.

      iex> {:ok, replay} = Roomfold.Replay.start_link(
      ...>   events: ~s({"event_name":"user_joined","user_id":"tom","position":[0,0,0],"at":1000}
      ...> {"event_name":"user_moved","user_id":"tom","position":[1,0,0],"at":61000}), paused: true)
      iex> Roomfold.Replay.info(replay).duration_ms
      60000
      iex> Roomfold.Replay.seek(replay, {:ms, 60_000})
      :ok
      iex> Roomfold.Room.get(replay, "tom")
      %{"position" => [1.0, 0.0, 0.0]}

  For the log of a live room, use `Roomfold.Room.replay/2`. If the log was trimmed, a replay begins with its oldest snapshot. A replay that
  can't read on, say because the log was trimmed ahead of it, stands still: `info/1` and `resume/1` say why, and `seek/2` takes it to where
  there is something to play.
  """
  use GenServer

  alias Roomfold.{Error, EventLog, EventStream, JSON, OptionList, World}
  alias Roomfold.Room.{Frames, Options, People, Read, Recovery, Text, Update}

  @own [:events, :log, :speed, :paused, :stream, :topic]
  # Times, of events and between them, are exact up to here.
  @most_ms 9_007_199_254_740_991
  # A timer takes no more than so many; then it looks again.
  @longest_ms 3_600_000

  # anchor: {time, position} when it last began to run; position: milliseconds from the first event
  defstruct [
    :options,
    # who started it: they end together
    :caller,
    :log,
    :world,
    :term,
    :first_at,
    :last_at,
    :first_seq,
    :last_seq,
    :anchor,
    :speed,
    :topic,
    # {key, reference} of the one that runs, or has run
    :timer,
    # why it can't go on
    :error,
    position: 0,
    paused?: false,
    people: %People{},
    # read from the log and not folded yet: [{at, line}]
    next: [],
    late_max: 0,
    late_sum: 0,
    late_count: 0
  ]

  @doc """
  Starts playing.

  ## Options

    * `:events` - JSON Lines, as a log or a recording has them, each with `"at"` in milliseconds (one that goes back is played together
      with the one before it); or `:log` and `:id` of a room
    * `:speed` - 1 is the original speed (1)
    * `:paused` - whether to start paused (`false`)
    * `:stream`, `:topic` - where events are also published (nowhere; the topic is `"stream:" <> id`)
    * `:id` - of what is played (`"replay"`)
    * options of the world: `:impl`, `:schema`, `:rules`, `:level`, `:upcasters` …

  An unknown or invalid option raises. If there is nothing to play, or it can't be read, that is an error.

  ## Examples

      iex> {:error, %Roomfold.Error{reason: :no_room}} = Roomfold.Replay.start_link(events: "")
      iex> :ok
      :ok
  """
  @spec start_link(keyword) :: GenServer.on_start()
  def start_link(opts) do
    {own, room} = opts |> OptionList.once!("a replay") |> Keyword.split(@own)
    check(own)
    options = Options.new([[id: "replay"], room], "a replay", @own)

    # That there is nothing to play is returned, and does not end the caller.
    with {:error, {:shutdown, %Error{} = error}} <- GenServer.start(__MODULE__, {own, options, self()}),
         do: {:error, error}
  end

  defp check(own) do
    running = &match?({module, _} when is_atom(module), &1)

    unless own[:events] || own[:log],
      do: raise(ArgumentError, "a replay needs :events, JSON Lines, or :log and the :id of a room")

    Options.must!(:events, own[:events], &(&1 == nil or is_binary(&1)), "JSON Lines, one text")
    Options.must!(:log, own[:log], &(&1 == nil or running.(&1)), "a log, {module, server}")
    Options.must!(:stream, own[:stream], &(&1 == nil or running.(&1)), "{module, name}")
    Options.must!(:topic, own[:topic], &(&1 == nil or is_binary(&1)), "a string")
    Options.must!(:speed, own[:speed], &(&1 == nil or speed?(&1)), "a number from 0.01 to 100")
    Options.must!(:paused, own[:paused], &(&1 in [nil, true, false]), "true or false")
  end

  defp speed?(speed), do: is_number(speed) and speed >= 0.01 and speed <= 100

  @doc """
  Stops the clock.

      iex> {:ok, replay} = Roomfold.Replay.start_link(
      ...>   events: ~s({"event_name":"user_joined","user_id":"tom","at":1000}
      ...> {"event_name":"user_left","user_id":"tom","at":61000}))
      iex> Roomfold.Replay.pause(replay)
      :ok
      iex> %{paused: true, position_ms: position} = Roomfold.Replay.info(replay)
      iex> Process.sleep(5)
      iex> Roomfold.Replay.info(replay).position_ms == position
      true
  """
  @spec pause(GenServer.server()) :: :ok
  def pause(replay), do: GenServer.call(replay, :pause)

  @doc """
  Continues. An error if the next events can't be read.

      iex> {:ok, replay} = Roomfold.Replay.start_link(
      ...>   events: ~s({"event_name":"user_joined","user_id":"tom","at":1000}
      ...> {"event_name":"user_left","user_id":"tom","at":61000}), paused: true)
      iex> Roomfold.Replay.resume(replay)
      :ok
      iex> Process.sleep(5)
      iex> %{paused: false, position_ms: position} = Roomfold.Replay.info(replay)
      iex> position > 0
      true
  """
  @spec resume(GenServer.server()) :: :ok | {:error, Error.t()}
  def resume(replay), do: GenServer.call(replay, :resume)

  @doc """
  Plays at another speed, 0.01 to 100.

      iex> {:ok, replay} = Roomfold.Replay.start_link(
      ...>   events: ~s({"event_name":"user_joined","user_id":"tom","at":1000}
      ...> {"event_name":"user_left","user_id":"tom","at":61000}), paused: true)
      iex> Roomfold.Replay.speed(replay, 2.5)
      :ok
      iex> Roomfold.Replay.info(replay).speed
      2.5
      iex> {:error, error} = Roomfold.Replay.speed(replay, 0)
      iex> error.reason
      :invalid_argument
  """
  @spec speed(GenServer.server(), number) :: :ok | {:error, Error.t()}
  def speed(replay, speed), do: GenServer.call(replay, {:speed, speed})

  @doc """
  Goes to a seq, 0 being before the first event, or to a time from the start, `{:ms, n}`. Before `:first_seq` (`info/1`) the log was trimmed: `:log_trimmed`.

      iex> {:ok, replay} = Roomfold.Replay.start_link(events: ~s({"event_name":"user_joined","user_id":"tom","at":1000}), paused: true)
      iex> {:error, error} = Roomfold.Replay.seek(replay, :end)
      iex> error.message
      "an argument is not what the function takes: a place is a seq from 0, or {:ms, n}"
  """
  @spec seek(GenServer.server(), non_neg_integer | {:ms, number}) :: :ok | {:error, Error.t()}
  def seek(replay, where), do: GenServer.call(replay, {:seek, where}, 60_000)

  @doc """
  Its position and more: `:seq`, `:last_seq`, `:position_ms`, `:duration_ms`, `:speed`, `:paused`, and how late events were played, in
  milliseconds: `:late_max`, `:late_mean`. `:first_seq` is where it begins: 0, or a snapshot's if the log was trimmed. `:error` is why it can't
  play on, or `nil`.

      iex> {:ok, replay} = Roomfold.Replay.start_link(
      ...>   events: ~s({"event_name":"user_joined","user_id":"tom","at":1000}
      ...> {"event_name":"user_left","user_id":"tom","at":61000}), paused: true)
      iex> :ok = Roomfold.Replay.seek(replay, {:ms, 30_000})
      iex> info = Roomfold.Replay.info(replay)
      iex> {info.seq, info.last_seq, info.position_ms, info.duration_ms, info.speed, info.paused}
      {1, 2, 30_000.0, 60_000, 1, true}
      iex> {info.first_seq, info.error}
      {0, nil}
  """
  @spec info(GenServer.server()) :: map
  def info(replay), do: GenServer.call(replay, :info)

  @controls ~w(pause resume seek speed info)

  @doc """
  A command from a client that watches it: `pause`, `resume`, `seek` (`{"seq": n}` or `{"ms": n}`), `speed` (`{"speed": n}`) or `info`.
  The payload may be JSON text. Returns the new position, for the client; `:ignore` for any other event.

  ## Examples

      iex> {:ok, replay} = Roomfold.Replay.start_link(events: ~s({"event_name":"user_joined","user_id":"tom","at":1000}), paused: true)
      iex> {:ok, where} = Roomfold.Replay.control(replay, "seek", %{"seq" => 1})
      iex> {where["seq"], where["last_seq"], where["paused"]}
      {1, 1, true}
      iex> {:error, error} = Roomfold.Replay.control(replay, "seek", {:json, ~s({"seq":2})})
      iex> error.reason
      :seq_ahead
      iex> Roomfold.Replay.control(replay, "user_moved", %{})
      :ignore
  """
  @spec control(GenServer.server(), String.t(), Roomfold.Session.payload()) ::
          {:ok, map} | {:error, Error.t()} | :ignore
  def control(replay, event, payload) when event in @controls do
    with {:ok, payload} <- terms(payload), :ok <- controlled(replay, event, payload), do: {:ok, where(replay)}
  end

  def control(_, _, _), do: :ignore

  defp terms({:json, text}), do: JSON.decode(IO.iodata_to_binary(text), impl: JSON.compiled())
  defp terms(payload), do: {:ok, payload}

  defp controlled(replay, "pause", _), do: pause(replay)
  defp controlled(replay, "resume", _), do: resume(replay)
  defp controlled(replay, "seek", %{"seq" => seq}) when is_integer(seq) and seq >= 0, do: seek(replay, seq)
  defp controlled(replay, "seek", %{"ms" => ms}) when is_number(ms), do: seek(replay, {:ms, ms})
  defp controlled(replay, "speed", %{"speed" => speed}), do: speed(replay, speed)
  defp controlled(_, "info", _), do: :ok
  defp controlled(_, "seek", _), do: takes("seek", ~s({"seq": n} from 0, or {"ms": n}))
  defp controlled(_, "speed", _), do: takes("speed", ~s({"speed": n}))

  defp takes(event, what),
    do: {:error, Error.new(:invalid_argument, field: event, detail: "it takes #{what}")}

  @doc """
  `info/1` as a client gets it.

      iex> {:ok, replay} = Roomfold.Replay.start_link(events: ~s({"event_name":"user_joined","user_id":"tom","at":1000}), paused: true)
      iex> Roomfold.Replay.where(replay)
      %{"seq" => 0, "last_seq" => 1, "position_ms" => 0, "duration_ms" => 0, "speed" => 1, "paused" => true}
  """
  @spec where(GenServer.server()) :: map
  def where(replay) do
    info = info(replay)

    for key <- [:seq, :last_seq, :position_ms, :duration_ms, :speed, :paused],
        into: %{},
        do: {to_string(key), Map.fetch!(info, key)}
  end

  # ---- starting ----

  @impl true
  def init({own, options, caller}) do
    Process.flag(:trap_exit, true)

    with {:ok, log} <- log(own, options),
         options = %{options | log: log},
         {:ok, %{seq: last}} when last > 0 <- EventLog.head(log, options.id),
         {:ok, world, _} <- Recovery.oldest(options),
         {:ok, first_at} <- at_of(options, World.seq(world) + 1),
         {:ok, last_at} <- at_of(options, last) do
      Process.link(caller)

      state = %__MODULE__{
        options: options,
        caller: caller,
        log: log,
        world: world,
        term: 1,
        first_at: first_at,
        last_at: last_at,
        first_seq: World.seq(world),
        last_seq: last,
        speed: own[:speed] || 1,
        paused?: own[:paused] == true,
        anchor: {now(), 0},
        topic: own[:stream] && {own[:stream], own[:topic] || EventStream.topic(options.id)}
      }

      {:ok, play(state)}
    else
      {:ok, _} -> {:stop, {:shutdown, Error.new(:no_room, detail: "there is no event to play")}}
      {:error, error} -> {:stop, {:shutdown, error}}
    end
  end

  defp log(own, options) do
    case own[:events] do
      nil -> {:ok, own[:log]}
      text -> own_log(text, options)
    end
  end

  # A recording becomes a log of its own, with new numbers.
  defp own_log(text, options) do
    {:ok, pid} = EventLog.Memory.start_link([])
    log = {EventLog.Memory, pid}
    lines = :binary.split(text, "\n", [:global, :trim_all])

    with {:ok, records} <- numbered(lines, Options.json(options), 1, -@most_ms, []),
         {:ok, %{term: term}} <- EventLog.claim(log, options.id, %{}),
         :ok <- EventLog.append(log, options.id, term, 0, records) do
      {:ok, log}
    end
  end

  defp numbered([], _, _, _, records), do: {:ok, Enum.reverse(records)}

  # A clock that went back stood still: an event is played when all before it have been.
  defp numbered([line | lines], json, seq, latest, records) do
    with {:ok, event} <- JSON.decode(line, impl: json),
         {:ok, at} <- at_in(event),
         :ok <- named(event) do
      at = max(at, latest)

      record =
        if match?(%{"seq" => ^seq, "at" => ^at}, event),
          do: line,
          else: JSON.encode!(Map.merge(event, %{"seq" => seq, "at" => at}), impl: json)

      numbered(lines, json, seq + 1, at, [record | records])
    else
      {:error, error} -> {:error, Error.put(error, index: seq - 1)}
    end
  end

  defp at_in(%{"at" => at}) when is_integer(at) and abs(at) <= @most_ms, do: {:ok, at}

  defp at_in(%{"at" => at}) when is_integer(at),
    do: {:error, Error.new(:number_out_of_range, field: "at", detail: "it is milliseconds up to 2^53-1")}

  defp at_in(_), do: {:error, Error.new(:not_an_event, field: "at")}

  # With one name; without one it speaks of several entities, in maps or lists.
  defp named(event) do
    others = event |> Map.drop(["seq", "at", "by"]) |> Map.values()

    case Map.values(Map.take(event, ["event_name", "event"])) do
      [name] when is_binary(name) and byte_size(name) in 1..255 -> :ok
      [] when others != [] -> if several?(others), do: :ok, else: {:error, Error.new(:invalid_name)}
      _ -> {:error, Error.new(:invalid_name)}
    end
  end

  defp several?(values), do: Enum.all?(values, &is_map/1) or Enum.all?(values, &is_list/1)

  defp at_of(options, seq) do
    case EventLog.read(options.log, options.id, seq, seq, []) do
      {:ok, %{text: line}} -> at(line, seq, Options.json(options))
      {:ok, nil} -> {:error, Error.new(:log_trimmed, detail: "there is no event to play")}
      error -> error
    end
  end

  # ---- the clock ----

  defp now, do: System.monotonic_time(:microsecond) / 1000

  defp position(%{paused?: true} = state), do: state.position

  defp position(%{anchor: {since, from}} = state),
    do: min(from + (now() - since) * state.speed, duration(state) * 1.0)

  defp duration(state), do: max(state.last_at - state.first_at, 0)

  defp anchored(state, position), do: %{state | anchor: {now(), position}, position: position}

  # ---- playing ----

  # Folds everything that is due, then sets a timer for the next event.
  defp play(state) do
    state = cancelled(state)

    if state.paused? do
      state
    else
      position = position(state)
      {lines, state} = due(state, state.first_at + position, [])
      state |> late(lines, position) |> fold(Enum.map(lines, &elem(&1, 1))) |> arm()
    end
  end

  defp due(%{next: [{at, _} = entry | next]} = state, until, lines) when at <= until,
    do: due(%{state | next: next}, until, [entry | lines])

  defp due(%{next: [], error: nil} = state, until, lines) do
    case more(state, World.seq(state.world) + length(lines) + 1) do
      %{next: []} = state -> {Enum.reverse(lines), state}
      state -> due(state, until, lines)
    end
  end

  defp due(state, _, lines), do: {Enum.reverse(lines), state}

  # What comes next; nothing at the end, and where it can't be read.
  @piece 262_144
  defp more(%{last_seq: last} = state, from) when from > last, do: state

  defp more(state, from) do
    with {:ok, %{text: text}} <-
           EventLog.read(state.log, state.options.id, from, state.last_seq, max_bytes: @piece),
         {:ok, text} <- Recovery.upcast(text, state.options, from),
         lines = :binary.split(text, "\n", [:global, :trim_all]),
         {:ok, next} <- timed(lines, from, Options.json(state.options), []) do
      %{state | next: next}
    else
      {:ok, nil} -> %{state | error: Error.new(:log_trimmed)}
      {:error, error} -> %{state | error: error}
    end
  end

  defp timed([], _, _, entries), do: {:ok, Enum.reverse(entries)}

  defp timed([line | lines], seq, json, entries) do
    with {:ok, at} <- at(line, seq, json), do: timed(lines, seq + 1, json, [{at, line} | entries])
  end

  # The room writes it after everything that a client sent, so the last one counts; a recording may have it anywhere.
  defp at(line, seq, json) do
    with nil <- Regex.run(~r/"at":(\d{1,15}),"by":"[^"]*"\}$/, line),
         {:ok, event} <- JSON.decode(line, impl: json),
         {:ok, at} <- at_in(event) do
      {:ok, at}
    else
      [_, at] -> {:ok, String.to_integer(at)}
      {:error, error} -> {:error, Error.put(error, detail: "seq #{seq} of what is played")}
    end
  end

  defp late(state, lines, position) do
    Enum.reduce(lines, state, fn {at, _}, state ->
      late = (position - (at - state.first_at)) / state.speed

      %{
        state
        | late_max: max(state.late_max, late),
          late_sum: state.late_sum + late,
          late_count: state.late_count + 1
      }
    end)
  end

  defp fold(state, []), do: state

  defp fold(state, lines) do
    from = World.seq(state.world)
    world = World.fold!(state.world, {:json, Enum.join(lines, "\n")})
    state = %{state | world: world}
    tell(state, from, lines)
    publish(state, lines)
    state
  end

  defp tell(state, from, lines) do
    pids = Map.keys(state.people.connections)

    if pids != [] do
      update = %Update{
        room: state.options.id,
        term: state.term,
        from: from,
        seq: World.seq(state.world),
        frames: Map.new(People.formats(state.people), &{&1, Frames.changed(state.world, from, &1)}),
        events: if(People.events?(state.people), do: Frames.told(lines, state.options))
      }

      for pid <- pids, do: send(pid, {:roomfold, state.options.id, {:update, update}})
    end
  end

  defp publish(%{topic: nil}, _), do: :ok

  defp publish(%{topic: {stream, topic}, options: options}, lines) do
    if EventStream.subscribers?(stream, topic) do
      json = Options.json(options)
      EventStream.broadcast(stream, topic, Enum.map(lines, &Text.decode(&1, json)))
    end
  end

  # When the next event is due; a whole millisecond at least, so that a dense stream comes in batches. What can't go on stands still.
  defp arm(%{error: %Error{}} = state), do: %{state | position: position(state), paused?: true}

  defp arm(%{next: []} = state) do
    case more(state, World.seq(state.world) + 1) do
      %{next: [], error: nil} = state -> state
      state -> arm(state)
    end
  end

  defp arm(%{next: [{at, _} | _]} = state) do
    {since, from} = state.anchor
    due = since + (at - state.first_at - from) / state.speed
    key = make_ref()
    now = ceil(now())
    at = due |> ceil() |> max(now) |> min(now + @longest_ms)
    %{state | timer: {key, Process.send_after(self(), {:play, key}, at, abs: true)}}
  end

  defp cancelled(%{timer: nil} = state), do: state

  defp cancelled(%{timer: {_, timer}} = state) do
    Process.cancel_timer(timer)
    %{state | timer: nil}
  end

  # ---- calls ----

  @impl true
  def handle_call(:pause, _, state) do
    {:reply, :ok, cancelled(%{state | position: position(state), paused?: true})}
  end

  def handle_call(:resume, _, %{paused?: true} = state) do
    state = play(anchored(%{state | paused?: false, error: nil}, state.position))
    {:reply, if(state.error, do: {:error, state.error}, else: :ok), state}
  end

  def handle_call(:resume, _, state), do: {:reply, :ok, state}

  def handle_call({:speed, speed}, _, state) do
    if speed?(speed),
      do: {:reply, :ok, play(%{anchored(state, position(state)) | speed: speed})},
      else: {:reply, {:error, Error.new(:invalid_argument, detail: "a speed is 0.01 to 100")}, state}
  end

  def handle_call({:seek, where}, _, state) do
    with {:ok, seq} <- seq_at(state, where),
         {:ok, world, _} <- Recovery.world(state.options, seq),
         {:ok, position} <- place(state, where) do
      {:reply, :ok, sought(state, world, position)}
    else
      {:error, error} -> {:reply, {:error, error}, state}
    end
  end

  def handle_call(:info, _, state) do
    {:reply,
     %{
       id: state.options.id,
       seq: World.seq(state.world),
       first_seq: state.first_seq,
       last_seq: state.last_seq,
       position_ms: position(state),
       duration_ms: duration(state),
       speed: state.speed,
       paused: state.paused?,
       late_max: state.late_max,
       late_mean: if(state.late_count > 0, do: state.late_sum / state.late_count, else: 0),
       error: state.error
     }, state}
  end

  def handle_call({:join, pid, user, how}, _, state) do
    case People.admits(state.people, pid, user) do
      :ok ->
        case Read.or_error(fn -> Frames.snapshot(state.world, how.format) end) do
          {:ok, frame} -> joined(state, pid, user, how, frame)
          error -> {:reply, error, state}
        end

      error ->
        {:reply, error, state}
    end
  end

  def handle_call({:catch_up, from, format}, _, state) do
    catch_up = fn -> {World.seq(state.world), Frames.changed(state.world, from, format)} end
    {:reply, Read.or_error(catch_up), state}
  end

  def handle_call({:read, read}, _, state), do: {:reply, Read.run(read, state.world), state}
  def handle_call({:leave, pid, _}, _, state), do: {:reply, :ok, left(state, pid)}
  def handle_call({:publish, _, _}, _, state), do: {:reply, {:error, replays()}, state}
  # What else a live room can: its past, say.
  def handle_call(_, _, state),
    do: {:reply, {:error, Error.new(:not_supported, detail: "this is a replay")}, state}

  defp joined(state, pid, user, how, frame) do
    case People.number(state.people, pid) do
      nil -> Process.monitor(pid)
      number -> send(pid, {:roomfold, state.options.id, {:replaced, state.term, number}})
    end

    {people, _} = People.join(state.people, pid, user, how.format, Map.get(how, :events, true))
    state = %{state | people: people}

    answer = %{
      room: state.options.id,
      pid: self(),
      term: state.term,
      number: People.number(people, pid),
      json: Options.json(state.options),
      seq: World.seq(state.world),
      tick_ms: state.options.tick_ms,
      users: [],
      frame: frame
    }

    {:reply, {:ok, answer}, state}
  end

  @impl true
  def handle_cast({:publish, {_, pid, ref}, _, _}, state) do
    send(pid, {ref, {:error, replays()}})
    {:noreply, state}
  end

  # Such as the fast lane, which it has not: sessions get what it sends.
  def handle_cast(_, state), do: {:noreply, state}

  @impl true
  def handle_info({:play, key}, %{timer: {key, _}} = state), do: {:noreply, play(state)}
  def handle_info({:DOWN, _, _, pid, _}, state), do: {:noreply, left(state, pid)}

  def handle_info({:EXIT, from, reason}, %{caller: caller} = state) do
    if reason == :normal and from != caller, do: {:noreply, state}, else: {:stop, reason, state}
  end

  def handle_info(_, state), do: {:noreply, state}

  # A recording's own log, which a normal end would leave alone.
  @impl true
  def terminate(_, %{log: {_, log}}) do
    {:links, links} = Process.info(self(), :links)
    if log in links, do: Process.exit(log, :shutdown)
  end

  defp replays, do: Error.new(:not_allowed, detail: "this is a replay")

  defp left(state, pid), do: %{state | people: elem(People.leave(state.people, pid, 0), 0)}

  # After a seek the world is another one: connections have to join again.
  defp sought(state, world, position) do
    state = %{state | world: world, next: [], error: nil, term: state.term + 1}

    for pid <- Map.keys(state.people.connections), do: send(pid, {:roomfold, state.options.id, :again})
    state |> anchored(position) |> play()
  end

  defp place(state, {:ms, ms}), do: {:ok, clamp(ms, state) * 1.0}

  defp place(state, seq) do
    with {:ok, at} <- at_of(state.options, max(seq, state.first_seq + 1)),
         do: {:ok, (at - state.first_at) * 1.0}
  end

  defp clamp(ms, state), do: ms |> max(0) |> min(duration(state))

  defp seq_at(state, {:ms, ms}) when is_number(ms),
    do: search(state, state.first_at + clamp(ms, state), state.first_seq, state.last_seq)

  defp seq_at(%{first_seq: first}, seq) when is_integer(seq) and seq >= 0 and seq < first,
    do: {:error, Error.new(:log_trimmed, detail: "the replay begins at #{first}")}

  defp seq_at(state, seq) when is_integer(seq) and seq >= 0 and seq <= state.last_seq, do: {:ok, seq}
  defp seq_at(_, seq) when is_integer(seq) and seq >= 0, do: {:error, Error.new(:seq_ahead)}

  defp seq_at(_, _),
    do: {:error, Error.new(:invalid_argument, detail: "a place is a seq from 0, or {:ms, n}")}

  # The last event at or before this time.
  defp search(_, _, low, low), do: {:ok, low}

  defp search(state, at, low, high) do
    middle = div(low + high + 1, 2)

    with {:ok, found} <- at_of(state.options, middle) do
      if found <= at, do: search(state, at, middle, high), else: search(state, at, low, middle - 1)
    end
  end
end
