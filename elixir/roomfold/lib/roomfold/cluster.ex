defmodule Roomfold.Cluster do
  @moduledoc """
  Which nodes share the rooms of a place (`Roomfold.Placement.Global` starts it with `Roomfold.Rooms`).

  The nodes are connected Erlang nodes; connecting them is up to the application (libcluster, for example). Each announces what it folds
  with: version, rules, schema. A node that differs from the others is refused: it places no rooms, returns `:node_refused` for them, and logs
  why. It takes part as soon as no node is left that it differs from. A node with another cookie can't connect at all.
  """
  use GenServer
  require Logger

  alias Roomfold.Cluster.Members
  alias Roomfold.{Error, Timer}

  @type rooms :: atom

  # How long a new node waits for the nodes it is connected to, before it takes part without them.
  @join_ms 500
  # How long whoever looks for a room waits for the names of the nodes that this one has just met.
  @names_ms 2_000

  @doc false
  def start_link(opts) do
    GenServer.start_link(__MODULE__, opts, name: server(opts[:rooms]))
  end

  @doc """
  The nodes that take part, and whether this one does.

    * `:status` - of this node: `:joining`, `:up`, `:draining` or `:refused`
    * `:reason` - why it is refused
    * `:nodes` - the nodes on which rooms may be placed
    * `:refused` - nodes that have the same place for rooms but differ, `[{node, reason}]`

  ## Examples

      iex> {:ok, _} = Roomfold.Rooms.start_link(name: SharedRooms, log: nil, placement: {Roomfold.Placement.Global, []})
      iex> info = Roomfold.Cluster.info(SharedRooms)
      iex> {info.status in [:joining, :up], info.reason, info.refused}
      {true, nil, []}
  """
  @spec info(rooms) :: %{
          status: :joining | :up | :draining | :refused,
          reason: String.t() | nil,
          nodes: [node],
          refused: [{node, String.t()}]
        }
  def info(rooms), do: GenServer.call(server(rooms), :info, Timer.call_ms())

  @doc false
  # Read from a table, once the process has decided.
  @spec placeable(rooms) :: {:ok, [node, ...]} | {:error, Error.t()}
  def placeable(rooms) do
    case :ets.lookup(table(rooms), :members) do
      [{_, :ok, nodes}] -> {:ok, nodes}
      [{_, :refused, reason}] -> {:error, Error.new(:node_refused, detail: reason)}
      [] -> GenServer.call(server(rooms), :placeable, Timer.call_ms())
    end
  end

  @doc false
  # Returns once :global has exchanged its names with all nodes that are connected, or has had time to: before, that a room is not found does not
  # mean that it does not run.
  @spec await_names(rooms) :: :ok
  def await_names(rooms) do
    case :ets.lookup(table(rooms), :names) do
      [{_, :exchanged}] -> :ok
      _ -> GenServer.call(server(rooms), :await_names, Timer.call_ms())
    end
  end

  @doc false
  @spec drain(rooms) :: :ok
  def drain(rooms), do: GenServer.call(server(rooms), :drain, Timer.call_ms())

  defp server(rooms), do: Module.concat(rooms, Cluster)
  defp table(rooms), do: Module.concat(rooms, Members)

  # ---- the process ----

  @impl true
  def init(opts) do
    :ok = :net_kernel.monitor_nodes(true)
    :ets.new(table(opts[:rooms]), [:named_table, :protected, read_concurrency: true])

    state = %{
      rooms: opts[:rooms],
      members: Members.new(node(), opts[:facts]),
      waiting: [],
      unheard: Node.list(),
      # {pid, monitor, key of the timer}: the process that waits for :global; and who waits for it
      exchange: nil,
      unnamed: []
    }

    state = if Node.list() == [], do: exchanged(state), else: exchange(state)
    for node <- Node.list(), do: greet(state, node, :please_answer)
    if Node.list() == [], do: send(self(), :joined), else: Process.send_after(self(), :joined, @join_ms)
    {:ok, state}
  end

  @impl true
  def handle_call(:info, _, state) do
    members = state.members

    info = %{
      status: members.status,
      reason: members.reason,
      nodes: Members.placeable(members),
      refused: Members.refused(members)
    }

    {:reply, info, state}
  end

  def handle_call(:placeable, from, %{members: %{status: :joining}} = state),
    do: {:noreply, %{state | waiting: [from | state.waiting]}}

  def handle_call(:placeable, _, state), do: {:reply, answer(state.members), state}

  def handle_call(:await_names, _, %{exchange: nil} = state), do: {:reply, :ok, state}
  def handle_call(:await_names, from, state), do: {:noreply, %{state | unnamed: [from | state.unnamed]}}

  def handle_call(:drain, _, state) do
    state = changed(state, Members.drain(state.members))
    tell_all(state)
    {:reply, :ok, state}
  end

  @impl true
  def handle_info({:hello, hello, answer?}, state) do
    if answer? == :please_answer, do: greet(state, hello.node, :no_answer)
    state = changed(state, Members.heard(state.members, hello))
    {:noreply, heard(state, hello.node)}
  end

  def handle_info(:joined, state), do: {:noreply, up(state)}

  def handle_info({:nodeup, node}, state) do
    greet(state, node, :please_answer)
    {:noreply, exchange(state)}
  end

  def handle_info({:greet, node}, state) do
    greet(state, node, :please_answer)
    {:noreply, state}
  end

  def handle_info({:DOWN, ref, _, _, _}, %{exchange: {_, ref, _}} = state), do: {:noreply, exchanged(state)}
  def handle_info({:exchanged, key}, %{exchange: {_, _, key}} = state), do: {:noreply, exchanged(state)}

  def handle_info({:nodedown, node}, state) do
    {:noreply, state |> changed(Members.gone(state.members, node)) |> heard(node)}
  end

  def handle_info(_, state), do: {:noreply, state}

  # In another process: a node that hangs exchanges nothing. If more nodes come meanwhile, nobody waits any longer for that.
  defp exchange(%{exchange: nil} = state) do
    key = make_ref()
    Process.send_after(self(), {:exchanged, key}, @names_ms)
    :ets.insert(table(state.rooms), {:names, :unknown})
    exchange(state, key)
  end

  defp exchange(%{exchange: {_, _, key}} = state) do
    stop_exchange(state)
    exchange(state, key)
  end

  defp exchange(state, key) do
    {pid, ref} = spawn_monitor(&:global.sync/0)
    %{state | exchange: {pid, ref, key}}
  end

  defp exchanged(state) do
    stop_exchange(state)
    :ets.insert(table(state.rooms), {:names, :exchanged})
    for from <- state.unnamed, do: GenServer.reply(from, :ok)
    %{state | exchange: nil, unnamed: []}
  end

  defp stop_exchange(%{exchange: nil}), do: :ok

  defp stop_exchange(%{exchange: {pid, ref, _}}) do
    Process.demonitor(ref, [:flush])
    Process.exit(pid, :kill)
  end

  defp heard(%{unheard: []} = state, _), do: state

  defp heard(state, node) do
    case List.delete(state.unheard, node) do
      [] -> up(%{state | unheard: []})
      unheard -> %{state | unheard: unheard}
    end
  end

  defp up(state) do
    was = state.members.status
    state = changed(state, Members.joined(state.members))
    if was == :joining, do: tell_all(state)
    state
  end

  # Writes the table, answers waiting callers, and stops the rooms of a node that is refused.
  defp changed(%{members: members} = state, members), do: state

  defp changed(%{members: was} = state, members) do
    if members.status != :joining do
      :ets.insert(table(state.rooms), entry(members))
      for from <- state.waiting, do: GenServer.reply(from, answer(members))
    end

    state = %{state | members: members, waiting: if(members.status == :joining, do: state.waiting, else: [])}
    if members.status != was.status, do: status_changed(state, was.status)
    state
  end

  defp status_changed(%{members: %{status: :refused} = members} = state, _) do
    Logger.error("this node is refused by the cluster of #{inspect(state.rooms)}: #{members.reason}")
    # In another process: stopping may take a while.
    rooms = state.rooms
    spawn(fn -> Roomfold.Rooms.stop_all(rooms, :node_refused) end)
    tell_all(state)
  end

  defp status_changed(state, was) do
    if was != :joining, do: tell_all(state)
  end

  defp entry(%{status: :refused} = members), do: {:members, :refused, members.reason}
  defp entry(members), do: {:members, :ok, Members.placeable(members)}

  defp answer(%{status: :refused} = members),
    do: {:error, Error.new(:node_refused, detail: members.reason)}

  defp answer(members), do: {:ok, Members.placeable(members)}

  defp tell_all(state), do: for(node <- Node.list(), do: greet(state, node, :no_answer))

  # A node that hangs must not hold this up: the message is sent again later.
  @again_ms 1_000
  defp greet(state, node, answer?) do
    message = {:hello, Members.hello(state.members), answer?}

    if Process.send({server(state.rooms), node}, message, [:nosuspend, :noconnect]) == :nosuspend,
      do: Process.send_after(self(), {:greet, node}, @again_ms)
  end
end
