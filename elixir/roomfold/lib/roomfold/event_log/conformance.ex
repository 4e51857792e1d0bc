defmodule Roomfold.EventLog.Conformance do
  @moduledoc """
  Tests that every adapter of `Roomfold.EventLog` must pass, also your own.

      defmodule MyLogTest do
        use ExUnit.Case, async: true
        use Roomfold.EventLog.Conformance

        setup do
          pid = start_supervised!({MyLog, []})
          {:ok, log: {MyLog, pid}}
        end
      end

  Each test needs an empty log of its own, as `log` in its context. A log with durable storage also gives `reopen`: a function that stops its
  process, starts one on the same storage, and returns the log. Tests stop the log's process and wait until it has ended, so it must not be
  restarted (`restart: :temporary`).
  """

  alias Roomfold.EventLog
  alias Roomfold.EventLog.Memory

  @doc "Records for a test: events `from` to `to`."
  @spec records(pos_integer, pos_integer, binary) :: [binary]
  def records(from, to, more \\ "") do
    for seq <- from..to//1, do: ~s({"seq":#{seq},"event_name":"user_moved","user_id":"tom#{more}"})
  end

  @doc "The same as the log's text."
  @spec text([binary]) :: binary
  def text(records), do: IO.iodata_to_binary(Enum.map(records, &[&1, ?\n]))

  @doc "Makes a room with this many records, and returns its term."
  @spec room(EventLog.t(), String.t(), non_neg_integer) :: EventLog.room_term()
  def room(log, name, count) do
    {:ok, %{term: term, seq: seq}} = EventLog.claim(log, name)
    :ok = EventLog.append(log, name, term, seq, records(seq + 1, seq + count))
    term
  end

  @doc "The reason of an error."
  @spec reason({:error, Roomfold.Error.t()}) :: atom
  def reason({:error, %Roomfold.Error{reason: reason, message: message}}) when is_binary(message), do: reason

  @doc "An answer without the parts that are an adapter's own: how it words errors, and which terms it gives."
  @spec plain(term) :: term
  def plain({:error, _} = error), do: reason(error)
  def plain({:ok, %{term: _} = head}), do: {:ok, Map.take(head, [:seq, :first, :meta, :versions])}
  def plain(answer), do: answer

  @doc """
  The same random calls to a log and to the one in memory. Answers the first that differs, as `{call, theirs, memory's}`, or `nil`.
  """
  @spec differs(EventLog.t(), integer, pos_integer) :: {tuple, term, term} | nil
  def differs(log, seed, count) do
    {:ok, pid} = Memory.start_link()
    :rand.seed(:exsss, {seed, 1, 2})

    Enum.find_value(1..count, fn _ ->
      call = random_call({Memory, pid})
      {theirs, ours} = {plain(apply_call(log, call)), plain(apply_call({Memory, pid}, call))}
      if theirs != ours, do: {call, theirs, ours}
    end)
  end

  defp apply_call(log, {function, arguments}) do
    arguments =
      for argument <- arguments,
          do: with({:term, back} <- argument, do: max(0, term(log, hd(arguments)) - back))

    case {function, arguments} do
      {:claim_over, [room, meta, term]} -> EventLog.claim(log, room, meta, over: term)
      {:delete_over, [room, term]} -> EventLog.delete(log, room, over: term)
      _ -> apply(EventLog, function, [log | arguments])
    end
  end

  defp term(log, room) do
    {:ok, head} = EventLog.head(log, room)
    if head, do: head.term, else: 1
  end

  # A term is said as how far it is below the newest one, {:term, n}.
  defp random_call(memory) do
    room = Enum.random(~w(a b c))

    {:ok, head} = EventLog.head(memory, room)
    head = head || %{seq: 0}
    near = fn seq -> max(1, seq + Enum.random(-3..3)) end
    any = Enum.random(1..max(head.seq, 1))

    case Enum.random(1..20) do
      n when n <= 9 -> random_append(room, head)
      n when n <= 11 -> {:read, [room, any, near.(any + 3), [max_events: Enum.random(1..9)]]}
      12 -> {:read, [room, any, :infinity, [max_bytes: Enum.random(1..500)]]}
      n when n <= 14 -> {:put_snapshot, [room, {:term, 0}, near.(head.seq), "snapshot #{Enum.random(1..9)}"]}
      n when n <= 16 -> {:snapshot, [room, near.(any)]}
      17 -> {:trim, [room, any]}
      18 -> random_claim(room)
      19 -> if Enum.random(1..4) == 1, do: random_delete(room), else: {:head, [room]}
      20 -> {Enum.random([:rooms, :verify]), []}
    end
  end

  # Over the newest term, the one before it, that of no room, or any.
  defp random_claim(room) do
    meta = %{"schema" => Enum.random(1..2)}

    case Enum.random(1..4) do
      1 -> {:claim, [room, meta, [over: 0]]}
      2 -> {:claim, [room, meta]}
      n -> {:claim_over, [room, meta, {:term, n - 3}]}
    end
  end

  defp random_delete(room) do
    case Enum.random(1..3) do
      1 -> {:delete, [room]}
      n -> {:delete_over, [room, {:term, n - 2}]}
    end
  end

  defp random_append(room, head) do
    count = Enum.random(0..8)
    wrong = if Enum.random(1..9) == 1, do: Enum.random(-1..1), else: 0
    old = if Enum.random(1..9) == 1, do: 1, else: 0
    after_seq = max(0, head.seq + wrong)

    {:append, [room, {:term, old}, after_seq, records(after_seq + 1, after_seq + count, "é#{count}")]}
  end

  defmacro __using__(_opts) do
    [writing(), reading(), keeping(), living()]
  end

  defp writing do
    quote do
      import Roomfold.EventLog.Conformance,
        only: [records: 2, records: 3, text: 1, room: 3, reason: 1, differs: 3]

      alias Roomfold.EventLog

      test "a claim makes the room; each takes a newer term", %{log: log} do
        assert {:ok, nil} = EventLog.head(log, "lobby")

        assert {:ok, %{seq: 0, first: 1, term: one, meta: %{"schema" => 1}} = head} =
                 EventLog.claim(log, "lobby", %{"schema" => 1})

        assert {:ok, ^head} = EventLog.head(log, "lobby")
        assert {:ok, %{term: two}} = EventLog.claim(log, "lobby")
        assert two > one and one > 0
      end

      test "a claim over a term: only if that is still the newest one", %{log: log} do
        assert reason(EventLog.claim(log, "lobby", %{}, over: 1)) == :old_term
        assert {:ok, nil} = EventLog.head(log, "lobby")
        assert {:ok, %{term: one} = head} = EventLog.claim(log, "lobby", %{"schema" => 1}, over: 0)

        for over <- [0, one - 1, one + 1, 2 ** 70],
            do: assert(reason(EventLog.claim(log, "lobby", %{"schema" => 2}, over: over)) == :old_term)

        assert {:ok, ^head} = EventLog.head(log, "lobby")
        assert :ok = EventLog.append(log, "lobby", one, 0, records(1, 1))
        assert {:ok, %{term: two, seq: 1}} = EventLog.claim(log, "lobby", %{}, over: one)
        assert two > one
        assert :ok = EventLog.delete(log, "lobby")
        assert reason(EventLog.claim(log, "lobby", %{}, over: two)) == :old_term
        assert {:ok, %{seq: 0}} = EventLog.claim(log, "lobby", %{}, over: 0)
        assert_raise ArgumentError, ~r/:over/, fn -> EventLog.claim(log, "lobby", %{}, over: nil) end
      end

      test "records come back as they were appended", %{log: log} do
        {:ok, %{term: term}} = EventLog.claim(log, "lobby")
        assert :ok = EventLog.append(log, "lobby", term, 0, [~s({"seq":1}), [~s({"seq"), [?:, "2}"]]])
        assert :ok = EventLog.append(log, "lobby", term, 2, [~s({"seq":3,"text":"été \\n ☃"})])
        assert :ok = EventLog.append(log, "lobby", term, 3, [])

        assert {:ok, %{first: 1, seq: 3, text: read}} = EventLog.read(log, "lobby", 1)
        assert read == ~s({"seq":1}\n{"seq":2}\n{"seq":3,"text":"été \\n ☃"}\n)
        assert {:ok, %{seq: 3, first: 1}} = EventLog.head(log, "lobby")
      end

      test "who has an older term is refused, whatever it appends", %{log: log} do
        {:ok, %{term: old}} = EventLog.claim(log, "lobby")
        new = room(log, "lobby", 2)

        for {term, after_seq} <- [{old, 2}, {old, 0}, {0, 2}, {new + 1, 2}, {2 ** 70, 2}] do
          assert reason(EventLog.append(log, "lobby", term, after_seq, records(3, 4))) == :old_term
        end

        assert reason(EventLog.append(log, "lobby", old, 2, [])) == :old_term
        assert :ok = EventLog.append(log, "lobby", new, 2, records(3, 4))
      end

      test "an append begins where the log ends", %{log: log} do
        term = room(log, "lobby", 3)

        for after_seq <- [0, 2, 4, 9_007_199_254_740_991] do
          assert reason(EventLog.append(log, "lobby", term, after_seq, [])) == :wrong_seq
        end

        for after_seq <- [0, 2, 4] do
          assert reason(EventLog.append(log, "lobby", term, after_seq, records(1, 1))) == :wrong_seq
        end

        too_far = EventLog.append(log, "lobby", term, 9_007_199_254_740_991, records(1, 1))
        assert reason(too_far) == :invalid_seq
        assert {:ok, %{seq: 3}} = EventLog.head(log, "lobby")
      end

      test "no room, no append", %{log: log} do
        room(log, "lobby", 1)
        assert reason(EventLog.append(log, "cellar", 1, 0, records(1, 1))) == :no_room
        assert reason(EventLog.read(log, "cellar", 1)) == :no_room
        assert reason(EventLog.snapshot(log, "cellar")) == :no_room
        assert reason(EventLog.put_snapshot(log, "cellar", 1, 1, "")) == :no_room
        assert reason(EventLog.trim(log, "cellar", 1)) == :no_room
        assert reason(EventLog.delete(log, "cellar")) == :no_room
        assert reason(EventLog.verify(log, "cellar")) == :no_room
      end

      test "a record that is not one line fails its append whole", %{log: log} do
        term = room(log, "lobby", 2)

        for bad <- ["", "\n", "{}\n", "{\n}", "\n{}", "{\0}", ["{", "\n", "}"]] do
          assert reason(EventLog.append(log, "lobby", term, 2, ["{}", bad, "{}"])) == :invalid_record
          assert reason(EventLog.append(log, "lobby", term, 2, [bad])) == :invalid_record
        end

        assert {:ok, 2} = EventLog.verify(log, "lobby")
      end

      test "names of rooms: 1 to 255 bytes of UTF-8", %{log: log} do
        for bad <- ["", String.duplicate("x", 256), <<255>>, "a\0b", :lobby, nil] do
          assert reason(EventLog.claim(log, bad)) == :invalid_id
          assert reason(EventLog.append(log, bad, 1, 0, [])) == :invalid_id
          assert reason(EventLog.read(log, bad, 1)) == :invalid_id
        end

        names = [String.duplicate("é", 127), "a'b\"c;--", "A", "a", "a b", "ä"]
        for name <- names, do: room(log, name, 1)
        assert EventLog.rooms(log) == {:ok, Enum.sort(names)}
      end

      test "meta is what JSON can say, and the log knows from where on it holds", %{log: log} do
        assert reason(EventLog.claim(log, "lobby", %{"pid" => self()})) == :unsupported_value
        {:ok, _} = EventLog.claim(log, "lobby", %{"schema" => 0})
        {:ok, head} = EventLog.claim(log, "lobby", %{"schema" => 1, "rules" => [1.5, nil]})
        first = %{"schema" => 1, "rules" => [1.5, nil]}
        assert head.versions == [{1, first}]

        :ok = EventLog.append(log, "lobby", head.term, 0, records(1, 3))
        {:ok, head} = EventLog.claim(log, "lobby", first)
        assert head.versions == [{1, first}]
        {:ok, _} = EventLog.claim(log, "lobby", %{"schema" => 2})
        {:ok, head} = EventLog.claim(log, "lobby", %{"schema" => 3})
        assert head.meta == %{"schema" => 3}
        assert head.versions == [{1, first}, {4, %{"schema" => 3}}]
        # Nothing was written with 3.
        {:ok, head} = EventLog.claim(log, "lobby", first)
        assert head.versions == [{1, first}]
      end
    end
  end

  defp reading do
    quote do
      test "a piece: from, to, bytes, events; at least one record", %{log: log} do
        all = records(1, 20)
        size = byte_size(text(Enum.take(all, 9)))
        room(log, "lobby", 20)
        read = fn from, to, opts -> EventLog.read(log, "lobby", from, to, opts) end
        lines = fn from, to -> text(Enum.slice(all, (from - 1)..(to - 1))) end

        assert read.(1, :infinity, []) == {:ok, %{first: 1, seq: 20, text: lines.(1, 20)}}
        assert read.(7, 9, []) == {:ok, %{first: 7, seq: 9, text: lines.(7, 9)}}
        assert read.(20, 99, []) == {:ok, %{first: 20, seq: 20, text: lines.(20, 20)}}
        assert read.(3, 9, max_events: 2) == {:ok, %{first: 3, seq: 4, text: lines.(3, 4)}}
        assert read.(1, 99, max_bytes: size) == {:ok, %{first: 1, seq: 9, text: lines.(1, 9)}}
        assert read.(1, 99, max_bytes: size - 1) == {:ok, %{first: 1, seq: 8, text: lines.(1, 8)}}
        assert read.(5, 99, max_bytes: 1) == {:ok, %{first: 5, seq: 5, text: lines.(5, 5)}}
        assert read.(21, :infinity, []) == {:ok, nil}
        assert read.(9, 8, []) == {:ok, nil}
        assert_raise ArgumentError, ~r/max_bytes/, fn -> read.(1, 2, max_bytes: 0) end
        assert_raise ArgumentError, ~r/the first seq is an integer above 0/, fn -> read.(0, 2, []) end
      end

      test "a stream of pieces is all of it", %{log: log} do
        term = room(log, "lobby", 30)
        for seq <- 30..50, do: :ok = EventLog.append(log, "lobby", term, seq, records(seq + 1, seq + 1))
        pieces = Enum.to_list(EventLog.stream(log, "lobby", 1, :infinity, max_bytes: 200))
        assert length(pieces) > 10
        assert IO.iodata_to_binary(pieces) == text(records(1, 51))
        assert Enum.to_list(EventLog.stream(log, "lobby", 52)) == []
        assert_raise Roomfold.Error, fn -> Enum.to_list(EventLog.stream(log, "cellar", 1)) end
      end

      test "many and large records in one append", %{log: log} do
        {:ok, %{term: term}} = EventLog.claim(log, "lobby")
        large = ~s({"text":") <> String.duplicate("x", 300_000) <> ~s("})
        all = records(1, 5_000) ++ [large, large] ++ records(5_003, 6_000)
        assert :ok = EventLog.append(log, "lobby", term, 0, all)
        assert IO.iodata_to_binary(Enum.to_list(EventLog.stream(log, "lobby", 1))) == text(all)

        assert {:ok, %{text: read, seq: 5_001}} =
                 EventLog.read(log, "lobby", 5_001, 9_999, max_bytes: 300_000)

        assert read == large <> "\n"
        assert EventLog.verify(log, "lobby") == {:ok, 6_000}
      end
    end
  end

  defp keeping do
    quote do
      test "snapshots: the newest at or below, in whatever order they came", %{log: log} do
        term = room(log, "lobby", 20)
        assert {:ok, nil} = EventLog.snapshot(log, "lobby")
        for seq <- [10, 5, 20, 15], do: :ok = EventLog.put_snapshot(log, "lobby", term, seq, "at #{seq}\0")
        :ok = EventLog.put_snapshot(log, "lobby", term, 15, "")
        :ok = EventLog.put_snapshot(log, "lobby", term, 20, "again")

        found = for at <- [1, 4, 5, 9, 10, 19, 20, 99], do: EventLog.snapshot(log, "lobby", at)

        assert found == [
                 {:ok, nil},
                 {:ok, nil},
                 {:ok, {5, "at 5\0"}},
                 {:ok, {5, "at 5\0"}},
                 {:ok, {10, "at 10\0"}},
                 {:ok, {15, ""}},
                 {:ok, {20, "again"}},
                 {:ok, {20, "again"}}
               ]

        assert EventLog.snapshot(log, "lobby") == {:ok, {20, "again"}}
        assert {:ok, 20} = EventLog.verify(log, "lobby")
      end

      test "snapshots: from who holds the term, of what is there", %{log: log} do
        {:ok, %{term: old}} = EventLog.claim(log, "lobby")
        term = room(log, "lobby", 3)
        assert reason(EventLog.put_snapshot(log, "lobby", old, 3, "x")) == :old_term
        assert reason(EventLog.put_snapshot(log, "lobby", term, 4, "x")) == :wrong_seq
        assert reason(EventLog.put_snapshot(log, "lobby", term, 0, "x")) == :wrong_seq
        assert reason(EventLog.put_snapshot(log, "lobby", term, 2 ** 70, "x")) == :wrong_seq
        assert reason(EventLog.put_snapshot(log, "lobby", 2 ** 70, 3, "x")) == :old_term
        assert {:ok, nil} = EventLog.snapshot(log, "lobby")
      end

      test "trim: never past the newest snapshot, and reading below is an error", %{log: log} do
        term = room(log, "lobby", 20)
        assert :ok = EventLog.trim(log, "lobby", 15)
        assert {:ok, %{first: 1}} = EventLog.head(log, "lobby")
        for seq <- [5, 10], do: :ok = EventLog.put_snapshot(log, "lobby", term, seq, "at #{seq}")

        assert :ok = EventLog.trim(log, "lobby", 7)
        assert {:ok, %{first: 7, seq: 20}} = EventLog.head(log, "lobby")
        assert {:ok, nil} = EventLog.snapshot(log, "lobby", 9)
        assert reason(EventLog.read(log, "lobby", 6)) == :log_trimmed
        assert {:ok, %{first: 7, seq: 8, text: read}} = EventLog.read(log, "lobby", 7, 8)
        assert read == text(records(7, 8))
        assert reason(EventLog.put_snapshot(log, "lobby", term, 5, "x")) == :wrong_seq

        assert :ok = EventLog.trim(log, "lobby", 99)
        assert :ok = EventLog.trim(log, "lobby", 3)
        assert {:ok, %{first: 11}} = EventLog.head(log, "lobby")
        assert EventLog.snapshot(log, "lobby") == {:ok, {10, "at 10"}}
        assert EventLog.verify(log, "lobby") == {:ok, 10}

        :ok = EventLog.put_snapshot(log, "lobby", term, 20, "at 20")
        :ok = EventLog.trim(log, "lobby", 21)
        assert {:ok, %{first: 21, seq: 20}} = EventLog.head(log, "lobby")
        assert {:ok, nil} = EventLog.read(log, "lobby", 21)
        assert :ok = EventLog.append(log, "lobby", term, 20, records(21, 22))
        assert {:ok, %{text: read}} = EventLog.read(log, "lobby", 21)
        assert read == text(records(21, 22))
      end

      test "a deleted room is gone; who held it can't write into its successor", %{log: log} do
        old = room(log, "lobby", 5)
        room(log, "cellar", 2)
        :ok = EventLog.put_snapshot(log, "lobby", old, 3, "x")
        assert :ok = EventLog.delete(log, "lobby")
        assert {:ok, nil} = EventLog.head(log, "lobby")
        assert EventLog.rooms(log) == {:ok, ["cellar"]}
        assert reason(EventLog.append(log, "lobby", old, 5, records(6, 6))) == :no_room

        for _ <- 1..5 do
          assert {:ok, %{term: new, seq: 0, first: 1}} = EventLog.claim(log, "lobby")
          assert new > old
        end

        assert reason(EventLog.append(log, "lobby", old, 0, records(1, 1))) == :old_term
        assert {:ok, nil} = EventLog.snapshot(log, "lobby")
        assert EventLog.verify(log) == {:ok, 2}
      end

      test "a room is deleted over the term it is told, if over one, and else stays", %{log: log} do
        assert reason(EventLog.delete(log, "lobby", over: 0)) == :no_room
        old = room(log, "lobby", 2)
        {:ok, %{term: new}} = EventLog.claim(log, "lobby")
        :ok = EventLog.put_snapshot(log, "lobby", new, 2, "x")

        for over <- [0, old, new + 1, EventLog.max_seq() * 4],
            do: assert(reason(EventLog.delete(log, "lobby", over: over)) == :old_term)

        assert EventLog.verify(log) == {:ok, 2}
        assert {:ok, {2, "x"}} = EventLog.snapshot(log, "lobby")
        assert :ok = EventLog.append(log, "lobby", new, 2, records(3, 3))
        assert :ok = EventLog.delete(log, "lobby", over: new)
        assert EventLog.rooms(log) == {:ok, []}
        assert_raise ArgumentError, ~r/:over/, fn -> EventLog.delete(log, "lobby", over: nil) end
      end

      test "verify counts what is there", %{log: log} do
        assert EventLog.verify(log) == {:ok, 0}
        room(log, "lobby", 5)
        room(log, "cellar", 7)
        room(log, "attic", 0)
        assert EventLog.verify(log) == {:ok, 12}
        assert EventLog.verify(log, "cellar") == {:ok, 7}
        assert EventLog.verify(log, "attic") == {:ok, 0}
      end

      test "any calls in any order: the same as the log in memory", %{log: log} do
        seed = :erlang.unique_integer([:positive])
        assert {seed, differs(log, seed, 400)} == {seed, nil}
      end

      test "what was acknowledged is there when the log comes back", context do
        # A log that keeps nothing has nothing to show here.
        if reopen = context[:reopen] do
          term = room(context.log, "lobby", 10)
          :ok = EventLog.put_snapshot(context.log, "lobby", term, 4, "snapshot")
          {:ok, head} = EventLog.head(context.log, "lobby")
          log = reopen.(context.log)
          assert EventLog.head(log, "lobby") == {:ok, head}
          assert EventLog.read(log, "lobby", 1) == {:ok, %{first: 1, seq: 10, text: text(records(1, 10))}}
          assert EventLog.snapshot(log, "lobby") == {:ok, {4, "snapshot"}}
          assert :ok = EventLog.append(log, "lobby", term, 10, records(11, 12))
          assert {:ok, %{term: new}} = EventLog.claim(log, "lobby")
          assert new > term
        end
      end
    end
  end

  defp living do
    quote do
      test "many rooms at once; one that fails does not fail the others", %{log: log} do
        terms = for i <- 1..20, do: {i, room(log, "room#{i}", 0)}

        answers =
          for {i, term} <- terms, round <- 0..9 do
            # Every fifth room comes with an older term.
            term = if rem(i, 5) == 0, do: term - 1, else: term
            seq = round * 3
            {i, EventLog.submit(log, "room#{i}", term, seq, records(seq + 1, seq + 3))}
          end

        for {i, reference} <- answers do
          answer = EventLog.await(reference)
          if rem(i, 5) == 0, do: assert(reason(answer) == :old_term), else: assert(answer == :ok)
        end

        assert EventLog.verify(log) == {:ok, 16 * 30}
        refute_received _
      end

      test "an answer comes once, and as the message it is said to be", %{log: log} do
        term = room(log, "lobby", 0)
        reference = EventLog.submit(log, "lobby", term, 0, records(1, 1))
        assert_receive {^reference, :ok}, 30_000
        reference = EventLog.submit(log, "lobby", term, 0, records(1, 1))
        assert_receive {^reference, {:error, %Roomfold.Error{reason: :wrong_seq}}}, 30_000
        reference = EventLog.submit(log, "", term, 0, records(1, 1))
        assert_receive {^reference, {:error, %Roomfold.Error{reason: :invalid_id}}}, 30_000
        # Who does not wait hears nothing more.
        reference = EventLog.submit(log, "lobby", term, 1, records(2, 2))
        Process.demonitor(reference, [:flush])
        assert {:ok, %{term: new, seq: 2}} = EventLog.claim(log, "lobby")
        refute_received {^reference, _}
      end

      test "of two who write with the same term and seq, one does", %{log: log} do
        term = room(log, "lobby", 0)

        answers =
          1..20
          |> Enum.map(fn _ -> Task.async(fn -> EventLog.append(log, "lobby", term, 0, records(1, 2)) end) end)
          |> Task.await_many(60_000)

        assert Enum.count(answers, &(&1 == :ok)) == 1
        assert Enum.all?(answers, &(&1 == :ok or reason(&1) == :wrong_seq))
        assert EventLog.verify(log, "lobby") == {:ok, 2}
      end

      test "of many who claim over one term, one does", %{log: log} do
        over_many = fn over ->
          answers =
            1..20
            |> Enum.map(fn _ -> Task.async(fn -> EventLog.claim(log, "lobby", %{}, over: over) end) end)
            |> Task.await_many(60_000)

          assert [{:ok, %{term: term}}] = Enum.filter(answers, &match?({:ok, _}, &1))
          assert Enum.all?(answers, &(match?({:ok, _}, &1) or reason(&1) == :old_term))
          assert {:ok, %{term: ^term}} = EventLog.head(log, "lobby")
          term
        end

        term = over_many.(over_many.(0))
        assert :ok = EventLog.append(log, "lobby", term, 0, records(1, 1))
      end

      test "a room that is deleted while it is written leaves nothing to the next one", %{log: log} do
        for _ <- 1..20 do
          {:ok, %{term: term, seq: 0}} = EventLog.claim(log, "lobby")

          answers =
            for seq <- 0..90//10,
                do: EventLog.submit(log, "lobby", term, seq, records(seq + 1, seq + 10))

          assert EventLog.delete(log, "lobby") == :ok

          for reference <- answers do
            answer = EventLog.await(reference)
            assert answer == :ok or reason(answer) in [:no_room, :wrong_seq]
          end

          {:ok, %{term: term, seq: 0}} = EventLog.claim(log, "lobby")
          assert EventLog.verify(log, "lobby") == {:ok, 0}
          assert EventLog.append(log, "lobby", term, 0, records(1, 100)) == :ok
          assert EventLog.verify(log, "lobby") == {:ok, 100}
          assert EventLog.delete(log, "lobby") == :ok
        end
      end

      test "who reads beside trims and deletes sees what was there, or that it is gone", %{log: log} do
        all = text(records(1, 60))

        writer =
          Task.async(fn ->
            for n <- 1..40 do
              term = room(log, "lobby", 60)
              :ok = EventLog.put_snapshot(log, "lobby", term, 50, "fifty")
              :ok = EventLog.trim(log, "lobby", 40)
              room(log, "new #{n}", 1)
              :ok = EventLog.delete(log, "lobby")
            end
          end)

        gone = fn answer, reasons -> assert reason(answer) in reasons end

        readers =
          for _ <- 1..3 do
            Task.async(fn ->
              Stream.repeatedly(fn ->
                assert {:ok, _} = EventLog.head(log, "lobby")
                assert {:ok, _} = EventLog.rooms(log)
                assert {:ok, _} = EventLog.verify(log)

                case EventLog.read(log, "lobby", 1) do
                  {:ok, nil} -> :ok
                  {:ok, %{text: text, first: 1}} -> assert text == all
                  error -> gone.(error, [:no_room, :log_trimmed])
                end

                case EventLog.snapshot(log, "lobby") do
                  {:ok, found} -> assert found in [nil, {50, "fifty"}]
                  error -> gone.(error, [:no_room])
                end

                with {:error, _} = error <- EventLog.verify(log, "lobby"), do: gone.(error, [:no_room])
              end)
              |> Enum.find(fn _ -> not Process.alive?(writer.pid) end)
            end)
          end

        Task.await(writer, 60_000)
        Task.await_many(readers, 60_000)
      end

      test "who is killed while it waits leaves whole appends", %{log: log} do
        term = room(log, "lobby", 0)

        {pid, monitor} =
          spawn_monitor(fn ->
            for seq <- 0..1_000//10 do
              EventLog.submit(log, "lobby", term, seq, records(seq + 1, seq + 10))
            end

            Process.exit(self(), :kill)
          end)

        assert_receive {:DOWN, ^monitor, :process, ^pid, :killed}, 30_000
        {:ok, %{seq: seq}} = EventLog.claim(log, "lobby")
        assert rem(seq, 10) == 0
        assert EventLog.verify(log, "lobby") == {:ok, seq}
      end

      test "a log that has stopped is an error", %{log: {_, server} = log} do
        term = room(log, "lobby", 1)
        GenServer.stop(server)
        assert reason(EventLog.append(log, "lobby", term, 1, records(2, 2))) == :log_failed
        assert reason(EventLog.read(log, "lobby", 1)) == :log_failed
        assert reason(EventLog.claim(log, "lobby")) == :log_failed
        reference = EventLog.submit(log, "lobby", term, 1, records(2, 2))
        assert_receive {:DOWN, ^reference, :process, _, :noproc}, 30_000
      end
    end
  end
end
