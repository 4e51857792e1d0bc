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

  @doc """
  Folds and answers what changed, as Roomfold's diff means it: a value that is written again is no change, what came and
  went within the batch is not in it, what was there before and is replaced is created.
  """
  def fold_with_diff(events, world) do
    {world, creates, updates, deletes} =
      Enum.reduce(events, {world, %{}, %{}, %{}}, fn {name, payload}, diff -> note(name, payload, diff) end)

    gone = for {id, true} <- deletes, do: id
    {world, %{"creates" => creates, "updates" => updates, "deletes" => gone}}
  end

  defp note(
         "update",
         %{"entity_id" => id, "components" => components},
         {world, creates, updates, deletes} = diff
       ) do
    case world do
      %{^id => entity} ->
        case :maps.filter(fn key, value -> :erlang.map_get(key, entity) !== value end, components) do
          changed when changed == %{} ->
            diff

          changed ->
            merged = Map.merge(entity, changed)
            {creates, updates} = note_update(id, changed, merged, creates, updates)
            {%{world | id => merged}, creates, updates, deletes}
        end

      _ ->
        diff
    end
  end

  defp note("create", %{"entity_id" => id, "components" => components}, {world, creates, updates, deletes}) do
    {Map.put(world, id, components), Map.put(creates, id, components), Map.delete(updates, id),
     Map.delete(deletes, id)}
  end

  # Nobody else has to hear of what came and went within the batch.
  defp note("delete", %{"entity_id" => id}, {world, creates, updates, deletes}) do
    {Map.delete(world, id), Map.delete(creates, id), Map.delete(updates, id),
     Map.put(deletes, id, not is_map_key(creates, id))}
  end

  defp note_update(id, changed, merged, creates, updates) do
    case {creates, updates} do
      {%{^id => _}, _} -> {%{creates | id => merged}, updates}
      {_, %{^id => before}} -> {creates, %{updates | id => Map.merge(before, changed)}}
      _ -> {creates, Map.put(updates, id, changed)}
    end
  end

  @doc "Batches of lines in, for each of them a diff out, as text."
  def text_to_text(batches, world, decode, encode) do
    Enum.reduce(batches, world, fn lines, world ->
      {world, _} = one_to_text(lines, world, decode, encode)
      world
    end)
  end

  def one_to_text(lines, world, decode, encode) do
    events = for line <- lines, %{"event" => name} = payload = decode.(line), do: {name, payload}
    {world, diff} = fold_with_diff(events, world)
    {world, encode.(diff)}
  end

  def jiffy_text(term), do: apply(:jiffy, :encode, [term])
  def jason_text(term), do: apply(Jason, :encode_to_iodata!, [term])

  @doc "The same with jiffy and what was put aside; for a VM of its own."
  def text_to_text_kept do
    {creates, batches} = :persistent_term.get(:bench)
    text_to_text(batches, fold(creates, %{}), &jiffy/1, &jiffy_text/1)
    :ok
  end
end
