defmodule Roomfold.Room.History do
  @moduledoc false
  # Time travel: everything here is computed from the log, without the room's process.

  alias Roomfold.{Error, EventLog, JSON, Rules, World}
  alias Roomfold.Room.{Fork, Options, Recovery, Text}

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

  @doc "Where the room's log stands. A room that never existed has no past, not even an empty one, and neither has half a fork."
  def head(%{log: nil}), do: {:error, Error.new(:not_supported, detail: "the room has no log")}

  def head(options) do
    case EventLog.head(options.log, options.id) do
      {:ok, nil} -> {:error, Error.new(:no_room)}
      {:ok, head} -> with :ok <- Fork.check(head), do: {:ok, head}
      error -> error
    end
  end

  @doc "That the log has come to this seq."
  def reaches(head, seq), do: if(seq <= head.seq, do: :ok, else: {:error, Error.new(:seq_ahead)})

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
