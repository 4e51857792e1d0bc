defmodule Roomfold.Called do
  @moduledoc false
  # What a process is called by, as a caller wrote it.

  alias Roomfold.Error

  @doc """
  The process; raises ArgumentError if nothing is called so, which `GenServer.call/3` says nothing of: what it is (`what`), and what was given.
  """
  @spec process!(term, what :: String.t()) :: GenServer.server()
  def process!(pid, _) when is_pid(pid), do: pid
  def process!(name, _) when is_atom(name) and name not in [nil, true, false], do: name
  def process!({:global, _} = name, _), do: name
  def process!({:via, module, _} = name, _) when is_atom(module), do: name
  def process!({name, node} = there, _) when is_atom(name) and is_atom(node), do: there
  def process!(other, what), do: raise(ArgumentError, "#{what}, got #{Error.got(other)}")
end
