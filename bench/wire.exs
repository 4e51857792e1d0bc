# The packed format: bytes and time of diffs, bytes per changed entity of real matches and of a VR recording, and folding packed
# batches, against what Elixir offers.
#
#     make bench            or      mix run bench/wire.exs [encode] [fold] [bytes]
Code.require_file("support.exs", __DIR__)
Code.require_file("streams.exs", __DIR__)
Code.require_file("map_world.exs", __DIR__)
Code.require_file("ets_world.exs", __DIR__)

defmodule WireBench do
  alias Roomfold.{JSON, Rules, Schema, Wire, World}

  @entities 1_000
  @times 1_000
  @rounds 15
  @shared Path.expand("../../shared/data", __DIR__)
  @shipped Path.expand("../priv/demo", __DIR__)

  def run(parts) do
    IO.puts("The packed format, #{Bench.machine()}\n")
    if "encode" in parts, do: encode()
    if "fold" in parts, do: fold()
    if "bytes" in parts, do: bytes()
  end

  # ---- time and bytes of a diff ----

  @quantised [
    {"position", {:f32, 3}, quantise: [step: 0.001, bounds: {-64, 64}]},
    {"rotation", {:f32, 4}, quantise: :smallest_three, bits: 10}
  ]
  @lossless [{"position", {:f32, 3}}, {"rotation", {:f32, 4}}]
  @decimals [{"position", {:f32, 3}, decimals: 4}, {"rotation", {:f32, 4}, decimals: 4}]

  # All created, then all at another place, turned another way: no delta helps.
  defp encode do
    IO.puts(
      "A diff of #{@entities} changed entities, position and rotation; medians of #{@rounds} rounds, each #{@times} times"
    )

    packed = fn schema ->
      world = moved(schema)
      fn -> World.encode!(world, {:diff, @entities}, :packed) end
    end

    json = moved(@decimals)
    diff = World.diff!(moved(@lossless), @entities)
    text = JSON.decode!(World.encode!(json, {:diff, @entities}, :json))

    peers =
      for {name, module, encode} <- [
            {"jiffy", :jiffy, &:jiffy.encode/1},
            {"Jason", Jason, &Jason.encode_to_iodata!/1}
          ],
          Bench.peer?(module, name),
          do: {name <> ", 4 decimals", fn -> encode.(text) end}

    all =
      [
        {"packed, 1 mm and 10 bits", packed.(@quantised)},
        {"packed, lossless", packed.(@lossless)},
        {"JSON, 4 decimals", fn -> World.encode!(json, {:diff, @entities}, :json) end},
        {"term_to_binary", fn -> :erlang.term_to_binary(diff) end}
      ] ++ peers

    times = Bench.rounds(for({name, run} <- all, do: {name, fn -> run end, &repeat(&1, @times)}), @rounds)
    first = times["packed, 1 mm and 10 bits"]

    rows =
      for {name, run} <- all do
        size = IO.iodata_length(run.())
        us = Bench.round1(times[name] / @times / 1_000)
        [name, us, Bench.ratio(times[name], first), size, Bench.ratio(size, @entities)]
      end

    header = ["", "us", "x quantised", "bytes", "bytes an entity"]
    Bench.table(header, rows)
    Bench.csv("encode_packed", ["who", "us", "times_quantised", "bytes", "bytes_an_entity"], rows)
  end

  defp moved(components) do
    {creates, _} = Streams.make(@entities, 1, 1)
    :rand.seed(:exsss, 7)

    updates =
      for {_, %{"entity_id" => id}} <- creates do
        {"update", %{"entity_id" => id, "components" => pose()}}
      end

    World.new!(schema: Schema.new!(components)) |> World.fold!(creates) |> World.fold!(updates)
  end

  defp place, do: for(_ <- 1..3, do: Float.round((:rand.uniform() * 2 - 1) * 50, 4))

  defp turn do
    all = for _ <- 1..4, do: :rand.normal()
    size = :math.sqrt(Enum.sum(Enum.map(all, &(&1 * &1))))
    Enum.map(all, &(&1 / size))
  end

  defp repeat(_, 0), do: :ok

  defp repeat(encode, times) do
    encode.()
    repeat(encode, times - 1)
  end

  # ---- folding ----

  @batches 20
  @batch 1_000

  defp fold do
    IO.puts(
      "Folding #{@batches} batches of #{@batch} events a round, ns per event (updates: position and rotation)"
    )

    header = [
      "entities",
      "events",
      "packed",
      "packed, handles",
      "ets+diff",
      "map",
      "ets",
      "ets+diff / packed",
      "faster / packed"
    ]

    rows =
      for count <- [100, 1_000, 10_000], {name, only} <- [{"updates", true}, {"90 % updates", false}] do
        [count, name | fold(count, only)]
      end

    Bench.table(header, rows)
    Bench.csv("fold_packed", header, rows)
  end

  defp fold(count, only_updates) do
    {creates, batches} = stream(count, only_updates)
    frames = for batch <- batches, do: encode_batch(batch, [])
    by_handle = by_handle(creates, batches, only_updates)

    native = fn -> World.new!(history: 100_000) |> World.fold!(creates) end

    [creates_of, batches_of] = Enum.map([creates: creates, batches: batches], &Bench.keep/1)

    ets = fn ->
      table = EtsWorld.new()
      EtsWorld.fold(creates_of.(), table)
      table
    end

    packed = fn frames -> fn world -> Enum.reduce(frames, world, &World.fold!(&2, {:packed, &1})) end end

    contenders = [
      {:packed, native, packed.(frames)},
      {:handles, native, packed.(by_handle)},
      {:ets_diff, ets, fn table -> Enum.each(batches_of.(), &EtsWorld.fold_with_diff(&1, table)) end},
      {:map, fn -> MapWorld.fold(creates_of.(), %{}) end,
       fn world -> Enum.reduce(batches_of.(), world, &MapWorld.fold/2) end},
      {:ets, ets, fn table -> Enum.each(batches_of.(), &EtsWorld.fold(&1, table)) end}
    ]

    ns = for {name, time} <- Bench.rounds(contenders, 7), into: %{}, do: {name, time / (@batch * @batches)}
    best = min(ns.packed, ns.handles)
    shown = [ns.packed, ns.handles, ns.ets_diff, ns.map, ns.ets]

    Enum.map(shown, &Bench.round1/1) ++
      [Bench.ratio(ns.ets_diff, best), Bench.ratio(min(ns.map, ns.ets), best)]
  end

  # Entities that are there when a batch begins are said by handle, who comes in it by name, once.
  defp by_handle(creates, batches, only_updates) do
    world = World.new!() |> World.fold!(creates)

    {frames, _} =
      Enum.map_reduce(batches, {world, handles(world)}, fn batch, {world, handles} ->
        frame = encode_batch(batch, handles: handles, known: World.seq(world))
        world = if only_updates, do: world, else: World.fold!(world, batch)
        {frame, {world, if(only_updates, do: handles, else: handles(world))}}
      end)

    frames
  end

  defp handles(world) do
    {:ok, frame} = Wire.decode(World.encode!(world, :snapshot, :packed))
    for entity <- frame["entities"], into: %{}, do: {entity["id"], entity["handle"]}
  end

  defp encode_batch(batch, opts) do
    {:ok, frame} = Wire.encode_events(batch, opts)
    frame
  end

  defp stream(count, false), do: Streams.make(count, @batches, @batch)

  defp stream(count, true) do
    creates = Streams.creates(count)
    :rand.seed(:exsss, 3)
    update = fn -> {"update", %{"entity_id" => "entity_#{:rand.uniform(count)}", "components" => pose()}} end
    {creates, for(_ <- 1..@batches, do: for(_ <- 1..@batch, do: update.()))}
  end

  defp pose, do: %{"position" => place(), "rotation" => turn()}

  # ---- bytes of real streams ----

  # A schema for the matches: what people would write down who know their game. Its words are what the first tenth of a match shows.
  @doom [
    {"position", {:f32, 3}, quantise: [step: 0.001, bounds: {-500, 500}]},
    {"velocity", {:f32, 3}, quantise: [step: 0.001, bounds: {-500, 500}]},
    {"rotation", {:f32, 4}, quantise: :smallest_three, bits: 10},
    {"floor", :f32, quantise: [step: 0.001]},
    {"ceiling", :f32, quantise: [step: 0.001]},
    {"health", :i64},
    {"armor", :i64},
    {"kind", :term},
    {"type", :term},
    {"collider", :term},
    {"owner", :term},
    {"state", :term}
  ]
  @lossless_doom for {name, type} <- Enum.map(@doom, &{elem(&1, 0), elem(&1, 1)}), do: {name, type}

  @ways [
    "JSON",
    "term_to_binary",
    "Jason",
    "colyseus, float32",
    "colyseus, quantised",
    "packed, lossless",
    "packed, quantised"
  ]

  defp bytes do
    IO.puts(
      "Per changed entity (created, updated or deleted), one diff for each tick, frame headers included\n"
    )

    folder = if File.dir?(@shared), do: Path.join(@shared, "doom/matches"), else: @shipped
    files = Enum.sort(Path.wildcard(Path.join(folder, "*.events.jsonl.gz")))
    matches = files |> Enum.map(&match/1) |> colyseus(500)
    hands = colyseus(vr(), 16)
    all = Map.update!(Enum.reduce(matches, &sum/2), :name, fn _ -> "all matches" end)
    rows = matches ++ [all] ++ hands

    for {what, unit, decimals} <- [{:bytes, 1, 2}, {:times, 1, 0}] do
      columns = Enum.filter(@ways, &Map.has_key?(Map.fetch!(all, what), &1))
      header = ["", "changed" | columns]

      cells =
        for row <- rows do
          [
            row.name,
            row.changed | Enum.map(columns, &per(Map.fetch!(row, what)[&1], row.changed * unit, decimals))
          ]
        end

      IO.puts(
        if what == :bytes,
          do: "bytes",
          else:
            "nanoseconds of encoding alone, the shortest of three times (for the Elixir peers the diff lies ready)"
      )

      Bench.table(header, cells)
      Bench.csv(if(what == :bytes, do: "bytes_packed", else: "times_packed"), header, cells)
    end
  end

  defp per(number, count, decimals), do: :erlang.float_to_binary(number / count, decimals: decimals)

  defp sum(a, b) do
    add = fn _, x, y -> x + y end

    %{
      name: a.name,
      changed: a.changed + b.changed,
      bytes: Map.merge(a.bytes, b.bytes, add),
      times: Map.merge(a.times, b.times, add)
    }
  end

  # The same ticks with @colyseus/schema, in node.
  defp colyseus([], _), do: []

  defp colyseus(rows, reach) do
    folder = Path.expand("peers/colyseus", __DIR__)

    with node when node != nil <- System.find_executable("node"),
         true <- File.dir?(Path.join(folder, "node_modules/@colyseus/schema")) do
      {out, 0} =
        System.cmd(node, [Path.join(folder, "run.mjs"), "#{reach}" | Enum.map(rows, &ticks_file(&1.name))])

      for {row, line} <- Enum.zip(rows, String.split(out, "\n", trim: true)) do
        [changed, plain, small, plain_ns, small_ns] = line |> String.split() |> Enum.map(&String.to_integer/1)

        if changed != row.changed,
          do: raise("colyseus counts #{changed} changes in #{row.name}, not #{row.changed}")

        bytes = %{"colyseus, float32" => plain, "colyseus, quantised" => small}
        times = %{"colyseus, float32" => plain_ns, "colyseus, quantised" => small_ns}
        %{row | bytes: Map.merge(row.bytes, bytes), times: Map.merge(row.times, times)}
      end
    else
      _ ->
        IO.puts("left out: @colyseus/schema (it needs node, and npm install in bench/peers/colyseus)")
        rows
    end
  end

  defp ticks_file(name) do
    folder = Path.expand("../build/bench/ticks", __DIR__)
    File.mkdir_p!(folder)
    Path.join(folder, name <> ".jsonl")
  end

  defp match(file) do
    lines = file |> File.read!() |> :zlib.gunzip() |> String.split("\n", trim: true)
    events = for line <- lines, do: {line, JSON.decode!(line)}
    [first | ticks] = Enum.chunk_by(events, fn {_, event} -> event["at"] end)
    words = words(Enum.map(Enum.take(events, div(length(events), 10)), &elem(&1, 1)))
    name = Path.basename(file, ".events.jsonl.gz")
    measure(name, first, ticks, Schema.new!(@lossless_doom, words: words), Schema.new!(@doom, words: words))
  end

  defp words(events) do
    names = ~w(weapon weapons ammo frags keys damage_taken immunities)

    values =
      for event <- events,
          key <- ~w(kind type collider state weapon key),
          value = (event["components"] || event)[key],
          do: value

    stems =
      for event <- events,
          key <- ~w(entity_id id user_id projectile_id),
          id = event[key],
          do: String.replace(id, ~r/\d+$/, "")

    Enum.uniq(names ++ ["projectile", "player", "dead"] ++ stems ++ values)
  end

  # Jason encodes what JSON says, without which it would write each binary32's seventeen digits.
  defp measure(name, first, ticks, lossless, quantised) do
    jason = Code.ensure_loaded?(Jason)

    [plain, small] =
      for schema <- [lossless, quantised],
          do: World.new!(schema: schema, rules: Rules.doom()) |> World.fold!(json(first))

    file = File.open!(ticks_file(name), [:write, :raw, :delayed_write])
    :file.write(file, [World.encode!(plain, {:diff, 0}, :json), "\n"])
    start = %{name: name, changed: 0, bytes: %{}, times: %{}}

    {_, _, row} =
      Enum.reduce(ticks, {plain, small, start}, fn tick, {plain, small, row} ->
        from = World.seq(plain)
        plain = World.fold!(plain, json(tick))
        small = World.fold!(small, json(tick))
        {text, text_ns} = timed(fn -> World.encode!(plain, {:diff, from}, :json) end)
        :file.write(file, [text, "\n"])
        diff = JSON.decode!(text)
        terms = World.diff!(plain, from)

        now =
          [
            {"JSON", {text, text_ns}},
            {"term_to_binary", timed(fn -> :erlang.term_to_binary(terms) end)},
            {"packed, lossless", timed(fn -> World.encode!(plain, {:diff, from}, :packed) end)},
            {"packed, quantised", timed(fn -> World.encode!(small, {:diff, from}, :packed) end)}
          ] ++ if(jason, do: [{"Jason", timed(fn -> apply(Jason, :encode_to_iodata!, [diff]) end)}], else: [])

        changed = map_size(diff["creates"]) + map_size(diff["updates"]) + length(diff["deletes"])
        bytes = Map.new(now, fn {way, {bytes, _}} -> {way, IO.iodata_length(bytes)} end)
        times = Map.new(now, fn {way, {_, ns}} -> {way, ns} end)
        {plain, small, sum(row, %{name: name, changed: changed, bytes: bytes, times: times})}
      end)

    File.close(file)
    row
  end

  # The shortest of three: what else the machine does falls on all of them, sooner or later.
  defp timed(run) do
    {_, ns} = Enum.min_by(for(_ <- 1..3, do: timed_once(run)), &elem(&1, 1))
    {run.(), ns}
  end

  defp timed_once(run) do
    start = System.monotonic_time(:nanosecond)
    run.()
    {:ok, System.monotonic_time(:nanosecond) - start}
  end

  defp json(tick), do: {:json, Enum.map_join(tick, "\n", &elem(&1, 0))}

  # Head and two hands as three entities, at 72 of the recording's frames a second.
  defp vr do
    for file <- Path.wildcard(Path.join(@shared, "vr/*.csv.gz")) do
      [_ | rows] = file |> File.read!() |> :zlib.gunzip() |> String.split("\n", trim: true)
      rows = for row <- rows, do: row |> String.split(",") |> Enum.map(&number/1)
      frames = at_rate(rows, 72)
      ticks = for frame <- frames, do: [{pose_lines("update", frame), nil}]

      name = "vr " <> Path.basename(file, ".csv.gz")
      first = [{pose_lines("create", hd(frames)), nil}]
      row = measure(name, first, tl(ticks), Schema.new!(@lossless), Schema.new!(vr_schema()))
      kilobytes = row.bytes["packed, quantised"] / length(frames) * 72 / 1000
      IO.puts("#{name}: #{Float.round(kilobytes, 2)} kB a second for head and two hands at 72 Hz, quantised")
      row
    end
  end

  defp vr_schema do
    [
      {"position", {:f32, 3}, quantise: [step: 0.001, bounds: {-16, 16}]},
      {"rotation", {:f32, 4}, quantise: :smallest_three, bits: 10}
    ]
  end

  defp number(text) do
    {number, _} = Float.parse(text)
    number
  end

  defp at_rate(rows, rate) do
    {frames, _} =
      Enum.flat_map_reduce(rows, 0, fn [ms | pose], next ->
        if ms >= next, do: {[pose], next + 1000 / rate}, else: {[], next}
      end)

    frames
  end

  defp pose_lines(event, pose) do
    for {name, [x, y, z | turn]} <- Enum.zip(~w(head left right), Enum.chunk_every(pose, 7)), into: "" do
      components = %{"position" => [x, y, z], "rotation" => turn}
      JSON.encode!(%{"event" => event, "entity_id" => name, "components" => components}) <> "\n"
    end
  end
end

case System.argv() do
  [] -> WireBench.run(["encode", "fold", "bytes"])
  parts -> WireBench.run(parts)
end
