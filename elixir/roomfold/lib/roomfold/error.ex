defmodule Roomfold.Error do
  @moduledoc """
  What went wrong, why, and where.

    * `:reason` - an atom, one of `t:reason/0`
    * `:message` - a readable sentence
    * `:offset` - the byte in a text, for syntax errors
    * `:index` - the event in its batch, from 0
    * `:component` - the component that could not be used
    * `:field` - the field of an event, or the argument, that could not be used
    * `:event` - the name of an event that has no rule, or that its sender may not send
    * `:detail` - more information, at the end of the message

  Fields that do not apply are `nil`.
  """

  # One table of reasons, for C and Elixir.
  @table Path.expand("../../../../c_src/include/roomfold/reasons.inl", __DIR__)
  @external_resource @table

  @entries ~r/^X\(\w+, (\w+), "((?:[^"\\]|\\.)*)"\)$/m
           |> Regex.scan(File.read!(@table), capture: :all_but_first)
           |> Enum.map(fn [reason, message] ->
             {Code.string_to_quoted!(":" <> reason), String.replace(message, "\\", "")}
           end)

  @messages Map.new(@entries)
  @numbers @entries |> Enum.with_index(1) |> Map.new(fn {{reason, _}, number} -> {reason, number} end)

  @reasons @messages |> Map.keys() |> Enum.sort()

  @typedoc "One of #{Enum.map_join(@reasons, ", ", &"`:#{&1}`")}."
  @type reason :: atom

  @type t :: %__MODULE__{
          reason: reason,
          message: String.t(),
          offset: non_neg_integer | nil,
          index: non_neg_integer | nil,
          component: String.t() | nil,
          field: String.t() | nil,
          event: String.t() | nil,
          detail: String.t() | nil
        }

  defexception [:reason, :message, :offset, :index, :component, :field, :event, :detail]

  @doc """
  All reasons.

      iex> :unexpected_byte in Roomfold.Error.reasons()
      true
  """
  @spec reasons() :: [reason]
  def reasons, do: @reasons

  @doc """
  A reason's number in C and in packed answers: its place in the table of reasons, from 1.

      iex> Roomfold.Error.number(:no_memory)
      1
  """
  @spec number(reason) :: pos_integer
  def number(reason), do: Map.fetch!(@numbers, reason)

  @doc """
  An error with its message.

  ## Options

    * `:offset`, `:index`, `:component`, `:field`, `:event` - where it is
    * `:detail` - more information, after the reason's sentence
    * `:what` - what the index counts ("event")

  ## Examples

      iex> Roomfold.Error.new(:wrong_type, component: "position").message
      "component \\"position\\": the value does not fit the component's type"

      iex> Exception.message(Roomfold.Error.new(:unexpected_end, offset: 7))
      "at byte 7: the JSON text ends too early"
  """
  @spec new(reason, keyword) :: t
  def new(reason, where \\ []) do
    {what, where} = Keyword.pop(where, :what, "event")
    error = struct!(__MODULE__, [{:reason, reason} | where])
    %{error | message: message(error, what)}
  end

  @doc """
  The same error with more fields: any of the options of `new/2`.

      iex> error = Roomfold.Error.new(:unknown_event, event: "user_jioned")
      iex> Roomfold.Error.put(error, index: 3).message
      "event 3: no rule says what this event does: \\"user_jioned\\""
  """
  @spec put(t, keyword) :: t
  def put(%__MODULE__{} = error, more) do
    known =
      for {key, value} <- Map.from_struct(error),
          key not in [:reason, :message, :__exception__],
          do: {key, value}

    new(error.reason, Keyword.merge(known, more))
  end

  @doc """
  An error as an implementation returns it: a reason, what it is about and an offset.

      iex> Roomfold.Error.from({:invalid_id, "user_id", nil}, index: 3).message
      "event 3: field \\"user_id\\": an id must be a string of 1 to 255 bytes of UTF-8"
  """
  @spec from({reason, String.t() | nil, non_neg_integer | nil}, keyword) :: t
  def from({reason, about, offset}, where \\ []) do
    new(reason, where ++ about(reason, about) ++ [offset: offset])
  end

  defp about(_reason, nil), do: []
  defp about(reason, field) when reason in [:invalid_id, :reserved_field, :not_owned], do: [field: field]
  defp about(reason, detail) when reason in [:invalid_rules, :invalid_schema], do: [detail: detail]
  defp about(reason, name) when reason in [:unknown_event, :not_allowed], do: [event: name]
  defp about(_reason, component), do: [component: component]

  defp message(error, what) do
    [
      error.index && "#{what} #{error.index}",
      error.offset && "at byte #{error.offset}",
      error.field && "field #{inspect(error.field)}",
      error.component && "component #{inspect(error.component)}",
      Map.get(@messages, error.reason, to_string(error.reason)),
      error.event && event(error),
      error.detail
    ]
    |> Enum.reject(&(&1 in [nil, ""]))
    |> Enum.join(": ")
  end

  # A user may not send this event because of its rule; of other errors only the name.
  defp event(%{reason: :not_allowed, event: name}),
    do: "the rule of #{inspect(name)} is from: :system, the sender is a user"

  defp event(%{event: name}), do: inspect(name)

  # For messages: a short description of a value.
  @doc false
  @spec got(term) :: String.t()
  def got(value) when is_atom(value) and value not in [nil, true, false], do: "the atom #{inspect(value)}"
  def got(value) when is_binary(value), do: "the string #{short(value)}"
  def got(value) when is_tuple(value), do: "the tuple #{short(value)}"
  def got([{key, _} | _] = value) when is_atom(key), do: "the keyword list #{short(value)}"
  def got(value) when is_list(value), do: "the list #{short(value)}"
  def got(%struct{}), do: "a #{inspect(struct)}"
  def got(value) when is_map(value), do: "the map #{short(value)}"
  def got(value), do: short(value)

  defp short(value), do: inspect(value, limit: 5, printable_limit: 60)
end
