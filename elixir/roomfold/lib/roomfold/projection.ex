defmodule Roomfold.Projection do
  @moduledoc """
  A behaviour for what folds events into a world, and its implementations. The option `:impl` chooses one.

    * `:native` - `Roomfold.Projection.Native`: C in a NIF
    * `:port` - the same C in OS processes of their own (`Roomfold.Port`), for those who won't load it into their VM
    * `:elixir` - `Roomfold.Projection.Elixir`: pure Elixir; the reference for tests, and for systems without a C compiler
    * a module of your own

  All return the same results, byte for byte; one conformance suite checks it. Callers use `Roomfold.World`.
  """

  alias Roomfold.{Error, Report, Rules, Schema, World}

  @typedoc "An implementation's own data. Used like a value: a change returns the next one, and the old one may not be used any more."
  @type state :: term
  @type input :: {:list, list} | {:json, binary} | {:packed, binary}
  @type components :: %{String.t() => term}
  @type entities :: %{String.t() => components}
  @typedoc ~s(`%{"from" => a, "seq" => b, "creates" => entities, "updates" => entities, "deletes" => ids}`)
  @type diff :: %{String.t() => term}
  @type info :: %{
          seq: non_neg_integer,
          start: non_neg_integer,
          count: non_neg_integer,
          memory: non_neg_integer
        }
  @type limits :: %{
          seq: non_neg_integer,
          history: pos_integer,
          max_entities: non_neg_integer,
          max_value_bytes: non_neg_integer,
          max_undeclared: non_neg_integer
        }
  @type error :: {:error, Error.t()}

  @callback new(Schema.t(), Rules.t(), limits) :: {:ok, state} | error
  @callback fold(state, input) :: {:ok, state, Report.t()} | error
  @typedoc "Events that were published together: the sender, whether it is the room itself, and each event as JSON text, in pieces or in one."
  @type item :: {by :: String.t(), trusted :: boolean, [text :: iodata]}
  @doc """
  Checks events and numbers them as if they were folded now, all with this time; changes nothing. Returns their records, one a line, and
  for each item, in reverse order, its first seq, or why the item is refused: `{index, reason, about, offset}`. For a
  module without it, `Roomfold.Room.Admission` does the same.
  """
  @callback admit(state, at :: integer, [item]) ::
              {:ok,
               {text :: binary,
                [pos_integer | {non_neg_integer, atom, String.t() | nil, non_neg_integer | nil}]}}
              | error
  @doc """
  A client's packed input (`Roomfold.Wire.encode_input/2`) as events in JSON text, one a line: if it has poses, the event `move` with
  them and the user's id, then the client's events.
  """
  @callback input_text(state, frame :: binary, user :: String.t(), move :: String.t()) ::
              {:ok, binary} | error
  @doc """
  A plain frame of events as JSON text, one a line. *Plain*: only create, update and delete, without seqs of their own. Events for a
  handle whose entity no longer exists are left out.
  """
  @callback events_text(state, frame :: binary) :: {:ok, binary} | error
  @doc "Folds a frame that must be plain. For a module without it, the frame is converted to text first."
  @callback fold_plain(state, frame :: binary) :: {:ok, state, Report.t()} | error
  @optional_callbacks admit: 3, input_text: 4, events_text: 2, fold_plain: 2
  @callback copy(state) :: {:ok, state} | error
  @callback get(state, id :: String.t()) :: {:ok, components | nil} | error
  @doc "The entities that have all these components, with only these, in the order of their handles."
  @callback query(state, [String.t()]) :: {:ok, [{String.t(), components}]} | error
  @callback snapshot(state, by :: :entity | :component | :kind) :: {:ok, map} | error
  @callback diff(state, from :: non_neg_integer) :: {:ok, diff} | error
  @typedoc "The envelope of the channel protocol, version 2: `{join_ref, ref, topic, event}`"
  @type frame :: {String.t() | nil, String.t() | nil, String.t(), String.t()}
  @callback encode(state, what :: :snapshot | {:diff, from :: non_neg_integer}, format :: :json | :packed, %{
              by: :entity | :component | :kind,
              frame: frame | nil
            }) :: {:ok, binary} | error
  @doc "Applies a diff, or a packed frame (`docs/wire-format.md`), whose report is empty."
  @callback apply_diff(state, diff | {:packed, binary}) :: {:ok, state, Report.t()} | error
  @doc "Loads a snapshot into a new world that has the snapshot's seq and, for a packed frame, its schema."
  @callback load(state, entities | {:packed, binary}) :: {:ok, state, Report.t()} | error
  @doc """
  Gives a new world its level and the length of its past: `{milliseconds, states}`.
  """
  @callback open_hits(state, Roomfold.Level.t(), history :: {float, pos_integer}) :: {:ok, state} | error
  @doc "Tests shots, as tuples or packed (`Roomfold.Hits`); returns the answers in reverse order."
  @callback cast(state, [term] | {:packed, binary, tuple}) :: {:ok, [term] | {binary, tuple}} | error
  @callback overlap(state, [term]) :: {:ok, [term]} | error
  @callback mark(state, time :: float) :: {:ok, state} | error
  @callback info(state) :: {:ok, info} | error
  @doc "The `Roomfold.JSON` implementation that goes with it; without this callback C, where it is loaded."
  @callback json() :: :native | :elixir
  @optional_callbacks json: 0

  @doc """
  The module of an implementation.

      iex> Roomfold.Projection.module(:native)
      Roomfold.Projection.Native
  """
  @spec module(atom) :: module
  def module(:native), do: Roomfold.Projection.Native
  def module(:port), do: Roomfold.Projection.Port
  def module(:elixir), do: Roomfold.Projection.Elixir

  def module(module) do
    if is_atom(module) and Code.ensure_loaded?(module) and function_exported?(module, :fold, 2) do
      module
    else
      raise ArgumentError,
            ":impl must be :native, :port, :elixir or a module with the behaviour Roomfold.Projection, got: #{inspect(module)}"
    end
  end

  @doc """
  The `Roomfold.JSON` implementation that goes with one of these.

      iex> {Roomfold.Projection.json(:native), Roomfold.Projection.json(:port)}
      {:native, :elixir}
  """
  @spec json(atom) :: :native | :elixir
  def json(impl) do
    module = module(impl)

    if Code.ensure_loaded?(module) and function_exported?(module, :json, 0),
      do: module.json(),
      else: Roomfold.JSON.compiled()
  end

  @doc """
  Runs a reducer of your own and `:native` over the same stream of events, and returns the first difference: a way to check before
  you replace the reducer.

  The reducer is a function of an event and an accumulator, as for `Enum.reduce/3`. The two are compared every so many events; if they
  differ, the events since the last comparison are replayed one by one. Your values are compared as the schema keeps them: a binary64
  equals the binary32 that it rounds to.

  Returns `{:ok, report}` of the native fold, or `{:different, difference}`, a map with

    * `:index` and `:event` - the event after which the two differ
    * `:id`, `:component` - where (`:component` is `nil` if one of them does not have the entity at all)
    * `:reducer`, `:world` - the value in each (`nil`: none)

  ## Options

    * `:initial` - the accumulator to start with (`%{}`)
    * `:view` - a function from the accumulator to `%{id => components}` (identity)
    * `:every` - how many events lie between comparisons (256); a difference that has disappeared by then is only found with 1
    * `:schema`, `:rules`, `:impl` and other options of `Roomfold.World.new/1`

  ## Examples

      iex> reducer = fn
      ...>   {"create", %{"entity_id" => id, "components" => components}}, world -> Map.put(world, id, components)
      ...>   {"update", %{"entity_id" => id, "components" => components}}, world -> Map.put(world, id, components)
      ...> end
      iex> events = [
      ...>   {"create", %{"entity_id" => "a", "components" => %{"kind" => "torch", "lit" => false}}},
      ...>   {"update", %{"entity_id" => "a", "components" => %{"lit" => true}}}
      ...> ]
      iex> {:different, found} = Roomfold.Projection.compare(events, reducer)
      iex> {found.index, found.id, found.component, found.reducer, found.world}
      {1, "a", "kind", nil, "torch"}
  """
  @spec compare(Enumerable.t(), (event :: term, acc -> acc), keyword) ::
          {:ok, Report.t()} | {:different, map} | error
        when acc: term
  def compare(events, reducer, opts \\ []) when is_function(reducer, 2) do
    {own, opts} = Keyword.split(opts, [:initial, :view, :every])
    own = Map.merge(%{initial: %{}, view: & &1, every: 256}, Map.new(own))

    with {:ok, world} <- World.new(opts) do
      start = %{world: world, acc: own.initial, index: 0, report: %Report{}}

      events
      |> Stream.chunk_every(own.every)
      |> Enum.reduce_while(start, &compare_chunk(&1, &2, reducer, own.view))
      |> case do
        %{report: report} -> {:ok, report}
        other -> other
      end
    end
  end

  defp compare_chunk(events, at, reducer, view) do
    {:ok, kept} = World.copy(at.world)
    acc = Enum.reduce(events, at.acc, reducer)

    with {:ok, world, report} <- World.fold(at.world, events) do
      case difference(view.(acc), world) do
        nil ->
          report = Report.merge(at.report, report, offset: at.index)
          {:cont, %{world: world, acc: acc, index: at.index + length(events), report: report}}

        _ ->
          {:halt, {:different, narrow(events, kept, at.acc, at.index, reducer, view)}}
      end
    else
      error -> {:halt, error}
    end
  end

  # The first difference is in one of these events.
  defp narrow([event | events], world, acc, index, reducer, view) do
    acc = reducer.(event, acc)
    {:ok, world, _} = World.fold(world, [event])

    case difference(view.(acc), world) do
      nil -> narrow(events, world, acc, index + 1, reducer, view)
      found -> Map.merge(found, %{index: index, event: event})
    end
  end

  defp difference(theirs, world) do
    ours = World.snapshot(world)
    ids = Enum.sort(Enum.uniq(Map.keys(theirs) ++ Map.keys(ours)))
    Enum.find_value(ids, &entity_difference(&1, theirs[&1], ours[&1], world.schema))
  end

  defp entity_difference(_, nil, nil, _), do: nil

  defp entity_difference(id, theirs, ours, _) when theirs == nil or ours == nil do
    %{id: id, component: nil, reducer: theirs, world: ours}
  end

  defp entity_difference(id, theirs, ours, schema) do
    names = Enum.sort(Enum.uniq(Map.keys(theirs) ++ Map.keys(ours)))

    Enum.find_value(names, fn name ->
      unless same?(theirs[name], ours[name], name, schema) do
        %{id: id, component: name, reducer: theirs[name], world: ours[name]}
      end
    end)
  end

  defp same?(nil, nil, _, _), do: true
  defp same?(nil, _, _, _), do: false

  defp same?(theirs, ours, name, schema) do
    case Schema.cast(schema, name, theirs) do
      {:ok, value} -> value === ours
      {:error, _} -> false
    end
  end
end
