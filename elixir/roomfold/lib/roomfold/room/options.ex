defmodule Roomfold.Room.Options do
  @moduledoc false
  # A room's options, checked once. Roomfold.Room documents them.

  alias Roomfold.{Level, OptionList, Projection, Rules, Schema}
  alias Roomfold.Room.{Limit, System}

  @limit Limit.defaults()

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
    user_events_per_s: @limit[:events_per_s],
    user_bytes_per_s: @limit[:bytes_per_s],
    user_burst_s: @limit[:burst_s],
    user_connections: 100,
    rewind: nil,
    diff_tells:
      ~w(create update delete user_moved player_moved monster_moved projectile_moved thing_moved door_moved),
    move: "user_moved",
    upcasters: [],
    rules_version: 1,
    schema_version: 1,
    args: [],
    spawn_opt: []
  ]

  defstruct [:id, :module, :rooms, :log, :stream | Keyword.keys(@defaults)]

  @type t :: %__MODULE__{}

  @own [:id, :module, :rooms, :log, :stream]
  # Of :erlang.spawn_opt/2; what concerns the link or a monitor is the room's own.
  @spawn [
    :priority,
    :fullsweep_after,
    :min_heap_size,
    :min_bin_vheap_size,
    :max_heap_size,
    :message_queue_data
  ]

  @doc """
  Merges lists of options, of which later ones win, and checks them; raises ArgumentError for a wrong one. `of` and `besides` are for
  messages: what has these options, and which others it has.
  """
  @spec new([keyword], String.t(), [atom]) :: t
  def new(levels, of \\ "a room", besides \\ []) do
    opts = Enum.reduce(levels, [], &Keyword.merge(&2, OptionList.once!(&1, of)))
    known = @own ++ Keyword.keys(@defaults)

    case Keyword.keys(opts) -- known do
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

    must(
      options,
      :impl,
      &impl?/1,
      ":native, :port, :elixir or a module with the behaviour Roomfold.Projection"
    )

    must(options, :log, &(&1 == nil or carrier?(&1)), "{module, server} of a log that runs, or nil")
    must(options, :stream, &(&1 == nil or carrier?(&1)), "{module, name} of a stream that runs, or nil")
    must(options, :schema, &is_struct(&1, Schema), "a Roomfold.Schema")
    must(options, :rules, &is_struct(&1, Rules), "a Roomfold.Rules")
    must(options, :level, &(&1 == nil or is_struct(&1, Level)), "a Roomfold.Level or nil")
    must(options, :systems, &is_list/1, "a list of systems")
    Enum.each(options.systems, &System.check/1)
    must(options, :authority, &(&1 in [:room, :client]), ":room or :client")
    must(options, :tick_ms, &(is_number(&1) and &1 >= 1), "a number of milliseconds, 1 or more")
    must(options, :idle_ms, &(&1 == :infinity or (is_integer(&1) and &1 >= 0)), "milliseconds or :infinity")
    must(options, :rewind, &is_boolean/1, "true or false")
    names? = &(is_list(&1) and Enum.all?(&1, fn name -> is_binary(name) end))
    must(options, :diff_tells, names?, "a list of event names")

    must(
      options,
      :upcasters,
      &(is_list(&1) and Enum.all?(&1, fn it -> is_function(it, 1) or is_function(it, 2) end)),
      "a list of functions of an event, or of an event and its versions"
    )

    must(options, :move, &is_binary/1, "the name of an event")

    must(options, :spawn_opt, &spawn_opt?/1, spawn_opt())

    must(options, :history, &(&1 in 0..1_048_576), "a whole number from 0 to 1,048,576")
    must(options, :max_entities, &(&1 in 0..4_294_967_200), "a whole number from 0 to 4,294,967,200")

    for name <- [
          :grace_ms,
          :snapshot_every,
          :max_event_bytes,
          :max_queue,
          :rules_version,
          :schema_version
        ],
        do: must(options, name, &(is_integer(&1) and &1 >= 0), "a whole number, 0 or more")

    for name <- [:user_events_per_s, :user_bytes_per_s, :user_burst_s, :user_connections],
        do: must(options, name, &(is_integer(&1) and &1 > 0), "a whole number above 0")

    options
  end

  @doc false
  # A log or a stream that runs: a module that there is, and what it calls it, which is no list of options to start one.
  @spec carrier?(term) :: boolean
  def carrier?({module, name}), do: is_atom(module) and not is_list(name) and Code.ensure_loaded?(module)
  def carrier?(_), do: false

  @doc false
  # One to start: a module that there is, and its options.
  @spec to_start?(term) :: boolean
  def to_start?({module, opts}),
    do: is_atom(module) and Keyword.keyword?(opts) and Code.ensure_loaded?(module)

  def to_start?(_), do: false

  defp impl?(impl) do
    is_atom(impl) and Projection.module(impl) != nil
  rescue
    ArgumentError -> false
  end

  # Values are what the VM takes, so it is asked.
  defp spawn_opt?([]), do: true

  defp spawn_opt?(opts) do
    if Keyword.keyword?(opts) and Keyword.keys(opts) -- @spawn == [] do
      _ = :erlang.spawn_opt(fn -> :ok end, opts)
      true
    end
  rescue
    ArgumentError -> false
  end

  defp spawn_opt,
    do:
      "a keyword list of #{Enum.map_join(@spawn, ", ", &inspect/1)}, with values as :erlang.spawn_opt/2 takes them"

  defp must(options, name, check, what), do: must!(name, Map.fetch!(options, name), check, what)

  @doc "Raises ArgumentError, with what the option must be, if the check fails."
  def must!(name, value, check, what) do
    unless check.(value), do: raise(ArgumentError, "#{inspect(name)} must be #{what}, got: #{inspect(value)}")
  end

  @doc "The name of a process that is to be started; raises ArgumentError if it is none."
  @spec name!(term) :: atom
  def name!(name) do
    must!(:name, name, &(is_atom(&1) and &1 not in [nil, true, false]), "an atom")
    name
  end

  @doc "The options of a room's module."
  def of_module(nil), do: []

  def of_module(module) do
    unless is_atom(module) and Code.ensure_loaded?(module) and function_exported?(module, :__room__, 0) do
      raise ArgumentError, ":module must be a module with `use Roomfold.Room`, got: #{inspect(module)}"
    end

    module.__room__()
  end

  @doc "The keyword list that makes these, whatever they are merged with."
  def to_list(%__MODULE__{} = options),
    do: options |> Map.from_struct() |> Map.drop([:id, :rooms]) |> Map.to_list()

  @doc "Those for `Roomfold.World.new/1`."
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

  @doc "The JSON implementation that goes with the world's."
  def json(%{impl: impl}), do: Roomfold.Projection.json(impl)
end
