defmodule Roomfold.Systems.Pickups do
  @moduledoc """
  Players collect what they touch: entities with a collider and a component `pickup`,

      %{"event" => "weapon_collected", "fields" => %{"weapon" => "shotgun"}}
      %{"event" => "health_collected", "add" => %{"health" => [25, 100]}}

  `fields` go into the event as they are. `add` is [amount, maximum]: the event's field is what the player has afterwards. The event also has
  `user_id` and `item_id`. A player who already has the maximum collects nothing. Of several players who touch an item in one tick one has it.

  The event's rule deletes the item (`item_id`), as those of `Roomfold.Rules.doom/0` do. With a rule of yours that does not, the item stays where it is and
  is collected again on each tick.

  The events are published by "system", so a room with this system accepts no `pickup` in a user's create or update
  (`c:Roomfold.Room.System.reserves/0`), and the `kind` of players only for the user itself, not for what else it owns
  (`c:Roomfold.Room.System.authorize/4`).

  ## Options

    * `:players` - the `kind` of players (`"player"`)
    * `:mask` - the layers of items (1)
  """
  @behaviour Roomfold.Room.System

  alias Roomfold.{Hits, World}
  alias Roomfold.Room.System
  alias Roomfold.Systems.Players

  @impl true
  def init(opts, _world, _now), do: opts |> Keyword.validate!(players: "player", mask: 1) |> Map.new()

  @impl true
  def events(_), do: []

  @impl true
  def reserves, do: ["pickup"]

  @impl true
  def authorize(event, user, _world, opts), do: Players.authorize(event, user, opts.players)

  @impl true
  def tick(world, tick, opts) do
    with [_ | _] <- World.query(world, ["pickup"]), [_ | _] = players <- players(world, opts) do
      {:ok, touched} = Hits.overlap(world, Enum.map(players, &zone(&1, opts)))
      {collect_all(world, tick, players, touched), opts}
    else
      [] -> {[], opts}
    end
  end

  # Who touches something, and what, as the systems before leave them in this tick: who was killed in it collects nothing.
  defp collect_all(world, tick, players, touched) do
    touches = for {{user, _}, [_ | _] = hits} <- Enum.zip(players, touched), do: {user, hits}
    items = for {_, hits} <- touches, %Hits.Hit{id: item} <- hits, pickup?(world, item), uniq: true, do: item

    if items == [] do
      []
    else
      now = System.now(world, tick, Enum.map(touches, &elem(&1, 0)) ++ items)

      {events, _} = Enum.flat_map_reduce(touches, MapSet.new(), &collect(now, &1, &2))
      events
    end
  end

  defp pickup?(world, item), do: World.get(world, item)["pickup"] != nil

  defp players(world, opts) do
    for {id, %{"kind" => kind}} <- World.query(world, ["kind", "position", "collider"]),
        kind == opts.players,
        %{"health" => health} = player when health > 0 <- [World.get(world, id)],
        do: {id, player}
  end

  defp zone({_, player}, opts),
    do: %{position: player["position"], collider: player["collider"], mask: opts.mask}

  defp collect(now, {user, hits}, taken) do
    case now do
      %{^user => %{"health" => health} = player} when health > 0 -> collect(now, user, player, hits, taken)
      _ -> {[], taken}
    end
  end

  defp collect(now, user, player, hits, taken) do
    {events, {taken, _}} =
      Enum.flat_map_reduce(hits, {taken, player}, fn %Hits.Hit{id: item}, {taken, player} ->
        with false <- MapSet.member?(taken, item),
             %{"event" => event} = pickup when is_binary(event) <- now[item]["pickup"],
             %{} = fields <- Map.get(pickup, "fields", %{}),
             {:ok, gains} <- gains(pickup["add"], player) do
          payload = fields |> Map.merge(gains) |> Map.merge(%{"user_id" => user, "item_id" => item})

          {[{event, payload}], {MapSet.put(taken, item), Map.merge(player, gains)}}
        else
          _ -> {[], {taken, player}}
        end
      end)

    {events, taken}
  end

  defp gains(nil, _), do: {:ok, %{}}

  defp gains(add, player) when is_map(add) do
    gains =
      for {name, [amount, most]} when is_number(amount) and is_number(most) <- add,
          had = player[name] || 0,
          is_number(had) and had < most,
          into: %{} do
        {name, min(had + amount, most)}
      end

    if gains == %{}, do: :nothing, else: {:ok, gains}
  end

  defp gains(_, _), do: :nothing
end
