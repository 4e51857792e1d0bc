defmodule Roomfold.Systems.Triggers do
  @moduledoc """
  Publishes an event when a player enters a zone: an entity with a position, a collider and a component `trigger`,

      %{"event" => "door_triggered", "fields" => %{"id" => "gate"}}

  The event comes once each time a player enters, with `user_id` and `trigger_id` in addition to the fields; with `"leave" => event` there
  is another one when the player leaves. Who is inside when the room starts, also after a crash, has entered before.

  The events are published by "system", so a room with this system accepts a `trigger` only from the server, its own events and its rules, not
  in a user's create or update (`c:Roomfold.Room.System.reserves/0`), and the `kind` of players only for the user itself, not for what else it
  owns (`c:Roomfold.Room.System.authorize/4`).

  ## Options

    * `:players` - the `kind` of players (`"player"`)
    * `:mask` - the layers of players (1)
  """
  @behaviour Roomfold.Room.System

  alias Roomfold.{Hits, World}
  alias Roomfold.Systems.Players

  @impl true
  def init(opts, world, _now) do
    state = opts |> Keyword.validate!(players: "player", mask: 1) |> Map.new()
    Map.put(state, :inside, inside(world, triggers(world), state))
  end

  @impl true
  def events(_), do: []

  @impl true
  def reserves, do: ["trigger"]

  @impl true
  def authorize(event, user, _world, state), do: Players.authorize(event, user, state.players)

  @impl true
  def tick(world, _tick, state) do
    triggers = triggers(world)
    inside = inside(world, triggers, state)
    what = Map.new(triggers, fn {id, components} -> {id, components["trigger"]} end)

    entered =
      for {id, user} <- Enum.sort(MapSet.difference(inside, state.inside)),
          do: event(what[id], "event", id, user)

    left =
      for {id, user} <- Enum.sort(MapSet.difference(state.inside, inside)),
          do: event(what[id], "leave", id, user)

    {Enum.filter(left ++ entered, & &1), %{state | inside: inside}}
  end

  defp triggers(world), do: World.query(world, ["trigger", "position", "collider"])

  defp inside(_, [], _), do: MapSet.new()

  defp inside(world, triggers, state) do
    zones =
      for {_, components} <- triggers,
          do: %{position: components["position"], collider: components["collider"], mask: state.mask}

    {:ok, touched} = Hits.overlap(world, zones)

    for {{id, _}, hits} when is_list(hits) <- Enum.zip(triggers, touched),
        %Hits.Hit{id: user} <- hits,
        World.get(world, user)["kind"] == state.players,
        into: MapSet.new(),
        do: {id, user}
  end

  defp event(%{} = trigger, key, id, user) do
    with name when is_binary(name) <- trigger[key], %{} = fields <- Map.get(trigger, "fields", %{}) do
      {name, Map.merge(fields, %{"user_id" => user, "trigger_id" => id})}
    else
      _ -> nil
    end
  end

  defp event(_, _, _, _), do: nil
end
