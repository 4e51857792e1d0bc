defmodule Roomfold.Room.Options do
  @moduledoc false
  # What a room is started with, checked once. Roomfold.Room says what each means.

  alias Roomfold.{Level, Rules, Schema}
  alias Roomfold.Room.{Limit, System}

  @defaults [
    impl: :native,
    schema: nil,
    rules: nil,
    level: nil,
    systems: [],
    authority: :room,
    tick_ms: 50,
    idle_ms: 60_000,
    grace_ms: 5_000,
    history: 8_192,
    snapshot_every: 10_000,
    max_entities: 1_048_576,
    max_event_bytes: 16_384,
    max_queue: 20_000,
    user_events_per_s: 120,
    user_bytes_per_s: 131_072,
    user_burst_s: 2,
    rewind: nil,
    diff_tells:
      ~w(create update delete user_moved player_moved monster_moved projectile_moved thing_moved door_moved),
    move: "user_moved",
    upcasters: [],
    rules_version: 1,
    schema_version: 1,
    args: []
  ]

  defstruct [:id, :module, :rooms, :log, :stream | Keyword.keys(@defaults)]

  @type t :: %__MODULE__{}

  @own [:id, :module, :rooms, :log, :stream]

  @doc """
  The options, those given later before those given earlier; ArgumentError names one that is wrong. `of` and `besides`: what it is of, and which options that has besides,
  to be named when one is unknown.
  """
  @spec new([keyword], String.t(), [atom]) :: t
  def new(levels, of \\ "a room", besides \\ []) do
    opts = levels |> Enum.reduce([], &Keyword.merge(&2, &1)) |> Keyword.drop([:name])
    known = @own ++ Keyword.keys(@defaults)

    case Enum.uniq(Keyword.keys(opts) -- known) do
      [] -> :ok
      unknown -> raise ArgumentError, unknown(unknown, of, Enum.uniq(besides ++ known))
    end

    options = struct!(__MODULE__, Keyword.merge(@defaults, opts))

    options = %{
      options
      | schema: options.schema || Schema.default(),
        rules: options.rules || Rules.xr(),
        rewind: if(options.rewind == nil, do: options.level != nil, else: options.rewind)
    }

    check(options)
  end

  defp unknown(options, of, known),
    do: "unknown options of #{of}: #{inspect(options)}; there are #{Enum.map_join(known, ", ", &inspect/1)}"

  defp check(options) do
    must(options, :id, &(is_binary(&1) and byte_size(&1) in 1..255), "a string of 1 to 255 bytes")
    must(options, :schema, &is_struct(&1, Schema), "a Roomfold.Schema")
    must(options, :rules, &is_struct(&1, Rules), "a Roomfold.Rules")
    must(options, :level, &(&1 == nil or is_struct(&1, Level)), "a Roomfold.Level or nil")
    must(options, :systems, &is_list/1, "a list of systems")
    Enum.each(options.systems, &System.check/1)
    must(options, :authority, &(&1 in [:room, :client]), ":room or :client")
    must(options, :tick_ms, &(is_number(&1) and &1 >= 1), "a number of milliseconds, 1 or more")
    must(options, :idle_ms, &(&1 == :infinity or (is_integer(&1) and &1 >= 0)), "milliseconds or :infinity")
    must(options, :rewind, &is_boolean/1, "true or false")
    must(options, :diff_tells, &is_list/1, "a list of event names")

    must(
      options,
      :upcasters,
      &(is_list(&1) and Enum.all?(&1, fn it -> is_function(it, 1) or is_function(it, 2) end)),
      "a list of functions of an event, or of an event and its versions"
    )

    must(options, :move, &is_binary/1, "the name of an event")

    for name <- [
          :grace_ms,
          :snapshot_every,
          :max_entities,
          :max_event_bytes,
          :max_queue,
          :rules_version,
          :schema_version
        ],
        do: must(options, name, &(is_integer(&1) and &1 >= 0), "a whole number, 0 or more")

    for name <- [:user_events_per_s, :user_bytes_per_s, :user_burst_s],
        do: must(options, name, &(is_integer(&1) and &1 > 0), "a whole number above 0")

    options
  end

  defp must(options, name, check, what), do: must!(name, Map.fetch!(options, name), check, what)

  @doc "ArgumentError says what an option must be, if it is not."
  def must!(name, value, check, what) do
    unless check.(value), do: raise(ArgumentError, "#{inspect(name)} must be #{what}, got: #{inspect(value)}")
  end

  @doc "The options that a room's module brings."
  def of_module(nil), do: []

  def of_module(module) do
    unless is_atom(module) and Code.ensure_loaded?(module) and function_exported?(module, :__room__, 0) do
      raise ArgumentError, ":module must be a module with `use Roomfold.Room`, got: #{inspect(module)}"
    end

    module.__room__()
  end

  @doc "Options that make these."
  def to_list(%__MODULE__{} = options),
    do: options |> Map.from_struct() |> Map.drop([:id, :rooms]) |> Enum.reject(&(&1 == {:module, nil}))

  @doc "What `Roomfold.World.new/1` takes of them."
  def world(options) do
    [
      impl: options.impl,
      schema: options.schema,
      rules: options.rules,
      level: options.level,
      history: max(options.history, 1),
      max_entities: options.max_entities
    ]
  end

  def rates(options),
    do: Limit.rates(options.user_events_per_s, options.user_bytes_per_s, options.user_burst_s)

  @doc "What the log is told about the records to come, and a snapshot says about itself."
  def versions(options),
    do: %{
      "format" => 1,
      "rules" => options.rules_version,
      "rules_name" => options.rules.name,
      "schema" => options.schema_version
    }

  @doc "Which JSON goes with the implementation."
  def json(%{impl: impl}), do: Roomfold.Projection.json(impl)
end
