defmodule Roomfold.JSON.Elixir do
  @moduledoc false
  alias Roomfold.JSON.Elixir.Number

  # JSON in pure Elixir: the reference for the C reader and writer, equal to them down to the offset of an error
  # (docs/event-model.md, "Syntax errors in JSON text"). The reader has a stack of its own, so only the limit bounds the depth.

  import Bitwise

  # Stands for a number that is too large for a binary64, where that is not an error: an integer that is out of range everywhere.
  @too_large 1 <<< 64
  @event_depth 64
  @encode_depth 512

  # Integers with more digits take too long to read and to write.
  @max_digits 16_384
  @too_many_digits Integer.pow(10, @max_digits)

  defguardp is_space(byte) when byte in [?\s, ?\n, ?\r, ?\t]
  defguardp is_digit(byte) when byte in ?0..?9

  @type error :: {:error, {atom, nil, non_neg_integer | nil}}

  @doc "Reads one text."
  @spec json_decode(binary, pos_integer) :: {:ok, term} | error
  def json_decode(text, max_depth) do
    context = %{size: byte_size(text), max_depth: max_depth, unique: false}
    {rest, at} = space(text, 0)

    with {:ok, value, rest, at} <- value(rest, at, [], 0, context),
         {"", _} <- space(rest, at) do
      {:ok, value}
    else
      {<<_, _::binary>>, at} -> fail(:unexpected_byte, at)
      error -> error
    end
  catch
    {:json, reason, at} -> {:error, {reason, nil, at}}
  end

  @doc """
  Reads one value of a text of events, that starts at `at` (no white space): duplicate keys are errors, numbers out of range
  are integers beyond 64 bits. Answers where it ends.
  """
  @spec event_value(binary, non_neg_integer) :: {:ok, term, non_neg_integer} | error
  def event_value(text, at) do
    context = %{size: byte_size(text), max_depth: @event_depth, unique: true}
    <<_::binary-size(at), rest::binary>> = text
    {:ok, value, _, at} = value(rest, at, [], 0, context)
    {:ok, value, at}
  catch
    {:json, reason, at} -> {:error, {reason, nil, at}}
  end

  defp fail(reason, at), do: throw({:json, reason, at})

  @spec unexpected(binary, non_neg_integer, map) :: no_return
  defp unexpected("", _, context), do: fail(:unexpected_end, context.size)
  defp unexpected(_, at, _), do: fail(:unexpected_byte, at)

  defp space(<<byte, rest::binary>>, at) when is_space(byte), do: space(rest, at + 1)
  defp space(rest, at), do: {rest, at}

  # ---- values; the stack holds the open lists and maps around them: {:list, items} or {:map, map, key} ----

  defp value(<<?[, rest::binary>>, at, stack, depth, context) do
    if depth == context.max_depth, do: fail(:too_deep, at)

    case space(rest, at + 1) do
      {<<?], rest::binary>>, at} -> close([], rest, at + 1, stack, depth, context)
      {rest, at} -> value(rest, at, [{:list, []} | stack], depth + 1, context)
    end
  end

  defp value(<<?{, rest::binary>>, at, stack, depth, context) do
    if depth == context.max_depth, do: fail(:too_deep, at)

    case space(rest, at + 1) do
      {<<?}, rest::binary>>, at} -> close(%{}, rest, at + 1, stack, depth, context)
      {rest, at} -> key(rest, at, %{}, stack, depth + 1, context)
    end
  end

  defp value(<<?", rest::binary>>, at, stack, depth, context) do
    {string, rest, at} = string(rest, at + 1, 0, rest, [], context)
    close(string, rest, at, stack, depth, context)
  end

  defp value(<<byte, _::binary>> = rest, at, stack, depth, context) when byte == ?- or is_digit(byte) do
    {number, rest, at} = number(rest, at, context)
    close(number, rest, at, stack, depth, context)
  end

  defp value(<<?t, rest::binary>>, at, stack, depth, context),
    do: word(rest, at + 1, "rue", true, stack, depth, context)

  defp value(<<?f, rest::binary>>, at, stack, depth, context),
    do: word(rest, at + 1, "alse", false, stack, depth, context)

  defp value(<<?n, rest::binary>>, at, stack, depth, context),
    do: word(rest, at + 1, "ull", nil, stack, depth, context)

  defp value(rest, at, _, _, context), do: unexpected(rest, at, context)

  defp word(rest, at, "", value, stack, depth, context), do: close(value, rest, at, stack, depth, context)

  defp word(<<byte, rest::binary>>, at, <<byte, left::binary>>, value, stack, depth, context) do
    word(rest, at + 1, left, value, stack, depth, context)
  end

  defp word(rest, at, _, _, _, _, context), do: unexpected(rest, at, context)

  # A value is complete: continues with the list or map around it.
  defp close(value, rest, at, [], _, _), do: {:ok, value, rest, at}

  defp close(value, rest, at, [{:list, items} | stack], depth, context) do
    case space(rest, at) do
      {<<?,, rest::binary>>, at} ->
        {rest, at} = space(rest, at + 1)
        value(rest, at, [{:list, [value | items]} | stack], depth, context)

      {<<?], rest::binary>>, at} ->
        close(Enum.reverse(items, [value]), rest, at + 1, stack, depth - 1, context)

      {rest, at} ->
        unexpected(rest, at, context)
    end
  end

  defp close(value, rest, at, [{:map, map, key} | stack], depth, context) do
    map = Map.put(map, key, value)

    case space(rest, at) do
      {<<?,, rest::binary>>, at} ->
        {rest, at} = space(rest, at + 1)
        key(rest, at, map, stack, depth, context)

      {<<?}, rest::binary>>, at} ->
        close(map, rest, at + 1, stack, depth - 1, context)

      {rest, at} ->
        unexpected(rest, at, context)
    end
  end

  defp key(<<?", rest::binary>>, start, map, stack, depth, context) do
    {key, rest, at} = string(rest, start + 1, 0, rest, [], context)
    if context.unique and is_map_key(map, key), do: fail(:duplicate_key, start)

    case space(rest, at) do
      {<<?:, rest::binary>>, at} ->
        {rest, at} = space(rest, at + 1)
        value(rest, at, [{:map, map, key} | stack], depth, context)

      {rest, at} ->
        unexpected(rest, at, context)
    end
  end

  defp key(rest, at, _, _, _, context), do: unexpected(rest, at, context)

  # ---- strings; `run` bytes of `from` are plain, `parts` is what came before, newest first ----

  defp string(<<?", rest::binary>>, at, run, from, parts, _) do
    {IO.iodata_to_binary(Enum.reverse(parts, [binary_part(from, 0, run)])), rest, at + 1}
  end

  defp string(<<?\\, rest::binary>>, at, run, from, parts, context) do
    {character, rest, at} = escape(rest, at + 1, context)
    string(rest, at, 0, rest, [character, binary_part(from, 0, run) | parts], context)
  end

  defp string(<<byte, rest::binary>>, at, run, from, parts, context) when byte in 0x20..0x7F do
    string(rest, at + 1, run + 1, from, parts, context)
  end

  defp string(<<byte, _::binary>>, at, _, _, _, _) when byte < 0x20, do: fail(:unexpected_byte, at)

  defp string(<<character::utf8, rest::binary>>, at, run, from, parts, context) do
    size = byte_size(<<character::utf8>>)
    string(rest, at + size, run + size, from, parts, context)
  end

  defp string("", _, _, _, _, context), do: fail(:unexpected_end, context.size)
  defp string(_, at, _, _, _, _), do: fail(:invalid_utf8, at)

  for {letter, character} <- [
        {?", ?"},
        {?\\, ?\\},
        {?/, ?/},
        {?b, ?\b},
        {?f, ?\f},
        {?n, ?\n},
        {?r, ?\r},
        {?t, ?\t}
      ] do
    defp escape(<<unquote(letter), rest::binary>>, at, _), do: {<<unquote(character)>>, rest, at + 1}
  end

  defp escape(<<?u, rest::binary>>, at, context) do
    case unit(rest, at + 1, :any, context) do
      {high, rest, at} when high in 0xD800..0xDBFF ->
        {rest, at} = expect(rest, at, ?\\, context)
        {rest, at} = expect(rest, at, ?u, context)
        {low, rest, at} = unit(rest, at, :low, context)
        {<<0x10000 + (high - 0xD800) * 0x400 + (low - 0xDC00)::utf8>>, rest, at}

      {character, rest, at} ->
        {<<character::utf8>>, rest, at}
    end
  end

  defp escape(rest, at, context), do: unexpected(rest, at, context)

  defp expect(<<byte, rest::binary>>, at, byte, _), do: {rest, at + 1}
  defp expect(rest, at, _, context), do: unexpected(rest, at, context)

  # Four hexadecimal digits; :low: from dc00 to dfff, :any: anything but these.
  defp unit(rest, at, kind, context) do
    {a, rest, at} = hex(rest, at, if(kind == :low, do: [13], else: 0..15), context)
    second = if kind == :low, do: 12..15, else: if(a == 13, do: 0..11, else: 0..15)
    {b, rest, at} = hex(rest, at, second, context)
    {c, rest, at} = hex(rest, at, 0..15, context)
    {d, rest, at} = hex(rest, at, 0..15, context)
    {a <<< 12 ||| b <<< 8 ||| c <<< 4 ||| d, rest, at}
  end

  defp hex(<<byte, rest::binary>> = all, at, allowed, context) do
    digit =
      cond do
        byte in ?0..?9 -> byte - ?0
        byte in ?a..?f -> byte - ?a + 10
        byte in ?A..?F -> byte - ?A + 10
        true -> nil
      end

    if digit in allowed, do: {digit, rest, at + 1}, else: unexpected(all, at, context)
  end

  defp hex("", at, _, context), do: unexpected("", at, context)

  # ---- numbers ----

  defp number(text, start, context) do
    {rest, at} = sign(text, start)
    {rest, at} = whole(rest, at, context)
    {rest, fraction_at} = fraction(rest, at, context)
    {rest, end_at} = exponent(rest, fraction_at, context)

    if end_at == at do
      {text |> binary_part(0, at - start) |> integer(start, context), rest, at}
    else
      whole = binary_part(text, 0, at - start)
      fraction = if fraction_at == at, do: ".0", else: binary_part(text, at - start, fraction_at - at)
      exponent = binary_part(text, fraction_at - start, end_at - fraction_at)
      {float(whole <> fraction <> exponent, start, context), rest, end_at}
    end
  end

  defp sign(<<?-, rest::binary>>, at), do: {rest, at + 1}
  defp sign(rest, at), do: {rest, at}

  defp whole(<<?0, rest::binary>>, at, _), do: {rest, at + 1}
  defp whole(rest, at, context), do: digits(rest, at, context)

  defp fraction(<<?., rest::binary>>, at, context), do: digits(rest, at + 1, context)
  defp fraction(rest, at, _), do: {rest, at}

  defp exponent(<<e, sign, rest::binary>>, at, context) when e in ~c"eE" and sign in ~c"+-",
    do: digits(rest, at + 2, context)

  defp exponent(<<e, rest::binary>>, at, context) when e in ~c"eE", do: digits(rest, at + 1, context)
  defp exponent(rest, at, _), do: {rest, at}

  defp digits(<<digit, rest::binary>>, at, _) when is_digit(digit), do: more_digits(rest, at + 1)
  defp digits(rest, at, context), do: unexpected(rest, at, context)

  defp more_digits(<<digit, rest::binary>>, at) when is_digit(digit), do: more_digits(rest, at + 1)
  defp more_digits(rest, at), do: {rest, at}

  # In events all integers beyond 64 bits are treated the same: out of range.
  defp integer(text, start, context) do
    cond do
      digit_count(text) <= @max_digits -> String.to_integer(text)
      context.unique -> @too_large
      true -> fail(:number_out_of_range, start)
    end
  end

  defp digit_count(<<?-, digits::binary>>), do: byte_size(digits)
  defp digit_count(digits), do: byte_size(digits)

  defp float(text, start, context) do
    :erlang.binary_to_float(text)
  rescue
    ArgumentError -> if context.unique, do: @too_large, else: fail(:number_out_of_range, start)
  end

  # ---- writing ----

  @doc "Writes a term."
  @spec json_encode(term) :: {:ok, binary} | error
  def json_encode(term) do
    {:ok, term |> encode(@encode_depth) |> IO.iodata_to_binary()}
  catch
    {:json, reason, _} -> {:error, {reason, nil, nil}}
  end

  @doc "The same as iodata, for a part of a text; throws {:json, reason, nil}."
  def text(term), do: encode(term, @encode_depth)

  defp encode(nil, _), do: "null"
  defp encode(true, _), do: "true"
  defp encode(false, _), do: "false"

  defp encode(integer, _) when is_integer(integer) and abs(integer) >= @too_many_digits,
    do: fail(:number_out_of_range, nil)

  defp encode(integer, _) when is_integer(integer), do: Integer.to_string(integer)
  defp encode(float, _) when is_float(float), do: Number.float64(float, ".0")
  defp encode(string, _) when is_binary(string), do: encode_string(string)
  defp encode(value, 0) when is_list(value) or is_map(value), do: fail(:too_deep, nil)
  defp encode([], _), do: "[]"

  defp encode(list, left) when is_list(list) do
    [?[, encode_items(list, left - 1), ?]]
  end

  defp encode(map, left) when is_map(map) do
    entries =
      map
      |> :maps.to_list()
      |> Enum.sort()
      |> Enum.map(fn
        {key, value} when is_binary(key) -> [encode_string(key), ?:, encode(value, left - 1)]
        _ -> fail(:unsupported_value, nil)
      end)

    [?{, Enum.intersperse(entries, ?,), ?}]
  end

  defp encode(_, _), do: fail(:unsupported_value, nil)

  defp encode_items([item], left), do: encode(item, left)

  defp encode_items([item | items], left) when is_list(items),
    do: [encode(item, left), ?, | encode_items(items, left)]

  defp encode_items(_, _), do: fail(:unsupported_value, nil)

  defp encode_string(string) do
    unless String.valid?(string), do: fail(:invalid_utf8, nil)
    [?", escape_string(string), ?"]
  end

  defp escape_string(string) do
    for <<byte <- string>>, into: "", do: escaped(byte)
  end

  for {character, letter} <- [{?", ?"}, {?\\, ?\\}, {?\b, ?b}, {?\f, ?f}, {?\n, ?n}, {?\r, ?r}, {?\t, ?t}] do
    defp escaped(unquote(character)), do: <<?\\, unquote(letter)>>
  end

  defp escaped(byte) when byte < 0x20, do: "\\u00" <> Base.encode16(<<byte>>, case: :lower)
  defp escaped(byte), do: <<byte>>
end
