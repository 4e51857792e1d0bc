defmodule Xr.Browser do
  @moduledoc false
  # What a browser does: pages with cookies, and a WebSocket with them. Its client of channels is the one of the companion's tests.

  def port do
    {:ok, {_, port}} = Bandit.PhoenixAdapter.server_info(XrWeb.Endpoint, :http)
    port
  end

  @doc "A GET: `{status, headers, body}`, names of headers in small letters."
  def get(path, headers \\ []) do
    {:ok, socket} = :gen_tcp.connect({127, 0, 0, 1}, port(), [:binary, active: false])
    lines = for {name, value} <- headers, do: "#{name}: #{value}\r\n"

    :ok =
      :gen_tcp.send(socket, [
        "GET #{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
        lines,
        "\r\n"
      ])

    text = read_all(socket, "")
    [head, body] = :binary.split(text, "\r\n\r\n")
    ["HTTP/1.1 " <> <<status::binary-size(3), _::binary>> | lines] = String.split(head, "\r\n")

    headers =
      for line <- lines,
          [name, value] = String.split(line, ": ", parts: 2),
          do: {String.downcase(name), value}

    {String.to_integer(status), headers, body}
  end

  defp read_all(socket, text) do
    case :gen_tcp.recv(socket, 0, 10_000) do
      {:ok, more} -> read_all(socket, text <> more)
      {:error, :closed} -> text
    end
  end

  @doc "What a page gives to a new guest: `{header, what the page says when it connects}`."
  def guest do
    {200, headers, body} = get("/rooms/lobby")
    {_, cookie} = List.keyfind(headers, "set-cookie", 0)
    [_, params] = Regex.run(~r/data-params="([^"]*)"/, body)
    params = params |> String.replace("&quot;", "\"") |> Jason.decode!()
    {{"Cookie", cookie |> String.split(";") |> hd()}, URI.encode_query(params)}
  end
end
