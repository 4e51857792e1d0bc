defmodule Roomfold.Gateway.Arena do
  @moduledoc """
  The demo's room: the shipped level with its items, a door, monsters, and shots and projectiles resolved by the room. A player who joins
  spawns at one of the level's deathmatch starts, and again 3 seconds after a death.

      Roomfold.Rooms.start_link(name: Demo.Rooms, room: Roomfold.Gateway.Arena.options())
  """
  use Roomfold.Room

  alias Roomfold.Gateway.Arena.{Door, Map, Monsters, Respawn}
  alias Roomfold.{Error, Level, Room, Rules, World}
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

  # A door opens every minute and closes 15 seconds later; it also opens for players who come near.
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
    # A room that is restored from its log has them already.
    if World.get(world, "arena"), do: {:ok, map}, else: {:ok, map, Enum.map(entities(map), &create/1)}
  end

  defp entities(map) do
    [{"arena", %{"kind" => "arena", "level" => "/demo/freedm-0.12-MAP21.json"}}] ++
      Enum.flat_map(map.doors, &Door.entities/1) ++ map.items ++ Monsters.entities(map)
  end

  @doc false
  def create({id, components}), do: {"create", %{"entity_id" => id, "components" => components}}

  @doc """
  Whether a user may join this room under a name: not under the id of an entity that is not a player, nor one of those that the room itself
  creates, because the user's entity is deleted when the user leaves.

      iex> {:error, error} = Roomfold.Gateway.Arena.admit("arena", "imp-1")
      iex> error.message
      "imp-1 is something of the room's own: choose another name"
      iex> Roomfold.Gateway.Arena.admit("arena", "tom")
      :ok
  """
  @spec admit(Room.t(), String.t()) :: :ok | {:error, Error.t()}
  def admit(room, user) do
    cond do
      # The room refuses an invalid id, with its reason.
      byte_size(user) not in 1..255 or not String.valid?(user) -> :ok
      reserved?(user) -> refused(user)
      true -> with {:ok, entity} <- Room.read(room, &World.get(&1, user)), do: admitted(entity, user)
    end
  end

  defp admitted(entity, user), do: if(entity == nil or player?(entity), do: :ok, else: refused(user))

  defp refused(user) do
    message = "#{user} is something of the room's own: choose another name"
    {:error, %Error{reason: :not_allowed, field: "user_id", message: message}}
  end

  defp player?(entity), do: entity["kind"] == "player"

  @doc """
  Whether the room itself creates an entity with this id, also if there is none now: an item that was taken comes back.

      iex> for id <- ["sector-68", "imp-1", "tom"], do: Roomfold.Gateway.Arena.reserved?(id)
      [true, true, false]
  """
  @spec reserved?(String.t()) :: boolean
  def reserved?(id), do: String.starts_with?(id, ["projectile-", "fireball-"]) or id in reserved()

  # From the shipped level, which does not change: read once, since that takes a while.
  defp reserved do
    with nil <- :persistent_term.get(__MODULE__, nil) do
      ids = MapSet.new(entities(Map.shipped()), &elem(&1, 0))
      :persistent_term.put(__MODULE__, ids)
      ids
    end
  end

  @impl true
  # A room that is restored from its log knows its users from user_joined and user_left.
  def joined(user, _params, world, map) do
    if World.get(world, user),
      do: [],
      else: [{"user_joined", %{"user_id" => user}}, spawned(user, world, map)]
  end

  @impl true
  # Only the user's player is removed.
  def left(user, world, _map) do
    case World.get(world, user) do
      %{"kind" => kind} when kind != "player" -> []
      _ -> [{"user_left", %{"user_id" => user}}]
    end
  end

  @doc false
  # The start from which the others are farthest away.
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
  # The core lets users create and change what they own; here they could forge shots, triggers, doors, or their own health.
  def authorize({name, _}, _user, _world, _map) when name in ["create", "update", "delete"],
    do: {:error, "what there is in this room, the room alone makes and changes"}

  def authorize({name, payload}, user, world, _map) do
    entity = World.get(world, user)

    cond do
      entity != nil and not player?(entity) ->
        refused(user)

      # The room sets it for a projectile; other shots have none.
      name == "weapon_fired" and payload["velocity"] == nil and payload["projectile_id"] != nil ->
        {:error, Error.new(:reserved_field, field: "projectile_id")}

      entity["state"] == "dead" and name in ["player_moved", "weapon_fired", "weapon_switched"] ->
        {:error, "the dead do nothing"}

      true ->
        :ok
    end
  end
end
