defmodule Roomfold.Wire.Quantise do
  @moduledoc false
  # From numbers to integers and back (docs/wire-format.md, Values). A quantiser is a map for both directions.

  @sqrt_2 1.4142135623730951
  @sqrt_half 0.7071067811865476

  @doc "nil: the component is not quantised."
  def new(type, options) do
    {kind, count} = with kind when is_atom(kind) <- type, do: {kind, 1}

    case options do
      %{quantise: {:step, step, min, max}} ->
        most = trunc(Float.ceil((max - min) / step))

        %{
          quaternion: false,
          kind: kind,
          count: count,
          most: most,
          bits: bit_length(most),
          min: min,
          step: step,
          per_step: 1 / step,
          scalar: is_atom(type)
        }

      %{quantise: {:smallest_three, bits}} ->
        half = Bitwise.bsl(1, bits - 1) - 1

        %{
          quaternion: true,
          kind: :f32,
          count: 3,
          most: 2 * half,
          bits: bits,
          min: half,
          step: @sqrt_half / half,
          per_step: @sqrt_2 * half
        }

      _ ->
        nil
    end
  end

  def bit_length(0), do: 0
  def bit_length(number), do: 1 + bit_length(Bitwise.bsr(number, 1))

  @doc "`{index, integers}` (index 0 except for a quaternion), or nil. A quaternion's index may be given."
  def integers(quantiser, value, index \\ nil)

  def integers(%{quaternion: false} = q, value, _) do
    steps = Enum.map(List.wrap(value), &Float.floor((&1 - q.min) * q.per_step + 0.5))
    if Enum.all?(steps, &(&1 >= 0 and &1 <= q.most)), do: {0, Enum.map(steps, &trunc/1)}
  rescue
    ArithmeticError -> nil
  end

  def integers(q, [x, y, z, w] = value, index) do
    sum = x * x + y * y + z * z + w * w

    if sum >= 63 / 64 and sum <= 65 / 64 do
      index = index || largest(value)
      scale = (1.875 - sum * (1.25 - sum * 0.375)) * q.per_step
      scale = if Enum.at(value, index) < 0, do: -scale, else: scale
      {index, for(v <- List.delete_at(value, index), do: quaternion_integer(q, v * scale))}
    end
  end

  defp quaternion_integer(q, v), do: trunc(Float.floor(v + (q.min + 0.5))) |> max(0) |> min(q.most)

  defp largest(value) do
    {_, index} = value |> Enum.with_index() |> Enum.max_by(fn {v, index} -> {abs(v), -index} end)
    index
  end

  @doc "The value of these integers."
  def value(%{quaternion: false} = q, _, integers) do
    values = for n <- integers, do: narrow(q.kind, q.min + n * q.step)
    if q.scalar, do: hd(values), else: values
  end

  def value(q, index, integers) do
    three = for n <- integers, do: (n - q.min) * q.step
    rest = Enum.reduce(three, 1.0, fn v, rest -> rest - v * v end)
    for v <- List.insert_at(three, index, :math.sqrt(max(rest, 0.0))), do: narrow(:f32, v)
  end

  defp narrow(:f64, number), do: number

  defp narrow(:f32, number) do
    <<narrow::float-32>> = <<number::float-32>>
    narrow
  end
end
