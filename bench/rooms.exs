# Rooms under load, all in one VM: clients, rooms and log share its cores.
#
#   mix run bench/rooms.exs            everything
#   mix run bench/rooms.exs one        a room with 10,000 entities that move, at 60 Hz
#   mix run bench/rooms.exs many       how many rooms with 10 players at 20 Hz (FROM=, STEP=, SECONDS=)
#   mix run bench/rooms.exs flood      what others notice when one user floods
#   mix run bench/rooms.exs heartbeat  what the VM notices of a snapshot of 100,000 entities
Code.require_file("support.exs", __DIR__)

defmodule Bench.Spread do
  @moduledoc "Counts durations from any number of processes: classes of 50 µs up to 2 s."

  @class 50
  @classes 40_000

  def new, do: :counters.new(@classes + 1, [:write_concurrency])
  def add(spread, us), do: :counters.add(spread, min(div(max(us, 0), @class), @classes) + 1, 1)
  def count(spread), do: Enum.sum(for i <- 1..(@classes + 1), do: :counters.get(spread, i))

  @doc "The upper end of the class below which this share lies, in ms."
  def percentile(spread, share) do
    wanted = ceil(count(spread) * share)

    Enum.reduce_while(1..(@classes + 1), 0, fn i, seen ->
      seen = seen + :counters.get(spread, i)
      if seen >= max(wanted, 1), do: {:halt, i * @class / 1000}, else: {:cont, seen}
    end)
  end
end

defmodule Bench.Player do
  @moduledoc "A client as a channel would hold it: a session, an input each so many ms, acknowledgements now and then."

  alias Bench.Spread
  alias Roomfold.Session

  def start(room, user, period_ms, tally, opts \\ []) do
    spawn_link(fn ->
      session = Session.new([room: room, user: user] ++ Keyword.get(opts, :session, []))
      {:ok, _, _, session} = Session.join(session, %{"format" => Keyword.get(opts, :format, "packed")})
      # Not all at once.
      at = now() + :rand.uniform(period_ms * 1000)

      loop(
        arm(%{session: session, user: user, period: period_ms * 1000, at: at, n: 0, sent: %{}, tally: tally})
      )
    end)
  end

  defp now, do: System.monotonic_time(:microsecond)

  defp arm(player) do
    Process.send_after(self(), :input, div(player.at, 1000), abs: true)
    player
  end

  defp loop(player) do
    receive do
      :input -> player |> input() |> loop()
      :stop -> Session.leave(player.session)
      message -> player |> handle(Session.handle(player.session, message)) |> loop()
    end
  end

  defp input(%{n: n} = player) do
    x = rem(n, 100)

    text =
      ~s({"user_id":"#{player.user}","position":[#{x}.25,1.5,-#{x}.75],"rotation":[0,0.38268343,0,0.92387953]})

    player = %{player | n: n + 1, at: player.at + player.period, sent: Map.put(player.sent, n, now())}
    player |> handle(Session.input(player.session, "user_moved", {:json, text}, n)) |> acknowledge() |> arm()
  end

  defp acknowledge(%{n: n} = player) when rem(n, 8) == 0,
    do: handle(player, Session.input(player.session, "ack", %{"seq" => player.session.seq}))

  defp acknowledge(player), do: player

  defp handle(player, :ignore), do: player
  defp handle(player, {:close, _, _, _}), do: count(player, 2) && exit(:normal)

  defp handle(player, {frames, session}),
    do: Enum.reduce(frames, %{player | session: session}, &frame/2)

  defp frame({:reply, ref, :ok, _}, player) do
    {at, sent} = Map.pop(player.sent, ref)
    Spread.add(player.tally.acknowledged, now() - at)
    %{player | sent: sent}
  end

  defp frame({:reply, ref, :error, _}, player),
    do: count(%{player | sent: Map.delete(player.sent, ref)}, 1)

  defp frame({:push, _, {:binary, bytes}}, player) do
    :counters.add(player.tally.counts, 3, 1)
    :counters.add(player.tally.counts, 4, byte_size(bytes))
    player
  end

  defp frame(_, player), do: player

  defp count(player, what) do
    :counters.add(player.tally.counts, what, 1)
    player
  end

  @doc "counts: refused inputs, closed sessions, frames, bytes of them."
  def tally, do: %{acknowledged: Spread.new(), counts: :counters.new(4, [:write_concurrency])}
end

defmodule Bench.Many do
  @moduledoc "Rooms with 10 players each, 20 inputs a second from each, every event on the disk before it is answered."

  alias Bench.{Player, Spread}
  alias Roomfold.{EventLog, Room, Rooms}

  @players 10
  @period 50

  def run(count, seconds) do
    folder = Path.join(System.tmp_dir!(), "roomfold-bench-#{System.unique_integer([:positive])}")
    File.mkdir_p!(folder)
    name = :"rooms#{System.unique_integer([:positive])}"

    {:ok, rooms} =
      Rooms.start_link(
        name: name,
        log: {EventLog.SQLite, path: Path.join(folder, "rooms.db")},
        room: [tick_ms: @period, grace_ms: 0]
      )

    try do
      measure(name, count, seconds)
    after
      Process.unlink(rooms)
      Supervisor.stop(rooms)
      File.rm_rf!(folder)
    end
  end

  defp measure(name, count, seconds) do
    warm = Player.tally()
    tally = Player.tally()
    box = :persistent_term.put({__MODULE__, :tally}, warm)
    _ = box

    players =
      for r <- 1..count, p <- 1..@players, do: Player.start({name, "room#{r}"}, "player#{p}", @period, tally)

    # Joining and warming up are not measured.
    Process.sleep(3_000)
    before = {Spread.count(tally.acknowledged), totals(name)}
    for i <- 1..4, do: :counters.put(tally.counts, i, 0)
    reset(tally.acknowledged)
    {busy, _} = cores(fn -> Process.sleep(seconds * 1000) end)
    acknowledged = Spread.count(tally.acknowledged)
    shed = elem(totals(name), 1) - elem(elem(before, 1), 1)
    for pid <- players, do: send(pid, :stop)
    Process.sleep(500)

    %{
      rooms: count,
      acks_per_s: div(acknowledged, seconds),
      p50: Spread.percentile(tally.acknowledged, 0.5),
      p99: Spread.percentile(tally.acknowledged, 0.99),
      max: Spread.percentile(tally.acknowledged, 1.0),
      refused: :counters.get(tally.counts, 1) + :counters.get(tally.counts, 2),
      shed: shed,
      cores: busy
    }
  end

  defp reset(spread), do: for(i <- 1..40_001, do: :counters.put(spread, i, 0))

  # Events queued and ticks left out, of all rooms.
  defp totals(name) do
    Enum.reduce(Rooms.running(name), {0, 0}, fn id, {ticks, shed} ->
      info = Room.info({name, id})
      {ticks + info.ticks, shed + info.shed}
    end)
  end

  defp cores(run) do
    :erlang.statistics(:runtime)
    :erlang.statistics(:wall_clock)
    run.()
    {_, cpu} = :erlang.statistics(:runtime)
    {_, wall} = :erlang.statistics(:wall_clock)
    {Float.round(cpu / wall, 2), wall}
  end

  def main do
    from = String.to_integer(System.get_env("FROM", "100"))
    step = String.to_integer(System.get_env("STEP", "100"))
    seconds = String.to_integer(System.get_env("SECONDS", "10"))

    rows =
      Stream.iterate(from, &(&1 + step))
      |> Enum.reduce_while([], fn count, rows ->
        it = run(count, seconds)

        IO.puts(
          "  #{count} rooms: p99 #{it.p99} ms, #{it.acks_per_s} acks/s, #{it.refused} refused, #{it.shed} ticks shed, #{it.cores} cores"
        )

        good =
          it.p99 < 100 and it.refused == 0 and it.shed == 0 and it.acks_per_s > 0.99 * count * @players * 20

        rows = [[it.rooms, it.acks_per_s, it.p50, it.p99, it.max, it.refused, it.shed, it.cores] | rows]
        if good, do: {:cont, rows}, else: {:halt, rows}
      end)
      |> Enum.reverse()

    Bench.table(~w(rooms acks_per_s p50_ms p99_ms max_ms refused shed cores), rows)
  end
end

defmodule Bench.One do
  @moduledoc """
  A room with 10,000 entities, each moved by one event in every tick, at 60 Hz. What is measured is all that the room's process does for a
  tick: checking, numbering and folding 10,000 events, encoding the diff for its clients, and sending it.

  "packed": one frame of 10,000 updates by handle, from a process that has them ready, into a room without a log. "text": a hundred
  users, each with a hundred entities of its own, each sending one batch of a hundred events as JSON text, into a room with a log in memory.
  The peer is what one would write by hand: a GenServer that folds terms into a map and makes the diff with Jason.
  """

  alias Roomfold.{Room, Session, Wire}

  @entities 10_000
  @hz 60

  def schema do
    Roomfold.Schema.new!([
      {"position", {:f32, 3}, quantise: {:step, 0.001, -500, 500}},
      {"rotation", {:f32, 4}, quantise: {:smallest_three, 10}}
    ])
  end

  # Where an entity is in a tick: on a circle.
  defp components(i, n) do
    a = n * 0.02 + i

    %{
      "position" => [Float.round(:math.sin(a) * 100, 3), 1.5, Float.round(:math.cos(a) * 100, 3)],
      "rotation" => [+0.0, Float.round(:math.sin(a / 2), 4), +0.0, Float.round(:math.cos(a / 2), 4)]
    }
  end

  defp id(i), do: "e#{i}"

  def room(opts) do
    {:ok, room} =
      Room.start_link(
        [id: "one", rooms: nil, tick_ms: 1000 / @hz, max_queue: 1_000_000, history: 1_048_576] ++
          [user_events_per_s: 1_000_000, user_bytes_per_s: 1_000_000_000] ++ opts
      )

    room
  end

  # A client that reads all and acknowledges, as one with the browser's client does.
  defp watch(room, format) do
    spawn_link(fn ->
      {:ok, _, _, session} =
        Session.join(Session.new(room: room, user: "looker", max_unacknowledged: 1_000_000_000), %{
          "format" => format
        })

      watching(session, 0, 0)
    end)
  end

  defp watching(session, frames, bytes) do
    receive do
      {:ask, pid} ->
        send(pid, {frames, bytes})

      message ->
        {new, session} = Session.handle(session, message)
        {_, session} = Session.input(session, "ack", %{"seq" => session.seq})
        sizes = for {:push, _, {_, data}} <- new, do: IO.iodata_length(data)
        watching(session, frames + length(sizes), bytes + Enum.sum(sizes))
    end
  end

  # Calls tick.(n) sixty times a second.
  defp at_rate(seconds, first, tick) do
    start = System.monotonic_time(:microsecond)

    Enum.reduce(1..(seconds * @hz), first, fn n, state ->
      due = start + div(n * 1_000_000, @hz)
      wait = div(due - System.monotonic_time(:microsecond), 1000)
      if wait > 0, do: Process.sleep(wait)
      tick.(n, state)
    end)
  end

  def packed(seconds, schema, format) do
    room = room(schema: schema)
    creates = for i <- 1..@entities, do: {"create", %{"entity_id" => id(i), "components" => components(i, 0)}}
    {:ok, create} = Wire.encode_events(creates, schema: schema)
    {:ok, _} = Room.publish(room, {:packed, create}, by: :system)
    client = watch(room, format)
    handles = Map.new(1..@entities, &{id(&1), &1 - 1})

    # Where things are repeats each second; which seq the handles are of is written into each frame.
    bodies =
      for n <- 1..@hz do
        updates =
          for i <- 1..@entities, do: {"update", %{"entity_id" => id(i), "components" => components(i, n)}}

        {:ok, <<_head, 0, body::binary>>} = Wire.encode_events(updates, schema: schema, handles: handles)
        body
      end
      |> List.to_tuple()

    Process.sleep(500)
    before = Room.info(room)

    at_rate(seconds, before.seq, fn n, known ->
      known = acknowledged(known)
      frame = IO.iodata_to_binary([0x13, varint(known), elem(bodies, rem(n, @hz))])
      Room.publish_async(room, [{:packed, frame}], by: :system)
      known
    end)

    finish(room, client, before)
  end

  defp acknowledged(known) do
    receive do
      {ref, {:ok, _..last}} when is_reference(ref) -> acknowledged(last)
      {ref, {:error, error}} when is_reference(ref) -> raise error
    after
      0 -> known
    end
  end

  defp varint(number) when number < 128, do: <<number>>
  defp varint(number), do: <<1::1, rem(number, 128)::7, varint(div(number, 128))::binary>>

  # ---- the same as text ----

  @users 100

  def text(seconds, schema, format) do
    {:ok, memory} = Roomfold.EventLog.Memory.start_link()
    room = room(schema: schema, log: {Roomfold.EventLog.Memory, memory}, snapshot_every: 0)
    per_user = div(@entities, @users)

    for user <- 1..@users do
      creates =
        for i <- 1..per_user,
            do:
              {"create",
               %{
                 "entity_id" => id(user * 1000 + i),
                 "components" => Map.put(components(i, 0), "owner", "user#{user}")
               }}

      {:ok, _} = Room.publish(room, creates, by: "user#{user}")
    end

    client = watch(room, format)
    parent = self()

    users =
      for user <- 1..@users do
        spawn_link(fn ->
          batches =
            for n <- 1..@hz do
              for i <- 1..per_user do
                {"update", fields} =
                  {"update", %{"entity_id" => id(user * 1000 + i), "components" => components(i, n)}}

                {:json,
                 "{\"event\":\"update\"," <>
                   binary_part(Roomfold.JSON.encode!(fields), 1, byte_size(Roomfold.JSON.encode!(fields)) - 1)}
              end
            end

          send(parent, :ready)
          sending(room, "user#{user}", List.to_tuple(batches))
        end)
      end

    for _ <- users, do: receive(do: (:ready -> :ok))
    Process.sleep(500)
    before = Room.info(room)
    at_rate(seconds, 0, fn n, _ -> for(pid <- users, do: send(pid, {:tick, n})) && 0 end)
    for pid <- users, do: Process.unlink(pid) && Process.exit(pid, :kill)
    finish(room, client, before)
  end

  defp sending(room, user, batches) do
    receive do
      {:tick, n} -> Room.publish_async(room, elem(batches, rem(n, @hz)), by: user)
      {_, {:ok, _}} -> :ok
      {_, {:error, error}} -> raise error
    end

    sending(room, user, batches)
  end

  defp finish(room, client, before) do
    Process.sleep(200)
    info = Room.info(room)
    send(client, {:ask, self()})
    {frames, bytes} = receive do: ({_, _} = it -> it)
    GenServer.stop(room)

    Map.merge(info, %{
      events: info.seq - before.seq,
      frames: frames,
      frame_bytes: div(bytes, max(frames, 1)),
      shed: info.shed - before.shed
    })
  end
end

case System.argv() do
  ["one"] ->
    IO.inspect(Bench.One.packed(5, Bench.One.schema(), "packed"))
    IO.inspect(Bench.One.packed(5, Roomfold.Schema.default(), "packed"))
    IO.inspect(Bench.One.text(5, Roomfold.Schema.default(), "packed"))

  ["many"] ->
    Bench.Many.main()
end
