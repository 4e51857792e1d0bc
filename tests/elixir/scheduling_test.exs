defmodule SchedulingTest do
  # Long calls must not hold up the VM, and a caller that is killed in one must leave nothing behind.
  use ExUnit.Case, async: false

  alias Roomfold.World

  @calls 5

  # Of one scheduler online, whatever holds it holds up everybody: the heartbeat can't escape to another.
  setup do
    online = :erlang.system_flag(:schedulers_online, 1)
    on_exit(fn -> :erlang.system_flag(:schedulers_online, online) end)
  end

  # What a process that wakes up each millisecond sees as its worst gap, in milliseconds, while `fun` runs in another.
  defp worst_gap(fun) do
    task = Task.async(fun)
    gap = beat(task.ref, System.monotonic_time(:microsecond), 0)
    gap / 1000
  end

  defp beat(ref, last, worst) do
    receive do
      {^ref, _} ->
        Process.demonitor(ref, [:flush])
        max(worst, System.monotonic_time(:microsecond) - last)
    after
      1 ->
        now = System.monotonic_time(:microsecond)
        beat(ref, now, max(worst, now - last))
    end
  end

  defp median(numbers), do: numbers |> Enum.sort() |> Enum.at(div(length(numbers), 2))

  # One call that isn't sliced would be one gap of well over 100 ms (printed in the message, as it took), each time. A busy
  # machine makes a gap now and then, but not in most of the calls: hence the median. 25 ms over what the idle VM
  # sees is a hundred slices, and a fraction of the call.
  defp assert_undisturbed(name, call) do
    idle = median(for _ <- 1..@calls, do: worst_gap(fn -> Process.sleep(200) end))

    {times, gaps} =
      Enum.unzip(
        for _ <- 1..@calls do
          parent = self()
          gap = worst_gap(fn -> send(parent, {:took, call.()}) end)
          assert_receive {:took, took}
          {took, gap}
        end
      )

    assert median(times) > 60, "#{name} took only #{median(times)} ms: too little to show anything"

    assert median(gaps) < idle + 25,
           "#{name} took #{median(times)} ms and held up others for #{inspect(gaps)} ms (idle: #{idle} ms)"
  end

  # Runs in a process of its own, which also makes the input: sent there, it would lose what it shares.
  defp timed(prepare, run) do
    fn ->
      input = prepare.()
      {time, _} = :timer.tc(fn -> run.(input) end)
      time / 1000
    end
  end

  defp id(i), do: "entity-#{i}"

  defp vectors(i) do
    %{"position" => [i * 0.5, 1.25, -i * 0.25], "rotation" => [0.0, 0.5, 0.25, 1.0]}
  end

  defp creates(count) do
    for i <- 1..count, do: {"create", %{"entity_id" => id(i), "components" => vectors(i)}}
  end

  defp updates(entities, count) do
    some = for i <- 1..1000, do: {"update", %{"entity_id" => id(rem(i, entities)), "components" => vectors(i)}}
    some |> List.duplicate(div(count, 1000)) |> Enum.concat()
  end

  defp world_with(count) do
    World.fold!(World.new!(impl: :native), creates(count)) |> elem_world()
  end

  defp elem_world({world, _report}), do: world
  defp elem_world(world), do: world

  test "a fold of a million events" do
    assert_undisturbed(
      "a fold of 1,000,000 events",
      timed(fn -> {world_with(1000), updates(1000, 1_000_000)} end, fn {world, events} ->
        assert {:ok, _, %{folded: 1_000_000}} = World.fold(world, events)
      end)
    )
  end

  test "a fold of a long JSON text" do
    line = ~s({"event":"update","entity_id":"entity-1","components":{"position":[1.5,2.25,3],"tags":["a","b"]}}\n)
    text = String.duplicate(line, 500_000)

    assert_undisturbed(
      "a fold of 500,000 lines",
      timed(fn -> world_with(10) end, fn world ->
        assert {:ok, _, %{folded: 500_000}} = World.fold(world, {:json, text})
      end)
    )
  end

  test "an event that is larger than any slice" do
    # Bad at the very end: too large, too, but that is only known of what has been read to its end.
    huge = Enum.to_list(1..3_000_000)
    event = {"update", %{"entity_id" => "entity-1", "components" => %{"tags" => huge, "n" => 1}}}

    assert_undisturbed(
      "an event with 3,000,000 numbers, 3 times",
      timed(fn -> world_with(10) end, fn world ->
        assert {:ok, world, report} = World.fold(world, [event, event, event])
        assert %{folded: 3, rejected: [{0, %{reason: :too_large}} | _]} = report
        assert World.get(world, "entity-1")["n"] == 1
      end)
    )
  end

  for by <- [:entity, :component, :kind] do
    test "a snapshot of 100,000 entities by #{by}" do
      assert_undisturbed(
        "a snapshot by #{unquote(by)}",
        timed(fn -> world_with(100_000) end, fn world -> World.snapshot(world, by: unquote(by)) end)
      )
    end
  end

  test "a diff of 100,000 entities, and applying it" do
    assert_undisturbed(
      "a diff",
      timed(fn -> world_with(100_000) end, fn world ->
        behind = World.copy(World.new!(impl: :native))
        behind = with {:ok, copy} <- behind, do: copy
        {:ok, world, _} = World.fold(world, [])
        # The world remembers 1,024 seqs: all that it has now came before those.
        assert {:error, %{reason: :history_gone}} = World.diff(world, 0)
        {:ok, all} = World.load(World.snapshot(world, by: :entity), impl: :native) |> loaded()
        assert World.count(all) == 100_000
        assert World.count(behind) == 0
      end)
    )
  end

  defp loaded({:ok, world, _report}), do: {:ok, world}
  defp loaded(other), do: other

  test "JSON of megabytes, both ways" do
    assert_undisturbed(
      "encoding and decoding",
      timed(fn -> Map.new(1..100_000, &{id(&1), vectors(&1)}) end, fn term ->
        {:ok, text} = Roomfold.JSON.encode(term)
        {:ok, ^term} = Roomfold.JSON.decode(text)
      end)
    )
  end
end
