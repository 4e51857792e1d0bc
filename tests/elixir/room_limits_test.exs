defmodule Roomfold.RoomLimitsTest do
  # What each user may send, and that a room forgets who sends no more.
  use ExUnit.Case, async: true

  alias Roomfold.Room.{Limit, Limits}

  @rates Limit.rates(4, 400, 3)

  # How many buckets it has.
  defp size(limits), do: map_size(limits.recent) + map_size(limits.older)

  defp take(limits, user, events, bytes, now) do
    limits = Limits.forget(limits, now)
    {verdict, recent} = Limits.take(limits.recent, limits, user, events, bytes, now)
    {verdict, %{limits | recent: recent}}
  end

  test "what is forgotten makes no difference: the verdicts are those of buckets that are all kept" do
    for seed <- 1..100 do
      :rand.seed(:exsss, {seed, 0, 0})

      Enum.reduce(1..300, {Limits.new(@rates, 0), %{}, 0}, fn _, {limits, buckets, now} ->
        now = now + Enum.random([0, 1, 40, 300, 1_000, 2_999, 3_000, 3_001, 7_000])
        {user, events, bytes} = {Enum.random(~w(ann bob eve)), Enum.random(0..7), Enum.random(0..700)}
        bucket = Map.get_lazy(buckets, user, fn -> Limit.new(@rates, now) end)
        {expected, bucket} = Limit.take(bucket, @rates, events, bytes, now)
        assert {^expected, limits} = take(limits, user, events, bytes, now)
        {limits, Map.put(buckets, user, bucket), now}
      end)
    end
  end

  test "a full bucket is what may be sent at once; time gives back at the rates, and never goes back" do
    full = Limit.new(@rates, 1_000)
    assert {:ok, empty} = Limit.take(full, @rates, 12, 1_200, 1_000)
    assert {:limited, _} = Limit.take(full, @rates, 13, 0, 1_000)
    assert {:limited, _} = Limit.take(full, @rates, 0, 1_201, 1_000)
    assert {:limited, _} = Limit.take(empty, @rates, 1, 0, 1_249)
    assert {:ok, _} = Limit.take(empty, @rates, 1, 100, 1_250)
    assert {:limited, _} = Limit.take(empty, @rates, 1, 101, 1_250)
    assert {:limited, ^empty} = Limit.take(empty, @rates, 1, 0, 500)
    assert {:limited, _} = Limit.take(empty, @rates, 13, 0, 1_000_000)
    assert {:ok, _} = Limit.take(empty, @rates, 12, 1_200, 1_000_000)
  end

  test "only who has sent lately is remembered" do
    limits =
      Enum.reduce(1..10_000, Limits.new(@rates, 0), fn n, limits ->
        {:ok, limits} = take(limits, "user #{n}", 1, 10, n * 10)
        assert size(limits) <= 600
        limits
      end)

    assert {:ok, limits} = take(limits, "tom", 1, 10, 110_000)
    assert {:ok, limits} = take(limits, "tom", 1, 10, 120_000)
    assert {Map.keys(limits.recent), Map.keys(limits.older)} == {["tom"], ["tom"]}
  end
end
