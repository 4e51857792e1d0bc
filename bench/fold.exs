# Folding: lists of terms and JSON text, against what people write by hand.
#
#     make bench            or      mix run bench/fold.exs [terms] [json] [memory]
#
# Peers: nested Elixir maps; an ETS table; the ETS table with a diff batcher, which like us also yields what changed.
# For JSON: a decoder, then the map fold: jiffy (Debian: erlang-jiffy), Jason and jiffy 2 where ERL_LIBS has them.
# A jiffy 2 beside jiffy 1 goes into JIFFY2=path/to/jiffy (the folder with ebin and priv) and runs in a VM of its own.
Code.require_file("support.exs", __DIR__)
Code.require_file("streams.exs", __DIR__)
Code.require_file("ets_world.exs", __DIR__)
# Kept compiled, for the VM of its own that a second jiffy needs.
map_world = Code.require_file("map_world.exs", __DIR__)
:persistent_term.put(:map_world, map_world)

defmodule FoldBench do
  alias Roomfold.World

  @batch 1_000
  @batches 20
  @rounds 7

  def run do
    parts = if System.argv() == [], do: ~w(terms json memory), else: System.argv()
    IO.puts("Folding, #{Bench.machine()}")

    IO.puts(
      "#{@batches} batches of #{@batch} events a round, medians of #{@rounds} rounds in turn, ns per event\n"
    )

    if "terms" in parts, do: terms()
    if "json" in parts, do: json(1_000)
    if "memory" in parts, do: memory()
  end

  defp terms do
    # One that does not count: what comes first in a VM that has never had so much memory takes half as long again.
    terms(1_000)
    rows = Enum.map([100, 1_000, 10_000, 100_000], &terms/1)

    IO.puts("""
    Roomfold's fold always keeps track of what changed, so it is what compares with ets+diff; "+diff" also makes Elixir
    terms of the diff for each batch, where ets+diff only hands on terms that it has got.
    """)

    header = [
      "entities",
      "map",
      "ets",
      "ets+diff",
      "roomfold",
      "+diff",
      "faster peer /",
      "ets+diff /",
      "ets+diff / +diff"
    ]

    Bench.table(header, rows)
    Bench.csv("fold_terms", header, rows)
  end

  defp native(creates) do
    {:ok, world} = World.new(impl: :native)
    {:ok, world, _} = World.fold(world, creates)
    world
  end

  defp terms(count) do
    {creates, batches} = Streams.make(count, @batches, @batch)
    [creates_of, batches_of] = Enum.map([creates: creates, batches: batches], &Bench.keep/1)

    ets = fn ->
      table = EtsWorld.new()
      EtsWorld.fold(creates_of.(), table)
      table
    end

    times =
      Bench.rounds(
        [
          {:map, fn -> MapWorld.fold(creates_of.(), %{}) end,
           fn world -> Enum.reduce(batches_of.(), world, &MapWorld.fold/2) end},
          {:ets, ets, fn table -> Enum.each(batches_of.(), &EtsWorld.fold(&1, table)) end},
          {:ets_diff, ets, fn table -> Enum.each(batches_of.(), &EtsWorld.fold_with_diff(&1, table)) end},
          {:roomfold, fn -> native(creates_of.()) end,
           fn world ->
             Enum.reduce(batches_of.(), world, fn batch, world ->
               {:ok, world, _} = World.fold(world, batch)
               world
             end)
           end},
          {:roomfold_diff, fn -> native(creates_of.()) end,
           fn world ->
             Enum.reduce(batches_of.(), world, fn batch, world ->
               from = World.seq(world)
               {:ok, world, _} = World.fold(world, batch)
               {:ok, _} = World.diff(world, from)
               world
             end)
           end}
        ],
        @rounds
      )

    same_diff!(creates, hd(batches), ets.())
    ns = Map.new(times, fn {name, time} -> {name, time / (@batch * @batches)} end)
    peer = min(ns.map, ns.ets)

    [count | Enum.map([ns.map, ns.ets, ns.ets_diff, ns.roomfold, ns.roomfold_diff], &Bench.round1/1)] ++
      [
        Bench.ratio(peer, ns.roomfold),
        Bench.ratio(ns.ets_diff, ns.roomfold),
        Bench.ratio(ns.ets_diff, ns.roomfold_diff)
      ]
  end

  # The batcher must say the same as our diff: who came, who went, and which components changed.
  defp same_diff!(creates, batch, table) do
    world = native(creates)
    from = World.seq(world)
    {:ok, world, _} = World.fold(world, batch)
    {:ok, diff} = World.diff(world, from)
    ours = diff |> Map.take(["creates", "updates", "deletes"]) |> Map.update!("deletes", &Enum.sort/1)

    if ours != rounded(EtsWorld.fold_with_diff(batch, table)),
      do: raise("the batcher's diff differs from ours")
  end

  # To binary32, as positions and rotations are kept.
  defp rounded(%{"creates" => creates, "updates" => updates, "deletes" => deletes}),
    do: %{"creates" => f32(creates), "updates" => f32(updates), "deletes" => Enum.sort(deletes)}

  defp f32(entities) do
    Map.new(entities, fn {id, components} ->
      {id, Map.new(components, fn {name, list} -> {name, Enum.map(list, &f32_number/1)} end)}
    end)
  end

  defp f32_number(number) do
    <<narrow::float-32>> = <<number::float-32>>
    narrow
  end

  defp json(count) do
    {creates, batches} = Streams.make(count, @batches, @batch)
    lines = Enum.map(batches, &Streams.lines/1)
    texts = Enum.map(lines, &Enum.join(&1, "\n"))

    peers =
      for {name, module, decode} <- [
            {"jiffy " <> version(:jiffy), :jiffy, &MapWorld.jiffy/1},
            {"Jason " <> version(:jason), Jason, &MapWorld.jason/1}
          ],
          Bench.peer?(module, name) do
        {name, fn -> MapWorld.fold(creates, %{}) end,
         fn world -> MapWorld.decode_and_fold(lines, world, decode) end}
      end

    ours =
      {"roomfold", fn -> native(creates) end,
       fn world ->
         Enum.reduce(texts, world, fn text, world ->
           {:ok, world, _} = World.fold(world, {:json, text})
           world
         end)
       end}

    times = Bench.rounds(peers ++ second_jiffy(creates, lines) ++ [ours], @rounds)
    ns = Map.new(times, fn {name, time} -> {name, time / (@batch * @batches)} end)

    rows =
      for {name, time} <- Enum.sort_by(ns, &elem(&1, 1)) do
        [name, Bench.round1(time), Bench.ratio(time, ns["roomfold"])]
      end

    IO.puts("JSON Lines to folded world, #{count} entities, ns per event; peers: decode, then the map fold")
    Bench.table(["", "ns/event", "x roomfold"], rows)
    Bench.csv("fold_json", ["who", "ns_per_event", "times_roomfold"], rows)
  end

  defp version(application) do
    Application.load(application)
    to_string(Application.spec(application, :vsn) || "")
  end

  # The work goes over once; only the fold is timed.
  defp second_jiffy(creates, lines) do
    if peer = Bench.second_jiffy(:persistent_term.get(:map_world), {creates, lines}),
      do: [{"jiffy 2", fn -> peer end, fn peer -> :peer.call(peer, MapWorld, :fold_kept, [], :infinity) end}],
      else: []
  end

  defp memory do
    rows =
      for count <- [1_000, 10_000, 100_000] do
        shared = Streams.creates(count)
        {decoded, _} = Streams.make(count, 1, 1)
        {:ok, world, _} = World.fold(World.new!(impl: :native), shared)
        ours = World.info(world).memory
        maps = [bytes(MapWorld.fold(decoded, %{})), bytes_sharing_keys(MapWorld.fold(shared, %{}))]

        [count] ++
          Enum.map(maps ++ [ours], &Bench.round1(&1 / count)) ++ Enum.map(maps, &Bench.ratio(&1, ours))
      end

    IO.puts(
      "Memory, bytes per entity; the map as decoded events leave it, and with all keys shared as literals share them"
    )

    header = ["entities", "map, decoded", "map, shared keys", "roomfold", "decoded /", "shared /"]
    Bench.table(header, rows)
    Bench.csv("memory", header, rows)
  end

  defp bytes(term), do: :erts_debug.flat_size(term) * :erlang.system_info(:wordsize)

  # Every entity's map holds the same keys; what two of them share, all share. (:erts_debug.size takes minutes.)
  defp bytes_sharing_keys(world) do
    [a, b] = world |> Map.values() |> Enum.take(2)
    [pair, one, other] = Enum.map([{a, b}, a, b], &:erts_debug.size/1)
    shared_words = one + other + 3 - pair
    bytes(world) - (map_size(world) - 1) * shared_words * :erlang.system_info(:wordsize)
  end
end

FoldBench.run()
