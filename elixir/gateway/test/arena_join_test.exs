defmodule Roomfold.Gateway.ArenaJoinTest do
  # Under which names the demo's room is joined over the wire.
  use Roomfold.GatewayCase

  alias Roomfold.Gateway.Arena

  defp join(port, user, topic) do
    socket = Client.connect(port, user)
    Client.message(socket, ["1", "1", topic, "phx_join", %{}])
    socket
  end

  defp ok(user), do: ["1", "1", "*", "phx_reply", %{"status" => "ok", "response" => %{"user" => user}}]

  test "not under that of a monster, an item or a door, which stay as they are" do
    {port, rooms} = start_gateway(room: [grace_ms: 0] ++ Arena.options())
    {:ok, _} = Room.ensure_started({rooms, "a"})
    item = eventually(fn -> Enum.find(Map.keys(Room.snapshot({rooms, "a"})), &(&1 =~ ~r/^shotgun-/)) end)

    for user <- ["imp-1", item, "sector-68", "arena"] do
      socket = join(port, user, "room:a")

      Client.await(socket, [
        "1",
        "1",
        "room:a",
        "phx_reply",
        %{
          "status" => "error",
          "response" => %{
            "reason" => "not_allowed",
            "field" => "user_id",
            "message" => "#{user} is something of the room's own: choose another name"
          }
        }
      ])

      :gen_tcp.close(socket)
    end

    Client.await(join(port, "tom", "room:a"), ok("tom"))
    assert Room.info({rooms, "a"}).users == ["tom"]
    snapshot = Room.snapshot({rooms, "a"})
    for id <- ["imp-1", item, "sector-68", "arena"], do: assert(is_map_key(snapshot, id), id)
  end

  test "in a room that is none of these every name will do" do
    {port, _} = start_gateway()
    Client.await(join(port, "imp-1", "room:a"), ok("imp-1"))
  end
end
