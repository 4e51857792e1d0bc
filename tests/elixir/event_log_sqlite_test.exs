defmodule Roomfold.EventLog.SQLiteTest do
  use Roomfold.SQLiteCase, async: true

  import Roomfold.EventLog.Conformance, only: [records: 2, room: 3, reason: 1]

  alias Roomfold.EventLog
  alias Roomfold.EventLog.SQLite
  alias Roomfold.EventLog.SQLite.{Library, Recent}

  test "rooms that were there lately: two spans, each room once" do
    recent = ["a", "b", "b"] |> Enum.reduce(Recent.new(), &Recent.put(&2, &1)) |> Recent.next()
    assert {Recent.count(recent), Recent.most(recent)} == {2, 2}
    recent = ["b", "c"] |> Enum.reduce(recent, &Recent.put(&2, &1))
    assert {Recent.count(recent), Recent.most(recent)} == {3, 2}
    recent = recent |> Recent.next() |> Recent.put("a")
    assert {Recent.count(recent), Recent.most(recent)} == {3, 2}
    recent = recent |> Recent.next() |> Recent.next()
    assert {Recent.count(recent), Recent.most(recent)} == {0, 0}
  end

  # The tests that look into the database from outside.
  describe "options" do
    @describetag :closed

    test "what they may be" do
      for bad <- [
            [],
            [path: ""],
            [path: 1],
            [path: 'rooms.db'],
            [path: "a\0b"],
            [path: "x", synchronous: :off],
            [path: "x", readers: 0],
            [path: "x", busy_timeout: -1],
            [path: "x", max_bytes: "1"],
            [path: "x", max_append_bytes: 0]
          ] do
        assert_raise ArgumentError, fn -> SQLite.start_link(bad) end
      end

      for none <- [nil, 'rooms.db', "a\0b"] do
        error = assert_raise ArgumentError, fn -> SQLite.start_link(path: none) end
        assert error.message == ":path must be the name of a file, a string, got: #{inspect(none)}"
      end
    end

    test "what SQLite takes for no file is refused, and leaves nothing behind", %{folder: folder} do
      error = assert_raise ArgumentError, fn -> SQLite.start_link(path: ":memory:") end

      assert error.message =~
               ~s(name of a file, got: ":memory:"; a log in memory is a Roomfold.EventLog.Memory)

      for uri <- ["file:rooms.db", "file::memory:?cache=shared", "file:"] do
        error = assert_raise ArgumentError, fn -> SQLite.start_link(path: uri) end

        assert error.message =~
                 "not a URI, got: #{inspect(uri)}; a file that is called so is #{inspect("./" <> uri)}"
      end

      assert Path.wildcard("*:*") == []

      # In a folder they are names like others.
      for name <- [":memory:", "file:rooms.db"] do
        open(Path.join(folder, name))
        assert name in File.ls!(folder)
      end
    end

    test "a folder is no file, and no lock is made beside it", %{folder: folder} do
      Process.flag(:trap_exit, true)
      made = Path.join(folder, "made")
      File.mkdir!(made)

      for path <- [made, made <> "/", Path.join(made, ".")] do
        assert {:error, %{reason: :log_failed, message: message}} = SQLite.start_link(path: path)
        assert message == "#{inspect(path)}: the log failed: this is a folder; :path names a file in one"
      end

      assert {File.ls!(made), File.exists?(made <> ".lock")} == {[], false}
    end

    test "a misspelt one is named, not left out", %{path: path} do
      assert_raise ArgumentError, ~r/:max_byte\b/, fn -> SQLite.start_link(path: path, max_byte: 1_000) end
      assert_raise ArgumentError, ~r/more than once/, fn -> SQLite.start_link(path: "x", path: path) end
    end

    test "normal durability, more readers, a name", %{path: path} do
      open(path, synchronous: :normal, readers: 5, name: __MODULE__.Named)
      log = {SQLite, __MODULE__.Named}
      term = room(log, "lobby", 3)
      for _ <- 1..12, do: assert({:ok, %{seq: 3}} = EventLog.read(log, "lobby", 1))
      assert :ok = EventLog.append(log, "lobby", term, 3, [])
    end

    test "an append larger than it may be", %{path: path} do
      log = open(path, max_append_bytes: 100)
      {:ok, %{term: term}} = EventLog.claim(log, "lobby")
      assert reason(EventLog.append(log, "lobby", term, 0, [String.duplicate("x", 100)])) == :too_large
      assert :ok = EventLog.append(log, "lobby", term, 0, [String.duplicate("x", 99)])
    end
  end

  describe "the database" do
    test "is closed tidily: one file, in nobody's way", %{log: {_, pid} = log, folder: folder} do
      room(log, "lobby", 3)
      GenServer.stop(pid)
      assert Enum.sort(File.ls!(folder)) == ["rooms.db", "rooms.db.lock"]
    end

    test "is stopped with everything committed that was handed in", %{log: {_, pid} = log, path: path} do
      term = room(log, "lobby", 0)
      references = for seq <- 0..99, do: EventLog.submit(log, "lobby", term, seq, records(seq + 1, seq + 1))
      GenServer.stop(pid)
      for reference <- references, do: assert(EventLog.await(reference) == :ok)
      assert EventLog.verify(open(path)) == {:ok, 100}
    end

    test "whoever watches it is answered without a monitor for each append", %{
      log: {_, pid} = log,
      path: path
    } do
      term = room(log, "lobby", 0)
      one = EventLog.submit(log, "lobby", term, 0, records(1, 1), watched: true)
      assert_receive {^one, :ok}
      wrong = EventLog.submit(log, "lobby", term, 0, records(1, 1), watched: true)
      assert_receive {^wrong, {:error, %{reason: :wrong_seq}}}

      watch = EventLog.monitor(log)
      Process.unlink(pid)
      :sys.suspend(pid)
      lost = EventLog.submit(log, "lobby", term, 1, records(2, 2), watched: true)
      Process.exit(pid, :kill)
      assert_receive {:DOWN, ^watch, :process, ^pid, :killed}
      refute_received {:DOWN, ^lost, _, _, _}
      assert {:ok, %{seq: 1}} = EventLog.head(open(path), "lobby")
    end

    test "a room whose log dies while it waits for it answers whoever published, and stops", %{
      log: {_, pid} = log
    } do
      {:ok, room} = Roomfold.Room.start_link(id: "lobby", rooms: nil, log: log, tick_ms: 5)
      Process.unlink(room)
      down = Process.monitor(room)
      {:ok, 1} = Roomfold.Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
      Process.unlink(pid)
      :sys.suspend(pid)
      ref = Roomfold.Room.publish_async(room, [{"user_left", %{"user_id" => "tom"}}], by: :server)
      Roomfold.Eventually.eventually(fn -> :sys.get_state(room).commit != nil end)
      Process.exit(pid, :kill)
      assert_receive {^ref, {:error, %{reason: :log_failed}}}
      assert_receive {:DOWN, ^down, _, _, {:shutdown, :log_failed}}
    end

    test "many rooms: one that writes while the others rest is answered, also when it stops", %{
      log: {_, pid} = log,
      path: path
    } do
      rooms = for n <- 1..40, do: {"room#{n}", room(log, "room#{n}", 1)}
      submit = fn {name, term}, seq -> EventLog.submit(log, name, term, seq, records(seq + 1, seq + 1)) end

      # Each has written a moment ago, so that more is waited for.
      for reference <- Enum.map(rooms, &submit.(&1, 1)), do: assert(EventLog.await(reference) == :ok)
      assert EventLog.await(submit.(hd(rooms), 2)) == :ok

      for reference <- Enum.map(rooms, &submit.(&1, if(&1 == hd(rooms), do: 3, else: 2))),
          do: assert(EventLog.await(reference) == :ok)

      last = for room <- Enum.take(rooms, -3), do: submit.(room, 3)
      GenServer.stop(pid)
      for reference <- last, do: assert(EventLog.await(reference) == :ok)
      assert EventLog.verify(open(path)) == {:ok, 40 * 3 + 1 + 3}
    end

    test "its process killed: the next one goes on at once", %{log: {_, pid} = log, path: path} do
      term = room(log, "lobby", 3)
      for seq <- 3..50, do: EventLog.submit(log, "lobby", term, seq, records(seq + 1, seq + 1))
      Process.exit(pid, :kill)
      log = open(path, busy_timeout: 5_000)
      {:ok, %{seq: seq}} = EventLog.head(log, "lobby")
      assert seq >= 3
      assert EventLog.verify(log) == {:ok, seq}
    end

    test "has one writer, in this VM too, by whatever name", %{path: path, folder: folder, log: {_, pid}} do
      error = open_error(path)
      assert error.reason == :log_locked
      assert error.message =~ "OS process #{System.pid()}"

      # Who is refused leaves no file open.
      for _ <- 1..5, do: open_error(path)
      if File.dir?("/proc/self/fd"), do: assert(opened(path <> ".lock") == 1)

      File.ln_s!(path, Path.join(folder, "other.db"))
      assert open_error(Path.join(folder, "other.db")).reason == :log_locked
      GenServer.stop(pid)
      assert EventLog.verify(open(Path.join(folder, "other.db"))) == {:ok, 0}
    end

    # How often this VM has a file open.
    defp opened(path) do
      for(number <- File.ls!("/proc/self/fd"), do: File.read_link("/proc/self/fd/#{number}"))
      |> Enum.count(&(&1 == {:ok, path}))
    end

    test "records share a row of up to 64 KiB; a longer one has its own", %{path: path, log: log} do
      with_shell(fn ->
        {:ok, %{term: term}} = EventLog.claim(log, "lobby")
        record = fn size -> String.duplicate("x", size) end

        # With a line feed between them.
        for {seq, sizes} <- [{0, [32_767, 32_768]}, {2, [32_768, 32_768]}, {4, [1, 70_000, 1, 1]}],
            do: assert(:ok = EventLog.append(log, "lobby", term, seq, Enum.map(sizes, record)))

        assert sqlite3(path, "SELECT seq, count, length(text) FROM appends") ==
                 "1|2|65536\n3|1|32768\n4|1|32768\n5|1|1\n6|1|70000\n7|2|3"

        assert EventLog.verify(log) == {:ok, 8}
      end)
    end

    test "is made where a link leads to", %{folder: folder} do
      [link, file] = for name <- ~w(link.db file.db), do: Path.join(folder, name)
      File.ln_s!(file, link)
      log = open(link)
      room(log, "lobby", 3)
      assert open_error(file).reason == :log_locked
      assert EventLog.verify(log) == {:ok, 3}

      # It was made before SQLite opened it, and is open no more.
      {link, file} = {Path.join(folder, "other.db"), Path.join(folder, "real.db")}
      File.ln_s!(file, link)
      {:ok, writer} = Library.open(link, true, 1, 0, 0)
      if File.dir?("/proc/self/fd"), do: assert(opened(file) == 1)
      Library.close(writer)
    end

    test "waits for the one before to close", %{path: path, log: {_, pid} = log} do
      room(log, "lobby", 3)
      next = Task.async(fn -> SQLite.start_link(path: path, busy_timeout: 10_000) end)
      GenServer.stop(pid)
      assert {:ok, _} = Task.await(next, 60_000)
    end

    test "the shell reads it while it runs, as the documentation says", %{path: path, log: log} do
      with_shell(fn ->
        term = room(log, "lobby", 3)
        room(log, "cellar", 2)
        :ok = EventLog.append(log, "lobby", term, 3, records(4, 5))

        assert sqlite3(path, "SELECT seq, event FROM events WHERE room = 'lobby' AND seq > 2") ==
                 Enum.map_join(3..5, "\n", fn seq -> "#{seq}|#{hd(records(seq, seq))}" end)

        {:ok, %{term: other}} = EventLog.head(log, "cellar")

        assert sqlite3(path, "SELECT name, term, first, last FROM rooms") ==
                 "cellar|#{other}|1|2\nlobby|#{term}|1|5"

        assert sqlite3(path, "PRAGMA application_id; PRAGMA user_version; PRAGMA journal_mode") ==
                 "1380338759\n2\nwal"

        assert sqlite3(path, "PRAGMA integrity_check") == "ok"

        # The checksums are what they are said to be.
        [id, sums] = sqlite3(path, "SELECT room, hex(sums) FROM appends WHERE seq = 4") |> String.split("|")

        expected =
          for {record, seq} <- Enum.zip(records(4, 5), [4, 5]), into: "" do
            <<crc32c(<<String.to_integer(id)::little-64, seq::little-64, record::binary>>)::32>>
          end

        assert sums == Base.encode16(expected)
      end)
    end

    test "rooms that write by turns: each finds its rows, from marks and without, trimmed, and where the way to them is broken",
         %{path: path, log: log} do
      :rand.seed(:exsss, {1, 2, 3})

      rooms = %{
        "lobby" => room(log, "lobby", 0),
        "cellar" => room(log, "cellar", 0),
        "attic" => room(log, "attic", 0)
      }

      lasts =
        for _ <- 1..900, reduce: Map.new(rooms, fn {name, _} -> {name, 0} end) do
          lasts ->
            {name, term} = Enum.random(rooms)
            last = lasts[name] + Enum.random([1, 1, 1, 2, 5, 40])
            :ok = EventLog.append(log, name, term, lasts[name], records(lasts[name] + 1, last))
            %{lasts | name => last}
        end

      read_anywhere(log, lasts, 1)

      for first <- [700, 1_400] do
        :ok = EventLog.put_snapshot(log, "lobby", rooms["lobby"], first + 100, "x")
        :ok = EventLog.trim(log, "lobby", first)
        assert {:ok, %{first: ^first}} = EventLog.head(log, "lobby")
        read_anywhere(log, Map.take(lasts, ["lobby"]), first)
      end

      with_shell(fn ->
        GenServer.stop(elem(log, 1))

        # What was trimmed is gone, but for what is in the row with the first record.
        assert sqlite3(
                 path,
                 "SELECT count(*) FROM appends a, rooms r WHERE a.room = r.id AND a.seq + a.count <= r.first"
               ) == "0"

        bytes = File.read!(path)

        for sql <- [
              "UPDATE appends SET previous = 0",
              "UPDATE appends SET previous = previous + 1 WHERE at % 3 = 0",
              "UPDATE appends SET previous = at",
              "DROP INDEX appends_marked"
            ] do
          File.write!(path, bytes)
          sqlite3(path, sql)
          log = open(path)
          read_anywhere(log, lasts, 1_400)
          GenServer.stop(elem(log, 1))
        end
      end)
    end

    defp read_anywhere(log, lasts, first) do
      for {name, last} <- lasts, _ <- 1..10 do
        from = first + :rand.uniform(last - first + 1) - 1
        to = from + :rand.uniform(last - from + 1) - 1
        assert {:ok, %{first: ^from, seq: ^to, text: text}} = EventLog.read(log, name, from, to)
        assert text == Enum.map_join(records(from, to), &(&1 <> "\n"))
      end
    end

    test "trims and deletes in pieces, until nothing is left", %{path: path, log: log} do
      term = room(log, "lobby", 0)

      1..1_700
      |> Enum.map(fn seq -> EventLog.submit(log, "lobby", term, seq - 1, records(seq, seq)) end)
      |> Enum.each(&assert EventLog.await(&1) == :ok)

      :ok = EventLog.put_snapshot(log, "lobby", term, 1_650, "x")
      assert :ok = EventLog.trim(log, "lobby", 1_600)
      assert {:ok, %{first: 1_600}} = EventLog.head(log, "lobby")
      assert EventLog.verify(log) == {:ok, 101}
      :ok = EventLog.delete(log, "lobby")
      # Comes behind the sweeping that is under way when it is stopped.
      log = reopen(log, path)
      room(log, "cellar", 1)
      log = reopen(log, path)

      with_shell(fn ->
        assert sqlite3(path, "SELECT count(*) FROM appends; SELECT count(*) FROM garbage") == "1\n0"
      end)

      assert EventLog.rooms(log) == {:ok, ["cellar"]}
    end

    if sanitized?() do
      IO.puts("left out: a log on another node, for this VM is under a sanitizer")
      @tag :skip
    end

    @tag :closed
    test "is its node's: others read it there, and are told when that has ended", %{path: path} do
      [one, two] =
        for host <- [1, 2] do
          interface = ~c"{127,0,0,#{host}}"

          args =
            [~c"-start_epmd", ~c"false", ~c"-erl_epmd_port", ~c"9372", ~c"-setcookie", ~c"log"] ++
              [~c"-kernel", ~c"inet_dist_use_interface", interface, ~c"-connect_all", ~c"false", ~c"-pa"] ++
              Enum.filter(:code.get_path(), &(to_string(&1) =~ ~r"/(roomfold|elixir|logger)/ebin"))

          options = %{
            name: ~c"log",
            host: ~c"127.0.0.#{host}",
            longnames: true,
            connection: :standard_io,
            args: args
          }

          {:ok, peer, _node} = :peer.start_link(options)
          {:ok, _} = :peer.call(peer, :application, :ensure_all_started, [:elixir])
          peer
        end

      # Linked to nobody, for the process of a call ends with it.
      {:ok, _} =
        :peer.call(one, GenServer, :start, [SQLite.Server, SQLite.options!(path: path), [name: :log]])

      log = {SQLite, {:log, :"log@127.0.0.1"}}
      assert {:ok, %{term: term}} = :peer.call(two, EventLog, :claim, [log, "lobby"])
      assert :ok = :peer.call(two, EventLog, :append, [log, "lobby", term, 0, records(1, 3)])
      assert {:ok, %{first: 1, seq: 3} = piece} = :peer.call(two, EventLog, :read, [log, "lobby", 1])
      assert :peer.call(one, EventLog, :read, [log, "lobby", 1]) == {:ok, piece}
      assert :ok = :peer.call(two, EventLog, :put_snapshot, [log, "lobby", term, 3, "at 3"])
      assert {:ok, {3, "at 3"}} = :peer.call(two, EventLog, :snapshot, [log, "lobby"])
      assert {:ok, ["lobby"]} = :peer.call(two, EventLog, :rooms, [log])
      assert {:ok, 3} = :peer.call(two, EventLog, :verify, [log])
      error = :peer.call(two, EventLog, :read, [log, "cellar", 1])
      assert reason(error) == :no_room
      :peer.stop(one)
      assert reason(:peer.call(two, EventLog, :read, [log, "lobby", 1])) == :log_failed
    end

    test "its WAL is brought home while it is written, and begins anew", %{path: path, log: log} do
      {:ok, %{term: term}} = EventLog.claim(log, "lobby")
      record = ~s({"text":") <> String.duplicate("x", 200_000) <> ~s("})
      for seq <- 0..299, do: :ok = EventLog.append(log, "lobby", term, seq, [record])
      # 60 MB were written.
      assert File.stat!(path <> "-wal").size < 45_000_000
      assert File.stat!(path).size > 20_000_000
      assert EventLog.verify(log) == {:ok, 300}
    end

    @tag :closed
    test "who has read something, also a part, holds no checkpoint up", %{path: path} do
      {:ok, writer} = Library.open(path, true, 1, 1_000, 0)
      assert Library.checkpoint(writer) == {:ok, 0}

      claim = fn room ->
        {_, [{:ok, term, 0, 1, _}]} = Library.run(writer, [{1, room, 0, 0, 0, "{}"}])
        term
      end

      [term | _] = for room <- ~w(attic cellar lobby), do: claim.(room)
      lines = Enum.map_join(records(1, 3), &(&1 <> "\n"))

      assert {_, [:ok, :ok]} =
               Library.run(writer, [{0, "attic", term, 0, 3, lines}, {2, "attic", term, 2, 0, "x"}])

      {:ok, reader} = Library.open(path, false, 1, 1_000, 0)

      for read <- [
            fn -> assert {:ok, 0, "attic\0"} = Library.rooms(reader, "", 1) end,
            fn -> assert {:ok, ^term, 3, 1, _} = Library.head(reader, "attic") end,
            fn -> assert {:ok, 1, _} = Library.read(reader, "attic", 1, 3, 1, 10) end,
            fn -> assert {:ok, 2, "x"} = Library.snapshot(reader, "attic", 3) end,
            fn -> assert :ok = Library.check(reader) end,
            fn -> assert Library.head(reader, "hall") == nil end,
            fn -> assert {:error, {:no_room, _}} = Library.read(reader, "hall", 1, 1, 1, 1) end
          ] do
        read.()
        claim.("lobby")
        assert Library.checkpoint(writer) == {:ok, 0}
        # In a WAL that has begun anew.
        claim.("lobby")
        assert Library.checkpoint(writer) == {:ok, 0}
      end

      Library.close(reader)
      Library.close(writer)
      # There is no WAL yet.
      {:ok, writer} = Library.open(path, true, 1, 0, 0)
      assert Library.checkpoint(writer) == {:ok, 0}
      Library.close(writer)
    end

    @tag :closed
    test "rooms are listed while others are made: none too many", %{path: path} do
      log = open(path, synchronous: :normal)
      {:ok, _} = EventLog.claim(log, "lobby")

      maker =
        Task.async(fn ->
          # Not ever more, which would take ever longer to count.
          for name <- Stream.cycle(Enum.map(1..50, &"room #{&1}")) do
            with {:error, %{reason: :no_room}} <- EventLog.delete(log, name), do: EventLog.claim(log, name)
          end
        end)

      # The first time that a connection is asked it counts all rooms.
      for _ <- 1..if(sanitized?(), do: 50, else: 1_000) do
        {:ok, reader} = Library.open(path, false, 2, 1_000, 0)
        assert {:ok, 0, _} = Library.rooms(reader, "", 1)
        Library.close(reader)
      end

      Task.shutdown(maker, :brutal_kill)
    end

    test "set back to a copy, it gives no term again", %{log: {_, pid} = log, path: path} do
      room(log, "lobby", 3)
      GenServer.stop(pid)
      copy = File.read!(path)

      terms =
        for _ <- 1..20 do
          File.write!(path, copy)
          {_, pid} = log = open(path)
          {:ok, %{term: term, seq: 3}} = EventLog.claim(log, "lobby")
          GenServer.stop(pid)
          term
        end

      # Of 65,536.
      assert length(Enum.uniq(terms)) >= 19
    end

    @tag :closed
    test "a connection that nobody closes is closed without bringing the WAL home, which can take long", %{
      path: path
    } do
      {_, monitor} =
        spawn_monitor(fn ->
          {:ok, writer} = Library.open(path, true, 1, 0, 0)
          assert {_, [{:ok, _, 0, 1, _}]} = Library.run(writer, [{1, "lobby", 0, 0, 0, "{}"}])
        end)

      assert_receive {:DOWN, ^monitor, :process, _, :normal}

      if File.dir?("/proc/self/fd") do
        Roomfold.Eventually.eventually(fn -> opened(path <> ".lock") == 0 end)
        assert File.stat!(path <> "-wal").size > 0
      end

      log = open(path, busy_timeout: 10_000)
      assert {:ok, %{seq: 0}} = EventLog.head(log, "lobby")
    end

    test "calls on a connection that was closed are errors", %{path: path} do
      {:ok, reader} = Library.open(path, false, 2, 100, 0)
      assert :ok = Library.close(reader)
      assert :ok = Library.close(reader)
      closed = {:error, {:log_failed, "it is closed"}}
      assert Library.head(reader, "x") == closed
      assert Library.read(reader, "x", 1, 2, 3, 4) == closed
      assert Library.snapshot(reader, "x", 1) == closed
      assert Library.rooms(reader, "", 9) == closed
      assert Library.check(reader) == closed
      assert Library.checkpoint(reader) == closed
      assert Library.run(reader, [{0, "x", 0, 0, 0, ""}]) == closed
    end

    test "arguments that are none", %{path: path} do
      {:ok, reader} = Library.open(path, false, 2, 100, 0)

      for call <- [
            fn -> Library.open("a\0b", true, 2, 0, 0) end,
            fn -> Library.open(String.duplicate("x", 5_000), true, 2, 0, 0) end,
            fn -> Library.open(path, true, :full, 0, 0) end,
            fn -> Library.close(make_ref()) end,
            fn -> Library.run(reader, []) end,
            fn -> Library.run(reader, [{9, "x", 0, 0, 0, ""}]) end,
            fn -> Library.run(reader, [{0, "x", 0, -1, 0, ""}]) end,
            fn -> Library.run(reader, [{0, "x", 0, 0, 0, ""} | :x]) end,
            fn -> Library.read(reader, "x", 0, 1, 1, 1) end,
            fn -> Library.head(reader, :x) end
          ] do
        assert_raise ArgumentError, call
      end
    end

    test "new code takes the connections of the old one over", %{log: log} do
      term = room(log, "lobby", 3)
      :code.soft_purge(Library)
      assert {:module, Library} = :code.load_file(Library)
      assert {:ok, %{seq: 3}} = EventLog.read(log, "lobby", 1)
      assert :ok = EventLog.append(log, "lobby", term, 3, records(4, 4))
      assert EventLog.verify(log) == {:ok, 4}
    end

    test "a library that is not there says what to install" do
      # The functions as they are when nothing was loaded in their place.
      {:ok, {_, [abstract_code: {_, forms}]}} = :beam_lib.chunks(:code.which(Library), [:abstract_code])
      other = Roomfold.EventLog.SQLite.NoLibrary

      forms =
        for form <- forms,
            not match?({:attribute, _, :on_load, _}, form),
            do: if(match?({:attribute, _, :module, _}, form), do: {:attribute, 1, :module, other}, else: form)

      {:ok, ^other, code} = :compile.forms(forms)
      {:module, ^other} = :code.load_binary(other, ~c"nowhere", code)
      assert_raise RuntimeError, ~r/apt install libsqlite3-dev/, fn -> apply(other, :head, [nil, "x"]) end
      assert_raise RuntimeError, ~r/Roomfold.EventLog.Memory/, fn -> apply(other, :sqlite_version, []) end
      assert Library.sqlite_version() =~ ~r/^3\./
    end
  end

  describe "what it does not open" do
    @describetag :closed

    test "a folder that is not there, or a folder", %{folder: folder} do
      nowhere = Path.join(folder, "none/rooms.db")
      assert %{reason: :log_failed, message: message} = open_error(nowhere)
      assert String.starts_with?(message, inspect(nowhere) <> ": the log failed")
      assert String.ends_with?(message, " (there is no folder #{inspect(Path.dirname(nowhere))})")
      inner = Path.join(folder, "inner")
      File.mkdir_p!(inner)
      assert open_error(inner).reason == :log_failed
    end

    test "a file that is no database", %{path: path} do
      for text <- ["hello", String.duplicate("no database ", 1_000), :crypto.strong_rand_bytes(8_192)] do
        File.write!(path, text)
        assert open_error(path).reason == :log_format
        assert File.read!(path) == text
      end
    end

    test "another program's database", %{path: path} do
      with_shell(fn ->
        sqlite3(path, "CREATE TABLE notes (text)")
        error = open_error(path)
        assert error.reason == :log_format
        assert error.message =~ "another program"
      end)
    end

    test "another version of ours", %{path: path} do
      with_shell(fn ->
        log = open(path)
        room(log, "lobby", 1)
        GenServer.stop(elem(log, 1))

        for version <- [0, 1, 3, -1] do
          sqlite3(path, "PRAGMA user_version = #{version}")
          error = open_error(path)
          assert error.reason == :log_format
          assert error.message =~ "version #{version}"
        end

        sqlite3(path, "PRAGMA user_version = 2")
        assert EventLog.verify(open(path)) == {:ok, 1}
      end)
    end

    test "tables that are not ours", %{path: path} do
      with_shell(fn ->
        GenServer.stop(elem(open(path), 1))
        sqlite3(path, "ALTER TABLE appends RENAME COLUMN text TO words")
        error = open_error(path)
        assert error.reason == :log_damaged
        assert error.message =~ "its tables are not those of a log"
      end)
    end

    test "an empty file is a new log", %{path: path} do
      File.write!(path, "")
      assert EventLog.verify(open(path)) == {:ok, 0}
    end

    test "a read-only file system", %{folder: folder} do
      as_root(fn ->
        with {:ok, place} <- mount(folder, "size=4m") do
          path = Path.join(place, "rooms.db")
          log = open(path)
          room(log, "lobby", 1)
          GenServer.stop(elem(log, 1))
          {_, 0} = System.cmd("mount", ["-o", "remount,ro", place])
          assert open_error(path).reason == :log_readonly
          {_, 0} = System.cmd("mount", ["-o", "remount,rw", place])
          assert EventLog.verify(open(path)) == {:ok, 1}
        end
      end)
    end

    test "a folder that may not be written", %{folder: folder} do
      path = Path.join(folder, "rooms.db")

      case System.cmd("id", ["-u"]) do
        {"0\n", 0} -> IO.puts("left out: root may write into every folder")
        _ -> assert open_error(path).reason == :log_readonly
      end

      File.chmod!(folder, 0o755)
    end
  end

  describe "a disk that fails" do
    test "a database that may not grow: who still fits is served", %{log: log, path: path} do
      GenServer.stop(elem(log, 1))
      log = open(path, max_bytes: 400_000)
      {:ok, %{term: large}} = EventLog.claim(log, "large")
      {:ok, %{term: small}} = EventLog.claim(log, "small")

      # Both in one commit: the process does not run before they are there.
      :sys.suspend(elem(log, 1))
      one = EventLog.submit(log, "large", large, 0, [String.duplicate("x", 1_000_000)])
      two = EventLog.submit(log, "small", small, 0, records(1, 9))
      :sys.resume(elem(log, 1))
      assert reason(EventLog.await(one)) == :log_full
      assert EventLog.await(two) == :ok
      assert EventLog.verify(log) == {:ok, 9}
      assert {:ok, %{seq: 0}} = EventLog.head(log, "large")
    end

    test "a full disk: an error, and on it goes when there is room", %{folder: folder} do
      as_root(fn ->
        with {:ok, place} <- mount(folder, "size=3m") do
          log = open(Path.join(place, "rooms.db"))
          term = room(log, "lobby", 3)
          File.write(Path.join(place, "ballast"), String.duplicate("x", 8_000_000))
          last = fill(log, term, 3)
          assert {:ok, ^last} = EventLog.verify(log)

          File.rm!(Path.join(place, "ballast"))
          assert :ok = EventLog.append(log, "lobby", term, last, records(last + 1, last + 5))
          assert EventLog.verify(log) == {:ok, last + 5}
        end
      end)
    end

    defp fill(log, term, seq) do
      case EventLog.append(log, "lobby", term, seq, records(seq + 1, seq + 100)) do
        :ok ->
          fill(log, term, seq + 100)

        error ->
          assert reason(error) == :log_full
          seq
      end
    end

    test "a database locked by somebody else: an error, then on", %{log: log, path: path} do
      with_shell(fn ->
        GenServer.stop(elem(log, 1))
        log = open(path, busy_timeout: 50)
        term = room(log, "lobby", 3)
        unlock = lock_database(path)

        assert reason(EventLog.append(log, "lobby", term, 3, records(4, 4))) == :log_locked
        assert reason(EventLog.claim(log, "lobby")) == :log_locked
        assert {:ok, %{seq: 3}} = EventLog.read(log, "lobby", 1)

        unlock.()
        assert :ok = EventLog.append(log, "lobby", term, 3, records(4, 4))
      end)
    end

    test "what is left of a deleted room goes when it can, if it could not at first", %{log: log, path: path} do
      with_shell(fn ->
        room(log, "lobby", 3)
        GenServer.stop(elem(log, 1))
        # Without what the log's process does after it.
        {:ok, writer} = Library.open(path, true, 1, 0, 0)
        assert {_, [{:ok, true}]} = Library.run(writer, [{4, "lobby", 0, 0, 0, ""}])
        Library.close(writer)

        unlock = lock_database(path)
        log = open(path, busy_timeout: 50)
        assert reason(EventLog.claim(log, "cellar")) == :log_locked
        left = fn -> sqlite3(path, "SELECT count(*) FROM appends; SELECT count(*) FROM garbage") end
        assert left.() == "1\n1"
        unlock.()
        Roomfold.Eventually.eventually(fn -> left.() == "0\n0" end)
      end)
    end

    for suffix <- ["", "-wal"] do
      @tag :capture_log
      test "rooms.db#{suffix} deleted or replaced while it runs: nothing is acknowledged", %{
        log: {_, pid} = log,
        path: path
      } do
        term = room(log, "lobby", 3)
        monitor = Process.monitor(pid)
        File.rm!(path <> unquote(suffix))
        answer = EventLog.append(log, "lobby", term, 3, records(4, 4))
        assert reason(answer) == :log_failed
        assert Exception.message(elem(answer, 1)) =~ "deleted, moved or replaced"
        assert_receive {:DOWN, ^monitor, :process, ^pid, {:log_failed, _}}
      end
    end
  end

  defp crc32c(bytes) do
    import Bitwise

    sum =
      for <<byte <- bytes>>, reduce: 0xFFFFFFFF do
        sum ->
          Enum.reduce(1..8, bxor(sum, byte), fn _, sum ->
            if band(sum, 1) == 1, do: bxor(sum >>> 1, 0x82F63B78), else: sum >>> 1
          end)
      end

    bxor(sum, 0xFFFFFFFF)
  end
end
