defmodule Roomfold.Demo.Facts do
  @moduledoc false
  # What happened in a match, read from its events: shots, hits, deaths, and which shot led to which hit.
  # A world has no place for these, since they are over as soon as they are told.

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

  defp scan([], %{facts: facts}) do
    %Facts{rays: Enum.reverse(facts.rays), hits: Enum.reverse(facts.hits), kills: Enum.reverse(facts.kills)}
  end

  defp scan([{name, event} | rest], state), do: scan(rest, fact(name, event, rest, state))

  defp fact("weapon_fired", %{"user_id" => by, "weapon" => weapon} = event, rest, state) do
    state = put_in(state.weapon[by], weapon)

    case event do
      %{"projectile_id" => id} -> put_in(state.thrown[id], weapon)
      _ -> add_ray(state, event, by, weapon, rest)
    end
  end

  defp fact("monster_attacked", %{"id" => by} = event, rest, state), do: add_ray(state, event, by, nil, rest)

  defp fact(name, event, _rest, state) when name in ["player_hit", "monster_hit"] do
    whom = event["user_id"] || event["id"]
    by = event["by_id"]

    hit = %{
      seq: event["seq"],
      at: event["at"],
      whom: whom,
      by: by,
      damage: event["damage"],
      how: how(event, state)
    }

    state = put_in(state.wound[whom], hit)
    %{state | facts: %{state.facts | hits: [hit | state.facts.hits]}}
  end

  defp fact(name, event, _rest, state) when name in ["player_killed", "monster_died"] do
    whom = event["user_id"] || event["id"]
    how = if wound = state.wound[whom], do: wound.how
    kill = %{seq: event["seq"], at: event["at"], whom: whom, by: event["by_id"], how: how}
    %{state | facts: %{state.facts | kills: [kill | state.facts.kills]}}
  end

  defp fact("create", %{"entity_id" => id, "components" => %{"position" => position}}, _rest, state) do
    put_in(state.places[id], position)
  end

  defp fact(_name, %{"position" => position} = event, _rest, state) do
    put_in(state.places[event["user_id"] || event["id"]], position)
  end

  defp fact(_name, _event, _rest, state), do: state

  # The weapon that did it: of the projectile if there was one, else what its owner fired last.
  defp how(%{"with" => projectile}, state), do: state.thrown[projectile] || kind(projectile)
  defp how(%{"by_id" => by}, state), do: state.weapon[by] || kind(by)
  defp how(_event, _state), do: nil

  # Ids are a type and a number: "rocket-114".
  defp kind(id), do: String.replace(id, ~r/-\d+$/, "")

  defp add_ray(state, event, by, weapon, rest) do
    case event do
      %{"hand_position" => [_, _, _] = from, "weapon_direction" => [_, _, _] = direction, "range" => range} ->
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
      {"create", %{"components" => %{"kind" => "effect", "position" => position}}} -> position
      _ -> nil
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
    for %{"back" => nil, "x1" => x1, "y1" => y1, "x2" => x2, "y2" => y2} <- lines do
      {x1 / 32, -y1 / 32, x2 / 32, -y2 / 32}
    end
  end

  defp walls(_map), do: []
end
