defmodule Roomfold.RoomStateTest do
  # A room as data, in a time of its own: nothing here waits.
  use ExUnit.Case, async: true

  alias Roomfold.{Error, Rules, World}
  alias Roomfold.Room.{Commit, Delivery, Options, Presence, Publishing, Residents, Schedule, State, Ticks}
  alias Roomfold.Systems.Timers

  # Ten times a second, and a log that answers when it is told to.
  defp open(opts \\ []) do
    options =
      Options.new([[id: "room", log: {Roomfold.EventLog.Memory, :log}, tick_ms: 100, snapshot_every: 0], opts])

    {:ok, world} = World.new(Options.world(options))
    resumes = if options.log, do: {0, 0}
    State.open(options, world, %{term: 1, resumes: resumes, users: [], last_at: 0, kept_seq: 0}, 0, 0)
  end

  defp move(user), do: ~s({"event_name":"user_moved","user_id":"#{user}","pose":"x"})
  defp join(state, user, now), do: elem(Presence.join(state, self(), user, %{format: :json}, now), 2)
  defp publish(state, sender, text, now, to \\ nil), do: Publishing.publish(state, to, sender, [text], now)
  defp measures(effects), do: for({:measure, name, numbers, facts} <- effects, do: {name, numbers, facts})
  defp refused(effects), do: for({:refused, _, _, _} = it <- effects, do: it)
  defp appended(effects), do: for({:append, _, records} <- effects, record <- records, do: record)

  # Until a time, as its process does: woken when it wants to be, each commit answered at once. Answers what went into the log.
  defp run(state, until) do
    case Schedule.wake_at(state) do
      at when is_number(at) and at <= until ->
        {effects, state} = Ticks.wake(state, at)
        {records, state} = answer_all(effects, state, at)
        {more, state} = run(state, until)
        {for(record <- records, do: {at, Roomfold.JSON.decode!(record)}) ++ more, state}

      _ ->
        {[], state}
    end
  end

  defp answer_all(effects, state, now) do
    case appended(effects) do
      [] ->
        {[], state}

      records ->
        {effects, state} = Commit.committed(state, :ok, now)
        {more, state} = answer_all(effects, state, now)
        {records ++ more, state}
    end
  end

  test "a room's state is a map that the VM keeps as a flat one" do
    assert map_size(open()) <= 32
  end

  test "ticks of a broken number of milliseconds come one by one, each with its time, however long the room runs" do
    for tick_ms <- [16.7, 6.94] do
      test = self()
      system = fn _, tick -> send(test, {:dt, tick.dt_ms}) && [] end
      options = Options.new([[id: "room", log: nil, tick_ms: tick_ms, systems: [system]]])
      {:ok, world} = World.new(Options.world(options))
      # As a VM's clock begins.
      start = -576_460_751_234
      facts = %{term: 1, resumes: nil, users: [], last_at: 0, kept_seq: 0}
      {effects, state} = Commit.flush(join(State.open(options, world, facts, start, 0), "tom", start), start)
      {_, state} = answer_all(effects, state, start)

      state =
        Enum.reduce(1..5_000, state, fn _, state ->
          at = Schedule.wake_at(state)
          {effects, state} = Ticks.wake(state, at)
          assert measures(effects) == []
          assert_received {:dt, dt}
          assert_in_delta dt, tick_ms, 0.01
          state
        end)

      assert {state.ticks, state.shed} == {5_000, 0}
    end
  end

  describe "what sessions have put into the inbox" do
    test "is published as one by one: same queue, same limits, same refusals in the same order" do
      for seed <- 1..200 do
        :rand.seed(:exsss, {seed, 0, 0})
        opts = [user_events_per_s: 4, user_burst_s: 1, max_queue: 12, user_bytes_per_s: 400]
        state = Enum.reduce(["ann", "bob", "eve"], open(opts), &join(&2, &1, 0))
        {replies, state} = one_by_one(some(1, 10), state, 10)
        now = 10 + :rand.uniform(300)
        entries = some(:rand.uniform(12), now)
        {expected_replies, expected} = one_by_one(entries, state, now)
        assert Publishing.publish_all(state, entries, now) == {expected_replies, expected}
        assert length(replies) <= 1
      end
    end

    defp some(count, now) do
      for n <- 1..count do
        user = Enum.random(["ann", "bob", "eve"])

        {0, {:session, self(), n}, {:user, user},
         Enum.random([[], [move(user)], [move(user), move(user)], [{:packed, <<255>>}]]), now}
      end
    end

    defp one_by_one(entries, state, now) do
      Enum.flat_map_reduce(entries, state, fn {_, to, sender, texts, _}, state ->
        Publishing.publish(state, to, sender, texts, now)
      end)
    end
  end

  describe "where nothing ticks, what is published" do
    test "goes to the log at once, if the last time was a tick ago; and the room is not idle from then on" do
      state = open(idle_ms: 1_000)
      assert Schedule.wake_at(state) == 1_000
      {effects, state} = publish(state, :server, move("tom"), 900)
      assert [_] = appended(effects)
      {_, state} = Commit.committed(state, :ok, 910)

      {[], state} = publish(state, :server, move("tom"), 950)
      assert Schedule.wake_at(state) == 1_000
      {effects, state} = Ticks.wake(state, 1_000)
      assert [_] = appended(effects)
      {_, state} = Commit.committed(state, :ok, 1_010)
      assert Schedule.wake_at(state) == 1_950

      # Who is refused keeps nobody awake.
      assert {[{:reply, :me, {:error, %Error{reason: :not_allowed}}}], state} =
               publish(state, {:elected, "tom"}, move("tom"), 1_500, :me)

      assert {[{:reply, :me, {:error, _}}], state} =
               publish(state, {:user, "tom"}, {:packed, <<255>>}, 1_500, :me)

      assert Schedule.wake_at(state) == 1_950
      assert {[{:stop, :idle}], _} = Ticks.wake(state, 1_950)
    end
  end

  if Roomfold.Native.loaded?() do
    describe "where frames are folded as they are" do
      test "who leaves and comes again is in the world, as where they are not" do
        {:ok, frame} =
          Roomfold.Wire.encode_events([{"create", %{"entity_id" => "lamp", "components" => %{}}}])

        state = open(log: nil, impl: :native)
        state = state |> join("tom", 0) |> frame_at(frame, 100)
        assert World.get(state.world, "tom") == %{}

        {_, state} = Presence.leave(state, self(), true, 110)
        state = join(state, "tom", 120)
        state = state |> frame_at(frame, 300) |> frame_at(frame, 500)
        assert World.get(state.world, "tom") == %{}
      end

      # A tick with a frame in it.
      defp frame_at(state, frame, now) do
        {_, state} = Publishing.publish(state, nil, :system, [{:packed, frame}], now - 1)
        {effects, state} = Ticks.wake(state, now)
        assert appended(effects) == []
        state
      end
    end
  end

  describe "ticks" do
    test "come when they are due; what comes too late is left out and reported, never made up for" do
      parent = self()
      state = open(systems: [fn _, tick -> send(parent, {:tick, tick.dt_ms}) && [] end])
      assert Schedule.wake_at(state) == 100
      {effects, state} = Ticks.wake(state, 100)
      assert measures(effects) == []
      assert_received {:tick, 100}

      # Three and a half ticks too late: three are left out, one is made, and the next one is due in its own time.
      {effects, state} = Ticks.wake(state, 550)
      assert measures(effects) == [{[:tick, :shed], %{count: 3}, %{reason: :late}}]
      assert_received {:tick, 400}
      refute_received {:tick, _}
      assert {Schedule.wake_at(state), state.shed, state.ticks} == {600, 3, 2}
    end

    test "are not made while there is nothing to do: the room sleeps, and then keeps its beat" do
      {[_joined], state} = open() |> join("tom", 0) |> run(10_000)
      assert {Schedule.wake_at(state), state.ticks} == {:never, 1}

      {[], state} = publish(state, {:user, "tom"}, move("tom"), 10_030, :me)
      assert Schedule.wake_at(state) == 10_100
      refute Schedule.tick_due?(state, 10_099)
      assert Schedule.tick_due?(state, 10_100)
      {effects, state} = Ticks.wake(state, 10_100)
      assert {length(appended(effects)), measures(effects)} == {1, []}
      assert {state.ticks, state.shed} == {2, 0}

      # With systems there is always something to do.
      state = open(systems: [fn _, _ -> [] end]) |> join("tom", 0)
      {_, state} = run(state, 1_000)
      assert {Schedule.wake_at(state), state.ticks} == {1_100, 10}
    end

    test "wait for the log while it is at work; what came waits, and nothing is lost" do
      state = open() |> join("tom", 0)
      {effects, state} = Ticks.wake(state, 100)
      assert [_joined] = appended(effects)

      {[], state} = publish(state, {:user, "tom"}, move("tom"), 150, :me)
      refute Schedule.tick_due?(state, 200)
      {[], state} = Ticks.wake(state, 200)
      assert {Schedule.wake_at(state), state.queued, state.ticks} == {300, 1, 1}

      {_, state} = Commit.committed(state, :ok, 250)
      assert {Schedule.wake_at(state), Schedule.tick_due?(state, 250)} == {200, true}
      {effects, state} = Ticks.wake(state, 250)
      assert [moved] = appended(effects)
      assert moved =~ "user_moved"
      {effects, state} = Commit.committed(state, :ok, 260)
      assert {:reply, :me, {:ok, [2]}} in effects
      # There is nothing to do: the next one is not made, but would be in its own time.
      assert {Schedule.wake_at(state), state.shed, state.ticks} == {:never, 0, 2}
      {[], state} = publish(state, {:user, "tom"}, move("tom"), 270, :me)
      assert Schedule.wake_at(state) == 300
    end

    test "are left out when the log is at work until the next one is due: the newest waits" do
      parent = self()
      state = open(systems: [fn _, tick -> send(parent, {:tick, tick.dt_ms}) && [] end]) |> join("tom", 0)
      {effects, state} = Ticks.wake(state, 100)
      assert [_joined] = appended(effects)
      assert_received {:tick, 100}

      {[], state} = Ticks.wake(state, 200)
      {effects, state} = Ticks.wake(state, 300)
      assert measures(effects) == [{[:tick, :shed], %{count: 1}, %{reason: :commit}}]
      {effects, state} = Ticks.wake(state, 510)
      assert measures(effects) == [{[:tick, :shed], %{count: 2}, %{reason: :commit}}]
      assert {Schedule.wake_at(state), state.shed, state.ticks} == {600, 3, 1}
      refute_received {:tick, _}

      {_, state} = Commit.committed(state, {:error, Error.new(:log_full)}, 520)
      {effects, state} = Ticks.wake(state, 520)
      assert measures(effects) == []
      assert_received {:tick, 400}
      assert {Schedule.wake_at(state), state.shed, state.ticks} == {600, 3, 2}
    end

    test "a room that is to stop at once waits a second for what it was started for" do
      for idle_ms <- [0, 30] do
        state = open(idle_ms: idle_ms)
        assert Schedule.wake_at(state) == 1_000
        {effects, _} = publish(state, :server, ~s({"event":"create","entity_id":"a","components":{}}), 10)
        assert [_] = appended(effects)
        {_, state} = Commit.committed(elem(publish(state, :server, move("tom"), 10), 1), :ok, 20)
        assert Schedule.idle?(state, 20 + idle_ms)
      end
    end

    test "a room with systems stops, too, when nobody needs it" do
      state = open(systems: [fn _, _ -> [] end], idle_ms: 1_000)
      {_, state} = run(state, 999)
      {effects, _} = Ticks.wake(state, 1_000)
      assert effects == [{:stop, :idle}]
    end
  end

  test "a door opens each minute and closes 15 seconds later, said by the system and by nobody else" do
    door = [
      every: 60_000,
      events: [{0, {"door_opened", %{"id" => "gate"}}}, {15_000, {"door_closed", %{"id" => "gate"}}}]
    ]

    state = open(rules: Rules.doom(), systems: [{Timers, [door]}], idle_ms: :infinity)
    {[], state} = run(state, 50)

    {_, state} =
      publish(state, :server, ~s({"event":"create","entity_id":"gate","components":{"kind":"door"}}), 50)

    {[{100, %{"entity_id" => "gate"}} | records], state} = run(state, 200_000)

    # It was closed when the room began, at second 0 of a cycle it opens.
    assert for({at, event} <- records, do: {at, event["event_name"], event["by"]}) == [
             {100, "door_opened", "system"},
             {15_000, "door_closed", "system"},
             {60_000, "door_opened", "system"},
             {75_000, "door_closed", "system"},
             {120_000, "door_opened", "system"},
             {135_000, "door_closed", "system"},
             {180_000, "door_opened", "system"},
             {195_000, "door_closed", "system"}
           ]

    assert World.get(state.world, "gate")["state"] == "closed"
    {effects, _} = publish(state, {:user, "tom"}, ~s({"event_name":"door_opened","id":"gate"}), 200_050, :tom)
    {effects, _} = if effects == [], do: Ticks.wake(state, 200_100), else: {effects, state}
    assert appended(effects) == []
  end

  test "what the log refuses has not happened: the systems are where they were, and the next tick says it again" do
    count = fn world, _ -> [{"create", %{"entity_id" => "n#{World.seq(world)}", "components" => %{}}}] end
    state = open(systems: [{Roomfold.RoomStateTest.Counter, []}, count])
    {effects, state} = Ticks.wake(state, 100)
    assert Enum.map(appended(effects), &name/1) == ["create count0", "create n0"]

    {_, state} = publish(state, {:user, "tom"}, move("tom"), 110, :tom)
    {effects, state} = Commit.committed(state, {:error, Error.new(:log_full)}, 120)
    assert [{[:commit, :failed], %{events: 2}, %{error: %Error{reason: :log_full}}}] = measures(effects)
    assert World.seq(state.world) == 0

    {effects, state} = Ticks.wake(state, 200)
    assert Enum.map(appended(effects), &name/1) == ["user_moved", "create count0", "create n0"]
    # Who had published is still to be answered, by this commit.
    {effects, _} = Commit.committed(state, :ok, 210)
    assert Enum.any?(effects, &match?({:reply, :tom, {:ok, [_]}}, &1))
  end

  defp name(record) do
    case Roomfold.JSON.decode!(record) do
      %{"event" => name, "entity_id" => id} -> "#{name} #{id}"
      %{"event_name" => name} -> name
    end
  end

  defmodule Counter do
    @behaviour Roomfold.Room.System
    @impl true
    def init(_, _, _), do: 0
    @impl true
    def tick(_, _, n), do: {[{"create", %{"entity_id" => "count#{n}", "components" => %{}}}], n + 1}
  end

  defmodule Slips do
    use Roomfold.Room
    def handle_event({"user_joined", _}, _, state), do: {[{"user_left", %{"seq" => 1}}], state}

    def handle_event({"user_moved", %{"n" => n}}, _, state) when n > 0,
      do: {[{"user_moved", %{"user_id" => "tom", "n" => n - 1}}], state}

    def handle_event(_, _, state), do: {[], state}
    def left(user, _, _), do: [{"user_left", %{user: user}}, {"user_left", %{"user_id" => user}}]
  end

  test "a snapshot has the users whom the log has at its seq, not those whose coming or going is on its way" do
    state = open(snapshot_every: 1, grace_ms: 0) |> join("tom", 0)
    {effects, state} = Ticks.wake(state, 100)
    assert [_tom_joined] = appended(effects)
    # Another connection.
    {_, _, state} = Presence.join(state, Process.whereis(:code_server), "ann", %{format: :json}, 150)
    {effects, state} = Commit.committed(state, :ok, 160)
    assert {:keep, 1, ["tom"]} in effects

    {effects, state} = Ticks.wake(state, 200)
    assert [_ann_joined] = appended(effects)
    {_, state} = Presence.leave(state, self(), true, 250)
    {effects, state} = Commit.committed(state, :ok, 260)
    assert {:keep, 2, ["ann", "tom"]} in effects

    {effects, state} = Ticks.wake(state, 300)
    assert [ann_left] = appended(effects)
    assert ann_left =~ ~s("user_left")
    {effects, _} = Commit.committed(state, :ok, 310)
    assert {:keep, 3, ["ann"]} in effects
  end

  test "who comes again before the log has that they left has left, and come; or has only left, if gone again" do
    leaving = fn ->
      {[_joined], state} = open(grace_ms: 0) |> join("tom", 0) |> run(150)
      {effects, state} = Presence.leave(state, self(), true, 200)
      assert [left] = appended(effects)
      assert left =~ "user_left"
      state
    end

    state = leaving.() |> join("tom", 210)
    assert state.queued == 0
    {effects, state} = Commit.committed(state, :ok, 220)
    assert World.get(state.world, "tom") == nil
    {more, _} = Ticks.wake(state, 400)
    assert [joined] = appended(effects ++ more)
    assert joined =~ ~s("user_joined") and joined =~ ~s("user_id":"tom")

    # The commit fails: both are said, in this order.
    state = leaving.() |> join("tom", 210)
    {effects, state} = Commit.committed(state, {:error, Error.new(:log_failed)}, 220)
    {more, state} = Ticks.wake(state, 400)
    assert [left] = appended(effects ++ more)
    assert left =~ "user_left"
    {effects, state} = Commit.committed(state, :ok, 410)
    {more, _} = Ticks.wake(state, 600)
    assert [joined] = appended(effects ++ more)
    assert joined =~ "user_joined"

    state = leaving.() |> join("tom", 210)
    {effects, state} = Presence.leave(state, self(), true, 215)
    {more, state} = Commit.committed(state, :ok, 220)
    {last, state} = Ticks.wake(state, 400)
    assert {appended(effects ++ more ++ last), state.queued, state.people.users} == {[], 0, %{}}
  end

  test "whom the server has made, who leaves and is back before the log has it, is in the world" do
    state = open(grace_ms: 0)
    {_, state} = publish(state, :server, ~s({"event_name":"user_joined","user_id":"tom"}), 200)
    {_, state} = Commit.committed(state, :ok, 210)
    state = join(state, "tom", 220)
    {effects, state} = Presence.leave(state, self(), true, 400)
    assert [left] = appended(effects)
    assert left =~ "user_left"
    state = join(state, "tom", 410)
    {effects, state} = Commit.committed(state, :ok, 420)
    assert [joined] = appended(effects ++ elem(Ticks.wake(state, 600), 0))
    assert joined =~ "user_joined" and joined =~ ~s("connected":true)
  end

  defmodule Deletes do
    use Roomfold.Room
    @impl true
    def left(user, _, _), do: [{"delete", %{"entity_id" => user}}]
  end

  defmodule Silent do
    use Roomfold.Room
    @impl true
    def left(_, _, _), do: []
  end

  test "however users come and go while the log works or fails: in the end it is known who is there, and they are" do
    for seed <- 1..400, module <- [nil, Deletes, Silent] do
      :rand.seed(:exsss, {seed, 1, 2})
      state = open(module: module, grace_ms: Enum.random([0, 0, 150]), idle_ms: :infinity)

      {state, now} =
        Enum.reduce(1..40, {state, 0}, fn _, {state, now} ->
          {happens(state, now), now + :rand.uniform(60)}
        end)

      {_, state} = state |> written(now) |> run(now + 2_000)
      assert {state.commit, state.queue, state.leaving, state.returning} == {nil, [], %{}, []}
      users = for {user, %{count: count}} <- state.people.users, count > 0, do: user
      assert {seed, Residents.to_keep(state)} == {seed, Enum.sort(users)}
      there = Map.keys(World.snapshot(state.world))

      if module != Silent,
        do: assert({seed, there} == {seed, Enum.sort(users)}),
        else: assert(users -- there == [])
    end
  end

  defp written(%{commit: nil} = state, _), do: state
  defp written(state, now), do: state |> Commit.committed(:ok, now) |> elem(1) |> written(now)

  # Two users with two connections each.
  defp happens(state, now) do
    connection = {user, _} = {Enum.random(["ann", "bob"]), Enum.random([1, 2])}

    case :rand.uniform(6) do
      n when n in 1..2 ->
        elem(Presence.join(state, connection, user, %{format: :json}, now), 2)

      n when n in 3..4 ->
        elem(Presence.leave(state, connection, n == 3, now), 1)

      _ when state.commit != nil ->
        elem(Commit.committed(state, Enum.random([:ok, {:error, Error.new(:log_full)}]), now), 1)

      5 ->
        elem(publish(state, {:user, user}, move(user), now), 1)

      6 ->
        elem(Ticks.wake(state, now), 1)
    end
  end

  test "who came while the log failed is said again, once, and before what comes later" do
    state = open() |> join("tom", 0)
    {_, state} = publish(state, {:user, "tom"}, move("tom"), 50, :me)
    {effects, state} = Ticks.wake(state, 100)
    assert [joined, _moved] = appended(effects)
    {effects, state} = Commit.committed(state, {:error, Error.new(:log_failed)}, 110)
    assert Enum.any?(effects, &match?({:reply, :me, {:error, %Error{reason: :log_failed}}}, &1))

    {_, state} = publish(state, {:user, "tom"}, move("tom"), 150, :me)
    {effects, state} = Ticks.wake(state, 200)
    assert [again, moved] = appended(effects)

    assert {Roomfold.JSON.decode!(again)["event_name"], Roomfold.JSON.decode!(again)["seq"]} ==
             {"user_joined", 1}

    assert joined =~ "user_joined" and moved =~ "user_moved"
    {effects, state} = Commit.committed(state, :ok, 210)
    assert {:reply, :me, {:ok, [2]}} in effects
    assert {_, %{commit: nil, queued: 0}} = Ticks.wake(state, 300)
  end

  defmodule Answers do
    use Roomfold.Room
    @impl true
    def init(_, _, _), do: {:ok, nil, [{"create", %{"entity_id" => "lamp", "components" => %{}}}]}
    @impl true
    def handle_event({"user_moved", %{"by" => user}}, _, state),
      do: {[{"update", %{"entity_id" => "lamp", "components" => %{"seen" => user}}}], state}

    def handle_event(_, _, state), do: {[], state}
  end

  test "what the room's module has said while the log failed is said again, once, in its place; a system says it again itself" do
    system = fn _, %{number: number} ->
      [{"create", %{"entity_id" => "tick#{number}", "components" => %{}}}]
    end

    state = open(module: Answers, systems: [system])
    fails = fn state, now -> elem(Commit.committed(state, {:error, Error.new(:log_full)}, now), 1) end
    names = fn effects -> for text <- appended(effects), do: hd(String.split(text, ~s(,"seq"))) <> "}" end

    # What init/3 has said.
    {_, state} = Commit.flush(state, 0)
    state = fails.(state, 10)
    {effects, state} = Ticks.wake(state, 100)
    lamp = ~s({"event":"create","components":{},"entity_id":"lamp"})
    assert [^lamp, ~s({"event":"create","components":{},"entity_id":"tick1"})] = names.(effects)
    {_, state} = Commit.committed(state, :ok, 110)

    {[], state} = publish(state, {:user, "tom"}, move("tom"), 150)
    {_, state} = Ticks.wake(state, 200)
    {_, state} = Commit.committed(state, :ok, 210)
    # What the movement has caused waits for the next tick, and with that for a log that works.
    {effects, state} = Ticks.wake(state, 300)
    seen = ~s({"event":"update","components":{"seen":"tom"},"entity_id":"lamp"})
    assert [^seen, _] = names.(effects)
    {[], state} = publish(fails.(state, 310), {:user, "tom"}, move("tom"), 350)
    {effects, state} = Ticks.wake(state, 400)
    assert [^seen, moved, ~s({"event":"create","components":{},"entity_id":"tick4"})] = names.(effects)
    assert moved =~ "user_moved"
    {_, state} = Commit.committed(state, :ok, 410)
    assert World.get(state.world, "lamp") == %{"seen" => "tom"}
    {effects, _} = Ticks.wake(state, 500)
    assert [^seen, _] = names.(effects)
  end

  test "what the room says itself and only the fold finds wrong is reported" do
    create = fn id -> {"create", %{"entity_id" => id, "components" => %{}}} end
    makes = fn _, _ -> [create.("a"), create.("b")] end
    state = open(systems: [makes], max_entities: 1)
    {effects, state} = Ticks.wake(state, 100)
    assert [_, second] = appended(effects)
    assert refused(effects) == []
    {effects, _} = Commit.committed(state, :ok, 110)
    assert [{:refused, ^makes, text, %Error{reason: :world_full}}] = refused(effects)
    assert text =~ ~s("b") and second =~ ~s("b")
  end

  test "what the room's module has said of an event stays until it is in the log, as it is not asked again" do
    state = open(module: Slips) |> join("tom", 0)
    moved = ~s({"event_name":"user_moved","user_id":"tom","n":1})
    {_, state} = publish(state, {:user, "tom"}, moved, 50, :tom)
    {_, state} = Ticks.wake(state, 100)
    {_, state} = Commit.committed(state, :ok, 110)
    {effects, state} = Ticks.wake(state, 200)
    assert [caused] = appended(effects)
    assert %{"event_name" => "user_moved", "n" => 0, "by" => "system"} = Roomfold.JSON.decode!(caused)

    {effects, state} = Commit.committed(state, {:error, Error.new(:log_full)}, 210)
    assert refused(effects) == []
    {effects, _} = Ticks.wake(state, 300)
    assert [again] = appended(effects)
    assert %{"n" => 0, "by" => "system", "seq" => 3} = Roomfold.JSON.decode!(again)
  end

  test "what a system was to be told in a tick that is undone it is told again" do
    parent = self()
    state = open(systems: [fn _, tick -> send(parent, {:told, tick.events}) && [] end])
    {[], state} = publish(state, :server, move("tom"), 10)
    {_, state} = Ticks.wake(state, 100)
    {_, state} = Commit.committed(state, :ok, 110)
    {[], state} = publish(state, :server, move("ann"), 120, :me)
    assert_received {:told, []}
    {[{:append, 1, _}], state} = Ticks.wake(state, 200)
    assert_received {:told, [{"user_moved", %{"user_id" => "tom"}}]}
    {_, state} = Commit.committed(state, {:error, Error.new(:log_full)}, 210)
    {_, state} = Ticks.wake(state, 300)
    assert_received {:told, [{"user_moved", %{"user_id" => "tom", "seq" => 1}}]}
    {_, _} = Ticks.wake(state, 400)
    assert_received {:told, []}
  end

  test "what a room's systems would be told is not gathered while a client has its authority" do
    state = open(systems: [fn _, _ -> [] end], authority: :client)

    Enum.reduce(1..5, state, fn n, state ->
      {_, state} = publish(state, :server, move("tom"), n * 100 - 50)
      {[{:append, _, _}], state} = Ticks.wake(state, n * 100)
      assert state.news == []
      {_, state} = Commit.committed(state, :ok, n * 100 + 10)
      state
    end)
  end

  test "subscribers hear of a commit first, then connections, then who has published" do
    state = open() |> join("tom", 0)
    {[], state} = publish(state, :server, move("tom"), 50, :me)
    {_, state} = Ticks.wake(state, 100)
    {effects, _} = Commit.committed(state, :ok, 110)
    assert [:publish, :send, :reply] = Enum.map(effects, &elem(&1, 0))
  end

  test "a room ends where the log is not its own any more, or not what it left; not where it just fails" do
    for {reason, ends?} <- [
          old_term: true,
          wrong_seq: true,
          no_room: true,
          log_failed: false,
          too_large: false
        ] do
      {[], state} = open(systems: [fn _, _ -> [] end]) |> publish(:server, move("tom"), 50, :me)
      {_, state} = Ticks.wake(state, 100)
      {effects, _} = Commit.committed(state, {:error, Error.new(reason)}, 110)
      assert {:reply, :me, {:error, %Error{reason: ^reason}}} = List.keyfind(effects, :reply, 0)
      assert {reason, {:stop, reason} in effects} == {reason, ends?}
    end
  end

  test "a snapshot is due once in so many events" do
    state = open(snapshot_every: 3, systems: [fn _, _ -> [] end])

    {seqs, _} =
      Enum.flat_map_reduce(1..10, state, fn n, state ->
        {[], state} = publish(state, :server, move("tom"), n * 100 - 50)
        {_, state} = Ticks.wake(state, n * 100)
        {effects, state} = Commit.committed(state, :ok, n * 100 + 10)
        {for({:keep, seq, _} <- effects, do: seq), state}
      end)

    assert seqs == [3, 6, 9]
  end

  defmodule Allows do
    use Roomfold.Room

    @impl true
    def authorize(_, _, _, _), do: :ok
  end

  test "an event may have as many bytes as are allowed, and no more; whether the room's module is asked or not" do
    text = move("tom")

    for module <- [nil, Allows], {most, taken?} <- [{byte_size(text), true}, {byte_size(text) - 1, false}] do
      state = open(module: module, max_event_bytes: most, systems: [fn _, _ -> [] end])
      {[], state} = publish(state, {:user, "tom"}, text, 50, :me)
      {effects, _} = Ticks.wake(state, 100)
      refusals = for {:reply, :me, {:error, error}} <- effects, do: error.reason
      assert {length(appended(effects)), refusals} == if(taken?, do: {1, []}, else: {0, [:too_large]})
    end
  end

  test "who sends no more is forgotten, whoever else sends" do
    Enum.reduce(1..2_000, open(systems: [fn _, _ -> [] end], max_queue: 10_000), fn n, state ->
      {[], state} = publish(state, {:user, "user #{n}"}, move("user #{n}"), n * 100)
      assert map_size(state.limits.recent) + map_size(state.limits.older) <= 50
      state
    end)
  end

  test "the fast lane is for a connection, and only while nothing is on its way to its session" do
    state = open() |> join("tom", 0)
    {[], state} = publish(state, :server, move("tom"), 50)
    {_, state} = Ticks.wake(state, 100)
    {_, state} = Commit.committed(state, :ok, 110)
    assert state.seq == 2
    entry = %{to: self(), lane: {__MODULE__, :a}, format: :json, events?: false, limit: 10, sent: 0}
    assert Delivery.enter_fastlane(state, self(), 1, entry) == state
    assert Delivery.enter_fastlane(state, spawn(fn -> :ok end), 2, entry) == state
    fast = Delivery.enter_fastlane(state, self(), 2, entry)
    assert Map.keys(fast.fastlane.of) == [self()]

    # Who joins once more is sent what its session asks for, and so is who has gone.
    assert join(fast, "tom", 120).fastlane.of == %{}
    assert elem(Presence.leave(fast, self(), false, 120), 1).fastlane.of == %{}
  end

  # A batch of this and the next one would be more than one append takes.
  defp large(id),
    do: ~s({"event":"create","entity_id":"#{id}","components":{"text":"#{String.duplicate("x", 5_000_000)}"}})

  defp with_large do
    state = open(systems: [{Counter, []}], max_event_bytes: 6_000_000)
    world = World.new!(max_value_bytes: 6_000_000)
    state = %{state | world: world}
    {[], state} = publish(state, :server, large("a"), 10, :ann)
    {[], state} = publish(state, :server, large("b"), 20, :bob)
    {[], state} = publish(state, :server, ~s({"event":"create","entity_id":"c","components":{}}), 30, :eve)
    {effects, state} = Ticks.wake(state, 100)
    assert Enum.map(appended(effects), &name/1) == ["create a"]
    assert state.queued == 3
    state
  end

  test "more than a log takes at once goes in one commit after another, in its order" do
    {effects, state} = Commit.committed(with_large(), :ok, 110)
    assert [:ann] = for({:reply, to, {:ok, [1]}} <- effects, do: to)
    {effects, state} = Ticks.wake(state, 200)
    assert Enum.map(appended(effects), &name/1) == ["create b", "create c", "create count0", "create count1"]
    assert {state.queued, state.queue} == {0, []}

    # Of what systems have said, only that of the undone tick is said again.
    {effects, state} = Commit.committed(state, {:error, Error.new(:log_full)}, 210)
    assert [:bob, :eve] = for({:reply, to, {:error, %Error{reason: :log_full}}} <- effects, do: to)
    {effects, _} = Ticks.wake(state, 300)
    assert Enum.map(appended(effects), &name/1) == ["create count0", "create count1"]
  end

  test "of a tick that is undone, what systems have said for a later commit is said again, too" do
    {effects, state} = Commit.committed(with_large(), {:error, Error.new(:log_full)}, 110)
    assert [:ann] = for({:reply, to, {:error, %Error{reason: :log_full}}} <- effects, do: to)
    assert state.queued == 2
    {effects, _} = Ticks.wake(state, 200)
    assert Enum.map(appended(effects), &name/1) == ["create b", "create c", "create count0"]
  end

  test "what is too large for the log is refused, the room's own, too: it is not tried for ever" do
    state = open(module: Slips) |> join("tom", 0)
    {_, state} = Ticks.wake(state, 100)
    {effects, state} = Commit.committed(state, {:error, Error.new(:too_large)}, 110)
    assert [{:refused, Slips, text, %Error{reason: :too_large}}] = refused(effects)
    assert text =~ "user_joined"
    assert state.queue == []
  end

  test "what the room's module says that is no event is reported, and what else is said goes its way" do
    state = open(module: Slips, grace_ms: 1_000) |> join("tom", 0)
    {effects, state} = Ticks.wake(state, 100)
    assert [_joined] = appended(effects)
    {effects, state} = Commit.committed(state, :ok, 110)

    assert [{:refused, Slips, _, %Error{reason: :reserved_field, field: "seq"}}] = refused(effects)

    {effects, _} = Presence.leave(state, self(), true, 200)

    assert [{:refused, Slips, _, %Error{reason: :not_an_event}}] = refused(effects)

    assert [left] = appended(effects)
    assert left =~ "user_left"
  end

  test "a room without a log has no diff for who comes from another life of it" do
    for {log, text} <- [{nil, :snapshot}, {{Roomfold.EventLog.Memory, :log}, :diff}] do
      state = open(log: log)
      how = %{format: :json, last_seq: 0, last_term: state.term - 1}
      assert {%{frame: {^text, _}}, _, _} = Presence.join(state, self(), "tom", how, 0)
      # Nor has any room for who does not say from which.
      assert {%{frame: {:snapshot, _}}, _, _} =
               Presence.join(state, self(), "tom", %{how | last_term: nil}, 0)

      assert {%{frame: {:diff, _}}, _, _} =
               Presence.join(state, self(), "tom", %{how | last_term: state.term}, 0)
    end
  end

  test "a flood is shed by who sends it: whatever it sends, the others' events are in the next batch" do
    state = open(user_events_per_s: 10, user_burst_s: 1, max_queue: 100) |> join("ann", 0)

    {refused, state} =
      Enum.reduce(1..10_000, {0, state}, fn _, {refused, state} ->
        {effects, state} = publish(state, {:user, "eve"}, move("eve"), 50, :eve)
        limited = Enum.count(effects, &match?({:reply, :eve, {:error, %Error{reason: :rate_limited}}}, &1))
        {refused + limited, state}
      end)

    assert refused == 9_990
    {[], state} = publish(state, {:user, "ann"}, move("ann"), 60, :ann)
    {effects, state} = Ticks.wake(state, 100)
    assert length(appended(effects)) == 12
    {effects, _} = Commit.committed(state, :ok, 101)
    assert Enum.any?(effects, &match?({:reply, :ann, {:ok, [_]}}, &1))
  end

  test "who published without ever joining is forgotten; who left is not given more by that" do
    state = open(user_events_per_s: 10, user_burst_s: 1, max_queue: 100)
    size = :erts_debug.flat_size(state)

    # As its process does, with another user each time.
    state =
      Enum.reduce(1..5_000, state, fn n, state ->
        {effects, state} = publish(state, {:user, "user #{n}"}, move("user #{n}"), n * 100)
        if appended(effects) == [], do: state, else: elem(Commit.committed(state, :ok, n * 100), 1)
      end)

    assert :erts_debug.flat_size(state) < size + 2_000

    state = join(state, "eve", 600_000)

    flood = fn state ->
      Enum.flat_map_reduce(1..20, state, fn _, state ->
        publish(state, {:user, "eve"}, move("eve"), 600_000, :eve)
      end)
    end

    {refused, state} = flood.(state)
    assert length(refused) == 10
    {_, state} = Presence.leave(state, self(), true, 600_000)
    {refused, _} = state |> join("eve", 600_000) |> flood.()
    assert length(refused) == 20
  end

  test "who is away is waited for until the grace is over, and no longer" do
    state = open(grace_ms: 5_000) |> join("tom", 0)
    {_, state} = run(state, 200)
    {_, state} = Presence.leave(state, self(), false, 1_000)
    {records, state} = run(state, 5_999)
    assert records == []
    assert Schedule.wake_at(state) == 6_000
    {records, state} = run(state, 6_100)
    assert [{_, %{"event_name" => "user_left", "user_id" => "tom", "by" => "server"}}] = records

    # Who is back in time has never left.
    state = join(state, "tom", 7_000)
    {[_joined], state} = run(state, 8_000)
    {_, state} = Presence.leave(state, self(), false, 8_000)
    {records, _} = state |> join("tom", 12_900) |> run(60_000)
    assert records == []
  end

  test "where the clock was put back while the room was away, its time goes on from that of its log, and so do timers" do
    bell = {Timers, [[every: 1_000, events: [{0, {"door_triggered", %{"id" => "bell"}}}]]]}

    options =
      Options.new([
        [
          id: "room",
          log: {Roomfold.EventLog.Memory, :log},
          tick_ms: 100,
          rules: Rules.doom(),
          systems: [bell]
        ]
      ])

    {:ok, world} = World.new(Options.world(options))

    # The wall clock says 50,000 at the start, the log's last event 3,600,000.
    facts = %{term: 2, resumes: nil, users: [], last_at: 3_600_000, kept_seq: 0}
    {records, _} = options |> State.open(world, facts, 7_000, 43_000) |> run(12_000)
    assert for({_, %{"at" => at}} <- records, do: at) == for(n <- 1..5, do: 3_600_000 + n * 1_000)

    # One that is right is believed.
    {:ok, world} = World.new(Options.world(options))
    {records, _} = options |> State.open(world, %{facts | last_at: 10}, 7_000, 43_000) |> run(9_000)
    assert for({_, %{"at" => at}} <- records, do: at) == [51_000, 52_000]
  end

  test "who came is who has an id: what a server says of nobody is nobody's" do
    line = fn name, user ->
      ~s({"event_name":"#{name}","user_id":#{user},"connected":true,"seq":1,"at":1,"by":"server"})
    end

    assert Residents.after_event(line.("user_joined", ~s("tom")), ["ann"], :elixir) == ["ann", "tom"]

    for user <- ["null", "7", "[]", "{}"],
        do: assert(Residents.after_event(line.("user_joined", user), ["ann"], :elixir) == ["ann"])

    for event <- [
          ~s({"event_name":"user_joined","connected":true,"by":"server"}),
          ~s({"event_name":"user_joined","user_id":"tom","by":"server"}),
          ~s({"event_name":"user_joined","user_id":"tom","connected":true,"by":"tom"}),
          ~s({"event_name":"user_joined","user_id":"tom","connected":true,"by":"system"})
        ],
        do: assert(Residents.after_event(event, [], :elixir) == [])

    assert Residents.after_event(line.("user_left", ~s("ann")), ["ann"], :elixir) == []
  end

  test "events that a batch does not need are sent to nobody" do
    state = open(rules: Rules.doom())
    {_, _, state} = Presence.join(state, self(), "tom", %{format: :json, events: false}, 0)
    {_, state} = run(state, 100)
    {[], state} = publish(state, :server, ~s({"event_name":"door_triggered","id":"gate"}), 150)
    {_, state} = Ticks.wake(state, 200)
    {effects, _} = Commit.committed(state, :ok, 201)
    assert [update] = for({:send, _, {:update, update}} <- effects, do: update)
    assert update.events == nil
  end
end
