defmodule Roomfold.ClusterTest do
  use Roomfold.ClusterCase, async: false

  @moduletag :tmp_dir

  setup do
    nodes = start_nodes(["log", "one", "two"])
    [log_node | others] = nodes
    {:ok, nodes: nodes, log_node: log_node, others: others}
  end

  # Three nodes: one has the log, the others the rooms.
  defp start_all(context, opts \\ []) do
    connect(context.nodes)
    log = start_log(context.log_node, Path.join(context.tmp_dir, "rooms.db"))
    for node <- context.others, do: {:ok, _} = start_rooms(node, log, opts)

    for node <- context.others,
        do: eventually(fn -> length(on(node, Cluster, :info, [rooms()]).nodes) == 2 end)

    log
  end

  defp publish(node, id, event, opts \\ []),
    do: on(node, Room, :publish, [room(id), event, [timeout: 30_000] ++ opts])

  defp node_of(pid), do: node(pid)

  test "a room is found from every node, and rooms are spread", context do
    start_all(context)
    [one, two] = context.others

    homes =
      for number <- 1..12, id = "room #{number}" do
        assert {:ok, 1} = publish(one, id, {"user_joined", %{"user_id" => "tom"}})

        assert {:ok, 2} =
                 publish(two, id, {"user_moved", %{"user_id" => "tom", "position" => [1, 2, 3]}}, by: "tom")

        assert on(one, Room, :get, [room(id), "tom"]) == %{"position" => [1.0, 2.0, 3.0]}
        pid = on(one, Room, :whereis, [room(id)])
        assert pid == on(two, Room, :whereis, [room(id)])

        # What is no process can be had on the room's own node only.
        for node <- [one, two] do
          assert {:ok, joined} = on(node, Room, :join, [room(id), "ann"])
          assert is_map_key(joined, :inbox) == (node.node == node_of(pid))
        end

        node_of(pid)
      end

    assert Enum.sort(Enum.uniq(homes)) == Enum.sort([one.node, two.node])
    assert on(two, Nodes, :before, ["room 1", 1]) == %{"tom" => %{}}
  end

  test "a node that has missed a room's name gets to know it; the room goes on as it was", context do
    start_all(context)
    [one, _] = context.others
    {:ok, 1} = publish(one, "r", {"user_joined", %{"user_id" => "tom"}})
    {home, away} = home_and_away(context, "r")
    %{term: term} = on(home, Room, :info, [room("r")])
    pid = on(home, Room, :whereis, [room("r")])

    name = {Roomfold.Placement.Global, rooms(), "r"}
    :ok = on(away, GenServer, :call, [:global_name_server, {:unregister, name}])
    assert on(away, :global, :whereis_name, [name]) == :undefined
    # Until then its home is asked.
    for node <- [home, away], do: assert(on(node, Room, :whereis, [room("r")]) == pid)
    eventually(fn -> on(away, :global, :whereis_name, [name]) == pid end)
    assert on(away, Room, :info, [room("r")]).term == term

    # Its own node too. Nobody waits for its turn to come a second time.
    for node <- context.others,
        do: :ok = on(node, GenServer, :call, [:global_name_server, {:unregister, name}])

    on(home, Kernel, :send, [Module.concat(rooms(), Names), :say])

    for node <- [away, home], do: eventually(fn -> on(node, :global, :whereis_name, [name]) == pid end)
  end

  test "a room whose name a node has missed is stopped from there, too", context do
    start_all(context)
    {:ok, 1} = publish(hd(context.others), "r", {"user_joined", %{"user_id" => "tom"}})
    {home, away} = home_and_away(context, "r")
    pid = on(home, Room, :whereis, [room("r")])
    name = {Roomfold.Placement.Global, rooms(), "r"}
    :ok = on(away, GenServer, :call, [:global_name_server, {:unregister, name}])
    assert on(away, Room, :stop, [room("r")]) == :ok
    refute on(home, Process, :alive?, [pid])
  end

  test "a node that is drained hands its rooms over: no gap, nothing lost, nothing twice", context do
    start_all(context)
    [one, _] = context.others
    {:ok, 1} = publish(one, "r", {"user_joined", %{"user_id" => "tom"}})
    {home, away} = home_and_away(context, "r")

    {:ok, client} = on(away, Client, :start, [room("r"), "watcher"])
    {:ok, writer} = on(away, Writer, :start, [room("r"), "tom"])
    more(away, writer)
    assert {:ok, count} = on(home, Rooms, :drain, [rooms()])
    assert count >= 1
    eventually(fn -> (pid = on(away, Room, :whereis, [room("r")])) && node_of(pid) == away.node end)
    more(away, writer)
    finished = on(away, Writer, :stop, [writer])
    assert finished.errors == %{}
    check(context, away, client, finished)
    # Asked from the drained node it is the same room.
    assert node_of(on(home, Room, :whereis, [room("r")])) == away.node
  end

  test "a node that ends by itself hands its rooms over", context do
    start_all(context)
    [one, _] = context.others
    {:ok, 1} = publish(one, "r", {"user_joined", %{"user_id" => "tom"}})
    {home, away} = home_and_away(context, "r")
    {:ok, writer} = on(away, Writer, :start, [room("r"), "tom"])
    {:ok, client} = on(away, Client, :start, [room("r"), "watcher"])
    more(away, writer)
    stop_rooms(home)
    more(away, writer)
    finished = on(away, Writer, :stop, [writer])
    check(context, away, client, finished)
  end

  test "a node that is killed: its rooms come back elsewhere", context do
    start_all(context)
    [one, _] = context.others
    {:ok, 1} = publish(one, "r", {"user_joined", %{"user_id" => "tom"}})
    {home, away} = home_and_away(context, "r")
    {:ok, client} = on(away, Client, :start, [room("r"), "watcher"])
    {:ok, writer} = on(away, Writer, :start, [room("r"), "tom"])
    more(away, writer)
    signal(home, "KILL")
    eventually(fn -> (pid = on(away, Room, :whereis, [room("r")])) && node_of(pid) == away.node end)
    more(away, writer)
    check(context, away, client, on(away, Writer, :stop, [writer]))
  end

  test "who can't reach the log stops its rooms and tells its clients; when the net is whole again all is well",
       context do
    start_all(context)
    [one, _] = context.others
    {:ok, 1} = publish(one, "r", {"user_joined", %{"user_id" => "tom"}})
    {home, away} = home_and_away(context, "r")
    rest = context.nodes -- [home]

    {:ok, inside} = on(home, Client, :start, [room("r"), "inside"])
    {:ok, outside} = on(away, Client, :start, [room("r"), "outside"])
    {:ok, writer} = on(away, Writer, :start, [room("r"), "tom"])
    more(away, writer)
    old = on(home, Room, :info, [room("r")]).term

    split([home], rest)
    eventually(fn -> on(home, Rooms, :running, [rooms()]) == [] end)
    assert {:error, error} = publish(home, "r", {"user_moved", %{"user_id" => "inside"}}, by: "inside")
    assert error.reason in [:log_failed, :node_away]
    eventually(fn -> (pid = on(away, Room, :whereis, [room("r")])) && node_of(pid) == away.node end)
    assert on(away, Room, :info, [room("r")]).term > old
    eventually(fn -> on(home, Client, :report, [inside]).closed != [] end)

    heal([home], rest)
    eventually(fn -> on(home, Client, :report, [inside]).joined end)
    more(away, writer)
    finished = on(away, Writer, :stop, [writer])
    check(context, away, outside, finished)
    check(context, home, inside, finished)
  end

  test "a frozen node that thaws finds that its term is old", context do
    start_all(context)
    [one, _] = context.others
    {:ok, 1} = publish(one, "r", {"user_joined", %{"user_id" => "tom"}})
    pid = on(one, Room, :whereis, [room("r")])
    {home, away} = home_and_away(context, "r")

    signal(home, "STOP")
    # Nobody waits for the net's own timeout: as if it had noticed.
    for node <- [away, context.log_node], do: on(node, Node, :disconnect, [home.node])
    # Away from the frozen node nobody connects to it again before it thaws.
    for node <- [away, context.log_node], do: on(node, Node, :set_cookie, [home.node, :split])

    assert {:ok, seq} =
             publish(away, "r", {"user_moved", %{"user_id" => "tom", "position" => [5, 5, 5]}}, by: "tom")

    signal(home, "CONT")
    for node <- [away, context.log_node], do: on(node, Node, :set_cookie, [home.node, :roomfold])
    connect(context.nodes)
    eventually(fn -> on(home, Process, :alive?, [pid]) == false end)

    assert {:ok, next} =
             publish(home, "r", {"user_moved", %{"user_id" => "tom", "position" => [6, 5, 5]}}, by: "tom")

    assert next == seq + 1
  end

  test "a node with other rules is refused, says why, and may join when it agrees", context do
    log = start_all(context)
    [one, two] = context.others
    stop_rooms(two)
    {:ok, _} = start_rooms(two, log, rules_version: 2)
    eventually(fn -> on(two, Cluster, :info, [rooms()]).status == :refused end)
    assert on(two, Cluster, :info, [rooms()]).reason =~ "differ: rules"
    # Its own room would be made by it, if it were asked for one that nobody has.
    assert {:error, error} = publish(two, "new", {"user_joined", %{"user_id" => "tom"}})
    assert error.reason == :node_refused
    assert error.message =~ "differ: rules"
    assert on(one, Cluster, :info, [rooms()]).nodes == [one.node]
    assert [{node, _}] = on(one, Cluster, :info, [rooms()]).refused
    assert node == two.node
    assert {:ok, 1} = publish(one, "new", {"user_joined", %{"user_id" => "tom"}})
  end

  test "a node with another cookie never gets in", context do
    start_all(context)
    [stranger] = start_nodes(["stranger"], cookie: "other")
    [one, _] = context.others
    assert on(stranger, Node, :connect, [one.node]) in [false, :ignored]
    assert length(on(one, Cluster, :info, [rooms()]).nodes) == 2
  end

  # Until so many more were acknowledged.
  defp more(node, writer) do
    count = on(node, Writer, :count, [writer])
    eventually(fn -> on(node, Writer, :count, [writer]) >= count + 10 end)
  end

  # Seqs without a gap, every acknowledged event at its seq, the client's world that of the log.
  defp check(context, node, client, finished) do
    log = shared_log(context.log_node)
    assert length(finished.acknowledged) > 10
    {:ok, %{seq: seq}} = on(node, EventLog, :head, [log, "r"])
    records = on(node, Nodes, :records, [log, "r"])
    assert Enum.map(records, & &1["seq"]) == Enum.to_list(1..seq)
    by_seq = Map.new(records, &{&1["seq"], &1})
    for {seq, number} <- finished.acknowledged, do: assert(by_seq[seq]["position"] == [number, 0, 0])
    numbers = for %{"event_name" => "user_moved", "position" => [number | _]} <- records, do: number
    assert numbers == Enum.sort(Enum.uniq(numbers))

    report =
      eventually(fn -> (report = on(node, Client, :report, [client])) && report.seq == seq && report end)

    assert report.faults == []
    assert report.world == on(node, Nodes, :fold, [log, "r", Roomfold.Rules.xr()])
  end
end
