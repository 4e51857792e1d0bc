defmodule Roomfold.Port.Program do
  @moduledoc false
  # The path of the port program.

  import Bitwise

  @doc "Its path; raises with instructions if it does not exist."
  def path!(path \\ nil) do
    path = path || Path.join(to_string(:code.priv_dir(:roomfold)), "roomfold_port")

    case File.stat(path) do
      {:ok, %{type: :regular, mode: mode}} when (mode &&& 0o111) != 0 ->
        path

      {:ok, %{type: :regular}} ->
        raise(ArgumentError, "#{path} can't be the port's program: it is not executable")

      _ ->
        raise(missing(path))
    end
  end

  defp missing(path) do
    """
    Roomfold's port program was not found: #{path}

    Build it with `mix compile` (or `make build` in the package); that needs make, a C compiler and Erlang's library ei
    (Debian: apt install make gcc erlang-dev). Without it, use impl: :elixir.
    """
  end
end
