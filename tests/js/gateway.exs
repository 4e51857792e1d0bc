# A gateway for the tests of the browser client and of the page: `mix run ../../tests/js/gateway.exs plain|arena` in elixir/gateway. The
# first line says where it is; then each line of the input is an order, answered by a line of JSON.

defmodule Orders do
  alias Roomfold.{EventLog, Gateway, JSON, Room, Rooms, Rules, World}

  @events Enum.map_join(0..100, "\n", fn n ->
            ~s({"event":"#{if n == 0, do: "create", else: "update"}","entity_id":"a",) <>
              ~s("components":{"position":[#{n},0,0]},"at":#{1_000 + 10 * n}})
          end)

  @match Path.expand("../../priv/demo/freedm-0.12-demo1-MAP21.events.jsonl.gz", __DIR__)

  def start(kind) do
    Process.put(:kind, kind)
    {:ok, _} = rooms()
    gateway(0)
  end

  defp rooms do
    Rooms.start_link(name: JS.Rooms, log: {EventLog.Memory, []}, room: room(Process.get(:kind)))
  end

  defp room("plain"), do: [tick_ms: 20, grace_ms: 15_000, rules: Rules.doom()]
  defp room("arena"), do: Keyword.put(Gateway.Arena.options(), :grace_ms, 1_000)

  defp gateway(port) do
    Gateway.start_link([port: port, rooms: JS.Rooms] ++ gateway_options(Process.get(:kind)))
  end

  # Little may be unacknowledged, so that who does not acknowledge is seen.
  defp gateway_options("plain"),
    do: [
      session: [max_unacknowledged: 10_000, max_lag_ms: 8_000],
      replays: %{"short" => [events: @events]}
    ]

  defp gateway_options("arena"),
    do: [replays: %{"match" => fn -> [events: match(), id: "match", rules: Rules.doom()] end}]

  defp match, do: @match |> File.read!() |> :zlib.gunzip()

  def loop do
    case IO.gets("") do
      line when is_binary(line) ->
        IO.puts(JSON.encode!(line |> JSON.decode!() |> order()))
        loop()

      # Whoever started it is gone.
      _ ->
        System.halt(0)
    end
  end

  defp order(["snapshot", room]), do: Room.snapshot({JS.Rooms, room})

  defp order(["publish", room, name, payload]) do
    {:ok, seq} = Room.publish({JS.Rooms, room}, {name, payload})
    seq
  end

  defp order(["client authority", room]) do
    {:ok, _} = Room.ensure_started({JS.Rooms, room}, authority: :client)
    true
  end

  defp order(["state_at", room, seq]) do
    {:ok, world} = Room.state_at({JS.Rooms, room}, seq)
    World.snapshot(world)
  end

  # What the recorded match's first events make, folded here and now.
  defp order(["match_at", seq]) do
    lines = match() |> String.split("\n", trim: true) |> Enum.take(seq)
    World.snapshot(World.fold!(World.new!(rules: Rules.doom()), {:json, Enum.join(lines, "\n")}))
  end

  defp order(["drop connections"]), do: kill(:yaws_ws_sup)
  defp order(["crash channels"]), do: kill(Roomfold.Gateway.Channels)

  defp order(["crash room", room]) do
    Process.exit(Room.whereis({JS.Rooms, room}), :kill)
    true
  end

  defp order(["restart gateway"]), do: restart(fn -> :ok end)

  # With its rooms, whose log is in memory.
  defp order(["restart server"]) do
    restart(fn ->
      Supervisor.stop(JS.Rooms)
      {:ok, _} = rooms()
    end)
  end

  defp restart(meanwhile) do
    port = Gateway.port()
    Supervisor.stop(Gateway)
    meanwhile.()
    {:ok, _} = gateway(port)
    true
  end

  defp kill(supervisor) do
    pids = for {_, pid, _, _} <- Supervisor.which_children(supervisor), is_pid(pid), do: pid
    Enum.each(pids, &Process.exit(&1, :kill))
    length(pids)
  end
end

Process.flag(:trap_exit, true)
Logger.configure(level: :emergency)

case Orders.start(System.argv() |> List.first("plain")) do
  {:ok, _} ->
    IO.puts(Roomfold.JSON.encode!(%{"port" => Roomfold.Gateway.port()}))
    Orders.loop()

  {:error, why} ->
    IO.puts(Roomfold.JSON.encode!(%{"missing" => if(is_binary(why), do: why, else: inspect(why))}))
end
