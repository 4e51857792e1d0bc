defmodule Roomfold.EventLog.DamageTest do
  # What became of the files: bits that flipped, ends that were never written. BITS=1 flips a bit of each byte, BITS=8 each of them.
  use Roomfold.SQLiteCase, async: true

  import Bitwise
  import Roomfold.EventLog.Conformance, only: [records: 2, records: 3, room: 3]

  alias Roomfold.EventLog
  alias Roomfold.EventLog.SQLite.Library

  @rooms ~w(attic cellar lobby)

  # Two rooms with records in several rows, snapshots and versions; one without any; and what a deleted one has left in free pages.
  defp fill(log) do
    room(log, "gone", 30)
    term = room(log, "lobby", 4)
    :ok = EventLog.append(log, "lobby", term, 4, records(5, 6, String.duplicate("x", 700)))
    :ok = EventLog.put_snapshot(log, "lobby", term, 2, String.duplicate("s", 600))
    :ok = EventLog.put_snapshot(log, "lobby", term, 5, "snapshot")
    {:ok, %{term: term}} = EventLog.claim(log, "lobby", %{"schema" => 2})
    :ok = EventLog.append(log, "lobby", term, 6, records(7, 9))
    for _ <- 1..3, do: room(log, "cellar", 3)
    room(log, "attic", 0)
    :ok = EventLog.delete(log, "gone")
    # Behind the sweeping.
    {:ok, _} = EventLog.claim(log, "attic")
  end

  # Everything a log knows, or the first error.
  defp contents(path) do
    with {:ok, store} <- Library.open(path, true, 1, 0, 0) do
      contents = read_all(store)
      Library.close(store)
      contents
    end
  end

  defp read_all(store) do
    with :ok <- Library.check(store),
         {:ok, 0, names} <- Library.rooms(store, "", 100) do
      Enum.reduce_while(@rooms, [names], fn room, found ->
        case read_room(store, room) do
          {:error, _} = error -> {:halt, error}
          contents -> {:cont, [contents | found]}
        end
      end)
    end
  end

  defp read_room(store, room) do
    with {:ok, _term, seq, first, _versions} = head <- Library.head(store, room),
         {:ok, _, _} = text <- Library.read(store, room, first, seq, 100_000, 100),
         {:ok, _, _} = newest <- Library.snapshot(store, room, 100),
         {:ok, _, _} = older <- Library.snapshot(store, room, 4) do
      {room, head, text, newest, older}
    end
  end

  # Small pages, so that there are fewer bytes that nobody reads.
  defp shrink(path) do
    sql = "PRAGMA journal_mode=DELETE; PRAGMA page_size=512; VACUUM; PRAGMA journal_mode=WAL"
    {_, 0} = System.cmd("sqlite3", [path, sql])
  end

  defp flip(bytes, at, bit) do
    <<before::binary-size(at), byte, rest::binary>> = bytes
    <<before::binary, bxor(byte, 1 <<< bit), rest::binary>>
  end

  defp bits(at) do
    if System.get_env("BITS") == "8", do: 0..7, else: [rem(at * 5 + div(at, 8), 8)]
  end

  defp step, do: if(System.get_env("BITS"), do: 1, else: 11)

  @tag :closed
  test "any bit of a database flipped: what was appended, or an error; never less", %{path: path} do
    if System.find_executable("sqlite3") do
      # With and without what a deleted room has left in free pages: VACUUM removes these.
      for shrunk <- [true, false] do
        log = open(path)
        fill(log)
        GenServer.stop(elem(log, 1))
        if shrunk, do: shrink(path)
        flip_all(path, File.read!(path), if(shrunk, do: step(), else: 7 * step()))
        File.rm!(path)
      end
    else
      IO.puts("left out: the sqlite3 shell is not installed")
    end
  end

  defp flip_all(path, bytes, step) do
    whole = contents(path)
    assert [{"lobby", {:ok, _, 9, 1, _}, {:ok, 9, _}, {:ok, 5, "snapshot"}, {:ok, 2, _}} | _] = whole

    found =
      for at <- 0..(byte_size(bytes) - 1)//step, bit <- bits(at) do
        File.write!(path, flip(bytes, at, bit))
        for suffix <- ["-wal", "-shm"], do: File.rm(path <> suffix)

        case contents(path) do
          ^whole ->
            :same

          {:error, {reason, detail}}
          when reason in [:log_damaged, :log_format, :log_failed, :log_readonly] ->
            assert {at, bit, String.valid?(detail)} == {at, bit, true}
            reason

          other ->
            flunk("byte #{at}, bit #{bit}: #{inspect(other)}")
        end
      end

    counts = Enum.frequencies(found)
    # The others are in free space, or free.
    assert counts[:log_damaged] > div(counts[:same], 20)
    File.write!(path, bytes)
  end

  @tag :closed
  test "a record that was changed is named, and what is before it can be read", %{path: path} do
    log = open(path)
    fill(log)
    GenServer.stop(elem(log, 1))
    bytes = File.read!(path)

    for seq <- 1..9 do
      # Both rooms have a record like this.
      for {at, _} <- :binary.matches(bytes, ~s({"seq":#{seq},)) do
        File.write!(path, flip(bytes, at + 2, 0))
        log = open(path)

        {:error, error} = EventLog.verify(log)
        assert error.reason == :log_damaged

        assert [_, room] =
                 Regex.run(~r/room "(lobby|cellar)", seq #{seq}: its checksum is wrong/, error.message)

        if seq > 1,
          do: assert({:ok, %{seq: last}} = EventLog.read(log, room, 1, seq - 1)) && assert(last == seq - 1)

        assert {:ok, _} = EventLog.verify(log, if(room == "lobby", do: "cellar", else: "lobby"))
        GenServer.stop(elem(log, 1))
      end
    end
  end

  test "a missing row, a room's entry from yesterday, a swapped row", %{path: path, log: log} do
    if System.find_executable("sqlite3") do
      fill(log)
      GenServer.stop(elem(log, 1))
      bytes = File.read!(path)

      of = fn name -> "room = (SELECT id FROM rooms WHERE name = '#{name}')" end

      for {sql, expected} <- [
            {"DELETE FROM appends WHERE seq = 5", ~r/room "lobby", seq 5: it is missing/},
            {"DELETE FROM appends WHERE seq = 7", ~r/room "cellar", seq 7: it is missing/},
            {"DELETE FROM rooms WHERE name = 'attic'", ~r/there should be 3 rooms, 2 are found/},
            {"UPDATE rooms SET last = 6 WHERE name = 'lobby'",
             ~r/room "lobby": its entry has a wrong checksum/},
            {"UPDATE rooms SET name = CAST(name AS BLOB) WHERE name = 'lobby'",
             ~r/room "lobby": its name is no text/},
            {"UPDATE appends SET seq = seq + 100 WHERE seq = 7", ~r/seq (7|107)/},
            {"UPDATE appends SET (text, sums) = (SELECT text, sums FROM appends WHERE seq = 4) WHERE seq = 1 AND count = 3",
             ~r/room "cellar", seq 1: its checksum is wrong/},
            {"UPDATE appends SET room = -1 WHERE seq = 7 AND #{of.("lobby")}; " <>
               "UPDATE appends SET #{of.("lobby")} WHERE seq = 7 AND #{of.("cellar")}; " <>
               "UPDATE appends SET #{of.("cellar")} WHERE room = -1",
             ~r/room "cellar", seq 7: its checksum is wrong/},
            {"UPDATE appends SET count = count - 1", ~r/wrong number of records/},
            {"UPDATE appends SET sums = CAST(sums || x'00' AS BLOB)", ~r/wrong number of records/},
            {"UPDATE appends SET text = text || char(10) || '{}'", ~r/too many records/},
            {"UPDATE appends SET text = substr(text, 1, (length(text) + 1) * 3 / 4) WHERE count = 4",
             ~r/room "lobby", seq 4: it is missing in its row/},
            {"UPDATE appends SET text = substr(text, 1, (length(text) + 1) * 2 / 4 - 1) WHERE count = 4",
             ~r/room "lobby", seq 2: it is missing in its row/},
            {"DELETE FROM snapshots WHERE seq = 5", ~r/room "lobby", seq 5: a snapshot is missing/},
            {"DELETE FROM snapshots WHERE seq = 2", ~r/room "lobby", seq 2: a snapshot is missing/},
            {"UPDATE snapshots SET previous = 0", ~r/snapshot's entry has a wrong checksum/},
            {"UPDATE snapshots SET data = 'x'", ~r/its snapshot has a wrong checksum/},
            {"DELETE FROM versions WHERE seq = 7", ~r/room "lobby": a version is missing/},
            {"UPDATE versions SET meta = '{}' WHERE seq = 7", ~r/its version has a wrong checksum/},
            {"UPDATE counters SET term = 1", ~r/its counters have a wrong checksum/},
            {"DELETE FROM counters", ~r/its counters are missing/}
          ] do
        File.write!(path, bytes)
        {"", 0} = System.cmd("sqlite3", [path, sql])

        message =
          case contents(path) do
            {:error, {:log_damaged, message}} -> message
            other -> flunk("#{sql}: #{inspect(other)}")
          end

        assert {sql, message =~ expected, message} == {sql, true, message}
      end
    else
      IO.puts("left out: the sqlite3 shell is not installed")
    end
  end

  @claim 1
  @snapshot 2
  @sweep 5

  test "what only who asks for it sees", %{path: path, log: log} do
    with_shell(fn ->
      fill(log)
      GenServer.stop(elem(log, 1))
      bytes = File.read!(path)
      lobby = "(SELECT id FROM rooms WHERE name = 'lobby')"
      claim = &hd(elem(Library.run(&1, [{@claim, "lobby", 0, 0, 0, "{}"}]), 1))
      sweep = &hd(elem(Library.run(&1, [{@sweep, "", 0, 0, 0, ""}]), 1))

      for {sql, ask, expected} <- [
            {"UPDATE rooms SET last = 6 WHERE name = 'lobby'", &Library.head(&1, "lobby"),
             ~r/room "lobby": its entry has a wrong checksum/},
            {"INSERT INTO versions VALUES (#{lobby}, 50, '{}', 0)", claim,
             ~r/room "lobby", seq 50: its version is behind the last record/},
            {"INSERT INTO garbage VALUES (99, 1, 0)", sweep,
             ~r/the list of deleted rooms has a wrong checksum/},
            # The rooms that are there, are there.
            {"DELETE FROM rooms WHERE name = 'attic'", &Library.rooms(&1, "", 100),
             ~r/there should be 3 rooms, 2 are found/}
          ] do
        File.write!(path, bytes)
        sqlite3(path, sql)
        assert {sql, {:error, {:log_damaged, message}}} = {sql, asked(path, ask)}
        assert {sql, message =~ expected, message} == {sql, true, message}
      end
    end)
  end

  defp asked(path, ask) do
    {:ok, store} = Library.open(path, true, 1, 0, 0)
    answer = ask.(store)
    Library.close(store)
    answer
  end

  test "beside a snapshot that is missing no other is put", %{path: path, log: log} do
    with_shell(fn ->
      term = room(log, "lobby", 9)
      for seq <- [2, 5, 7], do: :ok = EventLog.put_snapshot(log, "lobby", term, seq, "snapshot")
      GenServer.stop(elem(log, 1))
      sqlite3(path, "DELETE FROM snapshots WHERE seq = 5")
      put = &hd(elem(Library.run(&1, [{@snapshot, "lobby", term, 6, 0, "six"}]), 1))
      assert {:error, {:log_damaged, message}} = asked(path, put)
      assert message =~ ~r/room "lobby", seq 5: a snapshot is missing/
      assert sqlite3(path, "SELECT seq, previous FROM snapshots") == "2|0\n7|5"
    end)
  end

  # Each with a checksum that is right: only their order, or their length, is not.
  test "rooms that are not where they should be", %{path: path, log: log} do
    with_shell(fn ->
      fill(log)
      GenServer.stop(elem(log, 1))
      bytes = File.read!(path)
      message = ~r/it is not where it should be among the rooms/

      # A leaf's cells are in the order of the pointers behind its header of 8 bytes.
      root = String.to_integer(sqlite3(path, "SELECT rootpage FROM sqlite_master WHERE name = 'rooms'"))
      before = (root - 1) * 4096 + 8
      <<start::binary-size(before), first::16, second::16, rest::binary>> = bytes
      assert binary_part(start, before - 8, 1) == <<10>>
      File.write!(path, <<start::binary, second::16, first::16, rest::binary>>)
      assert {:error, {:log_damaged, text}} = asked(path, &Library.check/1)
      assert text =~ message

      File.write!(path, bytes)
      name = String.duplicate("z", 256)
      sum = crc32c([<<99::64-little, 1::64-little, 1::64-little, 0::256>>, name])
      sqlite3(path, "INSERT INTO rooms VALUES ('#{name}', 99, 1, 1, 0, 0, 0, 0, #{sum})")
      assert {:error, {:log_damaged, text}} = asked(path, &Library.check/1)
      assert text =~ message

      File.write!(path, bytes)
      sum = crc32c([<<99::64-little, 1::64-little, 1::64-little, 0::256>>, "z\0z"])
      sqlite3(path, "INSERT INTO rooms VALUES ('z' || char(0) || 'z', 99, 1, 1, 0, 0, 0, 0, #{sum})")
      assert {:error, {:log_damaged, text}} = asked(path, &Library.rooms(&1, "", 100))
      assert text =~ "its name is no text"
    end)
  end

  defp crc32c(bytes) do
    crc =
      for <<byte <- IO.iodata_to_binary(bytes)>>, reduce: 0xFFFFFFFF do
        crc ->
          Enum.reduce(1..8, bxor(crc, byte), fn _, crc ->
            bxor(crc >>> 1, if(band(crc, 1) == 1, do: 0x82F63B78, else: 0))
          end)
      end

    bxor(crc, 0xFFFFFFFF)
  end

  # --- marks: rows that can be looked up, one for each 256 records of a room

  # Two rooms of 600 records each, in rows of their own, which lie between one another.
  defp marked(log, path) do
    terms = for name <- ["cellar", "lobby"], do: {name, room(log, name, 0)}
    GenServer.stop(elem(log, 1))
    append_each(path, for(seq <- 1..600, {name, term} <- terms, do: {name, term, seq}))
    File.read!(path)
  end

  defp append_each(path, all) do
    {:ok, store} = Library.open(path, true, 1, 0, 0)
    ops = for {name, term, seq} <- all, do: {0, name, term, seq - 1, 1, hd(records(seq, seq)) <> "\n"}
    {_, results} = Library.run(store, ops)
    assert Enum.all?(results, &(&1 == :ok))
    Library.close(store)
  end

  # Makes the index of something else, and then says that it is what it was.
  defp marks(path, columns, where) do
    was = sqlite3(path, "SELECT sql FROM sqlite_master WHERE name = 'appends_marked'")

    sqlite3(path, """
    DROP INDEX appends_marked;
    CREATE UNIQUE INDEX appends_marked ON appends (#{columns}) WHERE #{where};
    PRAGMA writable_schema = ON;
    UPDATE sqlite_master SET sql = '#{was}' WHERE name = 'appends_marked';
    """)
  end

  test "marks that are wrong or not there: all can be read, and nothing else is trimmed", context do
    with_shell(fn ->
      bytes = marked(context.log, context.path)
      room = fn name -> sqlite3(context.path, "SELECT id FROM rooms WHERE name = '#{name}'") end
      other = "CASE room WHEN #{room.("lobby")} THEN #{room.("cellar")} ELSE #{room.("lobby")} END"
      where = "(seq + count - 1) / 256 > (seq - 1) / 256"

      index = fn columns, where -> fn -> marks(context.path, columns, where) end end

      for {what, damage} <- [
            none: fn -> :ok end,
            # Rows that only a scan would find, and nothing else: who goes the way back needs none.
            no_scan: fn ->
              sqlite3(context.path, """
              WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
              INSERT INTO appends SELECT -i, #{room.("lobby")}, 1000, 1, 0, '{}', x'00000000' FROM n
              """)
            end,
            another_room: index.("#{other}, seq", where),
            too_high: index.("room, seq + 1", where),
            too_low: index.("room, seq - 1", where),
            missing: index.("room, seq", "seq < 0"),
            other_rows: index.("room, seq", "(seq + 6) % 256 = 0"),
            # The way back from a mark leads to the other room.
            way: fn ->
              sqlite3(context.path, "UPDATE appends SET previous = previous - 1 WHERE at % 2 = 0")
            end
          ] do
        File.write!(context.path, bytes)
        damage.()
        log = open(context.path)

        for from <- [1, 2, 255, 256, 257, 500, 600] do
          expected = Enum.map_join(records(from, 600), &(&1 <> "\n"))

          assert {what, from, EventLog.read(log, "lobby", from, 600)} ==
                   {what, from, {:ok, %{text: expected, first: from, seq: 600}}}
        end

        {:ok, %{term: term}} = EventLog.claim(log, "lobby")
        :ok = EventLog.put_snapshot(log, "lobby", term, 550, "snapshot")

        # SQLite may notice when it removes a row that the index does not have; then nothing is.
        left =
          case EventLog.trim(log, "lobby", 520) do
            :ok -> 81
            {:error, %{reason: :log_damaged}} -> 600
          end

        assert {what, EventLog.verify(log, "cellar")} == {what, {:ok, 600}}
        assert {what, EventLog.verify(log, "lobby")} == {what, {:ok, left}}
        GenServer.stop(elem(log, 1))
      end
    end)
  end

  test "a trim where the way back is broken removes what it still finds, and only that", context do
    with_shell(fn ->
      %{log: log, path: path} = context
      marked(log, path)
      id = sqlite3(path, "SELECT id FROM rooms WHERE name = 'lobby'")
      sqlite3(path, "UPDATE appends SET previous = 0 WHERE room = #{id} AND seq = 400")
      log = open(path)
      {:ok, %{term: term}} = EventLog.claim(log, "lobby")
      :ok = EventLog.put_snapshot(log, "lobby", term, 550, "snapshot")
      assert :ok = EventLog.trim(log, "lobby", 300)
      assert EventLog.verify(log, "lobby") == {:ok, 301}
      GenServer.stop(elem(log, 1))

      # Up to the mark; what comes behind it is not found from the next one.
      left = "SELECT min(seq), max(seq), count(*) FROM appends WHERE room = #{id}"
      assert sqlite3(path, left) == "257|600|344"

      # Where the first record to keep is missing, nothing is.
      sqlite3(path, "DELETE FROM appends WHERE room = #{id} AND seq = 520")
      log = open(path)
      assert :ok = EventLog.trim(log, "lobby", 520)
      GenServer.stop(elem(log, 1))
      assert sqlite3(path, left) == "257|600|343"
    end)
  end

  test "a room's entry from an older time, far from what was written then: its marks tell", context do
    with_shell(fn ->
      %{log: log, path: path} = context
      terms = for name <- ["cellar", "lobby"], do: {name, room(log, name, 0)}
      [{_, cellar}, {_, lobby}] = terms
      GenServer.stop(elem(log, 1))
      append_each(path, for(seq <- 1..250, do: {"lobby", lobby, seq}))
      columns = "last, newest, sum"
      values = sqlite3(path, "SELECT quote(last), quote(newest), quote(sum) FROM rooms WHERE name = 'lobby'")
      append_each(path, for(seq <- 1..1_000, do: {"cellar", cellar, seq}))
      append_each(path, for(seq <- 251..256, do: {"lobby", lobby, seq}))

      sqlite3(
        path,
        "UPDATE rooms SET (#{columns}) = (#{String.replace(values, "|", ",")}) WHERE name = 'lobby'"
      )

      assert {:error, {:log_damaged, message}} = asked(path, &Library.head(&1, "lobby"))
      assert message =~ ~r/room "lobby", seq 256: it is behind the last record/
    end)
  end

  test "a page that SQLite can't read is named by the room whose read found it", %{path: path, log: log} do
    term = room(log, "lobby", 0)

    for seq <- 1..40,
        do: :ok = EventLog.append(log, "lobby", term, seq - 1, records(seq, seq, String.duplicate("x", 700)))

    GenServer.stop(elem(log, 1))
    bytes = File.read!(path)
    {at, _} = :binary.match(bytes, ~s({"seq":20,))
    page = div(at, 4096) * 4096
    <<before::binary-size(page), _, rest::binary>> = bytes
    File.write!(path, <<before::binary, 0, rest::binary>>)
    log = open(path)
    assert {:error, %{reason: :log_damaged, message: message}} = EventLog.read(log, "lobby", 20, 20)
    assert message =~ ~r/room "lobby", seq 20: SQLite says: /
    assert {:ok, %{seq: 10}} = EventLog.read(log, "lobby", 1, 10)
  end

  test "so is one that a snapshot, a claim or the sweeping needs", %{path: path, log: log} do
    with_shell(fn ->
      term = room(log, "lobby", 3)
      :ok = EventLog.put_snapshot(log, "lobby", term, 3, "three")
      GenServer.stop(elem(log, 1))
      bytes = File.read!(path)

      for {table, ask, expected} <- [
            {"snapshots", &Library.snapshot(&1, "lobby", 3), ~r/^room "lobby": SQLite says: /},
            {"versions", &hd(elem(Library.run(&1, [{@claim, "lobby", 0, 0, 0, "{}"}]), 1)),
             ~r/^room "lobby": SQLite says: /},
            # It is no room's.
            {"garbage", &hd(elem(Library.run(&1, [{@sweep, "", 0, 0, 0, ""}]), 1)), ~r/^SQLite says: /}
          ] do
        page = String.to_integer(sqlite3(path, "SELECT rootpage FROM sqlite_master WHERE name = '#{table}'"))
        <<before::binary-size((page - 1) * 4096), _, rest::binary>> = bytes
        File.write!(path, <<before::binary, 0, rest::binary>>)
        assert {:error, {:log_damaged, message}} = asked(path, ask)
        assert {table, message =~ expected, message} == {table, true, message}
        File.write!(path, bytes)
      end
    end)
  end

  test "a room's name that is damaged, or was chosen by somebody with a terminal in mind, can be printed",
       context do
    %{log: log, path: path} = context
    room(log, "één \e[2J\u009B", 1)
    GenServer.stop(elem(log, 1))
    bytes = File.read!(path)
    {at, _} = :binary.match(bytes, "één \e[2J")
    File.write!(path, flip(bytes, at + 2, 7))
    assert {:error, {:log_damaged, message}} = asked(path, &Library.check/1)
    assert message == ~s(room "éC?n ?[2J?": its entry has a wrong checksum)
  end

  @tag :closed
  test "of a name, what is printable UTF-8 is printed, and nothing else", %{folder: folder} do
    with_shell(fn ->
      for {name, printed} <- [
            {"~ é߿ࠀ€\u{D7FF}\u{E000}\u{FFFF}\u{10000}😀\u{10FFFF}", :same},
            {"\u00A0", :same},
            {String.duplicate("x", 255), :same},
            {<<1, 31, 127, 0xC2, 0x80, 0xC2, 0x9F>>, "?????"},
            # Too long for what they say, halves of a pair, and beyond the last.
            {<<0xC0, 0x80, "a", 0xC1, 0xBF>>, "??a??"},
            {<<0xE0, 0x9F, 0xBF, "a", 0xF0, 0x8F, 0xBF, 0xBF>>, "???a????"},
            {<<0xED, 0xA0, 0x80, "a", 0xED, 0xBF, 0xBF>>, "???a???"},
            {<<0xF4, 0x90, 0x80, 0x80, "a", 0xF8, 0x88, 0x80, 0x80, 0x80>>, "????a?????"},
            # Not all there.
            {<<0x80, "a", 0xC3, "a", 0xE2, 0x82, "a", 0xF0, 0x9F, 0x98>>, "?a?a??a???"}
          ] do
        path = Path.join(folder, "#{System.unique_integer([:positive])}.db")
        {:ok, store} = Library.open(path, true, 1, 0, 0)
        assert {_, [{:ok, _, 0, 1, _}]} = Library.run(store, [{@claim, name, 0, 0, 0, "{}"}])
        Library.close(store)
        sqlite3(path, "UPDATE rooms SET sum = sum + 1")
        assert {:error, {:log_damaged, message}} = asked(path, &Library.check/1)
        printed = if printed == :same, do: name, else: printed
        assert message == ~s(room "#{printed}": its entry has a wrong checksum)
      end
    end)
  end

  test "a room's entry from an older time, with the right checksum of then", %{path: path, log: log} do
    if System.find_executable("sqlite3") do
      {:ok, %{term: term}} = EventLog.claim(log, "lobby")
      :ok = EventLog.append(log, "lobby", term, 0, records(1, 20))
      columns = "last, newest, sum"

      {values, 0} =
        System.cmd("sqlite3", ["-readonly", "-separator", ",", path, "SELECT #{columns} FROM rooms"])

      :ok = EventLog.append(log, "lobby", term, 20, records(21, 30))
      GenServer.stop(elem(log, 1))
      {"", 0} = System.cmd("sqlite3", [path, "UPDATE rooms SET (#{columns}) = (#{String.trim(values)})"])
      log = open(path)
      assert {:error, %{reason: :log_damaged, message: message}} = EventLog.claim(log, "lobby")
      assert message =~ ~r/room "lobby", seq 21: it is behind the last record/
    else
      IO.puts("left out: the sqlite3 shell is not installed")
    end
  end

  test "a room whose entry is lost is not made anew; the others live", %{path: path, log: log} do
    if System.find_executable("sqlite3") do
      fill(log)
      GenServer.stop(elem(log, 1))
      {"", 0} = System.cmd("sqlite3", [path, "UPDATE rooms SET name = 'Lobby' WHERE name = 'lobby'"])
      log = open(path)
      assert {:error, %{reason: :log_damaged}} = EventLog.claim(log, "lobby")
      assert {:error, %{reason: :log_damaged}} = EventLog.head(log, "lobby")
      assert {:error, %{reason: :log_damaged}} = EventLog.rooms(log)
      assert {:error, %{reason: :log_damaged}} = EventLog.verify(log)
      assert {:ok, %{term: term, seq: 9}} = EventLog.claim(log, "cellar")
      assert :ok = EventLog.append(log, "cellar", term, 9, records(10, 10))
    else
      IO.puts("left out: the sqlite3 shell is not installed")
    end
  end

  # --- the WAL

  # Commits of one to three records; after each, how much of the WAL was written when it was acknowledged.
  defp commits(log, path, count) do
    {:ok, %{term: term}} = EventLog.claim(log, "lobby")

    {sizes, _} =
      Enum.map_reduce(1..count, 0, fn i, seq ->
        last = seq + rem(i, 3) + 1
        :ok = EventLog.append(log, "lobby", term, seq, records(seq + 1, last))
        {{written(File.read!(path <> "-wal")), last}, last}
      end)

    sizes
  end

  # What is there when the machine goes off: the database before these commits, and the WAL that has them.
  defp crashed(%{log: log, path: path}, count) do
    {:ok, _} = EventLog.claim(log, "lobby")
    log = reopen(log, path)
    base = File.read!(path)
    sizes = commits(log, path, count)
    # Nothing was brought home yet.
    assert File.read!(path) == base
    wal = File.read!(path <> "-wal")
    GenServer.stop(elem(log, 1))
    {base, sizes, wal}
  end

  # Behind the last frame there is space, zeros.
  defp written(<<header::binary-size(32), rest::binary>>) do
    salts = binary_part(header, 16, 8)
    frames = for <<frame::binary-size(4120) <- rest>>, do: binary_part(frame, 8, 8)
    32 + 4120 * length(Enum.take_while(frames, &(&1 == salts)))
  end

  defp zeros(count), do: :binary.copy(<<0>>, count)

  # A log as it would be found after the machine went off: these two files.
  defp found(folder, db, wal, synchronous \\ 2) do
    path = Path.join(folder, "found.db")
    File.write!(path, db)
    File.write!(path <> "-wal", wal)
    File.rm(path <> "-shm")

    case Library.open(path, true, synchronous, 0, 0) do
      {:ok, store} ->
        answer =
          case Library.head(store, "lobby") do
            {:ok, _, 0, _, _} -> {:ok, 0, ""}
            {:ok, _, seq, _, _} -> Library.read(store, "lobby", 1, seq, 1_000_000, 1_000)
            other -> other
          end

        Library.close(store)
        answer

      error ->
        error
    end
  end

  defp lines(count), do: records(1, count) |> Enum.map_join(&(&1 <> "\n"))

  test "any beginning of what was written: all that was acknowledged, and no part of an append", context do
    {base, sizes, wal} = crashed(context, 12)
    wholes = [0 | Enum.map(sizes, &elem(&1, 1))]
    {size, _} = List.last(sizes)
    assert binary_part(wal, size, byte_size(wal) - size) == zeros(byte_size(wal) - size)

    lengths =
      Enum.flat_map(
        0..size//4120,
        &[&1 - 1, &1, &1 + 1, &1 + 24, &1 + 31, &1 + 32, &1 + 33, &1 + 2_000]
      )

    # Cut off there; and so that the rest was not written, in a file that was that long (whose header is older than its space).
    for length <- lengths,
        length in 0..size,
        space <- [0, byte_size(wal) - length],
        space == 0 or length >= 32 do
      acknowledged = Enum.reduce(sizes, 0, fn {size, seq}, last -> if size <= length, do: seq, else: last end)

      case found(context.folder, base, binary_part(wal, 0, length) <> zeros(space)) do
        {:ok, seq, text} ->
          assert seq >= acknowledged
          assert seq in wholes
          assert text == lines(seq)

        # The room's second claim is in the WAL.
        other ->
          flunk("#{length} bytes: #{inspect(other)}")
      end
    end
  end

  test "a page that was not yet written when the machine went off: with synchronous: :normal what comes before it is there",
       context do
    {base, sizes, wal} = crashed(context, 12)
    {size, last} = Enum.at(sizes, 5)
    # The next commit's first frame.
    hole =
      binary_part(wal, 0, size) <> zeros(4120) <> binary_part(wal, size + 4120, byte_size(wal) - size - 4120)

    assert found(context.folder, base, hole, 1) == {:ok, last, lines(last)}
    assert {:error, {:log_damaged, _}} = found(context.folder, base, hole)
  end

  # A commit of many pages, the last but for the small ones behind it: where it begins, where it ends, and what is before it.
  defp large_last(%{log: log, path: path} = context, behind) do
    {:ok, _} = EventLog.claim(log, "lobby")
    log = reopen(log, path)
    base = File.read!(path)
    [{start, last} | _] = Enum.reverse(commits(log, path, 4))
    {:ok, %{term: term}} = EventLog.claim(log, "cellar")
    large = written(File.read!(path <> "-wal"))
    :ok = EventLog.append(log, "cellar", term, 0, [~s({"x":"#{String.duplicate("x", 30_000)}"})])
    stop = written(File.read!(path <> "-wal"))
    assert stop - large > 5 * 4120
    for seq <- 1..behind//1, do: :ok = EventLog.append(log, "cellar", term, seq, records(seq + 1, seq + 1))
    wal = File.read!(path <> "-wal")
    GenServer.stop(elem(log, 1))
    assert start < large
    %{found: &found(context.folder, base, &1), wal: wal, start: large, stop: stop, last: last}
  end

  defp overwrite(bytes, at, with) do
    <<before::binary-size(at), _::binary-size(byte_size(with)), rest::binary>> = bytes
    before <> with <> rest
  end

  test "of the last commit any pages may be missing; of one before, none", context do
    %{found: found, wal: wal, start: start, stop: stop, last: last} = large_last(context, 0)
    frames = div(stop - start, 4120)

    # The last of all frames says that the commit is complete; what is behind it is zeros.
    for missing <- 0..(frames - 1),
        do: assert(found.(overwrite(wal, start + missing * 4120, zeros(4120))) == {:ok, last, lines(last)})
  end

  test "a page is missing, and behind its commit another one has begun: damage", context do
    %{found: found, wal: wal, start: start, stop: stop, last: last} = large_last(context, 1)
    size = written(wal)
    assert size > stop + 4120
    # Of the commit behind it one page was written, or all, or none.
    for written <- [4120, size - stop, 0], missing <- [start, start + 4120, stop - 4120] do
      found =
        wal
        |> overwrite(stop + written, zeros(size - stop - written))
        |> overwrite(missing, zeros(4120))
        |> found.()

      # Without its last page, which says that it is complete, nobody can tell where it ended.
      if written == 0 or missing == stop - 4120,
        do: assert({written, missing, found} == {written, missing, {:ok, last, lines(last)}}),
        else: assert({_, _, {:error, {:log_damaged, _}}} = {written, missing, found})
    end
  end

  test "a WAL of which nothing was written, whatever space it has", context do
    {base, _, wal} = crashed(context, 1)

    for there <- ["", zeros(10), binary_part(wal, 0, 10), zeros(32), zeros(100_000)],
        do: assert(found(context.folder, base, there) == {:ok, 0, ""})

    # A header that is not whole has nothing behind it.
    assert {:error, {:log_damaged, _}} = found(context.folder, base, flip(wal, 24, 0))
  end

  for page_size <- [512, 65_536] do
    @tag :closed
    test "a WAL of pages of #{page_size} bytes is whole, or not", %{path: path, folder: folder} do
      with_shell(fn ->
        log = open(path)
        room(log, "lobby", 0)
        GenServer.stop(elem(log, 1))

        sqlite3(
          path,
          "PRAGMA journal_mode=DELETE; PRAGMA page_size=#{unquote(page_size)}; VACUUM; PRAGMA journal_mode=WAL"
        )

        log = open(path)
        {:ok, %{term: term}} = EventLog.claim(log, "lobby")
        for seq <- 0..5, do: :ok = EventLog.append(log, "lobby", term, seq, records(seq + 1, seq + 1))
        {db, wal} = {File.read!(path), File.read!(path <> "-wal")}
        GenServer.stop(elem(log, 1))
        assert <<_::64, unquote(page_size)::32, _::binary>> = wal
        assert found(folder, db, wal) == {:ok, 6, lines(6)}

        # The first frame of all, and so what every later one continues.
        assert {:error, {:log_damaged, message}} = found(folder, db, flip(wal, 32 + 24 + 100, 3))
        assert message =~ "-wal"
      end)
    end
  end

  test "the WAL's file is made longer seldom, and not by much more than is in it", %{path: path, log: log} do
    {:ok, %{term: term}} = EventLog.claim(log, "lobby")

    {sizes, _} =
      Enum.map_reduce(0..399, 32, fn seq, before ->
        :ok =
          EventLog.append(log, "lobby", term, seq, records(seq + 1, seq + 1, String.duplicate("x", 3_000)))

        wal = File.read!(path <> "-wal")
        used = written(wal)
        # A commit begins with enough space for a small one behind it.
        assert byte_size(wal) - before >= 64 * 1024 or before == 32
        assert byte_size(wal) - used <= 64 * 1024 + min(max(used, 64 * 1024), 1024 * 1024)
        {byte_size(wal), used}
      end)

    assert List.last(sizes) > 3_000_000
    assert length(Enum.uniq(sizes)) <= 10
  end

  test "a checkpoint that was cut off: any of its pages written, any not", context do
    %{log: log, path: path, folder: folder} = context
    {:ok, _} = EventLog.claim(log, "lobby")
    log = reopen(log, path)
    before = File.read!(path)
    [{_, last} | _] = Enum.reverse(commits(log, path, 12))
    wal = File.read!(path <> "-wal")
    GenServer.stop(elem(log, 1))
    pages = for <<page::binary-size(4096) <- File.read!(path)>>, do: page
    old = for <<page::binary-size(4096) <- before>>, do: page

    for _ <- 1..50 do
      mixed =
        for {page, i} <- Enum.with_index(pages) do
          if :rand.uniform(2) == 1, do: page, else: Enum.at(old, i, <<0::32_768>>)
        end

      assert found(folder, IO.iodata_to_binary(mixed), wal) == {:ok, last, lines(last)}
    end
  end

  test "a bit of the WAL flipped: found, unless it could be the torn end of the last commits", context do
    {base, sizes, wal} = crashed(context, 6)
    [{size, last}, {_, before}, {_, before_that} | _] = Enum.reverse(sizes)
    assert size < byte_size(wal)

    at =
      Enum.to_list(0..31) ++
        for(frame <- 32..(size - 1)//4120, at <- Enum.to_list(0..23) ++ [24, 400, 4_119], do: frame + at)

    counts =
      for at <- at, bit <- bits(at) do
        case found(context.folder, base, flip(wal, at, bit)) do
          {:ok, seq, text} ->
            assert text == lines(seq)
            # Either nobody would have noticed, or nobody can tell.
            assert {at, bit, seq in [last, before, before_that]} == {at, bit, true}
            seq

          {:error, {:log_damaged, message}} ->
            assert message =~ "-wal"
            :damaged
        end
      end
      |> Enum.frequencies()

    assert counts[:damaged] > 3 * (counts[before] || 0)
  end
end
