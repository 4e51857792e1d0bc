defmodule Roomfold.EventLog.SQLite.Writer do
  @moduledoc false
  # The process that commits. It spends its time in the library, so that the log's own process can receive more meanwhile.
  #
  # It gets {:commit, [{to, op}]} and answers all callers, then its owner: {:committed, result, pages}, where result is a list of the ops that
  # need another commit (a trim removes its rows in pieces), or {:error, error} if the disk can't be trusted any more; pages: the WAL's length.
  #
  # A second such process, with a connection of its own, checkpoints the WAL while the first one commits. Either sends how many pages are
  # left: {:checkpointed, pid, {:ok, pages} | {:error, _}}.
  #
  # An op that nobody waits for, and that the disk is to blame for, comes back to the owner after a second: {:again, op}.

  alias Roomfold.Error
  alias Roomfold.EventLog.SQLite.Library

  @again_ms 1_000

  @spec start_link(reference) :: pid
  def start_link(connection) do
    owner = self()
    :proc_lib.spawn_opt(fn -> loop(connection, owner) end, [:link, priority: :high])
  end

  defp loop(connection, owner) do
    receive do
      {:commit, batch} ->
        {what, pages} = commit(connection, batch, owner)
        send(owner, {:committed, what, pages})

      # If it fails the next one tries again; if it always fails, a commit will fail in the end, with the reason.
      :checkpoint ->
        send(owner, {:checkpointed, self(), Library.checkpoint(connection)})
    end

    loop(connection, owner)
  end

  defp commit(connection, batch, owner) do
    case Library.run(connection, Enum.map(batch, &elem(&1, 1))) do
      {pages, results} when is_list(results) ->
        {batch |> Enum.zip(results) |> Enum.reduce([], &answer(&1, &2, owner)), pages}

      {:error, _} = error ->
        {Enum.reduce(batch, [], &answer({&1, error}, &2, owner)), 0}
    end
  end

  # Nobody else tries what is left of a trim or a delete again.
  defp answer({{nil, op}, {:error, {reason, _}}}, more, owner)
       when reason in [:log_full, :log_locked, :log_readonly] do
    Process.send_after(owner, {:again, op}, @again_ms)
    more
  end

  defp answer({{to, op}, result}, more, _) do
    reply(to, result(result))

    case {result, more} do
      {_, {:error, _}} -> more
      # It is not known whether it is on the disk: the file must be read again.
      {{:error, {:log_failed, _}}, _} -> error(result)
      {{:ok, true}, more} -> [op | more]
      _ -> more
    end
  end

  defp result(:ok), do: :ok
  defp result({:ok, true}), do: :ok
  defp result({:error, _} = error), do: error(error)
  defp result(head), do: {:ok, head}

  @doc false
  def error({:error, {reason, detail}}), do: {:error, Error.new(reason, detail: detail)}

  defp reply(nil, _answer), do: :ok
  defp reply({:submit, to, reference}, answer), do: send(to, {reference, answer})
  defp reply({:call, from}, answer), do: GenServer.reply(from, answer)
end
