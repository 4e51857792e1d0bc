defmodule Roomfold.Gateway.Arena.Monsters do
  @moduledoc false
  # A few monsters: each walks to the nearest living player, around obstacles, and throws fireballs at players it sees. Without a player nearby
  # it stands still.
  @behaviour Roomfold.Room.System

  alias Roomfold.Gateway.Arena.Map, as: Level
  alias Roomfold.{Hits, World}

  @collider %{"shape" => "box", "radius" => 0.625, "height" => 1.75}
  @health 60
  # Metres, metres a second, milliseconds.
  @notices 14.0
  @keeps 3.0
  @speed 2.5
  @step 0.75
  @reach 0.9
  @throws_ms 2_500
  @flies 10.0
  @eyes 1.0
  # No entity is in this layer; walls are in all.
  @walls 0x80000000
  @ways [0, 0.8, -0.8, 1.6, -1.6, 3.1]

  def entities(map),
    do: map.homes |> Enum.with_index(1) |> Enum.map(fn {home, n} -> entity("imp-#{n}", home) end)

  defp entity(id, home) do
    {id,
     %{
       "kind" => "monster",
       "type" => "imp",
       "position" => home.position,
       "rotation" => home.rotation,
       "health" => @health,
       "collider" => @collider
     }}
  end

  @impl true
  def init(map, _world, _now), do: %{map: map, thrown: %{}}

  @impl true
  def tick(world, tick, state) do
    bodies = World.query(world, ["kind", "position", "health"])

    players = for {_, %{"kind" => "player", "health" => health} = player} <- bodies, health > 0, do: player

    monsters =
      for {id, %{"kind" => "monster", "health" => health} = monster} <- bodies, health > 0, do: {id, monster}

    Enum.flat_map_reduce(monsters, state, fn {id, monster}, state ->
      case target(monster, players) do
        nil -> {[], state}
        target -> act(id, monster["position"], target, world, tick, state)
      end
    end)
  end

  defp target(_, []), do: nil

  defp target(monster, players) do
    nearest = players |> Enum.map(& &1["position"]) |> Enum.min_by(&Level.distance(monster["position"], &1))
    if Level.distance(monster["position"], nearest) < @notices, do: nearest
  end

  defp act(id, [x, y, z] = at, [tx, ty, tz] = there, world, tick, state) do
    heading = :math.atan2(tz - z, tx - x)
    eyes = [x, y + @eyes, z]
    aim = [tx - x, ty - y, tz - z]
    move = if Level.distance(at, there) > @keeps, do: moved(id, at, heading, world, tick, state.map), else: []

    if tick.now - Map.get(state.thrown, id, tick.now - 1_000) >= @throws_ms and
         sees?(world, eyes, aim),
       do: {move ++ [thrown(id, eyes, aim, tick)], put_in(state.thrown[id], tick.now)},
       else: {move, put_in(state.thrown[id], Map.get(state.thrown, id, tick.now - 1_000))}
  end

  defp moved(id, at, heading, world, tick, map) do
    step = @speed * tick.dt_ms / 1000

    Enum.find_value(@ways, [], fn way ->
      with position when position != nil <- free(at, heading + way, step, world, map) do
        turn = -(heading + way) / 2
        rotation = [0.0, :math.sin(turn), 0.0, :math.cos(turn)]
        [{"monster_moved", %{"id" => id, "position" => position, "rotation" => rotation}}]
      end
    end)
  end

  # Neither a wall nor a step that is too high.
  defp free([x, y, z], heading, step, world, map) do
    {dx, dz} = {:math.cos(heading), :math.sin(heading)}
    ray = %{origin: [x, y + @step, z], direction: [dx, 0.0, dz], range: @reach + step, mask: @walls}
    floor = Level.floor_at(map, x + dx * step, z + dz * step)

    if floor != nil and abs(floor - y) <= @step and match?({:ok, [nil]}, Hits.cast(world, [ray])),
      do: [x + dx * step, floor, z + dz * step]
  end

  # Past other monsters, not through walls.
  defp sees?(world, eyes, aim) do
    ray = %{origin: eyes, direction: aim, range: Level.distance([0, 0, 0], aim), mask: @walls}
    match?({:ok, [nil]}, Hits.cast(world, [ray]))
  end

  defp thrown(id, eyes, aim, tick) do
    length = Level.distance([0, 0, 0], aim)

    {"fireball_thrown",
     %{
       "id" => "fireball-#{id}-#{tick.now}",
       "monster_id" => id,
       "type" => "fireball",
       "position" => eyes,
       "velocity" => Enum.map(aim, &(&1 / length * @flies)),
       "collider" => %{"shape" => "sphere", "radius" => 0.2, "at" => "centre"}
     }}
  end
end
