defmodule Roomfold.EventLog.CrashTest do
  # kill -9 of a VM that writes, again and again on the same database. CRASHES=1000 (make crash N=1000) for longer.
  use Roomfold.SQLiteCase, async: true

  import Roomfold.Eventually
  alias Roomfold.{EventLog, KilledVM}

  @moduletag :closed

  if sanitized?() do
    IO.puts("left out: #{inspect(__MODULE__)}, it starts VMs, and this one is under a sanitizer")
    @moduletag :skip
  end

  @writer Path.expand("crash/writer.exs", __DIR__)
  @until_it_fails Path.expand("crash/until_it_fails.exs", __DIR__)
  @rooms 5

  defp elixir(arguments), do: KilledVM.elixir([@writer | arguments])

  defp crashes, do: String.to_integer(System.get_env("CRASHES", "3"))

  # What it printed until it ended: {what was acknowledged of each room, its status}. Killed so many milliseconds after the first.
  defp run(command, kill_after) do
    {said, status} = KilledVM.run(command, kill_after, &(not match?("pid " <> _, &1)))

    acknowledged =
      for line <- said, [room, seq] = String.split(line, " "), into: %{}, do: {room, String.to_integer(seq)}

    {acknowledged, status}
  end

  # What comes after it is run under strace; what: which calls, and what is done to them. Other calls do not stop it (--seccomp-bpf).
  defp traced(strace, out, what), do: [strace, "-f", "--seccomp-bpf", "-qq", "-o", out, "-e" | what]

  test "kill -9 while it writes: nothing acknowledged is lost, no seq is left out", %{path: path} do
    seed = :rand.uniform(1_000_000)
    :rand.seed(:exsss, {seed, 1, 2})

    Enum.reduce(1..crashes(), %{}, fn round, before ->
      {acknowledged, status} = run(elixir([path, "#{@rooms}", "-1", "full"]), :rand.uniform(400))
      assert {seed, round, status} == {seed, round, 137}
      acknowledged = Map.merge(before, acknowledged)

      {_, server} = log = open(path, busy_timeout: 5_000)
      assert {:ok, _} = EventLog.verify(log)
      for {room, seq} <- acknowledged, do: check_room(log, room, seq)
      # Sometimes it finds the WAL as the crash left it.
      if rem(round, 2) == 0, do: GenServer.stop(server), else: stop_supervised_log(server)
      acknowledged
    end)
  end

  defp stop_supervised_log(server) do
    monitor = Process.monitor(server)
    Process.exit(server, :kill)
    assert_receive {:DOWN, ^monitor, :process, _, _}
  end

  defp check_room(log, room, acknowledged) do
    {:ok, %{seq: seq, first: first}} = EventLog.head(log, room)
    assert seq >= acknowledged

    text = IO.iodata_to_binary(Enum.to_list(EventLog.stream(log, room, first)))
    assert text == Enum.map_join(first..seq, &(record(room, &1) <> "\n"))

    case EventLog.snapshot(log, room) do
      {:ok, nil} -> assert first == 1
      {:ok, {at, snapshot}} -> assert snapshot == "snapshot of #{room} at #{at}" and at >= first - 1
    end
  end

  defp record(room, seq),
    do: ~s({"seq":#{seq},"room":"#{room}","text":"#{String.duplicate("x", rem(seq * 37, 300))}"})

  test "each acknowledgement waits for the disk; with synchronous: :normal none does", %{
    path: path,
    folder: folder
  } do
    if strace = System.find_executable("strace") do
      counts =
        for mode <- ["full", "normal"] do
          out = Path.join(folder, mode)
          # The log's own start, too.
          {_, 0} = run(traced(strace, out, ["trace=fdatasync,fsync"]) ++ elixir([path, "1", "30", mode]), nil)

          File.read!(out) |> String.split("\n") |> Enum.count(&(&1 =~ ~r/ (fdatasync|fsync)\(/))
        end

      assert [full, normal] = counts
      assert full >= 30
      assert normal < 10
    else
      IO.puts("left out: strace is not installed")
    end
  end

  test "a shell that writes meanwhile (VACUUM) has its commits, whatever the log extends its WAL with", %{
    path: path
  } do
    with_shell(fn ->
      if strace = System.find_executable("strace") do
        # Each write takes its time, so that the shell is in between.
        slow = ["trace=pwrite64", "-e", "inject=pwrite64:delay_enter=3000"]
        command = traced(strace, "/dev/null", slow)
        test = self()
        spawn_link(fn -> send(test, run(command ++ elixir([path, "2", "400", "normal"]), nil)) end)
        # A VM that starts under strace.
        eventually(fn -> made?(path) end, 120_000)
        shell(path, "CREATE TABLE scratch (x)")
        {acknowledged, 0} = write_until_ended(path)

        assert shell(path, "PRAGMA integrity_check") == "ok"
        log = open(path, busy_timeout: 5_000)
        for {room, seq} <- acknowledged, do: check_room(log, room, seq)
      else
        IO.puts("left out: strace is not installed")
      end
    end)
  end

  test "after a sync that failed nobody knows what is on the disk, whatever the reason: the log ends and reads again",
       %{path: path} do
    if strace = System.find_executable("strace") do
      full = ["trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=ENOSPC:when=20"]
      command = traced(strace, "/dev/null", full)
      script = KilledVM.elixir([@until_it_fails, path])
      {said, _} = KilledVM.run(command ++ script, nil, fn _ -> false end)
      assert ["log_failed SQLite says: " <> _, seq, "ended: log_failed"] = said

      {_, server} = log = open(path, busy_timeout: 5_000)
      assert {:ok, _} = EventLog.verify(log)
      {:ok, head} = EventLog.head(log, "room1")
      # What was acknowledged is there; the one that failed may be.
      assert (head.seq - String.to_integer(seq)) in 0..1
      assert :ok = EventLog.append(log, "room1", head.term, head.seq, ["{}"])
      GenServer.stop(server)
    else
      IO.puts("left out: strace is not installed")
    end
  end

  defp made?(path) do
    File.exists?(path <> "-wal") and
      shell(path, "SELECT count(*) FROM sqlite_master WHERE name = 'events'") == "1"
  end

  defp write_until_ended(path) do
    receive do
      {_, _} = ended -> ended
    after
      0 ->
        shell(path, "INSERT INTO scratch VALUES (randomblob(400000)); DELETE FROM scratch")
        write_until_ended(path)
    end
  end

  # It waits for the log's locks.
  defp shell(path, sql) do
    {out, 0} = System.cmd("sqlite3", ["-bail", "-cmd", ".timeout 60000", path, sql], stderr_to_stdout: true)

    String.trim(out)
  end
end
