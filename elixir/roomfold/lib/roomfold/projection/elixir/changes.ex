defmodule Roomfold.Projection.Elixir.Changes do
  @moduledoc false
  # An object that is no event but a change of several entities, component first or by kind, as the entity events it stands for
  # (docs/event-model.md, "Changes of several entities").

  @about ["seq", "at", "by"]
  @lists ["created", "deleted"]

  @doc "`{:ok, entity_events}`, or `:error` if the object is no change."
  def events(%{} = object) do
    {lists, rest} = object |> Map.drop(@about) |> Map.split(@lists)
    values = Map.values(rest)

    cond do
      lists == %{} and values == [] -> :error
      not Enum.all?(Map.values(lists), &is_list/1) -> :error
      Enum.all?(values, &is_map/1) -> {:ok, events(lists, columns(rest))}
      Enum.all?(values, &is_list/1) -> {:ok, events(lists, items(rest))}
      true -> :error
    end
  end

  defp events(lists, changed) do
    created = Map.get(lists, "created", [])
    there = MapSet.new(changed, &elem(&1, 0))

    alone =
      for(id <- Enum.uniq(Enum.filter(created, &is_binary/1)), id not in there, do: {id, %{}}) ++
        for id <- created, not is_binary(id), do: {nil, %{}}

    created = MapSet.new(Enum.filter(created, &is_binary/1))

    for(id <- Map.get(lists, "deleted", []), do: {"delete", %{"entity_id" => id}}) ++
      for {id, components} <- Enum.sort_by(alone ++ changed, fn {id, _} -> id || "" end) do
        {if(id in created, do: "create", else: "update"), %{"entity_id" => id, "components" => components}}
      end
  end

  # Component first: what belongs to one id is one event.
  defp columns(columns) do
    for({name, column} <- columns, {id, value} <- column, do: {id, {name, value}})
    |> Enum.group_by(&elem(&1, 0), &elem(&1, 1))
    |> Enum.map(fn {id, components} -> {id, Map.new(components)} end)
  end

  # By kind: each item is one.
  defp items(kinds) do
    for {_, items} <- Enum.sort_by(kinds, &elem(&1, 0)), item <- items, do: item(item)
  end

  defp item(%{"id" => id} = item) when is_binary(id), do: {id, Map.delete(item, "id")}
  defp item(%{} = item), do: {nil, Map.delete(item, "id")}
  defp item(_), do: {nil, %{}}
end
