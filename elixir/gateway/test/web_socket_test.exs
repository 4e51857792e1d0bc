defmodule Roomfold.Gateway.WebSocketTest do
  # What can go wrong on the wire, with a client that does it on purpose.
  use Roomfold.GatewayCase

  defp heartbeat(socket, ref \\ "h") do
    Client.message(socket, [nil, ref, "phoenix", "heartbeat", %{}])
    Client.await(socket, [nil, ref, "phoenix", "phx_reply", %{"status" => "ok", "response" => %{}}])
  end

  # Somebody else in the same room, who must not notice anything.
  defp witness(port) do
    socket = Client.connect(port, "witness")
    Client.join!(socket, "room:a")

    fn ->
      ref = Integer.to_string(System.unique_integer([:positive]))

      Client.message(socket, [
        "1",
        ref,
        "room:a",
        "user_moved",
        %{"user_id" => "witness", "position" => [1, 2, 3]}
      ])

      Client.await(socket, [
        "1",
        ref,
        "room:a",
        "phx_reply",
        %{"status" => "ok", "response" => %{"seq" => "*"}}
      ])
    end
  end

  describe "frames" do
    test "that are against the protocol end the connection, and nothing else" do
      {port, rooms} = start_gateway(max_message_bytes: 1_000)
      witness = witness(port)
      room = Room.whereis({rooms, "a"})

      for {what, expected} <- [
            {[Client.encode(:text, "[]", mask: false)], 1002},
            {[Client.encode(:text, "[]", rsv: 4)], 1002},
            {[Client.encode(3, "[]")], 1002},
            {[Client.encode(11, "[]")], 1002},
            {[Client.encode(:continuation, "[]")], 1002},
            {[Client.encode(:text, "[", fin: false), Client.encode(:text, "]")], 1002},
            {[Client.encode(:ping, "x", fin: false)], 1002},
            {[Client.encode(:ping, String.duplicate("x", 126))], 1002},
            {[Client.encode(:close, "x")], 1002},
            {[Client.encode(:text, <<255, 254>>)], 1007},
            {[Client.encode(:text, "[", fin: false), Client.encode(:continuation, <<255>>)], 1007},
            {[Client.encode(:text, String.duplicate(" ", 1_001))], 1009},
            {[Client.encode(:binary, "", length: 1_099_511_627_776)], 1009},
            {[Client.encode(:text, String.duplicate(" ", 900), fin: false)] ++
               [Client.encode(:continuation, String.duplicate(" ", 900))], 1009}
          ] do
        socket = Client.connect(port, "tom")
        Client.join!(socket, "room:a")
        :ok = :gen_tcp.send(socket, what)
        assert {^expected, _} = Client.await_close(socket), inspect(what)
        witness.()
      end

      assert Room.whereis({rooms, "a"}) == room
      eventually(fn -> length(connections()) == 1 end)
      eventually(fn -> length(channels()) == 1 end)
    end

    test "in parts, with a ping between them, are one message" do
      {port, _} = start_gateway()
      socket = Client.connect(port, "tom")
      <<a::binary-size(5), b::binary-size(7), c::binary>> = ~s([null,"é","phoenix","heartbeat",{}])
      Client.frame(socket, :text, a, fin: false)
      Client.frame(socket, :ping, "are you there?")
      assert {:pong, "are you there?"} = Client.receive_frame(socket)
      Client.frame(socket, :continuation, b, fin: false)
      Client.frame(socket, :pong, "nobody asked")
      Client.frame(socket, :continuation, c)
      Client.await(socket, [nil, "é", "phoenix", "phx_reply", %{"status" => "ok"}])
    end

    test "that come byte by byte, or many at once" do
      {port, _} = start_gateway()
      socket = Client.connect(port, "tom")
      bytes = IO.iodata_to_binary(Client.encode(:text, ~s([null,"1","phoenix","heartbeat",{}])))
      for <<byte <- bytes>>, do: :ok = :gen_tcp.send(socket, <<byte>>)
      Client.await(socket, [nil, "1", "phoenix", "phx_reply", "*"])

      :ok =
        :gen_tcp.send(
          socket,
          for(n <- 2..200, do: Client.encode(:text, ~s([null,"#{n}","phoenix","heartbeat",{}])))
        )

      for n <- 2..200, do: Client.await(socket, [nil, "#{n}", "phoenix", "phx_reply", "*"])
    end

    test "that stop half way keep nobody waiting but their client" do
      {port, rooms} = start_gateway()
      witness = witness(port)
      socket = Client.connect(port, "tom")
      Client.join!(socket, "room:a")

      <<half::binary-size(20), _::binary>> =
        IO.iodata_to_binary(Client.encode(:text, String.duplicate(" ", 100)))

      :ok = :gen_tcp.send(socket, half)
      for _ <- 1..20, do: witness.()
      assert Room.get({rooms, "a"}, "tom") == %{}
      # Yaws waits five seconds for the rest.
      eventually(fn -> length(connections()) == 1 end)
      eventually(fn -> length(channels()) == 1 end)
    end

    test "of closing are answered" do
      {port, _} = start_gateway()

      for {sent, code} <- [
            {<<1000::16>>, 1000},
            {<<1001::16, "away">>, 1001},
            {<<4000::16>>, 4000},
            {"", 1000}
          ] do
        socket = Client.connect(port, "tom")
        Client.frame(socket, :close, sent)
        assert {^code, _} = Client.await_close(socket)
        assert Client.receive_frame(socket) == :gone
      end
    end
  end

  describe "messages" do
    test "that are none close the connection, with the reason" do
      {port, _} = start_gateway()
      witness = witness(port)

      for {kind, payload, reason} <- [
            {:text, "", "not JSON"},
            {:text, "{", "not JSON"},
            {:text, "[1,2", "not JSON"},
            {:text, "{}", "a message is"},
            {:text, ~s(["1","1","room:a","phx_join"]), "a message is"},
            {:text, ~s([1,"1","room:a","phx_join",{}]), "refs, topic and event"},
            {:text, String.duplicate("[", 10_000), "not JSON"},
            {:binary, "", "not a binary push"},
            {:binary, <<7, 1, 2, 3>>, "not a binary push"},
            {:binary, <<0, 9, 9, 9, 9, "short">>, "not a binary push"}
          ] do
        socket = Client.connect(port, "tom")
        heartbeat(socket)
        Client.frame(socket, kind, payload)
        assert {1008, text} = Client.await_close(socket)
        assert text =~ reason
      end

      witness.()
    end

    test "to nobody" do
      {port, _} = start_gateway()
      socket = Client.connect(port, "tom")
      unmatched = %{"status" => "error", "response" => %{"reason" => "unmatched topic"}}

      for topic <- ["", "x", "room", "room:", "replay:", "rooms:a", "phoenix"] do
        Client.message(socket, ["1", "1", topic, "phx_join", %{}])
        Client.await(socket, [nil, "1", topic, "phx_reply", unmatched])
      end

      Client.message(socket, [nil, "2", "room:a", "user_moved", %{}])
      Client.await(socket, [nil, "2", "room:a", "phx_reply", unmatched])
      Client.message(socket, ["1", "3", "room:a", "phx_leave", %{}])
      Client.await(socket, ["1", "3", "room:a", "phx_reply", %{"status" => "ok"}])
      Client.message(socket, [nil, "4", "phoenix", "what", %{}])
      Client.await(socket, [nil, "4", "phoenix", "phx_reply", unmatched])
    end

    test "of a join that is over go nowhere" do
      {port, rooms} = start_gateway()
      socket = Client.connect(port, "tom")
      Client.join!(socket, "room:a", %{}, "1")

      Client.message(socket, [
        "0",
        "2",
        "room:a",
        "user_moved",
        %{"user_id" => "tom", "position" => [9, 9, 9]}
      ])

      Client.message(socket, ["0", "3", "room:a", "phx_leave", %{}])
      # Without a join's ref they go to the one there is.
      Client.message(socket, [
        nil,
        "4",
        "room:a",
        "user_moved",
        %{"user_id" => "tom", "position" => [1, 2, 3]}
      ])

      Client.await(socket, ["1", "4", "room:a", "phx_reply", %{"status" => "ok"}])
      assert Room.get({rooms, "a"}, "tom")["position"] == [1, 2, 3]
    end

    test "that the session refuses leave the channel as it is" do
      {port, _} = start_gateway()
      socket = Client.connect(port, "tom")
      Client.join!(socket, "room:a")

      for {event, payload, reason} <- [
            {"user_moved", %{"user_id" => "ann"}, "not_owned"},
            {"user_left", %{"user_id" => "tom"}, "not_allowed"},
            {"user_moved", %{"user_id" => "tom", "position" => "x"}, "wrong_type"},
            {"phx_error", %{}, "unknown_event"},
            {"user_moved", [1], "not_an_event"},
            {"user_moved", nil, "not_an_event"}
          ] do
        Client.message(socket, ["1", "r", "room:a", event, payload])
        answer = %{"status" => "error", "response" => %{"reason" => reason, "message" => "*"}}
        Client.await(socket, ["1", "r", "room:a", "phx_reply", answer])
      end

      # Payloads that are not JSON, or more than one thing: the room says so, and where.
      for {payload, reason} <- [
            {~s({"user_id":"tom",}), "unexpected_byte"},
            {~s({"user_id":"tom"},{"position":[1,2,3]}), "unexpected_byte"},
            {~s({"user_id":"tom"}\n{"event_name":"player_killed","user_id":"ann"}), "unexpected_byte"},
            {~s({"user_id":"tom","event_name":"player_killed"}), "duplicate_key"},
            {~s({"user_id":"tom","seq":7}), "reserved_field"},
            {~s({"user_id":"tom","user_id":"ann"}), "duplicate_key"},
            {~s({"user_id":"tom","pose":#{String.duplicate("[", 70)}#{String.duplicate("]", 70)}}),
             "too_deep"},
            {"{\"user_id\":\"t" <> <<0xC0>> <> "m\"}", :closed}
          ] do
        Client.frame(socket, :text, ~s(["1","r","room:a","user_moved",) <> payload <> "]")

        if reason == :closed do
          assert {1007, _} = Client.await_close(socket)
        else
          answer = %{"status" => "error", "response" => %{"reason" => reason, "message" => "*"}}
          Client.await(socket, ["1", "r", "room:a", "phx_reply", answer])
        end
      end

      socket = Client.connect(port, "tom")
      Client.join!(socket, "room:a")
      Client.frame(socket, :binary, <<0, 1, 1, 6, 1, "1", "b", "room:a", "x", 1, 2, 3>>)

      Client.await(socket, [
        "1",
        "b",
        "room:a",
        "phx_reply",
        %{"status" => "error", "response" => %{"reason" => "unknown_version"}}
      ])
    end
  end

  describe "joining" do
    test "what can't be joined says why" do
      {port, _} = start_gateway(max_channels: 2)
      socket = Client.connect(port, "tom")

      for {topic, params, reason} <- [
            {"room:a", %{"format" => "xml"}, %{"reason" => "invalid_argument", "field" => "format"}},
            {"room:a", %{"last_seq" => "1"}, %{"reason" => "invalid_argument", "field" => "last_seq"}},
            {"room:a", [], %{"reason" => "invalid_argument"}},
            {"replay:nothing", %{}, %{"reason" => "no_room"}}
          ] do
        Client.message(socket, ["1", "1", topic, "phx_join", params])
        Client.await(socket, ["1", "1", topic, "phx_reply", %{"status" => "error", "response" => reason}])
      end

      assert channels() == []
      Client.join!(socket, "room:a")
      Client.join!(socket, "room:b")
      Client.message(socket, ["1", "1", "room:c", "phx_join", %{}])

      Client.await(socket, [
        "1",
        "1",
        "room:c",
        "phx_reply",
        %{"status" => "error", "response" => %{"reason" => "too many channels joined"}}
      ])

      system = Client.connect(port, "system")
      Client.message(system, ["1", "1", "room:a", "phx_join", %{}])

      Client.await(system, [
        "1",
        "1",
        "room:a",
        "phx_reply",
        %{"status" => "error", "response" => %{"reason" => "invalid_id"}}
      ])
    end

    test "once more closes the first one" do
      {port, _} = start_gateway()
      socket = Client.connect(port, "tom")
      assert %{"gateway" => "development gateway, not Phoenix"} = Client.join!(socket, "room:a", %{}, "1")
      [first] = channels()
      Client.message(socket, ["2", "2", "room:a", "phx_join", %{}])
      Client.await(socket, ["1", "1", "room:a", "phx_close", %{}])
      Client.await(socket, ["2", "2", "room:a", "phx_reply", %{"status" => "ok"}])
      Client.await(socket, ["2", nil, "room:a", "snapshot", "*"])
      assert [second] = channels()
      assert second != first
    end

    test "of a client that comes back goes on where it was; of one that was in another history it begins anew" do
      {port, _} = start_gateway()
      socket = Client.connect(port, "tom")
      %{"term" => term} = Client.join!(socket, "room:a")
      Client.await(socket, ["1", nil, "room:a", "diff", %{"seq" => 1}])
      Client.join!(socket, "room:a", %{"last_seq" => 1, "last_term" => term}, "2")
      Client.await(socket, ["2", nil, "room:a", "diff", %{"from" => 1, "seq" => 1}])
      Client.join!(socket, "room:a", %{"last_seq" => 1, "last_term" => term - 1}, "3")
      Client.await(socket, ["3", nil, "room:a", "snapshot", %{"seq" => 1}])
    end

    test "leaving: answered, closed, gone" do
      {port, rooms} = start_gateway()
      socket = Client.connect(port, "tom")
      Client.join!(socket, "room:a")
      eventually(fn -> Room.get({rooms, "a"}, "tom") end)
      Client.message(socket, ["1", "2", "room:a", "phx_leave", %{}])
      Client.await(socket, ["1", "2", "room:a", "phx_reply", %{"status" => "ok", "response" => %{}}])
      Client.await(socket, ["1", "1", "room:a", "phx_close", %{}])
      assert channels() == []
      eventually(fn -> Room.get({rooms, "a"}, "tom") == nil end)
      heartbeat(socket)
    end

    test "a channel that crashes says phx_error, and can be joined again; others go on" do
      {port, rooms} = start_gateway()
      socket = Client.connect(port, "tom")
      Client.join!(socket, "room:a", %{}, "1")
      [a] = channels()
      Client.join!(socket, "room:b", %{}, "2")
      Process.exit(a, :kill)
      Client.await(socket, ["1", "1", "room:a", "phx_error", %{"reason" => "channel_crash"}])

      Client.message(socket, [
        "2",
        "3",
        "room:b",
        "user_moved",
        %{"user_id" => "tom", "position" => [1, 2, 3]}
      ])

      Client.await(socket, ["2", "3", "room:b", "phx_reply", %{"status" => "ok"}])
      Client.join!(socket, "room:a", %{}, "4")
      assert Room.get({rooms, "a"}, "tom") == %{}
    end

    test "a room that crashes is come back to, without the client's doing" do
      {port, rooms} = start_gateway()
      socket = Client.connect(port, "tom")
      Client.join!(socket, "room:a")
      Client.await(socket, ["1", nil, "room:a", "diff", "*"])
      Process.exit(Room.whereis({rooms, "a"}), :kill)

      Client.message(socket, [
        "1",
        "2",
        "room:a",
        "user_moved",
        %{"user_id" => "tom", "position" => [1, 2, 3]}
      ])

      Client.await(socket, ["1", "2", "room:a", "phx_reply", "*"])

      Client.message(socket, [
        "1",
        "3",
        "room:a",
        "user_moved",
        %{"user_id" => "tom", "position" => [4, 2, 3]}
      ])

      Client.await(socket, ["1", "3", "room:a", "phx_reply", %{"status" => "ok"}])
    end

    test "a message that is none of a channel's" do
      {port, _} = start_gateway()
      socket = Client.connect(port, "tom")
      Client.join!(socket, "room:a")
      [channel] = channels()
      send(channel, :what)
      send(hd(connections()), :what)
      heartbeat(socket)
      assert channels() == [channel]
    end
  end

  describe "who says nothing, or reads nothing," do
    test "is closed after a while" do
      {port, _} = start_gateway(idle_ms: 2_000)
      idle = Client.connect(port, "idle")
      busy = Client.connect(port, "busy")
      task = Task.async(fn -> Client.await_close(idle) end)
      for n <- 1..30, do: Process.sleep(100) && heartbeat(busy, "#{n}")
      assert {1008, "idle: a heartbeat was expected"} = Task.await(task, 60_000)
      eventually(fn -> length(connections()) == 1 end)
    end

    @big String.duplicate("x", 60_000)

    defp talk(rooms, n) do
      {:ok, _} =
        Room.publish(
          {rooms, "a"},
          {"update", %{"entity_id" => "tom", "components" => %{"text" => "#{n}" <> @big}}}
        )
    end

    test "gets no more than it may have unacknowledged, and is closed by the session" do
      {port, rooms} =
        start_gateway(
          room: [max_event_bytes: 100_000],
          session: [max_unacknowledged: 200_000, max_lag_ms: 200]
        )

      slow = Client.connect(port, "tom")
      Client.join!(slow, "room:a")
      for n <- 1..40, do: talk(rooms, n) && Process.sleep(10)
      Client.await(slow, ["1", nil, "room:a", "closing", %{"reason" => "too_slow"}])
      Client.await(slow, ["1", "1", "room:a", "phx_error", %{"reason" => "too_slow"}])
      assert channels() == []
      # And comes back.
      Client.join!(slow, "room:a", %{}, "2")
    end

    test "fills the network's buffers, not ours, and is cut off; the others go on" do
      {port, rooms} =
        start_gateway(
          room: [max_event_bytes: 100_000],
          session: [max_unacknowledged: 2_000_000, max_lag_ms: 60_000],
          send_timeout_ms: 500
        )

      witness = witness(port)
      [other] = connections()
      slow = Client.connect(port, "tom", socket: [recbuf: 4_096])
      Client.join!(slow, "room:a")
      [connection] = connections() -- [other]
      # It goes on acknowledging, so that the session goes on sending: all that stops it is the network.
      acknowledge = fn ->
        Client.message(slow, ["1", nil, "room:a", "ack", %{"seq" => Room.seq({rooms, "a"})}])
      end

      worst =
        Enum.reduce_while(1..2_000, 0, fn n, worst ->
          talk(rooms, n)
          acknowledge.()

          case Process.info(connection, [:message_queue_len, :memory, :binary]) do
            nil -> {:halt, {:closed, worst}}
            info -> {:cont, max(worst, Enum.sum(for {_, size, _} <- info[:binary], do: size) + info[:memory])}
          end
        end)

      assert {:closed, worst} = worst
      assert worst < 10_000_000
      witness.()
      eventually(fn -> connections() == [other] end)
    end
  end

  test "1,000 connections that come and go leave nothing behind" do
    {port, rooms} = start_gateway(room: [grace_ms: 0])
    witness = witness(port)
    witness.()
    before = length(Process.list())
    ports = length(Port.list())

    1..1_000
    |> Task.async_stream(
      fn n ->
        socket = Client.connect(port, "user-#{n}")
        Client.message(socket, ["1", "1", "room:a", "phx_join", %{}])
        # Some close as they should, some leave, some are just gone, some before they were answered.
        case rem(n, 4) do
          0 ->
            Client.frame(socket, :close, <<1000::16>>) && Client.await_close(socket)

          1 ->
            Client.message(socket, ["1", "2", "room:a", "phx_leave", %{}]) &&
              Client.await(socket, ["1", "1", "room:a", "phx_close", %{}])

          2 ->
            Client.await(socket, ["1", "1", "room:a", "phx_reply", %{"status" => "ok"}])

          3 ->
            :ok
        end

        :gen_tcp.close(socket)
      end,
      max_concurrency: 20,
      timeout: 120_000
    )
    |> Stream.run()

    eventually(fn -> length(connections()) == 1 and length(channels()) == 1 end)
    eventually(fn -> Map.keys(Room.snapshot({rooms, "a"})) == ["witness"] end)
    # Yaws keeps a few processes that accept.
    eventually(fn -> length(Process.list()) <= before + 10 and length(Port.list()) <= ports + 10 end)
    witness.()
  end
end
