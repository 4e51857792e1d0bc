defmodule Roomfold.Hits do
  @moduledoc """
  What is hit: rays and moving shapes against the entities of a world and the walls of its level, now and in the past.

      iex> world = Roomfold.World.fold!(Roomfold.World.new!(), [
      ...>   {"create", %{"entity_id" => "bat", "components" => %{"position" => [10, 0, 0],
      ...>     "collider" => %{"shape" => "box", "radius" => 0.5, "height" => 2}}}}
      ...> ])
      iex> {:ok, [hit]} = Roomfold.Hits.cast(world, [%{origin: {0, 1, 0}, direction: {1, 0, 0}, range: 20}])
      iex> {hit.kind, hit.id, hit.distance, hit.normal}
      {:entity, "bat", 9.5, {-1.0, 0.0, 0.0}}

  Every entity with a position and a collider is a target. A collider is `%{"shape" => "box" | "sphere" | "capsule", "radius" => r,
  "height" => h}`; a box may have `"size" => [x, y, z]` instead. The position is the middle of its underside, or with `"at" => "centre"` its
  centre.

  `"layers"` are bits, of which a shot's mask must have one. Without them a target is in layer 1, and with health also in layer 2: a mask of
  2 hits the living, and walls of all layers, but not things that lie around.

  An entity whose state is `"dead"` is not a target, nor is one with an invalid collider: events may give an entity any collider, so
  `%{"shape" => "cube"}` or a misspelt size is not an error, but nothing hits the entity. The collider of a shot or a zone is checked. Shots
  of an owner pass through the owner and everything it owns (the component `owner`).

  The level is an option of `Roomfold.World.new/1`. `docs/hits.md` specifies what touching means, and how ties are resolved.
  """

  import Roomfold.Hits.Number

  alias Roomfold.{Error, World}
  alias Roomfold.Hits.{Collider, Hit}

  @type point :: {number, number, number} | [number]
  @typedoc """
  A ray as a tuple `{ox, oy, oz, dx, dy, dz, range}`, or a map with

    * `:origin`, `:direction` (of any length but zero) and `:range` in metres
    * `:owner` - an id
    * `:mask` - bits; 0 (default) meets every layer
    * `:all` - `true`: hits everything along its path, in order; `:pierce` - `true`: all entities up to the first wall, and the wall
    * `:collider` - a box or sphere that moves, a map as entities have it; without it the shot is a ray
    * `:at` - `{:seq, n}` or `{:time, ms}`: tested against past positions (`mark/2`)
  """
  @type shot :: tuple | map
  @typedoc "A map with `:position` and `:collider` (a box or sphere), and perhaps `:mask` and `:at`."
  @type zone :: map
  @type answer :: Hit.t() | nil | [Hit.t()] | {:error, Error.t()}

  @doc """
  The earliest hit of each shot, or `nil`; for shots with `:all` or `:pierce` a list. An invalid shot, also one with an unknown key,
  gets an error of its own; the others are tested all the same.

  For speed, a batch may be packed: `{:packed, shots, owners}`, each shot 64 bytes `<<origin::3 × float-64-little,
  direction::3 × float-64-little, range::float-64-little, mask::32-little, owner::32-little>>`; owner is a place in the tuple of owners,
  from 1 (0: none). Returns `{:ok, {answers, ids}}`, for each shot 16 bytes `<<kind, 0::24, number::32-little, t::float-64-little>>`: kind 0
  nothing, 1 an entity (number: its place in the tuple of ids, from 1), 2 a wall, 3 a box, 4 a triangle, 255 an error.

  ## Examples

      iex> world = Roomfold.World.new!(level: %Roomfold.Level{boxes: [{{5, 0, -1}, {6, 3, 1}, 1}]})
      iex> {:ok, [hit, miss, wrong]} = Roomfold.Hits.cast(world, [{0, 1, 0, 2, 0, 0, 10}, {0, 1, 0, 0, 1, 0, 10}, {0, 1, 0, 0, 0, 0, 10}])
      iex> {hit.kind, hit.number, hit.t, miss}
      {:box, 0, 0.5, nil}
      iex> {:error, error} = wrong
      iex> error.message
      "shot 2: a shot needs a direction that is not zero"
      iex> {:ok, [{:error, error}]} = Roomfold.Hits.cast(world, [%{origin: {0, 1, 0}, direction: {1, 0, 0}, range: 9, onwer: "tom"}])
      iex> error.message
      "shot 0: field \\"onwer\\": an argument is not what the function takes: a shot has [:origin, :direction, :range, :owner, :mask, :all, :pierce, :collider, :at]"

      iex> world = Roomfold.World.new!(level: %Roomfold.Level{boxes: [{{5, 0, -1}, {6, 3, 1}, 1}]})
      iex> shot = <<0.0::float-64-little, 1.0::float-64-little, 0.0::float-64-little, 1.0::float-64-little, 0::128,
      ...>   10.0::float-64-little, 0::32, 0::32>>
      iex> {:ok, {answers, {}}} = Roomfold.Hits.cast(world, {:packed, shot, {}})
      iex> <<3, 0::24, 0::32-little, t::float-64-little>> = answers
      iex> t
      0.5
  """
  @spec cast(World.t(), [shot] | {:packed, binary, tuple}) ::
          {:ok, [answer] | {binary, tuple}} | {:error, Error.t()}
  def cast(%World{} = world, shots) when is_list(shots) do
    if rays?(shots) do
      with {:ok, answers} <- world.impl.cast(world.state, shots),
           do: {:ok, earliest(answers, length(answers) - 1, [])}
    else
      with {:ok, terms} <- terms(shots, &shot/1, "shots"),
           {:ok, answers} <- world.impl.cast(world.state, terms) do
        {:ok, answers(answers, Enum.reverse(shots), "shot")}
      end
    end
  end

  def cast(%World{} = world, {:packed, shots, owners})
      when is_binary(shots) and rem(byte_size(shots), 64) == 0 and is_tuple(owners) do
    world.impl.cast(world.state, {:packed, shots, owners})
  end

  def cast(%World{}, other) do
    {:error,
     Error.new(:invalid_argument,
       detail:
         "what is cast is a list of shots or {:packed, shots of 64 bytes, owners}, got #{Error.got(other)}"
     )}
  end

  @doc """
  The entities that touch each zone, in the order of their ids: pick-ups, triggers, explosions.

  ## Examples

      iex> world = Roomfold.World.fold!(Roomfold.World.new!(), [
      ...>   {"create", %{"entity_id" => "bat", "components" => %{"position" => [3, 0, 0],
      ...>     "collider" => %{"shape" => "sphere", "radius" => 0.5}}}}
      ...> ])
      iex> {:ok, [hits]} = Roomfold.Hits.overlap(world, [%{position: {0, 0.5, 0}, collider: %{"shape" => "sphere", "radius" => 4, "at" => "centre"}}])
      iex> for hit <- hits, do: {hit.id, hit.distance}
      [{"bat", 2.5}]
  """
  @spec overlap(World.t(), [zone]) :: {:ok, [[Hit.t()] | {:error, Error.t()}]} | {:error, Error.t()}
  def overlap(%World{} = world, zones) do
    with {:ok, terms} <- terms(zones, &zone/1, "zones"),
         {:ok, answers} <- world.impl.overlap(world.state, terms) do
      {:ok, answers(answers, Enum.reverse(zones), "zone")}
    end
  end

  @doc """
  Remembers where everything is now, under the world's seq and this time in milliseconds, for shots at the past. A room does this on each
  tick. States are kept for a second, at most 128 of them (options of `Roomfold.World.new/1`).

  ## Examples

      iex> at = fn x -> %{"entity_id" => "bat", "components" => %{"position" => [x, 0, 0], "collider" => %{"shape" => "sphere", "radius" => 1}}} end
      iex> world = Roomfold.World.fold!(Roomfold.World.new!(), [{"create", at.(0)}])
      iex> {:ok, world} = Roomfold.Hits.mark(world, 1000)
      iex> world = Roomfold.World.fold!(world, [{"update", at.(8)}])
      iex> {:ok, world} = Roomfold.Hits.mark(world, 1100)
      iex> {:ok, [hit]} = Roomfold.Hits.cast(world, [%{origin: {4, 1, -5}, direction: {0, 0, 1}, range: 10, at: {:time, 1050}}])
      iex> {hit.id, hit.distance, hit.seq, hit.blend}
      {"bat", 4.0, 1, 0.5}
  """
  @spec mark(World.t(), number) :: {:ok, World.t()} | {:error, Error.t()}
  def mark(%World{read_only?: true}, time) when is_number(time), do: World.read_only()

  def mark(%World{}, time) when is_number(time) and not is_real(time),
    do: {:error, Error.new(:number_out_of_range)}

  def mark(%World{} = world, time) when is_number(time) do
    case world.impl.mark(world.state, time * 1.0) do
      {:ok, state} ->
        {:ok, %{world | state: state}}

      {:error, %{reason: :invalid_argument} = error} ->
        {:error, Error.put(error, detail: "the time is before the last mark")}

      error ->
        error
    end
  end

  @doc """
  The payload of an event from which the hit can be checked again: the ray, the past state it was tested against, and what was hit
  where.

      iex> hit = %Roomfold.Hits.Hit{kind: :entity, id: "bat", t: 0.5, distance: 4.0, point: {4.0, 1.0, 0.0}, normal: {-1.0, 0.0, 0.0}, seq: 7}
      iex> Roomfold.Hits.to_payload(%{origin: {0, 1, 0}, direction: {1, 0, 0}, range: 8, owner: "tom"}, hit, 9)
      %{
        "shot" => %{"origin" => [0, 1, 0], "direction" => [1, 0, 0], "range" => 8, "owner" => "tom", "seq" => 9},
        "hit" => %{"kind" => "entity", "id" => "bat", "t" => 0.5, "distance" => 4.0, "point" => [4.0, 1.0, 0.0],
          "normal" => [-1.0, 0.0, 0.0], "seq" => 7, "blend" => 0.0}
      }
  """
  @spec to_payload(shot, Hit.t(), seq :: non_neg_integer | nil) :: map
  def to_payload({ox, oy, oz, dx, dy, dz, range}, hit, seq),
    do: to_payload(%{origin: {ox, oy, oz}, direction: {dx, dy, dz}, range: range}, hit, seq)

  def to_payload(shot, %Hit{} = hit, seq) when is_map(shot) do
    ray = %{origin: list(shot.origin), direction: list(shot.direction), range: shot.range, seq: seq}
    more = Map.take(shot, [:owner, :mask, :collider])
    found = hit |> Map.from_struct() |> Map.update!(:point, &list/1) |> Map.update!(:normal, &list/1)
    %{"shot" => strings(Map.merge(ray, more)), "hit" => strings(%{found | kind: to_string(hit.kind)})}
  end

  defp list(point) when is_tuple(point), do: Tuple.to_list(point)
  defp list(point), do: point

  defp strings(map), do: for({key, value} <- map, value != nil, into: %{}, do: {to_string(key), value})

  # ---- shots and zones as implementations take them (c_src/nif/hit_terms.h) ----

  # Only tuples: they are passed on as they are, and each gets at most one hit.
  defp rays?([ray | rays]) when tuple_size(ray) == 7, do: rays?(rays)
  defp rays?(rest), do: rest == []

  defp terms(items, term, what), do: terms(items, term, what, [])
  defp terms([item | items], term, what, known), do: terms(items, term, what, [term.(item) | known])
  defp terms([], _, _, known), do: {:ok, Enum.reverse(known)}

  defp terms(other, _, what, known) do
    got = if known == [], do: "got", else: "the list ends with"
    {:error, Error.new(:invalid_argument, detail: "it is a list of #{what}, #{got} #{Error.got(other)}")}
  end

  @shot_keys [:origin, :direction, :range, :owner, :mask, :all, :pierce, :collider, :at]
  @zone_keys [:position, :collider, :mask, :at]

  defp shot(ray) when tuple_size(ray) == 7, do: ray

  defp shot(%{origin: origin, direction: direction, range: range} = shot) do
    with true <- Enum.all?(:maps.keys(shot), &(&1 in @shot_keys)) || :error,
         {:ok, collider} <- collider(shot),
         kind when kind != :error <- kind(shot) do
      {kind, Map.get(shot, :mask, 0), shot[:owner], point(origin), point(direction), range, collider,
       shot[:at]}
    end
  end

  defp shot(_), do: :error

  defp kind(%{all: all}) when not is_boolean(all), do: :error
  defp kind(%{pierce: pierce}) when not is_boolean(pierce), do: :error
  defp kind(%{all: true}), do: :all
  defp kind(%{pierce: true}), do: :pierce
  defp kind(_), do: :first

  defp zone(%{position: position} = zone) do
    with true <- Enum.all?(:maps.keys(zone), &(&1 in @zone_keys)) || :error,
         {:ok, collider} when collider != nil <- collider(zone),
         do: {Map.get(zone, :mask, 0), point(position), collider, zone[:at]}
  end

  defp zone(_), do: :error

  defp collider(%{collider: collider}) do
    with {:ok, collider, _} <- Collider.parse(collider), do: {:ok, collider}
  end

  defp collider(_), do: {:ok, nil}

  defp point([x, y, z]), do: {x, y, z}
  defp point(point), do: point

  # ---- answers ----

  # Implementations return answers in reverse order: {hits, seq, blend}, [] for none, or a reason. asked: the shots or zones, in reverse order.
  defp answers(answers, asked, what), do: answers(answers, asked, length(answers) - 1, what, [])

  defp answers([], [], _, _, known), do: known

  defp answers([answer | answers], [asked | rest], index, what, known),
    do: answers(answers, rest, index - 1, what, [answer(answer, asked, index, what) | known])

  defp earliest([], _, known), do: known
  defp earliest([[] | answers], index, known), do: earliest(answers, index - 1, [nil | known])

  defp earliest([answer | answers], index, known),
    do: earliest(answers, index - 1, [answer(answer, {}, index, "shot") | known])

  defp answer(:invalid_argument, asked, index, what),
    do: {:error, Error.new(:invalid_argument, [index: index, what: what] ++ wrong(asked, what))}

  defp answer(:number_out_of_range, %{range: range}, index, what) when range < 0 do
    where = [index: index, what: what, field: "range", detail: "it must be 0 or more"]
    {:error, Error.new(:number_out_of_range, where)}
  end

  defp answer(reason, _, index, what) when is_atom(reason),
    do: {:error, Error.new(reason, index: index, what: what)}

  defp answer(found, asked, _, what),
    do: if(several?(asked, what), do: all(found), else: first(found))

  defp several?(_, "zone"), do: true
  defp several?(%{} = shot, _), do: kind(shot) != :first
  defp several?(_, _), do: false

  defp all([]), do: []
  defp all({hits, seq, blend}), do: Enum.map(hits, &hit(&1, seq, blend))
  defp first([]), do: nil
  defp first({[hit], seq, blend}), do: hit(hit, seq, blend)

  defp hit({:target, id, t, distance, point, normal}, seq, blend),
    do: hit(:entity, id, nil, t, distance, point, normal, seq, blend)

  defp hit({kind, number, t, distance, point, normal}, seq, blend),
    do: hit(kind, nil, number, t, distance, point, normal, seq, blend)

  defp hit(kind, id, number, t, distance, point, normal, seq, blend) do
    %Hit{
      kind: kind,
      id: id,
      number: number,
      t: t,
      distance: distance,
      point: point,
      normal: normal,
      seq: seq,
      blend: blend
    }
  end

  # ---- what is wrong with a shot or a zone that an implementation refused ----

  defp wrong(%{} = asked, what) do
    {must, known} =
      if what == "shot",
        do: {[:origin, :direction, :range], @shot_keys},
        else: {[:position, :collider], @zone_keys}

    cond do
      key = Enum.find(Map.keys(asked), &(&1 not in known)) ->
        [
          field: name(key),
          detail: "a #{what} has #{inspect(known)}#{if is_binary(key), do: ", which are atoms"}"
        ]

      key = Enum.find(must, &(not is_map_key(asked, &1))) ->
        [field: name(key), detail: "it is missing"]

      key = Enum.find(known, &(is_map_key(asked, &1) and not fits?(&1, asked[&1]))) ->
        [field: name(key), detail: "it must be #{must_be(key)}"]

      true ->
        []
    end
  end

  defp wrong(_, "zone"), do: [detail: "a zone is a map"]
  defp wrong(_, "shot"), do: [detail: "a shot is a map or {ox, oy, oz, dx, dy, dz, range}, seven numbers"]

  defp name(key) when is_atom(key) or is_binary(key), do: to_string(key)
  defp name(key), do: inspect(key)

  defp fits?(key, value) when key in [:origin, :direction, :position], do: point?(point(value))
  defp fits?(:range, value), do: is_real(value)
  defp fits?(key, nil) when key in [:owner, :at], do: true
  defp fits?(:owner, value), do: is_binary(value)
  defp fits?(key, value) when key in [:all, :pierce], do: is_boolean(value)
  defp fits?(:mask, value), do: is_integer(value) and value in 0..0xFFFFFFFF
  defp fits?(:at, value), do: match?({kind, number} when kind in [:seq, :time] and is_real(number), value)
  defp fits?(:collider, value), do: match?({:ok, _, _}, Collider.parse(value))
  defp fits?(_, _), do: true

  defp point?({x, y, z}), do: is_real(x) and is_real(y) and is_real(z)
  defp point?(_), do: false

  defp must_be(key) when key in [:origin, :direction, :position],
    do: "three numbers, floats or integers of 64 bits"

  defp must_be(:range), do: "a number, a float or an integer of 64 bits"
  defp must_be(:owner), do: "an id"
  defp must_be(key) when key in [:all, :pierce], do: "true or false"
  defp must_be(:mask), do: "bits, an integer from 0 to 2^32-1"
  defp must_be(:at), do: "{:seq, n} or {:time, ms}"
  defp must_be(:collider), do: ~s(a map with "shape" => "box", "sphere" or "capsule", and its sizes)
end
