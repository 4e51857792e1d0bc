defmodule Roomfold.Projection.Elixir.Term do
  @moduledoc false
  # How many bytes a value has in compact form (docs/event-model.md, Terms); a string component is just its bytes.

  import Bitwise

  def size(:string, value), do: byte_size(value)
  def size(:term, value), do: size(value)

  defp size(value) when value in [nil, true, false], do: 1
  defp size(value) when is_integer(value), do: 1 + varint(if(value < 0, do: -2 * value - 1, else: 2 * value))
  defp size(value) when is_float(value), do: if(narrow?(value), do: 5, else: 9)
  defp size(value) when is_binary(value), do: 1 + string(value)
  defp size(value) when is_list(value), do: Enum.reduce(value, 1 + varint(length(value)), &(size(&1) + &2))

  defp size(value) when is_map(value) do
    Enum.reduce(value, 1 + varint(map_size(value)), fn {key, value}, sum ->
      sum + string(key) + size(value)
    end)
  end

  defp string(value), do: varint(byte_size(value)) + byte_size(value)

  defp varint(value) when value < 0x80, do: 1
  defp varint(value), do: 1 + varint(value >>> 7)

  # The same number as binary32.
  defp narrow?(value) do
    <<narrow::float-32>> = <<value::float-32>>
    narrow == value
  rescue
    _ -> false
  end
end
