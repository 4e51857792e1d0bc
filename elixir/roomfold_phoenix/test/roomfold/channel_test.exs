defmodule Roomfold.Phoenix.ChannelTest do
  use Roomfold.PhoenixTest.Case, async: true

  for path <- ["/socket", "/stock"] do
    describe "through #{path}" do
      test "join, snapshot, diffs without a gap, events with their seqs", %{room: room} do
        Room.publish(
          {@rooms, room},
          {"player_spawned", %{"user_id" => "ann", "position" => [1, 2, 3], "health" => 100}}
        )

        {reply, client} = join!("tom", room, %{"events" => true}, unquote(path))
        assert %{"seq" => 1, "user" => "tom", "format" => "json"} = reply
        {snapshot, client} = Client.await_event(client, "snapshot")
        assert snapshot["entities"]["ann"]["position"] == [1, 2, 3]

        {diff, client} = Client.await_event(client, "diff")
        assert {diff["from"], diff["seq"], Map.keys(diff["creates"])} == {1, 2, ["tom"]}

        {answer, client} = Client.call(client, "player_moved", %{"user_id" => "tom", "position" => [4, 5, 6]})
        assert answer == %{"status" => "ok", "response" => %{"seq" => 3}}
        {answer, client} = Client.call(client, "door_triggered", %{"id" => "gate", "text" => "äöü\n\"\\"})
        assert answer["response"]["seq"] == 4
        assert Room.get({@rooms, room}, "tom") == %{"position" => [4.0, 5.0, 6.0]}
        Client.close(client)
      end

      test "an integer from a database names a user", %{room: room} do
        {:ok, client} =
          Client.connect(
            Endpoint.port(),
            "/placed/websocket?vsn=2.0.0&token=" <> PhoenixTest.PlacedSocket.token(7, @rooms)
          )

        {reply, client} = join_as!(client, "room:" <> room, %{})
        assert reply["user"] == "7"
        {answer, client} = Client.call(client, "player_moved", %{"user_id" => "7", "position" => [1, 2, 3]})
        assert answer["status"] == "ok"
        Client.close(client)

        {reply, client} = join!(8, room, %{}, unquote(path))
        assert reply["user"] == "8"
        Client.close(client)
      end

      test "what is refused, with its reason and field", %{room: room} do
        {_, client} = join!("tom", room, %{}, unquote(path))

        for {event, payload, expected} <- [
              {"player_moved", %{"user_id" => "ann"}, %{"reason" => "not_owned", "field" => "user_id"}},
              {"player_moved", %{"user_id" => "tom", "position" => 7},
               %{"reason" => "wrong_type", "component" => "position"}},
              {"player_hit", %{"user_id" => "tom", "health" => 7}, %{"reason" => "not_allowed"}},
              {"moon_landed", %{}, %{"reason" => "unknown_event"}},
              {"player_moved", %{"user_id" => "tom", "seq" => 1},
               %{"reason" => "reserved_field", "field" => "seq"}},
              {"player_moved", %{"user_id" => "tom", "x" => String.duplicate("x", 5_000)},
               %{"reason" => "too_large"}}
            ],
            reduce: client do
          client ->
            {answer, client} = Client.call(client, event, payload)
            assert answer["status"] == "error"
            assert Map.take(answer["response"], Map.keys(expected)) == expected
            client
        end
      end
    end
  end

  # Phoenix's JavaScript writes refs as strings; other clients write numbers, and compare with what comes back.
  test "refs come back as the client wrote them", %{room: room} do
    for path <- ["/socket", "/stock"] do
      topic = "room:" <> room
      client = connect!("tom", path)
      Client.send_text(client, Jason.encode!([1, 1, topic, "phx_join", %{}]))
      {[1, 1, ^topic, "phx_reply", %{"status" => "ok"}], client} = Client.await(client, fn _ -> true end)

      assert {[1, nil, ^topic, "snapshot", _], client} =
               Client.await(client, &match?([_, _, _, "snapshot", _], &1))

      Client.send_text(client, Jason.encode!([1, 2, topic, "player_moved", %{"user_id" => "tom"}]))
      assert {[1, 2, ^topic, "phx_reply", _], client} = Client.await(client, &match?([_, 2 | _], &1))
      Client.close(client)
    end
  end

  test "what one does, the other sees; the stream is the application's PubSub", %{room: room} do
    Phoenix.PubSub.subscribe(PhoenixTest.PubSub, "stream:" <> room)
    {_, tom} = join!("tom", room)
    {_, ann} = join!("ann", room)
    {_, _} = Client.call(tom, "player_moved", %{"user_id" => "tom", "position" => [7, 7, 7]})
    await_position(ann, "tom", [7, 7, 7])
    assert_receive {"player_moved", %{"user_id" => "tom", "position" => [7, 7, 7], "seq" => _, "by" => "tom"}}
  end

  defp await_position(client, id, position) do
    {diff, client} = Client.await_event(client, "diff")
    changed = Map.merge(diff["creates"], diff["updates"])
    unless changed[id]["position"] == position, do: await_position(client, id, position)
  end

  describe "what the room says before the join is over" do
    # A socket whose messages come here.
    defp enter!(room) do
      {:ok, _} = Room.ensure_started({@rooms, room})

      socket = %Phoenix.Socket{
        serializer: Phoenix.Socket.V2.JSONSerializer,
        transport_pid: self(),
        topic: "room:" <> room,
        join_ref: "1",
        joined: true
      }

      session = Roomfold.Session.new(room: {@rooms, room}, user: "tom")
      {:ok, reply, socket} = Roomfold.Phoenix.Channel.enter(session, nil, %{}, socket)
      assert_receive {Roomfold.Phoenix.Channel, :joined} = over
      {reply, socket, over}
    end

    defp pushed do
      assert_received {:socket_push, :text, text}
      [_, _, _, event, payload] = Jason.decode!(text)
      {event, payload}
    end

    test "comes after the snapshot: a diff", %{room: room} do
      {%{"seq" => seq}, socket, over} = enter!(room)
      assert_receive {:roomfold, _, {:update, _}} = update
      {:noreply, socket} = Roomfold.Phoenix.Channel.handle_info(update, socket)
      {:noreply, _} = Roomfold.Phoenix.Channel.handle_info(over, socket)
      assert {"snapshot", %{"seq" => ^seq}} = pushed()
      assert {"diff", %{"from" => ^seq}} = pushed()
      refute_received {:socket_push, _, _}
    end

    test "comes after the snapshot: who is the authority", %{room: room} do
      {_, socket, over} = enter!(room)
      message = {:roomfold, room, {:authority, "ann"}}
      {:noreply, socket} = Roomfold.Phoenix.Channel.handle_info(message, socket)
      {:noreply, _} = Roomfold.Phoenix.Channel.handle_info(over, socket)
      assert {"snapshot", _} = pushed()
      assert {"authority", %{"user" => "ann"}} = pushed()
      refute_received {:socket_push, _, _}
    end
  end

  test "where a client has the room's authority, it speaks for the system, and no other does", %{room: room} do
    {:ok, _} = Room.ensure_started({@rooms, room}, authority: :client)
    {_, tom} = join!("tom", room)
    {_, ann} = join!("ann", room)

    batch = %{
      "events" => [%{"event" => "create", "entity_id" => "imp", "components" => %{"position" => [1, 2, 3]}}]
    }

    {%{"status" => "error", "response" => %{"reason" => "not_allowed"}}, ann} =
      Client.call(ann, "system", batch)

    {%{"status" => "ok", "response" => %{"seq" => _}}, _} = Client.call(tom, "system", batch)
    await_position(ann, "imp", [1, 2, 3])
  end

  test "coming back with the last seq", %{room: room} do
    {_, tom} = join!("tom", room)

    {%{"response" => %{"seq" => seq}}, tom} =
      Client.call(tom, "player_moved", %{"user_id" => "tom", "position" => [1, 0, 0]})

    Client.close(tom)

    {:ok, last} =
      Room.publish({@rooms, room}, {"update", %{"entity_id" => "tom", "components" => %{"hat" => "red"}}})

    {reply, tom} = join!("tom", room, %{"last_seq" => seq, "last_term" => Room.info({@rooms, room}).term})
    assert reply["seq"] == last
    {diff, _} = Client.await_event(tom, "diff")

    assert diff == %{
             "from" => seq,
             "seq" => last,
             "creates" => %{},
             "updates" => %{"tom" => %{"hat" => "red"}},
             "deletes" => []
           }
  end

  test "who leaves is gone; whose connection breaks has a time of grace", %{room: room} do
    {_, tom} = join!("tom", room)
    {_, ann} = join!("ann", room)
    eventually(fn -> Room.get({@rooms, room}, "tom") && Room.get({@rooms, room}, "ann") end)
    {_, tom} = Client.call(tom, "phx_leave", %{})
    eventually(fn -> Room.get({@rooms, room}, "tom") == nil end)
    Client.close(tom)
    Client.close(ann)
    assert Room.get({@rooms, room}, "ann") == %{}
    eventually(fn -> Room.get({@rooms, room}, "ann") == nil end)
  end

  test "an option that there is not, or that is none, is said when the channel is compiled" do
    for {module, opts, message} <- [
          {Roomfold.Phoenix.Channel, [room: PhoenixTest.Rooms], ~r/unknown keys \[:room\]/},
          {Roomfold.Phoenix.Channel, [session: [max_lag: 5]], ~r/unknown keys \[:max_lag\]/},
          {Roomfold.Phoenix.Channel, [session: [max_lag_ms: "5"]], ~r/:max_lag_ms must be/},
          {Roomfold.Phoenix.ReplayChannel, [presence: PhoenixTest.Presence], ~r/unknown keys \[:presence\]/},
          {Roomfold.Phoenix.Test, [channels: PhoenixTest.RoomChannel], ~r/unknown keys \[:channels\]/}
        ] do
      body =
        quote do
          use Phoenix.Channel
          use ExUnit.Case
          use unquote(module), unquote(opts)
        end

      assert_raise ArgumentError, message, fn ->
        Module.create(Module.concat(__MODULE__, "Misspelt"), body, Macro.Env.location(__ENV__))
      end
    end
  end

  test "a user can overrule every step", %{room: room} do
    Phoenix.PubSub.subscribe(PhoenixTest.PubSub, "ends")
    topic = "mine:" <> room
    asked = %{"word" => "sesame", "device" => "headset"}

    # join/3, authorize/3
    {[_, _, _, _, answer], tom} = Client.join(connect!("tom"), "mine:closed")
    assert answer == %{"status" => "error", "response" => %{"reason" => "closed"}}
    {[_, _, _, _, answer], tom} = Client.join(tom, topic)
    assert answer == %{"status" => "error", "response" => %{"reason" => "the word of #{room}?"}}

    # room/2, user/1, and join/3 with super
    {reply, tom} = join_as!(tom, topic, asked)
    assert {reply["user"], reply["hello"]} == {"mr tom", true}
    assert Room.info({@rooms, room}).users == ["mr tom"]

    # presence_meta/2
    {state, tom} = Client.await_event(tom, "presence_state")
    {state, tom} = if state == %{}, do: joins(tom), else: {state, tom}
    assert [%{"device" => "headset"}] = state["mr tom"]["metas"]

    # handle_in/3: an event of its own, and others under another name
    {answer, tom} = Client.call(tom, "ping", %{"n" => 1})
    assert answer == %{"status" => "ok", "response" => %{"n" => 1}}
    {answer, tom} = Client.call(tom, "moved", %{"user_id" => "mr tom", "position" => [1, 2, 3]})
    assert answer["status"] == "ok"
    assert Room.get({@rooms, room}, "mr tom")["position"] == [1.0, 2.0, 3.0]

    # session/2
    {answer, tom} = Client.call(tom, "moved", %{"user_id" => "mr tom", "x" => String.duplicate("x", 64)})
    assert answer["response"]["reason"] == "too_large"

    # handle_info/2
    [channel] = channels({@rooms, room})
    send(channel, {:say, "hello"})
    {said, tom} = Client.await_event(tom, "said")
    assert said == %{"text" => "hello"}

    # terminate/2, with super: who leaves is gone
    {_, _} = Client.call(tom, "phx_leave", %{})
    assert_receive {^topic, {:shutdown, :left}}
    eventually(fn -> Room.get({@rooms, room}, "mr tom") == nil end)
  end

  defp joins(client) do
    {diff, client} = Client.await_event(client, "presence_diff")
    {diff["joins"], client}
  end

  describe "packed input" do
    # As the browser client sends it: a binary push of the protocol.
    defp send_packed(client, input) do
      {:ok, frame} = Roomfold.Wire.encode_input(input)
      ref = to_string(client.ref + 1)
      {join_ref, topic} = {client.join_ref, client.topic}
      head = <<0, byte_size(join_ref), byte_size(ref), byte_size(topic), 5>>
      Client.send_binary(client, [head, join_ref, ref, topic, "input", frame])
      {ref, %{client | ref: client.ref + 1}}
    end

    test "poses and events of the domain, checked like any other", %{room: room} do
      {_, tom} = join!("tom", room)

      input = %{
        "ack" => 0,
        "input" => 1,
        "head" => %{"position" => [0, 1.5, 0], "rotation" => [0, 0, 0, 1]},
        "events" => [{"player_moved", %{"user_id" => "tom", "position" => [1, 2, 3]}}]
      }

      {ref, tom} = send_packed(tom, input)
      {[_, _, _, _, answer], tom} = Client.await(tom, &match?([_, ^ref, _, "phx_reply", _], &1))
      assert answer["status"] == "ok"
      tom_there = eventually(fn -> (found = Room.get({@rooms, room}, "tom")) && found["head"] && found end)
      assert tom_there["position"] == [1.0, 2.0, 3.0]

      {ref, tom} = send_packed(tom, %{"input" => 2, "events" => [{"player_moved", %{"user_id" => "ann"}}]})
      {[_, _, _, _, answer], tom} = Client.await(tom, &match?([_, ^ref, _, "phx_reply", _], &1))
      assert {answer["status"], answer["response"]["reason"]} == {"error", "not_owned"}
      {answer, _} = Client.call(tom, "player_moved", %{"user_id" => "tom", "position" => [4, 5, 6]})
      assert answer["status"] == "ok"
    end

    test "bytes that are no frame: an answer that says where", %{room: room} do
      {_, tom} = join!("tom", room)
      head = <<0, 1, 1, byte_size("room:" <> room), 5>>
      Client.send_binary(tom, [head, tom.join_ref, "7", "room:" <> room, "input", <<255, 1, 2>>])
      {[_, _, _, _, answer], _} = Client.await(tom, &match?([_, "7", _, "phx_reply", _], &1))
      assert %{"status" => "error", "response" => %{"reason" => reason}} = answer
      assert reason in ["unknown_version", "invalid_frame"]
    end
  end

  test "a room that crashes: the connection stays, without a gap", %{room: room} do
    {_, tom} = join!("tom", room)

    {%{"response" => %{"seq" => seq}}, tom} =
      Client.call(tom, "player_moved", %{"user_id" => "tom", "position" => [1, 0, 0]})

    Process.exit(Room.whereis({@rooms, room}), :kill)
    eventually(fn -> Room.info({@rooms, room}).connections == 1 end)
    {ref, tom} = Client.push(tom, "player_moved", %{"user_id" => "tom", "position" => [2, 0, 0]})
    {diff, tom} = await_seq(tom, seq + 1)
    assert diff["updates"]["tom"]["position"] == [2, 0, 0]
    {[_, _, _, _, answer], _} = Client.await(tom, &match?([_, ^ref, _, "phx_reply", _], &1))
    assert answer == %{"status" => "ok", "response" => %{"seq" => seq + 1}}
  end

  defp await_seq(client, seq) do
    {diff, client} = Client.await_event(client, "diff")
    if diff["seq"] == seq, do: {diff, client}, else: await_seq(client, seq)
  end
end
