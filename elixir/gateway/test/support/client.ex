defmodule Roomfold.Gateway.Client do
  @moduledoc false
  # A WebSocket client that can do everything wrong: frames as they are on the wire, nothing checked on the way out.

  import ExUnit.Assertions

  alias Roomfold.JSON

  @doc "An HTTP request: `{status, headers, body}`; a header that is given as nil is left out."
  def request(port, method, target, headers \\ [], address \\ {127, 0, 0, 1}) do
    {socket, status, answered} = send_request(port, method, target, headers, address)
    length = String.to_integer(answered["content-length"] || "0")

    {:ok, body} = if method == "HEAD", do: {:ok, ""}, else: read(socket, length)
    :gen_tcp.close(socket)
    {status, answered, body}
  end

  @doc "Connects: a socket, or `{:refused, status, body}`."
  def connect(port, user, opts \\ []) do
    query = Keyword.get(opts, :query, "vsn=2.0.0&user_id=#{URI.encode_www_form(user)}")

    headers =
      [
        {"Upgrade", "websocket"},
        {"Connection", "Upgrade"},
        {"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Key", Base.encode64(:crypto.strong_rand_bytes(16))}
      ] ++ Keyword.get(opts, :headers, [])

    {socket, status, answered} =
      send_request(port, "GET", "/socket/websocket?#{query}", headers, {127, 0, 0, 1}, opts[:socket] || [])

    if status == 101 do
      socket
    else
      {:ok, body} = read(socket, String.to_integer(answered["content-length"] || "0"))
      :gen_tcp.close(socket)
      {:refused, status, body}
    end
  end

  defp send_request(port, method, target, headers, address, socket_opts \\ []) do
    family = if tuple_size(address) == 8, do: [:inet6], else: []
    opts = [:binary, active: false, packet: :http_bin, nodelay: true] ++ family ++ socket_opts
    {:ok, socket} = :gen_tcp.connect(address, port, opts, 5_000)
    headers = Enum.into(headers, %{"Host" => "localhost:#{port}"})
    lines = for {name, value} <- headers, value != nil, do: [name, ": ", value, "\r\n"]
    :ok = :gen_tcp.send(socket, [method, " ", target, " HTTP/1.1\r\n", lines, "\r\n"])
    {:ok, {:http_response, _, status, _}} = :gen_tcp.recv(socket, 0, 5_000)
    answered = headers_of(socket, %{})
    :ok = :inet.setopts(socket, packet: :raw)
    {socket, status, answered}
  end

  defp headers_of(socket, headers) do
    case :gen_tcp.recv(socket, 0, 5_000) do
      {:ok, :http_eoh} -> headers
      {:ok, {:http_header, _, name, _, value}} -> headers_of(socket, Map.put(headers, name(name), value))
    end
  end

  defp name(name), do: name |> to_string() |> String.downcase()

  # ---- frames ----

  @codes %{continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10}

  @doc "Sends a frame. Options: `fin`, `rsv`, `mask` (false: none), `length` (another one than it has)."
  def frame(socket, kind, payload, opts \\ []) do
    :gen_tcp.send(socket, encode(kind, payload, opts))
  end

  def encode(kind, payload, opts \\ []) do
    code = if is_integer(kind), do: kind, else: Map.fetch!(@codes, kind)
    fin = if Keyword.get(opts, :fin, true), do: 1, else: 0
    mask? = Keyword.get(opts, :mask, true)
    key = <<17, 34, 51, 68>>

    [
      <<fin::1, Keyword.get(opts, :rsv, 0)::3, code::4, if(mask?, do: 1, else: 0)::1>>
      |> with_length(Keyword.get(opts, :length, byte_size(payload))),
      if(mask?, do: [key, masked(payload, key)], else: payload)
    ]
  end

  defp with_length(head, n) when n < 126, do: <<head::bitstring, n::7>>
  defp with_length(head, n) when n < 65_536, do: <<head::bitstring, 126::7, n::16>>
  defp with_length(head, n), do: <<head::bitstring, 127::7, n::64>>

  defp masked(payload, key) do
    :crypto.exor(
      payload,
      binary_part(String.duplicate(key, div(byte_size(payload), 4) + 1), 0, byte_size(payload))
    )
  end

  @doc "A message of the protocol."
  def message(socket, list), do: frame(socket, :text, JSON.encode!(list))

  @doc "The next frame: `{kind, payload}`, `{:close, code, reason}`, `:gone` or `:nothing`."
  def receive_frame(socket, timeout \\ 30_000) do
    with {:ok, <<1::1, 0::3, code::4, 0::1, length::7>>} <- :gen_tcp.recv(socket, 2, timeout),
         {:ok, length} <- length_of(socket, length),
         {:ok, payload} <- read(socket, length) do
      {kind, _} = Enum.find(@codes, fn {_, known} -> known == code end)
      if kind == :close, do: closing(payload), else: {kind, payload}
    else
      {:error, :timeout} -> :nothing
      {:error, _} -> :gone
    end
  end

  defp closing(<<code::16, reason::binary>>), do: {:close, code, reason}
  defp closing(""), do: {:close, nil, ""}

  defp length_of(socket, 126), do: with({:ok, <<n::16>>} <- read(socket, 2), do: {:ok, n})
  defp length_of(socket, 127), do: with({:ok, <<n::64>>} <- read(socket, 8), do: {:ok, n})
  defp length_of(_, n), do: {:ok, n}

  defp read(_, 0), do: {:ok, ""}
  defp read(socket, n), do: :gen_tcp.recv(socket, n, 30_000)

  @doc """
  The first message from now on that fits a pattern of lists and maps; a map need only have what the pattern has, "*" fits all. The payload
  of a binary one is `%{"binary" => base 64}`.
  """
  def await(socket, pattern, timeout \\ 30_000) do
    deadline = System.monotonic_time(:millisecond) + timeout
    await_until(socket, pattern, deadline, [])
  end

  defp await_until(socket, pattern, deadline, seen) do
    left = deadline - System.monotonic_time(:millisecond)

    case receive_frame(socket, max(left, 1)) do
      {kind, payload} when kind in [:text, :binary] ->
        message = read_message(kind, payload)

        if fits?(message, pattern),
          do: message,
          else: await_until(socket, pattern, deadline, [message | seen])

      other ->
        flunk("#{inspect(pattern)} did not come, but #{inspect(other)}, after #{inspect(Enum.reverse(seen))}")
    end
  end

  defp read_message(:text, text), do: JSON.decode!(text)

  defp read_message(
         :binary,
         <<0, join::8, topic::8, event::8, join_ref::binary-size(join), name::binary-size(topic),
           kind::binary-size(event), data::binary>>
       ),
       do: [join_ref, nil, name, kind, %{"binary" => Base.encode64(data)}]

  def fits?(_, "*"), do: true

  def fits?(%{} = value, %{} = pattern),
    do: Enum.all?(pattern, fn {key, part} -> is_map_key(value, key) and fits?(value[key], part) end)

  def fits?([_ | _] = value, [_ | _] = pattern) when length(value) == length(pattern),
    do: Enum.all?(Enum.zip_with(value, pattern, &fits?/2))

  def fits?(value, pattern), do: value === pattern or (is_number(value) and value == pattern)

  @doc "How it was closed: `{code, reason}`; what came before does not matter."
  def await_close(socket, timeout \\ 30_000) do
    case receive_frame(socket, timeout) do
      {:close, code, reason} -> {code, reason}
      end_of when end_of in [:gone, :nothing] -> end_of
      _ -> await_close(socket, timeout)
    end
  end

  @doc "Joins; the response."
  def join!(socket, topic, params \\ %{}, ref \\ "1") do
    message(socket, [ref, ref, topic, "phx_join", params])

    [_, _, _, _, %{"status" => "ok", "response" => reply}] =
      await(socket, [ref, ref, topic, "phx_reply", "*"])

    reply
  end
end
