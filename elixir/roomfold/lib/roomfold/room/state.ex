defmodule Roomfold.Room.State do
  @moduledoc false
  # A room as data: what it knows, and what it does about each thing that happens. Every function answers {effects, state};
  # the process around it (Roomfold.Room.Server, or a simulator) carries the effects out, in order:
  #
  #   {:reply, to, answer}              to whoever published
  #   {:append, after_seq, records}     to the log; the outcome comes back by committed/3
  #   {:publish, records}               on the stream
  #   {:send, pids, message}            to connections: {:update, %Update{}}, {:behind, seq, bytes}, {:presence, joins, leaves},
  #                                     {:authority, user}, {:replaced, term, number of the join}
  #   {:fast, sends}                    to the processes that write to sockets (Roomfold.Room.Fastlane)
  #   {:keep, seq, users}               a snapshot, in the log
  #   {:measure, name, numbers, facts}  for telemetry
  #   {:failed, what, kind, reason, stacktrace}  of a system, or of a callback: {module, name}
  #   {:refused, what, event, error}    of what the room said itself: a system, its module, or nil
  #   {:stop, reason}
  #
  # `now` is in milliseconds and never goes back; what events say (`at`) is `now` plus the offset.

  alias Roomfold.{Error, Hits, World}

  alias Roomfold.Room.{
    Batch,
    Callbacks,
    Fastlane,
    Frames,
    Gate,
    Limits,
    Options,
    Packed,
    People,
    Residents,
    System,
    Text,
    Update
  }

  # At most 32 keys with :__struct__: beyond, the VM keeps a map as a tree, and each look and change costs several times as much.
  defstruct [
    :options,
    :term,
    :world,
    :module_state,
    :offset,
    :last_at,
    :shared_seq,
    :kept_seq,
    :last_flush,
    :last_tick,
    :busy_at,
    :elected,
    # [%Batch.Item{}], newest first, and how many events they are; a packed frame counts as one
    queue: [],
    queued: 0,
    packed?: false,
    # whether the stream has subscribers, who want events as terms
    heard?: false,
    # what is on its way into the log, and what to go back to if it can't get there: %{batch, undo}
    commit: nil,
    people: %People{},
    # who is in the room as the log has it: what `people` knows may still be on its way there
    logged_users: [],
    # users who came again before the log had that they left, with their parameters: their coming is said after it
    returning: [],
    fastlane: %Fastlane{},
    # what each user may still send now
    limits: nil,
    systems: [],
    ticks: 0,
    # ticks that were left out
    shed: 0,
    # ticks that were due since the last one, while a commit is on its way: the newest waits for it, the others are left out
    held: 0,
    # what systems want to see since they ran, newest first: [[record]]
    news: [],
    # what they want to see, to prepare and to reserve (System.asks/1)
    asks: System.asks([]),
    ids: 0
  ]

  @doc """
  world: as the log has it. facts: `term`, `users` who were in it, `last_at`, `kept_seq` of the last snapshot.
  """
  def open(%Options{} = options, world, facts, now, offset) do
    state = %__MODULE__{
      options: options,
      term: facts.term,
      world: world,
      # A clock that was put back since must not stop the room's: it goes on from where the log is.
      offset: max(offset, facts.last_at - now),
      last_at: facts.last_at,
      shared_seq: World.seq(world),
      kept_seq: facts.kept_seq,
      last_flush: now - ceil(options.tick_ms),
      last_tick: now,
      busy_at: now,
      people: People.restore(facts.users, now),
      logged_users: facts.users,
      limits: Limits.new(Options.rates(options), now)
    }

    {module_state, events} = init_module(options, world)

    systems = System.init_all(options.systems, world, at(state, now))

    state = %{
      state
      | module_state: module_state,
        systems: systems,
        asks: System.asks(systems)
    }

    # A room that can't say what it has to say first does not start.
    case queue_own(state, options.module, :system, events) do
      {[], state} -> state
      {[{:refused, _, _, error} | _], _} -> raise error
    end
  end

  defp init_module(%{module: nil}, _), do: {nil, []}

  defp init_module(options, world) do
    case options.module.init(options.id, World.read_only(world), options.args) do
      {:ok, state} -> {state, []}
      {:ok, state, events} -> {state, events}
    end
  end

  defp at(state, now), do: max(state.last_at, now + state.offset)

  # ---- publishing ----

  @doc """
  sender: `{:user, id}`, `:system`, `:server`, or `{:elected, id}`: a user who claims to be the room's authority. The events are
  texts (Roomfold.Room.Text), or one packed frame (Roomfold.Room.Packed).
  """
  def publish(state, to, sender, texts, now) do
    with {:ok, sender} <- authority(state, sender),
         {[], state} <- publish_all(state, [{nil, to, sender, texts, now}], now) do
      state = frame_noted(state)
      if ticking?(state), do: {[], state}, else: flush_if_due(state, now)
    else
      {:error, error} -> {[{:reply, to, {:error, error}}], state}
      refused -> refused
    end
  end

  # What was queued last may be a frame.
  defp frame_noted(%{queue: [%{texts: [{:packed, _}]} | _]} = state), do: %{state | packed?: true}
  defp frame_noted(state), do: state

  @doc """
  What sessions have put into the inbox, `[{_, to, {:user, id}, texts, when}]`, oldest first: as `publish/5` of each at its time in a room that
  ticks, but what they change of the room is changed once. If nothing ticks any more, it waits until it is due.
  """
  def publish_all(state, entries, now) do
    state = on_beat(state, now)
    %{ids: ids, queue: queue, queued: queued} = state
    %{recent: recent} = limits = Limits.forget(state.limits, now)
    gathered = gather(entries, state, limits, {[], ids, recent, queue, queued})
    {replies, ids, recent, queue, queued} = gathered
    limits = %{limits | recent: recent}
    busy_at = if ids == state.ids, do: state.busy_at, else: now

    {Enum.reverse(replies),
     %{state | ids: ids, limits: limits, queue: queue, queued: queued, busy_at: busy_at}}
  end

  # What is queued has no reply yet, all else has one.
  defp gather([{_, to, sender, texts, at} | entries], state, limits, gathered) do
    {replies, ids, recent, queue, queued} = gathered

    with {:ok, [_ | _] = texts} <- Packed.unpack(texts, sender, state),
         count = length(texts),
         {:ok, recent} <- within_limit(recent, limits, sender, texts, at),
         :ok <- room_in_queue(state, queued, count) do
      item = %Batch.Item{to: to, sender: sender, texts: texts, number: ids + 1}
      gather(entries, state, limits, {replies, ids + 1, recent, [item | queue], queued + count})
    else
      {:limited, recent} ->
        refusal = {:reply, to, {:error, Error.new(:rate_limited)}}
        gather(entries, state, limits, {[refusal | replies], ids, recent, queue, queued})

      # An error, or that there is nothing in it.
      answer ->
        gather(entries, state, limits, put_elem(gathered, 0, [{:reply, to, answer} | replies]))
    end
  end

  defp gather([], _, _, gathered), do: gathered

  # What the room itself has to say: each event by itself. One that can't be written as JSON is a mistake of whose event it is
  # (`what`: a system, or the room's module): it is left out and reported, or it would end the room, again after each restart.
  defp queue_own(state, what, sender, events) do
    json = Options.json(state.options)

    Enum.flat_map_reduce(events, state, fn event, state ->
      case Text.event(event, json) do
        {:ok, text} -> {[], queue(state, what, sender, [text])}
        {:error, error} -> {[{:refused, what, event, error}], state}
      end
    end)
  end

  # What the room's module says, and where it failed.
  defp queue_said(state, sender, events, failures) do
    {refused, state} = queue_own(state, state.options.module, sender, events)
    {failures ++ refused, state}
  end

  defp queue(state, what, sender, texts) do
    %{ids: ids, queue: queue, queued: queued} = state
    item = %Batch.Item{to: nil, of: what, sender: sender, texts: texts, number: ids + 1}
    frame_noted(%{state | ids: ids + 1, queue: [item | queue], queued: queued + length(texts)})
  end

  defp authority(%{options: %{authority: :client}} = state, {:elected, user}) do
    if state.elected == user, do: {:ok, :system}, else: {:error, Error.new(:not_allowed)}
  end

  defp authority(_, {:elected, _}), do: {:error, Error.new(:not_allowed)}
  defp authority(_, sender), do: {:ok, sender}

  defp within_limit(recent, limits, {:user, user}, texts, now),
    do: Limits.take(recent, limits, user, length(texts), :erlang.iolist_size(texts), now)

  defp within_limit(recent, _, _, _, _), do: {:ok, recent}

  defp room_in_queue(state, queued, count) do
    if queued + count <= state.options.max_queue, do: :ok, else: {:error, Error.new(:overloaded)}
  end

  @doc "Whether packed frames wait to be folded, or the room's own code may add some before they are."
  def frames?(state), do: state.packed? or state.systems != [] or state.options.module != nil

  @doc "Whether the stream has subscribers; said before what may fold packed frames."
  def heard(state, heard?), do: %{state | heard?: heard?}

  # ---- time ----

  @doc "When it wants to be woken: milliseconds as `now`, or :never."
  def wake_at(state) do
    expiry = People.next_expiry(state.people, state.options.grace_ms)

    cond do
      resting?(state) -> expiry
      ticking?(state) -> min(tick_due(state), expiry)
      state.queue != [] and state.commit == nil -> min(flush_due(state), expiry)
      true -> min(idle_due(state), expiry)
    end
    |> woken_at()
  end

  defp woken_at(nil), do: :never
  defp woken_at(at), do: ceil(at)

  @doc "Whether the next `wake/2` is a tick."
  def tick_due?(state, now),
    do: state.commit == nil and ticking?(state) and not resting?(state) and now >= tick_due(state)

  @doc "Whether it folds at ticks only."
  def ticking?(state), do: state.systems != [] or map_size(state.people.connections) > 0

  # A tick without systems and with nothing in the queue does nothing: the room sleeps on, and then keeps its beat.
  defp resting?(state), do: state.systems == [] and state.queue == [] and ticking?(state)

  defp on_beat(state, now) do
    if resting?(state) do
      missed = max(floor((now - state.last_tick) / state.options.tick_ms), 0)
      %{state | last_tick: state.last_tick + missed * state.options.tick_ms, held: 0}
    else
      state
    end
  end

  # While a commit is on its way: the next tick that would have to wait for it.
  defp tick_due(%{commit: nil} = state), do: state.last_tick + state.options.tick_ms
  defp tick_due(state), do: state.last_tick + (state.held + 1) * state.options.tick_ms
  defp flush_due(state), do: state.last_flush + state.options.tick_ms

  @doc "Whether it has had nothing to do for so long that it stops."
  def idle?(state, now), do: now >= idle_due(state)

  # nil, which is larger than any number: not before something else happens.
  defp idle_due(%{options: %{idle_ms: :infinity}}), do: nil

  defp idle_due(%{queue: [], commit: nil} = state) do
    if map_size(state.people.connections) == 0, do: state.busy_at + state.options.idle_ms
  end

  defp idle_due(_), do: nil

  @doc "Time has passed."
  def wake(state, now) do
    {failures, state} = state |> on_beat(now) |> expire_users(now)

    {effects, state} =
      cond do
        idle?(state, now) -> {[{:stop, :idle}], state}
        ticking?(state) and now >= tick_due(state) -> tick(state, now)
        ticking?(state) -> {[], state}
        true -> flush_if_due(state, now)
      end

    {failures ++ effects, state}
  end

  defp flush_if_due(state, now) do
    if state.queue != [] and now >= flush_due(state), do: flush(state, now), else: {[], state}
  end

  # Ticks that were missed are left out, never made up for.
  defp tick(%{commit: nil} = state, now) do
    passed = ticks_since(state, now)
    due = state.last_tick + passed * state.options.tick_ms
    dt = due - state.last_tick
    {shed, state} = shed(state, passed, :late)
    state = %{state | last_tick: due, ticks: state.ticks + 1, held: 0}
    undo = Map.take(state, [:systems, :news])
    {failures, state} = run_systems(state, dt, now)
    {effects, state} = flush(state, now, undo)
    {shed ++ failures ++ effects, state}
  end

  # It comes a little later, when the commit is done; if that takes until the next one is due, it is left out.
  defp tick(state, now) do
    passed = ticks_since(state, now)
    {shed, state} = shed(state, passed, :commit)
    {shed, %{state | held: passed}}
  end

  defp ticks_since(state, now), do: floor((now - state.last_tick) / state.options.tick_ms)

  # Of so many ticks that are due only the newest is to be; those that waited before are counted already.
  defp shed(state, passed, reason) do
    case passed - max(state.held, 1) do
      0 ->
        {[], state}

      count ->
        {[{:measure, [:tick, :shed], %{count: count}, %{reason: reason}}],
         %{state | shed: state.shed + count}}
    end
  end

  # A client's authority runs them itself.
  defp run_systems(%{options: %{authority: :client}} = state, _, _), do: {[], %{state | news: []}}
  defp run_systems(%{systems: []} = state, _, _), do: {[], %{state | news: []}}

  defp run_systems(state, dt, now) do
    json = Options.json(state.options)
    events = for records <- Enum.reverse(state.news), record <- records, do: Text.decode(record, json)
    tick = %System.Tick{number: state.ticks, now: at(state, now), dt_ms: dt, events: events}
    {said, systems, failures} = System.tick_all(state.systems, state.world, tick)
    state = %{state | systems: systems, news: []}

    {refused, state} =
      Enum.flat_map_reduce(said, state, fn {what, events}, state ->
        queue_own(state, what, :system, events)
      end)

    {failures ++ refused, state}
  end

  # ---- the commit ----

  @doc "Everything that waits goes to the log, if nothing is on its way already."
  def flush(state, now, undo \\ %{})

  def flush(%{commit: nil, queue: [_ | _]} = state, now, undo) do
    items = Enum.reverse(state.queue)
    state = %{state | queue: [], queued: 0, last_flush: now}

    cond do
      not state.packed? -> append(state, items, [], now, undo)
      Packed.stays?(state) -> fold_packed(%{state | packed?: false}, items, now)
      true -> append(%{state | packed?: false}, items, &Packed.texts(&1, state.world), now, undo)
    end
  end

  def flush(state, _, _), do: {[], state}

  defp append(state, items, to_text, now, undo) when is_function(to_text) do
    {items, refused} = items |> Enum.map(to_text) |> Enum.split_with(&is_struct(&1, Batch.Item))
    append(state, items, refused, now, undo)
  end

  defp append(state, items, refused, now, undo) do
    batch = Batch.build(items, context(state, now))
    replies = refusals(refused ++ batch.refused)

    if batch.items == [] do
      {replies, state}
    else
      state = %{state | commit: %{batch: batch, undo: undo}}
      {replies ++ [{:append, batch.first - 1, batch.records}], state}
    end
  end

  defp refusals(refused) do
    Enum.flat_map(refused, fn
      {item, error} -> [refusal(item, error)]
      {item, error, failure} -> [refusal(item, error), failure]
    end)
  end

  # Nobody waits for an answer to what the room said itself; that it was in vain is told all the same.
  defp refusal(%{to: nil, of: what, texts: [text | _]}, error), do: {:refused, what, text, error}
  defp refusal(%{to: to}, error), do: {:reply, to, {:error, error}}

  # A room that nobody wants the text of: frames are folded as they are, between them texts, in the order they came.
  defp fold_packed(state, items, now) do
    {effects, {state, records}} =
      items
      |> Enum.chunk_by(&match?(%{texts: [{:packed, _}]}, &1))
      |> Enum.flat_map_reduce({state, []}, &fold_some(&1, &2, now))

    {failed, state} = state |> stamped(now) |> say_returned()
    {updates, state} = update(state, records)
    {[{:publish, records}] ++ updates ++ effects ++ failed, state}
  end

  defp fold_some([%{texts: [{:packed, _}]} | _] = items, {state, records}, _) do
    {effects, state} = Enum.flat_map_reduce(items, state, &fold_frame/2)
    {effects, {state, records}}
  end

  defp fold_some(items, {state, records}, now) do
    batch = Batch.build(items, context(state, now))
    {:ok, world, report} = World.fold(state.world, {:json, batch.text})
    effects = refusals(batch.refused) ++ replies(batch, report)
    state = %{state | world: world, logged_users: logged_users(state, batch)}
    {effects, {state, records ++ batch.records}}
  end

  defp fold_frame(%{texts: [{:packed, frame}]} = item, state) do
    first = World.seq(state.world) + 1

    {answer, world} =
      case Packed.fold(state.world, frame) do
        {:ok, world, %{rejected: [{_, error} | _]}} -> {{:error, error}, world}
        {:ok, world, _} -> {{:ok, first..World.seq(world)//1}, world}
        {:error, error} -> {{:error, error}, state.world}
      end

    {told_of_frame(item, answer), %{state | world: world}}
  end

  defp told_of_frame(item, {:error, error}), do: [refusal(item, error)]
  defp told_of_frame(%{to: nil}, _), do: []
  defp told_of_frame(%{to: to}, answer), do: [{:reply, to, answer}]

  defp context(state, now) do
    %{
      world: state.world,
      at: at(state, now),
      json: Options.json(state.options),
      max_event_bytes: state.options.max_event_bytes,
      adjust: Gate.adjust(state)
    }
  end

  @doc "What the log answered."
  def committed(%{commit: %{batch: batch}} = state, :ok, now) do
    {:ok, world, report} = World.fold(state.world, {:json, batch.text})
    state = state |> on_beat(now) |> Map.merge(%{commit: nil, world: world}) |> stamped(now)
    state = %{state | news: news(state, batch.records), logged_users: logged_users(state, batch)}

    {failed, state} = say_returned(state)
    {caused, failures, state} = Callbacks.caused(state, batch.records)
    {updates, state} = update(state, batch.records)
    {keeps, state} = keep(state)
    effects = [{:publish, batch.records}] ++ updates ++ replies(batch, report) ++ keeps
    {failures, state} = queue_said(state, :system, caused, failures)
    {more, state} = flush_if_idle(state, now)
    {effects ++ failed ++ failures ++ more, state}
  end

  def committed(%{commit: %{batch: batch, undo: undo}} = state, {:error, error}, _) do
    state = %{state | commit: nil} |> Map.merge(undo) |> say_again(batch)
    replies = for item <- batch.items, item.to != nil, do: {:reply, item.to, {:error, error}}
    failed = {:measure, [:commit, :failed], %{events: length(batch.records)}, %{error: error}}

    # Somebody else writes this room now, or the log is not where we left it: what we know is of no use any more.
    stop = if error.reason in [:old_term, :wrong_seq, :no_room], do: [{:stop, error.reason}], else: []
    {[failed | replies] ++ stop, state}
  end

  # That somebody came or left is said once, and by nobody else: it stays until it is in the log.
  defp say_again(state, batch) do
    items = for %{sender: :server, to: nil} = item <- batch.items, do: %{item | seqs: nil}
    %{state | queue: state.queue ++ Enum.reverse(items), queued: state.queued + length(items)}
  end

  defp logged_users(state, batch) do
    if server?(batch.items) do
      places = for %{sender: :server, seqs: seqs} <- batch.items, seq <- seqs, do: seq - batch.first
      records = List.to_tuple(batch.records)
      Enum.reduce(places, state.logged_users, &Residents.after_event(elem(records, &1), &2))
    else
      state.logged_users
    end
  end

  defp server?([%{sender: :server} | _]), do: true
  defp server?([_ | items]), do: server?(items)
  defp server?([]), do: false

  # What was folded happened now: that is where everything was then.
  defp stamped(state, now) do
    state = %{state | last_at: at(state, now)}
    if state.options.rewind, do: %{state | world: mark(state.world, state.last_at)}, else: state
  end

  defp mark(world, time) do
    {:ok, world} = Hits.mark(world, time)
    world
  end

  # Between ticks, what waited for the commit goes on its way when its time has come.
  defp flush_if_idle(state, now), do: if(ticking?(state), do: {[], state}, else: flush_if_due(state, now))

  defp replies(batch, report) do
    case report.rejected do
      [] -> accepted(batch.items)
      rejected -> replies(batch, Map.new(Enum.reverse(rejected)), batch.items)
    end
  end

  defp replies(batch, rejected, items) do
    Enum.flat_map(items, fn %{to: to, seqs: seqs} = item ->
      case Enum.find_value(seqs, &rejected[&1 - batch.first]) do
        nil when to == nil -> []
        nil -> [accepted(item)]
        error -> [refusal(item, Error.put(error, index: nil))]
      end
    end)
  end

  defp accepted([%{to: nil} | items]), do: accepted(items)
  defp accepted([item | items]), do: [accepted(item) | accepted(items)]
  defp accepted([]), do: []

  defp accepted(%{to: to, seqs: seqs, packed?: packed?}),
    do: {:reply, to, {:ok, if(packed?, do: seqs, else: listed(seqs))}}

  defp listed(seq..seq), do: [seq]
  defp listed(seqs), do: Enum.to_list(seqs)

  defp news(%{asks: %{wanted: []}}, _), do: []
  defp news(%{asks: %{wanted: :all}} = state, records), do: [records | state.news]
  defp news(state, records), do: [Enum.filter(records, &(Text.name(&1) in state.asks.wanted)) | state.news]

  defp update(state, records) do
    seq = World.seq(state.world)

    if map_size(state.people.connections) == 0 do
      {[], %{state | shared_seq: seq}}
    else
      frames = Map.new(People.formats(state.people), &{&1, Frames.changed(state.world, state.shared_seq, &1)})

      update = %Update{
        room: state.options.id,
        term: state.term,
        from: state.shared_seq,
        seq: seq,
        frames: frames,
        events: if(People.events?(state.people), do: Frames.told(records, state.options.diff_tells))
      }

      send_update(%{state | shared_seq: seq}, update)
    end
  end

  defp send_update(state, update) do
    slow = Fastlane.others(state.fastlane, Map.keys(state.people.connections))
    {sends, behind, fastlane} = Fastlane.publish(state.fastlane, update)
    behind = for {pid, bytes} <- behind, do: {:send, [pid], {:behind, update.from, bytes}}
    to_sessions = if slow == [], do: [], else: [{:send, slow, {:update, update}}]
    fast = if sends == [], do: [], else: [{:fast, sends}]
    {to_sessions ++ fast ++ behind, %{state | fastlane: fastlane}}
  end

  @doc """
  A session whose client has been sent everything up to seq wants its frames to go out past it. If the room is farther already,
  the session has an update on its way to it and will ask again.
  """
  def fastlane(state, pid, seq, entry) do
    if seq == state.shared_seq and is_map_key(state.people.connections, pid),
      do: %{state | fastlane: Fastlane.enter(state.fastlane, pid, seq, entry)},
      else: state
  end

  @doc "The client of a session in the fast lane has a seq."
  def acked(state, pid, seq), do: %{state | fastlane: Fastlane.acked(state.fastlane, pid, seq)}

  defp keep(%{options: %{snapshot_every: 0}} = state), do: {[], state}

  defp keep(state) do
    seq = World.seq(state.world)

    if seq - state.kept_seq >= state.options.snapshot_every,
      do: {[{:keep, seq, Residents.to_keep(state)}], %{state | kept_seq: seq}},
      else: {[], state}
  end

  # ---- people ----

  @doc "Whether who joins knows of a term after this one: then the log is to be asked whose turn it is."
  def suspects_newer_term?(state, how), do: is_integer(how[:last_term]) and how[:last_term] > state.term

  @doc """
  A connection joins. how: `format`, `events` (whether it wants those that a diff does not tell), and to come back `last_seq` and `last_term` (nil: the first time). Answers the map for it
  besides.
  """
  def join(state, pid, user, how, now) do
    state = on_beat(state, now)
    was = state.people
    {people, new?} = People.join(state.people, pid, user, how.format, Map.get(how, :events, true))
    fastlane = Fastlane.leave(state.fastlane, pid)
    state = %{state | people: people, fastlane: fastlane, busy_at: now, shared_seq: World.seq(state.world)}
    state = if ticking?(%{state | people: was}), do: state, else: %{state | last_tick: now}

    answer = %{
      room: state.options.id,
      json: Options.json(state.options),
      term: state.term,
      seq: World.seq(state.world),
      number: People.number(people, pid),
      tick_ms: state.options.tick_ms,
      users: here(state.people),
      frame: missing(state, how)
    }

    {failures, state} = if new?, do: say_joined(state, user, how[:params] || %{}), else: {[], state}
    presence = if People.here?(was, user), do: [], else: presence(was, [user], [])
    {elected, state} = elect(state)
    {answer, replaced(state, pid, was) ++ failures ++ presence ++ elected, state}
  end

  # The session that the process has had before gets nothing any more.
  defp replaced(state, pid, was) do
    case People.number(was, pid) do
      nil -> []
      number -> [{:send, [pid], {:replaced, state.term, number}}]
    end
  end

  defp here(people), do: for({user, %{count: count}} <- people.users, count > 0, do: user) |> Enum.sort()

  # What a JSON diff says holds in each life of a room that has a log; handles of packed ones, and anything of a room without a log,
  # only in theirs.
  defp missing(%{options: options} = state, %{format: format} = how) do
    same? = how[:last_term] == state.term or (format == :json and options.log != nil)

    if is_integer(how[:last_seq]) and same?,
      do: Frames.missing(state.world, how.last_seq, format),
      else: Frames.snapshot(state.world, format)
  end

  @doc "What a connection that lags needs to go on from `from`."
  def catch_up(state, from, format),
    do: {World.seq(state.world), missing(state, %{format: format, last_seq: from, last_term: state.term})}

  @doc "A connection is gone; `goodbye?`: the user said so, and has no grace."
  def leave(state, pid, goodbye?, now) do
    was = state.people
    state = %{on_beat(state, now) | fastlane: Fastlane.leave(state.fastlane, pid)}

    case People.leave(was, pid, if(goodbye?, do: now - state.options.grace_ms, else: now)) do
      {_, nil} ->
        {[], state}

      {people, user} ->
        presence = if People.here?(people, user), do: [], else: presence(people, [], [user])
        {elected, state} = elect(%{state | people: people, busy_at: now})
        {failures, state} = expire_users(state, now)
        {flushed, state} = if ticking?(state), do: {[], state}, else: flush_if_due(state, now)
        {presence ++ elected ++ failures ++ flushed, state}
    end
  end

  defp presence(people, joins, leaves) do
    case Map.keys(people.connections) do
      [] -> []
      pids -> [{:send, pids, {:presence, joins, leaves}}]
    end
  end

  defp expire_users(state, now) do
    {people, gone} = People.expire(state.people, state.options.grace_ms, now)
    # Whose coming has not been said has not left either.
    {returned, returning} = Enum.split_with(state.returning, fn {user, _} -> user in gone end)
    state = %{state | people: people, returning: returning}
    {events, failures} = Callbacks.left(state, gone -- Enum.map(returned, &elem(&1, 0)))
    queue_said(state, :server, events, failures)
  end

  # The world still has who has just left: whether there is something to be said is seen when the log has it.
  defp say_joined(state, user, params) do
    if leaving?(state, user) do
      {[], %{state | returning: state.returning ++ [{user, params}]}}
    else
      {events, failures} = Callbacks.joined(state, user, params)
      queue_said(state, :server, events, failures)
    end
  end

  defp say_returned(%{returning: []} = state), do: {[], state}

  defp say_returned(state) do
    Enum.flat_map_reduce(state.returning, %{state | returning: []}, fn {user, params}, state ->
      say_joined(state, user, params)
    end)
  end

  # That the user left is on its way into the log.
  defp leaving?(state, user) do
    there? = user in state.logged_users or World.get(state.world, user) != nil
    there? and Enum.any?(on_way(state), &match?({"user_left", %{"user_id" => ^user}}, &1))
  end

  defp on_way(state) do
    json = Options.json(state.options)
    items = if state.commit, do: state.commit.batch.items ++ state.queue, else: state.queue
    for %{sender: :server, texts: texts} <- items, text <- texts, do: Text.decode(text, json)
  end

  # With a client's authority: whoever has been here longest.
  defp elect(%{options: %{authority: :room}} = state), do: {[], state}

  defp elect(state) do
    case People.eldest(state.people) do
      elected when elected == state.elected ->
        {[], state}

      elected ->
        {[{:send, Map.keys(state.people.connections), {:authority, elected}}], %{state | elected: elected}}
    end
  end
end
