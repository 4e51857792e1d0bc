defmodule Roomfold.Gateway.Arena.Map do
  @moduledoc false
  # The shipped level's things, in metres with y up: where players start, what lies about, which sectors are doors.

  alias Roomfold.JSON

  defstruct [:form, :lines, :floors, :starts, :homes, :items, :doors]

  @unit 1 / 32
  @item %{"shape" => "box", "radius" => 0.625, "height" => 0.5}

  # Type of item → the event when it is collected, with its fields.
  @pickups %{
    "health_bonus" => {"health_collected", %{"add" => %{"health" => [1, 200]}}},
    "stimpack" => {"health_collected", %{"add" => %{"health" => [10, 100]}}},
    "medikit" => {"health_collected", %{"add" => %{"health" => [25, 100]}}},
    "armor_bonus" => {"armor_collected", %{"add" => %{"armor" => [1, 200]}}},
    "green_armor" => {"armor_collected", %{"add" => %{"armor" => [100, 100]}}},
    "clip" => {"ammo_collected", %{"add" => %{"ammo" => [10, 400]}}},
    "shells" => {"ammo_collected", %{"add" => %{"ammo" => [4, 400]}}},
    "rocket" => {"ammo_collected", %{"add" => %{"ammo" => [1, 400]}}},
    "cell" => {"ammo_collected", %{"add" => %{"ammo" => [20, 400]}}}
  }

  # It has no monsters of its own: these places, apart from one another, are theirs.
  @homes ["player1", "player4", "destination"]

  # Lines that are doors for players who walk up to them: their numbers in DOOM.
  @door_lines [1, 31, 117, 118]

  def shipped do
    path = Path.join([to_string(:code.priv_dir(:roomfold)), "demo", "freedm-0.12-MAP21.json.gz"])
    path |> File.read!() |> :zlib.gunzip() |> JSON.decode!() |> new()
  end

  def new(form) do
    map = %__MODULE__{
      form: form,
      lines: for(line <- form["lines"], do: line(line)),
      floors: form["sectors"] |> Enum.map(&(&1["floor"] * @unit)) |> List.to_tuple()
    }

    things = Enum.with_index(form["things"])

    %{
      map
      | starts: for({%{"name" => "deathmatch"} = thing, _} <- things, do: place(map, thing)),
        homes: for({%{"name" => name} = thing, _} <- things, name in @homes, do: place(map, thing)),
        items:
          for(
            {%{"class" => class} = thing, n} <- things,
            class in ["item", "weapon"],
            do: item(map, thing, n)
          ),
        doors: doors(form)
    }
  end

  defp line(line) do
    {line["x1"] * @unit, -line["y1"] * @unit, line["x2"] * @unit, -line["y2"] * @unit, line["front"],
     line["back"]}
  end

  defp place(map, %{"x" => x, "y" => y} = thing) do
    turn = (thing["angle"] || 0) * :math.pi() / 360
    position = [x * @unit, floor_at(map, x * @unit, -y * @unit) || 0.0, -y * @unit]
    %{position: position, rotation: [0.0, :math.sin(turn), 0.0, :math.cos(turn)]}
  end

  defp item(map, %{"name" => name} = thing, n) do
    %{position: position, rotation: rotation} = place(map, thing)

    {"#{name}-#{n}",
     %{
       "kind" => "item",
       "type" => name,
       "position" => position,
       "rotation" => rotation,
       "collider" => @item,
       "pickup" => pickup(name)
     }}
  end

  defp pickup(name) do
    case @pickups do
      %{^name => {event, what}} -> Map.put(what, "event", event)
      _ -> %{"event" => "weapon_collected", "fields" => %{"weapon" => name}}
    end
  end

  # As high as the lowest ceiling around it, less a little.
  defp doors(form) do
    sectors = List.to_tuple(form["sectors"])

    for {back, lines} <- Enum.group_by(form["lines"], & &1["back"]),
        back != nil and Enum.any?(lines, &(&1["special"] in @door_lines)) do
      sector = elem(sectors, back)
      around = for %{"front" => front} <- lines, do: elem(sectors, front)["ceil"]
      xs = for line <- lines, key <- ["x1", "x2"], do: line[key]
      ys = for line <- lines, key <- ["y1", "y2"], do: line[key]

      %{
        id: "sector-#{back}",
        floor: sector["floor"] * @unit,
        open: (Enum.min(around) - 4) * @unit,
        middle: [middle(xs), sector["floor"] * @unit, -middle(ys)]
      }
    end
  end

  defp middle(numbers), do: (Enum.min(numbers) + Enum.max(numbers)) / 2 * @unit

  @doc "How high the floor is there, nil outside: by the nearest line to the right, and the side of it that looks here."
  def floor_at(map, x, z) do
    case Enum.reduce(map.lines, nil, &nearer(&1, &2, x, z)) do
      {_, sector} when sector != nil -> elem(map.floors, sector)
      _ -> nil
    end
  end

  defp nearer({x1, z1, x2, z2, front, back}, best, x, z) do
    if z1 > z != z2 > z do
      cross = x1 + (z - z1) / (z2 - z1) * (x2 - x1)

      # The front is to the right of the line's direction: here, where z points south, to the west of one that goes north.
      side = if z2 < z1, do: back, else: front

      if cross > x and (best == nil or cross < elem(best, 0)), do: {cross, side}, else: best
    else
      best
    end
  end

  def distance([x1, y1, z1], [x2, y2, z2]),
    do: :math.sqrt((x1 - x2) * (x1 - x2) + (y1 - y2) * (y1 - y2) + (z1 - z2) * (z1 - z2))
end
