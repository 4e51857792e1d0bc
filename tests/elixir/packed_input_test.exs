defmodule Roomfold.PackedInputTest do
  # Packed frames on their way into a room: what clients send, and batches of the room's own code.
  use Roomfold.RoomsCase, async: true

  alias Roomfold.{JSON, Schema, Wire}

  @impls [:native, :elixir]

  defp schema do
    Schema.new!([
      {"position", {:f32, 3}, quantise: {:step, 0.001, -500, 500}},
      {"rotation", {:f32, 4}, quantise: {:smallest_three, 10}},
      {"health", :i64},
      {"lit", :bool},
      {"name", :string},
      {"mass", {:f64, 1}}
    ])
  end

  defp pose(x), do: %{"position" => [x, 1.5, -0.1], "rotation" => [0, 0, 0, 1]}
  defp input!(input, opts \\ []), do: elem(Wire.encode_input(Map.merge(%{"input" => 1}, input), opts), 1)
  defp events!(events, opts \\ []), do: elem(Wire.encode_events(events, opts), 1)
  defp create(id, components \\ %{}), do: {"create", %{"entity_id" => id, "components" => components}}
  defp update(id, components), do: {"update", %{"entity_id" => id, "components" => components}}

  defp lines({:ok, text}),
    do: for(line <- String.split(text, "\n", trim: true), do: JSON.decode!(line, impl: :elixir))

  defp lines(error), do: error

  # What C says and what Elixir says, which must be the same to the byte.
  defp both(world, function, arguments) do
    [native, elixir] =
      for impl <- @impls do
        %World{impl: module, state: state} = world.(impl)
        apply(module, function, [state | arguments])
      end

    case native do
      {:ok, _} -> assert native == elixir
      {:error, _} -> assert lines(native) == lines(elixir)
    end

    lines(native)
  end

  describe "what a client sent, as text" do
    test "poses become the event of the rules, its own events follow" do
      world = fn impl -> World.new!(impl: impl, schema: schema()) end

      frame =
        input!(
          %{
            "ack" => 3,
            "head" => pose(1.25),
            "right" => pose(-7),
            "events" => [
              {"jump", %{}},
              {"say", %{"text" => "a\n\"b\" é", "to" => ["ann", 7, -0.0, nil, %{"x" => true}]}}
            ]
          },
          schema: schema()
        )

      assert [
               %{"event_name" => "user_moved", "user_id" => "to\"m", "head" => head, "right" => right} =
                 moved,
               %{"event_name" => "jump"} = jump,
               %{"event_name" => "say", "text" => "a\n\"b\" é", "to" => ["ann", 7, zero, nil, %{"x" => true}]}
             ] = both(world, :input_text, [frame, "to\"m", "user_moved"])

      assert zero === -0.0
      refute is_map_key(moved, "left")
      assert jump == %{"event_name" => "jump"}
      assert %{"position" => [x, y, z], "rotation" => [_, _, _, w]} = head
      for {is, was} <- [{x, 1.25}, {y, 1.5}, {z, -0.1}, {w, 1.0}], do: assert_in_delta(is, was, 0.001)
      assert_in_delta hd(right["position"]), -7, 0.001
    end

    test "entity events are said under event; nothing is said of nothing" do
      world = fn impl -> World.new!(impl: impl) end
      frame = input!(%{"events" => [{"delete", %{"entity_id" => "box"}}]})

      assert both(world, :input_text, [frame, "tom", "user_moved"]) == [
               %{"event" => "delete", "entity_id" => "box"}
             ]

      assert both(world, :input_text, [input!(%{"ack" => 0}), "tom", "user_moved"]) == []
    end

    test "bad frames are errors of both" do
      world = fn impl -> World.new!(impl: impl, schema: schema()) end

      frame =
        input!(%{"ack" => 3, "head" => pose(1), "events" => [{"jump", %{"high" => 1}}]}, schema: schema())

      for bad <- [
            "",
            <<0x11>>,
            frame <> "x",
            binary_part(frame, 0, byte_size(frame) - 1),
            input!(%{"ack" => 3, "head" => pose(1)})
          ] do
        assert {:error, %Error{reason: reason}} = both(world, :input_text, [bad, "tom", "user_moved"])
        assert reason in [:invalid_frame, :unknown_version, :schema_mismatch]
      end

      for at <- 0..(byte_size(frame) - 1) do
        assert {:error, _} = both(world, :input_text, [binary_part(frame, 0, at), "tom", "user_moved"])
      end
    end
  end

  describe "a batch of events, as text" do
    test "says what it folds to" do
      everything = %{
        "position" => [1, 2.5, -3],
        "rotation" => [0, 0, 0, 1],
        "health" => -7,
        "lit" => true,
        "name" => "a\"b",
        "mass" => 0.1,
        "tags" => ["x", %{"y" => nil}],
        "kind" => "lamp"
      }

      events = [
        create("a", everything),
        update("a", %{"health" => nil, "lit" => false, "kind" => nil}),
        {"delete", %{"entity_id" => "b", "why" => "old"}},
        create("c"),
        # Texts are numbered as they come up, so other names and fields are not in their own order.
        update("d", %{"tags" => ["x"], "zeal" => "b", "b" => 1.0, "c" => -0.0}),
        {"update",
         Map.merge(elem(update("a", %{"b" => nil}), 1), %{"why" => "c", "c" => 1, "a" => %{"z" => 1}})}
      ]

      frame = events!(events, schema: schema())
      world = fn impl -> World.new!(impl: impl, schema: schema()) end
      texts = both(world, :events_text, [frame])
      assert length(texts) == 6
      text = Enum.map_join(texts, "\n", &JSON.encode!/1)
      by_text = World.fold!(world.(:native), {:json, text})
      assert World.snapshot(by_text) == World.snapshot(World.fold!(world.(:native), {:packed, frame}))
    end

    test "by handle: who is gone is left out" do
      world = fn impl -> World.fold!(World.new!(impl: impl), [create("a"), create("b"), create("c")]) end

      frame =
        events!([update("a", %{"x" => 1}), update("b", %{"x" => 2})], handles: %{"a" => 0, "b" => 1}, known: 3)

      assert [%{"entity_id" => "a"}, %{"entity_id" => "b"}] = both(world, :events_text, [frame])

      later = fn impl -> World.fold!(world.(impl), [{"delete", %{"entity_id" => "a"}}, create("d")]) end
      assert [%{"entity_id" => "b"}] = both(later, :events_text, [frame])

      within = [
        {"delete", %{"entity_id" => "b"}},
        update("b", %{"x" => 1}),
        create("b"),
        update("b", %{"x" => 3})
      ]

      # Once it is deleted in the batch, its handle says nothing: from there on it is meant by its id.
      frame = events!(within, handles: %{"b" => 1}, known: 3)
      texts = both(world, :events_text, [frame])
      assert Enum.map(texts, & &1["event"]) == ["delete", "update", "create", "update"]
      assert Enum.all?(texts, &(&1["entity_id"] == "b"))

      ahead = events!([update("a", %{"x" => 1})], handles: %{"a" => 0}, known: 9)
      assert {:error, %Error{reason: :seq_ahead}} = both(world, :events_text, [ahead])
    end

    test "must be of nothing but entities, and number itself" do
      for {events, reason} <- [
            {[{"user_joined", %{"user_id" => "tom"}}], :not_supported},
            {[create("a"), {"create", %{"entity_id" => 7}}], :not_supported},
            {[{"create", %{"entity_id" => "a", "components" => %{}, "seq" => 7}}], :reserved_field}
          ] do
        frame = events!(events)
        world = World.new!()

        for impl <- @impls do
          %World{impl: module, state: state} = World.new!(impl: impl)
          assert {:error, %Error{reason: ^reason}} = module.events_text(state, frame)
        end

        assert {:error, %Error{reason: ^reason}} = Roomfold.Room.Packed.fold(world, frame)
        # And nothing of it was.
        assert World.seq(world) == 0
        assert World.seq(World.fold!(world, [create("z")])) == 1
      end
    end
  end

  describe "a frame that nobody encodes" do
    test "an entity event with a field that has a form of its own is none" do
      for {key, other} <- [{"seq", "SEQ"}, {"entity_id", "ENTITY_ID"}, {"components", "COMPONENTS"}] do
        frame = events!([{"update", %{"entity_id" => "a", "components" => %{"x" => 1}, other => 1}}])
        frame = String.replace(frame, other, key)

        for impl <- @impls do
          %World{impl: module, state: state} = world = World.new!(impl: impl)
          assert {:error, %Error{reason: :invalid_frame}} = module.events_text(state, frame)
          assert {:error, %Error{reason: :invalid_frame}} = World.fold(world, {:packed, frame})
        end
      end
    end

    test "an entity event as a named one folds, and is no text" do
      frame = events!([{"CREATE", %{"entity_id" => "a", "components" => %{"x" => 1}}}])
      frame = String.replace(frame, "CREATE", "create")

      for impl <- @impls do
        %World{impl: module, state: state} = world = World.new!(impl: impl)
        assert {:error, %Error{reason: :not_supported}} = module.events_text(state, frame)
        assert World.get(World.fold!(world, {:packed, frame}), "a") == %{"x" => 1}
      end
    end
  end

  describe "in a room" do
    for log <- [:logged, :unlogged], impl <- @impls do
      test "a client's input is checked like its text, #{log}, #{impl}" do
        rooms =
          start_rooms(
            [room: [tick_ms: 5, impl: unquote(impl)]] ++
              if(unquote(log) == :unlogged, do: [log: nil], else: [])
          )

        room = {rooms, "1"}
        {_, _, session} = join!(room, "tom", %{"format" => "packed"})
        eventually(fn -> Room.get(room, "tom") end)

        frame =
          input!(%{
            "ack" => 1,
            "head" => pose(1.5),
            "events" => [{"user_moved", %{"user_id" => "tom", "pose" => "sits"}}]
          })

        {[], session} = Session.input(session, "input", {:binary, frame}, "1")
        {{:ok, %{"seq" => 3}}, session} = await(session, reply("1"))
        assert %{"head" => %{"position" => [1.5, 1.5, _]}, "pose" => "sits"} = Room.get(room, "tom")
        # It said that it has the snapshot.
        assert session.backlog.bytes < 1_000

        for {event, reason} <- [
              {{"user_moved", %{"user_id" => "ann"}}, "not_owned"},
              {{"user_left", %{"user_id" => "tom"}}, "not_allowed"},
              {{"user_moved", %{"user_id" => "tom", "seq" => 1}}, "reserved_field"},
              {{"user_moved", %{"user_id" => "tom", "event_name" => "x"}}, "duplicate_key"},
              {{"moon_landed", %{}}, "unknown_event"}
            ] do
          {[], session} = Session.input(session, "input", {:binary, input!(%{"events" => [event]})}, "r")
          assert {{:error, %{"reason" => ^reason}}, _} = await(session, reply("r"))
        end

        assert Room.seq(room) == 3
        {[], session} = Session.input(session, "ack", {:binary, input!(%{"ack" => 0})}, "nothing")
        assert {{:ok, %{}}, session} = await(session, reply("nothing"))

        {[], session} = Session.input(session, "input", {:binary, frame <> "x"}, "bad")

        assert {{:error, %{"reason" => "invalid_frame", "offset" => _}}, session} =
                 await(session, reply("bad"))

        assert {[{:reply, "none", :error, %{"reason" => "unknown_version"}}], _} =
                 Session.input(session, "input", {:binary, "x"}, "none")
      end

      test "a batch by the system, #{log}, #{impl}" do
        rooms =
          start_rooms(
            [room: [tick_ms: 5, impl: unquote(impl)]] ++
              if(unquote(log) == :unlogged, do: [log: nil], else: [])
          )

        room = {rooms, "1"}
        frame = events!(for n <- 1..20, do: create("e#{n}", %{"position" => [n, 0, 0]}))
        assert Room.publish(room, {:packed, frame}, by: :system) == {:ok, 1..20}
        # Between texts, in order.
        {:ok, pid} = Room.ensure_started(room)

        refs = [
          Room.publish_async(pid, [create("x", %{"n" => 1})], []),
          Room.publish_async(pid, [{:packed, events!([update("x", %{"n" => 2}), update("e1", %{"n" => 2})])}],
            by: :system
          ),
          Room.publish_async(pid, [update("x", %{"m" => 3})], [])
        ]

        assert [{:ok, [21]}, {:ok, 22..23}, {:ok, [24]}] =
                 for(ref <- refs, do: receive(do: ({^ref, answer} -> answer)))

        assert Room.get(room, "x") == %{"n" => 2, "m" => 3}
        assert Room.get(room, "e1") == %{"position" => [1.0, 0.0, 0.0], "n" => 2}

        if unquote(log) == :logged do
          {:ok, world} = Room.state_at(room, 22)
          assert World.get(world, "x") == %{"n" => 2}
          assert World.get(world, "e1") == %{"position" => [1.0, 0.0, 0.0]}
        end

        # Who subscribes hears of it, also when the room has rested so long that it folds at once.
        Process.sleep(20)
        Room.subscribe(room)

        assert Room.publish(room, {:packed, events!([update("x", %{"n" => 5})])}, by: :system) ==
                 {:ok, 25..25}

        assert_receive {"update", %{"entity_id" => "x", "seq" => 25, "by" => "system"}}
        Room.unsubscribe(room)

        assert {:error, %Error{reason: :reserved_field}} =
                 Room.publish(room, {:packed, events!([{"delete", %{"entity_id" => "x", "seq" => 3}}])},
                   by: :server
                 )

        assert {:error, %Error{reason: :not_supported}} =
                 Room.publish(room, {:packed, events!([{"user_left", %{"user_id" => "x"}}])}, by: :server)

        # It is no user's to send.
        assert {:error, %Error{reason: :unknown_version}} = Room.publish(room, {:packed, frame}, by: "tom")

        assert {:error, %Error{reason: :invalid_argument}} =
                 Room.publish(room, [{:packed, frame}, create("y")], by: :system)

        assert Room.seq(room) == 25
      end
    end

    test "a system may answer a frame" do
      frame = events!([update("lamp", %{"lit" => true})])
      room = start_room(systems: [fn _, _ -> [{:packed, frame}] end])
      Room.publish(room, create("lamp"))
      eventually(fn -> Room.get(room, "lamp") == %{"lit" => true} end)
    end

    test "clients get a diff of what was folded as it was" do
      room = start_room()
      {_, _, session} = join!(room, "tom")
      frame = events!([create("a", %{"n" => 1})])
      {:ok, _} = Room.publish(room, {:packed, frame}, by: :system)

      {diff, _} =
        await(session, fn frame -> (diff = push("diff").(frame)) && diff["creates"]["a"] && diff end)

      assert diff["creates"]["a"] == %{"n" => 1}
    end

    test "what only becomes wrong when it is folded is said" do
      room = start_room(max_entities: 1)
      frame = events!([create("a"), create("b")])
      assert {:error, %Error{reason: :world_full}} = Room.publish(room, {:packed, frame}, by: :system)
      assert Map.keys(Room.snapshot(room)) == ["a"]
    end
  end
end
