defmodule Roomfold.RoomsOwnTest do
  use Roomfold.RoomsCase, async: true

  alias Roomfold.{EventLog, Replay, Rules}
  alias Roomfold.Rooms.Own

  defmodule Named do
    use Roomfold.Room
  end

  @rules Rules.new!(%{"spawned" => [{:create, "id", %{"points" => {:field, "points"}}}]})
  @spawned %{"tom" => %{"points" => 3}}

  defp spawned(rooms, id \\ "own", opts \\ [rules: @rules]) do
    {:ok, _} = Room.ensure_started({rooms, id}, opts)
    {:ok, 1} = Room.publish({rooms, id}, {"spawned", %{"id" => "tom", "points" => 3}})
    {rooms, id}
  end

  defp gone(room), do: eventually(fn -> Room.whereis(room) == nil end)

  test "an idle room comes back as it was" do
    room = spawned(start_rooms(), "own", rules: @rules, idle_ms: 20, tick_ms: 2)
    gone(room)
    assert Room.snapshot(room) == @spawned
    gone(room)
    assert {:ok, 2} = Room.publish(room, {"spawned", %{"id" => "ann", "points" => 1}})
  end

  test "so does one that crashes, one that was stopped, and one under a supervisor of one's own" do
    rooms = start_rooms(room: [tick_ms: 2])
    room = spawned(rooms)
    Process.exit(Room.whereis(room), :kill)
    gone(room)
    assert Room.snapshot(room) == @spawned
    Room.stop(room)
    assert Room.snapshot(room) == @spawned

    {:ok, pid} = Room.start_link(id: "linked", rooms: rooms, rules: @rules)
    {:ok, 1} = Room.publish(pid, {"spawned", %{"id" => "tom", "points" => 3}})
    Process.unlink(pid)
    Room.stop(pid)
    assert Room.snapshot({rooms, "linked"}) == @spawned
  end

  test "its past is read as it would be, whether it runs or not; so are its forks" do
    room = spawned(start_rooms(room: [tick_ms: 2]))

    for stopped <- [false, true] do
      if stopped, do: Room.stop(room)
      assert {:ok, world} = Room.state_at(room, 1)
      assert World.snapshot(world) == @spawned
      assert Room.refold(room, @rules) == :same
      assert {:different, %{seq: 1}} = Room.refold(room, Rules.xr())
      {:ok, replay} = Room.replay(room, paused: true)
      :ok = Replay.seek(replay, 1)
      assert Room.snapshot(replay) == @spawned

      {:ok, fork} = Room.fork(room, 1)
      assert Room.snapshot(fork) == @spawned
      Room.stop(fork)
      {:ok, again} = Room.fork(fork, 1)
      assert Room.snapshot(again) == @spawned
    end
  end

  test "until it is started with others; one that runs goes on as it is" do
    room = spawned(start_rooms(room: [tick_ms: 2]))
    {:ok, pid} = Room.ensure_started(room, rules: Rules.xr())
    assert Room.snapshot(room) == @spawned
    Room.stop(room)

    warning =
      ExUnit.CaptureLog.capture_log(fn ->
        assert {:ok, other} = Room.ensure_started(room, rules: Rules.xr(), rules_version: 2)
        assert other != pid
      end)

    assert warning =~ ~r/rules_version 2.* refuse what is in its log/
    assert Room.snapshot(room) == %{}
    Room.stop(room)
    assert Room.snapshot(room) == %{}
  end

  test "not when it could not start with them, nor of a room that the log does not have" do
    rooms = start_rooms(room: [tick_ms: 2])
    room = spawned(rooms)
    Room.stop(room)
    raises = fn _ -> raise "no" end

    ExUnit.CaptureLog.capture_log(fn ->
      assert {:error, %Error{}} =
               Room.ensure_started(room, rules: @rules, rules_version: 2, upcasters: [raises])
    end)

    assert Room.snapshot(room) == @spawned
    Room.stop(room)
    :ok = EventLog.delete(Rooms.log(rooms), "own")
    {:ok, 1} = Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
    assert Own.get(rooms, "own") == []

    unlogged = start_rooms(log: nil)
    room = spawned(unlogged)
    Room.stop(room)
    assert {:error, %Error{reason: :unknown_event}} = Room.publish(room, {"spawned", %{"id" => "tom"}})
  end

  test "a fork has none that another room of its id was given" do
    rooms = start_rooms(room: [tick_ms: 2])
    old = spawned(rooms, "f", rules: @rules, tick_ms: 99)
    Room.stop(old)
    :ok = EventLog.delete(Rooms.log(rooms), "f")
    {:ok, 1} = Room.publish({rooms, "b"}, {"user_joined", %{"user_id" => "tom"}})
    {:ok, fork} = Room.fork({rooms, "b"}, 1, id: "f")
    assert Rooms.options(rooms, "f", []).tick_ms == 2
    assert Room.snapshot(fork) == %{"tom" => %{}}
  end

  test "a fork of a room that was given no module has none, whatever the place has" do
    rooms = start_rooms(room: [module: Named, tick_ms: 2])
    {:ok, _} = Room.ensure_started({rooms, "b"}, module: nil)
    {:ok, 1} = Room.publish({rooms, "b"}, {"user_joined", %{"user_id" => "tom"}})
    {:ok, {_, id}} = Room.fork({rooms, "b"}, 1)
    assert Rooms.options(rooms, id, []).module == nil
    assert Rooms.options(rooms, "other", []).module == Named
  end

  test "a log that ends takes nobody's options with it" do
    rooms = start_rooms(room: [tick_ms: 2])
    {_, log} = Rooms.log(rooms)
    spawned(rooms)
    Process.exit(Process.whereis(log), :kill)
    eventually(fn -> Process.whereis(log) && Process.whereis(Module.concat(rooms, Registry)) end)
    assert Own.get(rooms, "own") == [rules: @rules]
  end

  test "so many are remembered, and so much; the oldest are forgotten first" do
    rooms = start_rooms()
    for n <- 1..10_001, do: Own.put(rooms, "#{n}", idle_ms: n)
    assert Own.get(rooms, "1") == []
    assert Own.get(rooms, "2") == [idle_ms: 2]
    Own.put(rooms, "2", idle_ms: 0)
    Own.put(rooms, "10002", idle_ms: 0)
    assert Own.get(rooms, "3") == []
    assert Own.get(rooms, "2") == [idle_ms: 0]

    # Terms of 8 MB.
    for n <- 1..20, do: Own.put(rooms, "large #{n}", args: Enum.to_list(1..500_000))
    assert Own.get(rooms, "2") == []
    assert Own.get(rooms, "large 12") == []
    assert [args: [_ | _]] = Own.get(rooms, "large 20")
  end

  test "what counts is all that they hold, binaries too; who is forgotten or given others makes room" do
    rooms = start_rooms()
    megabyte = fn n -> [args: :binary.copy(<<n>>, 1_000_000)] end
    for n <- 1..100, do: Own.put(rooms, "#{n}", megabyte.(n))
    known = fn -> for n <- 1..100, Own.get(rooms, "#{n}") != [], do: n end
    assert known.() == Enum.to_list(34..100)
    for _ <- 1..100, do: Own.put(rooms, "100", megabyte.(0))
    for n <- 40..60, do: Own.delete(rooms, "#{n}")
    for n <- 1..20, do: Own.put(rooms, "#{n}", megabyte.(n))
    assert known.() == Enum.to_list(1..20) ++ Enum.to_list(34..39) ++ Enum.to_list(61..100)
    Own.put(rooms, "large", args: :binary.copy("x", 70_000_000))
    assert known.() == []
    assert Own.get(rooms, "large") == []
    Own.put(rooms, "1", megabyte.(1))
    assert known.() == [1]
  end
end
