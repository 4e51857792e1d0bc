defmodule Roomfold.Systems.Damage do
  @moduledoc false
  # The events of a hit: player_hit or monster_hit with the remaining health and, at 0, player_killed or monster_died, once.

  alias Roomfold.{Hits, World}
  alias Roomfold.Room.System

  # targets: as the systems before leave them in this tick; healths: of entities that were hit since
  defstruct [:world, targets: %{}, healths: %{}, events: []]

  @doc "answers: what `Roomfold.Hits.cast/2` answered."
  def new(world, tick, answers) do
    ids = for %Hits.Hit{kind: :entity, id: id} <- answers, uniq: true, do: id
    %__MODULE__{world: world, targets: if(ids == [], do: %{}, else: System.now(world, tick, ids))}
  end

  @doc "The events, oldest first."
  def events(damage), do: Enum.reverse(damage.events)

  @doc "shot: as it was cast; by: its owner; seq: of the shooter's event, or nil."
  def hit(damage, %Hits.Hit{kind: :entity, id: id} = hit, amount, by, shot, seq) do
    hit = %{hit | seq: hit.seq || World.seq(damage.world)}
    target = Map.get(damage.targets, id, %{})
    health = Map.get(damage.healths, id, target["health"])

    if is_integer(health) and health > 0,
      do:
        hurt(damage, id, target["kind"], max(health - amount, 0), amount, by, Hits.to_payload(shot, hit, seq)),
      else: damage
  end

  def hit(damage, _, _, _, _, _), do: damage

  defp hurt(damage, id, kind, health, amount, by, judged) do
    facts = Map.merge(judged, %{"health" => health, "damage" => amount, "by_id" => by})
    events = if(health == 0, do: [death(kind, id, by)], else: []) ++ [wound(kind, id, facts)]
    %{damage | healths: Map.put(damage.healths, id, health), events: events ++ damage.events}
  end

  defp wound("monster", id, facts), do: {"monster_hit", Map.put(facts, "id", id)}
  defp wound(_, id, facts), do: {"player_hit", Map.put(facts, "user_id", id)}

  defp death("monster", id, by), do: {"monster_died", %{"id" => id, "by_id" => by}}
  defp death(_, id, by), do: {"player_killed", %{"user_id" => id, "by_id" => by, "killer_id" => by}}
end
