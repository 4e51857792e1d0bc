defmodule Roomfold.Room.Callbacks do
  @moduledoc false
  # The callbacks of the room's module, and what stands in for them. One that raises, exits, throws, or returns what it must not, does not end
  # the room: it is a failure, the effect {:failed, {module, callback}, kind, reason, stacktrace} of Roomfold.Room.State.

  alias Roomfold.{Error, Rules, World}
  alias Roomfold.Room.{Options, Residents, System, Text}

  @doc "Whether the room has a module with this callback."
  def exports?(%{options: %{module: module}}, name, arity),
    do: module != nil and function_exported?(module, name, arity)

  @doc "May this user send this event? Asks a module with the callback: the room's, or a system."
  def authorize({module, module_state}, event, user, world) do
    case module.authorize(event, user, World.read_only(world), module_state) do
      :ok -> :ok
      # With a message, whoever made it.
      {:error, %Error{} = error} -> {:error, Error.put(error, [])}
      {:error, detail} -> {:error, Error.new(:not_allowed, detail: to_string(detail))}
      other -> raise ArgumentError, "authorize/4 answers :ok or {:error, why}, got: #{inspect(other)}"
    end
  catch
    kind, reason -> System.failed({module, :authorize}, kind, reason, __STACKTRACE__)
  end

  @doc "The events that an event has caused, and failures. One that fails leaves the module's state as it was."
  def caused(state, records) do
    if exports?(state, :handle_event, 3), do: handle_all(state, records), else: {[], [], state}
  end

  defp handle_all(%{options: %{module: module} = options} = state, records) do
    json = Options.json(options)
    world = World.read_only(state.world)

    {events, {module_state, failures}} =
      Enum.flat_map_reduce(records, {state.module_state, []}, fn record, {module_state, failures} ->
        case handle_event(module, Text.decode(record, json), world, module_state) do
          {events, module_state} -> {events, {module_state, failures}}
          failure -> {[], {module_state, [failure | failures]}}
        end
      end)

    {events, Enum.reverse(failures), %{state | module_state: module_state}}
  end

  defp handle_event(module, event, world, module_state) do
    case module.handle_event(event, world, module_state) do
      {events, module_state} -> {listed(events, "handle_event/3"), module_state}
      other -> raise ArgumentError, "handle_event/3 answers {a list of events, state}, got: #{inspect(other)}"
    end
  catch
    kind, reason -> System.failed({module, :handle_event}, kind, reason, __STACKTRACE__)
  end

  @doc "What is said when a user is new here, and failures."
  def joined(%{options: %{module: nil}} = state, user, params),
    do: {user |> default_joined(params, state.world) |> Residents.connected(user), []}

  def joined(%{options: %{module: module}} = state, user, params) do
    events = module.joined(user, params, World.read_only(state.world), state.module_state)
    {events |> listed("joined/4") |> Residents.connected(user), []}
  catch
    kind, reason -> {[], [System.failed({module, :joined}, kind, reason, __STACKTRACE__)]}
  end

  @doc "What is said when a user has left, and failures."
  def left(%{options: %{module: nil}} = state, user), do: {default_left(user, state.world), []}

  def left(%{options: %{module: module}} = state, user) do
    {listed(module.left(user, World.read_only(state.world), state.module_state), "left/3"), []}
  catch
    kind, reason -> {[], [System.failed({module, :left}, kind, reason, __STACKTRACE__)]}
  end

  defp listed(events, callback), do: System.listed(events, "#{callback} answers a list of events")

  @doc "The callback `joined` of a room's module that has none of its own."
  def default_joined(user, _params, world) do
    if Rules.sender(world.rules, "user_joined") && not there?(World.get(world, user), user),
      do: [{"user_joined", %{"user_id" => user}}],
      else: []
  end

  # What another user has made under this name, and owns, is not the user: user_joined takes its place.
  defp there?(nil, _), do: false
  defp there?(entity, user), do: entity["owner"] in [nil, user]

  @doc "The callback `left` of a room's module that has none of its own."
  def default_left(user, world) do
    if Rules.sender(world.rules, "user_left"), do: [{"user_left", %{"user_id" => user}}], else: []
  end
end
