defmodule Roomfold.Projection.Elixir do
  @moduledoc false
  # The same world as in C, written as plainly as possible: the reference for tests, and for systems without a C compiler.
  # docs/event-model.md specifies what it has to do.
  @behaviour Roomfold.Projection

  alias Roomfold.{Error, Report}
  alias Roomfold.Projection.Elixir.{Encode, Entities, Fold, Hits, Input, Packed}
  alias Roomfold.Wire

  # version: raised by each change; all versions of a world share the counter, so that an old one is recognised.
  defstruct [
    :schema,
    :types,
    :names,
    :layout,
    :rules,
    :limits,
    :start,
    :seq,
    :entities,
    :version,
    :counter,
    hits: %Hits{}
  ]

  @impl true
  def json, do: :elixir

  @impl true
  def new(schema, rules, limits) do
    world = %__MODULE__{
      schema: schema,
      types: Map.new(schema.components),
      names: Enum.map(schema.components, &elem(&1, 0)),
      layout: Wire.Layout.new(schema),
      rules: rules.events,
      limits: limits,
      start: limits.seq,
      seq: limits.seq,
      entities: Entities.new(for({name, %{quantise: _}} <- schema.options, do: name), limits.history)
    }

    {:ok, fresh(world)}
  end

  defp fresh(world), do: %{world | version: 0, counter: :atomics.new(1, [])}

  defp newest(%{version: version, counter: counter}) do
    if :atomics.get(counter, 1) == version, do: :ok, else: {:error, Error.new(:folded_on)}
  end

  # Takes the world for a change; any other caller is refused from now on.
  defp take(%{version: version, counter: counter} = world) do
    case :atomics.compare_exchange(counter, 1, version, version + 1) do
      :ok -> {:ok, %{world | version: version + 1}}
      _ -> {:error, Error.new(:folded_on)}
    end
  end

  @impl true
  def fold(world, {:packed, frame}) do
    with :ok <- newest(world),
         {:ok, {known, events, handles?}} <-
           Wire.Frame.catching(fn -> Wire.Events.decode(frame, world.layout) end),
         :ok <- if(handles?, do: known(world, known), else: :ok),
         do: fold(world, {:decoded, events})
  end

  def fold(world, input) do
    with {:ok, world} <- take(world) do
      {world, report} =
        input |> Input.events() |> Enum.reduce({world, {0, %Report{}}}, &Fold.event/2) |> done()

      {:ok, world, report}
    end
  end

  defp done({world, {_, report}}), do: {world, %{report | rejected: Enum.reverse(report.rejected)}}

  @impl true
  def input_text(world, frame, user, move) do
    with :ok <- newest(world),
         {:ok, input} <- Wire.Frame.catching(fn -> Wire.Input.decode(frame, world.layout) end),
         do: {:ok, Wire.Text.input(input, user, move)}
  end

  @impl true
  def events_text(world, frame) do
    with :ok <- newest(world),
         {:ok, {known, events, handles?}} <-
           Wire.Frame.catching(fn -> Wire.Events.decode_ordered(frame, world.layout) end),
         :ok <- if(handles?, do: known(world, known), else: :ok) do
      Wire.Text.events(events, fn handle ->
        case world.entities.by_handle do
          %{^handle => %{id: id, since: since}} when since <= known -> id
          _ -> nil
        end
      end)
    end
  end

  @impl true
  def copy(world) do
    with :ok <- newest(world), do: {:ok, fresh(%{world | hits: %{world.hits | states: []}})}
  end

  @impl true
  def info(world) do
    with :ok <- newest(world) do
      memory = :erts_debug.size(world.entities) * :erlang.system_info(:wordsize)
      {:ok, %{seq: world.seq, start: world.start, count: Entities.count(world.entities), memory: memory}}
    end
  end

  @impl true
  def get(world, id) do
    with :ok <- newest(world) do
      case Entities.find(world.entities, id) do
        nil -> {:ok, nil}
        entity -> {:ok, Entities.components(entity)}
      end
    end
  end

  @impl true
  def query(world, names) do
    with :ok <- newest(world) do
      {:ok,
       for entity <- Entities.all(world.entities),
           components = Map.take(Entities.components(entity), names),
           Enum.all?(names, &is_map_key(components, &1)) do
         {entity.id, components}
       end}
    end
  end

  @impl true
  def snapshot(world, by) do
    with :ok <- newest(world), do: {:ok, snapshot_by(by, Entities.all(world.entities))}
  end

  defp snapshot_by(:entity, entities), do: Map.new(entities, &{&1.id, Entities.components(&1)})

  defp snapshot_by(:component, entities) do
    values =
      for entity <- entities, {name, value} <- Entities.components(entity), do: {name, entity.id, value}

    Enum.group_by(values, &elem(&1, 0), fn {_, id, value} -> {id, value} end)
    |> Map.new(fn {name, pairs} -> {name, Map.new(pairs)} end)
  end

  defp snapshot_by(:kind, entities) do
    Enum.group_by(entities, &plural/1, fn entity -> Map.put(Entities.components(entity), "id", entity.id) end)
  end

  defp plural(entity) do
    case Entities.components(entity) do
      %{"kind" => kind} when is_binary(kind) -> kind <> "s"
      _ -> "others"
    end
  end

  @impl true
  def diff(world, from) do
    with :ok <- newest(world), :ok <- remembered(world, from) do
      {:ok, Map.merge(%{"from" => from, "seq" => world.seq}, Entities.diff(world.entities, from))}
    end
  end

  defp known(world, known) do
    with {:error, error} <- remembered(world, known), do: {:error, Error.new(error.reason, offset: 1)}
  end

  defp remembered(world, from) do
    cond do
      from > world.seq -> {:error, Error.new(:seq_ahead)}
      from < max(world.start, world.seq - world.limits.history) -> {:error, Error.new(:history_gone)}
      true -> :ok
    end
  end

  @impl true
  def encode(world, :snapshot, :packed, _) do
    with :ok <- newest(world), do: {:ok, Packed.encode(world, :snapshot)}
  end

  def encode(world, {:diff, from}, :packed, _) do
    with :ok <- newest(world), :ok <- remembered(world, from), do: {:ok, Packed.encode(world, {:diff, from})}
  end

  def encode(world, :snapshot, :json, opts) do
    with :ok <- newest(world), do: Encode.json(world, :snapshot, opts.by, opts.frame)
  end

  def encode(world, {:diff, from}, :json, opts) do
    with :ok <- newest(world), :ok <- remembered(world, from) do
      Encode.json(world, {:diff, from}, opts.by, opts.frame)
    end
  end

  @impl true
  def apply_diff(world, {:packed, frame}) do
    with :ok <- newest(world), {:ok, changed} <- Packed.apply_diff(world, frame), do: whole(world, changed)
  end

  def apply_diff(world, diff) do
    with :ok <- newest(world),
         {:ok, seq, events} <- Input.diff_events(diff, world.seq),
         {:ok, world} <- take(world) do
      {world, report} = events |> Enum.reduce({%{world | seq: seq}, {0, %Report{}}}, &Fold.patch/2) |> done()
      {:ok, world, report}
    end
  end

  # A frame is applied as a whole or not at all.
  defp whole(world, changed) do
    with {:ok, world} <- take(world), do: {:ok, %{changed | version: world.version}, %Report{}}
  end

  @impl true
  def load(world, {:packed, frame}) do
    with :ok <- newest(world), {:ok, loaded} <- Packed.load(world, frame), do: whole(world, loaded)
  end

  def load(world, entities) do
    with {:ok, events} <- Input.snapshot_events(entities),
         {:ok, world} <- take(world) do
      {world, report} = events |> Enum.reduce({world, {0, %Report{}}}, &Fold.patch/2) |> done()
      {:ok, world, report}
    end
  end

  @impl true
  def open_hits(world, level, history) do
    with :ok <- newest(world) do
      case Hits.open(level, history) do
        {:ok, hits} -> {:ok, %{world | hits: hits}}
        {:error, reason} -> {:error, Error.new(reason)}
      end
    end
  end

  @impl true
  def cast(world, {:packed, shots, owners}) do
    with :ok <- newest(world), do: {:ok, Hits.cast_packed(world, shots, owners)}
  end

  def cast(world, shots) do
    with :ok <- newest(world), do: {:ok, Hits.cast(world, shots)}
  end

  @impl true
  def overlap(world, zones) do
    with :ok <- newest(world), do: {:ok, Hits.overlap(world, zones)}
  end

  @impl true
  def mark(world, time) do
    with :ok <- newest(world) do
      with {:error, reason} <- Hits.mark(world, time), do: {:error, Error.new(reason)}
    end
  end
end
