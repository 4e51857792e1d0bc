defmodule Roomfold.Gateway.HTTP do
  @moduledoc false
  # Every request comes here (a Yaws appmod): who may ask, the WebSocket, files.

  alias Roomfold.Gateway.{Config, Loopback, Static, WebSocket}
  alias Roomfold.JSON

  @doc false
  def out(arg) do
    config = :yaws_api.arg_opaque(arg)[:gateway]
    headers = :yaws_api.arg_headers(arg)
    request = :yaws_api.arg_req(arg)
    method = :yaws_api.http_request_method(request)
    host = header(headers, ~c"host")

    with :ok <- Loopback.host(host, config.port),
         :ok <- Loopback.origin(header(headers, ~c"origin"), config.port),
         {:ok, path, query} <- target(:yaws_api.http_request_path(request)) do
      route(method, path, query, headers, config)
    else
      {:error, status, reason} -> refuse(status, reason)
    end
  end

  defp header(headers, name) do
    case :yaws_api.get_header(headers, name) do
      :undefined -> nil
      value when is_list(value) or is_binary(value) -> IO.iodata_to_binary(value)
      # A Host that comes more than once is nobody's.
      _ -> ""
    end
  end

  # As it came: what Yaws makes of it is not what is served.
  defp target({:abs_path, target}) do
    target = IO.iodata_to_binary(target)

    case String.split(target, "?", parts: 2) do
      [path] -> {:ok, path, ""}
      [path, query] -> {:ok, path, query}
    end
  end

  defp target(_), do: {:error, 400, "a path was expected"}

  defp route(:GET, "/socket/websocket", query, headers, config) do
    with {:ok, user} <- user(query) do
      if header(headers, ~c"upgrade"),
        do: upgrade(user, config),
        else: refuse(426, "a WebSocket was expected")
    else
      {:error, reason} -> refuse(403, reason)
    end
  end

  defp route(method, _, _, _, _) when method not in [:GET, :HEAD],
    do: [{:header, {~c"Allow", ~c"GET, HEAD"}} | refuse(405, "GET and HEAD only")]

  defp route(_, "/gateway.json", _, _, config) do
    about = %{
      "gateway" => Config.notice(),
      "socket" => "/socket",
      "replays" => config.replays |> Map.keys() |> Enum.sort()
    }

    answer(200, "application/json", JSON.encode!(about))
  end

  # The page decides from its address what to show.
  defp route(method, "/rooms/" <> _, query, headers, config), do: route(method, "/", query, headers, config)
  defp route(method, "/replays/" <> _, query, headers, config), do: route(method, "/", query, headers, config)

  defp route(_, path, _, headers, config) do
    with {:ok, file} <- Static.find(path, config.static, accepts_gzip?(headers)) do
      if header(headers, ~c"if-none-match") == file.etag,
        do: [{:status, 304} | file_headers(file)],
        else: file_headers(file) ++ answer(200, file.type, File.read!(file.path))
    else
      {:redirect, to} -> [{:header, {~c"Location", String.to_charlist(to)}} | answer(301, "text/plain", to)]
      {:error, :not_found} -> refuse(404, "there is no such file")
    end
  end

  # Its limits are in WebSocket.
  defp upgrade(user, config) do
    {:websocket, WebSocket,
     [
       callback: {:basic, {user, config}},
       max_frame_size: config.max_message_bytes,
       max_message_size: config.max_message_bytes,
       close_if_unmasked: true,
       close_timeout: 2_000
     ]}
  end

  defp user(query) do
    params = URI.decode_query(query)
    user = params["user_id"]

    cond do
      not String.starts_with?(params["vsn"] || "", "2.") -> {:error, "vsn must be 2.0.0"}
      user in [nil, ""] -> {:error, "user_id is missing"}
      byte_size(user) > 255 or not String.valid?(user) -> {:error, "user_id is not valid"}
      true -> {:ok, user}
    end
  rescue
    ArgumentError -> {:error, "the query is not valid"}
  end

  defp accepts_gzip?(headers), do: String.contains?(header(headers, ~c"accept-encoding") || "", "gzip")

  defp file_headers(file) do
    encoding = if file.encoding, do: [{:header, {~c"Content-Encoding", to_charlist(file.encoding)}}], else: []
    [{:header, {~c"ETag", to_charlist(file.etag)}} | encoding]
  end

  defp refuse(status, reason) do
    answer(
      status,
      "application/json",
      JSON.encode!(%{"reason" => reason, "gateway" => Config.notice()})
    )
  end

  defp answer(status, type, body) do
    [
      {:status, status},
      # During development a file is fetched again, or found unchanged.
      {:header, {:cache_control, ~c"no-cache"}},
      {:header, {~c"X-Content-Type-Options", ~c"nosniff"}},
      {:header, {~c"Cross-Origin-Resource-Policy", ~c"same-origin"}},
      {:content, to_charlist(type), body}
    ]
  end
end
