defmodule MapWorld do
  @moduledoc "The idiomatic projection: a map of maps and a reducer."
  def fold(events, world), do: Enum.reduce(events, world, &apply_event/2)

  def apply_event({"update", %{"entity_id" => id, "components" => components}}, world) do
    case world do
      %{^id => entity} -> %{world | id => Map.merge(entity, components)}
      _ -> world
    end
  end

  def apply_event({"create", %{"entity_id" => id, "components" => components}}, world),
    do: Map.put(world, id, components)

  def apply_event({"delete", %{"entity_id" => id}}, world), do: Map.delete(world, id)

  # As a decoder gives it: one flat map.
  def apply_decoded(%{"event" => name} = payload, world), do: apply_event({name, payload}, world)

  @doc "Batches of lines, each line decoded by itself, as messages come."
  def decode_and_fold(batches, world, decode) do
    Enum.reduce(batches, world, fn lines, world ->
      Enum.reduce(lines, world, fn line, world -> apply_decoded(decode.(line), world) end)
    end)
  end

  def jiffy(line), do: apply(:jiffy, :decode, [line, [:return_maps]])
  def jason(line), do: apply(Jason, :decode!, [line])

  @doc "The same with jiffy and what was put aside; for a VM of its own."
  def fold_kept do
    {creates, lines} = :persistent_term.get(:bench)
    decode_and_fold(lines, fold(creates, %{}), &jiffy/1)
    :ok
  end
end
