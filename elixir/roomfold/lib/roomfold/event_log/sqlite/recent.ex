defmodule Roomfold.EventLog.SQLite.Recent do
  @moduledoc false
  # Rooms of the current span and of the one before it. The caller decides when a span ends: with a commit, or after some time.

  @type t :: {before :: %{String.t() => nil}, now :: %{String.t() => nil}}

  @spec new() :: t
  def new, do: {%{}, %{}}

  @spec put(t, String.t()) :: t
  def put({_, now} = recent, room) when is_map_key(now, room), do: recent
  def put({before, now}, room), do: {before, Map.put(now, room, nil)}

  @doc "Starts the next span."
  @spec next(t) :: t
  def next({_, now}), do: {now, %{}}

  @doc "How many rooms there were in both spans together."
  @spec count(t) :: non_neg_integer
  def count({before, now}), do: map_size(Map.merge(before, now))

  @doc "How many there were in the span that had more: cheap, and enough if each room comes once in a span."
  @spec most(t) :: non_neg_integer
  def most({before, now}), do: max(map_size(before), map_size(now))
end
