defmodule Roomfold.Hits.Elixir.Triangle do
  @moduledoc false
  # When a moving shape first touches a triangle. Like c_src/core/hit/sweep_triangle.c, operation by operation.

  alias Roomfold.Hits.Elixir.{Slabs, Sweep}

  @spare :math.pow(2, -44)

  @doc "{t, normal} or nil"
  def contact(sweep, {a, b, c}) do
    relative = for corner <- [a, b, c], do: subtract(corner, sweep.origin)
    normal = cross(subtract(b, a), subtract(c, a))
    length = :math.sqrt(dot(normal, normal))

    cond do
      length == 0 -> nil
      Sweep.ray?(sweep) -> ray(sweep, relative, normal, length)
      sweep.radius == 0 -> box(sweep, relative, normal)
      true -> sphere(sweep, relative, normal)
    end
  end

  defp subtract({ax, ay, az}, {bx, by, bz}), do: {ax - bx, ay - by, az - bz}
  defp dot({ax, ay, az}, {bx, by, bz}), do: ax * bx + ay * by + az * bz
  defp cross({ax, ay, az}, {bx, by, bz}), do: {ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx}
  defp divide({x, y, z}, by), do: {x / by, y / by, z / by}

  # On which side of the edge the ray passes: the same number for both triangles that share it, but for its sign.
  defp side(sweep, a, b) do
    if a > b, do: -dot(sweep.way, cross(b, a)), else: dot(sweep.way, cross(a, b))
  end

  defp ray(sweep, [a, b, c] = corners, normal, length) do
    sides = [side(sweep, a, b), side(sweep, b, c), side(sweep, c, a)]
    rate = dot(normal, sweep.way)

    unless (Enum.any?(sides, &(&1 < 0)) and Enum.any?(sides, &(&1 > 0))) or rate == 0 do
      t = Slabs.divide(dot(normal, a), rate)

      if t >= 0 and t <= 1 and Enum.all?(0..2, &beside?(sweep, t, &1, corners)),
        do: {t, divide(normal, if(rate > 0, do: -length, else: length))}
    end
  end

  defp beside?(sweep, t, axis, corners) do
    {low, high} = corners |> Enum.map(&elem(&1, axis)) |> Enum.min_max()
    origin = elem(sweep.origin, axis)
    Slabs.beside?(sweep, t, axis, origin + low, origin + high)
  end

  # The sum of a box and a triangle is a convex body: sides of the box, of the triangle, and those that edges of both span.
  defp box(sweep, [a, b, c] = corners, normal) do
    slabs =
      Enum.reduce(0..2, %Slabs{}, fn axis, slabs ->
        {low, high} = corners |> Enum.map(&elem(&1, axis)) |> Enum.min_max()
        origin = elem(sweep.origin, axis)
        half = elem(sweep.half, axis)
        Slabs.axis(slabs, sweep, axis, origin + (low - half), origin + (high + half))
      end)

    edges = [subtract(b, a), subtract(c, b), subtract(a, c)]
    units = [{1.0, 0.0, 0.0}, {0.0, 1.0, 0.0}, {0.0, 0.0, 1.0}]
    planes = [normal | for(along <- edges, unit <- units, do: cross(unit, along))]
    slabs = Enum.reduce(planes, slabs, &between(&2, sweep, corners, &1))
    if Slabs.hit?(slabs), do: {Slabs.start(slabs), Slabs.normal(slabs)}
  end

  defp between(slabs, _, _, {x, y, z}) when x == 0 and y == 0 and z == 0, do: slabs

  defp between(slabs, sweep, corners, {x, y, z} = across) do
    {low, high} = corners |> Enum.map(&dot(across, &1)) |> Enum.min_max()
    {hx, hy, hz} = sweep.half
    width = abs(x) * hx + abs(y) * hy + abs(z) * hz
    spare = if width == 0, do: reach(across, corners) * @spare, else: 0.0
    Slabs.plane(slabs, sweep, across, -(low + (high - low) * 0.5), width + (high - low) * 0.5, spare)
  end

  # More than the distance of any corner from the start along `across`.
  defp reach(across, corners) do
    Enum.reduce(0..2, 0.0, fn axis, sum ->
      sum + abs(elem(across, axis)) * (corners |> Enum.map(&abs(elem(&1, axis))) |> Enum.max())
    end)
  end

  defp sphere(sweep, [a, b, c] = corners, normal) do
    Enum.reduce([{a, b}, {b, c}, {c, a}], face(sweep, corners, normal), fn {from, to}, best ->
      Sweep.earlier(edge(sweep, from, to), best)
    end)
  end

  # A point against everything within radius of an edge: seen along the edge that is a box without width.
  defp edge(sweep, a, b) do
    along = subtract(b, a)
    length = :math.sqrt(dot(along, along))

    unless length == 0 do
      u = divide(along, length)
      v = cross(u, unit(least(u)))
      v = divide(v, :math.sqrt(dot(v, v)))
      w = cross(u, v)
      {ax, ay, az} = a
      start = {-ax, -ay, -az}
      way = sweep.way
      shape = %{half: {0.0, 0.0, 0.0}, radius: sweep.radius, lift: 0.0}

      turned =
        Sweep.new(
          {dot(start, u), dot(start, v), dot(start, w)},
          {dot(way, u), dot(way, v), dot(way, w)},
          shape
        )

      line = %{low: {0.0, 0.0, 0.0}, high: {:math.sqrt(dot(along, along)), 0.0, 0.0}, radius: 0.0}

      with {t, {nu, nv, nw}} <- Sweep.round_box(turned, line, false) do
        [x, y, z] = for i <- 0..2, do: nu * elem(u, i) + nv * elem(v, i) + nw * elem(w, i)
        {t, {x, y, z}}
      end
    end
  end

  defp least({x, y, z}) do
    least = if abs(y) < abs(x), do: 1, else: 0
    if abs(z) < abs(elem({x, y, z}, least)), do: 2, else: least
  end

  defp unit(0), do: {1.0, 0.0, 0.0}
  defp unit(1), do: {0.0, 1.0, 0.0}
  defp unit(2), do: {0.0, 0.0, 1.0}

  # Whether the sphere touches the inside of the triangle, seen along its normal, when it touches its plane.
  defp face(sweep, [a, b, c], normal) do
    length = :math.sqrt(dot(normal, normal))
    at = -dot(normal, a) / length
    rate = dot(normal, sweep.way) / length
    t = touch(sweep.radius, at, rate)
    {wx, wy, wz} = sweep.way

    if t != nil and Enum.all?([{a, b}, {b, c}, {c, a}], &inward?(normal, &1, {wx * t, wy * t, wz * t})) do
      {x, y, z} = normal
      {t, if(at > 0, do: {x / length, y / length, z / length}, else: {-x / length, -y / length, -z / length})}
    end
  end

  defp inward?(normal, {from, to}, point),
    do: dot(cross(normal, subtract(to, from)), subtract(point, from)) >= 0

  defp touch(radius, at, _) when abs(at) < radius, do: 0.0
  defp touch(_, _, rate) when rate == 0, do: nil
  defp touch(_, at, rate) when at > 0 == rate > 0, do: nil

  defp touch(radius, at, rate) do
    t = Slabs.divide(if(at > 0, do: radius, else: -radius) - at, rate)
    if t >= 0 and t <= 1, do: t
  end
end
