defmodule Roomfold.Seq do
  @moduledoc false
  # Numbers of events: whole numbers from 1 on, 0 before the first event.

  @max 9_007_199_254_740_991

  @doc "The largest there is, 2^53 - 1: up to there JavaScript's numbers are exact."
  @spec max() :: pos_integer
  def max, do: @max
end
