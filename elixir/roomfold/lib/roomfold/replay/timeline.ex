defmodule Roomfold.Replay.Timeline do
  @moduledoc false
  # The events of a log by their times: which are due at a position, and where a seq or a time is. It is data; it reads the log in pieces,
  # ahead of what is due.
  #
  # Positions are milliseconds from the first event.
  alias Roomfold.{Error, EventLog, JSON, World}
  alias Roomfold.Replay.Recording
  alias Roomfold.Room.{Fork, Options, Recovery, Text}

  # Bytes of events that are read together.
  @piece 262_144

  # first_seq: where it begins: 0, or the oldest snapshot's if the log was trimmed; seq: of the last event taken; next: read and not
  # taken yet, [{at, line}]; versions: of the log's records; error: why the events after those can't be read
  defstruct [:options, :first_at, :last_at, :first_seq, :last_seq, :seq, :versions, :error, next: []]

  @type t :: %__MODULE__{}
  @type position :: number

  @doc "The timeline of the options' log, and the world where it begins."
  @spec open(Options.t()) :: {:ok, t, World.t()} | {:error, Error.t()}
  def open(options) do
    with {:ok, %{seq: last} = head} when last > 0 <- EventLog.head(options.log, options.id),
         :ok <- Fork.check(head),
         {:ok, world, _} <- Recovery.oldest(options, head),
         first = World.seq(world),
         {:ok, first_at} <- time_of(options, first + 1),
         {:ok, last_at} <- time_of(options, last) do
      timeline = %__MODULE__{
        options: options,
        first_at: first_at,
        last_at: last_at,
        first_seq: first,
        last_seq: last,
        seq: first,
        versions: head.versions
      }

      {:ok, timeline, world}
    else
      {:ok, _} -> {:error, Error.new(:no_room, detail: "there is no event to play")}
      {:error, error} -> {:error, error}
    end
  end

  @spec duration(t) :: non_neg_integer
  def duration(timeline), do: max(timeline.last_at - timeline.first_at, 0)

  # ---- playing ----

  @doc "Takes the events up to a position, with the position of each."
  @spec due(t, position) :: {[{position, line :: binary}], t}
  def due(timeline, position), do: due(timeline, timeline.first_at + position, [])

  defp due(%{next: [{at, line} | next]} = timeline, until, taken) when at <= until do
    timeline = %{timeline | next: next, seq: timeline.seq + 1}
    due(timeline, until, [{at - timeline.first_at, line} | taken])
  end

  defp due(%{next: [], error: nil} = timeline, until, taken) do
    case read(timeline) do
      %{next: []} = timeline -> {Enum.reverse(taken), timeline}
      timeline -> due(timeline, until, taken)
    end
  end

  defp due(timeline, _, taken), do: {Enum.reverse(taken), timeline}

  @doc "The position of the next event; nil at the end, and where it can't be read (`error`)."
  @spec next(t) :: {position | nil, t}
  def next(%{next: [{at, _} | _]} = timeline), do: {at - timeline.first_at, timeline}

  def next(%{error: nil} = timeline) do
    case read(timeline) do
      %{next: []} = timeline -> {nil, timeline}
      timeline -> next(timeline)
    end
  end

  def next(timeline), do: {nil, timeline}

  defp read(%{seq: last, last_seq: last} = timeline), do: timeline

  defp read(%{options: options, seq: seq} = timeline) do
    with {:ok, %{text: text}} <-
           EventLog.read(options.log, options.id, seq + 1, timeline.last_seq, max_bytes: @piece),
         {:ok, text} <- Recovery.upcast(text, options, timeline.versions, seq + 1),
         {:ok, next} <- timed(Text.lines(text), options, seq + 1, []) do
      %{timeline | next: next}
    else
      {:ok, nil} -> %{timeline | error: Error.new(:log_trimmed)}
      {:error, error} -> %{timeline | error: error}
    end
  end

  defp timed([], _, _, entries), do: {:ok, Enum.reverse(entries)}

  defp timed([line | lines], options, seq, entries) do
    with {:ok, at} <- time(line, options, seq), do: timed(lines, options, seq + 1, [{at, line} | entries])
  end

  @doc "Tries once more to read what could not be read."
  @spec retry(t) :: t
  def retry(timeline), do: %{timeline | error: nil}

  # ---- seeking ----

  @doc "The last event at or before a place, a seq or `{:ms, position}`, and the place's position."
  @spec find(t, term) :: {:ok, non_neg_integer, float} | {:error, Error.t()}
  def find(timeline, {:ms, ms}) when is_number(ms) do
    position = ms |> max(0) |> min(duration(timeline))

    with {:ok, seq} <- search(timeline, timeline.first_at + position, timeline.first_seq, timeline.last_seq),
         :ok <- kept(timeline, seq),
         do: {:ok, seq, position * 1.0}
  end

  def find(%{first_seq: first}, seq) when is_integer(seq) and seq >= 0 and seq < first,
    do: {:error, Error.new(:log_trimmed, detail: "the replay begins at #{first}")}

  def find(%{last_seq: last}, seq) when is_integer(seq) and seq > last, do: {:error, Error.new(:seq_ahead)}

  def find(timeline, seq) when is_integer(seq) and seq >= 0 do
    with {:ok, at} <- time_of(timeline.options, max(seq, timeline.first_seq + 1)),
         do: {:ok, seq, (at - timeline.first_at) * 1.0}
  end

  def find(_, _),
    do: {:error, Error.new(:invalid_argument, detail: "a place is a seq from 0, or {:ms, n}")}

  # The last event at or before this time. Those that were trimmed since are before all others.
  defp search(_, _, low, low), do: {:ok, low}

  defp search(timeline, at, low, high) do
    middle = div(low + high + 1, 2)

    case time_of(timeline.options, middle) do
      {:ok, found} when found > at -> search(timeline, at, low, middle - 1)
      {:ok, _} -> search(timeline, at, middle, high)
      {:error, %{reason: :log_trimmed}} -> search(timeline, at, middle, high)
      error -> error
    end
  end

  # When a trimmed event was is not known, so nothing can be said of a time before the first that is left.
  defp kept(%{first_seq: seq}, seq), do: :ok
  defp kept(timeline, seq), do: with({:ok, _} <- time_of(timeline.options, seq), do: :ok)

  @doc "The world at a seq, of the log as it is now: it may have been trimmed since."
  @spec world(t, non_neg_integer) :: {:ok, World.t()} | {:error, Error.t()}
  def world(%{options: options}, seq) do
    with {:ok, %{} = head} <- EventLog.head(options.log, options.id),
         {:ok, world, _} <- Recovery.world(options, head, seq) do
      {:ok, world}
    else
      {:ok, nil} -> {:error, Error.new(:no_room)}
      error -> error
    end
  end

  @doc "As if the events up to a seq, and no others, had been taken."
  @spec go(t, non_neg_integer) :: t
  def go(timeline, seq), do: %{timeline | seq: seq, next: [], error: nil}

  # ---- times ----

  defp time_of(options, seq) do
    case EventLog.read(options.log, options.id, seq, seq, []) do
      {:ok, %{text: line}} -> time(line, options, seq)
      {:ok, nil} -> {:error, Error.new(:log_trimmed, detail: "there is no event to play")}
      error -> error
    end
  end

  # The room writes it after everything that a client sent, so the last one counts; a recording may have it anywhere.
  defp time(line, options, seq) do
    with nil <- Regex.run(~r/"at":(\d{1,15}),"by":"[^"]*"\}$/, line),
         {:ok, event} <- JSON.decode(line, impl: Options.json(options)),
         {:ok, at} <- Recording.time(event) do
      {:ok, at}
    else
      [_, at] -> {:ok, String.to_integer(at)}
      {:error, error} -> {:error, Error.put(error, detail: "seq #{seq} of what is played")}
    end
  end
end
