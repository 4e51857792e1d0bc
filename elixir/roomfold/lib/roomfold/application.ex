defmodule Roomfold.Application do
  @moduledoc false
  # Starts the default Roomfold.Rooms: in memory, on this node.
  use Application

  @impl true
  def start(_type, _args) do
    Supervisor.start_link([{Roomfold.Rooms, name: Roomfold.Rooms}],
      strategy: :one_for_one,
      name: Roomfold.Supervisor
    )
  end
end
