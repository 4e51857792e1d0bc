defmodule Roomfold.RoomDiskTest do
  # What a room does when the disk below its log says no: publishers are told, the room is as it was, and goes on when it can.
  use Roomfold.SQLiteCase, async: true

  import Roomfold.Eventually
  import Roomfold.RoomsCase
  alias Roomfold.{Error, EventLog, Room, Rooms, World}

  @moduletag :closed
  # Snapshots that could not be kept are warned of.
  @moduletag :capture_log

  defp rooms(path, opts \\ []) do
    log = {EventLog.SQLite, Keyword.merge([path: path, busy_timeout: 50], opts)}
    start_rooms(log: log, room: [tick_ms: 2, snapshot_every: 0, idle_ms: :infinity])
  end

  defp create(id, components \\ %{}), do: {"create", %{"entity_id" => id, "components" => components}}

  # What a disk answers is asked, not how fast a busy machine does: after five seconds the answer would be `:overloaded`.
  defp publish(room, event), do: Room.publish(room, event, timeout: 60_000)

  # Publishes until it is refused: the error, and how many went in.
  defp until_refused(room, n \\ 1) do
    case publish(room, create("e#{n}", %{"text" => String.duplicate("x", 8_000)})) do
      {:ok, ^n} -> until_refused(room, n + 1)
      {:error, error} -> {error, n - 1}
    end
  end

  # The room knows what its log says, and nothing else.
  defp assert_consistent(rooms, id, seq) do
    assert Room.seq({rooms, id}) == seq
    {:ok, world} = Room.state_at({rooms, id}, seq)
    assert Room.snapshot({rooms, id}) == World.snapshot(world)
    assert {:ok, _} = EventLog.verify(Rooms.log(rooms), id)
  end

  test "more in one tick than the log takes at once keeps nobody's events out", %{path: path} do
    room = {start_rooms(log: {EventLog.SQLite, path: path}, room: [tick_ms: 300]), "1"}
    {:ok, _} = Room.join(room, "tom")
    eventually(fn -> Room.get(room, "tom") end)
    text = String.duplicate("x", 15_000)
    many = fn name, count -> for n <- 1..count, do: create("#{name}#{n}", %{"text" => text}) end
    # Three times 6 MB, and one that is too large by itself.
    large =
      for name <- ["a", "b", "c"],
          do: Task.async(fn -> Room.publish(room, many.(name, 400), timeout: 60_000) end)

    too_large = Task.async(fn -> Room.publish(room, many.("d", 1_200), timeout: 60_000) end)

    move = fn n -> {"user_moved", %{"user_id" => "tom", "position" => [n, 0, 0]}} end
    assert {:ok, _} = Room.publish(room, move.(1), by: "tom", timeout: 60_000)
    for task <- large, do: assert({:ok, [_ | _]} = Task.await(task, 60_000))
    assert {:error, %Error{reason: :too_large}} = Task.await(too_large, 60_000)
    assert {:ok, seq} = Room.publish(room, move.(2), by: "tom", timeout: 60_000)
    assert Room.seq(room) == seq
    {:ok, world} = Room.state_at(room, seq)
    assert World.snapshot(world) == Room.snapshot(room)
    assert World.count(world) == 1_201
  end

  test "a full disk", %{folder: folder} do
    as_root(fn ->
      with {:ok, place} <- mount(folder, "size=2m") do
        rooms = rooms(Path.join(place, "rooms.db"))
        {:ok, 1} = publish({rooms, "other"}, create("a"))
        pid = Room.whereis({rooms, "other"})
        {error, last} = until_refused({rooms, "1"})
        assert error.reason == :log_full
        assert last > 0
        assert_consistent(rooms, "1", last)

        # Everybody else is told as well, and nobody has crashed.
        assert {:error, %Error{reason: :log_full}} =
                 publish({rooms, "other"}, create("b", %{"text" => String.duplicate("x", 12_000)}))

        assert Room.whereis({rooms, "other"}) == pid

        # Room is made, and it goes on where it was.
        {_, 0} = System.cmd("mount", ["-o", "remount,size=16m", place])
        seq = last + 1
        assert {:ok, ^seq} = publish({rooms, "1"}, create("late"))
        assert_consistent(rooms, "1", seq)
        assert {:ok, 2} = publish({rooms, "other"}, create("b"))
      end
    end)
  end

  test "a database that may not grow", %{path: path} do
    rooms = rooms(path, max_bytes: 300_000)
    {error, last} = until_refused({rooms, "1"})
    assert error.reason == :log_full
    assert_consistent(rooms, "1", last)
    # What still fits is served.
    seq = last + 1
    assert {:ok, ^seq} = publish({rooms, "1"}, create("small"))
    assert_consistent(rooms, "1", seq)
  end

  test "a locked database", %{path: path} do
    with_shell(fn ->
      rooms = rooms(path)
      room = {rooms, "1"}
      {:ok, 1} = publish(room, create("a"))
      {_, _, session} = join!(room, "tom")
      eventually(fn -> Room.get(room, "tom") end)
      unlock = lock_database(path)

      assert {:error, %Error{reason: :log_locked}} = publish(room, create("b"))
      {[], session} = Roomfold.Session.input(session, "user_moved", %{"user_id" => "tom", "pose" => "x"}, "1")
      {{:error, %{"reason" => "log_locked"}}, session} = await(session, reply("1"))
      assert {:ok, world} = Room.state_at(room, 2)
      assert World.snapshot(world) == Room.snapshot(room)
      # A room that has yet to claim its log can't.
      assert {:error, %Error{reason: :log_locked}} = publish({rooms, "new"}, create("a"))

      unlock.()
      {[], session} = Roomfold.Session.input(session, "user_moved", %{"user_id" => "tom", "pose" => "y"}, "2")
      assert {{:ok, %{"seq" => 3}}, _} = await(session, reply("2"))
      assert {:ok, 1} = publish({rooms, "new"}, create("a"))
      assert_consistent(rooms, "1", 3)
    end)
  end

  test "a folder that may only be read: the place for rooms says so, and starts when it may write", %{
    folder: folder
  } do
    as_root(fn ->
      with {:ok, place} <- mount(folder, "size=4m") do
        path = Path.join(place, "rooms.db")
        rooms = rooms(path)
        {:ok, 1} = Room.publish({rooms, "1"}, create("a"))
        stop_supervised!(rooms)
        {_, 0} = System.cmd("mount", ["-o", "remount,ro", place])
        Process.flag(:trap_exit, true)

        assert {:error, {:shutdown, {:failed_to_start_child, _, %Error{reason: :log_readonly}}}} =
                 Rooms.start_link(
                   name: :rooms_on_a_read_only_disk,
                   log: {EventLog.SQLite, path: path, busy_timeout: 50}
                 )

        {_, 0} = System.cmd("mount", ["-o", "remount,rw", place])
        rooms = rooms(path)
        assert {:ok, 2} = Room.publish({rooms, "1"}, create("b"))
        assert_consistent(rooms, "1", 2)
      end
    end)
  end

  @tag :capture_log
  test "a log whose process dies: an error, then a new life of room and log", %{path: path} do
    rooms = rooms(path, busy_timeout: 5_000)
    {:ok, 1} = Room.publish({rooms, "1"}, create("a"))
    {_, log} = Rooms.log(rooms)
    Process.exit(Process.whereis(log), :kill)

    # Whoever asks meanwhile gets an error, and what was acknowledged is there.
    eventually(fn ->
      try do
        match?({:ok, _}, Room.publish({rooms, "1"}, create("b")))
      rescue
        ArgumentError -> false
      catch
        :exit, _ -> false
      end
    end)

    assert %{"a" => _, "b" => _} = Room.snapshot({rooms, "1"})
    assert_consistent(rooms, "1", Room.seq({rooms, "1"}))
  end

  test "a place that is stopped: what waits is answered, and a snapshot kept", %{path: path} do
    rooms = start_rooms(log: {EventLog.SQLite, path: path}, room: [tick_ms: 60_000, snapshot_every: 0])

    refs =
      for id <- ["1", "2", "3"], n <- 1..5 do
        {:ok, pid} = Room.ensure_started({rooms, id})
        # The first of them goes at once, the others wait for a tick that is far away.
        Room.publish_async(pid, [create("e#{n}")], [])
      end

    for id <- ["1", "2", "3"], do: eventually(fn -> Room.info({rooms, id}).queued == 4 end)
    stop_supervised!(rooms)
    answers = for ref <- refs, do: receive(do: ({^ref, answer} -> answer))
    assert Enum.sort(answers) == Enum.sort(for(_ <- 1..3, n <- 1..5, do: {:ok, [n]}))

    log = open(path, busy_timeout: 5_000)
    for id <- ["1", "2", "3"], do: assert({:ok, {5, _}} = EventLog.snapshot(log, id))
  end
end
