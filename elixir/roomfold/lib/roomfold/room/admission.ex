defmodule Roomfold.Room.Admission do
  @moduledoc false
  # The callback `admit` of Roomfold.Projection, in Elixir, for projections without it; tests compare C with it. Each event is tried out on a
  # copy of the world.

  alias Roomfold.{Error, JSON, World}
  alias Roomfold.Room.{Check, Text}

  @entity_events Text.entity_events()
  @syntax [
    :unexpected_byte,
    :unexpected_end,
    :invalid_utf8,
    :too_deep,
    :duplicate_key,
    :not_an_event,
    :invalid_name
  ]

  def admit(world, at, items, json) do
    {answers, {lines, _, _}} =
      Enum.map_reduce(items, {[], World.seq(world), %{}}, fn {by, trusted, texts}, {lines, seq, owners} ->
        texts = Enum.map(texts, &IO.iodata_to_binary/1)

        case check(texts, 0, if(trusted, do: :system, else: {:user, by}), world, owners, json) do
          {:ok, owners} ->
            records = for {text, n} <- Enum.with_index(texts, seq + 1), do: record(text, n, at, by, json)
            {seq + 1, {[records | lines], seq + length(texts), owners}}

          error ->
            {error, {lines, seq, owners}}
        end
      end)

    {:ok, {lines |> Enum.reverse() |> IO.iodata_to_binary(), answers}}
  end

  defp check([], _, _, _, owners, _), do: {:ok, owners}

  defp check([text | texts], index, sender, world, owners, json) do
    first = first_rejection(world, text)

    with :ok <- if(first && first.reason in @syntax, do: {:error, first}, else: :ok),
         {:ok, event} <- read(text, first, json),
         {:ok, owners} <- Check.event(event, sender, world, owners),
         :ok <- if(first, do: {:error, first}, else: :ok) do
      check(texts, index + 1, sender, world, owners, json)
    else
      {:error, error} -> {index, error.reason, error.field || error.component || error.event, error.offset}
    end
  end

  # A fold takes an array as several events; here it is not an event.
  defp first_rejection(world, text) do
    case String.trim_leading(text, " ") do
      "[" <> _ -> Error.new(:not_an_event)
      _ -> folded(world, text)
    end
  end

  defp folded(world, text) do
    {:ok, copy} = World.copy(world)
    # It is one value on one line, so there is only one index.
    {:ok, _, report} = World.fold(copy, {:json, one_line(text)})

    case report do
      %{rejected: [{_, error} | _]} -> error
      %{folded: 0, orphaned: 0, stale: 0} -> Error.new(:unexpected_end, offset: byte_size(text))
      _ -> nil
    end
  end

  # A number that no term can hold. If a rule uses it, the fold has found it, too, and knows the component.
  defp read(text, first, json) do
    case JSON.decode(text, impl: json) do
      {:ok, event} -> named(event)
      {:error, _} when first != nil and first.reason == :number_out_of_range -> {:error, first}
      {:error, error} -> {:error, error}
    end
  end

  defp named(%{"event_name" => name}) when name in @entity_events,
    do: {:error, Error.new(:unknown_event, event: name)}

  defp named(%{"event_name" => name} = payload), do: {:ok, {name, Map.delete(payload, "event_name")}}
  defp named(%{"event" => name} = payload), do: {:ok, {name, Map.delete(payload, "event")}}
  defp named(_), do: {:error, Error.new(:invalid_name)}

  defp record(text, seq, at, by, json) do
    text = text |> one_line() |> String.trim()
    seq = Integer.to_string(seq)
    by = JSON.encode!(by, impl: json)

    [
      binary_part(text, 0, byte_size(text) - 1),
      ",\"seq\":",
      seq,
      ",\"at\":",
      Integer.to_string(at),
      ",\"by\":",
      by,
      "}\n"
    ]
  end

  defp one_line(text), do: String.replace(text, ["\n", "\r"], " ")
end
