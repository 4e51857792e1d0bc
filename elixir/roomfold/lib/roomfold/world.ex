defmodule Roomfold.World do
  @moduledoc """
  The state of a room: entities with components, folded from events.

      iex> {:ok, world} = Roomfold.World.new(rules: Roomfold.Rules.doom())
      iex> {:ok, world, report} = Roomfold.World.fold(world, [
      ...>   {"player_spawned", %{"user_id" => "tom", "position" => [1, 0, 2.5], "health" => 100}},
      ...>   {"player_hit", %{"user_id" => "tom", "health" => 85, "damage" => 15}}
      ...> ])
      iex> report.folded
      2
      iex> Roomfold.World.get(world, "tom")
      %{"kind" => "player", "position" => [1.0, 0.0, 2.5], "health" => 85, "damage_taken" => 15}

  A world is used like a value: `fold/2` returns the next one. Any process may read the newest. An older one can't be used any more
  (`:folded_on`); to keep it, make a `copy/1` first. After `{:error, _}` the world is still usable.

  `docs/event-model.md` specifies what events mean.
  """

  import Roomfold.Hits.Number, only: [is_real: 1]

  alias Roomfold.{Error, JSON, Level, OptionList, Projection, Report, Rules, Schema, Shape, Wire}
  alias Roomfold.Report.Explain

  @type t :: %__MODULE__{
          impl: module,
          state: term,
          schema: Schema.t(),
          rules: Rules.t(),
          level: Level.t() | nil,
          hits: keyword,
          read_only?: boolean
        }
  @type event :: {String.t(), map}
  @type id :: String.t()

  @hits [history_ms: 1000, history_states: 128]

  @enforce_keys [:impl, :state, :schema, :rules]
  # read_only?: it belongs to another process, which would be left with a world that was folded on
  defstruct [:impl, :state, :schema, :rules, :level, hits: @hits, read_only?: false]

  defimpl Inspect do
    def inspect(world, _) do
      case Roomfold.World.info(world) do
        %{seq: seq, count: count} -> "#Roomfold.World<#{inspect(world.impl)}, seq #{seq}, #{count} entities>"
      end
    rescue
      error in Roomfold.Error ->
        "#Roomfold.World<#{inspect(world.impl)}, #{error.reason |> to_string() |> String.replace("_", " ")}>"
    end
  end

  # A seq that no world reaches: larger ones are the same to a diff.
  @beyond 9_007_199_254_740_992

  @limits [
    seq: {0, 0..Roomfold.Seq.max()},
    history: {1_024, 1..1_048_576},
    max_entities: {1_048_576, 0..4_294_967_200},
    max_value_bytes: {65_536, 0..1_073_741_824},
    max_undeclared: {64, 0..65_536}
  ]

  @doc """
  An empty world.

  ## Options

    * `:impl` - `:native` (default), `:port`, `:elixir` or a module with the behaviour `Roomfold.Projection`
    * `:schema` - a `Roomfold.Schema` (`Roomfold.Schema.default/0`)
    * `:rules` - a `Roomfold.Rules` (`Roomfold.Rules.xr/0`)
    * `:seq` - the seq it starts at (0)
    * `:history` - how many seqs diffs can go back (1,024)
    * `:level` - a `Roomfold.Level`: the walls that shots meet (`Roomfold.Hits`)
    * `:hits` - how long past positions are remembered: `[history_ms: 1000, history_states: 128]`, at most 4,096 states
    * `:max_entities` (1,048,576), `:max_value_bytes` of one term or string (65,536), `:max_undeclared` components of one entity (64)

  ## Examples

      iex> {:ok, world} = Roomfold.World.new(impl: :native)
      iex> Roomfold.World.seq(world)
      0
  """
  @spec new(keyword) :: {:ok, t} | {:error, Error.t()}
  def new(opts \\ []) do
    check_opts!(opts)
    impl = Projection.module(Keyword.get(opts, :impl, :native))
    schema = struct_option(opts, :schema, Schema, &Schema.default/0)
    rules = struct_option(opts, :rules, Rules, &Rules.xr/0)
    limits = Map.new(@limits, fn {name, {default, range}} -> {name, limit(opts, name, default, range)} end)

    level = struct_option(opts, :level, Level, fn -> nil end)
    hits = opts |> Keyword.get(:hits, []) |> hits_options()

    with :ok <- Rules.fit?(rules, schema),
         {:ok, state} <- impl.new(schema, rules, limits),
         {:ok, state} <- open_hits(impl, state, level, hits) do
      {:ok, %__MODULE__{impl: impl, state: state, schema: schema, rules: rules, level: level, hits: hits}}
    end
  end

  @options [:impl, :schema, :rules, :level, :hits] ++ Keyword.keys(@limits)

  @doc false
  # Their names, for what has a world among other things.
  def options, do: @options

  defp check_opts!(opts) do
    case Keyword.keys(OptionList.once!(opts, "a world")) -- @options do
      [] -> :ok
      unknown -> raise ArgumentError, "unknown options: #{inspect(unknown)}; a world has #{inspect(@options)}"
    end
  end

  defp hits_options(opts) do
    opts = OptionList.validate!(opts, @hits, "a world's :hits")

    unless is_real(opts[:history_ms]) and opts[:history_ms] >= 0,
      do: raise(ArgumentError, ":history_ms must be a number from 0, got: #{inspect(opts[:history_ms])}")

    unless opts[:history_states] in 1..4096 do
      raise ArgumentError,
            ":history_states must be an integer in 1..4096, got: #{inspect(opts[:history_states])}"
    end

    # In the order of @hits.
    Enum.sort(opts)
  end

  # With the defaults there is nothing to set up: most worlds have no shots.
  defp open_hits(_, state, nil, @hits), do: {:ok, state}

  defp open_hits(impl, state, level, hits) do
    level = level || %Level{}

    with {:error, %{reason: :invalid_level} = error} <-
           impl.open_hits(state, level, {hits[:history_ms] * 1.0, hits[:history_states]}),
         do: {:error, Error.put(error, detail: Level.wrong(level))}
  end

  @doc """
  Like `new/1`, but raises the error.

      iex> Roomfold.World.count(Roomfold.World.new!())
      0
  """
  @spec new!(keyword) :: t
  def new!(opts \\ []) do
    case new(opts) do
      {:ok, world} -> world
      {:error, error} -> raise error
    end
  end

  @doc """
  Folds events into the world. The content of events never makes it fail: what can't be used is left out and reported.

  The input is

    * a list of `{name, payload}`,
    * `{:json, text}`: one event, an array of events or JSON Lines, read in C without building a term for any event. An object may also
      change several entities, by component or by kind, or contain all entities (`docs/event-model.md`, "Several entities at once"),
    * or `{:packed, frame}`: a batch made by `Roomfold.Wire.encode_events/2`. An invalid frame (`:invalid_frame`, with the byte) changes
      nothing.

  ## Examples

      iex> world = Roomfold.World.new!()
      iex> {:ok, world, report} = Roomfold.World.fold(world, {:json, ~s({"event":"create","entity_id":"a","components":{"health":1}}
      ...> {"event":"update","entity_id":"a","components":{"position":"here"}})})
      iex> {report.folded, report.rejected_count}
      {1, 1}
      iex> [{1, error}] = report.rejected
      iex> error.message
      "event 1: component \\"position\\": the value does not fit the component's type: it takes a list of 3 numbers"
      iex> Roomfold.World.get(world, "a")
      %{"health" => 1}
      iex> {:ok, world, _} = Roomfold.World.fold(world, {:json, ~s({"health":{"a":2}}
      ...> {"created":["b"],"bats":[{"id":"a","lit":true},{"id":"b","kind":"bat"}]})})
      iex> Roomfold.World.snapshot(world)
      %{"a" => %{"health" => 2, "lit" => true}, "b" => %{"kind" => "bat"}}
      iex> {:ok, world, _} = Roomfold.World.fold(world, {:json, ~s({"cats":[{"id":"c","kind":"cat"}]})})
      iex> Roomfold.World.snapshot(world)
      %{"c" => %{"kind" => "cat"}}
  """
  @spec fold(t, [event] | {:json, binary} | {:packed, binary}) :: {:ok, t, Report.t()} | {:error, Error.t()}
  def fold(%__MODULE__{read_only?: true}, _), do: read_only()
  def fold(%__MODULE__{} = world, events) when is_list(events), do: folded(world, {:list, events})
  def fold(%__MODULE__{} = world, {:json, text} = input) when is_binary(text), do: folded(world, input)
  def fold(%__MODULE__{} = world, {:packed, frame} = input) when is_binary(frame), do: folded(world, input)

  def fold(%__MODULE__{}, other) do
    {:error,
     Error.new(:invalid_argument,
       detail:
         "what is folded is a list of events, {:json, text} or {:packed, frame}, got #{Error.got(other)}"
     )}
  end

  defp folded(world, input) do
    case world.impl.fold(world.state, input) do
      {:ok, state, report} -> {:ok, %{world | state: state}, Explain.explain(report, input, world)}
      error -> error
    end
  end

  @doc """
  Like `fold/2`, but returns only the world, and raises where `fold/2` returns an error. It does not raise because events were
  rejected: what can't be used is left out, as always, and only the report of `fold/2` shows it.

      iex> world = Roomfold.World.fold!(Roomfold.World.new!(), [{"user_joined", %{"user_id" => "tom"}}, {"user_jioned", %{"user_id" => "ann"}}])
      iex> Roomfold.World.snapshot(world)
      %{"tom" => %{}}
  """
  @spec fold!(t, [event] | {:json, binary} | {:packed, binary}) :: t
  def fold!(world, input) do
    case fold(world, input) do
      {:ok, world, _} -> world
      {:error, error} -> raise error
    end
  end

  @doc """
  The seq of the last event.

      iex> world = Roomfold.World.fold!(Roomfold.World.new!(), [{"user_joined", %{"user_id" => "tom", "seq" => 7}}])
      iex> Roomfold.World.seq(world)
      7
  """
  @spec seq(t) :: non_neg_integer
  def seq(world), do: info(world).seq

  @doc """
  How many entities there are.

      iex> world = Roomfold.World.fold!(Roomfold.World.new!(), [{"user_joined", %{"user_id" => "tom"}}])
      iex> Roomfold.World.count(world)
      1
  """
  @spec count(t) :: non_neg_integer
  def count(world), do: info(world).count

  @doc """
  The seq, the seq it started at, the number of entities and the bytes of memory.

      iex> %{seq: 0, start: 0, count: 0, memory: bytes} = Roomfold.World.info(Roomfold.World.new!())
      iex> bytes > 0
      true
  """
  @spec info(t) :: Projection.info()
  def info(%__MODULE__{} = world), do: value(world.impl.info(world.state))

  @doc """
  An entity's components, or `nil` if there is no such entity.

      iex> Roomfold.World.get(Roomfold.World.new!(), "nobody")
      nil
  """
  @spec get(t, id) :: Projection.components() | nil
  def get(%__MODULE__{} = world, id) when is_binary(id), do: value(world.impl.get(world.state, id))

  @doc """
  The entities that have all these components, with only these, in the order of their handles.

      iex> world = Roomfold.World.fold!(Roomfold.World.new!(), [
      ...>   {"create", %{"entity_id" => "a", "components" => %{"health" => 3, "kind" => "bat"}}},
      ...>   {"create", %{"entity_id" => "b", "components" => %{"kind" => "door"}}}
      ...> ])
      iex> Roomfold.World.query(world, ["health"])
      [{"a", %{"health" => 3}}]
  """
  @spec query(t, [String.t()]) :: [{id, Projection.components()}]
  def query(%__MODULE__{} = world, names) when is_list(names) do
    case no_name(names) do
      nil ->
        value(world.impl.query(world.state, names))

      {:got, what} ->
        raise Error.new(:invalid_argument,
                detail: "the names of components are strings, got #{Error.got(what)}"
              )
    end
  end

  def query(%__MODULE__{}, other) do
    raise Error.new(:invalid_argument,
            detail: "what is asked for is a list of components' names, got #{Error.got(other)}"
          )
  end

  # The first that is no string, or what ends the list in place of [].
  defp no_name([name | names]) when is_binary(name), do: no_name(names)
  defp no_name([name | _]), do: {:got, name}
  defp no_name([]), do: nil
  defp no_name(tail), do: {:got, tail}

  @doc """
  All entities with all their components.

  ## Options

    * `:by` - `:entity` (default): id → components; `:component`: component → id → value; `:kind`: kind <> "s" → a list of
      components with `"id"`, those without a kind under `"others"`

  ## Examples

      iex> world = Roomfold.World.fold!(Roomfold.World.new!(), [
      ...>   {"create", %{"entity_id" => "a", "components" => %{"health" => 3, "kind" => "bat"}}}
      ...> ])
      iex> Roomfold.World.snapshot(world)
      %{"a" => %{"health" => 3, "kind" => "bat"}}
      iex> Roomfold.World.snapshot(world, by: :component)
      %{"health" => %{"a" => 3}, "kind" => %{"a" => "bat"}}
      iex> Roomfold.World.snapshot(world, by: :kind)
      %{"bats" => [%{"id" => "a", "health" => 3, "kind" => "bat"}]}
  """
  @spec snapshot(t, keyword) :: map
  def snapshot(%__MODULE__{} = world, opts \\ []) do
    by = OptionList.validate!(opts, [by: :entity], "a snapshot")[:by]
    check_by!(by)
    value(world.impl.snapshot(world.state, by))
  end

  @doc """
  What changed after a seq. The error is `:history_gone` if that is too long ago, `:seq_ahead` if the world has not reached the seq.

  ## Examples

      iex> world = Roomfold.World.fold!(Roomfold.World.new!(), [
      ...>   {"create", %{"entity_id" => "a", "components" => %{"health" => 3, "kind" => "bat"}}},
      ...>   {"update", %{"entity_id" => "a", "components" => %{"health" => 2, "kind" => nil}}}
      ...> ])
      iex> Roomfold.World.diff(world, 1)
      {:ok, %{"from" => 1, "seq" => 2, "creates" => %{}, "updates" => %{"a" => %{"health" => 2, "kind" => nil}}, "deletes" => []}}
  """
  @spec diff(t, non_neg_integer) :: {:ok, Projection.diff()} | {:error, Error.t()}
  def diff(%__MODULE__{} = world, from) when is_integer(from) and from >= 0,
    do: world.impl.diff(world.state, min(from, @beyond))

  def diff(%__MODULE__{}, from) do
    {:error,
     Error.new(:invalid_argument,
       detail: "a diff goes from a seq, an integer from 0, got #{Error.got(from)}"
     )}
  end

  @doc """
  Like `diff/2`, but raises the error.

      iex> Roomfold.World.diff!(Roomfold.World.new!(), 0)["deletes"]
      []
  """
  @spec diff!(t, non_neg_integer) :: Projection.diff()
  def diff!(world, from), do: value(diff(world, from))

  @doc """
  A snapshot, or what changed after a seq, as bytes.

  `:json` is text that includes the seq, so that `load/2` and `apply_diff/2` can read it
  (`docs/event-model.md`, "Snapshots and diffs as JSON"). Numbers have as many digits as it takes to read them back exactly, or the
  schema's `:decimals`.

  `:packed` is a frame of bytes (`docs/wire-format.md`), lossless except for components that the schema quantises. Its diffs refer to
  entities by handle: they apply only to a packed snapshot of the same world and all diffs since. It has no options.

  ## Options of JSON

    * `:by` - `:entity` (default), `:component` or `:kind`
    * `:frame` - `{join_ref, ref, topic, event}`: wraps the text as a message of the channel protocol, version 2:
      `[join_ref, ref, topic, event, payload]`

  ## Examples

      iex> world = Roomfold.World.fold!(Roomfold.World.new!(), [
      ...>   {"create", %{"entity_id" => "a", "components" => %{"position" => [0.1, 2, -3.5], "kind" => "bat"}}},
      ...>   {"update", %{"entity_id" => "a", "components" => %{"kind" => nil}}}
      ...> ])
      iex> Roomfold.World.encode(world, :snapshot, :json)
      {:ok, ~s({"seq":2,"entities":{"a":{"position":[0.1,2,-3.5]}}})}
      iex> Roomfold.World.encode(world, {:diff, 1}, :json, frame: {nil, nil, "room:1", "diff"})
      {:ok, ~s([null,null,"room:1","diff",{"from":1,"seq":2,"creates":{},"updates":{"a":{"kind":null}},"deletes":[]}])}
  """
  @spec encode(t, :snapshot | {:diff, non_neg_integer}, :json | :packed, keyword) ::
          {:ok, binary} | {:error, Error.t()}
  def encode(%__MODULE__{} = world, what, format, opts \\ []) do
    unless what == :snapshot or match?({:diff, from} when is_integer(from) and from >= 0, what) do
      raise ArgumentError, "what to encode must be :snapshot or {:diff, from}, got: #{inspect(what)}"
    end

    unless format in [:json, :packed],
      do: raise(ArgumentError, "the format must be :json or :packed, got: #{inspect(format)}")

    encode_as(world, reachable(what), format, opts)
  end

  defp reachable({:diff, from}) when from > @beyond, do: {:diff, @beyond}
  defp reachable(what), do: what

  # The usual call makes no garbage: some applications call it for each client and tick.
  defp encode_as(world, what, :json, []),
    do: world.impl.encode(world.state, what, :json, %{by: :entity, frame: nil})

  defp encode_as(_, _, _, opts) when not is_list(opts), do: OptionList.once!(opts, "an encoding")

  defp encode_as(world, what, :json, opts) do
    opts = Keyword.validate!(opts, by: :entity, frame: nil)
    check_by!(opts[:by])
    world.impl.encode(world.state, what, :json, %{by: opts[:by], frame: check_frame!(opts[:frame])})
  end

  defp encode_as(world, what, :packed, opts) do
    if opts != [], do: Keyword.validate!(opts, [])
    world.impl.encode(world.state, what, :packed, %{})
  end

  defp check_by!(by) do
    unless by in [:entity, :component, :kind] do
      raise ArgumentError, ":by must be :entity, :component or :kind, got: #{inspect(by)}"
    end
  end

  defp check_frame!(nil), do: nil

  defp check_frame!({join_ref, ref, topic, event} = frame)
       when (join_ref == nil or is_binary(join_ref)) and (ref == nil or is_binary(ref)) and
              is_binary(topic) and is_binary(event),
       do: frame

  defp check_frame!(frame) do
    raise ArgumentError,
          ":frame must be {join_ref, ref, topic, event}, strings or (the first two) nil, got: #{inspect(frame)}"
  end

  @doc """
  Like `encode/4`, but raises the error.

      iex> Roomfold.World.encode!(Roomfold.World.new!(), :snapshot, :json, by: :kind)
      ~s({"seq":0,"kinds":{}})
  """
  @spec encode!(t, :snapshot | {:diff, non_neg_integer}, :json | :packed, keyword) :: binary
  def encode!(world, what, format, opts \\ []), do: value(encode(world, what, format, opts))

  @doc """
  Applies a diff of another world. It must start at the world's seq (`:seq_mismatch`). It is a result of `diff/2`, or
  `{:json, text}` written by `encode/4`, in any shape.

  Or it is `{:packed, frame}`, for a world that was loaded from a packed snapshot of the same world and got every diff since (or
  is a copy of it). A frame is applied as a whole or, if it is invalid, not at all, so the report is empty.

  ## Examples

      iex> world = Roomfold.World.fold!(Roomfold.World.new!(), [{"user_joined", %{"user_id" => "tom", "pose" => "sits"}}])
      iex> {:ok, other, _report} = Roomfold.World.apply_diff(Roomfold.World.new!(), Roomfold.World.diff!(world, 0))
      iex> Roomfold.World.snapshot(other)
      %{"tom" => %{"pose" => "sits"}}
  """
  @spec apply_diff(t, Projection.diff() | {:json, binary} | {:packed, binary}) ::
          {:ok, t, Report.t()} | {:error, Error.t()}
  def apply_diff(%__MODULE__{read_only?: true}, _), do: read_only()

  def apply_diff(%__MODULE__{} = world, {:json, text}) when is_binary(text) do
    with {:ok, form} <- decode(world.impl, text), {:ok, diff} <- Shape.diff(form), do: apply_diff(world, diff)
  end

  def apply_diff(%__MODULE__{} = world, {:packed, frame}) when is_binary(frame),
    do: changed(world, world.impl.apply_diff(world.state, {:packed, frame}))

  def apply_diff(%__MODULE__{} = world, diff) when is_map(diff) and not is_struct(diff) do
    with {:error, %{reason: :invalid_diff} = error} <-
           changed(world, world.impl.apply_diff(world.state, diff)),
         do: {:error, Error.put(error, detail: Shape.wrong_diff(diff))}
  end

  def apply_diff(%__MODULE__{}, other) do
    {:error,
     Error.new(:invalid_diff,
       detail: "it is a map, {:json, text} or {:packed, frame}, got #{Error.got(other)}"
     )}
  end

  defp decode(impl, text), do: JSON.decode(text, impl: Projection.json(impl))

  @doc """
  A new world from a snapshot by entity, or from `{:json, text}` written by `encode/4`, in any shape.

  Or from `{:packed, frame}`: its entities keep their handles, so that packed diffs apply; later entities get the lowest free handle.

  ## Options

  Those of `new/1`. `:seq` is the seq of the snapshot; a text or a frame contains it, and a frame also contains the schema.

  ## Examples

      iex> {:ok, world} = Roomfold.World.load(%{"a" => %{"health" => 3}}, seq: 12)
      iex> {Roomfold.World.seq(world), Roomfold.World.get(world, "a")}
      {12, %{"health" => 3}}

      iex> {:ok, world} = Roomfold.World.load({:json, ~s({"seq":12,"kinds":{"bats":[{"id":"a","kind":"bat"}]}})})
      iex> Roomfold.World.snapshot(world)
      %{"a" => %{"kind" => "bat"}}

      iex> {:error, error} = Roomfold.World.load(%{"a" => %{"health" => "much"}})
      iex> error.message
      "component \\"health\\": the snapshot is not valid: the value does not fit the component's type: it takes an integer"
  """
  @spec load(Projection.entities() | {:json, binary} | {:packed, binary}, keyword) ::
          {:ok, t} | {:error, Error.t()}
  def load(snapshot, opts \\ [])

  def load(%__MODULE__{}, _) do
    {:error,
     Error.new(:invalid_snapshot,
       detail: "a snapshot is loaded as a new world, load(snapshot, options), got a world"
     )}
  end

  def load(snapshot, opts) do
    check_opts!(opts)
    load_as(snapshot, opts)
  end

  defp load_as({:json, text}, opts) when is_binary(text) do
    with {:ok, form} <- decode(Projection.module(Keyword.get(opts, :impl, :native)), text),
         {:ok, seq, entities} <- Shape.snapshot(form),
         do: load_as(entities, Keyword.put(opts, :seq, seq))
  end

  defp load_as({:packed, frame}, opts) when is_binary(frame) do
    with {:ok, seq, schema} <- Wire.start(frame),
         {:ok, world} <- new(Keyword.merge(opts, seq: seq, schema: schema)),
         {:ok, world, _} <- changed(world, world.impl.load(world.state, {:packed, frame})),
         do: {:ok, world}
  end

  defp load_as(entities, opts) when is_map(entities) and not is_struct(entities) do
    with {:ok, world} <- new(opts),
         {:ok, world, report} <- changed(world, world.impl.load(world.state, entities)) do
      case report.rejected do
        [] -> {:ok, world}
        [{_, first} | _] -> {:error, invalid_snapshot(first)}
      end
    else
      {:error, %{reason: :invalid_snapshot} = error} ->
        {:error, Error.put(error, detail: Shape.wrong_entities(entities))}

      error ->
        error
    end
  end

  defp load_as(other, _) do
    {:error,
     Error.new(:invalid_snapshot,
       detail: "it is a map of entities, {:json, text} or {:packed, frame}, got #{Error.got(other)}"
     )}
  end

  defp invalid_snapshot(error) do
    Error.new(:invalid_snapshot,
      component: error.component,
      field: error.field,
      detail: Error.new(error.reason, detail: error.detail).message
    )
  end

  @doc """
  An independent copy, which can be folded separately. The past positions of `Roomfold.Hits.mark/2` are not copied.

  ## Examples

      iex> world = Roomfold.World.new!()
      iex> {:ok, other} = Roomfold.World.copy(world)
      iex> _ = Roomfold.World.fold!(world, [{"user_joined", %{"user_id" => "tom"}}])
      iex> Roomfold.World.count(other)
      0
  """
  @spec copy(t) :: {:ok, t} | {:error, Error.t()}
  def copy(%__MODULE__{} = world) do
    with {:ok, state} <- world.impl.copy(world.state),
         {:ok, state} <- open_hits(world.impl, state, world.level, world.hits),
         do: {:ok, %{world | state: state, read_only?: false}}
  end

  @doc false
  # For who may look at a world that somebody else folds: fold/2, apply_diff/2 and Roomfold.Hits.mark/2 answer an error, and copy/1 one of its own.
  def read_only(%__MODULE__{} = world), do: %{world | read_only?: true}

  @doc false
  def read_only do
    {:error,
     Error.new(:not_supported,
       detail:
         "this world is the room's, and only the room folds it; Roomfold.World.copy/1 makes one of your own"
     )}
  end

  defp changed(world, {:ok, state, report}),
    do: {:ok, %{world | state: state}, Explain.explain(report, nil, world)}

  defp changed(_, error), do: error

  defp value({:ok, value}), do: value
  defp value({:error, error}), do: raise(error)

  defp struct_option(opts, name, module, default) do
    case Keyword.get(opts, name) do
      nil -> default.()
      %{__struct__: ^module} = value -> value
      other -> raise ArgumentError, "#{inspect(name)} must be a #{inspect(module)}, got: #{inspect(other)}"
    end
  end

  defp limit(opts, name, default, range) do
    value = Keyword.get(opts, name, default)

    unless is_integer(value) and value in range do
      raise ArgumentError, "#{inspect(name)} must be an integer in #{inspect(range)}, got: #{inspect(value)}"
    end

    value
  end
end
