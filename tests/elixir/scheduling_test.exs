defmodule SchedulingTest do
  # Long calls must not hold up the VM, and a caller that is killed in one must leave nothing behind.
  use ExUnit.Case, async: false

  import Roomfold.Reductions

  alias Roomfold.{JSON, Room, World}

  @calls 5

  # Sanitizers and Valgrind slow down the VM itself, and have its allocators switched off. What is called is called all the same.
  @instrumented Enum.find(~w(asan tsan valgrind), &(&1 == System.get_env("ROOMFOLD_CONFIG")))

  # With one scheduler online, whatever holds it holds up everybody: the heartbeat can't escape to another.
  setup context do
    online = :erlang.system_flag(:schedulers_online, if(context[:parallel], do: System.schedulers(), else: 1))
    on_exit(fn -> :erlang.system_flag(:schedulers_online, online) end)
  end

  # ---- the heartbeat ------------------------------------------------------------------------------

  # A process of its own makes its input (a message would not keep what the input shares), and then runs `run` on it once for each :go.
  # What a call uses up is made anew before each by `renew`.
  defp runner(prepare, renew, run) do
    parent = self()

    spawn_link(fn ->
      input = prepare.()
      run_on(parent, fn -> renew.(input) end, run)
    end)
  end

  defp run_on(parent, renew, run) do
    receive do
      :go ->
        input = renew.()
        :erlang.garbage_collect()
        send(parent, :ready)
        # The heart beats before the run begins: else the run would hold up its start.
        Process.sleep(10)
        before = worked()
        run.(input)
        send(parent, {:took, worked() - before})
        run_on(parent, renew, run)
    end
  end

  # Has it run. Meanwhile this process wakes up each millisecond. Answers how long the VM worked on the run, and the worst gap between two
  # beats, in milliseconds. Of a gap only that counts in which the VM worked: a busy machine keeps it from running at all, as long as it likes.
  defp measure(runner) do
    send(runner, :go)
    receive do: (:ready -> beat({now(), worked()}, 0))
  end

  defp beat(last, worst) do
    receive do
      {:took, time} -> {time, max(worst, gap(last))}
    after
      1 ->
        worst = max(worst, gap(last))
        beat({now(), worked()}, worst)
    end
  end

  defp gap({time, worked}), do: min(now() - time, worked() - worked)

  # The CPU time of all of the VM's threads.
  defp worked, do: elem(:erlang.statistics(:runtime), 0)
  defp now, do: System.monotonic_time(:millisecond)
  defp median(numbers), do: numbers |> Enum.sort() |> Enum.at(div(length(numbers), 2))

  # A call that is not sliced is one gap as long as the call, every time. Sliced ones leave gaps of some milliseconds, in which the VM
  # collects garbage; more on a slower machine, on which the calls, too, take longer.
  defp assert_undisturbed(prepare, renew \\ & &1, run) do
    {times, gaps} = runner(prepare, renew, run) |> calls([]) |> Enum.unzip()
    [took, held] = for list <- [times, gaps], do: Enum.join(list, ", ")
    seen = "calls of #{took} ms held up others for #{held} ms"

    if @instrumented,
      do: IO.puts("left out: how long others were held up (#{@instrumented} changes that): " <> seen)

    limit = limit(median(times))
    assert @instrumented || median(times) > limit, "too short to show anything: " <> seen
    assert @instrumented || median(gaps) < limit, seen
  end

  defp limit(time), do: max(20, div(time, 20))

  # Five calls, or as many as it takes until more than half of five are good.
  defp calls(runner, done) do
    done = [measure(runner) | done]
    good = Enum.count(done, fn {time, gap} -> time > limit(time) and gap < limit(time) end)
    if good > @calls / 2 or length(done) == @calls, do: done, else: calls(runner, done)
  end

  # ---- input --------------------------------------------------------------------------------------

  defp id(i), do: "entity-#{i}"
  defp vectors(i), do: %{"position" => [i * 0.5, 1.25, -i * 0.25], "rotation" => [0.0, 0.5, 0.25, 1.0]}
  defp create(i), do: {"create", %{"entity_id" => id(i), "components" => vectors(i)}}
  defp update(i), do: {"update", %{"entity_id" => id(rem(i, 100)), "components" => vectors(i)}}

  defp updates(thousands), do: Enum.concat(List.duplicate(Enum.map(1..1000, &update/1), thousands))
  defp world(count, opts \\ []), do: World.fold!(World.new!(opts), Enum.map(1..count, &create/1))

  # A fold uses its world up.
  defp with_copy({world, input}), do: {copy(world), input}

  defp copy(world) do
    {:ok, copy} = World.copy(world)
    copy
  end

  defp text(lines) do
    String.duplicate(
      ~s({"event":"update","entity_id":"entity-1","components":{"position":[1.5,2.25,3],"tags":["a","b"]}}\n),
      lines
    )
  end

  # ---- tests --------------------------------------------------------------------------------------

  test "a fold of a million events" do
    assert_undisturbed(fn -> {world(100), updates(1000)} end, &with_copy/1, fn {world, events} ->
      assert {:ok, _, %{folded: 1_000_000}} = World.fold(world, events)
    end)
  end

  test "a fold of a long JSON text" do
    text = text(500_000)

    assert_undisturbed(fn -> world(10) end, &copy/1, fn world ->
      assert {:ok, _, %{folded: 500_000}} = World.fold(world, {:json, text})
    end)
  end

  test "events that are larger than any slice" do
    prepare = fn ->
      tags = Enum.to_list(1..5_000_000)
      event = &{"update", %{"entity_id" => id(1), "components" => %{"tags" => tags, "n" => &1}}}
      {world(10), [event.(1), event.(2), event.(3)]}
    end

    assert_undisturbed(prepare, &with_copy/1, fn {world, events} ->
      assert {:ok, world, %{folded: 3, rejected_count: 3, rejected: [{0, error} | _]}} =
               World.fold(world, events)

      assert error.reason == :too_large
      assert World.get(world, id(1))["n"] == 3
    end)
  end

  for by <- [:entity, :component, :kind] do
    test "a snapshot of 100,000 entities by #{by}" do
      assert_undisturbed(fn -> world(100_000) end, fn world ->
        assert map_size(World.snapshot(world, by: unquote(by))) > 0
      end)
    end
  end

  test "a copy, a query, a diff of 100,000 entities, and applying and loading it" do
    assert_undisturbed(fn -> world(100_000, history: 1_000_000) end, fn world ->
      {:ok, copy} = World.copy(world)
      assert length(World.query(copy, ["position"])) == 100_000
      {:ok, diff} = World.diff(world, 0)
      assert {:ok, _, %{folded: 100_000}} = World.apply_diff(World.new!(), diff)
      assert {:ok, _} = World.load(diff["creates"])
    end)
  end

  test "ticks of 10,000 entities: packed batches, and packed diffs of what they changed" do
    prepare = fn ->
      frames =
        for n <- 1..2 do
          moved = for i <- 1..10_000, do: {"update", %{"entity_id" => id(i), "components" => vectors(i + n)}}
          {:ok, frame} = Roomfold.Wire.encode_events(moved)
          frame
        end

      {world(10_000, history: 1_000_000), frames}
    end

    assert_undisturbed(prepare, &with_copy/1, fn {world, frames} ->
      for _ <- 1..150, frame <- frames, reduce: world do
        world ->
          seq = World.seq(world)
          {:ok, world, %{folded: 10_000}} = World.fold(world, {:packed, frame})
          assert {:ok, diff} = World.encode(world, {:diff, seq}, :packed)
          assert byte_size(diff) > 100_000
          world
      end
    end)
  end

  test "a room of 50,000 entities: a snapshot, joining it, and keeping it in its log" do
    {:ok, frame} = Roomfold.Wire.encode_events(Enum.map(1..50_000, &create/1))

    assert_undisturbed(
      fn -> nil end,
      fn nil ->
        {:ok, log} = Roomfold.EventLog.Memory.start_link()

        {:ok, room} =
          Room.start_link(id: "large", rooms: nil, log: {Roomfold.EventLog.Memory, log}, tick_ms: 10)

        {:ok, 1..50_000} = Room.publish(room, {:packed, frame}, by: :system, timeout: 60_000)
        room
      end,
      fn room ->
        assert map_size(Room.snapshot(room)) == 50_000
        assert {:ok, %{frame: {:snapshot, _}}} = Room.join(room, "tom", format: :packed)
        assert {:ok, %{frame: {:snapshot, _}}} = Room.join(room, "tom", format: :json)
        Process.unlink(room)
        GenServer.stop(room, :shutdown, :infinity)
      end
    )
  end

  test "a world of 200,000 entities as JSON text" do
    assert_undisturbed(fn -> world(200_000) end, fn world ->
      for by <- [:entity, :component, :kind],
          do: assert({:ok, _} = World.encode(world, :snapshot, :json, by: by))
    end)
  end

  test "100,000 shots at 10,000 entities" do
    collider = %{"shape" => "sphere", "radius" => 0.5}

    target = fn i ->
      components = %{"position" => [rem(i, 100), 0, div(i, 100)], "collider" => collider}
      {"create", %{"entity_id" => id(i), "components" => components}}
    end

    shot = fn i -> {rem(i, 100) + 0.3, 0.5, -10.0, 0.1, 0.0, 1.0, 60} end

    assert_undisturbed(
      fn -> {World.fold!(World.new!(), Enum.map(1..10_000, target)), Enum.map(1..100_000, shot)} end,
      fn {world, shots} ->
        assert {:ok, answers} = Roomfold.Hits.cast(world, shots)
        assert length(answers) == 100_000
      end
    )
  end

  test "a million packed shots in one call, each tenth of them wrong" do
    collider = %{"shape" => "sphere", "radius" => 0.5, "at" => "centre"}

    create =
      {"create", %{"entity_id" => "bat", "components" => %{"position" => [5, 0, 0], "collider" => collider}}}

    shot = fn direction ->
      for number <- [0, 0, 0, direction, 0, 0, 60], into: <<>>, do: <<number::float-64-little>>
    end

    ten = IO.iodata_to_binary([List.duplicate([shot.(1), <<0::64>>], 9), shot.(0), <<0::64>>])

    assert_undisturbed(
      fn -> {World.fold!(World.new!(), [create]), :binary.copy(ten, 100_000)} end,
      fn {world, shots} ->
        assert {:ok, {answers, {"bat"}}} = Roomfold.Hits.cast(world, {:packed, shots, {}})
        assert <<ten::binary-size(160), _::binary>> = answers
        assert answers == :binary.copy(ten, 100_000)
        assert for(<<kind, _::binary-size(15) <- ten>>, do: kind) == List.duplicate(1, 9) ++ [255]
      end
    )
  end

  # Few enough to be begun on a normal scheduler, which then goes on elsewhere.
  test "2,000 shots, each through 2,000 entities" do
    collider = %{"shape" => "sphere", "radius" => 0.5}

    target = fn i ->
      components = %{"position" => [i * 0.01, 0, 0], "collider" => collider, "owner" => "tom"}
      {"create", %{"entity_id" => id(i), "components" => components}}
    end

    shot = %{origin: {-5, 0.5, 0}, direction: {1, 0, 0}, range: 60, all: true, owner: "tom"}

    assert_undisturbed(
      fn -> {World.fold!(World.new!(), Enum.map(1..2_000, target)), List.duplicate(shot, 2_000)} end,
      fn {world, shots} ->
        assert {:ok, answers} = Roomfold.Hits.cast(world, shots)
        assert answers == List.duplicate([], 2_000)
      end
    )
  end

  defp walls(count) do
    triangle = &{{&1 * 1.0e-4, -1, -1}, {&1 * 1.0e-4, 3, 0}, {&1 * 1.0e-4, -1, 1}, 1}
    %Roomfold.Level{triangles: Enum.map(1..count, triangle)}
  end

  test "the first shot in a level of 300,000 triangles" do
    assert_undisturbed(fn -> walls(300_000) end, fn level ->
      assert {:ok, [%{kind: :triangle}]} =
               Roomfold.Hits.cast(World.new!(level: level), [{-5, 0, 0, 1, 0, 0, 9}])
    end)
  end

  test "shots at 240 past moments of 2,000 entities, a few at a time" do
    target = fn i ->
      collider = %{"shape" => "sphere", "radius" => 0.5}
      components = %{"position" => [rem(i * 7, 100), 0, rem(i * 13, 100)], "collider" => collider}
      {"create", %{"entity_id" => id(i), "components" => components}}
    end

    # No moment has been asked for yet.
    mark = fn time, world ->
      moved = {"update", %{"entity_id" => id(1), "components" => %{"position" => [time, 0, 0]}}}
      {:ok, world} = Roomfold.Hits.mark(World.fold!(world, [moved]), time)
      world
    end

    shots =
      for time <- 1..240, do: %{origin: {-5, 0.5, 0}, direction: {1, 0, 0.3}, range: 60, at: {:time, time}}

    assert_undisturbed(
      fn -> Enum.map(1..2_000, target) end,
      fn targets ->
        Enum.reduce(1..241, World.fold!(World.new!(hits: [history_states: 256]), targets), mark)
      end,
      fn world ->
        for some <- Enum.chunk_every(shots, 30) do
          assert {:ok, answers} = Roomfold.Hits.cast(world, some)
          refute Enum.any?(answers, &match?({:error, _}, &1))
        end
      end
    )
  end

  # Each call is short, but too many of them would come in one turn if they were not charged for.
  test "marks, shots and zones are charged for the time they take" do
    target = fn i ->
      collider = %{"shape" => "sphere", "radius" => 0.5}
      components = %{"position" => [i * 0.01, 0, 0], "collider" => collider, "owner" => "tom"}
      {"create", %{"entity_id" => id(i), "components" => components}}
    end

    [one, many] = for n <- [1, 2_000], do: World.fold!(World.new!(), Enum.map(1..n, target))
    shot = %{origin: {-5, 0.5, 0}, direction: {1, 0, 0}, range: 60, all: true, owner: "tom"}
    zone = %{position: {0, 0, 0}, collider: %{"shape" => "sphere", "radius" => 60}, mask: 4}

    for {name, call} <- [
          mark: &({:ok, _} = Roomfold.Hits.mark(&1, &2)),
          shot: fn world, _ -> {:ok, [[]]} = Roomfold.Hits.cast(world, [shot]) end,
          zone: fn world, _ -> {:ok, [[]]} = Roomfold.Hits.overlap(world, [zone]) end
        ] do
      [little, much] =
        for world <- [one, many] do
          median(for n <- 1..200, do: reductions(fn -> call.(world, n) end))
        end

      # A call's own reductions are the same for both. The time is the machine's: a zone's 10 microseconds are 400 reductions.
      assert much > 2 * little, "#{name}: #{much} reductions a call for 2,000 targets, #{little} for one"
    end
  end

  test "a single shot that hits 100,000 triangles" do
    shot = %{origin: {-5, 0, 0}, direction: {1, 0, 0}, range: 60, all: true}

    assert_undisturbed(fn -> World.new!(level: walls(100_000)) end, fn world ->
      assert {:ok, [hits]} = Roomfold.Hits.cast(world, [shot])
      assert length(hits) == 100_000
    end)
  end

  test "JSON of megabytes, both ways" do
    assert_undisturbed(fn -> Map.new(1..100_000, &{id(&1), vectors(&1)}) end, fn term ->
      {:ok, text} = JSON.encode(term)
      assert {:ok, %{}} = JSON.decode(text)
    end)
  end

  # ---- several processes --------------------------------------------------------------------------

  # Each batch takes several slices and gives all entities the same health, so a world read in the middle would show.
  @tag :parallel
  test "who reads while another folds sees whole batches, or that the world has been folded on" do
    batch = fn health ->
      for i <- 1..3000, do: {"create", %{"entity_id" => id(i), "components" => %{"health" => health}}}
    end

    newest = :ets.new(:newest, [:public, read_concurrency: true])
    :ets.insert(newest, world: World.fold!(World.new!(), batch.(0)), done: false)
    readers = for _ <- 1..4, do: Task.async(fn -> read_until_done(newest, %{read: 0, late: 0}) end)

    for health <- 1..100 do
      world = :ets.lookup_element(newest, :world, 2)
      :ets.insert(newest, {:world, World.fold!(world, batch.(health))})
    end

    :ets.insert(newest, {:done, true})
    for %{read: read} <- Task.await_many(readers, 60_000), do: assert(read > 0)
  end

  defp read_until_done(newest, counts) do
    done = :ets.lookup_element(newest, :done, 2)
    counts = Map.update!(counts, read_once(:ets.lookup_element(newest, :world, 2)), &(&1 + 1))
    if done, do: counts, else: read_until_done(newest, counts)
  end

  defp read_once(world) do
    [{_, first} | _] = World.query(world, ["health"])
    snapshot = World.snapshot(world)
    assert map_size(snapshot) == 3000
    assert Enum.all?(snapshot, fn {_, components} -> components == first end)
    :read
  rescue
    error in Roomfold.Error ->
      assert error.reason == :folded_on
      :late
  end

  # ---- killed callers -----------------------------------------------------------------------------

  # Kills a process in the middle of its fold; answers the world it was folding.
  defp kill_in_fold(input) do
    parent = self()

    {pid, monitor} =
      spawn_monitor(fn ->
        {world, input} = {world(20_000), input.()}
        send(parent, {:folding, world})
        World.fold(world, input)
        send(parent, :folded)
      end)

    receive do
      {:folding, world} ->
        wait_for_fold(pid)
        Process.exit(pid, :kill)
        assert_receive {:DOWN, ^monitor, _, _, :killed}
        refute_received :folded
        world
    end
  end

  # It is asked between two slices. Then a few more of them go by.
  defp wait_for_fold(pid) do
    case Process.info(pid, :current_function) do
      {:current_function, {Roomfold.Native, :world_fold, _}} -> Process.sleep(2)
      {:current_function, _} -> Process.sleep(1) && wait_for_fold(pid)
      nil -> flunk("it has folded all before it could be killed")
    end
  end

  # Many slices.
  defp long(:list), do: fn -> updates(1000) end

  defp long(:text) do
    text = text(400_000)
    fn -> {:json, text} end
  end

  for kind <- [:list, :text] do
    test "a caller that is killed while it folds a #{kind} leaves no lock" do
      world = kill_in_fold(long(unquote(kind)))
      task = Task.async(fn -> {World.fold(world, []), World.diff(world, 0), World.copy(world)} end)

      assert {:ok, answers} = Task.yield(task, 60_000)
      for answer <- Tuple.to_list(answers), do: assert({:error, %{reason: :folded_on}} = answer)
      assert_raise Roomfold.Error, fn -> World.snapshot(world) end
    end

    test "a caller that is killed while it folds a #{kind} leaves no memory" do
      run = fn -> Task.await(Task.async(fn -> World.info(world(20_000)).memory end)) end
      one = run.()
      input = long(unquote(kind))
      kill = fn -> Task.await(Task.async(fn -> kill_in_fold(input) && :ok end), :infinity) end

      kill.()
      before = native_memory()
      for _ <- 1..10, do: kill.()

      if @instrumented,
        do: IO.puts("left out: how much memory the VM has handed out (not known with #{@instrumented})")

      assert @instrumented || native_memory() - before < 2 * one
    end
  end

  # What the VM has handed to NIFs and itself: worlds are in there. A dirty call of a killed process may still be under way.
  defp native_memory do
    Process.sleep(300)
    :erlang.garbage_collect()

    unless @instrumented,
      do: Enum.reduce([:code, :binary, :ets], :erlang.memory(:system), &(&2 - :erlang.memory(&1)))
  end
end
