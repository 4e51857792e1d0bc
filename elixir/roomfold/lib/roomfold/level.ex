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

  @doc """
  A level from its JSON form: `"sectors"` with floor and ceil, `"lines"` with x1, y1, x2, y2, front, back and flags (4: it
  has two sides); other keys are ignored. In this form z is up and y north.

  ## Options

    * `:unit` - metres per unit (1/32, as in DOOM)

  ## Examples

      iex> {:ok, level} = Roomfold.Level.from_json(~s({"sectors":[{"floor":0,"ceil":128}],
      ...>   "lines":[{"x1":0,"y1":0,"x2":64,"y2":32,"front":0,"back":null,"flags":1}]}))
      iex> level.walls
      [{0.0, 0.0, 2.0, -1.0, nil, nil, 0, nil, 0xFFFFFFFF}]

      iex> {:error, error} = Roomfold.Level.from_json(~s({"sectors":[],"lines":[{"x1":0}]}))
      iex> error.message
      "the level is not valid: line 0"
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
    case read.(item) do
      nil -> invalid("#{what} #{index}")
      item -> all(items, index + 1, [item | known], what, read)
    end
  end

  defp all([], _, known, _, _), do: {:ok, Enum.reverse(known)}
  defp all(_, index, _, what, _), do: invalid("#{what} #{index}")

  defp sector(%{"floor" => floor, "ceil" => ceil}, unit) when is_real(floor) and is_real(ceil),
    do: in_reach({metres(floor, unit), metres(ceil, unit)})

  defp sector(_, _), do: nil

  # Out of range, not an ArithmeticError.
  defp metres(number, unit) when abs(number) <= @reach / unit, do: number * unit
  defp metres(_, _), do: nil

  defp in_reach(place), do: if(nil in Tuple.to_list(place), do: nil, else: place)

  defp wall(%{"x1" => x1, "y1" => y1, "x2" => x2, "y2" => y2} = line, unit, sectors)
       when is_real(x1) and is_real(y1) and is_real(x2) and is_real(y2) do
    back = if Bitwise.band(flags(line), @two_sided) != 0, do: line["back"]
    place = in_reach({metres(x1, unit), metres(y1, unit), metres(x2, unit), metres(y2, unit)})

    with {x1, y1, x2, y2} <- place,
         true <- sector?(line["front"], sectors) and sector?(back, sectors),
         true <- back == nil or line["front"] != nil do
      {x1, 0.0 - y1, x2, 0.0 - y2, nil, nil, line["front"], back, @all_layers}
    else
      _ -> nil
    end
  end

  defp wall(_, _, _), do: nil

  defp flags(%{"flags" => flags}) when is_integer(flags), do: flags
  defp flags(_), do: 0

  defp sector?(nil, _), do: true
  defp sector?(number, count), do: is_integer(number) and number in 0..(count - 1)//1

  defp invalid(detail), do: {:error, Error.new(:invalid_level, detail: detail)}

  @doc false
  # As the NIF reads it.
  def to_terms(%__MODULE__{} = level), do: {level.sectors, level.walls, level.boxes, level.triangles}
end
