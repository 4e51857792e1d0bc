defmodule Roomfold.OptionList do
  @moduledoc false
  # A keyword list of options, as a caller wrote it.

  alias Roomfold.Error

  @doc "Those of `GenServer.start_link/3`."
  @spec server() :: [atom]
  def server, do: [:name, :timeout, :debug, :spawn_opt, :hibernate_after]

  @doc "The list; raises ArgumentError if it is none, or has an option twice, since nobody can say which of them is meant."
  @spec once!(keyword, of :: String.t()) :: keyword
  def once!(opts, of) do
    unless Keyword.keyword?(opts),
      do: raise(ArgumentError, "the options of #{of} are a keyword list, got #{Error.got(opts)}")

    keys = Keyword.keys(opts)

    case Enum.uniq(keys -- Enum.uniq(keys)) do
      [] -> opts
      twice -> raise ArgumentError, "options of #{of} given more than once: #{inspect(twice)}"
    end
  end

  @doc "Like `Keyword.validate!/2`, which calls an option that is there twice an unknown one."
  @spec validate!(keyword, [atom | {atom, term}], of :: String.t()) :: keyword
  def validate!(opts, known, of), do: opts |> once!(of) |> Keyword.validate!(known)
end
