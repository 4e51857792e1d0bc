defmodule Roomfold.Phoenix.PubSubTest do
  use Roomfold.PhoenixTest.Case, async: true

  alias Roomfold.{EventStream, PhoenixTest.Peers, Projector}

  @pubsub PhoenixTest.PubSub

  test "a room's events come to whoever subscribes to its stream", %{room: room} do
    :ok = Phoenix.PubSub.subscribe(@pubsub, "stream:" <> room)
    {:ok, 1} = Room.publish({@rooms, room}, {"user_joined", %{"user_id" => "tom"}})

    {:ok, 2} =
      Room.publish({@rooms, room}, {"user_moved", %{"user_id" => "tom", "pose" => "sits"}}, by: "tom")

    assert_receive {"user_joined", %{"user_id" => "tom", "seq" => 1, "by" => "server"}}

    assert_receive {"user_moved",
                    %{"user_id" => "tom", "pose" => "sits", "seq" => 2, "by" => "tom", "at" => at}}

    assert is_integer(at)
  end

  # The line of the design, as an application writes it that broadcasts already.
  test "what is broadcast without a room, a projector numbers, folds and tells", %{room: room} do
    start_supervised!(
      {Projector,
       stream: {Roomfold.Phoenix.PubSub, @pubsub},
       topic: "stream:" <> room,
       publish: "diffs:" <> room,
       every_ms: 10,
       name: :"projector_#{room}"}
    )

    :ok = Phoenix.PubSub.subscribe(@pubsub, "diffs:" <> room)
    :ok = Phoenix.PubSub.broadcast(@pubsub, "stream:" <> room, {"user_joined", %{"user_id" => "tom"}})

    :ok =
      Phoenix.PubSub.broadcast(
        @pubsub,
        "stream:" <> room,
        {"user_moved", %{"user_id" => "tom", "pose" => %{"head" => [0, 1, 2]}}}
      )

    eventually(fn ->
      Projector.get(:"projector_#{room}", "tom") == %{"pose" => %{"head" => [0, 1, 2]}}
    end)

    assert_receive {"diff", %{"creates" => %{"tom" => _}}}
  end

  test "a raw broadcast on a room's stream is not folded, but counted", %{room: room} do
    {:ok, 1} = Room.publish({@rooms, room}, {"user_joined", %{"user_id" => "tom"}})
    assert Room.info({@rooms, room}).strays == 0
    :ok = Phoenix.PubSub.broadcast(@pubsub, "stream:" <> room, {"user_left", %{"user_id" => "tom"}})
    assert Room.seq({@rooms, room}) == 1
    assert Room.get({@rooms, room}, "tom") == %{}
    assert Room.info({@rooms, room}).strays == 1
    # Its own events are none.
    {:ok, 2} = Room.publish({@rooms, room}, {"user_moved", %{"user_id" => "tom", "pose" => "sits"}})
    assert Room.info({@rooms, room}).strays == 1
  end

  test "who subscribes twice gets everything once; who unsubscribes, nothing", %{room: room} do
    stream = {Roomfold.Phoenix.PubSub, @pubsub}
    topic = EventStream.topic(room)
    refute EventStream.subscribers?(stream, topic)
    :ok = EventStream.subscribe(stream, topic)
    :ok = EventStream.subscribe(stream, topic)
    assert EventStream.subscribers?(stream, topic)
    events = for n <- 1..100, do: {"bell_rang", %{"n" => n}}
    :ok = EventStream.broadcast(stream, topic, events)
    assert for(_ <- 1..100, do: assert_receive({"bell_rang", _})) == events
    refute_receive _, 20
    :ok = EventStream.unsubscribe(stream, topic)
    :ok = EventStream.broadcast(stream, topic, events)
    refute_receive _, 20
  end

  @tag timeout: 120_000
  test "on two nodes: a subscriber hears the room of the other", %{room: room} do
    [one, two] = Peers.start!(2)
    :ok = Peers.call(two, PhoenixTest.Listener, :start, [@pubsub, "stream:" <> room])

    for n <- 1..20 do
      event = {"update", %{"entity_id" => "bell", "components" => %{"rings" => n}}}
      {:ok, ^n} = Peers.call(one, Room, :publish, [{@rooms, room}, event])
    end

    heard =
      eventually(fn ->
        (all = Peers.call(two, PhoenixTest.Listener, :heard, [])) && length(all) == 20 && all
      end)

    assert Enum.map(heard, fn {"update", payload} -> payload["seq"] end) == Enum.to_list(1..20)
  end
end
