defmodule Roomfold.Room.InboxLogTest do
  # What waits in a room's inbox while its log hangs, dies, or the room goes.
  use Roomfold.SQLiteCase, async: true

  import Roomfold.Eventually
  import Roomfold.RoomsCase
  alias Roomfold.{EventLog, Room, Session}

  test "a room whose log hangs keeps no more than its queue, and says so at once", %{log: {_, pid} = log} do
    room = start_room(log: log, tick_ms: 20, max_queue: 10)
    {_, _, session} = join!(room, "tom", %{}, events_per_s: 1_000, bytes_per_s: 1_000_000)
    :sys.suspend(pid)
    session = put(session, 0)
    eventually(fn -> :sys.get_state(room).commit != nil end)

    {refused, session} =
      for n <- 1..40, reduce: {0, session} do
        {refused, session} ->
          {more, session} = refusals(put(session, n), "overloaded")
          {refused + more, session}
      end

    # Those in the inbox, and at most as many that the room had taken already.
    assert refused in 20..30
    assert :ets.info(:sys.get_state(room).inbox.table, :size) <= 10
    :sys.resume(pid)
    assert put_until_taken(session, 100) == :ok
  end

  test "a user is charged for when it published, not for when the log had time", %{log: {_, pid} = log} do
    room = start_room(log: log, tick_ms: 20, user_events_per_s: 20, user_burst_s: 1)
    {_, _, session} = join!(room, "tom")
    :sys.suspend(pid)

    # 30 within 1.8 s are allowed; all at once they would be 10 too many.
    session =
      for n <- 1..30, reduce: session do
        session ->
          session = put(session, n)
          Process.sleep(60)
          session
      end

    :sys.resume(pid)

    for n <- 1..30, reduce: session do
      session ->
        {:ok, session} = await(session, &verdict(&1, n))
        session
    end
  end

  for goodbye <- [:room_stops, :session_dies] do
    @goodbye goodbye
    test "what a session published is in the log before its goodbye (#{goodbye})", %{log: log} do
      room = start_room(log: log, tick_ms: 60_000, grace_ms: 0)
      parent = self()

      client =
        spawn(fn ->
          {_, _, session} = join!(room, "tom")
          session = put(session, 1)
          # By now it is awake, and waits for its tick: whatever comes next is nobody's message.
          eventually(fn -> Enum.any?(:sys.get_state(room).state.queue, &match?({:user, _}, &1.sender)) end)
          Enum.reduce(2..5, session, &put(&2, &1))
          send(parent, :published)
          Process.sleep(:infinity)
        end)

      assert_receive :published
      monitor = Process.monitor(room)

      if @goodbye == :session_dies do
        Process.exit(client, :kill)
        eventually(fn -> "user_left" in logged(log) end)
      end

      GenServer.stop(room, :shutdown)
      assert_receive {:DOWN, ^monitor, _, _, :shutdown}
      names = logged(log)
      assert Enum.count(names, &(&1 == "user_moved")) == 5
      if @goodbye == :session_dies, do: assert(List.last(names) == "user_left")
      Process.exit(client, :kill)
    end
  end

  test "a room whose log dies while it drains does not wait for it again and again", %{log: {_, pid} = log} do
    room = start_room(log: log, tick_ms: 20, grace_ms: 0)
    {_, _, session} = join!(room, "tom")
    eventually(fn -> :sys.get_state(room).commit == nil end)
    :sys.suspend(pid)
    Session.leave(session)
    eventually(fn -> :sys.get_state(room).commit != nil end)
    monitor = Process.monitor(room)
    spawn(fn -> GenServer.stop(room, :shutdown, 60_000) end)
    Process.sleep(50)
    Process.exit(pid, :kill)
    assert_receive {:DOWN, ^monitor, _, _, _}, 4_000
  end

  test "a room that is stopped while its log hangs waits for it once, whatever it has to say", %{
    log: {_, pid} = log
  } do
    room = start_room(log: log, tick_ms: 20, grace_ms: 0)
    {_, _, session} = join!(room, "tom")
    eventually(fn -> :sys.get_state(room).commit == nil and Room.seq(room) == 1 end)
    :sys.suspend(pid)
    Session.leave(session)
    eventually(fn -> :sys.get_state(room).commit != nil end)
    started = System.monotonic_time(:millisecond)
    assert GenServer.stop(room, :shutdown, 60_000) == :ok
    assert System.monotonic_time(:millisecond) - started < 9_000
    :sys.resume(pid)
  end

  defp put(session, n) do
    text = {:json, ~s({"user_id":"tom","position":[#{n},0,0]})}
    {[], session} = Session.input(session, "user_moved", text, n)
    session
  end

  defp verdict({:reply, n, status, _}, n), do: status
  defp verdict(_, _), do: nil

  # Until the queue has been written.
  defp put_until_taken(session, n) do
    case await(put(session, n), &verdict(&1, n)) do
      {:error, session} -> Process.sleep(20) && put_until_taken(session, n)
      {:ok, _} -> :ok
    end
  end

  defp refusals(session, reason, count \\ 0) do
    receive do
      message ->
        case Session.handle(session, message) do
          :ignore ->
            refusals(session, reason, count)

          {frames, session} ->
            some = Enum.count(frames, &match?({:reply, _, :error, %{"reason" => ^reason}}, &1))
            refusals(session, reason, count + some)
        end
    after
      0 -> {count, session}
    end
  end

  defp logged(log) do
    for text <- EventLog.stream(log, "room", 1), line <- String.split(text, "\n", trim: true) do
      Roomfold.JSON.decode!(line)["event_name"]
    end
  end
end
