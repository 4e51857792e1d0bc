# What a conversation over the development gateway takes, over loopback: from a push to its reply, and from a push to the diff
# with it at another client. The clients run in a VM of their own. `cd elixir/gateway && mix run ../../bench/gateway.exs`
#
# A room answers on its tick: half a tick on average and a whole one at worst belong to that, not to the way there and back.

Code.require_file("support.exs", __DIR__)
Application.ensure_all_started(:ex_unit)
Code.require_file("../elixir/gateway/test/support/client.ex", __DIR__)

defmodule Bench.Gateway do
  alias Roomfold.Gateway.Client
  alias Roomfold.JSON

  @seconds 10
  @hz 20

  # ---- the server ----

  def serve(clients, tick_ms) do
    {:ok, rooms} = Roomfold.Rooms.start_link(name: Bench.Rooms, log: nil, room: [tick_ms: tick_ms])
    {:ok, gateway} = Roomfold.Gateway.start_link(port: 0, rooms: Bench.Rooms)
    {before, _} = :erlang.statistics(:runtime)
    args = ["run", "--no-compile", __ENV__.file, "clients", "#{Roomfold.Gateway.port()}", "#{clients}"]
    {out, 0} = System.cmd("mix", args)
    {later, _} = :erlang.statistics(:runtime)
    found = out |> String.split("\n", trim: true) |> List.last() |> JSON.decode!()
    Supervisor.stop(gateway)
    Supervisor.stop(rooms)
    Map.put(found, "cpu", (later - before) / 10 / @seconds)
  end

  # ---- the clients ----

  def clients(port, count) do
    parent = self()

    pids = for n <- 1..count, do: spawn_link(fn -> client(port, "user-#{n}", n == 1, parent) end)

    for pid <- pids, do: receive(do: ({:ready, ^pid} -> :ok))
    for pid <- pids, do: send(pid, :go)

    found =
      for pid <- pids, do: receive(do: ({:done, ^pid, replies, diffs, bytes} -> {replies, diffs, bytes}))

    IO.puts(
      JSON.encode!(%{
        "reply" => quantiles(Enum.flat_map(found, &elem(&1, 0))),
        "diff" => quantiles(Enum.flat_map(found, &elem(&1, 1))),
        "bytes" => Enum.sum(Enum.map(found, &elem(&1, 2))) / count / @seconds
      })
    )
  end

  defp quantiles(times) do
    sorted = times |> Enum.sort() |> List.to_tuple()
    at = fn q -> elem(sorted, min(trunc(tuple_size(sorted) * q), tuple_size(sorted) - 1)) / 1_000 end
    [tuple_size(sorted), at.(0.5), at.(0.99), at.(1.0)]
  end

  # Only one looks into the diffs, so that the clients don't take the processor from the server.
  defp client(port, user, watches?, parent) do
    socket = Client.connect(port, user)
    Client.join!(socket, "room:a")
    send(parent, {:ready, self()})
    receive do: (:go -> :ok)
    :ok = :inet.setopts(socket, active: true)
    :timer.send_interval(div(1_000, @hz), :push)
    Process.send_after(self(), :over, @seconds * 1_000)
    Process.send_after(self(), :ack, 250)

    loop(%{
      socket: socket,
      user: user,
      watches?: watches?,
      rest: "",
      n: 0,
      sent: %{},
      replies: [],
      diffs: [],
      bytes: 0,
      seq: 0,
      parent: parent
    })
  end

  defp loop(state) do
    receive do
      {:tcp, _, bytes} ->
        {frames, rest} = frames(state.rest <> bytes, [])
        loop(Enum.reduce(frames, %{state | rest: rest, bytes: state.bytes + byte_size(bytes)}, &seen/2))

      :push ->
        now = now()

        pose = %{
          "position" => [:rand.uniform(), 0, :rand.uniform()],
          "rotation" => [0, 0, 0, 1],
          "pose" => now
        }

        Client.message(state.socket, [
          "1",
          "#{state.n}",
          "room:a",
          "user_moved",
          Map.put(pose, "user_id", state.user)
        ])

        loop(%{state | n: state.n + 1, sent: Map.put(state.sent, "#{state.n}", now)})

      :ack ->
        Client.message(state.socket, ["1", nil, "room:a", "ack", %{"seq" => state.seq}])
        Process.send_after(self(), :ack, 250)
        loop(state)

      :over ->
        send(state.parent, {:done, self(), state.replies, state.diffs, state.bytes})
    end
  end

  defp frames(<<1::1, _::7, 127::8, length::64, payload::binary-size(length), rest::binary>>, found),
    do: frames(rest, [payload | found])

  defp frames(<<1::1, _::7, 126::8, length::16, payload::binary-size(length), rest::binary>>, found),
    do: frames(rest, [payload | found])

  defp frames(<<1::1, _::7, length::8, payload::binary-size(length), rest::binary>>, found) when length < 126,
    do: frames(rest, [payload | found])

  defp frames(rest, found), do: {Enum.reverse(found), rest}

  defp seen(~s(["1",null,"room:a","diff",) <> _ = text, state) do
    [_, seq] = Regex.run(~r/"seq":(\d+)/, binary_part(text, 0, min(byte_size(text), 120)))
    state = %{state | seq: String.to_integer(seq)}
    if state.watches?, do: watch(JSON.decode!(text), state), else: state
  end

  defp seen(text, state) do
    with [_, ref] <- Regex.run(~r/^\["1","(\d+)","room:a","phx_reply",\{"status":"ok"/, text),
         {sent, rest} when sent != nil <- Map.pop(state.sent, ref) do
      %{state | sent: rest, replies: [now() - sent | state.replies]}
    else
      _ -> state
    end
  end

  defp watch([_, _, _, _, diff], state) do
    now = now()
    times = for {id, %{"pose" => sent}} <- diff["updates"], id != state.user, is_integer(sent), do: now - sent
    %{state | diffs: times ++ state.diffs}
  end

  defp now, do: System.monotonic_time(:microsecond)

  def run do
    header = [
      "clients at #{@hz} Hz, tick ms",
      "reply p50 ms",
      "p99",
      "max",
      "diff p50 ms",
      "p99",
      "max",
      "kB/s a client",
      "server CPU %"
    ]

    rows =
      for {clients, tick_ms} <- [{50, 50}, {50, 20}, {50, 5}] do
        %{"reply" => [replies | reply], "diff" => [_ | diff], "bytes" => bytes, "cpu" => cpu} =
          serve(clients, tick_ms)

        expected = clients * @hz * @seconds
        if replies < expected * 0.98, do: IO.puts("only #{replies} of #{expected} pushes were answered")
        ["#{clients}, #{tick_ms}"] ++ Enum.map(reply ++ diff ++ [bytes / 1_000, cpu], &Bench.round1/1)
      end

    Bench.table(header, rows)

    Bench.csv(
      "gateway",
      Enum.map(header, &String.replace(&1, ",", "")),
      Enum.map(rows, fn [name | rest] -> [String.replace(name, ",", "") | rest] end)
    )
  end
end

case System.argv() do
  ["clients", port, count] -> Bench.Gateway.clients(String.to_integer(port), String.to_integer(count))
  _ -> Bench.Gateway.run()
end
