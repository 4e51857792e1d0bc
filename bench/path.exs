# The whole path of a room's tick: JSON in, fold, diff, JSON out, at 1,000 entities.
#
#     make bench            or      mix run bench/path.exs
#
# Peers: a decoder for each line, the map fold that collects a diff, the same library's encoder. All write the same
# diff; that they do is checked first. A jiffy 2 beside jiffy 1 goes into JIFFY2 (see fold.exs).
Code.require_file("support.exs", __DIR__)
Code.require_file("streams.exs", __DIR__)
map_world = Code.require_file("map_world.exs", __DIR__)
:persistent_term.put(:map_world, map_world)

defmodule PathBench do
  alias Roomfold.{JSON, Schema, World}

  @entities 1_000
  @batches 20
  @batch 1_000
  @rounds 7

  def run do
    IO.puts("JSON in, fold, diff, JSON out at #{@entities} entities, #{Bench.machine()}")
    IO.puts("#{@batches} batches of #{@batch} events a round, medians of #{@rounds} rounds in turn\n")
    {creates, batches} = Streams.make(@entities, @batches, @batch)
    lines = Enum.map(batches, &Streams.lines/1)
    texts = Enum.map(lines, &Enum.join(&1, "\n"))

    libraries =
      for {name, module, decode, encode} <- [
            {"jiffy #{version(:jiffy)}", :jiffy, &MapWorld.jiffy/1, &MapWorld.jiffy_text/1},
            {"Jason #{version(:jason)}", Jason, &MapWorld.jason/1, &MapWorld.jason_text/1}
          ],
          Bench.peer?(module, name),
          do: {name, decode, encode}

    for {name, decode, encode} <- libraries, do: same!(name, creates, hd(lines), decode, encode)

    peers =
      for {name, decode, encode} <- libraries do
        {name <> " + map", fn -> MapWorld.fold(creates, %{}) end,
         &MapWorld.text_to_text(lines, &1, decode, encode)}
      end

    ours =
      {"roomfold", fn -> world(creates) end,
       &Enum.reduce(texts, &1, fn text, world -> elem(tick(world, text), 0) end)}

    times = Bench.rounds(peers ++ second_jiffy(creates, lines) ++ [ours], @rounds)
    ns = Map.new(times, fn {name, time} -> {name, time / (@batch * @batches)} end)

    rows =
      for {name, time} <- Enum.sort_by(ns, &elem(&1, 1)),
          do: [name, Bench.round1(time), Bench.ratio(time, ns["roomfold"])]

    Bench.table(["", "ns/event", "x roomfold"], rows)
    Bench.csv("path_json", ["who", "ns_per_event", "times_roomfold"], rows)
  end

  defp world(creates) do
    components = [{"position", {:f32, 3}, decimals: 4}, {"rotation", {:f32, 4}, decimals: 4}]
    World.new!(schema: Schema.new!(components)) |> World.fold!(creates)
  end

  defp tick(world, text) do
    from = World.seq(world)
    {:ok, world, _} = World.fold(world, {:json, text})
    {world, World.encode!(world, {:diff, from}, :json)}
  end

  # Numbers have 4 decimals, so both print them alike.
  defp same!(name, creates, lines, decode, encode) do
    {_, theirs} = MapWorld.one_to_text(lines, MapWorld.fold(creates, %{}), decode, encode)
    {_, ours} = tick(world(creates), Enum.join(lines, "\n"))
    if read(ours) != read(IO.iodata_to_binary(theirs)), do: raise("#{name} + map writes another diff")
  end

  defp read(text) do
    text
    |> JSON.decode!()
    |> Map.take(["creates", "updates", "deletes"])
    |> Map.update!("deletes", &Enum.sort/1)
  end

  defp second_jiffy(creates, lines) do
    if peer = Bench.second_jiffy(:persistent_term.get(:map_world), {creates, lines}),
      do: [
        {"jiffy 2 + map", fn -> peer end,
         fn peer -> :peer.call(peer, MapWorld, :text_to_text_kept, [], :infinity) end}
      ],
      else: []
  end

  defp version(application) do
    Application.load(application)
    to_string(Application.spec(application, :vsn) || "")
  end
end

PathBench.run()
