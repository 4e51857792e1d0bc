defmodule Roomfold.JSON do
  @moduledoc """
  JSON, strictly by RFC 8259.

  Objects become maps with binary keys (the last of duplicate keys wins), `null` becomes `nil`. Integers of up to 16,384 digits and floats
  round-trip; numbers with a fraction or an exponent are floats, and an encoded float reads back as the same float. Input never creates
  atoms.

  There are two implementations with the same results, byte for byte: `impl: :native` (C, the default) and `impl: :elixir`.
  """

  alias Roomfold.Error

  @max_depth 512

  @doc """
  Decodes one JSON text.

  ## Options

    * `:impl` - `:native` (default) or `:elixir` (default with `config :roomfold, native: false`)
    * `:max_depth` - levels of lists and objects, 1 to 512 (512)
    * `:max_bytes` - of the text (no limit)

  ## Examples

      iex> Roomfold.JSON.decode(~s({"position": [1, 2.5], "kind": null}))
      {:ok, %{"position" => [1, 2.5], "kind" => nil}}

      iex> {:error, error} = Roomfold.JSON.decode("[1, 2,]")
      iex> {error.reason, error.offset}
      {:unexpected_byte, 6}
  """
  @spec decode(binary, keyword) :: {:ok, term} | {:error, Error.t()}
  def decode(text, opts \\ []) when is_binary(text) do
    max_depth = Keyword.get(opts, :max_depth, @max_depth)

    unless max_depth in 1..@max_depth do
      raise ArgumentError, "max_depth must be from 1 to #{@max_depth}, got: #{inspect(max_depth)}"
    end

    if byte_size(text) > Keyword.get(opts, :max_bytes, :infinity) do
      {:error, Error.new(:too_large)}
    else
      result(implementation(opts).json_decode(text, max_depth))
    end
  end

  @doc """
  Like `decode/2`, but raises the error.

      iex> Roomfold.JSON.decode!("[]")
      []
  """
  @spec decode!(binary, keyword) :: term
  def decode!(text, opts \\ []), do: bang(decode(text, opts))

  @doc """
  Encodes a term as JSON: `nil`, booleans, integers, floats, UTF-8 binaries, lists, and maps with binary keys, which are sorted by their
  bytes. Everything else is the error `:unsupported_value`.

  ## Options

    * `:impl` - `:native` (default) or `:elixir` (default with `config :roomfold, native: false`)

  ## Examples

      iex> Roomfold.JSON.encode(%{"b" => [1, 1.0, 0.1], "a" => "é"})
      {:ok, ~s({"a":"é","b":[1,1.0,0.1]})}

      iex> {:error, error} = Roomfold.JSON.encode(%{id: 1})
      iex> error.message
      "the value has no JSON counterpart: keys must be strings, got the atom :id"
  """
  @spec encode(term, keyword) :: {:ok, binary} | {:error, Error.t()}
  def encode(term, opts \\ []) do
    case implementation(opts).json_encode(term) do
      {:error, {:unsupported_value, _, _} = error} -> {:error, Error.from(error, detail: stranger(term, ""))}
      result -> result(result)
    end
  end

  @doc """
  Like `encode/2`, but raises the error.

      iex> Roomfold.JSON.encode!([nil, true])
      "[null,true]"
  """
  @spec encode!(term, keyword) :: binary
  def encode!(term, opts \\ []), do: bang(encode(term, opts))

  defp implementation(opts) do
    case Keyword.get_lazy(opts, :impl, &default/0) do
      :native -> Roomfold.Native
      :elixir -> Roomfold.JSON.Elixir
      other -> raise ArgumentError, "impl must be :native or :elixir, got: #{inspect(other)}"
    end
  end

  @doc false
  # Where nothing is compiled, text is read and written in Elixir.
  def compiled, do: if(Roomfold.Native.loaded?(), do: :native, else: :elixir)

  # An application that wants no C in the VM configures it once.
  defp default, do: if(Application.get_env(:roomfold, :native, true), do: :native, else: :elixir)

  # The first thing in it that JSON has not, and the key it stands under.
  defp stranger(%_{} = struct, under), do: "got #{Error.got(struct)}#{under}"

  defp stranger(%{} = map, under) do
    Enum.find_value(map, fn
      {key, value} when is_binary(key) -> stranger(value, " under #{inspect(key, printable_limit: 60)}")
      {key, _} -> "keys must be strings, got #{Error.got(key)}#{under}"
    end)
  end

  defp stranger([item | items], under) when is_list(items),
    do: stranger(item, under) || stranger(items, under)

  defp stranger(value, _) when is_binary(value) or is_number(value) or value in [[], nil, true, false],
    do: nil

  defp stranger(value, under), do: "got #{Error.got(value)}#{under}"

  defp result({:ok, value}), do: {:ok, value}
  defp result({:error, error}), do: {:error, Error.from(error)}

  defp bang({:ok, value}), do: value
  defp bang({:error, error}), do: raise(error)
end
