defmodule Roomfold.Simulator.Host do
  @moduledoc """
  Room processes on simulated nodes: what `Roomfold.Room.Server` does around `Roomfold.Room.State`, and what `:global` does for names, in
  virtual time.

  A process is known by its key, a number that grows. Sessions are its connections, by the keys of their clients.
  """
  alias Roomfold.{Error, EventLog, Simulator, World}
  alias Roomfold.ClusterCase.Pulse
  alias Roomfold.Placement.Rendezvous

  alias Roomfold.Room.{
    Commit,
    Delivery,
    Inbox,
    Options,
    Presence,
    Publishing,
    Recovery,
    Residents,
    Schedule,
    State,
    Ticks,
    Update
  }

  alias Roomfold.Simulator.{Check, Client, Log, Put}

  import Simulator, only: [later_on: 3, message: 4, connected?: 2, chance: 1, get: 0, now: 0]

  # moves?: it hears nothing but the log any more, and then goes; let_go?: it has just let go of its inbox, and not looked since
  defstruct [
    :key,
    :node,
    :options,
    :state,
    :commit,
    :wake_at,
    :inbox,
    moves?: false,
    let_go?: false,
    watchers: %{}
  ]

  # ---- where rooms are ----

  @doc "The process of a room that this node knows of; started if there is none."
  def fetch(node, id) do
    case whereis(node, id) do
      nil -> start(node, id)
      room -> {:ok, room}
    end
  end

  defp whereis(node, id), do: Enum.find(all(id), &connected?(node, &1.node))

  defp all(id) do
    get().rooms |> Map.values() |> Enum.sort_by(& &1.key) |> Enum.filter(&(&1.options.id == id))
  end

  @doc "Where it runs, or `nil`."
  def node_of(id), do: with([room | _] <- all(id), do: room.node, else: (_ -> nil))

  defp start(node, id) do
    there = for other <- Simulator.nodes(), connected?(node, other), do: other
    willing = Enum.reject(there, &get().nodes[&1].draining)
    home = Rendezvous.node_for(if(willing == [], do: there, else: willing), id)

    if Simulator.frozen?(home),
      do: {:error, Error.new(:node_away, detail: "#{home}")},
      else: open(home, id)
  end

  defp open(node, id) do
    options = options(node, id)

    with {:ok, before} <- EventLog.head(options.log, id),
         {:ok, %{term: term} = head} <- EventLog.claim(options.log, id, %{"rules" => 1}),
         {:ok, world, facts} <- Recovery.newest(options, head) do
      key = get().number
      Simulator.update(&%{&1 | number: key + 1, homes: Map.put(&1.homes, key, node)})
      Simulator.note({:room, id, :starts, node, term, World.seq(world)})
      Simulator.count(:terms)
      clock = get().nodes[node].clock + Enum.random(-5_000..5_000)

      state =
        State.open(
          options,
          world,
          Map.merge(facts, %{term: term, resumes: Delivery.resumes(before, head)}),
          now(),
          clock
        )

      {effects, state} = Commit.flush(state, now())
      inbox = Inbox.new(options.max_queue)
      room = %__MODULE__{key: key, node: node, options: options, state: state, inbox: inbox}
      {:ok, room |> carry_out(effects) |> arm() |> save()}
    end
  end

  defp options(node, id) do
    Options.new([
      [
        id: id,
        impl: implementation(),
        log: {Log, node},
        rules: Pulse.rules(),
        # One always ticks, the other has to be woken.
        systems: if(id == "a", do: [&Pulse.system/2], else: []),
        max_queue: Enum.random([8, 1_000]),
        tick_ms: 100,
        idle_ms: :infinity,
        grace_ms: 1_500,
        history: 64,
        snapshot_every: 25
      ]
    ])
  end

  @doc "The fastest there is."
  def implementation, do: if(Roomfold.Native.loaded?(), do: :native, else: :elixir)

  # ---- what happens to one ----

  def happens(key, event) do
    room = get().rooms[key]
    if room && hears?(room, event), do: happen(room, event)
  end

  defp hears?(%{moves?: false}, _), do: true
  defp hears?(_, :move), do: true
  defp hears?(_, {kind, _}), do: kind == :stop
  defp hears?(_, {kind, _, _}), do: kind == :committed
  defp hears?(_, _), do: false

  defp happen(room, {:publish, client, reference, sender, texts}) do
    room = take_in(room)
    answer(room, Publishing.publish(room.state, {:session, client, reference}, sender, texts, now()))
  end

  defp happen(room, :inbox), do: room |> take_in() |> done()

  defp happen(%{commit: reference} = room, {:committed, reference, answer}) do
    {effects, state} = Commit.committed(room.state, answer, now())
    answer(%{room | commit: nil}, {Update.with_answers(effects), state})
  end

  # What was delivered twice is answered twice.
  defp happen(_, {:committed, _, _}), do: :ok

  defp happen(%{wake_at: at} = room, {:wake, at}) do
    room = rest(room)
    room = if Schedule.tick_due?(room.state, now()), do: hold_inbox(room), else: room
    answer(%{room | wake_at: nil}, Ticks.wake(room.state, now()))
  end

  defp happen(_, {:wake, _}), do: :ok

  # A session's process is gone, or its node can't be reached.
  defp happen(room, {:gone, client, watcher}) do
    room = take_left(room)

    if room.watchers[client] == watcher do
      room = %{room | watchers: Map.delete(room.watchers, client)}
      answer(room, Presence.leave(room.state, client, false, now()))
    else
      done(room)
    end
  end

  defp happen(room, {:stop, reason}), do: stop(room, reason)

  # Neither has its name any more: only the newest term keeps it.
  defp happen(room, :conflict) do
    unless newest?(room), do: stop(room, :old_term)
  end

  # In good order: what is on its way and what waits has been committed, or is given up.
  defp happen(%{commit: nil} = room, :move) do
    room = taken(room)

    case Commit.flush(room.state, now()) do
      {[], _} ->
        stop(keep(room, World.seq(room.state.world), Residents.to_keep(room.state)), :moved)

      {effects, state} ->
        %{room | state: state, moves?: true} |> carry_out(effects) |> save()
        later_on(room.node, 20, {:room, room.key, :move})
    end
  end

  defp happen(room, :move) do
    save(%{room | moves?: true})
    later_on(room.node, 20, {:room, room.key, :move})
  end

  @doc "Its process is killed."
  def crash(room), do: stop(room, :killed)

  @doc "It is no more; its inbox goes with it."
  def gone(room) do
    :ets.delete(room.inbox.table)
    Simulator.update(fn state -> %{state | rooms: Map.delete(state.rooms, room.key)} end)
  end

  defp stop(room, reason) do
    Simulator.note({:room, room.options.id, :stops, room.node, room.state.term, reason})
    if :ets.info(room.inbox.table, :size) > 0, do: Simulator.count(:stopped_with_input)
    gone(room)
    for {client, watcher} <- room.watchers, do: tell_down(room, client, watcher)
    :ok
  end

  # Who can't be reached finds out by itself (Roomfold.Simulator.Faults).
  defp tell_down(room, client, watcher) do
    node = Client.node_of(client)
    if node, do: message(room.node, node, Enum.random(1..30), {:client, client, {:down, room.key, watcher}})
  end

  # ---- what sessions ask ----

  @doc "Who comes from a newer term makes the room ask whether it has been overtaken."
  def ask_log(room, how) do
    if Presence.suspects_newer_term?(room.state, how) and not newest?(room) do
      stop(room, :old_term)
      {:error, Error.new(:old_term)}
    else
      :ok
    end
  end

  defp newest?(room) do
    match?(
      {:ok, %{term: term}} when term == room.state.term,
      EventLog.head(room.options.log, room.options.id)
    )
  end

  def join(room, client, user, how, watcher) do
    room = take_in(room)
    {answer, effects, state} = Presence.join(room.state, client, user, how, now())
    room = %{room | state: state, watchers: Map.put(room.watchers, client, watcher)}
    room |> carry_out(effects) |> done()
    here = if Client.node_of(client) == room.node, do: %{inbox: {room.key, room.inbox}}, else: %{}
    Map.merge(answer, Map.put(here, :pid, room.key))
  end

  def leave(room, client) do
    room = take_left(room)
    room = %{room | watchers: Map.delete(room.watchers, client)}
    answer(room, Presence.leave(room.state, client, true, now()))
  end

  def catch_up(room, from, format), do: Delivery.catch_up(room.state, from, format)

  # ---- the inbox ----

  defp any?(room) do
    Put.race(room.key)
    Inbox.any?(room.inbox)
  end

  defp take_in(room), do: if(any?(room), do: taken(room), else: room)

  # Where somebody goes.
  defp take_left(room), do: if(get().sabotage == :asking, do: take_in(room), else: taken(room))

  defp taken(room) do
    Put.race(room.key)
    entries = Inbox.take(room.inbox)
    Check.taken(room, entries)
    {effects, state} = Publishing.publish_all(room.state, entries, now())
    carry_out(%{room | state: state}, effects)
  end

  defp rest(%{state: %{armed?: true, queue: []}} = room) do
    if Schedule.beat_due?(room.state, now()) and not any?(room), do: let_go(room), else: room
  end

  defp rest(room), do: room

  defp let_go(room) do
    Put.race(room.key)
    Inbox.let_go(room.inbox)
    Simulator.count(:rests)
    %{room | state: State.armed(room.state, false), let_go?: true}
  end

  defp hold_inbox(%{state: %{armed?: true}} = room), do: open_inbox(room)

  defp hold_inbox(room) do
    if any?(room) do
      Inbox.hold(room.inbox)
      open_inbox(%{room | state: State.armed(room.state, true)})
    else
      room
    end
  end

  defp open_inbox(room) do
    cond do
      not any?(room) -> room
      get().sabotage == :order -> room |> taken() |> opened()
      true -> room |> opened() |> taken()
    end
  end

  defp opened(room) do
    Put.race(room.key)
    Inbox.open(room.inbox)
    room
  end

  # ---- effects ----

  defp answer(room, {effects, state}), do: %{room | state: state} |> carry_out(effects) |> done()

  defp done(%{moves?: true} = room), do: save(room)
  defp done(room), do: room |> arm() |> save()

  defp carry_out(room, effects), do: Enum.reduce(effects, room, &do_one/2)

  defp do_one({:reply, {:session, client, reference}, answer}, room) do
    to_session(room, client, {:answer, reference, answer})
    room
  end

  defp do_one({:append, after_seq, records}, room) do
    reference =
      EventLog.submit(room.options.log, room.options.id, room.state.term, after_seq, records, key: room.key)

    %{room | commit: reference}
  end

  defp do_one({:send, clients, message}, room) do
    for client <- clients, do: unreliably(room, client, {:message, {:roomfold, room.options.id, message}})
    room
  end

  # An answer is not lost on its way: the update that it comes with is neither.
  defp do_one({:tell, update, answers}, room) do
    for {client, mine} <- answers do
      message = {:message, Update.message(room.options.id, update, mine)}
      if mine == [], do: unreliably(room, client, message), else: to_session(room, client, message)
    end

    room
  end

  defp do_one({:keep, seq, users}, room), do: keep(room, seq, users)

  defp do_one({:stop, reason}, room) do
    later_on(room.node, 0, {:room, room.key, {:stop, reason}})
    room
  end

  defp do_one({:failed, _, kind, reason, stacktrace}, _), do: :erlang.raise(kind, reason, stacktrace)
  defp do_one({:refused, _, _, error}, _), do: raise(error)
  defp do_one({:publish, _}, room), do: room
  defp do_one({:measure, _, _, _}, room), do: room

  defp keep(room, seq, users) do
    {:ok, snapshot} = Recovery.snapshot(room.options, room.state.world, users, room.state.last_at)
    snapshot = IO.iodata_to_binary(snapshot)
    _ = EventLog.put_snapshot(room.options.log, room.options.id, room.state.term, seq, snapshot)
    room
  end

  # Worse than Erlang's own: some messages are lost, some come twice, some overtake others.
  defp unreliably(room, client, event) do
    unless chance(2), do: to_session(room, client, event)
    if chance(2), do: to_session(room, client, event, 200)
  end

  defp to_session(room, client, event, more \\ 0) do
    case room.watchers[client] && Client.node_of(client) do
      nil ->
        :ok

      node ->
        message(room.node, node, Enum.random(1..12) + more, {:client, client, {:session, room.key, event}})
    end
  end

  # While nothing waits for a tick and it does not look at the next one, whatever comes has to wake it.
  defp arm(%{state: %{armed?: true} = state} = room) do
    if Schedule.ticking?(state), do: set_timer(room), else: room |> let_go() |> arm()
  end

  defp arm(%{state: %{queue: []}, let_go?: let_go?} = room) do
    room = %{room | let_go?: false}
    looks? = get().sabotage != :resting or not let_go?
    if looks? and any?(room), do: room |> open_inbox() |> arm(), else: set_timer(room)
  end

  defp arm(room), do: set_timer(room)

  defp set_timer(room) do
    case Schedule.wake_at(room.state) do
      at when at == room.wake_at ->
        room

      :never ->
        %{room | wake_at: nil}

      at ->
        later_on(room.node, at - now(), {:room, room.key, {:wake, at}})
        %{room | wake_at: at}
    end
  end

  defp save(room) do
    Simulator.update(&put_in(&1.rooms[room.key], room))
    room
  end
end
