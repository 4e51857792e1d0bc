defmodule Roomfold.Systems.Projectiles do
  @moduledoc """
  Moves projectiles: entities with `kind` `"projectile"`, a position and a velocity in metres per second. Each is swept with its collider,
  a box or a sphere, along its path of the tick, so that it can't pass through anything. What it hits is damaged (`Roomfold.Systems.Shots`),
  and the projectile is deleted, as is one that can't be cast (a capsule); otherwise there is a `projectile_moved`.

      room: [rules: Roomfold.Rules.doom(), systems: [
        Roomfold.Systems.Shots,
        {Roomfold.Systems.Projectiles, damage: %{"fireball" => 20}}
      ]]

  Users create projectiles by events that the rules have for that (`weapon_fired`); a room with this system does not accept the kind
  `"projectile"` in a user's create or update (`c:Roomfold.Room.System.reserves/0`). The damage depends on the projectile's `type`, and what it
  meets on its `velocity` and `collider`, all of which are the shooter's event's: the callback `authorize/4` of the room's module decides which
  user may fire what.

  What flies is the room's, whoever has fired it, and is its `owner`: a user's create, update or delete of it is refused
  (`c:Roomfold.Room.System.authorize/4`). Where users may steer what they fired, a rule of yours says so, or the room's module, which answers their
  event with one of the room's (`c:Roomfold.Room.handle_event/3`).

  ## Options

    * `:damage` - `type` of the projectile → points of health; `:default_damage` for others (20)
    * `:mask` - what projectiles hit (2: the living, and walls)
    * `:lifetime_ms` - the time after which one is deleted (10,000)
  """
  @behaviour Roomfold.Room.System

  alias Roomfold.{Error, Hits, World}
  alias Roomfold.Systems.Damage

  # The square is a number, too.
  defguardp is_speed(x) when is_number(x) and abs(x) < 1.0e150

  @impl true
  def init(opts, _world, _now) do
    opts
    |> Keyword.validate!(damage: %{}, default_damage: 20, mask: 2, lifetime_ms: 10_000)
    |> Map.new()
    |> Map.put(:born, %{})
  end

  @impl true
  def events(_), do: []

  @impl true
  def reserves, do: [{"kind", "projectile"}]

  @impl true
  def authorize({_, %{"entity_id" => id}}, _user, world, _state) when is_binary(id) do
    case World.get(world, id) do
      %{"kind" => "projectile"} ->
        {:error, Error.new(:not_allowed, field: "entity_id", detail: "what flies is the room's")}

      _ ->
        :ok
    end
  end

  def authorize(_, _, _, _), do: :ok

  @impl true
  def tick(world, tick, state) do
    flying =
      for {id, %{"kind" => "projectile"} = components} <-
            World.query(world, ["kind", "position", "velocity"]),
          do: {id, Map.merge(World.get(world, id), components)}

    born = Map.new(flying, fn {id, _} -> {id, Map.get(state.born, id, tick.now)} end)
    {old, flying} = Enum.split_with(flying, fn {id, _} -> tick.now - born[id] > state.lifetime_ms end)
    events = Enum.map(old, fn {id, _} -> gone(id) end) ++ fly(world, tick, flying, state)
    {events, %{state | born: born}}
  end

  defp fly(_, _, [], _), do: []

  defp fly(world, tick, flying, state) do
    seconds = tick.dt_ms / 1000

    moving =
      for {id, components} <- flying, path = path(id, components, seconds, state), do: {id, components, path}

    {:ok, answers} = Hits.cast(world, Enum.map(moving, &elem(&1, 2)))

    {moves, damage} =
      Enum.zip(moving, answers)
      |> Enum.flat_map_reduce(Damage.new(world, tick, answers), fn {{id, components, path}, answer}, damage ->
        case answer do
          nil -> {[moved(id, path)], damage}
          %Hits.Hit{} = hit -> {[gone(id)], strike(damage, hit, components, path, state)}
          # No shot can be cast here.
          {:error, _} -> {[gone(id)], damage}
        end
      end)

    moves ++ Damage.events(damage)
  end

  # The velocity is a user's, and of whatever type the schema gives it. A projectile that is nobody's does not hit itself either.
  defp path(id, %{"position" => origin, "velocity" => [x, y, z] = direction} = components, seconds, state)
       when is_speed(x) and is_speed(y) and is_speed(z) do
    speed = length_of(direction)

    if speed > 0 do
      path = %{
        origin: origin,
        direction: direction,
        range: speed * seconds,
        owner: components["owner"] || id,
        mask: state.mask
      }

      if components["collider"], do: Map.put(path, :collider, components["collider"]), else: path
    end
  end

  defp path(_, _, _, _), do: nil

  defp length_of(direction), do: :math.sqrt(Enum.reduce(direction, 0, fn x, sum -> sum + x * x end))

  defp moved(id, %{origin: origin, direction: direction, range: range}) do
    length = length_of(direction)
    position = Enum.zip_with(origin, direction, fn at, way -> at + way / length * range end)
    {"projectile_moved", %{"id" => id, "position" => position}}
  end

  defp gone(id), do: {"delete", %{"entity_id" => id}}

  defp strike(damage, hit, components, path, state) do
    amount = Map.get(state.damage, components["type"], state.default_damage)
    Damage.hit(damage, hit, amount, components["owner"], path, nil)
  end
end
