defmodule Roomfold.EventStreamNodesTest do
  # A room's stream over several nodes.
  use Roomfold.ClusterCase

  alias Roomfold.{EventStream, Gathering, Nodes, Projector, Room, Rooms}

  @stream {EventStream.Group, Here}

  defp there(node, child), do: {:ok, _} = on(node, Nodes, :start_there, [child])

  test "subscribers and projectors of another node get what a room says, in order, and only once" do
    [one, two] = nodes = start_nodes(["one", "two"])
    connect(nodes)
    for node <- nodes, do: there(node, {EventStream.Group, name: Here})
    there(one, {Rooms, name: Place, stream: @stream, room: [tick_ms: 2]})
    topic = EventStream.topic("1")
    [here, away] = for node <- nodes, do: on(node, Gathering, :start, [@stream, topic])
    {:ok, projector} = there(two, {Projector, stream: @stream, topic: topic})
    eventually(fn -> length(on(one, :pg, :get_members, [Here, topic])) == 3 end)

    publish = fn n ->
      event = {"create", %{"entity_id" => "e#{n}", "components" => %{"n" => n}}}
      assert {:ok, ^n} = on(one, Room, :publish, [{Place, "1"}, event])
    end

    for n <- 1..50, do: publish.(n)
    # The room dies; who listens stays.
    true = on(one, Process, :exit, [on(one, Room, :whereis, [{Place, "1"}]), :kill])
    eventually(fn -> on(one, Room, :whereis, [{Place, "1"}]) == nil end)
    for n <- 51..100, do: publish.(n)

    for {node, pid} <- [{one, here}, {two, away}] do
      eventually(fn -> length(on(node, Gathering, :gathered, [pid])) == 100 end)
      seqs = for {"create", %{"seq" => seq}} <- on(node, Gathering, :gathered, [pid]), do: seq
      assert seqs == Enum.to_list(1..100)
    end

    eventually(fn -> on(two, Projector, :report, [projector]).folded == 100 end)
    assert on(two, Projector, :snapshot, [projector]) == on(one, Room, :snapshot, [{Place, "1"}])

    # Who is gone is no subscriber any more, and a room whom nobody hears makes no terms.
    :ok = on(two, Supervisor, :terminate_child, [Nodes.Supervisor, {Projector, {@stream, topic}}])
    for {node, pid} <- [{one, here}, {two, away}], do: on(node, Process, :exit, [pid, :kill])
    room = on(one, Room, :whereis, [{Place, "1"}])
    eventually(fn -> not on(one, EventStream.Group, :others?, [Here, room, topic]) end)
  end

  test "a room of another node is called by its process: joined, published to, read" do
    [one, two] = nodes = start_nodes(["one", "two"])
    connect(nodes)
    there(one, {Rooms, name: Place, room: [tick_ms: 2]})
    {:ok, room} = on(one, Room, :ensure_started, [{Place, "far"}])
    assert {:ok, %{frame: {:snapshot, _}}} = on(two, Room, :join, [room, "tom"])
    events = for n <- 1..1_500, do: {"create", %{"entity_id" => "e#{n}", "components" => %{}}}
    assert {:ok, [_ | _]} = on(two, Room, :publish, [room, events])
    # Also what is made beside a room that is near.
    assert on(two, Room, :snapshot, [room]) |> Map.delete("tom") |> map_size() == 1_500
    assert on(two, Room, :get, [room, "e7"]) == %{}
  end
end
