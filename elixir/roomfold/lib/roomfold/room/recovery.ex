defmodule Roomfold.Room.Recovery do
  @moduledoc false
  # From the log to a world: the newest snapshot at or below a seq, and the events behind it.
  #
  # A snapshot in the log is two lines of JSON: what the room knows besides the world, and the world's own snapshot.

  alias Roomfold.{Error, EventLog, JSON, World}
  alias Roomfold.Room.Options

  @type facts :: %{users: [String.t()], last_at: integer, kept_seq: non_neg_integer}

  @doc "The world at a seq (`:head`: the newest), and what the room knew then."
  @spec world(Options.t(), non_neg_integer | :head, keyword) :: {:ok, World.t(), facts} | {:error, Error.t()}
  def world(options, until \\ :head, world_opts \\ []) do
    opts = options |> Options.world() |> Keyword.merge(world_opts)

    with {:ok, head} <- head(options, until),
         {:ok, world, facts} <- from_snapshot(options, head, opts),
         {:ok, world, facts} <- fold_to(options, world, facts, head) do
      {:ok, world, facts}
    end
  end

  # The seq to go to.
  defp head(options, until) do
    with {:ok, head} <- EventLog.head(options.log, options.id) do
      last = if head, do: head.seq, else: 0

      cond do
        until == :head -> {:ok, last}
        until <= last -> {:ok, until}
        true -> {:error, Error.new(:seq_ahead)}
      end
    end
  end

  defp from_snapshot(options, at_most, opts) do
    with {:ok, found} <- EventLog.snapshot(options.log, options.id, at_most) do
      case found do
        nil ->
          with {:ok, world} <- World.new(opts), do: {:ok, world, %{users: [], last_at: 0, kept_seq: 0}}

        {seq, binary} ->
          [facts, text] = :binary.split(binary, "\n")
          %{"users" => users, "last_at" => last_at} = JSON.decode!(facts, impl: Options.json(options))

          with {:ok, world} <- World.load({:json, text}, opts),
               do: {:ok, world, %{users: users, last_at: last_at, kept_seq: seq}}
      end
    end
  end

  @doc "What `from_snapshot` reads."
  def snapshot(world, users, last_at) do
    facts =
      JSON.encode!(%{"users" => users, "last_at" => last_at}, impl: Roomfold.Projection.json(world.impl))

    [facts, "\n", World.encode!(world, :snapshot, :json)]
  end

  @doc "Folds on to a seq."
  def fold_to(options, world, facts, seq) do
    from = World.seq(world) + 1

    if from > seq do
      {:ok, world, facts}
    else
      with {:ok, %{text: text, seq: last}} <- read(options, from, seq),
           text = upcast(text, options),
           {:ok, world, _report} <- World.fold(world, {:json, text}) do
        # An upcaster may take nothing away: seqs stay.
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

  @doc "Events as they would be written today."
  def upcast(text, %{upcasters: []}), do: text

  def upcast(text, options) do
    json = [impl: Options.json(options)]

    text
    |> String.split("\n", trim: true)
    |> Enum.map_join("\n", fn line ->
      options.upcasters |> Enum.reduce(JSON.decode!(line, json), & &1.(&2)) |> JSON.encode!(json)
    end)
  end

  # Who came and who left is in the server's events; the line's end says whose it is, before anything is decoded.
  defp people(text, facts) do
    lines = :binary.split(text, "\n", [:global, :trim_all])

    %{
      facts
      | users: Enum.reduce(lines, facts.users, &person/2),
        last_at: last_at(List.last(lines), facts.last_at)
    }
  end

  defp person(line, users) do
    with true <- String.ends_with?(line, ~s("by":"server"})),
         {:ok, %{"event_name" => name, "user_id" => user}} <- JSON.decode(line) do
      case name do
        "user_joined" -> Enum.sort(Enum.uniq([user | users]))
        "user_left" -> List.delete(users, user)
        _ -> users
      end
    else
      _ -> users
    end
  end

  defp last_at(nil, at), do: at

  defp last_at(line, at) do
    case JSON.decode(line) do
      {:ok, %{"at" => last}} when is_integer(last) -> last
      _ -> at
    end
  end
end
