defmodule Bench.Readers do
  @moduledoc """
  Clients over real WebSockets that do no more than a good client must: they find the frames that bring a tick, note when each
  was there, and acknowledge as the browser client does (priv/static/roomfold/room.mjs). Nothing is decoded, so that they do not take
  the processor from the server.
  """

  # A quarter of what may be unacknowledged, and a sixteenth of it.
  @ack_ms %{packed: 30_000, lossless: 30_000, json: 2_000}
  @ack_bytes %{packed: 262_144, lossless: 262_144, json: 65_536}
  # What the browser client takes an entity of JSON for.
  @entity_bytes 128
  # So many bytes of a frame say what it is.
  @start 96

  @doc "Connects so many; answers a function that gets their results: `[{[{seq, microseconds} of each tick], bytes}]`."
  def start(kind, port, count, entities) do
    parent = self()

    # A few at a time: how fast they come in is not what is measured.
    pids =
      for some <- Enum.chunk_every(1..count, 20),
          pid <- join_some(some, kind, port, entities, parent),
          do: pid

    fn ->
      for pid <- pids, do: send(pid, :done)
      for pid <- pids, do: receive(do: ({:found, ^pid, found} -> found))
    end
  end

  defp join_some(numbers, kind, port, entities, parent) do
    pids = for n <- numbers, do: spawn_link(fn -> reader(kind, port, n, entities, parent) end)
    for pid <- pids, do: receive(do: ({:joined, ^pid} -> :ok))
    pids
  end

  defp reader(kind, port, n, entities, parent) do
    {socket, rest} = connect(kind, port, n)

    state = %{
      kind: kind,
      socket: socket,
      skip: 0,
      head: rest,
      at: nil,
      # of the frame that at is of
      size: 0,
      seq: 0,
      acked: 0,
      entities: entities,
      # Bytes, as the browser client counts them, since the last acknowledgement. As if they had been here for long: their
      # acknowledgements come one by one.
      owed: :rand.uniform(Map.get(@ack_bytes, kind, 1)),
      ack_at: System.monotonic_time(:millisecond) - :rand.uniform(Map.get(@ack_ms, kind, 1)),
      times: [],
      bytes: 0
    }

    state = join(state)
    send(parent, {:joined, self()})
    :ok = :inet.setopts(socket, active: 64)
    loop(state, parent)
  end

  # ---- the way in ----

  defp connect(:colyseus, port, _) do
    {200, body} = post(port, "/matchmake/joinOrCreate/bench")

    %{"room" => %{"roomId" => room, "processId" => process}, "sessionId" => session} =
      Roomfold.JSON.decode!(body)

    upgrade(port, "/#{process}/#{room}?sessionId=#{session}")
  end

  defp connect(:jason, port, n), do: upgrade(port, "/stock/websocket?vsn=2.0.0&user=user-#{n}")
  defp connect(_, port, n), do: upgrade(port, "/socket/websocket?vsn=2.0.0&user=user-#{n}")

  defp open(port), do: :gen_tcp.connect({127, 0, 0, 1}, port, [:binary, active: false, nodelay: true], 30_000)

  defp post(port, path) do
    {:ok, socket} = open(port)

    :gen_tcp.send(socket, [
      "POST #{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n",
      "Content-Length: 2\r\n\r\n{}"
    ])

    ["HTTP/1.1 " <> <<status::binary-size(3), _::binary>>, body] =
      socket |> all("") |> :binary.split("\r\n\r\n")

    {String.to_integer(status), unchunked(body)}
  end

  defp all(socket, text) do
    case :gen_tcp.recv(socket, 0, 30_000) do
      {:ok, more} -> all(socket, text <> more)
      {:error, :closed} -> text
    end
  end

  defp unchunked("{" <> _ = body), do: body

  defp unchunked(body) do
    [size, rest] = :binary.split(body, "\r\n")
    binary_part(rest, 0, String.to_integer(size, 16))
  end

  defp upgrade(port, path) do
    {:ok, socket} = open(port)

    :gen_tcp.send(socket, [
      "GET #{path} HTTP/1.1\r\nHost: 127.0.0.1:#{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ])

    {socket, head(socket, "")}
  end

  defp head(socket, text) do
    case :binary.split(text, "\r\n\r\n") do
      ["HTTP/1.1 101" <> _, rest] -> rest
      [_] -> with {:ok, more} <- :gen_tcp.recv(socket, 0, 30_000), do: head(socket, text <> more)
    end
  end

  # What is said to be sent ticks, and the first state, which is none of them.
  defp join(%{kind: :colyseus} = state) do
    state = until(state, &match?(<<10, _::binary>>, &1))
    say(state, 2, <<10>>)
    until(state, &match?(<<14, _::binary>>, &1))
  end

  defp join(%{kind: :jason} = state) do
    say(state, 1, ~s(["1","1","plain:bench","phx_join",{}]))
    until(state, &String.contains?(&1, "phx_reply"))
  end

  defp join(state) do
    format = if state.kind in [:packed, :lossless], do: "packed", else: "json"
    say(state, 1, ~s(["1","1","room:bench","phx_join",{"format":"#{format}","versions":[1]}]))
    until(state, &String.contains?(&1, "snapshot"))
  end

  # Reads whole frames until one is wanted.
  defp until(state, wanted?) do
    case frame(state.head) do
      {payload, rest} ->
        if wanted?.(payload), do: %{state | head: rest}, else: until(%{state | head: rest}, wanted?)

      :more ->
        {:ok, more} = :gen_tcp.recv(state.socket, 0, 60_000)
        until(%{state | head: state.head <> more}, wanted?)
    end
  end

  defp frame(<<_, 127, size::64, payload::binary-size(size), rest::binary>>), do: {payload, rest}
  defp frame(<<_, 126, size::16, payload::binary-size(size), rest::binary>>), do: {payload, rest}
  defp frame(<<_, size, payload::binary-size(size), rest::binary>>) when size < 126, do: {payload, rest}
  defp frame(_), do: :more

  # All masks are 0: this is a client of nobody's.
  defp say(state, opcode, payload) when byte_size(payload) < 126,
    do:
      :ok =
        :gen_tcp.send(state.socket, [<<1::1, 0::3, opcode::4, 1::1, byte_size(payload)::7, 0::32>>, payload])

  # ---- ticks ----

  defp loop(state, parent) do
    receive do
      {:tcp, _, data} ->
        state |> consume(data) |> acknowledge() |> loop(parent)

      {:tcp_passive, socket} ->
        :ok = :inet.setopts(socket, active: 64)
        loop(state, parent)

      {:tcp_closed, _} ->
        raise "the server has closed a connection"

      :done ->
        send(parent, {:found, self(), {Enum.reverse(state.times), state.bytes}})
    end
  end

  # Where a frame is, what it is is seen by its first bytes; the rest is counted.
  defp consume(%{skip: skip} = state, data) when skip > byte_size(data),
    do: %{state | skip: skip - byte_size(data), bytes: state.bytes + byte_size(data)}

  defp consume(%{skip: skip} = state, data) when skip > 0 do
    state = %{state | skip: 0, bytes: state.bytes + skip} |> arrived()
    consume(state, binary_part(data, skip, byte_size(data) - skip))
  end

  defp consume(state, ""), do: state

  defp consume(%{head: head} = state, data) do
    text = head <> data

    with {from, size} <- header(text), start = min(size, @start), true <- byte_size(text) - from >= start do
      state = %{state | head: "", at: tick(state.kind, binary_part(text, from, start)), size: size}
      rest = binary_part(text, from, byte_size(text) - from)
      # An empty frame has nothing to wait for.
      if size == 0, do: consume(state, rest), else: consume(%{state | skip: size}, rest)
    else
      _ -> %{state | head: text}
    end
  end

  defp header(<<_, 127, size::64, _::binary>>), do: {10, size}
  defp header(<<_, 126, size::16, _::binary>>), do: {4, size}
  defp header(<<_, size, _::binary>>) when size < 126, do: {2, size}
  defp header(_), do: :more

  # The seq of a frame that brings a tick; true where it has none, so that they are counted.
  defp tick(:colyseus, <<15, _::binary>>), do: true

  defp tick(kind, start) when kind in [:jason, :json] do
    case Regex.run(~r/"diff",\{"from":\d+,"seq":(\d+)/, start) do
      [_, seq] -> String.to_integer(seq)
      nil -> false
    end
  end

  defp tick(kind, <<0, j, t, 4, _::binary-size(j), _::binary-size(t), "diff", _, seq::binary>>)
       when kind in [:packed, :lossless],
       do: varint(seq, 0, 0)

  defp tick(_, _), do: false

  defp varint(<<0::1, bits::7, _::binary>>, shift, sum), do: sum + Bitwise.bsl(bits, shift)

  defp varint(<<1::1, bits::7, rest::binary>>, shift, sum),
    do: varint(rest, shift + 7, sum + Bitwise.bsl(bits, shift))

  defp arrived(%{at: at} = state) when at in [nil, false], do: state

  defp arrived(state) do
    seq = if is_integer(state.at), do: state.at, else: state.seq + 1
    times = [{seq, System.os_time(:microsecond)} | state.times]
    owed = state.owed + if(state.kind == :json, do: @entity_bytes * state.entities, else: state.size)
    %{state | times: times, at: nil, seq: seq, owed: owed}
  end

  defp acknowledge(%{seq: seq, acked: seq} = state), do: state
  defp acknowledge(%{kind: kind} = state) when kind in [:jason, :colyseus], do: state

  defp acknowledge(state) do
    now = System.monotonic_time(:millisecond)

    if now - state.ack_at >= @ack_ms[state.kind] or state.owed >= @ack_bytes[state.kind] do
      say(state, 1, ~s(["1","9","room:bench","ack",{"seq":#{state.seq}}]))
      %{state | acked: state.seq, ack_at: now, owed: 0}
    else
      state
    end
  end
end
