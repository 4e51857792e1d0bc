defmodule Roomfold.Demo.Plain do
  @moduledoc false
  # The fold as an application would write it by hand, a map of maps and one clause per event: what the
  # demo compares Roomfold with. No checks, no report, no diffs, numbers as they come.

  def fold(world, events) do
    Enum.reduce(events, world, fn {name, payload}, world -> event(name, payload, world) end)
  end

  defp event("create", %{"entity_id" => id, "components" => components}, world) do
    Map.put(world, id, Map.reject(components, fn {_name, value} -> is_nil(value) end))
  end

  defp event("update", %{"entity_id" => id, "components" => components}, world) do
    merge(world, id, components)
  end

  defp event("delete", %{"entity_id" => id}, world), do: Map.delete(world, id)

  defp event("player_spawned", %{"user_id" => id} = payload, world) do
    player = Map.take(payload, ["position", "rotation", "health", "collider"])
    Map.put(world, id, Map.put(player, "kind", "player"))
  end

  defp event("player_moved", %{"user_id" => id} = payload, world), do: move(world, id, payload)

  defp event(name, %{"id" => id} = payload, world)
       when name in ["monster_moved", "projectile_moved", "thing_moved"] do
    move(world, id, payload)
  end

  defp event("weapon_fired", %{"projectile_id" => id} = payload, world) do
    shared = Map.take(payload, ["type", "velocity", "collider"])
    own = %{"kind" => "projectile", "position" => payload["hand_position"], "owner" => payload["user_id"]}
    Map.put(world, id, Map.merge(shared, own))
  end

  defp event("fireball_thrown", %{"id" => id} = payload, world) do
    shared = Map.take(payload, ["type", "position", "velocity", "collider"])
    Map.put(world, id, Map.merge(shared, %{"kind" => "projectile", "owner" => payload["monster_id"]}))
  end

  defp event("player_hit", %{"user_id" => id, "damage" => damage} = payload, world) do
    world
    |> merge(id, Map.take(payload, ["health"]))
    |> change(id, "damage_taken", 0, &clamp(&1 + damage, 0, 1_000_000))
  end

  defp event("monster_hit", %{"id" => id} = payload, world),
    do: merge(world, id, Map.take(payload, ["health"]))

  defp event("monster_died", %{"id" => id}, world), do: merge(world, id, %{"health" => 0, "state" => "dead"})

  defp event("player_killed", %{"user_id" => id} = payload, world) do
    world = merge(world, id, %{"health" => 0, "state" => "dead"})

    case payload do
      %{"killer_id" => killer} -> change(world, killer, "frags", 0, &clamp(&1 + 1, 0, 999))
      _ -> world
    end
  end

  defp event("weapon_collected", %{"weapon" => weapon} = payload, world) do
    collect(world, payload, "weapons", weapon)
  end

  defp event("key_collected", %{"key" => key} = payload, world), do: collect(world, payload, "keys", key)

  defp event("immunity_collected", %{"immunity" => immunity} = payload, world) do
    collect(world, payload, "immunities", immunity)
  end

  defp event(name, %{"user_id" => id} = payload, world)
       when name in ["health_collected", "armor_collected", "ammo_collected", "item_collected"] do
    world
    |> merge(id, Map.take(payload, ["health", "armor", "ammo"]))
    |> Map.delete(payload["item_id"])
  end

  defp event("weapon_switched", %{"user_id" => id} = payload, world) do
    merge(world, id, Map.take(payload, ["weapon"]))
  end

  defp event("door_moved", %{"id" => id} = payload, world) do
    merge(world, id, Map.take(payload, ["floor", "ceiling"]))
  end

  defp event("door_opened", %{"id" => id}, world), do: merge(world, id, %{"state" => "open"})
  defp event("door_closed", %{"id" => id}, world), do: merge(world, id, %{"state" => "closed"})
  defp event("goal_reached", %{"user_id" => id}, world), do: merge(world, id, %{"state" => "finished"})
  defp event(_fact, _payload, world), do: world

  defp move(world, id, payload), do: merge(world, id, Map.take(payload, ["position", "rotation"]))

  defp merge(world, id, changes) do
    case world do
      %{^id => entity} ->
        merged = Map.merge(entity, changes)
        %{world | id => if(removes?(changes), do: Map.reject(merged, &removed?/1), else: merged)}

      _ ->
        world
    end
  end

  defp removes?(changes), do: Enum.any?(changes, &removed?/1)
  defp removed?({_name, value}), do: is_nil(value)

  defp change(world, id, name, default, fun) do
    case world do
      %{^id => entity} -> %{world | id => Map.put(entity, name, fun.(Map.get(entity, name, default)))}
      _ -> world
    end
  end

  defp collect(world, %{"user_id" => id} = payload, set, member) do
    world
    |> change(id, set, [], &Enum.sort(Enum.uniq([member | &1])))
    |> Map.delete(payload["item_id"])
  end

  defp clamp(number, low, high), do: number |> max(low) |> min(high)
end
