defmodule Roomfold.Room.Batch do
  @moduledoc false
  # What came within a tick, checked and numbered: the records for the log, which is the text that the world then folds.

  alias Roomfold.{Error, JSON, World}
  alias Roomfold.Room.Check

  @entity_events ["create", "update", "delete"]

  defmodule Item do
    @moduledoc false
    # to: who wants the answer, or nil; events: what was published together, all or nothing.
    @enforce_keys [:to, :sender, :events]
    defstruct [:to, :sender, :events, bodies: [], seqs: []]
  end

  # items: those that are in, with their seqs; refused: [{item, error}]; events: numbered, {name, payload}; records: their text.
  defstruct items: [], refused: [], events: [], records: [], first: 0, last: 0, bytes: 0

  @typedoc """
    * `world` - as it is now; `blank` - one without entities of the same schema and rules, to try values on
    * `now` - milliseconds; `max_event_bytes` - of one event's payload as JSON
    * `authorize` - a function of event and sender that answers :ok or {:error, error}
    * `prepare` - a function of an event and its seq that may add to it what the room sets
  """
  @type context :: map

  @doc "Items in the order they came."
  def build(items, context) do
    {items, refused, _} =
      Enum.reduce(items, {[], [], %{}}, fn item, {items, refused, owners} ->
        case check(item.events, 0, item, owners, context, []) do
          {:ok, bodies, owners} -> {[%{item | bodies: bodies} | items], refused, owners}
          {:error, error} -> {items, [{item, error} | refused], owners}
        end
      end)

    {items, untrue} = try_values(Enum.reverse(items), context)
    number(items, Enum.reverse(refused) ++ untrue, context)
  end

  # ---- one by one ----

  defp check([], _, _, owners, _, bodies), do: {:ok, Enum.reverse(bodies), owners}

  defp check([event | events], index, item, owners, context, bodies) do
    with {:ok, owners} <- Check.event(event, item.sender, context.world, owners),
         :ok <- context.authorize.(event, item.sender),
         {:ok, body} <- body(event, context) do
      check(events, index + 1, item, owners, context, [body | bodies])
    else
      {:error, error} -> {:error, at(error, item, index)}
    end
  end

  defp at(error, %{events: [_]}, _), do: error
  defp at(error, _, index), do: %{error | index: index, message: "event #{index}: " <> error.message}

  defp body({_, payload}, context) do
    with {:ok, body} <- JSON.encode(payload, impl: context.json) do
      if byte_size(body) <= context.max_event_bytes, do: {:ok, body}, else: {:error, Error.new(:too_large)}
    end
  end

  # ---- values, on a world without entities ----

  defp try_values([], _), do: {[], []}

  defp try_values(items, context) do
    {:ok, blank} = World.copy(context.blank)
    {:ok, _, report} = World.fold(blank, Enum.flat_map(items, & &1.events))

    cond do
      report.rejected_count == 0 ->
        {items, []}

      report.rejected_count == length(report.rejected) ->
        part(items, Map.new(Enum.reverse(report.rejected)), 0)

      # More than a report lists: those who are worst are found by halves.
      match?([_], items) ->
        part(items, Map.new(Enum.reverse(report.rejected)), 0)

      true ->
        try_halves(items, context)
    end
  end

  defp try_halves(items, context) do
    {first, second} = Enum.split(items, div(length(items), 2))
    {good, bad} = try_values(first, context)
    {more_good, more_bad} = try_values(second, context)
    {good ++ more_good, bad ++ more_bad}
  end

  defp part(items, rejected, at) do
    {tried, _} =
      Enum.map_reduce(items, at, fn item, at ->
        count = length(item.events)
        {{item, Enum.find_value(0..(count - 1)//1, &found(rejected[at + &1], item, &1))}, at + count}
      end)

    {for({item, nil} <- tried, do: item), for({item, error} <- tried, error != nil, do: {item, error})}
  end

  defp found(nil, _, _), do: nil

  defp found(error, item, index) do
    error
    |> Map.take([:offset, :component, :field])
    |> Map.to_list()
    |> then(&Error.new(error.reason, &1))
    |> at(item, index)
  end

  # ---- numbers ----

  defp number(items, refused, context) do
    batch = %__MODULE__{refused: refused, first: World.seq(context.world) + 1}

    {items, {seq, events, records}} =
      Enum.map_reduce(items, {batch.first, [], []}, fn item, {seq, events, records} ->
        {seqs, {seq, events, records}} =
          item.events
          |> Enum.zip(item.bodies)
          |> Enum.map_reduce({seq, events, records}, fn {event, body}, {seq, events, records} ->
            {event, record} = record(event, body, seq, item.sender, context)
            {seq, {seq + 1, [event | events], [record | records]}}
          end)

        {%{item | seqs: seqs, bodies: []}, {seq, events, records}}
      end)

    %{batch | items: items, events: Enum.reverse(events), records: Enum.reverse(records), last: seq - 1}
  end

  defp record({name, payload} = event, body, seq, sender, context) do
    {payload, body} =
      case context.prepare.(event, seq) do
        ^event -> {payload, body}
        {_, payload} -> {payload, JSON.encode!(payload, impl: context.json)}
      end

    by = by(sender)
    key = if name in @entity_events, do: "event", else: "event_name"
    head = [?{, ?", key, "\":", JSON.encode!(name, impl: context.json)]

    tail = [
      ",\"seq\":",
      Integer.to_string(seq),
      ",\"at\":",
      Integer.to_string(context.now),
      ",\"by\":",
      JSON.encode!(by, impl: context.json),
      ?}
    ]

    record = IO.iodata_to_binary([head, fields(body), tail])
    {{name, Map.merge(payload, %{"seq" => seq, "at" => context.now, "by" => by})}, record}
  end

  defp fields("{}"), do: []
  defp fields(<<?{, fields::binary>>), do: [?,, binary_part(fields, 0, byte_size(fields) - 1)]

  defp by({:user, user}), do: user
  defp by(:system), do: "system"
  defp by(:server), do: "server"
end
