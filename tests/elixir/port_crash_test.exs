defmodule Roomfold.Port.CrashTest do
  # Signals to the port program at random moments while events flow; closing it, however it is; what is not even a frame.
  # CRASHES=1000 (make port-crash N=1000) for longer.
  use Roomfold.PortCase, async: false

  alias Roomfold.Port.Frames

  defp crashes, do: String.to_integer(System.get_env("CRASHES", "12"))

  # ---- signals while events flow ----

  @stopped_ms 200

  test "KILL, ABRT and STOP at random moments: the state is the fold of what was acknowledged" do
    start_pool(timeout: @stopped_ms)
    seed = :rand.uniform(1_000_000)
    :rand.seed(:exsss, {seed, 1, 2})
    killer = killer()
    worlds = {World.new!(impl: Pool), World.new!()}

    {worlds, _, times} =
      for round <- 1..crashes(), reduce: {worlds, 0, []} do
        {worlds, number, times} ->
          signal = Enum.at(["KILL", "ABRT", "STOP"], rem(round, 3))
          {worlds, number} = flow(worlds, number, :rand.uniform(5))
          # In the middle of what comes, or between two.
          Process.send_after(self(), :now, :rand.uniform(4) - 1)
          {worlds, number, took, again} = until_back(worlds, number, killer, signal)
          {port, native} = worlds
          assert patient(fn -> same?(port, native) end), "seed #{seed}, round #{round}, #{signal}"
          {worlds, number, [{signal, took, again} | times]}
      end

    {port, native} = worlds
    assert patient(fn -> World.encode!(port, :snapshot, :json) end) == World.encode!(native, :snapshot, :json)
    if crashes() >= 100, do: tell(times)
  end

  # On a machine that is busy elsewhere a program may be late without having been stopped.
  defp patient(read) do
    read.()
  rescue
    error in Error ->
      if error.reason == :port_timeout, do: patient(read), else: reraise(error, __STACKTRACE__)
  end

  # Folds some batches, each acknowledged before it is folded by the other.
  defp flow(worlds, number, 0), do: {worlds, number}

  defp flow({port, native}, number, count) do
    events = batch(number)
    input = Enum.at([events, json(events), packed(events)], rem(number, 3))

    case World.fold(port, input) do
      {:ok, port, report} ->
        {:ok, native, ^report} = World.fold(native, input)
        flow({port, native}, number + 1, count - 1)

      # Not done: the world is as it was.
      {:error, %{reason: :port_timeout}} ->
        flow({port, native}, number, count)
    end
  end

  # Goes on until something is acknowledged by a program that was started after the signal, which has to make the world again; the milliseconds it took, and those of them in
  # which the world was made again (its replay), as whoever did that measured them.
  defp until_back(worlds, number, killer, signal) do
    receive do
      :now ->
        before = hd(Roomfold.Port.info(Pool))
        sent = System.monotonic_time(:microsecond)
        :ok = signal(killer, signal, before.os_pid)
        back(worlds, number, before, sent)
    after
      0 ->
        {worlds, number} = flow(worlds, number, 1)
        until_back(worlds, number, killer, signal)
    end
  end

  defp back(worlds, number, before, sent) do
    {worlds, number} = flow(worlds, number, 1)
    now = System.monotonic_time(:microsecond)
    info = hd(Roomfold.Port.info(Pool))

    if info.made_again > before.made_again do
      {worlds, number, (now - sent) / 1_000, (info.made_again_us - before.made_again_us) / 1_000}
    else
      back(worlds, number, before, sent)
    end
  end

  defp tell(times) do
    for {name, signals, less} <- [
          {"KILL and ABRT", ["KILL", "ABRT"], 0},
          {"STOP, behind the time limit", ["STOP"], @stopped_ms}
        ] do
      times = for {signal, took, again} <- times, signal in signals, do: {took - less, again}
      parts = [took: &elem(&1, 0), replay: &elem(&1, 1), rest: fn {took, again} -> took - again end]
      parts = for {part, of} <- parts, do: "#{part} #{percentiles(Enum.map(times, of))}"
      IO.puts("#{name}, #{length(times)} times, ms at 50 %, 90 %, 99 %, longest: #{Enum.join(parts, "; ")}")
    end
  end

  defp percentiles(numbers) do
    sorted = Enum.sort(numbers)
    last = length(sorted) - 1

    Enum.map_join(
      [0.5, 0.9, 0.99, 1],
      " ",
      &:erlang.float_to_binary(Enum.at(sorted, trunc(last * &1)) * 1.0, decimals: 1)
    )
  end

  # ---- closing ----

  test "a program that has ended is nobody's: its number, which may be another one's by then, is not ended later" do
    reaper = start_supervised!({Roomfold.Port.Reaper, []})
    sleeper = Port.open({:spawn_executable, System.find_executable("sleep")}, args: ["600"])
    {:os_pid, os_pid} = Port.info(sleeper, :os_pid)
    test = self()

    owner =
      spawn(fn ->
        Roomfold.Port.Reaper.owns(reaper, os_pid)
        Roomfold.Port.Reaper.finish(reaper, os_pid)
        send(test, :finished)
        Process.sleep(:infinity)
      end)

    assert_receive :finished
    assert %{^owner => {_, nil}} = :sys.get_state(reaper)
    assert gone?(os_pid)
    Process.exit(owner, :kill)
    eventually(fn -> :sys.get_state(reaper) == %{} end)
  end

  test "closing it, however, also while it hangs or works: no process is left over" do
    Process.flag(:trap_exit, true)

    for round <- 1..crashes() do
      {:ok, pool} = Pool.start_link(timeout: 60_000)
      os_pid = os_pid()
      world = World.new!(impl: Pool)
      state = Enum.at([:idle, :stopped, :working], rem(round, 3))
      if state == :stopped, do: signal("STOP", os_pid)
      text = String.duplicate(~s({"event":"delete","entity_id":"x"}\n), 100_000)
      if state != :idle, do: spawn(fn -> World.fold(world, {:json, text}) end)
      close(Enum.at([:stop, :kill_worker, :kill_pool], rem(div(round, 3), 3)), pool)
      assert gone?(os_pid), "round #{round}: #{state}"
      if Process.alive?(pool), do: Supervisor.stop(pool)
      assert_receive {:EXIT, ^pool, _}
      # What is killed takes its children along, but does not wait for them.
      for name <- [Pool.Reaper, Roomfold.Port.worker_name(Pool, 0)],
          do: eventually(fn -> Process.whereis(name) == nil end)
    end
  end

  defp close(:stop, pool), do: Supervisor.stop(pool)

  defp close(:kill_worker, _) do
    Pool |> Roomfold.Port.worker_name(0) |> Process.whereis() |> Process.exit(:kill)
  end

  defp close(:kill_pool, pool), do: Process.exit(pool, :kill)

  if match?({:unix, :linux}, :os.type()) do
    test "kill -9 of the VM: a program that was stopped does not outlive it" do
      code = """
      {:ok, _} = Roomfold.Port.start_link(name: Roomfold.Port, size: 1)
      # It has begun: before its first lines nothing is set up yet.
      :ok = Roomfold.Port.ping()
      [%{os_pid: os_pid}] = Roomfold.Port.info()
      {_, 0} = System.cmd("sh", ["-c", "kill -STOP \#{os_pid}"])
      IO.puts("\#{System.pid()} \#{os_pid}")
      # Until the test ends, if it does not kill it.
      IO.read(:line)
      """

      ebin = Path.dirname(to_string(:code.which(Roomfold)))

      vm =
        Port.open({:spawn_executable, System.find_executable("elixir")}, [
          :binary,
          line: 1_000,
          args: ["-pa", ebin, "-e", code]
        ])

      assert_receive {^vm, {:data, {:eol, line}}}, 60_000
      [vm_pid, os_pid] = String.split(line)
      refute gone?(os_pid, 0)
      signal("KILL", vm_pid)
      assert gone?(os_pid)
    end
  else
    IO.puts(
      "left out: kill -9 of the VM beside a stopped port program (Linux only: elsewhere it ends when it goes on)"
    )
  end

  # ---- what is no frame, to the program ----

  defp frames, do: crashes() * 1_000

  defp program(args \\ []) do
    Port.open({:spawn_executable, Roomfold.Port.Program.path!()}, [:binary, :stream, :exit_status, args: args])
  end

  # Calls that are good, to be spoilt.
  defp calls do
    definition =
      {Roomfold.Schema.to_json(Roomfold.Schema.default()), Roomfold.Rules.to_json(Roomfold.Rules.xr()),
       {0, 7, 100, 1_000, 8, 16}}

    list = :erlang.term_to_binary(batch(1, 4))

    entities =
      :erlang.term_to_binary(%{"a" => %{"position" => [1, 2.0, 3], "deep" => [%{"x" => [nil, true, -1.5]}]}})

    level =
      :erlang.term_to_binary({[{0, 3}], [{0, 0, 5, 5, nil, nil, 0, nil, 1}], [{{1, 1, 1}, {2, 2, 2}, 1}], []})

    checkpoint = :erlang.term_to_binary({3, 1, false, [{1, 2, "a", %{"n" => 1}}], [0]})

    piece = :erlang.term_to_binary({3, 1, false, [{2, 1, "b", %{}}], []})

    shots =
      :erlang.term_to_binary([
        {0, 1, 0, 1.0, 0, 0, 10},
        {:all, 0, "tom", {0, 0, 0}, {1, 0, 0}, 5, nil, {:seq, 1}}
      ])

    for {name, world, version, argument} <- [
          {:new, 1, 1, definition},
          {:fold, 1, 1, {:list, list}},
          {:fold, 1, 2, {:json, ~s({"event":"create","entity_id":"b","components":{"health":3}})}},
          {:fold, 1, 3, elem_packed()},
          {:load, 1, 4, entities},
          {:open_hits, 1, 5, {{1000.0, 8}, level}},
          {:mark, 1, 5, 12.5},
          {:restore, 2, 1, {checkpoint, 0, definition}},
          {:restore, 4, 1, {piece, 0, nil}},
          {:restore, 4, 1, {checkpoint, 1, definition}},
          {:replay, 2, 0, [{1, :fold, {:list, list}}, {2, :mark, 1.0}]},
          {:copy, 1, 5, 3},
          {:snapshot, 1, 5, :kind},
          {:query, 1, 5, ["health", "position"]},
          {:diff, 1, 5, 0},
          {:encode, 1, 5, {nil, :component, {nil, "1", "room:1", "diff"}}},
          {:encode_packed, 1, 5, nil},
          {:admit, 1, 5, {5, [{"tom", false, [~s({"event_name":"user_joined","user_id":"tom"})]}]}},
          {:cast, 1, 5, shots},
          {:cast, 1, 5, {:packed, <<0::512>>, :erlang.term_to_binary(["tom"])}},
          {:overlap, 1, 5, :erlang.term_to_binary([{0, {0, 0, 0}, {:sphere, true, {0, 0, 0}, 1.0, 0}, nil}])},
          {:checkpoint, 1, 5, {nil, 10_000}},
          {:checkpoint, 1, 5, {{0, 1, 0, 0}, 1_000}},
          {:get, 1, 5, "b"},
          {:info, 1, 5, nil},
          {:free, 3, 0, [9, 10]},
          {:ping, 0, 0, nil}
        ],
        do: :erlang.term_to_binary({name, world, version, argument})
  end

  defp elem_packed, do: packed([{"update", %{"entity_id" => "b", "components" => %{"health" => 4}}}])

  # A byte or two changed, cut, or grown, the length of the frame as it then is.
  defp spoil(term) do
    at = :rand.uniform(byte_size(term)) - 1
    <<head::binary-size(at), byte, rest::binary>> = term

    case :rand.uniform(4) do
      1 -> head
      2 -> <<head::binary, Bitwise.bxor(byte, Bitwise.bsl(1, :rand.uniform(8) - 1)), rest::binary>>
      3 -> <<head::binary, :rand.uniform(256) - 1, rest::binary>>
      4 -> <<head::binary, byte, Enum.random([0, 97, 104, 108, 109, 116, 255]), rest::binary>>
    end
  end

  test "the program answers what is no call with an error, and goes on" do
    :rand.seed(:exsss, {1, 2, :rand.uniform(1_000_000)})
    # What a hit was is an atom in the answer, which a VM that has a level knows.
    Code.ensure_loaded!(Roomfold.Level)
    program = program()
    calls = calls()
    # All good ones are answered as such.
    assert [] =
             for(
               {call, answer} <- Enum.zip(calls, ask(program, calls)),
               elem(answer, 0) != :ok,
               do: {:erlang.binary_to_term(call), answer}
             )

    for _ <- 1..div(frames(), 1_000) do
      spoilt = for _ <- 1..1_000, do: spoil(Enum.random(calls))
      answers = ask(program, spoilt)
      assert Enum.all?(answers, &(elem(&1, 0) in [:ok, :error]))
    end

    assert [{:ok, nil}] = ask(program, [List.last(calls)])
    assert {:os_pid, os_pid} = Port.info(program, :os_pid)
    kb = memory(os_pid)
    unless sanitized?(), do: assert(kb == nil or kb < 200_000)
    Port.close(program)
    assert gone?(os_pid)
  end

  defp sanitized?, do: System.get_env("ROOMFOLD_CONFIG") in ["asan", "tsan", "valgrind"]

  # The answers, in their order, each checked for its number.
  defp ask(program, terms) do
    for {term, number} <- Enum.with_index(terms) do
      {:ok, frame} = Frames.write(number, [term], byte_size(term), 1_000_000)
      Port.command(program, frame)
    end

    answers = listen(program, Frames.new(10_000_000), length(terms), [])
    assert Enum.map(answers, &elem(&1, 0)) == Enum.to_list(0..(length(terms) - 1))
    for {_, term} <- answers, do: elem(Frames.decode(term), 1)
  end

  defp listen(_, _, 0, answers), do: Enum.reverse(answers)

  defp listen(program, frames, left, answers) do
    receive do
      {^program, {:data, data}} ->
        {:ok, found, frames} = Frames.read(frames, data)
        listen(program, frames, left - length(found), Enum.reverse(found, answers))

      {^program, {:exit_status, status}} ->
        flunk("the program ended: #{status}")
    after
      60_000 -> flunk("no answer")
    end
  end

  test "the program believes no length: too long a frame ends it, a lie costs it nothing" do
    for header <- [<<255, 255, 255, 255>>, <<0, 0, 0, 3>>, <<0, 0, 0, 0>>, <<64 * 1_048_576 + 1::32>>] do
      program = program()
      Port.command(program, header <> <<0, 0, 0, 1>>)
      assert_receive {^program, {:exit_status, 2}}
    end

    program = program()
    assert [{:ok, nil}] = ask(program, [List.last(calls())])
    {:os_pid, os_pid} = Port.info(program, :os_pid)
    before = memory(os_pid)
    Port.command(program, [<<64 * 1_048_576::32, 0::32>>, List.duplicate(0, 1_000)])
    Process.sleep(200)
    if before && not sanitized?(), do: assert(memory(os_pid) - before < 1_024)
    Port.close(program)
  end

  test "the program's own argument is checked" do
    for argument <- ["0", "-1", "x", "", "1e9", "99999999999999999999"] do
      program = program([argument])
      assert_receive {^program, {:exit_status, 2}}
    end
  end

  # ---- what is no frame, from the program ----

  defp answers do
    for answer <- [
          {:ok, nil},
          {:error, {:lost, nil, nil}},
          {:ok, 2, {1, 0, 0, 0, 1, [{0, :not_an_event, "x", 7}]}},
          {:ok, %{"a" => %{"position" => [1.0, 2.0, 3.0], "n" => [1, 2, 3, nil, true]}}}
        ],
        do: :erlang.term_to_binary(answer)
  end

  test "the VM reads what is no answer as that, whatever it is, in whatever pieces" do
    :rand.seed(:exsss, {3, 4, :rand.uniform(1_000_000)})
    answers = answers()
    atoms = :erlang.system_info(:atom_count)

    for _ <- 1..div(frames(), 1_000) do
      terms = for _ <- 1..1_000, do: spoil(Enum.random(answers))

      bytes =
        for {term, number} <- Enum.with_index(terms),
            into: <<>>,
            do: <<byte_size(term) + 4::32, number::32, term::binary>>

      {:ok, found, rest} = read(bytes, Frames.new(10_000), [])
      assert length(found) == 1_000 and rest.size == 0

      for {_, term} <- found,
          do: assert(Frames.decode(term) == :error or match?({:ok, _}, Frames.decode(term)))

      # Lengths that lie, too.
      at = :rand.uniform(byte_size(bytes)) - 1
      <<head::binary-size(at), byte, tail::binary>> = bytes
      read(<<head::binary, Bitwise.bxor(byte, 1), tail::binary>>, Frames.new(10_000), [])
    end

    assert :erlang.system_info(:atom_count) - atoms < 20
  end

  defp read("", frames, found), do: {:ok, found |> Enum.reverse() |> Enum.concat(), frames}

  defp read(bytes, frames, found) do
    size = min(byte_size(bytes), :rand.uniform(3_000))
    <<piece::binary-size(size), rest::binary>> = bytes

    case Frames.read(frames, piece) do
      {:ok, more, frames} -> read(rest, frames, [more | found])
      {:error, _} -> :error
    end
  end

  test "no answer makes an atom, is inflated, or takes memory that its bytes do not speak of" do
    compressed = :erlang.term_to_binary(String.duplicate("x", 10_000_000), [:compressed])
    assert byte_size(compressed) < 20_000
    assert Frames.decode(compressed) == :error
    assert Frames.decode(<<131, 119, 12, "never_seen_z">>) == :error
    :erlang.garbage_collect()
    # A VM under a sanitizer does not count.
    total = fn -> if sanitized?(), do: 0, else: :erlang.memory(:total) end
    before = total.()

    for tag <- [108, 116, 105, 109, 111],
        do: assert(Frames.decode(<<131, tag, 255, 255, 255, 255, 0>>) == :error)

    {:ok, [], frames} = Frames.read(Frames.new(64 * 1_048_576), <<64 * 1_048_576::32, 0::32, 0::80>>)
    assert frames.size == 18
    # Others of this VM may take some meanwhile.
    assert total.() - before < 16_777_216
  end

  test "programs that say anything else are ended and tried again; calls get an error, and the pool stays" do
    sh = System.find_executable("sh")

    for script <- [
          "exec 2>/dev/null; head -c 100000 /dev/urandom; sleep 60",
          ~S(exec 2>/dev/null; printf '\377\377\377\377'; sleep 60),
          ~S(exec 2>/dev/null; printf '\000\000\000\007\000\000\000\005\203\152\152'; sleep 60),
          "cat",
          "exit 1"
        ] do
      start_pool(program: sh, args: ["-c", script], timeout: 1_000)
      assert {:error, %Error{reason: reason}} = World.new(impl: Pool)
      # Busy: it has waited too long for its turn, while programs that fail are started less and less often.
      assert reason in [:port_crashed, :port_timeout, :port_busy]
      assert is_pid(Process.whereis(Pool))
      stop_supervised!(Pool)
    end
  end

  test "what is no call for the program is one for nobody: end of input in the middle of a frame ends it" do
    program = program()
    {:os_pid, os_pid} = Port.info(program, :os_pid)
    Port.command(program, <<0, 0, 1, 0, 0, 0>>)
    Port.close(program)
    assert gone?(os_pid)
  end
end
