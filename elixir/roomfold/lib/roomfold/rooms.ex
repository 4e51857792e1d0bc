defmodule Roomfold.Rooms do
  @moduledoc """
  A place for rooms: what they share (a log, a stream, options), and the supervisor that starts them when they are asked for.

  One named `Roomfold.Rooms` is there from the start, with a log in memory, so that `Roomfold.Room.publish("123", event)`
  works without any set-up. An application adds its own to its supervision tree:

      children = [
        {Roomfold.Rooms,
         name: Xr.Rooms,
         log: {Roomfold.EventLog.SQLite, path: "rooms.db"},
         room: [module: Xr.Room, rules: Xr.rules(), tick_ms: 33]}
      ]

  and names its rooms `{Xr.Rooms, "123"}`.
  """
  use Supervisor

  alias Roomfold.{Error, EventStream, Room}
  alias Roomfold.Room.Options

  @type t :: atom

  @doc """
  Starts a place for rooms.

  ## Options

    * `:name` - an atom, required
    * `:log` - `{module, options}` of a `Roomfold.EventLog` to be started here (`{Roomfold.EventLog.Memory, []}`), a log that
      runs already, `{module, server}`, as `{:running, log}`, or `nil`: nothing is kept
    * `:stream` - a `Roomfold.EventStream`, `{module, name}`, that runs already; by default one of this node is started
    * `:room` - options of all its rooms (`Roomfold.Room.start_link/1`)

  ## Examples

      iex> {:ok, _} = Roomfold.Rooms.start_link(name: MyRooms, log: nil)
      iex> Roomfold.Room.publish({MyRooms, "1"}, {"user_joined", %{"user_id" => "tom"}}, by: :server)
      {:ok, 1}
  """
  @spec start_link(keyword) :: Supervisor.on_start()
  def start_link(opts) do
    Keyword.validate!(opts, [:name, :log, :stream, :room])
    Supervisor.start_link(__MODULE__, opts, name: Keyword.fetch!(opts, :name))
  end

  @doc false
  def child_spec(opts),
    do: %{id: {__MODULE__, opts[:name]}, start: {__MODULE__, :start_link, [opts]}, type: :supervisor}

  @impl true
  def init(opts) do
    name = opts[:name]
    {log, log_children} = log(Keyword.get(opts, :log, {Roomfold.EventLog.Memory, []}), name)
    {stream, stream_children} = stream(opts[:stream], name)
    config = [rooms: name, log: log, stream: stream] ++ Keyword.get(opts, :room, [])
    # A wrong option is found now, not by the first who asks for a room.
    Options.new([config, [id: "any"]])

    children =
      log_children ++
        stream_children ++
        [
          {Registry, keys: :unique, name: registry(name), meta: [config: config]},
          # A room that crashes is started again by whoever asks for it next; many at once are no reason to stop all others.
          {DynamicSupervisor,
           name: supervisor(name), strategy: :one_for_one, max_restarts: 1_000_000, max_seconds: 1}
        ]

    Supervisor.init(children, strategy: :rest_for_one)
  end

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

  defp registry(name), do: Module.concat(name, Registry)
  defp supervisor(name), do: Module.concat(name, Supervisor)

  @doc false
  def via(rooms, id), do: {:via, Registry, {registry(rooms), id}}

  @doc false
  def config(rooms) do
    {:ok, config} = Registry.meta(registry(rooms), :config)
    config
  end

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
  Ids of the rooms that run.

      iex> {:ok, _} = Roomfold.Room.publish("running-1", {"user_joined", %{"user_id" => "tom"}}, by: :server)
      iex> "running-1" in Roomfold.Rooms.running()
      true
  """
  @spec running(t) :: [Room.id()]
  def running(rooms \\ __MODULE__) do
    rooms |> registry() |> Registry.select([{{:"$1", :_, :_}, [], [:"$1"]}]) |> Enum.sort()
  end

  @doc false
  # The process of a room; started if it does not run.
  @spec fetch(t, Room.id(), keyword) :: {:ok, pid} | {:error, Error.t()}
  def fetch(rooms, id, opts \\ []) do
    case whereis(rooms, id) do
      nil -> start(rooms, id, opts)
      pid -> {:ok, pid}
    end
  end

  @doc false
  def whereis(rooms, id) do
    # Not lookup: it still finds who has just died.
    case Registry.whereis_name({registry(rooms), id}) do
      :undefined -> nil
      pid -> pid
    end
  end

  @doc false
  def start(rooms, id, opts) do
    options = options(rooms, id, opts)

    case DynamicSupervisor.start_child(supervisor(rooms), {Room.Server, options}) do
      {:ok, pid} -> {:ok, pid}
      {:error, {:already_started, pid}} -> {:ok, pid}
      {:error, %Error{} = error} -> {:error, error}
      {:error, reason} -> {:error, Error.new(:room_closed, detail: inspect(reason))}
    end
  end

  @doc false
  def options(rooms, id, opts) do
    config = config(rooms)
    module = Keyword.get(opts, :module, config[:module])
    Options.new([if(module, do: module.__room__(), else: []), config, opts, [id: id]])
  end
end
