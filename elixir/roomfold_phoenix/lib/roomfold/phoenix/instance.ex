defmodule Roomfold.Phoenix.Instance do
  @moduledoc false
  # Which history of a room it is that a client comes back to. A log in memory is gone with its VM, and seqs begin anew: a client
  # that says it was in another one begins anew too.

  alias Roomfold.{EventLog, Rooms}

  @doc "Said to whoever joins."
  def of({rooms, id}) when is_atom(rooms) and is_binary(id) do
    case Rooms.log(rooms) do
      {log, _} when log != EventLog.Memory -> "log"
      _ -> of_this_vm()
    end
  end

  # Another node's: its term says the rest.
  def of(_), do: "log"

  @doc "The parameters of a join, without a seq of another history."
  def resumed(%{"instance" => same} = params, same), do: params
  def resumed(%{"instance" => _} = params, _), do: Map.drop(params, ["last_seq", "last_term"])
  def resumed(params, _), do: params

  defp of_this_vm do
    with nil <- :persistent_term.get(__MODULE__, nil) do
      :persistent_term.put(__MODULE__, Base.encode16(:crypto.strong_rand_bytes(8), case: :lower))
      of_this_vm()
    end
  end
end
