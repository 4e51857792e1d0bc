defmodule Roomfold.Projection.Elixir.Entities do
  @moduledoc false
  # Entities by handle, and what is remembered of their past. A component is {:is, value, seq of its last change} or {:was, seq of its
  # removal}.
  #
  # For a quantised component the values that updates replaced are remembered, newest first: {number, value, seq it was set at, seq it was
  # replaced at}. written counts them by component: for each component the last `history` values are known, over all entities.

  defstruct by_handle: %{}, handles: %{}, free: [], next: 0, dead: [], written: %{}, history: 0

  @doc "quantised: names of components whose old values are remembered."
  def new(quantised \\ [], history \\ 0),
    do: %__MODULE__{written: Map.new(quantised, &{&1, 0}), history: history}

  @doc "From now on a new entity gets the lowest free handle: the handles come from another world."
  def mirror(entities), do: %{entities | free: :lowest}

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

  @doc "Creates or replaces an entity; changes: name to value, nil for an absent one."
  def create(entities, id, changes, seq) do
    components = for {name, value} <- changes, value != nil, into: %{}, do: {name, {:is, value, seq}}

    case entities.handles do
      %{^id => handle} ->
        update_in(entities.by_handle[handle], &%{&1 | created: seq, components: components, past: %{}})

      _ ->
        {handle, entities} = take_handle(entities)
        create_at(entities, handle, id, changes, seq)
    end
  end

  @doc "Creates an entity with a free handle."
  def create_at(entities, handle, id, changes, seq) do
    components = for {name, value} <- changes, value != nil, into: %{}, do: {name, {:is, value, seq}}
    entity = %{id: id, handle: handle, created: seq, since: seq, components: components, past: %{}}

    %{
      entities
      | by_handle: Map.put(entities.by_handle, handle, entity),
        handles: Map.put(entities.handles, id, handle)
    }
  end

  defp take_handle(%{free: :lowest} = entities),
    do: {Enum.find(Stream.iterate(0, &(&1 + 1)), &(not is_map_key(entities.by_handle, &1))), entities}

  defp take_handle(%{free: [handle | free]} = entities), do: {handle, %{entities | free: free}}
  defp take_handle(%{next: next} = entities), do: {next, %{entities | next: next + 1}}

  @doc "Merges into an existing entity."
  def update(entities, id, changes, seq) do
    handle = Map.fetch!(entities.handles, id)
    old = Map.fetch!(entities.by_handle, handle)
    new = %{old | components: Enum.reduce(changes, old.components, &change(&1, &2, seq))}
    {new, written} = remember(old, new, entities, seq)
    %{entities | by_handle: Map.put(entities.by_handle, handle, new), written: written}
  end

  defp remember(old, new, entities, until) do
    for {name, {:is, value, seq} = was} <- old.components,
        is_map_key(entities.written, name),
        not same_bits?(new.components[name], was),
        reduce: {new, entities.written} do
      {new, written} ->
        number = written[name] + 1
        past = [{number, value, seq, until} | Map.get(new.past, name, [])]
        past = Enum.take_while(past, fn {known, _, _, _} -> known > number - entities.history end)
        {%{new | past: Map.put(new.past, name, past)}, %{written | name => number}}
    end
  end

  @doc "The value of a quantised component at a seq before its last change; nil if it was absent, or that is no longer known."
  def value_before(entities, entity, name, from) do
    oldest = entities.written[name] - entities.history

    entity.past
    |> Map.get(name, [])
    |> Enum.find_value(fn {number, value, seq, until} ->
      if number > oldest and seq <= from, do: {until, value}
    end)
    |> case do
      {until, value} when until > from -> value
      _ -> nil
    end
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

  @doc "Removes an existing entity, and forgets removals that are too old for any diff."
  def delete(entities, id, seq, history) do
    {handle, handles} = Map.pop!(entities.handles, id)
    {entity, by_handle} = Map.pop!(entities.by_handle, handle)
    dead = Enum.take_while(entities.dead, &(&1.died > seq - history))

    %{
      entities
      | by_handle: by_handle,
        handles: handles,
        free: free(handle, entities.free),
        dead: [%{id: id, handle: handle, since: entity.since, died: seq} | dead]
    }
  end

  defp free(_, :lowest), do: :lowest
  defp free(handle, free), do: [handle | free]

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

  @doc "The entities created or replaced after a seq, and the others that changed, in the order of handles."
  def living_since(entities, from) do
    {created, kept} = entities |> all() |> Enum.split_with(&(&1.created > from))
    {created, Enum.filter(kept, &(changes(&1, from) != %{}))}
  end

  @doc "The handles that had an entity at a seq and are free now."
  def gone_handles(entities, from) do
    Enum.sort(
      for dead <- entities.dead,
          dead.since <= from and dead.died > from,
          not is_map_key(entities.by_handle, dead.handle),
          do: dead.handle
    )
  end

  @doc "The components of an entity that changed after a seq; nil for removed ones."
  def changes(entity, from) do
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
