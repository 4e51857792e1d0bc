defmodule Roomfold.ExplainTest do
  @moduledoc "What a report's errors say to a person beyond the reason, with every implementation alike."
  use Roomfold.RoomsCase, async: true

  alias Roomfold.{Report, Rules}

  @impls [:native, :port, :elixir]

  defp rejected(impl, input) do
    world = World.new!(impl: impl, rules: Rules.doom())
    {:ok, _, report} = World.fold(world, input)
    for {index, error} <- report.rejected, do: {index, error}
  end

  defp says(input, at, parts) do
    errors =
      for impl <- @impls do
        assert {^at, error} = impl |> rejected(input) |> List.keyfind(at, 0)
        for part <- parts, do: assert(error.message =~ part, "#{impl}: #{error.message}")
        error
      end

    assert [error] = Enum.uniq(errors)
    error
  end

  test "an unknown event is named, in a list, in text and in a frame" do
    for input <- [
          [{"user_jioned", %{}}],
          {:json, ~s({"event_name":"user_jioned"})},
          {:json, ~s([{"event_name":"user_j\\u0069oned"}])}
        ] do
      error = says(input, 0, [~s(event 0: no rule says what this event does: "user_jioned")])
      assert %Error{reason: :unknown_event, event: "user_jioned", component: nil, field: nil} = error
    end

    # Also behind events that look like it.
    lines =
      for name <- ["moon_landed", "moon_landed", "door_triggered", "user_jioned"],
          do: ~s({"event_name":"#{name}","id":"a"})

    says({:json, Enum.join(lines, "\n")}, 1, [~s("moon_landed")])
    says({:json, Enum.join(lines ++ lines, "\n")}, 4, [~s("moon_landed")])

    {:ok, frame} = Roomfold.Wire.encode_events([{"user_jioned", %{}}])
    says({:packed, frame}, 0, [~s("user_jioned")])
  end

  test "a name under the wrong key: which one is right" do
    says({:json, ~s({"event":"user_joined","user_id":"tom"})}, 0, [
      ~s("user_joined": an event of the rules has its name under "event_name")
    ])

    says({:json, ~s({"event_name":"create","entity_id":"a","components":{}})}, 0, [
      ~s("create": create, update and delete have their name under "event")
    ])

    error = says({:json, ~s({"event":"teleport"})}, 0, [~s("teleport")])
    assert error.detail == nil
  end

  test "what is no event, and what it is instead" do
    good = {"user_joined", %{"user_id" => "tom"}}

    for {event, said} <- [
          {{"user_joined", %{user_id: "tom"}}, ~s|keys must be strings ("user_id"), got the atom :user_id|},
          {{"user_joined", %{7 => "tom"}}, "keys must be strings, got 7"},
          {{"user_joined", [user_id: "tom"]},
           ~s(the payload must be a map, got the keyword list [user_id: "tom"])},
          {{:user_joined, %{}}, ~s|the name must be a string ("user_joined"), got the atom :user_joined|},
          {{nil, %{}}, "the name must be a string, got nil"},
          {:user_joined, "got the atom :user_joined"},
          {%{"event" => "x"}, ~s(got the map %{"event" => "x"}; JSON is given as {:json, text})},
          {~s({}), ~s(got the string "{}"; JSON is given as {:json, text})},
          {{"a", %{}, 1}, ~s(got the tuple {"a", %{}, 1})},
          {[good], "got the list"},
          {%Report{}, "got a Roomfold.Report"}
        ] do
      assert %Error{reason: :not_an_event} = says([good, event, good], 1, ["event 1: an event must be", said])
    end

    says([good | :tail], 1, ["the list ends with the atom :tail"])
  end

  test "a component whose name is none" do
    create = {"create", %{"entity_id" => "a", "components" => %{:position => [1, 2, 3], "good" => 1}}}

    says([create], 0, ["a component's name must be", "the atom :position"])
    ok = {"user_joined", %{"user_id" => "tom"}}

    assert %{detail: nil} =
             says([ok, {"create", %{"entity_id" => "a", "components" => 7}}], 1, ["components must be a map"])
  end

  describe "what a room refuses" do
    # The error of a fold of the same event, alone.
    defp folded(impl, input) do
      assert [{0, error} | _] = rejected(impl, input)
      Error.put(error, index: nil)
    end

    test "as text is told in the same words which key is the right one" do
      for impl <- @impls do
        room = start_room(impl: impl, rules: Rules.doom())

        for {text, said} <- [
              {~s({"event":"door_triggered","id":"gate"}),
               ~s("door_triggered": an event of the rules has its name under "event_name")},
              {~s({"event_name":"create","entity_id":"a","components":{}}),
               ~s("create": create, update and delete have their name under "event")},
              {~s({"event":"teleport"}), ~s(no rule says what this event does: "teleport")}
            ] do
          assert {:error, error} = Room.publish(room, {:json, text})
          assert error == folded(impl, {:json, text})
          assert error.message =~ said
          assert {:error, ^error} = Room.publish(room, {:json, text}, by: "tom")
          good = {"door_opened", %{"id" => "gate"}}
          assert {:error, second} = Room.publish(room, [good, {:json, text}])
          assert {second.index, second.message} == {1, "event 1: " <> error.message}
        end
      end
    end

    test "as a term is told what it is instead" do
      room = start_room(rules: Rules.doom())
      good = {"door_opened", %{"id" => "gate"}}

      for {event, said} <- [
            {{"user_joined", %{user_id: "tom"}}, ~s|keys must be strings ("user_id"), got the atom :user_id|},
            {{"user_joined", [user_id: "tom"]}, "the payload must be a map, got the keyword list"},
            {{:user_joined, %{}}, ~s|the name must be a string ("user_joined"), got the atom :user_joined|},
            {:user_joined, "got the atom :user_joined"},
            {%{"event" => "x"}, ~s(got the map %{"event" => "x"}; JSON is given as {:json, text})},
            {{"create", %{"entity_id" => "a", "components" => %{position: [1, 2, 3]}}},
             "got the atom :position"}
          ] do
        assert {:error, error} = Room.publish(room, event)
        assert error == folded(:native, [event])
        assert error.message =~ said
        assert {:error, %{index: 1, message: message}} = Room.publish(room, [good, event])
        assert message == "event 1: " <> error.message
      end

      for {events, said} <- [
            {[good | :tail], "event 1: an event must be"},
            {[good | :tail], "the list ends with the atom :tail"},
            {{:json, 7}, "got the tuple {:json, 7}"},
            {{"door_opened", {:json, "[1]"}}, ~s(the payload must be an object, got the string "[1]")},
            {{"door_opened", %{"id" => self()}}, "the value has no JSON counterpart"}
          ] do
        assert {:error, error} = Room.publish(room, events)
        assert error.message =~ said
      end
    end

    test "reaches a client by its session" do
      room = start_room(rules: Rules.doom())
      {_, _, session} = join!(room, "tom")
      {[], session} = Session.input(session, "user_moved", %{user_id: "tom"}, "1")
      {{:error, error}, session} = await(session, reply("1"))
      assert error["message"] =~ ~s|keys must be strings ("user_id"), got the atom :user_id|
      {[], session} = Session.input(session, "user_moved", {:json, "7"}, "2")
      {{:error, error}, _} = await(session, reply("2"))
      assert error["message"] =~ "the payload must be an object, got the string \"7\""
    end
  end

  test "what a value holds is not printed without end" do
    error =
      says([{String.duplicate("x", 100), Enum.to_list(1..100_000)}], 0, ["got the list [1, 2, 3, 4, 5, ...]"])

    assert byte_size(error.message) < 300

    says([String.duplicate("x", 100_000)], 0, ["got the string \"xxx"])
    |> then(&assert byte_size(&1.message) < 400)
  end

  test "merged reports keep what is said" do
    {:ok, _, report} = World.fold(World.new!(), [{"nix", %{}}, {"user_left", %{id: 1}}])
    merged = Report.merge(%Report{folded: 5}, report, offset: 5)
    assert [{5, %{index: 5, event: "nix", message: first}}, {6, %{message: second}}] = merged.rejected
    assert first == ~s(event 5: no rule says what this event does: "nix")
    assert second =~ ~r/^event 6: .*got the atom :id$/
  end

  test "an event whose rule keeps the sender from it: which, and why" do
    {:ok, world} = World.new(rules: Rules.doom())
    text = ~s({"event_name":"player_hit","user_id":"tom","health":1})
    {:ok, {"", [{0, reason, about, offset}]}} = world.impl.admit(world.state, 0, [{"tom", false, [text]}])
    error = Error.from({reason, about, offset})
    assert %{reason: :not_allowed, event: "player_hit"} = error

    assert error.message ==
             ~s(this sender may not send this event: the rule of "player_hit" is from: :system, the sender is a user)
  end

  test "an event with very many names that are none: they are looked at once" do
    for impl <- @impls do
      event = {"create", %{"entity_id" => "a", "components" => Map.new(1..5_000, &{&1, &1})}}
      world = World.new!(impl: impl)
      {:reductions, before} = Process.info(self(), :reductions)

      assert {:ok, _, %{rejected_count: 5_000, rejected: [{0, first} | _] = rejected}} =
               World.fold(world, [event])

      {:reductions, behind} = Process.info(self(), :reductions)
      assert first.message =~ ~r/got \d+, \d+, \d+$/
      assert rejected |> Enum.map(fn {_, error} -> error.message end) |> Enum.uniq() == [first.message]
      assert behind - before < 3_000_000
    end
  end

  test "arguments that can mean nothing are errors that say what is wanted" do
    for impl <- @impls, world = World.new!(impl: impl) do
      for {input, said} <- [
            {{"user_joined", %{}}, "got the tuple"},
            {%{"event" => "x"}, "got the map"},
            {"{}", "got the string"},
            {{:json, :text}, "got the tuple"}
          ] do
        assert {:error, %Error{reason: :invalid_argument, message: message}} = World.fold(world, input)
        assert message =~ "what is folded is a list of events, {:json, text} or {:packed, frame}, " <> said
      end

      assert {:error, %Error{reason: :invalid_argument, message: message}} = World.diff(world, -1)
      assert message =~ "a diff goes from a seq, an integer from 0, got -1"
      assert {:error, %Error{reason: :invalid_argument}} = World.diff(world, "1")

      assert_raise Error, ~r/the names of components are strings, got the string "b"/, fn ->
        World.query(world, ["a" | "b"])
      end

      for none <- ["health", :health, nil, {"health"}] do
        assert_raise Error, ~r/what is asked for is a list of components' names, got /, fn ->
          World.query(world, none)
        end
      end

      assert_raise Error, ~r/the names of components are strings, got the atom :health/, fn ->
        World.query(world, [:health])
      end

      for diff <- [[], world, "{}"] do
        assert {:error, %Error{reason: :invalid_diff, message: message}} = World.apply_diff(world, diff)
        assert message =~ "it is a map, {:json, text} or {:packed, frame}, got"
      end

      assert {:error, %Error{reason: :invalid_snapshot, message: message}} = World.load(world, %{})
      assert message =~ "a snapshot is loaded as a new world"

      assert {:error, %Error{reason: :invalid_snapshot, message: message}} =
               World.load([{"a", %{}}], impl: impl)

      assert message =~ "it is a map of entities, {:json, text} or {:packed, frame}, got the list"
    end
  end
end
