defmodule Roomfold.Room.Recovery do
  @moduledoc false
  # Builds a world from the log: the newest snapshot at or below a seq, and the events after it.
  #
  # A snapshot in the log is two lines of JSON: the room's own facts, and the world's snapshot.

  alias Roomfold.{Error, EventLog, JSON, World}
  alias Roomfold.Room.{Options, Residents}

  @type facts :: %{users: [String.t()], last_at: integer, kept_seq: non_neg_integer}

  @doc "The world at a seq (`:head`: the newest), and the room's facts at that time."
  @spec world(Options.t(), non_neg_integer | :head, keyword) :: {:ok, World.t(), facts} | {:error, Error.t()}
  def world(options, until \\ :head, world_opts \\ []) do
    opts = options |> Options.world() |> Keyword.merge(world_opts)

    with {:ok, head, seq} <- head(options, until),
         {:ok, world, facts} <- from_snapshot(options, head, seq, opts),
         do: fold_to(options, world, facts, seq)
  end

  # The log's head, and the seq to recover.
  defp head(options, until) do
    with {:ok, head} <- EventLog.head(options.log, options.id) do
      head = head || %{seq: 0, first: 1}

      cond do
        until == :head -> {:ok, head, head.seq}
        until <= head.seq -> {:ok, head, until}
        true -> {:error, Error.new(:seq_ahead)}
      end
    end
  end

  defp from_snapshot(options, head, at_most, opts) do
    with {:ok, found} <- EventLog.snapshot(options.log, options.id, at_most) do
      case found && read_snapshot(found, options) do
        nil -> from_nothing(opts)
        # A snapshot made by other rules is used only if the events are gone.
        {false, _, _} when head.first == 1 -> from_nothing(opts)
        {_, text, facts} -> with {:ok, world} <- World.load({:json, text}, opts), do: {:ok, world, facts}
      end
    end
  end

  defp from_nothing(opts) do
    with {:ok, world} <- World.new(opts), do: {:ok, world, %{users: [], last_at: 0, kept_seq: 0}}
  end

  defp read_snapshot({seq, binary}, options) do
    [facts, text] = :binary.split(binary, "\n")
    %{"users" => users, "last_at" => last_at} = facts = JSON.decode!(facts, impl: Options.json(options))
    ours = Options.versions(options)
    current? = Map.get(facts, "versions", ours) == ours
    {current?, text, %{users: users, last_at: last_at, kept_seq: seq}}
  end

  @doc "A snapshot for the log."
  def snapshot(options, world, users, last_at) do
    facts = %{"users" => users, "last_at" => last_at, "versions" => Options.versions(options)}
    [JSON.encode!(facts, impl: Options.json(options)), "\n", World.encode!(world, :snapshot, :json)]
  end

  @doc "Folds the log from the world's seq up to another."
  def fold_to(options, world, facts, seq) do
    from = World.seq(world) + 1

    if from > seq do
      {:ok, world, facts}
    else
      with {:ok, %{text: text, seq: last}} <- read(options, from, seq),
           {:ok, text} <- upcast(text, options, from),
           {:ok, world, _report} <- World.fold(world, {:json, text}) do
        # An upcaster may not remove events: their seqs stay.
        if World.seq(world) == last,
          do: fold_to(options, world, people(text, facts), seq),
          else: {:error, Error.new(:log_damaged, detail: "room #{options.id}, seq #{World.seq(world) + 1}")}
      end
    end
  end

  defp read(options, from, to) do
    with {:ok, nil} <- EventLog.read(options.log, options.id, from, to, []),
         do: {:error, Error.new(:history_gone)}
  end

  @doc "The log's text from a seq on, converted by the room's upcasters."
  def upcast(text, %{upcasters: []}, _), do: {:ok, text}

  def upcast(text, options, from) do
    with {:ok, %{versions: versions}} <- EventLog.head(options.log, options.id) do
      json = [impl: Options.json(options)]

      {:ok,
       text
       |> :binary.split("\n", [:global, :trim_all])
       |> Enum.with_index(from)
       |> Enum.map_join("\n", fn {line, seq} ->
         meta = versions_at(versions, seq)

         options.upcasters
         |> Enum.reduce(JSON.decode!(line, json), &today(&1, &2, meta))
         |> JSON.encode!(json)
       end)}
    end
  end

  defp today(upcaster, event, _) when is_function(upcaster, 1), do: upcaster.(event)
  defp today(upcaster, event, meta), do: upcaster.(event, meta)

  defp versions_at(versions, seq) do
    versions |> Enum.take_while(fn {first, _} -> first <= seq end) |> List.last({0, %{}}) |> elem(1)
  end

  defp people(text, facts) do
    lines = :binary.split(text, "\n", [:global, :trim_all])

    %{
      facts
      | users: Enum.reduce(lines, facts.users, &Residents.after_event/2),
        last_at: last_at(List.last(lines), facts.last_at)
    }
  end

  defp last_at(nil, at), do: at

  defp last_at(line, at) do
    case JSON.decode(line) do
      {:ok, %{"at" => last}} when is_integer(last) -> last
      _ -> at
    end
  end
end
