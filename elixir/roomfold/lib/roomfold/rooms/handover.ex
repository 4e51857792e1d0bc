defmodule Roomfold.Rooms.Handover do
  @moduledoc false
  # The last process of a place for rooms on several nodes, so the first to stop: it hands the rooms over to other nodes while everything
  # they need still runs.
  use GenServer, shutdown: 60_000

  def start_link(rooms), do: GenServer.start_link(__MODULE__, rooms)

  @impl true
  def init(rooms) do
    Process.flag(:trap_exit, true)
    {:ok, rooms}
  end

  @impl true
  def terminate(_, rooms), do: Roomfold.Rooms.drain(rooms)
end
