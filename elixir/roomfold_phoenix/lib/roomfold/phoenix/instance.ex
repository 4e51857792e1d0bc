defmodule Roomfold.Phoenix.Instance do
  @moduledoc false
  # Identifies the history of a room for clients that come back. A log in memory is lost with its VM, and seqs start over: a client that
  # was in another history starts over, too.

  alias Roomfold.{EventLog, Rooms}

  @doc "The id that clients get when they join."
  def of({rooms, id}) when is_atom(rooms) and is_binary(id) do
    case Rooms.log(rooms) do
      {log, _} when log != EventLog.Memory -> "log"
      _ -> of_this_vm()
    end
  end

  # Of a room on another node; its term is enough.
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
