defmodule Roomfold.Wire.Frame do
  @moduledoc false
  # Reads frames of snapshots and diffs as they are, without a world: entities with handles. Errors are thrown ({:wire, reason, byte}).

  import Bitwise
  require Roomfold.Wire.Numbers
  alias Roomfold.Wire.{Bits, Layout, Numbers, Value}

  @version Numbers.number("number", "version")
  @frames Numbers.rows("frame")
  @kinds Map.new(@frames, fn {name, number} -> {@version * 16 + number, name} end)
  @max_seq Roomfold.Seq.max()
  @max_handle 4_294_967_295

  def head(kind), do: @version * 16 + Map.fetch!(@frames, kind)

  @doc "Runs a reader; returns `{:ok, result}` or an error."
  def catching(read) do
    {:ok, read.()}
  catch
    {:wire, reason, at} -> {:error, Roomfold.Error.new(reason, offset: at)}
  end

  def kind(<<head, _::binary>> = frame) when is_map_key(@kinds, head) do
    <<_, rest::binary>> = frame
    {@kinds[head], {rest, byte_size(frame)}}
  end

  def kind(""), do: throw({:wire, :invalid_frame, 0})
  def kind(_), do: throw({:wire, :unknown_version, 0})

  @doc "The bytes after the first one, of a frame that must be of this kind."
  def open(frame, kind) do
    case kind(frame) do
      {^kind, rest} -> rest
      _ -> throw({:wire, :unknown_version, 0})
    end
  end

  def seq(bytes) do
    {seq, next} = Bits.varint(bytes)
    if seq > @max_seq, do: Bits.fail_bytes(bytes), else: {seq, next}
  end

  @doc "`{seq, schema, its packed form, the rest}` of a snapshot."
  def snapshot_start(frame) do
    {seq, rest} = frame |> open("snapshot") |> seq()
    {packed, {left, size} = rest} = Bits.byte_run(rest)
    {seq, packed, {packed, size - byte_size(left)}, rest}
  end

  @doc "Entities: `%{handle, id, components}`, in order."
  def snapshot(frame, layout) do
    {seq, packed, _, {rest, size}} = snapshot_start(frame)
    if packed != layout.packed, do: Bits.fail_bytes({rest, size}, :schema_mismatch)
    {entities, reader} = rest |> Bits.reader(size) |> wholes(layout)
    finish(reader)
    {seq, entities}
  end

  @doc "`%{seq, from, deletes, creates, updates}`; updates are `{handle, changes, byte}`."
  def diff(frame, layout, at \\ nil) do
    {seq, next} = frame |> open("diff") |> seq()
    {back, next} = seq(next)
    if back > seq, do: Bits.fail_bytes(next)
    if at != nil and seq - back != at, do: Bits.fail_bytes(next, :seq_mismatch)
    {tag, next} = Bits.u8(next)
    if tag != layout.tag, do: Bits.fail_bytes(next, :schema_mismatch)
    {rest, size} = next
    {deletes, reader} = rest |> Bits.reader(size) |> handles()
    {creates, reader} = wholes(reader, layout)
    {updates, reader} = changes(reader, layout)
    finish(reader)
    if back == 0 and deletes ++ creates ++ updates != [], do: Bits.fail_bytes({rest, size})
    %{seq: seq, from: seq - back, deletes: deletes, creates: creates, updates: updates}
  end

  defp finish(reader) do
    with {rest, _} = bytes <- Bits.finish(reader), do: if(rest != "", do: Bits.fail_bytes(bytes))
  end

  # ---- lists ----

  defp handle(reader, last) do
    case Bits.nib(reader) do
      {0, reader} ->
        {nil, reader}

      {step, next} ->
        if last + step > @max_handle, do: Bits.fail(reader, :world_full), else: {last + step, next}
    end
  end

  defp handles(reader, last \\ -1, known \\ []) do
    case handle(reader, last) do
      {nil, reader} -> {Enum.reverse(known), reader}
      {handle, reader} -> handles(reader, handle, [handle | known])
    end
  end

  defp wholes(reader, layout, last \\ -1, masks \\ {0, 0}, known \\ []) do
    case handle(reader, last) do
      {nil, reader} ->
        {Enum.reverse(known), reader}

      {handle, reader} ->
        {entity, reader, masks} = whole(reader, layout, masks)
        wholes(reader, layout, handle, masks, [Map.put(entity, :handle, handle) | known])
    end
  end

  defp whole(start, layout, masks) do
    {id, reader} = Value.name(start, layout)
    if byte_size(id) not in 1..255, do: Bits.fail(start)
    {mask, reader, masks} = Value.mask(reader, masks, length(layout.columns))
    {others, reader} = Bits.bits(reader, 1)

    {values, reader} =
      Enum.map_reduce(masked(layout, mask), reader, fn column, reader ->
        {value, reader} = Value.read(reader, column, layout)
        {{column.name, value}, reader}
      end)

    {more, reader} = if others == 1, do: others(reader, layout, &Value.term/2), else: {[], reader}
    {%{id: id, components: values ++ more, at: Bits.at(start)}, reader, masks}
  end

  defp masked(layout, mask) do
    for {column, i} <- Enum.with_index(layout.columns), (mask >>> i &&& 1) == 1, do: column
  end

  defp others(reader, layout, read) do
    {count, next} = Bits.nib(reader)
    if count == 0, do: Bits.fail(reader)
    others(next, layout, read, count, nil, [])
  end

  defp others(reader, _, _, 0, _, known), do: {Enum.reverse(known), reader}

  defp others(reader, layout, read, count, last, known) do
    {name, next} = Value.name(reader, layout)

    if byte_size(name) not in 1..255 or name == "id" or name in layout.names or
         (last != nil and name <= last),
       do: Bits.fail(reader)

    {value, next} = read.(next, layout)
    others(next, layout, read, count - 1, name, [{name, value} | known])
  end

  defp changes(reader, layout, last \\ -1, masks \\ {0, 0}, known \\ []) do
    case handle(reader, last) do
      {nil, reader} ->
        {Enum.reverse(known), reader}

      {handle, reader} ->
        {changes, next, masks} = change(reader, layout, masks)
        changes(next, layout, handle, masks, [{handle, changes, Bits.at(reader)} | known])
    end
  end

  defp change(reader, layout, masks) do
    {mask, reader, masks} = Value.mask(reader, masks, length(layout.columns))
    {special, reader} = Bits.bits(reader, 1)
    {flags, reader} = if special == 1, do: Bits.bits(reader, 2), else: {0, reader}
    columns = masked(layout, mask)

    {removed, reader} =
      if (flags &&& 1) == 1,
        do: Enum.map_reduce(columns, reader, fn _, reader -> Bits.bits(reader, 1) end),
        else: {Enum.map(columns, fn _ -> 0 end), reader}

    {values, reader} =
      Enum.map_reduce(Enum.zip(columns, removed), reader, fn
        {column, 1}, reader ->
          {{column.name, :removed}, reader}

        {column, 0}, reader ->
          {value, reader} = Value.read_change(reader, column, layout)
          {{column.name, value}, reader}
      end)

    {more, reader} = if (flags &&& 2) == 2, do: others(reader, layout, &other_change/2), else: {[], reader}
    {values ++ more, reader, masks}
  end

  defp other_change(reader, layout) do
    case Bits.bits(reader, 1) do
      {1, reader} ->
        {:removed, reader}

      {0, reader} ->
        {value, reader} = Value.term(reader, layout)
        {{:is, value}, reader}
    end
  end

  def schema({_, _} = part), do: Layout.read(part)
end
