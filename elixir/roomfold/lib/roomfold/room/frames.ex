defmodule Roomfold.Room.Frames do
  @moduledoc false
  # What connections are sent of a world: frames, and events in addition. The same for a live room and a replay. What can't be encoded raises
  # Roomfold.Error: an implementation may have no packed format, or a limit.

  alias Roomfold.World
  alias Roomfold.Room.{Options, People, Text, Update}

  @doc """
  The answer to a connection that has joined, of a live room's state or a replay's: its frame brings it to seq. The process adds how it can be reached.
  """
  def joined(%{options: options, people: people, term: term}, pid, seq, users, frame) do
    %{
      room: options.id,
      json: Options.json(options),
      term: term,
      seq: seq,
      number: People.number(people, pid),
      tick_ms: options.tick_ms,
      users: users,
      frame: frame
    }
  end

  @doc "What brings all connections from one seq to another, of a live room's state or a replay's; records: the events folded since the first."
  def update(%{options: options, people: people, term: term, world: world}, from, seq, records) do
    %Update{
      room: options.id,
      term: term,
      from: from,
      seq: seq,
      frames: Map.new(People.formats(people), &{&1, changed(world, from, &1)}),
      events: if(People.events?(people), do: told(records, options))
    }
  end

  @doc """
  For connections that are at a seq: what changed since; a snapshot, if that is longer ago than the world remembers, or still to come in a replay
  that was taken back.
  """
  def changed(world, from, format) do
    case World.encode(world, {:diff, from}, format) do
      {:ok, bytes} -> {:diff, bytes}
      {:error, %{reason: reason}} when reason in [:history_gone, :seq_ahead] -> snapshot(world, format)
      {:error, error} -> raise error
    end
  end

  @doc "For a connection that comes back: what changed since a seq, or a snapshot, whichever is smaller."
  @small 4_096
  def missing(world, from, format) do
    case World.encode(world, {:diff, from}, format) do
      {:ok, diff} when byte_size(diff) <= @small -> {:diff, diff}
      {:ok, diff} -> smaller({:diff, diff}, snapshot(world, format))
      {:error, _} -> snapshot(world, format)
    end
  end

  defp smaller({_, a} = diff, {_, b} = snapshot),
    do: if(byte_size(b) < byte_size(a), do: snapshot, else: diff)

  def snapshot(world, format), do: {:snapshot, World.encode!(world, :snapshot, format)}

  # JSON text of the events that a diff does not show, or nil.
  defp told(records, %Options{diff_tells: diff_tells} = options) do
    json = Options.json(options)

    case Enum.reject(records, &(Text.name(&1, json) in diff_tells)) do
      [] -> nil
      records -> IO.iodata_to_binary(["{\"events\":[", Enum.intersperse(records, ?,), "]}"])
    end
  end
end
