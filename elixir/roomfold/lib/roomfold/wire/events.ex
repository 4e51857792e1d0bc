defmodule Roomfold.Wire.Events do
  @moduledoc false
  # Frames of events, both ways (docs/wire-format.md, Events).

  import Bitwise
  require Roomfold.Wire.Numbers
  alias Roomfold.{Error, Schema}
  alias Roomfold.Projection.Elixir.Term
  alias Roomfold.Wire.{Bits, Frame, Numbers}

  @ops Numbers.rows("op")
  @op_names Map.new(@ops, fn {name, number} -> {number, name} end)
  @named Numbers.number("op", "named")
  @delete Numbers.number("op", "delete")
  @next Numbers.number("seq", "next")
  @given Numbers.number("seq", "given")
  @none Numbers.number("seq", "none")
  @others Numbers.number("number", "tag_others")
  @fields Numbers.number("number", "tag_fields")
  @text_tag Numbers.number("number", "tag_text")
  @max_seq Roomfold.Seq.max()
  @entity_events ["create", "update", "delete"]
  @own_keys ["entity_id", "components", "seq"]
  # Longer strings are not shared: they are hardly names or ids.
  @shared_text 64

  # ---- writing ----

  @doc "The frame, or an error with the index of the event that can't be encoded."
  def encode(events, layout, handles, known) do
    first =
      with [{_, %{"seq" => seq}} | _] when is_integer(seq) and seq in 1..@max_seq <- events,
           do: seq,
           else: (_ -> 0)

    state = %{layout: layout, handles: handles, texts: %{}, running: first}
    {parts, state} = events |> indexed(0, []) |> Enum.map_reduce(state, &write_event/2)
    count = map_size(state.texts)
    texts = for {text, _} <- Enum.sort_by(state.texts, &elem(&1, 1)), do: Term.bytes(text)

    {:ok,
     IO.iodata_to_binary([
       [Frame.head("events"), Term.varint(known), Term.varint(first), layout.tag],
       [Term.varint(count), texts],
       [Term.varint(length(parts)) | Enum.map(parts, &place_handles(&1, count))]
     ])}
  catch
    {:unsayable, reason, index} -> {:error, Error.new(reason, index: index)}
  end

  defp indexed([event | events], index, known), do: indexed(events, index + 1, [{event, index} | known])
  defp indexed([], _, known), do: Enum.reverse(known)
  defp indexed(_, index, _), do: throw({:unsayable, :not_an_event, index})

  # Handles are numbered after the texts, whose count is only known at the end.
  defp place_handles(parts, count) do
    for part <- parts do
      with {:handle, handle} <- part, do: Term.varint(count + handle)
    end
  end

  defp write_event({{name, payload}, index}, state) when is_binary(name) and is_map(payload) do
    unless Enum.all?(:maps.keys(payload), &is_binary/1),
      do: throw({:unsayable, :not_an_event, index})

    {seq, payload} = take_seq(payload)

    try do
      if entity_event?(name, payload),
        do: write_entity(name, payload, seq, state),
        else: write_named(name, payload, seq, state)
    catch
      {:unsayable, reason} -> throw({:unsayable, reason, index})
    end
  end

  defp write_event({_, index}, _), do: throw({:unsayable, :not_an_event, index})

  defp take_seq(%{"seq" => seq} = payload) when is_integer(seq) and seq in 1..@max_seq,
    do: {seq, Map.delete(payload, "seq")}

  defp take_seq(payload), do: {nil, payload}

  defp entity_event?(name, %{"entity_id" => id} = payload) when name in @entity_events do
    is_binary(id) and byte_size(id) in 1..255 and String.valid?(id) and not is_map_key(payload, "seq") and
      if(name == "delete", do: not is_map_key(payload, "components"), else: components?(payload["components"]))
  end

  defp entity_event?(_, _), do: false

  defp components?(components),
    do:
      is_map(components) and
        Enum.all?(:maps.keys(components), &(is_binary(&1) and String.valid?(&1)))

  defp write_named(name, payload, seq, state) do
    {mode, seq, state} = seq(seq, state)
    {name, state} = text(name, state)
    {count, fields, state} = fields(payload, state)
    {[<<@named ||| mode <<< 2>>, seq, Term.varint(name), count, fields], state}
  end

  defp write_entity(name, payload, seq, state) do
    {mode, seq, state} = seq(seq, state)
    {entity, state} = entity(payload["entity_id"], state)
    # After this, an entity with this id has another handle.
    state =
      if name == "delete",
        do: %{state | handles: Map.delete(state.handles, payload["entity_id"])},
        else: state

    {mask, values, others} = split(Map.get(payload, "components", %{}), state.layout)
    {other_count, others, state} = fields(others, state)
    {field_count, fields, state} = fields(Map.drop(payload, ["entity_id", "components"]), state)
    tag = @ops[name] ||| mode <<< 2
    tag = if others == [], do: tag, else: tag ||| @others
    tag = if fields == [], do: tag, else: tag ||| @fields

    {[
       [<<tag>>, seq],
       entity,
       if(name == "delete", do: [], else: [Term.varint(mask), values]),
       if(others == [], do: [], else: [other_count, others]),
       if(fields == [], do: [], else: [field_count, fields])
     ], state}
  end

  defp entity(id, state) do
    case state.handles do
      %{^id => handle} when is_integer(handle) and handle >= 0 ->
        {{:handle, handle}, state}

      %{^id => other} ->
        raise ArgumentError, "the handle of #{inspect(id)} is an integer from 0, got #{Error.got(other)}"

      _ ->
        {number, state} = text(id, state)
        {Term.varint(number), state}
    end
  end

  defp seq(nil, %{running: 0} = state), do: {@next, [], state}
  defp seq(nil, state), do: {@none, [], %{state | running: 0}}
  defp seq(seq, %{running: seq} = state), do: {@next, [], %{state | running: seq + 1}}
  defp seq(seq, state), do: {@given, Term.varint(seq), %{state | running: seq + 1}}

  defp text(text, state) do
    case state.texts do
      %{^text => number} ->
        {number, state}

      texts ->
        unless String.valid?(text), do: throw({:unsayable, :invalid_utf8})
        {map_size(texts), %{state | texts: Map.put(texts, text, map_size(texts))}}
    end
  end

  # Components that the schema declares, and the others.
  defp split(components, layout) do
    {mask, values, names} =
      for {column, i} <- Enum.with_index(layout.columns), reduce: {0, [], []} do
        {mask, values, names} ->
          with {:ok, value} when value != nil <- Map.fetch(components, column.name),
               {:ok, value} <- Schema.cast_as(column.type, value) do
            {mask ||| 1 <<< i, [values | value(column.type, value)], [column.name | names]}
          else
            _ -> {mask, values, names}
          end
      end

    {mask, values, Map.drop(components, names)}
  end

  defp value({:f32, _}, values), do: for(v <- values, do: <<v::float-little-32>>)
  defp value({:f64, _}, values), do: for(v <- values, do: <<v::float-little-64>>)
  defp value(:f32, v), do: <<v::float-little-32>>
  defp value(:f64, v), do: <<v::float-little-64>>
  defp value(:i64, v), do: Term.varint(Term.zigzag(v))
  defp value(:bool, v), do: if(v, do: <<1>>, else: <<0>>)
  defp value(:string, v), do: Term.bytes(v)
  defp value(:term, v), do: Term.encode(v)

  defp fields(map, state) do
    {fields, state} =
      map
      |> Enum.sort()
      |> Enum.map_reduce(state, fn {key, value}, state ->
        {number, state} = text(key, state)
        {value, state} = field_value(value, state)
        {{number, value}, state}
      end)

    fields = for {number, value} <- Enum.sort_by(fields, &elem(&1, 0)), do: [Term.varint(number), value]
    {Term.varint(length(fields)), fields, state}
  end

  defp field_value(value, state) when is_binary(value) and byte_size(value) <= @shared_text do
    {number, state} = text(value, state)
    {[@text_tag, Term.varint(number)], state}
  end

  defp field_value(value, state) do
    case Schema.cast_as(:term, value) do
      {:ok, value} -> {Term.encode(value), state}
      {:error, reason} -> throw({:unsayable, reason})
    end
  end

  # ---- reading ----

  @doc ~s(`{known, events, handles?}`; an entity that is given by its handle has "entity_id" => {:handle, handle, known}.)
  def decode(frame, layout) do
    {known, events, handles?} = decode_ordered(frame, layout)
    {known, for({_, name, pairs} <- events, do: {name, Map.new(pairs, &member/1)}), handles?}
  end

  defp member({key, {:components, pairs}}), do: {key, Map.new(pairs)}
  defp member(pair), do: pair

  @doc """
  The same, but events are `{:entity | :named, name, pairs}` in the order of the frame: id, components, fields. Those of an entity event have
  `{"components", {:components, pairs}}`.
  """
  def decode_ordered(frame, layout) do
    {known, next} = frame |> Frame.open("events") |> Frame.seq()
    {first, next} = Frame.seq(next)
    {tag, next} = Bits.u8(next)
    if tag != layout.tag, do: Bits.fail_bytes(next, :schema_mismatch)
    {texts, next} = read_count(next, &Bits.text/1)
    state = %{layout: layout, texts: List.to_tuple(texts), seq: first, known: known}
    {count, next} = Bits.varint(next)
    {events, {rest, _} = next} = read_events(next, count, state, [])
    if rest != "", do: Bits.fail_bytes(next)
    {known, events, Enum.any?(events, &match?({:entity, _, [{_, {:handle, _, _}} | _]}, &1))}
  end

  defp read_count(bytes, read) do
    {count, {rest, _} = next} = Bits.varint(bytes)
    if count > byte_size(rest), do: Bits.fail_bytes(next)
    read_times(next, count, read, [])
  end

  defp read_times(next, 0, _, known), do: {Enum.reverse(known), next}

  defp read_times(next, count, read, known) do
    {value, next} = read.(next)
    read_times(next, count - 1, read, [value | known])
  end

  defp read_events(next, 0, _, known), do: {Enum.reverse(known), next}

  defp read_events(bytes, count, state, known) do
    {tag, next} = Bits.u8(bytes)
    op = tag &&& 3
    may = if(op == @named, do: 0, else: if(op == @delete, do: @fields, else: @others ||| @fields))
    if (tag &&& 0xF0 &&& bnot(may)) != 0, do: Bits.fail_bytes(bytes)
    {seq, next, state} = read_seq(tag >>> 2 &&& 3, next, state)
    {event, next} = if op == @named, do: read_named(next, state), else: read_entity(op, tag, next, state)
    read_events(next, count - 1, state, [with_seq(event, seq) | known])
  end

  defp with_seq(event, 0), do: event
  defp with_seq({kind, name, pairs}, seq), do: {kind, name, pairs ++ [{"seq", seq}]}

  defp read_seq(@next, next, state), do: checked_seq(state.seq, next, next, state)
  defp read_seq(@none, next, state), do: checked_seq(0, next, next, state)

  defp read_seq(@given, bytes, state) do
    {seq, next} = Bits.varint(bytes)
    if seq == 0, do: Bits.fail_bytes(bytes)
    checked_seq(seq, bytes, next, state)
  end

  defp read_seq(_, bytes, _), do: Bits.fail_bytes(bytes)

  defp checked_seq(0, _, next, state), do: {0, next, %{state | seq: 0}}

  defp checked_seq(seq, bytes, next, state) do
    if seq > @max_seq, do: Bits.fail_bytes(bytes), else: {seq, next, %{state | seq: seq + 1}}
  end

  defp read_text(bytes, %{texts: texts}) do
    {number, next} = Bits.varint(bytes)
    if number < tuple_size(texts), do: {number, elem(texts, number), next}, else: Bits.fail_bytes(bytes)
  end

  defp read_named(bytes, state) do
    {_, name, next} = read_text(bytes, state)
    {fields, next} = read_fields(next, state)
    {{:named, name, fields}, next}
  end

  defp read_entity(op, tag, bytes, state) do
    {entity, next} = Bits.varint(bytes)
    if entity > 4_294_967_295, do: Bits.fail_bytes(bytes)

    {mask, values, next} =
      if op == @delete do
        {0, [], next}
      else
        {mask, next} = Bits.varint(next)
        if mask >>> length(state.layout.columns) != 0, do: Bits.fail_bytes(next)
        {values, next} = read_values(next, mask, state.layout)
        {mask, values, next}
      end

    {others, next} = if (tag &&& @others) != 0, do: read_others(next, mask, state), else: {[], next}
    {fields, next} = if (tag &&& @fields) != 0, do: read_own_fields(next, state), else: {[], next}
    pairs = if op == @delete, do: fields, else: [{"components", {:components, values ++ others}} | fields]
    {{:entity, @op_names[op], [{"entity_id", entity_id(entity, state)} | pairs]}, next}
  end

  defp entity_id(entity, %{texts: texts}) when entity < tuple_size(texts), do: elem(texts, entity)
  defp entity_id(entity, state), do: {:handle, entity - tuple_size(state.texts), state.known}

  defp read_values(next, mask, layout) do
    columns = for {column, i} <- Enum.with_index(layout.columns), (mask >>> i &&& 1) == 1, do: column

    Enum.map_reduce(columns, next, fn column, next ->
      {value, next} = read_value(column.type, next)
      {{column.name, value}, next}
    end)
  end

  defp read_value({kind, count}, next),
    do: Enum.map_reduce(1..count, next, fn _, next -> read_value(kind, next) end)

  defp read_value(:f32, {<<v::float-little-32, rest::binary>>, size}), do: {v, {rest, size}}
  defp read_value(:f64, {<<v::float-little-64, rest::binary>>, size}), do: {v, {rest, size}}
  defp read_value(kind, next) when kind in [:f32, :f64], do: Bits.fail_bytes(next)

  defp read_value(:i64, next) do
    {zigzag, next} = Bits.varint(next)
    {Term.unzigzag(zigzag), next}
  end

  defp read_value(:bool, bytes) do
    case Bits.u8(bytes) do
      {byte, next} when byte < 2 -> {byte == 1, next}
      _ -> Bits.fail_bytes(bytes)
    end
  end

  defp read_value(:string, next), do: Bits.text(next)
  defp read_value(:term, next), do: Bits.term(next)

  defp read_others(bytes, mask, state) do
    {others, next} = read_more(bytes, state)

    for {column, i} <- Enum.with_index(state.layout.columns), (mask >>> i &&& 1) == 1 do
      if List.keymember?(others, column.name, 0), do: Bits.fail_bytes(bytes)
    end

    {others, next}
  end

  # What an entity event has beside what has a form of its own.
  defp read_own_fields(bytes, state) do
    {fields, next} = read_more(bytes, state)
    if Enum.any?(fields, fn {key, _} -> key in @own_keys end), do: Bits.fail_bytes(bytes)
    {fields, next}
  end

  # There must be at least one.
  defp read_more(bytes, state) do
    case read_fields(bytes, state) do
      {[], _} -> Bits.fail_bytes(bytes)
      more -> more
    end
  end

  defp read_fields(bytes, state) do
    {count, {rest, _} = next} = Bits.varint(bytes)
    if count > byte_size(rest), do: Bits.fail_bytes(next)
    read_fields(next, count, state, -1, [])
  end

  defp read_fields(next, 0, _, _, known) do
    names = Enum.map(known, &elem(&1, 0))
    if Enum.uniq(names) != names, do: Bits.fail_bytes(next)
    {Enum.reverse(known), next}
  end

  defp read_fields(bytes, count, state, last, known) do
    {number, key, next} = read_text(bytes, state)
    if number <= last, do: Bits.fail_bytes(bytes)
    {value, next} = read_field_value(next, state)
    read_fields(next, count - 1, state, number, [{key, value} | known])
  end

  defp read_field_value({<<@text_tag, rest::binary>>, size}, state) do
    {_, text, next} = read_text({rest, size}, state)
    {text, next}
  end

  defp read_field_value(bytes, _), do: Bits.term(bytes)
end
