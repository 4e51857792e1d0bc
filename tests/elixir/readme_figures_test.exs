defmodule Roomfold.ReadmeFiguresTest do
  # The figures of README.md are those of the committed CSVs.
  use ExUnit.Case, async: true

  @root Path.expand("../..", __DIR__)

  test "each row of the tables of measurements is what a CSV says" do
    rows = table_rows(section("## Measured", "## What it looks like"))
    assert length(rows) >= 14
    csvs = csvs()

    for row <- rows,
        do: assert(measured?(row, csvs), "no file of bench/results has this: #{Enum.join(row, " | ")}")
  end

  test "a row that no CSV has is found" do
    # As the README once had it.
    refute measured?(["a diff", "8.8 µs", "`term_to_binary` 94 µs", "11"], csvs())
    # Both times are measured, the ratio is another one.
    assert measured?(["a diff", "10.7 µs", "`term_to_binary` 166.9 µs", "16"], csvs())
    refute measured?(["a diff", "10.7 µs", "`term_to_binary` 166.9 µs", "15"], csvs())
    # More a second is better.
    assert measured?(["a log", "17,380 a second", "`disk_log` 19,314 a second", "0.90"], csvs())
    # Both are measured, not of the same work.
    refute measured?(["a diff", "92 ns", "maps 4,768 ns", "52"], csvs())
  end

  test "the share of the port in the text is the measured one" do
    text = section("## Measured", "## What it looks like")

    assert [_, many, one] =
             Regex.run(~r/at ([\d.]+) of the NIF's speed \(([\d.]+) with a single world\)/, text)

    shares = for ["1" <> _ = worlds, _, _, _, share | _] <- csv("port.csv"), do: {worlds, number(share)}
    assert {_, share} = List.keyfind(shares, "1", 0)
    assert rounds?(share, one)
    for {"16", share} <- shares, do: assert(rounds?(share, many))
  end

  test "the excerpt of the benchmarks is a committed CSV" do
    [_, header | rows] = section("`make bench`:", "## What is there") |> lines_of_block()
    assert [_, columns | cells] = [nil | csv("fold_terms.csv")]
    assert String.split(header, ~r/ {2,}/) == columns
    assert Enum.map(rows, &String.split/1) == cells
  end

  test "docs/wire-figures.md is made from the CSVs" do
    assert {"", 0} = System.cmd(Path.join(@root, "tools/wire-figures"), ["--check"])
  end

  defp section(from, to) do
    [_, rest] = @root |> Path.join("README.md") |> File.read!() |> String.split(from, parts: 2)
    rest |> String.split(to, parts: 2) |> hd()
  end

  defp lines_of_block(text) do
    [_, block] = Regex.run(~r/```\n(.*?)```/s, text)
    [title, _batches | table] = String.split(block, "\n", trim: true)
    [title | table]
  end

  defp table_rows(text) do
    for "|" <> row <- String.split(text, "\n"),
        cells = row |> String.trim_trailing("|") |> String.split("|") |> Enum.map(&String.trim/1),
        [_, ours, _, _] = cells,
        ours =~ ~r/\d/,
        do: cells
  end

  defp csvs,
    do: for(path <- Path.wildcard(Path.join(@root, "bench/results/*.csv")), do: csv(Path.basename(path)))

  # Rows of cells, the header first.
  defp csv(name) do
    text = File.read!(Path.join([@root, "bench/results", name]))

    for line <- String.split(text, "\n", trim: true),
        not String.starts_with?(line, "#"),
        do: String.split(line, ",")
  end

  # One CSV has both figures in one row or in one column, and their unrounded quotient is the ratio.
  defp measured?([_, ours, peer, times], csvs) do
    [ours_figure, peer_figure] = Enum.map([ours, peer], &figure/1)
    more_is_better = ours =~ "a second"

    Enum.any?(csvs, fn [header | rows] ->
      width = length(header)

      rows =
        for row <- rows,
            do: row |> Enum.map(&number/1) |> Enum.concat(List.duplicate(nil, width)) |> Enum.take(width)

      Enum.any?(rows ++ Enum.zip_with(rows, & &1), fn line ->
        for(a <- line, rounds?(a, ours_figure), b <- line, rounds?(b, peer_figure), do: {a, b})
        |> Enum.any?(fn {a, b} -> rounds?(if(more_is_better, do: a / b, else: b / a), times) end)
      end)
    end)
  end

  # The cell's last number: a peer's name may have one.
  defp figure(cell), do: ~r/\d[\d,.]*/ |> Regex.scan(cell) |> List.last() |> hd()

  defp rounds?(nil, _), do: false

  defp rounds?(value, text) do
    text = String.replace(text, ",", "")
    [_ | decimals] = String.split(text, ".")
    half = 0.5 * :math.pow(10, -String.length(Enum.join(decimals)))
    abs(value - number(text)) <= half * 1.001
  end

  defp number(text) do
    case Float.parse(text) do
      {number, ""} -> number
      _ -> nil
    end
  end
end
