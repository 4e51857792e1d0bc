defmodule Roomfold.ClusterChaosTest do
  @moduledoc false
  # Splits, freezes and kills of real nodes, at random, while users write and a system acts: `make chaos N=200 SEED=1`.
  use Roomfold.ClusterCase, async: false

  alias Roomfold.ClusterCase.Pulse

  @moduletag :tmp_dir
  @rooms ["a", "b", "c"]

  test "one authority per term, no system event twice, nothing acknowledged lost, all together again",
       context do
    count = String.to_integer(System.get_env("CHAOS", "4"))
    seed = String.to_integer(System.get_env("SEED", "#{System.unique_integer([:positive])}"))
    :rand.seed(:exsss, {seed, 2, 3})

    [log_node | nodes] = start_nodes(["log", "one", "two", "three"], net_ticktime: 5)
    names = Enum.map(nodes, & &1.node)

    connect([log_node | nodes])
    log = start_log(log_node, Path.join(context.tmp_dir, "rooms.db"))
    for node <- nodes, do: {:ok, _} = start_there(node, log)

    for id <- @rooms,
        event = {"user_joined", %{"user_id" => "w-#{id}"}},
        do: {:ok, _} = on(hd(nodes), Room, :publish, [room(id), event, [timeout: 30_000]])

    state = %{
      log: log,
      log_node: log_node,
      nodes: Map.new(nodes, &{&1.node, &1}),
      names: names,
      clients: %{},
      acknowledged: %{},
      worst: 0,
      done: %{}
    }

    state = people(state)

    state =
      Enum.reduce(1..count, state, fn number, state ->
        action = Enum.random([:split, :split_in_two, :freeze, :kill, :restart])
        context = "seed #{seed}, number #{number}: #{action}"

        try do
          state |> act(action) |> together()
        rescue
          error ->
            IO.puts(seen(state))
            reraise "#{context}: #{Exception.message(error)}", __STACKTRACE__
        catch
          :exit, reason -> flunk("#{context}: #{inspect(reason)}")
        end
        |> Map.update!(:done, &Map.update(&1, action, 1, fn n -> n + 1 end))
      end)

    for id <- @rooms, report <- reports(state, id) do
      assert report.world == on(log_node, Nodes, :fold, [log, id, Pulse.rules(), report.seq])
    end

    IO.puts("#{inspect(state.done)}, together again within #{state.worst} ms (seed #{seed})")
  end

  defp start_there(node, log) do
    start_rooms(node, log, rules: Pulse.rules(), systems: [&Pulse.system/2], tick_ms: 20, snapshot_every: 200)
  end

  # A client of each room on each node, and a writer of each room somewhere.
  defp people(state) do
    clients =
      for {name, node} <- state.nodes, id <- @rooms, into: state.clients do
        key = {name, id}
        {key, state.clients[key] || elem(on(node, Client, :start, [room(id), "c-#{name}-#{id}"]), 1)}
      end

    writers =
      for {id, name} <- Enum.zip(@rooms, Enum.shuffle(state.names)), into: %{} do
        {:ok, pid} = on(state.nodes[name], Writer, :start, [room(id), "w-#{id}"])
        {id, {name, pid}}
      end

    Map.merge(state, %{clients: clients, writers: writers})
  end

  defp act(state, :split) do
    {one, rest} = pick(state)
    cut(state, [one], [state.log_node | rest])
  end

  # From another node, but not from the log.
  defp act(state, :split_in_two) do
    {one, [two | _]} = pick(state)
    cut(state, [one], [two])
  end

  defp act(state, :freeze) do
    {one, _} = pick(state)
    signal(one, "STOP")
    Process.sleep(Enum.random([100, 1_000, 7_000]))
    signal(one, "CONT")
    state
  end

  defp act(state, :kill) do
    {one, _} = pick(state)
    signal(one, "KILL")
    Process.sleep(Enum.random(0..300))
    begin_anew(state, one, restart(one))
  end

  defp act(state, :restart) do
    {one, _} = pick(state)
    stop_rooms(one)
    Process.sleep(Enum.random(0..300))
    {:ok, _} = start_there(one, state.log)
    state
  end

  defp pick(state) do
    [name | names] = Enum.shuffle(state.names)
    {state.nodes[name], Enum.map(names, &state.nodes[&1])}
  end

  defp cut(state, side, other) do
    Process.sleep(Enum.random(0..200))
    split(side, other)
    Process.sleep(Enum.random([50, 300, 1_500]))
    heal(side, other)
    state
  end

  # Its clients and writers have died with it.
  defp begin_anew(state, was, now) do
    state = put_in(state.nodes[was.node], now)
    connect([now], [state.log_node | Map.values(state.nodes)])
    {:ok, _} = start_there(now, state.log)
    %{state | clients: Map.reject(state.clients, fn {{name, _}, _} -> name == was.node end)}
  end

  # What each node sees, for whoever looks for the fault.
  defp seen(state) do
    for {name, node} <- state.nodes, into: "#{log_heads(state)}\n" do
      "#{name}: connected to #{inspect(on(node, Node, :list, []))}, rooms here #{inspect(on(node, Rooms, :running, [rooms()]))}, found " <>
        inspect(for(id <- @rooms, do: {id, on(node, Room, :whereis, [room(id)])})) <>
        ", global knows " <>
        inspect(on(node, Nodes, :global_knows, [])) <>
        ", clients " <>
        inspect(
          for(
            {{^name, id}, client} <- state.clients,
            do: {id, on(node, Client, :report, [client]) |> Map.take([:joined, :seq])}
          )
        ) <> "\n"
    end
  end

  defp log_heads(state),
    do: inspect(for(id <- @rooms, do: {id, on(state.log_node, EventLog, :head, [state.log, id])}))

  # The net is whole. Within ten seconds every room has one process, and all its clients see what the log says.
  defp together(state) do
    started = System.monotonic_time(:millisecond)
    connect([state.log_node | Map.values(state.nodes)])
    state = harvest(state) |> people()

    for id <- @rooms do
      eventually(fn -> one_process?(state, id) end)
      eventually(fn -> all_current?(state, id) end)
      check_log(state, id, records(state, state.log, id))
    end

    for {{name, id}, client} <- state.clients do
      assert on(state.nodes[name], Client, :report, [client]).faults == [], "the client of #{id} on #{name}"
    end

    %{state | worst: max(state.worst, System.monotonic_time(:millisecond) - started)}
  end

  defp harvest(state) do
    Enum.reduce(state.writers, state, fn {id, {name, pid}}, state ->
      try do
        finished = on(state.nodes[name], Writer, :stop, [pid])
        update_in(state.acknowledged[id], &((&1 || []) ++ [{name, finished.acknowledged}]))
      catch
        # It died with its node, and what it knew with it.
        :exit, _ -> state
      end
    end)
  end

  defp one_process?(state, id) do
    pids = for {_, node} <- state.nodes, do: on(node, Room, :whereis, [room(id)])
    running = for {_, node} <- state.nodes, id in on(node, Rooms, :running, [rooms()]), do: node.node

    case Enum.uniq(pids) do
      [nil] -> wake(state, id)
      [pid] -> running == [node(pid)]
      _ -> false
    end
  end

  defp wake(state, id) do
    on(hd(Map.values(state.nodes)), Room, :ensure_started, [room(id)])
    false
  end

  # The room goes on meanwhile: all must have got past where it was when we asked.
  defp all_current?(state, id) do
    {:ok, %{seq: seq}} = on(state.log_node, EventLog, :head, [state.log, id])
    eventually(fn -> Enum.all?(reports(state, id), &(&1.joined and &1.seq >= seq)) end)
  end

  defp reports(state, id) do
    for {{name, ^id}, client} <- state.clients, do: on(state.nodes[name], Client, :report, [client])
  end

  defp records(state, log, id), do: on(state.log_node, Nodes, :records, [log, id])

  defp check_log(state, id, records) do
    assert Enum.map(records, & &1["seq"]) == Enum.to_list(1..length(records))
    beats = for %{"event_name" => "pulse", "beats" => beats} <- records, do: beats
    assert beats == Enum.to_list(1..length(beats)//1), "a system event of #{id} twice, or left out"
    by_seq = Map.new(records, &{&1["seq"], &1})

    for {_, acknowledged} <- state.acknowledged[id] || [], {seq, number} <- acknowledged do
      assert by_seq[seq]["position"] == [number, 0, 0], "seq #{seq} of #{id} was acknowledged"
    end
  end
end
