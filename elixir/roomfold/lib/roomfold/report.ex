defmodule Roomfold.Report do
  @moduledoc """
  What a fold did, and what it left out and why.

    * `:folded` - events that were not rejected as a whole; stale ones are not counted
    * `:orphaned` - operations on entities that do not exist
    * `:stale` - events at or below the world's seq, skipped
    * `:gaps` - how often a seq was skipped
    * `:rejected` - the first 1,000 things that could not be used, `{index, error}`: an event, an operation of an event, or a component
    * `:rejected_count` - how many there were
  """

  alias Roomfold.Error

  @kept 1_000

  @type t :: %__MODULE__{
          folded: non_neg_integer,
          orphaned: non_neg_integer,
          stale: non_neg_integer,
          gaps: non_neg_integer,
          rejected: [{non_neg_integer, Error.t()}],
          rejected_count: non_neg_integer
        }

  defstruct folded: 0, orphaned: 0, stale: 0, gaps: 0, rejected: [], rejected_count: 0

  @doc false
  # {folded, orphaned, stale, gaps, rejected_count, [{index, reason, about, offset}]}, as the native implementation returns it.
  def from_native({folded, orphaned, stale, gaps, rejected_count, rejected}) do
    %__MODULE__{
      folded: folded,
      orphaned: orphaned,
      stale: stale,
      gaps: gaps,
      rejected_count: rejected_count,
      rejected:
        for {index, reason, about, offset} <- rejected do
          {index, Error.from({reason, about, offset}, index: index)}
        end
    }
  end

  @doc """
  The report of two folds, one after the other.

  ## Options

    * `:offset` - added to the second's indices: how many events the first one had (0)

  ## Examples

      iex> a = %Roomfold.Report{folded: 2}
      iex> b = %Roomfold.Report{folded: 1, rejected: [{0, Roomfold.Error.new(:not_an_event, index: 0)}], rejected_count: 1}
      iex> both = Roomfold.Report.merge(a, b, offset: 2)
      iex> {both.folded, both.rejected_count, Enum.map(both.rejected, &elem(&1, 0))}
      {3, 1, [2]}
  """
  @spec merge(t, t, keyword) :: t
  def merge(%__MODULE__{} = a, %__MODULE__{} = b, opts \\ []) do
    offset = Keyword.get(opts, :offset, 0)
    moved = for {index, error} <- b.rejected, do: {index + offset, Error.put(error, index: index + offset)}

    %__MODULE__{
      folded: a.folded + b.folded,
      orphaned: a.orphaned + b.orphaned,
      stale: a.stale + b.stale,
      gaps: a.gaps + b.gaps,
      rejected: Enum.take(a.rejected ++ moved, @kept),
      rejected_count: a.rejected_count + b.rejected_count
    }
  end
end
