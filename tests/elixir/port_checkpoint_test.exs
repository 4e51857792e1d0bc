defmodule Roomfold.Port.CheckpointTest do
  # Worlds of impl: :port whose checkpoint is longer than a frame: it goes in pieces, and whatever ends between two of them, nothing is different.
  use Roomfold.PortCase, async: false

  alias Roomfold.Port.Worker
  alias Roomfold.Projection.Port.Journal
  alias Roomfold.Wire

  @frame 4_096

  # Passes calls on to the pool's worker, which answers their callers; counts those of some names, and does something before one of them.
  defmodule Between do
    use GenServer

    def start(world, names, number, action) do
      {:ok, between} = GenServer.start_link(__MODULE__, {world.state.worker, names, number, action})
      {between, put_in(world.state.worker, between)}
    end

    def count(between), do: GenServer.call(between, :count)

    @impl true
    def init({worker, names, number, action}),
      do: {:ok, %{worker: worker, names: names, count: 0, number: number, action: action}}

    @impl true
    def handle_call(:count, _, state), do: {:reply, state.count, state}

    def handle_call({:call, bytes, _, _} = call, from, state) do
      state = if called(bytes) in state.names, do: %{state | count: state.count + 1}, else: state
      pass = fn -> send(state.worker, {:"$gen_call", from, call}) end

      if state.count == state.number do
        state.action.(pass, from)
        # Once.
        {:noreply, %{state | number: nil}}
      else
        pass.()
        {:noreply, state}
      end
    end

    @impl true
    def handle_cast(cast, state) do
      GenServer.cast(state.worker, cast)
      {:noreply, state}
    end

    defp called(bytes), do: bytes |> IO.iodata_to_binary() |> :erlang.binary_to_term() |> elem(0)
  end

  defp kill_before(pass, _) do
    kill()
    pass.()
  end

  # The call is in the pipe, and nobody answers.
  defp kill_during(pass, _) do
    os_pid = os_pid()
    signal("STOP", os_pid)
    pass.()
    eventually(fn -> match?([%{in_flight: 1}], Roomfold.Port.info(Pool)) end)
    signal("KILL", os_pid)
    assert gone?(os_pid)
  end

  defp kill do
    os_pid = os_pid()
    signal("KILL", os_pid)
    assert gone?(os_pid)
  end

  # Of few bytes on the wire, of many in a checkpoint.
  defp creates(ids) do
    for id <- ids do
      components = %{"position" => [id, 0.1, -1.5], "rotation" => [0.5, id, 1.5, 2.5], "health" => id}
      {"create", %{"entity_id" => "e#{id}", "components" => components}}
    end
  end

  defp deletes(ids), do: for(id <- ids, do: {"delete", %{"entity_id" => "e#{id}"}})

  defp fold({port, native}, events) do
    {:ok, port, report} = World.fold(port, events)
    {:ok, native, ^report} = World.fold(native, events)
    {port, native}
  end

  defp worlds(opts \\ []) do
    worlds = {World.new!([impl: Pool] ++ opts), World.new!([impl: :native] ++ opts)}
    worlds = Enum.reduce(0..9, worlds, &fold(&2, creates((&1 * 10)..(&1 * 10 + 9))))
    # Free handles, in an order of their own.
    fold(worlds, deletes([95, 3, 71, 4, 20, 64]))
  end

  # The next change makes a checkpoint.
  defp due({port, native}), do: {put_in(port.state.journal.limit, 0), native}

  defp saved(%{state: %{journal: %{base: {_, checkpoint, _, _, _}}}}), do: checkpoint

  # Two checkpoints, so that the first is used, and some more changes.
  defp saved_twice(worlds) do
    {port, _} = worlds = worlds |> due() |> fold(creates([200])) |> fold(deletes([7, 8]))
    assert length(saved(port)) > 2
    worlds |> due() |> fold(creates([201])) |> fold(deletes([50])) |> fold(creates([202]))
  end

  # All that is longer than a frame is compared in parts.
  defp assert_same({port, native}) do
    seq = World.seq(native)
    assert World.seq(port) == seq
    assert World.encode!(port, :snapshot, :packed) == World.encode!(native, :snapshot, :packed)
    for id <- World.snapshot(native) |> Map.keys(), do: assert(World.get(port, id) === World.get(native, id))
    assert World.count(port) == World.count(native)

    for format <- [:packed, :json],
        do:
          assert(
            World.encode(port, {:diff, seq - 1}, format) == World.encode(native, {:diff, seq - 1}, format)
          )

    # And the handles to come.
    {:ok, port} = World.copy(port)
    {:ok, native} = World.copy(native)
    {port, native} = fold({port, native}, creates(300..310))
    assert World.encode!(port, :snapshot, :packed) == World.encode!(native, :snapshot, :packed)
  end

  setup context do
    if context[:pool] != false, do: start_pool(max_frame_bytes: @frame)
    :ok
  end

  test "goes on like any other world: checkpoints are taken when they are due, and it is made again of them" do
    worlds = saved_twice(worlds())
    kill()
    assert_same(worlds)
    worlds = Enum.reduce(1..30, worlds, &(&2 |> due() |> fold(creates([&1])) |> fold(deletes([&1 + 1]))))
    {port, _} = worlds
    assert Journal.bytes(port.state.journal) < 3 * IO.iodata_length(saved(port))
    kill()
    assert_same(worlds)
  end

  test "free handles of many frames" do
    all = creates(0..1_999) |> Enum.chunk_every(10)
    worlds = {World.new!(impl: Pool), World.new!()}
    worlds = Enum.reduce(all, worlds, &fold(&2, &1))
    gone = Enum.sort_by(5..1_999, &:erlang.phash2/1)
    worlds = gone |> Enum.chunk_every(50) |> Enum.reduce(worlds, &fold(&2, deletes(&1)))
    {port, _} = worlds = saved_twice(worlds)
    assert Enum.count(saved(port), &match?({_, _, _, [], _}, :erlang.binary_to_term(&1))) > 1
    kill()
    assert_same(worlds)
  end

  test "a mirror, and one of which packed events refer to handles of the past" do
    # Fewer seqs than there are: each piece has its own to remember.
    {_, native} = worlds = saved_twice(worlds(history: 20))
    frame = World.encode!(native, :snapshot, :packed)
    {:ok, mirror} = World.load({:packed, frame}, impl: Pool)
    {:ok, twin} = World.load({:packed, frame}, impl: :native)
    kill()
    assert_same(worlds)
    mirrors = saved_twice({mirror, twin})
    kill()
    assert_same(mirrors)

    {:ok, %{"entities" => entities}} = Wire.decode(World.encode!(elem(mirrors, 1), :snapshot, :packed))
    handles = Map.new(entities, &{&1["id"], &1["handle"]})
    events = for id <- ["e1", "e99"], do: {"update", %{"entity_id" => id, "components" => %{"health" => -1}}}
    {:ok, frame} = Wire.encode_events(events, handles: handles, known: World.seq(elem(mirrors, 1)))
    mirrors = mirrors |> due() |> fold(deletes([30])) |> fold({:packed, frame})
    kill()
    assert_same(mirrors)
  end

  # Has a function do what it does with copies of the worlds: once to count its calls of these names, then once with something at each of them.
  defp at_each_step(names, action, worlds, fun) do
    {between, worlds_between} = between(worlds, names, nil, nil)
    fun.(worlds_between)
    steps = Between.count(between)
    assert steps > 4

    for step <- 1..steps do
      {_, worlds} = between(worlds, names, step, action)
      assert_same(fun.(worlds))
    end
  end

  defp between({port, native}, names, step, action) do
    {between, port} = Between.start(elem(World.copy(port), 1), names, step, action)
    {between, {port, elem(World.copy(native), 1)}}
  end

  test "kill -9 before or in each call of taking a checkpoint: nothing is lost, and the checkpoint is taken" do
    worlds = saved_twice(worlds())

    for action <- [&kill_before/2, &kill_during/2] do
      at_each_step([:fold, :checkpoint], action, worlds, fn worlds ->
        {port, _} = worlds = worlds |> due() |> fold(creates([400]))
        assert length(saved(port)) > 2 and Journal.bytes(port.state.journal) > 0
        assert elem(port.state.journal.base, 0) == port.state.version
        # Used as soon as there is another one.
        worlds = worlds |> due() |> fold(deletes([401, 1]))
        kill()
        worlds
      end)
    end
  end

  test "kill -9 before or in each call of making the world again" do
    worlds = saved_twice(worlds())

    for action <- [&kill_before/2, &kill_during/2] do
      at_each_step([:restore, :replay, :fold], action, worlds, fn worlds ->
        kill()
        fold(worlds, creates([500]))
      end)
    end
  end

  test "the world that was made again between two pieces has forgotten more: it is begun anew" do
    forgotten = :erlang.term_to_binary({:error, {:history_gone, nil, nil}})

    {_, worlds} =
      between(saved_twice(worlds()), [:checkpoint], 3, fn _, from ->
        GenServer.reply(from, {:ok, forgotten, 0})
      end)

    {port, _} = worlds = worlds |> due() |> fold(creates([400]))
    assert elem(port.state.journal.base, 0) == port.state.version
    worlds = worlds |> due() |> fold(creates([401]))
    kill()
    assert_same(worlds)
  end

  test "many who use it at once make it again together, also if the program ends meanwhile" do
    {port, native} = worlds = saved_twice(worlds())
    expected = World.encode!(native, :snapshot, :packed)

    # A call at which it ends a third time would fail.
    for kills <- [0, 1, 2] do
      kill()
      read = read_at_once(List.duplicate(port, 16), fn -> for _ <- 1..kills//1, do: kill() end)
      assert Enum.all?(read, &(&1 == expected))
    end

    assert_same(worlds)
  end

  # Each by a process of its own, while something happens.
  defp read_at_once(worlds, meanwhile \\ fn -> :ok end) do
    reads = for world <- worlds, do: Task.async(fn -> World.encode!(world, :snapshot, :packed) end)
    meanwhile.()
    Task.await_many(reads, 60_000)
  end

  test "callers that make it again of different checkpoints do each other no harm" do
    {port, native} = worlds = saved_twice(worlds())
    # Both have the world's newest version.
    {:ok, marked} = Roomfold.Hits.mark(put_in(port.state.journal.limit, 0), 1.0)
    assert elem(Journal.plan(marked.state.journal), 0) != elem(Journal.plan(port.state.journal), 0)
    expected = World.encode!(native, :snapshot, :packed)

    for _ <- 1..10 do
      kill()
      assert Enum.all?(read_at_once([port, marked, port, marked]), &(&1 == expected))
    end

    assert_same(worlds)
  end

  test "a caller that dies between two pieces leaves nothing behind, and harms nobody" do
    {port, _} = worlds = saved_twice(worlds())
    dies = fn _, {caller, _} -> Process.exit(caller, :kill) end

    for name <- [:restore, :checkpoint], step <- 1..3 do
      [%{worlds: before}] = Roomfold.Port.info(Pool)

      {_, monitor} =
        spawn_monitor(fn ->
          {:ok, copy} = World.copy(port)
          {_, copy} = Between.start(put_in(copy.state.journal.limit, 0), [name], step, dies)
          if name == :restore, do: kill()
          World.fold(copy, deletes([1]))
        end)

      assert_receive {:DOWN, ^monitor, _, _, :killed}, 60_000
      eventually(fn -> match?([%{worlds: ^before}], Roomfold.Port.info(Pool)) end)
      assert_same(worlds)
    end
  end

  test "a value older than the newest stays refused, whatever is lost and when" do
    {_, {older, _} = worlds} = between(saved_twice(worlds()), [:restore], 2, &kill_before/2)
    kill()
    worlds = fold(worlds, creates([600]))

    for _ <- 1..2 do
      assert {:error, %Error{reason: :folded_on}} = World.fold(older, creates([601]))
      assert_raise Error, ~r/folded on/, fn -> World.get(older, "e1") end
      kill()
    end

    assert_same(worlds)
    assert {:error, %Error{reason: :folded_on}} = World.fold(older, creates([601]))
  end

  # ---- the program's calls ----

  defp ask(world, name, version, argument) do
    {:ok, answer, _} = Worker.call(Roomfold.Port.worker_name(Pool, 0), {name, world, version, argument}, nil)
    :erlang.binary_to_term(answer)
  end

  defp pieces(number, version, bytes, place \\ nil) do
    case ask(number, :checkpoint, version, {place, bytes}) do
      {:ok, piece, nil} -> [piece]
      {:ok, piece, place} -> [piece | pieces(number, version, bytes, place)]
    end
  end

  # The last answer. The last piece is sent again until the world is there: not more often than there are pieces.
  defp restore(number, version, pieces, definition) do
    {before, [last]} = Enum.split(pieces, -1)
    for {piece, index} <- Enum.with_index(before), do: ask(number, :restore, version, {piece, index, nil})
    again = fn -> ask(number, :restore, version, {last, length(before), definition}) end
    Enum.find_value(pieces, fn _ -> with({:ok, nil} <- again.(), do: nil) end)
  end

  @tag pool: false
  test "a world is there when its last piece has come, and not before; pieces out of order are lost" do
    start_pool()
    {%{state: state}, _} = worlds()
    definition = state.journal.definition
    pieces = pieces(state.number, state.version, 1_000)
    assert length(pieces) > 10
    lost = {:error, {:lost, nil, nil}}
    [first, second | _] = pieces
    assert ask(1, :restore, 5, {second, 1, nil}) == lost
    assert ask(1, :restore, 5, {first, 0, nil}) == {:ok, nil}
    assert ask(1, :restore, 5, {first, 0, nil}) == {:ok, nil}
    assert ask(1, :restore, 5, {List.last(pieces), 9, definition}) == lost

    for {name, argument} <- [get: "e1", info: nil, checkpoint: {nil, 9_999}, fold: {:json, ""}, replay: []],
        do: assert(ask(1, name, 5, argument) == lost)

    # Another one's, and one of another version, at the same time.
    for {number, version} <- [{1, 6}, {2, 5}],
        do: assert(ask(number, :restore, version, {second, 1, nil}) == lost)

    assert {:ok, 6} = restore(1, 6, pieces, definition)
    assert ask(1, :restore, 5, {first, 0, nil}) == {:ok, 5}
    assert pieces(1, 6, 1_000) == pieces
    # What belongs to a world goes with it.
    assert ask(3, :restore, 5, {first, 0, nil}) == {:ok, nil}
    assert ask(3, :free, 0, nil) == {:ok, nil}
    assert ask(3, :restore, 5, {second, 1, nil}) == lost
  end

  @tag pool: false
  test "of whatever bytes the pieces are, they make the same world; none is longer than it may be" do
    start_pool()
    {%{state: state}, native} = worlds()
    expected = pieces(state.number, state.version, 1_000_000)
    assert length(expected) == 1

    for bytes <- [600, 1_023, 2_000, 5_001, 10_000] do
      pieces = pieces(state.number, state.version, bytes)
      assert Enum.all?(pieces, &(byte_size(&1) <= bytes))
      assert {:ok, 9} = restore(bytes, 9, pieces, state.journal.definition)
      assert pieces(bytes, 9, 1_000_000) == expected
      assert {:ok, World.encode!(native, :snapshot, :packed)} == ask(bytes, :encode_packed, 9, nil)
    end
  end

  # All entities and free handles of pieces.
  defp joined(pieces) do
    terms = Enum.map(pieces, &:erlang.binary_to_term/1)
    {Enum.flat_map(terms, &elem(&1, 3)), Enum.flat_map(terms, &elem(&1, 4))}
  end

  @tag pool: false
  test "free handles, a few in each piece, are all the same ones in the same order, also of a mirror" do
    start_pool()
    {:ok, port, _} = [impl: Pool] |> World.new!() |> World.fold(creates(0..2_999))
    {:ok, port, _} = World.fold(port, deletes(Enum.sort_by(0..2_990, &:erlang.phash2/1)))
    {:ok, mirror} = World.load({:packed, World.encode!(port, :snapshot, :packed)}, impl: Pool)

    for %{state: %{number: number, version: version}} <- [port, mirror] do
      assert [{entities, free}] = number |> pieces(version, 1_000_000) |> Enum.map(&joined([&1]))
      assert {length(entities), length(free)} == {9, 2_991}
      pieces = pieces(number, version, 600)
      assert length(pieces) > 20
      assert joined(pieces) == {entities, free}
    end
  end

  @tag pool: false
  test "pieces that come too late are not kept: the world is there, and as new" do
    start_pool()
    {%{state: state}, _} = worlds()
    # Of 5 MB. The definition has not come, so the rest may be missing.
    {:ok, large, _} = World.fold(World.new!(impl: Pool, max_value_bytes: 6_000_000), large("e", 5_000_000))
    [piece] = pieces(large.state.number, large.state.version, 10_000_000)
    assert byte_size(piece) > 5_000_000
    assert ask(1, :new, 1, state.journal.definition) == {:ok, 1}
    before = memory(os_pid())

    for version <- 2..25 do
      assert ask(1, :restore, version, {piece, 0, nil}) == {:ok, nil}

      # A newer version of its own, and the same by replaying.
      if rem(version, 2) == 0,
        do: assert({:ok, ^version, _} = ask(1, :fold, version - 1, {:json, ""})),
        else: assert({:ok, ^version} = ask(1, :replay, 0, [{version - 1, :fold, {:json, ""}}]))

      assert ask(1, :restore, version, {piece, 1, state.journal.definition}) == {:ok, version}
    end

    # One for a version to come stays.
    assert ask(1, :restore, 27, {piece, 0, nil}) == {:ok, nil}
    assert {:ok, 26, _} = ask(1, :fold, 25, {:json, ""})
    assert ask(1, :restore, 27, {piece, 2, nil}) == {:error, {:lost, nil, nil}}
    assert ask(1, :restore, 27, {piece, 1, nil}) == {:ok, nil}
    # All would be 120 MB; a sanitizer keeps what was freed for a while.
    unless before == nil or sanitized?(), do: assert(memory(os_pid()) - before < 60_000)
  end

  defp large(id, bytes),
    do: [{"create", %{"entity_id" => id, "components" => %{"text" => String.duplicate("x", bytes)}}}]

  @tag pool: false
  test "what no piece is longer than, unless an entity is: however long a frame may be, a call's time is limited" do
    start_pool(max_frame_bytes: 100_000_000, timeout: 60_000)
    mb = 1_048_576
    opts = [max_value_bytes: 20 * mb]
    worlds = {World.new!([impl: Pool] ++ opts), World.new!([impl: :native] ++ opts)}
    events = for {id, bytes} <- [e1: 5, e2: 5, e3: 12], do: large("#{id}", bytes * mb)
    worlds = fold(worlds, Enum.concat(events))
    {port, _} = worlds = worlds |> due() |> fold(creates([100]))
    assert [5, 5, 12] = port |> saved() |> Enum.map(&div(byte_size(&1), mb))
    {port, native} = worlds |> due() |> fold(creates([101]))
    kill()
    assert World.encode!(port, :snapshot, :packed) == World.encode!(native, :snapshot, :packed)
  end

  @tag :tmp_dir
  test "a program that never finishes a restore is ended, three times, and the world stays good", %{
    tmp_dir: folder
  } do
    stop_supervised!(Pool)
    {flag, count} = {Path.join(folder, "endless"), Path.join(folder, "count")}
    start_pool([max_frame_bytes: @frame] ++ endless(flag, count))
    {port, native} = worlds = saved_twice(worlds())
    {_, checkpoint} = elem(Journal.plan(port.state.journal), 0)
    pieces = length(checkpoint)
    File.touch!(flag)
    kill()

    assert {:error, %Error{reason: :port_crashed, message: message}} = World.fold(port, creates([400]))
    assert message =~ "it did not finish making a lost world again"
    # Each piece, and the last one again.
    assert byte_size(File.read!(count)) in (3 * pieces)..(3 * (2 * pieces + 1))
    File.rm!(flag)
    eventually(fn -> match?({:ok, _}, World.diff(port, World.seq(native))) end)
    assert_same(worlds)
    assert_same(fold(worlds, creates([401])))
  end

  # The program; or, while there is the flag, one that answers each piece that the world is not there yet, and all else that it is lost.
  # It counts the pieces.
  defp endless(flag, count) do
    script = """
    test -e '#{flag}' || exec '#{Roomfold.Port.Program.path!(nil)}' #{@frame}
    while :; do
      set -- $(dd bs=1 count=8 2>/dev/null | od -An -v -to1)
      test $# = 8 || exit 0
      case $(head -c $((0$3 * 256 + 0$4 - 4)) | grep -ac restore) in
        0) #{answer({:error, {:lost, nil, nil}})} ;;
        *) printf x >>'#{count}'; #{answer({:ok, nil})} ;;
      esac
    done
    """

    [program: System.find_executable("sh"), args: ["-c", script], timeout: 60_000]
  end

  # A shell's command that writes it; $5 to $8 are the call's number.
  defp answer(term) do
    term = :erlang.term_to_binary(term)
    octal = &for <<byte <- &1>>, into: "", do: "\\" <> String.pad_leading(Integer.to_string(byte, 8), 3, "0")
    ~s(printf "#{octal.(<<byte_size(term) + 4::32>>)}\\\\$5\\\\$6\\\\$7\\\\$8#{octal.(term)}")
  end

  defp sanitized?, do: System.get_env("ROOMFOLD_CONFIG") in ["asan", "tsan", "valgrind"]

  @tag pool: false
  test "what is no place, or one of a world that had forgotten less, and pieces that are none or too many" do
    start_pool()
    {%{state: state}, _} = worlds()
    ask = &ask(state.number, :checkpoint, state.version, &1)

    for argument <- [
          nil,
          {nil, -1},
          {nil, 1.0},
          {:x, 9_999},
          {{0, 0}, 9_999},
          {{0, 0, 0}, 9_999},
          {{0, -1, 0, 0}, 9_999},
          {{0, 0, 0x1_0000_0000, 1}, 9_999},
          {{0, 0, 1, 0}, 9_999},
          {{0, 0, 0, 1}, 9_999}
        ],
        do: assert(ask.(argument) == {:error, {:invalid_argument, nil, nil}})

    assert ask.({{1, 0, 0, 0}, 9_999}) == {:error, {:history_gone, nil, nil}}
    # After the last one.
    for place <- [{0, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, {0, 100, 5_000, 101}, {0, 100, 1, 1}],
        do: assert({:ok, _, nil} = ask.({place, 9_999}))

    assert ask.({nil, 100}) == {:error, {:too_large, nil, nil}}

    definition = state.journal.definition
    [first, second | _] = pieces = pieces(state.number, state.version, 4_000)
    spoilt = :erlang.term_to_binary(put_elem(:erlang.binary_to_term(second), 3, [:x]))
    # Twice the same, one that is left out, one that is none.
    for bad <- [
          [first, first],
          [first, List.last(pieces)],
          [first, spoilt],
          ["", first],
          [first, second | pieces]
        ] do
      assert {:error, {reason, _, _}} = restore(9, 1, bad, definition)
      assert reason in [:invalid_argument, :lost]
      assert ask(9, :restore, 1, {second, 1, nil}) == {:error, {:lost, nil, nil}}
    end

    assert {:ok, 1} = restore(9, 1, pieces, definition)
  end

  # ---- the limits that remain ----

  @tag pool: false
  test "a value keeps at most 1 GB of changes, or as much as its checkpoint, until the next one is due" do
    mb = 1_048_576
    piece = :binary.copy("x", mb)

    for {size, limit} <- [{1, 16}, {63, 1_008}, {64, 1_024}, {500, 1_024}, {3_000, 3_000}] do
      journal = Journal.rebase(Journal.new({}), 2, List.duplicate(piece, size))
      assert Journal.bytes(journal) == size * mb
      refute Journal.due?(Journal.add(journal, {2, :mark, 1.0}, limit * mb))
      assert Journal.due?(Journal.add(journal, {2, :mark, 1.0}, limit * mb + 1))
    end
  end

  test "an entity that no frame has room for is named when no more changes can be kept" do
    grown =
      for n <- 1..4,
          do: [{"update", %{"entity_id" => "e9", "components" => %{"n#{n}" => String.duplicate("x", 1_200)}}}]

    {port, native} = Enum.reduce(grown, worlds(), &fold(&2, &1))
    {port, native} = fold({put_in(port.state.journal.limit, 20_000), native}, creates([200]))
    # Put off, and it goes on.
    assert saved(port) == nil and port.state.journal.full == nil
    refute Journal.due?(port.state.journal)
    {version, nil, changes, _, count} = port.state.journal.base
    # As after 16 MB more.
    port = put_in(port.state.journal.base, {version, nil, changes, 16 * 1_048_576 + 1, count})
    {port, native} = fold({port, native}, creates([201]))
    assert {:error, %Error{reason: :too_large, message: message}} = World.fold(port, creates([202]))
    assert message =~ ~s(entity "e9", which a frame of a checkpoint has no room for \(:max_frame_bytes\))
    assert {:error, %Error{reason: :too_large}} = Roomfold.Hits.mark(port, 1.0)
    kill()
    assert World.get(port, "e201") == World.get(native, "e201")
    assert World.count(port) == World.count(native)
  end
end
