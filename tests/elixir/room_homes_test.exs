defmodule Roomfold.RoomHomesTest do
  # Each node has a log of its own, and each room is at home on one of them: its past is there, and is read from everywhere.
  use Roomfold.ClusterCase, async: false

  alias Roomfold.{Error, Rules}
  alias Roomfold.Placement.{Global, Rendezvous}

  @moduletag :tmp_dir

  setup %{tmp_dir: folder} do
    nodes = start_nodes(["one", "two"])
    connect(nodes)
    log = if EventLog.SQLite.available?(), do: EventLog.SQLite, else: EventLog.Memory
    names = for node <- nodes, do: node.node
    placement = {Global, nodes: names}
    # Two rooms of each node.
    ids = for n <- 1..100, do: "room #{n}"
    by_home = Enum.group_by(ids, &Rendezvous.node_for(names, &1))
    ids = Enum.flat_map(names, &Enum.take(by_home[&1], 2))

    for %{node: name} = node <- nodes do
      opts =
        if log == EventLog.SQLite, do: [path: Path.join(folder, "#{name}.db"), name: Log], else: [name: Log]

      {:ok, _} = on(node, Nodes, :start_there, [{log, opts}])
      {:ok, _} = start_rooms(node, {log, Log}, placement: placement)
    end

    for node <- nodes, do: eventually(fn -> length(on(node, Cluster, :info, [rooms()]).nodes) == 2 end)

    for id <- ids do
      {:ok, _} = on(hd(nodes), Room, :ensure_started, [room(id), [rules_version: 3]])
      joined = for user <- ["tom", "ann"], do: {"user_joined", %{"user_id" => user}}
      {:ok, [1, 2]} = on(hd(nodes), Room, :publish, [room(id), joined])
    end

    {:ok, nodes: nodes, ids: ids}
  end

  defp stop_all(nodes, ids) do
    for id <- ids, do: :ok = on(hd(nodes), Room, :stop, [room(id)])
    for node <- nodes, id <- ids, do: eventually(fn -> on(node, Room, :whereis, [room(id)]) == nil end)
  end

  test "the past of a room is the same from every node, whether it runs or not", %{nodes: nodes, ids: ids} do
    nobody = Rules.new!(%{"user_joined" => []})

    for stopped <- [false, true] do
      if stopped, do: stop_all(nodes, ids)

      for id <- ids do
        [same, same] =
          for node <- nodes do
            assert on(node, Nodes, :before, [id, 1]) == %{"tom" => %{}}
            assert {:ok, %{"creates" => %{"ann" => %{}}}} = on(node, Room, :diff, [room(id), 1, 2])
            assert {:different, %{seq: 1}} = on(node, Room, :refold, [room(id), nobody])
            assert on(node, Nodes, :played, [id, 2]) == %{"tom" => %{}, "ann" => %{}}
            assert {:ok, [{1, _}, {2, _}] = hashes} = on(node, Room, :hashes, [room(id), 1])
            hashes
          end
      end
    end
  end

  test "a fork is in the log of its own home", %{nodes: [one, two] = nodes, ids: ids} do
    for id <- ids, node <- nodes do
      assert {:ok, fork} = on(node, Room, :fork, [room(id), 1])
      for asked <- nodes, do: assert(on(asked, Room, :snapshot, [fork]) == %{"tom" => %{}})
      assert {:ok, 2} = on(two, Room, :publish, [fork, {"user_left", %{"user_id" => "tom"}}])
      # With the options of the original, which are no longer those of the place.
      assert %{rules_version: 3} = on(one, GenServer, :call, [on(one, Room, :whereis, [fork]), :options])
    end
  end

  test "while its home is away so is its past", %{nodes: [one, two] = nodes, ids: ids} do
    stop_all(nodes, ids)
    stop_nodes([two])
    eventually(fn -> length(on(one, Cluster, :info, [rooms()]).nodes) == 1 end)
    answers = for id <- ids, do: on(one, Room, :diff, [room(id), 1, 2])
    assert Enum.any?(answers, &match?({:ok, _}, &1))
    for {:error, error} <- answers, do: assert(%Error{reason: :node_away} = error)
    assert Enum.any?(answers, &match?({:error, _}, &1))
  end
end
