defmodule Roomfold.Rooms do
  @moduledoc """
  A place for rooms: what they share (a log, a stream, options), and the supervisor that starts them on demand.

  One named `Roomfold.Rooms` always runs, with a log in memory, so that `Roomfold.Room.publish("123", event)` works without any set-up. An
  application adds its own to its supervision tree:

      children = [
        {Roomfold.Rooms,
         name: Xr.Rooms,
         log: {Roomfold.EventLog.SQLite, path: "rooms.db"},
         room: [module: Xr.Room, rules: Xr.rules(), tick_ms: 33]}
      ]

  and refers to its rooms as `{Xr.Rooms, "123"}`.

  A room may have options of its own (`Roomfold.Room.ensure_started/2`, `start_link/1`). If there is a log, the place remembers them for as
  long as it lives on its node: a room that stopped comes back with them, and its past and its forks are read with them. It remembers those
  of at most 10,000 rooms and 64 MB, and forgets the oldest first; such a room comes back with the place's options. What must always hold
  belongs in `:room`, or is given each time.
  """
  use Supervisor

  alias Roomfold.{Error, EventLog, EventStream, OptionList, Placement, Room, Rooms, Timer}
  alias Roomfold.Room.Options

  @type t :: atom

  # Nodes of one minor version fold alike.
  @version Mix.Project.config()[:version] |> Version.parse!() |> then(&"#{&1.major}.#{&1.minor}")
  # How long a room on another node may take to start: it may have a long log to fold.
  @start_ms 15_000
  @supervisors 32
  # A room that crashes is started again on its next use; many crashes at once are no reason to stop all other rooms.
  @supervisor {DynamicSupervisor, strategy: :one_for_one, max_restarts: 1_000_000, max_seconds: 1}

  @doc """
  Starts a place for rooms.

  ## Options

    * `:name` - an atom, required
    * `:log` - `{module, options}` of a `Roomfold.EventLog` to start (`{Roomfold.EventLog.Memory, []}`), or `{:running, {module, server}}`
      for a log that already runs, or `nil`: nothing is stored
    * `:stream` - a `Roomfold.EventStream`, `{module, name}`, that already runs; by default one for this node is started
    * `:placement` - decides on which node a room runs (`Roomfold.Placement`): `{Roomfold.Placement.Local, []}`, or
      `{Roomfold.Placement.Global, []}`, with which all connected nodes share the rooms
    * `:room` - options of all its rooms (`Roomfold.Room.start_link/1`)

  ## Examples

      iex> {:ok, _} = Roomfold.Rooms.start_link(name: MyRooms, log: nil)
      iex> Roomfold.Room.publish({MyRooms, "1"}, {"user_joined", %{"user_id" => "tom"}}, by: :server)
      {:ok, 1}
  """
  @spec start_link(keyword) :: Supervisor.on_start()
  def start_link(opts) do
    OptionList.validate!(opts, [:name, :log, :stream, :placement, :room], "a place for rooms")
    check(opts)
    Supervisor.start_link(__MODULE__, opts, name: opts[:name])
  end

  # Checked in the caller, also the options of rooms: a wrong option raises now, not when the first room is used.
  defp check(opts) do
    log = "{module, options}, such as {Roomfold.EventLog.SQLite, path: \"rooms.db\"}, {:running, log} or nil"
    stream = "{module, name} of a module that there is, such as {Roomfold.EventStream.Group, MyApp.Stream}"
    placement = "{module, options} of a Roomfold.Placement, such as {Roomfold.Placement.Global, []}"
    Options.must!(:name, opts[:name], &(is_atom(&1) and &1 != nil), "an atom")
    Options.must!(:log, opts[:log], &(&1 == nil or running?(&1) or Options.to_start?(&1)), log)
    Options.must!(:stream, opts[:stream], &(&1 == nil or Options.carrier?(&1)), stream)
    Options.must!(:placement, opts[:placement], &(&1 == nil or placement?(&1)), placement)
    Options.must!(:room, opts[:room], &(&1 == nil or Keyword.keyword?(&1)), "a list of options")
    room = opts[:room] || []
    Options.new([Options.of_module(room[:module]), room, [id: "any"]])

    if room[:id], do: raise(ArgumentError, "[:id] of :room: each room has its own")

    case Keyword.keys(Keyword.take(room, [:rooms, :log, :stream])) do
      [] -> :ok
      shared -> raise ArgumentError, "#{inspect(shared)} of :room: its rooms share those of the place"
    end
  end

  defp placement?({module, _} = placement),
    do: Options.to_start?(placement) and function_exported?(module, :node_for, 3)

  defp placement?(_), do: false

  defp running?({:running, log}), do: Options.carrier?(log)
  defp running?(_), do: false

  @doc false
  def child_spec(opts),
    do: %{id: {__MODULE__, opts[:name]}, start: {__MODULE__, :start_link, [opts]}, type: :supervisor}

  @impl true
  def init(opts) do
    name = opts[:name]
    {log, log_children} = log(Keyword.get(opts, :log, {Roomfold.EventLog.Memory, []}), name)
    {stream, stream_children} = stream(opts[:stream], name)
    config = [rooms: name, log: log, stream: stream] ++ (opts[:room] || [])
    options = Options.new([Options.of_module(config[:module]), config, [id: "any"]])
    {module, placement_opts} = placement = opts[:placement] || {Placement.Local, []}

    # First, so that a log that ends takes no room's options with it.
    children =
      [{Rooms.Own, name}] ++
        log_children ++
        stream_children ++
        [{Registry, keys: :unique, name: registry(name), meta: [config: config, placement: placement]}] ++
        module.children(name, placement_opts, facts(options)) ++
        [
          # Several, chosen by the room's id: a supervisor waits while a room starts, and that room may have a long log to fold.
          {PartitionSupervisor, name: supervisor(name), partitions: @supervisors, child_spec: @supervisor},
          %{id: :started, start: {__MODULE__, :note_started, [name]}}
        ] ++
        if(drains?(module), do: [{Rooms.Handover, name}], else: [])

    Supervisor.init(children, strategy: :rest_for_one)
  end

  @doc false
  def note_started(name) do
    :ok = Registry.put_meta(registry(name), :started, true)
    :ignore
  end

  # What nodes that share rooms must agree on: else they would fold one log into different worlds.
  defp facts(options) do
    %{
      "roomfold" => @version,
      "rules" => {options.rules.name, options.rules_version, hash(options.rules)},
      "schema" => hash(options.schema)
    }
  end

  defp hash(term),
    do: term |> :erlang.term_to_binary([:deterministic]) |> :erlang.md5() |> Base.encode16(case: :lower)

  defp log(nil, _), do: {nil, []}
  defp log({:running, {_, _} = log}, _), do: {log, []}

  defp log({module, opts}, name) do
    server = Module.concat(name, Log)
    {{module, server}, [{module, Keyword.put(opts, :name, server)}]}
  end

  defp stream(nil, name) do
    stream = Module.concat(name, Stream)
    {{EventStream.Local, stream}, [{EventStream.Local, name: stream}]}
  end

  defp stream({_, _} = stream, _), do: {stream, []}

  @doc false
  # The rooms that run on this node, by their ids.
  def registry(name), do: Module.concat(name, Registry)
  defp supervisor(name), do: Module.concat(name, Supervisor)

  @doc false
  # The name under which a room's process is registered.
  def name(rooms, id) do
    {module, opts} = placement(rooms)
    module.name(rooms, id, opts)
  end

  @doc false
  # Registers the calling process as a room on this node, besides the name that its placement gives it. Another process of the room may be there,
  # whose name was lost and which is about to end: then it answers that one, and is to be called again when it has ended.
  @spec here(t, Room.id()) :: :ok | {:taken, pid}
  def here(rooms, id) do
    case Registry.register(registry(rooms), id, nil) do
      {:error, {:already_registered, pid}} when pid != self() -> {:taken, pid}
      # Also where that is its own name.
      _ -> :ok
    end
  end

  @doc false
  def placement(rooms), do: meta(rooms, :placement)

  @doc false
  def config(rooms), do: meta(rooms, :config)

  defp meta(rooms, key) do
    case registered(rooms, &Registry.meta(&1, key)) do
      {:ok, value} -> value
      # Its registry is being started, and has its table but nothing in it.
      :error -> raise ArgumentError, not_running(rooms)
    end
  end

  # What the registry knows: how the place was started, and which rooms run.
  defp registered(rooms, _) when not is_atom(rooms),
    do: raise(ArgumentError, "a place for rooms is its name, an atom, got #{Error.got(rooms)}")

  defp registered(rooms, ask) do
    ask.(registry(rooms))
  rescue
    ArgumentError -> reraise ArgumentError, not_running(rooms), __STACKTRACE__
  end

  defp not_running(__MODULE__),
    do: "#{inspect(__MODULE__)} does not run on this node, as the application :roomfold is not started"

  defp not_running(rooms), do: "#{inspect(rooms)} does not run on this node"

  @doc """
  The stream of these rooms.

      iex> {module, _name} = Roomfold.Rooms.stream()
      iex> module
      Roomfold.EventStream.Local
  """
  @spec stream(t) :: EventStream.t()
  def stream(rooms \\ __MODULE__), do: config(rooms)[:stream]

  @doc """
  The log of these rooms, or `nil`.

      iex> {module, _server} = Roomfold.Rooms.log()
      iex> module
      Roomfold.EventLog.Memory
  """
  @spec log(t) :: Roomfold.EventLog.t() | nil
  def log(rooms \\ __MODULE__), do: config(rooms)[:log]

  @doc """
  Ids of the rooms that run on this node.

      iex> {:ok, _} = Roomfold.Room.publish("running-1", {"user_joined", %{"user_id" => "tom"}}, by: :server)
      iex> "running-1" in Roomfold.Rooms.running()
      true
  """
  @spec running(t) :: [Room.id()]
  def running(rooms \\ __MODULE__), do: Enum.sort(for {id, _} <- processes(rooms), do: id)

  @doc false
  # The rooms of this node, `{id, pid}`. The registry removes a process a little after it has ended.
  def processes(rooms) do
    all = [{{:"$1", :"$2", :_}, [], [{{:"$1", :"$2"}}]}]

    for {_, pid} = entry <- registered(rooms, &Registry.select(&1, all)),
        Process.alive?(pid),
        do: entry
  end

  @doc false
  # The process of a room, on any node; it is started if it does not run.
  @spec fetch(t, Room.id(), keyword) :: {:ok, pid} | {:error, Error.t()}
  def fetch(rooms, id, opts \\ []) do
    if_running(rooms, fn ->
      case named(rooms, id) do
        nil -> start(rooms, id, opts)
        pid -> {:ok, pid}
      end
    end)
  end

  @doc false
  # What a function of the place answers. That the place stops, or was never started, is an error to return; a wrong option is the caller's
  # mistake.
  @spec if_running(t, (() -> answer), boolean) :: answer | {:error, Error.t()} when answer: term
  def if_running(rooms, function, again? \\ true) do
    function.()
  rescue
    error in ArgumentError ->
      cond do
        not runs?(rooms) -> gone(rooms)
        # A place that was just restarted, as its log has ended, had no tables for a moment.
        again? -> if_running(rooms, function, false)
        true -> reraise(error, __STACKTRACE__)
      end
  catch
    :exit, _ -> gone(rooms)
  end

  # Its supervisor ends last: the other processes may have ended before.
  defp runs?(rooms), do: Enum.all?([rooms, registry(rooms), supervisor(rooms)], &Process.whereis/1)

  defp gone(rooms), do: {:error, Error.new(:no_room, detail: not_running(rooms))}

  @doc false
  # A node may have missed a name (`Roomfold.Placement.Names`). Until it hears of it, the node that places the room knows it.
  def whereis(rooms, id), do: named(rooms, id) || at_its_node(rooms, id)

  defp named(rooms, id) do
    {module, opts} = placement(rooms)
    module.whereis(rooms, id, opts)
  end

  defp at_its_node(rooms, id) do
    {module, opts} = placement(rooms)

    with {:ok, node} when node != node() <- module.node_for(rooms, id, opts),
         pid when is_pid(pid) <- there(node, :whereis_here, [rooms, id]) do
      pid
    else
      _ -> nil
    end
  end

  @doc false
  def whereis_here(rooms, id) do
    with [{pid, _}] <- Registry.lookup(registry(rooms), id),
         true <- Process.alive?(pid),
         do: pid,
         else: (_ -> nil)
  end

  defp start(rooms, id, opts) do
    {module, placement_opts} = placement(rooms)

    with {:ok, node} <- module.node_for(rooms, id, placement_opts) do
      there(node, :start_here, [rooms, id, opts])
    end
  end

  defp there(node, function, args) when node == node(), do: apply(__MODULE__, function, args)

  defp there(node, function, args) do
    :erpc.call(node, __MODULE__, function, args, @start_ms)
  catch
    :error, {:erpc, reason} ->
      {:error, Error.new(:node_away, detail: "#{node}: #{reason}")}

    kind, reason ->
      {:error, Error.new(:room_closed, detail: "on #{node}: " <> Exception.format_banner(kind, reason))}
  end

  @doc false
  def start_here(rooms, id, opts) do
    # Other nodes may place rooms here before this place has all its processes. Its supervisor answers when it has.
    if Registry.meta(registry(rooms), :started) == :error, do: Supervisor.count_children(rooms)
    options = options(rooms, id, opts)

    supervisor = {:via, PartitionSupervisor, {supervisor(rooms), id}}

    case DynamicSupervisor.start_child(supervisor, {Room.Server, options}) do
      {:ok, pid} -> started(pid, options, opts)
      {:error, {:already_started, pid}} -> {:ok, pid}
      {:error, %Error{} = error} -> {:error, error}
      {:error, reason} -> {:error, Error.new(:room_closed, detail: why(reason))}
    end
  end

  # For example what its module raised, without the stacktrace: that is logged.
  defp why({%{__exception__: true} = exception, [_ | _]}), do: Exception.format_banner(:error, exception)
  defp why(reason), do: inspect(reason)

  @doc """
  Hands over the rooms of this node: each is stopped in good order, with all published events and a snapshot in the log, and no new one is
  placed here while there are other nodes. Sessions rejoin by themselves, with their last seqs, wherever the room runs next. Returns the number
  of rooms. `Roomfold.Rooms` calls this itself when it shuts down.

  ## Options

    * `:timeout` - milliseconds for each room (15,000)

  ## Examples

      iex> {:ok, _} = Roomfold.Rooms.start_link(name: DrainedRooms, log: nil)
      iex> {:ok, 1} = Roomfold.Room.publish({DrainedRooms, "1"}, {"user_joined", %{"user_id" => "tom"}})
      iex> Roomfold.Rooms.drain(DrainedRooms)
      {:ok, 1}
  """
  @spec drain(t, keyword) :: {:ok, non_neg_integer}
  def drain(rooms, opts \\ []) do
    opts = OptionList.validate!(opts, [timeout: 15_000], "a drain")
    timeout = Timer.timeout!(:timeout, opts[:timeout])
    {module, placement_opts} = placement(rooms)
    if drains?(module), do: module.drain(rooms, placement_opts)
    {:ok, stop_all(rooms, :moved, timeout)}
  end

  defp drains?(module), do: Code.ensure_loaded?(module) and function_exported?(module, :drain, 2)

  # How often it is looked for more.
  @stops 5

  @doc false
  # Several at a time, so that they share their last commits.
  def stop_all(rooms, reason, timeout \\ 15_000) do
    stop_all(rooms, reason, timeout, [], @stops)
  end

  # A room is registered here only once an earlier process of it has ended (here/2), which may be one of those that are stopped.
  defp stop_all(_, _, _, stopped, 0), do: length(stopped)

  defp stop_all(rooms, reason, timeout, stopped, left) do
    case for({_, pid} <- processes(rooms), pid not in stopped, do: pid) do
      [] ->
        length(stopped)

      pids ->
        pids
        |> Task.async_stream(&stop(&1, reason, timeout),
          max_concurrency: 64,
          timeout: :infinity,
          ordered: false
        )
        |> Stream.run()

        stop_all(rooms, reason, timeout, pids ++ stopped, left - 1)
    end
  end

  defp stop(pid, reason, timeout) do
    GenServer.stop(pid, {:shutdown, reason}, timeout)
  catch
    :exit, _ -> :ok
  end

  # Those that were given stay its own.
  defp started(pid, _, []), do: {:ok, pid}

  defp started(pid, options, opts) do
    remember(options, opts)
    {:ok, pid}
  end

  @doc false
  # What a room without a log was given goes with it, as all else.
  def remember(%Options{log: nil}, _), do: :ok
  def remember(%Options{rooms: rooms, id: id}, opts), do: Rooms.Own.put(rooms, id, opts)

  @doc false
  # Where a room that does not run has its log: on its node, if each has one of its own.
  @spec home(t, Room.id(), EventLog.t() | nil) :: {:ok, node} | {:error, Error.t()}
  def home(rooms, id, log) do
    {module, opts} = placement(rooms)
    if EventLog.own?(log), do: module.node_for(rooms, id, opts), else: {:ok, node()}
  end

  @doc false
  # The options of a room that does not run, as its home has them.
  @spec options_at_home(t, Room.id()) :: {:ok, Options.t(), node} | {:error, Error.t()}
  def options_at_home(rooms, id) do
    with {:ok, node} <- home(rooms, id, log(rooms)),
         %Options{} = options <- there(node, :options, [rooms, id, []]),
         do: {:ok, options, node}
  end

  @doc false
  # A fork is read by what its original is read by, where it is at home.
  def inherit(options, rooms, id, home), do: there(home, :inherit, [options, rooms, id])

  @doc false
  def inherit(%Options{} = options, rooms, id) do
    if Map.put(Options.new(levels(rooms, [], id)), :id, options.id) != options,
      do: remember(%{options | rooms: rooms, id: id}, Options.to_list(options)),
      else: Rooms.Own.delete(rooms, id)
  end

  @doc false
  # Without options of its own it has those that it was last started with.
  def options(rooms, id, opts) do
    opts = if opts == [], do: own(rooms, id), else: opts
    Options.new(levels(rooms, opts, id))
  end

  defp levels(rooms, opts, id) do
    config = config(rooms)
    module = Keyword.get(opts, :module, config[:module])
    [Options.of_module(module), config, opts, [id: id]]
  end

  # A room that was deleted from the log is another one if it comes again.
  defp own(rooms, id) do
    opts = Rooms.Own.get(rooms, id)

    if opts != [] and EventLog.head(Keyword.get(opts, :log, log(rooms)), id) == {:ok, nil} do
      Rooms.Own.delete(rooms, id)
      []
    else
      opts
    end
  end
end
