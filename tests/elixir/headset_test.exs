defmodule Roomfold.HeadsetTest do
  # A real headset and two hands (tests/data/vr, with its notice): recorded into a room as a client sends them, and played back.
  use Roomfold.RoomsCase, async: true

  alias Roomfold.{EventLog, Headset, Replay}

  @data Path.expand("../data/vr", __DIR__)

  defp samples,
    do:
      Headset.read(
        Path.join(@data, "tracked-extract.csv.gz"),
        Path.join(@data, "tracked-extract.events.jsonl.gz")
      )

  # Sent in their own timing; what the log has of them: [{at, event}].
  defp record(room, samples) do
    {_, _, session} = join!(room, "tom", %{"format" => "packed"}, events_per_s: 1_000)
    [{first, _} | _] = samples
    start = System.monotonic_time(:microsecond)

    session =
      for {{t, _} = sample, n} <- Enum.with_index(samples, 1), reduce: session do
        session ->
          wait = div(start + round((t - first) * 1_000) - System.monotonic_time(:microsecond), 1_000)
          if wait > 0, do: Process.sleep(wait)
          {:ok, frame} = Headset.input(sample, n, "tom")
          {[], session} = Session.input(session, "input", {:binary, frame}, n)
          session
      end

    {{:ok, _}, _} = await(session, reply(length(samples)))
    log = Rooms.log(elem(room, 0))

    for line <- log |> EventLog.stream(elem(room, 1), 1) |> Enum.join() |> String.split("\n", trim: true),
        event = Roomfold.JSON.decode!(line),
        event["by"] == "tom",
        do: {event["at"], event}
  end

  test "what is recorded is what was done, and plays back in its order to its end" do
    samples = samples()
    assert length(samples) == 140
    rooms = start_rooms(room: [tick_ms: 5, rules: Headset.rules(), grace_ms: 0, user_events_per_s: 1_000])
    room = {rooms, "studio"}
    recorded = record(room, samples)
    assert length(recorded) == length(samples)

    # Nothing is rounded but to binary32, and times never go back.
    for {{_, sample}, {_, event}} <- Enum.zip(samples, recorded) do
      case sample do
        {name, _} ->
          assert event["event_name"] == name

        poses ->
          assert event["event_name"] == "user_moved"

          for {part, pose} <- poses,
              {key, numbers} <- pose,
              {is, was} <- Enum.zip(event[part][key], numbers) do
            <<narrow::float-32>> = <<was::float-32>>
            assert is == narrow
          end
      end
    end

    times = Enum.map(recorded, &elem(&1, 0))
    assert times == Enum.sort(times)
    {t_first, _} = hd(samples)
    {t_last, _} = List.last(samples)
    # As long as it was, within what a busy machine may be late.
    assert_in_delta List.last(times) - hd(times), t_last - t_first, 1_000

    # Back to the start, and on to the end, as a client sees it.
    {:ok, replay} = Room.replay(room, paused: true, speed: 10)
    {_, [{:push, "snapshot", _}], session} = join!(replay, "me", %{"events" => true})
    :ok = Replay.seek(replay, 1)
    {snapshot, session} = await(session, text("snapshot"))
    {:ok, world} = World.load({:json, snapshot})
    assert World.seq(world) == 1
    :ok = Replay.resume(replay)
    {world, seqs} = follow(session, world, Room.seq(room), [])
    assert seqs == Enum.sort(seqs)
    assert World.snapshot(world) == Room.snapshot(room)
    assert %{late_max: late, last_seq: last} = Replay.info(replay)
    assert late >= 0 and last == length(samples) + 1
  end

  defp follow(_, world, last, [last | _] = seqs), do: {world, Enum.reverse(seqs)}

  defp follow(session, world, last, seqs) do
    {diff, session} = await(session, text("diff"), 20_000)
    {:ok, world, _} = World.apply_diff(world, {:json, diff})
    follow(session, world, last, [World.seq(world) | seqs])
  end

  defp text(kind) do
    fn
      {:push, ^kind, {:json, text}} -> IO.iodata_to_binary(text)
      _ -> nil
    end
  end
end
