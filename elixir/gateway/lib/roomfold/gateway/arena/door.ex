defmodule Roomfold.Gateway.Arena.Door do
  @moduledoc false
  # Doors: their ceiling goes up when their state is open, and down when it is not; players who come near open them.
  @behaviour Roomfold.Room.System

  alias Roomfold.World

  # Metres a second.
  @speed 2.0

  def entities(door) do
    [
      {door.id,
       %{
         "kind" => "door",
         "state" => "closed",
         "floor" => door.floor,
         "ceiling" => door.floor,
         "open" => door.open
       }},
      {door.id <> "-trigger",
       %{
         "kind" => "trigger",
         "position" => door.middle,
         "collider" => %{"shape" => "sphere", "radius" => 2.5},
         "trigger" => %{"event" => "door_triggered", "fields" => %{"id" => door.id}}
       }}
    ]
  end

  @impl true
  def init(_, _, _), do: nil

  @impl true
  def events(_), do: ["door_triggered"]

  @impl true
  def tick(world, tick, state) do
    opened =
      for {"door_triggered", %{"id" => id}} <- tick.events, closed?(World.get(world, id)), uniq: true do
        {"door_opened", %{"id" => id}}
      end

    moves =
      for {id, %{"kind" => "door"} = door} <-
            World.query(world, ["kind", "state", "floor", "ceiling", "open"]),
          next = next(door, @speed * tick.dt_ms / 1000),
          next != door["ceiling"],
          do: {"door_moved", %{"id" => id, "ceiling" => next}}

    {opened ++ moves, state}
  end

  defp closed?(%{"kind" => "door", "state" => state}), do: state != "open"
  defp closed?(_), do: false

  defp next(%{"state" => "open"} = door, step), do: min(door["ceiling"] + step, door["open"])
  defp next(door, step), do: max(door["ceiling"] - step, door["floor"])
end
