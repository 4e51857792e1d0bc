defmodule Roomfold.RoomForkTest do
  # A fork is made wholly or not at all, and nothing else is touched.
  use Roomfold.RoomsCase, async: true

  alias Roomfold.EventLog

  defmodule Disturbed do
    # A log in memory in which something happens to the fork, whose id says what.
    use Roomfold.LogOver
    alias Roomfold.EventLog.Memory

    @impl true
    def claim(server, "raced" = id, meta, over) do
      if Memory.head(server, id) == {:ok, nil}, do: theirs(server, id, 0)
      super(server, id, meta, over)
    end

    def claim(server, "raced, and no claim" = id, _, _) do
      theirs(server, id, 0)
      failed()
    end

    # Its second claim, of the records that were written in a later version, or its last.
    def claim(server, "claim" <> which = id, meta, over) do
      {seq, last} = if which =~ "last", do: {2, true}, else: {1, false}

      case Memory.head(server, id) do
        {:ok, %{seq: ^seq, meta: %{"copied" => true}}} when last != is_map_key(meta, "copied") ->
          if which =~ "raced", do: theirs(server, id, seq)
          failed()

        _ ->
          super(server, id, meta, over)
      end
    end

    def claim(server, id, meta, over), do: super(server, id, meta, over)

    # By somebody else.
    def theirs(server, id, seq) do
      {:ok, %{term: term}} = Memory.claim(server, id, %{}, :any)
      :ok = EventLog.append({Memory, server}, id, term, seq, [~s({"seq":#{seq + 1},"event_name":"theirs"})])
    end

    defp failed, do: {:error, Roomfold.Error.new(:log_failed)}

    @impl true
    def submit(_, "full" <> _, _, _, _, _),
      do: EventLog.answer_self({:error, Roomfold.Error.new(:log_full)})

    def submit(server, id, term, after_seq, records, opts),
      do: super(server, id, term, after_seq, records, opts)

    @impl true
    def put_snapshot(_, "no snapshot", _, _, _), do: {:error, Roomfold.Error.new(:log_full)}
    def put_snapshot(server, id, term, seq, data), do: super(server, id, term, seq, data)

    @impl true
    def delete(_, "full for ever", _), do: {:error, Roomfold.Error.new(:log_full)}
    def delete(server, id, over), do: super(server, id, over)
  end

  # With two events, the second by later rules.
  setup do
    {:ok, server} = start_supervised(EventLog.Memory)
    rooms = start_rooms(log: {:running, {Disturbed, server}}, room: [tick_ms: 2, snapshot_every: 0])
    room = {rooms, "1"}

    for {version, user} <- [{1, "tom"}, {2, "ann"}] do
      {:ok, _} = Room.ensure_started(room, rules_version: version)
      {:ok, ^version} = Room.publish(room, {"user_joined", %{"user_id" => user}})
      Room.stop(room)
    end

    %{room: room, log: Rooms.log(rooms)}
  end

  test "what somebody else has made by its id meanwhile stays", %{room: room, log: log} do
    for seq <- [0, 1] do
      assert {:error, %Error{reason: :invalid_argument, message: message}} = Room.fork(room, seq, id: "raced")
      assert message =~ "this room exists already"
      assert {:ok, %{text: text, seq: 1}} = EventLog.read(log, "raced", 1)
      assert text =~ "theirs"
      if seq == 0, do: :ok = EventLog.delete(log, "raced")
    end
  end

  test "so it does where the fork's own claim fails", %{room: room, log: log} do
    for {id, last} <- [{"raced, and no claim", 1}, {"claim raced", 2}, {"claim raced, last", 3}] do
      assert {:error, %Error{reason: :log_failed}} = Room.fork(room, 2, id: id)
      assert {:ok, %{text: text, seq: ^last}} = EventLog.read(log, id, last)
      assert text =~ "theirs"
    end
  end

  test "half of one does not stay; if it can't be removed, the error says where it is", %{
    room: room,
    log: log
  } do
    for {id, reason} <- [
          {"claim", :log_failed},
          {"claim, last", :log_failed},
          {"full", :log_full},
          {"no snapshot", :log_full}
        ] do
      assert {:error, %Error{reason: ^reason, detail: nil}} = Room.fork(room, 2, id: id)
      assert EventLog.head(log, id) == {:ok, nil}
    end

    assert {:error, %Error{reason: :log_full, message: message}} = Room.fork(room, 2, id: "full for ever")
    assert message =~ ~s(a part of the fork is left in the log as "full for ever")
  end

  # As who died at its first claim, between two appends, or before its last claim leaves it.
  def half(log, id, seq) do
    {:ok, %{term: term}} = EventLog.claim(log, id, %{"rules" => 1, "copied" => true}, over: 0)
    records = for n <- 1..seq//1, do: ~s({"seq":#{n},"at":#{n},"event_name":"user_joined","user_id":"tom"})
    :ok = EventLog.append(log, id, term, 0, records)
    term
  end

  test "nobody opens half of one, or reads it; the next fork to its id begins anew", %{room: room, log: log} do
    {rooms, _} = room
    {:ok, rules} = Roomfold.Rules.new(%{"user_joined" => []})

    for seq <- 0..2 do
      half = {rooms, "half #{seq}"}
      term = half(log, elem(half, 1), seq)

      for {what, answer} <- [
            start: Room.ensure_started(half),
            publish: Room.publish(half, {"user_joined", %{"user_id" => "bob"}}),
            state_at: Room.state_at(half, 0),
            diff: Room.diff(half, 0, 0),
            refold: Room.refold(half, rules),
            hashes: Room.hashes(half, 1),
            fork: Room.fork(half, 0),
            replay: if(seq > 0, do: Room.replay(half), else: {:error, Error.new(:fork_unfinished)})
          ] do
        assert {^what, {:error, %Error{reason: :fork_unfinished, message: message}}} = {what, answer}
        assert message =~ "fork to its id again, or delete it from the log"
      end

      # Whoever asked has not taken it from who may still make it.
      assert {:ok, %{term: ^term, seq: ^seq}} = EventLog.head(log, elem(half, 1))
      assert {:ok, ^half} = Room.fork(room, 2, id: elem(half, 1))

      assert {:error, %Error{reason: reason}} =
               EventLog.append(log, elem(half, 1), term, seq, [~s({"seq":9})])

      assert reason == :old_term
      assert Room.hashes(half, 1) == Room.hashes(room, 1)
      # Nor is it taken for half of one once it has been opened and closed, or forked itself.
      assert {:ok, 3} = Room.publish(half, {"user_joined", %{"user_id" => "bob"}})
      Room.stop(half)
      assert {:ok, 4} = Room.publish(half, {"user_left", %{"user_id" => "bob"}})
      assert {:ok, again} = Room.fork(half, 1)
      assert {:ok, 2} = Room.publish(again, {"user_joined", %{"user_id" => "bob"}})
    end
  end

  test "upcasters are told of a fork's records what they are told of the original's", %{
    room: {rooms, _} = room
  } do
    test = self()

    told = fn room ->
      {:ok, _} = Room.ensure_started(room, rules_version: 3, upcasters: [&(send(test, &2) && &1)])
      Room.stop(room)
      for _ <- 1..2, do: assert_receive(%{"rules" => _})
    end

    {:ok, _} = Room.fork(room, 2, id: "told")
    assert told.({rooms, "told"}) == told.(room)
  end

  for log <- [EventLog.Memory, EventLog.SQLite], seq <- [0, 3_000] do
    @tag adapter: log, seq: seq, tmp_dir: log == EventLog.SQLite
    test "of many who fork to one id at the same moment one does, and wholly: #{inspect(log)}, up to #{seq}",
         %{adapter: module, seq: seq} = context do
      opts = if module == EventLog.SQLite, do: [path: Path.join(context.tmp_dir, "rooms.db")], else: []
      rooms = start_rooms(log: {module, opts}, room: [tick_ms: 2, snapshot_every: 0])
      log = Rooms.log(rooms)
      room = {rooms, "1"}
      # Of two versions, so that a fork claims twice, and in several pieces.
      user = String.duplicate("tom", 80)
      events = for _ <- 1..1_500, do: {"user_joined", %{"user_id" => user, "name" => user <> user}}

      for version <- [1, 2] do
        {:ok, _} = Room.ensure_started(room, rules_version: version)
        for some <- Enum.chunk_every(events, 500), do: {:ok, _} = Room.publish(room, some)
        Room.stop(room)
      end

      for n <- 1..5 do
        answers =
          1..8
          |> Enum.map(fn _ -> Task.async(fn -> Room.fork(room, seq, id: "fork #{n}") end) end)
          |> Task.await_many(60_000)

        assert [{:ok, fork}] = Enum.filter(answers, &match?({:ok, _}, &1))
        for {:error, error} <- answers, do: assert(error.reason == :invalid_argument and error.field == "id")
        assert {:ok, %{seq: ^seq}} = EventLog.head(log, "fork #{n}")
        assert Room.hashes(fork, 500) == if(seq == 0, do: {:ok, []}, else: Room.hashes(room, 500))
      end
    end
  end
end
