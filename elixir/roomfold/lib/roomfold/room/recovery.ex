defmodule Roomfold.Room.Recovery do
  @moduledoc false
  # Builds a world from the log: the newest snapshot at or below a seq, and the events after it.
  #
  # A snapshot in the log is two lines of JSON: the room's own facts, and the world's snapshot.

  require Logger
  alias Roomfold.{Error, EventLog, JSON, World}
  alias Roomfold.Room.{Fork, Options, Residents, Text, Versions}

  @typedoc "refused: how often the rules have refused what is in the log, and the first time, its seq and error."
  @type facts :: %{
          users: [String.t()],
          last_at: integer,
          kept_seq: non_neg_integer,
          refused: {non_neg_integer, {pos_integer, Error.t()} | nil}
        }

  @none_refused {0, nil}

  @doc "The newest world of a log with this head, and the room's facts, to go on from there: events that its rules refuse are told."
  @spec newest(Options.t(), EventLog.head()) :: {:ok, World.t(), facts} | {:error, Error.t()}
  def newest(options, head) do
    with :ok <- Versions.check(options, head),
         {:ok, world, facts} <- world_of(options, head, head.seq, Options.world(options)) do
      tell_refused(facts.refused, options)
      {:ok, world, facts}
    end
  end

  defp tell_refused(@none_refused, _), do: :ok

  # Mostly the rules are others than those that the events were published with; nobody else would notice what is missing.
  defp tell_refused({count, {seq, error}}, %{id: id, rules: rules, rules_version: version}) do
    Logger.warning(
      "the rules of the room #{id} (#{inspect(rules.name)}, rules_version #{version}) refuse what is in its log, #{count} times; " <>
        "the first is seq #{seq}: #{Error.put(error, index: nil).message}. What they refuse is missing in the room's world. " <>
        "If they or the schema have changed, give them the next version, and :upcasters that make today's events of these"
    )
  end

  @doc "The world at a seq of a log with this head, and the room's facts at that time."
  @spec world(Options.t(), EventLog.head(), non_neg_integer, keyword) ::
          {:ok, World.t(), facts} | {:error, Error.t()}
  def world(options, head, seq, world_opts \\ []) do
    with :ok <- Versions.check(options, head),
         :ok <- if(seq <= head.seq, do: :ok, else: {:error, Error.new(:seq_ahead)}),
         do: world_of(options, head, seq, options |> Options.world() |> Keyword.merge(world_opts))
  end

  defp world_of(options, head, seq, opts) do
    with {:ok, world, facts} <- from_snapshot(options, head, seq, opts),
         do: fold_to(options, head, world, facts, seq)
  end

  @doc """
  The oldest world that the log still tells: the one before its first event, or, where it was trimmed, that of its oldest snapshot.
  """
  @spec oldest(Options.t(), EventLog.head(), keyword) :: {:ok, World.t(), facts} | {:error, Error.t()}
  def oldest(options, head, world_opts \\ []) do
    with {:ok, seq} <- oldest_seq(options, head), do: world(options, head, seq, world_opts)
  end

  defp oldest_seq(_, %{first: 1}), do: {:ok, 0}
  defp oldest_seq(options, %{first: first, seq: last}), do: oldest_snapshot(options, first - 1, last)

  # Snapshots below those that the records need went with them, so the oldest one is of a seq from low on.
  defp oldest_snapshot(options, low, high) do
    case EventLog.snapshot(options.log, options.id, high) do
      {:ok, {seq, _}} -> older_snapshot(options, low, seq)
      {:ok, nil} -> {:error, Error.new(:log_trimmed, detail: "there is no snapshot")}
      error -> error
    end
  end

  # One is of this seq; whether there is one before, in halves.
  defp older_snapshot(_, low, seq) when low >= seq, do: {:ok, seq}

  defp older_snapshot(options, low, seq) do
    middle = div(low + seq - 1, 2)

    case EventLog.snapshot(options.log, options.id, middle) do
      {:ok, {older, _}} -> older_snapshot(options, low, older)
      {:ok, nil} -> older_snapshot(options, middle + 1, seq)
      error -> error
    end
  end

  defp from_snapshot(options, head, at_most, opts) do
    with {:ok, found} <- EventLog.snapshot(options.log, options.id, at_most) do
      case found && read_snapshot(found, options) do
        nil -> from_nothing(opts)
        {true, text, facts} -> load(text, facts, options, opts)
        {false, _, facts} -> folded_anew(options, head, facts, opts)
        {:error, error} -> {:error, error}
      end
    end
  end

  # The world of a snapshot made by other rules is used only if the events are gone. Who was there does not depend on rules.
  defp folded_anew(options, head, %{kept_seq: seq, users: users}, opts) do
    with {:ok, world, facts} <- oldest_world(options, head, seq, opts),
         {:ok, world, facts} <- fold_to(options, head, world, facts, seq),
         do: {:ok, world, %{facts | users: users}}
  end

  defp oldest_world(_, %{first: 1}, _, opts), do: from_nothing(opts)
  defp oldest_world(options, head, at_most, opts), do: from_oldest(options, head, at_most, opts)

  defp from_oldest(options, head, at_most, opts) do
    with {:ok, seq} <- oldest_snapshot(options, head.first - 1, at_most),
         {:ok, {_, _} = oldest} <- EventLog.snapshot(options.log, options.id, seq),
         {_, text, facts} <- read_snapshot(oldest, options) do
      load(text, facts, options, opts)
    else
      {:ok, nil} -> {:error, Error.new(:log_trimmed)}
      error -> error
    end
  end

  defp load(text, %{kept_seq: seq} = facts, options, opts) do
    with {:ok, world} <- World.load({:json, text}, opts) do
      if World.seq(world) == seq, do: {:ok, world, facts}, else: damaged(options, seq)
    else
      {:error, error} -> {:error, Error.put(error, detail: snapshot_of(options, seq))}
    end
  end

  defp from_nothing(opts) do
    with {:ok, world} <- World.new(opts),
         do: {:ok, world, %{users: [], last_at: 0, kept_seq: 0, refused: @none_refused}}
  end

  defp read_snapshot({seq, binary}, options) do
    with [facts, text] <- :binary.split(binary, "\n"),
         {:ok, %{"users" => users, "last_at" => last_at} = facts} when is_list(users) and is_integer(last_at) <-
           JSON.decode(facts, impl: Options.json(options)) do
      ours = Versions.of(options)
      current? = Map.get(facts, "versions", ours) == ours
      {current?, text, %{users: users, last_at: last_at, kept_seq: seq, refused: @none_refused}}
    else
      _ -> damaged(options, seq)
    end
  end

  # The log has what it was given, but no room has written it.
  defp damaged(options, seq), do: {:error, Error.new(:log_damaged, detail: snapshot_of(options, seq))}
  defp snapshot_of(options, seq), do: "room #{options.id}, snapshot of seq #{seq}"

  @doc "A snapshot for the log."
  @spec snapshot(Options.t(), World.t(), [String.t()], integer) :: {:ok, iodata} | {:error, Error.t()}
  def snapshot(options, world, users, last_at) do
    facts = %{"users" => users, "last_at" => last_at, "versions" => Versions.of(options)}

    with {:ok, text} <- World.encode(world, :snapshot, :json),
         do: {:ok, [JSON.encode!(facts, impl: Options.json(options)), "\n", text]}
  end

  @doc "Folds a log with this head from the world's seq up to another."
  def fold_to(options, head, world, facts, seq) do
    from = World.seq(world) + 1

    if from > seq do
      {:ok, world, facts}
    else
      with {:ok, %{text: written, seq: last}} <- read(options, from, seq),
           {:ok, text} <- upcast(written, options, head.versions, from),
           {:ok, world, report} <- World.fold(world, {:json, text}) do
        facts = refused(people(written, facts, Options.json(options)), report, from)

        # An upcaster may not remove events: their seqs stay.
        if World.seq(world) == last,
          do: fold_to(options, head, world, facts, seq),
          else: {:error, Error.new(:log_damaged, detail: "room #{options.id}, seq #{World.seq(world) + 1}")}
      end
    end
  end

  defp refused(facts, %{rejected: []}, _), do: facts

  # The log has one event a seq, and a report the first rejections first.
  defp refused(%{refused: {count, first}} = facts, %{rejected: [{index, error} | _]} = report, from),
    do: %{facts | refused: {count + report.rejected_count, first || {from + index, error}}}

  defp read(options, from, to) do
    with {:ok, nil} <- EventLog.read(options.log, options.id, from, to, []),
         do: {:error, Error.new(:history_gone)}
  end

  @doc """
  The log's text from a seq on, converted by the room's upcasters; versions: those of the log's head. An upcaster that returns no event is an
  error.
  """
  def upcast(text, %{upcasters: []}, _, _), do: {:ok, text}

  def upcast(text, options, versions, from) do
    with {:ok, lines} <- today(Text.lines(text), options, versions, from, []),
         do: {:ok, lines |> Enum.reverse() |> Enum.join("\n")}
  end

  defp today([], _, _, _, done), do: {:ok, done}

  defp today([line | lines], options, versions, seq, done) do
    json = [impl: Options.json(options)]

    with {:ok, event} <- JSON.decode(line, json),
         {:ok, event} <- upcasted(options.upcasters, event, versions_at(versions, seq)),
         :ok <- keeps_seq(event, seq),
         {:ok, line} <- JSON.encode(event, json) do
      today(lines, options, versions, seq + 1, [line | done])
    else
      {:error, %Error{} = error} ->
        {:error, Error.put(error, detail: "room #{options.id}, seq #{seq}, as upcasters make it")}

      {:error, what} ->
        {:error, Error.new(:not_an_event, detail: "room #{options.id}, seq #{seq}: an upcaster #{what}")}
    end
  end

  defp upcasted(upcasters, event, meta) do
    Enum.reduce_while(upcasters, {:ok, event}, fn upcaster, {:ok, event} ->
      case call(upcaster, event, meta) do
        event when is_map(event) and not is_struct(event) -> {:cont, {:ok, event}}
        other -> {:halt, {:error, "answered #{Error.got(other)}"}}
      end
    end)
  catch
    kind, reason -> {:error, "failed: " <> Exception.format_banner(kind, reason, __STACKTRACE__)}
  end

  # One that makes a new map may leave it out.
  defp keeps_seq(%{"seq" => seq}, seq), do: :ok
  defp keeps_seq(%{"seq" => other}, _), do: {:error, "gave it another seq: #{Error.got(other)}"}
  defp keeps_seq(_, _), do: :ok

  defp call(upcaster, event, _) when is_function(upcaster, 1), do: upcaster.(event)
  defp call(upcaster, event, meta), do: upcaster.(event, meta)

  defp versions_at(versions, seq) do
    versions
    |> Enum.take_while(fn {first, _} -> first <= seq end)
    |> List.last({0, %{}})
    |> elem(1)
    |> Fork.original()
  end

  defp people(text, facts, json) do
    lines = Text.lines(text)

    %{
      facts
      | users: Enum.reduce(lines, facts.users, &Residents.after_event(&1, &2, json)),
        last_at: last_at(List.last(lines), facts.last_at, json)
    }
  end

  defp last_at(nil, at, _), do: at

  defp last_at(line, at, json) do
    case JSON.decode(line, impl: json) do
      {:ok, %{"at" => last}} when is_integer(last) -> last
      _ -> at
    end
  end
end
