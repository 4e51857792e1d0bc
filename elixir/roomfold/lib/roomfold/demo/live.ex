defmodule Roomfold.Demo.Live do
  @moduledoc false
  # The match once more, through a room: every event is published by its sender, logged, folded, and sent to a subscriber and to a client that
  # keeps a world by diffs; then its past is read from the log, and a part of it is played again.

  alias Roomfold.{EventLog, Replay, Room, Rooms, Rules, Session, World}
  alias Roomfold.Demo.Screen

  defmodule Silent do
    @moduledoc false
    # Connections that only watch must not cause events: the recording has all of them.
    use Roomfold.Room

    @impl true
    def joined(_, _, _, _), do: []
    @impl true
    def left(_, _, _), do: []
  end

  @rooms Roomfold.Demo.Rooms
  @room {@rooms, "match"}
  # How many times as fast as it was played.
  @speed 25
  @replay_ms 2_000
  @tick_ms 5
  # From about this latency on people notice a delay.
  @noticed_ms 100

  @doc "recording: with its events. Returns :ok or {:error, message}."
  def run(recording) do
    Screen.title("Through a room")
    folder = Path.join(System.tmp_dir!(), "roomfold-demo-#{System.unique_integer([:positive])}")
    File.mkdir_p!(folder)
    {log, kept} = log(folder)

    {:ok, rooms} =
      Rooms.start_link(
        name: @rooms,
        log: log,
        room: [
          module: Silent,
          rules: Rules.doom(),
          tick_ms: @tick_ms,
          grace_ms: 0,
          idle_ms: :infinity,
          max_queue: 1_000_000,
          user_events_per_s: 1_000_000,
          user_bytes_per_s: 1_000_000_000
        ]
      )

    try do
      play(recording, kept)
    after
      Supervisor.stop(rooms)
      File.rm_rf!(folder)
    end
  end

  defp log(folder) do
    if Code.ensure_loaded?(EventLog.SQLite) and EventLog.SQLite.available?(),
      do:
        {{EventLog.SQLite, path: Path.join(folder, "rooms.db")},
         "a SQLite database, every commit on the disk before it is answered"},
      else: {{EventLog.Memory, []}, "memory (SQLite was left out when this was built)"}
  end

  defp play(recording, kept) do
    {:ok, _} = Room.ensure_started(@room)
    sent = :ets.new(:sent, [:public, write_concurrency: true, read_concurrency: true])
    subscriber = Task.async(fn -> subscribe(sent) end)
    client = Task.async(&follow/0)
    receive do: (:subscribed -> :ok)
    receive do: (:joined -> :ok)

    start = System.monotonic_time(:millisecond)
    {acknowledged, refused} = publish(recording.events, sent)
    seconds = (System.monotonic_time(:millisecond) - start) / 1000
    for task <- [subscriber, client], do: send(task.pid, {:until, Room.seq(@room)})
    told = Task.await(subscriber, 30_000)
    theirs = Task.await(client, 30_000)
    Screen.done()

    Screen.say(
      "  #{Screen.number(length(recording.events))} events published by those who sent them, at #{@speed} times the pace of the match " <>
        "(#{Screen.number(round(length(recording.events) / seconds))} a second), kept in #{kept}."
    )

    if refused > 0, do: Screen.say("  #{Screen.number(refused)} were refused.")
    busy = Room.info(@room).busy_us
    acknowledged = percentiles(acknowledged)

    Screen.table(["", "p50", "p99", "max"], [
      ["published to acknowledged, ms" | shown(acknowledged)],
      ["published to subscriber, ms" | shown(percentiles(told))],
      [
        "the room at work at a time, ms"
        | Enum.map([busy.p50, busy.p99, busy.max], &Screen.decimal(&1 / 1000, 2))
      ]
    ])

    if acknowledged, do: Screen.note(verdict(Enum.at(acknowledged, 1), busy.p99 / 1000))
    with :ok <- compare(recording, theirs, refused), do: replay()
  end

  @doc "A verdict: the milliseconds in which 99 of 100 events were acknowledged, and those for which the room worked at a time."
  def verdict(p99, work) do
    word = if p99 < @noticed_ms, do: "good", else: "slow"

    "  A p99 of #{Screen.decimal(p99, 0)} ms is #{word}: people notice a delay from about #{@noticed_ms} ms on. Acknowledged is on the " <>
      "disk. The room works for #{Screen.decimal(work, 2)} ms at a time (p99); the rest is waiting for its tick (#{@tick_ms} ms), " <>
      "for the disk, and for other work of this machine."
  end

  # ---- senders ----

  # All events of a moment are sent at its time; their seqs are known, since the room numbers them like the recording.
  defp publish(events, sent) do
    room = Room.whereis(@room)
    [{_, %{"at" => first}} | _] = events
    start = System.monotonic_time(:microsecond)

    state = %{waiting: %{}, times: [], refused: 0}

    {state, _} =
      Enum.reduce(events, {state, 1}, fn {name, payload}, {state, seq} ->
        state = collect(state, start + div((payload["at"] - first) * 1000, @speed))
        now = System.monotonic_time(:microsecond)
        :ets.insert(sent, {seq, now})

        ref =
          Room.publish_async(room, [{name, Map.drop(payload, ["seq", "at", "by"])}], by: sender(payload["by"]))

        if rem(seq, 2_000) == 0, do: Screen.progress(seq, length(events), "events published")
        {%{state | waiting: Map.put(state.waiting, ref, {seq, now})}, seq + 1}
      end)

    state = collect(state, :all)
    {state.times, state.refused + map_size(state.waiting)}
  end

  defp sender("system"), do: :system
  defp sender(by) when by in ["server", nil], do: :server
  defp sender(user), do: user

  # Receives answers until a time, or until there are no more to come.
  defp collect(%{waiting: waiting} = state, :all) when waiting == %{}, do: state

  defp collect(state, until) do
    receive do
      {ref, answer} when is_map_key(state.waiting, ref) -> state |> answered(ref, answer) |> collect(until)
    after
      left(until) -> state
    end
  end

  defp left(:all), do: 10_000
  defp left(until), do: max(div(until - System.monotonic_time(:microsecond), 1_000), 0)

  defp answered(state, ref, answer) do
    {{seq, at}, waiting} = Map.pop(state.waiting, ref)
    state = %{state | waiting: waiting}

    case answer do
      {:ok, [^seq]} -> %{state | times: [(System.monotonic_time(:microsecond) - at) / 1000 | state.times]}
      _ -> %{state | refused: state.refused + 1}
    end
  end

  # ---- receivers ----

  defp subscribe(sent) do
    :ok = Room.subscribe(@room)
    [parent | _] = Process.get(:"$callers")
    send(parent, :subscribed)
    heard(sent, [], 0, :infinity)
  end

  defp heard(_, times, seq, until) when seq >= until, do: times

  defp heard(sent, times, seq, until) do
    receive do
      {:until, until} -> heard(sent, times, seq, until)
      {name, %{"seq" => seq}} when is_binary(name) -> heard(sent, [told(sent, seq) | times], seq, until)
    end
  end

  # The sender may not have written the time down yet.
  defp told(sent, seq) do
    case :ets.lookup(sent, seq) do
      [{_, at}] -> (System.monotonic_time(:microsecond) - at) / 1000
      [] -> 0.0
    end
  end

  defp follow do
    {:ok, _, frames, session} = Session.join(Session.new(room: @room, user: "spectator"), %{})
    [parent | _] = Process.get(:"$callers")
    send(parent, :joined)
    {world, session} = apply_frames(frames, World.new!(rules: Rules.doom()), session)
    diffs(session, %{world: world, diffs: 0, bytes: 0}, :infinity)
  end

  defp diffs(session, so_far, until) do
    if World.seq(so_far.world) >= until do
      so_far
    else
      receive do
        {:until, until} -> diffs(session, so_far, until)
        message -> handled(Session.handle(session, message), session, so_far, until)
      end
    end
  end

  defp handled(:ignore, session, so_far, until), do: diffs(session, so_far, until)

  defp handled({frames, session}, _, so_far, until) do
    size = frames |> Enum.map(fn {:push, _, {:json, text}} -> IO.iodata_length(text) end) |> Enum.sum()
    {world, session} = apply_frames(frames, so_far.world, session)
    diffs(session, %{world: world, diffs: so_far.diffs + length(frames), bytes: so_far.bytes + size}, until)
  end

  defp apply_frames(frames, world, session) do
    world =
      Enum.reduce(frames, world, fn
        {:push, "snapshot", {:json, text}}, _ -> elem(World.load({:json, text}, rules: Rules.doom()), 1)
        {:push, "diff", {:json, text}}, world -> elem(World.apply_diff(world, {:json, text}), 1)
      end)

    {_, session} = Session.input(session, "ack", %{"seq" => World.seq(world)})
    {world, session}
  end

  # ---- results ----

  defp compare(recording, theirs, 0) do
    {:ok, room} = Room.state_at(@room, length(recording.events))
    expected = World.snapshot(World.fold!(World.new!(rules: Rules.doom()), recording.events))

    cond do
      World.snapshot(room) !== expected ->
        {:error, "the room's world is not the one that its events make"}

      World.snapshot(theirs.world) !== expected ->
        {:error, "the client's world is not the room's"}

      true ->
        Screen.good(
          "  a client's world, by #{Screen.number(theirs.diffs)} diffs of #{Screen.number(div(theirs.bytes, 1024))} KB"
        )

        past(recording, List.wrap(recording.expected["snapshots"]))
    end
  end

  # Then the seqs differ from the recording's.
  defp compare(_, theirs, _) do
    if World.snapshot(theirs.world) === Room.snapshot(@room),
      do: Screen.good("  a client's world, by #{Screen.number(theirs.diffs)} diffs"),
      else: {:error, "the client's world is not the room's"}
  end

  defp past(_, []), do: :ok

  defp past(recording, [%{"seq" => seq, "entities" => entities} | snapshots]) do
    {:ok, world} = Room.state_at(@room, seq)

    if World.snapshot(world) === entities do
      Screen.good("  the room at seq #{String.pad_leading(Screen.number(seq), 6)}, from its log")
      past(recording, snapshots)
    else
      {:error, "the room at seq #{seq}, read back from its log, is not what was expected"}
    end
  end

  defp replay do
    {:ok, replay} = Room.replay(@room, paused: true)
    duration = Replay.info(replay).duration_ms
    :ok = Replay.seek(replay, {:ms, duration / 2})
    from = Replay.info(replay).seq
    :ok = Replay.resume(replay)
    Process.sleep(@replay_ms)
    info = Replay.info(replay)
    GenServer.stop(replay)

    Screen.say(
      "  Played again from its middle for #{div(@replay_ms, 1000)} seconds in its own timing: #{Screen.number(info.seq - from)} events, " <>
        "#{Screen.decimal(info.late_mean / 1, 2)} ms late on average and #{Screen.decimal(info.late_max / 1, 1)} ms at most."
    )

    :ok
  end

  # The median, the 99th percentile and the maximum of the times; nil if there are none.
  defp percentiles([]), do: nil

  defp percentiles(times) do
    sorted = times |> Enum.sort() |> List.to_tuple()
    for share <- [0.5, 0.99, 1.0], do: elem(sorted, trunc((tuple_size(sorted) - 1) * share)) / 1
  end

  defp shown(nil), do: ["-", "-", "-"]
  defp shown(percentiles), do: Enum.map(percentiles, &Screen.decimal(&1, 2))
end
