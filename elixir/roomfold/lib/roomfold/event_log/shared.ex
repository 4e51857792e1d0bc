defmodule Roomfold.EventLog.Shared do
  @moduledoc """
  A log for several nodes: one node has it, for example a SQLite database, and serves it to the others.

      # on the node that has the disk
      children = [{Roomfold.EventLog.Shared, name: Xr.Log, log: {Roomfold.EventLog.SQLite, path: "rooms.db"}}]

      # on the nodes that have rooms, which may include that one
      {Roomfold.Rooms,
       name: Xr.Rooms,
       log: {:running, {Roomfold.EventLog.Shared, {Xr.Log, :"log@10.0.0.5"}}},
       placement: {Roomfold.Placement.Global, []}}

  Rooms of all nodes share commits, and what is acknowledged is on that node's disk. While that node is away there are no rooms: running rooms
  stop, since they can't write, and come back with it. That is the price of a single disk; a log in PostgreSQL (`Roomfold.EventLog.Ecto` in the
  companion package) moves this to the database.
  """
  use Supervisor

  alias Roomfold.{EventLog, OptionList}
  alias Roomfold.EventLog.Shared.Server
  alias Roomfold.Room.Options

  @behaviour EventLog

  @doc """
  Starts the log and its server.

  ## Options

    * `:name` - an atom, required
    * `:log` - `{module, options}` of a `Roomfold.EventLog`, required

  ## Examples

      iex> {:ok, _} = Roomfold.EventLog.Shared.start_link(name: SharedLog, log: {Roomfold.EventLog.Memory, []})
      iex> log = {Roomfold.EventLog.Shared, {SharedLog, node()}}
      iex> {:ok, head} = Roomfold.EventLog.claim(log, "lobby")
      iex> Roomfold.EventLog.append(log, "lobby", head.term, 0, [~s({"seq":1})])
      :ok
  """
  @spec start_link(keyword) :: Supervisor.on_start()
  def start_link(opts) do
    OptionList.validate!(opts, [:name, :log], "a shared log")
    {name, log} = {Options.name!(opts[:name]), opts[:log]}

    Options.must!(
      :log,
      log,
      &Options.to_start?/1,
      "{module, options}, such as {Roomfold.EventLog.SQLite, path: \"rooms.db\"}"
    )

    Supervisor.start_link(__MODULE__, {name, log}, name: Module.concat(name, Supervisor))
  end

  @doc false
  def child_spec(opts),
    do: %{id: {__MODULE__, opts[:name]}, start: {__MODULE__, :start_link, [opts]}, type: :supervisor}

  @impl Supervisor
  def init({name, {module, opts}}) do
    inner = Module.concat(name, Log)

    children = [
      {module, Keyword.put(opts, :name, inner)},
      {Task.Supervisor, name: Module.concat(name, Tasks)},
      {Server, name: name, log: {module, inner}, tasks: Module.concat(name, Tasks)}
    ]

    # Callers monitor the server, and must learn when the log ends.
    Supervisor.init(children, strategy: :one_for_all)
  end

  # ---- for callers, on any node ----

  @impl EventLog
  def claim(server, room, meta, over), do: ask(server, :claim, [room, meta, [over: over]])
  @impl EventLog
  def head(server, room), do: ask(server, :head, [room])

  @impl EventLog
  def submit(server, room, term, after_seq, records, opts) do
    {server, reference} = EventLog.watch(server)
    records = Enum.map(records, &IO.iodata_to_binary/1)
    # The text would be sent twice, and the caller does not monitor the log on the other node.
    opts = Keyword.drop(opts, [:text, :watched])
    if server, do: send(server, {:submit, reference, [room, term, after_seq, records, opts]})
    reference
  end

  @impl EventLog
  def read(server, room, from, to, limits) do
    limits = Map.to_list(limits)
    ask(server, :read, [room, from, to, limits])
  end

  @impl EventLog
  def put_snapshot(server, room, term, seq, data), do: ask(server, :put_snapshot, [room, term, seq, data])
  @impl EventLog
  def snapshot(server, room, at_most), do: ask(server, :snapshot, [room, at_most])
  @impl EventLog
  def trim(server, room, keep_from), do: ask(server, :trim, [room, keep_from])
  @impl EventLog
  def rooms(server), do: ask(server, :rooms, [])
  @impl EventLog
  def delete(server, room, over), do: ask(server, :delete, [room, [over: over]])
  @impl EventLog
  def verify(server, room), do: ask(server, :verify, [room])

  defp ask(server, function, args), do: EventLog.call(server, {function, args})
end
