defmodule Roomfold.Level do
  @moduledoc """
  Static geometry: walls over line segments, boxes and triangles. Metres, y up.

    * `:sectors` - `{floor, ceiling}`; a wall between two of them is open from the higher floor to the lower ceiling
    * `:walls` - `{x1, z1, x2, z2, bottom, top, front, back, layers}`; bottom and top `nil`: unlimited; front and back are
      numbers of sectors or `nil`; without a back there is no opening
    * `:boxes` - `{low, high, layers}`, corners `{x, y, z}`
    * `:triangles` - `{a, b, c, layers}`, hit from both sides

  All are numbered by position, from 0. An entity `sector-N` with the components floor and ceiling moves sector N.
  """

  import Roomfold.Hits.Number, only: [is_real: 1]
  alias Roomfold.{Error, JSON}

  @type point :: {number, number, number}
  @type t :: %__MODULE__{
          sectors: [{number, number}],
          walls: [tuple],
          boxes: [{point, point, non_neg_integer}],
          triangles: [{point, point, point, non_neg_integer}]
        }

  defstruct sectors: [], walls: [], boxes: [], triangles: []

  @two_sided 4
  # Metres; no coordinate is larger.
  @reach 1.0e9
  @all_layers 0xFFFFFFFF
  # Of each kind; as many as a space in C takes.
  @most 1_048_576
  # Stands for none in C.
  @no_sector 0xFFFFFFFF

  @doc """
  A level from its JSON form: `"sectors"` with floor and ceil, `"lines"` with x1, y1, x2, y2, front, back and flags (4: it
  has two sides); front, back and flags may be missing, other keys are ignored. In this form z is up and y north.

  ## Options

    * `:unit` - metres per unit (1/32, as in DOOM)

  ## Examples

      iex> {:ok, level} = Roomfold.Level.from_json(~s({"sectors":[{"floor":0,"ceil":128}],
      ...>   "lines":[{"x1":0,"y1":0,"x2":64,"y2":32,"front":0,"back":null,"flags":1}]}))
      iex> level.walls
      [{0.0, 0.0, 2.0, -1.0, nil, nil, 0, nil, 0xFFFFFFFF}]

      iex> {:error, error} = Roomfold.Level.from_json(~s({"sectors":[],"lines":[{"x1":0}]}))
      iex> error.message
      "the level is not valid: line 0: there is no y1"
  """
  @spec from_json(String.t(), keyword) :: {:ok, t} | {:error, Error.t()}
  def from_json(text, opts \\ []) do
    with {:ok, form} <- JSON.decode(text), do: from_map(form, opts)
  end

  @doc """
  The same from the decoded form.

      iex> {:ok, level} = Roomfold.Level.from_map(%{"sectors" => [%{"floor" => -8, "ceil" => 128}], "lines" => []})
      iex> level.sectors
      [{-0.25, 4.0}]
  """
  @spec from_map(map, keyword) :: {:ok, t} | {:error, Error.t()}
  def from_map(form, opts \\ [])

  def from_map(%{} = form, opts) do
    unit = Keyword.validate!(opts, unit: 1 / 32)[:unit]

    unless is_real(unit) and unit > 0,
      do: raise(ArgumentError, ":unit is a number above 0, got #{Error.got(unit)}")

    with {:ok, sectors} <- all(form["sectors"], "sector", &sector(&1, unit)),
         {:ok, walls} <- all(form["lines"], "line", &wall(&1, unit, length(sectors))) do
      {:ok, %__MODULE__{sectors: sectors, walls: walls}}
    end
  end

  def from_map(_, _), do: invalid("it is not an object")

  defp all(items, what, read) when is_list(items), do: all(items, 0, [], what, read)
  defp all(_, what, _), do: invalid("there are no #{what}s")

  defp all([item | items], index, known, what, read) do
    case if(is_map(item), do: read.(item), else: {:error, "it is an object, got #{Error.got(item)}"}) do
      {:error, why} -> invalid("#{what} #{index}: #{why}")
      item -> all(items, index + 1, [item | known], what, read)
    end
  end

  defp all([], _, known, _, _), do: {:ok, Enum.reverse(known)}
  defp all(rest, _, _, what, _), do: invalid("the list of #{what}s ends with #{Error.got(rest)}")

  defp sector(sector, unit) do
    with {:ok, [floor, ceiling]} <- lengths(sector, ["floor", "ceil"], unit), do: {floor, ceiling}
  end

  defp wall(line, unit, sectors) do
    with {:ok, [x1, y1, x2, y2]} <- lengths(line, ["x1", "y1", "x2", "y2"], unit),
         {:ok, flags} <- whole(line, "flags"),
         {:ok, front} <- whole(line, "front"),
         {:ok, back} <- whole(line, "back"),
         back = if(Bitwise.band(flags || 0, @two_sided) != 0, do: back),
         nil <- no_sector(front, back, sectors) do
      {x1, 0.0 - y1, x2, 0.0 - y2, nil, nil, front, back, @all_layers}
    end
  end

  defp lengths(form, names, unit) do
    Enum.reduce_while(names, {:ok, []}, fn name, {:ok, known} ->
      case length_in(form, name, unit) do
        {:error, why} -> {:halt, {:error, why}}
        length -> {:cont, {:ok, known ++ [length]}}
      end
    end)
  end

  # Out of range, not an ArithmeticError.
  defp length_in(form, name, unit) do
    case form do
      %{^name => number} when is_real(number) and abs(number) <= @reach / unit -> number * unit
      %{^name => number} when is_number(number) -> {:error, "#{name} is out of range"}
      %{^name => other} when other != nil -> {:error, "#{name} is a number, got #{Error.got(other)}"}
      _ -> {:error, "there is no #{name}"}
    end
  end

  defp whole(form, name) do
    case Map.get(form, name) do
      nil ->
        {:ok, nil}

      number when is_integer(number) and number in 0..(@no_sector - 1) ->
        {:ok, number}

      number when is_float(number) and number >= 0 and number < @no_sector and trunc(number) == number ->
        {:ok, trunc(number)}

      other ->
        {:error, "#{name} is an integer from 0, got #{Error.got(other)}"}
    end
  end

  defp no_sector(front, back, sectors) do
    cond do
      front != nil and front >= sectors -> {:error, "front: there is no sector #{front}"}
      back != nil and back >= sectors -> {:error, "back: there is no sector #{back}"}
      back != nil and front == nil -> {:error, "it has a back, and no front"}
      true -> nil
    end
  end

  defp invalid(detail), do: {:error, Error.new(:invalid_level, detail: detail)}

  # ---- a level that somebody else has made ----

  @doc false
  # What is wrong with it; nil if it is as C and the oracle take it.
  @spec wrong(t) :: String.t() | nil
  def wrong(%__MODULE__{} = level) do
    not_a_list(level) ||
      first_wrong(level.sectors, 0, "sector", &wrong_sector/1) ||
      wrong_walls(level.walls, length(level.sectors)) ||
      first_wrong(level.boxes, 0, "box", &wrong_box/1) ||
      first_wrong(level.triangles, 0, "triangle", &wrong_triangle/1)
  end

  defp not_a_list(level) do
    key =
      Enum.find([:sectors, :walls, :boxes, :triangles], fn key ->
        items = Map.fetch!(level, key)
        not is_list(items) or List.improper?(items)
      end)

    if key, do: "#{inspect(key)} is not a list"
  end

  defp wrong_walls(walls, sectors), do: first_wrong(walls, 0, "wall", &wrong_wall(&1, sectors))

  defp first_wrong([_ | _], @most, what, _), do: "#{what} #{@most}: that is one more than there may be"

  defp first_wrong([item | items], index, what, wrong) do
    case wrong.(item) do
      nil -> first_wrong(items, index + 1, what, wrong)
      why -> "#{what} #{index}: #{why}"
    end
  end

  defp first_wrong([], _, _, _), do: nil

  defp wrong_sector({floor, ceiling}), do: unless(all_numbers?([floor, ceiling]), do: not_numbers())
  defp wrong_sector(_), do: "it is {floor, ceiling}"

  defp wrong_wall({x1, z1, x2, z2, bottom, top, front, back, layers}, sectors) do
    cond do
      not all_numbers?([x1, z1, x2, z2 | Enum.reject([bottom, top], &is_nil/1)]) ->
        not_numbers()

      bottom != nil and top != nil and bottom > top ->
        "its bottom is above its top"

      # Only a wall with a back needs a front that there is.
      front != nil and not (is_integer(front) and front in 0..(@no_sector - 1)) ->
        "its front is not a number of a sector"

      back != nil and not Enum.all?([front, back], &(&1 in 0..(sectors - 1)//1)) ->
        "there are no such sectors as its front and its back"

      true ->
        wrong_layers(layers)
    end
  end

  defp wrong_wall(_, _), do: "it is {x1, z1, x2, z2, bottom, top, front, back, layers}"

  defp wrong_box({{lx, ly, lz}, {hx, hy, hz}, layers}) do
    cond do
      not all_numbers?([lx, ly, lz, hx, hy, hz]) -> not_numbers()
      lx > hx or ly > hy or lz > hz -> "its first corner is not its lowest"
      true -> wrong_layers(layers)
    end
  end

  defp wrong_box(_), do: "it is {lowest corner, highest corner, layers}, corners are {x, y, z}"

  defp wrong_triangle({{ax, ay, az}, {bx, by, bz}, {cx, cy, cz}, layers}) do
    if all_numbers?([ax, ay, az, bx, by, bz, cx, cy, cz]), do: wrong_layers(layers), else: not_numbers()
  end

  defp wrong_triangle(_), do: "it is {a, b, c, layers}, corners are {x, y, z}"

  defp wrong_layers(layers) when is_integer(layers) and layers in 0..@all_layers, do: nil
  defp wrong_layers(_), do: "its layers are bits, an integer from 0 to 2^32-1"

  defp all_numbers?(numbers), do: Enum.all?(numbers, &(is_real(&1) and abs(&1) <= @reach))
  defp not_numbers, do: "its lengths are numbers within 10^9 metres"

  @doc false
  # As the NIF reads it.
  def to_terms(%__MODULE__{} = level), do: {level.sectors, level.walls, level.boxes, level.triangles}
end
