# Who is hit, end to end from Elixir: rays at moving targets, against a grid in Elixir.
#
#     make bench            or      mix run bench/hits.exs
#
# A room of 100 x 20 x 100 m, targets that are spheres of 0.5 m, rays of 15 m. Each tick all targets move, then all shots
# are cast. The peer is what one writes by hand: cells of 4 m in a map, walked through by each ray (Amanatides and Woo).
# Both keep the world, index it and answer all shots. The grid starts from the moves as a list of events, decoded already; Roomfold
# from that, from the same as JSON text, and as a packed frame. Shots and answers are terms, or packed.
Code.require_file("support.exs", __DIR__)

defmodule GridWorld do
  @moduledoc "Targets `{id, x, y, z}` in cells, and rays through them."
  @cell 4.0
  @radius 0.5

  @doc "An update, as the application's own map takes it."
  def move({"update", %{"entity_id" => id, "components" => components}}, world),
    do: Map.update!(world, id, &Map.merge(&1, components))

  def targets(world), do: for({id, %{"position" => [x, y, z]}} <- world, do: {id, x, y, z})

  def build(targets) do
    Enum.reduce(targets, %{}, fn {_, x, _, z} = target, grid ->
      for cx <- cell(x - @radius)..cell(x + @radius),
          cz <- cell(z - @radius)..cell(z + @radius),
          reduce: grid do
        grid ->
          case grid do
            %{{^cx, ^cz} => list} -> %{grid | {cx, cz} => [target | list]}
            _ -> Map.put(grid, {cx, cz}, [target])
          end
      end
    end)
  end

  defp cell(at), do: floor(at / @cell)

  def cast(grid, {ox, oy, oz, dx, dy, dz, range}) do
    cx = cell(ox)
    cz = cell(oz)
    {sx, tx, wx} = step(ox, dx, cx)
    {sz, tz, wz} = step(oz, dz, cz)
    walk(grid, {ox, oy, oz, dx, dy, dz}, cx, cz, sx, sz, tx, tz, wx, wz, range, nil, range)
  end

  defp step(at, way, cell) when way > 0, do: {1, ((cell + 1) * @cell - at) / way, @cell / way}
  defp step(at, way, cell) when way < 0, do: {-1, (cell * @cell - at) / way, -@cell / way}
  defp step(_, _, _), do: {0, 1.0e30, 1.0e30}

  defp walk(grid, ray, cx, cz, sx, sz, tx, tz, wx, wz, range, best, best_t) do
    {best, best_t} =
      case grid do
        %{{^cx, ^cz} => targets} -> nearest(targets, ray, best, best_t)
        _ -> {best, best_t}
      end

    next = min(tx, tz)

    cond do
      next > best_t or next > range -> best && {best, best_t}
      tx < tz -> walk(grid, ray, cx + sx, cz, sx, sz, tx + wx, tz, wx, wz, range, best, best_t)
      true -> walk(grid, ray, cx, cz + sz, sx, sz, tx, tz + wz, wx, wz, range, best, best_t)
    end
  end

  defp nearest([], _, best, best_t), do: {best, best_t}

  defp nearest([{id, x, y, z} | targets], {ox, oy, oz, dx, dy, dz} = ray, best, best_t) do
    fx = x - ox
    fy = y - oy
    fz = z - oz
    along = fx * dx + fy * dy + fz * dz
    off = fx * fx + fy * fy + fz * fz - along * along

    if along > 0 and off <= @radius * @radius do
      t = along - :math.sqrt(@radius * @radius - off)
      if t < best_t, do: nearest(targets, ray, id, t), else: nearest(targets, ray, best, best_t)
    else
      nearest(targets, ray, best, best_t)
    end
  end
end

defmodule HitsBench do
  alias Roomfold.{Hits, World}

  @rounds 7

  def run do
    IO.puts("Hits from Elixir, #{Bench.machine()}, path #{Roomfold.Native.info().simd}")

    IO.puts(
      "a tick: all targets move, all rays are cast; microseconds, medians of #{@rounds} rounds in turn\n"
    )

    rows = for n <- [100, 1_000, 10_000], m <- [100, 1_000, 10_000], do: row(n, m)

    header =
      ["targets", "shots", "grid", "packed", "JSON, packed", "terms"] ++
        Enum.map(["packed", "JSON", "terms"], &"grid / #{&1}")

    Bench.table(header, rows)
    Bench.csv("hits_elixir", header, rows)
  end

  defp row(n, m) do
    :rand.seed(:exsss, {n, m, 1})
    places = for i <- 1..n, do: {"t#{i}", at(100), at(20), at(100)}
    # From one tick to the next they walk to and fro.
    moved = for {id, x, y, z} <- places, do: {id, Float.round(x + 0.25, 4), y, Float.round(z - 0.125, 4)}
    ticks = div(1_000_000, n * m) |> max(1) |> min(10)
    rays = for _ <- 1..m, do: ray()
    packed = for ray <- rays, into: <<>>, do: pack(ray)
    same!(places, moved, updates(moved), rays)

    times =
      Bench.rounds(
        [
          contender(:grid, places, moved, ticks, &updates/1, &grid_world/1, fn world, updates ->
            world = Enum.reduce(updates, world, &GridWorld.move/2)
            grid = world |> GridWorld.targets() |> GridWorld.build()
            Enum.each(rays, &GridWorld.cast(grid, &1))
            world
          end),
          contender(:packed, places, moved, ticks, &frame/1, &world/1, fn world, frame ->
            {:ok, world, _} = World.fold(world, {:packed, frame})
            {:ok, _} = Hits.cast(world, {:packed, packed, {}})
            world
          end),
          contender(:json, places, moved, ticks, &text/1, &world/1, fn world, text ->
            {:ok, world, _} = World.fold(world, {:json, text})
            {:ok, _} = Hits.cast(world, {:packed, packed, {}})
            world
          end),
          contender(:terms, places, moved, ticks, &updates/1, &world/1, fn world, updates ->
            {:ok, world, _} = World.fold(world, updates)
            {:ok, _} = Hits.cast(world, rays)
            world
          end)
        ],
        @rounds
      )

    us = Map.new(times, fn {name, time} -> {name, time / 1_000 / ticks} end)

    [n, m] ++
      Enum.map([us.grid, us.packed, us.json, us.terms], &Bench.round1/1) ++
      Enum.map([us.packed, us.json, us.terms], &Bench.ratio(us.grid, &1))
  end

  # Ticks of a world that has seen two of them.
  defp contender(name, places, moved, ticks, input, make, tick) do
    inputs = {input.(moved), input.(places)}
    run = fn world, ticks -> Enum.reduce(1..ticks, world, &tick.(&2, elem(inputs, rem(&1, 2)))) end
    {name, fn -> run.(make.(places), 2) end, &run.(&1, ticks)}
  end

  defp updates(places) do
    for {id, x, y, z} <- places,
        do: {"update", %{"entity_id" => id, "components" => %{"position" => [x, y, z]}}}
  end

  defp frame(places) do
    {:ok, frame} = Roomfold.Wire.encode_events(updates(places))
    frame
  end

  defp text(places) do
    Enum.map_join(updates(places), "\n", fn {name, payload} ->
      Roomfold.JSON.encode!(Map.put(payload, "event", name))
    end)
  end

  defp grid_world(places), do: Map.new(places, fn {id, x, y, z} -> {id, %{"position" => [x, y, z]}} end)

  # Both must hit the same targets (but for rays that start within one, and rounding at the rim).
  defp same!(places, moved, updates, rays) do
    {:ok, ours} = places |> world() |> World.fold!(updates) |> Hits.cast(rays)
    grid = GridWorld.build(moved)

    different =
      Enum.zip(ours, rays)
      |> Enum.count(fn {hit, ray} ->
        theirs = with {id, _} <- GridWorld.cast(grid, ray), do: id
        (hit && hit.t > 0 && hit.id) != theirs and not match?(%{t: 0.0}, hit)
      end)

    if different * 100 > length(rays),
      do: raise("the grid hits others in #{different} of #{length(rays)} cases")
  end

  # Indexed, as it is from the tick before.
  defp world(places) do
    collider = %{"shape" => "sphere", "radius" => 0.5, "at" => "centre"}

    creates =
      for {id, x, y, z} <- places,
          do:
            {"create",
             %{"entity_id" => id, "components" => %{"position" => [x, y, z], "collider" => collider}}}

    world = World.fold!(World.new!(history: 20_000), creates)
    {:ok, _} = Hits.cast(world, [ray()])
    world
  end

  defp at(range), do: Float.round(:rand.uniform() * range, 4)

  defp ray do
    [x, y, z] = for _ <- 1..3, do: :rand.normal()
    length = :math.sqrt(x * x + y * y + z * z)
    {at(100), at(20), at(100), x / length, y / length, z / length, 15.0}
  end

  defp pack({ox, oy, oz, dx, dy, dz, range}) do
    <<ox::float-64-little, oy::float-64-little, oz::float-64-little, dx::float-64-little, dy::float-64-little,
      dz::float-64-little, range::float-64-little, 0::64>>
  end
end

HitsBench.run()
