defmodule Roomfold.Rules do
  @moduledoc """
  What domain events do to a world, as data: a table from event names to operations, written in Elixir or JSON, and compiled once for the
  fold in C.

      Roomfold.Rules.new(%{
        "player_healed" =>
          {:system, [{:add, "user_id", "health", {:field, "amount"}, {0, 100}}]},
        "torch_lit" =>
          {:user, [{:update, "torch_id", %{"lit" => {:value, true}, "color" => {:field, "color"}}}]}
      })

  An event's rule is `{from, operations}` or only the operations. `from` says who may send the event to a room: `:system` keeps users
  from it; `:user` and `:any` (the default) let everybody. The room itself (`by: :system`, `by: :server`, its systems) may send
  everything, so `:user` only tells readers from whom the event is to be expected.

  | operation | what it does |
  |---|---|
  | `{:create, field, set}` | creates or replaces the entity whose id is in the payload's field |
  | `{:update, field, set}` | merges components |
  | `{:add, field, component, operand}`, `{…, {min, max}}` | adds a number, then clamps; `nil` means no bound |
  | `{:put, field, component, operand}` | puts a string into a set |
  | `{:take, field, component, operand}` | takes a string out of a set |
  | `{:delete, field}` | removes the entity |

  A set is a map from components to operands; an operand is `{:field, name}` or `{:value, constant}`.
  A constant is what a component can be, nested at most 55 deep.
  What happens when fields are missing or don't fit: `docs/event-model.md`. The JSON form: `docs/rules.md`.
  """

  alias Roomfold.{Error, JSON, Schema}

  @max_events 4_096
  @max_operations 16
  @max_fields 64
  @max_set 64
  @max_name 255
  # A constant in the JSON form: the form, events, event, do, operation, set, operand.
  @form_levels 7

  @type operand :: {:field, String.t()} | {:value, term}
  @type set :: %{String.t() => operand}
  @type bounds :: {number | nil, number | nil}
  @type operation ::
          {:create | :update, String.t(), set}
          | {:add, String.t(), String.t(), operand}
          | {:add, String.t(), String.t(), operand, bounds}
          | {:put | :take, String.t(), String.t(), operand}
          | {:delete, String.t()}
  @type sender :: :user | :system | :any
  @type t :: %__MODULE__{
          name: String.t(),
          events: %{String.t() => {sender, [operation]}}
        }

  defstruct name: "", events: %{}

  @doc """
  Rules from a table of events.

  ## Options

    * `:name` - a name for them (`""`)

  ## Examples

      iex> {:ok, rules} = Roomfold.Rules.new(%{"lit" => [{:update, "id", %{"lit" => {:value, true}}}]})
      iex> rules.events["lit"]
      {:any, [{:update, "id", %{"lit" => {:value, true}}}]}

      iex> {:error, error} = Roomfold.Rules.new(%{"lit" => [{:delete, :id}]})
      iex> error.message
      "the rules are not valid: event \\"lit\\": :id can't be a field, which must be a string"
  """
  @spec new(%{String.t() => {sender, [operation]} | [operation]}, keyword) :: {:ok, t} | {:error, Error.t()}
  def new(events, opts \\ [])

  def new(events, opts) when is_map(events) and not is_struct(events) do
    rules = %__MODULE__{name: Keyword.get(opts, :name, ""), events: Map.new(events, &normal/1)}

    with :ok <- check(is_binary(rules.name) and String.valid?(rules.name), "the name must be a string"),
         :ok <- check(map_size(events) <= @max_events, "more than #{@max_events} events"),
         :ok <- check_events(rules.events) do
      {:ok, rules}
    else
      {:invalid, detail} -> {:error, Error.new(:invalid_rules, detail: detail)}
    end
  end

  def new(other, _) do
    detail = ~s(they are a map, as %{"user_left" => [{:delete, "user_id"}]}, got #{Error.got(other)})
    {:error, Error.new(:invalid_rules, detail: detail)}
  end

  @doc """
  Like `new/2`, but raises the error.

      iex> Roomfold.Rules.new!(%{"noted" => []}).events
      %{"noted" => {:any, []}}
  """
  @spec new!(map, keyword) :: t
  def new!(events, opts \\ []), do: bang(new(events, opts))

  @doc """
  The rules of both; where both have an event, the second's.

      iex> rules = Roomfold.Rules.merge(Roomfold.Rules.xr(), Roomfold.Rules.new!(%{"waved" => []}))
      iex> Map.keys(rules.events)
      ["user_joined", "user_left", "user_moved", "waved"]
  """
  @spec merge(t, t) :: t
  def merge(%__MODULE__{} = a, %__MODULE__{} = b) do
    %__MODULE__{name: b.name, events: Map.merge(a.events, b.events)}
  end

  @doc """
  Who may send an event; `nil` if there is no rule for it.

      iex> Roomfold.Rules.sender(Roomfold.Rules.xr(), "user_moved")
      :user

      iex> Roomfold.Rules.sender(Roomfold.Rules.xr(), "moon_landed")
      nil
  """
  @spec sender(t, String.t()) :: sender | nil
  def sender(%__MODULE__{events: events}, name) do
    case events do
      %{^name => {sender, _}} -> sender
      _ -> nil
    end
  end

  # ---- the JSON form ----

  @doc """
  The JSON form, as logs and C programs keep it.

  ## Options

    * `:impl` - who writes it, the same bytes: `:elixir` (default) or `:native`, which is faster (`Roomfold.JSON`)

  ## Examples

      iex> rules = Roomfold.Rules.new!(%{"left" => [{:delete, "id"}]})
      iex> Roomfold.Rules.to_json(rules)
      ~s({"events":{"left":{"do":[{"entity":"id","op":"delete"}],"from":"any"}},"format":"roomfold-rules","name":"","version":1})
  """
  @spec to_json(t, impl: :elixir | :native) :: String.t()
  def to_json(%__MODULE__{name: name, events: events}, opts \\ []) do
    events =
      Map.new(events, fn {event, {sender, operations}} ->
        {event, %{"from" => Atom.to_string(sender), "do" => Enum.map(operations, &operation_to_json/1)}}
      end)

    JSON.encode!(
      %{"format" => "roomfold-rules", "version" => 1, "name" => name, "events" => events},
      Keyword.put_new(opts, :impl, :elixir)
    )
  end

  defp operation_to_json({op, entity, set}) when op in [:create, :update] do
    %{
      "op" => Atom.to_string(op),
      "entity" => entity,
      "set" => Map.new(set, fn {name, value} -> {name, operand_to_json(value)} end)
    }
  end

  defp operation_to_json({:add, entity, component, operand, {min, max}}) do
    bounds = for {key, bound} <- [{"min", min}, {"max", max}], bound != nil, into: %{}, do: {key, bound}
    Map.merge(operation_to_json({:add, entity, component, operand}), bounds)
  end

  defp operation_to_json({op, entity, component, operand}) do
    %{
      "op" => Atom.to_string(op),
      "entity" => entity,
      "component" => component,
      "value" => operand_to_json(operand)
    }
  end

  defp operation_to_json({:delete, entity}), do: %{"op" => "delete", "entity" => entity}

  defp operand_to_json({kind, what}), do: %{Atom.to_string(kind) => what}

  @doc """
  Rules from their JSON form.

      iex> {:ok, rules} = Roomfold.Rules.from_json(Roomfold.Rules.to_json(Roomfold.Rules.xr()))
      iex> rules == Roomfold.Rules.xr()
      true

      iex> {:error, error} = Roomfold.Rules.from_json("{}")
      iex> error.reason
      :invalid_rules
  """
  @spec from_json(String.t()) :: {:ok, t} | {:error, Error.t()}
  def from_json(text) do
    with {:ok, form} <- JSON.decode(text, impl: :elixir),
         {:ok, name, events} <- read_form(form) do
      new(events, name: name)
    else
      {:invalid, detail} -> {:error, Error.new(:invalid_rules, detail: detail)}
      {:error, _} = error -> error
    end
  end

  @doc """
  Like `from_json/1`, but raises the error.

      iex> Roomfold.Rules.from_json!(~s({"format": "roomfold-rules", "version": 1, "events": {}})).events
      %{}
  """
  @spec from_json!(String.t()) :: t
  def from_json!(text), do: bang(from_json(text))

  defp read_form(%{"format" => "roomfold-rules", "version" => 1, "events" => events} = form)
       when is_map(events) do
    name = Map.get(form, "name", "")

    with :ok <- only_keys(form, ~w(format version name events)),
         :ok <- check(is_binary(name), "the name must be a string") do
      {:ok, name, Map.new(events, fn {event, rule} -> {event, read_rule(rule)} end)}
    end
  end

  defp read_form(_), do: {:invalid, ~s(they need "format": "roomfold-rules", "version": 1 and "events")}

  @senders %{"any" => :any, "user" => :user, "system" => :system}
  @operations %{
    "create" => :create,
    "update" => :update,
    "add" => :add,
    "put" => :put,
    "take" => :take,
    "delete" => :delete
  }

  # What can't be read stays as it is, and new/2 returns the error.
  defp read_rule(%{"do" => operations} = rule) when is_list(operations) do
    from = Map.get(rule, "from", "any")
    known = map_size(Map.drop(rule, ["do", "from"])) == 0
    if known, do: {Map.get(@senders, from, from), Enum.map(operations, &read_operation/1)}, else: rule
  end

  defp read_rule(rule), do: rule

  defp read_operation(%{"op" => op, "entity" => entity} = operation) do
    case {Map.get(@operations, op), Map.drop(operation, ["op", "entity"])} do
      {kind, %{"set" => set} = rest}
      when kind in [:create, :update] and is_map(set) and map_size(rest) == 1 ->
        {kind, entity, Map.new(set, fn {name, value} -> {name, read_operand(value)} end)}

      {:add, %{"component" => component, "value" => value} = rest} ->
        bounds = {rest["min"], rest["max"]}
        known = Map.drop(rest, ["component", "value", "min", "max"]) == %{}
        if known, do: read_add(entity, component, read_operand(value), bounds), else: operation

      {kind, %{"component" => component, "value" => value} = rest}
      when kind in [:put, :take] and map_size(rest) == 2 ->
        {kind, entity, component, read_operand(value)}

      {:delete, rest} when rest == %{} ->
        {:delete, entity}

      _ ->
        operation
    end
  end

  defp read_operation(operation), do: operation

  defp read_add(entity, component, operand, {nil, nil}), do: {:add, entity, component, operand}
  defp read_add(entity, component, operand, bounds), do: {:add, entity, component, operand, bounds}

  defp read_operand(%{"field" => name} = operand) when map_size(operand) == 1, do: {:field, name}
  defp read_operand(%{"value" => value} = operand) when map_size(operand) == 1, do: {:value, value}
  defp read_operand(operand), do: operand

  # ---- the tables that come with Roomfold ----

  @folder Path.expand("../../../../priv/rules", __DIR__)

  for name <- [:xr, :doom] do
    file = Path.join(@folder, "#{name}.json")
    @external_resource file
    Module.put_attribute(__MODULE__, name, File.read!(file))
  end

  @doc """
  The vocabulary of shared spaces: `user_joined`, `user_moved` and `user_left`, with pose, position, rotation, head, left and right.

      iex> Map.keys(Roomfold.Rules.xr().events)
      ["user_joined", "user_left", "user_moved"]
  """
  @spec xr() :: t
  def xr, do: shipped(:xr, @xr)

  @doc """
  `xr/0` and the vocabulary of a first-person shooter: spawns, shots, hits, kills, pick-ups, doors, monsters and projectiles.

      iex> Roomfold.Rules.doom().events["weapon_switched"]
      {:user, [{:update, "user_id", %{"weapon" => {:field, "weapon"}}}]}
  """
  @spec doom() :: t
  def doom, do: shipped(:doom, @doom)

  # Parsed once.
  defp shipped(name, text) do
    key = {__MODULE__, name}

    with nil <- :persistent_term.get(key, nil) do
      rules = from_json!(text)
      :persistent_term.put(key, rules)
      rules
    end
  end

  # ---- checks ----

  defp normal({name, {from, operations}}) when is_list(operations), do: {name, {from, operations}}
  defp normal({name, operations}) when is_list(operations), do: {name, {:any, operations}}
  defp normal(other), do: other

  defp check_events(events) do
    Enum.reduce_while(events, :ok, fn {name, rule}, :ok ->
      case check_rule(name, rule) do
        :ok -> {:cont, :ok}
        {:invalid, detail} -> {:halt, {:invalid, "event #{inspect(name)}: #{detail}"}}
      end
    end)
  end

  defp check_rule(name, _) when name in ["create", "update", "delete"],
    do: {:invalid, "entity events can't be redefined"}

  defp check_rule(name, {from, operations}) when is_list(operations) do
    with :ok <- check(name?(name), "not a name of 1 to #{@max_name} bytes"),
         :ok <- check(proper?(operations), "its operations are no proper list"),
         :ok <- check(from in [:user, :system, :any], "#{inspect(from)} can't send events"),
         :ok <- check(length(operations) <= @max_operations, "more than #{@max_operations} operations"),
         :ok <- each(operations, &check_operation/1) do
      fields = operations |> Enum.flat_map(&fields/1) |> Enum.uniq()

      with :ok <- check(length(fields) <= @max_fields, "more than #{@max_fields} fields") do
        each(fields, &check(name?(&1) and &1 != "seq", "#{inspect(&1)} can't be a field#{no_name(&1)}"))
      end
    end
  end

  # The JSON form, which could not be read.
  defp check_rule(_, %{"do" => operations} = rule) when is_list(operations) do
    {:invalid,
     ~s(unknown keys #{inspect(Map.keys(Map.drop(rule, ["from", "do"])))}; a rule has "from" and "do")}
  end

  defp check_rule(_, rule),
    do: {:invalid, "not a rule, which is a list of operations or {from, operations}: #{inspect(rule)}"}

  defp check_operation({op, _, set})
       when op in [:create, :update] and is_map(set) and not is_struct(set) do
    with :ok <- check(map_size(set) <= @max_set, "more than #{@max_set} components") do
      each(set, fn {component, operand} -> check_operand(component, operand) end)
    end
  end

  defp check_operation({:add, _, component, operand}), do: check_operand(component, operand, &is_number/1)

  defp check_operation({:add, _, component, operand, {min, max}}) do
    with :ok <- check(bound?(min) and bound?(max), "bounds must be numbers, floats or integers of 64 bits"),
         :ok <-
           check(
             min == nil or max == nil or min <= max,
             "the bounds #{inspect({min, max})} are the wrong way round"
           ) do
      check_operand(component, operand, &is_number/1)
    end
  end

  defp check_operation({op, _, component, operand}) when op in [:put, :take] do
    check_operand(component, operand, &is_binary/1)
  end

  defp check_operation({:delete, _}), do: :ok

  defp check_operation(%{} = other) do
    {:invalid,
     "not an operation: #{inspect(other)}; there are create and update (entity, set), " <>
       "add (entity, component, value, min, max), put and take (entity, component, value) and delete (entity)"}
  end

  defp check_operation(other) do
    {:invalid,
     "not an operation: #{inspect(other)}; there are {:create, field, set}, {:update, field, set}, " <>
       "{:add, field, component, operand}, {:add, field, component, operand, {min, max}}, " <>
       "{:put, field, component, operand}, {:take, field, component, operand} and {:delete, field}"}
  end

  defp check_operand(component, operand, constant? \\ fn _ -> true end) do
    with :ok <-
           check(
             name?(component) and component != "id",
             "#{inspect(component)} can't be a component#{no_name(component)}"
           ) do
      case operand do
        {:field, _} ->
          :ok

        {:value, value} ->
          check(
            constant?.(value) and term?(value),
            "#{inspect(value)} can't be given to #{inspect(component)}"
          )

        other ->
          {:invalid, "not {:field, name} or {:value, constant}: #{inspect(other)}"}
      end
    end
  end

  defp fields(operation) do
    [elem(operation, 1) | operation |> operands() |> Enum.flat_map(&operand_field/1)]
  end

  defp operands({op, _, set}) when op in [:create, :update], do: Map.values(set)
  defp operands({:delete, _}), do: []
  defp operands(operation), do: [elem(operation, 3)]

  defp operand_field({:field, name}), do: [name]
  defp operand_field(_), do: []

  defp name?(name), do: is_binary(name) and byte_size(name) in 1..@max_name and String.valid?(name)
  defp no_name(name), do: if(is_binary(name), do: "", else: ", which must be a string")
  defp bound?(bound), do: bound == nil or (is_number(bound) and term?(bound))

  # What a component can be that is not declared; of its levels, the JSON form around it takes some.
  defp term?(value) do
    form = Enum.reduce(1..@form_levels, value, fn _, inner -> [inner] end)
    match?({:ok, _}, Schema.cast_as(:term, form))
  end

  defp proper?([_ | tail]), do: proper?(tail)
  defp proper?(tail), do: tail == []

  defp each(things, check) do
    Enum.reduce_while(things, :ok, fn thing, :ok ->
      case check.(thing) do
        :ok -> {:cont, :ok}
        invalid -> {:halt, invalid}
      end
    end)
  end

  defp only_keys(map, keys),
    do: check(Map.drop(map, keys) == %{}, "unknown keys #{inspect(Map.keys(Map.drop(map, keys)))}")

  defp check(true, _), do: :ok
  defp check(false, detail), do: {:invalid, detail}

  @doc false
  # Constants must fit the components they are given to: asked for each world, whatever its implementation.
  def fit?(%__MODULE__{events: events}, %Schema{} = schema) do
    constants =
      for {event, {_, operations}} <- events,
          {op, _, set} when op in [:create, :update] <- operations,
          {component, {:value, value}} when value != nil <- set,
          do: {event, component, value}

    Enum.find_value(constants, :ok, fn {event, component, value} ->
      case Schema.cast(schema, component, value) do
        {:ok, _} ->
          nil

        {:error, _} ->
          {:error,
           Error.new(:invalid_rules,
             detail: "event #{inspect(event)}: #{inspect(value)} does not fit #{inspect(component)}"
           )}
      end
    end)
  end

  defp bang({:ok, value}), do: value
  defp bang({:error, error}), do: raise(error)
end
