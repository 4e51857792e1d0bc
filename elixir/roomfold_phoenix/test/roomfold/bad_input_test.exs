defmodule Roomfold.Phoenix.BadInputTest do
  # What clients must not get away with, over real sockets: refused or dropped with a reason, and the others do not notice.
  use Roomfold.PhoenixTest.Case, async: true

  alias Roomfold.Phoenix.Token

  describe "at the door" do
    test "no token, a forged one, an old one, one for something else" do
      path = "/socket/websocket?vsn=2.0.0"
      assert {:error, 403} = Client.connect(Endpoint.port(), path)
      assert {:error, 403} = Client.connect(Endpoint.port(), path <> "&user_id=tom")
      token = UserSocket.token("tom")
      assert {:error, 403} = Client.connect(Endpoint.port(), path <> "&token=#{token}x")
      assert {:error, 403} = Client.connect(Endpoint.port(), path <> "&token=#{altered(token)}")
      old = UserSocket.token("tom", signed_at: System.system_time(:second) - 61)
      assert {:error, 403} = Client.connect(Endpoint.port(), path <> "&token=#{old}")
      other = Phoenix.Token.sign(Endpoint, "password reset", "tom")
      assert {:error, 403} = Client.connect(Endpoint.port(), path <> "&token=#{other}")
      elsewhere = Token.sign(String.duplicate("elsewhere", 8), "tom")
      assert {:error, 403} = Client.connect(Endpoint.port(), path <> "&token=#{elsewhere}")
    end

    # Another user in it, under the old signature.
    defp altered(token) do
      [protected, payload, signature] = String.split(token, ".")
      payload = payload |> Base.url_decode64!(padding: false) |> String.replace("tom", "eve")
      Enum.join([protected, Base.url_encode64(payload, padding: false), signature], ".")
    end

    test "foreign origins" do
      path = "/socket/websocket?vsn=2.0.0&token=#{UserSocket.token("tom")}"
      assert {:error, 403} = Client.connect(Endpoint.port(), path, [{"Origin", "http://evil.example"}])

      assert {:error, 403} =
               Client.connect(Endpoint.port(), path, [{"Origin", "http://127.0.0.1.evil.example"}])

      assert {:ok, _} =
               Client.connect(Endpoint.port(), path, [{"Origin", "http://127.0.0.1:#{Endpoint.port()}"}])
    end

    test "tokens at the join: missing, for another room, old, altered", %{room: room} do
      topic = "token:" <> room

      for {params, why} <- [
            {%{}, "token_missing"},
            {%{"token" => 7}, "token_missing"},
            {%{"token" => UserSocket.token("tom", room: "another")}, "token_for_another_room"},
            {%{"token" => UserSocket.token("tom", signed_at: System.system_time(:second) - 61)},
             "token_expired"},
            {%{"token" => altered(UserSocket.token("tom"))}, "token_invalid"}
          ] do
        {[_, _, _, _, answer], client} = Client.join(guest(), topic, params)

        assert %{"status" => "error", "response" => %{"reason" => ^why, "field" => "token"}} = answer
        Client.close(client)
      end

      # Nobody has started it by asking.
      assert Room.whereis({@rooms, room}) == nil

      for token <- [UserSocket.token("tom"), UserSocket.token("tom", room: room)] do
        {reply, client} = join_as!(guest(), topic, %{"token" => token, "user" => "eve", "user_id" => "eve"})
        assert reply["user"] == "tom"
        Client.close(client)
      end
    end

    defp guest do
      {:ok, client} = Client.connect(Endpoint.port(), "/socket/websocket?vsn=2.0.0&guest=1")
      client
    end

    test "a user that nobody knows", %{room: room} do
      {[_, _, _, _, answer], _} = Client.join(guest(), "room:" <> room)
      assert %{"status" => "error", "response" => %{"reason" => "unknown_user"} = response} = answer
      assert response["message"] =~ "the socket has no :user_id"
    end

    test "rooms one may not join, topics that are none, bad parameters", %{room: room} do
      {[_, _, _, _, answer], client} = Client.join(connect!("tom"), "room:closed")
      assert answer == %{"status" => "error", "response" => %{"reason" => "closed"}}
      {[_, _, _, _, answer], _} = Client.join(client, "door:1")
      assert answer["status"] == "error"

      for {topic, params, field} <- [
            {"room:" <> room, %{"format" => "xml"}, "format"},
            {"room:" <> room, %{"last_seq" => -1}, "last_seq"},
            {"room:" <> room, %{"last_seq" => "7"}, "last_seq"},
            {"room:", %{}, "room"},
            {"room:" <> String.duplicate("x", 256), %{}, "room"}
          ] do
        {[_, _, _, _, answer], _} = Client.join(connect!("tom"), topic, params)
        assert answer["status"] == "error", topic
        assert answer["response"]["field"] == field
      end
    end
  end

  describe "inside" do
    test "another's id, under whatever name", %{room: room} do
      {_, ann} = join!("ann", room)
      {_, eve} = join!("eve", room, %{"user_id" => "ann", "user" => "ann"})
      {_, ann} = Client.call(ann, "player_moved", %{"user_id" => "ann", "position" => [1, 1, 1]})

      for {event, payload, reason} <- [
            {"player_moved", %{"user_id" => "ann", "position" => [9, 9, 9]}, "not_owned"},
            {"player_moved", %{"user_id" => "eve", "by" => "ann"}, "reserved_field"},
            {"user_left", %{"user_id" => "ann"}, "not_allowed"},
            {"delete", %{"entity_id" => "ann"}, "not_owned"},
            {"update", %{"entity_id" => "ann", "components" => %{"health" => 0}}, "not_owned"}
          ],
          reduce: eve do
        eve ->
          {answer, eve} = Client.call(eve, event, payload)
          assert {answer["status"], answer["response"]["reason"]} == {"error", reason}, event
          eve
      end

      assert Room.get({@rooms, room}, "ann")["position"] == [1.0, 1.0, 1.0]
      Client.close(ann)
    end

    test "topics of rooms that one has not joined", %{room: room} do
      {:ok, 1} = Room.publish({@rooms, room <> "-other"}, {"user_joined", %{"user_id" => "tom"}})
      {_, tom} = join!("tom", room)

      Client.send_text(
        tom,
        Jason.encode!([tom.join_ref, "9", "room:#{room}-other", "player_moved", %{"user_id" => "tom"}])
      )

      {[_, _, _, _, answer], _} = Client.await(tom, &match?([_, "9", _, "phx_reply", _], &1))
      assert answer == %{"status" => "error", "response" => %{"reason" => "unmatched topic"}}
      assert Room.seq({@rooms, room <> "-other"}) == 1
    end

    test "messages that are too long, and bytes that are no message: that connection, no other", %{room: room} do
      {_, ann} = join!("ann", room)
      {_, tom} = join!("tom", room)
      Client.send_text(tom, String.duplicate("x", 70_000))
      assert closed?(tom)

      for bytes <- ["", "[", "nonsense", "[1,2,3]", "{}", <<255, 254>>, ~s([null,null,"room:#{room}","x"])] do
        {_, client} = join!("tom", room)
        Client.send_text(client, bytes)
        assert closed?(client), inspect(bytes)
      end

      for bytes <- ["", <<0>>, <<7, 1, 1, 1, 1>>, <<0, 255, 255, 255, 255, 1>>] do
        {_, client} = join!("tom", room)
        Client.send_binary(client, bytes)
        assert closed?(client), inspect(bytes)
      end

      # A kind of frame that there is not.
      {_, client} = join!("tom", room)
      Client.send_frame(client, 11, "x")
      assert closed?(client)

      {answer, _} = Client.call(ann, "player_moved", %{"user_id" => "ann", "position" => [1, 1, 1]})
      assert answer["status"] == "ok"
    end

    test "text that is no JSON, and what is too large for an event: an answer, and the connection stays", %{
      room: room
    } do
      {_, tom} = join!("tom", room)
      Client.send_text(tom, ~s(["#{tom.join_ref}","99","room:#{room}","player_moved",{"user_id":}]))
      {[_, _, _, _, answer], tom} = Client.await(tom, &match?([_, "99", _, "phx_reply", _], &1))
      assert %{"status" => "error", "response" => %{"reason" => "unexpected_byte", "offset" => 11}} = answer

      deep = String.duplicate("[", 100) <> String.duplicate("]", 100)

      Client.send_text(
        tom,
        ~s(["#{tom.join_ref}","98","room:#{room}","player_moved",{"user_id":"tom","x":#{deep}}])
      )

      {[_, _, _, _, answer], tom} = Client.await(tom, &match?([_, "98", _, "phx_reply", _], &1))
      assert {answer["status"], answer["response"]["reason"]} == {"error", "too_deep"}
      {answer, tom} = Client.call(tom, "player_moved", %{"x" => String.duplicate("x", 5_000)})
      assert answer["response"]["reason"] == "too_large"
      {answer, _} = Client.call(tom, "player_moved", %{"user_id" => "tom", "position" => [1, 1, 1]})
      assert answer["status"] == "ok"
    end
  end

  describe "those who take too much" do
    test "a thousand messages at once are shed, and the others do not notice", %{room: room} do
      {_, tom} = join!("tom", room)
      {_, ann} = join!("ann", room)

      tom =
        for n <- 1..1_000, reduce: tom do
          tom -> elem(Client.push(tom, "player_moved", %{"user_id" => "tom", "position" => [n, 0, 0]}), 1)
        end

      for n <- 1..20, reduce: ann do
        ann ->
          {answer, ann} = Client.call(ann, "player_moved", %{"user_id" => "ann", "position" => [n, 0, 0]})
          assert answer["status"] == "ok"
          ann
      end

      {[_, _, _, _, answer], _} =
        Client.await(tom, &match?([_, _, _, "phx_reply", %{"status" => "error"}], &1))

      assert answer["response"]["reason"] == "rate_limited"
      # 50 at once, and 50 a second.
      assert Room.seq({@rooms, room}) < 400
    end

    test "a reader that never acknowledges is closed, with a reason", %{room: room} do
      {_, tom} = join!("tom", room)
      fill(room, 60)
      {closing, tom} = Client.await_event(tom, "closing")
      assert closing == %{"reason" => "too_slow"}
      # As an error, which browser clients take for a reason to join again: not as a close, which is the end.
      {[_, _, _, event, _], tom} = Client.await(tom, &match?([_, _, _, "phx_" <> _, _], &1))
      assert event == "phx_error"
      {_, tom} = join_as!(tom, "room:" <> room, %{})
      {snapshot, _} = Client.await_event(tom, "snapshot")
      assert snapshot["seq"] == Room.seq({@rooms, room})
    end

    test "a reader that never reads costs what may be unacknowledged, and is closed", %{room: room} do
      {:ok, tom} = Client.connect(Endpoint.port(), path("tom"), [], recbuf: 4_096)
      {_, tom} = join_as!(tom, "room:" <> room, %{})
      [channel] = channels({@rooms, room})
      transport = :sys.get_state(channel).transport_pid
      fill(room, 60)
      # Its channel is gone, and what its connection has to send is bounded.
      eventually(fn -> Room.info({@rooms, room}).users == [] end)
      {:message_queue_len, waiting} = Process.info(transport, :message_queue_len) || {:message_queue_len, 0}
      assert waiting < 100
      {_, ann} = join!("ann", room)
      {answer, _} = Client.call(ann, "player_moved", %{"user_id" => "ann", "position" => [1, 1, 1]})
      assert answer["status"] == "ok"
      Client.close(tom)
    end
  end

  defp path(user), do: "/socket/websocket?vsn=2.0.0&token=#{UserSocket.token(user)}"

  # So much that what may be unacknowledged, 200,000 bytes, is soon too little.
  defp fill(room, count) do
    big = String.duplicate("x", 10_000)

    for n <- 1..count do
      components = %{"text" => "#{n}#{big}"}
      {:ok, _} = Room.publish({@rooms, room}, {"update", %{"entity_id" => "tom", "components" => components}})
      Process.sleep(5)
    end
  end

  # Whatever still comes before it.
  defp closed?(client) do
    case Client.receive_frame(client) do
      {{kind, _}, client} when kind in [:text, :binary] -> closed?(client)
      {{kind, reason}, _} -> kind == :close or reason in [:closed, :econnreset]
    end
  end
end
