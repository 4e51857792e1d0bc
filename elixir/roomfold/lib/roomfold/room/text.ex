defmodule Roomfold.Room.Text do
  @moduledoc false
  # Events as JSON text, as rooms accept them and logs keep them: flat, with the name first.

  alias Roomfold.{Error, JSON}
  alias Roomfold.Report.Explain

  @entity_events ["create", "update", "delete"]
  @reserved ["seq", "at", "by", "event", "event_name"]

  @doc "Names of the events that speak of an entity itself, without a rule."
  @spec entity_events() :: [String.t()]
  def entity_events, do: @entity_events

  @doc "Fields that a payload may not have: only the room sets them, or the event's text has its name there."
  @spec reserved() :: [String.t()]
  def reserved, do: @reserved

  @doc "The text of an event: `{name, payload}`, `{name, {:json, payload as text}}` or `{:json, text}`, which is one already. `{:packed, frame}` stays as it is."
  def event(event, impl)

  def event({:json, text}, _) when is_binary(text), do: {:ok, text}
  def event({:packed, frame}, _) when is_binary(frame), do: {:ok, {:packed, frame}}

  def event({name, {:json, <<?{, fields::binary>>}}, impl) when is_binary(name), do: named(name, fields, impl)

  def event({name, {:json, text}}, impl) when is_binary(name) do
    case trimmed(text) do
      "{" <> fields ->
        named(name, fields, impl)

      text ->
        {:error, Error.new(:not_an_event, detail: "the payload must be an object, got #{Error.got(text)}")}
    end
  end

  def event({name, payload} = event, impl) when is_binary(name) and is_map(payload) do
    keys = :maps.keys(payload)

    with true <- Enum.all?(keys, &is_binary/1) || not_an_event(event),
         nil <- Enum.find(@reserved, &(&1 in keys)),
         {:ok, "{" <> fields} <- JSON.encode(payload, impl: impl) do
      named(name, fields, impl)
    else
      {:error, error} -> {:error, unsaid(error, event)}
      field -> {:error, Error.new(:reserved_field, field: field)}
    end
  end

  def event({format, _} = event, _) when format in [:json, :packed],
    do: {:error, Error.new(:not_an_event, detail: "got #{Error.got(event)}")}

  def event(event, _), do: not_an_event(event)

  @doc "Whether `joined/2` can make the event's text: the name needs no escaping, the payload is the text of an object with fields."
  def joinable?(name, <<?{, ?", _::binary>>) when is_binary(name), do: plain?(name)
  def joinable?(_, _), do: false

  @doc """
  Like `events/2`; but a client's own text stays beside its event's name, until the room takes it (`joined/2`): else it would be a binary of the
  session's process, too, made and collected for each event.
  """
  def for_inbox(events, impl) do
    with [{name, {:json, text}}] <- events,
         true <- joinable?(name, text),
         do: {:ok, [{name, text}]},
         else: (_ -> events(events, impl))
  end

  @typedoc "An event's text; of a client's own what stands before its fields, and these: C puts it together when it writes the record."
  @type t :: binary | nonempty_improper_list(binary, binary)

  @doc "The same text that `event/2` makes of `{name, {:json, payload}}`, in two pieces."
  @spec joined(String.t(), binary) :: t
  def joined(name, <<?{, fields::binary>>) when name in @entity_events,
    do: [<<"{\"event\":\"", name::binary, "\",">> | fields]

  def joined(name, <<?{, fields::binary>>), do: [<<"{\"event_name\":\"", name::binary, "\",">> | fields]

  @doc "Its bytes."
  @spec size(t) :: non_neg_integer
  def size(text) when is_binary(text), do: byte_size(text)
  def size([head | fields]), do: byte_size(head) + byte_size(fields)

  @doc "In one piece."
  @spec whole(t) :: binary
  def whole(text) when is_binary(text), do: text
  def whole([head | fields]), do: head <> fields

  defp trimmed(text) do
    String.trim_leading(IO.iodata_to_binary(text))
  rescue
    # Not iodata.
    ArgumentError -> text
  end

  defp not_an_event(event), do: {:error, Explain.of_term(Error.new(:not_an_event), [event])}

  # A value without a JSON counterpart may be the name of a component, for which a fold has a reason of its own.
  defp unsaid(%{reason: :unsupported_value} = error, event) do
    case Explain.of_term(Error.new(:invalid_component_name), [event]) do
      %{detail: nil} -> error
      invalid_name -> invalid_name
    end
  end

  defp unsaid(error, _), do: error

  defp named(name, fields, impl) do
    with {:ok, quoted} <- quoted(name, impl), do: {:ok, put_together(name, quoted, comma(fields), fields)}
  end

  # Starts with a literal: a binary that starts with another binary is allocated with room to grow, and has to be copied when it is sent.
  defp put_together(name, quoted, comma, fields) when name in @entity_events,
    do: <<"{\"event\":", quoted::binary, comma::binary, fields::binary>>

  defp put_together(_, quoted, comma, fields),
    do: <<"{\"event_name\":", quoted::binary, comma::binary, fields::binary>>

  defp comma("\"" <> _), do: ","
  defp comma(fields), do: if(String.starts_with?(String.trim_leading(fields), "}"), do: "", else: ",")

  defp quoted(name, impl),
    do: if(plain?(name), do: {:ok, <<?", name::binary, ?">>}, else: JSON.encode(name, impl: impl))

  # Whether nothing in it needs escaping in JSON.
  defp plain?(<<char, rest::binary>>)
       when char in ?a..?z or char in ?A..?Z or char in ?0..?9 or char in [?_, ?-, ?., ?:],
       do: plain?(rest)

  defp plain?(rest), do: rest == ""

  @doc "How many bytes the event's text has before the payload's own, if the payload was text."
  def head_size(name, impl) do
    key = if name in @entity_events, do: 9, else: 14
    # One more for the comma, one less for the payload's own bracket.
    key + byte_size(JSON.encode!(name, impl: impl))
  end

  @doc "The texts of all events, or the first error with its index."
  def events(events, impl), do: events(events, impl, 0, [])

  defp events([], _, _, texts), do: {:ok, Enum.reverse(texts)}

  defp events([event | events], impl, index, texts) do
    case event(event, impl) do
      {:ok, text} -> events(events, impl, index + 1, [text | texts])
      {:error, error} when events == [] and texts == [] -> {:error, error}
      {:error, error} -> {:error, at(error, index)}
    end
  end

  defp events(tail, _, index, _),
    do: {:error, at(Explain.of_term(Error.new(:not_an_event), tail), index)}

  @doc "The events of a log's text, which has one a line."
  @spec lines(binary) :: [binary]
  def lines(text), do: :binary.split(text, "\n", [:global, :trim_all])

  @doc "The error of one event among several."
  def at(error, index), do: %{error | index: index, message: "event #{index}: " <> error.message}

  @doc "The event as the stream has it: `{name, payload}`."
  def decode(text, impl) do
    text |> JSON.decode!(impl: impl) |> event_of()
  end

  @doc "The same of an event's text that is decoded already."
  def event_of(event),
    do: Map.pop(event, if(is_map_key(event, "event_name"), do: "event_name", else: "event"))

  @doc "An event's name."
  def name("{\"event_name\":\"" <> rest = text, impl), do: plain_name(rest, text, impl)
  def name("{\"event\":\"" <> rest = text, impl), do: plain_name(rest, text, impl)
  def name(text, impl), do: elem(decode(text, impl), 0)

  @doc "A label for an event that was refused, which may be anything: its name, if it has one."
  def label({name, _}, _) when is_binary(name), do: name
  def label({:json, text}, impl), do: label(text, impl)
  def label({:packed, _}, _), do: "a packed frame"

  def label(text, impl) when is_binary(text) do
    name(text, impl)
  rescue
    _ -> "an event without a name"
  end

  def label(_, _), do: "no event"

  defp plain_name(rest, text, impl) do
    {at, 1} = :binary.match(rest, "\"")
    name = binary_part(rest, 0, at)
    if String.contains?(name, "\\"), do: elem(decode(text, impl), 0), else: name
  end
end
