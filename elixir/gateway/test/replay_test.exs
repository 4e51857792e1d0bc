defmodule Roomfold.Gateway.ReplayTest do
  use Roomfold.GatewayCase

  @events Enum.map_join(0..100, "\n", fn n ->
            ~s({"event":"#{if n == 0, do: "create", else: "update"}","entity_id":"a",) <>
              ~s("components":{"position":[#{n},0,0]},"at":#{1_000 + 10 * n}})
          end)

  test "a recording plays by itself, to its end, and is each viewer's own" do
    {port, _} = start_gateway(replays: %{"short" => [events: @events], "made" => fn -> [events: @events] end})
    tom = Client.connect(port, "tom")
    ann = Client.connect(port, "ann")
    reply = Client.join!(tom, "replay:short")
    assert %{"last_seq" => 101, "duration_ms" => 1_000, "paused" => false} = reply["replay"]
    Client.join!(ann, "replay:made", %{"paused" => true})
    Client.message(tom, ["1", "2", "replay:short", "speed", %{"speed" => 20}])
    Client.await(tom, ["1", nil, "replay:short", "diff", %{"seq" => 101}])
    Client.message(ann, ["1", "2", "replay:made", "info", %{}])
    response = %{"seq" => 0, "paused" => true}
    Client.await(ann, ["1", "2", "replay:made", "phx_reply", %{"status" => "ok", "response" => response}])
  end

  test "is gone with its channel" do
    {port, _} = start_gateway(replays: %{"short" => [events: @events]})
    tom = Client.connect(port, "tom")
    before = length(Process.list())
    Client.join!(tom, "replay:short", %{"paused" => true})
    Client.message(tom, ["1", "2", "replay:short", "phx_leave", %{}])
    Client.await(tom, ["1", "1", "replay:short", "phx_close", %{}])
    eventually(fn -> length(Process.list()) <= before end)
  end

  test "that can't be started says why" do
    {port, _} = start_gateway(replays: %{"broken" => [events: "{"]})
    tom = Client.connect(port, "tom")
    Client.message(tom, ["1", "1", "replay:broken", "phx_join", %{}])
    answer = %{"status" => "error", "response" => %{"reason" => "unexpected_end"}}
    Client.await(tom, ["1", "1", "replay:broken", "phx_reply", answer])
  end
end
