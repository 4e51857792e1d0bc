defmodule Roomfold.Simulator do
  @moduledoc """
  A cluster that runs in one process and in virtual time: the same seed gives the same run, to the last message.

  Inside are the real `Roomfold.Room.State` (with its recovery, batches, people and systems), `Roomfold.Room.Inbox`, `Roomfold.Session`, the rules of
  `Roomfold.EventLog.Memory` and `Roomfold.Placement.Rendezvous`; around them nodes, a network and clients, which are made up and
  do their worst: messages are delayed, and between a room and its sessions also dropped, repeated and reordered; connections are cut and healed; nodes
  crash, freeze and are drained, and rooms and sessions alone are killed; the log's disk is slow, or gone for a while; every node's clock is wrong in its own way.

  After everything is well again, `Roomfold.Simulator.Check` says what must be true.

      {:ok, facts} = Roomfold.Simulator.run(seed)
      {:error, %{seed: seed, faults: faults, trace: trace}} = Roomfold.Simulator.run(seed)

  Time is in milliseconds. The state is in the process dictionary, since a session calls out while it is being called.
  """

  alias Roomfold.Simulator.{Check, Client, Faults, Host, Log}

  @nodes [:one, :two, :three]
  @rooms ["a", "b"]
  # Faults happen until then; the rest is for coming together.
  @stormy 6_000
  @end_at 16_000
  @trace 200

  defstruct seed: 0,
            now: 0,
            number: 0,
            queue: :gb_sets.new(),
            # node → %{up: boolean, thaws: nil | time, draining: boolean, clock: offset, life: number}
            nodes: %{},
            cuts: MapSet.new(),
            slow_disk_until: 0,
            log: nil,
            # of processes that run, and on which node each was that ever ran
            rooms: %{},
            homes: %{},
            clients: %{},
            # what a session is about to put into an inbox (Roomfold.Simulator.Put), by client
            puts: %{},
            # the last one that a room took of a client
            taken: %{},
            # what was acknowledged: {room, seq, user, number}
            acknowledged: [],
            faults: [],
            counts: %{},
            trace: [],
            trace?: false,
            sabotage: nil

  def nodes, do: @nodes
  def rooms, do: @rooms

  @doc """
  Runs a seed. With `trace: true` what happened is kept, newest first. `sabotage: :log` makes the log take whatever comes,
  `sabotage: :session` delivers half of a session's frames, `:order` makes rooms take from the inbox before they open it, `:asking` makes
  them look at nothing that was not counted, `:resting` lets them rest without a last look: what is to be found then shows that it would be.
  """
  def run(seed, opts \\ []) do
    :rand.seed(:exsss, {seed, 17, 4})

    put(%__MODULE__{
      seed: seed,
      log: Log.new(),
      trace?: Keyword.get(opts, :trace, false),
      sabotage: opts[:sabotage]
    })

    for node <- @nodes do
      clock = Enum.random(-100_000..100_000)
      update(&put_in(&1.nodes[node], %{up: true, thaws: nil, draining: false, clock: clock, life: 1}))
    end

    update(&put_in(&1.nodes[:log], %{up: true, thaws: nil, draining: false, clock: 0, life: 1}))
    Client.start_all()
    Faults.start(@stormy)
    loop()
    Check.finish()
    state = get()

    if state.faults == [],
      do: {:ok, Map.put(state.counts, :events, Log.count(state.log))},
      else: {:error, %{seed: seed, faults: Enum.reverse(state.faults), trace: state.trace}}
  end

  defp loop do
    state = get()

    case not :gb_sets.is_empty(state.queue) and :gb_sets.take_smallest(state.queue) do
      {{at, _, event}, queue} when at <= @end_at ->
        put(%{state | now: at, queue: queue})
        happens(event)
        loop()

      _ ->
        :ok
    end
  end

  # An event for a frozen node waits until it thaws; one for a life of a node that has ended never happens.
  defp happens({:on, node, life, event}) do
    case get().nodes[node] do
      %{up: false} -> false
      %{life: now} when now != life -> false
      %{thaws: thaws} when thaws != nil -> later(thaws - now(), {:on, node, life, event})
      _ -> happens(event)
    end
  end

  defp happens({:arrives, from, to, event}), do: connected?(from, to) and happens(event)
  defp happens({:fault, fault}), do: Faults.happens(fault)
  defp happens({:client, key, event}), do: Client.happens(key, event)
  defp happens({:room, key, event}), do: Host.happens(key, event)
  defp happens({:log, event}), do: Log.happens(event)

  # ---- for the parts ----

  def get, do: Process.get(__MODULE__)
  def put(state), do: Process.put(__MODULE__, state)
  def update(function), do: put(function.(get()))
  def now, do: get().now

  @doc "Something happens in so many milliseconds."
  def later(delay, event) do
    update(fn state ->
      entry = {state.now + max(delay, 0), state.number, event}
      %{state | number: state.number + 1, queue: :gb_sets.add_element(entry, state.queue)}
    end)

    true
  end

  @doc "The same, on a node: not if it has crashed by then."
  def later_on(node, delay, event), do: later(delay, {:on, node, get().nodes[node].life, event})

  @doc "A message between nodes: it arrives if they are connected then."
  def message(from, to, delay, event) do
    later_on(to, delay, {:arrives, from, to, event})
  end

  @doc "Whether one node's messages reach another's."
  def connected?(node, node), do: get().nodes[node].up

  def connected?(a, b) do
    state = get()
    state.nodes[a].up and state.nodes[b].up and not MapSet.member?(state.cuts, pair(a, b))
  end

  def frozen?(node), do: get().nodes[node].thaws != nil

  def pair(a, b), do: if(a < b, do: {a, b}, else: {b, a})

  def chance(percent), do: :rand.uniform(100) <= percent

  def count(what), do: update(fn state -> %{state | counts: Map.update(state.counts, what, 1, &(&1 + 1))} end)

  @doc "What must not be was seen."
  def fault(text) do
    note({:fault, text})
    update(fn state -> %{state | faults: ["at #{state.now} ms: #{text}" | state.faults]} end)
  end

  def note(what), do: update(&trace(&1, what))

  defp trace(%{trace?: false} = state, _), do: state
  defp trace(state, what), do: %{state | trace: Enum.take([{state.now, what} | state.trace], @trace)}
end
