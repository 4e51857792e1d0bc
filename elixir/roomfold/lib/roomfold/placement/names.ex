defmodule Roomfold.Placement.Names do
  @moduledoc false
  # Makes sure that the rooms of this node are found from all others. :global exchanges names when nodes meet; if several meet again at once
  # (after one was frozen, for example), a node may be left without the name of a room on another node. So each node announces its rooms at
  # intervals; a node that does not know one answers, and the name is registered again.
  #
  # A name that belongs to another process is left alone: the terms decide which of the two continues.
  use GenServer

  alias Roomfold.{Placement, Rooms}

  @every_ms 5_000
  @soon_ms 1_000

  def start_link(opts), do: GenServer.start_link(__MODULE__, opts[:rooms], name: server(opts[:rooms]))

  defp server(rooms), do: Module.concat(rooms, Names)

  @impl true
  def init(rooms) do
    :ok = :net_kernel.monitor_nodes(true)
    {:ok, wait(%{rooms: rooms, timer: nil}, @every_ms)}
  end

  @impl true
  def handle_info(:say, state) do
    here = Rooms.processes(state.rooms)

    if here != [] do
      ids = for {id, _} <- here, do: id
      # A node that hangs gets the next announcement.
      for node <- Node.list(),
          do: Process.send({server(state.rooms), node}, {:rooms, self(), ids}, [:nosuspend, :noconnect])

      send(self(), {:unknown, unknown(state.rooms, ids)})
    end

    {:noreply, wait(state, @every_ms)}
  end

  def handle_info({:rooms, from, ids}, state) do
    case unknown(state.rooms, ids) do
      [] -> :ok
      ids -> Process.send(from, {:unknown, ids}, [:nosuspend, :noconnect])
    end

    {:noreply, state}
  end

  def handle_info({:unknown, ids}, state) do
    here = Map.new(Rooms.processes(state.rooms))
    for id <- ids, pid = here[id], do: Placement.Global.register_again(state.rooms, id, pid)
    {:noreply, state}
  end

  # They exchange their names first.
  def handle_info({:nodeup, _}, state), do: {:noreply, wait(state, @soon_ms)}
  def handle_info(_, state), do: {:noreply, state}

  defp unknown(rooms, ids), do: for(id <- ids, Placement.Global.whereis(rooms, id, []) == nil, do: id)

  defp wait(state, ms) do
    if state.timer, do: Process.cancel_timer(state.timer)
    %{state | timer: Process.send_after(self(), :say, ms)}
  end
end
