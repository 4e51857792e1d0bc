defmodule Roomfold.Room.Pending do
  @moduledoc false
  # What the systems of a tick have said so far, and nobody has folded yet: entities as that will leave them. It is folded by the plain Elixir
  # implementation, into a world that has just these entities.

  alias Roomfold.World

  @limits [max_value_bytes: 1_073_741_824, max_undeclared: 65_536]

  @doc "said: what each system said, the last one's first. Answers id → components, without those that are not there."
  def entities(world, said, ids) do
    case about(said, ids) do
      [] -> there(world, ids)
      events -> folded(world, events, ids)
    end
  end

  # An operation finds its entity by a field of the event: what has none of these ids in a field does nothing to them.
  defp about([], _), do: []

  defp about(said, ids) do
    ids = MapSet.new(ids)

    for events <- Enum.reverse(said),
        {name, payload} = event when is_binary(name) and is_map(payload) <- events,
        Enum.any?(:maps.values(payload), &MapSet.member?(ids, &1)),
        do: event
  end

  defp folded(world, events, ids) do
    opts = [impl: :elixir, schema: world.schema, rules: world.rules] ++ @limits

    with {:ok, some} <- World.load(there(world, ids), opts),
         {:ok, some, _} <- World.fold(some, events) do
      there(some, ids)
    else
      {:error, _} -> there(world, ids)
    end
  end

  defp there(world, ids),
    do: for(id <- ids, components = World.get(world, id), into: %{}, do: {id, components})
end
