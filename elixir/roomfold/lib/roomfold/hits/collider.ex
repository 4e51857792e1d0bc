defmodule Roomfold.Hits.Collider do
  @moduledoc false
  # A collider of an entity or a shot: a map, described in c_src/include/roomfold/scene.h. It is parsed to
  # {shape, centred, {half x, half y, half z}, radius, height}, and the layers, nil if it has none.

  import Roomfold.Hits.Number

  @spec parse(term) :: {:ok, tuple, non_neg_integer | nil} | :error
  def parse(%{"shape" => shape} = map) do
    with {:ok, shape, half, radius, height} <- sizes(shape, map), {:ok, layers} <- layers(map) do
      {:ok, {shape, map["at"] == "centre", half, radius, height}, layers}
    end
  end

  def parse(_), do: :error

  defp sizes("box", %{"size" => size}) do
    case size do
      [x, y, z] when is_real(x) and is_real(y) and is_real(z) ->
        {:ok, :box, {x / 2, y / 2, z / 2}, 0.0, 0.0}

      _ ->
        :error
    end
  end

  defp sizes("box", %{"radius" => radius, "height" => height}) when is_real(radius) and is_real(height),
    do: {:ok, :box, {radius * 1.0, height / 2, radius * 1.0}, 0.0, 0.0}

  defp sizes("sphere", %{"radius" => radius}) when is_real(radius),
    do: {:ok, :sphere, {0.0, 0.0, 0.0}, radius * 1.0, 0.0}

  defp sizes("capsule", %{"radius" => radius, "height" => height})
       when is_real(radius) and is_real(height),
       do: {:ok, :capsule, {0.0, 0.0, 0.0}, radius * 1.0, height * 1.0}

  defp sizes(_, _), do: :error

  defp layers(%{"layers" => layers}) when is_integer(layers) and layers in 0..0xFFFFFFFF, do: {:ok, layers}

  defp layers(%{"layers" => layers}) when is_float(layers) and layers >= 0 and layers <= 0xFFFFFFFF,
    do: if(layers == Float.floor(layers), do: {:ok, trunc(layers)}, else: :error)

  defp layers(%{"layers" => layers}) when is_number(layers), do: :error
  defp layers(_), do: {:ok, nil}
end
