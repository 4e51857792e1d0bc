defmodule Roomfold.Schema do
  @moduledoc """
  Which components have a type of their own. All others are terms: any JSON value.

  | type | values |
  |---|---|
  | `:f32`, `:f64` | a number |
  | `{:f32, n}`, `{:f64, n}` | a list of n numbers, 2 to 16 |
  | `:i64` | an integer of 64 bits |
  | `:bool` | `true`, `false` |
  | `:string` | UTF-8 |
  | `:term` | any JSON value |

  The order of the components is their order in every encoding. A component may have options after its type:

    * `:decimals` (0 to 8, for `:f32` and `:f64`) - JSON shows at most this many decimals, rounded; without it the shortest text
      that reads back as the same number
    * `:quantise` - how the packed format encodes the numbers (`docs/wire-format.md`); without it they are sent exactly.
      `[step: 0.001]` or `[step: 0.001, bounds: {-100, 100}]`, for `:f32` and `:f64`: in steps; the error is at most half a step and a rounding
      to binary32; a value out of bounds is sent exactly. `:smallest_three`, for a rotation `{:f32, 4}`, with `:bits` (4 to 16; 10) for each of
      three numbers

  A schema may also have words: texts and other values that the packed format encodes as a number, such as kinds, names of undeclared
  components, or the part before the number of an id (`"imp-"` for `"imp-17"`). They are sent once, in the snapshot.
  """

  alias Roomfold.{Error, JSON}
  alias Roomfold.Projection.Elixir.Term

  @max 64
  @max_numbers 16
  @max_name 255
  @max_term_depth 62

  @type type ::
          :f32 | :f64 | {:f32, 1..16} | {:f64, 1..16} | :i64 | :bool | :string | :term
  @type quantise :: {:step, step :: float, min :: float, max :: float} | {:smallest_three, bits :: 4..16}
  @type options :: %{optional(:decimals) => 0..8, optional(:quantise) => quantise}
  @type t :: %__MODULE__{components: [{String.t(), type}], options: %{String.t() => options}, words: [term]}

  defstruct components: [], options: %{}, words: []

  @doc """
  A schema from a list of components, at most #{@max}.

  ## Examples

      iex> {:ok, schema} = Roomfold.Schema.new([{"position", {:f32, 3}}, {"armor", :i64}])
      iex> schema.components
      [{"position", {:f32, 3}}, {"armor", :i64}]

      iex> {:ok, schema} = Roomfold.Schema.new([{"position", {:f32, 3}, decimals: 4}])
      iex> schema.options
      %{"position" => %{decimals: 4}}

      iex> {:ok, schema} = Roomfold.Schema.new([{"position", {:f32, 3}, quantise: [step: 0.01, bounds: {-50, 50}]}], words: ["imp-"])
      iex> {schema.options, schema.words}
      {%{"position" => %{quantise: {:step, 0.01, -50.0, 50.0}}}, ["imp-"]}

      iex> {:error, error} = Roomfold.Schema.new([{"position", :f16}])
      iex> error.message
      "the schema is not valid: component \\"position\\" has the type :f16"
  """
  @spec new([{String.t() | atom, type} | {String.t() | atom, type, keyword}], words: [term]) ::
          {:ok, t} | {:error, Error.t()}
  def new(components, opts \\ []) do
    [words: words] = Keyword.validate!(opts, words: [])

    case not_components(components) do
      nil -> checked(components, words)
      detail -> invalid(detail)
    end
  end

  defp not_components(components) do
    cond do
      not (is_list(components) and proper?(components)) ->
        ~s(it is a list, as [{"position", {:f32, 3}}], got #{Error.got(components)})

      bad = Enum.find(components, &(not component?(&1))) ->
        "a component is {name, type} or {name, type, options}, got #{Error.got(bad)}"

      true ->
        nil
    end
  end

  defp component?({name, _}), do: is_binary(name) or is_atom(name)
  defp component?({name, _, options}), do: component?({name, nil}) and Keyword.keyword?(options)
  defp component?(_), do: false

  defp checked(components, words) do
    all = Enum.map(components, &with_options/1)
    components = for {name, type, _} <- all, do: {name, type}
    options = for {name, _, options} <- all, options != %{}, into: %{}, do: {name, options}
    names = Enum.map(components, &elem(&1, 0))

    cond do
      length(components) > @max ->
        invalid("it has #{length(components)} components, #{@max} is the most")

      double = List.first(names -- Enum.uniq(names)) ->
        invalid("component #{inspect(double)} is there twice")

      bad = Enum.find(names, &(not valid_name?(&1))) ->
        invalid("a component can't be called #{inspect(bad)}")

      bad = Enum.find(components, fn {_, type} -> not valid_type?(type) end) ->
        {name, type} = bad
        invalid("component #{inspect(name)} has the type #{inspect(type)}")

      bad = Enum.find(all, fn {_, type, options} -> not valid_options?(type, options) end) ->
        {name, _, options} = bad
        invalid("component #{inspect(name)} has the options #{inspect(Keyword.new(options))}")

      not valid_words?(words) ->
        invalid("words are at most 1,024 different values, each of at most 1,024 bytes")

      true ->
        {:ok, %__MODULE__{components: components, options: options, words: words}}
    end
  end

  defp with_options({name, type}), do: {to_string(name), normal(type), %{}}

  defp with_options({name, type, options}),
    do: {to_string(name), normal(type), quantise(Map.new(options))}

  # Without bounds: as far as the steps reach.
  defp quantise(%{quantise: :smallest_three} = options) do
    {bits, options} = Map.pop(options, :bits, 10)
    %{options | quantise: {:smallest_three, bits}}
  end

  defp quantise(%{quantise: [_ | _] = quantise} = options) do
    case Map.new(quantise) do
      %{step: step, bounds: {min, max}} = all
      when map_size(all) == 2 and is_number(step) and is_number(min) and is_number(max) ->
        %{options | quantise: {:step, step * 1.0, min * 1.0, max * 1.0}}

      %{step: step} = all when map_size(all) == 1 and is_number(step) ->
        %{options | quantise: {:step, step * 1.0, -step * 4_194_304.0, step * 4_194_304.0}}

      _ ->
        options
    end
  end

  defp quantise(options), do: options

  @doc """
  Like `new/1`, but raises the error.

      iex> Roomfold.Schema.new!(health: :i64).components
      [{"health", :i64}]
  """
  @spec new!([{String.t() | atom, type} | {String.t() | atom, type, keyword}], words: [term]) :: t
  def new!(components, opts \\ []) do
    case new(components, opts) do
      {:ok, schema} -> schema
      {:error, error} -> raise error
    end
  end

  @doc """
  The default: position, velocity, scale, direction `{:f32, 3}`, rotation `{:f32, 4}` (a quaternion x y z w), health `:i64`.

      iex> Roomfold.Schema.default().components |> Enum.map(&elem(&1, 0))
      ["position", "velocity", "scale", "direction", "rotation", "health"]
  """
  @spec default() :: t
  def default do
    vectors = for name <- ~w(position velocity scale direction), do: {name, {:f32, 3}}
    %__MODULE__{components: vectors ++ [{"rotation", {:f32, 4}}, {"health", :i64}]}
  end

  @doc """
  A component's type; `:term` if it isn't declared.

      iex> Roomfold.Schema.type(Roomfold.Schema.default(), "health")
      :i64

      iex> Roomfold.Schema.type(Roomfold.Schema.default(), "weapon")
      :term
  """
  @spec type(t, String.t()) :: type
  def type(%__MODULE__{components: components}, name) do
    case List.keyfind(components, name, 0) do
      {_, type} -> type
      nil -> :term
    end
  end

  @doc false
  # What values of a type are, for messages; nil: any.
  def takes({_, count}), do: "it takes a list of #{count} numbers"
  def takes(type) when type in [:f32, :f64], do: "it takes a number"
  def takes(:i64), do: "it takes an integer"
  def takes(:bool), do: "it takes true or false"
  def takes(:string), do: "it takes a string"
  def takes(:term), do: nil

  @max_exact 9_007_199_254_740_992
  @max_i64 9_223_372_036_854_775_807
  @min_i64 -9_223_372_036_854_775_808

  @doc """
  A value as the world will keep it, or the error. Limits on size are not checked here.

      iex> Roomfold.Schema.cast(Roomfold.Schema.default(), "position", [1, 2, 0.1])
      {:ok, [1.0, 2.0, 0.10000000149011612]}

      iex> {:error, error} = Roomfold.Schema.cast(Roomfold.Schema.default(), "health", "full")
      iex> error.message
      "component \\"health\\": the value does not fit the component's type: it takes an integer"
  """
  @spec cast(t, String.t(), term) :: {:ok, term} | {:error, Error.t()}
  def cast(%__MODULE__{} = schema, name, value) do
    type = type(schema, name)

    case cast_as(type, value) do
      {:error, :wrong_type} -> {:error, Error.new(:wrong_type, component: name, detail: takes(type))}
      {:error, reason} -> {:error, Error.new(reason, component: name)}
      ok -> ok
    end
  end

  @doc false
  # The same for a type; the error is only the reason.
  def cast_as({kind, count}, value) do
    with true <- proper?(value) and length(value) == count and Enum.all?(value, &is_number/1) do
      value
      |> Enum.reduce_while([], fn number, known ->
        case cast_number(kind, number) do
          {:ok, number} -> {:cont, [number | known]}
          error -> {:halt, error}
        end
      end)
      |> case do
        {:error, _} = error -> error
        known -> {:ok, Enum.reverse(known)}
      end
    else
      false -> {:error, :wrong_type}
    end
  end

  def cast_as(kind, value) when kind in [:f32, :f64] do
    if is_number(value), do: cast_number(kind, value), else: {:error, :wrong_type}
  end

  def cast_as(:i64, value) when is_integer(value) do
    if value in @min_i64..@max_i64, do: {:ok, value}, else: {:error, :number_out_of_range}
  end

  def cast_as(:i64, value) when is_float(value) do
    if value == Float.floor(value), do: cast_as(:i64, trunc(value)), else: {:error, :wrong_type}
  end

  def cast_as(:bool, value) when is_boolean(value), do: {:ok, value}

  def cast_as(:string, value) when is_binary(value) do
    if String.valid?(value), do: {:ok, value}, else: {:error, :invalid_utf8}
  end

  def cast_as(:term, value) do
    case cast_term(value, @max_term_depth) do
      :ok -> {:ok, value}
      {:error, _} = error -> error
    end
  end

  def cast_as(_, _), do: {:error, :wrong_type}

  defp cast_number(_, number) when is_integer(number) and abs(number) > @max_exact,
    do: {:error, :number_out_of_range}

  defp cast_number(kind, number) when is_integer(number), do: cast_number(kind, number * 1.0)
  defp cast_number(:f64, number), do: {:ok, number}

  defp cast_number(:f32, number) do
    <<narrow::float-32>> = <<number::float-32>>
    {:ok, narrow}
  rescue
    _ -> {:error, :number_out_of_range}
  end

  # The second argument: how many more levels of lists and maps are allowed.
  defp cast_term(value, _) when value in [nil, true, false] or is_float(value), do: :ok
  defp cast_term(value, _) when is_integer(value) and value in @min_i64..@max_i64, do: :ok
  defp cast_term(value, _) when is_integer(value), do: {:error, :number_out_of_range}

  defp cast_term(value, _) when is_binary(value),
    do: if(String.valid?(value), do: :ok, else: {:error, :invalid_utf8})

  defp cast_term(value, 0) when is_list(value) or is_map(value), do: {:error, :too_deep}

  defp cast_term(value, left) when is_list(value) do
    if proper?(value), do: cast_all(value, left - 1), else: {:error, :unsupported_value}
  end

  defp cast_term(value, left) when is_map(value) do
    cond do
      not Enum.all?(:maps.keys(value), &is_binary/1) -> {:error, :unsupported_value}
      not Enum.all?(:maps.keys(value), &String.valid?/1) -> {:error, :invalid_utf8}
      true -> cast_all(:maps.values(value), left - 1)
    end
  end

  defp cast_term(_, _), do: {:error, :unsupported_value}

  defp cast_all(values, left) do
    Enum.find_value(values, :ok, fn value ->
      with :ok <- cast_term(value, left), do: nil
    end)
  end

  defp proper?([_ | tail]), do: proper?(tail)
  defp proper?(tail), do: tail == []

  @doc """
  The schema as JSON, as logs and C programs keep it. The option is that of `Roomfold.Rules.to_json/2`.

      iex> {:ok, schema} = Roomfold.Schema.new(alive: :bool)
      iex> Roomfold.Schema.to_json(schema)
      ~s({"components":[{"count":1,"name":"alive","type":"bool"}],"format":"roomfold-schema","version":1})
  """
  @spec to_json(t, impl: :elixir | :native) :: String.t()
  def to_json(%__MODULE__{components: components} = schema, opts \\ []) do
    components =
      for {name, type} <- components do
        {type, count} = with type when is_atom(type) <- type, do: {type, 1}

        options =
          for {key, value} <- Map.get(schema.options, name, %{}),
              into: %{},
              do: {to_string(key), json_option(value)}

        Map.merge(options, %{"name" => name, "type" => Atom.to_string(type), "count" => count})
      end

    form = %{"format" => "roomfold-schema", "version" => 1, "components" => components}
    form = if schema.words == [], do: form, else: Map.put(form, "words", schema.words)
    JSON.encode!(form, Keyword.put_new(opts, :impl, :elixir))
  end

  defp json_option({:step, step, min, max}), do: %{"step" => step, "min" => min, "max" => max}
  defp json_option({:smallest_three, bits}), do: %{"bits" => bits}
  defp json_option(value), do: value

  @doc """
  A schema from its JSON form.

      iex> schema = Roomfold.Schema.default()
      iex> Roomfold.Schema.from_json(Roomfold.Schema.to_json(schema))
      {:ok, schema}
  """
  @spec from_json(String.t()) :: {:ok, t} | {:error, Error.t()}
  def from_json(text) do
    with {:ok, form} <- JSON.decode(text, impl: :elixir),
         {:ok, components} <- components(form),
         words when is_list(words) <- Map.get(form, "words", []) do
      new(components, words: words)
    else
      {:error, _} = error -> error
      _ -> invalid("words must be a list")
    end
  end

  @types %{"f32" => :f32, "f64" => :f64, "i64" => :i64, "bool" => :bool, "string" => :string, "term" => :term}

  defp components(%{"format" => "roomfold-schema", "version" => 1, "components" => list})
       when is_list(list) do
    list
    |> Enum.reduce_while([], fn component, known ->
      case component(component) do
        nil -> {:halt, invalid("not a component: #{inspect(component)}")}
        component -> {:cont, [component | known]}
      end
    end)
    |> case do
      {:error, _} = error -> error
      known -> {:ok, Enum.reverse(known)}
    end
  end

  defp components(_), do: invalid("it needs format \"roomfold-schema\", version 1 and a list of components")

  defp component(%{"name" => name, "type" => type} = component) when is_binary(name) do
    with %{^type => type} <- @types,
         count when is_integer(count) <- Map.get(component, "count", 1),
         [] <- Map.keys(component) -- ["name", "type", "count", "decimals", "quantise"] do
      {name, {type, count}, Enum.flat_map(component, &component_option/1)}
    else
      _ -> nil
    end
  end

  defp component(_), do: nil

  defp component_option({"decimals", decimals}), do: [decimals: decimals]

  defp component_option({"quantise", %{"bits" => bits} = form}) when map_size(form) == 1,
    do: [quantise: :smallest_three, bits: bits]

  defp component_option({"quantise", %{"step" => step, "min" => min, "max" => max} = form})
       when map_size(form) == 3,
       do: [quantise: [step: step, bounds: {min, max}]]

  defp component_option({"quantise", other}), do: [quantise: other]
  defp component_option(_), do: []

  defp normal({type, 1}), do: type
  defp normal(type), do: type

  defp valid_name?(name) do
    byte_size(name) in 1..@max_name and String.valid?(name) and name != "id"
  end

  defp valid_type?({type, count}), do: type in [:f32, :f64] and count in 2..@max_numbers
  defp valid_type?(type), do: type in [:f32, :f64, :i64, :bool, :string, :term]

  defp valid_options?(type, options) do
    kind = with {kind, _} <- type, do: kind

    Enum.all?(options, fn
      {:decimals, decimals} -> decimals in 0..8 and kind in [:f32, :f64]
      {:quantise, {:smallest_three, bits}} -> type == {:f32, 4} and bits in 4..16
      {:quantise, {:step, step, min, max}} -> kind in [:f32, :f64] and valid_steps?(step, min, max)
      _ -> false
    end)
  end

  @max_steps 8_388_608
  @max_reach 4_194_304

  defp valid_steps?(step, min, max) do
    reach = step * @max_reach

    step > 0 and 1 / step > 0 and min < max and min >= -reach and max <= reach and
      Float.ceil((max - min) / step) <= @max_steps
  rescue
    ArithmeticError -> false
  end

  defp valid_words?(words) do
    is_list(words) and proper?(words) and length(words) <= 1024 and Enum.all?(words, &valid_word?/1) and
      length(Enum.uniq_by(words, &Term.encode/1)) == length(words)
  end

  defp valid_word?(word), do: match?({:ok, _}, cast_as(:term, word)) and Term.size(:term, word) <= 1024

  defp invalid(detail), do: {:error, Error.new(:invalid_schema, detail: detail)}
end
