defmodule Roomfold.Room.Snapshots do
  @moduledoc false
  # The snapshots that a running room keeps in its log, so that its next start has little to fold. Its process calls this with its own state
  # (Roomfold.Room.Server): `keeping`, the snapshot that is on its way into the log, and `kept`, the newest one that is there.
  #
  # A snapshot may fail: then only the next start takes longer.

  require Logger
  alias Roomfold.EventLog
  alias Roomfold.Room.{Recovery, Residents}

  @doc """
  Keeps one without the room's waiting for the disk, only for the encoding. If one is on its way already, nothing happens: if the log is slow,
  another one is due soon anyway.
  """
  def keep(%{keeping: {_, _}} = server, _, _), do: server
  def keep(%{options: %{log: nil}} = server, _, _), do: server

  def keep(server, seq, users) do
    put = put(server, seq, users)
    {_, ref} = spawn_monitor(fn -> exit(put.()) end)
    %{server | keeping: {ref, {seq, users}}}
  end

  @doc "The process that has kept one has ended, and said this."
  def kept(%{keeping: {_, what}} = server, :kept), do: %{server | keeping: nil, kept: what}
  def kept(server, _), do: %{server | keeping: nil}

  @doc "The last one, before the room stops, if there is anything new in it: its next start has nothing to fold then, and knows who is there."
  def keep_last(%{options: %{log: nil}} = server, _), do: server

  def keep_last(server, wait_ms) do
    server = finish(server, wait_ms)
    seq = server.state.seq
    users = Residents.to_keep(server.state)
    if seq > 0 and {seq, users} != server.kept, do: put(server, seq, users).()
    server
  end

  # The one on its way would replace a newer one of its seq.
  defp finish(%{keeping: nil} = server, _), do: server

  defp finish(%{keeping: {ref, _}} = server, wait_ms) do
    receive do
      {:DOWN, ^ref, _, _, outcome} -> kept(server, outcome)
    after
      wait_ms -> server
    end
  end

  defp put(%{options: %{log: log, id: id} = options, state: %{term: term} = state}, seq, users) do
    snapshot = Recovery.snapshot(options, state.world, users, state.last_at)

    fn ->
      with {:ok, snapshot} <- snapshot,
           :ok <- EventLog.put_snapshot(log, id, term, seq, IO.iodata_to_binary(snapshot)) do
        :kept
      else
        {:error, error} -> Logger.warning("no snapshot of the room #{id} was kept: #{error.message}")
      end
    end
  end
end
