defmodule Roomfold.Room.Server do
  @moduledoc false
  # The room's process: hands what happens to Roomfold.Room.State and carries out what that wants.
  use GenServer, restart: :temporary, shutdown: 10_000

  require Logger
  alias Roomfold.{Error, EventLog, EventStream, Rooms, Telemetry, World}

  alias Roomfold.Room.{
    Complaints,
    Inbox,
    Options,
    People,
    Read,
    Recovery,
    Residents,
    State,
    Text,
    Times,
    Update
  }

  defstruct [
    :options,
    :topic,
    :state,
    :timer,
    :wake_at,
    :commit,
    :committing,
    # of the log's process: without it nothing can be known of this room
    :log,
    :keeping,
    # what sessions of this node have published
    :inbox,
    # whether it hears what others broadcast on its stream, and how much that was
    listens?: false,
    strays: 0,
    complaints: %Complaints{},
    monitors: %{},
    times: Times.new()
  ]

  def start_link(%Options{} = options) do
    name = if options.rooms, do: [name: Rooms.name(options.rooms, options.id)], else: []
    GenServer.start_link(__MODULE__, options, name)
  end

  # So often a room that stops waits for its log, and for so long each time.
  @drains 16
  @drain_ms 5_000

  # ---- starting and stopping ----

  @impl true
  def init(options) do
    Process.flag(:trap_exit, true)
    Logger.metadata(room: options.id)

    with {:ok, term} <- claim(options), {:ok, world, facts} <- recover(options) do
      now = now()
      {effects, state} = start(options, world, Map.put(facts, :term, term), now)
      topic = EventStream.topic(options.id)
      server = %__MODULE__{options: options, topic: topic, state: state, inbox: Inbox.new(options.max_queue)}
      if options.rooms, do: Rooms.here(options.rooms, options.id)
      server = %{server | log: monitor_log(options), listens?: listen(server)}
      {:ok, server |> carry_out(effects) |> arm()}
    else
      {:error, error} -> {:stop, error}
    end
  end

  defp listen(%{options: %{stream: nil}}), do: false
  defp listen(server), do: EventStream.listen(server.options.stream, server.topic)

  defp start(options, world, facts, now) do
    state = State.open(options, world, facts, now, System.time_offset(:millisecond))
    State.flush(state, now)
  end

  # Nothing counts the lives of a room without a log: the time of its start tells them apart, for clients that come back.
  defp claim(%{log: nil}), do: {:ok, System.os_time(:microsecond)}

  defp claim(options) do
    with {:ok, head} <- EventLog.claim(options.log, options.id, Options.versions(options)),
         do: {:ok, head.term}
  end

  defp monitor_log(%{log: nil}), do: nil
  defp monitor_log(options), do: EventLog.monitor(options.log)

  defp recover(%{log: nil} = options) do
    with {:ok, world} <- World.new(Options.world(options)),
         do: {:ok, world, %{users: [], last_at: 0, kept_seq: 0}}
  end

  defp recover(options), do: Recovery.world(options)

  @impl true
  def terminate({:shutdown, reason}, _)
      when reason in [:old_term, :wrong_seq, :no_room, :log_failed, :log_unreachable],
      do: :ok

  def terminate(reason, server)
      when reason in [:normal, :shutdown] or (is_tuple(reason) and elem(reason, 0) == :shutdown) do
    case drain(server, @drains) do
      # What comes next time need not be folded again.
      {:drained, server} -> keep_newer(server, World.seq(server.state.world))
      {:hangs, _} -> :ok
    end
  end

  def terminate(_, _), do: :ok

  defp keep_newer(server, seq) do
    if seq > server.state.kept_seq, do: keep(server, seq, Residents.to_keep(server.state))
  end

  # What is on its way, then what waits, and what that causes, is answered before the room goes. No more is taken in. Events that
  # cause one another without end do not hold it, and neither does a log that does not answer: it would be asked once more for that
  # somebody came or left, which is said until it is there.
  defp drain(server, left) do
    case finish_commit(server) do
      {:drained, server} when left > 0 -> server |> taken() |> drain_queue(left)
      answer -> answer
    end
  end

  defp drain_queue(server, left) do
    case State.flush(server.state, now()) do
      {[], state} -> {:drained, %{server | state: state}}
      {effects, state} -> %{server | state: state} |> carry_out(effects) |> drain(left - 1)
    end
  end

  defp finish_commit(%{commit: nil} = server), do: {:drained, server}

  defp finish_commit(%{commit: ref} = server) do
    receive do
      {^ref, answer} ->
        server |> committed(answer) |> finish_commit()

      {:DOWN, down, _, _, reason} when down in [ref, server.log] ->
        {:drained, server |> log_down(down) |> unknown(reason)}
    after
      @drain_ms -> {:hangs, unknown(server, :timeout)}
    end
  end

  # It is watched no more: what is handed to it from now on has to be watched by itself.
  defp log_down(%{log: ref} = server, ref), do: %{server | log: nil}
  defp log_down(server, _), do: server

  # Whoever waits must not think that it can be published again: it may be in the log.
  defp unknown(server, reason),
    do: committed(server, {:error, Error.new(:log_failed, detail: inspect(reason))})

  # ---- what happens ----

  @impl true
  def handle_call({:publish, sender, texts}, from, server) do
    {:noreply, publish(server, {:call, from}, sender, texts)}
  end

  def handle_call({:join, pid, user, how}, _, server) do
    with :ok <- People.admits(server.state.people, pid, user),
         nil <- overtaken(server, how) do
      server = take_in(server)
      {answer, effects, state} = State.join(server.state, pid, user, how, now())
      server = monitor(%{server | state: state}, pid)
      {:reply, {:ok, at_hand(answer, server, pid)}, server |> carry_out(effects) |> arm()}
    else
      {:error, error} -> {:reply, {:error, error}, server}
      reason -> {:stop, {:shutdown, reason}, {:error, Error.new(:old_term)}, server}
    end
  end

  def handle_call({:catch_up, from, format}, _, server) do
    {:reply, {:ok, State.catch_up(server.state, from, format)}, server}
  end

  def handle_call({:read, read}, _, server), do: {:reply, Read.run(read, server.state.world), server}

  def handle_call(:info, _, server) do
    server = server |> take_in() |> arm()
    state = server.state

    info = %{
      id: server.options.id,
      seq: World.seq(state.world),
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

    {:reply, info, server}
  end

  def handle_call(:options, _, server), do: {:reply, server.options, server}

  def handle_call({:leave, pid, goodbye?}, _, server) do
    {:reply, :ok, left(server, pid, goodbye?)}
  end

  @impl true
  def handle_cast({:publish, to, sender, texts}, server), do: {:noreply, publish(server, to, sender, texts)}

  def handle_cast({:fastlane, pid, seq, entry}, server),
    do: {:noreply, %{server | state: State.fastlane(server.state, pid, seq, entry)}}

  def handle_cast({:acked, pid, seq}, server),
    do: {:noreply, %{server | state: State.acked(server.state, pid, seq)}}

  @impl true
  def handle_info({ref, answer}, %{commit: ref} = server),
    do: {:noreply, server |> committed(answer) |> arm()}

  def handle_info({:DOWN, ref, _, _, reason}, %{commit: commit, log: log} = server)
      when commit != nil and ref in [commit, log],
      do: {:stop, {:shutdown, :log_failed}, server |> log_down(ref) |> unknown(reason)}

  # Perhaps another node has the room by now: whoever asks next finds out.
  def handle_info({:DOWN, ref, _, _, _}, %{log: ref, commit: nil} = server) when ref != nil,
    do: {:stop, {:shutdown, :log_unreachable}, log_down(server, ref)}

  def handle_info({:DOWN, ref, _, pid, _}, %{keeping: {pid, ref}} = server),
    do: {:noreply, %{server | keeping: nil}}

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

  # Somebody may have come before this was read.
  def handle_info({:stop, :idle}, server) do
    if State.idle?(server.state, now()), do: {:stop, {:shutdown, :idle}, server}, else: {:noreply, server}
  end

  def handle_info({:stop, reason}, server), do: {:stop, {:shutdown, reason}, server}

  # Its own events have a seq, also those of another process of this room.
  def handle_info({name, payload}, %{listens?: true} = server)
      when is_binary(name) and is_map(payload) and not is_map_key(payload, "seq"),
      do: {:noreply, stray(server, name)}

  # A task of the room's module that has done its work.
  def handle_info({:EXIT, _, :normal}, server), do: {:noreply, server}
  def handle_info({:EXIT, _, reason}, server), do: {:stop, reason, server}
  def handle_info(_, server), do: {:noreply, server}

  # Only on this node is there more than a process.
  defp at_hand(answer, server, pid) when node(pid) == node(),
    do: Map.merge(answer, %{pid: self(), inbox: server.inbox})

  defp at_hand(answer, _, _), do: Map.put(answer, :pid, self())

  # Who comes from a newer term would be taken back in time by us. Or it made that up: the log knows.
  defp overtaken(server, how) do
    if State.suspects_newer_term?(server.state, how) do
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
    # Only where frames may be folded as they are is it asked before anything is folded.
    server =
      if State.frames?(server.state),
        do: %{server | state: State.heard(server.state, heard?(server))},
        else: server

    server =
      if State.tick_due?(server.state, now) do
        facts = %{room: server.options.id, number: server.state.ticks + 1}
        Telemetry.span([:tick], facts, fn -> server |> open() |> wake(now) |> ticked() end)
      else
        wake(server, now)
      end

    {:noreply, server |> timed(System.monotonic_time() - start) |> arm()}
  end

  defp wake(server, now) do
    {effects, state} = State.wake(server.state, now)
    carry_out(%{server | state: state}, effects)
  end

  # Both queues: events that wait for the next tick, and messages that the room has not read yet.
  defp ticked(server) do
    {:message_queue_len, messages} = Process.info(self(), :message_queue_len)
    {server, %{queued: server.state.queued, messages: messages}, %{}}
  end

  defp publish(server, to, sender, texts) do
    server = take_in(server)

    # A frame, and where nothing ticks whatever waits, may be folded at once; somebody may have subscribed since that was asked.
    ask? = match?([{:packed, _}], texts) or not State.ticking?(server.state)
    state = if ask?, do: State.heard(server.state, heard?(server)), else: server.state
    server |> published(State.publish(state, to, sender, texts, now())) |> arm()
  end

  defp published(server, {[], state}), do: %{server | state: state}
  defp published(server, {effects, state}), do: carry_out(%{server | state: state}, effects)

  # Before whatever came to the room after it, as if it had come as messages. (Somebody who was killed in the middle may have put in what is not
  # counted: where a session or the room itself goes, it is taken without asking.)
  defp take_in(%{inbox: inbox} = server) do
    if Inbox.any?(inbox), do: taken(server), else: server
  end

  defp taken(%{state: state} = server) do
    case Inbox.take(server.inbox) do
      [] -> server
      entries -> published(server, State.publish_all(state, entries, now()))
    end
  end

  # Only if there is nothing to wait for that could be forgotten.
  defp open(%{inbox: inbox} = server) do
    if Inbox.any?(inbox) do
      Inbox.open(inbox)
      taken(server)
    else
      server
    end
  end

  defp heard?(%{options: %{stream: nil}}), do: false

  defp heard?(%{listens?: true, options: %{stream: {module, name}}} = server),
    do: module.others?(name, self(), server.topic)

  defp heard?(server), do: EventStream.subscribers?(server.options.stream, server.topic)

  # Whoever broadcasts on a room's stream means to be heard.
  defp stray(%{strays: 0} = server, name) do
    Logger.warning(
      "#{inspect(name)} was broadcast on #{inspect(server.topic)}, the stream of a room that runs: the room does not fold it. " <>
        "Roomfold.Room.publish/3 is the way in. It counts what else comes, and says no more (strays of Roomfold.Room.info/1)"
    )

    stray(%{server | strays: 1})
  end

  defp stray(server, _), do: stray(%{server | strays: server.strays + 1})

  defp stray(server) do
    Telemetry.event([:stray], %{count: 1}, %{room: server.options.id})
    server
  end

  defp committed(server, answer) do
    # Not with :flush, for which it would have to let others run: should the log have died since, that is nobody's leaving.
    Process.demonitor(server.commit)
    {span, count} = server.committing
    error = with {:error, error} <- answer, do: error, else: (_ -> nil)
    Telemetry.stop([:commit], span, %{count: count}, %{error: error})

    start = System.monotonic_time()
    server = carry_out_committed(%{server | commit: nil, committing: nil}, answer)
    timed(server, System.monotonic_time() - start)
  end

  defp carry_out_committed(server, answer) do
    Telemetry.span([:fold], %{room: server.options.id}, fn ->
      {effects, state} = State.committed(server.state, answer, now())
      server = carry_out(%{server | state: state}, Update.with_answers(effects))
      {server, %{seq: World.seq(server.state.world)}, %{}}
    end)
  end

  defp timed(server, duration) do
    %{server | times: Times.add(server.times, System.convert_time_unit(duration, :native, :microsecond))}
  end

  defp left(server, pid, goodbye?) do
    {ref, monitors} = Map.pop(server.monitors, pid)
    if ref, do: Process.demonitor(ref, [:flush])
    server = taken(%{server | monitors: monitors})
    {effects, state} = State.leave(server.state, pid, goodbye?, now())
    %{server | state: state} |> carry_out(effects) |> arm()
  end

  defp monitor(server, pid) do
    %{server | monitors: Map.put_new_lazy(server.monitors, pid, fn -> Process.monitor(pid) end)}
  end

  # ---- what it does ----

  defp carry_out(server, effects), do: Enum.reduce(effects, server, &do_one/2)

  defp do_one({:reply, {:call, from}, answer}, server) do
    GenServer.reply(from, answer)
    server
  end

  defp do_one({:reply, {_, pid, ref}, answer}, server) do
    send(pid, {ref, answer})
    server
  end

  defp do_one({:append, _, _}, %{options: %{log: nil}} = server), do: carry_out_committed(server, :ok)

  defp do_one({:append, after_seq, records}, server) do
    options = server.options
    span = Telemetry.start([:commit], %{room: options.id})
    text = server.state.commit.batch.text
    opts = [text: text, watched: server.log != nil]
    ref = EventLog.submit(options.log, options.id, server.state.term, after_seq, records, opts)
    %{server | commit: ref, committing: {span, length(records)}}
  end

  defp do_one({:publish, records}, server) do
    Telemetry.span([:publish], %{room: server.options.id}, fn ->
      {broadcast(server, records), %{count: length(records)}, %{}}
    end)

    server
  end

  defp do_one({:send, pids, message}, server) do
    message = {:roomfold, server.options.id, message}
    for pid <- pids, do: send(pid, message)
    server
  end

  defp do_one({:tell, update, answers}, server) do
    for {pid, mine} <- answers, do: send(pid, Update.message(server.options.id, update, mine))
    server
  end

  defp do_one({:fast, sends}, server) do
    for {{module, argument}, frames, pids} <- sends do
      messages = Enum.map(frames, &module.message(argument, &1))
      for pid <- pids, message <- messages, do: send(pid, message)
    end

    server
  end

  # One at a time: if the log is slow, the next one is due soon.
  defp do_one({:keep, _, _}, %{keeping: {_, _}} = server), do: server
  defp do_one({:keep, seq, users}, server), do: %{server | keeping: keep_aside(server, seq, users)}

  defp do_one({:measure, name, numbers, facts}, server) do
    Telemetry.event(name, numbers, Map.put(facts, :room, server.options.id))
    server
  end

  defp do_one({:failed, what, kind, reason, stacktrace}, server) do
    error = if kind == :error, do: reason, else: {kind, reason}
    Telemetry.event([:failed], %{count: 1}, %{room: server.options.id, of: what, error: error})

    complain(server, :failed, {what, kind(kind, reason), place(stacktrace)}, fn count ->
      {who, then} = failed(what)

      Logger.error("""
      #{who} of the room #{server.options.id} failed, and #{then}#{times(count)}: #{named(what)}
      #{Exception.format(kind, reason, stacktrace)}\
      """)
    end)
  end

  defp do_one({:refused, what, event, error}, server) do
    name = Text.label(event)
    facts = %{room: server.options.id, of: what, event: name, error: error}
    Telemetry.event([:refused], %{count: 1}, facts)

    complain(server, :refused, {what, name, error.reason}, fn count ->
      Logger.warning(
        "#{speaker(what)} of the room #{server.options.id} said #{inspect(name)}, which was refused#{times(count)}: #{error.message}"
      )
    end)
  end

  defp do_one({:stop, reason}, server) do
    send(self(), {:stop, reason})
    server
  end

  # What a system does wrong it mostly does on each tick.
  defp complain(server, kind, about, say) do
    {count, complaints} = Complaints.add(server.complaints, kind, about)
    if count != :quiet, do: say.(count)
    %{server | complaints: complaints}
  end

  defp times(1), do: " (counted from now on, and said once in 1,000)"
  defp times(count), do: " (#{count} times by now)"

  defp kind(:error, exception), do: exception.__struct__
  defp kind(kind, _), do: kind

  defp failed({_, callback}) when callback in [:authorize, :prepare],
    do: {"a callback", "the event that it was asked about was refused"}

  defp failed({_, _}), do: {"a callback", "said nothing"}
  defp failed(_), do: {"a system", "was left out of that tick"}

  defp named({module, callback}), do: "#{callback} of #{inspect(module)}"
  defp named(system), do: inspect(system)

  # Arguments and what else changes from one failure to the next are left out.
  defp place([{module, function, _, where} | _]), do: {module, function, where[:line]}
  defp place(_), do: nil

  defp speaker(nil), do: "the default"
  defp speaker(what) when is_atom(what), do: inspect(what)
  defp speaker(what), do: "the system #{inspect(what)}"

  # Terms are made only if somebody wants them.
  defp broadcast(server, records) do
    if records != [] and heard?(server) do
      json = Options.json(server.options)
      tell(server, Enum.map(records, &Text.decode(&1, json)))
    end
  end

  defp tell(%{listens?: true, options: %{stream: {module, name}}} = server, events),
    do: module.broadcast_from(name, self(), server.topic, events)

  defp tell(server, events), do: EventStream.broadcast(server.options.stream, server.topic, events)

  # ---- snapshots ----

  # The room goes on without one: only the next start takes longer. It waits for the encoding alone, not for the disk.
  defp keep_aside(%{options: %{log: nil}}, _, _), do: nil

  defp keep_aside(server, seq, users) do
    put = put_snapshot(server, seq, users)
    spawn_monitor(put)
  end

  defp keep(%{options: %{log: nil}}, _, _), do: :ok
  defp keep(server, seq, users), do: put_snapshot(server, seq, users).()

  defp put_snapshot(%{options: %{log: log, id: id} = options, state: %{term: term} = state}, seq, users) do
    snapshot = Recovery.snapshot(options, state.world, users, state.last_at)

    fn ->
      case EventLog.put_snapshot(log, id, term, seq, IO.iodata_to_binary(snapshot)) do
        :ok -> :ok
        {:error, error} -> Logger.warning("no snapshot of the room #{id} was kept: #{error.message}")
      end
    end
  end

  # ---- time ----

  defp now, do: :erlang.monotonic_time(:millisecond)

  # One timer, for what comes first. While nothing waits for a tick, whatever comes has to wake the room.
  defp arm(%{state: %{queue: []}} = server) do
    if Inbox.any?(server.inbox), do: server |> open() |> arm(), else: set_timer(server)
  end

  defp arm(server), do: set_timer(server)

  defp set_timer(server) do
    case State.wake_at(server.state) do
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
    {Process.send_after(self(), {:wake, key}, at, abs: true), key}
  end
end
