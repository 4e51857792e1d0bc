defmodule Roomfold.SimulatorTest do
  @moduledoc false
  # Rooms, sessions and a log in a simulated cluster: `make simulate N=10000 SEED=1`.
  use ExUnit.Case, async: true

  alias Roomfold.Simulator

  # What is to happen to inboxes.
  @inbox_kinds [:puts, :full, :races, :rests, :killed_before_counting, :stopped_with_input]

  test "many seeds, and none finds anything" do
    count = String.to_integer(System.get_env("SIMULATIONS", "40"))
    first = String.to_integer(System.get_env("SEED", "1"))

    counts =
      first..(first + count - 1)
      |> Task.async_stream(&Simulator.run/1, timeout: :infinity, ordered: false)
      |> Enum.reduce(%{}, fn
        {:ok, {:ok, counts}}, sums -> Map.merge(sums, counts, fn _, a, b -> a + b end)
        {:ok, {:error, found}}, _ -> flunk(story(found.seed))
      end)

    assert counts.events > count * 100
    # One alone need not have them all.
    if count >= 40, do: assert(@inbox_kinds -- Map.keys(counts) == [])
    if count > 40, do: IO.puts("#{count} seeds from #{first}: #{inspect(counts)}")
  end

  # Played again, with what led to it.
  defp story(seed) do
    {:error, %{faults: faults, trace: trace}} = Simulator.run(seed, trace: true)
    lines = trace |> Enum.reverse() |> Enum.map(fn {at, what} -> "  #{at} ms  #{inspect(what)}" end)
    "seed #{seed} (SIMULATIONS=1 SEED=#{seed}):\n" <> Enum.join(faults ++ lines, "\n")
  end

  test "a seed is played again to the last message" do
    for seed <- 1..3, do: assert(Simulator.run(seed) == Simulator.run(seed))
  end

  test "a log that takes what comes, whoever writes it, would be noticed" do
    assert {:error, %{faults: faults}} = Enum.find_value(1..20, &failing(&1, :log))
    assert Enum.any?(faults, &(&1 =~ "twice" or &1 =~ "gap"))
  end

  test "a session that leaves out what it has to send would be noticed" do
    assert {:error, %{faults: faults}} = Enum.find_value(1..5, &failing(&1, :session))
    assert Enum.any?(faults, &(&1 =~ "does not fit"))
  end

  for {what, sabotage} <- [
        {"a room that takes from its inbox before it opens it", :order},
        {"a room that does not look into its inbox once more when it has let it go", :resting},
        {"a room that looks for nothing uncounted when a session has gone", :asking}
      ] do
    test "#{what} would be noticed" do
      assert {:error, %{faults: faults}} = Enum.find_value(1..200, &failing(&1, unquote(sabotage)))
      assert Enum.any?(faults, &(&1 =~ "left in the inbox" or &1 =~ "lay there"))
    end
  end

  defp failing(seed, sabotage) do
    with {:ok, _} <- Simulator.run(seed, sabotage: sabotage), do: nil
  end
end
