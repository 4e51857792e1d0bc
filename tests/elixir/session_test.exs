defmodule Roomfold.SessionTest do
  use Roomfold.RoomsCase, async: true

  alias Roomfold.{EventLog, StoppedClock}
  alias Roomfold.EventLog.Memory
  alias Roomfold.Room.{Options, Text, Versions}
  alias Roomfold.Session.Backlog

  defp state(map), do: map["entities"] || map["creates"]

  describe "joining" do
    test "a snapshot, then diffs that follow one another without a gap" do
      room = start_room()
      Room.publish(room, {"user_joined", %{"user_id" => "ann", "position" => [1, 2, 3]}})
      {reply, frames, session} = join!(room, "tom")
      assert %{"seq" => 1, "user" => "tom", "format" => "json", "version" => 1, "tick_ms" => 5} = reply
      assert reply["max_unacknowledged"] == 1_048_576
      assert [{:push, "snapshot", snapshot}] = frames
      assert decoded(snapshot) == %{"seq" => 1, "entities" => %{"ann" => %{"position" => [1, 2, 3]}}}

      {diff, session} = await(session, push("diff"))
      assert {diff["from"], diff["seq"], Map.keys(diff["creates"])} == {1, 2, ["tom"]}

      for n <- 1..20, reduce: {session, 2} do
        {session, seq} ->
          {:ok, _} =
            Room.publish(room, {"user_moved", %{"user_id" => "ann", "position" => [n, 0, 0]}}, by: "ann")

          {diff, session} = await(session, push("diff"))
          assert diff["from"] == seq
          assert diff["updates"]["ann"]["position"] == [n, 0, 0]
          {session, diff["seq"]}
      end
    end

    test "one encoding serves everybody" do
      room = start_room()

      for user <- ["tom", "ann"],
          do: {:ok, _} = Task.async(fn -> Room.join(room, user) && Process.sleep(:infinity) end) && {:ok, 1}

      {:ok, _} = Room.join(room, "bob")
      assert_receive {:roomfold, "room", {:update, %Room.Update{frames: %{json: {:diff, bytes}}}}}
      assert :binary.referenced_byte_size(bytes) == byte_size(bytes)
    end

    test "coming back with the last seq gives what was missed, or everything if that is less" do
      room = start_room()
      big = String.duplicate("x", 3_000)

      for id <- ["a", "b"],
          do: Room.publish(room, {"create", %{"entity_id" => id, "components" => %{"text" => big}}})

      {:ok, seq} = Room.publish(room, {"create", %{"entity_id" => "c", "components" => %{}}})
      Room.publish(room, {"update", %{"entity_id" => "c", "components" => %{"lit" => true}}})

      back = %{"last_seq" => seq, "last_term" => Room.info(room).term}
      {_, [{:push, "diff", diff}], _} = join!(room, "tom", back)
      assert {decoded(diff)["from"], decoded(diff)["updates"]} == {seq, %{"c" => %{"lit" => true}}}

      # Everything has come after seq 0, and all but a little of it is gone again.
      for id <- ["a", "b"], do: Room.publish(room, {"delete", %{"entity_id" => id}})

      for n <- 1..400,
          do:
            Room.publish_async(
              room,
              [
                {"create", %{"entity_id" => "gone-#{n}", "components" => %{}}},
                {"delete", %{"entity_id" => "gone-#{n}"}}
              ],
              []
            )

      {_, [{:push, kind, _}], _} = join!(room, "tom", back)
      assert kind in ["diff", "snapshot"]

      {_, [{:push, "snapshot", _}], _} = join!(room, "tom", %{"last_seq" => 1_000_000})
      {_, [{:push, "snapshot", _}], _} = join!(room, "tom", %{"last_seq" => nil})
    end

    test "coming back to another room: one that was deleted and made again under the same name gives everything" do
      rooms = start_rooms(room: [tick_ms: 5])
      room = {rooms, "1"}
      created = fn ids -> for id <- ids, do: {"create", %{"entity_id" => id, "components" => %{}}} end
      {:ok, [_, seq]} = Room.publish(room, created.(["a", "b"]))
      back = %{"last_seq" => seq, "last_term" => Room.info(room).term}
      # Another life of the same room, first.
      Room.stop(room)
      {:ok, _} = Room.publish(room, hd(created.(["c"])))
      {_, [{:push, "diff", diff}], session} = join!(room, "tom", back)
      assert Map.keys(decoded(diff)["creates"]) == ["c"]
      Session.leave(session)

      Room.stop(room)
      :ok = Roomfold.EventLog.delete(Rooms.log(rooms), "1")
      {:ok, _} = Room.publish(room, created.(["d", "e", "f"]))
      {_, [{:push, "snapshot", snapshot}], _} = join!(room, "tom", back)
      assert Map.keys(decoded(snapshot)["entities"]) == ["d", "e", "f"]
    end

    # As after a power failure without syncs, or from a backup.
    test "coming back to a room whose log was set back: a diff only from what the log still has" do
      {:ok, one} = Memory.start_link()
      {:ok, %{term: first}} = EventLog.claim({Memory, one}, "1", meta())

      record = fn seq ->
        ~s({"event":"create","entity_id":"e#{seq}","components":{},"seq":#{seq},"at":1,"by":"server"})
      end

      :ok = EventLog.append({Memory, one}, "1", first, 0, Enum.map(1..2, record))
      # Clients have seen up to 4, by the writer that has the first two in this log.
      room = {start_rooms(log: {:running, {Memory, one}}), "1"}
      create = &{"create", %{"entity_id" => &1, "components" => %{}}}

      came = fn seq, term ->
        {_, [{:push, kind, _}], session} = join!(room, "tom", %{"last_seq" => seq, "last_term" => term})
        Session.leave(session)
        kind
      end

      {:ok, [3, 4, 5, 6]} = Room.publish(room, for(n <- 3..6, do: create.("other#{n}")))
      assert {came.(2, first), came.(4, first)} == {"diff", "snapshot"}
      second = Room.info(room).term
      assert came.(4, second) == "diff"

      # In the life after that, too.
      Room.stop(room)
      {:ok, %{seq: last}} = EventLog.head({Memory, one}, "1")
      {:ok, _} = Room.publish(room, create.("last"))

      assert {came.(4, first), came.(last, second), came.(last + 1, second)} ==
               {"snapshot", "diff", "snapshot"}
    end

    defp meta, do: Versions.of(Options.new([[id: "1"]]))

    test "coming back to a log in memory that began anew gives everything, packed and as text" do
      back =
        for format <- ["json", "packed"], into: %{} do
          room = {start_rooms(), "1"}
          {:ok, _} = Room.publish(room, {"create", %{"entity_id" => "a", "components" => %{}}})
          {reply, _, _} = join!(room, "tom", %{"format" => format})
          {format, %{"format" => format, "last_seq" => 1, "last_term" => reply["term"]}}
        end

      for format <- ["json", "packed"] do
        room = {start_rooms(), "1"}
        for id <- ["b", "c"], do: Room.publish(room, {"create", %{"entity_id" => id, "components" => %{}}})
        {_, [{:push, kind, _}], _} = join!(room, "tom", back[format])
        assert {format, kind} == {format, "snapshot"}
      end
    end

    test "coming back without a term gives everything: the seq may be of another room that had this name" do
      rooms = start_rooms(room: [tick_ms: 5])
      room = {rooms, "1"}
      make = &Room.publish(room, {"create", %{"entity_id" => &1, "components" => %{}}})
      for id <- ["a", "b"], do: {:ok, _} = make.(id)
      {reply, _, session} = join!(room, "tom")
      Session.leave(session)
      Room.stop(room)
      :ok = Roomfold.EventLog.delete(Rooms.log(rooms), "1")
      for id <- ["c", "d", "e", "f"], do: {:ok, _} = make.(id)

      for params <- [%{"last_seq" => reply["seq"]}, %{"last_seq" => reply["seq"], "last_term" => nil}] do
        {_, [{:push, kind, state}], session} = join!(room, "tom", params)
        assert {kind, Map.keys(decoded(state)["entities"])} == {"snapshot", ["c", "d", "e", "f"]}
        Session.leave(session)
      end
    end

    test "coming back after the rules have changed gives everything: by the old ones the world was another" do
      log = {Roomfold.EventLog.Memory, start_supervised!(Roomfold.EventLog.Memory)}
      rules = &Roomfold.Rules.new!(%{"lit" => [{:create, "id", %{"color" => {:value, &1}}}]})
      start = &{start_rooms(log: {:running, log}, room: [rules: rules.(&1), rules_version: &2]), "1"}
      old = start.("red", 1)
      {:ok, 1} = Room.publish(old, {"lit", %{"id" => "a"}})
      {:ok, 2} = Room.publish(old, {"lit", %{"id" => "b"}})
      back = fn room, seq -> %{"last_seq" => seq, "last_term" => Room.info(room).term} end
      from_old = back.(old, 2)
      Room.stop(old)

      new = start.("blue", 2)
      {_, [{:push, "snapshot", snapshot}], _} = join!(new, "tom", from_old)
      assert decoded(snapshot)["entities"]["a"] == %{"color" => "blue"}
      {:ok, seq} = Room.publish(new, {"lit", %{"id" => "c"}})
      from_new = back.(new, seq)
      Room.stop(new)
      assert {_, [{:push, "diff", _}], _} = join!(start.("blue", 2), "ann", from_new)
    end

    test "what it can't join with" do
      room = start_room()
      session = Session.new(room: room, user: "tom")

      assert {:error, %{"reason" => "invalid_argument", "field" => "format", "message" => message}} =
               Session.join(session, %{"format" => "xml"})

      assert message =~ ~s(it is "json" or "packed", got the string "xml")
      assert {:error, %{"message" => message}} = Session.join(session, %{format: "packed"})
      assert message =~ "the keys of a join are strings, got the atom :format"
      # What the host has put beside them is its own.
      assert {:ok, _, _, session} = Session.join(session, %{:ip => {127, 0, 0, 1}, "format" => "packed"})
      assert session.format == :packed
      Session.leave(session)

      assert {:error, %{"field" => "last_seq", "message" => message}} =
               Session.join(session, %{"last_seq" => -1})

      assert message =~ "it is an integer from 0, got -1"
      assert {:error, %{"field" => "last_seq"}} = Session.join(session, %{"last_seq" => "1"})
      assert {:error, %{"field" => "last_term"}} = Session.join(session, %{"last_term" => 1.5})

      for user <- ["", "system", :server, :tom, nil, String.duplicate("x", 256)] do
        assert {:error, %{"reason" => "invalid_id", "field" => "user"}} =
                 Session.join(Session.new(room: room, user: user), %{})
      end

      Room.stop(room)
      assert {:error, %{"reason" => "no_room"}} = Session.join(session, %{})
    end

    test "whatever it joins with, it is in, or told the reason" do
      room = {start_rooms(room: [user_events_per_s: 10_000]), "1"}
      odd = [nil, true, 7, -1, 1.5, 2 ** 70, "", "json", "packed", [], [1], [[1]], %{}, %{"a" => 1}]

      for key <- ~w(format versions last_seq last_term events presence params token),
          value <- odd,
          n <- [1, 2] do
        params =
          if n == 1,
            do: %{key => value},
            else: %{"format" => "packed", "last_seq" => 0, "last_term" => 1} |> Map.put(key, value)

        case Session.join(Session.new(room: room, user: "tom"), params) do
          {:ok, %{"format" => format}, [{:push, _, _} | _], session} ->
            assert format in ["json", "packed"]
            Session.leave(session)

          {:error, error} ->
            assert %{"reason" => "invalid_argument", "field" => ^key, "message" => _} = error
        end
      end
    end

    test "nor by more than a message may have: a join is one" do
      room = start_room()
      session = Session.new(room: room, user: "tom", max_input_bytes: 1_000)
      long = %{"params" => %{"text" => String.duplicate("x", 1_000)}}
      assert {:error, %{"reason" => "too_large"}} = Session.join(session, long)
      assert Room.info(room).users == []
      assert {:ok, _, _, _} = Session.join(session, %{"params" => %{"text" => String.duplicate("x", 500)}})
    end

    test "a process is one user of a room: a second one is refused, and the first goes on" do
      room = start_room()
      {_, _, tom} = join!(room, "tom")
      ann = Session.new(room: room, user: "ann")
      assert {:error, %{"reason" => "not_supported"} = error} = Session.join(ann, %{"format" => "packed"})
      assert error["message"] =~ ~s(this process is already a connection of "tom" to this room)
      assert %{connections: 1, users: ["tom"]} = Room.info(room)

      {:ok, _} = Room.publish(room, {"create", %{"entity_id" => "lamp", "components" => %{}}})
      lamp = fn {:push, "diff", diff} -> decoded(diff)["creates"]["lamp"] end
      {%{}, tom} = await(tom, lamp)

      # The same one may join again, and another one when it has left.
      assert {:ok, _, [{:push, "snapshot", _}], _} = Session.join(Session.new(room: room, user: "tom"), %{})
      assert Session.leave(tom) == :ok
      assert {:ok, _, _, _} = Session.join(ann, %{"format" => "packed"})
      assert {:ok, _, _, _} = Session.join(Session.new(room: start_room(id: "other"), user: "tom"), %{})
    end

    test "a process that joins once more, in another format or the same, has replaced its session, which says so; the new one goes on" do
      for {format, next} <- [{"json", "packed"}, {"packed", "json"}, {"json", "json"}] do
        room = start_room()
        {_, _, older} = join!(room, "tom", %{"format" => format})
        {_, older} = await(older, push("diff"))
        {%{"format" => ^next}, _, newer} = join!(room, "tom", %{"format" => next})
        {:ok, seq} = Room.publish(room, {"create", %{"entity_id" => "lamp", "components" => %{}}})
        assert %{connections: 1, users: ["tom"]} = Room.info(room)

        # All that the room has sent, given to both, as a host would that does not know which one it is for.
        messages = messages()
        assert {:closed, "replaced", [{:push, "closing", %{"reason" => "replaced"}}]} = give(older, messages)
        assert {_, %{seq: ^seq}} = give(newer, messages)
      end
    end

    test "so it is in a replay" do
      {:ok, replay} =
        Roomfold.Replay.start_link(
          events: ~s({"event_name":"user_joined","user_id":"tom","at":1000}),
          paused: true
        )

      {_, _, older} = join!(replay, "ann")
      {_, _, newer} = join!(replay, "ann", %{"format" => "packed"})
      messages = messages()
      assert {:closed, "replaced", [_]} = give(older, messages)
      assert {[], ^newer} = give(newer, messages)
    end

    defp messages do
      receive do
        message -> [message | messages()]
      after
        50 -> []
      end
    end

    defp give(session, messages) do
      Enum.reduce_while(messages, {[], session}, fn message, {frames, session} ->
        case Session.handle(session, message) do
          :ignore -> {:cont, {frames, session}}
          {:close, reason, more, _} -> {:halt, {:closed, reason, frames ++ more}}
          {more, session} -> {:cont, {frames ++ more, session}}
        end
      end)
    end

    test "a version of the packed format that nobody knows falls back to JSON" do
      {reply, _, _} = join!(start_room(), "tom", %{"format" => "packed", "versions" => [99]})
      assert reply["format"] == "json"
    end
  end

  describe "input" do
    test "is answered with its seq when it is in the log" do
      {_, _, session} = join!(start_room(), "tom")

      {[], session} =
        Session.input(session, "user_moved", %{"user_id" => "tom", "position" => [1, 2, 3]}, "1")

      {[], session} =
        Session.input(session, "user_moved", {:json, ~s({"user_id":"tom","position":[4,5,6]})}, "2")

      {{:ok, first}, session} = await(session, reply("1"))
      {{:ok, second}, _} = await(session, reply("2"))
      assert second["seq"] == first["seq"] + 1
    end

    test "needs a session that has joined, and a name" do
      session = Session.new(room: start_room(), user: "tom")
      moved = %{"user_id" => "tom"}

      for {event, payload} <- [{"user_moved", moved}, {"ack", %{"seq" => 1}}, {"input", {:binary, "frame"}}] do
        assert_raise ArgumentError, ~r/has not joined its room: call Roomfold.Session.join/, fn ->
          Session.input(session, event, payload, "1")
        end
      end

      {:ok, _, _, session} = Session.join(session, %{})

      assert_raise ArgumentError, ~r/name must be a string, got: :user_moved/, fn ->
        Session.input(session, :user_moved, moved)
      end
    end

    test "of what there is not is told what there is" do
      error = assert_raise ArgumentError, fn -> Session.new(room: "r", user: "tom", max_lag: 5) end

      for option <- [":max_lag]", ":room", ":user", ":fastlane", ":max_lag_ms"],
          do: assert(error.message =~ option)

      assert_raise ArgumentError, ~r/the options of a session are a keyword list, got the map/, fn ->
        Session.new(%{room: "r", user: "tom"})
      end
    end

    test "is answered behind the diff that has it, in one message" do
      {_, _, session} = join!(start_room(), "tom")
      {_, session} = await(session, push("diff"))

      for n <- 1..3, reduce: session do
        session ->
          payload = %{"user_id" => "tom", "position" => [n, 0, 0]}
          {[], session} = Session.input(session, "user_moved", payload, n)
          assert_receive {:roomfold, "room", {:update, _, [_]}} = message
          {[{:push, "diff", diff}, {:reply, ^n, :ok, reply}], session} = Session.handle(session, message)
          assert reply["seq"] == decoded(diff)["seq"]
          # What it was told before it came back does not count.
          assert {[], session} = Session.handle(session, message)
          session
      end
    end

    test "whose text the room joins with its name, is the same event as one that is joined before" do
      room = {start_rooms(room: [tick_ms: 5, grace_ms: 0]), "room"}
      {_, _, session} = join!(room, "tom")
      payloads = [~s({"user_id":"tom"}), ~s({ "user_id":"tom"}), ~s( {"user_id":"tom","position":[1,2,3]}\n)]

      # Another process, that tells when it is asked: who waits for an answer to a session leaves out what is not for it.
      me = self()

      subscriber =
        spawn_link(fn ->
          :ok = Room.subscribe(room)
          send(me, :subscribed)
          seen = for _ <- payloads, do: receive(do: ({"user_moved", payload} -> payload))
          receive do: (:tell -> send(me, {:seen, seen}))
        end)

      assert_receive :subscribed

      for payload <- payloads, reduce: session do
        session ->
          {{:ok, _}, session} = answer(session, "user_moved", {:json, payload})
          session
      end

      send(subscriber, :tell)
      assert_receive {:seen, seen}

      assert Enum.map(seen, &Map.drop(&1, ["seq", "at", "by"])) ==
               Enum.map(payloads, &Roomfold.JSON.decode!/1)

      fields = ~s({"a":{"b":[1]}})

      for name <- ["create", "update", "delete", "user_moved", "a.b:c-D9", ""] do
        assert Text.joinable?(name, fields)
        joined = Text.joined(name, fields)
        assert {:ok, Text.whole(joined)} == Text.event({name, {:json, fields}}, :elixir)
        assert Text.size(joined) == byte_size(Text.whole(joined))
      end

      for {name, text} <- [
            {~s(a"b), fields},
            {"é", fields},
            {<<255>>, fields},
            {:create, fields},
            {"create", "{}"},
            {"create", " " <> fields},
            {"create", "[1]"},
            {"create", [fields]}
          ],
          do: refute(Text.joinable?(name, text))
    end

    test "or refused with reason and field, and nothing has happened" do
      room = start_room()
      {_, _, session} = join!(room, "tom", %{}, max_input_bytes: 1_000)
      eventually(fn -> Room.get(room, "tom") end)

      for {event, payload, expected} <- [
            {"user_moved", %{"user_id" => "ann"}, %{"reason" => "not_owned", "field" => "user_id"}},
            {"user_left", %{"user_id" => "tom"}, %{"reason" => "not_allowed"}},
            {"user_moved", %{"user_id" => "tom", "position" => "x"},
             %{"reason" => "wrong_type", "component" => "position"}},
            {"user_moved", {:json, "{"}, %{"reason" => "unexpected_end", "offset" => 1}},
            {"user_moved", {:json, "[]"}, %{"reason" => "not_an_event"}},
            {"user_moved", {:json, String.duplicate(" ", 1_001)}, %{"reason" => "too_large"}},
            {"user_moved", {:binary, "x"}, %{"reason" => "unknown_version"}},
            {"", %{}, %{"reason" => "invalid_name"}},
            {"moon_landed", %{}, %{"reason" => "unknown_event"}}
          ],
          reduce: session do
        session ->
          {{status, answer}, session} = answer(session, event, payload)
          assert {status, Map.take(answer, Map.keys(expected))} == {:error, expected}
          session
      end

      assert Room.get(room, "tom") == %{}
    end

    test "where a client has the room's authority, is by the system, in one batch: what that client says so, and no other" do
      rooms = start_rooms(room: [rules: Roomfold.Rules.doom(), authority: :client, grace_ms: 0, tick_ms: 5])
      room = {rooms, "room"}
      :ok = Room.subscribe(room)
      {:ok, _} = Room.join(room, "ann")
      moved = &%{"event_name" => "monster_moved", "id" => &1, "position" => [1, 2, 3]}
      created = &%{"event" => "create", "entity_id" => &1, "components" => %{"kind" => "imp"}}
      batch = %{"events" => [created.("imp"), moved.("imp")]}

      # A process is one user of a room.
      tom =
        Task.async(fn ->
          {_, _, session} = join!(room, "tom")
          {[], session} = Session.input(session, "system", batch, "early")
          {{:error, refusal}, session} = await(session, reply("early"))
          receive do: (:go -> :ok)
          {_, session} = await(session, &match?({:push, "authority", %{"user" => "tom"}}, &1))
          {[], session} = Session.input(session, "system", {:json, Roomfold.JSON.encode!(batch)}, "late")
          {{:ok, answer}, _} = await(session, reply("late"))
          {refusal, answer}
        end)

      eventually(fn -> Room.get(room, "tom") end)
      :ok = Room.leave(room)
      send(tom.pid, :go)
      {refusal, %{"seq" => seq}} = Task.await(tom, 60_000)
      assert %{"reason" => "not_allowed", "message" => message} = refusal
      assert message =~ ~s(the room's authority is "ann", the sender is "tom")
      assert Room.get(room, "imp") == %{"kind" => "imp", "position" => [1.0, 2.0, 3.0]}

      before = seq - 1
      assert_received {"create", %{"seq" => ^before, "by" => "system", "entity_id" => "imp"}}
      assert_received {"monster_moved", %{"seq" => ^seq, "by" => "system"}}
    end

    test "by the system is refused with its reason: in a room that has the authority itself, and what is no list of events" do
      room = start_room(rules: Roomfold.Rules.doom())
      {_, _, session} = join!(room, "tom")

      for {payload, expected} <- [
            {%{"events" => [%{"event_name" => "monster_moved", "id" => "m", "position" => [0, 0, 0]}]},
             %{"reason" => "not_allowed"}},
            {%{}, %{"reason" => "invalid_argument", "field" => "events"}},
            {%{"events" => []}, %{"reason" => "invalid_argument", "field" => "events"}},
            {%{"events" => %{}}, %{"reason" => "invalid_argument", "field" => "events"}},
            {{:json, "[]"}, %{"reason" => "invalid_argument", "field" => "events"}},
            {{:json, ~s({"events")}, %{"reason" => "unexpected_end", "offset" => 9}},
            {%{"events" => [1]}, %{"reason" => "not_an_event"}},
            {%{"events" => [%{"event_name" => "monster_moved", "id" => "m"}, 1]},
             %{"reason" => "not_an_event", "index" => 1}},
            {%{"events" => [%{"id" => "m"}]}, %{"reason" => "not_an_event"}},
            {%{"events" => [%{"event_name" => "monster_moved", "by" => "ann"}]},
             %{"reason" => "reserved_field", "field" => "by"}}
          ],
          reduce: session do
        session ->
          {{status, answer}, session} = answer(session, "system", payload)
          assert {status, Map.take(answer, Map.keys(expected))} == {:error, expected}
          session
      end
    end

    defp answer(session, event, payload) do
      case Session.input(session, event, payload, "r") do
        {[{:reply, "r", status, answer}], session} -> {{status, answer}, session}
        {[], session} -> await(session, reply("r"))
      end
    end

    @names [
             "user_moved",
             "user_left",
             "user_joined",
             "create",
             "update",
             "delete",
             "",
             "nope",
             "phx_join",
             "system",
             "é",
             "\\",
             "\""
           ] ++
             ["user_moved\n", "user_moved\0", "\xFF", String.duplicate("n", 256), ~s(x","event":"delete)]

    # Of which no room takes anything, whatever the event's name. (With a name that is none, nothing of anything.)
    defp unusable do
      deep = fn levels -> String.duplicate("[", levels) <> String.duplicate("]", levels) end
      tom = &Map.merge(%{"user_id" => "tom"}, &1)
      text = &{:json, ~s({"user_id":"tom",) <> &1 <> "}"}

      [1, -1.5, nil, true, "text", [], [1], [%{}], {:binary, ""}, {:binary, <<255, 0, 1>>}] ++
        [
          {:binary, String.duplicate(<<1>>, 70_000)},
          %{"user_id" => nil},
          %{"user_id" => 7},
          %{"user_id" => ["tom"]}
        ] ++
        [%{"user_id" => ""}, %{"user_id" => "ann"}, %{"user_id" => "TOM"}, %{"user_id" => "tom\0"}] ++
        [tom.(%{"seq" => 1}), tom.(%{"at" => 1}), tom.(%{"by" => "system"}), tom.(%{"event" => "delete"})] ++
        [
          tom.(%{"event_name" => "user_left"}),
          tom.(%{"pose" => String.duplicate("x", 20_000)}),
          tom.(%{"pose" => 2 ** 80})
        ] ++
        [
          tom.(%{"position" => [1, 2]}),
          tom.(%{"position" => [nil, 0, 0]}),
          tom.(%{"position" => [1.0e300, 0, 0]})
        ] ++
        [
          {:json, ""},
          {:json, " "},
          {:json, "{"},
          {:json, "}"},
          {:json, "null"},
          {:json, "[]"},
          {:json, "{}{}"}
        ] ++
        [{:json, ~s({"us\\u0065r_id":"ann"})}, {:json, [~s({"user_id":), ~s("ann"})]}, {:json, "\uFEFF{}"}] ++
        [
          text.(""),
          text.(~s("user_id":"tom")),
          text.(~s("x":01)),
          text.(~s("x":1e999)),
          text.(~s("x":"\x01"))
        ] ++
        [text.(~s("x":"\\ud800")), text.(~s("x":") <> <<0xC0, 0x80>> <> ~s(")), text.(~s("x":#{deep.(70)}))] ++
        [
          text.(~s("x":#{deep.(20_000)})),
          {:json, ~s({"user_id":"tom"}\n{"user_id":"tom"})},
          {:json, String.duplicate(" ", 70_000)}
        ]
    end

    defp unusable_entities do
      ids = [
        nil,
        7,
        [],
        %{},
        "",
        "ann",
        "nobody",
        "\0",
        <<0xFF>>,
        String.duplicate("i", 256),
        String.duplicate("i", 10_000)
      ]

      not_tom =
        for id <- ids,
            components <- [%{}, %{"owner" => "ann"}, %{"kind" => "projectile", "owner" => 7}],
            do: {id, components}

      odd =
        for components <- [nil, 7, "x", [], %{"" => 1}, %{"id" => 1}, %{"position" => "x"}],
            do: {"tom", components}

      for {names, pairs} <- [{~w(create update delete), not_tom}, {~w(create update), odd}],
          name <- names,
          {id, components} <- pairs do
        {name, %{"entity_id" => id, "components" => components}}
      end
    end

    test "whatever it is, is answered with a reason and a message, and the room is as it was" do
      for systems <- [[], [Roomfold.Systems.Triggers, Roomfold.Systems.Projectiles, Roomfold.Systems.Shots]] do
        many = [events_per_s: 100_000, bytes_per_s: 100_000_000]
        room = start_room(systems: systems, user_events_per_s: 100_000, user_bytes_per_s: 100_000_000)
        {:ok, _} = Room.publish(room, {"user_joined", %{"user_id" => "ann", "position" => [1, 2, 3]}})
        {_, _, session} = join!(room, "tom", %{}, [max_waiting: 10_000] ++ many)
        before = eventually(fn -> Room.get(room, "tom") && Room.snapshot(room) end)
        sent = for(name <- @names, payload <- unusable(), do: {name, payload}) ++ unusable_entities()

        {at_once, session} =
          Enum.flat_map_reduce(Enum.with_index(sent), session, fn {{name, payload}, ref}, session ->
            Session.input(session, name, payload, ref)
          end)

        answers = answers(session, length(sent) - length(at_once), at_once)
        assert length(answers) == length(sent)

        for {:reply, ref, status, answer} <- answers do
          assert {status, %{"reason" => <<_, _::binary>>, "message" => message}} = {status, answer},
                 inspect(Enum.at(sent, ref))

          assert {:error, true} == {status, String.valid?(message)}, inspect(Enum.at(sent, ref))
        end

        assert {Room.snapshot(room), Room.seq(room), Room.info(room).failed} == {before, 2, 0}
      end
    end

    defp answers(_, 0, answers), do: answers

    defp answers(session, left, answers) do
      receive do
        message ->
          with {frames, session} <- Session.handle(session, message) do
            more = for {:reply, _, _, _} = reply <- frames, do: reply
            answers(session, left - length(more), more ++ answers)
          else
            :ignore -> answers(session, left, answers)
          end
      after
        30_000 -> flunk("#{left} answers did not come")
      end
    end

    test "floods are shed here, before the room" do
      room = start_room()
      {_, _, session} = join!(room, "tom", %{}, events_per_s: 1, burst_s: 5)

      {answers, _} =
        Enum.map_reduce(1..50, session, fn n, session ->
          Session.input(session, "user_moved", %{"user_id" => "tom"}, n)
        end)

      assert Enum.count(answers, &match?([{:reply, _, :error, %{"reason" => "rate_limited"}}], &1)) >= 40
    end

    test "so are few messages of many bytes" do
      {_, _, session} = join!(start_room(), "tom", %{}, bytes_per_s: 300, burst_s: 1)
      long = {:json, ~s({"user_id":"tom","x":"#{String.duplicate("x", 200)}"})}
      assert {[], session} = Session.input(session, "user_moved", long, "1")

      assert {[{:reply, "2", :error, %{"reason" => "rate_limited"}}], _} =
               Session.input(session, "user_moved", long, "2")
    end

    test "so is a flood of what is no list of events by the system" do
      {_, _, session} = join!(start_room(), "tom", %{}, events_per_s: 1, burst_s: 10)

      {reasons, _} =
        Enum.map_reduce(1..30, session, fn _, session ->
          {[{:reply, "r", :error, answer}], session} = Session.input(session, "system", %{}, "r")
          {answer["reason"], session}
        end)

      assert {"invalid_argument", "rate_limited"} == {hd(reasons), List.last(reasons)}
    end

    test "so are floods of acknowledgements, and nothing is lost by that: the next one counts for all" do
      room = start_room()
      {_, _, session} = join!(room, "tom", %{}, events_per_s: 1, burst_s: 5, max_unacknowledged: 5_000)

      # Whatever is in them.
      for payload <- [%{"seq" => 0}, {:json, ~s({"seq":0})}, %{"seq" => "no"}, {:json, "nonsense"}] do
        {answers, flooded} = Enum.map_reduce(1..50, session, &Session.input(&2, "ack", payload, &1))
        assert Enum.count(answers, &match?([{:reply, _, :error, %{"reason" => "rate_limited"}}], &1)) >= 40
        assert {[], _} = Session.input(flooded, "ack", payload)
      end

      # Bytes count, too.
      {_, _, few} = join!(room, "tom", %{}, bytes_per_s: 1, burst_s: 100)
      long = {:json, ~s({"seq":0,"x":"#{String.duplicate("x", 100)}"})}

      assert {[{:reply, "r", :error, %{"reason" => "rate_limited"}}], _} =
               Session.input(few, "ack", long, "r")

      # Events are another matter: who sends too many of them can still acknowledge.
      {_, session} =
        Enum.map_reduce(1..50, session, &Session.input(&2, "user_moved", %{"user_id" => "tom"}, &1))

      assert session.backlog.bytes > 0
      {[], session} = Session.input(session, "ack", %{"seq" => session.seq})
      assert session.backlog.bytes == 0
    end

    test "so are too many that wait for their answers" do
      {_, _, session} = join!(start_room(tick_ms: 60_000), "tom", %{}, max_waiting: 3)

      {answers, _} =
        Enum.map_reduce(1..5, session, &Session.input(&2, "user_moved", %{"user_id" => "tom"}, &1))

      assert [[], [], [], [{:reply, 4, :error, %{"reason" => "overloaded"}}], _] = answers
    end
  end

  describe "what a client has" do
    test "is what a diff begins with: where one was missed it gets all from there" do
      {_, _, session} = join!(room = start_room(), "tom")
      {_, session} = await(session, push("diff"))
      had = session.seq
      for user <- ["ann", "bob"], do: {:ok, _} = Room.publish(room, {"user_joined", %{"user_id" => user}})
      updates = for _ <- 1..2, do: assert_receive({:roomfold, _, {:update, _}})
      assert {[{:push, "diff", diff}], session} = Session.handle(session, List.last(updates))
      assert %{"from" => ^had, "seq" => seq, "creates" => %{"ann" => _, "bob" => _}} = decoded(diff)
      assert session.seq == seq
    end

    test "and has sent, and was not answered when the room broke down, it is told" do
      room = {start_rooms(room: [tick_ms: 60_000]), "1"}
      {_, _, session} = join!(room, "tom")
      {[], session} = Session.input(session, "user_moved", %{"user_id" => "tom"}, "r")
      Process.exit(session.pid, :kill)
      monitor = session.monitor
      down = receive do: ({:DOWN, ^monitor, _, _, _} = down -> down)

      assert {[{:reply, "r", :error, %{"reason" => "room_closed"}} | _], session} =
               Session.handle(session, down)

      assert session.waiting == %{}
    end

    test "and has not read: it is sent something again when half of what it may leave is left" do
      backlog = Backlog.new() |> Backlog.sent(1, 600) |> Backlog.sent(2, 500) |> Backlog.lags(0)
      refute Backlog.caught_up?(backlog, 1_000)
      backlog = Backlog.acknowledged(backlog, 1)
      assert Backlog.caught_up?(backlog, 1_000)
      refute Backlog.caught_up?(backlog, 999)
      refute backlog |> Backlog.catches_up() |> Backlog.caught_up?(1_000)
    end
  end

  describe "events and presence" do
    test "events come beside the diff if they were asked for, without those that a diff tells" do
      room = start_room(rules: Roomfold.Rules.doom())
      {_, _, session} = join!(room, "tom", %{"events" => true})

      Room.publish(room, [
        {"player_moved", %{"user_id" => "tom", "position" => [1, 0, 0]}},
        {"door_triggered", %{"id" => "gate"}}
      ])

      {%{"events" => events}, session} = await(session, push("events"))
      {names, _} = collect(events, session)
      assert "door_triggered" in names
      refute "player_moved" in names
    end

    defp collect(events, session) do
      names = Enum.map(events, & &1["event_name"])

      if "door_triggered" in names do
        {names, session}
      else
        {%{"events" => events}, session} = await(session, push("events"))
        {more, session} = collect(events, session)
        {names ++ more, session}
      end
    end

    test "who is here, who comes and who goes" do
      room = start_room(grace_ms: 0)
      {_, frames, session} = join!(room, "tom", %{"presence" => true})
      assert [_, {:push, "presence_state", %{"tom" => %{"metas" => [_]}}}] = frames
      pid = spawn_link(fn -> Room.join(room, "ann") && receive(do: (:go -> Room.leave(room))) end)
      {%{"joins" => joins}, session} = await(session, push("presence_diff"))
      assert Map.keys(joins) == ["ann"]
      send(pid, :go)
      {%{"leaves" => leaves}, _} = await(session, push("presence_diff"))
      assert Map.keys(leaves) == ["ann"]
    end

    test "leaving" do
      room = start_room(grace_ms: 10_000)
      {_, _, session} = join!(room, "tom")
      eventually(fn -> Room.get(room, "tom") end)
      assert Session.leave(session) == :ok
      eventually(fn -> Room.get(room, "tom") == nil end)
      assert Session.leave(Session.new(room: room, user: "tom")) == :ok
    end
  end

  describe "a slow reader" do
    defp publish(room, n) do
      {:ok, _} =
        Room.publish(
          room,
          {"update",
           %{"entity_id" => "tom", "components" => %{"text" => "#{n}" <> String.duplicate("x", 2_000)}}}
        )
    end

    # Everything that comes up to a seq.
    defp drain(session, seq, frames \\ []) do
      receive do
        {:roomfold, _, what} = message ->
          case Session.handle(session, message) do
            {more, session} ->
              if match?({:update, %{seq: ^seq}}, what),
                do: {frames ++ more, session},
                else: drain(session, seq, frames ++ more)

            {:close, reason, more, session} ->
              {:closed, reason, frames ++ more, session}
          end
      end
    end

    test "gets no more until it has caught up, then all of it at once" do
      room = start_room()
      {_, _, session} = join!(room, "tom", %{}, max_unacknowledged: 5_000)
      for n <- 1..10, do: publish(room, n)
      {frames, session} = drain(session, Room.seq(room))
      seqs = for {:push, "diff", payload} <- frames, do: decoded(payload)["seq"]
      assert length(seqs) < 10
      refute List.last(seqs) == Room.seq(room)

      {[{:push, kind, payload}], session} = Session.input(session, "ack", %{"seq" => List.last(seqs)})
      missed = decoded(payload)
      assert missed["seq"] == Room.seq(room)
      assert kind == "snapshot" or missed["from"] == List.last(seqs)
      assert (state(missed)["tom"] || missed["updates"]["tom"])["text"] =~ "10x"

      # And goes on as before.
      publish(room, 11)
      {diff, _} = await(session, push("diff"))
      assert diff["from"] == missed["seq"]
    end

    test "is closed, with a reason, when that takes too long" do
      room = start_room()
      opts = [max_unacknowledged: 3_000, max_lag_ms: 20, link: StoppedClock]
      {_, _, session} = join!(room, "tom", %{}, opts)
      for n <- 1..6, do: publish(room, n)
      {_, session} = drain(session, Room.seq(room))
      StoppedClock.set(20)
      publish(room, 7)
      {_, session} = drain(session, Room.seq(room))
      StoppedClock.set(21)
      # Its own event is answered before that.
      {[], session} =
        Session.input(session, "user_moved", %{"user_id" => "tom", "position" => [1, 2, 3]}, "8")

      assert {:closed, "too_slow", frames, _} = drain(session, :none)

      assert [{:reply, "8", :ok, %{"seq" => seq}}, {:push, "closing", %{"reason" => "too_slow"}}] = frames
      assert seq == Room.seq(room)
    end

    # One whose client has just acknowledged all that it was sent, while the room does not answer; and what it is to be reminded of.
    defp unanswered(times) do
      room = start_room()
      {_, _, session} = join!(room, "tom", %{}, max_unacknowledged: 3_000, link: StoppedClock)
      for n <- 1..6, do: publish(room, n)
      {frames, session} = drain(session, Room.seq(room))
      acked = List.last(for {:push, _, payload} <- frames, do: decoded(payload)["seq"])
      StoppedClock.deaf(times)
      assert {[], session} = Session.input(session, "ack", %{"seq" => acked})
      assert_received {:later, {:roomfold, "room", {:ask_again, _, _}} = again, 1_000}
      {room, session, acked, again}
    end

    test "is brought up to date later if the room does not answer, though nothing more happens in it" do
      {room, session, acked, again} = unanswered(1)
      {[{:push, kind, payload}], session} = Session.handle(session, again)
      assert decoded(payload)["seq"] == Room.seq(room)
      assert kind == "snapshot" or decoded(payload)["from"] == acked
      # Once.
      assert {[], ^session} = Session.handle(session, again)
      refute_received {:later, _, _}
    end

    test "is brought up to date with whatever happens next, and is not too slow" do
      {room, session, acked, _} = unanswered(1)
      publish(room, 7)
      assert_receive {:roomfold, "room", {:update, _}} = message
      assert {[{:push, _, payload}], session} = Session.handle(session, message)
      assert decoded(payload)["seq"] == Room.seq(room) and Room.seq(room) > acked
      assert session.backlog.lagging == nil
    end

    test "waits for the word that the room has ended, if it has" do
      {room, session, _, again} = unanswered(1)
      GenServer.stop(room)
      assert {[], session} = Session.handle(session, again)
      assert_receive {:DOWN, _, _, _, _} = down
      assert {:close, _, [{:push, "closing", _}], _} = Session.handle(session, down)
    end

    test "is closed, with the reason, if it does not answer then, either" do
      {_, session, _, again} = unanswered(2)

      assert {:close, "overloaded", [{:push, "closing", %{"reason" => "overloaded"}}], _} =
               Session.handle(session, again)
    end

    test "is asked for once, however often that fails, and not by what was meant for an earlier life of the room" do
      {room, session, acked, again} = unanswered(2)
      assert {[], session} = Session.input(session, "ack", %{"seq" => acked})
      refute_received {:later, _, _}
      {:roomfold, id, {:ask_again, term, number}} = again
      assert {[], ^session} = Session.handle(session, {:roomfold, id, {:ask_again, term - 1, number}})
      # What has come by itself meanwhile is not asked for.
      assert {[{:push, _, payload}], session} = Session.input(session, "ack", %{"seq" => acked})
      assert decoded(payload)["seq"] == Room.seq(room)
      assert {[], ^session} = Session.handle(session, again)
    end

    test "an acknowledgement that is none" do
      {_, _, session} = join!(start_room(), "tom")

      assert {[{:reply, "r", :error, %{"reason" => "invalid_seq"}}], _} =
               Session.input(session, "ack", %{"seq" => "1"}, "r")

      for payload <- [%{}, %{"seq" => 1.5}, %{"seq" => nil}, [1], 7, nil, {:json, "[]"}, {:json, "7"}] do
        assert {[{:reply, "r", :error, %{"reason" => "invalid_seq", "field" => "seq"}}], ^session} =
                 session |> Session.input("ack", payload, "r") |> but_for_its_limit(session)
      end

      assert {[], _} = Session.input(session, "ack", {:json, "nonsense"})
      long = {:json, ~s({"seq":1,"x":"#{String.duplicate("x", 70_000)}"})}

      assert {[{:reply, "r", :error, %{"reason" => "too_large"}}], _} =
               Session.input(session, "ack", long, "r")
    end
  end

  defp but_for_its_limit({frames, session}, was), do: {frames, %{session | ack_limit: was.ack_limit}}

  describe "the room" do
    test "crashes: its clients are back in it, without a gap" do
      rooms = start_rooms(room: [tick_ms: 5])
      room = {rooms, "1"}
      {_, _, session} = join!(room, "tom")
      {diff, session} = await(session, push("diff"))
      Process.exit(Room.whereis(room), :kill)

      # What it is to say when it comes back by itself.
      term = session.term
      {%{"term" => next}, session} = await(session, push("term"))
      assert next > term and session.term == next

      {diff, session} =
        if session.seq > diff["seq"], do: {%{"seq" => session.seq}, session}, else: {diff, session}

      assert session.seq >= diff["seq"]
      assert Room.get(room, "tom") == %{}

      {:ok, seq} =
        Room.publish(room, {"user_moved", %{"user_id" => "tom", "position" => [1, 2, 3]}}, by: "tom")

      {diff, _} = await(session, push("diff"))
      assert diff["seq"] == seq
    end

    test "that has been overtaken serves nobody who comes from a newer term, and stops" do
      rooms = start_rooms()
      room = {rooms, "1"}
      {reply, _, session} = join!(room, "tom")
      pid = Room.whereis(room)
      # Somebody else's, on the other side of a split.
      {:ok, %{term: newer}} = Roomfold.EventLog.claim(Rooms.log(rooms), "1")
      assert newer > reply["term"]
      again = Session.new(room: room, user: "tom")

      assert {:error, %{"reason" => "old_term"}} =
               Session.join(again, %{"last_seq" => 0, "last_term" => newer})

      assert_receive {:DOWN, _, _, ^pid, {:shutdown, :old_term}}
      _ = session
    end

    test "asks its log, so that nobody can stop it by a lie" do
      rooms = start_rooms()
      {_, _, session} = join!({rooms, "1"}, "tom")
      pid = Room.whereis({rooms, "1"})
      liar = Session.new(room: {rooms, "1"}, user: "eve")

      lie = Room.info({rooms, "1"}).term + 1_000_000
      lies = fn -> Session.join(liar, %{"last_seq" => 5, "last_term" => lie}) end
      assert {:ok, _, [{:push, "snapshot", _} | _], _} = Task.await(Task.async(lies), 60_000)

      assert Room.whereis({rooms, "1"}) == pid
      _ = session
    end

    test "is one of several that a process is in: a session leaves alone what another room sends" do
      rooms = start_rooms(room: [tick_ms: 5])
      {_, _, one} = join!({rooms, "1"}, "tom", %{"presence" => true})
      {_, _, two} = join!({rooms, "2"}, "tom", %{"presence" => true})
      ann = Task.async(fn -> Room.join({rooms, "2"}, "ann") end)
      {:ok, _} = Task.await(ann, 60_000)

      for id <- ["1", "2"],
          do: {:ok, _} = Room.publish({rooms, id}, {"user_joined", %{"user_id" => "in #{id}"}})

      sessions = handled([one, two], [Room.seq({rooms, "1"}), Room.seq({rooms, "2"})])
      assert [["diff"], told] = for({_, events} <- sessions, do: Enum.uniq(events))
      assert Enum.sort(told) == ["diff", "presence_diff"]
      # Nor does a session that has not joined take anything.
      send(self(), {:roomfold, "1", {:presence, ["eve"], []}})
      assert Session.handle(Session.new(room: {rooms, "1"}, user: "tom"), {:roomfold, "1", :again}) == :ignore
    end

    # As a host does it: each message goes to one session after the other, until one takes it.
    defp handled(sessions, seqs, events \\ [[], []]) do
      if Enum.zip_with(sessions, seqs, &(&1.seq >= &2)) == [true, true] do
        Enum.zip(sessions, events)
      else
        receive do
          message ->
            {at, frames, session} =
              sessions
              |> Enum.with_index()
              |> Enum.find_value(fn {session, at} ->
                with {frames, session} <- Session.handle(session, message),
                     do: {at, frames, session},
                     else: (_ -> nil)
              end)

            pushed = for {:push, event, _} <- frames, do: event
            handled(List.replace_at(sessions, at, session), seqs, List.update_at(events, at, &(&1 ++ pushed)))
        after
          30_000 -> flunk("a session did not get what its room sent: #{inspect({seqs, events})}")
        end
      end
    end

    test "stops for good: what waits is answered, and the connection closed" do
      room = start_room(tick_ms: 1_000)
      {_, _, session} = join!(room, "tom")
      {[], session} = Session.input(session, "user_moved", %{"user_id" => "tom"}, "1")
      Room.stop(room)
      assert_receive {:DOWN, _, _, _, _} = down
      assert {:close, "no_room", frames, _} = Session.handle(session, down)

      assert [
               {:reply, "1", :error, %{"reason" => "room_closed"}},
               {:push, "closing", %{"reason" => "no_room"}}
             ] = frames
    end
  end

  test "wrong options are named at once" do
    for {name, value} <- [
          max_input_bytes: "x",
          max_waiting: -1,
          max_unacknowledged: nil,
          max_lag_ms: 1.5,
          events_per_s: 0,
          bytes_per_s: -1,
          burst_s: "2",
          fastlane: self()
        ] do
      assert_raise ArgumentError, ~r/#{inspect(name)} must be/, fn ->
        Session.new([{name, value}, room: "any", user: "tom"])
      end
    end
  end
end
