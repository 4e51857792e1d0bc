defmodule Roomfold.Hits.Elixir.Sweep do
  @moduledoc false
  # When a moving shape first touches a box with a radius around it, as which every collider is tested. Like c_src/core/hit/sweep.c, operation by
  # operation.

  alias Roomfold.Hits.Elixir.Slabs

  defstruct [:origin, :way, :inverse, :half, :radius]

  @tiny 1.0e-140

  @doc "shape: %{half, radius, lift}"
  def new({ox, oy, oz}, {wx, wy, wz}, shape) do
    way = {settle(wx), settle(wy), settle(wz)}
    {wx, wy, wz} = way

    %__MODULE__{
      origin: {ox, oy + shape.lift, oz},
      way: way,
      inverse: {inverse(wx), inverse(wy), inverse(wz)},
      half: shape.half,
      radius: shape.radius
    }
  end

  defp settle(way), do: if(abs(way) < @tiny, do: 0.0, else: way)
  defp inverse(way), do: if(way == 0, do: 0.0, else: 1 / way)

  def ray?(%{half: {x, y, z}, radius: radius}), do: x == 0 and y == 0 and z == 0 and radius == 0

  @doc "Of two contacts, {t, normal} or nil: the one before the best so far, else that one."
  def earlier(nil, best), do: best
  def earlier(contact, nil), do: contact
  def earlier({t, _} = contact, {best_t, _}) when t < best_t, do: contact
  def earlier(_, best), do: best

  @doc "box: %{low, high, radius}; touch: whether a touch is a hit. {t, normal} or nil."
  def round_box(sweep, box, touch) do
    radius = box.radius + sweep.radius
    low = apart(box.low, sweep.half, &-/2)
    high = apart(box.high, sweep.half, &+/2)

    slabs =
      Enum.reduce(0..2, %Slabs{touch: touch}, fn axis, slabs ->
        Slabs.axis(slabs, sweep, axis, elem(low, axis) - radius, elem(high, axis) + radius)
      end)

    cond do
      not Slabs.hit?(slabs) -> nil
      radius == 0 -> {Slabs.start(slabs), Slabs.normal(slabs)}
      true -> rounded(sweep, %{low: low, high: high, radius: radius}, slabs, touch)
    end
  end

  defp apart({ax, ay, az}, {bx, by, bz}, op), do: {op.(ax, bx), op.(ay, by), op.(az, bz)}

  defp rounded(sweep, box, slabs, touch) do
    from = Slabs.start(slabs)
    to = if slabs.leave < 1, do: slabs.leave, else: 1.0

    [from | crossings(sweep, box, from, to)]
    |> Enum.zip(crossings(sweep, box, from, to) ++ [to])
    |> Enum.find_value(fn {from, to} -> between(sweep, box, from, to, touch) end)
    |> case do
      nil -> nil
      t -> {t, normal(sweep, box, slabs, t)}
    end
  end

  # Where the path crosses the planes of the inner box, between from and to.
  defp crossings(sweep, box, from, to) do
    Enum.sort(
      for axis <- 0..2,
          elem(sweep.way, axis) != 0 and elem(box.low, axis) != elem(box.high, axis),
          plane <- [elem(box.low, axis), elem(box.high, axis)],
          t = (plane - elem(sweep.origin, axis)) * elem(sweep.inverse, axis),
          t > from and t < to,
          do: t
    )
  end

  # Between two crossings the shape stays outside the same sides of the inner box: its distance is to a point, a line or a plane.
  defp between(sweep, box, from, to, touch) do
    middle = from + (to - from) * 0.5
    outside = for axis <- 0..2, away = away(sweep, box, axis, middle), do: {away, elem(sweep.way, axis)}
    a = Enum.reduce(outside, 0.0, fn {_, way}, sum -> sum + way * way end)
    b = Enum.reduce(outside, 0.0, fn {away, way}, sum -> sum + away * way end)
    nearest = if a == 0, do: 0.0, else: -b / a

    c =
      Enum.reduce(outside, 0.0, fn {away, way}, sum ->
        rest = away + way * nearest
        sum + rest * rest
      end)

    q = box.radius * box.radius - c

    cond do
      if(touch, do: q < 0, else: q <= 0) -> nil
      a == 0 -> from
      true -> root(nearest, :math.sqrt(q / a), from, to, touch)
    end
  end

  defp away(sweep, box, axis, middle) do
    origin = elem(sweep.origin, axis)
    low = elem(box.low, axis)
    high = elem(box.high, axis)
    at = origin + elem(sweep.way, axis) * middle

    cond do
      at < low or low == high -> origin - low
      at > high -> origin - high
      true -> nil
    end
  end

  defp root(nearest, root, from, to, touch) do
    cond do
      nearest - root > to or nearest + root < from -> nil
      not touch and nearest + root <= from -> nil
      nearest - root > from -> nearest - root
      true -> from
    end
  end

  defp normal(sweep, box, slabs, t) do
    [x, y, z] =
      for axis <- 0..2 do
        at = elem(sweep.origin, axis) + elem(sweep.way, axis) * t
        low = elem(box.low, axis)
        high = elem(box.high, axis)
        at - if(at < low, do: low, else: if(at > high, do: high, else: at))
      end

    case x * x + y * y + z * z do
      length2 when length2 == 0 -> Slabs.normal(slabs)
      length2 -> {x / :math.sqrt(length2), y / :math.sqrt(length2), z / :math.sqrt(length2)}
    end
  end
end
