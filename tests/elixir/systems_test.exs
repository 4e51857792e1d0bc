defmodule Roomfold.SystemsTest do
  use Roomfold.RoomsCase, async: true

  import Roomfold.Reductions

  alias Roomfold.Room.System.Tick
  alias Roomfold.Systems.{Lifetimes, Pickups, Projectiles, Shots, Timers, Triggers}

  @box %{"shape" => "box", "radius" => 0.5, "height" => 1.75}

  defp world(entities, opts \\ []) do
    events =
      for {id, components} <- entities, do: {"create", %{"entity_id" => id, "components" => components}}

    World.fold!(World.new!(Keyword.merge([rules: Roomfold.Rules.doom()], opts)), events)
  end

  defp tick(now, opts \\ []), do: struct!(%Tick{number: 1, now: now, dt_ms: 50}, opts)

  describe "timers" do
    @door [
      every: 60_000,
      events: [{0, {"door_opened", %{"id" => "d"}}}, {15_000, {"door_closed", %{"id" => "d"}}}]
    ]

    # The names of all events from one time to another, with the times they came at.
    defp run(timers, from, to, step) do
      world = World.new!()
      state = Timers.init(timers, world, from)

      {events, _} =
        Enum.flat_map_reduce(Enum.take_every(from..to, step), state, fn now, state ->
          {events, state} = Timers.tick(world, tick(now), state)
          {for({name, _} <- events, do: {now, name}), state}
        end)

      events
    end

    test "a door opens every minute and closes 15 seconds later" do
      assert run([@door], 60_000 * 100, 60_000 * 102 + 20_000, 50) == [
               {6_000_000, "door_opened"},
               {6_015_000, "door_closed"},
               {6_060_000, "door_opened"},
               {6_075_000, "door_closed"},
               {6_120_000, "door_opened"},
               {6_135_000, "door_closed"}
             ]
    end

    test "a room that comes back says at once how it should be" do
      assert [{6_007_000, "door_opened"}, {6_015_000, "door_closed"}] =
               run([@door], 6_007_000, 6_016_000, 1_000)

      assert [{6_020_000, "door_closed"}] = run([@door], 6_020_000, 6_030_000, 1_000)
    end

    test "a bell rings when its time comes, not when the room starts, and once after a long gap" do
      bell = [every: 5_000, events: [{0, {"bell_rang", %{}}}]]
      assert run([bell], 1_000, 11_000, 1_000) == [{5_000, "bell_rang"}, {10_000, "bell_rang"}]
      state = Timers.init([bell], World.new!(), 1_000)
      assert {[_], _} = Timers.tick(World.new!(), tick(1_000_001), state)
      # A door is as it should be by then, not as it was long ago.
      state = Timers.init([@door], World.new!(), 6_020_000)
      assert {[{"door_opened", _}, {"door_closed", _}], _} = Timers.tick(World.new!(), tick(6_620_000), state)
    end

    test "what is no timer" do
      for timer <- [
            [every: 0, events: []],
            [every: 10, events: [{10, {"x", %{}}}]],
            [every: 10, events: [{0, "x"}]],
            [every: 10, events: []],
            [every: 10],
            [events: [{0, {"x", %{}}}]],
            [every: 10, events: {0, {"x", %{}}}],
            [every: 10, events: ["x"]],
            [every: 10, event: [{0, {"x", %{}}}]],
            :timer
          ] do
        assert_raise ArgumentError, ~r/a timer needs/, fn -> Timers.init([timer], World.new!(), 0) end
      end

      # One, where a list of them is wanted.
      for timers <- [[every: 10, events: [{0, {"x", %{}}}]], %{every: 10}, nil] do
        assert_raise ArgumentError, ~r/timers are a list of lists/, fn ->
          Timers.init(timers, World.new!(), 0)
        end
      end
    end
  end

  describe "shots" do
    defp fired(opts \\ %{}) do
      {"weapon_fired",
       Map.merge(
         %{
           "user_id" => "tom",
           "weapon" => "pistol",
           "hand_position" => [0, 1, 0],
           "weapon_direction" => [1, 0, 0],
           "seq" => 9
         },
         opts
       )}
    end

    defp shoot(world, events, opts \\ []) do
      {events, _} = Shots.tick(world, tick(0, events: events), Shots.init(opts, world, 0))
      events
    end

    @people %{
      "tom" => %{"kind" => "player", "position" => [0, 0, 0], "health" => 100, "collider" => @box},
      "ann" => %{"kind" => "player", "position" => [5, 0, 0], "health" => 25, "collider" => @box},
      "imp" => %{"kind" => "monster", "position" => [9, 0, 0], "health" => 5, "collider" => @box}
    }

    test "a hit hurts, and says what it was judged by" do
      assert [{"player_hit", hit}] = shoot(world(@people), [fired()])
      assert %{"user_id" => "ann", "health" => 15, "damage" => 10, "by_id" => "tom"} = hit
      assert %{"origin" => [0, 1, 0], "owner" => "tom", "seq" => 9} = hit["shot"]
      assert %{"id" => "ann", "point" => [4.5, 1.0, +0.0], "seq" => 3} = hit["hit"]
    end

    test "nobody shoots without a name" do
      {name, shot} = fired(%{"by" => "tom"})

      for shot <- [Map.delete(shot, "user_id"), %{shot | "user_id" => nil}] do
        assert [{"player_hit", %{"user_id" => "ann", "by_id" => "tom"} = hit}] =
                 shoot(world(@people), [{name, shot}])

        assert hit["shot"]["owner"] == "tom"
      end

      shot = shot |> Map.delete("user_id") |> Map.merge(%{"by" => "server", "hand_position" => [1, 1, 0]})
      assert [{"player_hit", %{"by_id" => nil}}] = shoot(world(@people), [{name, shot}])
    end

    test "at health 0 somebody dies, once, and no more shots meet them" do
      world = world(@people)
      shots = List.duplicate(fired(), 4)

      names =
        for {name, payload} <- shoot(world, shots, damage: %{"pistol" => 10}), do: {name, payload["health"]}

      assert names == [{"player_hit", 15}, {"player_hit", 5}, {"player_hit", 0}, {"player_killed", nil}]
      assert [{"player_hit", %{"health" => 1}}] = shoot(world, [fired()], damage: %{"pistol" => 24})
      killed = shoot(world, shots) |> List.last()
      assert killed == {"player_killed", %{"user_id" => "ann", "by_id" => "tom", "killer_id" => "tom"}}

      world = World.fold!(world, [killed])

      assert [{"monster_hit", %{"id" => "imp", "health" => 0}}, {"monster_died", %{"id" => "imp"}}] =
               shoot(world, [fired()])
    end

    test "walls and range end a shot" do
      wall = %Roomfold.Level{boxes: [{{2, -1, -1}, {3, 3, 1}, 0xFFFFFFFF}]}
      assert shoot(world(@people, level: wall), [fired()]) == []
      assert shoot(world(@people), [fired(%{"range" => 2})]) == []
      assert shoot(world(@people), [fired()], range: 4) == []
      assert shoot(world(@people), [fired(%{"range" => 100})], range: 4) == []
      assert shoot(world(@people), [fired(%{"weapon_direction" => [0, 1, 0]})]) == []
      # What no shot can be cast from hits nobody.
      assert shoot(world(@people), [
               fired(%{"weapon_direction" => [0, 0, 0]}),
               fired(%{"hand_position" => "x"})
             ]) == []
    end

    test "is judged by where everything was when the shooter saw it" do
      world = world(@people)
      {:ok, world} = Roomfold.Hits.mark(world, 1_000)
      seen = World.seq(world)
      world = World.fold!(world, [{"player_moved", %{"user_id" => "ann", "position" => [5, 0, 9]}}])
      {:ok, world} = Roomfold.Hits.mark(world, 1_050)

      assert [{"monster_hit", _} | _] = shoot(world, [fired()])

      assert [{"player_hit", %{"user_id" => "ann", "hit" => %{"seq" => ^seen}}}] =
               shoot(world, [fired(%{"seen_seq" => seen})])

      # Longer ago than is remembered: as things are.
      assert [{"monster_hit", _} | _] = shoot(world, [fired(%{"seen_seq" => 1})])
    end

    test "with a velocity the room names the projectile" do
      shot = fired(%{"velocity" => [10, 0, 0], "projectile_id" => "mine"})
      assert {_, %{"projectile_id" => "projectile-12"}} = Shots.prepare(shot, "12", nil)
      assert Shots.prepare(fired(), "12", nil) == fired()
      assert Shots.prepare(fired(%{"projectile_id" => "mine"}), "12", nil) == fired()
      assert shoot(world(@people), [shot]) == []
    end
  end

  describe "projectiles" do
    @rocket %{
      "kind" => "projectile",
      "type" => "rocket",
      "owner" => "tom",
      "position" => [1, 1, 0],
      "velocity" => [20, 0, 0],
      "collider" => %{"shape" => "box", "radius" => 0.2, "height" => 0.4}
    }

    defp fly(world, opts \\ [], now \\ 0) do
      {events, _} = Projectiles.tick(world, tick(now), Projectiles.init(opts, world, 0))
      events
    end

    test "fly" do
      assert [{"projectile_moved", %{"id" => "r", "position" => [2.0, 1.0, +0.0]}}] =
               fly(world(Map.put(@people, "r", @rocket)))
    end

    test "hit what they pass, at any speed, but not whose they are" do
      fast = %{@rocket | "velocity" => [2.0e6, 0, 0]}
      events = fly(world(Map.put(@people, "r", fast)), damage: %{"rocket" => 80})

      assert [
               {"delete", %{"entity_id" => "r"}},
               {"player_hit", %{"user_id" => "ann", "health" => 0}},
               {"player_killed", _}
             ] = events
    end

    test "that are nobody's do not hit themselves, whatever they may hit" do
      rocket = Map.delete(@rocket, "owner")
      assert [{"projectile_moved", %{"id" => "r"}}] = fly(world(%{"r" => rocket}), mask: 3)

      assert [{"delete", %{"entity_id" => "r"}}, {"player_hit", hit}] =
               fly(world(Map.put(@people, "r", %{rocket | "velocity" => [99, 0, 0]})),
                 mask: 3,
                 default_damage: 5
               )

      assert %{"user_id" => "ann", "by_id" => nil, "shot" => %{"owner" => "r"}} = hit
    end

    test "break on walls" do
      wall = %Roomfold.Level{boxes: [{{1.5, -1, -1}, {1.6, 3, 1}, 0xFFFFFFFF}]}
      assert fly(world(Map.put(@people, "r", @rocket), level: wall)) == [{"delete", %{"entity_id" => "r"}}]
    end

    test "do not fly for ever; those at rest, or nowhere, do no harm" do
      world = world(%{"r" => @rocket, "still" => %{@rocket | "velocity" => [0, 0, 0]}})
      state = Projectiles.init([lifetime_ms: 100], world, 0)
      {[_], state} = Projectiles.tick(world, tick(1_000), state)
      {events, _} = Projectiles.tick(world, tick(1_101), state)
      assert Enum.sort(events) == [{"delete", %{"entity_id" => "r"}}, {"delete", %{"entity_id" => "still"}}]
      far = world(%{"r" => %{@rocket | "position" => [3.0e9, 0, 0]}})
      assert fly(far) == [{"delete", %{"entity_id" => "r"}}]
    end

    test "go their way, whatever velocity somebody else gives his" do
      wide = [{"position", {:f64, 3}}, {"velocity", {:f64, 3}}, {"health", :i64}]
      terms = [{"position", {:f32, 3}}, {"health", :i64}]

      for {components, odd} <- [
            {wide, [1.0e308, 0, 0]},
            {terms, "fast"},
            {terms, [1, 2]},
            {terms, [nil, 0, 0]}
          ] do
        schema = Roomfold.Schema.new!(components)
        people = Map.merge(@people, %{"r" => @rocket, "odd" => %{@rocket | "velocity" => odd}})
        assert [{"projectile_moved", %{"id" => "r"}}] = fly(world(people, schema: schema))
      end
    end
  end

  describe "several systems in one tick" do
    @gun %{
      "kind" => "item",
      "position" => [0.2, 0, 0],
      "collider" => @box,
      "pickup" => %{"event" => "weapon_collected", "fields" => %{"weapon" => "shotgun"}}
    }
    @stimpack %{@gun | "pickup" => %{"event" => "health_collected", "add" => %{"health" => [10, 100]}}}

    # What they say, the health in it, and the world after it.
    defp together(entities, systems, fired, opts \\ []) do
      world = world(entities, opts)
      tick = tick(0, events: fired)

      {said, _, []} =
        Roomfold.Room.System.tick_all(Roomfold.Room.System.init_all(systems, world, 0), world, tick)

      events = for {_, events} <- said, event <- events, do: event
      brief = for {name, %{} = payload} <- events, do: {name, payload["health"]}
      {brief, World.fold!(world, events)}
    end

    @rocket_at_ann %{@rocket | "position" => [3, 1, 0], "velocity" => [100, 0, 0]}
    @fight Map.put(Map.delete(@people, "imp"), "r", @rocket_at_ann)
    @shots {Shots, default_damage: 10}
    @rockets {Projectiles, default_damage: 10}
    @med %{@stimpack | "position" => [5, 0, 0]}

    test "hurt somebody by what both do, in whichever order" do
      for impl <- [:native, :elixir], systems <- [[@shots, @rockets], [@rockets, @shots]] do
        {said, world} = together(@fight, systems, [fired()], impl: impl)
        assert for({"player_hit", health} <- said, do: health) == [15, 5]
        assert %{"health" => 5, "damage_taken" => 20} = World.get(world, "ann")
      end
    end

    test "kill somebody once; whoever is dead is hit no more" do
      weak = put_in(@fight["ann"]["health"], 10)

      for systems <- [[@shots, @rockets], [@rockets, @shots], [@shots, @shots, @rockets]] do
        {said, world} = together(weak, systems, [fired()])
        assert [{"player_hit", 0}, {"player_killed", nil}] = said -- [{"delete", nil}]
        assert %{"health" => 0, "state" => "dead", "damage_taken" => 10} = World.get(world, "ann")
        assert World.get(world, "tom")["frags"] == 1
        assert World.get(world, "r") == nil
      end
    end

    test "healing adds to what was lost, and the dead collect nothing" do
      fight = Map.merge(@fight, %{"med" => @med})
      {said, world} = together(fight, [@shots, @rockets, Pickups], [fired()])
      assert {"health_collected", 15} in said
      assert World.get(world, "ann")["health"] == 15

      {said, world} = together(fight, [Pickups, @shots, @rockets], [fired()])
      assert for({"player_hit", health} <- said, do: health) == [25, 15]
      assert World.get(world, "ann")["health"] == 15

      # Who has the most collects nothing, but for what a hit has just taken.
      full = put_in(fight["ann"]["health"], 100)
      assert {[], _} = together(Map.delete(full, "r"), [Pickups], [])

      assert {[_, {"health_collected", 100}], _} =
               together(Map.delete(full, "r"), [@shots, Pickups], [fired()])

      {said, world} = together(put_in(fight["ann"]["health"], 20), [@shots, @rockets, Pickups], [fired()])
      assert {"player_killed", nil} in said
      refute Enum.any?(said, &match?({"health_collected", _}, &1))
      assert World.get(world, "med")["pickup"]
    end

    test "see what systems of one's own have said, by the room's rules; what they can't read of it is not in it" do
      rules =
        Roomfold.Rules.merge(
          Roomfold.Rules.doom(),
          Roomfold.Rules.new!(%{"burnt" => [{:add, "who", "health", {:field, "by"}, {0, 100}}]})
        )

      say = fn events -> fn _, _ -> events end end

      for {events, hits} <- [
            {[{"burnt", %{"who" => "ann", "by" => -3}}], [12]},
            {[{"update", %{"entity_id" => "ann", "components" => %{"health" => 50}}}], [40]},
            {[{"burnt", %{"who" => "ann", "by" => -99}}], []},
            {[{"delete", %{"entity_id" => "ann"}}], []},
            {[{"create", %{"entity_id" => "ann", "components" => %{"kind" => "player"}}}], []},
            {[{"update", %{"entity_id" => "ann", "components" => %{"health" => "x"}}}], [15]},
            {[{"nope", %{}}, :junk, {:packed, "x"}, {"update", {:json, "{}"}}], [15]}
          ] do
        {said, _} = together(Map.delete(@fight, "r"), [say.(events), @shots], [fired()], rules: rules)
        assert for({"player_hit", health} <- said, do: health) == hits, inspect(events)
      end
    end

    test "what was said of others costs next to nothing" do
      world = world(@fight)
      moved = for n <- 1..500, do: {"projectile_moved", %{"id" => "p#{n}", "position" => [n, 0, 0]}}
      hit = {"monster_hit", %{"id" => "ann", "health" => 7}}
      now = fn said -> Roomfold.Room.System.now(world, tick(0, said: said), ["ann"]) end

      assert now.([moved]) == now.([])
      assert %{"ann" => %{"health" => 7}} = now.([moved, [hit | moved]])
      assert reductions(fn -> now.([moved]) end) < 50 * length(moved)
    end

    test "one that fails has said nothing" do
      bad = fn _, _ -> raise "broken" end
      world = world(Map.delete(@fight, "r"))
      systems = Roomfold.Room.System.init_all([bad, @shots], world, 0)
      {said, _, [_]} = Roomfold.Room.System.tick_all(systems, world, tick(0, events: [fired()]))
      assert [{Shots, [{"player_hit", %{"health" => 15}}]}] = said
    end
  end

  test "lifetimes end" do
    world = world(%{"a" => %{"lifetime_ms" => 100}, "b" => %{"lifetime_ms" => "long"}, "c" => %{}})
    state = Lifetimes.init([], world, 1_000)
    assert {[], state} = Lifetimes.tick(world, tick(1_099), state)
    assert {[{"delete", %{"entity_id" => "a"}}], _} = Lifetimes.tick(world, tick(1_100), state)
  end

  test "a system that comes with the library takes no option that it does not know" do
    for system <- [Lifetimes, Pickups, Projectiles, Shots, Triggers] do
      assert_raise ArgumentError, ~r/unknown keys \[:hue\]/, fn -> system.init([hue: 1], world(%{}), 0) end
    end
  end

  describe "pick-ups" do
    defp pick(entities),
      do: with({events, _} <- Pickups.tick(world(entities), tick(0), Pickups.init([], nil, 0)), do: events)

    test "who touches it has it" do
      player = @people["ann"] |> Map.put("position", [0, 0, 0])

      assert pick(%{"p" => player, "gun" => @gun}) == [
               {"weapon_collected", %{"user_id" => "p", "item_id" => "gun", "weapon" => "shotgun"}}
             ]

      assert pick(%{"p" => player, "med" => @stimpack}) == [
               {"health_collected", %{"user_id" => "p", "item_id" => "med", "health" => 35}}
             ]

      assert pick(%{"p" => player, "gun" => %{@gun | "position" => [3, 0, 0]}}) == []
      assert pick(%{"p" => %{player | "kind" => "monster"}, "gun" => @gun}) == []
      assert pick(%{"p" => player, "odd" => %{@gun | "pickup" => 7}}) == []

      for {key, value} <- [
            {"fields", 7},
            {"add", 7},
            {"add", %{"health" => ["x", 100]}},
            {"add", %{"health" => 1}}
          ] do
        odd = %{@gun | "pickup" => Map.put(@gun["pickup"], key, value)}
        assert [{_, %{"item_id" => "gun"}}] = pick(%{"p" => player, "odd" => odd, "gun" => @gun})
      end
    end

    test "who has the most takes no more; the dead take nothing; two can't take one" do
      player = @people["tom"] |> Map.put("position", [0, 0, 0])
      assert pick(%{"p" => player, "med" => @stimpack}) == []
      assert [{_, %{"health" => 100}}] = pick(%{"p" => %{player | "health" => 95}, "med" => @stimpack})
      assert pick(%{"p" => %{player | "health" => 0}, "gun" => @gun}) == []
      assert [{_, %{"user_id" => "a"}}] = pick(%{"a" => player, "b" => player, "gun" => @gun})
      # Two packs at once: the second one adds to the first.
      assert [{_, %{"health" => 95}}, {_, %{"health" => 100}}] =
               pick(%{"p" => %{player | "health" => 85}, "m1" => @stimpack, "m2" => @stimpack})
    end
  end

  test "triggers say when somebody comes in, and when they leave" do
    zone = %{
      "position" => [0, 0, 0],
      "collider" => %{"shape" => "box", "size" => [4, 2, 4]},
      "trigger" => %{"event" => "door_triggered", "leave" => "door_left", "fields" => %{"id" => "gate"}}
    }

    at = fn x -> world(%{"zone" => zone, "tom" => %{@people["tom"] | "position" => [x, 0, 0]}}) end
    state = Triggers.init([], at.(9), 0)
    assert {[], state} = Triggers.tick(at.(9), tick(0), state)
    facts = %{"id" => "gate", "user_id" => "tom", "trigger_id" => "zone"}
    assert {[{"door_triggered", ^facts}], state} = Triggers.tick(at.(1), tick(0), state)
    assert {[], state} = Triggers.tick(at.(0), tick(0), state)
    assert {[{"door_left", ^facts}], _} = Triggers.tick(at.(9), tick(0), state)
    # Nobody else does; and where there is no event for leaving, none is said.
    imp = world(%{"zone" => zone, "imp" => %{@people["imp"] | "position" => [0, 0, 0]}})
    assert {[], _} = Triggers.tick(imp, tick(0), Triggers.init([], at.(9), 0))
    silent = put_in(zone["trigger"], %{"event" => "door_triggered"})
    assert {[], _} = Triggers.tick(world(%{"zone" => silent}), tick(0), Triggers.init([], at.(1), 0))
    # A room that comes back has said so of who is inside.
    state = Triggers.init([], at.(1), 0)
    assert {[], state} = Triggers.tick(at.(1), tick(0), state)
    assert {[{"door_left", ^facts}], _} = Triggers.tick(at.(9), tick(0), state)
  end

  describe "in a room" do
    test "a shot with a velocity flies, hits and kills, by the system alone" do
      room =
        start_room(
          rules: Roomfold.Rules.doom(),
          systems: [{Shots, []}, {Projectiles, damage: %{"rocket" => 100}}]
        )

      for {id, x} <- [{"tom", 0}, {"ann", 5}] do
        Room.publish(
          room,
          {"player_spawned", %{"user_id" => id, "position" => [x, 0, 0], "health" => 100, "collider" => @box}}
        )
      end

      {:ok, _} =
        Room.publish(
          room,
          {"weapon_fired",
           %{
             "user_id" => "tom",
             "weapon" => "rocket_launcher",
             "type" => "rocket",
             "hand_position" => [0, 1, 0],
             "velocity" => [100, 0, 0],
             "collider" => @rocket["collider"]
           }},
          by: "tom"
        )

      eventually(fn -> Room.get(room, "ann")["state"] == "dead" end)
      assert Room.get(room, "tom")["frags"] == 1
      eventually(fn -> Room.snapshot(room, by: :kind)["projectiles"] == nil end)
    end

    test "functions are systems, and one that fails does not stop the others" do
      burn = fn world, _ ->
        for {id, %{"fuel" => fuel}} <- World.query(world, ["fuel"]),
            fuel > 0,
            do: {"update", %{"entity_id" => id, "components" => %{"fuel" => fuel - 1}}}
      end

      bad = fn _, _ -> raise "this system is broken" end

      log =
        ExUnit.CaptureLog.capture_log(fn ->
          room = start_room(systems: [bad, burn])
          Room.publish(room, {"create", %{"entity_id" => "lamp", "components" => %{"fuel" => 3}}})
          eventually(fn -> Room.get(room, "lamp") == %{"fuel" => 0} end)
        end)

      assert log =~ "this system is broken"
    end

    defmodule Forgets do
      def init(_, _, _), do: nil
      def tick(_, _, _), do: []
    end

    defmodule Greets do
      use Roomfold.Room
      @impl true
      def init(_, _, args), do: {:ok, args, [{"user_joined", %{"user_id" => "tom"}}]}
      @impl true
      def handle_event({"user_joined", _}, _, state), do: {[{"wellcome", %{}}], state}
      def handle_event(_, _, state), do: {[], state}
    end

    # What a room says in the log until its figures are as wanted, and these. Other tests log at the same time.
    defp complaints(id, opts, wanted?) do
      me = self()

      log =
        ExUnit.CaptureLog.capture_log(fn ->
          room = start_room([id: id] ++ opts)
          eventually(fn -> wanted?.(Room.info(room)) end)
          send(me, {:figures, Room.info(room)})
        end)

      assert_received {:figures, info}
      {info, log}
    end

    defp lines(log, id), do: for(line <- String.split(log, "\n"), line =~ "of the room #{id} ", do: line)

    test "a system that raises on each tick is counted, and logged once; for another reason once more" do
      bad = fn _, %{number: n} -> if n == 5, do: {"user_left", %{}}, else: raise("broken in tick #{n}") end

      {info, log} = complaints("raises", [systems: [bad]], &(&1.failed >= 10))
      assert info.refused == 0
      assert [first, second] = lines(log, "raises")
      assert first =~ inspect(bad) and second =~ inspect(bad)
      assert log =~ "broken in tick 1\n"
      assert log =~ ~s(a system answers a list of events, got: {"user_left", %{}})
    end

    test "one that exits, throws, folds the room's world or answers what is no list: the room and the others go on" do
      parts = [
        fn _, _ -> exit(:gone) end,
        fn _, _ -> throw(:ball) end,
        fn world, _ -> World.fold!(world, []) && [] end,
        fn world, _ -> elem(World.apply_diff(world, %{}), 0) end,
        fn world, _ -> elem(Roomfold.Hits.mark(world, 0), 0) end,
        fn _, _ -> [{"user_joined", %{"user_id" => "a"}} | :junk] end
      ]

      for {system, n} <- Enum.with_index(parts) do
        joins = fn world, _ ->
          if World.count(world) == 0, do: [{"user_joined", %{"user_id" => "tom"}}], else: []
        end

        {_, log} = complaints("fails #{n}", [systems: [system, joins]], &(&1.failed >= 3 and &1.seq == 1))

        assert [line] = lines(log, "fails #{n}")
        assert line =~ inspect(system)
      end
    end

    test "a system's tick answers a list of events and a state" do
      {_, log} = complaints("forgets", [systems: [Forgets]], &(&1.failed > 0))
      assert log =~ "tick/3 answers {a list of events, state}, got: []"
    end

    test "what a system says and is refused is counted, and logged once for each event and reason" do
      says = fn _, _ -> [{"nope", %{}}, {"user_moved", %{"user_id" => "t", "position" => "x"}}] end

      {info, log} = complaints("says no event", [systems: [says]], &(&1.refused >= 20))
      assert info.seq == 0
      assert [nope, moved] = lines(log, "says no event")

      assert nope =~
               ~s(the system #{inspect(says)} of the room says no event published "nope", which was refused)

      assert nope =~ "no rule"
      assert moved =~ ~s("user_moved") and moved =~ ~s(component "position")
    end

    test "packed frames of a system that are none are counted, whether the room keeps a log or not" do
      for log <- [nil, {Roomfold.EventLog.Memory, start_supervised!(Roomfold.EventLog.Memory)}] do
        opts = [systems: [fn _, _ -> [{:packed, "none"}] end], log: log]
        {_, said} = complaints("packed #{log == nil}", opts, &(&1.refused > 0))
        assert said =~ ~s(published "a packed frame", which was refused)
      end
    end

    test "what handle_event/3 says and is refused is counted and logged" do
      {info, log} = complaints("greets", [module: Greets], &(&1.refused == 1))
      assert info.seq == 1
      assert [line] = lines(log, "greets")
      assert line =~ ~s(#{inspect(Greets)} of the room greets published "wellcome", which was refused)
    end

    test "what a system says that is no event is left out and logged; the room goes on, and so does what else was said" do
      says = fn _, tick ->
        if tick.number == 1,
          do: [
            {"user_joined", %{"user_id" => "a"}},
            {"user_joined", %{"user_id" => "b", "seq" => 7}},
            {"user_joined", 7},
            :nothing,
            {"user_joined", %{"user_id" => "c"}}
          ],
          else: []
      end

      log =
        ExUnit.CaptureLog.capture_log(fn ->
          room = start_room(systems: [says])
          eventually(fn -> Map.keys(Room.snapshot(room)) == ["a", "c"] end)
        end)

      assert log =~ "the room sets this field"
      assert log =~ "an event must be"
    end

    test "a trigger with a field that the room sets says nothing, and is logged; others do" do
      zone = %{"position" => [0, 0, 0], "collider" => %{"shape" => "box", "size" => [4, 2, 4]}}
      trigger = fn fields -> Map.put(zone, "trigger", %{"event" => "door_opened", "fields" => fields}) end

      log =
        ExUnit.CaptureLog.capture_log(fn ->
          room = start_room(rules: Roomfold.Rules.doom(), systems: [Triggers])

          {:ok, _} =
            Room.publish(
              room,
              for {id, components} <- [
                    {"gate", %{"kind" => "door"}},
                    {"hatch", %{"kind" => "door"}},
                    {"tom", @people["tom"]},
                    {"bad", trigger.(%{"id" => "gate", "seq" => 1})},
                    {"odd", trigger.(7)},
                    {"good", trigger.(%{"id" => "hatch"})}
                  ] do
                {"create", %{"entity_id" => id, "components" => components}}
              end
            )

          eventually(fn -> Room.get(room, "hatch")["state"] == "open" end)
          assert Room.get(room, "gate") == %{"kind" => "door"}
        end)

      assert log =~ ~s(Roomfold.Systems.Triggers of the room room published "door_opened")
      assert log =~ "the room sets this field"
    end

    test "nobody makes the system say what it likes: users set no trigger, no pick-up and no projectile" do
      room = start_room(rules: Roomfold.Rules.doom(), systems: [Triggers, Pickups, Projectiles])
      killed = %{"event" => "player_killed", "fields" => %{"killer_id" => "eve"}}
      zone = %{"position" => [0, 0, 0], "collider" => @box, "owner" => "eve"}

      Room.publish(room, [
        {"create", %{"entity_id" => "tom", "components" => @people["tom"]}},
        {"create", %{"entity_id" => "eve", "components" => %{"kind" => "player"}}},
        {"create", %{"entity_id" => "hers", "components" => zone}}
      ])

      for {name, id, components, component} <- [
            {"create", "new", Map.put(zone, "trigger", killed), "trigger"},
            {"create", "new", Map.put(zone, "pickup", killed), "pickup"},
            {"create", "new", %{@rocket | "owner" => "eve"}, "kind"},
            {"create", "eve", Map.put(zone, "trigger", killed), "trigger"},
            {"update", "hers", %{"trigger" => killed}, "trigger"},
            {"update", "eve", %{"pickup" => killed}, "pickup"},
            {"update", "hers", %{"trigger" => nil}, "trigger"},
            {"update", "hers", %{"kind" => "projectile"}, "kind"}
          ] do
        event = {name, %{"entity_id" => id, "components" => components}}

        assert {:error, %Error{reason: :not_allowed, component: ^component}} =
                 Room.publish(room, event, by: "eve")
      end

      # However the text is written.
      for text <- [
            ~S({"event":"update","entity_id":"hers","components":{"\u0074rigger":{"event":"player_killed"}}}),
            ~S({"components":{"trigger":{"event":"player_killed"}},"entity_id":"hers","event":"update"}),
            ~S({"ev\u0065nt":"upd\u0061te","entity_id":"hers","components":{"trigger":{"event":"player_killed"}}}),
            ~S({"event_name":"update","entity_id":"hers","components":{"trigger":{"event":"player_killed"}}}),
            ~S({"event_name":"user_moved","event":"update","entity_id":"hers","components":{"trigger":{}}}),
            ~S({"event":"update","entity_id":"hers","components":{},"components":{"trigger":{}}})
          ] do
        assert {:error, %Error{}} = Room.publish(room, {:json, text}, by: "eve"), text
      end

      assert Room.seq(room) == 3

      # What is its own otherwise, and what the server makes.
      assert {:ok, _} =
               Room.publish(room, {"update", %{"entity_id" => "hers", "components" => %{"lit" => true}}},
                 by: "eve"
               )

      assert {:ok, _} =
               Room.publish(
                 room,
                 {"update", %{"entity_id" => "hers", "components" => %{"trigger" => killed}}}
               )

      # A room without these systems has nothing to keep anybody from.
      other = start_room()
      make = {"create", %{"entity_id" => "new", "components" => %{"owner" => "eve", "trigger" => killed}}}
      assert {:ok, 1} = Room.publish(other, make, by: "eve")
    end

    defp fire(room, user, more \\ %{}) do
      shot = %{"user_id" => user, "type" => "rocket", "hand_position" => [0, 1, 0], "velocity" => [1, 0, 0]}
      Room.publish(room, {"weapon_fired", Map.merge(shot, more)}, by: user)
    end

    defp projectile(room) do
      eventually(fn ->
        with %{"projectiles" => [projectile]} <- Room.snapshot(room, by: :kind),
             do: projectile,
             else: (_ -> nil)
      end)
    end

    test "what flies is the room's: who fired it neither moves, changes nor deletes it, nor puts another in its place" do
      steered =
        Roomfold.Rules.new!(%{"rocket_steered" => {:user, [{:update, "id", %{"velocity" => {:field, "to"}}}]}})

      rules = Roomfold.Rules.merge(Roomfold.Rules.doom(), steered)
      room = start_room(rules: rules, systems: [Shots, Projectiles])
      {:ok, _} = Room.publish(room, {"create", %{"entity_id" => "ann", "components" => @people["ann"]}})
      {:ok, _} = fire(room, "eve")
      %{"id" => id, "owner" => "eve"} = projectile(room)

      for event <- [
            {"update", %{"entity_id" => id, "components" => %{"position" => [5, 1, 0]}}},
            {"update", %{"entity_id" => id, "components" => %{"type" => "bfg_ball"}}},
            {"update", %{"entity_id" => id, "components" => %{"kind" => "lamp"}}},
            {"create", %{"entity_id" => id, "components" => %{"owner" => "eve"}}},
            {"delete", %{"entity_id" => id}}
          ],
          by <- ["eve", "tom"] do
        assert {:error, %Error{reason: :not_allowed, field: "entity_id"} = error} =
                 Room.publish(room, event, by: by)

        assert error.message =~ "what flies is the room's"
      end

      assert %{"type" => "rocket", "position" => [x, _, _]} = Room.get(room, id)
      assert x < 5
      # A rule that lets its owner do so says so; and the room itself may.
      assert {:error, %Error{reason: :not_owned}} =
               Room.publish(room, {"rocket_steered", %{"id" => id, "to" => [0, 9, 0]}}, by: "tom")

      assert {:ok, _} = Room.publish(room, {"rocket_steered", %{"id" => id, "to" => [0, 9, 0]}}, by: "eve")
      assert %{"velocity" => [+0.0, 9.0, +0.0]} = Room.get(room, id)
      assert {:ok, _} = Room.publish(room, {"delete", %{"entity_id" => id}})
      # What does not fly is its owner's, as ever.
      lamp = {"create", %{"entity_id" => "lamp", "components" => %{"owner" => "eve"}}}
      assert {:ok, _} = Room.publish(room, lamp, by: "eve")
      assert {:ok, _} = Room.publish(room, {"delete", %{"entity_id" => "lamp"}}, by: "eve")
    end

    test "nobody knows the next projectile's id, to use it first" do
      room = start_room(rules: Roomfold.Rules.doom(), systems: [Shots, Projectiles])
      # One that lies there: the room says nothing of it in between.
      fire = fn -> fire(room, "tom", %{"velocity" => [0, 0, 0]}) end
      {:ok, _} = fire.()
      %{"id" => first} = projectile(room)
      term = Room.info(room).term

      for n <- 100..250 do
        id = "projectile-#{term}-#{n}"
        Room.publish(room, {"create", %{"entity_id" => id, "components" => %{"owner" => "eve"}}}, by: "eve")
      end

      for _ <- 1..20, do: assert({:ok, _} = fire.())
      ids = for %{"id" => id} <- Room.snapshot(room, by: :kind)["projectiles"], do: id
      assert length(Enum.uniq([first | ids])) == 21
    end

    test "users' things are no players, whom triggers and pick-ups would ask in" do
      kinds = [{Triggers, [players: "hero"]}, {Pickups, [players: "hero"]}]

      for {systems, kind} <-
            [{[Triggers], "player"}, {[Pickups], "player"}] ++ for(one <- kinds, do: {[one], "hero"}) do
        room = start_room(rules: Roomfold.Rules.doom(), systems: systems)
        body = %{@people["tom"] | "kind" => kind}

        {:ok, _} =
          Room.publish(room, {"create", %{"entity_id" => "bot", "components" => %{"owner" => "eve"}}},
            by: "eve"
          )

        for event <- [
              {"create", %{"entity_id" => "puppet", "components" => Map.put(body, "owner", "eve")}},
              {"update", %{"entity_id" => "bot", "components" => body}}
            ] do
          assert {:error, %Error{reason: :not_allowed, component: "kind"} = error} =
                   Room.publish(room, event, by: "eve")

          assert error.message =~ "only the user itself is a #{kind}"
        end

        assert Map.keys(Room.snapshot(room)) == ["bot"]
        # Itself it may be one, and the server may make some.
        assert {:ok, _} =
                 Room.publish(room, {"create", %{"entity_id" => "eve", "components" => body}}, by: "eve")

        assert {:ok, _} = Room.publish(room, {"update", %{"entity_id" => "bot", "components" => body}})
      end
    end

    defmodule Keeper do
      @behaviour Roomfold.Room.System
      def init(_, _, _), do: :state
      def tick(_, _, state), do: {[], state}
      def events(_), do: []

      # The event is what a client has sent.
      def authorize({name, %{"entity_id" => "safe"}}, user, %World{} = world, :state) do
        if World.get(world, "safe")["lid"] == "open", do: :ok, else: {:error, "#{user} may not #{name} it"}
      end

      def authorize({_, %{"entity_id" => "broken"}}, _, _, _), do: raise("broken")
      def authorize({_, %{}}, _, _, _), do: :ok
    end

    @tag :capture_log
    test "a system of one's own may refuse what users do to entities; the room and its rules are not asked" do
      room = start_room(rules: Roomfold.Rules.doom(), systems: [Keeper, fn _, _ -> [] end])
      safe = fn name, components -> {name, %{"entity_id" => "safe", "components" => components}} end
      assert {:ok, 1} = Room.publish(room, safe.("create", %{"owner" => "tom"}))

      for {event, name} <- [
            {safe.("update", %{"x" => 1}), "update"},
            {{"delete", %{"entity_id" => "safe"}}, "delete"}
          ] do
        assert {:error, %Error{reason: :not_allowed, message: message}} = Room.publish(room, event, by: "tom")
        assert message =~ "tom may not #{name} it"
      end

      assert {:ok, _} = Room.publish(room, safe.("update", %{"lid" => "open"}))
      assert {:ok, _} = Room.publish(room, safe.("update", %{"x" => 1}), by: "tom")

      broken = {"create", %{"entity_id" => "broken", "components" => %{"owner" => "tom"}}}
      assert {:error, %Error{reason: :not_allowed}} = Room.publish(room, broken, by: "tom")
      assert Room.info(room).failed == 1
      # What it can't be asked about.
      for payload <- [%{}, %{"entity_id" => 7, "components" => %{}}, %{"entity_id" => "x", "components" => 7}],
          do: assert({:error, %Error{}} = Room.publish(room, {"update", payload}, by: "tom"))
    end

    defmodule Lamps do
      @behaviour Roomfold.Room.System
      def init(_, _, _), do: 0
      def events(_), do: []

      def tick(_, _, n) do
        event = {"create", %{"entity_id" => "lamp#{n}", "components" => %{"lit" => true}}}
        {:ok, frame} = Roomfold.Wire.encode_events([event])
        {[{:packed, frame}], n + 1}
      end
    end

    test "packed frames of a system are heard by who has subscribed, in a room without a log" do
      rooms = start_rooms(log: nil, room: [systems: [Lamps], tick_ms: 10])
      Room.subscribe({rooms, "r"})
      {:ok, _} = Room.ensure_started({rooms, "r"})
      for lamp <- ["lamp0", "lamp1", "lamp2"], do: assert_receive({"create", %{"entity_id" => ^lamp}})
    end

    test "what is no system is refused" do
      for {system, message} <- [
            {:nothing, ":nothing is not a Roomfold.Room.System"},
            {Enum, "Enum is not a Roomfold.Room.System"},
            {{Nope, []}, "Nope is not a Roomfold.Room.System"},
            {fn _ -> [] end, "a system must be"},
            {{"Nope", []}, "a system must be"}
          ] do
        refused = fn start -> assert_raise(ArgumentError, start).message end
        assert refused.(fn -> Room.start_link(id: "x", rooms: nil, systems: [system]) end) =~ message
        assert refused.(fn -> Room.ensure_started("no system", systems: [system]) end) =~ message
        assert refused.(fn -> Rooms.start_link(name: :no_system, room: [systems: [system]]) end) =~ message
      end
    end
  end
end
