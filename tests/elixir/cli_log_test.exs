defmodule Roomfold.CliLogTest do
  @moduledoc "The program reads what rooms wrote into a SQLite log."
  use Roomfold.SQLiteCase, async: true

  import Roomfold.Eventually

  alias Roomfold.{EventLog, JSON, Room, Rules, World}
  alias Roomfold.Test.Program

  if Program.missing(), do: @moduletag(skip: Program.missing())

  @readers [~w(replay), ~w(inspect), ~w(validate), ~w(convert --to events)]

  defp record(i) do
    event = if i <= 5, do: %{"event" => "create", "components" => %{"kind" => "bat", "note" => [1, 1.0, "é"]}}
    event = event || %{"event" => "update", "components" => %{"position" => [i, 0.1, -0.0]}}

    JSON.encode!(
      Map.merge(event, %{"entity_id" => "e#{rem(i, 5)}", "seq" => i, "at" => 1_000 * i, "by" => "system"})
    )
  end

  # What it says of a room's log when --rules is not there.
  defp note("convert", _), do: ""

  defp note(command, path) do
    "roomfold #{command}: #{path}: folded with the rules doom, as there is no --rules; its rooms may have had others: " <>
      "roomfold #{command} --help\n"
  end

  # Records 1 to count of a room that nobody runs.
  defp fill(log, room, count) do
    {:ok, %{term: term}} = EventLog.claim(log, room, %{"rules" => 1})

    for first <- 1..count//100,
        do:
          :ok =
            EventLog.append(log, room, term, first - 1, Enum.map(first..min(first + 99, count), &record/1))

    term
  end

  defp world(count), do: World.fold!(World.new!(), {:json, Enum.map_join(1..count, "\n", &record/1)})

  # As a room puts it into the log.
  defp snapshot(count) do
    options = Roomfold.Room.Options.new([[id: "lobby"]])
    {:ok, snapshot} = Roomfold.Room.Recovery.snapshot(options, world(count), ["tom"], 1_000 * count)
    IO.iodata_to_binary(snapshot)
  end

  test "a room that lived: every command says the same of its log as of its records", %{log: log, path: path} do
    {:ok, room} = Room.start_link(id: "lobby", rooms: nil, log: log, tick_ms: 5)
    for u <- ~w(ann bob), do: {:ok, _} = Room.publish(room, {"user_joined", %{"user_id" => u}})

    for i <- 1..200 do
      {:ok, _} =
        Room.publish(room, {"user_moved", %{"user_id" => "ann", "position" => [i / 7, 0.1, 0]}}, by: "ann")
    end

    {:ok, world} = Room.state_at(room, 202)
    lines = log |> EventLog.stream("lobby", 1) |> Enum.to_list()

    # Also while the room writes.
    assert {state, report, 0} = Program.run(["replay", path])
    assert report == note("replay", path) <> "seq 202, folded 202, orphaned 0, stale 0, gaps 0, rejected 0\n"
    assert JSON.decode!(state) === World.snapshot(world)
    GenServer.stop(room)

    for command <- @readers do
      {out, error, 0} = Program.run(command ++ ["-"], IO.iodata_to_binary(lines))
      assert {from_log, told, 0} = Program.run(command ++ [path, "--room", "lobby"])
      assert told == note(hd(command), path) <> error
      assert String.replace(from_log, path, "-") == out
    end

    assert {packed, "", 0} = Program.run(["convert", path, "--to", "packed"])
    assert {^state, _, 0} = Program.run(["replay", "-"], packed)
    assert {at_50, _, 0} = Program.run(["replay", path, "--until", "50"])
    assert {^at_50, _, 0} = Program.run(["replay", "-", "--until", "50"], IO.iodata_to_binary(lines))
  end

  test "what a room appends while its log is read is not read", %{log: log, path: path} do
    term = fill(log, "lobby", 10_000)
    # The program waits for its reader: less than half of the log is in the pipe and in its buffers.
    wait = ~S(dd bs=1 count=1 2>/dev/null; touch "$1.begun"; while [ ! -e "$1.go" ]; do sleep 0.05; done; cat)
    script = ~s("$ROOMFOLD" convert "$1" --to events | { #{wait}; })
    reading = Task.async(fn -> Program.shell(script, "", [path]) end)
    eventually(fn -> File.exists?(path <> ".begun") end)
    for i <- 10_001..10_100, do: :ok = EventLog.append(log, "lobby", term, i - 1, [record(i)])
    File.touch!(path <> ".go")
    assert {out, "", 0} = Task.await(reading, 60_000)
    assert out |> String.split("\n", trim: true) |> List.last() == record(10_000)
  end

  test "a room with rules of its own: without them that is said, with them nothing is", %{
    log: log,
    folder: folder,
    path: path
  } do
    lit = [{:update, "lamp_id", %{"lit" => {:value, true}}}]
    rules = Rules.new!(%{"lamp_placed" => [{:create, "lamp_id", %{}}], "lamp_lit" => lit})
    {:ok, room} = Room.start_link(id: "lobby", rooms: nil, log: log, rules: rules)
    for name <- ~w(lamp_placed lamp_lit), do: {:ok, _} = Room.publish(room, {name, %{"lamp_id" => "lamp"}})
    GenServer.stop(room)
    file = Path.join(folder, "rules.json")
    File.write!(file, Rules.to_json(rules))

    for command <- ~w(replay inspect validate) do
      assert {_, told, _} = Program.run([command, path])
      assert String.starts_with?(told, note(command, path))
      assert {_, told, 0} = Program.run([command, path, "--rules", file])
      refute told =~ "may have had others"
      refute elem(Program.run([command, "-"], "{}"), 1) =~ "may have had others"
    end

    assert {"{\"lamp\":{\"lit\":true}}\n", _, 0} = Program.run(["replay", path, "--rules", file])
  end

  test "several rooms: which one has to be said", %{log: log, path: path} do
    for room <- @readers do
      assert {"", error, 1} = Program.run(room ++ [path])
      assert error =~ "this log has no rooms"
    end

    fill(log, "b", 250)
    assert {_, "seq 250, " <> _, 0} = Program.run(["replay", path, "--rules", "xr"])
    fill(log, "a", 10)
    {:ok, _} = EventLog.claim(log, "é c", %{})

    for command <- @readers do
      assert {"", error, 2} = Program.run(command ++ [path])

      assert error =~
               "this log has 3 rooms; --room ID says which:\n  a  (seq 1 to 10)\n  b  (seq 1 to 250)\n  é c  (no events)\n"
    end

    assert {_, "seq 250, " <> _, 0} = Program.run(["replay", path, "--rules", "xr", "--room=b"])
    assert {"{}\n", "seq 0, " <> _, 0} = Program.run(["replay", path, "--rules", "xr", "--room", "é c"])
    assert {"", error, 1} = Program.run(["replay", path, "--room", "d"])
    assert error =~ "there is no room d in it"
    assert {"", error, 2} = Program.run(["replay", "-", "--room", "d"], "{}")
    assert error =~ "this is no database"

    assert {"", error, 1} = Program.run(["replay", path, "--room", "\e[3J"])
    assert error =~ "there is no room ?[3J in it"

    # More than are read at a time.
    for i <- 1..600, do: {:ok, _} = EventLog.claim(log, "room #{i}", %{})
    assert {"", error, 2} = Program.run(["replay", path])
    assert error =~ "this log has 603 rooms"
    assert length(String.split(error, "\n", trim: true)) == 604
  end

  test "what clients have named rooms is shown without what a terminal would do", %{log: log, path: path} do
    for name <- ["\e[2Ja\u009Bb\n", "é"], do: {:ok, _} = EventLog.claim(log, name, %{})
    assert {"", error, 2} = Program.run(["replay", path])
    assert error =~ "says which:\n  ?[2Ja?b?  (no events)\n  é  (no events)\n"
  end

  test "a log that was trimmed begins with its snapshot", %{log: log, path: path} do
    term = fill(log, "lobby", 300)
    assert :ok = EventLog.put_snapshot(log, "lobby", term, 100, snapshot(100))
    assert :ok = EventLog.put_snapshot(log, "lobby", term, 200, snapshot(200))
    whole = World.snapshot(world(300))

    for {keep, events} <- [{101, 200}, {150, 100}, {201, 100}] do
      assert :ok = EventLog.trim(log, "lobby", keep)
      assert {:ok, %{first: first}} = EventLog.head(log, "lobby")
      assert first > 1
      assert {state, error, 0} = Program.run(["replay", path])
      assert JSON.decode!(state) === whole
      # The snapshot is one of them.
      assert error =~ "seq 300, folded #{events + 1}, orphaned 0, stale 0, gaps 0, rejected 0\n"
      assert error =~ "this begins at seq 200" == (first == 150)
      assert {text, _, 0} = Program.run(["convert", path, "--to", "events"])
      assert length(String.split(text, "\n", trim: true)) == events + 1
      assert {packed, _, 0} = Program.run(["convert", path, "--to", "packed"])

      for {arguments, input} <- [{[path], ""}, {["-"], text}, {["-"], packed}] do
        assert {^state, _, 0} = Program.run(["replay", "--strict" | arguments], input)
        assert {found, _, 0} = Program.run(["inspect", "--json" | arguments], input)
        assert %{"several_entities" => 1, "unreadable" => 0, "gaps" => 0} = JSON.decode!(found)
        # Where it begins, and before.
        start = 300 - events
        assert {at_start, _, 0} = Program.run(["replay", "--until", "#{start}" | arguments], input)
        assert JSON.decode!(at_start) === World.snapshot(world(start))

        for until <- [0, 5, start - 1] do
          assert {"", error, 1} = Program.run(["replay", "--until", "#{until}" | arguments], input)
          assert error =~ "this begins at seq #{start}; what was before is not in it\n"
        end
      end

      assert {told, _, 0} = Program.run(["validate", path])
      assert told =~ "#{events + 1} events, 0 offences"
    end

    term = fill(log, "odd", 10)
    assert :ok = EventLog.put_snapshot(log, "odd", term, 10, "not a room's")
    assert :ok = EventLog.trim(log, "odd", 11)
    assert {"", error, 1} = Program.run(["replay", path, "--room", "odd"])
    assert error =~ "the snapshot at seq 10 is none of a room"
  end

  @tag :closed
  test "a database that is none of ours, damaged, or not a file", %{folder: folder, path: path} do
    foreign = Path.join(folder, "foreign.db")

    if System.find_executable("sqlite3") do
      {_, 0} = System.cmd("sqlite3", [foreign, "CREATE TABLE t (a)"])
      assert {"", error, 1} = Program.run(["replay", foreign])
      assert error =~ "not a log that this version of Roomfold reads"
    else
      IO.puts("left out: another program's database (there is no sqlite3)")
    end

    log = open(path)
    fill(log, "lobby", 3_000)

    # A copy while it is written: what is new stands in the file behind -wal.
    [copy, both] = for name <- ~w(copy both), do: Path.join(folder, name <> ".db")
    for to <- [copy, both], do: File.cp!(path, to)
    File.cp!(path <> "-wal", both <> "-wal")
    assert {_, _, 0} = Program.run(["replay", both])

    if File.stat!(copy).size < 10_000 do
      assert {"", error, 1} = Program.run(["replay", copy])
      assert error =~ "there is nothing in it; is it a copy without the file with -wal behind its name?"
    end

    reopen(log, path)
    bytes = File.read!(path)
    zipped = path <> ".gz"
    File.write!(zipped, :zlib.gzip(bytes))

    for {arguments, input} <- [{[zipped], ""}, {["-"], bytes}], command <- @readers do
      assert {"", error, 1} = Program.run(command ++ arguments, input)
      assert error =~ "a database can't be read from a pipe or a .gz"
    end

    # A record that somebody changed: what comes before is used.
    damaged = Path.join(folder, "damaged.db")
    File.write!(damaged, String.replace(bytes, ~s([2700,0.1), ~s([2701,0.1), global: false))
    assert {state, error, 1} = Program.run(["replay", damaged])

    assert error =~
             "the log is damaged: room \"lobby\", seq 2700: its checksum is wrong; what came before was used: 2699 events"

    assert map_size(JSON.decode!(state)) == 5

    short = Path.join(folder, "short.db")
    File.write!(short, binary_part(bytes, 0, 5_000))
    assert {"", error, 1} = Program.run(["replay", short])
    assert error =~ "damaged" or error =~ "not a log"
  end

  @tag :closed
  test "a log that is closed, where nothing may be written", %{folder: folder} do
    as_root(fn ->
      with {:ok, place} <- mount(folder, "size=8m") do
        path = Path.join(place, "50% of #1?.db")
        log = open(path)
        fill(log, "lobby", 10)
        GenServer.stop(elem(log, 1))
        {_, 0} = System.cmd("mount", ["-o", "remount,ro", place])
        assert {state, "seq 10, " <> _, 0} = Program.run(["replay", path, "--rules", "xr"])
        assert JSON.decode!(state) === World.snapshot(world(10))
      end
    end)
  end

  test "memory does not grow with the log", %{log: log, path: path} do
    if match?({:unix, :linux}, :os.type()) and not Program.instrumented?() do
      {:ok, %{term: term}} = EventLog.claim(log, "lobby", %{})

      for first <- 1..200_000//5_000 do
        records = for i <- first..(first + 4_999), do: record(i)
        :ok = EventLog.append(log, "lobby", term, first - 1, records)
      end

      assert File.stat!(path).size > 16_000_000
      script = ~s[ulimit -v 16000; exec "$ROOMFOLD" replay "$1" --rules doom]
      assert {_, "seq 200000, folded 200000" <> _, 0} = Program.shell(script, "", [path])
    else
      IO.puts("left out: flat memory of a log (ulimit -v is Linux's; a sanitizer needs more)")
    end
  end

  test "without SQLite the program says what to install", %{folder: folder, path: path, log: log} do
    fill(log, "lobby", 10)
    # Nothing is compiled for it that is not there already.
    assert Program.make(["SQLITE=no", "PRIV=#{folder}", "#{folder}/roomfold"], into: "") == 0
    run = &System.cmd(Path.join(folder, "roomfold"), &1, stderr_to_stdout: true)

    for command <- @readers do
      assert {error, 1} = run.(command ++ [path])

      assert error =~
               "this program was built without SQLite 3.20 or later; install it (Debian: apt install libsqlite3-dev"
    end

    File.write!(Path.join(folder, "log.jsonl"), record(1))
    assert {out, 0} = run.(["replay", Path.join(folder, "log.jsonl"), "--quiet"])
    assert out =~ "bat"
  end
end
