defmodule Roomfold.ChannelTest.Client do
  @moduledoc false
  # A WebSocket client that says just what it is told to, also what no good client would say. RFC 6455.
  import Bitwise
  alias Roomfold.JSON

  # kept: what a transcript has passed over
  defstruct [:socket, buffer: "", ref: 0, join_ref: nil, topic: nil, kept: []]

  def connect(port, path, headers \\ [], opts \\ []) do
    {:ok, socket} = :gen_tcp.connect({127, 0, 0, 1}, port, [:binary, active: false, packet: :raw] ++ opts)
    key = Base.encode64(:crypto.strong_rand_bytes(16))

    more = for {name, value} <- headers, do: "#{name}: #{value}\r\n"

    :ok =
      :gen_tcp.send(socket, [
        "GET #{path} HTTP/1.1\r\nHost: 127.0.0.1:#{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: #{key}\r\n",
        more,
        "\r\n"
      ])

    case read_head(socket, "") do
      {:ok, "HTTP/1.1 101" <> _, rest} -> {:ok, %__MODULE__{socket: socket, buffer: rest}}
      {:ok, head, _} -> {:error, head |> String.split(" ") |> Enum.at(1) |> String.to_integer()}
      error -> error
    end
  end

  defp read_head(socket, head) do
    case :binary.split(head, "\r\n\r\n") do
      [head, rest] -> {:ok, head, rest}
      _ -> with {:ok, more} <- :gen_tcp.recv(socket, 0, 5_000), do: read_head(socket, head <> more)
    end
  end

  def close(client), do: :gen_tcp.close(client.socket)

  # ---- frames ----

  def send_text(client, text), do: send_frame(client, 1, text)
  def send_binary(client, bytes), do: send_frame(client, 2, bytes)

  def send_frame(client, opcode, payload) do
    payload = IO.iodata_to_binary(payload)
    mask = :crypto.strong_rand_bytes(4)

    size =
      case byte_size(payload) do
        size when size < 126 -> <<1::1, size::7>>
        size when size < 65_536 -> <<1::1, 126::7, size::16>>
        size -> <<1::1, 127::7, size::64>>
      end

    pad = :binary.copy(mask, div(byte_size(payload), 4) + 1)
    masked = :crypto.exor(payload, binary_part(pad, 0, byte_size(payload)))
    :gen_tcp.send(client.socket, [<<0x80 ||| opcode>>, size, mask, masked])
  end

  @doc "The next frame: {:text | :binary | :close, payload}, client."
  def receive_frame(client, timeout \\ 5_000) do
    case parse(client.buffer) do
      {:ok, 9, payload, rest} ->
        send_frame(client, 10, payload)
        receive_frame(%{client | buffer: rest}, timeout)

      {:ok, opcode, payload, rest} ->
        {{%{1 => :text, 2 => :binary, 8 => :close, 10 => :pong}[opcode], payload}, %{client | buffer: rest}}

      :more ->
        case :gen_tcp.recv(client.socket, 0, timeout) do
          {:ok, more} -> receive_frame(%{client | buffer: client.buffer <> more}, timeout)
          {:error, reason} -> {{:error, reason}, client}
        end
    end
  end

  defp parse(<<_::4, opcode::4, 0::1, 127::7, size::64, payload::binary-size(size), rest::binary>>),
    do: {:ok, opcode, payload, rest}

  defp parse(<<_::4, opcode::4, 0::1, 126::7, size::16, payload::binary-size(size), rest::binary>>),
    do: {:ok, opcode, payload, rest}

  defp parse(<<_::4, opcode::4, 0::1, size::7, payload::binary-size(size), rest::binary>>) when size < 126,
    do: {:ok, opcode, payload, rest}

  defp parse(_), do: :more

  # ---- Phoenix's V2 ----

  def join(client, topic, params \\ %{}) do
    client = %{client | ref: client.ref + 1, topic: topic}
    ref = to_string(client.ref)
    client = %{client | join_ref: ref}
    send_text(client, JSON.encode!([ref, ref, topic, "phx_join", params]))
    await(client, fn message -> match?([_, ^ref, _, "phx_reply", _], message) end)
  end

  @doc "Sends an event; answers its ref."
  def push(client, event, payload) do
    client = %{client | ref: client.ref + 1}
    ref = to_string(client.ref)
    send_text(client, JSON.encode!([client.join_ref, ref, client.topic, event, payload]))
    {ref, client}
  end

  def call(client, event, payload) do
    {ref, client} = push(client, event, payload)

    {[_, _, _, _, answer], client} =
      await(client, fn message -> match?([_, ^ref, _, "phx_reply", _], message) end)

    {answer, client}
  end

  def await_event(client, event) do
    {[_, _, _, _, payload], client} = await(client, fn message -> match?([_, _, _, ^event, _], message) end)
    {payload, client}
  end

  def await(client, wanted, timeout \\ 5_000) do
    case receive_frame(client, timeout) do
      {{:text, text}, client} ->
        message = JSON.decode!(text)
        if wanted.(message), do: {message, client}, else: await(client, wanted, timeout)

      {{:binary, _}, client} ->
        await(client, wanted, timeout)

      {other, _} ->
        ExUnit.Assertions.flunk("the message did not come: #{inspect(other)}")
    end
  end
end
