defmodule Roomfold.Wire do
  @moduledoc """
  The packed format (`docs/wire-format.md`): encodes batches of events and clients' input, and decodes any frame for inspection.

  For snapshots and diffs there are `Roomfold.World.encode/4`, `Roomfold.World.load/2` and `Roomfold.World.apply_diff/2`.
  """

  alias Roomfold.{Error, Schema}
  alias Roomfold.Wire.{Events, Frame, Input, Layout}

  @doc """
  A frame of events, for `Roomfold.World.fold/2`, a log or another node. Components are encoded as the schema keeps them: `1` for
  an `:f32` as 1.0. A value without a JSON counterpart is an error with the event's index.

  ## Options

    * `:schema` - of the world that folds it (`Roomfold.Schema.default/0`)
    * `:handles` - `%{id => handle}`: entities to be encoded by handle (`decode/2` of a snapshot returns handles); `:known` - the seq
      at which these handles are valid. Entities created in the batch are encoded by id; each id is in the frame once

  ## Examples

      iex> {:ok, frame} = Roomfold.Wire.encode_events([{"user_joined", %{"user_id" => "tom", "pose" => "sits"}}])
      iex> world = Roomfold.World.fold!(Roomfold.World.new!(), {:packed, frame})
      iex> Roomfold.World.get(world, "tom")
      %{"pose" => "sits"}

      iex> {:error, error} = Roomfold.Wire.encode_events([{"user_joined", %{"user_id" => :tom}}])
      iex> error.message
      "event 0: the value has no JSON counterpart"
  """
  @spec encode_events([Roomfold.World.event()], keyword) :: {:ok, binary} | {:error, Error.t()}
  def encode_events(events, opts \\ []) when is_list(events) do
    opts = Keyword.validate!(opts, schema: Schema.default(), handles: %{}, known: 0)

    unless is_map(opts[:handles]),
      do: raise(ArgumentError, ":handles is a map of ids, got #{Error.got(opts[:handles])}")

    unless opts[:known] in 0..Roomfold.Seq.max(),
      do: raise(ArgumentError, ":known is a seq, got #{Error.got(opts[:known])}")

    Events.encode(events, layout(opts), opts[:handles], opts[:known])
  end

  defp layout(opts) do
    case opts[:schema] do
      %Schema{} = schema -> Layout.new(schema)
      other -> raise ArgumentError, ":schema must be a Roomfold.Schema, got #{Error.got(other)}"
    end
  end

  @doc """
  A client's input: `"ack"` (the seq it has received), `"input"` (its number, counted up by the client), poses under `"head"`, `"left"` and
  `"right"`, each with `"position"` and `"rotation"`, and `"events"`. Poses are quantised according to the schema. Other keys are not sent.

  ## Examples

      iex> pose = %{"position" => [0, 1.5, 0], "rotation" => [0, 0, 0, 1]}
      iex> {:ok, frame} = Roomfold.Wire.encode_input(%{"ack" => 7, "input" => 1, "head" => pose, "events" => [{"jump", %{}}]})
      iex> {:ok, input} = Roomfold.Wire.decode(frame)
      iex> {input["head"]["position"], input["events"]}
      {[0.0, 1.5, 0.0], [{"jump", %{}}]}

      iex> {:error, error} = Roomfold.Wire.encode_input(%{"ack" => 7, "input" => 1, "head" => [0, 1.5, 0]})
      iex> error.message
      ~s(field "head": an argument is not what the function takes: a pose is a map, got the list [0, 1.5, 0])
  """
  @spec encode_input(map, keyword) :: {:ok, binary} | {:error, Error.t()}
  def encode_input(input, opts \\ []) do
    opts = Keyword.validate!(opts, schema: Schema.default())
    Input.encode(input, layout(opts))
  end

  @doc """
  Decodes any frame into readable form, in pure Elixir.

    * a snapshot: `"seq"`, `"schema"`, and `"entities"`: a list of `%{"handle", "id", "components"}`
    * a diff: `"from"`, `"seq"`, `"deletes"` (handles), `"creates"` (as entities), and `"updates"`: a list of `%{"handle", "components"}`;
      `nil` means removed; `{:delta, steps}` is added to the receiver's numbers, in steps
    * events: `"known"` and `"events"`, as a fold takes them; an entity encoded by handle is `{:handle, handle}`
    * input: as `encode_input/2` takes it

  `"frame"` is the kind of frame. All but a snapshot need the schema they were made with: `:schema` (`Roomfold.Schema.default/0`).

  ## Examples

      iex> world = Roomfold.World.fold!(Roomfold.World.new!(), [{"user_joined", %{"user_id" => "tom", "pose" => "sits"}}])
      iex> {:ok, frame} = Roomfold.Wire.decode(Roomfold.World.encode!(world, :snapshot, :packed))
      iex> {frame["frame"], frame["seq"], frame["entities"]}
      {"snapshot", 1, [%{"handle" => 0, "id" => "tom", "components" => %{"pose" => "sits"}}]}

      iex> {:error, error} = Roomfold.Wire.decode(<<0x11, 0x80>>)
      iex> error.message
      "at byte 2: the packed frame is not valid"
  """
  @spec decode(binary, keyword) :: {:ok, map} | {:error, Error.t()}
  def decode(frame, opts \\ []) when is_binary(frame) do
    opts = Keyword.validate!(opts, schema: Schema.default())

    Frame.catching(fn ->
      {kind, _} = Frame.kind(frame)
      kind |> read(frame, opts[:schema]) |> Map.put("frame", kind)
    end)
  end

  defp read("snapshot", frame, _) do
    {_, _, part, _} = Frame.snapshot_start(frame)
    schema = Frame.schema(part)
    {seq, entities} = Frame.snapshot(frame, Layout.new(schema))
    %{"seq" => seq, "schema" => schema, "entities" => Enum.map(entities, &entity/1)}
  end

  defp read("diff", frame, schema) do
    diff = Frame.diff(frame, Layout.new(schema))

    updates =
      for {handle, changes, _} <- diff.updates,
          do: %{
            "handle" => handle,
            "components" => Map.new(changes, fn {name, change} -> {name, change(change)} end)
          }

    %{
      "from" => diff.from,
      "seq" => diff.seq,
      "deletes" => diff.deletes,
      "creates" => Enum.map(diff.creates, &entity/1),
      "updates" => updates
    }
  end

  defp read("events", frame, schema) do
    {known, events, _} = Events.decode(frame, Layout.new(schema))
    %{"known" => known, "events" => Enum.map(events, &plain_handle/1)}
  end

  defp read("input", frame, schema), do: Input.decode(frame, Layout.new(schema))

  defp entity(entity),
    do: %{"handle" => entity.handle, "id" => entity.id, "components" => Map.new(entity.components)}

  defp change(:removed), do: nil
  defp change({:is, value}), do: value
  defp change({:delta, _, numbers}), do: {:delta, numbers}

  defp plain_handle({name, %{"entity_id" => {:handle, handle, _}} = payload}),
    do: {name, %{payload | "entity_id" => {:handle, handle}}}

  defp plain_handle(event), do: event

  @doc false
  # The seq and the schema of a snapshot.
  def start(frame) do
    with {:ok, {seq, schema}} <-
           Frame.catching(fn ->
             {seq, _, part, _} = Frame.snapshot_start(frame)
             {seq, Frame.schema(part)}
           end),
         do: {:ok, seq, schema}
  end
end
