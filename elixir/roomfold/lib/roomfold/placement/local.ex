defmodule Roomfold.Placement.Local do
  @moduledoc """
  Rooms of one node: they run where they are asked for. The default.
  """
  @behaviour Roomfold.Placement

  alias Roomfold.Rooms

  @impl true
  def children(_rooms, _opts, _facts), do: []

  @impl true
  def name(rooms, id, _opts), do: {:via, Registry, {Rooms.registry(rooms), id}}

  @impl true
  def whereis(rooms, id, _opts) do
    # Not lookup: it still finds who has just died.
    case Registry.whereis_name({Rooms.registry(rooms), id}) do
      :undefined -> nil
      pid -> pid
    end
  end

  @impl true
  def node_for(_rooms, _id, _opts), do: {:ok, node()}
end
