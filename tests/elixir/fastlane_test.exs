defmodule Roomfold.FastlaneTest do
  use ExUnit.Case, async: true

  alias Roomfold.Room
  alias Roomfold.Room.{Fastlane, Update}
  alias Roomfold.{Session, StoppedClock}
  alias Roomfold.Session.Lane

  # A lane: what the process of a socket would get.
  def message(lane, {:push, event, {:json, text}}), do: {:wire, lane, event, IO.iodata_to_binary(text)}
  def message(lane, {:push, event, {:binary, bytes}}), do: {:wire, lane, event, bytes}

  defp entry(opts) do
    Map.merge(
      %{to: self(), lane: {__MODULE__, :a}, format: :json, events?: false, limit: 10, sent: 0},
      Map.new(opts)
    )
  end

  defp update(seq, bytes, events \\ nil) do
    frames = %{json: {:diff, String.duplicate("j", bytes)}, packed: {:diff, String.duplicate("p", bytes)}}
    %Update{from: seq - 1, seq: seq, frames: frames, events: events}
  end

  describe "as data" do
    test "what is written alike is one send, with everybody's process" do
      pids = for _ <- 1..4, do: spawn(fn -> :ok end)
      [a, b, c, d] = pids

      lane =
        %Fastlane{}
        |> Fastlane.enter(a, 0, entry(to: a))
        |> Fastlane.enter(b, 0, entry(to: b))
        |> Fastlane.enter(c, 0, entry(to: c, lane: {__MODULE__, :b}))
        |> Fastlane.enter(d, 0, entry(to: d, format: :packed, events?: true))

      {sends, [], _} = Fastlane.publish(lane, update(1, 5, "events"))

      found =
        Map.new(sends, fn {{lane, _, _}, frames, to} ->
          {{lane, Enum.map(frames, &elem(&1, 1))}, Enum.sort(to)}
        end)

      assert map_size(found) == 3
      assert found[{{__MODULE__, :a}, ["diff"]}] == Enum.sort([a, b])
      assert found[{{__MODULE__, :b}, ["diff"]}] == [c]
      assert found[{{__MODULE__, :a}, ["diff", "events"]}] == [d]
    end

    test "who does not acknowledge goes back to its session, with what it owes" do
      lane = Fastlane.enter(%Fastlane{}, self(), 0, entry(sent: 4))
      {[_], [], lane} = Fastlane.publish(lane, update(1, 5))
      {[_], [], lane} = Fastlane.publish(lane, update(2, 5))
      me = self()
      assert {[], [{^me, 14}], lane} = Fastlane.publish(lane, update(3, 5))
      assert Fastlane.others(lane, [me]) == [me]
      assert {[], [], _} = Fastlane.publish(lane, update(4, 5))
    end

    test "an acknowledgement is worth what was sent by then, and never less than the one before" do
      lane = Fastlane.enter(%Fastlane{}, self(), 0, entry(limit: 10))
      {_, [], lane} = Fastlane.publish(lane, update(1, 8))
      {_, [], lane} = Fastlane.publish(lane, update(2, 8))
      lane = Fastlane.acked(lane, self(), 2)
      # Late, and of no use any more; and one that nobody knows.
      lane = lane |> Fastlane.acked(self(), 1) |> Fastlane.acked(spawn(fn -> :ok end), 2)
      {[_], [], lane} = Fastlane.publish(lane, update(3, 8))
      {[_], [], lane} = Fastlane.publish(lane, update(4, 8))
      assert {[], [{_, 16}], _} = Fastlane.publish(lane, update(5, 8))
    end

    test "the first update need not have come for an acknowledgement of the snapshot to count" do
      lane = Fastlane.enter(%Fastlane{}, self(), 7, entry(limit: 10, sent: 50)) |> Fastlane.acked(self(), 7)
      {[_], [], lane} = Fastlane.publish(lane, update(8, 8))
      {[_], [], lane} = Fastlane.publish(lane, update(9, 8))
      me = self()
      assert {[], [{^me, 16}], _} = Fastlane.publish(lane, update(10, 8))
    end

    test "an acknowledgement from before everything that is remembered is worth nothing" do
      lane = Fastlane.enter(%Fastlane{}, self(), 0, entry(limit: 1_000_000))
      lane = Enum.reduce(1..1_000, lane, fn seq, lane -> elem(Fastlane.publish(lane, update(seq, 1)), 2) end)
      assert Fastlane.acked(lane, self(), 3) == lane
      {bytes, {_, newest, older}} = lane.sent.json
      assert {bytes, (length(newest) + length(older)) in 256..512} == {1_000, true}
      # One of the 256 newest is worth what it was.
      assert {[], [{_, 256}], _} =
               lane |> Fastlane.acked(self(), 744) |> limited(255) |> Fastlane.publish(update(1_001, 1))
    end

    defp limited(lane, limit) do
      group = lane.of[self()]
      put_in(lane.groups[group][self()].limit, limit)
    end

    test "nothing is remembered while nobody is in it" do
      lane = Fastlane.enter(%Fastlane{}, self(), 0, entry([]))
      lane = lane |> Fastlane.publish(update(1, 8)) |> elem(2) |> Fastlane.leave(self())
      assert {[], [], %Fastlane{sent: sent}} = Fastlane.publish(lane, update(2, 8))
      assert sent == %{}
    end

    test "a group that can't be written to is out, with what each owes" do
      other = spawn(fn -> :ok end)
      lane = Fastlane.enter(%Fastlane{}, self(), 0, entry(sent: 4))
      lane = Fastlane.enter(lane, other, 0, entry(format: :packed))
      {sends, [], lane} = Fastlane.publish(lane, update(1, 5))
      group = Enum.find_value(sends, fn {{_, format, _} = group, _, _} -> format == :json && group end)
      me = self()
      assert {[{^me, 9}], lane} = Fastlane.leave_all(lane, group)
      assert Fastlane.others(lane, [me, other]) == [me]
      assert {[{_, _, [_]}], [], _} = Fastlane.publish(lane, update(2, 5))
      assert {[], ^lane} = Fastlane.leave_all(lane, group)
    end

    test "who enters again, as it has joined in another format, is in it once" do
      lane =
        Fastlane.enter(%Fastlane{}, self(), 0, entry([])) |> Fastlane.enter(self(), 0, entry(format: :packed))

      assert {[{{_, :packed, _}, [_], [_]}], [], lane} = Fastlane.publish(lane, update(1, 5))
      assert Fastlane.leave(lane, self()).groups == %{}
    end

    test "as many bytes as are allowed may be unacknowledged" do
      lane = Fastlane.enter(%Fastlane{}, self(), 0, entry(limit: 10, sent: 10))
      assert {[_], [], lane} = Fastlane.publish(lane, update(1, 1))
      assert {[], [{_, 11}], _} = Fastlane.publish(lane, update(2, 1))
    end

    test "a session says what is acknowledged anew when it has joined again, or has been sent to itself" do
      {:now, lane} = Lane.new({self(), {__MODULE__, :a}}) |> Lane.enter() |> Lane.tell(7, 0)
      assert {:nothing, _} = Lane.tell(lane, 7, 1_000)
      assert {:now, _} = lane |> Lane.joined() |> Lane.enter() |> Lane.tell(3, 1_000)
      assert {:now, _} = lane |> Lane.leave(5) |> Lane.enter() |> Lane.tell(6, 1_000)
      assert {:nothing, _} = lane |> Lane.leave(9) |> Lane.enter() |> Lane.tell(7, 1_000)
    end

    test "who leaves is out" do
      lane = Fastlane.enter(%Fastlane{}, self(), 0, entry([]))
      assert %{groups: groups, of: of} = Fastlane.leave(lane, self())
      assert {groups, of} == {%{}, %{}}
      assert Fastlane.leave(%Fastlane{}, self()) == %Fastlane{}
    end
  end

  describe "a session" do
    setup do
      room = "fast-#{System.unique_integer([:positive])}"
      {:ok, pid} = Room.ensure_started(room, tick_ms: 5)
      {:ok, room: room, pid: pid}
    end

    defp joined(room, opts \\ [], params \\ %{}) do
      opts = Keyword.merge([room: room, user: "tom", fastlane: {self(), {__MODULE__, :a}}], opts)
      {:ok, reply, [{:push, "snapshot", _}], session} = Session.join(Session.new(opts), params)
      {reply["seq"], Session.flushed(session)}
    end

    defp write(room, id, size \\ 1) do
      # Never the same twice: that would be no change.
      components = %{"text" => "#{System.unique_integer()}" <> String.duplicate("x", size)}
      Room.publish(room, {"update", %{"entity_id" => id, "components" => components}})
    end

    # What comes until the client has seq, in order: {from, seq} of each diff. The session gets what is its own.
    defp follow(session, seq, seen \\ []) do
      receive do
        {:wire, :a, kind, text} when kind in ["diff", "snapshot"] ->
          frame = Roomfold.JSON.decode!(text)
          seen = [{frame["from"], frame["seq"], :fast} | seen]
          if frame["seq"] >= seq, do: {Enum.reverse(seen), session}, else: follow(session, seq, seen)

        message ->
          case Session.handle(session, message) do
            {frames, session} ->
              slow =
                for {:push, kind, {:json, text}} when kind in ["diff", "snapshot"] <- frames,
                    frame = Roomfold.JSON.decode!(text),
                    do: {frame["from"], frame["seq"], :slow}

              session = Session.flushed(session)
              seen = Enum.reverse(slow) ++ seen

              if Enum.any?(slow, &(elem(&1, 1) >= seq)),
                do: {Enum.reverse(seen), session},
                else: follow(session, seq, seen)

            _ ->
              follow(session, seq, seen)
          end
      after
        30_000 -> flunk("seq #{seq} did not come; so far #{inspect(Enum.reverse(seen))}")
      end
    end

    defp without_gap(from, seen) do
      Enum.reduce(seen, from, fn {frame_from, seq, _}, last ->
        assert frame_from == last
        seq
      end)
    end

    test "gets a client's diffs past it, without a gap", %{room: room} do
      {seq, session} = joined(room)

      last =
        Enum.reduce(1..50, nil, fn _, _ ->
          {:ok, seq} = write(room, "tom")
          seq
        end)

      {seen, _} = follow(session, last)
      assert without_gap(seq, seen) == last
      assert Enum.any?(seen, &match?({_, _, :fast}, &1))
    end

    test "takes over when the client acknowledges nothing, and gives it back when it does", %{room: room} do
      {_, session} = joined(room, max_unacknowledged: 2_000, max_lag_ms: 60_000)
      {:ok, _} = write(room, "tom", 1)
      {:ok, seq} = write(room, "tom", 1_500)
      {seen, session} = follow(session, seq)
      {:ok, seq} = write(room, "tom", 1_500)
      {more, session} = follow(session, seq)
      assert {_, _, :fast} = List.last(seen ++ more)
      {:ok, behind} = write(room, "tom", 1_500)

      session =
        receive do
          {:roomfold, ^room, {:behind, _, _, ^seq, bytes}} = message when bytes > 2_000 ->
            {[], session} = Session.handle(session, message)
            session
        after
          30_000 -> flunk("it was not said to be behind")
        end

      refute_received {:wire, _, _, _}
      {[{:push, _, {:json, text}}], session} = Session.input(session, "ack", %{"seq" => seq})
      assert %{"seq" => ^behind} = Roomfold.JSON.decode!(text)
      session = Session.flushed(session)
      {[], session} = Session.input(session, "ack", %{"seq" => behind})
      {:ok, last} = write(room, "tom", 1)
      {seen, _} = follow(session, last)
      assert [{^behind, ^last, :fast}] = seen
    end

    # The room's word that the client is behind, when it comes; what the client gets before is its own.
    defp behind(room) do
      receive do
        {:roomfold, ^room, {:behind, _, _, _, _}} = message -> message
      after
        30_000 -> flunk("it was not said to be behind")
      end
    end

    defp text(frames), do: for({:push, _, {:json, text}} <- frames, do: Roomfold.JSON.decode!(text))

    test "an acknowledgement that crosses the room's word that it is behind counts", %{room: room} do
      {_, session} = joined(room, max_unacknowledged: 2_000, max_lag_ms: 60_000)
      {:ok, seq} = write(room, "tom", 3_000)
      {_, session} = follow(session, seq)
      {:ok, last} = write(room, "tom", 1)
      message = behind(room)
      {[], session} = Session.input(session, "ack", %{"seq" => seq})
      {frames, session} = Session.handle(session, message)
      assert [%{"seq" => ^last}] = text(frames)
      assert session.backlog.lagging == nil
    end

    test "does not take for its own what was said to an earlier one of its process", %{room: room} do
      {_, _} = joined(room, max_unacknowledged: 0)
      {:ok, _} = write(room, "tom", 1_000)
      message = behind(room)
      {:ok, seq} = write(room, "tom", 1)
      {^seq, session} = joined(room)
      assert {[], ^session} = Session.handle(session, message)
      {:ok, last} = write(room, "tom", 1)
      assert {[{^seq, ^last, :fast}], _} = follow(session, last)
    end

    test "believes nobody who acknowledges what there is not for longer than once", %{room: room} do
      {_, session} = joined(room, max_unacknowledged: 2_000, max_lag_ms: 60_000)
      {:ok, seq} = write(room, "tom", 1)
      {_, session} = follow(session, seq)
      {:ok, seq} = write(room, "tom", 3_000)
      {_, session} = follow(session, seq)
      {:ok, last} = write(room, "tom", 3_000)
      message = behind(room)
      {[], session} = Session.input(session, "ack", %{"seq" => Integer.pow(10, 30)})
      {frames, session} = Session.handle(session, message)
      assert [%{"seq" => ^last}] = text(frames)
      session = Session.flushed(session)
      {:ok, _} = write(room, "tom", 1)
      assert {[], %{backlog: %{lagging: since}}} = Session.handle(session, behind(room))
      assert since != nil
    end

    # A lane of which a frame in two fails, and one that there is not.
    defmodule Torn do
      def message({test, lane}, frame) do
        if rem(:counters.get(:persistent_term.get({__MODULE__, test}), 1), 2) == 1, do: raise("torn")
        Roomfold.FastlaneTest.message(lane, frame)
      after
        :counters.add(:persistent_term.get({__MODULE__, test}), 1, 1)
      end
    end

    @tag :capture_log
    test "goes on by itself where the host's module fails: no gap, and the room and other clients live", %{
      room: room,
      pid: pid
    } do
      :persistent_term.put({Torn, room}, :counters.new(1, []))
      me = self()

      witness =
        spawn_link(fn ->
          {:ok, _, _, session} =
            Session.join(Session.new(room: room, user: "ann", fastlane: {me, {__MODULE__, :b}}), %{})

          Session.flushed(session)
          send(me, :in)
          Process.sleep(:infinity)
        end)

      assert_receive :in

      for lane <- [{Torn, {room, :a}}, {Nowhere, :a}], params <- [%{}, %{"events" => true}] do
        failed = Room.info(room).failed
        {seq, session} = joined(room, [fastlane: {self(), lane}], params)
        {last, seen, session} = until_failed(room, session, failed)
        assert without_gap(seq, seen) >= last
        assert Enum.any?(seen, &match?({_, _, :slow}, &1))
        assert Process.alive?(pid)
        # It is not tried again.
        failed = Room.info(room).failed
        assert session.lane.host == nil
        {:ok, last} = write(room, "tom")
        {seen, session} = follow(session, last)
        assert {_, ^last, :slow} = List.last(seen)
        assert Room.info(room).failed == failed
        Session.leave(session)
      end

      assert_received {:wire, :b, "diff", _}
      Process.exit(witness, :normal)
    end

    # Writes until the lane has failed. What comes is taken in each time: a room that was ahead when the session asked for the lane has
    # not given it yet.
    defp until_failed(room, session, failed, seen \\ [], tries \\ 50) do
      assert tries > 0, "the lane does not fail: #{inspect({session.lane, seen})}"
      {:ok, last} = write(room, "tom")
      {more, session} = follow(session, last)
      seen = seen ++ more

      if Room.info(room).failed > failed,
        do: {last, seen, session},
        else: until_failed(room, session, failed, seen, tries - 1)
    end

    test "tells the room what is acknowledged now and then: the newest, and the last in any case", %{
      room: room,
      pid: pid
    } do
      {_, session} = joined(room, link: StoppedClock)
      {:ok, seq} = write(room, "tom")
      {:ok, last} = write(room, "tom")
      {_, session} = follow(session, last)

      acks = fn session, seqs ->
        Enum.reduce(seqs, session, fn seq, session ->
          {[], session} = Session.input(session, "ack", %{"seq" => seq})
          session
        end)
      end

      :erlang.trace(pid, true, [:receive])
      # The first at once, of the others the highest when it is time.
      session = acks.(session, [seq] ++ List.duplicate(seq, 200) ++ [last, seq, -1])
      assert_received {:later, {:roomfold, ^room, :tell} = message, 250}
      refute_received {:later, _, _}
      StoppedClock.set(250)
      {[], session} = Session.handle(session, message)
      # It knows: nothing more is on its way.
      StoppedClock.set(300)
      session = acks.(session, [last, last])
      refute_received {:later, _, _}
      # Whatever was cast to the room before this call is there.
      Room.seq(room)
      :erlang.trace(pid, false, [:receive])
      delivered = :erlang.trace_delivered(pid)
      assert_receive {:trace_delivered, ^pid, ^delivered}
      assert told([]) == [seq, last]
      {:ok, next} = write(room, "tom")
      {_, session} = follow(session, next)
      _ = acks.(session, [next])
      assert_received {:later, _, 200}
    end

    defp told(seqs) do
      receive do
        {:trace, _, :receive, {:"$gen_cast", {:acked, _, seq}}} -> told(seqs ++ [seq])
        {:trace, _, _, _} -> told(seqs)
      after
        0 -> seqs
      end
    end

    test "whose term is newer is not taken in by a room that has been overtaken" do
      rooms = :"fast_rooms_#{System.unique_integer([:positive])}"
      start_supervised!({Roomfold.Rooms, name: rooms, log: {Roomfold.EventLog.Memory, []}})
      room = {rooms, "1"}
      {_, session} = joined(room)
      assert session.lane.fast?
      # Somebody else's, on the other side of a split; that is where this session comes from.
      {:ok, %{term: newer}} = Roomfold.EventLog.claim(Roomfold.Rooms.log(rooms), "1")
      session = %{session | term: newer}
      down = {:DOWN, session.monitor, :process, session.pid, :noconnection}
      assert {:close, "old_term", [{:push, "closing", _}], _} = Session.handle(session, down)
    end

    test "that does not know what went past it begins anew when the room crashes", %{room: room, pid: pid} do
      {_, session} = joined(room)
      {:ok, seq} = write(room, "tom")
      {_, session} = follow(session, seq)
      {:ok, _} = write(room, "tom")
      Process.exit(pid, :kill)
      monitor = session.monitor
      message = receive do: ({:DOWN, ^monitor, _, _, _} = down -> down)
      {frames, session} = Session.handle(session, message)
      assert {:push, "snapshot", _} = List.last(frames)
      session = Session.flushed(session)
      {:ok, last} = write(room, "tom")
      {seen, _} = follow(session, last)
      assert {_, ^last, _} = List.last(seen)
    end

    test "whose process is gone is out of it", %{room: room} do
      me = self()

      {client, monitor} =
        spawn_monitor(fn ->
          opts = [room: room, user: "ann", fastlane: {me, {__MODULE__, :b}}]
          {:ok, _, _, session} = Session.join(Session.new(opts), %{})
          Session.flushed(session)
          # So that the room has heard it.
          Room.seq(room)
        end)

      assert_receive {:DOWN, ^monitor, _, ^client, _}
      {_, session} = joined(room)
      {:ok, last} = write(room, "tom")
      {_, session} = follow(session, last)
      {:ok, last} = write(room, "tom")
      {seen, _} = follow(session, last)
      assert [{_, ^last, :fast}] = seen
      refute_received {:wire, :b, _, _}
    end
  end
end
