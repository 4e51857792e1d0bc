defmodule Roomfold.Hits.Elixir.Panel do
  @moduledoc false
  # Upright rectangles, and walls: two such rectangles around an opening. Like c_src/core/hit/sweep_panel.c and wall.c.

  alias Roomfold.Hits.Elixir.{Slabs, Sweep}

  @spare :math.pow(2, -44)

  @doc "A wall with the {floor, ceiling} of its two sectors, {t, normal} or nil."
  def wall(wall, sides, sweep) do
    whole = %{
      x1: wall.x1,
      z1: wall.z1,
      x2: wall.x2,
      z2: wall.z2,
      low: end_of(wall.bottom),
      high: end_of(wall.top),
      low_edge: true,
      high_edge: true
    }

    if wall.back == nil, do: panel(sweep, whole), else: whole |> parts(sides) |> earliest(sweep)
  end

  defp end_of(height) when is_atom(height), do: nil
  defp end_of(height), do: height

  defp parts(whole, {{floor1, ceiling1}, {floor2, ceiling2}}) do
    below = if floor1 != floor2, do: below(whole, max(floor1, floor2))
    above = if ceiling1 != ceiling2, do: above(whole, min(ceiling1, ceiling2))

    for part <- [below, above],
        part != nil,
        part.low == nil or part.high == nil or part.low < part.high,
        do: part
  end

  defp below(whole, high) do
    if whole.high == nil or high <= whole.high, do: %{whole | high: high, high_edge: false}, else: whole
  end

  defp above(whole, low) do
    if whole.low == nil or low >= whole.low, do: %{whole | low: low, low_edge: false}, else: whole
  end

  defp earliest(parts, sweep) do
    Enum.reduce(parts, nil, fn part, best -> Sweep.earlier(panel(sweep, part), best) end)
  end

  def panel(sweep, panel) do
    cond do
      Sweep.ray?(sweep) -> ray(sweep, panel)
      sweep.radius == 0 -> box(sweep, panel)
      true -> sphere(sweep, panel)
    end
  end

  defp side(%{origin: {ox, _, oz}, way: {wx, _, wz}}, x, z), do: wx * (z - oz) - wz * (x - ox)

  defp ray(sweep, panel) do
    first = side(sweep, panel.x1, panel.z1)
    second = side(sweep, panel.x2, panel.z2)
    ex = panel.x2 - panel.x1
    ez = panel.z2 - panel.z1
    {ox, oy, oz} = sweep.origin
    {wx, wy, wz} = sweep.way
    rate = wx * ez - wz * ex

    if (first > 0 and second > 0) or (first < 0 and second < 0) or rate == 0 do
      nil
    else
      t = Slabs.divide((panel.x1 - ox) * ez - (panel.z1 - oz) * ex, rate)
      y = if t >= 0 and t <= 1, do: oy + wy * t

      if y != nil and Slabs.beside?(sweep, t, 0, panel.x1, panel.x2) and
           Slabs.beside?(sweep, t, 2, panel.z1, panel.z2) and inside?(panel, y) do
        length = :math.sqrt(ex * ex + ez * ez) * if(rate > 0, do: -1, else: 1)
        {t, {ez / length, 0.0, -ex / length}}
      end
    end
  end

  defp inside?(panel, y) do
    (panel.low == nil or if(panel.low_edge, do: y >= panel.low, else: y > panel.low)) and
      (panel.high == nil or if(panel.high_edge, do: y <= panel.high, else: y < panel.high))
  end

  defp box(sweep, panel) do
    {hx, hy, hz} = sweep.half
    {ox, _, oz} = sweep.origin
    ax = panel.z2 - panel.z1
    az = panel.x1 - panel.x2
    at = ax * (ox - panel.x1) + az * (oz - panel.z1)
    width = abs(ax) * hx + abs(az) * hz
    spare = if width == 0, do: abs(at) * @spare, else: 0.0

    unless ax == 0 and az == 0 do
      slabs =
        %Slabs{}
        |> Slabs.axis(sweep, 0, min(panel.x1, panel.x2) - hx, max(panel.x1, panel.x2) + hx)
        |> Slabs.axis(sweep, 1, panel.low && panel.low - hy, panel.high && panel.high + hy)
        |> Slabs.axis(sweep, 2, min(panel.z1, panel.z2) - hz, max(panel.z1, panel.z2) + hz)
        |> Slabs.plane(sweep, {ax, 0.0, az}, at, width, spare)

      if Slabs.hit?(slabs), do: {Slabs.start(slabs), Slabs.normal(slabs)}
    end
  end

  # Seen along the wall, the panel is a box without depth. What is out of the sphere's reach above and below is cut off.
  defp sphere(sweep, panel) do
    ex = panel.x2 - panel.x1
    ez = panel.z2 - panel.z1
    length = :math.sqrt(ex * ex + ez * ez)
    {ox, oy, oz} = sweep.origin
    {wx, wy, wz} = sweep.way
    ending = oy + wy
    reach = sweep.radius * 2 + 1
    low = min(oy, ending) - reach
    low = if panel.low == nil, do: low, else: max(panel.low, low)
    high = max(oy, ending) + reach
    high = if panel.high == nil, do: high, else: min(panel.high, high)

    unless length == 0 or low > high do
      {ex, ez} = {ex / length, ez / length}
      {x, z} = {ox - panel.x1, oz - panel.z1}
      shape = %{half: {0.0, 0.0, 0.0}, radius: sweep.radius, lift: 0.0}

      turned =
        Sweep.new({x * ex + z * ez, oy, z * ex - x * ez}, {wx * ex + wz * ez, wy, wz * ex - wx * ez}, shape)

      with {t, {along, up, across}} <-
             Sweep.round_box(turned, %{low: {0.0, low, 0.0}, high: {length, high, 0.0}, radius: 0.0}, false),
           do: {t, {along * ex - across * ez, up, along * ez + across * ex}}
    end
  end
end
