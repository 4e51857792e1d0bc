defmodule Roomfold.Placement.Local do
  @moduledoc """
  The default: a room runs on the node where it is used.

      {Roomfold.Rooms, name: MyApp.Rooms, placement: {Roomfold.Placement.Local, []}}
  """
  @behaviour Roomfold.Placement

  alias Roomfold.{OptionList, Rooms}

  @impl true
  def children(_rooms, opts, _facts), do: OptionList.validate!(opts, [], "Roomfold.Placement.Local")

  @impl true
  def name(rooms, id, _opts), do: {:via, Registry, {Rooms.registry(rooms), id}}

  @impl true
  def whereis(rooms, id, _opts) do
    # Not lookup: it would still find a process that has just ended.
    case Registry.whereis_name({Rooms.registry(rooms), id}) do
      :undefined -> nil
      pid -> pid
    end
  end

  @impl true
  def node_for(_rooms, _id, _opts), do: {:ok, node()}
end
