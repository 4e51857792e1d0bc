defmodule Roomfold.Shape do
  @moduledoc """
  Converts snapshots and diffs between shapes: by entity, by component, by kind.

  By entity: `%{id => components}`. By component: `%{component => %{id => value}}`. By kind: `%{kind <> "s" => [item]}`, where an
  item is the components with `"id"`; entities without a kind are under `"others"`. Diffs have these shapes too
  (`docs/event-model.md`, "Snapshots and diffs as JSON"). Pure functions on data, without a world.
  """

  alias Roomfold.Error

  @max_seq 9_007_199_254_740_991

  @type by :: :entity | :component | :kind
  @type entities :: Roomfold.Projection.entities()

  @doc """
  Entities in another shape. The shape by component loses entities without components.

      iex> entities = %{"a" => %{"kind" => "bat", "health" => 3}, "b" => %{"health" => 1}}
      iex> Roomfold.Shape.from_entities(entities, :component)
      %{"kind" => %{"a" => "bat"}, "health" => %{"a" => 3, "b" => 1}}
      iex> Roomfold.Shape.from_entities(entities, :kind)
      %{"bats" => [%{"id" => "a", "kind" => "bat", "health" => 3}], "others" => [%{"id" => "b", "health" => 1}]}
  """
  @spec from_entities(entities, by) :: map
  def from_entities(entities, :entity), do: entities

  def from_entities(entities, :component) do
    values = for {id, components} <- entities, {name, value} <- components, do: {name, {id, value}}

    values
    |> Enum.group_by(&elem(&1, 0), &elem(&1, 1))
    |> Map.new(fn {name, pairs} -> {name, Map.new(pairs)} end)
  end

  def from_entities(entities, :kind) do
    entities
    |> Enum.sort()
    |> Enum.group_by(fn {_, components} -> plural(components["kind"]) end, fn {id, components} ->
      Map.put(components, "id", id)
    end)
  end

  defp plural(kind) when is_binary(kind), do: kind <> "s"
  defp plural(_), do: "others"

  @doc """
  Entities from another shape; `:invalid_snapshot` if it is not of that shape.

      iex> Roomfold.Shape.to_entities(%{"health" => %{"a" => 3, "b" => 1}}, :component)
      {:ok, %{"a" => %{"health" => 3}, "b" => %{"health" => 1}}}
      iex> Roomfold.Shape.to_entities(%{"bats" => [%{"id" => "a", "kind" => "bat"}]}, :kind)
      {:ok, %{"a" => %{"kind" => "bat"}}}
      iex> {:error, error} = Roomfold.Shape.to_entities(%{"bats" => [%{"kind" => "bat"}]}, :kind)
      iex> error.message
      "the snapshot is not valid: an item of \\"bats\\" has no id"
  """
  @spec to_entities(map, by) :: {:ok, entities} | {:error, Error.t()}
  def to_entities(shape, by) when is_map(shape) and not is_struct(shape) do
    {:ok, gather(by, shape)}
  catch
    {:invalid, detail} -> {:error, Error.new(:invalid_snapshot, detail: detail)}
  end

  def to_entities(_, _), do: {:error, Error.new(:invalid_snapshot)}

  defp gather(:entity, entities), do: entities

  defp gather(:component, columns) do
    for {name, column} <- columns, reduce: %{} do
      entities ->
        unless is_map(column) and not is_struct(column),
          do: throw({:invalid, "component #{inspect(name)} is not a map"})

        Enum.reduce(column, entities, fn {id, value}, entities ->
          Map.update(entities, id, %{name => value}, &Map.put(&1, name, value))
        end)
    end
  end

  defp gather(:kind, kinds) do
    for {kind, items} <- kinds, reduce: %{} do
      entities ->
        unless proper?(items), do: throw({:invalid, "#{inspect(kind)} is not a list"})
        Enum.reduce(items, entities, &item(&1, &2, kind))
    end
  end

  defp item(%{"id" => id} = item, entities, kind) do
    if is_map_key(entities, id), do: throw({:invalid, "#{inspect(id)} of #{inspect(kind)} is there twice"})
    Map.put(entities, id, Map.delete(item, "id"))
  end

  defp item(_, _, kind), do: throw({:invalid, "an item of #{inspect(kind)} has no id"})

  defp proper?([_ | tail]), do: proper?(tail)
  defp proper?(tail), do: tail == []

  @doc """
  A snapshot as `Roomfold.World.encode/4` writes it, decoded: its seq and its entities.

      iex> Roomfold.Shape.snapshot(%{"seq" => 7, "kinds" => %{"others" => [%{"id" => "b", "health" => 1}]}})
      {:ok, 7, %{"b" => %{"health" => 1}}}
  """
  @spec snapshot(term) :: {:ok, non_neg_integer, entities} | {:error, Error.t()}
  def snapshot(%{"seq" => seq} = snapshot) when map_size(snapshot) == 2 and seq in 0..@max_seq do
    with {:ok, by, shape} <- shape(snapshot),
         {:ok, entities} <- to_entities(shape, by),
         do: {:ok, seq, entities}
  end

  def snapshot(_),
    do:
      {:error,
       Error.new(:invalid_snapshot,
         detail: "it needs seq, from 0 to 2^53 - 1, and entities, components or kinds"
       )}

  defp shape(%{"entities" => shape}), do: {:ok, :entity, shape}
  defp shape(%{"components" => shape}), do: {:ok, :component, shape}
  defp shape(%{"kinds" => shape}), do: {:ok, :kind, shape}
  defp shape(_), do: snapshot(nil)

  @doc """
  A diff of any shape as one by entity, as `Roomfold.World.diff/2` answers it; `:invalid_diff` if it is of none.

      iex> {:ok, diff} = Roomfold.Shape.diff(%{
      ...>   "from" => 1, "seq" => 3, "created" => ["a"], "deleted" => ["c"],
      ...>   "components" => %{"health" => %{"a" => 3, "b" => nil}}
      ...> })
      iex> diff
      %{"from" => 1, "seq" => 3, "creates" => %{"a" => %{"health" => 3}}, "updates" => %{"b" => %{"health" => nil}}, "deletes" => ["c"]}
  """
  @spec diff(term) :: {:ok, Roomfold.Projection.diff()} | {:error, Error.t()}
  def diff(%{"components" => columns, "created" => created, "deleted" => deleted} = diff),
    do: by_entity(diff, columns, :component, created, deleted)

  def diff(%{"kinds" => %{"deleted" => deleted} = kinds, "created" => created} = diff),
    do: by_entity(diff, Map.delete(kinds, "deleted"), :kind, created, deleted)

  def diff(%{"creates" => creates, "updates" => updates, "deletes" => deletes} = diff) do
    with :ok <- head(diff), :ok <- ids(deletes, "deletes") do
      if plain?(creates) and plain?(updates),
        do: {:ok, diff},
        else: invalid_diff("\"creates\" and \"updates\" are maps of entities")
    end
  end

  def diff(_),
    do: invalid_diff("it needs from, seq, and creates, updates and deletes, or one of the other shapes")

  defp by_entity(diff, shape, by, created, deleted) do
    with :ok <- head(diff),
         :ok <- ids(created, "created"),
         :ok <- ids(deleted, "deleted"),
         {:ok, entities} <- to_entities(shape, by) do
      {creates, updates} = Map.split(entities, created)
      creates = Enum.reduce(created, creates, &Map.put_new(&2, &1, %{}))
      head = Map.take(diff, ["from", "seq"])
      {:ok, Map.merge(head, %{"creates" => creates, "updates" => updates, "deletes" => deleted})}
    else
      {:error, %{reason: :invalid_diff}} = error -> error
      {:error, error} -> invalid_diff(error.detail)
    end
  end

  defp head(%{"from" => from, "seq" => seq})
       when is_integer(from) and is_integer(seq) and from >= 0 and seq >= from and seq <= @max_seq,
       do: :ok

  defp head(_), do: invalid_diff("from and seq are integers from 0 to 2^53 - 1, from is not the larger one")

  defp ids(list, name) do
    cond do
      not proper?(list) -> invalid_diff("#{inspect(name)} is not a list")
      Enum.all?(list, &is_binary/1) -> :ok
      true -> invalid_diff("#{inspect(name)} holds what is no id")
    end
  end

  @doc false
  # Why a world refused a diff by entity, for its error; nil: not known.
  @spec wrong_diff(map) :: String.t() | nil
  def wrong_diff(diff) do
    case diff(diff) do
      {:error, error} -> error.detail
      {:ok, ^diff} -> wrong_entities(diff["creates"]) || wrong_entities(diff["updates"]) || no_seq(diff)
      {:ok, _} -> "it is of another shape: Roomfold.Shape.diff/1 makes it one by entity"
    end
  end

  @doc false
  # The same of a snapshot by entity.
  @spec wrong_entities(map) :: String.t() | nil
  def wrong_entities(entities) do
    case entities |> :maps.keys() |> Enum.reject(&is_binary/1) do
      [] -> nil
      [odd | _] -> "an id is a string, got #{Error.got(odd)}"
    end
  end

  defp no_seq(%{"from" => seq, "seq" => seq}), do: "nothing can change without a seq: from and seq are #{seq}"
  defp no_seq(_), do: nil

  defp invalid_diff(detail), do: {:error, Error.new(:invalid_diff, detail: detail)}

  defp plain?(map), do: is_map(map) and not is_struct(map)

  @doc """
  Changes in another shape as entity events, to be folded: a delete for each id under `"deleted"`, then for each entity a create
  if its id is under `"created"`, else an update. With `op: :create` each entity is created. What JSON text of these
  shapes means to a fold, says `docs/event-model.md`, "Several entities at once".

      iex> Roomfold.Shape.events(%{"velocity" => %{"a" => [0, 1, 0]}}, :component)
      {:ok, [{"update", %{"entity_id" => "a", "components" => %{"velocity" => [0, 1, 0]}}}]}
      iex> Roomfold.Shape.events(%{"bats" => [%{"id" => "a", "lit" => true}], "created" => ["a"], "deleted" => ["b"]}, :kind)
      {:ok, [{"delete", %{"entity_id" => "b"}}, {"create", %{"entity_id" => "a", "components" => %{"lit" => true}}}]}
  """
  @spec events(map, by, keyword) :: {:ok, [Roomfold.World.event()]} | {:error, Error.t()}
  def events(shape, by, opts \\ [])
  def events(shape, _, _) when not is_map(shape) or is_struct(shape), do: to_entities(shape, :entity)

  def events(shape, by, opts) do
    op = opts |> Keyword.validate!(op: :update) |> Keyword.fetch!(:op) |> to_string()
    {shape, created, deleted} = lists(shape, by)

    with {:ok, entities} <- to_entities(shape, by),
         :ok <- list(created, "created"),
         :ok <- list(deleted, "deleted") do
      entities = Enum.reduce(created, entities, &Map.put_new(&2, &1, %{}))

      changed =
        for {id, components} <- Enum.sort(entities),
            do: {if(id in created, do: "create", else: op), %{"entity_id" => id, "components" => components}}

      {:ok, for(id <- deleted, do: {"delete", %{"entity_id" => id}}) ++ changed}
    end
  end

  defp lists(shape, :entity), do: {shape, [], []}

  defp lists(shape, _) do
    {lists, shape} = Map.split(shape, ["created", "deleted"])
    {shape, Map.get(lists, "created", []), Map.get(lists, "deleted", [])}
  end

  defp list(list, name) do
    if proper?(list),
      do: :ok,
      else: {:error, Error.new(:invalid_snapshot, detail: "#{inspect(name)} is not a list")}
  end

  @doc """
  Entity events in another shape, to be read back by `events/3`: what is set, and (but by entity) the ids under `"created"` and
  `"deleted"`, by kind always. Later events win; `:not_an_event` for domain events, which stay events. An entity event that
  lacks an id or a map of components is an error too, each with the event's index.

      iex> Roomfold.Shape.from_events([{"update", %{"entity_id" => "a", "components" => %{"lit" => true}}}], :component)
      {:ok, %{"lit" => %{"a" => true}}}
      iex> Roomfold.Shape.from_events([{"create", %{"entity_id" => "a", "components" => %{"kind" => "bat"}}}], :kind)
      {:ok, %{"bats" => [%{"id" => "a", "kind" => "bat"}], "created" => ["a"], "deleted" => []}}
  """
  @spec from_events([Roomfold.World.event()], by) :: {:ok, map} | {:error, Error.t()}
  def from_events(events, by) do
    {entities, created, deleted} = collect(events, 0, {%{}, [], []})
    lists = %{"created" => Enum.sort(created), "deleted" => Enum.reverse(deleted)}

    case from_entities(entities, by) do
      entities when by == :entity -> {:ok, entities}
      kinds when by == :kind -> {:ok, Map.merge(kinds, lists)}
      columns -> {:ok, Map.merge(columns, Map.reject(lists, fn {_, ids} -> ids == [] end))}
    end
  catch
    {:refused, reason, where} -> {:error, Error.new(reason, where)}
  end

  defp collect([event | events], index, known),
    do: collect(events, index + 1, event |> checked(index) |> collect_one(known))

  defp collect([], _, known), do: known
  defp collect(tail, index, _), do: refuse(:not_an_event, index, detail: "got #{Error.got(tail)}")

  defp checked({name, payload}, index) when name in ["create", "update", "delete"] and is_map(payload) do
    id = Map.get(payload, "entity_id")
    components = if name == "delete", do: nil, else: Map.get(payload, "components")
    unless is_binary(id), do: refuse(:invalid_id, index, field: "entity_id")
    unless name == "delete" or plain?(components), do: refuse(:invalid_components, index)
    {name, id, components}
  end

  defp checked({name, _}, index),
    do: refuse(:not_an_event, index, detail: "#{inspect(name)} is no entity event")

  defp checked(other, index), do: refuse(:not_an_event, index, detail: "got #{Error.got(other)}")

  defp refuse(reason, index, where \\ []), do: throw({:refused, reason, [index: index] ++ where})

  defp collect_one({"create", id, components}, {entities, created, deleted}),
    do: {Map.put(entities, id, components), [id | List.delete(created, id)], deleted}

  defp collect_one({"update", id, components}, {entities, created, deleted}),
    do: {Map.update(entities, id, components, &Map.merge(&1, components)), created, deleted}

  defp collect_one({"delete", id, _}, {entities, created, deleted}),
    do: {Map.delete(entities, id), List.delete(created, id), [id | List.delete(deleted, id)]}
end
