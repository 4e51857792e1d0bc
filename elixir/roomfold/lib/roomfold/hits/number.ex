defmodule Roomfold.Hits.Number do
  @moduledoc false
  # Numbers as geometry takes them, in C and in Elixir: floats, and integers of 64 bits.

  defguard is_real(value)
           when is_float(value) or
                  (is_integer(value) and value >= -9_223_372_036_854_775_808 and
                     value <= 9_223_372_036_854_775_807)
end
