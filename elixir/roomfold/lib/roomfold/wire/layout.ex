defmodule Roomfold.Wire.Layout do
  @moduledoc false
  # A schema as frames need it: its packed form, its tag, its columns in order, its words by number and by value.

  import Bitwise
  require Roomfold.Wire.Numbers
  alias Roomfold.Projection.Elixir.Term
  alias Roomfold.Schema
  alias Roomfold.Wire.{Bits, Numbers, Quantise}

  defstruct [:packed, :tag, :columns, :names, :words, :texts, :terms]

  @types Numbers.rows("type")
  @kinds Map.new([:f32, :f64, :i64, :bool, :string, :term], &{Map.new(@types)[Atom.to_string(&1)], &1})

  def new(%Schema{} = schema) do
    packed = packed(schema)

    columns =
      for {name, type} <- schema.components,
          do: %{name: name, type: type, quantiser: Quantise.new(type, Map.get(schema.options, name, %{}))}

    words = Enum.with_index(schema.words, 1)

    %__MODULE__{
      packed: packed,
      tag: tag(packed),
      columns: columns,
      names: MapSet.new(columns, & &1.name),
      words: List.to_tuple(schema.words),
      texts: for({word, number} <- words, is_binary(word), into: %{}, do: {word, number}),
      terms: for({word, number} <- words, not is_binary(word), into: %{}, do: {Term.encode(word), number})
    }
  end

  defp packed(schema) do
    components =
      for {name, type} <- schema.components do
        {kind, count} = with kind when is_atom(kind) <- type, do: {kind, 1}
        options = Map.get(schema.options, name, %{})
        decimals = if options[:decimals], do: options.decimals + 1, else: 0
        [Term.bytes(name), @types[Atom.to_string(kind)], count, decimals, quantise(options[:quantise])]
      end

    words = Enum.map(schema.words, &Term.encode/1)

    IO.iodata_to_binary([
      [Term.varint(length(components)), components],
      [Term.varint(length(words)), words]
    ])
  end

  defp quantise(nil), do: <<Numbers.number("quantise", "none")>>
  defp quantise({:smallest_three, bits}), do: <<Numbers.number("quantise", "smallest_three"), bits>>

  defp quantise({:step, step, min, max}),
    do: <<Numbers.number("quantise", "step"), step::float-little, min::float-little, max::float-little>>

  defp tag(packed) do
    hash =
      for <<byte <- packed>>,
        reduce: 2_166_136_261,
        do: (hash -> bxor(hash, byte) * 16_777_619 &&& 0xFFFFFFFF)

    bxor(bxor(hash, hash >>> 8), bxor(hash >>> 16, hash >>> 24)) &&& 0xFF
  end

  @doc "A schema from its packed form, `{bytes, size}`, which contains nothing else."
  def read(bytes) do
    {count, rest} = Bits.varint(bytes)
    if count > 64, do: Bits.fail_bytes(rest)
    {components, rest} = read_times(rest, count, &read_component/1)
    {count, rest} = Bits.varint(rest)
    if count > Numbers.number("number", "words_max"), do: Bits.fail_bytes(rest)
    {words, {left, _} = rest} = read_times(rest, count, &Bits.term/1)

    with "" <- left, {:ok, schema} <- Schema.new(components, words: words) do
      schema
    else
      _ -> Bits.fail_bytes(rest)
    end
  end

  defp read_times(rest, 0, _), do: {[], rest}

  defp read_times(rest, count, read) do
    {value, rest} = read.(rest)
    {values, rest} = read_times(rest, count - 1, read)
    {[value | values], rest}
  end

  defp read_component(bytes) do
    {name, rest} = Bits.text(bytes)
    {type, rest} = Bits.u8(rest)
    {count, rest} = Bits.u8(rest)
    {decimals, rest} = Bits.u8(rest)
    {quantise, rest} = Bits.u8(rest)
    unless is_map_key(@kinds, type), do: Bits.fail_bytes(rest)
    kind = @kinds[type]
    {options, rest} = read_quantise(quantise, rest)
    options = if decimals > 0, do: [{:decimals, decimals - 1} | options], else: options
    {{name, if(count == 1, do: kind, else: {kind, count}), options}, rest}
  end

  defp read_quantise(Numbers.number("quantise", "none"), rest), do: {[], rest}

  defp read_quantise(Numbers.number("quantise", "smallest_three"), rest) do
    {bits, rest} = Bits.u8(rest)
    {[quantise: :smallest_three, bits: bits], rest}
  end

  defp read_quantise(Numbers.number("quantise", "step"), {rest, size}) do
    case rest do
      <<step::float-little, min::float-little, max::float-little, rest::binary>> ->
        {[quantise: [step: step, bounds: {min, max}]], {rest, size}}

      _ ->
        Bits.fail_bytes({rest, size})
    end
  end

  defp read_quantise(_, rest), do: Bits.fail_bytes(rest)
end
