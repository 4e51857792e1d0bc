defmodule Roomfold.RoomForkCrashTest do
  # kill -9 of a VM that forks, again and again on the same database. CRASHES=1000 (make crash N=1000) for longer.
  use Roomfold.SQLiteCase, async: true

  import Roomfold.RoomsCase
  alias Roomfold.{EventLog, KilledVM, Room, Rooms}

  @moduletag :closed

  if sanitized?() do
    IO.puts("left out: #{inspect(__MODULE__)}, it starts VMs, and this one is under a sanitizer")
    @moduletag :skip
  end

  @forker Path.expand("crash/forker.exs", __DIR__)
  @events 6_000

  # Its output, until so many milliseconds after its first fork began.
  defp run(path, kill_after),
    do: KilledVM.run(KilledVM.elixir([@forker, path, "#{@events}"]), kill_after, &match?("pid " <> _, &1))

  # Of two versions, and of several pieces.
  defp origin(rooms) do
    name = String.duplicate("tom", 100)
    events = for _ <- 1..div(@events, 6), do: {"user_joined", %{"user_id" => "tom", "name" => name}}

    for version <- [1, 2] do
      {:ok, _} = Room.ensure_started({rooms, "origin"}, rules_version: version)
      for _ <- 1..3, do: {:ok, _} = Room.publish({rooms, "origin"}, events)
      Room.stop({rooms, "origin"})
    end

    {:ok, hashes} = Room.hashes({rooms, "origin"}, 500)
    hashes
  end

  defp place(path) do
    start_rooms(log: {EventLog.SQLite, path: path}, room: [tick_ms: 2, snapshot_every: 0, rules_version: 2])
  end

  test "kill -9 while it forks: a fork is there wholly, or nobody can open it", %{path: path} do
    seed = :rand.uniform(1_000_000)
    :rand.seed(:exsss, {seed, 1, 2})
    rooms = place(path)
    hashes = origin(rooms)
    stop_supervised!(rooms)

    for round <- 1..String.to_integer(System.get_env("CRASHES", "2")) do
      {said, status} = run(path, :rand.uniform(400))
      assert {seed, round, status} == {seed, round, 137}

      rooms = place(path)
      log = Rooms.log(rooms)
      for "made " <> n <- said, do: assert({:ok, %{seq: @events}} = EventLog.head(log, "fork " <> n))
      for "fork " <> _ = id <- said, do: check(rooms, log, id, hashes)
      stop_supervised!(rooms)
    end
  end

  defp check(rooms, log, id, hashes) do
    fork = {rooms, id}

    case {EventLog.head(log, id), Room.ensure_started(fork)} do
      {{:ok, nil}, {:ok, _}} ->
        Room.stop(fork)

      {{:ok, _}, {:error, %{reason: :fork_unfinished}}} ->
        {:ok, _} = Room.fork({rooms, "origin"}, @events, id: id)
        assert Room.hashes(fork, 500) == {:ok, hashes}

      {{:ok, _}, {:ok, _}} ->
        # Nobody has left it, either.
        assert Room.hashes(fork, 500) == {:ok, hashes}
        Room.stop(fork)
        assert {:ok, %{seq: @events}} = EventLog.head(log, id)
    end

    :ok = EventLog.delete(log, id)
  end
end
