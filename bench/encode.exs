# Encoding: a diff of 1,000 changed entities with position and rotation as JSON text, against encoding the same from terms.
#
#     make bench            or      mix run bench/encode.exs
#
# Peers encode terms that lie ready: the very text that Roomfold writes, decoded, so that all write the same numbers. Shortest:
# random numbers with all their digits, of a binary32 and of a binary64. term_to_binary is not JSON; it is what Erlang itself
# offers.
Code.require_file("support.exs", __DIR__)
Code.require_file("streams.exs", __DIR__)

defmodule EncodeBench do
  alias Roomfold.{Schema, World}

  @entities 1_000
  @times 20
  @rounds 15

  def run do
    IO.puts("Encoding a diff of #{@entities} changed entities, #{Bench.machine()}")
    IO.puts("medians of #{@rounds} rounds in turn, each #{@times} times, microseconds\n")

    fixed = world([{"position", {:f32, 3}, decimals: 4}, {"rotation", {:f32, 4}, decimals: 4}])
    narrow = world([{"position", {:f32, 3}}, {"rotation", {:f32, 4}}])
    wide = world([{"position", {:f64, 3}}, {"rotation", {:f64, 4}}])
    rows = rows("4 decimals", fixed) ++ rows("shortest, f32", narrow) ++ rows("shortest, f64", wide)

    header = ["", "", "us", "bytes", "x roomfold"]
    Bench.table(header, rows)
    Bench.csv("encode_json", ["numbers", "who", "us", "bytes", "times_roomfold"], rows)
  end

  # All created, then all moved and turned.
  defp world(components) do
    {creates, _} = Streams.make(@entities, 1, 1)
    :rand.seed(:exsss, 7)

    updates =
      for {_, %{"entity_id" => id}} <- creates do
        {"update",
         %{"entity_id" => id, "components" => %{"position" => numbers(3, 50), "rotation" => numbers(4, 1)}}}
      end

    World.new!(schema: Schema.new!(components)) |> World.fold!(creates) |> World.fold!(updates)
  end

  defp numbers(count, range), do: for(_ <- 1..count, do: (:rand.uniform() * 2 - 1) * range)

  defp text(world), do: World.encode!(world, {:diff, @entities}, :json)

  defp rows(numbers, world) do
    text = text(world)
    diff = Roomfold.JSON.decode!(text)

    peers =
      for {name, module, encode} <- [
            {"jiffy", :jiffy, &:jiffy.encode/1},
            {"Jason", Jason, &Jason.encode_to_iodata!/1}
          ],
          Bench.peer?(module, name),
          do: {name, fn -> encode.(diff) end}

    # But for how a number below a thousandth is written.
    for {name, encode} <- peers,
        Roomfold.JSON.decode!(IO.iodata_to_binary(encode.())) != diff,
        do: raise("#{name} writes other values")

    all = [
      {"roomfold", fn -> text(world) end},
      {"term_to_binary", fn -> :erlang.term_to_binary(diff) end} | peers
    ]

    contenders = for {name, encode} <- all, do: {name, fn -> encode end, &repeat(&1, @times)}
    times = Bench.rounds(contenders, @rounds)

    for {name, encode} <- all do
      us = times[name] / @times / 1_000

      [
        numbers,
        name,
        Bench.round1(us),
        IO.iodata_length(encode.()),
        Bench.ratio(times[name], times["roomfold"])
      ]
    end
  end

  defp repeat(_, 0), do: :ok

  defp repeat(encode, times) do
    encode.()
    repeat(encode, times - 1)
  end
end

EncodeBench.run()
