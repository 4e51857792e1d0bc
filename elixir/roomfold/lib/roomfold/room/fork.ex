defmodule Roomfold.Room.Fork do
  @moduledoc false
  # A room's log up to a seq, copied to another room's: wholly or not at all, also if the VM dies meanwhile.
  #
  # While it is made, the newest version of the copy's log says that its records are copied (`@mark`). Its last change is a claim that leaves
  # this out. Before, nobody opens or reads it, and the next fork to its id deletes it.

  alias Roomfold.{Error, EventLog}
  alias Roomfold.Room.{History, Recovery, Text}

  @mark "copied"

  @doc "Refuses the head of a log that is a fork not made to its end."
  @spec check(EventLog.head() | nil) :: :ok | {:error, Error.t()}
  def check(%{meta: %{@mark => true}}), do: {:error, Error.new(:fork_unfinished)}
  def check(_), do: :ok

  @doc "What a record's room said of it, without what the fork said."
  @spec original(map) :: map
  def original(meta), do: Map.delete(meta, @mark)

  @doc "Copies a room's log up to a seq to another room, given by its options, which must not have a log."
  def make(options, seq, copy) do
    with {:ok, head} <- History.head(options),
         :ok <- History.reaches(head, seq),
         :ok <- if(seq == 0, do: :ok, else: whole(head)),
         spans = spans(head.versions, head.meta, seq),
         {:ok, term} <- claim_new(copy, meta(spans, seq)) do
      spans
      |> copy_spans(options, copy, term)
      |> without_users(copy, seq)
      |> finish(spans, copy, seq)
      |> or_undo(copy)
    end
  end

  # A log begins with its first event: what a trimmed one has left can't be another room's.
  defp whole(%{first: 1}), do: :ok
  defp whole(%{first: first}), do: {:error, Error.new(:log_trimmed, detail: "the first is #{first}")}

  # What its records were written in holds for their copies: {meta, from, to}. The first is there for an empty log, too.
  defp spans(versions, meta, seq) do
    starts = Enum.filter(versions, fn {first, _} -> first <= max(seq, 1) end)
    starts = if starts == [], do: [{1, meta}], else: starts
    ends = Enum.map(tl(starts), fn {first, _} -> first - 1 end) ++ [seq]
    for {{first, meta}, last} <- Enum.zip(starts, ends), do: {original(meta), first, last}
  end

  # An empty one is made by its claim.
  defp meta([{meta, _, _} | _], 0), do: meta
  defp meta([{meta, _, _} | _], _), do: Map.put(meta, @mark, true)

  # Over no room; what is left of an earlier fork is none. Who still makes that one is refused from then on.
  defp claim_new(copy, meta) do
    case EventLog.claim(copy.log, copy.id, meta, over: 0) do
      {:ok, %{term: term}} ->
        {:ok, term}

      {:error, %{reason: :old_term}} ->
        with :ok <- delete_unfinished(copy), do: claim_new(copy, meta)

      error ->
        error
    end
  end

  defp delete_unfinished(%{log: log, id: id}) do
    with {:ok, %{meta: %{@mark => true}, term: term}} <- EventLog.head(log, id),
         :ok <- EventLog.delete(log, id, over: term) do
      :ok
    else
      {:ok, nil} -> :ok
      {:ok, _} -> {:error, taken("this room exists already")}
      # It was claimed or deleted meanwhile.
      {:error, %{reason: reason}} when reason in [:old_term, :no_room] -> :ok
      error -> error
    end
  end

  defp taken(detail), do: Error.new(:invalid_argument, field: "id", detail: detail)

  # Answers {:ok, term}, or {:error, error, term}: the term is that of our last claim.
  defp copy_spans([], _, _, term), do: {:ok, term}

  defp copy_spans([{_, first, last} = span | spans], options, copy, term) do
    with {:ok, term} <- if(first == 1, do: {:ok, term}, else: claim(copy, meta([span], last), term)),
         :ok <- copy(options, copy, term, first - 1, last),
         do: copy_spans(spans, options, copy, term)
  end

  defp claim(copy, meta, ours) do
    case EventLog.claim(copy.log, copy.id, meta, over: ours) do
      {:ok, %{term: term}} -> {:ok, term}
      {:error, error} -> {:error, error, ours}
    end
  end

  defp copy(_, _, _, seq, seq), do: :ok

  defp copy(options, copy, term, done, seq) do
    with {:ok, %{text: text, first: first, seq: last}} when first == done + 1 <-
           EventLog.read(options.log, options.id, done + 1, seq, []),
         :ok <- EventLog.append(copy.log, copy.id, term, done, Text.lines(text)) do
      copy(options, copy, term, last, seq)
    else
      {:error, error} -> {:error, error, term}
      # It was trimmed to its end meanwhile.
      {:ok, _} -> {:error, Error.new(:log_trimmed), term}
    end
  end

  # Users who were connected to the original are not connected to the fork, and must not leave it either: without this snapshot they would.
  defp without_users({:ok, term}, _, 0), do: {:ok, term}

  defp without_users({:ok, term}, copy, seq) do
    with {:ok, %{} = head} <- EventLog.head(copy.log, copy.id),
         {:ok, world, %{last_at: last_at}} <- Recovery.world(copy, head, seq),
         {:ok, snapshot} <- Recovery.snapshot(copy, world, [], last_at),
         :ok <- EventLog.put_snapshot(copy.log, copy.id, term, seq, IO.iodata_to_binary(snapshot)) do
      {:ok, term}
    else
      {:ok, nil} -> {:error, Error.new(:no_room), term}
      {:error, error} -> {:error, error, term}
    end
  end

  defp without_users(error, _, _), do: error

  defp finish({:ok, _}, _, _, 0), do: :ok

  defp finish({:ok, term}, spans, copy, _) do
    {meta, _, _} = List.last(spans)
    with {:ok, _} <- claim(copy, meta, term), do: :ok
  end

  defp finish(error, _, _, _), do: error

  # Half a fork is none; but what somebody else has claimed since is not ours.
  defp or_undo(:ok, _), do: :ok

  defp or_undo({:error, error, term}, %{log: log, id: id}) do
    case EventLog.delete(log, id, over: term) do
      :ok ->
        {:error, error}

      {:error, %{reason: reason}} when reason in [:old_term, :no_room] ->
        {:error, lost(error)}

      {:error, _} ->
        {:error,
         said(error, "a part of the fork is left in the log as #{inspect(id)}, for the next fork to it")}
    end
  end

  # Where its own log answered that, the last claim may have been ours.
  defp lost(%{reason: :log_failed} = error), do: error
  defp lost(_), do: taken("somebody else has claimed or deleted it meanwhile, or begun a fork to it")

  defp said(%{detail: nil} = error, more), do: Error.put(error, detail: more)
  defp said(%{detail: detail} = error, more), do: Error.put(error, detail: detail <> "; " <> more)
end
