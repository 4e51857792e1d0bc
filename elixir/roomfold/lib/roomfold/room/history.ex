defmodule Roomfold.Room.History do
  @moduledoc false
  # Time travel: everything here is computed from the log, without the room's process.

  alias Roomfold.{Error, EventLog, JSON, Rules, World}
  alias Roomfold.Room.{Options, Recovery}

  @most_history 1_048_576

  @doc "The world as it was at a seq."
  def state_at(options, seq) do
    with :ok <- known(options), {:ok, world, _} <- Recovery.world(options, seq), do: {:ok, world}
  end

  @doc "What changed from one seq to a later one."
  def diff(options, a, b) when a <= b do
    with :ok <- known(options),
         :ok <- within(b - a),
         {:ok, world, facts} <- Recovery.world(options, a, history: max(b - a, 1)),
         {:ok, world, _} <- reach(options, world, facts, b) do
      World.diff(world, a)
    end
  end

  def diff(_, _, _),
    do: {:error, Error.new(:invalid_argument, detail: "a diff goes from a seq to a later one")}

  defp within(count), do: if(count <= @most_history, do: :ok, else: {:error, Error.new(:history_gone)})

  defp reach(options, world, facts, seq) do
    with {:ok, %{seq: last}} <- EventLog.head(options.log, options.id) do
      if seq <= last, do: Recovery.fold_to(options, world, facts, seq), else: {:error, Error.new(:seq_ahead)}
    end
  end

  defp logged(%{log: nil}), do: {:error, Error.new(:not_supported, detail: "the room has no log")}
  defp logged(_), do: :ok

  # A room that never existed has no past, not even an empty one.
  defp known(options) do
    with :ok <- logged(options), {:ok, head} <- EventLog.head(options.log, options.id) do
      if head, do: :ok, else: {:error, Error.new(:no_room)}
    end
  end

  @doc "Copies a room's log up to a seq to another room, which must not have a log."
  def fork(options, seq, id) do
    with :ok <- logged(options),
         {:ok, nil} <- EventLog.head(options.log, id),
         {:ok, %{meta: meta} = head} <- EventLog.head(options.log, options.id),
         :ok <- if(seq <= head.seq, do: :ok, else: {:error, Error.new(:seq_ahead)}),
         {:ok, %{term: term}} <- EventLog.claim(options.log, id, meta) do
      with :ok <- copy(options, id, term, 0, seq), do: without_users(options, id, term, seq)
    else
      {:ok, %{seq: _}} ->
        {:error, Error.new(:invalid_argument, field: "id", detail: "this room exists already")}

      {:ok, nil} ->
        {:error, Error.new(:no_room)}

      {:error, error} ->
        {:error, error}
    end
  end

  # Who was connected to the room it comes from is not to it, and does not leave it either. (Without this snapshot they would.)
  defp without_users(_, _, _, 0), do: :ok

  defp without_users(options, id, term, seq) do
    with {:ok, world, %{last_at: last_at}} <- Recovery.world(%{options | id: id}, seq) do
      snapshot = IO.iodata_to_binary(Recovery.snapshot(options, world, [], last_at))
      _ = EventLog.put_snapshot(options.log, id, term, seq, snapshot)
    end

    :ok
  end

  defp copy(_, _, _, seq, seq), do: :ok

  defp copy(options, id, term, done, seq) do
    with {:ok, %{text: text, first: first, seq: last}} when first == done + 1 <-
           EventLog.read(options.log, options.id, done + 1, seq, []),
         :ok <- EventLog.append(options.log, id, term, done, lines(text)) do
      copy(options, id, term, last, seq)
    else
      {:error, error} -> {:error, error}
      # It was trimmed.
      {:ok, _} -> {:error, Error.new(:history_gone)}
    end
  end

  defp lines(text), do: :binary.split(text, "\n", [:global, :trim_all])

  # ---- two folds of one log ----

  @doc """
  Folds the log by these rules and by the room's, side by side, and finds the first event after which the worlds differ: :same, or
  {:different, %{seq, event, ours, theirs}}, the two diffs of that event.
  """
  def refold(options, %Rules{} = rules, every) do
    blank = options |> Options.world() |> Keyword.merge(level: nil, history: max(every, 1))

    with :ok <- logged(options),
         {:ok, %{seq: last}} <- EventLog.head(options.log, options.id),
         {:ok, ours} <- World.new(blank),
         {:ok, theirs} <- World.new(Keyword.put(blank, :rules, rules)) do
      compare(options, ours, theirs, last, every)
    else
      {:ok, nil} -> {:error, Error.new(:no_room)}
      {:error, error} -> {:error, error}
    end
  end

  defp compare(options, ours, theirs, last, every) do
    from = World.seq(ours) + 1

    if from > last do
      :same
    else
      with {:ok, lines} <- some(options, from, min(from + every - 1, last)) do
        {:ok, kept} = World.copy(ours)
        {:ok, kept_theirs} = World.copy(theirs)
        text = {:json, Enum.join(lines, "\n")}
        ours = World.fold!(ours, text)
        theirs = World.fold!(theirs, text)

        if same?(ours, theirs),
          do: compare(options, ours, theirs, last, every),
          else: narrow(lines, kept, kept_theirs)
      end
    end
  end

  # At most one piece of the log.
  defp some(options, from, to) do
    with {:ok, %{text: text, first: ^from}} <- EventLog.read(options.log, options.id, from, to, []) do
      with {:ok, text} <- Recovery.upcast(text, options, from), do: {:ok, lines(text)}
    else
      {:ok, _} -> {:error, Error.new(:history_gone)}
      error -> error
    end
  end

  defp same?(ours, theirs), do: hash(ours) == hash(theirs)

  # Of the entities, not of their handles.
  @doc "A hash of a world's state: equal states have equal hashes, whatever they were folded from."
  def hash(world), do: :crypto.hash(:sha256, :erlang.term_to_binary(World.snapshot(world), [:deterministic]))

  defp narrow([line | lines], ours, theirs) do
    ours = World.fold!(ours, {:json, line})
    theirs = World.fold!(theirs, {:json, line})
    seq = World.seq(ours)
    [a, b] = for world <- [ours, theirs], do: World.diff!(world, seq - 1)

    if a == b,
      do: narrow(lines, ours, theirs),
      else: {:different, %{seq: seq, event: JSON.decode!(line), ours: a, theirs: b}}
  end

  # Unreachable: worlds that differ must differ after one of the events.
  defp narrow([], _, _), do: :same

  @doc "Hashes of the state, [{seq, hash}], after every so many events."
  def hashes(options, every) do
    with :ok <- logged(options),
         {:ok, %{seq: last}} <- EventLog.head(options.log, options.id),
         {:ok, world} <- World.new(Keyword.merge(Options.world(options), level: nil, history: 1)) do
      hash_on(options, world, last, every, [])
    else
      {:ok, nil} -> {:error, Error.new(:no_room)}
      {:error, error} -> {:error, error}
    end
  end

  defp hash_on(options, world, last, every, hashes) do
    if World.seq(world) == last do
      {:ok, Enum.reverse(hashes)}
    else
      to = min(World.seq(world) + every, last)
      facts = %{users: [], last_at: 0, kept_seq: 0}

      with {:ok, world, _} <- Recovery.fold_to(options, world, facts, to),
           do: hash_on(options, world, last, every, [{to, hash(world)} | hashes])
    end
  end
end
