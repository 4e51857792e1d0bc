defmodule Roomfold.Room.Read do
  @moduledoc false
  # A function of somebody else's on a world, in the process that has the world: where it fails, that is the caller's, not the room's.

  alias Roomfold.World

  @type answer :: {:ok, term} | {:failed, :error | :exit | :throw, term, Exception.stacktrace()}

  @doc "In the world's process: the answer for the caller."
  @spec run((World.t() -> term), World.t()) :: answer
  def run(function, world) do
    {:ok, function.(World.read_only(world))}
  catch
    kind, reason -> {:failed, kind, reason, __STACKTRACE__}
  end

  @doc "In the world's process: what somebody asks for and can't have is an error for whoever asks."
  @spec or_error((() -> value)) :: {:ok, value} | {:error, Roomfold.Error.t()} when value: term
  def or_error(function) do
    {:ok, function.()}
  rescue
    error in Roomfold.Error -> {:error, error}
  end

  @doc "In the caller: what failed fails there. Errors of the call itself pass."
  @spec answered(answer | {:error, Roomfold.Error.t()}) :: {:ok, term} | {:error, Roomfold.Error.t()}
  def answered({:failed, kind, reason, stacktrace}), do: :erlang.raise(kind, reason, stacktrace)
  def answered(answer), do: answer
end
