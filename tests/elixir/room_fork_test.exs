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

    # Its second claim, of the records that were written in a later version.
    def claim(server, "raced later" = id, meta, over) do
      case Memory.head(server, id) do
        {:ok, %{seq: seq}} when seq > 0 -> theirs(server, id, seq) && failed()
        _ -> super(server, id, meta, over)
      end
    end

    def claim(server, "no second claim" = id, meta, over) do
      case Memory.head(server, id) do
        {:ok, %{seq: seq}} when seq > 0 -> failed()
        _ -> super(server, id, meta, over)
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

    # From its claim on.
    @impl true
    def head(server, "full and gone" = id) do
      with {:ok, %{}} <- super(server, id), do: failed()
    end

    def head(server, id), do: super(server, id)

    @impl true
    def delete(_, "full for ever"), do: {:error, Roomfold.Error.new(:log_full)}
    def delete(server, id), do: super(server, id)
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
    for {id, last} <- [{"raced, and no claim", 1}, {"raced later", 2}] do
      assert {:error, %Error{reason: :log_failed, message: message}} = Room.fork(room, 2, id: id)
      assert {:ok, %{text: text, seq: ^last}} = EventLog.read(log, id, last)
      assert text =~ "theirs"
      # Half of it is theirs now, too.
      assert message =~ ~s(a part of the fork is in the room that was started as "raced later") == (last == 2)
    end
  end

  test "half of one does not stay; if it can't be removed, the error says where it is", %{
    room: room,
    log: log
  } do
    for {id, reason} <- [{"no second claim", :log_failed}, {"full", :log_full}, {"no snapshot", :log_full}] do
      assert {:error, %Error{reason: ^reason, detail: nil}} = Room.fork(room, 2, id: id)
      assert EventLog.head(log, id) == {:ok, nil}
    end

    for id <- ["full for ever", "full and gone"] do
      assert {:error, %Error{reason: :log_full, message: message}} = Room.fork(room, 2, id: id)
      assert message =~ ~s(a part of the fork may be left in the log as "#{id}")
    end
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
        for {:error, error} <- answers, do: assert(error.message =~ "this room exists already")
        assert {:ok, %{seq: ^seq}} = EventLog.head(log, "fork #{n}")
        assert Room.hashes(fork, 500) == if(seq == 0, do: {:ok, []}, else: Room.hashes(room, 500))
      end
    end
  end
end
