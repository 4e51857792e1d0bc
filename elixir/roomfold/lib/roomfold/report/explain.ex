defmodule Roomfold.Report.Explain do
  @moduledoc false
  # Adds details to errors: those of the world's schema (which type a component has), and those found in the events themselves: a key that is an
  # atom, a name under the wrong key. Runs only after something was rejected, for all implementations alike, and in rooms for events that they
  # refuse.

  alias Roomfold.{Error, Report, Rules, Schema, World}

  @entity_events ["create", "update", "delete"]

  @doc "`input`: what was folded, or nil of a diff or a snapshot."
  @spec explain(Report.t(), Roomfold.Projection.input() | nil, World.t()) :: Report.t()
  def explain(%Report{rejected: []} = report, _, _), do: report

  def explain(report, {:list, events}, world) do
    rejected = for {index, error} <- report.rejected, do: {index, of_schema(error, world.schema)}
    %{report | rejected: from_list(rejected, events, 0, nil)}
  end

  def explain(report, {:json, _}, world),
    do: %{report | rejected: for({index, error} <- report.rejected, do: {index, of_text(error, world)})}

  def explain(report, _, world) do
    rejected = for {index, error} <- report.rejected, do: {index, of_schema(error, world.schema)}
    %{report | rejected: rejected}
  end

  @doc "The error of an event that was text."
  @spec of_text(Error.t(), World.t()) :: Error.t()
  def of_text(error, world), do: error |> of_schema(world.schema) |> put(wrong_key(error, world.rules))

  defp of_schema(%{reason: :wrong_type, component: name} = error, schema) when is_binary(name),
    do: put(error, schema |> Schema.type(name) |> Schema.takes())

  defp of_schema(error, _), do: error

  @doc "The error of an event that was a term. `tail`: the list from this event on."
  @spec of_term(Error.t(), tail :: term) :: Error.t()
  def of_term(error, tail), do: put(error, of_event(error.reason, tail))

  # Entries are in the order of events, so one pass over the list is enough. at: the index of its first event; last: {index, reason, detail}
  # of the entry before, since an event may have very many that are alike.
  defp from_list([], _, _, _), do: []

  defp from_list([{index, error} | rejected], events, at, last) do
    events = drop(events, index - at)

    last =
      case last do
        {^index, reason, _} when reason == error.reason -> last
        _ -> {index, error.reason, of_event(error.reason, events)}
      end

    [{index, put(error, elem(last, 2))} | from_list(rejected, events, index, last)]
  end

  defp drop([_ | events], count) when count > 0, do: drop(events, count - 1)
  defp drop(events, _), do: events

  defp put(error, nil), do: error
  defp put(error, detail), do: Error.put(error, detail: detail)

  defp wrong_key(%{reason: :unknown_event, event: name}, _) when name in @entity_events,
    do: ~s(create, update and delete have their name under "event")

  defp wrong_key(%{reason: :unknown_event, event: name}, rules) do
    if Rules.sender(rules, name), do: ~s(an event of the rules has its name under "event_name")
  end

  defp wrong_key(_, _), do: nil

  # ---- an event of a list ----

  defp of_event(:not_an_event, [event | _]), do: not_an_event(event)
  defp of_event(:not_an_event, tail), do: "the list ends with #{Error.got(tail)}"

  defp of_event(:invalid_component_name, [{_, %{"components" => %{} = components}} | _]) do
    case components |> :maps.keys() |> Enum.reject(&is_binary/1) do
      [] -> nil
      names -> "got #{names |> Enum.take(3) |> Enum.map_join(", ", &Error.got/1)}"
    end
  end

  defp of_event(_, _), do: nil

  defp not_an_event({name, %{} = payload}) when is_binary(name) do
    key = payload |> :maps.keys() |> Enum.find(&(not is_binary(&1)))
    "keys must be strings#{example(key)}, got #{Error.got(key)}"
  end

  defp not_an_event({name, payload}) when is_binary(name),
    do: "the payload must be a map, got #{Error.got(payload)}"

  defp not_an_event({name, _}), do: "the name must be a string#{example(name)}, got #{Error.got(name)}"

  defp not_an_event(event) when is_map(event) or is_binary(event),
    do: "got #{Error.got(event)}; JSON is given as {:json, text}"

  defp not_an_event(event), do: "got #{Error.got(event)}"

  defp example(name) when is_atom(name) and name not in [nil, true, false],
    do: " (#{inspect(to_string(name))})"

  defp example(_), do: ""
end
