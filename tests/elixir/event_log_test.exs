defmodule Roomfold.EventLog.MemoryTest do
  use ExUnit.Case, async: true
  use Roomfold.EventLog.Conformance

  alias Roomfold.EventLog.Memory

  setup do
    pid = start_supervised!(Supervisor.child_spec(Memory, restart: :temporary))
    {:ok, log: {Memory, pid}}
  end

  test "by its name", %{log: _} do
    start_supervised!({Memory, name: __MODULE__.Named}, id: :named)
    log = {Memory, __MODULE__.Named}
    room(log, "lobby", 3)
    assert EventLog.verify(log) == {:ok, 3}
  end

  test "unknown options are named", %{log: log} do
    for read <- [&EventLog.read/5, &EventLog.stream/5] do
      error = assert_raise ArgumentError, fn -> read.(log, "lobby", 1, 2, max_byte: 9) end
      assert error.message =~ "[:max_byte]"
    end
  end

  test "what is read is from a seq to a seq", %{log: log} do
    room(log, "lobby", 3)

    for read <- [&EventLog.read/5, &EventLog.stream/5] do
      for from <- ["1", nil, 0, -1, 1.0] do
        error = assert_raise ArgumentError, fn -> read.(log, "lobby", from, 2, []) end
        assert error.message == "the first seq is an integer above 0, got #{Roomfold.Error.got(from)}"
      end

      for to <- ["1", nil, -1, [max_events: 1]] do
        error = assert_raise ArgumentError, fn -> read.(log, "lobby", 1, to, []) end

        assert error.message ==
                 "the last seq is an integer from 0, or :infinity, got #{Roomfold.Error.got(to)}"
      end

      assert_raise ArgumentError, ~r/a keyword list, got nil/, fn -> read.(log, "lobby", 1, 2, nil) end
    end
  end

  test "what a log can't be called by, and what is no meta" do
    for server <- ["rooms.db", nil, [path: "rooms.db"]],
        ask <- [&EventLog.claim(&1, "lobby"), &EventLog.rooms/1, &EventLog.append(&1, "lobby", 1, 0, ["{}"])] do
      error = assert_raise ArgumentError, fn -> ask.({Memory, server}) end

      assert error.message =~
               "a log that runs is {module, server}, with the name or the pid of its process, got "
    end

    for meta <- [nil, [], [over: 0]] do
      error = assert_raise ArgumentError, fn -> EventLog.claim({Memory, :nobody}, "lobby", meta) end
      assert error.message == "the meta of a claim is a map, got #{Roomfold.Error.got(meta)}"
    end
  end
end

defmodule Roomfold.EventLog.BeyondTest do
  use Roomfold.SQLiteCase, async: true
  import Roomfold.EventLog.Conformance
  alias Roomfold.EventLog
  alias Roomfold.EventLog.{Memory, Shared}

  test "behind the last seq there can be is nothing, whatever the log", %{log: sqlite} do
    memory = {Memory, start_supervised!(Memory)}
    start_supervised!({Shared, name: __MODULE__.Shared, log: {Memory, []}})

    for log <- [sqlite, memory, {Shared, {__MODULE__.Shared, node()}}] do
      room(log, "lobby", 3)

      for from <- [4, 2 ** 53 - 1, 2 ** 53, 2 ** 70, 10 ** 400] do
        assert EventLog.read(log, "lobby", from) == {:ok, nil}
        assert Enum.to_list(EventLog.stream(log, "lobby", from)) == []
      end

      assert {:ok, %{seq: 3}} = EventLog.read(log, "lobby", 1, 10 ** 400)
    end
  end
end

defmodule Roomfold.EventLog.SQLiteConformanceTest do
  use Roomfold.SQLiteCase, async: true
  use Roomfold.EventLog.Conformance
end

defmodule Roomfold.EventLog.SharedTest do
  use ExUnit.Case, async: true
  use Roomfold.EventLog.Conformance

  alias Roomfold.EventLog.{Memory, Shared}

  setup do
    name = :"shared_#{System.unique_integer([:positive])}"
    # Its own supervisor, but that what a test stops is not started again.
    {:ok, {_, children}} = Shared.init({name, {Memory, []}})
    start = {Supervisor, :start_link, [children, [strategy: :one_for_all, max_restarts: 0]]}
    start_supervised!(%{id: Shared, start: start, type: :supervisor, restart: :temporary})
    {:ok, log: {Shared, {name, node()}}}
  end

  test "who watches it learns that the log has ended", %{log: {_, {name, _}} = log} do
    reference = EventLog.monitor(log)
    GenServer.stop(Module.concat(name, Log))
    assert_receive {:DOWN, ^reference, :process, _, _}
  end

  defmodule Fails do
    use Roomfold.LogOver
    defdelegate child_spec(opts), to: Memory
    @impl true
    def rooms(_), do: raise("no such table")
    @impl true
    def verify(_, _), do: exit(:noproc)
  end

  test "what goes wrong in its log is answered, not waited for" do
    start_supervised!({Shared, name: __MODULE__.Failing, log: {Fails, []}})
    log = {Shared, {__MODULE__.Failing, node()}}

    said =
      ExUnit.CaptureLog.capture_log(fn ->
        for ask <- [&EventLog.rooms/1, &EventLog.verify/1],
            do: assert({:error, %{reason: :log_failed}} = Task.await(Task.async(fn -> ask.(log) end), 30_000))
      end)

    assert said =~ "no such table"
    assert EventLog.head(log, "lobby") == {:ok, nil}
  end

  test "wrong options are named" do
    assert_raise ArgumentError, ~r/:log must be {module, options}/, fn ->
      Shared.start_link(name: __MODULE__.Wrong, log: {Nope, []})
    end

    for opts <- [[], nil, [name: "log", log: {Memory, []}]],
        do: assert_raise(ArgumentError, fn -> Shared.start_link(opts) end)

    # Such as those of another log, which would have kept what this one loses.
    assert_raise ArgumentError, ~r/unknown keys \[:path\]/, fn -> Memory.start_link(path: "rooms.db") end
  end

  test "without a process its monitor says so at once" do
    reference = EventLog.monitor({Shared, :nobody})
    assert_receive {:DOWN, ^reference, :process, _, _}
  end
end
