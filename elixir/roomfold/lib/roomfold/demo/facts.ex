defmodule Roomfold.Demo.Facts do
  @moduledoc false
  # What happened in a match, read from its events: shots, hits, deaths, and which shot led to which hit.
  # They are not part of a world, since they are moments, not state.

  alias Roomfold.Demo.Facts

  defstruct rays: [], hits: [], kills: []

  defmodule Ray do
    @moduledoc false
    # A shot that needs no time: from the hand to what stopped it. `hit` is who was hit; `stopped_by` tells how
    # that is known: :target, :mark (the mark the shot left on a wall), :wall (worked out from the level)
    # or nil (nothing within range).
    defstruct [:seq, :at, :by, :weapon, :from, :to, :hit, :stopped_by]
  end

  # `events` are `{name, payload}` in order; `map` is the level or nil.
  def read(events, map) do
    walls = walls(map)
    scan(events, %{facts: %Facts{}, walls: walls, thrown: %{}, weapon: %{}, wound: %{}, places: %{}})
  end

  # So much damage comes only from standing where another player arrives.
  @crushing 10_000

  def crushed?(hit), do: is_integer(hit.damage) and hit.damage >= @crushing

  @doc "Ids and types as people write them: shotgun_guy-315 is a shotgun guy."
  def words(id), do: id |> kind() |> String.replace("_", " ")

  defguardp is_vector(v)
            when is_list(v) and length(v) == 3 and is_number(hd(v)) and is_number(hd(tl(v))) and
                   is_number(hd(tl(tl(v))))

  defp scan([], %{facts: facts}) do
    %Facts{rays: Enum.reverse(facts.rays), hits: Enum.reverse(facts.hits), kills: Enum.reverse(facts.kills)}
  end

  defp scan([{name, event} | rest], state), do: scan(rest, fact(name, event, rest, state))

  defp fact("weapon_fired", %{"user_id" => by, "weapon" => weapon} = event, rest, state)
       when is_binary(by) and is_binary(weapon) do
    state = put_in(state.weapon[by], weapon)

    case event do
      %{"projectile_id" => id} -> put_in(state.thrown[id], weapon)
      %{} -> add_ray(state, event, by, weapon, rest)
    end
  end

  defp fact("monster_attacked", %{"id" => by} = event, rest, state) when is_binary(by),
    do: add_ray(state, event, by, nil, rest)

  defp fact(name, event, _rest, state) when name in ["player_hit", "monster_hit"] do
    hit = %{
      seq: event["seq"],
      at: event["at"],
      whom: id_of(event),
      by: text(event["by_id"]),
      damage: event["damage"],
      how: how(event, state)
    }

    hit = if crushed?(hit), do: %{hit | how: "telefrag"}, else: hit
    state = put_in(state.wound[hit.whom], hit)
    if hit.whom, do: %{state | facts: %{state.facts | hits: [hit | state.facts.hits]}}, else: state
  end

  defp fact(name, event, _rest, state) when name in ["player_killed", "monster_died"] do
    whom = id_of(event)
    how = if wound = state.wound[whom], do: wound.how
    kill = %{seq: event["seq"], at: event["at"], whom: whom, by: text(event["by_id"]), how: how}
    if whom, do: %{state | facts: %{state.facts | kills: [kill | state.facts.kills]}}, else: state
  end

  defp fact("create", %{"entity_id" => id, "components" => %{"position" => position}}, _rest, state)
       when is_vector(position) do
    put_in(state.places[id], position)
  end

  defp fact(_name, %{"position" => position} = event, _rest, state) when is_vector(position) do
    put_in(state.places[id_of(event)], position)
  end

  defp fact(_name, _event, _rest, state), do: state

  defp id_of(event), do: text(event["user_id"]) || text(event["id"])
  defp text(value), do: if(is_binary(value), do: value)

  # The weapon that did it: of the projectile if there was one, else what its owner fired last.
  defp how(%{"with" => projectile}, state) when is_binary(projectile),
    do: state.thrown[projectile] || kind(projectile)

  defp how(%{"by_id" => by}, state) when is_binary(by), do: state.weapon[by] || kind(by)
  defp how(_event, _state), do: nil

  # Ids are a type and a number: "rocket-114".
  defp kind(id), do: String.replace(id, ~r/-\d+$/, "")

  defp add_ray(state, event, by, weapon, rest) do
    case event do
      %{"hand_position" => from, "weapon_direction" => direction, "range" => range}
      when is_vector(from) and is_vector(direction) and is_number(range) ->
        {length, hit, stopped_by} = stop(from, direction, range, by, event["at"], rest, state)

        ray = %Ray{
          seq: event["seq"],
          at: event["at"],
          by: by,
          weapon: weapon,
          from: from,
          to: along(from, direction, length),
          hit: hit,
          stopped_by: stopped_by
        }

        %{state | facts: %{state.facts | rays: [ray | state.facts.rays]}}

      _ ->
        state
    end
  end

  # What a shot led to stands before the next one, at the same time: the mark it left, then who was hurt.
  defp stop(from, direction, range, by, at, rest, state) do
    outcome = Enum.take_while(rest, fn {name, event} -> outcome?(name) and event["at"] == at end)

    case {target(outcome, by), mark(outcome)} do
      {target, mark} when target != nil ->
        place = mark || state.places[target]
        {if(place, do: reach(from, direction, place, range), else: range), target, :target}

      {nil, mark} when mark != nil ->
        {reach(from, direction, mark, range), nil, :mark}

      _ ->
        to_wall(from, direction, range, state.walls)
    end
  end

  defp outcome?(name), do: name in ["create", "player_hit", "monster_hit", "player_killed", "monster_died"]

  defp target(outcome, by) do
    Enum.find_value(outcome, fn
      {name, %{"by_id" => ^by} = hit} when name in ["player_hit", "monster_hit"] ->
        hit["user_id"] || hit["id"]

      _ ->
        nil
    end)
  end

  defp mark(outcome) do
    Enum.find_value(outcome, fn
      {"create", %{"components" => %{"kind" => "effect", "position" => position}}} when is_vector(position) ->
        position

      _ ->
        nil
    end)
  end

  defp along([x, y, z], [dx, dy, dz], length), do: [x + dx * length, y + dy * length, z + dz * length]

  defp reach([x, _, z], [dx, _, dz], [px, _, pz], range) do
    level = dx * dx + dz * dz
    if level > 0, do: (((px - x) * dx + (pz - z) * dz) / level) |> max(0.0) |> min(range), else: 0.0
  end

  # Seen from above, walls without a back side are enough for the few shots that left no trace.
  defp to_wall(from, direction, range, walls) do
    case for(wall <- walls, t = crossing(from, direction, wall), t <= range, do: t) do
      [] -> {range, nil, nil}
      crossings -> {Enum.min(crossings), nil, :wall}
    end
  end

  defp crossing([x, _, z], [dx, _, dz], {x1, z1, x2, z2}) do
    {ex, ez} = {x2 - x1, z2 - z1}
    determinant = dx * ez - dz * ex

    if abs(determinant) > 1.0e-9 do
      t = ((x1 - x) * ez - (z1 - z) * ex) / determinant
      s = ((x1 - x) * dz - (z1 - z) * dx) / determinant
      if t > 0 and s >= 0 and s <= 1, do: t
    end
  end

  defp walls(%{"lines" => lines}) when is_list(lines) do
    for %{"back" => nil, "x1" => x1, "y1" => y1, "x2" => x2, "y2" => y2} <- lines,
        Enum.all?([x1, y1, x2, y2], &is_number/1) do
      {x1 / 32, -y1 / 32, x2 / 32, -y2 / 32}
    end
  end

  defp walls(_map), do: []
end
