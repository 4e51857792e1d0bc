defmodule Roomfold.Room.Gate do
  @moduledoc false
  # Runs before an event is checked: refuses components that the systems reserve, asks the systems and the room's module whether the sender may
  # send the event, and lets the systems add what only the room can know. If one of them fails, returns the effect that reports it
  # (System.failed/4).

  alias Roomfold.Error
  alias Roomfold.Room.{Callbacks, Options, System, Text}

  @entity_events Text.entity_events()

  @doc "For `Roomfold.Room.Batch`: the function for each event's text, or nil if there is nothing to do."
  def adjust(%{asks: asks} = state) do
    if Callbacks.exports?(state, :authorize, 4) or asks.prepared != [] or guarded?(asks),
      do: &adjust(state, &1, &2)
  end

  # Whether systems have something to say about entities.
  defp guarded?(asks), do: asks.reserved != [] or asks.authorizes?

  defp adjust(state, text, sender) do
    json = Options.json(state.options)

    with {:ok, name} <- name(text, json),
         true <- looks_at?(state, name, sender) || {:ok, text},
         {:ok, event} <- decode(text, json),
         :ok <- unreserved(state, event, sender),
         :ok <- authorize(state, event, sender) do
      if name in state.asks.prepared, do: prepare(state, event, json), else: {:ok, text}
    end
  end

  defp prepare(state, event, json) do
    with {:ok, event} <- System.prepare_all(state.systems, event, new_id()),
         {:ok, {:packed, _}} <- Text.event(event, json),
         do: {:error, Error.new(:not_an_event, detail: "a system made a packed frame of it")}
  end

  # Of 80 random bits.
  defp new_id, do: Base.encode32(:crypto.strong_rand_bytes(10), case: :lower)

  defp looks_at?(state, name, sender) do
    name in state.asks.prepared or asks_module?(state, sender) or
      (name in @entity_events and match?({:user, _}, sender) and guarded?(state.asks))
  end

  # Otherwise users could make the systems publish events as "system".
  defp unreserved(state, {name, %{"components" => %{} = components}}, {:user, _})
       when name in ["create", "update"] do
    case Enum.find(state.asks.reserved, &sets?(components, &1)) do
      nil -> :ok
      {component, _} -> {:error, reserved(component)}
      component -> {:error, reserved(component)}
    end
  end

  defp unreserved(_, _, _), do: :ok

  defp sets?(components, {name, value}), do: components[name] == value
  defp sets?(components, name), do: is_map_key(components, name)

  defp reserved(component),
    do: Error.new(:not_allowed, component: component, detail: "only the room itself sets this")

  defp asks_module?(state, sender),
    do: match?({:user, _}, sender) and Callbacks.exports?(state, :authorize, 4)

  # Text that can't be read is refused later, by the checks, with its reason.
  defp name(text, json) do
    {:ok, Text.name(text, json)}
  rescue
    _ -> {:ok, nil}
  end

  defp decode(text, json) do
    case Text.decode(text, json) do
      {nil, _} -> {:error, Error.new(:invalid_name)}
      event -> {:ok, event}
    end
  rescue
    error in Error -> {:error, error}
    _ -> {:error, Error.new(:not_an_event)}
  end

  defp authorize(state, {name, _} = event, {:user, user}) do
    Enum.find_value(asked(state, name), :ok, fn module ->
      with :ok <- Callbacks.authorize(module, event, user, state.world), do: nil
    end)
  end

  defp authorize(_, _, _), do: :ok

  defp asked(%{systems: systems} = state, name) do
    own =
      if Callbacks.exports?(state, :authorize, 4), do: [{state.options.module, state.module_state}], else: []

    if name in @entity_events,
      do: for({module, _} = system <- systems, System.authorizes?(module), do: system) ++ own,
      else: own
  end
end
