defmodule Roomfold.PortTest do
  use Roomfold.PortCase, async: false

  import ExUnit.CaptureLog

  alias Roomfold.{Hits, Level, Room, Rooms, Rules, Wire}
  alias Roomfold.Port.{Queue, Worker}
  alias Roomfold.Projection.Port.Journal

  defp pair(opts \\ []) do
    {World.new!([impl: Pool] ++ opts), World.new!([impl: :native] ++ opts)}
  end

  defp fold({port, native}, input) do
    {:ok, port, report} = World.fold(port, input)
    {:ok, native, expected} = World.fold(native, input)
    assert report == expected
    {port, native}
  end

  defp kill, do: signal("KILL", os_pid())

  defp named(id, length),
    do: {"create", %{"entity_id" => id, "components" => %{"name" => String.duplicate("x", length)}}}

  defp more(id, name, length),
    do: {"update", %{"entity_id" => id, "components" => %{name => String.duplicate("x", length)}}}

  # A world of 6,000 entities, one of which is longer than 60,000 bytes.
  defp six_thousand do
    world =
      Enum.reduce(
        1..20,
        World.new!(impl: Pool),
        &World.fold!(&2, for(i <- 1..300, do: named("#{&1}.#{i}", 20)))
      )

    Enum.reduce(1..5, world, &World.fold!(&2, [more("1.1", "n#{&1}", 15_000)]))
  end

  defp copy(world), do: elem(World.copy(world), 1)

  defp checkpoint(%{state: %{number: number, version: version}}) do
    {:ok, answer, _} =
      Worker.call(Roomfold.Port.worker_name(Pool, 0), {:checkpoint, number, version, {nil, 1_000_000}}, nil)

    case :erlang.binary_to_term(answer) do
      {:ok, piece, _} -> {:ok, piece}
      {:error, {reason, _, _}} -> {:error, Error.new(reason)}
    end
  end

  describe "a program that ends" do
    setup do
      start_pool()
      :ok
    end

    test "is started anew, and the world is made again from what was folded" do
      worlds = Enum.reduce(1..3, pair(), &fold(&2, batch(&1)))
      kill()
      {port, native} = worlds
      assert same?(port, native)
      {port, native} = worlds |> fold(json(batch(4))) |> fold(packed(batch(5)))
      kill()
      assert World.diff!(port, 20) == World.diff!(native, 20)
      assert [%{restarts: 2, worlds: 1}] = Roomfold.Port.info(Pool)
    end

    test "and from a checkpoint, with all handles, also those to come, and a part of the history" do
      # More than is kept without one.
      worlds = Enum.reduce(1..75, pair(history: 20_000), &fold(&2, batch(&1, 200)))
      assert {_, [checkpoint], _, _, _} = elem(worlds, 0).state.journal.base
      assert is_binary(checkpoint)
      kill()
      assert same?(elem(worlds, 0), elem(worlds, 1))
      from = World.seq(elem(worlds, 1)) - 100
      assert World.diff!(elem(worlds, 0), from) == World.diff!(elem(worlds, 1), from)
      {port, native} = Enum.reduce(76..90, worlds, &fold(&2, batch(&1)))
      assert same?(port, native)

      assert World.encode!(port, {:diff, from + 50}, :json) ==
               World.encode!(native, {:diff, from + 50}, :json)
    end

    test "a world that mirrors another one still takes its diffs" do
      sender = World.fold!(World.new!(), batch(1))
      {:ok, replica} = World.load({:packed, World.encode!(sender, :snapshot, :packed)}, impl: Pool)

      {sender, replica} =
        for n <- 2..20, reduce: {sender, replica} do
          {sender, replica} ->
            from = World.seq(sender)
            sender = World.fold!(sender, batch(n))
            if rem(n, 6) == 0, do: kill()

            {:ok, replica, _} =
              World.apply_diff(replica, {:packed, World.encode!(sender, {:diff, from}, :packed)})

            {sender, replica}
        end

      assert World.snapshot(replica) === World.snapshot(sender)
      assert same?(replica, sender)
    end

    test "a mirror is made from a checkpoint as a mirror, also where its components are quantised" do
      schema =
        Roomfold.Schema.new!([
          {"position", {:f32, 3}, quantise: [step: 0.01, bounds: {-1000, 1000}]},
          {"health", :i64}
        ])

      sender = World.fold!(World.new!(schema: schema), batch(1, 100))
      {:ok, replica} = World.load({:packed, World.encode!(sender, :snapshot, :packed)}, impl: Pool)
      {:ok, twin} = World.load({:packed, World.encode!(sender, :snapshot, :packed)}, impl: :native)
      text = String.duplicate("x", 60_000)

      {_, replica, twin} =
        for n <- 2..24, reduce: {sender, replica, twin} do
          {sender, replica, twin} ->
            from = World.seq(sender)
            blob = {"create", %{"entity_id" => "blob", "components" => %{"n" => text <> "#{n}"}}}
            sender = World.fold!(sender, [blob | batch(n, 100)])
            diff = {:packed, World.encode!(sender, {:diff, from}, :packed)}
            if n in [20, 23], do: kill()
            {:ok, replica, _} = World.apply_diff(replica, diff)
            {:ok, twin, _} = World.apply_diff(twin, diff)
            {sender, replica, twin}
        end

      assert [_] = elem(replica.state.journal.base, 1)
      kill()
      assert same?(replica, twin)
      # From now on it goes its own way.
      assert same?(World.fold!(replica, batch(30)), World.fold!(twin, batch(30)))
    end

    test "a mirror with gaps between its entities, folded on and copied, comes back whole" do
      ids = for n <- 0..100, do: "e#{n}"

      sender =
        World.fold!(World.new!(), for(id <- ids, do: {"create", %{"entity_id" => id, "components" => %{}}}))

      gone = for n <- 1..99, do: {"delete", %{"entity_id" => "e#{n}"}}
      frame = World.encode!(World.fold!(sender, gone), :snapshot, :packed)
      {:ok, port} = World.load({:packed, frame}, impl: Pool)
      {:ok, native} = World.load({:packed, frame}, impl: :native)
      {:ok, port} = World.copy(port)
      text = String.duplicate("x", 60_000)

      # Until there are two checkpoints.
      {port, native} =
        for n <- 1..90, reduce: {port, native} do
          worlds ->
            fold(worlds, [{"create", %{"entity_id" => "e0", "components" => %{"n" => text <> "#{n}"}}}])
        end

      kill()
      assert World.get(port, "e100") == %{}
      assert same?(port, native)
    end

    # The next change makes a checkpoint.
    defp due({port, native}), do: {put_in(port.state.journal.limit, 0), native}

    defp creates(ids), do: for(id <- ids, do: {"create", %{"entity_id" => "#{id}", "components" => %{}}})
    defp deletes(ids), do: for(id <- ids, do: {"delete", %{"entity_id" => "#{id}"}})

    defp load(frame) do
      {:ok, port} = World.load({:packed, frame}, impl: Pool)
      {:ok, native} = World.load({:packed, frame}, impl: :native)
      {port, native}
    end

    test "a mirror that went its own way still gives out the lowest handle" do
      sender = World.new!() |> World.fold!(creates(0..9)) |> World.fold!(deletes([1, 2]))
      worlds = sender |> World.encode!(:snapshot, :packed) |> load()
      worlds = worlds |> due() |> fold(creates([10])) |> due() |> fold(creates([11]))
      kill()
      {port, native} = worlds |> fold(deletes([3, 5])) |> fold(creates([12, 13]))
      assert same?(port, native)
    end

    test "packed events with handles from before the checkpoint are folded again" do
      worlds = fold(pair(), creates(0..3))
      known = World.seq(elem(worlds, 1))
      handles = for n <- 0..3, into: %{}, do: {"#{n}", n}
      # A handle that somebody else has by the time of the checkpoint.
      worlds = worlds |> fold(deletes([2])) |> fold(creates([4]))

      frame = fn health ->
        events =
          for id <- ["0", "2"], do: {"update", %{"entity_id" => id, "components" => %{"health" => health}}}

        {:ok, frame} = Wire.encode_events(events, handles: handles, known: known)
        {:packed, frame}
      end

      worlds = worlds |> due() |> fold(creates([5])) |> fold(frame.(1)) |> due() |> fold(frame.(2))
      kill()
      {port, native} = fold(worlds, frame.(3))
      assert same?(port, native)
      assert %{"health" => 3} = World.get(port, "0")
      assert World.get(port, "4") == %{}
    end

    defp random_events do
      for _ <- 1..Enum.random(1..6) do
        id = "e#{:rand.uniform(90)}"

        case :rand.uniform(5) do
          1 ->
            {"delete", %{"entity_id" => id}}

          n when n < 4 ->
            {"create", %{"entity_id" => id, "components" => %{"position" => [n, 0.1, -1], "n" => n}}}

          n ->
            {"update", %{"entity_id" => id, "components" => %{"health" => n, "n" => nil}}}
        end
      end
    end

    defp random_step({port, native} = worlds, past) do
      case :rand.uniform(8) do
        1 ->
          kill()
          worlds

        2 ->
          due(worlds)

        3 ->
          # A diff of one that has the same handles.
          diff =
            World.encode!(World.fold!(copy(native), random_events()), {:diff, World.seq(native)}, :packed)

          {:ok, port, _} = World.apply_diff(port, {:packed, diff})
          {:ok, native, _} = World.apply_diff(native, {:packed, diff})
          {port, native}

        n when n < 6 ->
          {known, handles} = Enum.random(past)
          {:ok, frame} = Wire.encode_events(random_events(), handles: handles, known: known)
          fold(worlds, {:packed, frame})

        6 ->
          fold(worlds, json(random_events()))

        _ ->
          fold(worlds, random_events())
      end
    end

    defp handles(world) do
      {:ok, %{"entities" => entities}} = Wire.decode(World.encode!(world, :snapshot, :packed))
      {World.seq(world), Map.new(entities, &{&1["id"], &1["handle"]})}
    end

    test "wherever it ends, and whatever was folded, nothing is different" do
      for seed <- 1..String.to_integer(System.get_env("RUNS", "8")) do
        :rand.seed(:exsss, {seed, 0, 0})
        sender = World.fold!(World.fold!(World.new!(), creates(0..70)), deletes(Enum.take_random(0..70, 30)))
        worlds = if rem(seed, 2) == 0, do: pair(), else: load(World.encode!(sender, :snapshot, :packed))

        Enum.reduce(1..60, {worlds, [handles(elem(worlds, 1))]}, fn _, {worlds, past} ->
          {port, native} = worlds = random_step(worlds, past)
          assert {seed, same?(port, native)} == {seed, true}
          {worlds, Enum.take([handles(native) | past], 12)}
        end)
      end
    end

    test "a world that was folded on stays refused" do
      {old, _} = pair()
      new = World.fold!(old, batch(1))
      kill()
      assert {:error, %Error{reason: :folded_on}} = World.fold(old, batch(2))
      assert_raise Error, ~r/folded on/, fn -> World.snapshot(old) end
      assert World.count(new) > 0
    end

    test "copies are made again each by itself" do
      {port, native} = fold(pair(), batch(1))
      {:ok, copy} = World.copy(port)
      {port, native} = fold({port, native}, batch(2))
      kill()
      assert World.snapshot(copy) === World.snapshot(World.fold!(World.new!(), batch(1)))
      assert same?(port, native)
    end

    test "many who read at once make it again together" do
      {port, native} = Enum.reduce(1..20, pair(), &fold(&2, batch(&1)))
      expected = World.snapshot(native)
      kill()
      reads = for _ <- 1..16, do: Task.async(fn -> World.snapshot(port) end)
      assert Enum.all?(Task.await_many(reads, 60_000), &(&1 === expected))
    end

    test "the past that shots are tested against comes back" do
      level = %Level{boxes: [{{15, 0, -1}, {16, 3, 1}, 1}]}

      at = fn x ->
        %{
          "entity_id" => "bat",
          "components" => %{"position" => [x, 0, 0], "collider" => %{"shape" => "sphere", "radius" => 1}}
        }
      end

      [port, native] =
        for impl <- [Pool, :native] do
          world = World.fold!(World.new!(impl: impl, level: level), [{"create", at.(0)}])
          {:ok, world} = Hits.mark(world, 1000)
          world = World.fold!(world, [{"update", at.(8)}])
          {:ok, world} = Hits.mark(world, 1100)
          world
        end

      kill()

      shots = [
        %{origin: {4, 1, -5}, direction: {0, 0, 1}, range: 10, at: {:time, 1050}},
        %{origin: {14, 1, 0}, direction: {1, 0, 0}, range: 9}
      ]

      assert {:ok, [%{id: "bat", seq: 1}, %{kind: :box}]} = Hits.cast(port, shots)
      assert Hits.cast(port, shots) == Hits.cast(native, shots)
    end
  end

  test "a program that hangs is ended; the call that waited for it is made once more, and others notice nothing" do
    start_pool(timeout: 2_000)
    {port, native} = fold(pair(), batch(1))
    other = World.fold!(World.new!(impl: Pool), batch(2))
    hung = os_pid()
    signal("STOP", hung)
    first = Task.async(fn -> World.fold(port, batch(3)) end)
    eventually(fn -> match?([%{in_flight: 1}], Roomfold.Port.info(Pool)) end)
    second = Task.async(fn -> World.count(other) end)
    assert {:ok, port, _} = Task.await(first, 60_000)
    assert Task.await(second, 60_000) > 0
    assert gone?(hung)
    assert same?(port, World.fold!(native, batch(3)))
  end

  @tag :tmp_dir
  test "if the next one hangs, too, the call says so: it was not done, and the world is still good", %{
    tmp_dir: folder
  } do
    hangs = start_pool_that_hangs(folder, timeout: 2_000)
    {port, native} = fold(pair(), batch(1))
    hangs.(true)
    assert {:error, %Error{reason: :port_timeout} = error} = World.fold(port, batch(2))
    assert error.message =~ "did not answer in time"
    hangs.(false)
    eventually(fn -> match?({:ok, _}, World.diff(port, 1)) end)
    assert same?(port, native)
    {port, native} = fold({port, native}, batch(3))
    assert same?(port, native)
  end

  test "what comes before an answer that is none is answered, and the call after it is the one that failed" do
    answer = fn number -> <<0, 0, 0, 8, 0, 0, 0, number, 131, 106, 106, 106>> end

    # The answer to another call, a length that can't be, and one that is too short.
    for bad <- [answer.(7), <<255, 255, 255, 255, 0>>, <<0, 0, 0, 3, 0, 0, 0>>] do
      bytes =
        for <<byte <- answer.(0) <> bad>>,
          into: "",
          do: "\\" <> String.pad_leading(Integer.to_string(byte, 8), 3, "0")

      script = "head -c 1 > /dev/null; sleep 0.3; printf '#{bytes}'; exec sleep 60"
      start_pool(program: System.find_executable("sh"), args: ["-c", script])
      worker = Roomfold.Port.worker_name(Pool, 0)

      capture_log(fn ->
        answers =
          for(_ <- 1..2, do: Task.async(fn -> Worker.call(worker, {:ping, 0, 0, nil}, nil) end))
          |> Task.await_many()

        assert [{:error, :crashed}, {:ok, <<131, 106, 106, 106>>, _}] = Enum.sort(answers)
      end)

      stop_supervised!(Pool)
    end
  end

  test "whoever distrusts a program that has ended does not end the next one" do
    start_pool()
    worker = Roomfold.Port.worker_name(Pool, 0)
    ask = fn -> Worker.call(worker, {:ping, 0, 0, nil}, nil) end
    {:ok, _, first} = ask.()
    kill()
    eventually(fn -> match?({:ok, _, program} when program != first, ask.()) end)
    {:ok, _, second} = ask.()
    pid = os_pid()

    Worker.distrust(worker, first)
    assert {:ok, _, ^second} = ask.()
    assert os_pid() == pid

    capture_log(fn ->
      Worker.distrust(worker, second)
      eventually(fn -> match?({:ok, _, program} when program != second, ask.()) end)
    end)

    assert gone?(pid)
  end

  # A function that has the program hang, and those that are started in its place, or no more.
  defp start_pool_that_hangs(folder, opts) do
    flag = Path.join(folder, "hang")
    program = Roomfold.Port.Program.path!(nil)
    script = "test -e '#{flag}' && exec sleep 60; exec '#{program}' 67108864"
    start_pool([program: System.find_executable("sh"), args: ["-c", script]] ++ opts)

    fn
      true ->
        File.touch!(flag)
        signal("STOP", os_pid())

      false ->
        File.rm!(flag)
    end
  end

  test "a program whose answer has come, while the VM stood still, is not ended for being late" do
    start_pool(timeout: 1_000)
    {world, native} = fold(pair(), batch(1))
    [%{os_pid: program, restarts: 0}] = Roomfold.Port.info(Pool)
    signal("STOP", program)
    task = Task.async(fn -> World.fold(world, batch(2)) end)
    eventually(fn -> match?([%{in_flight: 1}], Roomfold.Port.info(Pool)) end)
    worker = Process.whereis(Roomfold.Port.worker_name(Pool, 0))
    true = :erlang.suspend_process(worker)
    # First its check comes, and then the answer.
    eventually(fn -> Process.info(worker, :message_queue_len) == {:message_queue_len, 1} end)
    Process.sleep(200)
    signal("CONT", program)
    eventually(fn -> Process.info(worker, :message_queue_len) == {:message_queue_len, 2} end)
    true = :erlang.resume_process(worker)
    assert {:ok, world, _} = Task.await(task, 60_000)
    assert [%{os_pid: ^program, restarts: 0}] = Roomfold.Port.info(Pool)
    assert same?(world, World.fold!(native, batch(2)))
  end

  test "more calls than may be on their way wait; more than may wait are refused" do
    start_pool(max_in_flight: 2, max_waiting: 3, timeout: 30_000)
    {world, _} = fold(pair(), batch(1))
    signal("STOP", os_pid())
    reads = for _ <- 1..8, do: Task.async(fn -> World.fold(world, batch(2)) end)
    # The others are refused for the world's version. What counts here is a call of its own:
    pings = for _ <- 1..8, do: Task.async(fn -> Roomfold.Port.ping(Pool) end)
    # All but these five have been refused.
    eventually(fn -> Enum.count(reads ++ pings, &Process.alive?(&1.pid)) == 5 end)
    assert [%{in_flight: 2, waiting: 3}] = Roomfold.Port.info(Pool)
    signal("CONT", os_pid())
    answers = Task.await_many(pings, 60_000)
    assert :ok in answers
    assert {:error, :busy} in answers
    assert Enum.count(Task.await_many(reads, 60_000), &match?({:ok, _, _}, &1)) <= 1
    assert [%{in_flight: 0, waiting: 0}] = Roomfold.Port.info(Pool)
  end

  test "a world's call that finds the queue full is :port_busy, has done nothing, and can be made again" do
    start_pool(max_in_flight: 1, max_waiting: 1, timeout: 30_000)
    {world, native} = fold(pair(), batch(1))
    stopped = os_pid()
    signal("STOP", stopped)
    pings = for _ <- 1..2, do: Task.async(fn -> Roomfold.Port.ping(Pool) end)
    eventually(fn -> match?([%{in_flight: 1, waiting: 1}], Roomfold.Port.info(Pool)) end)
    assert {:error, %Error{reason: :port_busy} = error} = World.fold(world, batch(2))
    assert error.message =~ "more to do than it can"
    assert {:error, %Error{reason: :port_busy}} = World.diff(world, 0)
    assert_raise Error, ~r/more to do than it can/, fn -> World.snapshot(world) end
    signal("CONT", stopped)
    assert Task.await_many(pings, 60_000) == [:ok, :ok]
    assert same?(world, native)
    {world, native} = fold({world, native}, batch(2))
    assert same?(world, native)
  end

  test "who waits for the next turn while a program hangs gets it from the next program" do
    start_pool(max_in_flight: 1, timeout: 2_000)
    {world, _} = fold(pair(), batch(1))
    signal("STOP", os_pid())
    ping = Task.async(fn -> Roomfold.Port.ping(Pool) end)
    eventually(fn -> match?([%{in_flight: 1}], Roomfold.Port.info(Pool)) end)
    count = Task.async(fn -> World.count(world) end)
    assert Task.await(ping, 60_000) == {:error, :timeout}
    assert Task.await(count, 60_000) > 0
  end

  test "the queue: in order, within its bounds, and nobody waits for ever" do
    call = fn size, since -> %{from: nil, bytes: "", size: size, since: since} end
    queue = Queue.new(2, 100, 3)
    assert Queue.since(queue) == nil
    {:ok, queue} = Queue.add(queue, call.(500, 1))
    assert Queue.since(queue) == 1
    {:ok, queue} = Queue.add(queue, call.(50, 2))
    {:ok, queue} = Queue.add(queue, call.(10, 3))
    assert Queue.add(queue, call.(1, 4)) == :full
    # One goes in any case, however long; the next must fit beside it.
    {:ok, %{size: 500}, queue} = Queue.next(queue, 0, 10)
    assert Queue.next(queue, 1, 11) == :wait
    assert Queue.answered(queue, 1, 12) == :error
    {:ok, %{size: 500}, queue} = Queue.answered(queue, 0, 12)
    assert Queue.answered(queue, 1, 12) == :error
    {:ok, %{size: 50}, queue} = Queue.next(queue, 1, 13)
    {:ok, %{size: 10}, queue} = Queue.next(queue, 2, 14)
    {:ok, queue} = Queue.add(queue, call.(1, 15))
    assert Queue.next(queue, 3, 16) == :wait
    # It is the first one's turn since 13.
    assert Queue.since(queue) == 13
    refute Queue.late?(queue, 13)
    assert Queue.late?(queue, 14)
    assert {[], ^queue} = Queue.expire(queue, 15)
    assert {[%{since: 15}], %{waiting_count: 0} = queue} = Queue.expire(queue, 16)
    {:ok, queue} = Queue.add(queue, call.(1, 16))
    assert {[%{size: 50}, %{size: 10}], queue} = Queue.take_back(queue, 20)
    # Its wait begins anew.
    assert {[], queue} = Queue.expire(queue, 20)
    assert {:ok, %{size: 1}, queue} = Queue.next(queue, 4, 21)
    assert {[%{size: 1}], queue} = Queue.take_back(queue, 22)
    assert Queue.since(queue) == nil
  end

  test "a frame without an end that can be found ends the program, and it says why" do
    program = Path.join(:code.priv_dir(:roomfold), "roomfold_port")

    for {length, message} <- [
          {0, "too short for the number of a call"},
          {3, "too short for the number of a call"},
          {1_025, "longer than the limit"}
        ] do
      octal = for byte <- :binary.bin_to_list(<<length::32>>), into: "", do: "\\#{Integer.to_string(byte, 8)}"
      script = ~s(printf '#{octal}' | "$0" 1024)

      assert System.cmd("sh", ["-c", script, program], stderr_to_stdout: true) ==
               {"roomfold_port: a frame is #{message}\n", 2}
    end

    if File.exists?("/dev/full") do
      script = ~S(printf '\0\0\0\005\0\0\0\0\203' | "$0" 2>&1 >/dev/full)
      assert System.cmd("sh", ["-c", script, program]) == {"roomfold_port: No space left on device\n", 1}
    end
  end

  test "a call that is too long is refused, an answer too" do
    start_pool(max_frame_bytes: 4_096)
    world = World.new!(impl: Pool, rules: Rules.xr())

    assert {:error, %Error{reason: :too_large, message: message}} =
             World.fold(world, {:json, String.duplicate(" ", 5_000)})

    assert message =~ ":max_frame_bytes"

    world =
      Enum.reduce(1..60, world, fn i, world ->
        World.fold!(world, [named("e#{i}", 100)])
      end)

    assert_raise Error, ~r/larger than the limit/, fn -> World.snapshot(world) end

    for format <- [:json, :packed],
        do: assert({:error, %{reason: :too_large}} = World.encode(world, :snapshot, format))

    assert World.get(world, "e60") == %{"name" => String.duplicate("x", 100)}
    assert World.count(world) == 60
  end

  test "a fold whose report is too long is refused, and has not been done" do
    start_pool(max_frame_bytes: 4_096)
    world = World.fold!(World.new!(impl: Pool), [named("first", 1)])
    good = ~s({"event":"create","entity_id":"second","components":{}}\n)
    assert {:error, %Error{reason: :too_large}} = World.fold(world, {:json, good <> bad(200)})
    assert World.get(world, "first") == %{"name" => "x"}
    assert World.get(world, "second") == nil
    assert {:ok, world, %{rejected_count: 10}} = World.fold(world, {:json, good <> bad(10)})
    assert World.get(world, "second") == %{}
  end

  defp bad(count), do: String.duplicate(~s({"event":"x"}\n), count)

  test "an answer is never longer than a frame may be, not by a byte: the program stays" do
    start_pool(max_frame_bytes: 4_096)
    program = os_pid()
    sender = World.fold!(World.new!(), [named("left", 2_000)])
    world = World.fold!(World.new!(impl: Pool), [named("left", 2_000)])
    {:ok, mirror} = World.load({:packed, World.encode!(sender, :snapshot, :packed)}, impl: Pool)

    answers = [
      &World.encode(World.fold!(copy(world), [named("right", &1)]), :snapshot, :json),
      &World.encode(World.fold!(copy(world), [named("right", &1)]), :snapshot, :packed),
      &checkpoint(World.fold!(copy(world), [more("left", "more", &1 - 150)])),
      fn length ->
        grown = World.fold!(copy(sender), [more("left", "more", length - 150)])
        diff = {:packed, World.encode!(grown, {:diff, World.seq(sender)}, :packed)}
        checkpoint(elem(World.apply_diff(copy(mirror), diff), 1))
      end
    ]

    for answer <- answers do
      {answered, refused} = 1_900..2_100 |> Enum.map(answer) |> Enum.split_while(&match?({:ok, _}, &1))
      assert answered != [] and refused != []
      assert Enum.all?(refused, &match?({:error, %Error{reason: :too_large}}, &1))
    end

    # A piece ends before what it has no room for.
    for length <- 1_900..2_100,
        do: assert({:ok, _} = checkpoint(World.fold!(copy(world), [named("right", length)])))

    assert [%{restarts: 0, os_pid: ^program}] = Roomfold.Port.info(Pool)
  end

  test "worlds go with the process that made them, and when there are too many; values stay good" do
    start_pool(max_worlds: 20)
    count = fn -> hd(Roomfold.Port.info(Pool)).worlds end

    worlds =
      Task.await(Task.async(fn -> for i <- 1..5, do: World.fold!(World.new!(impl: Pool), batch(i)) end))

    eventually(fn -> count.() == 0 end)

    for {world, i} <- Enum.with_index(worlds, 1),
        do: assert(same?(world, World.fold!(World.new!(), batch(i))))

    assert count.() == 5
    for i <- 1..50, do: World.fold!(World.new!(impl: Pool), batch(i))
    assert count.() <= 20

    for {world, i} <- Enum.with_index(worlds, 1),
        do: assert(same?(world, World.fold!(World.new!(), batch(i))))

    assert count.() <= 20
    [world | _] = worlds
    Roomfold.Port.release(world)
    assert World.count(world) > 0
  end

  test "a world is made again of what was folded, however little a frame holds" do
    start_pool(max_frame_bytes: 8_000)
    # Of the longest that a frame holds, only the call itself is short enough.
    lengths = Enum.to_list(200..220) ++ [5_000, 4_000, 3_000] ++ Enum.to_list(7_750..8_000)

    {worlds, refused} =
      for length <- lengths, reduce: {pair(), 0} do
        {worlds, refused} ->
          case World.fold(elem(worlds, 0), [named("e#{length}", length)]) do
            {:ok, port, _} -> {{port, World.fold!(elem(worlds, 1), [named("e#{length}", length)])}, refused}
            {:error, %{reason: :too_large}} -> {worlds, refused + 1}
          end
      end

    assert refused in 50..250
    kill()
    assert World.count(elem(worlds, 0)) == length(lengths) - refused

    for {port, native} <- [worlds],
        id <- ["e200", "e5000", "e7800"],
        do: assert(World.get(port, id) == World.get(native, id))
  end

  test "a world with an entity that is longer than a frame keeps what is folded up to a limit" do
    start_pool(max_frame_bytes: 60_000)

    world = six_thousand()
    event = {"update", %{"entity_id" => "1.1", "components" => %{"name" => String.duplicate("x", 15_000)}}}
    batch = List.duplicate(event, 3)

    {error, kept} =
      Enum.reduce_while(1..2_000, world, fn _, world ->
        # Not tried again at once.
        refute Journal.due?(world.state.journal) and world.state.journal.full == nil

        case World.fold(world, batch) do
          {:ok, world, _} -> {:cont, world}
          {:error, error} -> {:halt, {error, world}}
        end
      end)

    assert error.reason == :too_large and error.message =~ ~r/entity "1.1".*\(:max_frame_bytes\)/
    assert Journal.bytes(kept.state.journal) in (16 * 1_048_576)..(16 * 1_048_576 + 100_000)
    assert {:error, %Error{reason: :too_large}} = World.fold(kept, [named("small", 1)])
    # What was acknowledged is there, also in the next program.
    kill()
    assert World.count(kept) == 6_000
    assert World.get(kept, "1.2") == %{"name" => String.duplicate("x", 20)}
  end

  test "nor does it keep changes of few bytes without end, or try a checkpoint at each of them" do
    start_pool(max_frame_bytes: 60_000)

    world = six_thousand()
    world = Enum.reduce(1..4_100, world, fn i, world -> World.fold!(world, [named("e#{rem(i, 9)}", 1)]) end)
    refute Journal.due?(world.state.journal)
    {version, _, [change | _] = changes, bytes, count} = world.state.journal.base
    # As after 131,000 more.
    changes = List.duplicate(change, 131_100 - count) ++ changes
    world = put_in(world.state.journal.base, {version, nil, changes, bytes, 131_100})
    world = World.fold!(world, [named("last", 1)])
    assert {:error, %Error{reason: :too_large}} = World.fold(world, [named("more", 1)])
    assert World.get(world, "last") == %{"name" => "x"}
  end

  test "a call at which the program ends each time is an error" do
    # It answers what makes a world, and ends at what comes then.
    File.mkdir_p!("tmp")
    path = Path.expand("tmp/dies-#{System.unique_integer([:positive])}.sh")
    on_exit(fn -> File.rm(path) end)
    File.write!(path, "#!/bin/sh\nhead -c 1 >/dev/null\nexit 3\n")
    File.chmod!(path, 0o755)
    start_pool(program: path, args: [], timeout: 2_000)

    log =
      capture_log(fn ->
        assert {:error, %Error{reason: :port_crashed, message: message}} = World.new(impl: Pool)
        assert message =~ "ended at this call"
      end)

    assert log =~ "was restarted: it ended with exit code 3"
  end

  test "the log says how a program has ended" do
    start_pool()
    old = os_pid()

    log =
      capture_log(fn ->
        kill()
        eventually(fn -> os_pid() not in [old, nil] end)
      end)

    assert log =~ "roomfold_port #{old} was restarted: it was ended by signal 9"
  end

  test "the worker itself may be killed: its program goes, the worlds come back" do
    start_pool()
    {port, native} = fold(pair(), batch(1))
    old = os_pid()
    Pool |> Roomfold.Port.worker_name(0) |> Process.whereis() |> Process.exit(:kill)
    assert gone?(old)

    eventually(fn ->
      Worker.call(Roomfold.Port.worker_name(Pool, 0), {:ping, 0, 0, nil}, nil) |> elem(0) == :ok
    end)

    assert same?(port, native)
  end

  test "a world whose pool has ended gives an error, and is good when the pool is there again" do
    start_pool()
    {port, native} = fold(pair(), batch(1))
    stop_supervised!(Pool)
    assert {:error, %Error{reason: :port_crashed}} = World.fold(port, batch(2))
    assert {:error, %Error{reason: :port_crashed}} = World.diff(port, 0)
    assert Roomfold.Port.release(port) == :ok
    start_pool()
    {port, native} = fold({port, native}, batch(2))
    assert same?(port, native)
  end

  test "a pool may be started again with fewer programs: worlds of those that are no more go on in the others" do
    start_supervised!({Pool, size: 4})
    pairs = for n <- 1..8, do: fold(pair(), batch(n))
    stop_supervised!(Pool)
    start_supervised!({Pool, size: 2})

    for {{port, native}, n} <- Enum.with_index(pairs) do
      assert same?(port, native)
      copies = {copy(port), copy(native)}
      {port, native} = fold({port, native}, batch(n + 20))
      assert same?(port, native)
      {port_copy, native_copy} = fold(copies, batch(n + 40))
      assert same?(port_copy, native_copy)
      # Each is in one program, which its value knows.
      for world <- [port, port_copy], do: assert(Process.whereis(world.state.worker))
      assert Roomfold.Port.release(port_copy) == :ok
      if n < 6, do: assert(Roomfold.Port.release(port) == :ok)
    end

    assert Pool |> Roomfold.Port.info() |> Enum.map(& &1.worlds) |> Enum.sum() == 2
  end

  test "a pool that was started again with a smaller limit says what is too large for it" do
    start_pool(max_frame_bytes: 60_000)
    world = World.fold!(World.new!(impl: Pool), [named("long", 20_000)])
    stop_supervised!(Pool)
    start_pool(max_frame_bytes: 4_096)
    assert {:error, %Error{reason: :too_large} = error} = World.fold(world, [named("short", 2)])
    assert error.message =~ ":max_frame_bytes"
    assert [%{restarts: 0}] = Roomfold.Port.info(Pool)
  end

  test "a pool is there when its name is: who comes while it starts waits for its workers" do
    for _ <- 1..5 do
      hasty = for _ <- 1..4, do: Task.async(&world_as_soon_as_named/0)
      pool = start_supervised!({Pool, size: 4})
      for task <- hasty, do: assert({:ok, %World{}} = Task.await(task, 60_000))
      assert pool == Process.whereis(Pool)
      stop_supervised!(Pool)
    end
  end

  defp world_as_soon_as_named do
    if Process.whereis(Pool), do: World.new(impl: Pool), else: world_as_soon_as_named()
  end

  test "without the program the call raises, and says what to do" do
    assert_raise RuntimeError, ~r/was not found: .*nowhere.*apt install make gcc erlang-dev/s, fn ->
      Roomfold.Port.start_link(name: :no_program, program: "/nowhere")
    end
  end

  test "what rooms ask of packed input is the same" do
    start_pool()
    {port, native} = fold(pair(), batch(1))
    {:ok, frame} = Roomfold.Wire.encode_events(batch(2), [])

    {:ok, input} =
      Roomfold.Wire.encode_input(%{"ack" => 1, "input" => 2, "events" => [{"grab", %{"id" => "a"}}]}, [])

    states = fn -> [{port.impl, port.state}, {native.impl, native.state}] end

    for {function, arguments} <- [
          input_text: [input, "tom", "user_moved"],
          input_text: ["", "tom", "user_moved"],
          events_text: [frame],
          events_text: [<<0>>]
        ] do
      [a, b] = for {impl, state} <- states.(), do: apply(impl, function, [state | arguments])
      assert a == b
    end

    [a, b] = for {impl, state} <- states.(), do: impl.fold_plain(state, frame)
    assert {:ok, _, report} = a
    assert {:ok, _, ^report} = b
    assert World.snapshot(%{port | state: elem(a, 1)}) === World.snapshot(%{native | state: elem(b, 1)})
  end

  test "a VM that wants no C in it has none, rooms included" do
    code = """
    {:ok, _} = Application.ensure_all_started(:roomfold)
    {:ok, room} = Roomfold.Room.start_link(id: "den", rooms: nil, impl: :port)
    {:ok, 1} = Roomfold.Room.publish(room, {"user_joined", %{"user_id" => "tom"}}, by: :server)
    world = Roomfold.World.fold!(Roomfold.World.new!(impl: :port), {:json, ~s({"event":"create","entity_id":"a","components":{}})})
    {:ok, _} = Roomfold.World.load({:json, Roomfold.World.encode!(world, :snapshot, :json)}, impl: :port)
    false = Roomfold.Native.loaded?()
    true = try do Roomfold.World.new!(); false rescue error -> Exception.message(error) =~ "native: false" end
    case File.read("/proc/self/maps") do
      {:ok, maps} -> false = maps =~ "roomfold_nif"
      _ -> :ok
    end
    IO.write("none")
    """

    # Before anything is loaded.
    config = "Application.put_env(:roomfold, :native, false, persistent: true)"
    ebin = Path.dirname(to_string(:code.which(Roomfold)))

    assert {"none", 0} = System.cmd("elixir", ["-pa", ebin, "-e", config, "-e", code], stderr_to_stdout: true)
  end

  # A release loads all modules first; then its runtime.exs says whether there is to be C.
  for {wanted, expected} <- [{false, "{false,false}"}, {true, "{true,true}"}] do
    @tag :tmp_dir
    test "a release whose runtime.exs says native: #{wanted} has it so, also after a restart", %{tmp_dir: dir} do
      code = """
      ok = application:stop(roomfold), ok = application:start(roomfold),
      Mapped = case file:read_file("/proc/self/maps") of
        {ok, Maps} -> binary:match(Maps, <<"roomfold_nif">>) =/= nomatch;
        _ -> #{unquote(wanted)}
      end,
      io:format("~w", [{'Elixir.Roomfold.Native':'loaded?'(), Mapped}]), halt().
      """

      assert run_release(dir, unquote(wanted), code) =~ unquote(expected)
    end
  end

  @tag :tmp_dir
  test "in a release, what needs the NIF where the application was not started says so", %{tmp_dir: dir} do
    code = """
    Native = 'Elixir.Roomfold.Native',
    ok = application:stop(roomfold), code:purge(Native), code:delete(Native), code:purge(Native),
    {module, _} = code:load_file(Native),
    io:put_chars(maps:get(message, try Native:info() catch error:Error -> Error end)), halt().
    """

    output = run_release(dir, true, code)
    assert output =~ "could not be loaded: the application :roomfold was not started"
    assert output =~ "start it before what uses it: Application.ensure_all_started(:roomfold)"
  end

  # What it prints that starts as a release does, and then does this.
  defp run_release(dir, native?, code) do
    args = ["-boot", boot_script(dir, native?), "-mode", "embedded", "-noinput", "-eval", code]
    {output, 0} = System.cmd("erl", args, stderr_to_stdout: true)
    output
  end

  # As `mix release` makes one, where what runtime.exs says is set just before the first application that it is for.
  defp boot_script(dir, native?) do
    apps =
      for app <- [:kernel, :stdlib, :compiler, :elixir, :logger, :crypto, :roomfold], do: {app, version(app)}

    release = {:release, {'with_roomfold', '1'}, {:erts, :erlang.system_info(:version)}, apps}
    path = to_charlist(Path.join(dir, "with_roomfold"))
    File.write!("#{path}.rel", :io_lib.format("~p.~n", [release]))
    libraries = for {app, _} <- apps, do: :code.lib_dir(app, :ebin)

    {:ok, _, _} =
      :systools.make_script(path, [:silent, :no_warn_sasl, :local, path: libraries, outdir: to_charlist(dir)])

    {:ok, [{:script, name, steps}]} = :file.consult("#{path}.script")

    {before, later} =
      Enum.split_while(steps, &(not match?({:apply, {:application, :start_boot, [:logger | _]}}, &1)))

    steps = before ++ [{:apply, {:application, :set_env, [:roomfold, :native, native?]}} | later]
    File.write!("#{path}.script", :io_lib.format("~p.~n", [{:script, name, steps}]))
    :ok = :systools.script2boot(path)
    to_string(path)
  end

  defp version(app) do
    _ = Application.load(app)
    Application.spec(app, :vsn)
  end

  test "answers are understood where no module was needed before, as in iex" do
    code = ~S"""
    {:ok, _} = Application.ensure_all_started(:roomfold)
    {:ok, _, report} = Roomfold.World.fold(Roomfold.World.new!(impl: :port), {:json, ~s({"event":"of_no_rule"})})
    %{rejected: [{0, %{reason: :unknown_event}}]} = report
    IO.write("understood")
    """

    ebin = Path.dirname(to_string(:code.which(Roomfold)))
    assert {"understood", 0} = System.cmd("elixir", ["-pa", ebin, "-e", code], stderr_to_stdout: true)
  end

  test "a world outlives the application and its pool; where they do not run, that is said" do
    code = ~S"""
    alias Roomfold.{Port, World}
    not_started = ~r/the application :roomfold does not run: call Application.ensure_all_started/

    for ask <- [fn -> World.new(impl: :port) end, &Port.ping/0] do
      error = try do ask.() rescue error -> Exception.message(error) end
      true = error =~ not_started
    end

    {:ok, _} = Application.ensure_all_started(:roomfold)
    events = for i <- 1..20, do: {"create", %{"entity_id" => "e#{i}", "components" => %{}}}
    world = World.fold!(World.new!(impl: :port), events)

    for _ <- 1..3 do
      :ok = Application.stop(:roomfold)
      {:error, %{reason: :port_crashed, message: message}} = World.fold(world, events)
      true = message =~ not_started
      :ok = Application.start(:roomfold)
      20 = World.count(world)
    end

    # The pool's supervisor is killed: the application goes on.
    Process.exit(Process.whereis(Port), :kill)
    Process.sleep(1_000)
    20 = World.count(world)
    {:ok, world, _} = World.fold(world, [{"delete", %{"entity_id" => "e1"}}])
    {:ok, 1} = Roomfold.Room.publish("den", {"user_joined", %{"user_id" => "tom"}})

    :ok = Application.stop(:roomfold)
    Application.put_env(:roomfold, :port, name: Other)
    :ok = Application.start(:roomfold)
    {:error, %{message: message}} = World.fold(world, events)
    true = message =~ "is for the pool Roomfold.Port, without a :name"
    IO.write("outlived")
    """

    ebin = Path.dirname(to_string(:code.which(Roomfold)))
    quiet = "Logger.configure(level: :none)"
    args = ["-pa", ebin, "--logger-sasl-reports", "false", "-e", quiet, "-e", code]
    assert {said, 0} = System.cmd("elixir", args, stderr_to_stdout: true)
    assert said =~ ~r/outlived\z/
  end

  test "a build without ei leaves the program out, and says so in one line" do
    make = System.find_executable("gmake") || "make"
    env = [{"MAKEFLAGS", nil}, {"MAKELEVEL", nil}]
    root = Path.expand("../..", __DIR__)
    {said, 0} = System.cmd(make, ["-s", "port", "EI_DIR="], cd: root, env: env, stderr_to_stdout: true)
    assert said =~ ~r/\Aleft out: priv\/roomfold_port, which needs Erlang's library ei \(.*erlang-dev\)\n\z/
  end

  test "options that are none" do
    for {opts, message} <- [
          {[size: 0], ":size must be 1 to 1,024 programs, got: 0"},
          {[size: 10_000_000], ":size must be 1 to 1,024 programs"},
          {[timeout: -1], ":timeout must be 1 to 4,294,967,295 milliseconds"},
          {[timeout: 10 ** 20], ":timeout must be 1 to 4,294,967,295 milliseconds"},
          {[timeout: :infinity], ":timeout must be 1 to 4,294,967,295 milliseconds"},
          {[max_frame_bytes: 5], ":max_frame_bytes must be 1,024 to"},
          {[max_waiting: 1.0], ":max_waiting must be a whole number above 0"},
          {[name: "x"], ":name must be an atom"},
          {[name: nil], ":name must be an atom"},
          {[name: true], ":name must be an atom"},
          {[program: 5], ":program must be a path, a string, got: 5"},
          {[program: "/not/there"], "Roomfold's port program was not found: /not/there"},
          {[program: __ENV__.file], "can't be the port's program: it is not executable"},
          {[args: "x"], ":args must be a list of strings"},
          {[args: [1]], ":args must be a list of strings"},
          {[args: ["1" | "2"]], ":args must be a list of strings"},
          {[colour: 1], "unknown keys [:colour]"},
          {[:size], "the options of a pool are a keyword list, got the list [:size]"},
          {:size, "the options of a pool are a keyword list, got the atom :size"}
        ] do
      error = catch_error(Roomfold.Port.start_link(opts))
      assert is_struct(error, ArgumentError) or is_struct(error, RuntimeError)
      assert Exception.message(error) =~ message
    end

    assert_raise ArgumentError, ~r/supervision tree/, fn -> World.new(impl: Pool) end

    for pool <- [:nothing, "Pool", nil, 5],
        do: assert_raise(ArgumentError, ~r/does not run/, fn -> Roomfold.Port.ping(pool) end)
  end

  test "a pool twice, and a name that another process has: that one is left alone" do
    pool = start_pool()
    assert Roomfold.Port.start_link(name: Pool, size: 1) == {:error, {:already_started, pool}}
    assert Pool.start_link() == {:error, {:already_started, pool}}
    assert Roomfold.Port.ping(Pool) == :ok
    assert {:error, _} = Roomfold.Port.ping(Pool, 99)

    agent = start_supervised!({Agent, fn -> 1 end})
    Process.register(agent, :port_test_agent)
    assert Roomfold.Port.start_link(name: :port_test_agent) == {:error, {:already_started, agent}}

    for ask <- [&Roomfold.Port.ping/1, &Roomfold.Port.info/1] do
      assert_raise ArgumentError, ":port_test_agent is the name of a process that is no pool", fn ->
        ask.(:port_test_agent)
      end
    end

    assert Agent.get(agent, & &1) == 1
  end

  test "a world is released as often as one likes; what has none is told" do
    start_pool()
    world = World.fold!(World.new!(impl: Pool), [{"create", %{"entity_id" => "a", "components" => %{}}}])

    for _ <- 1..3 do
      assert Roomfold.Port.release(world) == :ok
      assert Roomfold.Port.release(world) == :ok
      assert World.get(world, "a") == %{}
    end

    stop_supervised!(Pool)
    assert Roomfold.Port.release(world) == :ok

    for other <- [World.new!(impl: :native), :world, nil] do
      assert_raise ArgumentError, ~r/only a world of impl: :port is in a program/, fn ->
        Roomfold.Port.release(other)
      end
    end
  end

  test "rooms: the one word, also when the program ends while they run" do
    start_pool()
    name = :"port_rooms_#{System.unique_integer([:positive])}"
    start_supervised!({Rooms, name: name, room: [impl: Pool, tick_ms: 5, snapshot_every: 20]})
    room = {name, "1"}

    for i <- 1..60 do
      if rem(i, 20) == 0, do: kill()
      assert {:ok, ^i} = Room.publish(room, {"user_joined", %{"user_id" => "u#{i}", "position" => [i, 0, 1]}})
    end

    assert map_size(Room.snapshot(room)) == 60
    {:ok, then} = Room.state_at(room, 30)
    assert World.count(then) == 30
    assert {:ok, %{"creates" => creates}} = Room.diff(room, 10, 20)
    assert map_size(creates) == 10
  end

  describe "rooms whose world does not answer" do
    defp room(opts) do
      opts = [id: "r", rooms: nil, impl: Pool, tick_ms: 5] ++ opts
      start_supervised!(%{id: make_ref(), start: {Room, :start_link, [opts]}, restart: :temporary})
    end

    defp join(user), do: {"user_joined", %{"user_id" => user, "pose" => String.duplicate("x", 90)}}

    test "to whoever asks for what is too large are there for the others; snapshots in the log are left out" do
      start_pool(max_frame_bytes: 8_000)
      {:ok, log} = start_supervised(Roomfold.EventLog.Memory)
      log = {Roomfold.EventLog.Memory, log}
      room = room(log: log, snapshot_every: 90)
      for n <- 1..100, do: assert({:ok, ^n} = Room.publish(room, join("user#{n}")))

      for format <- [:json, :packed],
          do: assert({:error, %Error{reason: :too_large}} = Room.join(room, "tom", format: format))

      assert Room.info(room).connections == 0
      assert {:error, %Error{reason: :too_large}} = Room.catch_up(room, 0, :json)
      assert {:ok, 101} = Room.publish(room, join("ann"))
      assert Roomfold.EventLog.snapshot(log, "r") == {:ok, nil}
      # Who comes back needs less.
      assert {:ok, %{frame: {:diff, _}}} =
               Room.join(room, "ann", last_seq: 100, last_term: Room.info(room).term)

      assert Room.stop(room) == :ok
    end

    @tag :tmp_dir
    test "in time tell the publishers, and what the room says itself is said again", %{tmp_dir: folder} do
      hangs = start_pool_that_hangs(folder, timeout: 1_000)
      # Without a log: what is lost is lost.
      room = room(grace_ms: 0)
      {:ok, 1} = Room.publish(room, join("ann"))
      {:ok, _} = Room.join(room, "tom")
      assert_receive {:roomfold, "r", {:update, _}}
      hangs.(true)
      assert {:error, %Error{reason: :port_timeout}} = Room.publish(room, join("eve"))
      assert {:error, %Error{reason: :port_timeout}} = Room.join(room, "tom")
      assert_raise Error, ~r/did not answer in time/, fn -> Room.info(room) end
      :ok = Room.leave(room)
      hangs.(false)
      assert {:ok, 4} = eventually_published(room, "bob")
      assert Enum.sort(Map.keys(Room.snapshot(room))) == ["ann", "bob"]
    end

    defp eventually_published(room, user) do
      with {:error, %Error{reason: :port_timeout}} <- Room.publish(room, join(user)),
           do: eventually_published(room, user)
    end

    # A log at whose commit the program hangs.
    defmodule Stops do
      use Roomfold.LogOver

      @impl true
      def submit(server, room, term, after_seq, records, opts) do
        Roomfold.PortCase.signal("STOP", Roomfold.PortCase.os_pid())
        super(server, room, term, after_seq, records, opts)
      end
    end

    test "for a moment go on, wherever that meets them: asked how they are, taking in an event, folding it" do
      start_pool(timeout: 1_000)
      {:ok, log} = start_supervised(Roomfold.EventLog.Memory)

      for log <- [nil, {Stops, log}] do
        room = room(log: log)
        {:ok, 1} = Room.publish(room, join("ann"))
        signal("STOP", os_pid())
        assert Room.info(room).seq == 1
        signal("STOP", os_pid())
        assert {:ok, %{seq: 1, frame: {:snapshot, _}}} = Room.join(room, "tom")
        assert_receive {:roomfold, "r", {:update, %{from: 1, seq: 2}}}
        signal("STOP", os_pid())
        assert {:ok, 3} = Room.publish(room, join("bob"))
        assert Enum.sort(Map.keys(Room.snapshot(room))) == ["ann", "bob", "tom"]
        assert :ok = Room.leave(room)
      end
    end
  end
end
