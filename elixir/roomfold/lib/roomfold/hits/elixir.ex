defmodule Roomfold.Hits.Elixir do
  @moduledoc false
  # Finds hits in pure Elixir, by testing everything, one after the other. The reference for C, with the same operations on binary64 in the same
  # order, so that answers are equal to the bit. docs/hits.md specifies them.

  alias Roomfold.Hits.Elixir.{Panel, Sweep, Triangle}

  @all_layers 0xFFFFFFFF
  @limit 1.0e9
  @kinds %{target: 0, wall: 1, box: 2, triangle: 3}

  # ---- shots ----

  @doc "Hits in their order, or {:error, reason}. scene: %{targets, walls, sectors, boxes, triangles}."
  def cast(scene, shot) do
    with :ok <- places(Tuple.to_list(shot.origin)),
         :ok <- if(shot.range >= 0 and shot.range <= @limit, do: :ok, else: {:error, :number_out_of_range}),
         :ok <- if(byte_size(shot.owner) <= 255, do: :ok, else: {:error, :invalid_id}),
         {:ok, shape} <- shape(shot.collider),
         :ok <- if(shot.collider.shape == :capsule, do: {:error, :invalid_collider}, else: :ok),
         {:ok, direction, length} <- direction(shot.direction) do
      scale = shot.range / length
      {dx, dy, dz} = direction
      sweep = Sweep.new(shot.origin, {dx * scale, dy * scale, dz * scale}, shape)
      unit = {dx / length, dy / length, dz / length}
      mask = if shot.mask == 0, do: @all_layers, else: shot.mask

      hits =
        (targets(scene, shot, sweep, mask) ++ statics(scene, sweep, mask))
        |> Enum.map(&hit(&1, shot, sweep, unit))
        |> Enum.sort_by(&{&1.t, Map.fetch!(@kinds, &1.kind), &1.id || "", &1.number})

      {:ok, choose(hits, shot.kind)}
    end
  end

  defp direction({x, y, z} = direction) do
    largest = max(max(abs(x), abs(y)), abs(z))

    cond do
      largest == 0 -> {:error, :zero_direction}
      largest > 1.0e-100 and largest < 1.0e100 -> {:ok, direction, length(x, y, z)}
      true -> {:ok, {x / largest, y / largest, z / largest}, length(x / largest, y / largest, z / largest)}
    end
  end

  defp length(x, y, z), do: :math.sqrt(x * x + y * y + z * z)

  defp targets(scene, shot, sweep, mask) do
    for target <- scene.targets,
        wanted?(mask, target.layers) and not passes?(shot, target),
        contact = Sweep.round_box(sweep, box_of(target), true),
        do: {:target, target.key, target.id, contact}
  end

  defp passes?(%{owner: ""}, _), do: false
  defp passes?(%{owner: owner}, target), do: target.id == owner or target.owner == owner

  defp statics(scene, sweep, mask) do
    walls =
      for {wall, number} <- Enum.with_index(scene.walls),
          wanted?(mask, wall.layers),
          contact = Panel.wall(wall, sides(wall, scene.sectors), sweep),
          do: {:wall, number, nil, contact}

    boxes =
      for {box, number} <- Enum.with_index(scene.boxes),
          wanted?(mask, box.layers),
          contact = Sweep.round_box(sweep, %{low: box.low, high: box.high, radius: 0.0}, false),
          do: {:box, number, nil, contact}

    triangles =
      for {triangle, number} <- Enum.with_index(scene.triangles),
          wanted?(mask, triangle.layers),
          contact = Triangle.contact(sweep, triangle.corners),
          do: {:triangle, number, nil, contact}

    walls ++ boxes ++ triangles
  end

  defp sides(%{back: nil}, _), do: nil
  defp sides(wall, sectors), do: {Map.fetch!(sectors, wall.front), Map.fetch!(sectors, wall.back)}

  defp wanted?(mask, layers), do: Bitwise.band(mask, layers) != 0

  defp hit({kind, number, id, {t, normal}}, shot, sweep, {ux, uy, uz}) do
    {ox, oy, oz} = shot.origin
    {wx, wy, wz} = sweep.way

    %{
      kind: kind,
      number: number,
      id: id,
      t: t,
      distance: t * shot.range,
      point: {ox + wx * t, oy + wy * t, oz + wz * t},
      # Of 0.0 it is -0.0, as in C; -x may be 0 - x.
      normal: if(t == 0, do: {-1.0 * ux, -1.0 * uy, -1.0 * uz}, else: normal)
    }
  end

  # Drops hits after the first static thing, and those that this kind of shot does not want.
  defp choose(hits, :all), do: hits
  defp choose(hits, :first), do: Enum.take(hits, 1)

  defp choose(hits, :pierce) do
    {targets, rest} = Enum.split_while(hits, &(&1.kind == :target))
    targets ++ Enum.take(rest, 1)
  end

  # ---- zones ----

  @doc "The targets that touch a zone, in the order of ids."
  def overlap(scene, zone) do
    with :ok <- places(Tuple.to_list(zone.position)), {:ok, shape} <- shape(zone.collider) do
      {x, y, z} = zone.position
      centre = {x, y + shape.lift, z}
      mask = if zone.mask == 0, do: @all_layers, else: zone.mask

      hits =
        for target <- scene.targets, wanted?(mask, target.layers), touches?(box_of(target), shape, centre) do
          Map.merge(nearest(box_of(target), centre), %{
            kind: :target,
            number: target.key,
            id: target.id,
            t: 0.0
          })
        end

      {:ok, Enum.sort_by(hits, &{&1.id, &1.number})}
    end
  end

  defp touches?(box, shape, centre) do
    radius = box.radius + shape.radius

    distance2 =
      Enum.reduce(0..2, 0.0, fn axis, sum ->
        low = elem(box.low, axis) - elem(shape.half, axis)
        high = elem(box.high, axis) + elem(shape.half, axis)
        at = elem(centre, axis)
        away = if at < low, do: low - at, else: if(at > high, do: at - high, else: 0.0)
        sum + away * away
      end)

    distance2 <= radius * radius
  end

  # The nearest point of the target's collider, and how far it is.
  defp nearest(box, {cx, cy, cz} = centre) do
    [x, y, z] =
      for axis <- 0..2 do
        at = elem(centre, axis)
        at - min(max(at, elem(box.low, axis)), elem(box.high, axis))
      end

    length = length(x, y, z)
    {nx, ny, nz} = normal = if length > 0, do: {x / length, y / length, z / length}, else: {0.0, 0.0, 0.0}
    far = length - box.radius

    if length > box.radius,
      do: %{normal: normal, distance: far, point: {cx - nx * far, cy - ny * far, cz - nz * far}},
      else: %{normal: normal, distance: 0.0, point: centre}
  end

  # ---- shapes ----

  defp box_of(target) do
    {:ok, shape} = shape(target.collider)
    {x, y, z} = target.position
    {hx, hy, hz} = shape.half
    y = y + shape.lift
    %{low: {x - hx, y - hy, z - hz}, high: {x + hx, y + hy, z + hz}, radius: shape.radius}
  end

  defp places(numbers) do
    if Enum.all?(numbers, &(abs(&1) <= @limit)), do: :ok, else: {:error, :number_out_of_range}
  end

  defp sizes(numbers) do
    with :ok <- places(numbers),
         do: if(Enum.all?(numbers, &(&1 >= 0)), do: :ok, else: {:error, :invalid_collider})
  end

  @nothing {0.0, 0.0, 0.0}

  @doc "A collider as a box with a radius around it, and the height of its centre above the position."
  def shape(%{shape: :point}), do: {:ok, %{half: @nothing, radius: 0.0, lift: 0.0}}

  def shape(%{shape: :box, half: {_, y, _} = half} = collider) do
    with :ok <- sizes(Tuple.to_list(half)), do: {:ok, lifted(collider, half, 0.0, y * 2)}
  end

  def shape(%{shape: :sphere, radius: radius} = collider) do
    with :ok <- sizes([radius]), do: {:ok, lifted(collider, @nothing, radius, radius * 2)}
  end

  def shape(%{shape: :capsule, radius: radius, height: height} = collider) do
    with :ok <- sizes([radius]), :ok <- sizes([height]) do
      height = max(height, radius * 2)
      {:ok, lifted(collider, {0.0, height * 0.5 - radius, 0.0}, radius, height)}
    end
  end

  defp lifted(collider, half, radius, height),
    do: %{half: half, radius: radius, lift: if(collider.centred, do: 0.0, else: height * 0.5)}
end
