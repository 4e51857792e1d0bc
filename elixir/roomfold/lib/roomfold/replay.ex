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

  For the log of a live room, use `Roomfold.Room.replay/2`: it plays what the log has then, not what is published later. If the log was trimmed, a
  replay begins with its oldest snapshot. A replay that can't read on, say because the log was trimmed ahead of it, stands still: `info/1` and
  `resume/1` say why, and `seek/2` takes it to where there is something to play.

  The functions here take the replay's process. A live room can't be paused (`:not_supported`), and its id or `{rooms, id}` raises:

      iex> Roomfold.Room.publish("theatre", {"user_joined", %{"user_id" => "tom"}})
      iex> {:error, error} = Roomfold.Replay.pause(Roomfold.Room.whereis("theatre"))
      iex> error.message
      "this is not supported: this is a live room"
      iex> Roomfold.Replay.pause("theatre")
      ** (ArgumentError) a replay is called by its process, as Roomfold.Room.replay/2 and start_link/1 return it, got the string "theatre"
  """
  use GenServer

  alias Roomfold.{Called, Error, EventStream, JSON, OptionList, Timer, World}
  alias Roomfold.Replay.{Clock, Recording, Timeline}
  alias Roomfold.Room.{Complaints, Frames, Options, People, Read, Stream}

  @own [:events, :log, :speed, :paused, :stream, :topic]

  # caller: who has started it, they end together; world: with all events that were taken from the timeline; timer: {key, reference} of the
  # one that runs, or has run; monitors: of connections
  defstruct [
    :options,
    :caller,
    :world,
    :term,
    :timeline,
    :clock,
    :topic,
    :timer,
    people: %People{},
    monitors: %{},
    complaints: %Complaints{}
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
    * as for a room: `:impl`, `:schema`, `:rules`, `:level`, `:upcasters`, `:spawn_opt` (without a default) …

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
    with {:error, {:shutdown, %Error{} = error}} <-
           GenServer.start(__MODULE__, {own, options, self()}, spawn_opt: options.spawn_opt),
         do: {:error, error}
  end

  defp check(own) do
    unless own[:events] || own[:log],
      do: raise(ArgumentError, "a replay needs :events, JSON Lines, or :log and the :id of a room")

    Options.must!(:events, own[:events], &(&1 == nil or is_binary(&1)), "JSON Lines, one text")
    Options.must!(:log, own[:log], &(&1 == nil or Options.carrier?(&1)), "a log, {module, server}")

    Options.must!(
      :stream,
      own[:stream],
      &(&1 == nil or Options.carrier?(&1)),
      "{module, name} of a stream that runs"
    )

    Options.must!(:topic, own[:topic], &(&1 == nil or is_binary(&1)), "a string")
    Options.must!(:speed, own[:speed], &(&1 == nil or Clock.speed?(&1)), "a number from 0.01 to 100")
    Options.must!(:paused, own[:paused], &(&1 in [nil, true, false]), "true or false")
  end

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
  @spec pause(GenServer.server()) :: :ok | {:error, Error.t()}
  def pause(replay), do: call(replay, :pause)

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
  def resume(replay), do: call(replay, :resume)

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
  def speed(replay, speed), do: call(replay, {:speed, speed})

  @doc """
  Goes to a seq, 0 being before the first event, or to a time from the start, `{:ms, n}`. Before `:first_seq` (`info/1`) the log was trimmed: `:log_trimmed`.

      iex> {:ok, replay} = Roomfold.Replay.start_link(events: ~s({"event_name":"user_joined","user_id":"tom","at":1000}), paused: true)
      iex> {:error, error} = Roomfold.Replay.seek(replay, :end)
      iex> error.message
      "an argument is not what the function takes: a place is a seq from 0, or {:ms, n}"
  """
  @spec seek(GenServer.server(), non_neg_integer | {:ms, number}) :: :ok | {:error, Error.t()}
  def seek(replay, where), do: call(replay, {:seek, where}, 60_000)

  @doc """
  Its position and more: `:seq`, `:last_seq`, `:position_ms`, `:duration_ms`, `:speed`, `:paused`, and how late events were played, in
  milliseconds: `:late_max`, `:late_mean`. `:first_seq` is where it begins: 0, or a snapshot's if the log was trimmed. `:failed` is how often its
  stream failed, which it goes on without: who subscribes has missed what was to be published then. `:error` is why it can't play on, or `nil`.
  A live room is no replay, and has none: `:not_supported` is raised.

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
  def info(replay) do
    case call(replay, :info) do
      %{position_ms: _} = info -> info
      _ -> raise Error.new(:not_supported, detail: "this is a live room")
    end
  end

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

  # A room also by its id or {rooms, id}, of which a replay has none.
  @what "a replay is called by its process, as Roomfold.Room.replay/2 and start_link/1 return it"

  defp call(replay, request, timeout \\ Timer.call_ms()),
    do: replay |> Called.process!(@what) |> GenServer.call(request, timeout)

  # ---- starting ----

  @impl true
  def init({own, options, caller}) do
    Process.flag(:trap_exit, true)

    with {:ok, log} <- log(own, options),
         {:ok, timeline, world} <- Timeline.open(%{options | log: log}) do
      Process.link(caller)

      state = %__MODULE__{
        options: %{timeline.options | stream: own[:stream]},
        caller: caller,
        world: world,
        term: 1,
        timeline: timeline,
        clock: Clock.new(Timeline.duration(timeline), own, now()),
        topic: own[:topic] || EventStream.topic(options.id)
      }

      {:ok, play(state)}
    else
      {:error, error} -> {:stop, {:shutdown, error}}
    end
  end

  defp log(own, options) do
    case own[:events] do
      nil -> {:ok, own[:log]}
      text -> Recording.log(text, options)
    end
  end

  defp now, do: System.monotonic_time(:microsecond) / 1000

  # ---- playing ----

  # Folds everything that is due, then sets a timer for the next event.
  defp play(%{clock: %{paused?: true}} = state), do: cancelled(state)

  defp play(state), do: state |> cancelled() |> play_due() |> arm()

  defp play_due(state) do
    position = Clock.position(state.clock, now())
    {due, timeline} = Timeline.due(state.timeline, position)
    {positions, lines} = Enum.unzip(due)
    clock = Clock.played(state.clock, positions, position)
    fold(%{state | timeline: timeline, clock: clock}, lines)
  end

  defp fold(state, []), do: state

  defp fold(state, lines) do
    from = World.seq(state.world)
    world = World.fold!(state.world, {:json, Enum.join(lines, "\n")})
    state = %{state | world: world}
    tell(state, from, lines)
    publish(state, lines)
  end

  defp tell(state, from, lines) do
    pids = Map.keys(state.people.connections)

    if pids != [] do
      update = Frames.update(state, from, World.seq(state.world), lines)
      for pid <- pids, do: send(pid, {:roomfold, state.options.id, {:update, update}})
    end
  end

  # As a room does, it goes on if its stream fails.
  defp publish(%{options: %{id: id}, complaints: complaints} = state, lines) do
    case Stream.publish(state, lines) do
      {:failed, source, kind, reason, stacktrace} ->
        %{state | complaints: Complaints.failed(complaints, id, source, {kind, reason}, stacktrace)}

      _ ->
        state
    end
  end

  # When the next event is due; a whole millisecond at least, so that a dense stream comes in batches. What can't go on stands still.
  defp arm(state) do
    {next, timeline} = Timeline.next(state.timeline)
    state = %{state | timeline: timeline}

    cond do
      next -> set_timer(state, Clock.reaches(state.clock, next))
      timeline.error -> %{state | clock: Clock.pause(state.clock, now())}
      true -> state
    end
  end

  defp set_timer(state, due) do
    key = make_ref()
    now = ceil(now())
    %{state | timer: {key, Timer.send_at({:play, key}, max(ceil(due), now), now)}}
  end

  defp cancelled(%{timer: nil} = state), do: state

  defp cancelled(%{timer: {_, timer}} = state) do
    Process.cancel_timer(timer)
    %{state | timer: nil}
  end

  # ---- calls ----

  @impl true
  def handle_call(:pause, _, %{clock: %{paused?: true}} = state), do: {:reply, :ok, state}

  # The timer may be late: what is due where the clock stops is played.
  def handle_call(:pause, _, state),
    do: {:reply, :ok, play_due(cancelled(%{state | clock: Clock.pause(state.clock, now())}))}

  def handle_call(:resume, _, %{clock: %{paused?: true} = clock} = state) do
    state = play(%{state | clock: Clock.resume(clock, now()), timeline: Timeline.retry(state.timeline)})
    {:reply, if(error = state.timeline.error, do: {:error, error}, else: :ok), state}
  end

  def handle_call(:resume, _, state), do: {:reply, :ok, state}

  def handle_call({:speed, speed}, _, state) do
    if Clock.speed?(speed),
      do: {:reply, :ok, play(%{state | clock: Clock.speed(state.clock, speed, now())})},
      else: {:reply, {:error, Error.new(:invalid_argument, detail: "a speed is 0.01 to 100")}, state}
  end

  def handle_call({:seek, where}, _, state) do
    with {:ok, seq, position} <- Timeline.find(state.timeline, where),
         {:ok, world} <- Timeline.world(state.timeline, seq) do
      {:reply, :ok, sought(state, seq, world, position)}
    else
      {:error, error} -> {:reply, {:error, error}, state}
    end
  end

  def handle_call(:info, _, %{timeline: timeline, clock: clock} = state) do
    {:reply,
     %{
       id: state.options.id,
       seq: timeline.seq,
       first_seq: timeline.first_seq,
       last_seq: timeline.last_seq,
       position_ms: Clock.position(clock, now()),
       duration_ms: Timeline.duration(timeline),
       speed: clock.speed,
       paused: clock.paused?,
       late_max: clock.late_max,
       late_mean: Clock.late_mean(clock),
       failed: Complaints.count(state.complaints, :failed),
       error: timeline.error
     }, state}
  end

  def handle_call({:join, pid, user, how}, _, state) do
    with :ok <- People.admits(state.people, pid, user),
         {:ok, frame} <- Read.or_error(fn -> Frames.snapshot(state.world, how.format) end) do
      joined(state, pid, user, how, frame)
    else
      error -> {:reply, error, state}
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
    if number = People.number(state.people, pid),
      do: send(pid, {:roomfold, state.options.id, {:replaced, state.term, number}})

    {people, _} = People.join(state.people, pid, user, how.format, Map.get(how, :events, true))
    monitors = Map.put_new_lazy(state.monitors, pid, fn -> Process.monitor(pid) end)
    state = %{state | people: people, monitors: monitors}

    answer = Frames.joined(state, pid, World.seq(state.world), [], frame)
    {:reply, {:ok, Map.put(answer, :pid, self())}, state}
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
  def terminate(_, %{options: %{log: {_, log}}}) do
    {:links, links} = Process.info(self(), :links)
    if log in links, do: Process.exit(log, :shutdown)
  end

  defp replays, do: Error.new(:not_allowed, detail: "this is a replay")

  defp left(state, pid) do
    {monitor, monitors} = Map.pop(state.monitors, pid)
    if monitor, do: Process.demonitor(monitor, [:flush])
    %{state | people: elem(People.leave(state.people, pid, 0), 0), monitors: monitors}
  end

  # After a seek the world is another one: connections have to join again.
  defp sought(state, seq, world, position) do
    for pid <- Map.keys(state.people.connections), do: send(pid, {:roomfold, state.options.id, :again})

    play(%{
      state
      | world: world,
        term: state.term + 1,
        timeline: Timeline.go(state.timeline, seq),
        clock: Clock.go(state.clock, position, now())
    })
  end
end
