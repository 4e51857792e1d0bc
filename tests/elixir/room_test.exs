defmodule Roomfold.RoomTest do
  use Roomfold.RoomsCase, async: true

  alias Roomfold.EventStream

  @spawn {"player_spawned", %{"user_id" => "tom", "position" => [0, 0, 0], "health" => 100}}

  describe "publishing" do
    test "what others broadcast on its stream is not folded; it is counted, and said once" do
      room = {rooms = start_rooms(), "1"}
      stream = Rooms.stream(rooms)
      topic = EventStream.topic("1")
      broadcast = fn events -> :ok = EventStream.broadcast(stream, topic, events) end

      said =
        ExUnit.CaptureLog.capture_log(fn ->
          {:ok, 1} = Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
          broadcast.([{"user_left", %{"user_id" => "tom"}}, {"user_left", %{"user_id" => "tom"}}, :no_event])
          assert Room.info(room).strays == 2
        end)

      assert said =~ ~s("user_left" was broadcast on "stream:1")
      assert said =~ "Roomfold.Room.publish/3"
      assert length(String.split(said, "was broadcast")) == 2
      assert {Room.seq(room), Room.get(room, "tom")} == {1, %{}}

      # What it says itself is none, and comes to the others.
      :ok = Room.subscribe(room)
      {:ok, 2} = Room.publish(room, {"user_moved", %{"user_id" => "tom", "pose" => "sits"}})
      assert_receive {"user_moved", %{"seq" => 2}}
      assert Room.info(room).strays == 2

      # What has a seq is another room's own, of this name.
      broadcast.([{"user_moved", %{"user_id" => "tom", "seq" => 2}}])
      assert Room.info(room).strays == 2
    end

    test "numbers events, says who and when, folds them and tells subscribers" do
      rooms = start_rooms()
      :ok = Room.subscribe({rooms, "1"})
      before = System.system_time(:millisecond)

      assert Room.publish({rooms, "1"}, {"user_joined", %{"user_id" => "tom"}}) == {:ok, 1}

      assert Room.publish({rooms, "1"}, {"user_moved", %{"user_id" => "tom", "position" => [1, 2, 3]}},
               by: "tom"
             ) == {:ok, 2}

      assert_receive {"user_joined", %{"user_id" => "tom", "seq" => 1, "at" => at, "by" => "server"}}
      assert_receive {"user_moved", %{"position" => [1, 2, 3], "seq" => 2, "by" => "tom"}}
      assert at in (before - 5)..(System.system_time(:millisecond) + 5)
      assert Room.get({rooms, "1"}, "tom") == %{"position" => [1.0, 2.0, 3.0]}
    end

    test "what comes within a tick is one batch, in order" do
      room = start_room(tick_ms: 30)

      refs =
        for n <- 1..50,
            do: Room.publish_async(room, [{"create", %{"entity_id" => "e#{n}", "components" => %{}}}], [])

      answers =
        for ref <- refs,
            do:
              (receive do
                 {^ref, answer} -> answer
               end)

      assert answers == for(n <- 1..50, do: {:ok, [n]})
      assert Room.seq(room) == 50
    end

    test "several events come together or not at all" do
      room = start_room()
      good = {"create", %{"entity_id" => "a", "components" => %{}}}
      bad = {"create", %{"entity_id" => "b", "components" => %{"health" => "much"}}}

      assert {:error, %Error{reason: :wrong_type, index: 1, component: "health"} = error} =
               Room.publish(room, [good, bad])

      assert error.detail == "it takes an integer"
      assert String.ends_with?(error.message, "fit the component's type: it takes an integer")
      assert Room.snapshot(room) == %{}
      assert Room.publish(room, [good, good]) == {:ok, [1, 2]}
      assert Room.publish(room, []) == {:ok, []}
    end

    test "what can't be used leaves the room as it was" do
      room = start_room(max_event_bytes: 100)
      assert Room.publish(room, @spawn) == {:error, Error.new(:unknown_event, event: "player_spawned")}

      for {event, reason} <- [
            {{"user_moved", %{"user_id" => "tom", "seq" => 7}}, :reserved_field},
            {{"user_moved", %{"user_id" => "tom", "at" => 7}}, :reserved_field},
            {{"user_moved", %{"user_id" => "tom", "by" => "x"}}, :reserved_field},
            {{"user_moved", %{"user_id" => "tom", "event_name" => "x"}}, :reserved_field},
            {{"user_moved", %{user_id: "tom"}}, :not_an_event},
            {{"user_moved", "tom"}, :not_an_event},
            {"user_moved", :not_an_event},
            {nil, :not_an_event},
            {[{"user_left", %{"user_id" => "tom"}} | nil], :not_an_event},
            {{"user_moved", ~D[2020-01-01]}, :not_an_event},
            {{"user_moved", %{"user_id" => "tom", "position" => [1, 2]}}, :wrong_type},
            {{"user_moved", %{"user_id" => "tom", "position" => {1, 2, 3}}}, :unsupported_value},
            {{"user_moved", %{"user_id" => "tom", "position" => [1, 2, self()]}}, :unsupported_value},
            {{"user_moved", {:json, ~s([])}}, :not_an_event},
            {{"user_moved", {:json, ~s({"user_id":"tom")}}, :unexpected_end},
            {{"user_moved", {:json, ~s({"user_id":"tom"}})}}, :unexpected_byte},
            {{"user_moved", {:json, ~s({"user_id":"tom","user_id":"ann"})}}, :duplicate_key},
            {{:json, ~s({"position":{"tom":[1,2,3]}})}, :invalid_name},
            {{"user_moved", %{"user_id" => "tom", "pose" => String.duplicate("x", 100)}}, :too_large},
            {{"moon_landed", %{}}, :unknown_event}
          ] do
        assert {:error, %Error{reason: ^reason}} = Room.publish(room, event), inspect(event)
      end

      assert Room.info(room).seq == 0
    end

    test "a number that no term can be ends nobody who reads events as terms: it is refused, wanted or not" do
      for impl <- [:native, :elixir] do
        rooms = start_rooms(room: [impl: impl, tick_ms: 5, systems: [{Roomfold.Systems.Lifetimes, []}]])
        room = {rooms, "1"}
        Room.subscribe(room)
        {:ok, 1} = Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
        term = Room.info(room).term
        text = ~s({"user_id":"tom","far":1e999})
        assert {:error, error} = Room.publish(room, {"user_moved", {:json, text}}, by: "tom")
        assert error.reason == :number_out_of_range and is_integer(error.offset)
        assert {:ok, 2} = Room.publish(room, {"user_moved", %{"user_id" => "tom", "pose" => "x"}}, by: "tom")
        assert_receive {"user_moved", %{"seq" => 2}}
        assert Room.info(room).term == term

        {_, _, session} = join!(room, "tom")
        {[], session} = Session.input(session, "user_moved", {:json, text}, "1")

        assert {{:error, %{"reason" => "number_out_of_range", "offset" => 23}}, _} =
                 await(session, reply("1"))
      end
    end

    test "what only the world as it is can know is refused too" do
      room = start_room(max_entities: 1)
      create = fn id -> {"create", %{"entity_id" => id, "components" => %{"tags" => 1}}} end
      assert Room.publish(room, create.("a")) == {:ok, 1}
      assert {:error, %Error{reason: :world_full}} = Room.publish(room, create.("b"))
      assert Room.seq(room) == 1
      assert Room.publish(room, {"delete", %{"entity_id" => "a"}}) == {:ok, 2}
    end

    test "what only becomes wrong within its batch is answered as an error, and takes its seq" do
      room = start_room(max_entities: 1, tick_ms: 2_000)
      create = fn id -> {"create", %{"entity_id" => id, "components" => %{}}} end
      {:ok, 1} = Room.publish(room, {"user_moved", %{"user_id" => "nobody", "pose" => "x"}})
      refs = for id <- ["a", "b"], do: Room.publish_async(room, [create.(id)], [])

      assert [{:ok, [2]}, {:error, %Error{reason: :world_full}}] =
               for(ref <- refs, do: receive(do: ({^ref, answer} -> answer)))

      assert {Room.seq(room), Room.snapshot(room)} == {3, %{"a" => %{}}}
    end

    test "a batch with more mistakes than a report lists" do
      room = start_room(tick_ms: 200, max_queue: 10_000)
      bad = fn n -> {"create", %{"entity_id" => "b#{n}", "components" => %{"health" => "much"}}} end
      Room.publish(room, {"create", %{"entity_id" => "first", "components" => %{}}})
      refs = for n <- 1..2_500, do: Room.publish_async(room, [bad.(n)], [])
      good = Room.publish_async(room, [{"create", %{"entity_id" => "good", "components" => %{}}}], [])
      for ref <- refs, do: assert_receive({^ref, {:error, %Error{reason: :wrong_type, index: nil}}})
      assert_receive {^good, {:ok, [2]}}
    end

    test "what others broadcast on a room's stream is told, and not folded" do
      rooms = start_rooms()
      :ok = Room.subscribe({rooms, "1"})
      assert {:ok, 1} = Room.publish({rooms, "1"}, {"user_joined", %{"user_id" => "tom"}})
      moved = {"user_moved", %{"user_id" => "tom", "position" => [1, 2, 3]}}
      :ok = Roomfold.EventStream.broadcast(Roomfold.Rooms.stream(rooms), "stream:1", [moved])
      assert_receive ^moved
      assert {:ok, 2} = Room.publish({rooms, "1"}, {"user_joined", %{"user_id" => "ann"}})
      assert Room.get({rooms, "1"}, "tom") == %{}
      assert Room.info({rooms, "1"}).seq == 2
    end

    test "an event that is too large is told how large it may be, and where it stands" do
      room = start_room(max_event_bytes: 100)
      large = {"user_joined", %{"user_id" => String.duplicate("x", 100)}}
      bytes = byte_size(~s({"event_name":"user_joined","user_id":""})) + 100
      {:error, error} = Room.publish(room, large)
      assert error.message =~ ": #{bytes} bytes, an event may have 100 (:max_event_bytes)"
      {:error, error} = Room.publish(room, [{"user_joined", %{"user_id" => "tom"}}, large])
      assert {error.index, error.message =~ "(:max_event_bytes)"} == {1, true}
    end

    test "a wrong timeout" do
      for timeout <- [-1, 1.5, "soon", nil, 2 ** 32] do
        assert_raise ArgumentError,
                     ~r/:timeout must be 0 to 4,294,967,295 milliseconds or :infinity, got: /,
                     fn ->
                       Room.publish(start_room(), {"user_joined", %{"user_id" => "tom"}}, timeout: timeout)
                     end
      end

      for timeout <- [:infinity, 2 ** 32 - 1],
          do: assert({:ok, 1} = Room.publish(start_room(), {"user_joined", %{}}, timeout: timeout))
    end

    test "bad senders" do
      room = start_room()
      event = {"user_moved", %{"user_id" => "tom"}}

      for by <- ["", "system", "server", <<255>>, String.duplicate("x", 256), :nobody, nil, 7] do
        assert {:error, %Error{reason: :invalid_id, field: "by"} = error} = Room.publish(room, event, by: by)
        assert by not in ["system", "server"] or error.message =~ "#{inspect(by)} is the room itself, no user"
      end

      for {by, as} <- [{"tom", :room}, {"tom", "system"}, {:system, :system}, {nil, :system}],
          do:
            assert(
              {:error, %Error{reason: :invalid_argument, field: "as"}} =
                Room.publish(room, event, by: by, as: as)
            )
    end

    test "who joins is a user" do
      room = start_room()

      for user <- [:system, :server, "system", "server", "", nil, :tom],
          do: assert({:error, %Error{reason: :invalid_id, field: "user"}} = Room.join(room, user))

      assert Room.info(room).connections == 0
    end

    test "a room's own options do not say which room it is" do
      room = {start_rooms(), "1"}

      for opts <- [[id: "2"], [rooms: nil]],
          do: assert_raise(ArgumentError, ~r/first argument/, fn -> Room.ensure_started(room, opts) end)

      assert Room.whereis(room) == nil
    end

    test "a drain takes a time" do
      rooms = start_rooms()

      for timeout <- [:soon, -1, 1.5, nil],
          do: assert_raise(ArgumentError, ~r/:timeout/, fn -> Rooms.drain(rooms, timeout: timeout) end)
    end

    test "a room that is gone is an error, never silently fine" do
      room = start_room()
      Room.stop(room)
      assert {:error, %Error{reason: :no_room}} = Room.publish(room, {"user_moved", %{}})
      assert {:error, %Error{reason: :invalid_id}} = Room.publish("", {"user_moved", %{}})
    end
  end

  describe "who may send what" do
    setup do
      room = start_room(rules: Roomfold.Rules.doom())

      {:ok, _} =
        Room.publish(
          room,
          {"player_spawned", %{"user_id" => "tom", "position" => [0, 0, 0], "health" => 100}}
        )

      {:ok, _} =
        Room.publish(
          room,
          {"player_spawned", %{"user_id" => "ann", "position" => [9, 0, 0], "health" => 100}}
        )

      {:ok, room: room}
    end

    test "users send what the rules let users send", %{room: room} do
      assert {:ok, _} =
               Room.publish(room, {"player_moved", %{"user_id" => "tom", "position" => [1, 0, 0]}}, by: "tom")

      hit = {"player_hit", %{"user_id" => "tom", "health" => 1}}
      assert {:error, %Error{reason: :not_allowed}} = Room.publish(room, hit, by: "tom")
      assert {:ok, _} = Room.publish(room, hit, by: :system)
    end

    test "nobody speaks for somebody else", %{room: room} do
      for event <- [
            {"player_moved", %{"user_id" => "ann", "position" => [1, 0, 0]}},
            {"update", %{"entity_id" => "ann", "components" => %{"health" => 0}}},
            {"delete", %{"entity_id" => "ann"}},
            {"create", %{"entity_id" => "ann", "components" => %{"owner" => "tom"}}},
            {"create", %{"entity_id" => "new", "components" => %{}}},
            {"create", %{"entity_id" => "new", "components" => %{"owner" => "ann"}}},
            {"update", %{"entity_id" => "nobody", "components" => %{"health" => 0}}},
            # No rule looks at who it is, but it would still be somebody else speaking.
            {"door_triggered", %{"user_id" => "ann"}},
            {"weapon_fired", %{"user_id" => "ann", "projectile_id" => "p", "hand_position" => [0, 0, 0]}}
          ] do
        assert {:error, %Error{reason: :not_owned}} = Room.publish(room, event, by: "tom"), inspect(event)
      end
    end

    test "who speaks for somebody else is told who it is, and whose the entity is", %{room: room} do
      for {id, components} <- [{"box", %{"owner" => "ann"}}, {"rock", %{}}, {"seven", %{"owner" => 7}}],
          do: {:ok, _} = Room.publish(room, {"create", %{"entity_id" => id, "components" => components}})

      update = &{"update", %{"entity_id" => &1, "components" => %{"lid" => "open"}}}

      for {event, said} <- [
            {update.("box"), ~s("box" has the owner "ann")},
            {update.("rock"), ~s("rock" has no owner)},
            {update.("seven"), ~s("seven" has the owner 7)},
            {update.("nothing"), ~s(there is no "nothing" of its own)},
            {{"delete", %{"entity_id" => "box"}}, ~s("box" has the owner "ann")},
            {{"create", %{"entity_id" => "new", "components" => %{"owner" => "ann"}}},
             ~s("new" would have the owner "ann")},
            {{"create", %{"entity_id" => "new", "components" => %{}}}, ~s("new" would have no owner)},
            {{"weapon_fired", %{"user_id" => "tom", "projectile_id" => "box", "hand_position" => [0, 0, 0]}},
             ~s("box" has the owner "ann")},
            {{"player_moved", %{"user_id" => "ann", "position" => [1, 0, 0]}}, ~s(not "ann")},
            {{"door_triggered", %{"user_id" => ["ann"]}}, ~s(not ["ann"])},
            {{:json, ~s({"event_name":"door_triggered","user_id":"ann"})}, ~s(not "ann")}
          ] do
        assert {:error, %Error{reason: :not_owned} = error} = Room.publish(room, event, by: "tom")
        assert error.detail == ~s(the sender is "tom", ) <> said
        assert String.ends_with?(error.message, error.detail)
        good = {"door_triggered", %{}}
        assert {:error, %{index: 1, message: message}} = Room.publish(room, [good, event], by: "tom")
        assert message == "event 1: " <> error.message
      end

      # What nobody can read is refused all the same.
      text = ~s({"event_name":"door_triggered","user_id":"ann","far":1e999})
      assert {:error, %Error{}} = Room.publish(room, {:json, text}, by: "tom")
      assert Room.seq(room) > 0
    end

    test "what a user owns, it may change; owning is data", %{room: room} do
      box = &{"update", %{"entity_id" => "box", "components" => &1}}
      make = {"create", %{"entity_id" => "box", "components" => %{"owner" => "tom"}}}

      # Also within one batch, where the world does not know it yet.
      assert {:ok, _} = Room.publish(room, [make, box.(%{"lid" => "open"})], by: "tom")

      assert {:error, %Error{reason: :not_owned, field: "entity_id"}} =
               Room.publish(room, box.(%{"lid" => "shut"}), by: "ann")

      assert {:ok, _} = Room.publish(room, box.(%{"owner" => "ann"}), by: "tom")
      assert {:error, %Error{reason: :not_owned}} = Room.publish(room, box.(%{"lid" => "shut"}), by: "tom")
      assert {:ok, _} = Room.publish(room, {"delete", %{"entity_id" => "box"}}, by: "ann")

      assert {:ok, _} =
               Room.publish(room, {"update", %{"entity_id" => "tom", "components" => %{"hat" => "red"}}},
                 by: "tom"
               )
    end

    test "system events have one authority: the room" do
      room = start_room(rules: Roomfold.Rules.doom())
      event = {"monster_moved", %{"id" => "m", "position" => [0, 0, 0]}}

      assert {:error, %Error{reason: :not_allowed} = error} =
               Room.publish(room, event, by: "tom", as: :system)

      assert error.message =~ ~s(the room's authority is the room itself, the sender is "tom")
    end

    test "a client learns who that is when it joins, and when it changes; also a second connection of that user" do
      room = start_room(rules: Roomfold.Rules.doom(), authority: :client, grace_ms: 0)
      me = self()

      join = fn user ->
        pid =
          spawn_link(fn ->
            {:ok, _} = Room.join(room, user)
            send(me, {self(), :joined})
            told(me)
          end)

        assert_receive {^pid, :joined}
        pid
      end

      first = join.("ann")
      assert_receive {^first, "ann"}
      second = join.("ann")
      assert_receive {^second, "ann"}
      refute_received {^first, _}
      tom = join.("tom")
      assert_receive {^tom, "ann"}
      # The elected user is still the same, and its other connection knows.
      send(first, :go)
      send(second, :go)
      assert_receive {^tom, "tom"}
    end

    defp told(test) do
      receive do
        {:roomfold, "room", {:authority, user}} -> send(test, {self(), user}) && told(test)
        :go -> :ok
      end
    end

    test "or one elected client, the one who has been here longest" do
      room = start_room(rules: Roomfold.Rules.doom(), authority: :client, grace_ms: 0)
      event = {"monster_moved", %{"id" => "m", "position" => [0, 0, 0]}}
      me = self()

      assert {:error, %Error{reason: :not_allowed} = error} =
               Room.publish(room, event, by: "tom", as: :system)

      assert error.message =~ ~s(authority is a user, and none is connected, the sender is "tom")

      ann =
        spawn_link(fn ->
          {:ok, _} = Room.join(room, "ann")
          send(me, :joined)
          receive do: (:go -> :ok)
        end)

      assert_receive :joined
      {:ok, _} = Room.join(room, "tom")
      assert {:ok, _} = Room.publish(room, event, by: "ann", as: :system)

      assert {:error, %Error{reason: :not_allowed} = error} =
               Room.publish(room, event, by: "tom", as: :system)

      assert error.message =~ ~s(the room's authority is "ann", the sender is "tom")
      assert {:error, %Error{reason: :not_allowed}} = Room.publish(room, event, by: "ann")

      send(ann, :go)
      assert_receive {:roomfold, "room", {:authority, "tom"}}
      assert {:ok, seq} = Room.publish(room, event, by: "tom", as: :system)
      assert is_integer(seq)
    end
  end

  # A user may send ten, a hundred.. at once, and so little in each second that no machine is slow enough for it to matter.
  describe "limits" do
    test "one who sends too much is shed, the others are not" do
      room = start_room(user_events_per_s: 1, user_burst_s: 10)
      for user <- ["tom", "ann"], do: Room.publish(room, {"user_joined", %{"user_id" => user}})

      move = fn user ->
        Room.publish(room, {"user_moved", %{"user_id" => user, "position" => [1, 0, 0]}}, by: user)
      end

      answers = for _ <- 1..30, do: move.("tom")
      assert {:error, %Error{reason: :rate_limited}} = List.last(answers)
      assert Enum.count(answers, &match?({:ok, _}, &1)) in 10..20
      assert {:ok, _} = move.("ann")
    end

    test "so is who joins and leaves again and again, by whichever connection: nothing of that is in the room or its log" do
      room =
        start_room(
          user_events_per_s: 1,
          user_burst_s: 100,
          log: {Roomfold.EventLog.Memory, start_supervised!(Roomfold.EventLog.Memory)}
        )

      in_a_process = fn function -> function |> Task.async() |> Task.await(60_000) end

      answers =
        for n <- 1..40 do
          once = fn -> with {:ok, _} <- Room.join(room, "tom"), do: Room.leave(room) end
          if rem(n, 2) == 0, do: once.(), else: in_a_process.(once)
        end

      assert {:error, %Error{reason: :rate_limited}} = List.last(answers)
      assert Enum.count(answers, &(&1 == :ok)) in 10..20
      # Each time it has come and gone.
      assert Room.seq(room) <= 40
      assert {:ok, _} = Room.join(room, "ann")
      # What it may send is another matter.
      assert {:ok, _} = Room.publish(room, {"user_moved", %{"user_id" => "tom"}}, by: "tom")
    end

    test "a user has so many connections at a time and no more; those that it has, and other users, go on" do
      room = start_room(user_connections: 2)
      test = self()

      # A process that joins, twice, and stays.
      join = fn user ->
        pid =
          spawn_link(fn ->
            for _ <- 1..2, do: send(test, {self(), Room.join(room, user)})
            receive do: (:go -> :ok)
          end)

        assert_receive {^pid, {kind, _}}
        assert_receive {^pid, {^kind, _} = answer}
        {pid, answer}
      end

      {first, {:ok, _}} = join.("tom")
      {_, {:ok, _}} = join.("tom")
      {_, {:error, %Error{reason: :rate_limited} = error}} = join.("tom")
      assert error.message =~ ~s("tom" has 2 connections to this room, and may have no more)
      {_, {:ok, _}} = join.("ann")
      send(first, :go)
      # The room may hear of its end at any moment, also between two joins.
      eventually(fn -> match?({:ok, _}, Task.await(Task.async(fn -> Room.join(room, "tom") end))) end)
    end

    test "so is who sends too many bytes" do
      room = start_room(user_bytes_per_s: 20, user_burst_s: 100)
      Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
      big = {"user_moved", %{"user_id" => "tom", "pose" => String.duplicate("x", 1_500)}}
      assert {:ok, _} = Room.publish(room, big, by: "tom")
      assert {:error, %Error{reason: :rate_limited}} = Room.publish(room, big, by: "tom")
    end

    test "whoever does not wait for the answer is told that it may still come true" do
      room = start_room(tick_ms: 1_000)
      Room.publish(room, {"user_joined", %{"user_id" => "tom"}})

      assert {:error, %Error{reason: :overloaded, message: message}} =
               Room.publish(room, {"user_left", %{"user_id" => "tom"}}, timeout: 1)

      assert message =~ "may still be done"
      eventually(fn -> Room.seq(room) == 2 end)
    end

    test "a full queue is an error" do
      room = start_room(tick_ms: 60_000, max_queue: 2)
      event = {"create", %{"entity_id" => "a", "components" => %{}}}
      assert {:ok, 1} = Room.publish(room, event)
      refs = for _ <- 1..3, do: Room.publish_async(room, [event], [])
      assert_receive {ref, {:error, %Error{reason: :overloaded}}}
      assert ref == List.last(refs)
    end
  end

  describe "people" do
    test "join, come back within the time of grace, leave" do
      room = start_room(grace_ms: 150)
      {:ok, joined} = Room.join(room, "tom")
      assert joined.users == ["tom"]
      eventually(fn -> Room.get(room, "tom") end)

      # A connection that breaks: nobody has left yet.
      me = self()
      pid = spawn(fn -> send(me, Room.join(room, "ann")) end)
      assert_receive {:ok, %{users: ["ann", "tom"]}}
      ref = Process.monitor(pid)
      assert_receive {:DOWN, ^ref, _, _, _}
      eventually(fn -> Room.info(room).connections == 1 end)
      assert Room.info(room).users == ["ann", "tom"]

      eventually(fn -> Room.info(room).users == ["tom"] end)
      eventually(fn -> Room.get(room, "ann") == nil end)

      assert Room.leave(room) == :ok
      eventually(fn -> Room.get(room, "tom") == nil end)
    end

    test "who joins is itself, whatever others have made under its name while it was away" do
      for impl <- [:native, :elixir] do
        room = start_room(impl: impl, grace_ms: 0)

        puppet =
          {"create", %{"entity_id" => "ann", "components" => %{"owner" => "eve", "position" => [6, 6, 6]}}}

        assert {:ok, 1} = Room.publish(room, puppet, by: "eve")
        {:ok, _} = Room.join(room, "ann")
        # In the very tick in which she comes, too.
        refs = for _ <- 1..3, do: Room.publish_async(room, [puppet], by: "eve")
        for ref <- refs, do: assert_receive({^ref, {:error, %Error{reason: :not_owned, field: "entity_id"}}})
        eventually(fn -> Room.get(room, "ann") == %{} end)
        Room.leave(room)
        eventually(fn -> Room.get(room, "ann") == nil end)

        # What the server has made is hers.
        for {id, owner} <- [{"bob", %{}}, {"tom", %{"owner" => "tom"}}] do
          {:ok, _} =
            Room.publish(room, {"create", %{"entity_id" => id, "components" => Map.put(owner, "hat", 1)}})

          {:ok, _} = Room.join(room, id)
          assert Room.get(room, id)["hat"] == 1
          Room.leave(room)
        end
      end
    end

    test "with several connections a user leaves with the last" do
      room = start_room(grace_ms: 0)
      {:ok, _} = Room.join(room, "tom")
      other = spawn_link(fn -> Room.join(room, "tom") && receive(do: (:go -> Room.leave(room))) end)
      eventually(fn -> Room.info(room).connections == 2 end)
      seq = eventually(fn -> Room.get(room, "tom") && Room.seq(room) end)
      send(other, :go)
      eventually(fn -> Room.info(room).connections == 1 end)
      assert {Room.info(room).users, Room.seq(room)} == {["tom"], seq}
    end
  end

  describe "a module of one's own" do
    defmodule Gate do
      use Roomfold.Room, rules: Roomfold.Rules.doom(), tick_ms: 5

      @impl true
      def init(id, world, args) do
        if World.count(world) == 0,
          do:
            {:ok, args,
             [{"create", %{"entity_id" => "gate", "components" => %{"kind" => "door", "of" => id}}}]},
          else: {:ok, args}
      end

      @impl true
      def authorize({"door_triggered", _}, "eve", _, _), do: {:error, "the door knows you"}
      def authorize({"door_triggered", _}, "bob", _, _), do: {:error, Roomfold.Error.new(:no_room)}
      def authorize(_, _, _, _), do: :ok

      @impl true
      def handle_event({"door_triggered", %{"user_id" => user}}, world, state) do
        send(state, {:triggered, user, World.get(world, "gate")["state"]})
        {[{"door_opened", %{"id" => "gate"}}], state}
      end

      def handle_event(_, _, state), do: {[], state}

      @impl true
      def joined(user, params, _, _),
        do: [{"player_spawned", %{"user_id" => user, "health" => params["health"]}}]

      @impl true
      def left(user, _, _), do: [{"delete", %{"entity_id" => user}}]
    end

    test "authorises, causes events, says what joining means" do
      rooms = start_rooms(room: [module: Gate, args: self(), grace_ms: 0])
      room = {rooms, "7"}
      trigger = {"door_triggered", %{}}

      assert {:error, %Error{message: "this sender may not send this event: the door knows you"}} =
               Room.publish(room, trigger, by: "eve")

      assert {:error, %Error{reason: :no_room}} = Room.publish(room, trigger, by: "bob")
      assert Room.get(room, "gate") == %{"kind" => "door", "of" => "7"}

      assert {:ok, _} = Room.publish(room, {"door_triggered", %{"user_id" => "tom"}}, by: "tom")
      assert_receive {:triggered, "tom", nil}
      eventually(fn -> Room.get(room, "gate")["state"] == "open" end)

      {:ok, _} = Room.join(room, "tom", params: %{"health" => 50})
      eventually(fn -> Room.get(room, "tom")["health"] == 50 end)
      Room.leave(room)
      eventually(fn -> Room.get(room, "tom") == nil end)
    end
  end

  describe "a module's first events" do
    defmodule Opens do
      use Roomfold.Room, rules: Roomfold.Rules.doom()

      # The log takes its time for them.
      @impl true
      def init(_, _, {log, test}) do
        :sys.suspend(log)
        {:ok, test, [{"create", %{"entity_id" => "gate", "components" => %{"kind" => "door"}}}]}
      end

      @impl true
      def joined(user, _, world, test) do
        send(test, {:joined, user, World.get(world, "gate")})
        []
      end
    end

    defp opens do
      log = start_supervised!(Roomfold.EventLog.Memory)
      {log, start_room(module: Opens, args: {log, self()}, log: {Roomfold.EventLog.Memory, log})}
    end

    test "are there before anybody joins" do
      {log, room} = opens()
      join = Task.async(fn -> Room.join(room, "tom", format: :json) end)
      eventually(fn -> Process.info(room, :message_queue_len) == {:message_queue_len, 1} end)
      :sys.resume(log)
      assert {:ok, %{seq: 1, frame: {:snapshot, snapshot}}} = Task.await(join)
      assert IO.iodata_to_binary(snapshot) =~ "gate"
      assert_received {:joined, "tom", %{"kind" => "door"}}
    end

    test "keep nobody from joining if the log does not answer" do
      {log, room} = opens()
      assert {:ok, %{seq: 0}} = Room.join(room, "tom")
      assert_received {:joined, "tom", nil}
      :sys.resume(log)
      eventually(fn -> Room.get(room, "gate") end)
    end

    @tag :capture_log
    test "end the room if the log ends meanwhile" do
      {log, room} = opens()
      monitor = Process.monitor(room)
      join = Task.async(fn -> Room.join(room, "tom") end)
      eventually(fn -> Process.info(room, :message_queue_len) == {:message_queue_len, 1} end)
      Process.exit(log, :kill)
      assert_receive {:DOWN, ^monitor, _, _, {:shutdown, :log_failed}}, 30_000
      # Nobody has joined it before that.
      assert {:error, _} = Task.await(join, 60_000)
      refute_received {:joined, _, _}
    end
  end

  describe "a module whose callbacks fail" do
    # What a client sends decides what goes wrong: params, or a pose.
    defmodule Breaks do
      use Roomfold.Room

      @impl true
      def joined(_, %{"how" => how}, world, _) when is_binary(how), do: broken(how, world)
      def joined(user, params, world, _), do: Roomfold.Room.Callbacks.default_joined(user, params, world)
      @impl true
      def left("bob", world, _), do: broken("raise", world)
      def left(user, world, _), do: Roomfold.Room.Callbacks.default_left(user, world)
      @impl true
      def authorize({_, %{"pose" => "authorize " <> how}}, _, world, _), do: broken(how, world)
      def authorize({"update", %{"components" => %{"ask" => how}}}, _, world, _), do: broken(how, world)
      def authorize(_, _, _, _), do: :ok
      @impl true
      def handle_event({"user_moved", %{"pose" => "handle " <> how}}, world, _), do: broken(how, world)

      def handle_event({"user_moved", %{"pose" => "count"}}, _, count) do
        count = (is_integer(count) && count + 1) || 1
        {[{"create", %{"entity_id" => "n#{count}", "components" => %{}}}], count}
      end

      def handle_event(_, _, state), do: {[], state}

      defp broken("raise", _), do: raise("broken")
      defp broken("exit", _), do: exit(:broken)
      defp broken("throw", _), do: throw(:broken)
      defp broken("junk", _), do: :junk
      defp broken("tuple", _), do: {:error, {:no, :text}}
      defp broken("improper", _), do: [{"user_moved", %{}} | :junk]
      defp broken("fold", world), do: World.fold!(world, []) && :ok
    end

    @tag :capture_log
    test "whatever they do, a client gets its reply and the room goes on, with the module's state as it was" do
      for log <- [nil, {Roomfold.EventLog.Memory, start_supervised!(Roomfold.EventLog.Memory)}] do
        room = start_room(module: Breaks, log: log)

        move = fn pose ->
          Room.publish(room, {"user_moved", %{"user_id" => "tom", "pose" => pose}}, by: "tom")
        end

        {:ok, 1} = Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
        {:ok, 2} = move.("count")
        eventually(fn -> Room.get(room, "n1") end)

        for how <- ~w(raise exit throw junk tuple improper fold) do
          assert {:error, %Error{reason: :not_allowed, detail: detail, index: nil}} =
                   move.("authorize " <> how)

          assert detail =~ "the room's own code failed"
        end

        # Of several events the one is named, and none is in.
        event = fn pose -> {"user_moved", %{"user_id" => "tom", "pose" => pose}} end

        assert {:error, %Error{reason: :not_allowed, index: 1}} =
                 Room.publish(room, [event.("x"), event.("authorize raise")], by: "tom")

        assert {Room.seq(room), Room.info(room).failed} == {3, 8}
        for how <- ~w(raise exit throw junk tuple improper fold), do: {:ok, _} = move.("handle " <> how)
        eventually(fn -> Room.info(room).failed == 15 end)
        {:ok, _} = move.("count")
        eventually(fn -> Room.get(room, "n2") end)

        for {how, n} <- Enum.with_index(~w(raise exit throw junk tuple improper fold)) do
          session = Session.new(room: room, user: "u#{n}")
          assert {:ok, _, _, _} = Session.join(session, %{"params" => %{"how" => how}})
          assert :ok = Room.leave(room)
        end

        {:ok, _} = Room.join(room, "bob")
        :ok = Room.leave(room)
        eventually(fn -> Room.info(room).failed == 23 end)
        assert Room.info(room).users == []
        assert Process.alive?(room)
      end
    end

    test "each is logged once, by its name" do
      log =
        ExUnit.CaptureLog.capture_log(fn ->
          room = start_room(id: "breaks", module: Breaks)
          {:ok, 1} = Room.publish(room, {"user_joined", %{"user_id" => "tom"}})

          for pose <- ["authorize raise", "authorize raise", "authorize junk", "handle exit", "handle exit"],
              do: Room.publish(room, {"user_moved", %{"user_id" => "tom", "pose" => pose}}, by: "tom")

          eventually(fn -> Room.info(room).failed == 5 end)
        end)

      assert [raised, junk, exited] =
               for(line <- String.split(log, "\n"), line =~ "the room breaks ", do: line)

      assert raised =~
               "a callback of the room breaks failed, and the event that it was asked about was refused"

      assert raised =~ "authorize of Roomfold.RoomTest.Breaks" and junk =~ "authorize of"
      assert exited =~ "gave no events" and exited =~ "handle_event of Roomfold.RoomTest.Breaks"
      assert log =~ "authorize/4 answers :ok or {:error, why}, got: :junk"
    end

    defmodule Prepares do
      def init(_, _, _), do: nil
      def tick(_, _, _), do: {[], nil}
      def events(_), do: []
      def prepares, do: ["user_moved"]
      def prepare({_, %{"pose" => "raise"}}, _, _), do: raise("broken")
      def prepare({_, %{"pose" => "junk"}}, _, _), do: :junk
      def prepare(event, _, _), do: event
    end

    @tag :capture_log
    test "nor does a system that fails to prepare what a client sent" do
      room = start_room(systems: [Prepares])

      move = fn pose ->
        Room.publish(room, {"user_moved", %{"user_id" => "tom", "pose" => pose}}, by: "tom")
      end

      {:ok, 1} = Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
      assert {:error, %Error{reason: :not_allowed}} = move.("raise")
      assert {:error, %Error{}} = move.("junk")
      assert {:ok, 2} = move.("x")
      assert Room.info(room).failed == 1
    end
  end

  describe "the end of other processes" do
    defmodule Helped do
      use Roomfold.Room

      @impl true
      def handle_event({"user_joined", %{"user_id" => "raises"}}, _, state) do
        Task.start_link(fn -> raise "broken" end)
        {[], state}
      end

      def handle_event({"user_joined", %{"user_id" => "awaited"}}, _, _),
        do: {[], Task.await(Task.async(fn -> exit(:broken) end))}

      def handle_event({"user_joined", %{"user_id" => how}}, _, state) when how in ["broken", "shutdown"] do
        spawn_link(fn -> exit(String.to_existing_atom(how)) end)
        {[], state}
      end

      def handle_event(_, _, state), do: {[], Task.await(Task.async(fn -> state end))}
    end

    defp helped(room, user), do: Room.publish(room, {"user_joined", %{"user_id" => user}})

    test "a task of the room's module ends, and the room goes on" do
      room = start_room(module: Helped)

      assert {helped(room, "tom"), helped(room, "ann"), helped(room, "shutdown")} ==
               {{:ok, 1}, {:ok, 2}, {:ok, 3}}

      assert Room.info(room).failed == 0
    end

    test "so it does when one breaks, which is said and counted: nothing of the room is lost" do
      # Without a log, all of it would be.
      room = start_room(module: Helped)

      log =
        ExUnit.CaptureLog.capture_log(fn ->
          for user <- ["broken", "raises", "raises"], do: assert({:ok, _} = helped(room, user))
          eventually(fn -> Room.info(room).failed == 3 end)
          # The callback fails, too, and its state is what it was.
          assert {:ok, 4} = helped(room, "awaited")
          eventually(fn -> Room.info(room).failed == 5 end)
        end)

      assert log =~
               "a linked process of the room room failed, and the room goes on without it"

      assert log =~ "** (exit) :broken"
      assert length(String.split(log, "goes on without it")) == 3
      assert {:ok, 5} = helped(room, "tom")
      assert map_size(Room.snapshot(room)) == 4
    end

    defmodule HelpedFromTheStart do
      use Roomfold.Room

      @impl true
      def init(_id, _world, args), do: {:ok, spawn_link(fn -> receive(do: (:go -> exit(args))) end)}
      @impl true
      def handle_event(_, _, helper), do: send(helper, :go) && {[], helper}
    end

    @tag :capture_log
    test "so it does when one breaks that the room's init/3 has started" do
      room = start_room(module: HelpedFromTheStart, args: :broken)
      assert helped(room, "tom") == {:ok, 1}
      eventually(fn -> Room.info(room).failed == 1 end)
      assert helped(room, "ann") == {:ok, 2}
    end

    test "a room keeps nothing of those who have left it" do
      room = start_room(tick_ms: 5)
      monitors = fn -> length(elem(Process.info(room, :monitors), 1)) end
      before = monitors.()

      for _ <- 1..20 do
        {:ok, _} = Room.join(room, "tom")
        :ok = Room.leave(room)
      end

      assert monitors.() == before
    end

    test "what the room itself is tied to, its name and its stream, ends with it" do
      rooms = start_rooms(log: nil)
      stream = :"stream_#{System.unique_integer([:positive])}"
      start_supervised!({Roomfold.EventStream.Local, name: stream}, restart: :temporary)

      for {opts, registry} <- [
            {[rooms: rooms], Rooms.registry(rooms)},
            {[rooms: nil, stream: {Roomfold.EventStream.Local, stream}], stream}
          ] do
        room = start_room([module: Helped] ++ opts)
        {:ok, 1} = helped(room, "tom")
        monitor = Process.monitor(room)

        ExUnit.CaptureLog.capture_log(fn ->
          for {_, partition, _, _} <- Supervisor.which_children(registry), do: Process.exit(partition, :kill)
          assert_receive {:DOWN, ^monitor, _, _, :killed}
        end)
      end
    end

    test "what was published is in the log, and answered, where the stream is not there any more" do
      stream = :"stream_#{System.unique_integer([:positive])}"
      id = start_supervised!({Roomfold.EventStream.Local, name: stream}, restart: :temporary)

      rooms =
        start_rooms(stream: {Roomfold.EventStream.Local, stream}, room: [module: Helped, tick_ms: 60_000])

      room = {rooms, "1"}
      {:ok, 1} = helped(room, "tom")
      pid = Room.whereis(room)
      :sys.suspend(pid)
      ref = Room.publish_async(pid, [{"user_joined", %{"user_id" => "ann"}}], by: :server)
      monitor = Process.monitor(pid)

      log =
        ExUnit.CaptureLog.capture_log(fn ->
          Supervisor.stop(id)
          :sys.resume(pid)
          assert_receive {:DOWN, ^monitor, _, _, :shutdown}
        end)

      assert_received {^ref, {:ok, [2]}}
      assert log =~ "the stream of the room 1 failed, and its subscribers were not told"
      assert {:ok, {2, _}} = Roomfold.EventLog.snapshot(Rooms.log(rooms), "1")
    end

    test "who wants the room to end is heard" do
      for reason <- [:shutdown, :broken] do
        rooms = start_rooms(room: [module: Helped, tick_ms: 60_000])
        room = {rooms, "1"}
        {:ok, 1} = helped(room, "tom")
        pid = Room.whereis(room)
        ref = Room.publish_async(pid, [{"user_joined", %{"user_id" => "ann"}}], by: :server)
        monitor = Process.monitor(pid)

        ExUnit.CaptureLog.capture_log(fn ->
          Process.exit(pid, reason)
          assert_receive {:DOWN, ^monitor, _, _, ^reason}
        end)

        # In good order, what waited is in the log.
        if reason == :shutdown, do: assert_received({^ref, {:ok, [2]}})
      end
    end
  end

  describe "stopping" do
    defmodule Chain do
      use Roomfold.Room

      @impl true
      def handle_event({"user_moved", %{"n" => n}}, _, state) when n > 0,
        do: {[{"user_moved", %{"user_id" => "tom", "n" => n - 1}}], state}

      def handle_event(_, _, state), do: {[], state}
    end

    test "what an event causes, and that in turn, is in the log before the room goes; without an end it goes all the same" do
      rooms = start_rooms(room: [module: Chain, tick_ms: 60_000])

      for {id, n, seq} <- [{"short", 5, 6}, {"long", 1_000, 16}] do
        room = {rooms, id}
        {:ok, pid} = Room.ensure_started(room)
        # The next tick is a minute away.
        Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
        ref = Room.publish_async(pid, [{"user_moved", %{"user_id" => "tom", "n" => n}}], by: :server)
        Room.stop(room)
        assert_received {^ref, {:ok, [2]}}
        assert Room.seq(room) == seq + 1
      end
    end

    test "a room that stops by itself meanwhile has stopped" do
      room = {start_rooms(log: nil), "1"}
      {:ok, pid} = Room.ensure_started(room)
      test = self()
      # Before the room reads what comes next.
      reader =
        Task.async(fn -> Room.read(room, fn _ -> send(test, :reads) && receive(do: (:go -> 1)) end) end)

      assert_receive :reads
      send(pid, {:stop, :moved})
      stopper = Task.async(fn -> Room.stop(room) end)
      eventually(fn -> Process.info(pid, :message_queue_len) == {:message_queue_len, 2} end)
      send(pid, :go)
      assert {Task.await(reader, 60_000), Task.await(stopper, 60_000)} == {{:ok, 1}, :ok}
      refute Process.alive?(pid)
    end

    test "a room without a log has another term in each life" do
      rooms = start_rooms(log: nil)
      first = Room.info({rooms, "1"}).term
      Room.stop({rooms, "1"})
      assert Room.info({rooms, "1"}).term > first
    end
  end

  describe "places" do
    defmodule Slow do
      use Roomfold.Room

      @impl true
      def init("slow", _, test) do
        send(test, {:starting, self()})

        receive do
          :go_on -> {:ok, test}
        after
          10_000 -> {:ok, test}
        end
      end

      def init(_, _, test), do: {:ok, test}
    end

    test "rooms start beside one that takes its time" do
      rooms = start_rooms(room: [module: Slow, args: self()])
      slow = Task.async(fn -> Room.seq({rooms, "slow"}) end)
      assert_receive {:starting, pid}
      # Of those at least one in two has another supervisor, by their ids.
      tasks = for n <- 1..20, do: Task.async(fn -> Room.seq({rooms, "room #{n}"}) end)
      eventually(fn -> length(Rooms.running(rooms)) >= 10 end)
      send(pid, :go_on)
      assert Task.await_many([slow | tasks], 60_000) == List.duplicate(0, 21)
      assert Rooms.drain(rooms) == {:ok, 21}
      assert Rooms.running(rooms) == []
    end

    test "a room that has ended does not run, though the registry has not heard of it yet" do
      rooms = start_rooms(log: nil)
      for id <- ["1", "2"], do: Room.seq({rooms, id})
      [{_, registry, _, _} | _] = Supervisor.which_children(Module.concat(rooms, Registry))
      :sys.suspend(registry)
      Room.stop({rooms, "1"})
      assert Rooms.running(rooms) == ["2"]
      assert Rooms.drain(rooms) == {:ok, 1}
      assert Rooms.running(rooms) == []
      :sys.resume(registry)
    end

    test "what is no id of a room is an error, for every question, also about the past" do
      rooms = start_rooms()

      for id <- ["", String.duplicate("x", 256)], room <- [id, {rooms, id}] do
        for answer <- [
              Room.publish(room, {"user_joined", %{"user_id" => "tom"}}),
              Room.ensure_started(room),
              Room.state_at(room, 0),
              Room.diff(room, 0, 0),
              Room.fork(room, 0),
              Room.refold(room, Roomfold.Rules.xr()),
              Room.hashes(room, 10),
              Room.replay(room)
            ] do
          assert {:error, %Error{reason: :invalid_id, field: "room"}} = answer
        end

        assert {:error, %Error{reason: :invalid_id}} = Room.fork({rooms, "1"}, 0, id: id)
      end

      assert Rooms.running(rooms) == []
    end

    test "what a log would not take for a room's id is none anywhere" do
      for rooms <- [start_rooms(), start_rooms(log: nil)], id <- [<<255>>, "a\0b"] do
        for ask <- [&Room.subscribe/1, &Room.unsubscribe/1, &Room.ensure_started/1, &Room.state_at(&1, 0)],
            do: assert({:error, %Error{reason: :invalid_id, field: "room"}} = ask.({rooms, id}))
      end

      # A zero byte is UTF-8, too, so that it is none is said.
      {:error, error} = Room.ensure_started("a\0b")
      assert error.message =~ "a room's has no zero byte"
      {:error, error} = Room.ensure_started("a\xffb")
      refute error.message =~ "zero byte"
    end

    test "rooms of the same id in two places, in one supervision tree" do
      places = [start_rooms(), start_rooms()]
      children = for place <- places, do: {Room, id: "places", rooms: place}
      {:ok, tree} = Supervisor.start_link(children ++ [{Room, id: "places"}], strategy: :one_for_one)
      assert length(for {_, pid, _, _} <- Supervisor.which_children(tree), is_pid(pid), do: pid) == 3
      for place <- places, do: assert(Rooms.running(place) == ["places"])
      Supervisor.stop(tree)
    end

    test "a room is started once, by whoever asks first" do
      rooms = start_rooms()

      pids =
        1..20
        |> Task.async_stream(fn _ -> Room.ensure_started({rooms, "one"}) end)
        |> Enum.map(fn {:ok, {:ok, pid}} -> pid end)

      assert [_] = Enum.uniq(pids)
      assert Rooms.running(rooms) == ["one"]
    end

    test "a room that was about to stop for idleness stays for who has come meanwhile" do
      rooms = start_rooms()
      {_, _, session} = join!({rooms, "1"}, "tom")
      # It says so to itself, and reads it behind whatever had come.
      send(session.pid, {:stop, :idle})
      assert Room.info(session.pid).users == ["tom"]
    end

    test "however long a time is, it is not out of a timer's reach" do
      long = 100_000_000_000_000_000_000_000

      for opts <- [[idle_ms: long], [grace_ms: long], [tick_ms: long], [tick_ms: 1.0e300]] do
        rooms = start_rooms(room: opts)
        Task.await(Task.async(fn -> {:ok, _} = Room.join({rooms, "1"}, "tom") end))
        pid = Room.whereis({rooms, "1"})
        assert Room.info({rooms, "1"}).connections in 0..1
        eventually(fn -> Room.info({rooms, "1"}).connections == 0 end)
        assert Room.whereis({rooms, "1"}) == pid
      end
    end

    test "an idle room stops, and is back when asked for" do
      rooms = start_rooms(room: [idle_ms: 30, grace_ms: 0])
      {:ok, 1} = Room.publish({rooms, "1"}, {"user_joined", %{"user_id" => "tom"}})
      # It stays while somebody is there.
      {:ok, _} = Room.join({rooms, "1"}, "ann")
      ref = Process.monitor(Room.whereis({rooms, "1"}))
      :ok = Room.leave({rooms, "1"})
      assert_receive {:DOWN, ^ref, _, _, {:shutdown, :idle}}
      assert Room.whereis({rooms, "1"}) == nil
      assert Room.get({rooms, "1"}, "tom") == %{}
    end

    test "its process has the options it is given, and otherwise a heap of 8,000 words" do
      heap = fn room ->
        Process.info(room, :garbage_collection) |> elem(1) |> Keyword.fetch!(:min_heap_size)
      end

      rooms = start_rooms(room: [spawn_opt: [priority: :high]])
      {:ok, room} = Room.ensure_started({rooms, "1"})
      assert {:priority, :high} = Process.info(room, :priority)
      assert heap.(room) >= 8_000

      rooms = start_rooms(room: [spawn_opt: [min_heap_size: 500]])
      {:ok, room} = Room.ensure_started({rooms, "1"})
      assert heap.(room) in 500..1_000

      rooms = start_rooms(room: [spawn_opt: [max_heap_size: 100_000]])
      {:ok, room} = Room.ensure_started({rooms, "1"})
      assert heap.(room) < 1_000

      {:ok, 1} = Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
      {:ok, replay} = Room.replay(room, spawn_opt: [priority: :low], paused: true)
      assert {:priority, :low} = Process.info(replay, :priority)
    end

    test "what names no room" do
      of_place = [&Room.subscribe/1, &Room.unsubscribe/1, &Room.ensure_started/1, &Room.fork(&1, 0)]

      for none <- [:a, nil, 7, {"rooms", "a"}, {Rooms, :a}] do
        for ask <- [&Room.publish(&1, {"x", %{}}), &Room.join(&1, "tom"), &Room.state_at(&1, 0)] do
          assert {:error, %Error{reason: :invalid_id, field: "room", message: message}} = ask.(none)
          assert message =~ "a room is its id, {rooms, id} or its pid"
        end

        for ask <- of_place do
          assert {:error, %Error{reason: :invalid_id, field: "room", message: message}} = ask.(none)
          assert message =~ ": here a room is its id or {rooms, id}"
        end

        assert_raise Error, ~r/a room is its id/, fn -> Room.whereis(none) end
        assert_raise Error, ~r/a room is its id/, fn -> Room.get(none, "tom") end
      end

      assert {:error, %Error{reason: :invalid_id}} = Room.publish("", {"x", %{}})

      # By its pid a room is published to, but not started or forked.
      for ask <- of_place do
        assert {:error, %Error{reason: :invalid_id, message: message}} = ask.(start_room())
        refute message =~ "pid"
      end
    end

    test "what is no seq, no rules, no place, no list of events" do
      room = start_room()
      {:ok, 1} = Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
      named = {start_rooms(), "1"}
      {:ok, 1} = Room.publish(named, {"user_joined", %{"user_id" => "tom"}})

      for {seq, got} <- [
            {"1", ~s(the string "1")},
            {nil, "nil"},
            {-1, "-1"},
            {1.0, "1.0"},
            {[id: "x"], ~s(the keyword list [id: "x"])}
          ],
          ask <- [
            &Room.state_at(room, &1),
            &Room.diff(room, &1, 1),
            &Room.diff(room, 0, &1),
            &Room.fork(named, &1)
          ] do
        assert {:error, %Error{reason: :invalid_argument} = error} = ask.(seq)
        assert error.detail == "a seq is an integer from 0, got " <> got
      end

      for {rules, got} <- [{:xr, "the atom :xr"}, {nil, "nil"}, {[every: 1], "the keyword list [every: 1]"}] do
        assert {:error, %Error{reason: :invalid_argument} = error} = Room.refold(room, rules)
        assert error.detail == "the rules are a Roomfold.Rules, such as Roomfold.Rules.xr(), got " <> got
      end

      for every <- [0, -1, "1", nil] do
        assert {:error, %Error{reason: :invalid_argument} = error} = Room.hashes(room, every)
        assert error.detail =~ "an integer above 0, got "
      end

      said = &Exception.message(assert_raise(ArgumentError, &1))
      event = {"user_joined", %{"user_id" => "ann"}}
      assert said.(fn -> Room.replay(room, nil) end) == "the options of a replay are a keyword list, got nil"
      assert said.(fn -> Room.snapshot(room, :kind) end) =~ "a keyword list, got the atom :kind"
      assert said.(fn -> Room.publish_async("1", [event], []) end) =~ ~s(a room's pid)
      assert said.(fn -> Room.publish_async(room, event, []) end) =~ "a list of events, got the tuple"

      # It has an id.
      assert said.(fn -> Room.start_link(id: "a", name: :a) end) =~ "unknown options of a room: [:name]"
      assert said.(fn -> Room.ensure_started("a", name: :a) end) =~ "unknown options of a room: [:name]"

      assert said.(fn -> Roomfold.Replay.start_link(events: "", name: :a) end) =~
               "unknown options of a replay: [:name]"

      for place <- ["rooms", self(), {Rooms, "1"}] do
        assert said.(fn -> Room.start_link(id: "a", rooms: place) end) =~ ":rooms must be the name of a place"

        for ask <- [&Rooms.log/1, &Rooms.stream/1, &Rooms.running/1, &Rooms.drain/1],
            do: assert(said.(fn -> ask.(place) end) =~ "a place for rooms is its name, an atom, got ")
      end

      assert Room.seq(room) == 1
    end

    test "a place that does not run" do
      for ask <- [
            &Room.start_link(id: "a", rooms: &1),
            &Room.ensure_started({&1, "a"}),
            &Room.publish({&1, "a"}, {"x", %{}})
          ] do
        assert {:error, %Error{reason: :no_room, message: message}} = ask.(Nowhere.Rooms)
        assert message =~ "Nowhere.Rooms does not run on this node"
      end

      for ask <- [&Rooms.stream/1, &Rooms.log/1, &Rooms.running/1, &Rooms.drain/1],
          do:
            assert_raise(ArgumentError, "Nowhere.Rooms does not run on this node", fn ->
              ask.(Nowhere.Rooms)
            end)
    end

    @tag :tmp_dir
    test "rooms in a supervision tree run from the beginning, and never end it", %{tmp_dir: folder} do
      name = :"supervised_#{System.unique_integer([:positive])}"

      {log, again} =
        if Roomfold.EventLog.SQLite.available?(),
          do: {{Roomfold.EventLog.SQLite, path: Path.join(folder, "rooms.db")}, 2},
          else: {{Roomfold.EventLog.Memory, []}, 1}

      ids = for i <- 1..6, do: "r#{i}"
      own = [rooms: name, max_queue: 77]
      place = {Rooms, name: name, log: log, room: [idle_ms: 0]}
      rooms = for id <- ids, do: {Room, [id: id] ++ own}
      idle = for i <- 1..6, do: {Room, id: "idle#{i}", rooms: name, idle_ms: 0}
      {:ok, tree} = Supervisor.start_link([place] ++ rooms ++ idle, strategy: :one_for_one)
      assert Rooms.running(name) -- Enum.map(idle, fn {_, opts} -> opts[:id] end) == ids

      joined = {"user_joined", %{"user_id" => "tom"}}
      for id <- ids, do: assert({:ok, 1} = Room.publish({name, id}, joined))

      # Those that may stop when they are idle do, the others do not.
      eventually(fn -> Rooms.running(name) == ids end)

      # One that crashes comes back by itself, the log's end does not end the tree, and options are kept.
      pid = Room.whereis({name, "r1"})
      Process.exit(pid, :kill)
      eventually(fn -> Room.whereis({name, "r1"}) not in [pid, nil] end)
      assert Room.get({name, "r1"}, "tom") == %{}
      Process.exit(Process.whereis(Module.concat(name, Log)), :kill)
      eventually(fn -> match?({:ok, ^again}, Room.publish({name, "r1"}, joined)) end)
      for id <- ids -- ["r1"], do: assert({:ok, ^again} = Room.publish({name, id}, joined))
      for id <- ids, do: assert(:sys.get_state(Room.whereis({name, id})).options.max_queue == 77)
      assert Process.alive?(tree)

      # Another tree whose room runs already, as on another node.
      {:ok, other} = Supervisor.start_link([{Room, id: "r2", rooms: name}], strategy: :one_for_one)
      assert [{_, :undefined, _, _}] = Supervisor.which_children(other)
      for supervisor <- [other, tree], do: Supervisor.stop(supervisor)
    end

    test "where the application was not started, that is said" do
      code = ~S"""
      {:error, %{reason: :no_room, message: message}} = Roomfold.Room.publish("a", {"x", %{}})
      IO.write(message)
      """

      ebin = Path.dirname(to_string(:code.which(Roomfold)))
      {said, 0} = System.cmd("elixir", ["-pa", ebin, "-e", code], stderr_to_stdout: true)
      assert said =~ "Roomfold.Rooms does not run on this node, as the application :roomfold is not started"
    end

    test "options that are no keyword list" do
      for {ask, of} <- [
            {&Rooms.start_link/1, "a place for rooms"},
            {&Room.start_link/1, "a room"},
            {&Room.ensure_started("a", &1), "a room"},
            {&Room.publish("a", {"x", %{}}, &1), "publish"},
            {&Room.join("a", "tom", &1), "a join"}
          ],
          {opts, got} <- [
            {:now, "the atom :now"},
            {"tom", "the string \"tom\""},
            {%{by: "tom"}, "the map %{by"}
          ] do
        error = assert_raise ArgumentError, fn -> ask.(opts) end
        assert error.message =~ "the options of #{of} are a keyword list, got #{got}"
      end
    end

    test "wrong options are named at once" do
      for {opts, message} <- [
            {[room: [tick_ms: 0]], ":tick_ms must be"},
            {[room: [hue: 1]], "unknown options of a room: [:hue]; there are :id, :module,"},
            {[room: [tick: 3]], ":tick_ms, :idle_ms,"},
            {[room: [rules: :doom]], ":rules must be"},
            {[room: [systems: [Nope]]], "Nope is not a Roomfold.Room.System"},
            {[room: [module: Nope]], ":module must be a module with `use Roomfold.Room`, got: Nope"},
            {[room: [module: Enum]], ":module must be"},
            {[room: [impl: :nope]], ":impl must be"},
            {[room: [impl: "native"]], ":impl must be"},
            {[room: [spawn_opt: [:link]]], ":spawn_opt must be a keyword list of :priority, "},
            {[room: [spawn_opt: [monitor: true]]], ":spawn_opt must be"},
            {[room: [spawn_opt: [priority: :urgent]]], ":spawn_opt must be"},
            {[room: [history: 2_000_000]], ":history must be"},
            {[room: [history: "x"]], ":history must be"},
            {[room: [history: -5]], ":history must be"},
            {[room: [max_entities: 10_000_000_000]], ":max_entities must be"},
            {[room: [stream: :x]], ":stream must be"},
            {[room: [log: "x"]], ":log must be"},
            {[room: [diff_tells: [:a]]], ":diff_tells must be"},
            {[room: :fast], ":room must be a list of options, got: :fast"},
            {[log: "x.db"], ":log must be {module, options}"},
            {[log: {"x.db", []}], ":log must be"},
            {[log: {Nope, []}], ":log must be"},
            {[log: {:running, {Nope, :log}}], ":log must be"},
            {[stream: "x"], ":stream must be {module, name}"},
            {[stream: {Nope, :name}], ":stream must be {module, name} of a module that there is"},
            {[room: [stream: {Nope, :name}]], ":stream must be"},
            {[placement: Nope], ":placement must be {module, options}"},
            {[name: "x"], ":name must be an atom"},
            {[name: nil], ":name must be an atom"},
            {[room: [log: nil, tick_ms: 1, stream: nil]],
             "[:log, :stream] of :room: its rooms share those of the place"},
            {[room: [id: "lobby"]], "[:id] of :room: each room has its own"},
            {[colour: 1], "unknown keys"}
          ] do
        error = assert_raise ArgumentError, fn -> Rooms.start_link(Keyword.merge([name: :never], opts)) end
        assert error.message =~ message
      end
    end

    test "an option that is there twice is named as such" do
      twice = [tick_ms: 1, tick_ms: 2]

      for {call, of} <- [
            {fn -> Rooms.start_link(name: :never, room: twice) end,
             "a room given more than once: [:tick_ms]"},
            {fn -> Rooms.start_link(name: :never, name: :ever) end,
             "a place for rooms given more than once: [:name]"},
            {fn -> Room.start_link([id: "x", rooms: nil] ++ twice) end,
             "a room given more than once: [:tick_ms]"},
            {fn -> Room.start_link(id: "x", id: "y") end, "a room given more than once: [:id]"},
            {fn -> Room.ensure_started("twice", twice ++ [impl: :elixir, impl: :native] ++ twice) end,
             "a room given more than once: [:tick_ms, :impl]"},
            {fn -> Room.join("twice", "tom", format: :json, format: :packed) end,
             "a join given more than once: [:format]"},
            {fn -> Room.publish("twice", {"x", %{}}, by: "tom", by: "ann") end,
             "publish given more than once: [:by]"},
            {fn -> Session.new(room: "a", user: "tom", room: "b") end,
             "a session given more than once: [:room]"},
            {fn -> World.new(impl: :elixir, impl: :native) end, "a world given more than once: [:impl]"}
          ] do
        assert assert_raise(ArgumentError, call).message == "options of " <> of
      end

      assert Room.whereis("twice") == nil
    end

    test "so are those of one room, of a fork, a refold and a drain" do
      raised = fn call -> assert_raise(ArgumentError, call).message end

      for {name, value} <- [
            impl: :nope,
            history: "x",
            max_entities: -1,
            stream: :x,
            log: :x,
            # How a place starts one; a room has one that runs.
            log: {Roomfold.EventLog.SQLite, path: "rooms.db"}
          ] do
        assert raised.(fn -> Room.ensure_started("wrong", [{name, value}]) end) =~ "#{inspect(name)} must be"

        assert raised.(fn -> Room.start_link([{name, value}, id: "x", rooms: nil]) end) =~
                 "#{inspect(name)} must be"
      end

      assert Room.whereis("wrong") == nil
      assert raised.(fn -> Room.fork("wrong", 0, ident: "x") end) =~ "unknown keys [:ident]"
      assert raised.(fn -> Room.refold("wrong", Roomfold.Rules.xr(), evry: 1) end) =~ "unknown keys [:evry]"
      assert raised.(fn -> Rooms.drain(Rooms, time: 1) end) =~ "unknown keys [:time]"

      # Longer than a process can wait: the rooms would end without their last commits.
      for timeout <- [-1, 1.5, nil, 2 ** 32],
          do: assert(raised.(fn -> Rooms.drain(Rooms, timeout: timeout) end) =~ ":timeout must be 0 to ")

      for placement <- [Roomfold.Placement.Global, {String, []}, {Roomfold.Placement.Global, %{}}] do
        message = raised.(fn -> Rooms.start_link(name: :not_placed, placement: placement) end)
        assert message =~ ":placement must be {module, options} of a Roomfold.Placement"
      end

      for every <- [0, -1, 1.5, "x"],
          do:
            assert(
              raised.(fn -> Room.refold("wrong", Roomfold.Rules.xr(), every: every) end) =~ ":every must be"
            )
    end

    # Answers of callers who publish until the function has returned.
    defp published_while(room, function) do
      done = :counters.new(1, [])

      publish = fn ->
        for(
          _ <- Stream.repeatedly(fn -> nil end) |> Stream.take_while(fn _ -> :counters.get(done, 1) == 0 end)
        ) do
          try do
            Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
          rescue
            error -> {:raised, error}
          end
        end
      end

      tasks = for _ <- 1..8, do: Task.async(publish)
      function.()
      :counters.add(done, 1, 1)
      tasks |> Task.await_many(30_000) |> Enum.concat()
    end

    test "who publishes while somebody stops it gets the answer of the room that comes back" do
      rooms = start_rooms(room: [tick_ms: 2])
      room = {rooms, "1"}
      stops = fn -> for _ <- 1..20, do: Process.sleep(10) && Room.stop(room) end
      answers = published_while(room, stops)
      assert Enum.reject(answers, &match?({:ok, _}, &1)) == []
      assert Room.seq(room) == length(answers)
    end

    @tag :capture_log
    test "who publishes while its place is restarted, as the log has ended, gets an error at most" do
      for _ <- 1..5 do
        rooms = start_rooms(room: [tick_ms: 2])

        kills = fn ->
          for _ <- 1..2 do
            Process.sleep(30)
            log = eventually(fn -> Process.whereis(Module.concat(rooms, Log)) end)
            Process.exit(log, :kill)
            Process.sleep(100)
          end
        end

        answers = published_while({rooms, "1"}, kills)
        assert Enum.filter(answers, &match?({:raised, _}, &1)) == []
        assert Enum.any?(answers, &match?({:ok, _}, &1))
      end
    end

    defmodule BeginsBadly do
      use Roomfold.Room
      @impl true
      def init(_, _, _), do: raise("no such arena")
    end

    @tag :capture_log
    test "a room whose module raises does not start, and whoever asks is told what it raised" do
      rooms = start_rooms(room: [module: BeginsBadly])
      assert {:error, %Error{reason: :room_closed, message: message}} = Room.publish({rooms, "1"}, {"x", %{}})
      assert message == "the room has stopped: ** (RuntimeError) no such arena"
    end

    defmodule AnswersBadly do
      use Roomfold.Room
      @impl true
      def init(_, _, answer), do: answer
    end

    @tag :capture_log
    test "nor does one whose module answers what init may not: it is told what that is" do
      for answer <- [nil, {:ok, nil, {"x", %{}}}, {:error, :later}] do
        rooms = start_rooms(room: [module: AnswersBadly, args: answer])

        assert {:error, %Error{reason: :room_closed, message: message}} =
                 Room.publish({rooms, "1"}, {"x", %{}})

        assert message =~
                 "AnswersBadly.init/3 must answer {:ok, state} or {:ok, state, list of events}, got: " <>
                   inspect(answer)
      end
    end
  end
end
