defmodule Roomfold.CliReplayTest do
  @moduledoc "`roomfold replay` of recorded matches against snapshots that another program computed, and against the NIF."
  use ExUnit.Case, async: true

  alias Roomfold.{JSON, Rules, World}
  alias Roomfold.Test.Program

  @moduletag skip: Program.missing()

  @shipped Path.expand("../../priv/demo", __DIR__)
  @shared Path.expand("../../../shared/data/doom/matches", __DIR__)

  folders =
    if File.dir?(@shared) do
      [@shipped, @shared]
    else
      IO.puts("left out: replay of nine of ten matches (../shared/data/doom/matches is not there)")
      [@shipped]
    end

  for folder <- folders, file <- Path.wildcard(Path.join(folder, "*.events.jsonl.gz")) do
    @tag match: file
    test "#{Path.basename(folder)}/#{Path.basename(file)} equals its expected snapshots", %{match: match} do
      expected =
        match |> String.replace(".events.jsonl.gz", ".expected.json.gz") |> gunzip() |> JSON.decode!()

      assert length(expected["snapshots"]) == 4

      for %{"seq" => seq, "orphaned" => orphaned, "entities" => entities} <- expected["snapshots"] do
        assert {state, report, 0} = Program.run(["replay", match, "--until", to_string(seq)])

        assert report ==
                 "seq #{seq}, folded #{seq}, orphaned #{orphaned}, stale 0, gaps 0, rejected 0\n"

        # Integers and floats are told apart.
        assert JSON.decode!(state) === entities
      end

      last = List.last(expected["snapshots"])
      assert {state, _, 0} = Program.run(["replay", match])
      assert JSON.decode!(state) === last["entities"]
    end
  end

  test "all shapes are what World.snapshot answers, in the order of encode" do
    [match] = Path.wildcard(Path.join(@shipped, "*.events.jsonl.gz"))
    {:ok, world, _} = World.fold(World.new!(rules: Rules.doom()), {:json, gunzip(match)})

    for by <- [:entity, :component, :kind] do
      assert {state, "", 0} = Program.run(["replay", match, "--quiet", "--by", to_string(by)])
      assert JSON.decode!(state) === World.snapshot(world, by: by)
      {:ok, encoded} = World.encode(world, :snapshot, :json, by: by)
      assert keys(state) == keys(String.replace(encoded, ~r/^.*?:.*?:|}$/, "") <> "\n")
    end
  end

  test "shapes of odd worlds" do
    text = """
    {"event":"create","entity_id":"e\\"\\n","components":{"kind":"a\\\\b","n":-0.0}}
    {"event":"create","entity_id":"none","components":{}}
    {"event":"create","entity_id":"seven","components":{"kind":7,"z":[[],{},[{"b":1,"a":[null,true,false,"",1e300,5e-324]}]]}}
    {"event":"create","entity_id":"s","components":{"kind":"other","position":[-0.0,1e-45,16777217],"health":-9223372036854775808}}
    """

    shapes = %{
      entity:
        ~S({"e\"\n":{"kind":"a\\b","n":-0.0},"none":{},"seven":{"kind":7,"z":[[],{},[{"a":[null,true,false,"",1e+300,5e-324],"b":1}]]},) <>
          ~S("s":{"position":[-0.0,1.401298464324817e-45,16777216.0],"health":-9223372036854775808,"kind":"other"}}),
      component:
        ~S({"position":{"s":[-0.0,1.401298464324817e-45,16777216.0]},"health":{"s":-9223372036854775808},) <>
          ~S("kind":{"e\"\n":"a\\b","seven":7,"s":"other"},"n":{"e\"\n":-0.0},) <>
          ~S("z":{"seven":[[],{},[{"a":[null,true,false,"",1e+300,5e-324],"b":1}]]}}),
      kind:
        ~S({"a\\bs":[{"id":"e\"\n","kind":"a\\b","n":-0.0}],"others":[{"id":"none"},) <>
          ~S({"id":"seven","kind":7,"z":[[],{},[{"a":[null,true,false,"",1e+300,5e-324],"b":1}]]},) <>
          ~S({"id":"s","position":[-0.0,1.401298464324817e-45,16777216.0],"health":-9223372036854775808,"kind":"other"}]})
    }

    for {by, state} <- shapes do
      assert Program.run(["replay", "-", "--quiet", "--by", to_string(by)], text) == {state <> "\n", "", 0}
    end
  end

  test "--until is the state at that seq, also where seqs are missing or not said" do
    text = """
    {"event":"create","entity_id":"a","components":{},"seq":3}
    {"event":"create","entity_id":"b","components":{"seq":99}}
    {"event":"create","entity_id":"c","components":{},"seq":3}
    nonsense
    {"note":{"seq":1},"event":"create","entity_id":"d","components":{},"s\\u0065q":9}
    {"event":"create","entity_id":"e","components":{}}
    """

    for {until, ids} <- [
          {0, ""},
          {2, ""},
          {3, "a"},
          {4, "ab"},
          {5, "ab"},
          {8, "ab"},
          {9, "abd"},
          {10, "abde"},
          {99, "abde"}
        ] do
      assert {state, "", 0} = Program.run(["replay", "-", "--until", "#{until}", "--quiet"], text)
      assert state |> JSON.decode!() |> Map.keys() |> Enum.join() == ids, "until #{until}"
    end
  end

  test "what was rejected is told, by line and column, and counted" do
    bad = ~s({"event":"create","entity_id":"a","components":{"health":"x"}}\n)
    text = bad <> ~s({"event":"create","entity_id":"b","components":{}}\n) <> String.duplicate(bad, 1_500)

    assert {_, report, 0} = Program.run(["replay", "-"], text)

    assert [
             "-:1:58: the value does not fit the component's type (health takes an integer)",
             "-:3:58: " <> _ | _
           ] = lines(report)

    assert length(lines(report)) == 12
    assert Enum.at(lines(report), 10) == "... and 1491 more"
    assert List.last(lines(report)) == "seq 1502, folded 1502, orphaned 0, stale 0, gaps 0, rejected 1501"

    assert {_, report, 0} = Program.run(["replay", "-", "--errors", "0"], text)
    assert length(lines(report)) == 2
    assert {_, report, 0} = Program.run(["replay", "-", "--errors", "5000"], text)
    # The first thousand are kept.
    assert length(lines(report)) in [1_001, 1_002]
    assert {_, "", 0} = Program.run(["replay", "-", "--quiet"], text)
  end

  test "--strict fails on whatever is not as it should be" do
    create = &~s({"event":"create","entity_id":"a","components":{},"seq":#{&1}}\n)

    for {text, code} <- [
          {create.(1) <> create.(2), 0},
          {create.(1) <> create.(1), 1},
          {create.(1) <> create.(3), 1},
          {create.(3), 1},
          {~s({"others":[],"seq":3}\n) <> create.(4), 0},
          {~s({"others":[],"seq":3}\n) <> create.(5), 1},
          {create.(1) <> ~s({"others":[],"seq":3}\n), 1},
          {create.(1) <> "nonsense", 1}
        ] do
      assert {_, _, ^code} = Program.run(["replay", "-", "--strict"], text)
      assert {_, _, 0} = Program.run(["replay", "-"], text)
    end
  end

  test "an array that ends too early is used up to there" do
    event = ~s({"event":"create","entity_id":"a","components":{}})

    for text <- ["[#{event}", "[#{event},", "[#{event},{", "[#{event} #{event}]", "[#{event}] 5"] do
      assert {~s({"a":{}}\n), report, 0} = Program.run(["replay", "-"], text)
      assert report =~ "folded 1, orphaned 0, stale 0, gaps 0, rejected 1"
    end
  end

  defp gunzip(file), do: file |> File.read!() |> :zlib.gunzip()
  defp lines(text), do: String.split(text, "\n", trim: true)
  defp keys(json), do: Regex.scan(~r/"[^"]*":/, json)
end
