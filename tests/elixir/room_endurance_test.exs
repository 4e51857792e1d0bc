defmodule Roomfold.RoomEnduranceTest do
  # Mistakes of others that must not end a room.
  use Roomfold.RoomsCase, async: true

  alias Roomfold.{Error, Replay, Rules, Session, Wire}

  @moduletag :capture_log

  defmodule Careless do
    use Roomfold.Room
    # An error without a message, as only a hand-made one is.
    @impl true
    def authorize({_, %{"pose" => "no"}}, _, _, _), do: {:error, %Error{reason: :not_allowed}}
    def authorize(_, _, _, _), do: :ok
    @impl true
    def joined(user, _, _, _), do: [{"user_joined", {:json, 5}}, {"user_joined", %{"user_id" => user}}]
  end

  defmodule Folds do
    @behaviour Roomfold.Room.System
    @impl true
    def init(_, world, _) do
      {:error, %Error{reason: :not_supported}} = World.fold(world, [{"user_joined", %{"user_id" => "it"}}])
      nil
    end

    @impl true
    def tick(_, _, state), do: {[], state}
  end

  defmodule Packs do
    @behaviour Roomfold.Room.System
    @impl true
    def init(_, _, _), do: nil
    @impl true
    def tick(_, _, state), do: {[{"user_joined", {:json, 5}}], state}
    @impl true
    def prepares, do: ["user_moved"]
    @impl true
    def prepare(_, _, _), do: {:packed, "frame"}
  end

  @tom {"user_joined", %{"user_id" => "tom"}}

  test "who joins while the server's frames wait" do
    {:ok, room} = Room.start_link(id: "frames", rooms: nil, tick_ms: 2_000)
    {:ok, 1} = Room.publish(room, @tom)
    connected(room, "ann")
    {:ok, frame} = Wire.encode_events([{"user_moved", %{"user_id" => "tom", "pose" => "sits"}}])
    Room.publish_async(room, [{:packed, frame}], by: :server)
    Room.publish_async(room, [{:json, "no text of an event"}], by: :server)
    assert {:ok, %{users: ["ann", "tom"]}} = Room.join(room, "tom")
    assert Process.alive?(room)
  end

  test "what a module says that is no event, and an error of its own without a message" do
    {:ok, room} = Room.start_link(id: "careless", rooms: nil, module: Careless, tick_ms: 5)
    {:ok, _} = Room.join(room, "tom")
    eventually(fn -> Room.get(room, "tom") == %{} end)
    move = fn pose -> {"user_moved", %{"user_id" => "tom", "pose" => pose}} end

    assert {:error, %Error{reason: :not_allowed, index: 1, message: "event 1: " <> _}} =
             Room.publish(room, [move.("sits"), move.("no")], by: "tom")

    assert Room.info(room).refused == 1
    assert Process.alive?(room)
  end

  test "a system that folds the world when it starts, says what is no event, or makes a frame of one" do
    {:ok, room} = Room.start_link(id: "systems", rooms: nil, systems: [Folds, Packs], tick_ms: 5)
    {:ok, seq} = Room.publish(room, @tom)

    assert {:error, %Error{reason: :not_an_event}} =
             Room.publish(room, {"user_moved", %{"user_id" => "tom", "pose" => "sits"}}, by: "tom")

    eventually(fn -> Room.info(room).refused > 1 end)
    assert Room.seq(room) == seq
    assert Process.alive?(room)
  end

  test "calls and messages that are for others" do
    {:ok, room} = Room.start_link(id: "others", rooms: nil)
    assert {:error, %Error{reason: :not_supported, detail: "this is a live room"}} = Replay.pause(room)

    for ask <- [&Replay.info/1, &Replay.where/1],
        do: assert_raise(Error, "this is not supported: this is a live room", fn -> ask.(room) end)

    assert {:error, %Error{reason: :not_supported}} = Replay.seek(room, 0)
    GenServer.cast(room, :nothing)
    for message <- [{nil, :answer}, {make_ref(), :answer}, :nothing, {:wake, nil}], do: send(room, message)
    assert Room.seq(room) == 0
  end

  test "who is waited for is known after a crash also where upcasters write events anew" do
    rooms = start_rooms(room: [grace_ms: 5_000, tick_ms: 5, upcasters: [& &1], rules: Rules.xr()])
    session = Session.new(room: {rooms, "old"}, user: "tom")
    {:ok, _, _, _} = Session.join(session, %{"format" => "json"})
    eventually(fn -> Room.get({rooms, "old"}, "tom") == %{} end)
    pid = Room.whereis({rooms, "old"})
    monitor = Process.monitor(pid)
    Process.exit(pid, :kill)
    assert_receive {:DOWN, ^monitor, _, _, _}
    assert Room.info({rooms, "old"}).users == ["tom"]
  end

  defp connected(room, user) do
    me = self()
    spawn_link(fn -> send(me, Room.join(room, user)) && Process.sleep(:infinity) end)
    assert_receive {:ok, %{users: _}}
  end
end
