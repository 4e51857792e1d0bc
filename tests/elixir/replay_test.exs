defmodule Roomfold.ReplayTest do
  use Roomfold.RoomsCase, async: true

  alias Roomfold.{EventLog, Replay, Rules}

  defp create(id, components \\ %{}), do: {"create", %{"entity_id" => id, "components" => components}}
  defp move(x), do: {"user_moved", %{"user_id" => "tom", "position" => [x, 0, 0]}}

  defp walked(opts \\ []) do
    rooms = start_rooms(room: [tick_ms: 2, snapshot_every: 7] ++ opts)
    room = {rooms, "walk"}
    {:ok, 1} = Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
    for x <- 2..20, do: {:ok, ^x} = Room.publish(room, move(x))
    room
  end

  describe "the past of a room" do
    test "the world at any seq, whether the room runs or not" do
      room = walked()

      for stopped <- [false, true] do
        if stopped, do: Room.stop(room)

        for seq <- 0..20 do
          {:ok, world} = Room.state_at(room, seq)
          assert World.seq(world) == seq

          expected =
            if seq > 1,
              do: %{"tom" => %{"position" => [seq * 1.0, 0.0, 0.0]}},
              else: if(seq == 1, do: %{"tom" => %{}}, else: %{})

          assert World.snapshot(world) == expected
        end
      end

      assert {:error, %Error{reason: :seq_ahead}} = Room.state_at(room, 21)
    end

    test "what changed between any two points brings the one to the other" do
      room = walked()

      for a <- 0..20//3, b <- a..20//4 do
        {:ok, from} = Room.state_at(room, a)
        {:ok, to} = Room.state_at(room, b)
        {:ok, diff} = Room.diff(room, a, b)
        {:ok, world, _} = World.apply_diff(from, diff)
        assert World.snapshot(world) == World.snapshot(to)
      end

      assert {:error, %Error{reason: :invalid_argument}} = Room.diff(room, 3, 2)
      assert {:error, %Error{reason: :seq_ahead}} = Room.diff(room, 3, 21)
      assert {:error, %Error{reason: :seq_ahead}} = Room.diff(room, 3, 1_048_579)
      assert {:error, %Error{reason: :history_gone}} = Room.diff(room, 3, 1_048_580)
    end

    test "a room that never was has none, and is not made by the question; one that has begun has an empty one" do
      rooms = start_rooms()
      nowhere = {rooms, "nowhere"}

      for answer <- [
            Room.state_at(nowhere, 0),
            Room.state_at(nowhere, 3),
            Room.diff(nowhere, 0, 0),
            Room.diff(nowhere, 0, 3),
            Room.fork(nowhere, 0),
            Room.refold(nowhere, Rules.xr()),
            Room.hashes(nowhere, 1),
            Room.replay(nowhere)
          ] do
        assert {:error, %Error{reason: :no_room}} = answer
      end

      assert Room.whereis(nowhere) == nil
      assert Room.get(nowhere, "tom") == nil
      assert is_pid(Room.whereis(nowhere))
      assert {:ok, world} = Room.state_at(nowhere, 0)
      assert World.snapshot(world) == %{}
      assert {:error, %Error{reason: :seq_ahead}} = Room.state_at(nowhere, 3)
    end

    test "a fork goes its own way" do
      room = walked()
      {:ok, fork} = Room.fork(room, 10)
      assert Room.get(fork, "tom") == %{"position" => [10.0, 0.0, 0.0]}
      assert {:ok, 11} = Room.publish(fork, move(-1))
      assert Room.get(room, "tom") == %{"position" => [20.0, 0.0, 0.0]}
      assert {:error, %Error{reason: :invalid_argument}} = Room.fork(room, 10, id: elem(fork, 1))
      assert {:error, %Error{reason: :seq_ahead}} = Room.fork(room, 100)
      assert {:error, %Error{reason: :no_room}} = Room.fork({elem(room, 0), "nowhere"}, 0)
    end

    test "other rules: the first event that makes another world" do
      room = walked()
      assert Room.refold(room, Rules.xr()) == :same
      assert Room.refold(room, Rules.merge(Rules.xr(), Rules.doom())) == :same

      rules =
        Rules.new!(%{
          "user_joined" => [{:create, "user_id", %{}}],
          "user_moved" => [{:update, "user_id", %{"pose" => {:field, "pose"}}}]
        })

      for every <- [1, 3, 1_000] do
        assert {:different, %{seq: 2, event: %{"event_name" => "user_moved"}, ours: ours, theirs: theirs}} =
                 Room.refold(room, rules, every: every)

        assert {ours["updates"], theirs["updates"]} == {%{"tom" => %{"position" => [2.0, 0.0, 0.0]}}, %{}}
      end
    end

    defp refolded(room, ours, theirs, events, opts \\ []) do
      {:ok, _} = Room.ensure_started(room, rules: Rules.new!(ours))
      {:ok, _} = Room.publish(room, events)
      Room.refold(room, Rules.new!(theirs), opts)
    end

    test "other rules: what differs in between is found where every event is compared" do
      room = {start_rooms(room: [tick_ms: 2]), "t"}
      ours = %{"came" => [{:create, "id", %{}}], "left" => [{:delete, "id"}]}
      theirs = %{ours | "came" => [{:create, "id", %{"x" => {:value, 1}}}]}
      events = for name <- ["came", "left"], do: {name, %{"id" => "tom"}}
      assert {:different, %{seq: 1}} = refolded(room, ours, theirs, events, every: 1)
      assert Room.refold(room, Rules.new!(theirs)) == :same
    end

    test "other rules: an integer and a float are two values" do
      room = {start_rooms(room: [tick_ms: 2]), "t"}
      rules = fn x -> %{"came" => [{:create, "id", %{"x" => {:value, x}}}]} end

      assert {:different, %{seq: 1, ours: ours, theirs: theirs}} =
               refolded(room, rules.(1), rules.(1.0), [{"came", %{"id" => "tom"}}])

      assert {ours["creates"]["tom"]["x"], theirs["creates"]["tom"]["x"]} === {1, 1.0}
    end

    test "other rules: not how a world came about is compared, but what it is" do
      room = {start_rooms(room: [tick_ms: 2]), "t"}

      rules = fn points, z ->
        %{
          "came" => [{:create, "id", %{"x" => {:value, 1}}}],
          "scored" => points,
          "ended" => [{:update, "id", %{"z" => {:value, z}}}]
        }
      end

      ours = rules.([{:create, "id", %{"x" => {:value, 1}, "y" => {:value, 1}}}], 1)
      theirs = rules.([{:update, "id", %{"y" => {:value, 1}}}], 2)
      events = for name <- ["came", "scored", "ended"], do: {name, %{"id" => "tom"}}
      assert {:different, %{seq: 3}} = refolded(room, ours, theirs, events)
    end

    test "wrong options of fork and refold are named" do
      room = walked()

      for {call, message} <- [
            {fn -> Room.refold(room, Rules.xr(), evry: 1) end, "[:evry]"},
            {fn -> Room.refold(room, Rules.xr(), every: 0) end,
             ":every must be a whole number above 0, got: 0"},
            {fn -> Room.refold(room, Rules.xr(), every: -1) end, ":every must be"},
            {fn -> Room.refold(room, Rules.xr(), every: "x") end, ":every must be"},
            {fn -> Room.fork(room, 1, ident: "x") end, "[:ident]"}
          ] do
        assert assert_raise(ArgumentError, call).message =~ message
      end
    end

    test "hashes of the state" do
      room = walked()
      {:ok, hashes} = Room.hashes(room, 8)
      assert Enum.map(hashes, &elem(&1, 0)) == [8, 16, 20]
      {:ok, fork} = Room.fork(room, 16)
      {:ok, others} = Room.hashes(fork, 8)
      assert others == Enum.take(hashes, 2)
      Room.publish(fork, move(-1))
      Room.publish(fork, move(17))
      {:ok, others} = Room.hashes(fork, 17)
      {:ok, hashes} = Room.hashes(room, 17)
      refute hd(others) == hd(hashes)
    end

    test "old events are read as they would be written today" do
      rooms = start_rooms(room: [tick_ms: 2, snapshot_every: 0])
      old = Rules.new!(%{"spawn" => [{:create, "id", %{"position" => {:field, "at_place"}}}]})
      new = Rules.new!(%{"user_spawned" => [{:create, "user_id", %{"position" => {:field, "position"}}}]})
      {:ok, pid} = Room.start_link(id: "old", rooms: rooms, rules: old)
      {:ok, 1} = Room.publish(pid, {"spawn", %{"id" => "tom", "at_place" => [1, 2, 3]}})
      # As if it had crashed: no snapshot was kept.
      Process.unlink(pid)
      Process.exit(pid, :kill)

      upcast = fn
        %{"event_name" => "spawn"} = event ->
          event
          |> Map.drop(["id", "at_place"])
          |> Map.merge(%{
            "event_name" => "user_spawned",
            "user_id" => event["id"],
            "position" => event["at_place"]
          })

        event ->
          event
      end

      eventually(fn -> Room.whereis({rooms, "old"}) == nil end)
      {:ok, _} = Room.ensure_started({rooms, "old"}, rules: new, upcasters: [upcast])
      assert Room.get({rooms, "old"}, "tom") == %{"position" => [1.0, 2.0, 3.0]}
    end

    test "upcasters know what an event was written in; snapshots of other rules are left alone" do
      rooms = start_rooms(room: [tick_ms: 2, snapshot_every: 2])
      room = {rooms, "old"}
      points = fn by -> Rules.new!(%{"scored" => [{:create, "id", %{"points" => {:field, by}}}]}) end
      score = fn n -> {"scored", %{"id" => "tom", "points" => n, "deci" => n * 10}} end

      {:ok, _} = Room.ensure_started(room, rules: points.("points"))
      for n <- 1..5, do: {:ok, ^n} = Room.publish(room, score.(n))
      :ok = Room.stop(room)

      # Version 2 says tenths, under another name.
      upcast = fn
        event, %{"rules" => 1} -> Map.put(event, "tenths", event["points"] * 10)
        event, %{"rules" => 2, "schema" => 1} -> event
      end

      new = [rules: points.("tenths"), rules_version: 2, upcasters: [upcast]]
      {:ok, _} = Room.ensure_started(room, new)
      assert Room.get(room, "tom") == %{"points" => 50}
      {:ok, 6} = Room.publish(room, {"scored", %{"id" => "tom", "tenths" => 61}})
      assert Room.get(room, "tom") == %{"points" => 61}

      for {seq, expected} <- [{2, 20}, {5, 50}, {6, 61}] do
        {:ok, world} = Room.state_at(room, seq)
        assert World.get(world, "tom") == %{"points" => expected}
      end

      {:ok, replay} = Room.replay(room, paused: true)
      :ok = Replay.seek(replay, 3)
      assert Room.get(replay, "tom") == %{"points" => 30}
      :ok = Room.stop(room)

      # Where the events are gone, the snapshot is what there is.
      log = Rooms.log(rooms)
      :ok = Roomfold.EventLog.trim(log, "old", 7)
      {:ok, _} = Room.ensure_started(room, Keyword.put(new, :rules_version, 3))
      assert Room.get(room, "tom") == %{"points" => 61}
    end

    test "of a trimmed log, too, the events that are left are folded by the rules of today" do
      rooms = start_rooms(room: [tick_ms: 1, snapshot_every: 2])
      room = {rooms, "old"}
      by = &Rules.new!(%{"scored" => [{:create, "id", %{}}, {:update, "id", %{"points" => {:value, &1}}}]})
      {:ok, _} = Room.ensure_started(room, rules: by.(1))
      for n <- 1..8, do: {:ok, ^n} = Room.publish(room, {"scored", %{"id" => "u#{n}"}})
      :ok = Room.stop(room)
      log = Rooms.log(rooms)
      {:ok, {4, _}} = EventLog.snapshot(log, "old", 5)
      :ok = EventLog.trim(log, "old", 5)

      {:ok, _} = Room.ensure_started(room, rules: by.(10), rules_version: 2)
      points = fn entities -> for n <- 1..8, it = entities["u#{n}"], do: it["points"] end
      # There is one snapshot below the first event that is left, by the rules of then.
      assert points.(Room.snapshot(room)) == [1, 1, 1, 1, 10, 10, 10, 10]
      {:ok, world} = Room.state_at(room, 7)
      assert points.(World.snapshot(world)) == [1, 1, 1, 1, 10, 10, 10]
      {:ok, replay} = Room.replay(room, speed: 100)
      eventually(fn -> Replay.info(replay).seq == 8 end)
      assert Room.snapshot(replay) == Room.snapshot(room)
      :ok = Replay.pause(replay)
      assert Replay.seek(replay, 6) == :ok
      assert points.(Room.snapshot(replay)) == [1, 1, 1, 1, 10, 10]
    end

    test "the events of a fork are read as those of the original" do
      rooms = start_rooms(room: [tick_ms: 2, snapshot_every: 0])
      log = Rooms.log(rooms)
      upcast = fn event, versions -> Map.put(event, "was", versions["rules"]) end
      rules = Rules.new!(%{"came" => [{:create, "id", %{"was" => {:field, "was"}}}]})

      for version <- 1..3 do
        {:ok, _} =
          Room.ensure_started({rooms, "old"}, rules: rules, upcasters: [upcast], rules_version: version)

        for n <- 1..2, do: {:ok, _} = Room.publish({rooms, "old"}, {"came", %{"id" => "#{version}.#{n}"}})
        :ok = Room.stop({rooms, "old"})
      end

      {:ok, %{versions: versions}} = EventLog.head(log, "old")
      assert [{1, _}, {3, _}, {5, _}] = versions

      for {seq, count} <- [{6, 3}, {5, 3}, {4, 2}, {1, 1}, {0, 1}] do
        {:ok, {_, fork}} = Room.fork({rooms, "old"}, seq)
        assert {:ok, %{seq: ^seq, versions: copied}} = EventLog.head(log, fork)
        # Those of its records, which say that they are copied, and that of what will follow them.
        metas = for {first, meta} <- copied, first <= max(seq, 1), do: {first, Map.delete(meta, "copied")}
        assert metas == Enum.take(versions, count)
        {last, meta} = List.last(copied)
        assert {last, meta} == {seq + 1, versions |> Enum.at(count - 1) |> elem(1)}

        {:ok, _} = Room.ensure_started({rooms, fork}, rules: rules, upcasters: [upcast], rules_version: 3)
        {:ok, world} = Room.state_at({rooms, fork}, seq)
        for {id, components} <- World.snapshot(world), do: assert(id =~ ~r/^#{components["was"]}\./)
        assert World.count(world) == seq
      end
    end

    test "what an upcaster makes no event of is said, with its seq, by whoever reads it" do
      rooms = start_rooms(room: [tick_ms: 2, snapshot_every: 0])
      {:ok, _} = Room.ensure_started({rooms, "old"})
      for id <- ["a", "b"], do: {:ok, _} = Room.publish({rooms, "old"}, create(id))
      Room.stop({rooms, "old"})
      second = fn answer -> fn event -> if event["seq"] == 2, do: answer.(event), else: event end end

      for {answer, reason, what} <- [
            {fn _ -> nil end, :not_an_event, "an upcaster answered nil"},
            {&[&1, &1], :not_an_event, "an upcaster answered the list"},
            {fn _ -> raise "boom" end, :not_an_event, "an upcaster failed: ** (RuntimeError) boom"},
            {fn _ -> throw(:ball) end, :not_an_event, "an upcaster failed: ** (throw) :ball"},
            {fn _ -> exit(:gone) end, :not_an_event, "an upcaster failed: ** (exit) :gone"},
            {&Map.put(&1, "x", {1}), :unsupported_value, "as upcasters make it"}
          ] do
        opts = [upcasters: [second.(answer)], rules_version: 2]
        assert {:error, %Error{reason: ^reason, message: message}} = Room.ensure_started({rooms, "old"}, opts)
        assert message =~ "room old, seq 2"
        assert message =~ what

        {:ok, replay} = Replay.start_link([log: Rooms.log(rooms), id: "old", paused: true] ++ opts)
        assert {:error, %Error{reason: ^reason}} = Replay.seek(replay, 2)
        assert {:error, %Error{reason: ^reason}} = Replay.resume(replay)
      end
    end

    test "a fork of a room with a long id has a shorter one of its own; a wrong one is named as the option" do
      rooms = start_rooms(room: [tick_ms: 2])

      for id <- [String.duplicate("a", 255), String.duplicate("ä", 127)] do
        {:ok, _} = Room.publish({rooms, id}, create("x"))
        assert {:ok, {_, fork}} = Room.fork({rooms, id}, 1)
        assert byte_size(fork) in 254..255
        assert String.valid?(fork)
        assert Room.get({rooms, fork}, "x") == %{}
      end

      for id <- ["", String.duplicate("a", 256), <<255>>, "a\0", :x] do
        assert {:error, %Error{reason: :invalid_id, field: "id"}} =
                 Room.fork({rooms, String.duplicate("a", 255)}, 1, id: id)
      end
    end

    test "an upcaster that gives another seq is found out, and is not taken for damage: the room does not start" do
      rooms = start_rooms(room: [tick_ms: 2, snapshot_every: 0])
      {:ok, pid} = Room.start_link(id: "old", rooms: rooms)
      for id <- ["a", "b", "c"], do: {:ok, _} = Room.publish(pid, create(id))
      Process.unlink(pid)
      Process.exit(pid, :kill)
      eventually(fn -> Room.whereis({rooms, "old"}) == nil end)

      # The third is taken for one that has been there.
      upcast = fn event -> Map.update!(event, "seq", &min(&1, 2)) end
      assert {:error, error} = Room.ensure_started({rooms, "old"}, upcasters: [upcast])
      assert %Error{reason: :not_an_event, message: message} = error
      assert message =~ "room old, seq 3: an upcaster gave it another seq: 2"
      {:ok, _} = Room.ensure_started({rooms, "old"}, upcasters: [fn event -> event end])
    end

    test "without a log there is none" do
      room = start_room()

      for past <- [
            &Room.state_at(&1, 0),
            &Room.diff(&1, 0, 0),
            &Room.refold(&1, Rules.xr()),
            &Room.hashes(&1, 1),
            &Room.replay(&1)
          ] do
        assert {:error, %Error{reason: :not_supported}} = past.(room)
      end
    end
  end

  # Of the twenty events the first eleven are gone; the snapshots are those of 12 and of 18.
  defp trimmed do
    rooms = start_rooms(room: [tick_ms: 2, snapshot_every: 6])
    room = {rooms, "walk"}
    {:ok, 1} = Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
    for x <- 2..20, do: {:ok, ^x} = Room.publish(room, move(x))
    log = Rooms.log(rooms)
    eventually(fn -> match?({:ok, {18, _}}, EventLog.snapshot(log, "walk")) end)
    :ok = EventLog.trim(log, "walk", 12)
    {:ok, %{first: 12, seq: 20}} = EventLog.head(log, "walk")
    {room, log}
  end

  describe "the past of a room whose log was trimmed" do
    test "what the log still tells, and of what is gone that it is" do
      {room, _} = trimmed()

      for stopped <- [false, true] do
        if stopped, do: Room.stop(room)
        assert {:ok, world} = Room.state_at(room, 12)
        assert World.get(world, "tom") == %{"position" => [12.0, 0.0, 0.0]}
        assert {:ok, %{"from" => 12, "seq" => 17}} = Room.diff(room, 12, 17)

        for seq <- [1, 3, 11],
            answer <- [Room.state_at(room, seq), Room.diff(room, seq, 20), Room.diff(room, seq, seq)] do
          assert {:error, %Error{reason: :log_trimmed}} = answer
        end
      end
    end

    test "a fork would lack its beginning: there is none, and no half of one" do
      {room, log} = trimmed()

      for _ <- 1..2 do
        assert {:error, %Error{reason: :log_trimmed, message: message}} = Room.fork(room, 15, id: "ff")
        assert message =~ "the first is 12"
      end

      assert EventLog.rooms(log) == {:ok, ["walk"]}
      assert {:ok, {_, "ff"}} = Room.fork(room, 0, id: "ff")
    end

    test "other rules and hashes begin with the oldest snapshot" do
      {room, _} = trimmed()
      assert Room.refold(room, Rules.xr()) == :same
      still = Rules.new!(%{"user_joined" => [{:create, "user_id", %{}}], "user_moved" => []})
      assert {:different, %{seq: 13}} = Room.refold(room, still)

      {:ok, hashes} = Room.hashes(room, 5)
      {:ok, world} = Room.state_at(room, 15)
      assert [{15, hash}, {20, _}] = hashes
      assert hash == Roomfold.Room.History.hash(world)

      # Nothing but the snapshot that it stopped with.
      :ok = Room.stop(room)
      :ok = EventLog.trim(Rooms.log(elem(room, 0)), "walk", 21)
      assert Room.refold(room, still) == :same
      assert Room.hashes(room, 5) == {:ok, [List.last(hashes)]}
      assert {:error, %Error{reason: :log_trimmed}} = Room.replay(room)
    end

    test "a replay begins with the oldest snapshot" do
      {room, _} = trimmed()
      {:ok, replay} = Room.replay(room, paused: true)
      assert %{seq: 12, first_seq: 12, last_seq: 20, error: nil} = Replay.info(replay)
      assert Room.get(replay, "tom") == %{"position" => [12.0, 0.0, 0.0]}
      assert Replay.seek(replay, 14) == :ok
      assert Replay.seek(replay, 12) == :ok
      assert Replay.seek(replay, {:ms, -1}) == :ok

      for seq <- [0, 1, 11] do
        assert {:error, %Error{reason: :log_trimmed, message: message}} = Replay.seek(replay, seq)
        assert message =~ "the replay begins at 12"
      end

      assert Replay.speed(replay, 100) == :ok
      assert Replay.resume(replay) == :ok
      eventually(fn -> Replay.info(replay).seq == 20 end)
    end

    test "a replay that the log was trimmed in front of stands still and says why, and goes on from where there is something" do
      {room, log} = trimmed()
      {:ok, replay} = Room.replay(room, paused: true)
      # Now there is a snapshot of its end, too.
      :ok = Room.stop(room)
      :ok = EventLog.trim(log, "walk", 19)
      assert {:error, %Error{reason: :log_trimmed}} = Replay.resume(replay)
      assert %{seq: 12, paused: true, error: %Error{reason: :log_trimmed}} = Replay.info(replay)

      for where <- [12, 15, {:ms, 0}],
          do: assert({:error, %Error{reason: :log_trimmed}} = Replay.seek(replay, where))

      assert Replay.seek(replay, 19) == :ok
      assert %{seq: 19, error: nil} = Replay.info(replay)
      assert Replay.resume(replay) == :ok
      eventually(fn -> Replay.info(replay).seq == 20 end)
      assert Replay.info(replay).error == nil
    end

    defmodule Away do
      # It can't be read while there is a room "away".
      use Roomfold.LogOver

      @impl true
      def read(server, room, from, to, opts) do
        case head(server, "away") do
          {:ok, nil} -> super(server, room, from, to, opts)
          _ -> {:error, Error.new(:log_failed)}
        end
      end
    end

    test "a replay whose log could not be read goes on when it can be" do
      {:ok, server} = start_supervised(EventLog.Memory)
      log = {Away, server}
      rooms = start_rooms(log: {:running, log}, room: [tick_ms: 2])
      {:ok, [1, 2]} = Room.publish({rooms, "1"}, [create("a"), create("b")])
      {:ok, replay} = Room.replay({rooms, "1"}, paused: true)
      {:ok, _} = EventLog.claim(log, "away")
      for _ <- 1..2, do: assert({:error, %Error{reason: :log_failed}} = Replay.resume(replay))
      assert %{seq: 0, paused: true, error: %Error{reason: :log_failed}} = Replay.info(replay)
      :ok = EventLog.delete(log, "away")
      assert Replay.resume(replay) == :ok
      eventually(fn -> Replay.info(replay).seq == 2 end)
      assert Replay.info(replay).error == nil
    end

    test "a replay that the log was trimmed in front of is taken by time to what is left, and not to what is gone" do
      {room, log} = trimmed()
      {:ok, replay} = Room.replay(room, paused: true)
      :ok = Room.stop(room)
      # The snapshot of 18 stays.
      :ok = EventLog.trim(log, "walk", 19)
      assert Replay.seek(replay, 19) == :ok
      %{position_ms: position} = Replay.info(replay)
      assert Replay.seek(replay, {:ms, 1.0e9}) == :ok
      assert %{seq: 20} = Replay.info(replay)
      assert Replay.seek(replay, {:ms, position}) == :ok
      assert %{seq: seq} = Replay.info(replay)
      assert seq in 19..20
      assert {:error, %Error{reason: :log_trimmed}} = Replay.seek(replay, {:ms, 0})
      assert %{seq: ^seq} = Replay.info(replay)
    end

    test "a replay stands still in the midst of playing, too" do
      {:ok, pid} = EventLog.Memory.start_link()
      log = {EventLog.Memory, pid}
      {:ok, %{term: term}} = EventLog.claim(log, "far")

      line = fn seq, at ->
        ~s({"event":"create","entity_id":"e#{seq}","components":{},"seq":#{seq},"at":#{at},"by":"server"})
      end

      :ok = EventLog.append(log, "far", term, 0, [line.(1, 0), line.(2, 100)])
      # More than one reading of the log takes.
      text = Roomfold.JSON.encode!(String.duplicate("x", 300_000))

      long =
        ~s({"event":"create","entity_id":"e3","components":{"text":#{text}},"seq":3,"at":200,"by":"server"})

      :ok = EventLog.append(log, "far", term, 2, [long, line.(4, 300)])
      {:ok, replay} = Replay.start_link(log: log, id: "far", paused: true)
      assert Replay.resume(replay) == :ok
      :ok = EventLog.put_snapshot(log, "far", term, 4, "of somebody else's")
      :ok = EventLog.trim(log, "far", 5)
      eventually(fn -> Replay.info(replay).error end)
      assert %{seq: 2, paused: true, error: %Error{reason: :log_trimmed}} = Replay.info(replay)
    end
  end

  describe "a room that comes back from its log" do
    test "after a crash, with all that was acknowledged and everybody who was there" do
      rooms = start_rooms(room: [tick_ms: 2, snapshot_every: 5, grace_ms: 1_000])
      room = {rooms, "1"}
      {_, _, session} = join!(room, "tom")
      {_, _} = await(session, push("diff"))

      for n <- 1..30, reduce: [] do
        seqs ->
          {:ok, seq} = Room.publish(room, create("e#{n}", %{"health" => n}))
          if rem(n, 7) == 0, do: Process.exit(Room.whereis(room), :kill)
          for id <- 1..n, do: assert(Room.get(room, "e#{id}") == %{"health" => id})
          assert seqs == [] or seq > hd(seqs)
          [seq | seqs]
      end

      # Tom has not come back: the new life of the room knows that he was here, and lets him go.
      assert Room.get(room, "tom") == %{}
      eventually(fn -> Room.get(room, "tom") == nil end)
    end

    test "with its seqs, its term and its time going on" do
      rooms = start_rooms(room: [tick_ms: 2])
      room = {rooms, "1"}
      Room.subscribe(room)
      {:ok, 1} = Room.publish(room, create("a"))
      term = Room.info(room).term
      Room.stop(room)
      {:ok, 2} = Room.publish(room, create("b"))
      assert Room.info(room).term == term + 1
      assert_receive {"create", %{"seq" => 1, "at" => first}}
      assert_receive {"create", %{"seq" => 2, "at" => second}}
      assert second >= first
    end

    test "one that was overtaken says so and stops" do
      rooms = start_rooms(room: [tick_ms: 2])
      room = {rooms, "1"}
      {:ok, 1} = Room.publish(room, create("a"))
      old = Room.whereis(room)
      ref = Process.monitor(old)
      {:ok, _} = Roomfold.EventLog.claim(Rooms.log(rooms), "1", %{})
      assert {:error, %Error{reason: :old_term}} = Room.publish(room, create("b"))
      assert_receive {:DOWN, ^ref, _, _, {:shutdown, :old_term}}
      assert {:ok, 2} = Room.publish(room, create("b"))
    end
  end

  describe "playing back" do
    @lines Enum.map_join(0..20, "\n", fn n ->
             ~s({"event":"create","entity_id":"e#{n}","components":{"n":#{n}},"seq":#{n + 1},"at":#{1000 + n * 20},"by":"server"})
           end)

    test "in its own timing, and says how late it was" do
      {:ok, replay} = Replay.start_link(events: @lines, paused: true)
      {_, [{:push, "snapshot", _}], session} = join!(replay, "me", %{"events" => true})
      start = System.monotonic_time(:millisecond)
      assert Replay.resume(replay) == :ok

      Enum.reduce_while(1..30, session, fn _, session ->
        {diff, session} = await(session, push("diff"))
        if diff["seq"] == 21, do: {:halt, session}, else: {:cont, session}
      end)

      # Not sooner; a busy machine is late.
      assert (System.monotonic_time(:millisecond) - start) in 350..20_000
      info = Replay.info(replay)
      assert {info.seq, info.last_seq, info.duration_ms} == {21, 21, 400}
      assert info.late_mean <= info.late_max
      assert World.count(elem(Room.read(replay, & &1), 1)) == 21
    end

    test "pause, speed and seek, back and forth" do
      {:ok, replay} = Replay.start_link(events: @lines, paused: true)
      {_, _, session} = join!(replay, "me")
      assert Replay.info(replay).seq == 0
      other = Session.new(room: replay, user: "another")
      assert {:error, %{"reason" => "not_supported"}} = Session.join(other, %{})

      for {where, seq} <- [
            {{:ms, 200}, 11},
            {{:ms, 0}, 1},
            {{:ms, -5}, 1},
            {15, 15},
            {3, 3},
            {{:ms, 1.0e9}, 21}
          ],
          reduce: session do
        session ->
          assert Replay.seek(replay, where) == :ok
          assert Replay.info(replay).seq == seq
          {snapshot, session} = await(session, push("snapshot"))
          assert {snapshot["seq"], map_size(snapshot["entities"])} == {seq, seq}
          session
      end

      assert Replay.seek(replay, {:ms, 0}) == :ok
      assert Replay.speed(replay, 100) == :ok
      assert Replay.resume(replay) == :ok
      assert Replay.resume(replay) == :ok
      eventually(fn -> Replay.info(replay).seq == 21 end)
      assert Replay.pause(replay) == :ok
      assert_in_delta Replay.info(replay).position_ms, 400, 1

      assert {:error, %Error{reason: :seq_ahead}} = Replay.seek(replay, 22)

      for where <- ["start", :end, -1, 1.5, {:s, 1}, {:ms, "1"}] do
        assert {:error, %Error{reason: :invalid_argument, message: message}} = Replay.seek(replay, where)
        assert message =~ "a place is a seq from 0, or {:ms, n}"
      end

      assert Replay.seek(replay, 0) == :ok
      assert {:error, %Error{reason: :invalid_argument}} = Replay.speed(replay, 0)
      assert {:error, %Error{reason: :invalid_argument}} = Replay.speed(replay, "fast")
    end

    test "paused anywhere it has played what was due until there" do
      lines = for n <- 1..5_000, do: ~s({"event":"create","entity_id":"e#{n}","components":{},"at":#{n}})
      {:ok, replay} = Replay.start_link(events: Enum.join(lines, "\n"), speed: 100)

      for _ <- 1..15 do
        assert Replay.pause(replay) == :ok
        %{seq: seq, position_ms: position} = info = Replay.info(replay)
        # An event each millisecond.
        assert seq == floor(position) + 1
        assert Replay.pause(replay) == :ok
        assert Map.take(Replay.info(replay), [:seq, :position_ms]) == Map.take(info, [:seq, :position_ms])
        assert Replay.resume(replay) == :ok
        Process.sleep(1)
      end
    end

    test "keeps nothing of those who left it" do
      {:ok, replay} = Replay.start_link(events: @lines, paused: true)

      for _ <- 1..5 do
        {:ok, _} = Room.join(replay, "me")
        {:ok, _} = Room.join(replay, "me")
        assert Process.info(replay, :monitors) == {:monitors, [process: self()]}
        assert Room.leave(replay) == :ok
        assert Process.info(replay, :monitors) == {:monitors, []}
      end
    end

    test "goes on when a process that was linked to it has done its work, not when one broke" do
      Process.flag(:trap_exit, true)
      event = ~s({"event_name":"user_joined","user_id":"tom","at":1000})
      {:ok, replay} = Replay.start_link(events: event, paused: true)

      linked = fn reason ->
        {_, monitor} = spawn_monitor(fn -> Process.link(replay) && exit(reason) end)
        assert_receive {:DOWN, ^monitor, _, _, ^reason}
      end

      linked.(:normal)
      assert Replay.info(replay).last_seq == 1

      ExUnit.CaptureLog.capture_log(fn ->
        linked.(:broken)
        assert_receive {:EXIT, ^replay, :broken}
      end)
    end

    test "a replay takes no events, and publishes those it plays" do
      rooms = start_rooms()
      stream = Rooms.stream(rooms)
      Roomfold.EventStream.subscribe(stream, "stream:again")
      {:ok, replay} = Replay.start_link(events: @lines, speed: 100, stream: stream, topic: "stream:again")
      assert {:error, %Error{reason: :not_allowed}} = Room.publish(replay, create("x"))
      ref = Room.publish_async(replay, [create("x")], [])
      assert_receive {^ref, {:error, %Error{reason: :not_allowed}}}
      for seq <- 1..21, do: assert_receive({"create", %{"seq" => ^seq}})
    end

    test "a stream that fails is counted and said, and the replay plays on; subscribers of one that is back get the rest" do
      stream = {Roomfold.EventStream.Local, :"stream_#{System.unique_integer([:positive])}"}
      opts = [events: @lines, stream: stream, topic: "stream:again", paused: true]
      {:ok, replay} = Replay.start_link(opts)
      {:ok, %{seq: 0}} = Room.join(replay, "me")

      log =
        ExUnit.CaptureLog.capture_log(fn ->
          :ok = Replay.resume(replay)
          assert_receive {:roomfold, "replay", {:update, _}}
          assert %{failed: failed, error: nil} = Replay.info(replay)
          assert failed > 0
        end)

      assert log =~ "the stream of the room replay failed, and its subscribers were not told"
      :ok = Replay.pause(replay)
      {_, name} = stream
      start_supervised!({Roomfold.EventStream.Local, name: name})
      Roomfold.EventStream.subscribe(stream, "stream:again")
      :ok = Replay.seek(replay, 0)
      :ok = Replay.speed(replay, 100)
      :ok = Replay.resume(replay)
      for seq <- 1..21, do: assert_receive({"create", %{"seq" => ^seq}})
    end

    test "what a live room can besides is not supported, and is no end of it" do
      {:ok, replay} = Replay.start_link(events: @lines, paused: true)

      for ask <- [
            &Room.state_at(&1, 1),
            &Room.diff(&1, 0, 1),
            &Room.hashes(&1, 1),
            &Room.refold(&1, Rules.xr()),
            &Room.replay/1,
            &GenServer.call(&1, :something)
          ] do
        assert {:error, %Error{reason: :not_supported, message: message}} = ask.(replay)
        assert message =~ "this is a replay"
      end

      GenServer.cast(replay, :something)
      assert Replay.info(replay).last_seq == 21
    end

    test "what is no replay" do
      functions = [
        &Replay.pause/1,
        &Replay.resume/1,
        &Replay.speed(&1, 2),
        &Replay.seek(&1, 0),
        &Replay.info/1,
        &Replay.where/1,
        &Replay.control(&1, "pause", %{})
      ]

      for {none, got} <- [
            {"match", ~s(the string "match")},
            {{Roomfold.Rooms, "match"}, ~s(the tuple {Roomfold.Rooms, "match"})},
            {nil, "nil"},
            {7, "7"}
          ],
          ask <- functions do
        error = assert_raise ArgumentError, fn -> ask.(none) end

        assert error.message =~
                 "a replay is called by its process, as Roomfold.Room.replay/2 and start_link/1"

        assert error.message =~ ", got " <> got
      end

      # Whatever else a process may be called by.
      {:ok, replay} = Replay.start_link(events: @lines, paused: true)
      Process.register(replay, __MODULE__.Named)
      :yes = :global.register_name(__MODULE__.Named, replay)

      for name <- [
            replay,
            __MODULE__.Named,
            {__MODULE__.Named, node()},
            {:global, __MODULE__.Named},
            {:via, :global, __MODULE__.Named}
          ],
          do: assert(Replay.pause(name) == :ok)
    end

    test "a session of a host with a fast lane gets all that is played" do
      {:ok, replay} = Replay.start_link(events: @lines, speed: 10, paused: true)
      {_, _, session} = join!(replay, "me", %{}, fastlane: {self(), {__MODULE__, :none}})
      assert Replay.resume(replay) == :ok

      Enum.reduce_while(1..40, session, fn _, session ->
        {diff, session} = await(Session.flushed(session), push("diff"))
        {[], session} = Session.input(session, "ack", %{"seq" => diff["seq"]})
        if diff["seq"] == 21, do: {:halt, session}, else: {:cont, session}
      end)

      assert Replay.info(replay).seq == 21
    end

    test "taken back while a slow session catches up: what it has is still to come there" do
      for format <- ["json", "packed"] do
        {:ok, replay} = Replay.start_link(events: @lines, speed: 0.01)
        eventually(fn -> Replay.info(replay).seq > 0 end)
        # The snapshot is all that it may have without acknowledging.
        {_, _, session} = join!(replay, "me", %{"format" => format}, max_unacknowledged: 20)
        assert Replay.speed(replay, 100) == :ok
        session = lagging(session)
        assert session.seq > 0
        eventually(fn -> Replay.info(replay).seq == 21 end)
        assert Replay.pause(replay) == :ok
        assert Replay.seek(replay, 0) == :ok
        # Its client acknowledges before it hears of that.
        assert {[{:push, "snapshot", _}], session} = Session.input(session, "ack", %{"seq" => session.seq})
        {_, session} = await(session, fn frame -> match?({:push, "snapshot", _}, frame) end)
        assert {session.seq, Replay.info(replay).seq} == {0, 0}
      end
    end

    defp lagging(%{backlog: %{lagging: nil}} = session) do
      receive do
        message ->
          {_, session} = Session.handle(session, message)
          lagging(session)
      end
    end

    defp lagging(session), do: session

    test "of a room, with its rules" do
      room = walked()
      {:ok, replay} = Room.replay(room, paused: true)
      assert Replay.seek(replay, 20) == :ok
      assert Room.get(replay, "tom") == %{"position" => [20.0, 0.0, 0.0]}
    end

    @tag :capture_log
    test "ends with its caller, however that ends, and with all that is its own" do
      for how <- [:normal, :shutdown, :kill], events <- [@lines, nil] do
        opts = if events, do: [events: events], else: [log: Rooms.log(elem(walked(), 0)), id: "walk"]
        me = self()

        caller =
          spawn(fn ->
            {:ok, replay} = Replay.start_link([paused: true] ++ opts)
            send(me, {self(), replay})
            receive do: (how -> exit(how))
          end)

        assert_receive {^caller, replay}
        {:links, links} = Process.info(replay, :links)
        own = for pid <- links, is_pid(pid), pid != caller, do: Process.monitor(pid)
        assert length(own) == if(events, do: 1, else: 0)
        monitor = Process.monitor(replay)
        if how == :kill, do: Process.exit(caller, :kill), else: send(caller, how)
        for ref <- [monitor | own], do: assert_receive({:DOWN, ^ref, _, _, _})
      end

      {:ok, replay} = Replay.start_link(events: @lines, paused: true)
      {:links, links} = Process.info(replay, :links)
      [log] = links -- [self()]
      ref = Process.monitor(log)
      GenServer.stop(replay)
      assert_receive {:DOWN, ^ref, _, _, _}
    end

    test "however often it is told to go elsewhere, one timer runs" do
      {:ok, replay} = Replay.start_link(events: at(1, 1_000) <> "\n" <> at(2, 1_600))
      :erlang.trace(replay, true, [:receive])
      for speed <- 1..50, do: :ok = Replay.speed(replay, 1 + speed / 100)
      for _ <- 1..50, do: {Replay.pause(replay), Replay.resume(replay)}
      eventually(fn -> Replay.info(replay).seq == 2 end)
      Process.sleep(600)
      assert plays(0) in 1..2
    end

    defp plays(count) do
      receive do
        {:trace, _, :receive, {:play, _}} -> plays(count + 1)
        {:trace, _, :receive, _} -> plays(count)
      after
        0 -> count
      end
    end

    test "of a room, by other rules" do
      {:ok, replay} = Room.replay(walked(), paused: true, rules: Rules.new!(%{"user_joined" => []}))
      assert Replay.seek(replay, 20) == :ok
      assert Room.snapshot(replay) == %{}
    end

    test "wrong options are named at once" do
      room = walked()

      for {opts, message} <- [
            {[], "a replay needs :events, JSON Lines, or :log"},
            {[id: "x"], "a replay needs :events"},
            {[events: [{"user_joined", %{}}]],
             ":events must be JSON Lines, one text, got: [{\"user_joined\", %{}}]"},
            {[log: "x.db"], ":log must be a log, {module, server}"},
            {[log: {Nope, :log}, id: "1"], ":log must be a log, {module, server}"},
            {[events: @lines, stream: {Nope, :stream}], ":stream must be {module, name}"},
            {[events: @lines, stream: "x"], ":stream must be {module, name}"},
            {[events: @lines, topic: :x], ":topic must be"},
            {[events: @lines, speed: 0], ":speed must be a number from 0.01 to 100, got: 0"},
            {[events: @lines, paused: 1], ":paused must be"},
            {[events: @lines, pause: true],
             "unknown options of a replay: [:pause]; there are :events, :log, :speed, :paused,"},
            {[events: @lines, speed: 1, speed: 2], "options of a replay given more than once: [:speed]"},
            {[events: @lines, id: "a", id: "b"], "options of a replay given more than once: [:id]"}
          ] do
        assert assert_raise(ArgumentError, fn -> Replay.start_link(opts) end).message =~ message
      end

      assert assert_raise(ArgumentError, fn -> Room.replay(room, pause: true) end).message =~
               "[:pause]; there are"

      assert assert_raise(ArgumentError, fn -> Room.replay(room, speed: 0) end).message =~ ":speed must be"
    end

    defp at(n, at),
      do: ~s({"event":"create","entity_id":"e#{n}","components":{},"at":#{at}})

    test "a clock that went back stood still: all is played, in its order" do
      for {ats, duration} <- [{[1000, 5000, 500], 4000}, {[1000, 3000, 2000], 2000}, {[5, -5, -9], 0}] do
        lines = Enum.map_join(Enum.with_index(ats), "\n", fn {at, n} -> at(n, at) end)
        {:ok, replay} = Replay.start_link(events: lines, speed: 100)
        assert Replay.info(replay).duration_ms == duration
        eventually(fn -> Replay.info(replay).seq == 3 end)
        assert Replay.seek(replay, {:ms, duration}) == :ok
        assert Replay.info(replay).seq == 3
        assert Replay.seek(replay, 2) == :ok
        assert Replay.info(replay).position_ms >= 0
      end
    end

    test "however far apart events are, none is out of a timer's reach" do
      lines = at(1, -9_007_199_254_740_991) <> "\n" <> at(2, 9_007_199_254_740_991)
      {:ok, replay} = Replay.start_link(events: lines, speed: 0.01)
      eventually(fn -> Replay.info(replay).seq == 1 end)
      assert Replay.seek(replay, {:ms, 1.0e300}) == :ok
      assert Replay.info(replay).seq == 2
    end

    test "a log whose events have no time" do
      {:ok, pid} = EventLog.Memory.start_link()
      log = {EventLog.Memory, pid}
      {:ok, %{term: term}} = EventLog.claim(log, "raw")

      raw = fn seq, more ->
        ~s({"event":"create","entity_id":"e#{seq}","components":{},"seq":#{seq}#{more}})
      end

      :ok = EventLog.append(log, "raw", term, 0, [raw.(1, "")])
      assert {:error, %Error{reason: :not_an_event, field: "at"}} = Replay.start_link(log: log, id: "raw")

      # A clock that went back, too.
      {:ok, %{term: term}} = EventLog.claim(log, "back")
      :ok = EventLog.append(log, "back", term, 0, [raw.(1, ~s(,"at":9)), raw.(2, ""), raw.(3, ~s(,"at":7))])
      {:ok, replay} = Replay.start_link(log: log, id: "back", paused: true)
      assert {:error, %Error{reason: :not_an_event, message: message}} = Replay.resume(replay)
      assert message =~ "seq 2 of what is played"
      assert %{duration_ms: 0, paused: true} = Replay.info(replay)
    end

    test "what can't be played" do
      assert {:error, %Error{reason: :no_room}} = Replay.start_link(events: "")

      assert {:error, %Error{reason: :unexpected_end, index: 1}} =
               Replay.start_link(events: ~s({"event":"x","at":1}\n{"at":))

      for line <- [~s({"event":"x"}), ~s({"event":"x","at":1.5}), ~s({"event":"x","at":null}), "[]", "{}"] do
        assert {:error, %Error{reason: :not_an_event, index: 0, field: "at"}} =
                 Replay.start_link(events: line)
      end

      for at <- ["99999999999999999999999999", "9007199254740992", "-9007199254740992"] do
        line = ~s({"event":"x","at":#{at}})

        assert {:error, %Error{reason: :number_out_of_range, index: 0, field: "at"}} =
                 Replay.start_link(events: line)
      end

      for fields <- ["", ~s("event":"",), ~s("event":1,), ~s("event":"x","event_name":"x",), ~s("x":1,)] do
        line = at(1, 1) <> "\n{" <> fields <> ~s("at":1})
        assert {:error, %Error{reason: :invalid_name, index: 1}} = Replay.start_link(events: line)
      end

      # Several entities at once have no name.
      assert {:ok, replay} =
               Replay.start_link(events: ~s({"others":[{"id":"tom","health":3}],"at":1}), paused: true)

      assert Replay.seek(replay, 1) == :ok
      assert Room.get(replay, "tom") == %{"health" => 3}
    end
  end
end
