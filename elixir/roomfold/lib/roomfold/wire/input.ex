defmodule Roomfold.Wire.Input do
  @moduledoc false
  # Frames of a client's input, both ways (docs/wire-format.md, Input).

  import Bitwise
  require Roomfold.Wire.Numbers
  alias Roomfold.{Error, Schema}
  alias Roomfold.Projection.Elixir.Term
  alias Roomfold.Wire.{Bits, Frame, Numbers, Value}

  @poses "pose" |> Numbers.rows() |> Enum.sort_by(&elem(&1, 1))

  @max_seq Roomfold.Seq.max()
  @max_number 0xFFFF_FFFF_FFFF_FFFF

  def encode(input, layout) when is_map(input) and not is_struct(input) do
    ack = number(input, "ack", 0, @max_seq)
    number = number(input, "input", nil, @max_number)
    poses = for {name, bit} <- @poses, pose = pose(name, input[name]), do: {bit, pose}
    mask = Enum.reduce(poses, 0, fn {bit, _}, mask -> mask ||| 1 <<< bit end)
    columns = columns(layout)

    bits =
      for {_, pose} <- poses,
          {column, key} <- Enum.zip(columns, ["position", "rotation"]),
          reduce: Bits.writer() do
        writer -> put(writer, column, pose[key], key, layout)
      end

    events = input |> Map.get("events", []) |> events(0)

    {:ok,
     IO.iodata_to_binary([
       [Frame.head("input"), Term.varint(ack), Term.varint(number)],
       [layout.tag, mask, Bits.to_iodata(bits)],
       [Term.varint(length(events)) | events]
     ])}
  catch
    {:unsayable, reason, where} -> {:error, Error.new(reason, where)}
  end

  def encode(other, _),
    do: {:error, Error.new(:invalid_argument, detail: "a client's input is a map, got #{Error.got(other)}")}

  defp number(input, key, default, most) do
    case Map.get(input, key, default) do
      number when is_integer(number) and number in 0..most//1 -> number
      other -> refuse(key, "it is an integer from 0 to #{most}, got #{Error.got(other)}")
    end
  end

  defp pose(_, nil), do: nil
  defp pose(_, pose) when is_map(pose) and not is_struct(pose), do: pose
  defp pose(name, other), do: refuse(name, "a pose is a map, got #{Error.got(other)}")

  defp refuse(field, detail), do: throw({:unsayable, :invalid_argument, field: field, detail: detail})

  defp events([event | events], index), do: [event(event, index) | events(events, index + 1)]
  defp events([], _), do: []
  defp events(_, index) when index > 0, do: throw({:unsayable, :not_an_event, index: index})
  defp events(other, 0), do: refuse("events", "it is a list, got #{Error.got(other)}")

  defp put(writer, column, value, key, layout) do
    case Schema.cast_as(column.type, value) do
      {:ok, value} -> Value.put(writer, column, Value.whole(column.quantiser, value), layout, :whole)
      {:error, :wrong_type} -> throw({:unsayable, :wrong_type, field: key, detail: Schema.takes(column.type)})
      {:error, reason} -> throw({:unsayable, reason, field: key})
    end
  end

  # Quantised if the schema has them with these types, or else raw.
  defp columns(layout) do
    for {name, type} <- [{"position", {:f32, 3}}, {"rotation", {:f32, 4}}] do
      Enum.find(
        layout.columns,
        %{name: name, type: type, quantiser: nil},
        &(&1.name == name and &1.type == type)
      )
    end
  end

  defp event({name, payload}, index) when is_binary(name) and is_map(payload) do
    unless Enum.all?(:maps.keys(payload), &is_binary/1),
      do: throw({:unsayable, :not_an_event, index: index})

    with true <- String.valid?(name), {:ok, payload} <- Schema.cast_as(:term, payload) do
      [Term.bytes(name), Term.encode(payload)]
    else
      false -> throw({:unsayable, :invalid_utf8, index: index})
      {:error, reason} -> throw({:unsayable, reason, index: index})
    end
  end

  defp event(_, index), do: throw({:unsayable, :not_an_event, index: index})

  @doc "Only the seq that the client acknowledges."
  def ack(frame), do: Frame.catching(fn -> frame |> Frame.open("input") |> Frame.seq() |> elem(0) end)

  def decode(frame, layout) do
    {ack, next} = frame |> Frame.open("input") |> Frame.seq()
    {number, next} = Bits.varint(next)
    {tag, next} = Bits.u8(next)
    {mask, {rest, size} = next} = Bits.u8(next)
    if mask >= 1 <<< length(@poses), do: Bits.fail_bytes(next)

    unless tag == layout.tag or (tag == 0 and ack == 0 and mask == 0),
      do: Bits.fail_bytes(next, :schema_mismatch)

    [position, rotation] = columns(layout)

    {poses, reader} =
      Enum.map_reduce(
        for({name, bit} <- @poses, (mask >>> bit &&& 1) == 1, do: name),
        Bits.reader(rest, size),
        fn
          name, reader ->
            {place, reader} = Value.read(reader, position, layout)
            {quaternion, reader} = Value.read(reader, rotation, layout)
            {{name, %{"position" => place, "rotation" => quaternion}}, reader}
        end
      )

    {count, {rest, _} = next} = reader |> Bits.finish() |> Bits.varint()
    if count > byte_size(rest), do: Bits.fail_bytes(next)
    {events, {rest, _} = next} = read_events(next, count, [])
    if rest != "", do: Bits.fail_bytes(next)
    Map.merge(Map.new(poses), %{"ack" => ack, "input" => number, "events" => events})
  end

  defp read_events(next, 0, known), do: {Enum.reverse(known), next}

  defp read_events(next, count, known) do
    {name, bytes} = Bits.text(next)

    case Bits.term(bytes) do
      {payload, next} when is_map(payload) -> read_events(next, count - 1, [{name, payload} | known])
      _ -> Bits.fail_bytes(bytes)
    end
  end
end
