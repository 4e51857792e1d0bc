defmodule Roomfold.Projection.Elixir.Changes do
  @moduledoc false
  # Converts an object that changes several entities, by component or by kind, to entity events
  # (docs/event-model.md, "Several entities at once").

  @about ["seq", "at", "by"]
  @lists ["created", "deleted"]
  @reserved [
    "event",
    "event_name",
    "entities",
    "components",
    "kinds",
    "from",
    "creates",
    "updates",
    "deletes"
  ]
  @max_name 255

  @doc """
  `{:changes, entity_events}`; `{:whole, creates}`, in the order of ids, of a snapshot of everything there is; `{:error, reason}`.
  """
  def read(%{} = object) do
    {lists, rest} = object |> Map.drop(@about) |> Map.split(@lists)
    values = Map.values(rest)

    cond do
      lists == %{} and values == [] -> {:error, :invalid_name}
      Enum.any?(@reserved, &is_map_key(rest, &1)) -> {:error, :invalid_name}
      not Enum.all?(Map.values(lists), &is_list/1) -> {:error, :invalid_name}
      Enum.all?(values, &is_map/1) -> {:changes, events(lists, columns(rest))}
      not Enum.all?(values, &is_list/1) -> {:error, :invalid_name}
      lists == %{} -> whole(items(rest))
      true -> {:changes, events(lists, items(rest))}
    end
  end

  # Ids must be unique: otherwise it is not clear which entities no longer exist.
  defp whole(items) do
    ids = Enum.map(items, &elem(&1, 0))

    if Enum.all?(ids, &id?/1) and length(Enum.uniq(ids)) == length(ids) do
      {:whole, for({id, components} <- Enum.sort_by(items, &elem(&1, 0)), do: put("create", id, components))}
    else
      {:error, :invalid_snapshot}
    end
  end

  defp id?(id), do: is_binary(id) and byte_size(id) in 1..@max_name

  defp events(lists, changed) do
    created = Map.get(lists, "created", [])
    there = MapSet.new(changed, &elem(&1, 0))

    alone =
      for(id <- Enum.uniq(Enum.filter(created, &is_binary/1)), id not in there, do: {id, %{}}) ++
        for id <- created, not is_binary(id), do: {nil, %{}}

    created = MapSet.new(Enum.filter(created, &is_binary/1))

    for(id <- Map.get(lists, "deleted", []), do: {"delete", %{"entity_id" => id}}) ++
      for {id, components} <- Enum.sort_by(alone ++ changed, fn {id, _} -> id || "" end) do
        put(if(id in created, do: "create", else: "update"), id, components)
      end
  end

  defp put(name, id, components), do: {name, %{"entity_id" => id, "components" => components}}

  # By component: all changes of one id are one event.
  defp columns(columns) do
    for({name, column} <- columns, {id, value} <- column, do: {id, {name, value}})
    |> Enum.group_by(&elem(&1, 0), &elem(&1, 1))
    |> Enum.map(fn {id, components} -> {id, Map.new(components)} end)
  end

  # By kind: each item is one event.
  defp items(kinds) do
    for {_, items} <- Enum.sort_by(kinds, &elem(&1, 0)), item <- items, do: item(item)
  end

  defp item(%{"id" => id} = item) when is_binary(id), do: {id, Map.delete(item, "id")}
  defp item(%{} = item), do: {nil, Map.delete(item, "id")}
  defp item(_), do: {nil, %{}}
end
