defmodule Roomfold.Projection.Elixir.Entities do
  @moduledoc false
  # Entities by handle, and what is remembered of their past. A component is {:is, value, seq} or {:was, seq}: there since
  # its last change at seq, or removed at seq.

  defstruct by_handle: %{}, handles: %{}, free: [], next: 0, dead: []

  def new, do: %__MODULE__{}

  def count(entities), do: map_size(entities.by_handle)

  @doc "In the order of handles."
  def all(entities), do: entities.by_handle |> Enum.sort() |> Enum.map(&elem(&1, 1))

  def find(entities, id) do
    case entities.handles do
      %{^id => handle} -> Map.fetch!(entities.by_handle, handle)
      _ -> nil
    end
  end

  def components(entity), do: for({name, {:is, value, _}} <- entity.components, into: %{}, do: {name, value})

  @doc "Creates or replaces; changes: name to value, nil for one that is absent."
  def create(entities, id, changes, seq) do
    components = for {name, value} <- changes, value != nil, into: %{}, do: {name, {:is, value, seq}}

    case entities.handles do
      %{^id => handle} ->
        update_in(entities.by_handle[handle], &%{&1 | created: seq, components: components})

      _ ->
        {handle, entities} = take_handle(entities)
        entity = %{id: id, handle: handle, created: seq, since: seq, components: components}

        %{
          entities
          | by_handle: Map.put(entities.by_handle, handle, entity),
            handles: Map.put(entities.handles, id, handle)
        }
    end
  end

  defp take_handle(%{free: [handle | free]} = entities), do: {handle, %{entities | free: free}}
  defp take_handle(%{next: next} = entities), do: {next, %{entities | next: next + 1}}

  @doc "Merges into an entity that is there."
  def update(entities, id, changes, seq) do
    update_in(entities.by_handle[Map.fetch!(entities.handles, id)], fn entity ->
      %{entity | components: Enum.reduce(changes, entity.components, &change(&1, &2, seq))}
    end)
  end

  defp change({name, nil}, components, seq) do
    case components do
      %{^name => {:is, _, _}} -> Map.put(components, name, {:was, seq})
      _ -> components
    end
  end

  defp change({name, value}, components, seq) do
    case components do
      %{^name => {:is, old, _}} ->
        if same_bits?(old, value), do: components, else: Map.put(components, name, {:is, value, seq})

      _ ->
        Map.put(components, name, {:is, value, seq})
    end
  end

  # 0.0 === -0.0 before OTP 27.
  defp same_bits?(a, b), do: a === b and :erlang.term_to_binary(a) == :erlang.term_to_binary(b)

  @doc "Removes an entity that is there; what diffs can't reach any more is forgotten."
  def delete(entities, id, seq, history) do
    {handle, handles} = Map.pop!(entities.handles, id)
    {entity, by_handle} = Map.pop!(entities.by_handle, handle)
    dead = Enum.take_while(entities.dead, &(&1.died > seq - history))

    %{
      entities
      | by_handle: by_handle,
        handles: handles,
        free: [handle | entities.free],
        dead: [%{id: id, handle: handle, since: entity.since, died: seq} | dead]
    }
  end

  @doc "What changed after a seq."
  def diff(entities, from) do
    {created, updated, deleted} = changed(entities, from)
    by_id = fn items -> Map.new(items, fn {entity, components} -> {entity.id, components} end) end
    %{"creates" => by_id.(created), "updates" => by_id.(updated), "deletes" => deleted}
  end

  @doc "The same in the order of handles: `{entity, components}` that were created, that were updated, and ids."
  def changed(entities, from) do
    {created, kept} = entities |> all() |> Enum.split_with(&(&1.created > from))

    updated = for entity <- kept, changes = changes(entity, from), changes != %{}, do: {entity, changes}

    {for(entity <- created, do: {entity, components(entity)}), updated, deletes(entities, from)}
  end

  defp changes(entity, from) do
    Enum.reduce(entity.components, %{}, fn
      {name, {:is, value, seq}}, changes when seq > from -> Map.put(changes, name, value)
      {name, {:was, seq}}, changes when seq > from -> Map.put(changes, name, nil)
      _, changes -> changes
    end)
  end

  defp deletes(entities, from) do
    for tombstone <- Enum.sort_by(entities.dead, & &1.handle),
        tombstone.since <= from and tombstone.died > from,
        not is_map_key(entities.handles, tombstone.id),
        do: tombstone.id
  end
end
