defmodule Roomfold.Placement.Global do
  @moduledoc """
  One room for all connected nodes: it is found from each of them, and placed by consistent hashing.

  Names are kept by Erlang's `:global`. Which nodes take part is known by `Roomfold.Cluster`, which refuses those that would fold
  otherwise (other rules, another schema, another version).

  ## Options

    * `:nodes` - a fixed list of nodes. Then a room has its home on one of them, for good, and is unavailable (`:node_away`) while
      that one is away: for logs that each node has on a disk of its own (`Roomfold.EventLog.SQLite`). Without it a room runs on one
      of those that are there, and its log must be one that all nodes share (`Roomfold.EventLog.Shared`, or a log in PostgreSQL)

  When two processes of one room meet, after a network that was split has healed, both are asked for their term: the one with the
  newest in the log keeps the name, the other one stops. And every few seconds each node says which rooms it has, so that a node that missed a
  name, while several met again at once, gets to know it.
  """
  @behaviour Roomfold.Placement

  alias Roomfold.{Cluster, Error}
  alias Roomfold.Placement.{Names, Rendezvous}

  @impl true
  def children(rooms, _opts, facts), do: [{Cluster, rooms: rooms, facts: facts}, {Names, rooms: rooms}]

  @impl true
  def name(rooms, id, _opts), do: {:via, __MODULE__, {rooms, id}}

  @impl true
  def whereis(rooms, id, _opts) do
    case :global.whereis_name(global(rooms, id)) do
      :undefined -> nil
      pid -> pid
    end
  end

  @impl true
  def node_for(rooms, id, opts) do
    with {:ok, members} <- Cluster.placeable(rooms), do: choose(id, members, opts[:nodes])
  end

  defp choose(id, members, nil), do: {:ok, Rendezvous.node_for(members, id)}

  defp choose(id, members, nodes) do
    home = Rendezvous.node_for(nodes, id)

    if home in members,
      do: {:ok, home},
      else: {:error, Error.new(:node_away, detail: "the room is at home on #{home}")}
  end

  @impl true
  def drain(rooms, _opts), do: Cluster.drain(rooms)

  @impl true
  def reclaim(rooms, id, _opts) do
    case register_name({rooms, id}, self()) do
      :yes -> :ok
      # Two pairs of nodes may have met with the same two processes: it was asked twice.
      :no -> if whereis(rooms, id, []) == self(), do: :ok, else: :taken
    end
  end

  @doc false
  # Some node has not heard of it. Not where others know another process by that name.
  def register_again(rooms, id, pid) do
    case whereis(rooms, id, []) do
      other when other not in [nil, pid] -> :taken
      _ -> :global.re_register_name(global(rooms, id), pid, &__MODULE__.conflict/3)
    end
  end

  # ---- what {:via, module, name} calls ----

  @doc false
  def register_name({rooms, id}, pid),
    do: :global.register_name(global(rooms, id), pid, &__MODULE__.conflict/3)

  @doc false
  def unregister_name({rooms, id}), do: :global.unregister_name(global(rooms, id))

  @doc false
  def whereis_name({rooms, id}), do: :global.whereis_name(global(rooms, id))

  @doc false
  def send({rooms, id}, message), do: :global.send(global(rooms, id), message)

  @doc false
  # Runs in :global's own process, so it decides nothing itself: the rooms ask the log (Roomfold.Room.Server).
  def conflict(_name, one, two) do
    Kernel.send(one, :roomfold_conflict)
    Kernel.send(two, :roomfold_conflict)
    :none
  end

  defp global(rooms, id), do: {__MODULE__, rooms, id}
end
