defmodule Roomfold.Simulator.Faults do
  @moduledoc "What goes wrong in the simulated cluster, and is put right again."

  alias Roomfold.Simulator
  alias Roomfold.Simulator.{Client, Host}

  import Simulator, only: [later: 2, later_on: 3, get: 0, now: 0]

  @kinds [:cut, :cut, :cut, :crash, :crash, :freeze, :slow_disk, :log_away, :drain, :clock, :room_crash]

  @doc "Until `stormy` something breaks every now and then; then all is mended."
  def start(stormy) do
    later(Enum.random(300..1_500), {:fault, {:next, stormy}})
    later(stormy + 1_500, {:fault, :mend})
  end

  def happens({:next, stormy}) do
    if now() < stormy do
      kind = Enum.random(@kinds)
      Simulator.note({:breaks, kind})
      Simulator.count(kind)
      break(kind)
      later(Enum.random(50..1_200), {:fault, {:next, stormy}})
    end
  end

  def happens({:heal, pairs}) do
    Simulator.update(fn state -> %{state | cuts: Enum.reduce(pairs, state.cuts, &MapSet.delete(&2, &1))} end)
    later(Enum.random(1..50), {:fault, :meet})
  end

  # Names meet again: of two processes of one room neither keeps its name for nothing.
  def happens(:meet) do
    for {_, rooms} <- Enum.group_by(Map.values(get().rooms), & &1.options.id),
        one <- rooms,
        other <- rooms,
        one.key != other.key,
        Simulator.connected?(one.node, other.node) do
      later_on(one.node, Enum.random(1..20), {:room, one.key, :conflict})
    end
  end

  # Unless it is up already, since all was mended: a second life would take its rooms' timers away.
  def happens({:up, node}) do
    unless get().nodes[node].up do
      change(node, &%{&1 | up: true, thaws: nil, draining: false, life: &1.life + 1})
      later(Enum.random(1..50), {:fault, :meet})
    end
  end

  def happens({:thaw, node}) do
    change(node, &%{&1 | thaws: nil})
    later(Enum.random(1..50), {:fault, :meet})
  end

  def happens({:undrain, node}), do: change(node, &%{&1 | draining: false})

  def happens({:lost, node}),
    do: if(Simulator.frozen?(node), do: cut(for(other <- others(node), do: {node, other})))

  def happens(:mend) do
    Simulator.note(:mended)
    happens({:heal, MapSet.to_list(get().cuts)})
    for {node, %{up: false}} <- get().nodes, do: happens({:up, node})
    for {node, %{thaws: thaws}} when thaws != nil <- get().nodes, do: happens({:thaw, node})
    for {node, %{draining: true}} <- get().nodes, do: happens({:undrain, node})
    # Who looks again finds those who were started while it looked.
    for after_ms <- [500, 1_500], do: later(after_ms, {:fault, :meet})
  end

  defp break(:cut) do
    nodes = Enum.shuffle([:log | Simulator.nodes()])
    {side, other} = Enum.split(nodes, Enum.random(1..2))
    pairs = for a <- side, b <- other, do: {a, b}
    # Sometimes only one of the connections.
    pairs = if Simulator.chance(30), do: [Enum.random(pairs)], else: pairs
    cut(pairs)
    later(Enum.random(20..2_500), {:fault, {:heal, Enum.map(pairs, fn {a, b} -> Simulator.pair(a, b) end)}})
  end

  defp break(:crash) do
    node = Enum.random(Simulator.nodes())

    if get().nodes[node].up do
      crash(node)
      later(Enum.random(100..2_000), {:fault, {:up, node}})
    end
  end

  # Its process alone: its sessions live on, with what they have put into its inbox.
  defp break(:room_crash) do
    case get().rooms |> Map.values() |> Enum.sort_by(& &1.key) do
      [] -> :ok
      rooms -> Host.crash(Enum.random(rooms))
    end
  end

  # The log's node: what is on its disk stays, what was on its way there is gone.
  defp break(:log_away) do
    if get().nodes[:log].up do
      crash(:log)
      later(Enum.random(50..1_000), {:fault, {:up, :log}})
    end
  end

  defp break(:freeze) do
    node = Enum.random(Simulator.nodes())
    for_ms = Enum.random([50, 500, 3_000])

    if get().nodes[node].up and not Simulator.frozen?(node) do
      change(node, &%{&1 | thaws: now() + for_ms})
      later(for_ms, {:fault, {:thaw, node}})
      # The others take it for dead after a while.
      later(1_000, {:fault, {:lost, node}})
      later(for_ms + 200, {:fault, {:heal, for(other <- others(node), do: Simulator.pair(node, other))}})
    end
  end

  defp break(:slow_disk), do: Simulator.update(&%{&1 | slow_disk_until: now() + Enum.random(100..1_500)})

  defp break(:drain) do
    node = Enum.random(Simulator.nodes())
    change(node, &%{&1 | draining: true})

    for {key, room} <- get().rooms,
        room.node == node,
        do: later_on(node, Enum.random(0..20), {:room, key, :move})

    later(Enum.random(500..2_000), {:fault, {:undrain, node}})
  end

  defp break(:clock) do
    node = Enum.random(Simulator.nodes())
    change(node, &%{&1 | clock: Enum.random(-10_000_000..10_000_000)})
  end

  defp crash(node) do
    change(node, &%{&1 | up: false, thaws: nil})
    for {_, %{node: ^node} = room} <- get().rooms, do: Host.gone(room)

    sessions_end(node)
    unreachable(for(other <- others(node), do: {other, node}))
  end

  defp sessions_end(node) do
    for {key, %{node: ^node, session: session, life: life}} <- get().clients, session != nil do
      later(Enum.random(1..100), {:client, key, {:broken, life}})
    end
  end

  defp cut(pairs) do
    Simulator.update(fn state ->
      %{
        state
        | cuts: Enum.reduce(pairs, state.cuts, fn {a, b}, cuts -> MapSet.put(cuts, Simulator.pair(a, b)) end)
      }
    end)

    unreachable(pairs)
  end

  # Rooms that can't reach the log stop; sessions and rooms that can't reach one another find out.
  defp unreachable(pairs) do
    state = get()

    for {a, b} <- pairs, {node, lost} <- [{a, b}, {b, a}], state.nodes[node].up do
      for {key, %{node: ^node} = room} <- state.rooms do
        if lost == :log, do: later_on(node, Enum.random(1..300), {:room, key, {:stop, :log_unreachable}})

        for {client, watcher} <- room.watchers, Client.node_of(client) == lost do
          later_on(node, Enum.random(1..300), {:room, key, {:gone, client, watcher}})
        end
      end

      for {key, %{node: ^node, session: %{pid: room, monitor: watcher}}} <- state.clients,
          state.homes[room] == lost do
        later_on(node, Enum.random(1..300), {:client, key, {:down, room, watcher}})
      end
    end
  end

  defp others(node), do: [:log | Simulator.nodes()] -- [node]

  defp change(node, function) do
    Simulator.update(fn state -> update_in(state.nodes[node], function) end)
  end
end
