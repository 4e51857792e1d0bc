defmodule Roomfold.Wire.Bits do
  @moduledoc false
  # Streams of bits, the lowest bit of a byte first, as docs/wire-format.md has them. A reader is {bits held, how many, the
  # bytes after them, bytes of the whole frame}; a writer {bits held, how many, iodata}. Errors are thrown.

  import Bitwise
  alias Roomfold.Projection.Elixir.Term

  @groups 22

  def reader(bytes, size), do: {0, 0, bytes, size}

  @doc "The byte of the frame where a reader stands."
  def at({_, count, rest, size}), do: size - byte_size(rest) - div(count + 7, 8)

  @spec fail(tuple, atom) :: no_return
  def fail(reader, reason \\ :invalid_frame), do: throw({:wire, reason, at(reader)})

  def bits({held, count, rest, size}, n) when count >= n,
    do: {held &&& (1 <<< n) - 1, {held >>> n, count - n, rest, size}}

  def bits({held, count, <<more::little-32, rest::binary>>, size}, n),
    do: bits({held ||| more <<< count, count + 32, rest, size}, n)

  def bits({held, count, <<more, rest::binary>>, size}, n),
    do: bits({held ||| more <<< count, count + 8, rest, size}, n)

  def bits(reader, _), do: fail(reader)

  def nib(reader), do: nib(reader, 0, 0)

  defp nib(reader, group, sum) do
    {four, next} = bits(reader, 4)
    sum = sum ||| (four &&& 7) <<< (3 * group)

    cond do
      group == @groups - 1 and four > 1 -> fail(reader)
      four >= 8 -> nib(next, group + 1, sum)
      four == 0 and group > 0 -> fail(reader)
      true -> {sum, next}
    end
  end

  def byte_string(reader, len) do
    if len * 8 > left(reader), do: fail(reader)
    byte_string(reader, len, [])
  end

  defp byte_string(reader, 0, known), do: {known |> Enum.reverse() |> IO.iodata_to_binary(), reader}

  defp byte_string(reader, len, known) do
    {byte, reader} = bits(reader, 8)
    byte_string(reader, len - 1, [byte | known])
  end

  defp left({_, count, rest, _}), do: count + 8 * byte_size(rest)

  @doc "The bits left in the last byte must be 0; returns the bytes after it."
  def finish({held, count, rest, size} = reader) do
    over = rem(count, 8)
    if (held &&& (1 <<< over) - 1) != 0, do: fail(reader)
    {<<held >>> over::little-size(count - over), rest::binary>>, size}
  end

  # ---- writing ----

  def writer, do: {0, 0, []}

  def put({held, count, out}, value, n) when count + n < 64, do: {held ||| value <<< count, count + n, out}

  def put({held, count, out}, value, n) do
    held = held ||| value <<< count
    count = count + n
    whole = count - rem(count, 8)
    <<low::little-size(whole)>> = <<held &&& (1 <<< whole) - 1::little-size(whole)>>
    {held >>> whole, count - whole, [out | <<low::little-size(whole)>>]}
  end

  def put_nib(writer, value) when value < 8, do: put(writer, value, 4)
  def put_nib(writer, value), do: writer |> put((value &&& 7) ||| 8, 4) |> put_nib(value >>> 3)

  def put_bytes(writer, bytes) do
    for <<byte <- bytes>>, reduce: put_nib(writer, byte_size(bytes)) do
      writer -> put(writer, byte, 8)
    end
  end

  def to_iodata({held, count, out}) do
    size = count + rem(8 - rem(count, 8), 8)
    [out | <<held::little-size(size)>>]
  end

  # ---- whole bytes, with the same errors: functions of {bytes, size} ----

  def u8({<<byte, rest::binary>>, size}), do: {byte, {rest, size}}
  def u8({rest, size}), do: fail_bytes({rest, size})

  def varint(bytes), do: checked(bytes, &Term.read_varint/1)
  def text(bytes), do: checked(bytes, &Term.read_text/1)

  def byte_run(bytes) do
    {len, {rest, size} = next} = varint(bytes)

    case rest do
      <<run::binary-size(len), rest::binary>> -> {run, {rest, size}}
      _ -> fail_bytes(next)
    end
  end

  def term({rest, size}) do
    case Term.decode(rest) do
      {:ok, value, rest} -> {value, {rest, size}}
      {:error, reason, left} -> throw({:wire, reason, size - left})
    end
  end

  @spec fail_bytes({binary, non_neg_integer}, atom) :: no_return
  def fail_bytes({rest, size}, reason \\ :invalid_frame), do: throw({:wire, reason, size - byte_size(rest)})

  defp checked({rest, size}, read) do
    {value, rest} = read.(rest)
    {value, {rest, size}}
  catch
    {:term, reason, left} -> throw({:wire, reason, size - left})
  end
end
