defmodule Roomfold.Phoenix.SwapTest do
  # The example of docs/phoenix.md: a projection in Elixir, and the one in C that takes its place.
  use Roomfold.PhoenixTest.Case, async: true

  alias Roomfold.Projection

  @examples Path.expand("../../../../docs/examples/swap", __DIR__)
  for file <- ["before.ex", "after.ex"], do: Code.require_file(file, @examples)

  alias Cellar.World.{After, Before}

  @pubsub PhoenixTest.PubSub

  test "both have the same world, from the same stream", %{room: room} do
    opts = [pubsub: @pubsub, stream: "stream:" <> room]
    before = :"before_#{room}"
    later = :"after_#{room}"
    start_supervised!({Before, opts ++ [diffs: "before:" <> room, name: before]})
    start_supervised!({After, opts ++ [diffs: "after:" <> room, name: later]})
    :ok = Phoenix.PubSub.subscribe(@pubsub, "before:" <> room)
    :ok = Phoenix.PubSub.subscribe(@pubsub, "after:" <> room)

    for event <- stream(500), do: :ok = Phoenix.PubSub.broadcast(@pubsub, "stream:" <> room, event)

    eventually(fn -> Before.snapshot(before) == After.snapshot(later) and Before.snapshot(before) != %{} end)
    {id, entity} = After.snapshot(later) |> Enum.at(0)
    assert Before.get(before, id) == entity and After.get(later, id) == entity
    assert_receive {"diff", %{"changed" => _}}
    assert_receive {"diff", %{"creates" => _}}
  end

  test "compare says that they agree, before anything is swapped" do
    assert {:ok, %{folded: 2_000}} =
             Projection.compare(stream(2_000), &Before.apply_event/2, rules: After.rules())
  end

  test "and names the first event where they do not" do
    # As it is easily written: who was gone comes back with a late movement.
    careless = fn
      {"user_moved", %{"user_id" => id} = payload}, world ->
        Map.update(world, id, payload, &Map.merge(&1, Map.take(payload, ["pose", "position"])))

      event, world ->
        Before.apply_event(event, world)
    end

    events = [
      {"user_joined", %{"user_id" => "tom", "pose" => "stands"}},
      {"user_left", %{"user_id" => "tom"}},
      {"user_moved", %{"user_id" => "tom", "pose" => "runs"}}
    ]

    assert {:different, found} = Projection.compare(events, careless, rules: After.rules())
    assert {found.index, found.id, found.world} == {2, "tom", nil}
  end

  # Positions that a binary32 has as well, so that the maps are equal to the last bit.
  defp stream(count) do
    :rand.seed(:exsss, 4)
    for _ <- 1..count, do: event("user#{:rand.uniform(20)}", :rand.uniform(10))
  end

  defp event(id, 1), do: {"user_joined", %{"user_id" => id, "pose" => "stands"}}
  defp event(id, 2), do: {"user_left", %{"user_id" => id}}

  defp event(id, n),
    do: {"user_moved", %{"user_id" => id, "position" => [n / 4, 0.0, -n * 1.0], "pose" => "walks"}}
end
