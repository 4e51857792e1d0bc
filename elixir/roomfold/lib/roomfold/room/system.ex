defmodule Roomfold.Room.System do
  @moduledoc """
  Code that a room runs on every tick: a module with this behaviour, or a function that takes the world and the tick and returns events.

  A room runs its systems in order, each on the world as it was when the tick began. The events they return are published by `"system"`,
  in the same batch as those that users sent in that tick.

      fn world, _tick ->
        for {id, %{"fuel" => fuel}} <- Roomfold.World.query(world, ["fuel"]), fuel > 0,
            do: {"update", %{"entity_id" => id, "components" => %{"fuel" => fuel - 1}}}
      end

  If the log refuses the events of a tick, the systems get back the states they had before it.

  A system that raises is skipped in that tick, and an event that is refused is dropped. Both are logged, the first time and then once in
  1,000 times, and counted (`Roomfold.Room.info/1`: `:failed`, `:refused`).
  """

  alias Roomfold.World

  defmodule Tick do
    @moduledoc """
    A tick: its `:number` from 1, the time `:now` in milliseconds since the epoch, `:dt_ms` since the tick before, and the
    `:events` that were folded since then, oldest first, as the stream has them.
    """
    defstruct [:number, :now, :dt_ms, events: []]

    @type t :: %__MODULE__{
            number: pos_integer,
            now: integer,
            dt_ms: number,
            events: [World.event()]
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
  May add to an event what only the room can know, before the event is checked. `id` has never been used in this room. Called for the
  events that `prepares/0` names.
  """
  @callback prepare(World.event(), id :: String.t(), state) :: World.event()
  @callback prepares() :: [String.t()]
  @doc """
  Components that control the system, so that users may not set them in a create or update: names, or a name with a value. Without this
  callback, none.
  """
  @callback reserves() :: [String.t() | {String.t(), term}]
  @optional_callbacks prepare: 3, prepares: 0, events: 1, reserves: 0

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
  # Returns the events of each, `[{module, events}]`, the systems, and the failures: a system that raises is skipped in this tick.
  def tick_all(systems, world, tick) do
    {events, {systems, failures}} =
      Enum.flat_map_reduce(systems, {[], []}, fn {module, state}, {done, failures} ->
        case tick_one(module, world, tick, state) do
          {:ok, events, state} -> {[{module, events}], {[{module, state} | done], failures}}
          failure -> {[], {[{module, state} | done], [failure | failures]}}
        end
      end)

    {events, Enum.reverse(systems), Enum.reverse(failures)}
  end

  defp tick_one(module, world, tick, state) do
    if is_function(module) do
      {:ok, listed(module.(world, tick)), nil}
    else
      case module.tick(world, tick, state) do
        {events, state} -> {:ok, listed(events), state}
        other -> raise ArgumentError, "tick/3 answers {a list of events, state}, got: #{inspect(other)}"
      end
    end
  rescue
    exception -> {:failed, module, exception, __STACKTRACE__}
  end

  defp listed(events) when is_list(events), do: events

  defp listed(other) do
    if Enumerable.impl_for(other) == nil,
      do: raise(ArgumentError, "a system answers a list of events, got: #{inspect(other)}")

    Enum.to_list(other)
  end

  @doc false
  # The events that systems want to see (:all: all of them), those that they prepare, and the components that they reserve.
  def asks(systems),
    do: %{wanted: wanted(systems), prepared: prepared(systems), reserved: reserved(systems)}

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
  def prepare_all(systems, {name, _} = event, id) do
    Enum.reduce(systems, event, fn {module, state}, event ->
      if exports?(module, :prepares, 0) and name in module.prepares(),
        do: module.prepare(event, id, state),
        else: event
    end)
  end

  defp exports?(module, name, arity), do: is_atom(module) and function_exported?(module, name, arity)
end
