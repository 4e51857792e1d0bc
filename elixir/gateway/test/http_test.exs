defmodule Roomfold.Gateway.HTTPTest do
  use Roomfold.GatewayCase

  @moduletag :tmp_dir

  setup %{tmp_dir: folder} do
    File.mkdir_p!(Path.join(folder, "site/sub/.git"))
    File.mkdir_p!(Path.join(folder, "data"))

    for {name, text} <- [
          {"secret.txt", "secret"},
          {"site/index.html", "<p>hello</p>"},
          {"site/client.mjs", "export {}"},
          {"site/a b.css", "p {}"},
          {"site/code.wasm", "wasm"},
          {"site/unknown.bin", "bin"},
          {"site/sub/index.html", "sub"},
          {"site/sub/.git/config", "hidden"},
          {"site/.env", "hidden"},
          {"data/level.json.gz", :zlib.gzip("{}")}
        ],
        do: File.write!(Path.join(folder, name), text)

    File.mkdir_p!(Path.join(folder, "site/empty"))
    File.ln_s!("../secret.txt", Path.join(folder, "site/link.txt"))
    File.ln_s!("..", Path.join(folder, "site/out"))

    static = [{"/", Path.join(folder, "site")}, {"/data", Path.join(folder, "data")}]
    {port, _} = start_gateway(static: static)
    %{port: port}
  end

  test "says what it is", %{port: port} do
    assert {200, %{"content-type" => "application/json"}, body} = Client.request(port, "GET", "/gateway.json")

    assert %{"gateway" => "development gateway, not Phoenix", "socket" => "/socket"} = JSON.decode!(body)
  end

  test "files, with their types, to be asked for again", %{port: port} do
    for {target, type, text} <- [
          {"/", "text/html; charset=utf-8", "<p>hello</p>"},
          {"/index.html", "text/html; charset=utf-8", "<p>hello</p>"},
          {"/client.mjs?v=1", "text/javascript; charset=utf-8", "export {}"},
          {"/a%20b.css", "text/css; charset=utf-8", "p {}"},
          {"/code.wasm", "application/wasm", "wasm"},
          {"/unknown.bin", "application/octet-stream", "bin"},
          {"/sub/", "text/html; charset=utf-8", "sub"},
          {"//sub//index.html", "text/html; charset=utf-8", "sub"},
          {"/data/level.json.gz", "application/gzip", :zlib.gzip("{}")}
        ] do
      assert {200, headers, ^text} = Client.request(port, "GET", target)
      assert headers["content-type"] == type
      assert headers["cache-control"] == "no-cache"
      assert headers["x-content-type-options"] == "nosniff"
      assert {304, _, ""} = Client.request(port, "GET", target, [{"If-None-Match", headers["etag"]}])
      assert {200, ^headers, _} = {200, headers, Client.request(port, "HEAD", target)}
    end
  end

  test "the page of a room and of a replay is the page", %{port: port} do
    for target <- ["/rooms/arena", "/rooms/a%20b", "/replays/match", "/rooms/arena?user=tom"] do
      assert {200, %{"content-type" => "text/html; charset=utf-8"}, "<p>hello</p>"} =
               Client.request(port, "GET", target)
    end

    for target <- ["/rooms", "/replays", "/other/arena"],
        do: assert({404, _, _} = Client.request(port, "GET", target))
  end

  test "what is there zipped only comes to who can unzip it", %{port: port} do
    assert {200, %{"content-encoding" => "gzip", "content-type" => "application/json"}, body} =
             Client.request(port, "GET", "/data/level.json", [{"Accept-Encoding", "br, gzip"}])

    assert :zlib.gunzip(body) == "{}"
    assert {404, _, _} = Client.request(port, "GET", "/data/level.json")
  end

  test "nothing else: not outside, not hidden, no lists of folders", %{port: port} do
    for target <- [
          "/nothing.html",
          "/empty/",
          "/empty",
          "/data/",
          "/../secret.txt",
          "/sub/../../secret.txt",
          "/%2e%2e/secret.txt",
          "/..%2fsecret.txt",
          "/..%5csecret.txt",
          "/%252e%252e/secret.txt",
          "/link.txt",
          "/out/secret.txt",
          "/.env",
          "/sub/.git/config",
          "/index.html%00.txt",
          "/%ff",
          "/%zz",
          "/index.html/x"
        ] do
      {status, _, body} = Client.request(port, "GET", target)
      assert status in [400, 403, 404], "#{target}: #{status}"
      refute body =~ "hidden"
      refute body == "secret"
    end

    assert {301, %{"location" => "/sub/"}, _} = Client.request(port, "GET", "/sub")
  end

  test "only GET and HEAD", %{port: port} do
    for method <- ["POST", "PUT", "DELETE", "OPTIONS"] do
      {status, _, _} = Client.request(port, method, "/index.html", [{"Content-Length", "0"}])
      assert status in [200, 405], method
      assert method == "OPTIONS" or status == 405
    end
  end

  defp raw(port, request) do
    {:ok, socket} = :gen_tcp.connect({127, 0, 0, 1}, port, [:binary, active: false])
    :ok = :gen_tcp.send(socket, request)
    {:ok, answer} = :gen_tcp.recv(socket, 0, 5_000)
    :gen_tcp.close(socket)
    answer
  end

  test "only to this machine by its own names, and to pages of its own", %{port: port} do
    for host <- [
          "evil.example",
          "evil.example:#{port}",
          "localhost",
          "localhost:1",
          "127.0.0.1.nip.io:#{port}"
        ] do
      assert {403, _, body} = Client.request(port, "GET", "/", [{"Host", host}])
      assert body =~ "localhost only"
    end

    own = "Host: localhost:#{port}\r\n"

    for hosts <- [[own, "Host: evil.example\r\n"], ["Host: evil.example\r\n", own]],
        do: assert(raw(port, ["GET / HTTP/1.1\r\n", hosts, "\r\n"]) =~ "HTTP/1.1 403")

    for host <- ["127.0.0.1:#{port}", "[::1]:#{port}"],
        do: assert({200, _, _} = Client.request(port, "GET", "/", [{"Host", host}]))

    for origin <- [
          "http://evil.example",
          "https://localhost:#{port}",
          "http://localhost:1",
          "null",
          "http://localhost:#{port}.evil.example"
        ] do
      assert {403, _, body} = Client.request(port, "GET", "/", [{"Origin", origin}])
      assert body =~ "own pages only"
      assert {:refused, 403, _} = Client.connect(port, "tom", headers: [{"Origin", origin}])
    end

    assert {200, _, _} = Client.request(port, "GET", "/", [{"Origin", "http://localhost:#{port}"}])
    socket = Client.connect(port, "tom", headers: [{"Origin", "http://127.0.0.1:#{port}"}])
    assert is_port(socket)
  end

  test "on the loopback addresses only", %{port: port} do
    case :gen_tcp.connect({0, 0, 0, 0, 0, 0, 0, 1}, port, [:inet6]) do
      {:ok, _} -> assert {200, _, _} = Client.request(port, "GET", "/", [], {0, 0, 0, 0, 0, 0, 0, 1})
      {:error, why} -> IO.puts("Left out: IPv6, #{inspect(why)}")
    end

    {:ok, interfaces} = :inet.getifaddrs()

    others = for {_, opts} <- interfaces, {:addr, {a, _, _, _} = address} <- opts, a != 127, do: address

    if others == [], do: IO.puts("Left out: other addresses, there are none")
    for address <- others, do: assert({:error, _} = :gen_tcp.connect(address, port, [], 500))
  end

  test "who may connect a WebSocket", %{port: port} do
    for {query, reason} <- [
          {"vsn=2.0.0", "user_id is missing"},
          {"vsn=2.0.0&user_id=", "user_id is missing"},
          {"user_id=tom", "vsn must be 2.0.0"},
          {"vsn=1.0.0&user_id=tom", "vsn must be 2.0.0"},
          {"vsn=2.0.0&user_id=" <> String.duplicate("x", 256), "user_id is not valid"},
          {"vsn=2.0.0&user_id=%ff", "user_id is not valid"}
        ] do
      assert {:refused, 403, body} = Client.connect(port, "tom", query: query)
      assert JSON.decode!(body)["reason"] =~ reason
    end

    assert {426, _, _} = Client.request(port, "GET", "/socket/websocket?vsn=2.0.0&user_id=tom")
    assert {404, _, _} = Client.request(port, "GET", "/socket")
  end

  test "what is no option, of its own or of a session" do
    stop_supervised!(Gateway)

    for {opts, message} <- [
          {[session: [max_lag: 5]], ~r/unknown keys \[:max_lag\]/},
          {[session: [max_lag_ms: "5"]], ~r/:max_lag_ms must be/},
          {[max_channels: 0], ~r/max_channels: a positive integer/}
        ],
        do: assert_raise(ArgumentError, message, fn -> Gateway.start_link([port: 0] ++ opts) end)
  end

  test "a port that is taken", %{port: port} do
    stop_supervised!(Gateway)
    {:ok, other} = :gen_tcp.listen(port, ip: {127, 0, 0, 1}, reuseaddr: true)
    Process.flag(:trap_exit, true)
    assert {:error, reason} = Gateway.start_link(port: port)
    assert inspect(reason) =~ "port #{port} is in use"
    :gen_tcp.close(other)
  end
end
