defmodule Roomfold.Projection.Elixir.Encode do
  @moduledoc false
  # Snapshots and diffs as JSON text, in the order docs/event-model.md fixes. Like c_src/core/world/encode_json.c.

  alias Roomfold.JSON.Elixir, as: JSON
  alias Roomfold.JSON.Elixir.Number
  alias Roomfold.Projection.Elixir.Entities

  @doc "what: :snapshot or {:diff, from}."
  def json(world, what, by, frame) do
    text = world |> payload(what, by) |> frame(frame) |> IO.iodata_to_binary()
    {:ok, text}
  catch
    {:json, reason, _} -> {:error, Roomfold.Error.new(reason)}
  end

  defp frame(payload, nil), do: payload

  defp frame(payload, {join_ref, ref, topic, event}),
    do: [?[, Enum.map([join_ref, ref, topic, event], &[JSON.text(&1), ?,]), payload, ?]]

  defp payload(world, :snapshot, by) do
    items = for entity <- Entities.all(world.entities), do: {entity, Entities.components(entity)}
    object(seq: Integer.to_string(world.seq), "#{plural(by)}": shape(by, items, world))
  end

  defp payload(world, {:diff, from}, by) do
    {created, updated, deleted} = Entities.changed(world.entities, from)
    head = [from: Integer.to_string(from), seq: Integer.to_string(world.seq)]
    object(head ++ changes(by, created, updated, JSON.text(deleted), world))
  end

  defp changes(:entity, created, updated, deleted, world) do
    [creates: shape(:entity, created, world), updates: shape(:entity, updated, world), deletes: deleted]
  end

  defp changes(:component, created, updated, deleted, world),
    do: [
      components: shape(:component, merge(created, updated), world),
      created: ids(created),
      deleted: deleted
    ]

  defp changes(:kind, created, updated, deleted, world) do
    kinds = kinds(merge(created, updated), world) ++ [{"deleted", deleted}]
    [kinds: object(kinds), created: ids(created)]
  end

  # Both are in the order of handles.
  defp merge(created, updated), do: Enum.sort_by(created ++ updated, fn {entity, _} -> entity.handle end)
  defp ids(items), do: JSON.text(for {entity, _} <- items, do: entity.id)

  defp plural(:entity), do: :entities
  defp plural(:component), do: :components
  defp plural(:kind), do: :kinds

  defp shape(:entity, items, world),
    do: object(for {entity, components} <- items, do: {entity.id, components(components, world)})

  defp shape(:component, items, world) do
    columns =
      for({entity, components} <- items, {name, value} <- components, do: {name, {entity.id, value}})
      |> Enum.group_by(&elem(&1, 0), &elem(&1, 1))

    object(
      for name <- in_order(columns, world) do
        {name, object(for {id, value} <- columns[name], do: {id, value(world, name, value)})}
      end
    )
  end

  defp shape(:kind, items, world), do: object(kinds(items, world))

  defp kinds(items, world) do
    items
    |> Enum.group_by(fn {entity, _} -> kind(entity) end)
    |> Enum.sort()
    |> Enum.map(fn {kind, items} ->
      list =
        for {entity, components} <- items,
            do: object([{"id", JSON.text(entity.id)} | entries(components, world)])

      {kind <> "s", [?[, Enum.intersperse(list, ?,), ?]]}
    end)
  end

  defp kind(entity) do
    case Entities.components(entity) do
      %{"kind" => kind} when is_binary(kind) -> kind
      _ -> "other"
    end
  end

  defp components(components, world), do: object(entries(components, world))

  defp entries(components, world) do
    for name <- in_order(components, world), do: {name, value(world, name, components[name])}
  end

  # Declared components in the order of the schema, then the others by name.
  defp in_order(components, world) do
    declared = Enum.filter(world.names, &is_map_key(components, &1))
    declared ++ Enum.sort(Map.keys(components) -- declared)
  end

  defp value(_, _, nil), do: "null"

  defp value(world, name, value) do
    options = Map.get(world.schema.options, name, %{})

    case world.types do
      %{^name => {type, _}} -> [?[, Enum.intersperse(Enum.map(value, &number(type, options, &1)), ?,), ?]]
      %{^name => type} when type in [:f32, :f64] -> number(type, options, value)
      _ -> JSON.text(value)
    end
  end

  defp number(_, %{decimals: decimals}, value), do: Number.decimals(value, decimals)
  defp number(:f32, _, value), do: Number.float32(value)
  defp number(:f64, _, value), do: Number.float64(value, Number.integral(value))

  defp object(entries) do
    texts = for {name, text} <- entries, do: [JSON.text(to_string(name)), ?:, text]
    [?{, Enum.intersperse(texts, ?,), ?}]
  end
end
