defmodule Roomfold.Room.Batch do
  @moduledoc false
  # The events of a tick, checked and numbered: records for the log. The world folds the same text.

  alias Roomfold.Error
  alias Roomfold.Report.Explain
  alias Roomfold.Room.{Admission, Check, Text}

  defmodule Item do
    @moduledoc false
    # to: the receiver of the answer; nil for events of the room itself, whose source is `of` (a system, the room's module, or nil);
    # texts: events (Roomfold.Room.Text) that were published together, all or nothing, or [{:packed, frame}]; packed?: they were a frame;
    # number: counts the items since the room has started.
    @enforce_keys [:to, :sender, :texts, :number]
    defstruct [:to, :sender, :texts, :number, of: nil, seqs: nil, packed?: false]

    @type t :: %__MODULE__{}
  end

  # items: accepted ones, with their seqs; refused: [{item, error}], or {item, error, failure} if a callback has failed; text: the records,
  # one a line
  defstruct items: [], refused: [], text: "", records: [], first: 0

  @type t :: %__MODULE__{}

  @typedoc """
    * `world` - as it is now, and its `seq`; `at` - milliseconds since the epoch; `max_event_bytes` - of one event's text
    * `adjust` - a function of an event's text and its sender, which returns `{:ok, text}`, with what the room adds to it, `{:error, error}`,
      or the failure of a callback; `nil`: not needed
  """
  @type context :: map

  @doc "Builds a batch of items in the order they came. An error is one of the world's implementation, such as `:port_timeout`."
  @spec build([Item.t()], context) :: {:ok, t} | {:error, Error.t()}
  def build(items, context) do
    {good, refused} = adjust_all(items, context)

    with {:ok, {text, answers}} <- admit(context, senders(good)) do
      {good, not_admitted} = answered_all(good, answers, context, [], [])

      {:ok,
       %__MODULE__{
         items: good,
         refused: refused ++ not_admitted,
         text: text,
         records: Text.lines(text),
         first: context.seq + 1
       }}
    end
  end

  defp admit(%{world: %{impl: impl} = world} = context, items) do
    if function_exported?(impl, :admit, 3) do
      with {:ok, {text, answers}} <- impl.admit(world.state, context.at, items),
           do: {:ok, {text, Enum.reverse(answers)}}
    else
      Admission.admit(world, context.at, items, context.json)
    end
  end

  defp answered_all([], [], _, good, refused), do: {Enum.reverse(good), Enum.reverse(refused)}

  defp answered_all([item | items], [answer | answers], context, good, refused) do
    case answered(item, answer, context) do
      %Item{} = item -> answered_all(items, answers, context, [item | good], refused)
      refusal -> answered_all(items, answers, context, good, [refusal | refused])
    end
  end

  defp answered(%Item{texts: texts} = item, seq, _) when is_integer(seq),
    do: %{item | seqs: %Range{first: seq, last: seq + length(texts) - 1, step: 1}}

  defp answered(item, {index, reason, about, offset}, %{world: world, json: json}) do
    error =
      {reason, about, offset}
      |> Error.from()
      |> Explain.of_text(world)
      |> Check.explain(item.texts |> Enum.at(index) |> Text.whole(), item.sender, world, json)

    {item, at(error, item, index)}
  end

  defp at(error, %{texts: [_]}, _), do: error
  defp at(error, _, index), do: Text.at(error, index)

  # ---- what the room checks and adds ----

  defp adjust_all(items, %{adjust: nil, max_event_bytes: most} = context) do
    if all_small?(items, most),
      do: {items, []},
      else: adjust_each(items, context)
  end

  defp adjust_all(items, context), do: adjust_each(items, context)

  defp all_small?([%Item{texts: texts} | items], most), do: small?(texts, most) and all_small?(items, most)
  defp all_small?([], _), do: true

  defp small?([text | texts], most), do: Text.size(text) <= most and small?(texts, most)
  defp small?([], _), do: true

  defp adjust_each(items, context),
    do: items |> Enum.map(&adjusted(&1, context)) |> Enum.split_with(&is_struct(&1, Item))

  defp adjusted(item, context) do
    case adjust(item.texts, 0, item, context, []) do
      {:ok, texts} -> %{item | texts: texts}
      {:error, error} -> {item, error}
      {:error, error, failure} -> {item, error, failure}
    end
  end

  defp adjust([], _, _, _, texts), do: {:ok, Enum.reverse(texts)}

  defp adjust([text | texts], index, item, context, done) do
    with :ok <- small(Text.size(text), context.max_event_bytes),
         {:ok, text} <-
           if(context.adjust, do: context.adjust.(Text.whole(text), item.sender), else: {:ok, text}) do
      adjust(texts, index + 1, item, context, [text | done])
    else
      {:error, error} -> {:error, at(error, item, index)}
      {:failed, _, _, _, _} = failure -> {:error, at(failed(), item, index), failure}
    end
  end

  defp small(bytes, most) when bytes <= most, do: :ok

  defp small(bytes, most) do
    detail = "#{bytes} bytes, an event may have #{most} (:max_event_bytes)"
    {:error, Error.new(:too_large, detail: detail)}
  end

  defp failed, do: Error.new(:not_allowed, detail: "the room's own code failed when it was asked")

  # The items for admission: {by, trusted, texts}.
  defp senders([%Item{sender: sender, texts: texts} | items]) do
    case sender do
      {:user, user} -> [{user, false, texts} | senders(items)]
      :system -> [{"system", true, texts} | senders(items)]
      :server -> [{"server", true, texts} | senders(items)]
    end
  end

  defp senders([]), do: []
end
