# Recorded players, all in one room, through the development gateway: each says 35 times a second where it is and shoots as the match has
# it, and each keeps the whole world by the diffs it gets. The clients run in a VM of their own.
#
#     cd elixir/gateway && mix run ../../bench/crowd.exs [SECONDS=60] [PLAYERS=100]
#
# The room is the demo's, with its monsters, items and door; only that a hit takes one point of health, since so many in one level
# would be dead most of the time, and the dead say nothing.
#
# Shown: milliseconds from a move's being said to its answer (in the log and folded), and to its being in another client's world, in both of
# which half a tick on average and a whole one at worst is the room's own; what a client is sent; what the server's VM takes of the
# processors. It fails if a diff does not begin where a client's world is, or if at the end some client's world is not the server's.

Code.require_file("support.exs", __DIR__)
Application.ensure_all_started(:ex_unit)
Code.require_file("../elixir/gateway/test/support/client.ex", __DIR__)

defmodule Bench.Crowd do
  alias Bench.Crowd.Player
  alias Roomfold.{EventLog, Gateway, JSON, Room, World}

  @room "crowd"
  @formats ["packed", "json"]

  def run(seconds, players) do
    header =
      ["#{players} players for #{seconds} s", "moves/s", "answer p50 ms", "p99", "seen p50 ms", "p99", "max"] ++
        ["kB/s a client", "server CPU %", "clients CPU %", "caught up", "refused"]

    rows = for format <- @formats, do: row(format, serve(format, seconds, players), seconds)
    Bench.table(header, rows)
    Bench.csv("crowd", header, rows)
  end

  defp row(format, found, seconds) do
    %{"answer" => [moves, a50, a99, _], "seen" => [_, s50, s99, most]} = found

    [format, round(moves / seconds)] ++
      Enum.map([a50, a99, s50, s99, most, found["kb"], found["server"], found["cpu"]], &Bench.round1/1) ++
      [found["again"], found["refused"]]
  end

  # ---- the server ----

  defp serve(format, seconds, players) do
    folder = Bench.folder()
    log = {EventLog.SQLite, path: Path.join(folder, "rooms.db")}
    {:ok, rooms} = Roomfold.Rooms.start_link(name: Bench.Rooms, log: log, room: room())
    {:ok, gateway} = Gateway.start_link(port: 0, rooms: Bench.Rooms)

    args = ["run", "--no-compile", __ENV__.file, "clients", "#{Gateway.port()}", format, seconds, players]
    {before, _} = :erlang.statistics(:runtime)
    {out, 0} = System.cmd("mix", Enum.map(args, &to_string/1), env: [{"MIX_ENV", "#{Mix.env()}"}])
    {later, _} = :erlang.statistics(:runtime)
    found = out |> String.split("\n", trim: true) |> List.last() |> JSON.decode!()
    compare(found["worlds"])

    Supervisor.stop(gateway)
    Supervisor.stop(rooms)
    File.rm_rf!(folder)
    Map.put(found, "server", (later - before) / 10 / seconds)
  end

  defp room do
    Keyword.update!(Gateway.Arena.options(), :systems, fn systems ->
      for system <- systems, do: with({hits, damage: _} <- system, do: {hits, default_damage: 1})
    end)
  end

  # Where each client stopped, and what it had: the log's events, folded, give the same.
  defp compare(worlds) do
    for {seq, hashes} <- Enum.group_by(worlds, &hd/1, &List.last/1) do
      {:ok, world} = Room.state_at({Bench.Rooms, @room}, seq)
      ours = hash(world)
      wrong = Enum.count(hashes, &(&1 != ours))

      if wrong > 0,
        do: raise("#{wrong} of #{length(hashes)} clients at seq #{seq} have another world than the server")
    end

    IO.puts("#{length(worlds)} clients' worlds are the server's, by their hashes, and no diff was missed")
  end

  def hash(world) do
    :crypto.hash(:sha256, :erlang.term_to_binary(World.snapshot(world), [:deterministic])) |> Base.encode16()
  end

  # ---- the clients ----

  def clients(port, format, seconds, players) do
    sent = :ets.new(:sent, [:public, write_concurrency: true, read_concurrency: true])
    acts = Player.recorded()
    parent = self()

    pids =
      for n <- 0..(players - 1) do
        # The next one is whose moves it times.
        options = %{port: port, room: @room, format: format, n: n, watched: "user-#{rem(n + 1, players)}"}
        spawn_link(fn -> Player.run(options, elem(acts, rem(n, tuple_size(acts))), sent, parent) end)
      end

    for pid <- pids, do: receive(do: ({:ready, ^pid} -> :ok))
    {before, _} = :erlang.statistics(:runtime)
    for pid <- pids, do: send(pid, :go)
    Process.sleep(seconds * 1_000)
    for pid <- pids, do: send(pid, :stop)
    found = for pid <- pids, do: receive(do: ({:done, ^pid, found} -> found))
    {later, _} = :erlang.statistics(:runtime)

    IO.puts(
      JSON.encode!(%{
        "answer" => quantiles(Enum.flat_map(found, & &1.answers)),
        "seen" => quantiles(Enum.flat_map(found, & &1.seen)),
        "kb" => Enum.sum(Enum.map(found, & &1.bytes)) / 1_000 / players / seconds,
        "cpu" => (later - before) / 10 / seconds,
        "again" => Enum.sum(Enum.map(found, & &1.again)),
        "refused" => Enum.sum(Enum.map(found, & &1.refused)),
        "worlds" => Enum.map(found, &[World.seq(&1.world), hash(&1.world)])
      })
    )
  end

  defp quantiles(times) do
    sorted = times |> Enum.sort() |> List.to_tuple()
    at = fn q -> elem(sorted, min(trunc(tuple_size(sorted) * q), tuple_size(sorted) - 1)) / 1_000 end
    [tuple_size(sorted), at.(0.5), at.(0.99), at.(1.0)]
  end
end

defmodule Bench.Crowd.Player do
  # One client: a WebSocket, what a recorded player did, and a world by diffs.

  alias Roomfold.Gateway.Client
  alias Roomfold.{JSON, World}

  @match Path.expand("../priv/demo/freedm-0.12-demo1-MAP21.events.jsonl.gz", __DIR__)
  @said ["player_moved", "weapon_fired", "weapon_switched"]
  # Players of one recorded player are so far apart in it.
  @apart_ms 5_600
  @ack_ms 250
  # Messages that begin so are answers.
  @answer ~s(["1",")

  @doc "What each player did, `{ms, name, payload}`, from its first act to its last; a tuple of them."
  def recorded do
    @match
    |> File.read!()
    |> :zlib.gunzip()
    |> String.split("\n", trim: true)
    |> Enum.map(&JSON.decode!/1)
    |> Enum.filter(&(&1["event_name"] in @said))
    |> Enum.group_by(& &1["user_id"])
    |> Enum.sort()
    |> Enum.map(fn {_, events} -> acts(events) end)
    |> List.to_tuple()
  end

  defp acts(events) do
    [%{"at" => first} | _] = events = Enum.drop_while(events, &(&1["position"] == nil))

    {acts, _} =
      Enum.map_reduce(events, %{"rotation" => [0, 0, 0, 1]}, fn event, pose ->
        payload = Map.drop(event, ~w(event_name seq at by projectile_id user_id))
        pose = if event["event_name"] == "player_moved", do: Map.merge(pose, payload), else: pose
        payload = if event["event_name"] == "player_moved", do: pose, else: payload
        {{event["at"] - first, event["event_name"], payload}, pose}
      end)

    acts
  end

  def run(options, acts, sent, parent) do
    user = "user-#{options.n}"
    socket = Client.connect(options.port, user)
    topic = "room:" <> options.room
    Client.message(socket, ["1", "1", topic, "phx_join", %{"format" => options.format, "events" => true}])
    :ok = :inet.setopts(socket, active: true)

    state = %{
      socket: socket,
      user: user,
      topic: topic,
      watched: options.watched,
      parent: parent,
      sent: sent,
      world: nil,
      rest: "",
      ref: 2,
      # ref → when, of moves
      waiting: %{},
      answers: [],
      seen: [],
      bytes: 0,
      again: 0,
      refused: 0,
      stops: false,
      acts: [],
      all: rotated(acts, options.n * @apart_ms),
      start: 0
    }

    wait(state)
  end

  # The same, begun later, and then over and over.
  defp rotated(acts, from) do
    {length, _, _} = List.last(acts)
    from = rem(from, length)
    {first, rest} = Enum.split_while(acts, fn {ms, _, _} -> ms < from end)

    {Enum.map(rest, &shift(&1, -from)) ++ Enum.map(first, &shift(&1, length - from)), length}
  end

  defp shift({ms, name, payload}, by), do: {ms + by, name, payload}

  defp wait(%{world: nil} = state), do: wait(receive_one(state))

  defp wait(state) do
    send(state.parent, {:ready, self()})
    joined(state)
  end

  defp joined(state) do
    receive do
      :go ->
        send(self(), :act)
        Process.send_after(self(), :ack, @ack_ms)
        {acts, _} = state.all
        loop(%{state | start: now(), acts: acts, bytes: 0})

      {:tcp, _, bytes} ->
        joined(arrived(state, bytes))
    end
  end

  defp loop(%{stops: true} = state), do: stopped(state)
  defp loop(state), do: loop(receive_one(state))

  defp receive_one(state) do
    receive do
      {:tcp, _, bytes} -> arrived(state, bytes)
      {:tcp_closed, _} -> raise "the gateway closed the connection of #{state.user}"
      :act -> act(state)
      :ack -> ack(state)
      :stop -> %{state | stops: true}
    end
  end

  # Until all its moves are answered.
  defp stopped(%{waiting: waiting} = state) when waiting != %{} do
    receive do
      {:tcp, _, bytes} -> stopped(arrived(state, bytes))
    after
      5_000 -> raise "#{map_size(waiting)} moves of #{state.user} were not answered"
    end
  end

  defp stopped(state) do
    :gen_tcp.close(state.socket)
    send(state.parent, {:done, self(), Map.take(state, [:world, :answers, :seen, :bytes, :again, :refused])})
  end

  # ---- what it says ----

  defp act(%{acts: []} = state) do
    {acts, length} = state.all
    act(%{state | acts: acts, start: state.start + length * 1_000})
  end

  defp act(%{acts: [{ms, name, payload} | rest]} = state) do
    due = state.start + ms * 1_000 - now()

    if due > 0 do
      Process.send_after(self(), :act, div(due, 1_000) + 1)
      state
    else
      state |> say(name, Map.put(payload, "user_id", state.user)) |> Map.put(:acts, rest) |> act()
    end
  end

  defp say(state, name, payload) do
    now = now()
    ref = Integer.to_string(state.ref)
    Client.message(state.socket, ["1", ref, state.topic, name, payload])
    state = %{state | ref: state.ref + 1}

    if name == "player_moved" do
      :ets.insert(state.sent, {key(state.user, payload["position"]), now})
      %{state | waiting: Map.put(state.waiting, ref, now)}
    else
      state
    end
  end

  defp ack(state) do
    Client.message(state.socket, ["1", nil, state.topic, "ack", %{"seq" => World.seq(state.world)}])
    Process.send_after(self(), :ack, @ack_ms)
    state
  end

  defp key(user, [x, y, z]), do: {user, <<x::float-32, y::float-32, z::float-32>>}

  # ---- what it hears ----

  defp arrived(state, bytes) do
    {frames, rest} = frames(state.rest <> bytes, [])
    Enum.reduce(frames, %{state | rest: rest, bytes: state.bytes + byte_size(bytes)}, &heard/2)
  end

  defp frames(<<1::1, _::7, 127::8, length::64, payload::binary-size(length), rest::binary>>, found),
    do: frames(rest, [payload | found])

  defp frames(<<1::1, _::7, 126::8, length::16, payload::binary-size(length), rest::binary>>, found),
    do: frames(rest, [payload | found])

  defp frames(<<1::1, _::7, length::8, payload::binary-size(length), rest::binary>>, found)
       when length < 126,
       do: frames(rest, [payload | found])

  defp frames(rest, found), do: {Enum.reverse(found), rest}

  # A binary push: sizes, the join's ref, topic, event, data.
  defp heard(
         <<0, 1, topic::8, event::8, "1", _::binary-size(topic), name::binary-size(event), data::binary>>,
         state
       ),
       do: told(name, {:packed, data}, state)

  defp heard(~s(["1",null,) <> _ = text, %{topic: topic} = state) do
    before = byte_size(~s(["1",null,"",)) + byte_size(topic)

    case binary_part(text, before, min(20, byte_size(text) - before)) do
      ~s("diff",) <> _ -> told("diff", {:json, body(text, before + 7)}, state)
      ~s("snapshot",) <> _ -> told("snapshot", {:json, body(text, before + 11)}, state)
      _ -> state
    end
  end

  defp heard(@answer <> rest, state) do
    [ref, answer] = :binary.split(rest, "\"")
    {at, waiting} = Map.pop(state.waiting, ref)
    refused = if :binary.match(answer, ~s("status":"error")) == :nomatch, do: 0, else: 1
    answers = if at, do: [now() - at | state.answers], else: state.answers
    %{state | waiting: waiting, answers: answers, refused: state.refused + refused}
  end

  defp heard(_, state), do: state

  # Up to the message's closing bracket.
  defp body(text, from), do: binary_part(text, from, byte_size(text) - from - 1)

  defp told("snapshot", frame, state) do
    {:ok, world} = World.load(frame, rules: Roomfold.Rules.doom())
    %{state | world: world, again: state.again + if(state.world, do: 1, else: 0)}
  end

  defp told("diff", frame, state) do
    before = state.world && position(state)

    case World.apply_diff(state.world, frame) do
      {:ok, world, _} -> watched(before, %{state | world: world})
      {:error, error} -> raise "#{state.user} has missed something: #{error.message}"
    end
  end

  defp position(state), do: World.get(state.world, state.watched)["position"]

  defp watched(before, state) do
    with position when position != nil and position != before <- position(state),
         [{_, at}] <- :ets.lookup(state.sent, key(state.watched, position)) do
      %{state | seen: [now() - at | state.seen]}
    else
      _ -> state
    end
  end

  defp now, do: System.monotonic_time(:microsecond)
end

case System.argv() do
  ["clients", port, format, seconds, players] ->
    Bench.Crowd.clients(
      String.to_integer(port),
      format,
      String.to_integer(seconds),
      String.to_integer(players)
    )

  args ->
    [seconds, players] =
      args |> Enum.map(&String.to_integer/1) |> then(&(&1 ++ Enum.drop([60, 100], length(&1))))

    Bench.Crowd.run(seconds, players)
end
