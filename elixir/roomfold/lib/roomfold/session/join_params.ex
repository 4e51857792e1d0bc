defmodule Roomfold.Session.JoinParams do
  @moduledoc false
  # What a client asks for when it joins.

  alias Roomfold.Error

  @type t :: %{
          format: :json | :packed,
          version: pos_integer,
          last_seq: non_neg_integer | nil,
          last_term: non_neg_integer | nil,
          events?: boolean,
          presence?: boolean,
          params: map
        }

  @keys [:format, :versions, :last_seq, :last_term, :events, :presence, :params]
  # Of the packed format.
  @versions [1]

  @spec read(map) :: {:ok, t} | {:error, Error.t()}
  def read(params) do
    with :ok <- from_json(params),
         {:ok, format, version} <- format(params),
         {:ok, last_seq} <- optional_seq(params, "last_seq"),
         {:ok, last_term} <- optional_seq(params, "last_term") do
      {:ok,
       %{
         format: format,
         version: version,
         last_seq: last_seq,
         last_term: last_term,
         events?: params["events"] == true,
         presence?: params["presence"] == true,
         params: if(is_map(params["params"]), do: params["params"], else: %{})
       }}
    end
  end

  # A client has sent JSON. What an application wrote itself, with atoms, would be taken for what is not there. Its other keys are its own.
  defp from_json(params) do
    case Enum.find(@keys, &is_map_key(params, &1)) do
      nil ->
        :ok

      key ->
        {:error,
         Error.new(:invalid_argument, detail: "the keys of a join are strings, got #{Error.got(key)}")}
    end
  end

  # The newest version of the packed format that both know; JSON is the fall-back.
  defp format(%{"format" => "packed"} = params) do
    versions = Map.get(params, "versions", [1])
    common = if is_list(versions), do: Enum.filter(@versions, &(&1 in versions)), else: []
    if common == [], do: {:ok, :json, 1}, else: {:ok, :packed, Enum.max(common)}
  end

  defp format(%{"format" => "json"}), do: {:ok, :json, 1}
  defp format(%{"format" => other}), do: refused("format", ~s("json" or "packed"), other)
  defp format(_), do: {:ok, :json, 1}

  defp optional_seq(params, key) do
    case params[key] do
      nil -> {:ok, nil}
      seq when is_integer(seq) and seq >= 0 -> {:ok, seq}
      other -> refused(key, "an integer from 0", other)
    end
  end

  defp refused(field, what, other),
    do: {:error, Error.new(:invalid_argument, field: field, detail: "it is #{what}, got #{Error.got(other)}")}
end
