defmodule Roomfold.ClusterMeetingTest do
  # Nodes that have just met: they know of each other, but not yet which rooms the other one has.
  use Roomfold.ClusterCase, async: false

  alias Roomfold.Placement.Rendezvous

  @moduletag :tmp_dir

  # A room that runs on the first node, and would be placed on the second if it did not run. They meet, but exchange their names only when the
  # function that is returned is called.
  setup context do
    [one, two] = start_nodes(["one", "two"])
    log = start_log(one, Path.join(context.tmp_dir, "rooms.db"))
    {:ok, _} = start_rooms(one, log)

    id =
      Enum.find(for(n <- 1..100, do: "r#{n}"), &(Rendezvous.node_for([one.node, two.node], &1) == two.node))

    assert {:ok, 1} = on(one, Room, :publish, [room(id), {"user_joined", %{"user_id" => "tom"}}])
    pid = on(one, Room, :whereis, [room(id)])

    :ok = on(one, :sys, :suspend, [:global_name_server])
    connect([two], [one])
    {:ok, _} = start_rooms(two, log)
    for node <- [one, two], do: eventually(fn -> length(on(node, Cluster, :info, [rooms()]).nodes) == 2 end)
    exchange = fn -> :ok = on(one, :sys, :resume, [:global_name_server]) end
    %{one: one, two: two, id: id, pid: pid, exchange: exchange}
  end

  test "a room that runs is found, and is not started once more", context do
    %{two: two, id: id, pid: pid} = context
    event = {"user_moved", %{"user_id" => "tom", "position" => [1, 2, 3]}}

    asks = [
      publish: Task.async(fn -> on(two, Room, :publish, [room(id), event]) end),
      join: Task.async(fn -> on(two, Room, :join, [room(id), "ann"]) end),
      whereis: Task.async(fn -> on(two, Room, :whereis, [room(id)]) end)
    ]

    Process.sleep(100)
    context.exchange.()
    answers = for {name, task} <- asks, into: %{}, do: {name, Task.await(task, 30_000)}
    assert {:ok, seq} = answers.publish
    # Who joins is in the log, too.
    assert seq in [2, 3]
    assert {:ok, %{pid: ^pid}} = answers.join
    assert answers.whereis == pid
    assert on(context.one, Process, :alive?, [pid])
    for node <- [context.one, two], do: assert(on(node, Room, :whereis, [room(id)]) == pid)
  end
end
