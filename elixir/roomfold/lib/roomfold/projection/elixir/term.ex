defmodule Roomfold.Projection.Elixir.Term do
  @moduledoc false
  # Compact terms (docs/event-model.md, Terms): how many bytes a value has, those bytes, and back. Only the canonical form is read.

  import Bitwise

  @depth 62

  @doc "A string component is encoded as its bytes only."
  def size(:string, value), do: byte_size(value)
  def size(:term, value), do: size(value)

  defp size(value) when value in [nil, true, false], do: 1
  defp size(value) when is_integer(value), do: 1 + varint_size(zigzag(value))
  defp size(value) when is_float(value), do: if(narrow?(value), do: 5, else: 9)
  defp size(value) when is_binary(value), do: 1 + string(value)

  defp size(value) when is_list(value),
    do: Enum.reduce(value, 1 + varint_size(length(value)), &(size(&1) + &2))

  defp size(value) when is_map(value) do
    Enum.reduce(value, 1 + varint_size(map_size(value)), fn {key, value}, sum ->
      sum + string(key) + size(value)
    end)
  end

  defp string(value), do: varint_size(byte_size(value)) + byte_size(value)

  defp varint_size(value) when value < 0x80, do: 1
  defp varint_size(value), do: 1 + varint_size(value >>> 7)

  # The same number as binary32.
  defp narrow?(value) do
    <<narrow::float-32>> = <<value::float-32>>
    narrow == value
  rescue
    _ -> false
  end

  def zigzag(value) when value < 0, do: -2 * value - 1
  def zigzag(value), do: 2 * value
  def unzigzag(value) when (value &&& 1) == 1, do: -(value >>> 1) - 1
  def unzigzag(value), do: value >>> 1

  @doc "A number in 7 bits a byte, the lowest first."
  def varint(value) when value < 0x80, do: <<value>>
  def varint(value), do: <<1::1, value::7>> <> varint(value >>> 7)

  def bytes(value), do: varint(byte_size(value)) <> value

  def encode(value), do: value |> iodata() |> IO.iodata_to_binary()

  defp iodata(nil), do: <<0>>
  defp iodata(false), do: <<1>>
  defp iodata(true), do: <<2>>
  defp iodata(value) when is_integer(value), do: <<3, varint(zigzag(value))::binary>>

  defp iodata(value) when is_float(value) do
    if narrow?(value), do: <<8, value::float-little-32>>, else: <<4, value::float-little-64>>
  end

  defp iodata(value) when is_binary(value), do: [5, bytes(value)]
  defp iodata(value) when is_list(value), do: [6, varint(length(value)) | Enum.map(value, &iodata/1)]

  defp iodata(value) when is_map(value) do
    [7, varint(map_size(value)) | for({key, value} <- Enum.sort(value), do: [bytes(key), iodata(value)])]
  end

  @doc "One term at the start of these bytes: `{:ok, value, rest}` or `{:error, bytes_left}` or `:too_deep` in its place."
  def decode(bytes) do
    {value, rest} = value(bytes, @depth)
    {:ok, value, rest}
  catch
    {:term, reason, left} -> {:error, reason, left}
  end

  defp value(<<0, rest::binary>>, _), do: {nil, rest}
  defp value(<<1, rest::binary>>, _), do: {false, rest}
  defp value(<<2, rest::binary>>, _), do: {true, rest}

  defp value(<<3, rest::binary>>, _) do
    {number, rest} = read_varint(rest)
    {unzigzag(number), rest}
  end

  defp value(<<4, number::float-little-64, rest::binary>>, _) do
    if narrow?(number), do: bad(rest), else: {number, rest}
  end

  defp value(<<8, number::float-little-32, rest::binary>>, _), do: {number, rest}
  defp value(<<5, rest::binary>>, _), do: read_text(rest)

  defp value(<<6, rest::binary>>, depth) do
    {count, rest} = read_count(rest, depth)
    Enum.map_reduce(List.duplicate(depth - 1, count), rest, &value(&2, &1))
  end

  defp value(<<7, rest::binary>>, depth) do
    {count, rest} = read_count(rest, depth)
    entries(rest, count, depth - 1, nil, [])
  end

  defp value(rest, _), do: bad(rest)

  defp entries(rest, 0, _, _, known), do: {Map.new(known), rest}

  defp entries(rest, count, depth, last, known) do
    {key, rest} = read_text(rest)
    if last != nil and key <= last, do: bad(rest)
    {value, rest} = value(rest, depth)
    entries(rest, count - 1, depth, key, [{key, value} | known])
  end

  defp read_count(rest, depth) do
    {count, rest} = read_varint(rest)
    if depth == 0, do: throw({:term, :too_deep, byte_size(rest)})
    if count > byte_size(rest), do: bad(rest)
    {count, rest}
  end

  def read_text(bytes) do
    {len, rest} = read_varint(bytes)

    case rest do
      <<text::binary-size(len), rest::binary>> -> if String.valid?(text), do: {text, rest}, else: bad(bytes)
      _ -> bad(rest)
    end
  end

  def read_varint(bytes), do: read_varint(bytes, 0, 0)

  defp read_varint(<<byte, rest::binary>>, shift, sum)
       when not (byte == 0 and shift > 0) and not (shift == 63 and byte > 1) do
    sum = sum + ((byte &&& 0x7F) <<< shift)
    if byte < 0x80, do: {sum, rest}, else: read_varint(rest, shift + 7, sum)
  end

  defp read_varint(bytes, _, _), do: bad(bytes)

  defp bad(rest), do: throw({:term, :invalid_frame, byte_size(rest)})
end
