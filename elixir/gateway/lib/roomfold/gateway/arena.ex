defmodule Roomfold.Gateway.Arena do
  @moduledoc """
  The demo's room: the shipped level with its items, a door, monsters, shots and projectiles judged by the room. Who joins is
  spawned at one of the level's deathmatch starts, and again 3 seconds after a death.

      Roomfold.Rooms.start_link(name: Demo.Rooms, room: Roomfold.Gateway.Arena.options())
  """
  use Roomfold.Room

  alias Roomfold.Gateway.Arena.{Door, Map, Monsters, Respawn}
  alias Roomfold.{Level, Rules, World}
  alias Roomfold.Systems.{Lifetimes, Pickups, Projectiles, Shots, Timers, Triggers}

  @damage %{
    "fist" => 10,
    "pistol" => 10,
    "chaingun" => 10,
    "shotgun" => 70,
    "super_shotgun" => 140
  }
  @projectiles %{"fireball" => 15, "plasma_ball" => 25, "rocket" => 100, "bfg_ball" => 400}
  @player %{"shape" => "box", "radius" => 0.5, "height" => 1.75}

  # A door opens every minute and closes 15 seconds later; and opens for who comes near.
  @door_every 60_000
  @door_closes 15_000

  @doc """
  Options of a room like this (`Roomfold.Room.start_link/1`).

      iex> Roomfold.Gateway.Arena.options()[:tick_ms]
      40
  """
  @spec options() :: keyword
  def options do
    map = Map.shipped()
    {:ok, level} = Level.from_map(map.form)

    [
      module: __MODULE__,
      args: map,
      rules: Rules.doom(),
      level: level,
      tick_ms: 40,
      systems: [
        {Shots, damage: @damage},
        {Projectiles, damage: @projectiles},
        Pickups,
        Triggers,
        {Timers, Enum.map(map.doors, &timer/1)},
        Lifetimes,
        Door,
        {Monsters, map},
        {Respawn, map}
      ]
    ]
  end

  defp timer(door) do
    id = %{"id" => door.id}
    [every: @door_every, events: [{0, {"door_opened", id}}, {@door_closes, {"door_closed", id}}]]
  end

  @impl true
  def init(_id, world, map) do
    # It has them already when it comes back from its log.
    if World.get(world, "arena"), do: {:ok, map}, else: {:ok, map, Enum.map(entities(map), &create/1)}
  end

  defp entities(map) do
    [{"arena", %{"kind" => "arena", "level" => "/demo/freedm-0.12-MAP21.json"}}] ++
      Enum.flat_map(map.doors, &Door.entities/1) ++ map.items ++ Monsters.entities(map)
  end

  @doc false
  def create({id, components}), do: {"create", %{"entity_id" => id, "components" => components}}

  @impl true
  def joined(user, _params, world, map),
    do: if(World.get(world, user), do: [], else: [spawned(user, world, map)])

  @doc false
  # Where the others are farthest away.
  def spawned(user, world, map) do
    others =
      for {id, %{"kind" => "player"} = player} <- World.query(world, ["kind", "position"]),
          id != user,
          do: player

    start = Enum.max_by(Enum.shuffle(map.starts), &nearest(&1.position, others))

    {"player_spawned",
     %{
       "user_id" => user,
       "position" => start.position,
       "rotation" => start.rotation,
       "health" => 100,
       "collider" => @player
     }}
  end

  defp nearest(_, []), do: 0

  defp nearest(position, others),
    do: others |> Enum.map(&Map.distance(position, &1["position"])) |> Enum.min()

  @impl true
  def authorize({name, _}, user, world, _map)
      when name in ["player_moved", "weapon_fired", "weapon_switched"] do
    case World.get(world, user) do
      %{"state" => "dead"} -> {:error, "the dead do nothing"}
      _ -> :ok
    end
  end

  def authorize(_, _, _, _), do: :ok
end
