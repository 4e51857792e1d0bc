defmodule Roomfold.Room.Frames do
  @moduledoc false
  # What connections are told of a world: frames of it, and events beside them. The same for a live room and a replay.

  alias Roomfold.World
  alias Roomfold.Room.Text

  @doc "What changed since a seq, once for everybody who was there; everything, if that is longer ago than the world remembers."
  def changed(world, from, format) do
    case World.encode(world, {:diff, from}, format) do
      {:ok, bytes} -> {:diff, bytes}
      {:error, %{reason: :history_gone}} -> snapshot(world, format)
    end
  end

  @doc "The same for one who comes back: what changed since a seq, or everything, whichever is smaller."
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

  @doc "JSON text of the events that a diff does not tell by itself, or nil."
  def told(records, diff_tells) do
    case Enum.reject(records, &(Text.name(&1) in diff_tells)) do
      [] -> nil
      records -> IO.iodata_to_binary(["{\"events\":[", Enum.intersperse(records, ?,), "]}"])
    end
  end
end
