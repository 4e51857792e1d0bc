defmodule Roomfold.Application do
  @moduledoc false
  # Starts the default Roomfold.Rooms: in memory, on this node; and, before it, so that it ends later, what starts the pool Roomfold.Port when
  # a world needs it.
  use Application

  @impl true
  def start(_type, _args) do
    Roomfold.Native.start()

    children = [
      {DynamicSupervisor, strategy: :one_for_one, name: Roomfold.Port.OnDemand},
      {Roomfold.Rooms, name: Roomfold.Rooms}
    ]

    Supervisor.start_link(children, strategy: :one_for_one, name: Roomfold.Supervisor)
  end
end
