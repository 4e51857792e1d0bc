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

    * `:decimals` (0 to 8, of `:f32` and `:f64`) - JSON shows at most that many decimals, rounded; without it the shortest text
      that reads back as the same number
  """

  alias Roomfold.{Error, JSON}

  @max 64
  @max_numbers 16
  @max_name 255
  @max_term_depth 62

  @type type ::
          :f32 | :f64 | {:f32, 1..16} | {:f64, 1..16} | :i64 | :bool | :string | :term
  @type options :: %{optional(:decimals) => 0..8}
  @type t :: %__MODULE__{components: [{String.t(), type}], options: %{String.t() => options}}

  defstruct components: [], options: %{}

  @doc """
  A schema from a list of components, at most #{@max}.

  ## Examples

      iex> {:ok, schema} = Roomfold.Schema.new([{"position", {:f32, 3}}, {"armor", :i64}])
      iex> schema.components
      [{"position", {:f32, 3}}, {"armor", :i64}]

      iex> {:ok, schema} = Roomfold.Schema.new([{"position", {:f32, 3}, decimals: 4}])
      iex> schema.options
      %{"position" => %{decimals: 4}}

      iex> {:error, error} = Roomfold.Schema.new([{"position", :f16}])
      iex> error.message
      "the schema is not valid: component \\"position\\" has the type :f16"
  """
  @spec new([{String.t() | atom, type} | {String.t() | atom, type, keyword}]) ::
          {:ok, t} | {:error, Error.t()}
  def new(components) when is_list(components) do
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

      true ->
        {:ok, %__MODULE__{components: components, options: options}}
    end
  end

  defp with_options({name, type}), do: {to_string(name), normal(type), %{}}
  defp with_options({name, type, options}), do: {to_string(name), normal(type), Map.new(options)}

  @doc """
  Like `new/1`, but raises the error.

      iex> Roomfold.Schema.new!(health: :i64).components
      [{"health", :i64}]
  """
  @spec new!([{String.t() | atom, type} | {String.t() | atom, type, keyword}]) :: t
  def new!(components) do
    case new(components) do
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

  @max_exact 9_007_199_254_740_992
  @max_i64 9_223_372_036_854_775_807
  @min_i64 -9_223_372_036_854_775_808

  @doc """
  A value as it will be in the world, or why it can't be. Nothing is said of limits on size.

      iex> Roomfold.Schema.cast(Roomfold.Schema.default(), "position", [1, 2, 0.1])
      {:ok, [1.0, 2.0, 0.10000000149011612]}

      iex> {:error, error} = Roomfold.Schema.cast(Roomfold.Schema.default(), "health", "full")
      iex> error.reason
      :wrong_type
  """
  @spec cast(t, String.t(), term) :: {:ok, term} | {:error, Error.t()}
  def cast(%__MODULE__{} = schema, name, value) do
    case schema |> type(name) |> cast_as(value) do
      {:error, reason} -> {:error, Error.new(reason, component: name)}
      ok -> ok
    end
  end

  @doc false
  # The same for a type, with the bare reason.
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

  # Levels of lists and maps that are left.
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
  The schema as JSON, as logs and C programs keep it.

      iex> {:ok, schema} = Roomfold.Schema.new(alive: :bool)
      iex> Roomfold.Schema.to_json(schema)
      ~s({"components":[{"count":1,"name":"alive","type":"bool"}],"format":"roomfold-schema","version":1})
  """
  @spec to_json(t) :: String.t()
  def to_json(%__MODULE__{components: components} = schema) do
    components =
      for {name, type} <- components do
        {type, count} = with type when is_atom(type) <- type, do: {type, 1}

        options =
          for {key, value} <- Map.get(schema.options, name, %{}), into: %{}, do: {to_string(key), value}

        Map.merge(options, %{"name" => name, "type" => Atom.to_string(type), "count" => count})
      end

    JSON.encode!(%{"format" => "roomfold-schema", "version" => 1, "components" => components}, impl: :elixir)
  end

  @doc """
  A schema from its JSON form.

      iex> schema = Roomfold.Schema.default()
      iex> Roomfold.Schema.from_json(Roomfold.Schema.to_json(schema))
      {:ok, schema}
  """
  @spec from_json(String.t()) :: {:ok, t} | {:error, Error.t()}
  def from_json(text) do
    with {:ok, form} <- JSON.decode(text, impl: :elixir),
         {:ok, components} <- components(form) do
      new(components)
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
         [] <- Map.keys(component) -- ["name", "type", "count", "decimals"] do
      {name, {type, count}, for({"decimals", decimals} <- component, do: {:decimals, decimals})}
    else
      _ -> nil
    end
  end

  defp component(_), do: nil

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
      _ -> false
    end)
  end

  defp invalid(detail), do: {:error, Error.new(:invalid_schema, detail: detail)}
end
