defmodule Roomfold.Room.InboxTest do
  use Roomfold.RoomsCase, async: true
  alias Roomfold.Room.Inbox

  describe "an inbox" do
    test "wakes its room for the first only, until it is opened again" do
      inbox = Inbox.new(100)
      refute Inbox.any?(inbox)
      for n <- 1..3, do: Inbox.put(inbox, n, {:user, "tom"}, ["text"], 0)
      assert Inbox.any?(inbox)
      assert_received :inbox
      refute_received :inbox

      assert [1, 2, 3] = for({_, to, {:user, "tom"}, ["text"], 0} <- Inbox.take(inbox), do: to)

      Inbox.put(inbox, 4, {:user, "tom"}, ["text"], 0)
      refute_received :inbox
      Inbox.open(inbox)
      refute Inbox.any?(inbox)
      Inbox.put(inbox, 5, {:user, "tom"}, ["text"], 0)
      assert_received :inbox
      assert [4, 5] = for({_, to, _, _, _} <- Inbox.take(inbox), do: to)
      assert Inbox.take(inbox) == []
    end

    test "that is held wakes nobody, until it is let go" do
      inbox = Inbox.new(2)
      Inbox.hold(inbox)
      assert for(n <- 1..3, do: Inbox.put(inbox, n, {:user, "tom"}, ["text"], 0)) == [:ok, :ok, :full]
      assert Inbox.any?(inbox)
      Inbox.open(inbox)
      assert for({_, to, _, _, _} <- Inbox.take(inbox), do: to) == [1, 2]
      Inbox.put(inbox, 4, {:user, "tom"}, ["text"], 0)
      refute_received :inbox
      # Whoever lets it go looks for this one.
      Inbox.let_go(inbox)
      assert Inbox.any?(inbox)
      Inbox.open(inbox)
      Inbox.put(inbox, 5, {:user, "tom"}, ["text"], 0)
      assert_received :inbox
    end

    test "of a room that has gone takes nothing, and nobody minds" do
      {room, monitor} =
        spawn_monitor(fn -> receive(do: ({:give, pid} -> send(pid, {:inbox, Inbox.new(100)}))) end)

      send(room, {:give, self()})
      assert_receive {:inbox, inbox}
      assert_receive {:DOWN, ^monitor, _, _, _}
      assert Inbox.put(inbox, 1, {:user, "tom"}, ["text"], 0) == :ok
    end

    test "takes no more than its room would keep until it is opened" do
      inbox = Inbox.new(2)
      put = fn n -> Inbox.put(inbox, n, {:user, "tom"}, ["text"], 0) end
      assert Enum.map(1..4, put) == [:ok, :ok, :full, :full]
      assert length(Inbox.take(inbox)) == 2
      # It is the room's queue now that is full.
      assert put.(5) == :full
      Inbox.open(inbox)
      assert put.(6) == :ok
    end

    test "loses nothing and keeps each sender's order, whenever it is opened and taken" do
      inbox = Inbox.new(1_000_000)

      senders =
        for s <- 1..4 do
          Task.async(fn ->
            for n <- 1..5_000, do: Inbox.put(inbox, {s, n}, {:user, "tom"}, ["text"], 0)
          end)
        end

      got = gather(inbox, 20_000, [])
      Task.await_many(senders, 60_000)
      for s <- 1..4, do: assert(for({^s, n} <- got, do: n) == Enum.to_list(1..5_000))
    end

    test "loses nothing when it is held, looked at now and then, and let go" do
      inbox = Inbox.new(1_000_000)
      senders = for s <- 1..4, do: Task.async(fn -> put_many(inbox, s, 5_000) end)
      got = held(inbox, 20_000, [])
      Task.await_many(senders, 60_000)
      for s <- 1..4, do: assert(for({^s, n} <- got, do: n) == Enum.to_list(1..5_000))
    end

    # With pauses, in which nothing comes.
    defp put_many(inbox, s, count) do
      for n <- 1..count do
        if rem(n, 100) == 0, do: Process.sleep(:rand.uniform(3))
        Inbox.put(inbox, {s, n}, {:user, "tom"}, ["text"], 0)
      end
    end

    # Woken, it looks every millisecond until it finds nothing.
    defp held(_, 0, got), do: got

    defp held(inbox, left, got) do
      receive do
        :inbox ->
          Inbox.hold(inbox)
          looks(inbox, left, got)
      after
        30_000 -> flunk("left behind: #{left}")
      end
    end

    defp looks(inbox, left, got) do
      if Inbox.any?(inbox) do
        {left, got} = look(inbox, left, got)
        if left > 0, do: Process.sleep(1)
        looks(inbox, left, got)
      else
        Inbox.let_go(inbox)
        {left, got} = if Inbox.any?(inbox), do: look(inbox, left, got), else: {left, got}
        held(inbox, left, got)
      end
    end

    defp look(inbox, left, got) do
      Inbox.open(inbox)
      some = for {_, to, _, _, _} <- Inbox.take(inbox), do: to
      {left - length(some), got ++ some}
    end

    # Takes nothing but when it was woken.
    defp gather(_, 0, got), do: got

    defp gather(inbox, left, got) do
      receive do
        :inbox ->
          {left, got} = look(inbox, left, got)
          gather(inbox, left, got)
      after
        30_000 -> flunk("left behind: #{left}")
      end
    end
  end

  describe "a room" do
    test "is woken once for all that comes within a tick" do
      room = start_room(tick_ms: 2_000)
      {_, _, session} = join!(room, "tom")
      {:ok, _} = Room.publish(room, {"user_moved", %{"user_id" => "tom", "position" => [0, 0, 0]}}, by: "tom")
      counter = spawn_link(fn -> count(0) end)
      :erlang.trace(room, true, [:receive, {:tracer, counter}])

      session =
        for n <- 1..10, reduce: session do
          session ->
            {[], session} = Session.input(session, "user_moved", text(n), n)
            session
        end

      seqs = for {_, seq} <- told(session, 10, []), do: seq
      :erlang.trace(room, false, [:receive])
      delivered = :erlang.trace_delivered(room)
      assert_receive {:trace_delivered, ^room, ^delivered}
      assert seqs == Enum.to_list(hd(seqs)..(hd(seqs) + 9))
      send(counter, {:woken?, self()})
      assert_receive {:woken, 1}
    end

    test "that had events at its last tick needs no waking for the next, and then rests" do
      room = start_room(tick_ms: 50)
      {_, _, session} = join!(room, "tom")
      eventually(fn -> Room.get(room, "tom") end)
      counter = spawn_link(fn -> count(0) end)
      :erlang.trace(room, true, [:receive, {:tracer, counter}])

      # The machine may stand still for longer than a tick: then it has to be woken again.
      session =
        for n <- 1..40, reduce: session do
          session ->
            {[], session} = Session.input(session, "user_moved", text(n), n)
            {{:ok, _}, session} = await(session, reply(n))
            session
        end

      send(counter, {:woken?, self()})
      assert_receive {:woken, woken}
      assert woken in 1..20
      # Nothing is left of that.
      eventually(fn -> not :sys.get_state(room).state.armed? end)
      ticks = Room.info(room).ticks
      Process.sleep(200)
      assert Room.info(room).ticks == ticks
      {[], session} = Session.input(session, "user_moved", text(41), 41)
      assert {{:ok, _}, _} = await(session, reply(41))
    end

    test "has what a session published before anything that came after it" do
      room = start_room(tick_ms: 60_000)
      {_, _, session} = join!(room, "tom")
      {[], session} = Session.input(session, "user_moved", text(1), 1)

      ref =
        Room.publish_async(room, [{"user_moved", %{"user_id" => "tom", "position" => [2, 0, 0]}}], by: "tom")

      {[], session} = Session.input(session, "user_moved", text(3), 3)
      # Says goodbye: the room ticks no more, and what waits is on its way.
      queued = Room.info(room).queued
      :ok = Session.leave(session)
      assert queued >= 3
      assert_receive {^ref, {:ok, [second]}}
      # With nobody there, nothing is told together with an update.
      assert [{1, first}, {3, third}] = told(session, 2, [])
      assert first < second and first < third
    end

    test "hears of it when a session publishes after all others were refused" do
      room = start_room(tick_ms: 20, user_events_per_s: 1, user_burst_s: 1)
      {_, _, session} = join!(room, "tom")
      {n, session} = refused_three_times(session, 1, 0)
      Process.sleep(1_050)
      {[], session} = Session.input(session, "user_moved", text(n), n)
      assert {:ok, _} = await(session, verdict(n))
    end

    # One after the other; one that comes a second later, from a machine that stood still, is taken.
    defp refused_three_times(session, n, 3), do: {n, session}

    defp refused_three_times(session, n, count) do
      {[], session} = Session.input(session, "user_moved", text(n), n)
      {verdict, session} = await(session, verdict(n))
      refused_three_times(session, n + 1, if(verdict == :refused, do: count + 1, else: 0))
    end

    defp verdict(n) do
      fn
        {:reply, ^n, :ok, _} -> :ok
        {:reply, ^n, :error, %{"reason" => "rate_limited"}} -> :refused
        _ -> nil
      end
    end

    defp text(n), do: {:json, ~s({"user_id":"tom","position":[#{n},0,0]})}

    defp answer({:reply, n, :ok, %{"seq" => seq}}), do: {n, seq}
    defp answer(_), do: nil

    defp told(_, 0, found), do: found

    defp told(session, left, found) do
      receive do
        message ->
          case Session.handle(session, message) do
            {frames, session} ->
              new = frames |> Enum.map(&answer/1) |> Enum.reject(&is_nil/1)
              told(session, left - length(new), found ++ new)

            :ignore ->
              told(session, left, found)
          end
      after
        30_000 -> flunk("#{left} answers are missing, there are #{inspect(found)}")
      end
    end

    defp count(woken) do
      receive do
        {:trace, _, :receive, :inbox} -> count(woken + 1)
        {:trace, _, :receive, _} -> count(woken)
        {:woken?, pid} -> send(pid, {:woken, woken})
      end
    end
  end
end
