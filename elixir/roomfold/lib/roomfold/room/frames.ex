defmodule Roomfold.Room.Frames do
  @moduledoc false
  # What connections are sent of a world: frames, and events in addition. The same for a live room and a replay. What can't be encoded raises
  # Roomfold.Error: an implementation may have no packed format, or a limit.

  alias Roomfold.World
  alias Roomfold.Room.{Options, Text}

  @doc "For connections that are at a seq: what changed since; a snapshot, if that is longer ago than the world remembers."
  def changed(world, from, format) do
    case World.encode(world, {:diff, from}, format) do
      {:ok, bytes} -> {:diff, bytes}
      {:error, %{reason: :history_gone}} -> snapshot(world, format)
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

  @doc "JSON text of the events that a diff does not show, or nil."
  def told(records, %Options{diff_tells: diff_tells} = options) do
    json = Options.json(options)

    case Enum.reject(records, &(Text.name(&1, json) in diff_tells)) do
      [] -> nil
      records -> IO.iodata_to_binary(["{\"events\":[", Enum.intersperse(records, ?,), "]}"])
    end
  end
end
