defmodule Roomfold.Room.Pending do
  @moduledoc false
  # What the systems of a tick have said so far, and nobody has folded yet: entities as that will leave them. It is folded by the plain Elixir
  # implementation, into a world that has just these entities.

  alias Roomfold.World

  @limits [max_value_bytes: 1_073_741_824, max_undeclared: 65_536]

  @doc "said: what each system said, the last one's first. Answers id → components, without those that are not there."
  def entities(world, [], ids), do: there(world, ids)

  def entities(world, said, ids) do
    opts = [impl: :elixir, schema: world.schema, rules: world.rules] ++ @limits

    with {:ok, some} <- World.load(there(world, ids), opts),
         {:ok, some, _} <- World.fold(some, for(events <- Enum.reverse(said), event <- events, do: event)) do
      there(some, ids)
    else
      {:error, _} -> there(world, ids)
    end
  end

  defp there(world, ids),
    do: for(id <- ids, components = World.get(world, id), into: %{}, do: {id, components})
end
