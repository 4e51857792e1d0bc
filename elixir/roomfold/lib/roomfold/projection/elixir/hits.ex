defmodule Roomfold.Projection.Elixir.Hits do
  @moduledoc false
  # Shots at the entities of a world, now and in the past. Like c_src/core/hit/scene.c and view.c; the geometry is
  # Roomfold.Hits.Elixir.

  import Roomfold.Hits.Number

  alias Roomfold.Error
  alias Roomfold.Hits.Collider
  alias Roomfold.Hits.Elixir, as: Geometry
  alias Roomfold.Level
  alias Roomfold.Projection.Elixir.Entities

  # states: newest first, each the targets and sectors of a moment.
  defstruct level: %Level{}, length: 1000.0, max_states: 128, states: []

  def open(level, {length, max_states}) do
    if Level.wrong(level) == nil,
      do: {:ok, %__MODULE__{level: level, length: length, max_states: max_states}},
      else: {:error, :invalid_level}
  end

  # ---- casting ----

  @doc "Returns the answers in reverse order."
  def cast(world, shots), do: Enum.reduce(shots, [], &[cast_one(world, &1) | &2])

  defp cast_one(world, {ox, oy, oz, dx, dy, dz, range}),
    do: cast_one(world, {:first, 0, nil, {ox, oy, oz}, {dx, dy, dz}, range, nil, nil})

  defp cast_one(world, {kind, mask, owner, origin, direction, range, collider, moment}) do
    with true <- valid?(mask, owner, [origin, direction], [range], moment),
         {:ok, origin} <- floats(origin),
         {:ok, direction} <- floats(direction) do
      shot = %{
        kind: kind,
        mask: mask,
        owner: owner || "",
        origin: origin,
        direction: direction,
        range: range * 1.0,
        collider: collider_map(collider)
      }

      answer(world, moment, &Geometry.cast(&1, shot))
    else
      _ -> :invalid_argument
    end
  end

  defp cast_one(_, :not_a_number), do: :number_out_of_range
  defp cast_one(_, _), do: :invalid_argument

  @doc "{answers, ids}, as Roomfold.Hits.cast/2 describes them."
  def cast_packed(world, shots, owners) do
    answers = for <<shot::binary-size(64) <- shots>>, do: cast_one(world, unpack(shot, owners))

    {answers, ids} =
      Enum.map_reduce(answers, %{}, fn
        [], ids -> {<<0::128>>, ids}
        {[hit], _, _}, ids -> pack(hit, ids)
        reason, ids -> {<<255, 0::24, Error.number(reason)::32-little, 0::64>>, ids}
      end)

    {IO.iodata_to_binary(answers),
     ids |> Enum.sort_by(&elem(&1, 1)) |> Enum.map(&elem(&1, 0)) |> List.to_tuple()}
  end

  defp pack({:target, id, t, _, _, _}, ids) do
    ids = Map.put_new(ids, id, map_size(ids) + 1)
    {<<1, 0::24, Map.fetch!(ids, id)::32-little, t::float-64-little>>, ids}
  end

  defp pack({kind, number, t, _, _, _}, ids) do
    code = Map.fetch!(%{wall: 2, box: 3, triangle: 4}, kind)
    {<<code, 0::24, number::32-little, t::float-64-little>>, ids}
  end

  defp unpack(<<numbers::binary-size(56), mask::32-little, owner::32-little>>, owners) do
    [ox, oy, oz, dx, dy, dz, range] = for <<bits::binary-size(8) <- numbers>>, do: number(bits)
    owner = owner(owner, owners)

    cond do
      owner == :error -> :error
      :not_a_number in [ox, oy, oz, range] -> :not_a_number
      # Refused for its owner, whatever its direction is.
      too_long?(owner) -> {:first, mask, owner, {ox, oy, oz}, {1.0, 0.0, 0.0}, range, nil, nil}
      :not_a_number in [dx, dy, dz] -> :not_a_number
      true -> {:first, mask, owner, {ox, oy, oz}, {dx, dy, dz}, range, nil, nil}
    end
  end

  defp owner(0, _), do: nil
  defp owner(place, owners) when place > tuple_size(owners), do: :error
  defp owner(place, owners), do: with(id when not is_binary(id) <- elem(owners, place - 1), do: :error)

  defp too_long?(owner), do: is_binary(owner) and byte_size(owner) > 255

  defp number(<<number::float-64-little>>), do: number
  defp number(_), do: :not_a_number

  def overlap(world, zones), do: Enum.reduce(zones, [], &[overlap_one(world, &1) | &2])

  defp overlap_one(world, {mask, position, collider, moment}) do
    with true <- valid?(mask, nil, [position], [], moment), {:ok, position} <- floats(position) do
      zone = %{mask: mask, position: position, collider: collider_map(collider)}
      answer(world, moment, &Geometry.overlap(&1, zone))
    else
      _ -> :invalid_argument
    end
  end

  defp overlap_one(_, _), do: :invalid_argument

  defp valid?(mask, owner, points, numbers, moment) do
    bits?(mask) and (owner == nil or is_binary(owner)) and Enum.all?(points, &match?({_, _, _}, &1)) and
      Enum.all?(numbers, &is_real/1) and moment?(moment)
  end

  defp bits?(mask), do: is_integer(mask) and mask in 0..0xFFFFFFFF

  defp moment?(nil), do: true
  defp moment?({kind, value}), do: kind in [:seq, :time] and is_real(value)
  defp moment?(_), do: false

  defp floats({x, y, z}) when is_real(x) and is_real(y) and is_real(z),
    do: {:ok, {x * 1.0, y * 1.0, z * 1.0}}

  defp floats(_), do: :error

  defp collider_map(nil),
    do: %{shape: :point, centred: false, half: {0.0, 0.0, 0.0}, radius: 0.0, height: 0.0}

  defp collider_map({shape, centred, half, radius, height}),
    do: %{shape: shape, centred: centred, half: half, radius: radius, height: height}

  # The shot is checked before its moment, which is a float, as in C.
  defp answer(world, moment, ask) do
    moment = with {kind, value} <- moment, do: {kind, value * 1.0}

    case {ask.(%{empty() | targets: []}), scene(world, moment)} do
      {{:error, reason}, _} -> reason
      {_, {:error, reason}} -> reason
      {_, {:ok, scene, seq, blend}} -> found(ask.(scene), seq, blend)
    end
  end

  defp empty, do: %{targets: [], walls: [], sectors: %{}, boxes: [], triangles: []}

  defp found({:ok, []}, _, _), do: []
  defp found({:ok, hits}, seq, blend), do: {Enum.map(hits, &hit/1), seq, blend}
  defp found({:error, reason}, _, _), do: reason

  defp hit(hit) do
    {hit.kind, if(hit.kind == :target, do: hit.id, else: hit.number), hit.t, hit.distance, hit.point,
     hit.normal}
  end

  # ---- the scene of a moment ----

  defp scene(world, nil), do: {:ok, whole(world.hits.level, targets(world), sectors(world)), nil, 0.0}

  defp scene(world, {kind, value}) do
    with :ok <- in_range(kind, value), {:ok, state, next, blend} <- view(world.hits.states, kind, value) do
      targets = Enum.map(state.targets, &between(&1, next, blend))
      {:ok, whole(world.hits.level, targets, heights(state, next, blend)), state.seq, blend}
    end
  end

  defp in_range(:seq, value) when value < 0 or value >= 18_446_744_073_709_551_616,
    do: {:error, :number_out_of_range}

  defp in_range(_, _), do: :ok

  defp view([], _, _), do: {:error, :unknown_moment}

  defp view([newest | _] = states, kind, value) do
    key = if kind == :seq, do: :seq, else: :time
    wanted = if kind == :seq, do: trunc(value), else: value

    cond do
      value > Map.fetch!(newest, key) ->
        {:error, :unknown_moment}

      true ->
        {later, rest} = Enum.split_while(states, &(Map.fetch!(&1, key) > wanted))
        pick(rest, List.last(later), kind, value)
    end
  end

  defp pick([], _, _, _), do: {:error, :unknown_moment}
  defp pick([state | _], nil, _, _), do: {:ok, state, nil, 0.0}
  defp pick([state | _], _, :seq, _), do: {:ok, state, nil, 0.0}
  defp pick([%{time: time} = state | _], _, :time, value) when value <= time, do: {:ok, state, nil, 0.0}

  defp pick([state | _], next, :time, value),
    do: {:ok, state, next, (value - state.time) / (next.time - state.time)}

  defp between(target, nil, _), do: target

  defp between(target, next, blend) do
    case Map.fetch(next.by_life, target.life) do
      {:ok, then} -> %{target | position: blend_points(target.position, then.position, blend)}
      :error -> target
    end
  end

  defp blend_points({ax, ay, az}, {bx, by, bz}, blend),
    do: {blend(ax, bx, blend), blend(ay, by, blend), blend(az, bz, blend)}

  defp blend(from, to, share), do: from + (to - from) * share

  defp heights(state, nil, _), do: state.sectors

  defp heights(state, next, blend) do
    Map.new(state.sectors, fn {number, {floor, ceiling}} ->
      {then_floor, then_ceiling} = Map.fetch!(next.sectors, number)
      {number, {blend(floor, then_floor, blend), blend(ceiling, then_ceiling, blend)}}
    end)
  end

  defp whole(level, targets, sectors) do
    %{
      targets: targets,
      sectors: sectors,
      walls: Enum.map(level.walls, &wall/1),
      boxes:
        for({low, high, layers} <- level.boxes, do: %{low: float3(low), high: float3(high), layers: layers}),
      triangles:
        for(
          {a, b, c, layers} <- level.triangles,
          do: %{corners: {float3(a), float3(b), float3(c)}, layers: layers}
        )
    }
  end

  defp wall({x1, z1, x2, z2, bottom, top, front, back, layers}) do
    %{
      x1: x1 * 1.0,
      z1: z1 * 1.0,
      x2: x2 * 1.0,
      z2: z2 * 1.0,
      bottom: if(bottom, do: bottom * 1.0, else: :minus_infinity),
      top: if(top, do: top * 1.0, else: :infinity),
      front: front,
      back: back,
      layers: layers
    }
  end

  defp float3({x, y, z}), do: {x * 1.0, y * 1.0, z * 1.0}

  # ---- what entities look like ----

  defp targets(world) do
    for entity <- Entities.all(world.entities),
        components = Entities.components(entity),
        {:ok, position} <- [position(components["position"])],
        {:ok, collider, layers} <- [Collider.parse(components["collider"])],
        fits?(collider, position),
        components["state"] != "dead" do
      %{
        key: entity.handle,
        life: {entity.handle, entity.created},
        id: entity.id,
        owner: if(is_binary(components["owner"]), do: components["owner"], else: ""),
        collider: collider_map(collider),
        position: position,
        layers: layers || if(is_map_key(components, "health"), do: 3, else: 1)
      }
    end
  end

  defp position([x, y, z]) when is_number(x) and is_number(y) and is_number(z),
    do: {:ok, {x * 1.0, y * 1.0, z * 1.0}}

  defp position(_), do: :error

  # Negative sizes, and positions outside the space.
  defp fits?({_, _, {x, y, z}, radius, height}, position) do
    Enum.all?([x, y, z, radius, height], &(&1 >= 0 and &1 <= 1.0e9)) and
      position |> Tuple.to_list() |> Enum.all?(&(abs(&1) <= 1.0e9))
  end

  defp sectors(world) do
    world.hits.level.sectors
    |> Enum.with_index(fn {floor, ceiling}, number -> {number, {floor * 1.0, ceiling * 1.0}} end)
    |> Map.new(fn {number, {floor, ceiling}} ->
      {number, moved(Entities.find(world.entities, "sector-#{number}"), floor, ceiling)}
    end)
  end

  defp moved(nil, floor, ceiling), do: {floor, ceiling}

  defp moved(entity, floor, ceiling) do
    components = Entities.components(entity)
    {height(components["floor"], floor), height(components["ceiling"], ceiling)}
  end

  defp height(number, _) when is_number(number) and abs(number) <= 1.0e9, do: number * 1.0
  defp height(_, otherwise), do: otherwise

  # ---- the past ----

  def mark(world, time) do
    hits = world.hits

    case hits.states do
      [%{seq: seq, time: ^time} | _] when seq == world.seq -> {:ok, world}
      [%{seq: seq, time: last} | _] when world.seq < seq or time < last -> {:error, :invalid_argument}
      states -> {:ok, %{world | hits: %{hits | states: remember([state(world, time) | states], hits, time)}}}
    end
  end

  defp state(world, time) do
    targets = targets(world)

    %{
      seq: world.seq,
      time: time,
      targets: targets,
      by_life: Map.new(targets, &{&1.life, &1}),
      sectors: sectors(world)
    }
  end

  # The oldest that is still needed is the last one at or before the start of the window.
  defp remember(states, hits, time) do
    {inside, before} = Enum.split_while(states, &(&1.time > time - hits.length))
    Enum.take(inside ++ Enum.take(before, 1), hits.max_states)
  end
end
