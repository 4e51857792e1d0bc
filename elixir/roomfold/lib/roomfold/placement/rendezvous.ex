defmodule Roomfold.Placement.Rendezvous do
  @moduledoc false
  # Consistent hashing: a room belongs to the node with the highest hash of room and node. When a node comes or goes, only the rooms
  # that it gets, or had, change their node. (Thaler and Ravishankar, "Using Name-Based Mappings to
  # Increase Hit Rates", IEEE/ACM Transactions on Networking 6(1), 1998.)

  @range 4_294_967_296

  @doc "The node of a room; nil if there are no nodes."
  @spec node_for([node], String.t()) :: node | nil
  def node_for([], _id), do: nil
  def node_for(nodes, id), do: Enum.max_by(nodes, &{:erlang.phash2({id, &1}, @range), &1})
end
