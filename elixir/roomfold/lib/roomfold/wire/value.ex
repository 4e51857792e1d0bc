defmodule Roomfold.Wire.Value do
  @moduledoc false
  # Names, terms and components' values as bits, both ways. A changed value that is read is {:is, value}, {:delta, index, numbers}
  # or :removed; one that is written is {:is, value}, {:steps, index, integers}, {:delta, index, zigzags, width} or :removed.

  require Roomfold.Wire.Numbers
  alias Roomfold.Projection.Elixir.Term
  alias Roomfold.Wire.{Bits, Numbers, Quantise}

  @width_bits Numbers.number("number", "delta_width_bits")
  @delta_bits Numbers.number("number", "delta_bits")
  @suffix_digits Numbers.number("number", "suffix_digits")
  @suffix_max Numbers.number("number", "suffix_max")

  # ---- names and terms ----

  def put_name(writer, text, layout) do
    put_word(writer, text, layout) || writer |> Bits.put_nib(0) |> Bits.put_bytes(text)
  end

  def put_term(writer, text, layout) when is_binary(text) do
    put_word(writer, text, layout) || writer |> Bits.put_nib(0) |> Bits.put_bytes(Term.encode(text))
  end

  def put_term(writer, term, layout) do
    bytes = Term.encode(term)

    case layout.terms do
      %{^bytes => number} -> Bits.put_nib(writer, number)
      _ -> writer |> Bits.put_nib(0) |> Bits.put_bytes(bytes)
    end
  end

  # nil: the schema has no word for it.
  defp put_word(writer, text, layout) do
    case layout.texts do
      %{^text => number} ->
        writer |> Bits.put_nib(number) |> Bits.put(0, 1)

      texts when texts != %{} ->
        with {stem, suffix} <- split(text), number when number != nil <- texts[stem] do
          writer |> Bits.put_nib(number) |> Bits.put(1, 1) |> Bits.put_nib(suffix)
        else
          _ -> nil
        end

      _ ->
        nil
    end
  end

  # The part before the digits at the end, and their number; nil if they can't be sent as a number.
  defp split(text) do
    digits = digits(text, byte_size(text), 0)
    stem_size = byte_size(text) - digits

    if digits in 1..@suffix_digits and (digits == 1 or :binary.at(text, stem_size) != ?0) do
      <<stem::binary-size(stem_size), suffix::binary>> = text
      {stem, String.to_integer(suffix)}
    end
  end

  defp digits(text, at, count) do
    if at > 0 and :binary.at(text, at - 1) in ?0..?9, do: digits(text, at - 1, count + 1), else: count
  end

  def name(reader, layout) do
    {number, next} = Bits.nib(reader)
    word = word(reader, layout, number)

    {text, next} =
      cond do
        number == 0 -> inline(next)
        is_binary(word) -> word_text(next, word)
        true -> Bits.fail(reader)
      end

    if String.valid?(text), do: {text, next}, else: Bits.fail(reader)
  end

  def term(reader, layout) do
    {number, next} = Bits.nib(reader)
    word = word(reader, layout, number)

    cond do
      number == 0 -> inline_term(reader, next)
      is_binary(word) -> word_text(next, word)
      true -> {word, next}
    end
  end

  defp inline_term(reader, next) do
    {bytes, next} = inline(next)

    case Term.decode(bytes) do
      {:ok, term, ""} -> {term, next}
      {:error, :too_deep, _} -> Bits.fail(reader)
      _ -> Bits.fail(reader)
    end
  end

  defp inline(reader) do
    {len, reader} = Bits.nib(reader)
    Bits.byte_string(reader, len)
  end

  defp word(_, _, 0), do: nil
  defp word(_, layout, number) when number <= tuple_size(layout.words), do: elem(layout.words, number - 1)
  defp word(reader, _, _), do: Bits.fail(reader)

  defp word_text(reader, word) do
    case Bits.bits(reader, 1) do
      {0, reader} ->
        {word, reader}

      {1, reader} ->
        {number, next} = Bits.nib(reader)
        if number > @suffix_max, do: Bits.fail(reader), else: {word <> Integer.to_string(number), next}
    end
  end

  # ---- masks: {recent, before} ----

  def put_mask(writer, {mask, before}, mask, _), do: {Bits.put(writer, 0, 1), {mask, before}}
  def put_mask(writer, {recent, mask}, mask, _), do: {Bits.put(writer, 1, 2), {mask, recent}}

  def put_mask(writer, {recent, _}, mask, count),
    do: {writer |> Bits.put(3, 2) |> Bits.put(mask, count), {mask, recent}}

  def mask(reader, {recent, before}, count) do
    case Bits.bits(reader, 1) do
      {0, reader} ->
        {recent, reader, {recent, before}}

      {1, reader} ->
        {explicit, reader} = Bits.bits(reader, 1)
        {mask, reader} = if explicit == 1, do: Bits.bits(reader, count), else: {before, reader}
        {mask, reader, {mask, recent}}
    end
  end

  # ---- values ----

  @doc "How a value is written for a receiver that does not have it."
  def whole(nil, value), do: {:is, value}

  def whole(quantiser, value) do
    case Quantise.integers(quantiser, value) do
      nil -> {:is, value}
      {index, integers} -> {:steps, index, integers}
    end
  end

  @doc "How a value is written for a receiver that has the old one (nil: none, or not known); `:same` if the receiver would see no change."
  def change(nil, value, _), do: {:is, value}

  def change(quantiser, value, old) do
    with {:steps, index, integers} = steps <- whole(quantiser, value),
         {^index, old} <- old != nil && Quantise.integers(quantiser, old) do
      zigzags = for {new, old} <- Enum.zip(integers, old), do: Term.zigzag(new - old)
      delta(quantiser, index, zigzags, steps)
    else
      {:is, _} = raw -> raw
      _ -> whole(quantiser, value)
    end
  end

  defp delta(quantiser, index, zigzags, steps) do
    width = zigzags |> Enum.max() |> Quantise.bit_length()
    changed = Enum.count(zigzags, &(&1 != 0))

    cond do
      changed == 0 -> :same
      width > @delta_bits -> steps
      1 + @width_bits + quantiser.count + changed * width >= 2 + quantiser.count * quantiser.bits -> steps
      true -> {:delta, index, zigzags, width}
    end
  end

  def put(writer, _, :removed, _, _), do: writer

  def put(writer, %{quantiser: nil, type: type}, {:is, value}, layout, _),
    do: put_plain(writer, type, value, layout)

  def put(writer, column, {:is, value}, layout, mode) do
    writer = if mode == :change, do: Bits.put(writer, 3, 2), else: Bits.put(writer, 1, 1)
    put_plain(writer, column.type, value, layout)
  end

  def put(writer, %{quantiser: quantiser}, {:steps, index, integers}, _, mode) do
    writer = if mode == :change, do: Bits.put(writer, 1, 2), else: Bits.put(writer, 0, 1)
    writer = if quantiser.quaternion, do: Bits.put(writer, index, 2), else: writer
    Enum.reduce(integers, writer, &Bits.put(&2, &1, quantiser.bits))
  end

  def put(writer, %{quantiser: quantiser}, {:delta, index, zigzags, width}, _, :change) do
    writer = Bits.put(writer, 0, 1)
    writer = if quantiser.quaternion, do: Bits.put(writer, index, 2), else: writer
    writer = Bits.put(writer, width - 1, @width_bits)
    writer = Enum.reduce(zigzags, writer, &Bits.put(&2, if(&1 == 0, do: 0, else: 1), 1))
    for zigzag <- zigzags, zigzag != 0, reduce: writer, do: (writer -> Bits.put(writer, zigzag, width))
  end

  defp put_plain(writer, {kind, _}, values, _), do: Enum.reduce(values, writer, &put_float(&2, kind, &1))
  defp put_plain(writer, kind, value, _) when kind in [:f32, :f64], do: put_float(writer, kind, value)
  defp put_plain(writer, :i64, value, _), do: Bits.put_nib(writer, Term.zigzag(value))
  defp put_plain(writer, :bool, value, _), do: Bits.put(writer, if(value, do: 1, else: 0), 1)
  defp put_plain(writer, :string, value, layout), do: put_name(writer, value, layout)
  defp put_plain(writer, :term, value, layout), do: put_term(writer, value, layout)

  defp put_float(writer, :f32, value) do
    <<bits::32>> = <<value::float-32>>
    Bits.put(writer, bits, 32)
  end

  defp put_float(writer, :f64, value) do
    <<high::32, low::32>> = <<value::float-64>>
    writer |> Bits.put(low, 32) |> Bits.put(high, 32)
  end

  @doc "A value, whole."
  def read(reader, %{quantiser: nil, type: type}, layout), do: plain(reader, type, layout)

  def read(reader, column, layout) do
    case Bits.bits(reader, 1) do
      {0, reader} -> steps(reader, column.quantiser)
      {1, reader} -> plain(reader, column.type, layout)
    end
  end

  @doc "A value, changed."
  def read_change(reader, %{quantiser: nil} = column, layout), do: is(read(reader, column, layout))

  def read_change(reader, column, layout) do
    case Bits.bits(reader, 1) do
      {0, reader} -> read_delta(reader, column.quantiser)
      {1, reader} -> is(read(reader, column, layout))
    end
  end

  defp is({value, reader}), do: {{:is, value}, reader}

  defp index(reader, %{quaternion: true}), do: Bits.bits(reader, 2)
  defp index(reader, _), do: {0, reader}

  defp steps(reader, quantiser) do
    {index, reader} = index(reader, quantiser)

    {integers, reader} =
      Enum.map_reduce(1..quantiser.count, reader, fn _, reader ->
        {integer, next} = Bits.bits(reader, quantiser.bits)
        if integer > quantiser.most, do: Bits.fail(reader), else: {integer, next}
      end)

    {Quantise.value(quantiser, index, integers), reader}
  end

  defp read_delta(reader, quantiser) do
    {index, reader} = index(reader, quantiser)
    {width, reader} = Bits.bits(reader, @width_bits)

    {changed, reader} = Enum.map_reduce(1..quantiser.count, reader, fn _, reader -> Bits.bits(reader, 1) end)

    {numbers, reader} =
      Enum.map_reduce(changed, reader, fn
        0, reader -> {0, reader}
        1, reader -> nonzero(reader, width + 1)
      end)

    {{:delta, index, numbers}, reader}
  end

  defp nonzero(reader, width) do
    case Bits.bits(reader, width) do
      {0, _} -> Bits.fail(reader)
      {zigzag, next} -> {Term.unzigzag(zigzag), next}
    end
  end

  @doc "Applies a delta to a value; nil if that is not possible."
  def add(quantiser, old, {:delta, index, numbers}) do
    with true <- old != nil, {index, integers} <- Quantise.integers(quantiser, old, index || 0) do
      new = for {a, b} <- Enum.zip(integers, numbers), do: a + b
      if Enum.all?(new, &(&1 in 0..quantiser.most)), do: Quantise.value(quantiser, index, new)
    else
      _ -> nil
    end
  end

  def plain(reader, {kind, count}, _),
    do: Enum.map_reduce(1..count, reader, fn _, reader -> float(reader, kind) end)

  def plain(reader, kind, _) when kind in [:f32, :f64], do: float(reader, kind)

  def plain(reader, :i64, _) do
    {zigzag, next} = Bits.nib(reader)
    # 22 groups hold 64 bits and no more.
    {Term.unzigzag(zigzag), next}
  end

  def plain(reader, :bool, _) do
    {bit, reader} = Bits.bits(reader, 1)
    {bit == 1, reader}
  end

  def plain(reader, :string, layout), do: name(reader, layout)
  def plain(reader, :term, layout), do: term(reader, layout)

  defp float(reader, :f32) do
    {bits, next} = Bits.bits(reader, 32)

    case <<bits::32>> do
      <<value::float-32>> -> {value, next}
      _ -> Bits.fail(reader)
    end
  end

  defp float(reader, :f64) do
    {low, next} = Bits.bits(reader, 32)
    {high, next} = Bits.bits(next, 32)

    case <<high::32, low::32>> do
      <<value::float-64>> -> {value, next}
      _ -> Bits.fail(reader)
    end
  end
end
