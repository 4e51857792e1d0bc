defmodule Roomfold.Eventually do
  @moduledoc false
  # What happens in other processes, programs and nodes is waited for, by the clock: looking may take long by itself.

  @doc "What the function returns as soon as that is true; a failed test after so many milliseconds."
  def eventually(function, ms \\ 30_000), do: look(function, now() + ms)

  defp look(function, deadline) do
    cond do
      result = function.() ->
        result

      now() > deadline ->
        ExUnit.Assertions.flunk("it never became true")

      true ->
        Process.sleep(10)
        look(function, deadline)
    end
  end

  defp now, do: System.monotonic_time(:millisecond)
end
