defmodule Roomfold.RoomSnapshotTest do
  # What a room keeps of its world in the log, so that its next start need not fold all of it.
  use Roomfold.RoomsCase, async: true

  alias Roomfold.EventLog

  defmodule Unlucky do
    # Snapshots fail, until there is a room "space", or are slow.
    use Roomfold.LogOver

    @impl true
    def put_snapshot(server, "fails", term, seq, data) do
      case head(server, "space") do
        {:ok, nil} -> {:error, Roomfold.Error.new(:log_full)}
        _ -> super(server, "fails", term, seq, data)
      end
    end

    def put_snapshot(server, "slow", term, 2, data) do
      Process.sleep(200)
      super(server, "slow", term, 2, data)
    end

    def put_snapshot(server, room, term, seq, data), do: super(server, room, term, seq, data)
  end

  defp place(opts) do
    {:ok, server} = start_supervised(EventLog.Memory)
    start_rooms(log: {:running, {Unlucky, server}}, room: [tick_ms: 2] ++ opts)
  end

  defp join(user), do: {"user_joined", %{"user_id" => user}}

  defp kept(rooms, id) do
    {:ok, {seq, _}} = EventLog.snapshot(Rooms.log(rooms), id)
    seq
  end

  @tag :capture_log
  test "one that no room has written is said to be damaged" do
    rooms = place([])

    for {id, bytes} <- [
          {"a", "the room at 1"},
          {"b", ~s({"users":[]}\n{"seq":1,"entities":{}})},
          {"c", ~s({"users":[],"last_at":0}\n{"seq":2,"entities":{}})},
          {"d", ~s([]\n{})}
        ] do
      {:ok, 1} = Room.publish({rooms, id}, join("tom"))
      {:ok, %{term: term}} = EventLog.head(Rooms.log(rooms), id)
      :ok = EventLog.put_snapshot(Rooms.log(rooms), id, term, 1, bytes)
      pid = Room.whereis({rooms, id})
      ref = Process.monitor(pid)
      Process.exit(pid, :kill)
      assert_receive {:DOWN, ^ref, _, _, _}

      assert {:error, %Error{reason: :log_damaged, message: message}} = Room.publish({rooms, id}, join("ann"))

      assert message =~ "room #{id}, snapshot of seq 1"
      assert {:error, %Error{reason: :log_damaged}} = Room.state_at({rooms, id}, 1)
    end
  end

  @tag :capture_log
  test "one that failed, or was left out because the log was slow, is made when the room stops" do
    rooms = place(snapshot_every: 2)

    for {id, count} <- [{"fails", 2}, {"slow", 4}, {"lucky", 4}] do
      for n <- 1..count, do: {:ok, ^n} = Room.publish({rooms, id}, join("u#{n}"))
      Process.sleep(50)
      {:ok, _} = EventLog.claim(Rooms.log(rooms), "space")
      Room.stop({rooms, id})
      assert {id, kept(rooms, id)} == {id, count}
    end
  end

  # So that a room whose clock was put back goes on from there.
  test "its time is not before the last event, nor that of what a log is read with, or of a fork" do
    rooms = start_rooms(room: [tick_ms: 1, snapshot_every: 0])
    log = Rooms.log(rooms)
    {:ok, 1} = Room.publish({rooms, "1"}, join("tom"))
    Process.sleep(5)
    {:ok, 2} = Room.publish({rooms, "1"}, join("ann"))
    {:ok, %{text: text}} = EventLog.read(log, "1", 1)

    assert [first, last] =
             for(line <- String.split(text, "\n", trim: true), do: Roomfold.JSON.decode!(line)["at"])

    assert first < last
    {:ok, head} = EventLog.head(log, "1")
    options = Rooms.options(rooms, "1", [])
    assert {:ok, _, %{last_at: ^last}} = Roomfold.Room.Recovery.newest(options, head)

    {:ok, _} = Room.fork({rooms, "1"}, 2, id: "fork")
    :ok = Room.stop({rooms, "1"})

    for id <- ["1", "fork"] do
      {:ok, {2, snapshot}} = EventLog.snapshot(log, id)
      [facts, _] = String.split(snapshot, "\n", parts: 2)
      # The room itself has looked at the clock once more, when the log had answered.
      assert Roomfold.JSON.decode!(facts)["last_at"] in last..(last + 60_000), id
    end
  end
end
