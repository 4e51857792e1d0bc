defmodule Roomfold.Port do
  @moduledoc """
  Worlds in OS processes of their own, for applications that don't load C into the VM: `impl: :port`.

      iex> world = Roomfold.World.new!(impl: :port)
      iex> world = Roomfold.World.fold!(world, [{"user_joined", %{"user_id" => "tom", "position" => [0, 1, 2]}}])
      iex> Roomfold.World.get(world, "tom")
      %{"position" => [0.0, 1.0, 2.0]}

  A pool of a few programs (`priv/roomfold_port`), each with many worlds and many calls in flight. The pool named `Roomfold.Port` is
  started on first use, with the options of the application's environment:

      config :roomfold, port: [size: 4, timeout: 2_000]

  or as part of a supervision tree, `{Roomfold.Port, size: 4}`, before the processes that use it. A pool of your own is a module:

      defmodule MyApp.Worlds do
        use Roomfold.Port, size: 1
      end

      # in the supervision tree: MyApp.Worlds; then
      Roomfold.World.new(impl: MyApp.Worlds)

  A program that crashes, or does not answer in time, is restarted, and its worlds are recreated from what their values keep: the last
  checkpoint and the input folded since. To the caller, nothing has happened. `docs/port.md` describes the costs and limits of this.
  """
  use Supervisor

  alias Roomfold.{OptionList, Timer, World}
  alias Roomfold.Port.{Program, Reaper, Worker}

  @options [
    name: __MODULE__,
    size: nil,
    timeout: 5_000,
    max_in_flight: 64,
    max_in_flight_bytes: 786_432,
    max_waiting: 10_000,
    max_worlds: 10_000,
    max_frame_bytes: 67_108_864,
    program: nil,
    args: nil
  ]

  @doc false
  defmacro __using__(opts) do
    delegates =
      for {name, arity} <- operations() do
        arguments = Macro.generate_arguments(arity, __MODULE__)

        quote do
          @impl true
          defdelegate unquote(name)(unquote_splicing(arguments)), to: Projection
        end
      end

    quote do
      @behaviour Roomfold.Projection
      alias Roomfold.Projection.Port, as: Projection

      def child_spec(opts), do: %{id: __MODULE__, start: {__MODULE__, :start_link, [opts]}, type: :supervisor}

      def start_link(opts \\ []) do
        unquote(opts) |> Keyword.merge(opts) |> Keyword.put(:name, __MODULE__) |> Roomfold.Port.start_link()
      end

      @impl true
      def new(schema, rules, limits), do: Projection.new(schema, rules, limits, __MODULE__)

      unquote_splicing(delegates)
    end
  end

  # The callbacks of Roomfold.Projection that find their pool in the world.
  defp operations do
    [
      json: 0,
      fold: 2,
      fold_plain: 2,
      admit: 3,
      input_text: 4,
      events_text: 2,
      copy: 1,
      get: 2,
      query: 2,
      snapshot: 2,
      diff: 2,
      encode: 4,
      apply_diff: 2,
      load: 2,
      open_hits: 3,
      cast: 2,
      overlap: 2,
      mark: 2,
      info: 1
    ]
  end

  @doc false
  def child_spec(opts), do: %{super(opts) | id: {__MODULE__, opts[:name] || __MODULE__}}

  @doc """
  Starts a pool.

  ## Options

    * `:name` (`Roomfold.Port`)
    * `:size` - how many programs (as many as there are schedulers)
    * `:timeout` - milliseconds that a program may take for a call, and that a call may wait for its turn (5,000). A program that takes longer
      is killed and restarted, and the call made once more (`:port_timeout` if it takes too long again); a call that waits longer is refused
      (`:port_busy`), as is one that comes while `:max_waiting` (10,000) others wait
    * `:max_in_flight` (64) and `:max_in_flight_bytes` (768 KB) - calls that a program may have in flight; others wait. More bytes than a pipe
      holds (1 MB on Linux) are copied once more
    * `:max_worlds` - in a program (10,000). Beyond that, the least recently used one is dropped, and recreated when it is used again
    * `:max_frame_bytes` - of one call or answer (64 MB); longer ones are refused (`:too_large`). Each entity must fit, too: a world with one that
      does not takes no more changes after 16 times as many bytes of them
    * `:program` - a path, instead of `priv/roomfold_port`, and `:args`, instead of the default ones

  ## Examples

      iex> {:ok, pool} = Roomfold.Port.start_link(name: :doctest_pool, size: 1)
      iex> Roomfold.Port.ping(:doctest_pool)
      :ok
      iex> [%{worlds: 0, in_flight: 0, restarts: 0}] = Roomfold.Port.info(:doctest_pool)
      iex> Supervisor.stop(pool)
      :ok
  """
  @spec start_link(keyword) :: Supervisor.on_start()
  def start_link(opts \\ []) do
    opts = options!(opts)

    with {:ok, pid} <- Supervisor.start_link(__MODULE__, opts, name: opts[:name]) do
      # Its name is there before its workers are.
      :ets.insert(table(opts[:name]), {:ready, true})
      {:ok, pid}
    end
  end

  # What is wrong is said to the caller, not by a supervisor.
  defp options!(opts) do
    given = OptionList.validate!(opts, Keyword.keys(@options), "a pool")
    opts = @options |> Keyword.merge(given) |> check!()
    Program.path!(opts[:program])
    opts
  end

  defp check!(opts) do
    opts = Keyword.update!(opts, :size, &(&1 || System.schedulers_online()))
    number = &(is_integer(&1) and &1 > 0)

    for name <- [:max_in_flight, :max_in_flight_bytes, :max_waiting, :max_worlds],
        do: must!(opts, name, number, "a whole number above 0")

    must!(opts, :size, &(is_integer(&1) and &1 in 1..1_024), "1 to 1,024 programs")
    must!(opts, :timeout, &(is_integer(&1) and &1 in 1..Timer.longest()), "1 to 4,294,967,295 milliseconds")
    must!(opts, :program, &(&1 == nil or (is_binary(&1) and String.valid?(&1))), "a path, a string")
    must!(opts, :args, &(&1 == nil or strings?(&1)), "a list of strings")

    must!(
      opts,
      :max_frame_bytes,
      &(is_integer(&1) and &1 in 1_024..1_073_741_824),
      "1,024 to 1,073,741,824 bytes"
    )

    must!(opts, :name, &(is_atom(&1) and &1 not in [nil, true, false]), "an atom")
    opts
  end

  defp strings?([string | strings]), do: is_binary(string) and strings?(strings)
  defp strings?(rest), do: rest == []

  defp must!(opts, name, check, what) do
    unless check.(opts[name]),
      do: raise(ArgumentError, "#{inspect(name)} must be #{what}, got: #{inspect(opts[name])}")
  end

  @impl true
  def init(opts) do
    # The atoms that answers consist of: decoding creates none, and where modules are loaded when they are called first (iex, mix), nobody
    # may have needed these yet.
    Enum.each([Roomfold.Error, Roomfold.Hits], &Code.ensure_loaded!/1)

    name = opts[:name]
    reaper = Module.concat(name, :Reaper)

    workers =
      for index <- 0..(opts[:size] - 1) do
        worker_opts =
          opts |> Keyword.drop([:size]) |> Keyword.merge(name: worker_name(name, index), reaper: reaper)

        Supervisor.child_spec({Worker, worker_opts}, id: {Worker, index})
      end

    # The supervisor's own, so it is there as long as the pool.
    :ets.new(table(name), [:named_table, :public])
    :ets.insert(table(name), size: opts[:size], turn: -1, max_frame_bytes: opts[:max_frame_bytes])

    # The last one to stop: its programs must have been killed by then, also on a machine that stood still for seconds.
    reaper = %{id: Reaper, start: {Reaper, :start_link, [[name: reaper]]}, shutdown: 30_000}

    # A program that ends is restarted by its worker. These limits are for the workers themselves.
    Supervisor.init([reaper | workers],
      strategy: :rest_for_one,
      max_restarts: 100,
      max_seconds: 1
    )
  end

  defp table(pool), do: Module.concat(pool, :Pool)
  defp size(pool), do: :ets.lookup_element(table(pool), :size, 2)

  @doc false
  def max_frame_bytes(pool), do: :ets.lookup_element(table(pool), :max_frame_bytes, 2)

  @doc false
  # The same, or what it was if the pool does not run.
  def max_frame_bytes(pool, was) do
    max_frame_bytes(pool)
  rescue
    ArgumentError -> was
  end

  @doc false
  # An atom (a pool has at most 1,024), as a look-up in a registry is a tenth of what a call costs.
  def worker_name(pool, index), do: Module.concat(pool, "Worker#{index}")

  @doc false
  # The worker for a new world: each in turn.
  def worker_for(pool), do: :ets.update_counter(table(pool), :turn, {2, 1, size(pool) - 1, 0})

  @doc false
  # The same worker if the pool has it, else one by the world's number.
  def worker_of(pool, worker, number) do
    workers = for index <- 0..(size(pool) - 1), do: worker_name(pool, index)
    if worker in workers, do: worker, else: Enum.at(workers, rem(number, length(workers)))
  rescue
    # The pool does not run.
    ArgumentError -> worker
  end

  @doc false
  # Starts the pool if it does not run and waits for its workers, or raises with what to do.
  def ensure!(pool) do
    cond do
      not is_atom(pool) -> not_running!(pool)
      ready?(pool) -> :ok
      # It is being started: it answers when its workers are there.
      pid = Process.whereis(pool) -> wait_for(pid, pool)
      true -> start!(pool)
    end
  end

  defp ready?(pool) do
    :ets.member(table(pool), :ready)
  rescue
    ArgumentError -> false
  end

  defp wait_for(pid, pool) do
    unless :proc_lib.translate_initial_call(pid) == {:supervisor, __MODULE__, 1},
      do: raise(ArgumentError, "#{inspect(pool)} is the name of a process that is no pool")

    Supervisor.count_children(pid)
    :ok
  catch
    :exit, _ -> start!(pool)
  end

  defp start!(__MODULE__) do
    opts = Application.get_env(:roomfold, :port, [])

    unless options!(opts)[:name] == __MODULE__,
      do:
        raise(
          ArgumentError,
          "config :roomfold, port: is for the pool #{inspect(__MODULE__)}, without a :name"
        )

    case on_demand({__MODULE__, opts}) do
      {:ok, _} -> :ok
      {:error, {:already_started, _}} -> :ok
      {:error, reason} -> raise "Roomfold.Port could not be started: #{inspect(reason)}"
    end
  end

  defp start!(pool), do: not_running!(pool)

  defp on_demand(pool) do
    DynamicSupervisor.start_child(__MODULE__.OnDemand, pool)
  catch
    :exit, _ ->
      raise "Roomfold.Port could not be started, as the application :roomfold does not run: " <>
              "call Application.ensure_all_started(:roomfold), or start the pool yourself (Roomfold.Port.start_link/1)"
  end

  @doc false
  # For a world whose worker is not there. Its pool may have ended with the application: the one that starts on first use is started again.
  @spec revive(atom) :: :ok | {:error, String.t()}
  def revive(pool) do
    ensure!(pool)
  rescue
    error -> {:error, error |> Exception.message() |> String.trim()}
  end

  defp not_running!(pool) do
    raise ArgumentError, "the pool #{inspect(pool)} does not run: put it into your supervision tree"
  end

  @doc """
  Calls a program that answers at once: one round trip.

      iex> Roomfold.Port.ping()
      :ok
  """
  @spec ping(atom, index :: non_neg_integer) :: :ok | {:error, atom}
  def ping(pool \\ __MODULE__, index \\ 0) do
    ensure!(pool)
    with {:ok, _, _} <- Worker.call(worker_name(pool, index), {:ping, 0, 0, nil}, nil), do: :ok
  end

  @doc """
  The state of each program: its OS process, the number of its worlds, of calls in flight and of waiting calls, how often it was restarted;
  and how often a lost world was recreated, with the total time in microseconds.

      iex> [%{os_pid: pid} | _] = Roomfold.Port.info()
      iex> is_integer(pid)
      true
  """
  @spec info(atom) :: [map]
  def info(pool \\ __MODULE__) do
    ensure!(pool)
    for index <- 0..(size(pool) - 1), do: Worker.info(worker_name(pool, index))
  end

  @doc """
  Frees the memory of a world in its program, without waiting for the end of the process that created it. The value stays usable: on
  its next use the world is recreated.

      iex> world = Roomfold.World.fold!(Roomfold.World.new!(impl: :port), [{"user_joined", %{"user_id" => "tom"}}])
      iex> Roomfold.Port.release(world)
      :ok
      iex> Roomfold.World.get(world, "tom")
      %{}
  """
  @spec release(World.t()) :: :ok
  def release(%World{state: %Roomfold.Projection.Port{} = state}), do: Roomfold.Projection.Port.release(state)

  def release(other) do
    raise ArgumentError, "only a world of impl: :port is in a program, got: #{inspect(other)}"
  end
end
