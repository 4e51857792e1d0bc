defmodule Roomfold.Gateway.Arena.Respawn do
  @moduledoc false
  # Players who died come back, and so do items that were taken.
  @behaviour Roomfold.Room.System

  alias Roomfold.Gateway.Arena
  alias Roomfold.Gateway.Arena.Monsters
  alias Roomfold.World

  @player_ms 3_000
  @monster_ms 10_000
  @item_ms 30_000

  @impl true
  def init(map, _world, _now) do
    %{map: map, things: Map.new(map.items ++ Monsters.entities(map)), gone: %{}}
  end

  @impl true
  def tick(world, tick, state) do
    gone = Map.new(gone(world, state), fn {id, kind} -> {id, Map.get(state.gone, id, {kind, tick.now})} end)
    {back, gone} = Enum.split_with(gone, fn {_, {kind, since}} -> tick.now - since >= after_ms(kind) end)
    {Enum.map(back, &event(&1, world, state)), %{state | gone: Map.new(gone)}}
  end

  defp gone(world, state) do
    dead =
      for {id, %{"kind" => kind, "state" => "dead"}} <- World.query(world, ["kind", "state"]), do: {id, kind}

    taken = for {id, %{"kind" => "item"}} <- state.things, World.get(world, id) == nil, do: {id, "item"}
    dead ++ taken
  end

  defp after_ms("player"), do: @player_ms
  defp after_ms("item"), do: @item_ms
  defp after_ms(_), do: @monster_ms

  defp event({id, {"player", _}}, world, state), do: Arena.spawned(id, world, state.map)
  defp event({id, _}, _, state), do: Arena.create({id, Map.get(state.things, id, %{})})
end
