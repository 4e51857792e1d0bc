defmodule Roomfold.Systems.Lifetimes do
  @moduledoc """
  Deletes entities after the time in their component `lifetime_ms`, in milliseconds from when the room first saw them.

      {Roomfold.Rooms, name: MyApp.Rooms, room: [systems: [Roomfold.Systems.Lifetimes]]}

      # Half a second later the room publishes {"delete", %{"entity_id" => "spark"}}.
      spark = %{"entity_id" => "spark", "components" => %{"lifetime_ms" => 500}}
      Roomfold.Room.publish({MyApp.Rooms, "lobby"}, {"create", spark})
  """
  @behaviour Roomfold.Room.System

  alias Roomfold.World

  @impl true
  def init(opts, world, now) do
    [] = Keyword.validate!(opts, [])
    seen(World.query(world, ["lifetime_ms"]), %{}, now)
  end

  @impl true
  def events(_), do: []

  @impl true
  def tick(world, tick, born) do
    mortal = World.query(world, ["lifetime_ms"])
    born = seen(mortal, born, tick.now)

    over =
      for {id, %{"lifetime_ms" => lifetime}} <- mortal,
          is_number(lifetime) and tick.now - born[id] >= lifetime,
          do: {"delete", %{"entity_id" => id}}

    {over, born}
  end

  defp seen(mortal, born, now), do: Map.new(mortal, fn {id, _} -> {id, Map.get(born, id, now)} end)
end
