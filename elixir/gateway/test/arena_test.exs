defmodule Roomfold.Gateway.ArenaTest do
  # The demo's room needs no network.
  use ExUnit.Case, async: true

  alias Roomfold.Gateway.Arena
  alias Roomfold.Gateway.Arena.{Door, Map, Monsters, Respawn}
  alias Roomfold.{JSON, Level, Room, Rules, World}
  alias Roomfold.Room.System.Tick

  @start 1_000_000
  @dt 40

  setup_all do
    map = Map.shipped()
    {:ok, level} = Level.from_map(map.form)
    %{map: map, level: level}
  end

  defp world(entities, level \\ nil) do
    World.fold!(World.new!(rules: Rules.doom(), level: level), Enum.map(entities, &Arena.create/1))
  end

  defp player(position, more \\ %{}) do
    Elixir.Map.merge(
      %{
        "kind" => "player",
        "position" => position,
        "health" => 100,
        "collider" => %{"shape" => "box", "radius" => 0.5, "height" => 1.75}
      },
      more
    )
  end

  # Ticks a system for so long, folding what it answers: {world, events with their times, state}.
  defp run(system, world, state, ms, from \\ @start) do
    Enum.reduce(1..div(ms, @dt), {world, [], state}, fn n, {world, events, state} ->
      tick = %Tick{number: n, now: from + n * @dt, dt_ms: @dt}
      {new, state} = system.tick(world, tick, state)
      {World.fold!(world, new), events ++ Enum.map(new, &{n * @dt, &1}), state}
    end)
  end

  describe "the map" do
    test "has its items exactly where the recorded match has them", %{map: map} do
      path = Path.join([:code.priv_dir(:roomfold), "demo", "freedm-0.12-demo1-MAP21.events.jsonl.gz"])
      lines = path |> File.read!() |> :zlib.gunzip() |> String.split("\n") |> Enum.take(59)

      recorded =
        for line <- lines,
            %{"components" => %{"kind" => "item"} = item} <- [JSON.decode!(line)],
            do: {item["type"], item["position"]}

      ours = for {_, item} <- map.items, do: {item["type"], item["position"]}
      assert length(ours) == 51

      # There a thing that is put onto the edge of a step stands on it; ours takes the floor under its middle.
      {same, other} = Enum.split_with(ours, &(&1 in recorded))
      assert length(same) >= 46, inspect(other)

      for {type, [x, _, z]} <- other,
          do: assert(Enum.any?(recorded, &match?({^type, [^x, _, ^z]}, &1)), "#{type} #{x} #{z}")
    end

    test "has starts on its floor, and one door", %{map: map} do
      assert length(map.starts) == 8
      assert length(map.homes) == 4
      assert [%{id: "sector-68", floor: 0.0, open: open, middle: [22.625, 0.0, 0.0]}] = map.doors
      assert open > 1.8
      assert Map.floor_at(map, 1_000.0, 0.0) == nil
    end
  end

  describe "a player" do
    test "is spawned at the start that is farthest from the others", %{map: map} do
      [first | _] = map.starts
      {"player_spawned", payload} = Arena.spawned("tom", world(%{"ann" => player(first.position)}), map)
      distances = Enum.map(map.starts, &Map.distance(&1.position, first.position))
      assert Map.distance(payload["position"], first.position) == Enum.max(distances)
      assert %{"user_id" => "tom", "health" => 100, "collider" => %{}, "rotation" => [_, _, _, _]} = payload
    end

    test "who is dead does nothing, and is back after three seconds", %{map: map} do
      world = world([{"tom", player([0, 0, 0], %{"state" => "dead", "health" => 0})} | map.items])
      assert {:error, _} = Arena.authorize({"player_moved", %{}}, "tom", world, map)
      assert {:error, _} = Arena.authorize({"weapon_fired", %{}}, "tom", world, map)
      assert :ok = Arena.authorize({"user_moved", %{}}, "tom", world, map)

      world =
        world([
          {"imp-1", %{}},
          {"imp-2", %{}},
          {"imp-3", %{}},
          {"imp-4", %{}} | Enum.to_list(World.snapshot(world))
        ])

      {world, events, _} = run(Respawn, world, Respawn.init(map, world, @start), 5_000)
      assert [{at, {"player_spawned", %{"user_id" => "tom"}}}] = events
      assert at in 3_000..3_100
      assert World.get(world, "tom")["health"] == 100
      assert :ok = Arena.authorize({"weapon_fired", %{}}, "tom", world, map)
    end
  end

  test "monsters and items come back, later", %{map: map} do
    [{item, components} | rest] = map.items
    dead = {"imp-1", %{"kind" => "monster", "state" => "dead", "health" => 0, "position" => [0, 0, 0]}}
    world = world([dead | rest])
    {world, events, _} = run(Respawn, world, Respawn.init(map, world, @start), 31_000)

    assert [
             {monster_at, {"create", %{"entity_id" => "imp-1"}}},
             {item_at, {"create", %{"entity_id" => ^item}}}
           ] = events

    assert monster_at in 10_000..10_100
    assert item_at in 30_000..30_100
    assert World.get(world, "imp-1")["health"] == 60
    assert World.get(world, "imp-1")["state"] == nil
    assert World.get(world, item)["type"] == components["type"]
  end

  test "a door goes up as far as it can when it is open, and down again", %{map: map} do
    [door] = map.doors
    world = world(Door.entities(door))
    assert {world, [], _} = run(Door, world, nil, 1_000)
    world = World.fold!(world, [{"door_opened", %{"id" => door.id}}])
    {world, events, _} = run(Door, world, nil, 2_000)
    ceilings = for {_, {"door_moved", %{"ceiling" => ceiling}}} <- events, do: ceiling
    assert ceilings == Enum.sort(ceilings)
    assert World.get(world, door.id)["ceiling"] == door.open
    world = World.fold!(world, [{"door_closed", %{"id" => door.id}}])
    {world, _, _} = run(Door, world, nil, 2_000)
    assert World.get(world, door.id)["ceiling"] == door.floor
  end

  describe "monsters" do
    test "stand still where nobody is", %{map: map, level: level} do
      world = world(Monsters.entities(map), level)
      assert {world, [], _} = run(Monsters, world, Monsters.init(map, world, @start), 2_000)
      far = World.fold!(world, [Arena.create({"tom", player([500, 0, 0])})])
      assert {_, [], _} = run(Monsters, far, Monsters.init(map, far, @start), 2_000)
    end

    test "go for a player, on the floor and through no wall, and throw at whom they see", %{
      map: map,
      level: level
    } do
      # Of the last: the teleports come first.
      home = Enum.find(map.homes, &match?([-2.25, _, _], &1.position))
      id = "imp-#{Enum.find_index(map.homes, &(&1 == home)) + 1}"
      [x, y, z] = home.position
      world = world([{"tom", player([x + 8.0, y, z])} | Monsters.entities(map)], level)
      {world, events, _} = run(Monsters, world, Monsters.init(map, world, @start), 6_000)
      imp = World.get(world, id)
      assert Map.distance(imp["position"], [x + 8.0, y, z]) < Map.distance(home.position, [x + 8.0, y, z])

      for {_, {"monster_moved", %{"position" => [x, y, z]}}} <- events,
          do: assert(y == Map.floor_at(map, x, z))

      thrown = for {at, {"fireball_thrown", %{"monster_id" => ^id} = ball}} <- events, do: {at, ball}
      assert [{first, ball}, {second, _} | _] = thrown
      assert second - first >= 2_500
      assert [vx, _, _] = ball["velocity"]
      assert vx > 0
    end
  end

  describe "what a user may not" do
    setup do
      rooms = :"arena_rooms_#{System.unique_integer([:positive])}"
      log = {Roomfold.EventLog.Memory, []}
      start_supervised!({Roomfold.Rooms, name: rooms, log: log, room: [grace_ms: 50] ++ Arena.options()})
      %{room: {rooms, "a"}}
    end

    defp refused(room, event) do
      {:error, error} = Room.publish(room, event, by: "tom")
      {error.reason, error.message}
    end

    # Without what comes and goes by itself.
    defp things(room) do
      for {id, %{"kind" => kind}} <- Room.snapshot(room),
          kind != "item" and not String.starts_with?(id, "fireball-"),
          into: %{},
          do: {id, kind}
    end

    test "make, change or delete what there is, even its own", %{room: room} do
      {:ok, _} = Room.join(room, "tom")
      await(fn -> Room.get(room, "tom") end)
      {:ok, _} = Room.publish(room, {"player_killed", %{"user_id" => "tom"}}, by: :system)
      before = things(room)

      trigger = %{"kind" => "trigger", "owner" => "tom", "trigger" => %{"event" => "goal_reached"}}
      ball = %{"kind" => "projectile", "owner" => "tom", "type" => "bfg_ball", "velocity" => [1, 0, 0]}

      for event <- [
            {"create", %{"entity_id" => "mine", "components" => trigger}},
            {"create", %{"entity_id" => "mine", "components" => ball}},
            {"create", %{"entity_id" => "tom", "components" => %{"kind" => "door", "state" => "open"}}},
            {"update", %{"entity_id" => "tom", "components" => %{"state" => nil, "health" => 200}}},
            {"update", %{"entity_id" => "sector-68", "components" => %{"state" => "open"}}},
            {"delete", %{"entity_id" => "tom"}}
          ] do
        assert {:not_allowed, message} = refused(room, event)
        # The room's own rule, or that of a system that reserves the component.
        assert message =~ "the room alone makes and changes" or message =~ "only the room itself sets this"
      end

      # A shot without velocity has no projectile, so none of a chosen id either.
      {:ok, _} = Room.publish(room, {"player_spawned", %{"user_id" => "tom", "health" => 7}}, by: :system)
      shot = {"weapon_fired", %{"user_id" => "tom", "projectile_id" => "tom", "hand_position" => [0, 0, 0]}}
      assert {:reserved_field, "field \"projectile_id\"" <> _} = refused(room, shot)

      assert things(room) == before
      assert %{"kind" => "player", "health" => 7} = Room.get(room, "tom")
    end

    test "have the id of what is there, or will be", %{room: room, map: map} do
      {:ok, _} =
        Room.publish(room, {"create", %{"entity_id" => "lamp", "components" => %{"kind" => "light"}}})

      [{item, _} | _] = map.items
      {:ok, _} = Room.publish(room, {"delete", %{"entity_id" => item}})

      for id <- [
            "arena",
            "imp-1",
            "sector-68",
            "sector-68-trigger",
            item,
            "lamp",
            "projectile-1-1",
            "fireball-imp-1-1"
          ] do
        assert {:error, %{reason: :not_allowed, field: "user_id"} = error} = Arena.admit(room, id)
        assert error.message =~ id
      end

      {:ok, _} = Room.join(room, "tom")
      await(fn -> Room.get(room, "tom") end)
      for id <- ["tom", "ann", "imp", "", "\xff"], do: assert(Arena.admit(room, id) == :ok)
    end

    test "touch or take along what has its id, had it come in all the same", %{room: room} do
      task =
        Task.async(fn ->
          {:ok, _} = Room.join(room, "imp-1")
          moved = {"player_moved", %{"user_id" => "imp-1", "position" => [0, 0, 0]}}
          answer = Room.publish(room, moved, by: "imp-1")
          :ok = Room.leave(room)
          answer
        end)

      assert {:error, %{reason: :not_allowed, field: "user_id"}} = Task.await(task, 60_000)
      await(fn -> Room.info(room).users == [] end)
      # Whatever the room did about it is folded before this is.
      {:ok, _} = Room.publish(room, {"door_triggered", %{"id" => "none"}})
      assert %{"kind" => "monster", "health" => 60} = Room.get(room, "imp-1")
    end

    test "stay in the world after the room's process died, and it does not come back", %{room: room} do
      {:ok, joined} = Room.join(room, "tom")
      await(fn -> Room.get(room, "tom") end)
      monitor = Process.monitor(joined.pid)
      Process.exit(joined.pid, :kill)
      assert_receive {:DOWN, ^monitor, _, _, :killed}
      # Not by its old name any more.
      await(fn -> Room.whereis(room) != joined.pid end)
      {:ok, _} = Room.ensure_started(room)
      await(fn -> Room.get(room, "tom") == nil end)
      assert Room.info(room).users == []
    end
  end

  test "all of it in a room" do
    rooms = :arena_rooms
    start_supervised!({Roomfold.Rooms, name: rooms, log: nil, room: Arena.options()})
    {:ok, joined} = Room.join({rooms, "a"}, "tom", format: :json)
    assert joined.seq >= 50
    tom = await(fn -> Room.get({rooms, "a"}, "tom") end)
    assert %{"kind" => "player", "health" => 100} = tom
    assert %{"kind" => "arena", "level" => "/demo/" <> file} = Room.get({rooms, "a"}, "arena")
    assert File.exists?(Path.join([:code.priv_dir(:roomfold), "demo", file <> ".gz"]))
    {:ok, _} = Room.publish({rooms, "a"}, {"door_triggered", %{"id" => "sector-68"}}, by: "tom")
    await(fn -> Room.get({rooms, "a"}, "sector-68")["ceiling"] > 0 end)
    {:ok, _} = Room.publish({rooms, "a"}, {"door_triggered", %{"id" => "no such door"}}, by: "tom")
    {:ok, _} = Room.publish({rooms, "a"}, {"player_killed", %{"user_id" => "tom"}}, by: :system)
    {:error, error} = Room.publish({rooms, "a"}, {"player_moved", %{"user_id" => "tom"}}, by: "tom")
    assert error.message =~ "the dead do nothing"
  end

  defp await(function, tries \\ 3_000) do
    cond do
      value = function.() -> value
      tries == 0 -> flunk("it did not become so")
      true -> Process.sleep(10) && await(function, tries - 1)
    end
  end
end
