defmodule Roomfold.Placement.Global do
  @moduledoc """
  All connected nodes share the rooms: each room is found from all of them, and placed by consistent hashing.

  Names are registered in Erlang's `:global`. `Roomfold.Cluster` knows which nodes take part, and refuses those that would fold
  differently (other rules, another schema, another version).

  ## Options

    * `:nodes` - a fixed list of nodes. Then a room has a permanent home on one of them, and is unavailable (`:node_away`) while that node
      is away: for logs on a disk of each node (`Roomfold.EventLog.SQLite`). Without it a room runs on any available node, and all nodes must
      share its log (`Roomfold.EventLog.Shared`, or a log in PostgreSQL)

  When two processes of one room meet, after a split network has healed, their terms are compared with the log: the one with the newest term
  keeps the name, the other one stops. Every few seconds each node announces its rooms, so that a node that missed a name, when several met
  again at once, learns it.
  """
  @behaviour Roomfold.Placement

  alias Roomfold.{Cluster, Error, OptionList}
  alias Roomfold.Placement.{Names, Rendezvous}
  alias Roomfold.Room.Options

  @impl true
  def children(rooms, opts, facts) do
    nodes = OptionList.validate!(opts, [:nodes], "Roomfold.Placement.Global")[:nodes]
    nodes? = &(&1 == nil or (match?([_ | _], &1) and Enum.all?(&1, fn node -> is_atom(node) end)))
    Options.must!(:nodes, nodes, nodes?, "a list of nodes, not an empty one, or nil")
    [{Cluster, rooms: rooms, facts: facts}, {Names, rooms: rooms}]
  end

  @impl true
  def name(rooms, id, _opts), do: {:via, __MODULE__, {rooms, id}}

  # What is not found may run on a node that this one has just met.
  @impl true
  def whereis(rooms, id, _opts) do
    with nil <- registered(rooms, id), :ok <- Cluster.await_names(rooms), do: registered(rooms, id)
  end

  defp registered(rooms, id) do
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
    case register(rooms, id, self()) do
      :yes -> :ok
      # Two pairs of nodes may have met with the same two processes: then this is the second call.
      :no -> if registered(rooms, id) == self(), do: :ok, else: :taken
    end
  end

  @doc false
  # For a name that some node has missed. Not if the name belongs to another process.
  def register_again(rooms, id, pid) do
    case registered(rooms, id) do
      other when other not in [nil, pid] -> :taken
      _ -> :global.re_register_name(global(rooms, id), pid, &__MODULE__.conflict/3)
    end
  end

  # ---- the callbacks of {:via, module, name} ----

  @doc false
  def register_name({rooms, id}, pid) do
    :ok = Cluster.await_names(rooms)
    register(rooms, id, pid)
  end

  defp register(rooms, id, pid), do: :global.register_name(global(rooms, id), pid, &__MODULE__.conflict/3)

  @doc false
  def unregister_name({rooms, id}), do: :global.unregister_name(global(rooms, id))

  @doc false
  def whereis_name({rooms, id}), do: :global.whereis_name(global(rooms, id))

  @doc false
  def send({rooms, id}, message), do: :global.send(global(rooms, id), message)

  @doc false
  # Runs in :global's own process, so it does not decide: the rooms ask the log (Roomfold.Room.Server).
  def conflict(_name, one, two) do
    Kernel.send(one, :roomfold_conflict)
    Kernel.send(two, :roomfold_conflict)
    :none
  end

  defp global(rooms, id), do: {__MODULE__, rooms, id}
end
