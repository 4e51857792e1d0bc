defmodule Roomfold.Phoenix.ChannelTest do
  use ExUnit.Case, async: true

  alias Roomfold.{PhoenixTest, Room}
  alias Roomfold.PhoenixTest.{Client, Endpoint, UserSocket}

  @rooms PhoenixTest.Rooms

  setup do
    {:ok, room: "r#{System.unique_integer([:positive])}"}
  end

  defp port do
    {:ok, {_, port}} = Bandit.PhoenixAdapter.server_info(Endpoint, :http)
    port
  end

  defp connect!(user, path \\ "/socket") do
    {:ok, client} = Client.connect(port(), "#{path}/websocket?vsn=2.0.0&token=#{UserSocket.token(user)}")
    client
  end

  defp join!(user, room, params \\ %{}, path \\ "/socket") do
    {[_, _, _, _, answer], client} = Client.join(connect!(user, path), "room:" <> room, params)
    assert %{"status" => "ok", "response" => reply} = answer
    {reply, client}
  end

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

  test "text that is no JSON is an answer, not a closed connection", %{room: room} do
    {_, client} = join!("tom", room)
    Client.send_text(client, ~s(["#{client.join_ref}","99","room:#{room}","player_moved",{"user_id":}]))
    {[_, _, _, _, answer], client} = Client.await(client, &match?([_, "99", _, "phx_reply", _], &1))
    assert %{"status" => "error", "response" => %{"reason" => "unexpected_byte", "offset" => 11}} = answer
    {answer, _} = Client.call(client, "player_moved", %{"user_id" => "tom", "position" => [1, 1, 1]})
    assert answer["status"] == "ok"
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

  test "coming back with the last seq", %{room: room} do
    {_, tom} = join!("tom", room)

    {%{"response" => %{"seq" => seq}}, tom} =
      Client.call(tom, "player_moved", %{"user_id" => "tom", "position" => [1, 0, 0]})

    Client.close(tom)

    {:ok, last} =
      Room.publish({@rooms, room}, {"update", %{"entity_id" => "tom", "components" => %{"hat" => "red"}}})

    {reply, tom} = join!("tom", room, %{"last_seq" => seq})
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

  test "presence: several connections are one user, who comes and goes once", %{room: room} do
    {_, tom} = join!("tom", room)
    {state, tom} = Client.await_event(tom, "presence_state")
    assert Map.keys(state) in [[], ["tom"]]
    {_, ann} = join!("ann", room)
    {_, second} = join!("ann", room)
    metas = Map.new(state, fn {user, %{"metas" => metas}} -> {user, metas} end)

    {tom, metas} =
      follow(tom, metas, fn metas ->
        Enum.sort(Map.keys(metas)) == ["ann", "tom"] and length(metas["ann"]) == 2
      end)

    eventually(fn -> Room.get({@rooms, room}, "tom") && Room.get({@rooms, room}, "ann") end)
    Client.close(ann)
    {tom, metas} = follow(tom, metas, fn metas -> length(metas["ann"] || []) == 1 end)
    Client.close(second)
    {_, _} = follow(tom, metas, fn metas -> (metas["ann"] || []) == [] end)
    eventually(fn -> Room.get({@rooms, room}, "ann") == nil end)

    {:ok, world} = Room.state_at({@rooms, room}, Room.seq({@rooms, room}))
    assert Roomfold.World.count(world) == 1
  end

  defp follow(client, metas, done) do
    if done.(metas) do
      {client, metas}
    else
      {diff, client} = Client.await_event(client, "presence_diff")
      refs = fn list -> Enum.map(list, & &1["phx_ref"]) end

      metas =
        Enum.reduce(diff["joins"], metas, fn {user, %{"metas" => new}}, metas ->
          Map.update(metas, user, new, &(&1 ++ new))
        end)

      metas =
        Enum.reduce(diff["leaves"], metas, fn {user, %{"metas" => gone}}, metas ->
          Map.update(metas, user, [], fn all -> Enum.reject(all, &(&1["phx_ref"] in refs.(gone))) end)
        end)

      follow(client, metas, done)
    end
  end

  describe "at the door" do
    test "no token, a forged one, an old one, one for something else" do
      assert {:error, 403} = Client.connect(port(), "/socket/websocket?vsn=2.0.0")
      token = UserSocket.token("tom")
      assert {:error, 403} = Client.connect(port(), "/socket/websocket?vsn=2.0.0&token=#{token}x")
      old = UserSocket.token("tom", signed_at: System.system_time(:second) - 61)
      assert {:error, 403} = Client.connect(port(), "/socket/websocket?vsn=2.0.0&token=#{old}")
      other = Phoenix.Token.sign(Endpoint, "password reset", "tom")
      assert {:error, 403} = Client.connect(port(), "/socket/websocket?vsn=2.0.0&token=#{other}")
    end

    test "foreign origins" do
      path = "/socket/websocket?vsn=2.0.0&token=#{UserSocket.token("tom")}"

      ExUnit.CaptureLog.capture_log(fn ->
        assert {:error, 403} = Client.connect(port(), path, [{"Origin", "http://evil.example"}])
      end)

      assert {:ok, _} = Client.connect(port(), path, [{"Origin", "http://127.0.0.1:#{port()}"}])
    end

    test "rooms one may not join, topics that are none", %{room: room} do
      {[_, _, _, _, answer], client} = Client.join(connect!("tom"), "room:closed")
      assert answer == %{"status" => "error", "response" => %{"reason" => "closed"}}

      ExUnit.CaptureLog.capture_log(fn ->
        {[_, _, _, _, answer], _} = Client.join(client, "door:1")
        assert answer["status"] == "error"
      end)

      {[_, _, _, _, answer], _} = Client.join(connect!("tom"), "room:" <> room, %{"format" => "xml"})
      assert answer["response"]["field"] == "format"
    end
  end

  describe "those who behave badly" do
    test "a flood is shed, and the others do not notice", %{room: room} do
      {_, tom} = join!("tom", room)
      {_, ann} = join!("ann", room)

      for n <- 1..1_000, reduce: tom do
        tom -> elem(Client.push(tom, "player_moved", %{"user_id" => "tom", "position" => [n, 0, 0]}), 1)
      end

      for n <- 1..20, reduce: ann do
        ann ->
          {answer, ann} = Client.call(ann, "player_moved", %{"user_id" => "ann", "position" => [n, 0, 0]})
          assert answer["status"] == "ok"
          ann
      end

      # 50 at once, and 50 a second.
      assert Room.seq({@rooms, room}) < 400
    end

    test "a reader that never acknowledges is closed, with a reason", %{room: room} do
      {_, tom} = join!("tom", room)
      big = String.duplicate("x", 10_000)

      for n <- 1..60 do
        {:ok, _} =
          Room.publish(
            {@rooms, room},
            {"update", %{"entity_id" => "tom", "components" => %{"text" => "#{n}#{big}"}}}
          )

        Process.sleep(5)
      end

      {closing, _} = Client.await_event(tom, "closing")
      assert closing == %{"reason" => "too_slow"}
    end

    test "messages that are too long, and bytes that are no message", %{room: room} do
      {_, tom} = join!("tom", room)
      Client.send_text(tom, String.duplicate("x", 70_000))
      assert {{kind, _}, _} = skip_texts(tom)
      assert kind in [:close, :error]

      ExUnit.CaptureLog.capture_log(fn ->
        for bytes <- ["", "[", "nonsense", "[1,2,3]", "{}", <<255, 254>>, ~s([null,null,"room:#{room}","x"])] do
          {_, client} = join!("tom", room)
          Client.send_text(client, bytes)
          assert {{kind, _}, _} = skip_texts(client)
          assert kind in [:close, :error]
        end
      end)

      {_, client} = join!("tom", room)
      {answer, _} = Client.call(client, "player_moved", %{"user_id" => "tom", "position" => [1, 1, 1]})
      assert answer["status"] == "ok"
    end
  end

  defp skip_texts(client) do
    case Client.receive_frame(client) do
      {{:text, _}, client} -> skip_texts(client)
      other -> other
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

  defp eventually(function, tries \\ 200) do
    cond do
      function.() -> :ok
      tries == 0 -> flunk("it never became true")
      true -> Process.sleep(10) && eventually(function, tries - 1)
    end
  end
end
