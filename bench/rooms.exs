# Rooms under load, all in one VM: clients, rooms and log share its cores.
#
#   mix run bench/rooms.exs            everything
#   mix run bench/rooms.exs one        a room with 10,000 entities that move, at 60 Hz
#   mix run bench/rooms.exs many       how many rooms with 10 players at 20 Hz beside rooms by hand (FROM=, STEP=, SECONDS=, ONLY=Roomfold; PRIORITY=high of rooms' processes);
#                                      as all cores are busy, best with ERL_FLAGS="+sbwt none +sbwtdcpu none +sbwtdio none"
#   mix run bench/rooms.exs flood      what others notice when one user floods
#   mix run bench/rooms.exs heartbeat  what the VM notices of a snapshot of 100,000 entities
#   mix run bench/rooms.exs headset    how exact the times of a recording are
Code.require_file("support.exs", __DIR__)

defmodule Bench.Spread do
  @moduledoc "Counts durations from any number of processes: classes of 50 µs up to 2 s."

  @class 50
  @classes 40_000

  def new, do: :counters.new(@classes + 1, [:write_concurrency])
  def add(spread, us), do: :counters.add(spread, min(div(max(us, 0), @class), @classes) + 1, 1)
  def reset(spread), do: for(i <- 1..(@classes + 1), do: :counters.put(spread, i, 0))
  @doc "For each share of them the upper end of the class below which it lies, in ms; and how many there are."
  def percentiles(spread, shares) do
    # At one moment: others go on counting.
    counts = for i <- 1..(@classes + 1), do: :counters.get(spread, i)
    all = Enum.sum(counts)
    {Enum.map(shares, &percentile(counts, max(ceil(all * &1), 1), 1)), all}
  end

  defp percentile([count | _], wanted, i) when count >= wanted, do: i * @class / 1000
  defp percentile([count | counts], wanted, i), do: percentile(counts, wanted - count, i + 1)
  defp percentile([], _, i), do: i * @class / 1000
end

defmodule Bench.Player do
  @moduledoc """
  A client as a channel would hold it: a process with a session, an input each so many ms, acknowledgements now and then. What
  it sends is there before it starts, and its ref is the time when it was sent.
  """

  alias Bench.Spread
  alias Roomfold.Session

  @texts 8
  # Inputs for each acknowledgement.
  @ack_every 8

  @doc "Returns when it has joined. It begins to send when it is told `:go`."
  def start(room, user, period_ms, tally, opts \\ []) do
    parent = self()

    # With room for what an input and its answers make, so that it need not be collected for each.
    pid =
      :proc_lib.spawn_opt(
        fn ->
          session = Session.new([room: room, user: user] ++ Keyword.get(opts, :session, []))
          {:ok, _, _, session} = Session.join(session, %{"format" => Keyword.get(opts, :format, "packed")})
          send(parent, {self(), :joined})
          loop(session, :infinity, now(), 0, {period_ms, texts(user), :persistent_term.get(tally)})
        end,
        [:link, min_heap_size: 1_000]
      )

    receive do: ({^pid, :joined} -> pid)
  end

  # Made once for all that are called so: from a socket texts would come as fresh bytes, in the cache, and not from somewhere that nobody has read for long.
  # To be called by the player's process: what it is given stays where it is.
  @doc "What a user sends, for `text/2`."
  def texts(user) do
    key = {__MODULE__, :texts, user}
    if :persistent_term.get(key, nil) == nil, do: :persistent_term.put(key, made(user))
    :persistent_term.get(key)
  end

  @doc "The nth of them."
  def text(texts, n), do: elem(texts, rem(n, @texts))

  defp made(user) do
    for x <- 1..@texts do
      {:json,
       ~s({"user_id":"#{user}","position":[#{x}.25,1.5,-#{x}.75],"rotation":[0,0.38268343,0,0.92387953]})}
    end
    |> List.to_tuple()
  end

  defp now, do: :erlang.monotonic_time(:microsecond)

  # at: when the next input is due; now: as of the last message. The clock is read once for each.
  defp loop(session, at, now, n, me) do
    receive do
      # Not all at once.
      :go ->
        now = now()
        loop(session, now + :rand.uniform(elem(me, 0) * 1000), now, n, me)

      message ->
        now = now()

        case Session.handle(session, message) do
          :ignore -> loop(session, at, now, n, me)
          {frames, session} -> loop(told(frames, now, session, me), at, now, n, me)
          {:close, _, _, _} -> count(me, 2)
        end
    after
      wait(at, now) ->
        now = now()
        loop(input(session, n, now, me), at + elem(me, 0) * 1000, now, n + 1, me)
    end
  end

  defp wait(:infinity, _), do: :infinity
  defp wait(at, now), do: max(div(at - now + 999, 1000), 0)

  defp input(session, n, now, {_, texts, _} = me) do
    {frames, session} = Session.input(session, "user_moved", text(texts, n), now)
    session = told(frames, now, session, me)
    if rem(n, @ack_every) == 0, do: acknowledge(session, now, me), else: session
  end

  defp acknowledge(session, now, me) do
    {frames, session} = Session.input(session, "ack", %{"seq" => session.seq})
    told(frames, now, session, me)
  end

  defp told([], _, session, _), do: session

  defp told([frame | frames], now, session, me) do
    frame(frame, now, me)
    told(frames, now, session, me)
  end

  defp frame({:reply, at, :ok, _}, now, {_, _, tally}),
    do: Spread.add(tally.acknowledged, now - at)

  defp frame({:reply, _, :error, _}, _, me), do: count(me, 1)
  defp frame(_, _, _), do: :ok

  defp count({_, _, tally}, what), do: :counters.add(tally.counts, what, 1)

  def reset(tally) do
    for i <- 1..2, do: :counters.put(refused(tally), i, 0)
    Spread.reset(acknowledged(tally))
  end

  @doc """
  Where all of them count. A player takes it from there: were a million bytes of counters its own, the VM would collect its garbage
  from scratch, time and again.
  """
  def tally do
    tally = {__MODULE__, System.unique_integer()}
    counts = :counters.new(2, [:write_concurrency])
    :persistent_term.put(tally, %{acknowledged: Spread.new(), counts: counts})
    tally
  end

  def acknowledged(tally), do: :persistent_term.get(tally).acknowledged
  @doc "Refused inputs, and closed sessions."
  def refused(tally), do: :persistent_term.get(tally).counts
end

# It counts as Bench.Player does.
Code.require_file("rooms_by_hand.exs", __DIR__)

defmodule Bench.Many do
  @moduledoc "Rooms with 10 players each, 20 inputs a second from each, every event on the disk before it is answered."

  alias Bench.{ByHand, Player, Spread}
  alias Roomfold.{EventLog, Room, Rooms}

  @players 10
  @period 50

  defp run(:roomfold, count, seconds) do
    folder = Bench.folder()
    name = :"rooms#{System.unique_integer([:positive])}"

    {:ok, rooms} =
      Rooms.start_link(
        name: name,
        log: {EventLog.SQLite, path: Path.join(folder, "rooms.db")},
        room: [tick_ms: @period, grace_ms: 0, spawn_opt: [priority: priority()]]
      )

    try do
      measure(name, count, seconds)
    after
      Process.unlink(rooms)
      Supervisor.stop(rooms)
      File.rm_rf!(folder)
    end
  end

  defp run({:by_hand, work}, count, seconds) do
    folder = Bench.folder()
    tally = Player.tally()

    {log, rooms} = ByHand.rooms(count, @period, folder, work)

    players = for room <- rooms, p <- 1..@players, do: ByHand.start(room, "player#{p}", @period, tally, work)

    it = played(players, tally, count, seconds, fn -> 0 end)
    for pid <- [log | rooms], do: Process.unlink(pid) && Process.exit(pid, :kill)
    File.rm_rf!(folder)
    it
  end

  defp priority, do: String.to_existing_atom(System.get_env("PRIORITY", "normal"))

  defp measure(name, count, seconds) do
    tally = Player.tally()

    players =
      for r <- 1..count, p <- 1..@players, do: Player.start({name, "room#{r}"}, "player#{p}", @period, tally)

    played(players, tally, count, seconds, fn -> shed(name) end)
  end

  # Joining and warming up are not measured.
  defp played(players, tally, count, seconds, shed) do
    for pid <- players, do: send(pid, :go)
    Process.sleep(3_000)
    before = shed.()
    Player.reset(tally)
    busy = Bench.cores(fn -> Process.sleep(seconds * 1000) end)
    {[p50, p99, most], acknowledged} = Spread.percentiles(Player.acknowledged(tally), [0.5, 0.99, 1.0])
    shed = shed.() - before
    for pid <- players, do: Process.unlink(pid) && Process.exit(pid, :kill)

    %{
      rooms: count,
      acks_per_s: div(acknowledged, seconds),
      p50: p50,
      p99: p99,
      max: most,
      refused: Enum.sum(for i <- 1..2, do: :counters.get(Player.refused(tally), i)),
      shed: shed,
      cores: busy
    }
  end

  # Ticks left out, of all rooms. One that is too busy to say has left out some.
  defp shed(name) do
    Enum.sum(
      for id <- Rooms.running(name),
          do:
            (try do
               Room.info({name, id}).shed
             rescue
               Roomfold.Error -> 1
             end)
    )
  end

  @contenders [
    {"Roomfold", :roomfold},
    {"by hand", {:by_hand, :all}},
    {"only woken", {:by_hand, :none}}
  ]

  def main do
    from = String.to_integer(System.get_env("FROM", "100"))
    step = String.to_integer(System.get_env("STEP", "100"))
    seconds = String.to_integer(System.get_env("SECONDS", "10"))
    only = System.get_env("ONLY")

    IO.puts("""
    Rooms with #{@players} players at #{div(1000, @period)} Hz, every event on the disk before it is answered; clients are in the same VM. By hand: a GenServer a
    room, maps, #{inspect(ByHand.json())}, disk_log. Only woken: the same processes, as often, which do nothing.
    """)

    found =
      for {name, contender} <- @contenders,
          only in [nil, name],
          do: {name, search(contender, from, step, seconds)}

    rows =
      for {name, its} <- found,
          it <- its,
          do: [name, it.rooms, it.acks_per_s, it.p50, it.p99, it.max, it.refused, it.shed, it.cores]

    header = ~w(rooms_of rooms acks_per_s p50_ms p99_ms max_ms refused ticks_shed cores)
    Bench.table(header, rows)
    Bench.csv("rooms_many", header, rows)

    for {name, its} <- found, do: IO.puts("#{name}: #{best(its)} rooms")
    IO.puts("is the most with p99 under 100 ms and nothing shed\n")
  end

  # Up to the first that are too many.
  defp search(contender, from, step, seconds) do
    Stream.iterate(from, &(&1 + step))
    |> Enum.reduce_while([], fn count, its ->
      it = run(contender, count, seconds)
      {if(good?(it), do: :cont, else: :halt), [it | its]}
    end)
    |> Enum.reverse()
  end

  defp best(its), do: its |> Enum.filter(&good?/1) |> Enum.map(& &1.rooms) |> Enum.max(fn -> 0 end)

  defp good?(it) do
    it.p99 < 100 and it.refused == 0 and it.shed == 0 and
      it.acks_per_s > 0.99 * it.rooms * @players * div(1000, @period)
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
    defaults = [
      id: "one",
      rooms: nil,
      tick_ms: 1000 / @hz,
      max_queue: 1_000_000,
      history: 1_048_576,
      user_events_per_s: 1_000_000,
      user_bytes_per_s: 1_000_000_000
    ]

    {:ok, room} = Room.start_link(Keyword.merge(defaults, opts))
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

  # Calls tick.(n, state) so many times a second.
  defp at_rate(seconds, hz, first, tick) do
    start = System.monotonic_time(:microsecond)

    Enum.reduce(1..(seconds * hz), first, fn n, state ->
      due = start + div(n * 1_000_000, hz)
      wait = div(due - System.monotonic_time(:microsecond), 1000)
      if wait > 0, do: Process.sleep(wait)
      tick.(n, state)
    end)
  end

  # Where things are repeats after so many ticks; which seq the handles are of is written into each frame.
  @bodies 12

  def packed(seconds, schema, format) do
    creates = for i <- 1..@entities, do: {"create", %{"entity_id" => id(i), "components" => components(i, 0)}}
    {:ok, create} = Wire.encode_events(creates, schema: schema)
    handles = Map.new(1..@entities, &{id(&1), &1 - 1})

    bodies =
      for n <- 1..@bodies do
        updates =
          for i <- 1..@entities, do: {"update", %{"entity_id" => id(i), "components" => components(i, n)}}

        {:ok, <<_head, 0, body::binary>>} = Wire.encode_events(updates, schema: schema, handles: handles)
        body
      end
      |> List.to_tuple()

    room = room(schema: schema)
    {:ok, _} = Room.publish(room, {:packed, create}, by: :system)
    client = watch(room, format)
    before = start(room)

    at_rate(seconds, @hz, before.seq, fn n, known ->
      known = acknowledged(known)
      frame = IO.iodata_to_binary([0x13, varint(known), elem(bodies, rem(n, @bodies))])
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
  # Text costs more than a tick of 60 Hz has time for.
  @text_hz 20

  def text(seconds, schema, format) do
    {:ok, memory} = Roomfold.EventLog.Memory.start_link()
    log = {Roomfold.EventLog.Memory, memory}
    room = room(schema: schema, log: log, snapshot_every: 0, tick_ms: div(1000, @text_hz))
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
            for n <- 1..@bodies do
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
    before = start(room)
    at_rate(seconds, @text_hz, 0, fn n, _ -> for(pid <- users, do: send(pid, {:tick, n})) && 0 end)
    for pid <- users, do: Process.unlink(pid) && Process.exit(pid, :kill)
    finish(room, client, before)
  end

  defp sending(room, user, batches) do
    receive do
      {:tick, n} -> Room.publish_async(room, elem(batches, rem(n, @bodies)), by: user)
      # What was refused is missing from the events of the table.
      {_, _} -> :ok
    end

    sending(room, user, batches)
  end

  # What came before is not counted.
  defp start(room) do
    Process.sleep(300)
    :sys.replace_state(room, &%{&1 | times: Roomfold.Room.Times.new()})
    Room.info(room)
  end

  defp finish(room, client, before) do
    Process.sleep(200)
    info = Room.info(room)
    send(client, {:ask, self()})
    {frames, bytes} = receive do: ({frames, bytes} when is_integer(frames) -> {frames, bytes})
    GenServer.stop(room)

    Map.merge(info, %{
      events: info.seq - before.seq,
      frames: frames,
      frame_bytes: div(bytes, max(frames, 1)),
      ticks: info.ticks - before.ticks,
      shed: info.shed - before.shed
    })
  end

  # ---- the peer: what one would write by hand ----

  defmodule Peer do
    @moduledoc false
    use GenServer

    def init(client), do: {:ok, %{world: %{}, queue: [], changed: %{}, client: client, seq: 0, times: []}}

    def handle_cast({:publish, events}, state), do: {:noreply, %{state | queue: [events | state.queue]}}

    def handle_call(:times, _, state), do: {:reply, state.times, state}

    def handle_info(:tick, state) do
      start = System.monotonic_time(:microsecond)

      {world, changed, seq} =
        for events <- Enum.reverse(state.queue),
            {"update", fields} <- events,
            reduce: {state.world, %{}, state.seq} do
          {world, changed, seq} ->
            %{"entity_id" => id, "components" => components} = fields

            {Map.update(world, id, components, &Map.merge(&1, components)), Map.put(changed, id, components),
             seq + 1}
        end

      diff = %{"from" => state.seq, "seq" => seq, "creates" => %{}, "updates" => changed, "deletes" => []}
      send(state.client, {:diff, encode(diff)})
      times = [System.monotonic_time(:microsecond) - start | state.times]
      {:noreply, %{state | world: world, queue: [], seq: seq, times: times}}
    end

    # Jason where it is there; found once: to ask whether it is loaded is a call to a process.
    if Code.ensure_loaded?(Jason),
      do: defp(encode(diff), do: apply(Jason, :encode_to_iodata!, [diff])),
      else: defp(encode(diff), do: Roomfold.JSON.encode!(diff))
  end

  def peer(seconds) do
    client = spawn_link(fn -> Process.sleep(:infinity) end)
    {:ok, peer} = GenServer.start_link(Peer, client)

    bodies =
      for(
        n <- 1..10,
        do: for(i <- 1..@entities, do: {"update", %{"entity_id" => id(i), "components" => components(i, n)}})
      )
      |> List.to_tuple()

    # At 30 Hz, as 60 is more than it can do.
    for n <- 1..(seconds * 30) do
      GenServer.cast(peer, {:publish, elem(bodies, rem(n, 10))})
      send(peer, :tick)
      Process.sleep(33)
    end

    times = GenServer.call(peer, :times, 60_000) |> Enum.sort()
    GenServer.stop(peer)
    at = fn share -> Enum.at(times, min(trunc(length(times) * share), length(times) - 1)) end
    %{mean: div(Enum.sum(times), length(times)), p50: at.(0.5), p99: at.(0.99), max: List.last(times)}
  end

  def main do
    seconds = String.to_integer(System.get_env("SECONDS", "10"))

    IO.puts(
      "A room with #{@entities} entities that all move in every tick: what a tick takes the room's process, in µs"
    )

    contenders = [
      {"packed batch, no log, diff packed", 60,
       fn -> packed(seconds, Roomfold.Schema.default(), "packed") end},
      {"packed batch, no log, diff quantised", 60, fn -> packed(seconds, schema(), "packed") end},
      {"packed batch, no log, diff as JSON", 60,
       fn -> packed(seconds, Roomfold.Schema.default(), "json") end},
      {"text of 100 users, log in memory, diff packed", 20,
       fn -> text(seconds, Roomfold.Schema.default(), "packed") end}
    ]

    rows =
      for {name, hz, run} <- contenders do
        it = Task.await(Task.async(run), :infinity)

        [
          name,
          hz,
          it.ticks,
          it.busy_us.mean,
          it.busy_us.p50,
          it.busy_us.p99,
          it.busy_us.max,
          it.shed
        ] ++
          [it.events, it.frame_bytes]
      end

    it = peer(seconds)

    rows =
      rows ++
        [
          [
            "a GenServer with a map, Jason",
            30,
            seconds * 30,
            it.mean,
            it.p50,
            it.p99,
            it.max,
            0,
            seconds * 30 * @entities,
            0
          ]
        ]

    header = ~w(who hz ticks mean_us p50_us p99_us max_us shed events diff_bytes)
    Bench.table(header, rows)
    Bench.csv("rooms_one", header, rows)
  end
end

defmodule Bench.Flood do
  @moduledoc """
  A room with ten players at 20 Hz: how long they wait for their answers while all is quiet, and while an eleventh sends as much as its
  session takes in, good and bad.
  """

  alias Bench.{Player, Spread}
  alias Roomfold.{Room, Session}

  def main do
    seconds = String.to_integer(System.get_env("SECONDS", "10"))
    {:ok, log} = Roomfold.EventLog.Memory.start_link()
    {:ok, room} = Room.start_link(id: "flood", rooms: nil, log: {Roomfold.EventLog.Memory, log}, tick_ms: 50)
    tally = Player.tally()
    for p <- 1..10, do: send(Player.start(room, "player#{p}", 50, tally), :go)
    Process.sleep(1_000)

    rows =
      for round <- 1..3, kind <- [:quiet, :flood] do
        flooder = if kind == :flood, do: spawn_link(fn -> flood(room) end)
        Process.sleep(200)
        Player.reset(tally)
        Process.sleep(div(seconds * 1000, 3))
        sent = if flooder, do: stop(flooder), else: 0
        {times, _} = Spread.percentiles(Player.acknowledged(tally), [0.5, 0.99, 1.0])
        [round, kind] ++ times ++ [:counters.get(Player.refused(tally), 1), sent]
      end

    header = ~w(round what p50_ms p99_ms max_ms refused flood_sent)
    IO.puts("Ten players of a room, and one who floods it")
    Bench.table(header, rows)
    Bench.csv("rooms_flood", header, rows)

    [quiet, flood] =
      for kind <- [:quiet, :flood], do: Bench.median(for [_, ^kind, _, p99 | _] <- rows, do: p99)

    IO.puts("The others' p99 is #{Bench.ratio(flood, quiet)} times what it was\n")
  end

  defp flood(room) do
    {:ok, _, _, session} = Session.join(Session.new(room: room, user: "eve"), %{"format" => "packed"})
    flooding(session, 0)
  end

  defp flooding(session, n) do
    payload =
      case rem(n, 3) do
        0 -> {:json, ~s({"user_id":"eve","position":[1,2,3]})}
        1 -> {:json, ~s({"user_id":"player1","position":[1,2,3]})}
        2 -> {:json, String.duplicate("[", 1_000)}
      end

    {_, session} = Session.input(session, "user_moved", payload, n)
    {_, session} = Session.input(session, "ack", %{"seq" => session.seq})
    session = drain(session)

    receive do
      {:stop, pid} -> send(pid, {:sent, n})
    after
      0 -> flooding(session, n + 1)
    end
  end

  defp drain(session) do
    receive do
      message when not is_tuple(message) or elem(message, 0) != :stop ->
        case Session.handle(session, message) do
          {_, session} -> drain(session)
          :ignore -> drain(session)
        end
    after
      0 -> session
    end
  end

  defp stop(flooder) do
    send(flooder, {:stop, self()})
    receive do: ({:sent, n} -> n)
  end
end

defmodule Bench.Heartbeat do
  @moduledoc "A process that wakes up each millisecond: its longest gap while nothing happens, and while a room of 100,000 entities is looked at."

  alias Roomfold.Room

  def main do
    {:ok, log} = Roomfold.EventLog.Memory.start_link()

    {:ok, room} =
      Room.start_link(
        id: "large",
        rooms: nil,
        log: {Roomfold.EventLog.Memory, log},
        tick_ms: 50,
        snapshot_every: 0
      )

    creates =
      for i <- 1..100_000,
          do:
            {"create",
             %{"entity_id" => "e#{i}", "components" => %{"position" => [i, 1, 2], "rotation" => [0, 0, 0, 1]}}}

    {:ok, frame} = Roomfold.Wire.encode_events(creates)
    {:ok, _} = Room.publish(room, {:packed, frame}, by: :system, timeout: 60_000)

    contenders = [
      idle: fn -> Process.sleep(300) end,
      snapshot: fn -> true = map_size(Room.snapshot(room)) >= 100_000 end,
      join_packed: fn -> {:ok, _} = Room.join(room, "tom", format: :packed) end,
      join_json: fn -> {:ok, _} = Room.join(room, "tom") end
    ]

    gaps = for _ <- 1..7, {name, run} <- contenders, do: {name, measure(run)}

    rows =
      for {name, _} <- contenders do
        mine = for {^name, {ms, gap}} <- gaps, do: {ms, gap}

        [
          name,
          Bench.round1(Bench.median(Enum.map(mine, &elem(&1, 0)))),
          Bench.round1(Bench.median(Enum.map(mine, &elem(&1, 1))))
        ] ++
          [Bench.round1(Enum.max(Enum.map(mine, &elem(&1, 1))))]
      end

    IO.puts(
      "What the VM notices of a snapshot of 100,000 entities: the longest gap of a process that wakes up each millisecond"
    )

    header = ~w(what took_ms gap_ms_median gap_ms_max)
    Bench.table(header, rows)
    Bench.csv("rooms_heartbeat", header, rows)
    # Nobody is in it: it would stop by itself later, and we with it.
    GenServer.stop(room)
  end

  defp measure(run) do
    parent = self()

    pid =
      spawn_link(fn ->
        receive do: (:go -> :ok)
        {us, _} = :timer.tc(run)
        send(parent, {:took, us})
      end)

    Process.send_after(pid, :go, 10)
    beat(now(), 0)
  end

  defp beat(last, worst) do
    receive do
      {:took, us} -> {us / 1000, max(worst, now() - last) / 1000}
    after
      1 ->
        now = now()
        beat(now, max(worst, now - last))
    end
  end

  defp now, do: System.monotonic_time(:microsecond)
end

defmodule Bench.Headset do
  @moduledoc "A headset and two hands, recorded into a room in their own timing and played back: how far off are the times?"

  alias Roomfold.{EventLog, Replay, Room, Rooms, Session}

  @folder Path.expand("../tests/data/vr", __DIR__)
  @full Path.expand("../../shared/data/vr", __DIR__)

  def main do
    Code.require_file("../tests/elixir/support/headset.ex", __DIR__)
    {csv, buttons, name} = recording()
    samples = apply(Roomfold.Headset, :read, [csv, buttons])
    IO.puts("A headset and two hands through a room and back, #{name}: how far off the times are, in ms")

    rows = for tick_ms <- [5, 11, 50], do: one(samples, tick_ms)
    header = ~w(tick_ms samples recorded_mean recorded_p99 recorded_max played_mean played_p99 played_max)
    Bench.table(header, rows)
    Bench.csv("rooms_headset", header, rows)
  end

  defp recording do
    full = Path.join(@full, "tracked-recording.csv.gz")

    if File.exists?(full),
      do: {full, Path.join(@full, "tracked-recording.events.jsonl.gz"), "29 seconds"},
      else:
        {Path.join(@folder, "tracked-extract.csv.gz"), Path.join(@folder, "tracked-extract.events.jsonl.gz"),
         "an extract"}
  end

  defp one(samples, tick_ms) do
    name = :"headset#{tick_ms}"
    rules = apply(Roomfold.Headset, :rules, [])

    {:ok, rooms} =
      Rooms.start_link(name: name, room: [tick_ms: tick_ms, rules: rules, user_events_per_s: 1_000])

    room = {name, "studio"}
    record(room, samples)
    times = recorded(room)
    {t0, _} = hd(samples)
    offset = hd(times)
    recorded = for {{t, _}, at} <- Enum.zip(samples, times), do: abs(at - offset - (t - t0))
    played = play(room, times)
    Process.unlink(rooms)
    Supervisor.stop(rooms)
    [tick_ms, length(samples)] ++ spread(recorded) ++ spread(played)
  end

  defp record(room, samples) do
    {:ok, _, _, session} =
      Session.join(Session.new(room: room, user: "tom", events_per_s: 1_000), %{"format" => "packed"})

    [{first, _} = sample | _] = samples

    # What is loaded when it is first called would make the first one late, and it is what the others are compared with.
    {:ok, _} = apply(Roomfold.Headset, :input, [sample, 1, "tom"])
    start = now() + 100_000

    for {{t, _} = sample, n} <- Enum.with_index(samples, 1), reduce: session do
      session ->
        wait = div(start + round((t - first) * 1_000) - now(), 1_000)
        if wait > 0, do: Process.sleep(wait)
        {:ok, frame} = apply(Roomfold.Headset, :input, [sample, n, "tom"])
        {_, session} = Session.input(session, "input", {:binary, frame}, n)
        session |> drain() |> acknowledged()
    end

    Process.sleep(200)
  end

  defp acknowledged(session), do: elem(Session.input(session, "ack", %{"seq" => session.seq}), 1)

  defp drain(session) do
    receive do
      message ->
        case Session.handle(session, message) do
          {_, session} -> drain(session)
          :ignore -> drain(session)
        end
    after
      0 -> session
    end
  end

  defp recorded({name, id}) do
    for line <- Rooms.log(name) |> EventLog.stream(id, 1) |> Enum.join() |> String.split("\n", trim: true),
        %{"by" => "tom", "at" => at} <- [Roomfold.JSON.decode!(line)],
        do: at
  end

  # When each event is told to a subscriber, against when the log says that it was.
  defp play({name, _} = room, [first | _]) do
    topic = "headset-replay"
    :ok = Roomfold.EventStream.subscribe(Rooms.stream(name), topic)
    {:ok, replay} = Room.replay(room, stream: Rooms.stream(name), topic: topic)
    last = Replay.info(replay).last_seq
    heard = hear(last, [])
    GenServer.stop(replay)
    :ok = Roomfold.EventStream.unsubscribe(Rooms.stream(name), topic)
    [{start, _} | _] = heard
    for {us, at} <- heard, do: abs((us - start) / 1_000 - (at - first))
  end

  defp hear(last, heard) do
    receive do
      {_, %{"seq" => seq, "at" => at, "by" => by}} ->
        heard = if by == "tom", do: [{now(), at} | heard], else: heard
        if seq == last, do: Enum.reverse(heard), else: hear(last, heard)
    end
  end

  defp spread(errors) do
    sorted = Enum.sort(errors)

    [Enum.sum(sorted) / length(sorted), Enum.at(sorted, trunc(length(sorted) * 0.99)), List.last(sorted)]
    |> Enum.map(&:erlang.float_to_binary(&1 / 1, decimals: 2))
  end

  defp now, do: System.monotonic_time(:microsecond)
end

sqlite? = Roomfold.EventLog.SQLite.available?()
parts = if System.argv() == [], do: ~w(one flood heartbeat headset many), else: System.argv()

for part <- parts do
  case part do
    "one" -> Bench.One.main()
    "flood" -> Bench.Flood.main()
    "heartbeat" -> Bench.Heartbeat.main()
    "headset" -> Bench.Headset.main()
    "many" when sqlite? -> Bench.Many.main()
    "many" -> IO.puts("left out: many rooms (Roomfold was built without SQLite)")
  end
end
