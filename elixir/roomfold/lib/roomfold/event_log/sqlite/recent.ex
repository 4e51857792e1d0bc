defmodule Roomfold.EventLog.SQLite.Recent do
  @moduledoc false
  # Which rooms there were lately: in the span that runs, and in the one before it. What a span is, a commit or some time, knows
  # whoever ends it.

  @type t :: {before :: %{String.t() => nil}, now :: %{String.t() => nil}}

  @spec new() :: t
  def new, do: {%{}, %{}}

  @spec put(t, String.t()) :: t
  def put({_, now} = recent, room) when is_map_key(now, room), do: recent
  def put({before, now}, room), do: {before, Map.put(now, room, nil)}

  @doc "The next span begins."
  @spec next(t) :: t
  def next({_, now}), do: {now, %{}}

  @doc "How many there were in both together."
  @spec count(t) :: non_neg_integer
  def count({before, now}), do: map_size(Map.merge(before, now))

  @doc "How many there were in the one that had more: enough where each comes once in a span, and at no cost."
  @spec most(t) :: non_neg_integer
  def most({before, now}), do: max(map_size(before), map_size(now))
end
