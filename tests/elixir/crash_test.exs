defmodule Roomfold.CrashTest do
  # Another VM runs rooms on a SQLite log and is killed at a random moment: what it acknowledged is there, without a gap, and the world is
  # what the log says. CRASHES=1000 for the long run.
  use Roomfold.RoomsCase, async: true

  alias Roomfold.EventLog

  if Roomfold.SQLiteCase.sanitized?() do
    IO.puts("left out: #{inspect(__MODULE__)}, it starts VMs, and this one is under a sanitizer")
    @moduletag :skip
  end

  @crashes String.to_integer(System.get_env("CRASHES", "4"))
  @rooms ["a", "b", "c"]

  # Publishes to three rooms as fast as it gets answers, and says each seq that was acknowledged.
  @child """
  [path] = System.argv()
  {:ok, _} = Roomfold.Rooms.start_link(name: Child, log: {Roomfold.EventLog.SQLite, path: path}, room: [tick_ms: 2, snapshot_every: 50])
  IO.puts("ready")

  publish = fn publish, room, n ->
    event = {"create", %{"entity_id" => "e\#{rem(n, 40)}", "components" => %{"n" => n, "position" => [n, 0.5, -n]}}}
    {:ok, seq} = Roomfold.Room.publish({Child, room}, event)
    IO.puts("ack \#{room} \#{seq}")
    publish.(publish, room, n + 1)
  end

  for room <- ["a", "b", "c"], _ <- 1..3, do: spawn_link(fn -> publish.(publish, room, 1) end)
  Process.sleep(:infinity)
  """

  if EventLog.SQLite.available?() do
    test "kill -9 under load, #{@crashes} times" do
      folder =
        Path.join(System.tmp_dir!(), "roomfold-crash-#{System.pid()}-#{System.unique_integer([:positive])}")

      File.mkdir_p!(folder)
      on_exit(fn -> File.rm_rf!(folder) end)
      path = Path.join(folder, "rooms.db")
      acknowledged = Enum.reduce(1..@crashes, %{}, fn _, acknowledged -> crash(path, acknowledged) end)
      # That it had something to lose.
      assert acknowledged != %{}
    end
  else
    IO.puts("\nleft out: kill -9 of a VM with rooms on SQLite, which was not there when this was built")
  end

  defp crash(path, acknowledged) do
    port = start_child(path)
    {:os_pid, pid} = Port.info(port, :os_pid)
    acknowledged = listen(port, acknowledged, "", now() + 30_000, Enum.random(30..300))
    System.cmd("kill", ["-9", to_string(pid)])
    acknowledged = until_exit(port, acknowledged, "")
    check(path, acknowledged)
    acknowledged
  end

  defp start_child(path) do
    paths =
      for {app, _, _} <- Application.loaded_applications(),
          app == :roomfold,
          do: Application.app_dir(app, "ebin")

    [elixir] = Enum.take(Enum.reject([System.find_executable("elixir")], &is_nil/1), 1)

    Port.open({:spawn_executable, elixir}, [
      :binary,
      :exit_status,
      args:
        Enum.flat_map(paths, &["-pa", &1]) ++
          [
            "--erl",
            "-noshell",
            "-e",
            "{:ok, _} = Application.ensure_all_started(:roomfold)",
            "-e",
            @child,
            path
          ]
    ])
  end

  defp now, do: System.monotonic_time(:millisecond)

  # From the first acknowledgement on for so many milliseconds.
  defp listen(port, acknowledged, rest, deadline, ms) do
    receive do
      {^port, {:data, data}} ->
        {acknowledged, rest} = acks(rest <> data, acknowledged)

        deadline =
          if rest != "" or String.contains?(data, "ack"), do: min(deadline, now() + ms), else: deadline

        listen(port, acknowledged, rest, deadline, ms)

      {^port, {:exit_status, status}} ->
        flunk("the other VM ended by itself: #{status}")
    after
      max(deadline - now(), 0) -> acknowledged
    end
  end

  defp until_exit(port, acknowledged, rest) do
    receive do
      {^port, {:data, data}} ->
        {acknowledged, rest} = acks(rest <> data, acknowledged)
        until_exit(port, acknowledged, rest)

      {^port, {:exit_status, _}} ->
        acknowledged
    after
      60_000 -> flunk("the other VM does not die")
    end
  end

  defp acks(text, acknowledged) do
    {lines, [rest]} = text |> String.split("\n") |> Enum.split(-1)

    acknowledged =
      Enum.reduce(lines, acknowledged, fn line, acknowledged ->
        case String.split(line) do
          ["ack", room, seq] ->
            Map.update(acknowledged, room, String.to_integer(seq), &max(&1, String.to_integer(seq)))

          _ ->
            acknowledged
        end
      end)

    {acknowledged, rest}
  end

  defp check(path, acknowledged) do
    rooms = start_rooms(log: {EventLog.SQLite, path: path})
    log = Rooms.log(rooms)
    assert {:ok, _} = EventLog.verify(log, :all)

    for room <- @rooms, acked = acknowledged[room] do
      {:ok, %{seq: last}} = EventLog.head(log, room)
      assert last >= acked
      assert Room.seq({rooms, room}) == last

      # From the first record, without a snapshot's help, and every seq is there once.
      {:ok, world, report} =
        World.fold(World.new!(), {:json, log |> EventLog.stream(room, 1, last) |> Enum.join()})

      assert {report.folded, report.gaps, report.stale, World.seq(world)} == {last, 0, 0, last}
      assert Room.snapshot({rooms, room}) == World.snapshot(world)
    end

    stop_supervised!(rooms)
  end
end
