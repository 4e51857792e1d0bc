defmodule Roomfold.Hits.Elixir.Slabs do
  @moduledoc false
  # The part of a path that lies between pairs of parallel planes. Like c_src/core/hit/slab.h, operation by operation.

  # Far beyond any time of a path: it stands for infinity, which Erlang's floats do not have.
  @endless 1.7976931348623157e308

  defstruct touch: false, enter: -@endless, leave: @endless, normal: {0.0, 0.0, 0.0}

  @doc "Between low and high along an axis (0 to 2); either may be nil: unlimited. nil if nothing can be left."
  def axis(nil, _, _, _, _), do: nil

  def axis(slabs, sweep, axis, low, high) do
    origin = elem(sweep.origin, axis)
    way = elem(sweep.way, axis)
    inverse = elem(sweep.inverse, axis)

    cond do
      way == 0 -> if between?(slabs.touch, origin, low, high), do: slabs
      way < 0 -> cut(slabs, at(high, origin, inverse), at(low, origin, inverse), unit(axis, 1.0))
      true -> cut(slabs, at(low, origin, inverse), at(high, origin, inverse), unit(axis, -1.0))
    end
  end

  defp at(nil, _, _), do: nil
  defp at(plane, origin, inverse), do: (plane - origin) * inverse

  defp between?(true, origin, low, high),
    do: (low == nil or origin >= low) and (high == nil or origin <= high)

  defp between?(false, origin, low, high),
    do: (low == nil or origin > low) and (high == nil or origin < high)

  defp unit(0, size), do: {size, 0.0, 0.0}
  defp unit(1, size), do: {0.0, size, 0.0}
  defp unit(2, size), do: {0.0, 0.0, size}

  @doc """
  Between two planes at `width` on both sides of the one through a point; at: normal * (origin - point). spare is added to the width if the
  path crosses the planes.
  """
  def plane(nil, _, _, _, _, _), do: nil

  def plane(slabs, sweep, {nx, ny, nz} = normal, at, width, spare) do
    {wx, wy, wz} = sweep.way
    rate = nx * wx + ny * wy + nz * wz
    far = width + spare

    cond do
      rate == 0 -> if(slabs.touch, do: abs(at) <= width, else: abs(at) < width) && slabs
      rate > 0 -> cut(slabs, divide(-far - at, rate), divide(far - at, rate), {-nx, -ny, -nz})
      true -> cut(slabs, divide(far - at, rate), divide(-far - at, rate), normal)
    end
    |> case do
      false -> nil
      slabs -> slabs
    end
  end

  @doc "Where C has an infinite quotient, one that is beyond any time of a path. Never -0.0."
  def divide(a, b) do
    a / b + 0.0
  rescue
    ArithmeticError -> if a > 0 == b > 0, do: @endless, else: -@endless
  end

  defp cut(slabs, t1, t2, normal) do
    slabs = if t1 != nil and t1 > slabs.enter, do: %{slabs | enter: t1, normal: normal}, else: slabs
    slabs = if t2 != nil and t2 < slabs.leave, do: %{slabs | leave: t2}, else: slabs
    if slabs.enter <= slabs.leave, do: slabs
  end

  @doc "Whether a part of the path is inside. If that is only its start, it is not a contact with a static thing."
  def hit?(nil), do: false

  def hit?(%{enter: enter, leave: leave, touch: touch}),
    do: enter <= leave and enter <= 1 and leave >= 0 and (touch or leave > 0 or enter == 0)

  def start(slabs), do: if(slabs.enter > 0, do: slabs.enter, else: 0.0)

  @doc "The normal of the plane that was entered last, of length 1."
  def normal(%{normal: {x, y, z}}) do
    scale = max(max(abs(x), abs(y)), abs(z))

    if scale == 0 do
      {0.0, 0.0, 0.0}
    else
      {x, y, z} = {x / scale, y / scale, z / scale}
      length = :math.sqrt(x * x + y * y + z * z)
      {x / length, y / length, z / length}
    end
  end

  @spare :math.pow(2, -24)

  @doc "Whether the path at t is between a and b along an axis, in any order, with a small tolerance."
  def beside?(sweep, t, axis, a, b) do
    {ox, oy, oz} = sweep.origin
    {wx, wy, wz} = sweep.way
    spare = Enum.max([abs(ox), abs(oy), abs(oz), abs(wx), abs(wy), abs(wz)]) * @spare
    at = elem(sweep.origin, axis) + elem(sweep.way, axis) * t
    at >= min(a, b) - spare and at <= max(a, b) + spare
  end
end
