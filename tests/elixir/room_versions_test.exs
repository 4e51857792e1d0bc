defmodule Roomfold.RoomVersionsTest do
  # A log has the versions of its records: a room reads older ones, and refuses newer ones.
  use Roomfold.RoomsCase, async: true

  import ExUnit.CaptureLog

  alias Roomfold.{EventLog, Replay, Rules}

  @old Rules.new!(%{"came" => [{:create, "id", %{}}]}, name: "old")
  @new Rules.new!(%{"came" => [], "arrived" => [{:create, "who", %{}}]}, name: "new")

  defp place(opts), do: {start_rooms(room: [tick_ms: 2, snapshot_every: 0] ++ opts), "1"}

  # One event of each version.
  defp written(opts \\ []) do
    room = place(opts)
    {:ok, _} = Room.ensure_started(room, rules: @old)
    {:ok, 1} = Room.publish(room, {"came", %{"id" => "tom"}})
    Room.stop(room)
    {:ok, _} = Room.ensure_started(room, rules: @new, rules_version: 2)
    {:ok, 2} = Room.publish(room, {"arrived", %{"who" => "ann"}})
    room
  end

  defp log({rooms, _}), do: Rooms.log(rooms)

  test "a room with an older version than some records have is refused, with both versions, and disturbs nobody" do
    room = {_, id} = written()
    pid = Room.whereis(room)
    {:ok, head} = EventLog.head(log(room), id)

    # As on another node, which does not know that it runs.
    elsewhere = place([])
    opts = [rules: @old, log: log(room)]
    assert {:error, %Error{reason: :log_newer, message: message}} = Room.ensure_started(elsewhere, opts)
    assert message =~ ~s|room 1, from seq 2 on: format 1, rules 2 ("new"), schema 1;|
    assert message =~ ~s|the room's options: format 1, rules 1 ("old"), schema 1|

    assert EventLog.head(log(room), id) == {:ok, head}
    assert {:ok, 3} = Room.publish(room, {"arrived", %{"who" => "bob"}})
    assert Room.whereis(room) == pid

    # As after a stop of it.
    Room.stop(room)
    assert {:error, %Error{reason: :log_newer}} = Room.ensure_started(room, rules: @old)
    {:ok, _} = Room.ensure_started(room, rules: @new, rules_version: 3)
    assert Map.keys(Room.snapshot(room)) == ["ann", "bob"]
  end

  test "a room whose rules refuse events of its log says so when it starts" do
    {rooms, _} = place([])
    room = {rooms, "recalled"}
    {:ok, _} = Room.ensure_started(room, rules: @old)
    joined = {"create", %{"entity_id" => "a", "components" => %{}}}
    {:ok, _} = Room.publish(room, [joined | for(i <- 1..3, do: {"came", %{"id" => "e#{i}"}})])
    kill(room)

    # Other rules of the same version, as when the option :rules was forgotten.
    said = ~s|the rules of the room recalled ("xr", rules_version 1) refuse what is in its log|
    log = capture_log(fn -> assert {:ok, _} = Room.ensure_started(room, rules: Rules.xr()) end)
    assert log =~ said <> ", 3 times; the first is seq 2: no rule says what this event does"
    assert log =~ "upcasters"
    assert Room.snapshot(room) == %{"a" => %{}}
    kill(room)

    # The right ones have nothing to say, and looking at the past says nothing.
    ask = fn ->
      assert {:ok, _} = Room.ensure_started(room, rules: @old)
      assert Room.refold(room, Rules.xr()) != :same
    end

    refute capture_log(ask) =~ said
    assert Enum.sort(Map.keys(Room.snapshot(room))) == ~w(a e1 e2 e3)

    # A snapshot by wrong rules of the same name and version has none of them either, until the next version.
    kill(room)
    wrong = Rules.new!(%{}, name: "old")

    log =
      capture_log(fn ->
        {:ok, _} = Room.ensure_started(room, rules: wrong)
        {:ok, 5} = Room.publish(room, {"create", %{"entity_id" => "b", "components" => %{}}})
        Room.stop(room)
      end)

    assert log =~ ~s|recalled ("old", rules_version 1) refuse what is in its log, 3 times|
    {:ok, _} = Room.ensure_started(room, rules: @old)
    assert Enum.sort(Map.keys(Room.snapshot(room))) == ["a", "b"]
    Room.stop(room)
    {:ok, _} = Room.ensure_started(room, rules: @old, rules_version: 2)
    assert Enum.sort(Map.keys(Room.snapshot(room))) == ~w(a b e1 e2 e3)
  end

  # Without a last snapshot, so that it starts from its events.
  defp kill(room) do
    pid = Room.whereis(room)
    monitor = Process.monitor(pid)
    Process.exit(pid, :kill)
    assert_receive {:DOWN, ^monitor, :process, _, :killed}
    eventually(fn -> Room.whereis(room) == nil end)
  end

  test "nor does its past make sense to it" do
    room = written()
    Room.stop(room)
    {:ok, pid} = Replay.start_link(log: log(room), id: "1", rules: @new, rules_version: 2, paused: true)

    assert Replay.seek(pid, 2) == :ok

    assert {:error, %Error{reason: :log_newer}} =
             Replay.start_link(log: log(room), id: "1", rules: @old, paused: true)

    # A place over the same log.
    other = start_rooms(log: {:running, log(room)}, room: [rules: @old, schema_version: 9])

    for ask <- [
          &Room.state_at(&1, 1),
          &Room.diff(&1, 0, 1),
          &Room.refold(&1, @new),
          &Room.hashes(&1, 1),
          &Room.replay(&1),
          &Room.publish(&1, {"came", %{"id" => "eve"}})
        ] do
      assert {:error, %Error{reason: :log_newer}} = ask.({other, "1"})
    end

    # A fork from before them has none.
    {:ok, {_, fork}} = Room.fork({other, "1"}, 1)
    assert {:error, %Error{reason: :log_newer}} = Room.fork({other, "1"}, 2, id: "both")
    assert EventLog.head(log(room), "both") == {:ok, nil}
    assert Map.keys(Room.snapshot({other, fork})) == ["tom"]
  end

  test "other rules of the same version, and a newer version of which there is no record, are taken" do
    room = place([])
    {:ok, _} = Room.ensure_started(room, rules: @new, rules_version: 2)
    Room.stop(room)
    {:ok, _} = Room.ensure_started(room, rules: @old)
    {:ok, 1} = Room.publish(room, {"came", %{"id" => "tom"}})
    Room.stop(room)
    {:ok, _} = Room.ensure_started(room, rules: @new)
    assert Room.snapshot(room) == %{}
    assert {:ok, 2} = Room.publish(room, {"arrived", %{"who" => "ann"}})
  end

  test "a newer schema, or a form of records that this does not know, is refused as well" do
    for meta <- [%{"schema" => 2}, %{"format" => 2}] do
      room = {_, id} = place([])
      {:ok, %{term: term}} = EventLog.claim(log(room), id, meta)
      :ok = EventLog.append(log(room), id, term, 0, [~s({"event_name":"x","seq":1,"at":1,"by":"server"})])
      assert_raise Error, ~r/records of a newer version/, fn -> Room.seq(room) end
    end
  end

  defmodule Counted do
    # A log in memory that counts how often its heads are read.
    use Roomfold.LogOver

    @impl true
    def head(server, id) do
      :counters.add(:persistent_term.get({__MODULE__, server}), 1, 1)
      super(server, id)
    end

    # How often while the function runs.
    def reads(server, function) do
      :persistent_term.put({__MODULE__, server}, counter = :counters.new(1, []))
      function.()
      :counters.get(counter, 1)
    end
  end

  test "the log says once where it stands, however long it is: to a room that starts, and to who asks for its past" do
    {:ok, server} = start_supervised(EventLog.Memory)
    reads = &Counted.reads(server, &1)
    # In pieces of 1 MB.
    events = for n <- 1..3_000, do: {"came", %{"id" => "#{n}", "text" => String.duplicate("x", 1_000)}}
    opts = [rules: @old, upcasters: [& &1]]
    rooms = start_rooms(log: {:running, {Counted, server}}, room: [tick_ms: 2, snapshot_every: 0] ++ opts)
    room = {rooms, "1"}

    assert reads.(fn -> for some <- Enum.chunk_every(events, 500), do: {:ok, _} = Room.publish(room, some) end) ==
             1

    Process.exit(Room.whereis(room), :kill)
    assert reads.(fn -> assert Room.seq(room) == 3_000 end) == 1
    assert reads.(fn -> {:ok, _} = Room.state_at(room, 2_999) end) == 1
    assert reads.(fn -> {:ok, _} = Room.diff(room, 1, 3_000) end) == 1
    assert reads.(fn -> {:ok, _} = Room.hashes(room, 500) end) == 1
    assert reads.(fn -> :same = Room.refold(room, @old) end) == 1
    {:ok, replay} = Room.replay(room, speed: 100, paused: true)
    assert reads.(fn -> :ok = Replay.seek(replay, 2_999) end) == 1
    assert reads.(fn -> :ok = Replay.resume(replay) end) == 0
  end
end
