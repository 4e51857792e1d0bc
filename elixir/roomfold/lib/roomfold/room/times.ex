defmodule Roomfold.Room.Times do
  @moduledoc false
  # Durations in microseconds, counted in classes of about 6 %: sixteen for each power of two, as in Gil Tene's HdrHistogram.

  defstruct counts: %{}, count: 0, sum: 0, max: 0

  @sub 16

  def new, do: %__MODULE__{}

  def add(times, duration) do
    %{
      times
      | counts: Map.update(times.counts, class(duration), 1, &(&1 + 1)),
        count: times.count + 1,
        sum: times.sum + duration,
        max: max(times.max, duration)
    }
  end

  @doc "Adds the time since `start`, a `System.monotonic_time/0`."
  def add_since(times, start),
    do: add(times, System.convert_time_unit(System.monotonic_time() - start, :native, :microsecond))

  def summary(%{count: 0}), do: %{count: 0, mean: 0, p50: 0, p99: 0, max: 0}

  def summary(times) do
    %{
      count: times.count,
      mean: div(times.sum, times.count),
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
      max: times.max
    }
  end

  # The upper end of its class.
  defp percentile(times, share) do
    wanted = ceil(times.count * share)

    times.counts
    |> Enum.sort()
    |> Enum.reduce_while(0, fn {class, count}, seen ->
      if seen + count >= wanted, do: {:halt, {:found, upper(class)}}, else: {:cont, seen + count}
    end)
    |> then(fn {:found, upper} -> min(upper, times.max) end)
  end

  defp class(duration) when duration < @sub, do: max(duration, 0)

  defp class(duration) do
    shift = bits(duration) - 5
    (shift + 1) * @sub + Bitwise.bsr(duration, shift) - @sub
  end

  defp upper(class) when class < @sub, do: class

  defp upper(class) do
    shift = div(class, @sub) - 1
    Bitwise.bsl(rem(class, @sub) + @sub + 1, shift) - 1
  end

  defp bits(number), do: bits(number, 0)

  defp bits(0, count), do: count
  defp bits(number, count), do: bits(Bitwise.bsr(number, 1), count + 1)
end
