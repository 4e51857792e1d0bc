defmodule Roomfold.CliInspectTest do
  @moduledoc "`roomfold inspect`: every number against a count in Elixir."
  use ExUnit.Case, async: true

  alias Roomfold.{JSON, Rules, World}
  alias Roomfold.Test.Program

  @moduletag skip: Program.missing()
  @match Path.expand("../../priv/demo/freedm-0.12-demo1-MAP21.events.jsonl.gz", __DIR__)

  defp inspect_json(arguments, input \\ "") do
    assert {text, "", 0} = Program.run(["inspect", "--json" | arguments], input)
    JSON.decode!(text)
  end

  test "the shipped match, as JSON" do
    events =
      @match |> File.read!() |> :zlib.gunzip() |> String.split("\n", trim: true) |> Enum.map(&JSON.decode!/1)

    found = inspect_json([@match])

    assert found["events"] == length(events)
    assert {found["first_seq"], found["seq"], found["orphaned"]} == {1, 58_335, 151}
    assert {found["folded"], found["rejected"], found["stale"], found["gaps"]} == {58_335, 0, 0, 0}
    assert found["names"] == Enum.frequencies_by(events, &(&1["event"] || &1["event_name"]))
    assert found["producers"] == Enum.frequencies_by(events, & &1["by"])
    assert {found["names_not_listed"], found["unreadable"], found["untimed"]} == {0, 0, 0}

    start = hd(events)["at"]
    seconds = Enum.group_by(events, &div(&1["at"] - start, 1000))
    assert {found["first_at"], found["last_at"]} == {start, List.last(events)["at"]}
    assert found["peak_per_second"] == seconds |> Map.values() |> Enum.map(&length/1) |> Enum.max()
    assert found["slice_ms"] == 1000
    assert Enum.map(found["slices"], & &1["events"]) == for(i <- 0..148, do: length(seconds[i] || []))
    assert Enum.map(found["slices"], & &1["at"]) == for(i <- 0..148, do: start + i * 1000)

    # Entities: by folding second by second.
    world = World.new!(rules: Rules.doom())

    {counts, world} =
      Enum.map_reduce(0..148, world, fn i, world ->
        {:ok, world, _} = World.fold(world, {:json, Enum.map_join(seconds[i] || [], "\n", &JSON.encode!/1)})
        {World.count(world), world}
      end)

    assert Enum.map(found["slices"], & &1["entities"]) == counts
    assert found["entities"] == World.count(world)
    assert found["peak_entities"] >= Enum.max(counts)
    kinds = for {_, %{"kind" => kind}} <- World.snapshot(world), do: kind
    assert found["kinds"] == Enum.frequencies(kinds)
  end

  test "the shipped match, as a table" do
    assert {table, "", 0} = Program.run(["inspect", @match])
    assert table =~ ~r/^  events +58,335$/m
    assert table =~ ~r/^  orphaned operations +151 /m
    assert table =~ ~r/^  thing_moved +24,218   41\.5 %$/m
    assert table =~ ~r/^  player2 +5,739    9\.8 %$/m
    assert table =~ ~r/^  0 +6,329 +395\.6 +55  #+$/m
    assert table =~ "from 2023-11-14 22:13:20 UTC, 148.7 s; at most 962 events in one second"
    refute table =~ "rejected"
    assert Enum.all?(String.split(table, "\n"), &(String.length(&1) <= 100))
  end

  test "long logs have longer slices, and all events are in them" do
    text =
      for i <- 0..9_999,
          into: "",
          do: ~s({"event":"create","entity_id":"e#{i}","components":{},"at":#{i * 700}}\n)

    found = inspect_json(["-"], text)
    assert found["slice_ms"] == 8_000
    assert length(found["slices"]) == 875
    assert found["slices"] |> Enum.map(& &1["events"]) |> Enum.sum() == 10_000
    assert List.last(found["slices"])["entities"] == 10_000
    assert Enum.at(found["slices"], 1) == %{"at" => 8_000, "events" => 11, "entities" => 23}
  end

  defp at(value), do: ~s({"event":"create","entity_id":"a","components":{},"at":#{value}}\n)

  test "times that are missing, wrong, very far" do
    values = [5_000, "\"x\"", "null", -3, "5.5e3", 2 ** 53, "1e300", 2 ** 70]
    found = inspect_json(["-"], Enum.map_join(values, &at/1))
    assert {found["untimed"], found["earlier"]} == {6, 0}
    assert {found["first_at"], found["last_at"]} == {5_000, 5_500}
    assert found["slices"] == [%{"at" => 5_000, "events" => 2, "entities" => 1}]

    # The last time that counts: no column becomes wider than the page.
    assert {table, "", 0} = Program.run(["inspect", "-"], at(0) <> at(2 ** 53 - 1) <> at("1e300"))
    assert table =~ "from 1970-01-01 00:00:00 UTC, 9007199254741.0 s; at most 1 events in one second"
    assert table =~ "  1 events have no time\n"
    assert Enum.all?(String.split(table, "\n"), &(String.length(&1) <= 100))
  end

  test "a clock that was set back" do
    # Three hours, then on in steps of 400 ms.
    text = Enum.map_join([10_800_500, 500, 900, 1_300, 1_700], &at/1)
    found = inspect_json(["-"], text)
    assert {found["earlier"], found["untimed"]} == {4, 0}
    assert {found["first_at"], found["last_at"]} == {10_800_500, 10_800_500}
    assert found["peak_per_second"] == 3
    assert found["slices"] == [%{"at" => 10_800_500, "events" => 5, "entities" => 1}]
    assert {table, "", 0} = Program.run(["inspect", "-"], text)
    assert table =~ "at most 3 events in one second\n"
    assert table =~ "  4 events are earlier than the first one, and counted with it\n"
    assert {table, "", 0} = Program.run(["inspect", "-"], at(1_000) <> at(2_000) <> at(1_500))
    refute table =~ "earlier"
  end

  test "what can't be read is counted, and names from strangers can't write to the terminal" do
    text = """
    {"event_name":"\\u001b[2J\\u009b1m","by":"a\\u0007"}
    {"event_name":"é"}
    {"event_name":7}
    {"event_name":"","by":""}
    [1]
    {"broken
    """

    found = inspect_json(["-"], text)
    assert {found["events"], found["unreadable"], found["rejected"]} == {6, 4, 6}
    assert found["names"] == %{"\e[2J\u009b1m" => 1, "é" => 1}
    assert found["producers"] == %{"a\a" => 1}
    assert {table, "", 0} = Program.run(["inspect", "-"], text)
    assert table =~ ~r/^  \?\[2J\?1m {20} +1  /m
    assert table =~ ~r/^  é {27} +1  /m
    assert for(<<byte <- table>>, byte < 32 and byte != ?\n, do: byte) == []
  end

  test "events of several entities have no name, and are read as any other" do
    several = [
      ~s({"health":{"a":3},"created":["a"],"seq":1,"at":1000,"by":"ann"}),
      ~s({"bats":[{"id":"b","health":1}],"created":["b"],"deleted":[]}),
      ~s({"created":["c"]}),
      ~s({"seq":7,"others":[{"id":"d"}],"bats":[]}),
      ~s({"health":{"d":null},"at":[]})
    ]

    # Keys that these can't have, values that can't stand there, both shapes at once.
    neither = [
      ~s({}),
      ~s({"seq":9}),
      ~s({"entities":{"a":{}}}),
      ~s({"deletes":["a"]}),
      ~s({"health":{"a":1},"bats":[]}),
      ~s({"deleted":{"a":1}}),
      ~s({"health":{"a":1},"note":1}),
      ~s({"event":{"a":1}}),
      ~s({"health":{"a":1}),
      "[]"
    ]

    text = Enum.join(several ++ [~s({"event":"delete","entity_id":"d"})] ++ neither, "\n")
    found = inspect_json(["-"], text)
    assert {found["events"], found["several_entities"], found["unreadable"]} == {16, 5, 10}
    assert {found["folded"], found["rejected"], found["names"]} == {6, 10, %{"delete" => 1}}
    assert found["producers"] == %{"ann" => 1}

    assert {table, "", 0} = Program.run(["inspect", "-"], Enum.join(several, "\n"))
    assert table =~ ~r/^  of several entities +5 /m
    refute table =~ "unreadable"
    assert {table, told, 1} = Program.run(["inspect", "-"], Enum.join(neither, "\n"))
    assert told == "roomfold inspect: -: nothing in it could be used\n"
    refute table =~ "several"
  end

  test "so many different names that they are no longer kept" do
    text = for i <- 1..70_000, into: "", do: ~s({"event_name":"n#{i}"}\n)
    found = inspect_json(["-"], text <> ~s({"event_name":"n1"}\n))
    assert map_size(found["names"]) == 65_536
    assert found["names"]["n1"] == 2
    assert found["names_not_listed"] == 70_000 - 65_536
    assert {table, "", 0} = Program.run(["inspect", "-"], text)
    assert table =~ "and 65,516 more, and more that are not counted by themselves"
  end
end
