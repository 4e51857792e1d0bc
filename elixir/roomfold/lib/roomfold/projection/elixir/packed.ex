defmodule Roomfold.Projection.Elixir.Packed do
  @moduledoc false
  # Writes and reads packed snapshots and diffs of a world: the same bytes as c_src/core/wire/wire_encode.c.

  import Bitwise
  alias Roomfold.Projection.Elixir.{Entities, Term}
  alias Roomfold.Wire.{Bits, Frame, Value}

  # ---- out ----

  def encode(world, :snapshot) do
    layout = world.layout
    writer = wholes(Bits.writer(), Entities.all(world.entities), layout)
    head = [Frame.head("snapshot"), Term.varint(world.seq), Term.bytes(layout.packed)]
    IO.iodata_to_binary([head | Bits.to_iodata(writer)])
  end

  def encode(world, {:diff, from}) do
    layout = world.layout
    {created, updated} = Entities.living_since(world.entities, from)

    writer =
      Bits.writer()
      |> deletes(Entities.gone_handles(world.entities, from))
      |> wholes(created, layout)
      |> changes(updated, from, world)

    head = [Frame.head("diff"), Term.varint(world.seq), Term.varint(world.seq - from), layout.tag]
    IO.iodata_to_binary([head | Bits.to_iodata(writer)])
  end

  defp deletes(writer, handles) do
    {writer, _} =
      Enum.reduce(handles, {writer, -1}, fn handle, {writer, last} ->
        {Bits.put_nib(writer, handle - last), handle}
      end)

    Bits.put_nib(writer, 0)
  end

  defp wholes(writer, entities, layout) do
    {writer, _, _} = Enum.reduce(entities, {writer, -1, {0, 0}}, &whole(&1, &2, layout))
    Bits.put_nib(writer, 0)
  end

  defp whole(entity, {writer, last, masks}, layout) do
    components = Entities.components(entity)
    columns = Enum.filter(layout.columns, &is_map_key(components, &1.name))
    others = components |> Enum.reject(fn {name, _} -> name in layout.names end) |> Enum.sort()
    writer = writer |> Bits.put_nib(entity.handle - last) |> Value.put_name(entity.id, layout)
    {writer, masks} = Value.put_mask(writer, masks, mask(columns, layout), length(layout.columns))
    writer = Bits.put(writer, if(others == [], do: 0, else: 1), 1)

    writer =
      for column <- columns, reduce: writer do
        writer ->
          Value.put(writer, column, Value.whole(column.quantiser, components[column.name]), layout, :whole)
      end

    writer =
      others(writer, others, fn writer, {name, value} ->
        writer |> Value.put_name(name, layout) |> Value.put_term(value, layout)
      end)

    {writer, entity.handle, masks}
  end

  defp mask(columns, layout) do
    names = MapSet.new(columns, & &1.name)

    for {column, i} <- Enum.with_index(layout.columns), column.name in names, reduce: 0 do
      mask -> mask ||| 1 <<< i
    end
  end

  defp others(writer, [], _), do: writer

  defp others(writer, others, put),
    do: Enum.reduce(others, Bits.put_nib(writer, length(others)), &put.(&2, &1))

  defp changes(writer, entities, from, world) do
    {writer, _, _} =
      Enum.reduce(entities, {writer, -1, {0, 0}}, fn entity, at ->
        changed = Entities.changes(entity, from)

        columns =
          for column <- world.layout.columns,
              form = form(column, entity, changed, from, world),
              do: {column, form}

        others = changed |> Enum.reject(fn {name, _} -> name in world.layout.names end) |> Enum.sort()

        if columns == [] and others == [],
          do: at,
          else: change(entity.handle, columns, others, at, world.layout)
      end)

    Bits.put_nib(writer, 0)
  end

  # nil: it has not changed, or the receiver would see no change.
  defp form(column, entity, changed, from, world) do
    case Map.fetch(changed, column.name) do
      {:ok, nil} ->
        :removed

      {:ok, value} ->
        old = if column.quantiser, do: Entities.value_before(world.entities, entity, column.name, from)
        with :same <- Value.change(column.quantiser, value, old), do: nil

      :error ->
        nil
    end
  end

  defp change(handle, columns, others, {writer, last, masks}, layout) do
    writer = Bits.put_nib(writer, handle - last)
    mask = columns |> Enum.map(&elem(&1, 0)) |> mask(layout)
    {writer, masks} = Value.put_mask(writer, masks, mask, length(layout.columns))
    removed = Enum.any?(columns, &match?({_, :removed}, &1))
    flags = if(removed, do: 1, else: 0) ||| if others != [], do: 2, else: 0
    writer = if flags == 0, do: Bits.put(writer, 0, 1), else: writer |> Bits.put(1, 1) |> Bits.put(flags, 2)

    writer =
      for {_, form} <- columns, removed, reduce: writer do
        writer -> Bits.put(writer, if(form == :removed, do: 1, else: 0), 1)
      end

    writer =
      for {column, form} <- columns,
          reduce: writer,
          do: (writer -> Value.put(writer, column, form, layout, :change))

    writer =
      others(writer, others, fn writer, {name, value} ->
        writer = writer |> Value.put_name(name, layout) |> Bits.put(if(value == nil, do: 1, else: 0), 1)
        if value == nil, do: writer, else: Value.put_term(writer, value, layout)
      end)

    {writer, handle, masks}
  end

  # ---- in ----

  @doc "Loads a snapshot into a new world."
  def load(world, frame) do
    Frame.catching(fn ->
      {seq, entities} = Frame.snapshot(frame, world.layout)
      if seq != world.seq or Entities.count(world.entities) > 0, do: fail(0, :seq_mismatch)
      add_all(%{world | entities: Entities.mirror(world.entities)}, entities)
    end)
  end

  @doc "Applies a diff to a world."
  def apply_diff(world, frame) do
    Frame.catching(fn ->
      diff = Frame.diff(frame, world.layout, world.seq)
      gone = MapSet.new(diff.deletes ++ Enum.map(diff.creates, & &1.handle))
      if MapSet.size(gone) != length(diff.deletes) + length(diff.creates), do: fail(0)
      unless Enum.all?(diff.deletes, &alive?(world, &1)), do: fail(0)
      if diff.seq == world.seq, do: world, else: apply_lists(world, diff, gone)
    end)
  end

  defp apply_lists(world, diff, gone) do
    world = %{world | seq: diff.seq, entities: Entities.mirror(world.entities)}

    entities =
      for handle <- Enum.sort(gone), entity = world.entities.by_handle[handle], reduce: world.entities do
        entities -> Entities.delete(entities, entity.id, world.seq, world.limits.history)
      end

    world = add_all(%{world | entities: entities}, diff.creates)

    Enum.reduce(diff.updates, world, fn {handle, changes, at}, world ->
      if MapSet.member?(gone, handle) or not alive?(world, handle), do: fail(at)
      update(world, world.entities.by_handle[handle], changes, at)
    end)
  end

  defp alive?(world, handle), do: is_map_key(world.entities.by_handle, handle)

  defp add_all(world, entities) do
    Enum.reduce(entities, world, fn entity, world ->
      check(world, entity.components, %{}, entity.at)
      if entity.handle >= world.limits.max_entities, do: fail(entity.at, :world_full)
      if is_map_key(world.entities.handles, entity.id), do: fail(entity.at)
      create = Entities.create_at(world.entities, entity.handle, entity.id, entity.components, world.seq)
      %{world | entities: create}
    end)
  end

  defp update(world, entity, changes, at) do
    present = Entities.components(entity)
    quantisers = for column <- world.layout.columns, into: %{}, do: {column.name, column.quantiser}

    changes =
      for {name, change} <- changes do
        case change do
          :removed -> {name, nil}
          {:is, value} -> {name, value}
          delta -> {name, Value.add(quantisers[name], present[name], delta) || fail(at)}
        end
      end

    check(world, changes, present, at)
    %{world | entities: Entities.update(world.entities, entity.id, changes, world.seq)}
  end

  defp check(world, changes, present, at) do
    for {name, value} <- changes,
        value != nil,
        type = Map.get(world.types, name, :term),
        type in [:string, :term] do
      if Term.size(type, value) > world.limits.max_value_bytes, do: fail(at, :too_large)
    end

    undeclared = for {name, _} <- present, not is_map_key(world.types, name), into: MapSet.new(), do: name

    undeclared =
      for {name, value} <- changes, not is_map_key(world.types, name), reduce: undeclared do
        undeclared -> if value == nil, do: MapSet.delete(undeclared, name), else: MapSet.put(undeclared, name)
      end

    if MapSet.size(undeclared) > world.limits.max_undeclared, do: fail(at, :too_many_components)
  end

  @spec fail(non_neg_integer, atom) :: no_return
  defp fail(at, reason \\ :invalid_frame), do: throw({:wire, reason, at})
end
