defmodule Roomfold.Phoenix.TestTest do
  # The helpers for users' own tests, and a channel that writes terms, as those of Phoenix.ChannelTest do.
  use ExUnit.Case, async: true

  use Roomfold.Phoenix.Test,
    rooms: Roomfold.PhoenixTest.Rooms,
    endpoint: Roomfold.PhoenixTest.Endpoint,
    channel: Roomfold.PhoenixTest.RoomChannel

  test "joins, is there and says something", %{room: room} do
    {reply, tom} = join_room(room, "tom")
    assert %{"user" => "tom", "seq" => 0} = reply
    assert_push("snapshot", %{"seq" => 0, "entities" => %{}})
    seq = say!(tom, "player_moved", %{"user_id" => "tom", "position" => [1, 2, 3]})
    assert entity(room, "tom", & &1["position"])["position"] == [1.0, 2.0, 3.0]
    assert_push("diff", %{"seq" => ^seq})
    assert %{"seq" => ^seq, "by" => "tom"} = assert_event(room, "player_moved", %{"user_id" => "tom"})
    assert [{"user_joined", %{"by" => "server"}}, {"player_moved", _}] = events(room)
  end

  test "what is refused, and why", %{room: room} do
    {_, eve} = join_room(room, "eve")
    assert refused!(eve, "player_moved", %{"user_id" => "tom"})["reason"] == "not_owned"
  end

  test "the server says something, and what may not be fails the test", %{room: room} do
    assert publish!(room, {"user_joined", %{"user_id" => "tom"}}) == 1
    assert entity(room, "tom") == %{}
    assert entity(room, "ann", &is_nil/1) == nil

    assert_raise ExUnit.AssertionError, ~r/the room refused it: no rule says/, fn ->
      publish!(room, {"moon_landed", %{}}, by: "tom")
    end

    assert_raise ExUnit.AssertionError, ~r/within 20 ms/, fn -> eventually(fn -> nil end, 20) end
  end

  test "nothing has happened in a room that nobody has used", %{room: room} do
    assert events(room) == []
  end
end
