case Roomfold.PhoenixTest.Postgres.start() do
  :none ->
    IO.puts("left out: the log in PostgreSQL, which is not there (ROOMFOLD_POSTGRES_URL names one)")

  :ok ->
    defmodule Roomfold.EventLog.EctoTest do
      # One database for all of these, so one after the other.
      use ExUnit.Case, async: false
      use Roomfold.EventLog.Conformance

      alias Roomfold.PhoenixTest.{AddRoomfold, Repo}
      alias Roomfold.{Room, Rooms}

      setup do
        for table <- ~w(rooms events snapshots versions), do: Repo.query!("TRUNCATE roomfold_#{table}")
        Repo.query!("UPDATE roomfold_terms SET term = 0")
        {:ok, log: start(), reopen: fn {_, pid} -> GenServer.stop(pid) && start() end}
      end

      defp start do
        id = make_ref()

        pid =
          start_supervised!(%{
            id: id,
            start: {Roomfold.EventLog.Ecto, :start_link, [[repo: Repo]]},
            restart: :temporary
          })

        {Roomfold.EventLog.Ecto, pid}
      end

      test "a record that was changed, or is gone, is found and named", %{log: log} do
        term = room(log, "lobby", 5)
        :ok = EventLog.put_snapshot(log, "lobby", term, 5, "five")

        for sql <- [
              "UPDATE roomfold_events SET record = record || ' ' WHERE seq = 3",
              "UPDATE roomfold_events SET seq = 99 WHERE seq = 3",
              "DELETE FROM roomfold_events WHERE seq = 3"
            ] do
          Repo.transaction(fn ->
            Repo.query!(sql)
            assert {:error, %{reason: :log_damaged, message: message}} = EventLog.read(log, "lobby", 1)
            assert message =~ ~s(room "lobby", seq 3)
            assert {:error, %{reason: :log_damaged}} = EventLog.verify(log)
            Repo.rollback(:again)
          end)
        end

        Repo.query!("UPDATE roomfold_snapshots SET data = 'six'")
        assert {:error, %{reason: :log_damaged}} = EventLog.snapshot(log, "lobby")

        for room <- ["lobby", :all],
            do: assert({:error, %{reason: :log_damaged}} = EventLog.verify(log, room))
      end

      test "what it does many times a second is not in the application's log", %{log: log} do
        level = Logger.level()
        Logger.configure(level: :debug)
        on_exit(fn -> Logger.configure(level: level) end)

        said =
          ExUnit.CaptureLog.capture_log(fn ->
            Repo.query!("SELECT 'a query of the application''s'")
            room(log, "lobby", 5)
            {:ok, _} = EventLog.read(log, "lobby", 1)
          end)

        assert said =~ "a query of the application"
        refute said =~ ~r/roomfold_|begin|commit/
      end

      test "an append that is under way while its room is deleted leaves nothing to the next one", %{log: log} do
        room(log, "lobby", 5)
        test = self()

        # What an append does, held up before its end.
        append =
          Task.async(fn ->
            Repo.transaction(fn ->
              Repo.query!("UPDATE roomfold_rooms SET seq = 6 WHERE room = 'lobby'")
              Repo.query!("INSERT INTO roomfold_events VALUES ('lobby', 6, '{}', 0)")
              send(test, :written)
              receive do: (:go -> :ok)
            end)
          end)

        assert_receive :written
        delete = Task.async(fn -> EventLog.delete(log, "lobby") end)
        assert Task.yield(delete, 200) == nil
        send(append.pid, :go)
        assert Task.await(delete, 60_000) == :ok
        Task.await(append, 60_000)
        assert Repo.query!("SELECT count(*) FROM roomfold_events").rows == [[0]]
        assert room(log, "lobby", 6) > 0
      end

      test "a record that the database refuses fails nobody else's append", %{log: {_, pid} = log} do
        {one, two} = {room(log, "one", 0), room(log, "two", 0)}
        # Both in one transaction: the process does not run before they are there.
        :sys.suspend(pid)
        bad = EventLog.submit(log, "one", one, 0, [<<255>>])
        good = EventLog.submit(log, "two", two, 0, records(1, 3))
        :sys.resume(pid)
        assert reason(EventLog.await(bad)) == :log_failed
        assert EventLog.await(good) == :ok
        assert EventLog.verify(log) == {:ok, 3}
      end

      defmodule AwayRepo do
        use Ecto.Repo, otp_app: :roomfold_phoenix, adapter: Ecto.Adapters.Postgres
      end

      test "a Repo that does not run is an error" do
        id = make_ref()
        pid = start_supervised!(%{id: id, start: {Roomfold.EventLog.Ecto, :start_link, [[repo: AwayRepo]]}})
        log = {Roomfold.EventLog.Ecto, pid}
        assert reason(EventLog.head(log, "lobby")) == :log_failed
        assert reason(EventLog.claim(log, "lobby")) == :log_failed
        assert reason(EventLog.append(log, "lobby", 1, 0, records(1, 1))) == :log_failed
        assert Process.alive?(pid)
      end

      test "a trim that finds nothing to forget writes nothing", %{log: log} do
        term = room(log, "lobby", 9)
        # The transaction that has written the room's row last.
        written = fn -> Repo.query!("SELECT xmin::text FROM roomfold_rooms WHERE room = 'lobby'").rows end
        before = written.()
        assert EventLog.trim(log, "lobby", 7) == :ok
        assert written.() == before
        :ok = EventLog.put_snapshot(log, "lobby", term, 8, "eight")
        assert EventLog.trim(log, "lobby", 7) == :ok
        assert {:ok, %{first: 7}} = EventLog.head(log, "lobby")
        assert Repo.query!("SELECT count(*) FROM roomfold_events").rows == [[3]]
        trimmed = written.()
        assert trimmed != before
        for keep <- [1, 6, 7], do: assert(EventLog.trim(log, "lobby", keep) == :ok)
        assert written.() == trimmed
      end

      test "while a trim removes records, the room is written, and all others", %{log: log} do
        term = room(log, "lobby", 9)
        other = room(log, "other", 0)
        :ok = EventLog.put_snapshot(log, "lobby", term, 8, "eight")
        test = self()

        # Somebody holds it up.
        holds =
          Task.async(fn ->
            Repo.transaction(fn ->
              Repo.query!("SELECT * FROM roomfold_events WHERE room = 'lobby' AND seq = 3 FOR UPDATE")
              send(test, :locked)
              receive do: (:go -> :ok)
            end)
          end)

        assert_receive :locked
        trim = Task.async(fn -> EventLog.trim(log, "lobby", 7) end)
        assert Task.yield(trim, 200) == nil
        lobby = EventLog.submit(log, "lobby", term, 9, records(10, 10))
        others = EventLog.submit(log, "other", other, 0, records(1, 1))
        assert_receive {^lobby, :ok}
        assert_receive {^others, :ok}
        assert reason(EventLog.read(log, "lobby", 1)) == :log_trimmed
        send(holds.pid, :go)
        assert Task.await(trim, 60_000) == :ok
        Task.await(holds, 60_000)

        assert Repo.query!("SELECT min(seq), count(*) FROM roomfold_events WHERE room = 'lobby'").rows == [
                 [7, 4]
               ]
      end

      test "a trim of more than is removed at once, and one that was cut off", %{log: log} do
        term = room(log, "lobby", 25_000)
        :ok = EventLog.put_snapshot(log, "lobby", term, 25_000, "all")
        assert EventLog.trim(log, "lobby", 24_000) == :ok
        assert Repo.query!("SELECT count(*) FROM roomfold_events").rows == [[1_001]]
        # As if it had ended before its first piece.
        Repo.query!("UPDATE roomfold_rooms SET first = 24500 WHERE room = 'lobby'")
        assert EventLog.trim(log, "lobby", 24_500) == :ok
        assert EventLog.verify(log, "lobby") == {:ok, 501}
        assert Repo.query!("SELECT count(*) FROM roomfold_events").rows == [[501]]
      end

      test "two nodes, one room: whoever claimed last writes", %{log: log} do
        other = start()
        old = room(log, "lobby", 2)
        {:ok, %{term: new, seq: 2}} = EventLog.claim(other, "lobby")
        assert reason(EventLog.append(log, "lobby", old, 2, records(3, 3))) == :old_term
        assert EventLog.append(other, "lobby", new, 2, records(3, 3)) == :ok
      end

      test "rooms live on it, and move from one place to another", %{log: log} do
        places =
          for n <- 1..2 do
            name = :"ecto_rooms_#{n}_#{System.unique_integer([:positive])}"

            start_supervised!(
              {Rooms, name: name, log: {:running, if(n == 1, do: log, else: start())}, room: [tick_ms: 5]},
              id: name
            )

            name
          end

        [one, two] = places
        {:ok, 1} = Room.publish({one, "r"}, {"user_joined", %{"user_id" => "tom", "position" => [1, 2, 3]}})

        {:ok, 2} =
          Room.publish({two, "r"}, {"user_moved", %{"user_id" => "tom", "position" => [4, 5, 6]}}, by: "tom")

        assert Room.get({two, "r"}, "tom") == %{"position" => [4.0, 5.0, 6.0]}
        assert {:error, %{reason: :old_term}} = Room.publish({one, "r"}, {"user_left", %{"user_id" => "tom"}})

        {:ok, 3} =
          Room.publish({one, "r"}, {"user_moved", %{"user_id" => "tom", "position" => [7, 8, 9]}}, by: "tom")
      end

      test "a database that can't be reached is an error, and it goes on when it can", %{log: log} do
        term = room(log, "lobby", 1)
        Repo.query!("ALTER TABLE roomfold_events RENAME TO elsewhere")
        assert {:error, %{reason: :log_failed}} = EventLog.append(log, "lobby", term, 1, records(2, 2))
        Repo.query!("ALTER TABLE elsewhere RENAME TO roomfold_events")
        assert EventLog.append(log, "lobby", term, 1, records(2, 2)) == :ok
      end

      test "the migration goes back and forth, and knows its versions" do
        assert_raise ArgumentError, ~r/no version 7/, fn ->
          Roomfold.EventLog.Ecto.Migration.up(version: 7)
        end

        assert [1] = Ecto.Migrator.run(Repo, [{1, AddRoomfold}], :down, all: true, log: false)
        assert [1] = Ecto.Migrator.run(Repo, [{1, AddRoomfold}], :up, all: true, log: false)
      end
    end
end
