defmodule Roomfold.Projection.Elixir.Input do
  @moduledoc false
  # The input of a fold as a list of {:event, name, payload}, {:changes, entity_events, payload}, {:whole, creates, payload},
  # {:refused, reason, payload} and {:unreadable, reason, offset}.

  alias Roomfold.Error
  alias Roomfold.JSON.Elixir, as: Reader
  alias Roomfold.Projection.Elixir.Changes

  @entity_events ["create", "update", "delete"]
  @max_name 255
  @max_seq Roomfold.Seq.max()

  def events({:list, list}), do: from_list(list, [])
  def events({:json, text}), do: from_json(text)
  def events({:decoded, events}), do: for({name, payload} <- events, do: named(name, payload))

  defp named(name, payload),
    do: if(name?(name), do: {:event, name, payload}, else: {:refused, :invalid_name, payload})

  # ---- lists ----

  defp from_list([event | events], known), do: from_list(events, [from_term(event) | known])
  defp from_list([], known), do: Enum.reverse(known)
  defp from_list(_, known), do: Enum.reverse([{:unreadable, :not_an_event, nil} | known])

  defp from_term({name, payload}) when is_binary(name) and is_map(payload) do
    cond do
      not Enum.all?(:maps.keys(payload), &is_binary/1) -> {:unreadable, :not_an_event, nil}
      not name?(name) -> {:refused, :invalid_name, payload}
      true -> {:event, name, payload}
    end
  end

  defp from_term(_), do: {:unreadable, :not_an_event, nil}

  defp name?(name), do: is_binary(name) and byte_size(name) in 1..@max_name

  # ---- JSON text ----

  defp from_json(text) do
    case skip_space(text, 0) do
      at when at < byte_size(text) ->
        if :binary.at(text, at) == ?[,
          do: first_element(text, skip_space(text, at + 1), []),
          else: lines(text, at, [])

      _ ->
        []
    end
  end

  defp skip_space(text, at, spaces \\ [?\s, ?\n, ?\r, ?\t]) do
    if at < byte_size(text) and :binary.at(text, at) in spaces, do: skip_space(text, at + 1, spaces), else: at
  end

  defp byte(text, at) when at < byte_size(text), do: :binary.at(text, at)
  defp byte(_, _), do: nil

  defp unexpected(text, at) when at < byte_size(text), do: {:unreadable, :unexpected_byte, at}
  defp unexpected(text, _), do: {:unreadable, :unexpected_end, byte_size(text)}

  # A value may span lines; if it can't be read, the rest of the line on which it starts is skipped.
  defp lines(text, at, known) do
    start = skip_space(text, at)

    if start == byte_size(text) do
      Enum.reverse(known)
    else
      case line(text, start) do
        {:ok, event, at} -> lines(text, at, [event | known])
        unreadable -> lines(text, behind_feed(text, start), [unreadable | known])
      end
    end
  end

  defp line(text, start) do
    with {:ok, value, at} <- value(text, start) do
      at = skip_space(text, at, [?\s, ?\t, ?\r])
      if byte(text, at) in [nil, ?\n], do: {:ok, from_value(value), at}, else: unexpected(text, at)
    end
  end

  defp behind_feed(text, start) do
    case :binary.match(text, "\n", scope: {start, byte_size(text) - start}) do
      {at, _} -> at + 1
      :nomatch -> byte_size(text)
    end
  end

  defp first_element(text, at, known) do
    if byte(text, at) == ?], do: end_array(text, at + 1, known), else: element(text, at, known)
  end

  defp element(text, at, known) do
    case value(text, at) do
      {:ok, value, at} -> next_element(text, skip_space(text, at), [from_value(value) | known])
      unreadable -> Enum.reverse([unreadable | known])
    end
  end

  defp next_element(text, at, known) do
    case byte(text, at) do
      ?, -> element(text, skip_space(text, at + 1), known)
      ?] -> end_array(text, at + 1, known)
      _ -> Enum.reverse([unexpected(text, at) | known])
    end
  end

  defp end_array(text, at, known) do
    case skip_space(text, at) do
      at when at == byte_size(text) -> Enum.reverse(known)
      at -> Enum.reverse([unexpected(text, at) | known])
    end
  end

  defp value(text, at) when at == byte_size(text), do: unexpected(text, at)

  defp value(text, at) do
    with {:error, {reason, _, offset}} <- Reader.event_value(text, at), do: {:unreadable, reason, offset}
  end

  defp from_value(%{"event" => _, "event_name" => _} = event), do: {:refused, :invalid_name, event}
  defp from_value(%{"event" => name} = event), do: named(name, event, name in @entity_events)
  defp from_value(%{"event_name" => name} = event), do: named(name, event, name not in @entity_events)

  defp from_value(%{} = object) do
    case Changes.read(object) do
      {:error, reason} -> {:refused, reason, object}
      {kind, events} -> {kind, events, object}
    end
  end

  defp from_value(_), do: {:unreadable, :not_an_event, nil}

  # Entity events have their name under "event", all others under "event_name".
  defp named(name, event, fits) do
    cond do
      not name?(name) -> {:refused, :invalid_name, event}
      not fits -> {:refused, :unknown_event, event}
      true -> {:event, name, Map.drop(event, ["event", "event_name"])}
    end
  end

  # ---- snapshots and diffs ----

  def snapshot_events(entities) do
    if entities?(entities), do: {:ok, creates(entities)}, else: {:error, Error.new(:invalid_snapshot)}
  end

  def diff_events(
        %{"from" => from, "seq" => seq, "creates" => creates, "updates" => updates, "deletes" => deletes},
        at
      )
      when is_integer(from) and is_integer(seq) and is_list(deletes) and from >= 0 and seq >= from do
    cond do
      not (entities?(creates) and entities?(updates) and ids?(deletes)) -> {:error, Error.new(:invalid_diff)}
      seq > @max_seq -> {:error, Error.new(:invalid_diff)}
      # Nothing can have changed without a seq.
      seq == from and {deletes, creates, updates} != {[], %{}, %{}} -> {:error, Error.new(:invalid_diff)}
      from != at -> {:error, Error.new(:seq_mismatch)}
      true -> {:ok, seq, deletes(deletes) ++ creates(creates) ++ updates(updates)}
    end
  end

  def diff_events(_, _), do: {:error, Error.new(:invalid_diff)}

  # Entities, if all their names are; components that are none are left out and reported.
  defp entities?(entities), do: is_map(entities) and Enum.all?(:maps.keys(entities), &is_binary/1)

  defp ids?([id | ids]), do: is_binary(id) and ids?(ids)
  defp ids?(rest), do: rest == []

  defp deletes(ids), do: for(id <- Enum.sort(ids), do: {:event, "delete", %{"entity_id" => id}})
  defp creates(entities), do: entity_events("create", entities)
  defp updates(entities), do: entity_events("update", entities)

  defp entity_events(name, entities) do
    for {id, components} <- Enum.sort_by(entities, &elem(&1, 0)) do
      {:event, name, %{"entity_id" => id, "components" => components}}
    end
  end
end
