defmodule Roomfold.Room.History do
  @moduledoc false
  # Time travel: everything here is computed from the log, without the room's process.

  alias Roomfold.{Error, EventLog, JSON, Rules, World}
  alias Roomfold.Room.{Options, Recovery, Text}

  @most_history 1_048_576

  @doc "The world as it was at a seq."
  def state_at(options, seq) do
    with {:ok, head} <- head(options), {:ok, world, _} <- Recovery.world(options, head, seq), do: {:ok, world}
  end

  @doc "What changed from one seq to a later one."
  def diff(options, a, b) when a <= b do
    with {:ok, head} <- head(options),
         :ok <- within(b - a),
         :ok <- reaches(head, b),
         {:ok, world, facts} <- Recovery.world(options, head, a, history: max(b - a, 1)),
         {:ok, world, _} <- Recovery.fold_to(options, head, world, facts, b) do
      World.diff(world, a)
    end
  end

  def diff(_, _, _),
    do: {:error, Error.new(:invalid_argument, detail: "a diff goes from a seq to a later one")}

  defp within(count), do: if(count <= @most_history, do: :ok, else: {:error, Error.new(:history_gone)})

  defp reaches(head, seq), do: if(seq <= head.seq, do: :ok, else: {:error, Error.new(:seq_ahead)})

  # A room that never existed has no past, not even an empty one.
  defp head(%{log: nil}), do: {:error, Error.new(:not_supported, detail: "the room has no log")}

  defp head(options) do
    with {:ok, nil} <- EventLog.head(options.log, options.id), do: {:error, Error.new(:no_room)}
  end

  @doc "Copies a room's log up to a seq to another room, given by its options, which must not have a log."
  def fork(options, seq, copy) do
    with {:ok, head} <- head(options),
         :ok <- reaches(head, seq),
         :ok <- if(seq == 0, do: :ok, else: whole(head)) do
      head.versions
      |> spans(head.meta, seq)
      |> copy_spans(options, copy, nil)
      |> without_users(copy, seq)
      |> or_undo(copy)
    end
  end

  defp taken, do: Error.new(:invalid_argument, field: "id", detail: "this room exists already")

  # Users who were connected to the original are not connected to the fork, and must not leave it either: without this snapshot they would.
  defp without_users({:ok, _}, _, 0), do: :ok

  defp without_users({:ok, term}, copy, seq) do
    with {:ok, head} <- head(copy),
         {:ok, world, %{last_at: last_at}} <- Recovery.world(copy, head, seq),
         {:ok, snapshot} <- Recovery.snapshot(copy, world, [], last_at),
         :ok <- EventLog.put_snapshot(copy.log, copy.id, term, seq, IO.iodata_to_binary(snapshot)) do
      :ok
    else
      {:error, error} -> {:error, error, term}
    end
  end

  defp without_users(error, _, _), do: error

  # A log begins with its first event: what a trimmed one has left can't be another room's.
  defp whole(%{first: 1}), do: :ok
  defp whole(%{first: first}), do: {:error, Error.new(:log_trimmed, detail: "the first is #{first}")}

  # Half a fork is none; but what somebody else has claimed since is not ours, nor is anything by this id before a claim of ours.
  defp or_undo(:ok, _), do: :ok
  defp or_undo({:error, error, nil}, _), do: {:error, error}

  defp or_undo({:error, error, term}, copy) do
    case undo(copy, term) do
      :ok ->
        {:error, error}

      :theirs ->
        {:error,
         said(error, "a part of the fork is in the room that was started as #{inspect(copy.id)} meanwhile")}

      {:error, _} ->
        {:error, said(error, "a part of the fork may be left in the log as #{inspect(copy.id)}")}
    end
  end

  defp undo(%{log: log, id: id}, term) do
    case EventLog.head(log, id) do
      {:ok, %{term: ^term}} -> EventLog.delete(log, id)
      {:ok, nil} -> :ok
      {:ok, _} -> :theirs
      error -> error
    end
  end

  defp said(%{detail: nil} = error, more), do: Error.put(error, detail: more)
  defp said(%{detail: detail} = error, more), do: Error.put(error, detail: detail <> "; " <> more)

  # What its records were written in holds for their copies: {meta, from, to}. The first is there for an empty log, too.
  defp spans(versions, meta, seq) do
    starts = Enum.filter(versions, fn {first, _} -> first <= max(seq, 1) end)
    starts = if starts == [], do: [{1, meta}], else: starts
    ends = Enum.map(tl(starts), fn {first, _} -> first - 1 end) ++ [seq]
    for {{first, meta}, last} <- Enum.zip(starts, ends), do: {meta, first, last}
  end

  # Answers {:ok, term}, or {:error, error, term}: the term is that of our last claim, nil before the first.
  defp copy_spans([], _, _, term), do: {:ok, term}

  defp copy_spans([{meta, first, last} | spans], options, copy, ours) do
    before = first - 1

    case EventLog.claim(copy.log, copy.id, meta, over: ours || 0) do
      {:ok, %{term: term, seq: ^before}} ->
        with :ok <- copy(options, copy, term, before, last),
             do: copy_spans(spans, options, copy, term)

      {:error, %{reason: :old_term}} when ours == nil ->
        {:error, taken(), nil}

      {:error, error} ->
        {:error, error, ours}
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

  # ---- two folds of one log ----

  @doc """
  Folds the log by these rules and by the room's, side by side, and finds the first event after which the worlds differ: :same, or
  {:different, %{seq, event, ours, theirs}}, the two diffs of that event. They are compared every so many events: what differs and is the same again before is
  not seen. Of a log that was trimmed both begin with its oldest snapshot.
  """
  def refold(options, %Rules{} = rules, every) do
    opts = [level: nil, history: 1]

    with {:ok, head} <- head(options),
         {:ok, ours, _} <- Recovery.oldest(options, head, opts),
         {:ok, theirs, _} <- Recovery.oldest(options, head, [rules: rules] ++ opts),
         do: compare(options, head, ours, theirs, every)
  end

  defp compare(options, head, ours, theirs, every) do
    from = World.seq(ours) + 1

    if from > head.seq do
      :same
    else
      with {:ok, lines} <- some(options, head, from, min(from + every - 1, head.seq)) do
        {:ok, kept} = World.copy(ours)
        {:ok, kept_theirs} = World.copy(theirs)
        text = {:json, Enum.join(lines, "\n")}
        ours = World.fold!(ours, text)
        theirs = World.fold!(theirs, text)

        if same?(ours, theirs),
          do: compare(options, head, ours, theirs, every),
          else: narrow(lines, kept, kept_theirs, options)
      end
    end
  end

  # At most one piece of the log.
  defp some(options, head, from, to) do
    with {:ok, %{text: text, first: ^from}} <- EventLog.read(options.log, options.id, from, to, []) do
      with {:ok, text} <- Recovery.upcast(text, options, head.versions, from), do: {:ok, Text.lines(text)}
    else
      {:ok, _} -> {:error, Error.new(:log_trimmed)}
      error -> error
    end
  end

  defp same?(ours, theirs), do: hash(ours) == hash(theirs)

  # Of the entities, not of their handles.
  @doc "A hash of a world's state: equal states have equal hashes, whatever they were folded from."
  def hash(world), do: :crypto.hash(:sha256, :erlang.term_to_binary(World.snapshot(world), [:deterministic]))

  defp narrow([line | lines], ours, theirs, options) do
    ours = World.fold!(ours, {:json, line})
    theirs = World.fold!(theirs, {:json, line})
    seq = World.seq(ours)
    [a, b] = diffs = for world <- [ours, theirs], do: World.diff!(world, seq - 1)

    if Enum.all?(touched(diffs), &(entity(ours, &1) == entity(theirs, &1))),
      do: narrow(lines, ours, theirs, options),
      else:
        {:different, %{seq: seq, event: JSON.decode!(line, impl: Options.json(options)), ours: a, theirs: b}}
  end

  # Unreachable: worlds that differ must differ after one of the events.
  defp narrow([], _, _, _), do: :same

  # The worlds were the same before, so one of these differs if they are not any more. How they came to be what they are does not count: one
  # may have been replaced where the other was updated.
  defp touched(diffs) do
    diffs
    |> Enum.flat_map(&(Map.keys(&1["creates"]) ++ Map.keys(&1["updates"]) ++ &1["deletes"]))
    |> Enum.uniq()
  end

  # As bytes, as in hash/1: 1 and 1.0, or 0.0 and -0.0, are two values.
  defp entity(world, id), do: :erlang.term_to_binary(World.get(world, id), [:deterministic])

  @doc "Hashes of the state, [{seq, hash}], after every so many events."
  def hashes(options, every) do
    with {:ok, head} <- head(options),
         {:ok, world, facts} <- Recovery.oldest(options, head, level: nil, history: 1),
         do: hash_on(options, head, world, facts, every)
  end

  # At the multiples of every, and at the end.
  defp hash_on(options, %{seq: last} = head, world, facts, every, hashes \\ []) do
    seq = World.seq(world)

    hashes =
      if seq > 0 and (rem(seq, every) == 0 or seq == last), do: [{seq, hash(world)} | hashes], else: hashes

    if seq >= last do
      {:ok, Enum.reverse(hashes)}
    else
      to = min(seq - rem(seq, every) + every, last)

      with {:ok, world, facts} <- Recovery.fold_to(options, head, world, facts, to),
           do: hash_on(options, head, world, facts, every, hashes)
    end
  end
end
