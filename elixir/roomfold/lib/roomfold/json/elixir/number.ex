defmodule Roomfold.JSON.Elixir.Number do
  @moduledoc false
  # Floats as JSON text: the shortest that reads back, or a fixed number of decimals. Like c_src/core/json/json_writer.c.

  @doc "The shortest text of a binary64, in the form of ECMAScript's Number::toString; integral: the suffix of integral numbers."
  @spec float64(float, integral :: String.t()) :: iodata
  def float64(float, integral) when float == 0.0, do: zero(float, integral)
  def float64(float, integral) when float < 0, do: [?- | float64(-float, integral)]
  def float64(float, integral), do: float |> shortest64() |> layout(integral)

  @doc "The same for a float that is a binary32: the shortest text that reads back as that (as a binary64, then rounded)."
  @spec float32(float) :: iodata
  def float32(float) when float == 0.0, do: zero(float, "")
  def float32(float) when float < 0, do: [?- | float32(-float)]
  def float32(float), do: float |> shortest32() |> layout(integral(float))

  @doc "The suffix of an integral float: beyond 2^53 an integer would not be read back as a float."
  def integral(float), do: if(abs(float) > 9_007_199_254_740_992.0, do: ".0", else: "")

  @exact 2_251_799_813_685_248.0

  @doc "At most that many decimals: the product with a power of ten, rounded to the nearest integer, ties to even."
  @spec decimals(float, 0..8) :: iodata
  def decimals(float, decimals) do
    scaled = float * Integer.pow(10, decimals)

    if abs(scaled) < @exact do
      case round_to_even(scaled) do
        negative when negative < 0 -> [?- | point(-negative, decimals)]
        other -> point(other, decimals)
      end
    else
      float64(float, integral(float))
    end
  end

  defp point(integer, 0), do: Integer.to_string(integer)

  defp point(integer, decimals) do
    unit = Integer.pow(10, decimals)
    part = integer |> rem(unit) |> Integer.to_string() |> String.pad_leading(decimals, "0")

    case String.trim_trailing(part, "0") do
      "" -> Integer.to_string(div(integer, unit))
      part -> [Integer.to_string(div(integer, unit)), ?., part]
    end
  end

  defp round_to_even(float) do
    below = trunc(Float.floor(float))

    case float - below do
      rest when rest < 0.5 -> below
      rest when rest > 0.5 -> below + 1
      _ -> if rem(below, 2) == 0, do: below, else: below + 1
    end
  end

  defp zero(<<1::1, _::63>>, _), do: "-0.0"
  defp zero(<<_::64>>, integral), do: "0" <> integral
  defp zero(float, integral), do: zero(<<float::float>>, integral)

  defp layout({digits, point}, integral) do
    count = byte_size(digits)

    cond do
      point in count..21 -> [digits, String.duplicate("0", point - count), integral]
      point in 1..21 -> [binary_part(digits, 0, point), ?., binary_part(digits, point, count - point)]
      point in -5..0 -> ["0.", String.duplicate("0", -point), digits]
      true -> [mantissa(digits), ?e, if(point > 0, do: ?+, else: ?-), Integer.to_string(abs(point - 1))]
    end
  end

  defp mantissa(<<digit, rest::binary>>), do: if(rest == "", do: <<digit>>, else: [digit, ?. | rest])

  # The digits of a positive float and where its point stands: 0.DIGITS times ten to the `point`.
  defp shortest64(float) do
    {mantissa, exponent} = split(shortest_text(float))
    [whole, fraction] = String.split(mantissa, ".")
    digits(whole <> fraction, byte_size(whole) + exponent)
  end

  defp split(text) do
    case String.split(text, "e") do
      [mantissa] -> {mantissa, 0}
      [mantissa, exponent] -> {mantissa, String.to_integer(exponent)}
    end
  end

  defp digits(all, point) do
    digits = String.trim_leading(all, "0")
    {String.trim_trailing(digits, "0"), point - (byte_size(all) - byte_size(digits))}
  end

  if String.to_integer(System.otp_release()) >= 25 do
    defp shortest_text(float), do: :erlang.float_to_binary(float, [:short])
  else
    defp shortest_text(float), do: IO.iodata_to_binary(:io_lib_format.fwrite_g(float))
  end

  # The fewest digits that read back. Where binary32s are spaced unevenly (at powers of two) the nearest decimal may fail, and its neighbour
  # succeed.
  defp shortest32(float) do
    Enum.find_value(1..9, fn count ->
      {mantissa, exponent} = split(:erlang.float_to_binary(float, [{:scientific, count - 1}]))
      nearest = mantissa |> String.replace(".", "") |> String.to_integer()

      Enum.find_value([nearest, nearest - 1, nearest + 1], fn integer ->
        if reads_as?(integer, exponent - count + 1, float) do
          text = Integer.to_string(integer)
          digits(text, byte_size(text) + exponent - count + 1)
        end
      end)
    end)
  end

  defp reads_as?(integer, exponent, float) do
    <<narrow::float-32>> = <<String.to_float("#{integer}.0e#{exponent}")::float-32>>
    narrow == float
  rescue
    _ -> false
  end
end
