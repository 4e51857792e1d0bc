defmodule Mix.Tasks.Roomfold.ServeTest do
  use Roomfold.GatewayCase

  alias Mix.Tasks.Roomfold.Serve

  test "a live room and the shipped match" do
    Process.flag(:trap_exit, true)
    port = Serve.start!(0)
    socket = Client.connect(port, "tom")
    Client.join!(socket, "room:arena")

    Client.await(socket, [
      "1",
      nil,
      "room:arena",
      "snapshot",
      %{"entities" => %{"arena" => "*", "imp-1" => "*"}}
    ])

    Client.await(socket, ["1", nil, "room:arena", "diff", %{"creates" => %{"tom" => %{"kind" => "player"}}}])
    reply = Client.join!(socket, "replay:match", %{"paused" => true}, "2")
    assert reply["replay"]["last_seq"] == 58_335
    assert {200, _, _} = Client.request(port, "GET", "/roomfold.mjs")

    {:ok, other} = :gen_tcp.listen(0, ip: {127, 0, 0, 1})
    {:ok, taken} = :inet.port(other)
    Supervisor.stop(Gateway)
    Supervisor.stop(Serve.Rooms)
    assert_raise Mix.Error, ~r/port #{taken} is in use/, fn -> Serve.start!(taken) end
    Supervisor.stop(Serve.Rooms)
  end

  @tag :tmp_dir
  test "a log in a file: the room is still there when it is started again", %{tmp_dir: folder} do
    Process.flag(:trap_exit, true)
    file = Path.join(folder, "rooms.db")

    for {name, before} <- [{"tom", %{}}, {"ann", %{"tom" => %{"kind" => "player"}, "imp-1" => "*"}}] do
      socket = Client.connect(Serve.start!(0, file), name)
      Client.join!(socket, "room:arena")
      Client.await(socket, ["1", nil, "room:arena", "snapshot", %{"entities" => before}])
      Client.await(socket, ["1", nil, "room:arena", "diff", %{"creates" => %{name => %{"kind" => "player"}}}])
      Supervisor.stop(Gateway)
      Supervisor.stop(Serve.Rooms)
    end

    assert_raise Mix.Error, ~r/the log failed/, fn -> Serve.start!(0, "/no/such/folder/rooms.db") end
  end

  test "arguments that are none" do
    for {args, wrong} <- [
          {["--prot"], "--prot"},
          {["--port", "many"], "--port many"},
          {["--port", "99999"], "--port 99999"},
          {["--port", "-1"], "--port -1"},
          {["x"], "x"}
        ] do
      assert_raise Mix.Error, ~r/can't use #{wrong}\nusage: /, fn -> Serve.run(args) end
    end
  end
end
