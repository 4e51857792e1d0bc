# Rooms over Phoenix, against the same channel with Jason and plain broadcasts, and against a Colyseus room with the same state.
#
#     make bench        or, in elixir/xr, mix run --no-start ../../bench/phoenix.exs [encode] [input] [fanout]
#
# ROUNDS=3: how often fan-out goes through all of them; WHO=packed,colyseus: only these; CLIENTS=100: only so many.
#
# Each server is an OS process of its own, started for each round; the clients are here. What a server costs is its time of processor, user and
# system, as the kernel counts it.
Code.require_file("support.exs", __DIR__)
Code.require_file("phoenix/readers.exs", __DIR__)
Code.require_file("phoenix/encode.exs", __DIR__)

defmodule Bench.Fanout do
  alias Roomfold.JSON

  @entities 1_000
  @contenders [
    packed: "Roomfold packed",
    lossless: "Roomfold packed lossless",
    json: "Roomfold JSON",
    jason: "Jason and broadcast",
    colyseus: "Colyseus"
  ]
  # clients, ticks a second, ticks
  @sizes [{100, 10, 40}, {1_000, 1, 8}]

  @colyseus Path.expand("peers/colyseus_room", __DIR__)

  def run(rounds) do
    asked = "WHO" |> System.get_env("packed,lossless,json,jason,colyseus") |> String.split(",")
    all = for {kind, name} <- @contenders, to_string(kind) in asked, do: {kind, name}

    contenders =
      if List.keymember?(all, :colyseus, 0) and not colyseus?(),
        do: List.keydelete(all, :colyseus, 0),
        else: all

    rows =
      for {clients, hz, ticks} <- @sizes,
          System.get_env("CLIENTS", "#{clients}") == "#{clients}",
          {_, name, found} <- measured(contenders, clients, hz, ticks, rounds) do
        [clients, hz, name | found]
      end

    header = [
      "clients",
      "Hz",
      "who",
      "B a client and tick",
      "CPU ms a tick",
      "clients a core at 10 Hz",
      "p50 ms",
      "p99 ms",
      "merged"
    ]

    IO.puts("Fan-out of #{@entities} changed entities over WebSockets, medians of #{rounds} rounds in turn")
    Bench.table(["" | tl(header)], rows)

    names =
      ~w(clients hz who bytes_a_client_and_tick cpu_ms_a_tick clients_a_core_at_10_hz p50_ms p99_ms ticks_merged)

    Bench.csv("phoenix_fanout", names, rows)
  end

  defp colyseus? do
    cond do
      System.find_executable("node") == nil -> leave_out("Node is not installed")
      File.dir?(Path.join(@colyseus, "node_modules/@colyseus/core")) -> true
      install() -> true
      true -> leave_out("npm can't fetch it (bench/peers/colyseus_room)")
    end
  end

  defp install do
    System.find_executable("npm") != nil and
      match?({_, 0}, System.cmd("npm", ["install", "--silent"], cd: @colyseus, stderr_to_stdout: true))
  end

  defp leave_out(why) do
    IO.puts("left out: Colyseus, #{why}")
    false
  end

  # The rounds go through all contenders in turn.
  defp measured(contenders, clients, hz, ticks, rounds) do
    found =
      for _ <- 1..rounds, {kind, name} <- contenders do
        {name, one(kind, clients, hz, ticks)}
      end

    for {kind, name} <- contenders do
      all = for {^name, row} <- found, do: row
      medians = all |> Enum.zip_with(& &1) |> Enum.map(&Bench.median/1)
      {kind, name, Enum.map(medians, &if(is_float(&1), do: Bench.round1(&1), else: &1))}
    end
  end

  defp one(kind, clients, hz, ticks) do
    {port, %{"port" => tcp, "pid" => pid}} = start(kind)
    finish = Bench.Readers.start(kind, tcp, clients, @entities)
    Process.sleep(500)
    before = cpu(pid)
    %{"times" => times} = order(port, "go #{hz} #{ticks}")
    # What is still on its way.
    Process.sleep(1_000)
    used = cpu(pid) - before
    found = finish.()
    Port.close(port)
    row(times, found, used, clients)
  end

  # Without the first tick, which finds everything cold.
  defp row(times, found, used, clients) do
    [first | _] = for [seq, _] <- times, do: seq
    began = Map.new(times, fn [seq, time] -> {seq, time} end)

    delays =
      for {arrivals, _} <- found,
          {seq, time} <- arrivals,
          seq > first,
          since = began[seq],
          do: (time - since) / 1_000

    # Ticks that came as one count as one.
    ticks = Enum.sum(for {arrivals, _} <- found, do: length(arrivals)) / clients
    sorted = delays |> Enum.sort() |> List.to_tuple()
    at = fn q -> elem(sorted, min(trunc(tuple_size(sorted) * q), tuple_size(sorted) - 1)) end
    bytes = round(Enum.sum(for {_, bytes} <- found, do: bytes) / clients / ticks)
    a_tick = used / ticks
    merged = length(times) - ticks
    [bytes, a_tick, round(clients * 1_000 / (a_tick * 10)), at.(0.5), at.(0.99), merged]
  end

  # ---- servers ----

  defp start(:colyseus), do: open("node", ["room.mjs", "#{@entities}"], @colyseus)

  defp start(kind) do
    server = Path.join(__DIR__, "phoenix/server.exs")
    open("mix", ["run", "--no-start", "--no-compile", server, "#{kind}", "#{@entities}"], File.cwd!())
  end

  defp open(program, args, folder) do
    # Schedulers that wait by spinning would count as work.
    env = [{~c"ERL_FLAGS", ~c"+sbwt none +sbwtdcpu none +sbwtdio none"}]
    options = [:binary, :exit_status, {:line, 1_000_000}, args: args, cd: folder, env: env]
    port = Port.open({:spawn_executable, System.find_executable(program)}, options)
    {port, answer(port)}
  end

  defp order(port, text) do
    Port.command(port, text <> "\n")
    answer(port)
  end

  # The next line that is JSON.
  defp answer(port) do
    receive do
      {^port, {:data, {:eol, "{" <> _ = line}}} -> JSON.decode!(line)
      {^port, {:data, _}} -> answer(port)
      {^port, {:exit_status, status}} -> raise "a server ended with #{status}"
    after
      900_000 -> raise "a server does not answer"
    end
  end

  # Milliseconds of processor: the kernel counts hundredths of a second.
  defp cpu(pid) do
    [_, rest] = File.read!("/proc/#{pid}/stat") |> String.split(") ", parts: 2)
    fields = String.split(rest, " ")
    10 * (String.to_integer(Enum.at(fields, 11)) + String.to_integer(Enum.at(fields, 12)))
  end
end

rounds = String.to_integer(System.get_env("ROUNDS", "3"))
parts = if System.argv() == [], do: ~w(encode input fanout), else: System.argv()
{:ok, _} = Application.ensure_all_started(:roomfold)
for app <- [:phoenix, :jason], do: {:ok, _} = Application.ensure_all_started(app)
Application.put_env(:phoenix, :json_library, Jason)
IO.puts("Rooms over Phoenix, #{Bench.machine()}\n")
if "encode" in parts, do: Bench.Encode.run()
if "input" in parts, do: Bench.Encode.input()

if "fanout" in parts do
  if File.exists?("/proc/self/stat"),
    do: Bench.Fanout.run(rounds),
    else: IO.puts("left out: fan-out (it reads /proc)")
end
