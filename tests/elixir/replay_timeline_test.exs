defmodule Roomfold.ReplayTimelineTest do
  use ExUnit.Case, async: true

  alias Roomfold.{Error, EventLog, World}
  alias Roomfold.Replay.{Clock, Recording, Timeline}
  alias Roomfold.Room.Options

  defp options, do: Options.new([[id: "recording"]], "a replay")

  defp line(at, x \\ 0),
    do: ~s({"event_name":"create","entity_id":"e#{at}","components":{"x":#{x}},"at":#{at}}\n)

  defp recording(times) do
    options = options()
    {:ok, log} = Recording.log(Enum.map_join(times, &line/1), options)
    %{options | log: log}
  end

  defp timeline(times) do
    {:ok, timeline, world} = Timeline.open(recording(times))
    assert World.seq(world) == 0
    timeline
  end

  describe "the clock" do
    test "runs at its speed, up to the end" do
      clock = Clock.new(1_000, [speed: 2], 50)
      assert Clock.position(clock, 50) == 0
      assert Clock.position(clock, 150) == 200
      assert Clock.position(clock, 10_000) == 1_000
      assert Clock.reaches(clock, 200) == 150
    end

    test "stands still while it is paused, and goes on from there" do
      clock = Clock.new(1_000, [], 0) |> Clock.pause(100)
      assert Clock.position(clock, 500) == 100
      clock = Clock.resume(clock, 500)
      assert Clock.position(clock, 550) == 150
    end

    test "a new speed counts from now on, also while it is paused" do
      clock = Clock.new(10_000, [paused: true], 0) |> Clock.speed(0.5, 100)
      assert Clock.position(clock, 200) == 0
      clock = clock |> Clock.resume(200) |> Clock.speed(4, 400)
      assert Clock.position(clock, 500) == 100 + 400
    end

    test "says in real time how late events were" do
      clock = Clock.new(1_000, [speed: 2], 0)
      assert Clock.late_mean(clock) == 0
      clock = Clock.played(clock, [100, 140], 200)
      assert {clock.late_max, Clock.late_mean(clock)} == {50.0, 40.0}
    end
  end

  describe "the timeline" do
    test "gives each event once, in order, with its position" do
      timeline = timeline([1_000, 1_000, 1_250, 5_000])
      assert {first, last} = {timeline.first_seq, timeline.last_seq}
      assert {first, last, Timeline.duration(timeline)} == {0, 4, 4_000}

      {due, timeline} = Timeline.due(timeline, 250)
      assert for({position, _} <- due, do: position) == [0, 0, 250]
      assert elem(hd(due), 1) =~ ~s("e1000")
      assert {4_000, timeline} = Timeline.next(timeline)
      assert {[], timeline} = Timeline.due(timeline, 3_999)
      assert {[{4_000, _}], timeline} = Timeline.due(timeline, 4_000)
      assert {nil, %{error: nil, seq: 4}} = Timeline.next(timeline)
    end

    test "finds places by time and by seq" do
      timeline = timeline([1_000, 1_500, 1_500, 2_000])
      assert Timeline.find(timeline, {:ms, -1}) == {:ok, 1, 0.0}
      assert Timeline.find(timeline, {:ms, 500}) == {:ok, 3, 500.0}
      assert Timeline.find(timeline, {:ms, 999_999}) == {:ok, 4, 1_000.0}
      assert Timeline.find(timeline, 0) == {:ok, 0, 0.0}
      assert Timeline.find(timeline, 4) == {:ok, 4, 1_000.0}
      assert {:error, %Error{reason: :seq_ahead}} = Timeline.find(timeline, 5)
      assert {:error, %Error{reason: :invalid_argument}} = Timeline.find(timeline, :end)
    end

    test "after a jump it goes on from there" do
      {_, timeline} = Timeline.due(timeline([0, 10, 20, 30]), 30)
      assert {[{20, _}, {30, _}], _} = timeline |> Timeline.go(2) |> Timeline.due(30)
    end

    test "says why it can't go on, and tries again when it is told" do
      %{log: {module, server}} = options = recording([0, 10, 20])
      {:ok, timeline, _} = Timeline.open(options)
      # A log that others have taken away, though it was there a moment ago.
      :ok = EventLog.delete({module, server}, "recording")

      assert {[], timeline} = Timeline.due(timeline, 20)
      assert %Error{reason: :no_room} = timeline.error
      assert {nil, ^timeline} = Timeline.next(timeline)
      assert {[], ^timeline} = Timeline.due(timeline, 20)

      {:ok, %{term: term}} = EventLog.claim(options.log, "recording", %{})
      records = for at <- [0, 10, 20], do: ~s({"seq":#{div(at, 10) + 1},"event_name":"late","at":#{at}})
      :ok = EventLog.append(options.log, "recording", term, 0, records)
      assert {[{0, _}, {10, _}, {20, _}], %{error: nil}} = timeline |> Timeline.retry() |> Timeline.due(20)
    end

    test "a log without an event has none" do
      assert {:error, %Error{reason: :no_room}} = Timeline.open(recording([]))
    end
  end

  describe "a recording" do
    test "is numbered anew, and a time that goes back stands still" do
      %{log: log} = recording([1_000, 400, 2_000])
      {:ok, %{text: text}} = EventLog.read(log, "recording", 1, 3, [])

      assert for(
               line <- String.split(text, "\n", trim: true),
               do: Regex.run(~r/"at":(\d+)/, line) |> Enum.at(1)
             ) ==
               ~w(1000 1000 2000)

      assert text =~ ~s("seq":3)
    end

    test "a bad line is named by its index" do
      assert {:error, %Error{reason: :not_an_event, field: "at", index: 1}} =
               Recording.log(line(0) <> ~s({"event_name":"x"}), options())

      assert {:error, %Error{reason: :number_out_of_range, index: 0}} =
               Recording.log(~s({"event_name":"x","at":9007199254740992}), options())

      assert {:error, %Error{reason: :invalid_name, index: 0}} =
               Recording.log(~s({"event_name":7,"at":1}), options())
    end
  end
end
