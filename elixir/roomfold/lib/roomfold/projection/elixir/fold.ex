defmodule Roomfold.Projection.Elixir.Fold do
  @moduledoc false
  # Folds one event: its seq, then its operations, then a report of what could not be used.

  alias Roomfold.{Error, Schema}
  alias Roomfold.Projection.Elixir.{Entities, Term}

  @max_seq Roomfold.Seq.max()
  @max_name 255
  @kept 1_000
  @entity_events ["create", "update", "delete"]

  @doc "Folds an event, as `Input` gives it, into `{world, {index, report}}`."
  def event(event, {world, {index, report}}) do
    {world, report} = event |> by_id(world) |> fold(world, report, index)
    {world, {index + 1, report}}
  end

  # An entity that is given by the handle it had at a seq; the handle may belong to another entity now.
  defp by_id({:event, name, %{"entity_id" => {:handle, handle, known}} = payload}, world) do
    case world.entities.by_handle do
      %{^handle => %{id: id, since: since}} when since <= known ->
        {:event, name, %{payload | "entity_id" => id}}

      _ ->
        {:orphan, payload}
    end
  end

  defp by_id(event, _), do: event

  @doc "The same without a new seq."
  def patch({:event, name, payload}, {world, {index, report}}) do
    {world, report} = apply_event(name, payload, world, report, index)
    {world, {index + 1, report}}
  end

  defp fold({:unreadable, reason, offset}, world, report, index) do
    report = reject(report, index, reason, nil, offset)
    take_seq(world, report, min(world.seq + 1, @max_seq))
  end

  defp fold({:orphan, payload}, world, report, index) do
    case judge_seq(payload, world) do
      :invalid ->
        {world, reject(report, index, :invalid_seq)}

      {:take, seq} ->
        take_seq(world, %{report | orphaned: report.orphaned + 1, folded: report.folded + 1}, seq)

      :stale ->
        {world, %{report | stale: report.stale + 1}}
    end
  end

  defp fold({:refused, reason, payload}, world, report, index) do
    report = reject(report, index, reason, refused_about(reason, payload))

    case judge_seq(payload, world) do
      {:take, seq} -> take_seq(world, report, seq)
      :invalid -> take_seq(world, report, min(world.seq + 1, @max_seq))
      :stale -> {world, report}
    end
  end

  defp fold({:event, name, payload}, world, report, index) do
    under_seq(payload, world, report, index, &apply_event(name, payload, &1, &2, index))
  end

  defp fold({:changes, events, payload}, world, report, index) do
    under_seq(payload, world, report, index, &apply_all(events, &1, &2, index))
  end

  # Entities that no longer exist are deleted first, in the order of handles.
  defp fold({:whole, creates, payload}, world, report, index) do
    there = MapSet.new(creates, fn {_, %{"entity_id" => id}} -> id end)

    under_seq(payload, world, report, index, fn world, report ->
      deletes =
        for %{id: id} <- Entities.all(world.entities), id not in there, do: {"delete", %{"entity_id" => id}}

      apply_all(deletes ++ creates, world, report, index)
    end)
  end

  # The name under the wrong key.
  defp refused_about(:unknown_event, payload), do: payload["event"] || payload["event_name"]
  defp refused_about(_, _), do: nil

  # Folded if one of these events is, or if there are none.
  defp apply_all(events, world, %{folded: before} = report, index) do
    {world, report} =
      Enum.reduce(events, {world, report}, fn {name, payload}, {world, report} ->
        apply_event(name, payload, world, report, index)
      end)

    folded = if events == [] or report.folded > before, do: 1, else: 0
    {world, %{report | folded: before + folded}}
  end

  defp under_seq(payload, world, report, index, apply) do
    case judge_seq(payload, world) do
      :stale ->
        {world, %{report | stale: report.stale + 1}}

      :invalid ->
        take_seq(world, reject(report, index, :invalid_seq), min(world.seq + 1, @max_seq))

      {:take, seq} ->
        {world, report} = take_seq(world, report, seq)
        apply.(world, report)
    end
  end

  defp judge_seq(payload, world) do
    case payload["seq"] do
      nil when world.seq == @max_seq -> :invalid
      nil -> {:take, world.seq + 1}
      seq when is_integer(seq) and seq in 1..@max_seq -> if seq <= world.seq, do: :stale, else: {:take, seq}
      _ -> :invalid
    end
  end

  defp take_seq(world, report, seq) do
    gap = if seq > world.seq + 1, do: 1, else: 0
    {%{world | seq: seq}, %{report | gaps: report.gaps + gap}}
  end

  # ---- operations of an event ----

  # The operations of an event share this: what was dropped (newest first), and whether anything was used.
  defp apply_event(name, payload, world, report, index) do
    state = %{world: world, orphaned: 0, dropped: [], used: false}

    state =
      case {name, world.rules} do
        {name, _} when name in @entity_events -> entity_event(name, payload, state)
        {_, %{^name => {_, operations}}} -> Enum.reduce(operations, state, &operation(&1, payload, &2))
        _ -> drop(state, :unknown_event, name)
      end

    report = %{report | orphaned: report.orphaned + state.orphaned}
    report = if state.used or state.dropped == [], do: %{report | folded: report.folded + 1}, else: report

    report =
      state.dropped
      |> Enum.reverse()
      |> Enum.reduce(report, fn {reason, about}, report -> reject(report, index, reason, about) end)

    {state.world, report}
  end

  defp entity_event(name, payload, state) do
    case {id(payload["entity_id"]), payload["components"]} do
      {{:ok, id}, _} when name == "delete" ->
        delete(%{state | used: true}, id)

      {{:ok, id}, components} when is_map(components) ->
        put_entity(name, state, id, :maps.to_list(components))

      {{:ok, _}, _} ->
        drop(state, :invalid_components)

      _ ->
        drop(state, :invalid_id, "entity_id")
    end
  end

  defp operation({:delete, field}, payload, state) do
    with_id(state, payload, field, &delete(%{state | used: true}, &1))
  end

  defp operation({op, field, set}, payload, state) when op in [:create, :update] do
    with_id(state, payload, field, fn id ->
      components = for {name, operand} <- set, {:ok, value} <- [operand(operand, payload)], do: {name, value}
      put_entity(Atom.to_string(op), state, id, components)
    end)
  end

  defp operation({:add, field, component, operand}, payload, state) do
    operation({:add, field, component, operand, {nil, nil}}, payload, state)
  end

  defp operation({:add, field, component, operand, bounds}, payload, state) do
    work(state, payload, field, component, operand, &addend/1, fn old, value -> add(old, value, bounds) end)
  end

  defp operation({:put, field, component, operand}, payload, state) do
    work(state, payload, field, component, operand, &member/1, fn old, value ->
      put(state, component, old, value)
    end)
  end

  defp operation({:take, field, component, operand}, payload, state) do
    work(state, payload, field, component, operand, &member/1, fn old, value ->
      take(state, component, old, value)
    end)
  end

  defp with_id(state, payload, field, continue) do
    case id(payload[field]) do
      {:ok, id} -> continue.(id)
      :missing -> state
      :invalid -> drop(state, :invalid_id, field)
    end
  end

  defp id(nil), do: :missing

  defp id(id) when is_binary(id) and byte_size(id) in 1..@max_name,
    do: if(String.valid?(id), do: {:ok, id}, else: :invalid)

  defp id(_), do: :invalid

  defp operand({:value, value}, _), do: {:ok, value}
  defp operand({:field, field}, payload), do: Map.fetch(payload, field)

  # ---- create, update, delete ----

  defp put_entity(name, state, id, components) do
    entity = Entities.find(state.world.entities, id)
    full = Entities.count(state.world.entities) >= state.world.limits.max_entities

    if name == "create" and entity == nil and full do
      drop(state, :world_full)
    else
      {changes, state} = changes(state, components, if(name == "create", do: nil, else: entity))
      put_changes(name, state, id, entity, changes)
    end
  end

  defp put_changes("create", state, id, _, changes) do
    world = state.world
    %{state | used: true, world: %{world | entities: Entities.create(world.entities, id, changes, world.seq)}}
  end

  defp put_changes("update", state, _, _, []), do: state
  defp put_changes("update", state, _, nil, _), do: %{state | used: true, orphaned: state.orphaned + 1}

  defp put_changes("update", state, id, _, changes) do
    world = state.world
    %{state | used: true, world: %{world | entities: Entities.update(world.entities, id, changes, world.seq)}}
  end

  defp delete(state, id) do
    world = state.world

    if Entities.find(world.entities, id) do
      %{
        state
        | world: %{world | entities: Entities.delete(world.entities, id, world.seq, world.limits.history)}
      }
    else
      %{state | orphaned: state.orphaned + 1}
    end
  end

  # The valid components, as the world will keep them, in the order of their names; the others are dropped.
  defp changes(state, components, entity) do
    present = if entity, do: Entities.components(entity), else: %{}
    undeclared = present |> Map.keys() |> Enum.count(&(not is_map_key(state.world.types, &1)))

    {changes, {state, _, _}} =
      components
      |> Enum.map(fn {name, value} -> {if(is_binary(name), do: name, else: ""), value} end)
      |> Enum.sort_by(&elem(&1, 0))
      |> Enum.flat_map_reduce({state, present, undeclared}, &change/2)

    {changes, state}
  end

  defp change({name, value}, {state, present, undeclared}) do
    with :ok <- component_name(name),
         {:ok, value} <- cast(state.world, name, value),
         {:ok, undeclared} <- room(state.world, name, value, is_map_key(present, name), undeclared) do
      {[{name, value}], {state, present, undeclared}}
    else
      {:error, :invalid_component_name} -> {[], {drop(state, :invalid_component_name), present, undeclared}}
      {:error, reason} -> {[], {drop(state, reason, name), present, undeclared}}
    end
  end

  defp component_name(name) do
    if byte_size(name) in 1..@max_name and name != "id" and String.valid?(name),
      do: :ok,
      else: {:error, :invalid_component_name}
  end

  defp cast(_, _, nil), do: {:ok, nil}

  defp cast(world, name, value) do
    type = Map.get(world.types, name, :term)

    with {:ok, value} <- Schema.cast_as(type, value) do
      size = if type in [:string, :term], do: Term.size(type, value), else: 0
      if size > world.limits.max_value_bytes, do: {:error, :too_large}, else: {:ok, value}
    end
  end

  # How many undeclared components there will be.
  defp room(world, name, value, present, undeclared) do
    cond do
      is_map_key(world.types, name) -> {:ok, undeclared}
      value == nil -> {:ok, if(present, do: undeclared - 1, else: undeclared)}
      present -> {:ok, undeclared}
      undeclared >= world.limits.max_undeclared -> {:error, :too_many_components}
      true -> {:ok, undeclared + 1}
    end
  end

  # ---- add, put, take ----

  # Checked in this order: the value, the entity, its component.
  defp work(state, payload, field, component, operand, check, result) do
    with_id(state, payload, field, fn id ->
      case operand(operand, payload) do
        {:ok, value} when value != nil -> work_on(state, id, component, check.(value), result)
        _ -> state
      end
    end)
  end

  defp work_on(state, _, component, {:error, reason}, _), do: drop(state, reason, component)

  defp work_on(state, id, component, {:ok, value}, result) do
    case Entities.find(state.world.entities, id) do
      nil ->
        %{state | used: true, orphaned: state.orphaned + 1}

      entity ->
        case result.(Entities.components(entity)[component], value) do
          {:ok, new} -> store(state, id, entity, component, new)
          :nothing -> %{state | used: true}
          {:error, reason} -> drop(state, reason, component)
        end
    end
  end

  defp store(state, id, entity, component, value) do
    case changes(state, [{component, value}], entity) do
      {[], state} -> state
      {changes, state} -> put_changes("update", state, id, entity, changes)
    end
  end

  defp addend(value) when is_number(value) do
    with {:error, _} <- Schema.cast_as(:term, value), do: {:error, :number_out_of_range}
  end

  defp addend(_), do: {:error, :not_a_number}

  defp add(nil, value, bounds), do: add(0, value, bounds)

  defp add(old, value, bounds) when is_number(old) do
    {:ok, (old + value) |> saturate() |> clamp(bounds)}
  rescue
    ArithmeticError -> {:error, :number_out_of_range}
  end

  defp add(_, _, _), do: {:error, :not_a_number}

  defp saturate(sum) when is_integer(sum),
    do: sum |> max(-9_223_372_036_854_775_808) |> min(9_223_372_036_854_775_807)

  defp saturate(sum), do: sum

  defp clamp(sum, {_, max}) when max != nil and sum > max, do: bound(sum, max)
  defp clamp(sum, {min, _}) when min != nil and sum < min, do: bound(sum, min)
  defp clamp(sum, _), do: sum

  defp bound(sum, bound) when is_float(sum), do: bound * 1.0
  defp bound(_, bound), do: bound

  defp member(value) when is_binary(value),
    do: if(String.valid?(value), do: {:ok, value}, else: {:error, :not_a_set})

  defp member(_), do: {:error, :not_a_set}

  defp put(state, component, old, value) do
    with {:ok, members} <- members(state, component, old), do: {:ok, Enum.sort(Enum.uniq([value | members]))}
  end

  defp take(state, component, old, value) do
    case members(state, component, old) do
      {:ok, _} when old == nil -> :nothing
      {:ok, members} -> {:ok, members |> Enum.uniq() |> Enum.sort() |> List.delete(value)}
      error -> error
    end
  end

  defp members(state, component, old) do
    cond do
      Map.get(state.world.types, component, :term) != :term -> {:error, :not_a_set}
      old == nil -> {:ok, []}
      is_list(old) and Enum.all?(old, &is_binary/1) -> {:ok, old}
      true -> {:error, :not_a_set}
    end
  end

  # ---- what could not be used ----

  defp drop(state, reason, about \\ nil), do: %{state | dropped: [{reason, about} | state.dropped]}

  # The entries are kept newest first while folding.
  defp reject(report, index, reason, about \\ nil, offset \\ nil) do
    report = %{report | rejected_count: report.rejected_count + 1}

    if report.rejected_count > @kept do
      report
    else
      %{report | rejected: [{index, Error.from({reason, about, offset}, index: index)} | report.rejected]}
    end
  end
end
