defmodule EtsWorld do
  @moduledoc "The table such applications keep by hand, without and with the batcher that collects a diff."
  def new, do: :ets.new(:world, [:set, :public, read_concurrency: true])

  def fold(events, table), do: Enum.each(events, &apply_event(&1, table))

  defp apply_event({"update", %{"entity_id" => id, "components" => components}}, table) do
    case :ets.lookup(table, id) do
      [{_, entity}] -> :ets.insert(table, {id, Map.merge(entity, components)})
      [] -> false
    end
  end

  defp apply_event({"create", %{"entity_id" => id, "components" => components}}, table),
    do: :ets.insert(table, {id, components})

  defp apply_event({"delete", %{"entity_id" => id}}, table), do: :ets.delete(table, id)

  @doc """
  Folds and answers what changed, as Roomfold's diff means it: a value that is written again is no change, what came and
  went within the batch is not in it, what was there before and is replaced is created.
  """
  def fold_with_diff(events, table) do
    {creates, updates, deletes} =
      Enum.reduce(events, {%{}, %{}, %{}}, fn {name, payload}, diff -> note(name, payload, table, diff) end)

    %{"creates" => creates, "updates" => updates, "deletes" => for({id, true} <- deletes, do: id)}
  end

  defp note("update", %{"entity_id" => id, "components" => components}, table, diff) do
    case :ets.lookup(table, id) do
      [{_, entity}] ->
        case :maps.filter(fn key, value -> :erlang.map_get(key, entity) !== value end, components) do
          changed when changed == %{} ->
            diff

          changed ->
            merged = Map.merge(entity, changed)
            :ets.insert(table, {id, merged})
            note_update(id, changed, merged, diff)
        end

      [] ->
        diff
    end
  end

  defp note("create", %{"entity_id" => id, "components" => components}, table, {creates, updates, deletes}) do
    :ets.insert(table, {id, components})
    {Map.put(creates, id, components), Map.delete(updates, id), Map.delete(deletes, id)}
  end

  defp note("delete", %{"entity_id" => id}, table, {creates, updates, deletes}) do
    :ets.delete(table, id)
    # Nobody else has to hear of what came and went within the batch.
    {Map.delete(creates, id), Map.delete(updates, id), Map.put(deletes, id, not is_map_key(creates, id))}
  end

  defp note_update(id, changed, merged, {creates, updates, deletes}) do
    case {creates, updates} do
      {%{^id => _}, _} -> {%{creates | id => merged}, updates, deletes}
      {_, %{^id => before}} -> {creates, %{updates | id => Map.merge(before, changed)}, deletes}
      _ -> {creates, Map.put(updates, id, changed), deletes}
    end
  end
end
