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
  @times 20
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

    ets = fn ->
      table = EtsWorld.new()
      EtsWorld.fold(creates, table)
      table
    end

    packed = fn frames -> fn world -> Enum.reduce(frames, world, &World.fold!(&2, {:packed, &1})) end end

    contenders = [
      {:packed, native, packed.(frames)},
      {:handles, native, packed.(by_handle)},
      {:ets_diff, ets, fn table -> Enum.each(batches, &EtsWorld.fold_with_diff(&1, table)) end},
      {:map, fn -> MapWorld.fold(creates, %{}) end,
       fn world -> Enum.reduce(batches, world, &MapWorld.fold/2) end},
      {:ets, ets, fn table -> Enum.each(batches, &EtsWorld.fold(&1, table)) end}
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

  defp bytes do
    IO.puts(
      "Bytes per changed entity (created, updated or deleted), one diff for each tick, frame headers included"
    )

    folder = if File.dir?(@shared), do: Path.join(@shared, "doom/matches"), else: @shipped
    matches = Enum.sort(Path.wildcard(Path.join(folder, "*.events.jsonl.gz")))
    counts = Enum.map(matches, &match/1) ++ vr()
    header = ["", "changed", "JSON", "term_to_binary", "packed, lossless", "packed, quantised"]
    rows = for {name, count, sizes} <- counts, do: [name, count | Enum.map(sizes, &per(&1, count))]
    matches = for {name, _, _} = row <- counts, not String.starts_with?(name, "vr"), do: row
    total = matches |> Enum.map(&elem(&1, 1)) |> Enum.sum()
    sums = matches |> Enum.map(&elem(&1, 2)) |> Enum.zip_with(&Enum.sum/1)
    rows = rows ++ [["all matches", total | Enum.map(sums, &per(&1, total))]]
    Bench.table(header, rows)
    Bench.csv("bytes_packed", header, rows)
  end

  defp per(bytes, count), do: :erlang.float_to_binary(bytes / count, decimals: 2)

  defp match(file) do
    lines = file |> File.read!() |> :zlib.gunzip() |> String.split("\n", trim: true)
    events = for line <- lines, do: {line, JSON.decode!(line)}
    [first | ticks] = Enum.chunk_by(events, fn {_, event} -> event["at"] end)
    words = words(Enum.map(Enum.take(events, div(length(events), 10)), &elem(&1, 1)))

    {count, sizes} =
      sizes(first, ticks, Schema.new!(@lossless_doom, words: words), Schema.new!(@doom, words: words))

    {Path.basename(file, ".events.jsonl.gz"), count, sizes}
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

  defp sizes(first, ticks, lossless, quantised) do
    worlds =
      for schema <- [lossless, quantised],
          do: World.new!(schema: schema, rules: Rules.doom()) |> World.fold!(json(first))

    {_, count, sizes} =
      Enum.reduce(ticks, {worlds, 0, [0, 0, 0, 0]}, fn tick, {worlds, count, sizes} ->
        from = World.seq(hd(worlds))
        [plain, small] = worlds = for world <- worlds, do: World.fold!(world, json(tick))
        diff = World.diff!(plain, from)

        now = [
          byte_size(World.encode!(plain, {:diff, from}, :json)),
          byte_size(:erlang.term_to_binary(diff)),
          byte_size(World.encode!(plain, {:diff, from}, :packed)),
          byte_size(World.encode!(small, {:diff, from}, :packed))
        ]

        changed = map_size(diff["creates"]) + map_size(diff["updates"]) + length(diff["deletes"])
        {worlds, count + changed, Enum.zip_with(sizes, now, &+/2)}
      end)

    {count, sizes}
  end

  defp json(tick), do: {:json, Enum.map_join(tick, "\n", &elem(&1, 0))}

  # Head and two hands as three entities, at 72 of the recording's frames a second.
  defp vr do
    for file <- Path.wildcard(Path.join(@shared, "vr/*.csv.gz")) do
      [_ | rows] = file |> File.read!() |> :zlib.gunzip() |> String.split("\n", trim: true)
      rows = for row <- rows, do: row |> String.split(",") |> Enum.map(&number/1)
      frames = at_rate(rows, 72)
      ticks = for frame <- frames, do: [{pose_lines("update", frame), nil}]

      {count, sizes} =
        sizes(
          [{pose_lines("create", hd(frames)), nil}],
          tl(ticks),
          Schema.new!(@lossless),
          Schema.new!(vr_schema())
        )

      kilobytes = List.last(sizes) / length(frames) * 72 / 1000

      IO.puts(
        "#{Path.basename(file)}: #{Float.round(kilobytes, 2)} kB a second for head and two hands at 72 Hz, quantised"
      )

      {"vr " <> Path.basename(file, ".csv.gz"), count, sizes}
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
