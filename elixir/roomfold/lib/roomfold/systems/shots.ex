defmodule Roomfold.Systems.Shots do
  @moduledoc """
  Resolves `weapon_fired`. A shot without velocity is a ray from `hand_position` along `weapon_direction`, cast against the positions that
  the shooter saw (`seen_seq`, if the event has it and the room still remembers). A shot with a `velocity` gets the id of its projectile from
  the room, and `Roomfold.Systems.Projectiles` moves it.

  A hit becomes `monster_hit` or `player_hit`, and at health 0 `monster_died` or `player_killed`, once.

      {Roomfold.Systems.Shots, damage: %{"pistol" => 10, "shotgun" => 70}}

  ## Options

    * `:damage` - weapon → points of health; `:default_damage` for others (10)
    * `:range` - maximum length of a ray in metres (64); an event's `range` may be shorter
    * `:mask` - what shots hit (2: the living, and walls)
  """
  @behaviour Roomfold.Room.System

  alias Roomfold.{Hits, World}
  alias Roomfold.Systems.Damage

  @impl true
  def init(opts, _world, _now) do
    opts |> Keyword.validate!(damage: %{}, default_damage: 10, range: 64.0, mask: 2) |> Map.new()
  end

  @impl true
  def prepares, do: ["weapon_fired"]

  @impl true
  def prepare({"weapon_fired", %{"velocity" => velocity} = payload}, id, _) when velocity != nil,
    do: {"weapon_fired", Map.put(payload, "projectile_id", "projectile-" <> id)}

  # A ray has none, whatever its event says.
  def prepare({"weapon_fired", payload}, _, _), do: {"weapon_fired", Map.delete(payload, "projectile_id")}

  @impl true
  def events(_), do: ["weapon_fired"]

  @impl true
  def tick(world, tick, opts) do
    shots =
      for {"weapon_fired", payload} <- tick.events, shot = shot(payload, world, opts), do: {shot, payload}

    {judge(world, tick, shots, opts), opts}
  end

  defp shot(%{"velocity" => velocity}, _, _) when velocity != nil, do: nil

  defp shot(
         %{"hand_position" => [_, _, _] = origin, "weapon_direction" => [_, _, _] = direction} = payload,
         world,
         opts
       ) do
    range = if is_number(payload["range"]), do: min(payload["range"], opts.range), else: opts.range
    shot = %{origin: origin, direction: direction, range: range, owner: shooter(payload), mask: opts.mask}
    seen = payload["seen_seq"]
    if is_integer(seen) and seen in 1..World.seq(world)//1, do: Map.put(shot, :at, {:seq, seen}), else: shot
  end

  defp shot(_, _, _), do: nil

  # Nobody shoots without a name: if the event does not say who has fired, its sender has.
  defp shooter(%{"user_id" => user}) when user != nil, do: user
  defp shooter(%{"by" => by}) when by not in ["system", "server"], do: by
  defp shooter(_), do: nil

  defp judge(_, _, [], _), do: []

  defp judge(world, tick, shots, opts) do
    {:ok, answers} = Hits.cast(world, Enum.map(shots, &elem(&1, 0)))
    answers = Enum.zip_with(shots, answers, fn {shot, _}, answer -> now(world, shot, answer) end)

    shots
    |> Enum.zip(answers)
    |> Enum.reduce(Damage.new(world, tick, answers), fn {{shot, payload}, answer}, damage ->
      amount = Map.get(opts.damage, payload["weapon"], opts.default_damage)
      Damage.hit(damage, answer, amount, shot.owner, shot, payload["seq"])
    end)
    |> Damage.events()
  end

  # If that was too long ago, the present positions count.
  defp now(world, shot, {:error, %{reason: :unknown_moment}}) do
    {:ok, [answer]} = Hits.cast(world, [Map.delete(shot, :at)])
    answer
  end

  defp now(_, _, answer), do: answer
end
