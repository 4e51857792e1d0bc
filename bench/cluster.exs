# Rooms of several nodes: what a publish from another node costs, how many events one, two and three nodes take, how long a room is away when
# its node is drained or killed, and how long its clients hear nothing.
#
#   MIX_ENV=test mix run bench/cluster.exs [ROUNDS]
#
# The nodes are VMs of this machine and share its cores, so more nodes can't do more than one here; what is to be seen is
# what distribution costs. All share one log in SQLite, synced at every commit, on a node of its own.

Code.require_file("support.exs", __DIR__)

{:module, there, code, _} =
  defmodule ClusterBench.There do
    # What runs on the nodes.
    import Roomfold.Nodes, only: [room: 1]
    alias Roomfold.Room

    def times(id) do
      for number <- 1..60 do
        start = System.monotonic_time(:nanosecond)
        {:ok, _} = Room.publish(room(id), {"user_moved", %{"user_id" => "tom", "position" => [number, 0, 0]}})
        System.monotonic_time(:nanosecond) - start
      end
    end

    @window 32
    def write(id, for_ms) do
      {:ok, pid} = Room.ensure_started(room(id))
      deadline = System.monotonic_time(:millisecond) + for_ms
      for number <- 1..@window, do: publish(pid, number)
      write_on(pid, deadline, 0)
    end

    defp write_on(pid, deadline, count) do
      receive do
        {_, {:ok, _}} ->
          if System.monotonic_time(:millisecond) < deadline do
            publish(pid, count)
            write_on(pid, deadline, count + 1)
          else
            count
          end
      end
    end

    defp publish(pid, number),
      do: Room.publish_async(pid, [{"user_moved", %{"user_id" => "tom", "position" => [number, 0, 0]}}], [])
  end

Application.put_env(:roomfold, :there, {there, ~c"bench/cluster.exs", code})

defmodule ClusterBench do
  import Roomfold.Nodes
  alias Roomfold.ClusterCase.{Client, Writer}
  alias Roomfold.{Nodes, Room, Rooms}

  @rooms 24
  @load_ms 3_000

  def run(rounds) do
    IO.puts("Rooms of several nodes, #{Bench.machine()}\n")
    rows = publish() ++ load() ++ away(rounds)
    Bench.table(["what", "value", "unit"], rows)
    Bench.csv("cluster", ["what", "value", "unit"], rows)
  end

  # ---- one publish after the other, from the room's node and from another one ----

  defp publish do
    {nodes, _log} = cluster(2)
    id = "r"
    {:ok, _} = on(hd(nodes), Room, :publish, [room(id), {"user_joined", %{"user_id" => "tom"}}])
    {home, away} = home_and_away(%{others: nodes}, id)
    # In turn, so that a machine that slows down does so for both.
    times =
      for _ <- 1..5,
          {name, node} <- [local: home, remote: away],
          do: {name, on(node, __MODULE__.There, :times, [id])}

    stop(nodes)

    for name <- [:local, :remote] do
      all = for {^name, list} <- times, time <- list, do: time
      ["publish, #{name}: median", div(Bench.median(all), 1_000), "us"]
    end
  end

  # ---- many rooms, a writer each, that always has some events on their way ----

  defp load do
    for count <- [1, 2, 3] do
      {nodes, _log} = cluster(count)

      for number <- 1..@rooms,
          do:
            {:ok, _} =
              on(hd(nodes), Room, :publish, [room("r#{number}"), {"user_joined", %{"user_id" => "tom"}}])

      writers =
        for {number, node} <- Enum.zip(1..@rooms, Stream.cycle(nodes)),
            do: {node, "r#{number}"}

      sums =
        writers
        |> Task.async_stream(fn {node, id} -> on(node, __MODULE__.There, :write, [id, @load_ms]) end,
          max_concurrency: @rooms,
          timeout: 60_000
        )
        |> Enum.map(fn {:ok, count} -> count end)

      stop(nodes)

      [
        "#{count} node#{if count > 1, do: "s"}: events acknowledged",
        round(Enum.sum(sums) * 1_000 / @load_ms),
        "a second"
      ]
    end
  end

  # ---- drained and killed ----

  defp away(rounds) do
    for {name, action} <- [{"drained", :drain}, {"killed", :kill}] do
      found = for _ <- 1..rounds, do: once(action)
      gaps = for {gap, _} <- found, do: gap
      silences = for {_, silence} <- found, do: silence

      [
        ["#{name}: until the next acknowledgement, p50", Bench.median(gaps), "ms"],
        ["#{name}: until the next acknowledgement, p99", p99(gaps), "ms"],
        ["#{name}: a client's longest silence, p50", Bench.median(silences), "ms"],
        ["#{name}: a client's longest silence, p99", p99(silences), "ms"]
      ]
    end
    |> Enum.concat()
  end

  defp p99(times), do: times |> Enum.sort() |> Enum.at(ceil(length(times) * 0.99) - 1)

  # A writer and a client on the node that stays.
  defp once(action) do
    {nodes, _log} = cluster(2)
    {:ok, _} = on(hd(nodes), Room, :publish, [room("r"), {"user_joined", %{"user_id" => "tom"}}])
    {home, away} = home_and_away(%{others: nodes}, "r")
    {:ok, client} = on(away, Client, :start, [room("r"), "watcher"])
    {:ok, writer} = on(away, Writer, :start, [room("r"), "tom"])
    eventually(fn -> on(away, Writer, :count, [writer]) > 30 end)
    _ = on(away, Client, :report, [client])

    if action == :drain, do: on(home, Rooms, :drain, [rooms()]), else: signal(home, "KILL")

    count = on(away, Writer, :count, [writer])
    eventually(fn -> on(away, Writer, :count, [writer]) > count + 30 end)
    silence = on(away, Client, :report, [client]).silence
    finished = on(away, Writer, :stop, [writer])
    stop(nodes)
    {finished.longest, silence}
  end

  # ---- nodes ----

  defp cluster(count) do
    [log_node | nodes] = Nodes.start_nodes(["log" | for(number <- 1..count, do: "n#{number}")])
    dir = Bench.folder()
    Process.put(:dir, dir)
    Process.put(:log_node, log_node)
    connect([log_node | nodes])
    log = start_log(log_node, Path.join(dir, "rooms.db"))
    {module, file, code} = Application.fetch_env!(:roomfold, :there)

    for node <- nodes do
      {:ok, _} = start_rooms(node, log, tick_ms: 1)
      {:module, ^module} = on(node, :code, :load_binary, [module, file, code])
    end

    {nodes, log}
  end

  defp stop(nodes) do
    stop_nodes([Process.get(:log_node) | nodes])
    File.rm_rf!(Process.get(:dir))
  end
end

rounds =
  case System.argv() do
    [rounds] -> String.to_integer(rounds)
    [] -> 10
  end

ClusterBench.run(rounds)
