defmodule XrTest do
  use ExUnit.Case, async: false

  alias Roomfold.ChannelTest.Client
  alias Roomfold.Room
  alias Xr.Browser

  defp socket(query, headers \\ []),
    do: Client.connect(Browser.port(), "/socket/websocket?vsn=2.0.0&" <> query, headers)

  defp guest(name, {cookie, params} \\ Browser.guest()), do: socket("user_id=#{name}&#{params}", [cookie])

  # One browser for all of them.
  defp guest!(name) do
    {:ok, client} = guest(name, Process.get(:browser) || tap(Browser.guest(), &Process.put(:browser, &1)))
    client
  end

  defp room, do: "test-#{System.unique_integer([:positive])}"

  describe "pages" do
    test "one page at the start, for a room and for a replay: the file of the package" do
      file = Application.app_dir(:roomfold, "priv/static/index.html")

      for path <- ["/", "/rooms/lobby", "/replays/match"] do
        {status, headers, body} = Browser.get(path)
        assert status == 200
        assert {_, "text/html; charset=utf-8"} = List.keyfind(headers, "content-type", 0)
        # Nothing is another but what it says when it connects.
        assert Regex.replace(~r/data-params="[^"]*"/, body, ~s(data-params="{}")) == File.read!(file)
      end
    end

    test "what the page loads, with its types" do
      for {path, type} <- [
            {"/roomfold.mjs", "text/javascript"},
            {"/replay/replay.css", "text/css"},
            {"/demo/freedm-0.12-MAP21.json", "application/json"}
          ] do
        {status, headers, body} = Browser.get(path, [{"Accept-Encoding", "gzip"}])
        assert status == 200, path
        assert {_, found} = List.keyfind(headers, "content-type", 0)
        assert found =~ type
        assert body != ""
      end
    end

    test "which rooms there are, and what there is not" do
      id = room()
      {:ok, _} = Room.ensure_started({Xr.Rooms, id})
      {200, _, body} = Browser.get("/rooms")
      assert %{"rooms" => rooms} = Jason.decode!(body)
      assert Enum.find(rooms, &(&1["id"] == id))
      assert {404, _, ~s({"reason":"Not Found"})} = Browser.get("/nothing")

      for path <- ["/demo/../../mix.exs", "/demo/%2e%2e/%2e%2e/mix.exs"],
          do: assert({400, _, _} = Browser.get(path))
    end
  end

  describe "who one is" do
    defp answer(client, id \\ "names") do
      {[_, _, _, _, answer], client} = Client.join(client, "room:" <> id)
      Client.close(client)
      answer
    end

    test "a name is whose who takes it first; another is told so" do
      name = room()
      one = Browser.guest()

      for _ <- 1..2 do
        {:ok, client} = guest(name, one)
        {[_, _, _, _, answer], _} = Client.join(client, "room:names")
        assert answer["status"] == "ok"
      end

      {:ok, client} = guest(name, Browser.guest())
      assert %{"status" => "error", "response" => response} = answer(client)
      assert %{"reason" => "name_taken", "message" => message} = response
      assert message =~ name
    end

    test "without the page's cookie or its token, or with altered ones: no connection" do
      {{_, value} = cookie, params} = Browser.guest()
      assert {:error, 403} = socket("user_id=tom")
      assert {:error, 403} = socket("user_id=tom&" <> params)
      assert {:error, 403} = socket("user_id=tom", [cookie])
      assert {:error, 403} = guest("tom", {{"Cookie", value <> "x"}, params})
      assert {:error, 403} = guest("tom", {cookie, params <> "x"})
      assert {:error, 403} = socket(params, [cookie])
    end

    test "names of the room's own, and what is none" do
      for name <- ["", "system", "Server", String.duplicate("x", 65)] do
        {:ok, client} = guest(name)
        assert answer(client)["status"] == "error"
      end
    end

    defp await(function, tries \\ 3_000) do
      cond do
        value = function.() -> value
        tries == 0 -> flunk("it did not become so")
        true -> Process.sleep(10) && await(function, tries - 1)
      end
    end

    test "no name of what is in the room, which stays as it is" do
      id = room()
      {:ok, _} = Room.ensure_started({Xr.Rooms, id})
      item = await(fn -> Enum.find(Map.keys(Room.snapshot({Xr.Rooms, id})), &(&1 =~ ~r/^shotgun-/)) end)

      for name <- ["imp-1", item, "sector-68"] do
        {:ok, client} = guest(name)
        assert %{"status" => "error", "response" => response} = answer(client, id)
        assert %{"reason" => "invalid_name", "field" => "user_id"} = response
        assert Room.get({Xr.Rooms, id}, name)
      end

      # Nor by a token, nor of what only this room has.
      lamp = %{"entity_id" => "lamp", "components" => %{"kind" => "light"}}
      {:ok, _} = Room.publish({Xr.Rooms, id}, {"create", lamp})
      {:ok, client} = socket("token=" <> Roomfold.Phoenix.Token.sign(XrWeb.Endpoint, "lamp"))
      assert %{"status" => "error", "response" => response} = answer(client, id)
      assert %{"reason" => "not_allowed", "field" => "user_id", "message" => message} = response
      assert message =~ "lamp"
      assert Room.info({Xr.Rooms, id}).users == []
    end

    test "a token of the application's says it without a cookie, and no guest can then be it" do
      name = room()
      token = Roomfold.Phoenix.Token.sign(XrWeb.Endpoint, name)
      assert {:error, 403} = socket("token=#{token}x")
      assert {:ok, client} = socket("token=#{token}&user_id=tom")
      {[_, _, _, _, answer], _} = Client.join(client, "room:names")
      assert answer["response"]["user"] == name
      {:ok, client} = guest(name)
      assert answer(client)["response"]["reason"] == "name_taken"
    end

    test "another site's page gets no socket" do
      {cookie, params} = Browser.guest()
      assert {:error, 403} = socket("user_id=tom&" <> params, [cookie, {"Origin", "http://evil.example"}])
    end
  end

  describe "a room" do
    test "two guests see each other in the level; the events are on Xr.PubSub" do
      id = room()
      :ok = Phoenix.PubSub.subscribe(Xr.PubSub, "stream:" <> id)
      {[_, _, _, _, answer], tom} = Client.join(guest!("tom"), "room:" <> id, %{"events" => true})
      assert %{"status" => "ok", "response" => %{"user" => "tom"}} = answer
      {snapshot, tom} = Client.await_event(tom, "snapshot")
      assert snapshot["entities"]["arena"]["level"] =~ "/demo/"
      {state, tom} = Client.await_event(tom, "presence_state")
      assert is_map_key(state, "tom")
      {_, ann} = Client.join(guest!("ann"), "room:" <> id)
      assert_receive {"player_spawned", %{"user_id" => "ann", "by" => "server"}}
      position = Room.get({Xr.Rooms, id}, "ann")["position"]
      {answer, _} = Client.call(ann, "player_moved", %{"user_id" => "ann", "position" => position})
      assert answer["status"] == "ok"
      assert_receive {"player_moved", %{"user_id" => "ann", "by" => "ann"}}
      {joined, _} = Client.await(tom, &match?([_, _, _, "presence_diff", %{"joins" => %{"ann" => _}}], &1))
      assert joined
    end

    test "what there is in it, no guest makes, changes or deletes" do
      id = room()
      # Another name than in other tests, whose grace may not be over.
      name = "forger-" <> id
      {[_, _, _, _, %{"status" => "ok"}], client} = Client.join(guest!(name), "room:" <> id)
      await(fn -> Room.get({Xr.Rooms, id}, name) end)

      forged = [
        {"create", %{"entity_id" => "mine", "components" => %{"kind" => "trigger", "owner" => name}}},
        {"update", %{"entity_id" => name, "components" => %{"health" => 200}}},
        {"delete", %{"entity_id" => name}}
      ]

      Enum.reduce(forged, client, fn {event, payload}, client ->
        {answer, client} = Client.call(client, event, payload)
        assert %{"status" => "error", "response" => %{"reason" => "not_allowed"}} = answer, event
        client
      end)

      assert Room.get({Xr.Rooms, id}, "mine") == nil
      assert Room.get({Xr.Rooms, id}, name)["kind"] == "player"
    end

    test "names that are none start no room" do
      for id <- ["", "a b", "../x", String.duplicate("x", 65)] do
        {[_, _, _, _, answer], _} = Client.join(guest!("lost"), "room:" <> id)
        assert answer["status"] == "error"
        refute id in Roomfold.Rooms.running(Xr.Rooms)
      end
    end
  end

  describe "a replay" do
    test "of the shipped match, paused and sought" do
      {[_, _, _, _, answer], tom} = Client.join(guest!("watcher"), "replay:match", %{"paused" => true})
      assert %{"replay" => %{"paused" => true, "last_seq" => last}} = answer["response"]
      assert last > 1_000
      {answer, tom} = Client.call(tom, "seek", %{"seq" => 500})
      assert answer["response"]["seq"] == 500
      {[_, _, _, _, snapshot], _} = Client.await(tom, &match?([_, _, _, "snapshot", %{"seq" => 500}], &1))
      assert map_size(snapshot["entities"]) > 0
    end

    test "of a room that there is not: an answer that says so" do
      {[_, _, _, _, answer], _} = Client.join(guest!("seeker"), "replay:never-was")
      assert %{"status" => "error", "response" => %{"reason" => "no_room"}} = answer
    end
  end
end
