defmodule Roomfold.Room.System do
  @moduledoc """
  Code that a room runs on every tick: a module with this behaviour, or a function that takes the world and the tick and returns events.

  A room runs its systems in order, each on the world as it was when the tick began. The events they return are published by `"system"`,
  in the same batch as those that users sent in that tick. So an event that gives a new value, as health after a hit, must not be computed
  from the world alone, where an earlier system may have changed the same in this tick: `now/3` takes that into account.

      fn world, _tick ->
        for {id, %{"fuel" => fuel}} <- Roomfold.World.query(world, ["fuel"]), fuel > 0,
            do: {"update", %{"entity_id" => id, "components" => %{"fuel" => fuel - 1}}}
      end

  If the log refuses the events of a tick, the systems get back the states they had before it.

  A system that raises, exits or throws is skipped in that tick, and an event that is refused is dropped. Both are logged, the first time
  and then once in 1,000 times, and counted (`Roomfold.Room.info/1`: `:failed`, `:refused`). A system can't fold the world, which is the
  room's.
  """

  alias Roomfold.Room.Pending
  alias Roomfold.World

  defmodule Tick do
    @moduledoc """
    A tick: its `:number` from 1, the time `:now` in milliseconds since the epoch, `:dt_ms` since the tick before, and the
    `:events` that were folded since then, oldest first, as the stream has them.

        # A system of a function: who moves out of the hall is told so.
        def guard(_world, tick) do
          for {"user_moved", %{"user_id" => id, "position" => [x, _, _]}} <- tick.events, x > 10, do: {"user_warned", %{"user_id" => id}}
        end
    """
    # said: by the systems before, in this tick, the last one first: [[event]]
    defstruct [:number, :now, :dt_ms, events: [], said: []]

    @type t :: %__MODULE__{
            number: pos_integer,
            now: integer,
            dt_ms: number,
            events: [World.event()],
            said: [[World.event()]]
          }
  end

  @type t :: module | {module, opts :: term} | (World.t(), Tick.t() -> [World.event()])
  @type state :: term

  @doc "Returns the first state, which each tick passes to the next one. `now` as in a tick."
  @callback init(opts :: term, World.t(), now :: integer) :: state
  @callback tick(World.t(), Tick.t(), state) :: {[World.event()], state}
  @doc "Names of the events that a tick should contain; without this callback, all of them."
  @callback events(state) :: [String.t()]
  @doc """
  May add to an event what only the room can know, before the event is checked. `id` is a new one each time, which nobody can guess: who could
  might take it first. Called for the events that `prepares/0` names.
  """
  @callback prepare(World.event(), id :: String.t(), state) :: World.event()
  @callback prepares() :: [String.t()]
  @doc """
  Components that control the system, so that users may not set them in a create or update: names, or a name with a value. Without this
  callback, none.
  """
  @callback reserves() :: [String.t() | {String.t(), term}]
  @doc """
  Whether this user may send this create, update or delete, asked besides all that a room checks, like the callback of the room's module
  (`c:Roomfold.Room.authorize/4`). Of other events their rules say who may send them.
  """
  @callback authorize(World.event(), user :: String.t(), World.t(), state) ::
              :ok | {:error, Roomfold.Error.t() | String.t()}
  @optional_callbacks prepare: 3, prepares: 0, events: 1, reserves: 0, authorize: 4

  @doc """
  Entities as the systems before this one leave them in this tick, by the room's rules: id → components, without those that are not there. It knows
  what they said as terms, not `{:json, text}` or packed frames.

      iex> world = Roomfold.World.new!(rules: Roomfold.Rules.doom())
      iex> world = Roomfold.World.fold!(world, [{"create", %{"entity_id" => "imp", "components" => %{"health" => 60}}}])
      iex> tick = %Roomfold.Room.System.Tick{number: 1, now: 0, dt_ms: 50, said: [[{"monster_hit", %{"id" => "imp", "health" => 20}}]]}
      iex> Roomfold.Room.System.now(world, tick, ["imp", "nobody"])
      %{"imp" => %{"health" => 20}}
  """
  @spec now(World.t(), Tick.t(), [World.id()]) :: %{World.id() => map}
  def now(%World{} = world, %Tick{said: said}, ids) when is_list(ids),
    do: Pending.entities(world, said, ids)

  @doc false
  def init_all(systems, world, now), do: Enum.map(systems, &start(&1, world, now))

  defp start(function, _, _) when is_function(function, 2), do: {function, nil}
  defp start({module, opts}, world, now), do: {module, module.init(opts, world, now)}
  defp start(module, world, now), do: {module, module.init([], world, now)}

  @doc false
  # Called before a room starts: raises ArgumentError for what is not a system.
  def check(function) when is_function(function, 2), do: :ok
  def check({module, _}) when is_atom(module), do: check(module)

  def check(module) when is_atom(module) do
    unless Code.ensure_loaded?(module) and function_exported?(module, :tick, 3) and
             function_exported?(module, :init, 3) do
      raise ArgumentError, "#{inspect(module)} is not a Roomfold.Room.System: it has no init/3 and tick/3"
    end

    :ok
  end

  def check(other) do
    raise ArgumentError,
          "a system must be a module, {module, options} or a function of world and tick, got: #{inspect(other)}"
  end

  @doc false
  # Returns the events of each, `[{module, events}]`, the systems, and the failures (effects of Roomfold.Room.State): a system that raises,
  # exits or throws is skipped in this tick.
  def tick_all(systems, world, tick) do
    world = World.read_only(world)

    {events, {systems, failures, _}} =
      Enum.flat_map_reduce(systems, {[], [], tick}, fn {module, state}, {done, failures, tick} ->
        case tick_one(module, world, tick, state) do
          {:ok, events, state} ->
            {[{module, events}], {[{module, state} | done], failures, told(tick, events)}}

          failure ->
            {[], {[{module, state} | done], [failure | failures], tick}}
        end
      end)

    {events, Enum.reverse(systems), Enum.reverse(failures)}
  end

  defp told(tick, []), do: tick
  defp told(tick, events), do: %{tick | said: [events | tick.said]}

  defp tick_one(module, world, tick, state) do
    if is_function(module) do
      {:ok, listed(module.(world, tick)), nil}
    else
      case module.tick(world, tick, state) do
        {events, state} -> {:ok, listed(events), state}
        other -> raise ArgumentError, "tick/3 answers {a list of events, state}, got: #{inspect(other)}"
      end
    end
  catch
    kind, reason -> failed(module, kind, reason, __STACKTRACE__)
  end

  @doc false
  # What has gone wrong in somebody else's code, `what`: the effect that reports it.
  def failed(what, kind, reason, stacktrace),
    do: {:failed, what, kind, Exception.normalize(kind, reason, stacktrace), stacktrace}

  defp listed(events), do: listed(events, "a system answers a list of events")

  @doc false
  # A list that is one to its end, or what can be made into one.
  def listed(events, _) when is_list(events) and length(events) >= 0, do: events

  def listed(other, what) do
    if is_list(other) or Enumerable.impl_for(other) == nil,
      do: raise(ArgumentError, "#{what}, got: #{inspect(other)}")

    Enum.to_list(other)
  end

  @doc false
  # The events that systems want to see (:all: all of them), those that they prepare, the components that they reserve, and whether any is to be
  # asked what users may do.
  def asks(systems) do
    %{
      wanted: wanted(systems),
      prepared: prepared(systems),
      reserved: reserved(systems),
      authorizes?: Enum.any?(systems, fn {module, _} -> authorizes?(module) end)
    }
  end

  @doc false
  def authorizes?(module), do: exports?(module, :authorize, 4)

  defp prepared(systems) do
    for {module, _} <- systems,
        exports?(module, :prepares, 0),
        name <- module.prepares(),
        uniq: true,
        do: name
  end

  defp reserved(systems) do
    for {module, _} <- systems,
        exports?(module, :reserves, 0),
        component <- module.reserves(),
        uniq: true,
        do: component
  end

  defp wanted([]), do: []

  defp wanted(systems) do
    Enum.reduce_while(systems, [], fn {module, state}, names ->
      if exports?(module, :events, 1), do: {:cont, module.events(state) ++ names}, else: {:halt, :all}
    end)
  end

  @doc false
  # Answers `{:ok, event}`, or the failure of the system that failed.
  def prepare_all(systems, {name, _} = event, id) do
    Enum.reduce_while(systems, {:ok, event}, fn {module, state}, {:ok, event} ->
      if exports?(module, :prepares, 0) and name in module.prepares(),
        do: prepare_one(module, event, id, state),
        else: {:cont, {:ok, event}}
    end)
  end

  defp prepare_one(module, event, id, state) do
    {:cont, {:ok, module.prepare(event, id, state)}}
  catch
    kind, reason -> {:halt, failed({module, :prepare}, kind, reason, __STACKTRACE__)}
  end

  defp exports?(module, name, arity), do: is_atom(module) and function_exported?(module, name, arity)
end
