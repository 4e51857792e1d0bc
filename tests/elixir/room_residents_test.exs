defmodule Roomfold.RoomResidentsTest do
  # Who a room that comes back waits for, and says that they have left.
  use Roomfold.RoomsCase, async: true

  defp room(opts \\ []), do: {start_rooms(room: Keyword.merge([grace_ms: 100, tick_ms: 5], opts)), "1"}

  # As one connection, which ends.
  defp connect(room, user) do
    me = self()
    pid = spawn(fn -> send(me, {self(), Room.join(room, user)}) && Process.sleep(:infinity) end)
    assert_receive {^pid, {:ok, _}}
    eventually(fn -> Room.get(room, user) end)
    pid
  end

  defp crash(room) do
    pid = Room.whereis(room)
    ref = Process.monitor(pid)
    Process.exit(pid, :kill)
    assert_receive {:DOWN, ^ref, _, _, _}
  end

  # Soon, and still so long after the time of grace of a room that runs.
  defp assert_settled(room, expected, long \\ 400) do
    settled = fn -> {Room.snapshot(room), Room.info(room).users} end
    eventually(fn -> settled.() == expected end)
    Process.sleep(long)
    assert settled.() == expected
  end

  @tom {"user_joined", %{"user_id" => "tom"}}

  test "whom the server has made, and who never connected, stays: after a stop, and after a crash" do
    for ends <- [&Room.stop/1, &crash/1] do
      room = room()
      {:ok, 1} = Room.publish(room, @tom)
      ends.(room)
      assert Room.seq(room) == 1
      assert_settled(room, {%{"tom" => %{}}, []})
      # Once more, from what it has kept.
      ends.(room)
      assert_settled(room, {%{"tom" => %{}}, []})
      assert Room.seq(room) == 1
    end
  end

  test "who was connected is waited for, and has left if it does not come back" do
    for ends <- [&Room.stop/1, &crash/1] do
      room = room(grace_ms: 1_000)
      {:ok, 1} = Room.publish(room, @tom)
      ann = connect(room, "ann")
      ends.(room)
      assert Room.info(room).users == ["ann"]
      connect(room, "ann")
      Process.exit(ann, :kill)
      assert_settled(room, {%{"tom" => %{}, "ann" => %{}}, ["ann"]}, 1_300)

      ends.(room)
      assert Room.info(room).users == ["ann"]
      eventually(fn -> Room.snapshot(room) == %{"tom" => %{}} end)
      assert Room.info(room).users == []
    end
  end

  test "whom the server has made and who has connected since leaves after a stop; after a crash the room can't know it" do
    for {ends, users} <- [{&Room.stop/1, []}, {&crash/1, ["tom"]}] do
      room = room()
      {:ok, 1} = Room.publish(room, @tom)
      connect(room, "tom")
      ends.(room)
      assert_settled(room, {Map.new(users, &{&1, %{}}), []})
    end
  end

  defmodule Deletes do
    use Roomfold.Room
    @impl true
    def left("eve", _, _), do: []

    def left("bob", world, _),
      do: [{"delete", %{"entity_id" => World.get(world, "key")["of"] || raise("none")}}]

    def left(user, _, _), do: [{"delete", %{"entity_id" => user}}]
  end

  test "who has left by another event than user_left, or by none, does not leave again when the room comes back" do
    room = room(module: Deletes, grace_ms: 0)

    for user <- ["tom", "eve", "ann"] do
      pid = connect(room, user)
      Process.exit(pid, :kill)
      eventually(fn -> Room.info(room).users == [] end)
    end

    eventually(fn -> Room.seq(room) == 5 end)
    Room.stop(room)
    assert_settled(room, {%{"eve" => %{}}, []})
    assert Room.seq(room) == 5
  end

  @tag :capture_log
  test "whom the module has failed to let go leaves when the room comes back" do
    room = room(module: Deletes, grace_ms: 0)
    pid = connect(room, "bob")
    Process.exit(pid, :kill)
    eventually(fn -> Room.info(room).failed > 0 end)
    {:ok, 2} = Room.publish(room, {"create", %{"entity_id" => "key", "components" => %{"of" => "bob"}}})
    Room.stop(room)
    assert_settled(room, {%{"key" => %{"of" => "bob"}}, []})
  end

  defmodule Told do
    # Says who leaves, and has it leave as its parameter, or name, says.
    use Roomfold.Room
    @impl true
    def left(user, _, test) do
      send(test, {:left, user})
      if user == "eve", do: [], else: [{"delete", %{"entity_id" => user}}]
    end
  end

  test "who comes and goes within a tick has left once, by whatever event, also when the room comes back" do
    room = room(module: Told, args: self(), grace_ms: 0, tick_ms: 500)

    for user <- ["tom", "eve"] do
      {:ok, _} = Room.join(room, user)
      :ok = Room.leave(room)
      assert_receive {:left, ^user}
    end

    eventually(fn -> Room.seq(room) == 3 end)
    Room.stop(room)
    assert_settled(room, {%{"eve" => %{}}, []})
    assert Room.seq(room) == 3
    refute_received {:left, _}
  end

  test "who was there at a stop leaves once, though nothing of it is in the log" do
    room = room(module: Told, args: self(), grace_ms: 0)
    connect(room, "eve")
    Room.stop(room)
    _ = Room.seq(room)
    assert_receive {:left, "eve"}

    for _ <- 1..2 do
      Room.stop(room)
      assert_settled(room, {%{"eve" => %{}}, []})
    end

    refute_received {:left, _}
  end

  test "who has connected since the last snapshot is known after a stop, though the log is as it was" do
    room = room(snapshot_every: 1, grace_ms: 1_000)
    {:ok, 1} = Room.publish(room, @tom)
    connect(room, "tom")
    Room.stop(room)
    assert Room.info(room).users == ["tom"]
    assert_settled(room, {%{}, []})
  end

  test "who is back before its leaving is in the log is new after it, by whatever event it leaves" do
    {:ok, server} = start_supervised(Roomfold.EventLog.Memory)
    rooms = start_rooms(log: {:running, {Roomfold.EventLog.Memory, server}})
    room = {rooms, "1"}
    {:ok, _} = Room.ensure_started(room, module: Told, args: self(), tick_ms: 5)
    {:ok, _} = Room.join(room, "ann")
    eventually(fn -> Room.get(room, "ann") end)
    :sys.suspend(server)
    :ok = Room.leave(room)
    {:ok, _} = Room.join(room, "ann")
    :sys.resume(server)
    eventually(fn -> Room.seq(room) == 3 end)
    assert Room.get(room, "ann") == %{}
  end

  test "the event says it, of whom connects and of nobody else" do
    room = room()
    Room.subscribe(room)
    {:ok, 1} = Room.publish(room, @tom)
    connect(room, "ann")
    assert_receive {"user_joined", %{"user_id" => "tom"} = tom}
    assert_receive {"user_joined", %{"user_id" => "ann", "connected" => true, "by" => "server"}}
    refute is_map_key(tom, "connected")
  end

  test "who was connected to a room is not to its fork, and does not leave it" do
    room = {rooms, _} = room()
    connect(room, "ann")
    {:ok, fork} = Room.fork(room, 1)
    assert_settled(fork, {%{"ann" => %{}}, []})
    assert Room.seq(fork) == 1
    {:ok, empty} = Room.fork(room, 0, id: "empty")
    assert {empty, Room.snapshot(empty)} == {{rooms, "empty"}, %{}}
    # Somebody who connects to it is its own.
    pid = connect(fork, "tom")
    crash(fork)
    Process.exit(pid, :kill)
    eventually(fn -> Room.snapshot(fork) == %{"ann" => %{}} end)
  end

  @newer [rules_version: 2, grace_ms: 100, tick_ms: 5]

  test "so it is where the fork is opened with new rules, by which its snapshot's world is not used" do
    room = room()
    connect(room, "ann")
    {:ok, fork} = Room.fork(room, 1)
    {:ok, _} = Room.ensure_started(fork, @newer)
    assert_settled(fork, {%{"ann" => %{}}, []})
    assert Room.seq(fork) == 1
  end

  test "what a snapshot says of who was there holds for new rules, too, and what was said after it" do
    room = {rooms, id} = room(snapshot_every: 0, grace_ms: 400)
    {:ok, 1} = Room.publish(room, @tom)
    connect(room, "tom")
    Room.stop(room)
    # By the log alone, nobody has connected.
    log = Rooms.log(rooms)
    {:ok, head} = Roomfold.EventLog.head(log, id)
    ann = ~s({"event_name":"user_joined","user_id":"ann","connected":true,"seq":2,"at":9,"by":"server"})
    :ok = Roomfold.EventLog.append(log, id, head.term, 1, [ann])
    {:ok, _} = Room.ensure_started(room, Keyword.put(@newer, :grace_ms, 1_000))
    assert Room.info(room).users == ["ann", "tom"]
    assert_settled(room, {%{}, []})
  end
end
