defmodule Roomfold.Application do
  @moduledoc false
  # Rooms that need no set-up: in memory, on this node (Roomfold.Rooms).
  use Application

  @impl true
  def start(_type, _args) do
    Supervisor.start_link([{Roomfold.Rooms, name: Roomfold.Rooms}],
      strategy: :one_for_one,
      name: Roomfold.Supervisor
    )
  end
end
