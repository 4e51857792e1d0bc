defmodule Roomfold.Demo.Shots do
  @moduledoc false
  # Every recorded shot, tested again: what it would have hit, with boxes, walls and doors as they were at that moment. The
  # recording contains what the engine hit. Map units become metres: (x, y, z) is (x, z, -y) / 32.

  alias Roomfold.{Hits, Level, Schema, World}

  @unit 1 / 32
  # Positions are as exact as in the recording.
  @schema [{"position", {:f64, 3}}]

  defstruct rays: 0, agree: 0, hits: 0, hits_agree: 0, microseconds: 0

  @doc "rays: the decoded lines. nil if there are none, or no level."
  def judge(rays, map) when rays == nil or map == nil, do: nil

  def judge(rays, map) do
    with {:ok, level} <- Level.from_map(map) do
      world = World.new!(schema: Schema.new!(@schema), level: level)
      Enum.reduce(rays, {world, MapSet.new(), %__MODULE__{}}, &judge_one/2) |> elem(2)
    else
      _ -> nil
    end
  end

  defp judge_one(ray, {world, before, sum}) do
    things = Enum.map(ray["targets"], &target/1) ++ Enum.map(ray["sectors"] || [], &sector/1)
    now = MapSet.new(things, fn {_, payload} -> payload["entity_id"] end)
    gone = for id <- MapSet.difference(before, now), do: {"delete", %{"entity_id" => id}}
    world = World.fold!(world, gone ++ things)

    {time, {:ok, [answer]}} = :timer.tc(fn -> Hits.cast(world, [shot(ray)]) end)
    {world, now, count(sum, hit(answer), ray["hit"], time)}
  end

  defp target([id, x, y, z, radius, height]) do
    collider = %{"shape" => "box", "radius" => radius * @unit, "height" => height * @unit}
    components = %{"position" => metres([x, y, z]), "collider" => collider}
    {"create", %{"entity_id" => to_string(id), "components" => components}}
  end

  defp sector([number, floor, ceiling]) do
    heights =
      for {name, height} <- [{"floor", floor}, {"ceiling", ceiling}],
          height != nil,
          do: {name, height * @unit}

    {"create", %{"entity_id" => "sector-#{number}", "components" => Map.new(heights)}}
  end

  defp shot(ray),
    do: %{origin: metres(ray["origin"]), direction: metres(ray["dir"]), range: ray["range"] * @unit}

  defp metres([x, y, z]), do: [x * @unit, z * @unit, -y * @unit]

  defp hit(%Hits.Hit{kind: :entity, id: id}), do: id
  defp hit(_), do: nil

  defp count(sum, found, recorded, time) do
    agree = if found == (recorded && to_string(recorded)), do: 1, else: 0
    hits = if recorded, do: 1, else: 0

    %{
      sum
      | rays: sum.rays + 1,
        agree: sum.agree + agree,
        hits: sum.hits + hits,
        hits_agree: sum.hits_agree + hits * agree,
        microseconds: sum.microseconds + time
    }
  end
end
