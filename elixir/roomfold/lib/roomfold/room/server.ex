defmodule Roomfold.Room.Server do
  @moduledoc false
  # The room's process: passes what happens to the modules of Roomfold.Room.State, and carries out their effects.
  use GenServer, restart: :temporary, shutdown: 10_000

  require Logger
  alias Roomfold.{Error, EventLog, EventStream, Rooms, Telemetry, Timer, World}

  alias Roomfold.Room.{
    Commit,
    Complaints,
    Delivery,
    Effects,
    Fork,
    Inbox,
    Options,
    People,
    Presence,
    Publishing,
    Queue,
    Read,
    Recovery,
    Schedule,
    Snapshots,
    State,
    Stream,
    Ticks,
    Times,
    Versions
  }

  # How often it tries to claim a room that others claim at the same moment.
  @claims 10

  defstruct [
    :options,
    :topic,
    :state,
    :timer,
    :wake_at,
    :commit,
    :committing,
    # monitor of the log's process, without which the room can't run
    :log,
    # monitor of an earlier process of this room that is still registered on this node (Rooms.here/2)
    :before,
    # the snapshot that is on its way into the log, {monitor, what}, and the newest one that is there; what: {seq, users}
    :keeping,
    :kept,
    # events that sessions of this node have published
    :inbox,
    # whether it notices what others broadcast on its stream, and how often they did
    listens?: false,
    strays: 0,
    complaints: %Complaints{},
    # processes without which it ends: that of its name, and of its stream
    ties: [],
    monitors: %{},
    times: Times.new()
  ]

  # Words: a tick of ten players who move makes 3,500, and hardly any of them is kept. With a small heap there was a collection in each tick,
  # while all of it was still in use.
  @heap [min_heap_size: 8_000]

  def start_link(%Options{} = options) do
    name = if options.rooms, do: [name: Rooms.name(options.rooms, options.id)], else: []
    GenServer.start_link(__MODULE__, options, [spawn_opt: with_heap(options.spawn_opt)] ++ name)
  end

  # Whoever limits the heap may want less.
  defp with_heap(opts), do: if(opts[:max_heap_size], do: opts, else: Keyword.merge(@heap, opts))

  # How long a room that starts waits for its first events, before it answers anybody.
  @first_ms 4_000

  # How often a room that stops waits for its log, and how long each time.
  @drains 16
  @drain_ms 5_000

  # ---- starting and stopping ----

  @impl true
  def init(options) do
    Process.flag(:trap_exit, true)
    Logger.metadata(room: options.id)
    ties = links()

    with {:ok, head, life} <- claim(options), {:ok, world, facts} <- recover(options, head) do
      now = now()
      {effects, state} = start(options, world, Map.merge(facts, life), now)
      topic = EventStream.topic(options.id)
      server = %__MODULE__{options: options, topic: topic, state: state, inbox: Inbox.new(options.max_queue)}
      server = %{server | kept: {facts.kept_seq, facts.users}}
      of_module = links()
      server = here(server)
      server = %{server | log: monitor_log(options), listens?: Stream.listen(server)}
      server = %{server | ties: ties ++ (links() -- of_module)}
      {:ok, server |> Effects.carry_out(effects) |> arm(), {:continue, :first_events}}
    else
      {:error, error} -> {:stop, error}
    end
  end

  # The module's first events are in the world when the first users join, who may depend on them. A log that does not answer does not keep
  # the room from doing so.
  @impl true
  def handle_continue(:first_events, %{commit: nil} = server), do: {:noreply, server}

  def handle_continue(:first_events, %{commit: ref, log: log} = server) do
    receive do
      {^ref, _} = answer -> handle_info(answer, server)
      {:DOWN, down, _, _, _} = ended when down in [ref, log] -> handle_info(ended, server)
    after
      @first_ms -> {:noreply, server}
    end
  end

  defp links, do: self() |> Process.info(:links) |> elem(1)

  defp start(options, world, facts, now) do
    state = State.open(options, world, facts, now, System.time_offset(:millisecond))
    Commit.flush(state, now)
  end

  # A room without a log has no terms: for clients that come back, the time of its start distinguishes its lives.
  defp claim(%{log: nil}), do: {:ok, nil, %{term: System.os_time(:microsecond), resumes: nil}}

  defp claim(options) do
    with {:ok, before, head} <- claim(options, @claims),
         do: {:ok, head, %{term: head.term, resumes: Delivery.resumes(before, head)}}
  end

  # Who can't read the log must not take it from a room that can, nor half a fork from who makes it. So what was looked at is what is claimed.
  defp claim(%{log: log, id: id} = options, left) do
    with {:ok, before} <- EventLog.head(log, id),
         :ok <- Fork.check(before),
         :ok <- Versions.check(options, before) do
      case EventLog.claim(log, id, Versions.of(options), over: if(before, do: before.term, else: 0)) do
        {:error, %{reason: :old_term}} when left > 1 -> claim(options, left - 1)
        {:ok, head} -> {:ok, before, head}
        error -> error
      end
    end
  end

  defp here(%{options: %{rooms: nil}} = server), do: server

  defp here(%{options: %{rooms: rooms, id: id}} = server) do
    case Rooms.here(rooms, id) do
      :ok -> %{server | before: nil}
      {:taken, pid} -> %{server | before: Process.monitor(pid)}
    end
  end

  defp monitor_log(%{log: nil}), do: nil
  defp monitor_log(options), do: EventLog.monitor(options.log)

  defp recover(%{log: nil} = options, _) do
    with {:ok, world} <- World.new(Options.world(options)),
         do: {:ok, world, %{users: [], last_at: 0, kept_seq: 0}}
  end

  defp recover(options, head), do: Recovery.newest(options, head)

  @impl true
  def terminate({:shutdown, reason}, _)
      when reason in [:old_term, :wrong_seq, :no_room, :log_failed, :log_unreachable],
      do: :ok

  def terminate(reason, server)
      when reason in [:normal, :shutdown] or (is_tuple(reason) and elem(reason, 0) == :shutdown) do
    case drain(server, @drains) do
      {:drained, server} -> Snapshots.keep_last(server, @drain_ms)
      {:hangs, _} -> :ok
    end
  end

  def terminate(_, _), do: :ok

  # Before the room stops it commits and answers what is being committed, what waits, and the events caused by these. Nothing new is
  # accepted. Events that cause one another endlessly do not hold it up, and neither does a log that does not answer (the room would submit the
  # joins and leaves again and again, which stay until they are in the log).
  defp drain(server, left) do
    case finish_commit(server) do
      {:drained, server} when left > 0 -> server |> taken() |> drain_queue(left)
      answer -> answer
    end
  end

  defp drain_queue(server, left) do
    case Commit.flush(server.state, now()) do
      {[], state} -> {:drained, %{server | state: state}}
      {effects, state} -> %{server | state: state} |> Effects.carry_out(effects) |> drain(left - 1)
    end
  end

  defp finish_commit(%{commit: nil} = server), do: {:drained, server}

  defp finish_commit(%{commit: ref} = server) do
    receive do
      {^ref, answer} ->
        server |> Effects.committed(answer) |> finish_commit()

      {:DOWN, down, _, _, reason} when down in [ref, server.log] ->
        {:drained, server |> log_down(down) |> unknown(reason)}
    after
      @drain_ms -> {:hangs, unknown(server, :timeout)}
    end
  end

  # The log is no longer monitored: from now on each append has to be.
  defp log_down(%{log: ref} = server, ref), do: %{server | log: nil}
  defp log_down(server, _), do: server

  # Callers must not conclude that they can publish the events again: they may be in the log.
  defp unknown(server, reason),
    do: Effects.committed(server, {:error, Error.new(:log_failed, detail: inspect(reason))})

  # ---- what happens ----

  @impl true
  def handle_call({:publish, sender, texts}, from, server) do
    {:noreply, publish(server, {:call, from}, sender, texts)}
  end

  def handle_call({:join, pid, user, how}, _, server) do
    with :ok <- People.admits(server.state.people, pid, user, server.state.options.user_connections),
         {:ok, state} <- Presence.limited(server.state, user, now()),
         server = %{server | state: state},
         nil <- overtaken(server, how) do
      server = take_in(server)

      case Read.or_error(fn -> Presence.join(server.state, pid, user, how, now()) end) do
        {:ok, {answer, effects, state}} ->
          server = monitor(%{server | state: state}, pid)
          {:reply, {:ok, at_hand(answer, server, pid)}, server |> Effects.carry_out(effects) |> arm()}

        error ->
          {:reply, error, arm(server)}
      end
    else
      {:error, error} -> {:reply, {:error, error}, server}
      reason -> {:stop, {:shutdown, reason}, {:error, Error.new(:old_term)}, server}
    end
  end

  def handle_call({:catch_up, from, format}, _, server) do
    {:reply, Read.or_error(fn -> Delivery.catch_up(server.state, from, format) end), server}
  end

  def handle_call({:read, read}, _, server), do: {:reply, Read.run(read, server.state.world), server}

  def handle_call(:info, _, server) do
    server = server |> take_in() |> arm()
    state = server.state

    info = fn ->
      %{
        id: server.options.id,
        seq: state.seq,
        term: state.term,
        entities: World.count(state.world),
        connections: map_size(state.people.connections),
        users: People.users(state.people),
        queued: state.queued,
        ticks: state.ticks,
        shed: state.shed,
        strays: server.strays,
        refused: Complaints.count(server.complaints, :refused),
        failed: Complaints.count(server.complaints, :failed),
        busy_us: Times.summary(server.times)
      }
    end

    {:reply, with({:ok, info} <- Read.or_error(info), do: info), server}
  end

  def handle_call(:options, _, server), do: {:reply, server.options, server}

  def handle_call({:leave, pid, goodbye?}, _, server) do
    {:reply, :ok, left(server, pid, goodbye?)}
  end

  # For a replay, say.
  def handle_call(_, _, server),
    do: {:reply, {:error, Error.new(:not_supported, detail: "this is a live room")}, server}

  @impl true
  def handle_cast({:publish, to, sender, texts}, server), do: {:noreply, publish(server, to, sender, texts)}

  def handle_cast({:fastlane, pid, seq, entry}, server),
    do: {:noreply, %{server | state: Delivery.enter_fastlane(server.state, pid, seq, entry)}}

  def handle_cast({:acked, pid, seq}, server),
    do: {:noreply, %{server | state: Delivery.acked(server.state, pid, seq)}}

  def handle_cast(_, server), do: {:noreply, server}

  @impl true
  def handle_info({ref, answer}, %{commit: ref} = server) when ref != nil,
    do: {:noreply, server |> Effects.committed(answer) |> arm()}

  def handle_info({:DOWN, ref, _, _, reason}, %{commit: commit, log: log} = server)
      when commit != nil and ref in [commit, log],
      do: {:stop, {:shutdown, :log_failed}, server |> log_down(ref) |> unknown(reason)}

  # Another node may have the room by now: the next caller will find it.
  def handle_info({:DOWN, ref, _, _, _}, %{log: ref, commit: nil} = server) when ref != nil,
    do: {:stop, {:shutdown, :log_unreachable}, log_down(server, ref)}

  def handle_info({:DOWN, ref, _, _, outcome}, %{keeping: {ref, _}} = server),
    do: {:noreply, Snapshots.kept(server, outcome)}

  def handle_info({:DOWN, ref, _, _, _}, %{before: ref, ties: ties} = server) when ref != nil do
    others = links()
    server = here(server)
    {:noreply, %{server | ties: ties ++ (links() -- others)}}
  end

  def handle_info({:DOWN, _, _, pid, _}, server), do: {:noreply, left(server, pid, false)}

  # Another process of this room was found, and neither has the name any more. Only the newest term may keep it.
  def handle_info(:roomfold_conflict, server) do
    case newest_term(server) do
      {:ok, true} -> reclaim(server)
      {:ok, false} -> {:stop, {:shutdown, :old_term}, server}
      {:error, _} -> {:stop, {:shutdown, :log_unreachable}, server}
    end
  end

  def handle_info({:wake, timer}, %{timer: {_, timer}} = server) do
    woken(%{server | timer: nil, wake_at: nil})
  end

  def handle_info({:wake, _}, server), do: {:noreply, server}
  def handle_info(:inbox, server), do: {:noreply, server |> take_in() |> arm()}

  # A connection may have joined before this message was read.
  def handle_info({:stop, :idle}, server) do
    if Schedule.idle?(server.state, now()), do: {:stop, {:shutdown, :idle}, server}, else: {:noreply, server}
  end

  def handle_info({:stop, reason}, server), do: {:stop, {:shutdown, reason}, server}

  # Its own events have a seq, also those of another process of this room.
  def handle_info({name, payload}, %{listens?: true} = server)
      when is_binary(name) and is_map(payload) and not is_map_key(payload, "seq"),
      do: {:noreply, Stream.stray(server, name)}

  # Somebody wants the room to end, or it can't be without that process; else the room's own code has linked it to the room.
  def handle_info({:EXIT, from, reason}, server) do
    cond do
      alive?(from) or from in server.ties -> {:stop, reason, server}
      orderly?(reason) -> {:noreply, server}
      true -> {:noreply, Effects.carry_out(server, [{:failed, :linked, :exit, reason, []}])}
    end
  end

  def handle_info(_, server), do: {:noreply, server}

  defp alive?(from), do: is_pid(from) and node(from) == node() and Process.alive?(from)
  defp orderly?(reason), do: reason in [:normal, :shutdown] or match?({:shutdown, _}, reason)

  # The inbox can only be used on this node.
  defp at_hand(answer, server, pid) when node(pid) == node(),
    do: Map.merge(answer, %{pid: self(), inbox: server.inbox})

  defp at_hand(answer, _, _), do: Map.put(answer, :pid, self())

  # A client that has seen a newer term must not join this room, which is older. If it made that up, the log knows.
  defp overtaken(server, how) do
    if Presence.suspects_newer_term?(server.state, how) do
      case newest_term(server) do
        {:ok, true} -> nil
        {:ok, false} -> :old_term
        {:error, _} -> :log_unreachable
      end
    end
  end

  defp newest_term(%{options: %{log: nil}}), do: {:ok, true}

  defp newest_term(server) do
    with {:ok, head} <- EventLog.head(server.options.log, server.options.id),
         do: {:ok, head != nil and head.term == server.state.term}
  end

  defp reclaim(server) do
    {module, opts} = Rooms.placement(server.options.rooms)

    case module.reclaim(server.options.rooms, server.options.id, opts) do
      :ok -> {:noreply, server}
      :taken -> {:stop, {:shutdown, :old_term}, server}
    end
  end

  defp woken(server) do
    start = System.monotonic_time()
    now = now()
    # Checked before anything is folded, but only where packed frames may be folded as they are.
    server =
      if Queue.frames?(server.state),
        do: %{server | state: State.heard(server.state, Stream.heard?(server))},
        else: server

    server = rest(server, now)

    server =
      if Schedule.tick_due?(server.state, now) do
        facts = %{room: server.options.id, number: server.state.ticks + 1}
        Telemetry.span([:tick], facts, fn -> server |> hold() |> wake(now) |> ticked() end)
      else
        wake(server, now)
      end

    {:noreply, arm(%{server | times: Times.add_since(server.times, start)})}
  end

  # Nothing has come since the last tick: the room does not look for it any more.
  defp rest(%{state: %{armed?: true, queue: []}, inbox: inbox} = server, now) do
    if Schedule.beat_due?(server.state, now) and not Inbox.any?(inbox), do: let_go(server), else: server
  end

  defp rest(server, _), do: server

  defp let_go(server) do
    Inbox.let_go(server.inbox)
    %{server | state: State.armed(server.state, false)}
  end

  defp wake(server, now) do
    {effects, state} = Ticks.wake(server.state, now)
    Effects.carry_out(%{server | state: state}, effects)
  end

  # Both queues: events that wait for the next tick, and messages that the room has not read yet.
  defp ticked(server) do
    {:message_queue_len, messages} = Process.info(self(), :message_queue_len)
    {server, %{queued: server.state.queued, messages: messages}, %{}}
  end

  defp publish(server, to, sender, texts) do
    server = take_in(server)

    # This may be folded at once, if it is a frame or the room does not tick; there may be new subscribers since the last check.
    ask? = match?([{:packed, _}], texts) or not Schedule.ticking?(server.state)
    state = if ask?, do: State.heard(server.state, Stream.heard?(server)), else: server.state
    server |> published(Publishing.publish(state, to, sender, texts, now())) |> arm()
  end

  defp published(server, {[], state}), do: %{server | state: state}
  defp published(server, {effects, state}), do: Effects.carry_out(%{server | state: state}, effects)

  # The inbox is read before any later message, as if its entries had been messages. (A process that was killed in the middle of a put may have
  # left an entry that is not counted: when a session leaves, or the room stops, the inbox is read in any case.)
  defp take_in(%{inbox: inbox} = server) do
    if Inbox.any?(inbox), do: taken(server), else: server
  end

  defp taken(%{state: state} = server) do
    case Inbox.take(server.inbox) do
      [] -> server
      entries -> published(server, Publishing.publish_all(state, entries, now()))
    end
  end

  # An inbox without entries is open already.
  defp open(%{inbox: inbox} = server) do
    if Inbox.any?(inbox) do
      Inbox.open(inbox)
      taken(server)
    else
      server
    end
  end

  # For a tick: where something has come, the room looks at the next tick, too.
  defp hold(%{state: %{armed?: true}} = server), do: open(server)

  defp hold(%{inbox: inbox} = server) do
    if Inbox.any?(inbox) do
      Inbox.hold(inbox)
      open(%{server | state: State.armed(server.state, true)})
    else
      server
    end
  end

  defp left(server, pid, goodbye?) do
    {ref, monitors} = Map.pop(server.monitors, pid)
    if ref, do: Process.demonitor(ref, [:flush])
    server = taken(%{server | monitors: monitors})
    {effects, state} = Presence.leave(server.state, pid, goodbye?, now())
    %{server | state: state} |> Effects.carry_out(effects) |> arm()
  end

  defp monitor(server, pid) do
    %{server | monitors: Map.put_new_lazy(server.monitors, pid, fn -> Process.monitor(pid) end)}
  end

  # ---- time ----

  defp now, do: :erlang.monotonic_time(:millisecond)

  # One timer, for what is due first. While the queue is empty and the room does not look at the next tick, the next entry of the inbox has to
  # wake it.
  defp arm(%{state: %{armed?: true} = state} = server) do
    if Schedule.ticking?(state), do: set_timer(server), else: server |> let_go() |> arm()
  end

  defp arm(%{state: %{queue: []}} = server) do
    if Inbox.any?(server.inbox), do: server |> open() |> arm(), else: set_timer(server)
  end

  defp arm(server), do: set_timer(server)

  defp set_timer(server) do
    case Schedule.wake_at(server.state) do
      at when at == server.wake_at ->
        server

      at ->
        if server.timer, do: Process.cancel_timer(elem(server.timer, 0))
        timer = if at != :never, do: start_timer(at)
        %{server | timer: timer, wake_at: at}
    end
  end

  defp start_timer(at) do
    key = make_ref()
    {Timer.send_at({:wake, key}, at, now()), key}
  end
end
