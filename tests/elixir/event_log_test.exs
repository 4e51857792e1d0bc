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
end

defmodule Roomfold.EventLog.SQLiteConformanceTest do
  use Roomfold.SQLiteCase, async: true
  use Roomfold.EventLog.Conformance
end
