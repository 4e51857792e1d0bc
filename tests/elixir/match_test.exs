defmodule Roomfold.MatchTest do
  @moduledoc "Recorded matches against snapshots that another program computed: every entity, every value, and what was orphaned."
  use ExUnit.Case, async: true

  alias Roomfold.{JSON, Rules, World}

  @shipped Path.expand("../../priv/demo", __DIR__)
  @shared Path.expand("../../../shared/data/doom/matches", __DIR__)

  folders =
    if File.dir?(@shared) do
      [@shipped, @shared]
    else
      IO.puts("left out: nine of ten matches (../shared/data/doom/matches is not there)")
      [@shipped]
    end

  matches = Enum.flat_map(folders, &Path.wildcard(Path.join(&1, "*.events.jsonl.gz")))

  for file <- matches do
    name = Path.basename(file, ".events.jsonl.gz")
    where = if String.starts_with?(file, @shipped), do: "shipped", else: "shared"

    # The oracle is slow: the shipped match is enough for it.
    for impl <- if(where == "shipped", do: [:native, :port, :elixir], else: [:native, :port]),
        form <- [:json, :list] do
      @tag match: file, impl: impl, form: form
      test "#{where} #{name}, #{impl}, #{form}", tag do
        expected = read(String.replace(tag.match, ".events.jsonl.gz", ".expected.json.gz"))
        lines = String.split(gunzip(tag.match), "\n", trim: true)
        start = {World.new!(impl: tag.impl, rules: Rules.doom()), 0, lines}

        assert [_ | _] = snapshots = JSON.decode!(expected)["snapshots"]

        for snapshot <- snapshots, reduce: start do
          {world, orphaned, lines} ->
            {now, later} = Enum.split(lines, snapshot["seq"] - World.seq(world))
            {:ok, world, report} = World.fold(world, input(tag.form, now))
            assert report.rejected_count == 0 and report.gaps == 0 and report.stale == 0
            assert World.seq(world) == snapshot["seq"]
            assert orphaned + report.orphaned == snapshot["orphaned"]
            assert World.snapshot(world) === snapshot["entities"]
            {world, orphaned + report.orphaned, later}
        end
      end
    end
  end

  defp input(:json, lines), do: {:json, Enum.join(lines, "\n")}

  defp input(:list, lines) do
    for line <- lines do
      {name, payload} = Map.split(JSON.decode!(line), ["event", "event_name"])
      {name |> Map.values() |> hd(), payload}
    end
  end

  defp read(file), do: gunzip(file)
  defp gunzip(file), do: file |> File.read!() |> :zlib.gunzip()
end
