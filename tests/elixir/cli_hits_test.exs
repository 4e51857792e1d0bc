defmodule Roomfold.CliHitsTest do
  @moduledoc "`roomfold hits`: recorded shots judged again, and what a recording may look like."
  use ExUnit.Case, async: true

  alias Roomfold.JSON
  alias Roomfold.Test.Program

  @moduletag skip: Program.missing()
  @moduletag :tmp_dir
  @demo Path.expand("../../priv/demo", __DIR__)
  @shared Path.expand("../../../shared/data/doom", __DIR__)

  defp judge(kind, recording, level) do
    assert {out, "", 0} = Program.run(["hits", "--#{kind}", recording, "--level", level])
    JSON.decode!(out)
  end

  # The levels of recordings are called like them, without the number of the recording.
  defp recordings(kind) do
    for path <- Path.wildcard(Path.join(@shared, "rays/#{kind}-*.jsonl.gz")) do
      name = path |> Path.basename(".jsonl.gz") |> String.replace_prefix("#{kind}-", "")
      {path, Path.join(@shared, "maps/#{String.replace(name, ~r/-demo\d+/, "")}.json.gz")}
    end
  end

  defp sum(all), do: Enum.reduce(all, &Map.merge(&1, &2, fn _, a, b -> a + b end))

  test "the shipped recording" do
    rays = Path.join(@demo, "rays-freedm-0.12-demo1-MAP21.jsonl.gz")

    assert judge("rays", rays, Path.join(@demo, "freedm-0.12-MAP21.json.gz")) ==
             %{"rays" => 2040, "agree" => 2021, "hits" => 261, "hits_agree" => 261}
  end

  test "all recorded rays: 98 % of all, 99 % of those that hit, none below 95 %" do
    case recordings("rays") do
      [] ->
        IO.puts("left out: other recordings' rays (../shared/data/doom/rays is not there)")

      recordings ->
        all = for {path, level} <- recordings, do: judge("rays", path, level)
        for one <- all, do: assert(one["agree"] >= 0.95 * one["rays"])
        sum = sum(all)
        assert sum["rays"] > 10_000
        assert sum["agree"] >= 0.98 * sum["rays"]
        assert sum["hits_agree"] >= 0.99 * sum["hits"]
    end
  end

  test "all recorded projectiles: 95 %" do
    case recordings("proj") do
      [] ->
        IO.puts("left out: recordings' projectiles (../shared/data/doom/rays is not there)")

      recordings ->
        sum = sum(for {path, level} <- recordings, do: judge("projectiles", path, level))
        assert sum["projectiles"] > 1_000
        assert sum["agree"] >= 0.95 * sum["projectiles"]
    end
  end

  # A room of 256 units, cut in two by a line with an opening from 0 to 64; behind it stands somebody.
  @level """
  {"sectors":[{"floor":0,"ceil":128,"special":99},{"floor":0,"ceil":64,"tag":-3}],"things":[{"type":"unheard of"}],"stats":null,
  "lines":[{"x1":-128,"y1":-128,"x2":-128,"y2":128,"front":0,"back":null,"flags":65535,"special":31337,"tag":7},
  {"x1":128,"y1":-128,"x2":128,"y2":128,"front":1,"flags":1,"new":[{}]},
  {"x1":0,"y1":-128,"x2":0,"y2":128,"front":0,"back":1,"flags":516},
  {"x1":5,"y1":5,"x2":5,"y2":5,"front":1,"back":1,"flags":4},
  {"x1":64,"y1":-128,"x2":64,"y2":128,"front":1,"back":1,"flags":4}]}
  """

  @ray %{
    "origin" => [-64, 0, 32],
    "dir" => [1, 0, 0],
    "range" => 512,
    "hit" => 7,
    "targets" => [[7, 96, 0, 0, 16, 56]]
  }

  defp level(folder) do
    path = Path.join(folder, "level.json")
    File.write!(path, @level)
    path
  end

  defp lines(maps), do: Enum.map_join(maps, "\n", &JSON.encode!/1) <> "\n"

  defp run(kind, text, folder, code \\ 0) do
    assert {out, error, ^code} = Program.run(["hits", "--#{kind}", "-", "--level", level(folder)], text)
    out = JSON.decode!(out)
    {out[kind], out["agree"], out["hits"], out["hits_agree"], error}
  end

  test "what a line may have and may leave out", %{tmp_dir: folder} do
    good = [
      @ray,
      Map.merge(@ray, %{
        "t" => 5,
        "shooter" => nil,
        "puff" => ["BLOOD", 1, 2, 3],
        "sectors" => nil,
        "unknown" => %{"a" => []}
      }),
      # Nobody is there, or nobody is told.
      Map.merge(@ray, %{"targets" => [], "hit" => nil}),
      Map.drop(Map.put(@ray, "targets", nil), ["hit"]),
      Map.drop(@ray, ["targets", "hit"]),
      # The door is closed; half closed; open again, as its heights are not said.
      Map.merge(@ray, %{"sectors" => [[1, 0, 0]], "hit" => nil}),
      Map.merge(@ray, %{"sectors" => [[1, nil, 31.5]], "hit" => nil}),
      Map.merge(@ray, %{"sectors" => [[1, nil, nil], [0, -8, 1000]]}),
      # Targets without any size, and larger than the room.
      Map.merge(@ray, %{"targets" => [[7, 96, 0, 32, 0, 0]]}),
      Map.merge(@ray, %{"targets" => [[7, 96, 0, 0, 1000, 1000]]}),
      # Ids may be names; the earliest counts, wherever it stands in the list.
      Map.merge(@ray, %{
        "targets" => [["far", 96, 0, 0, 16, 56, "more"], ["é", 48, 0, 0, 16, 56]],
        "hit" => "é"
      }),
      Map.merge(@ray, %{"targets" => for(i <- 1..1_000, do: [i, 96, i - 500, 0, 0.4, 56]), "hit" => 500}),
      # Directions of any length; a range of 0.
      Map.merge(@ray, %{"dir" => [1.0e-5, 0, 0]}),
      Map.merge(@ray, %{"range" => 0, "hit" => nil}),
      # From within somebody.
      Map.merge(@ray, %{"origin" => [96, 0, 32], "range" => 0})
    ]

    count = length(good)
    hits = Enum.count(good, & &1["hit"])
    text = lines(good)
    expected = {count, count, hits, hits, ""}
    assert run("rays", text, folder) == expected
    assert run("rays", String.replace(text, "\n", "\r\n"), folder) == expected
    assert run("rays", "\uFEFF" <> String.trim_trailing(text), folder) == expected
    assert run("rays", "\n \t\r\n" <> String.replace(text, "\n", "\n\n"), folder) == expected
    assert run("rays", :zlib.gzip(text), folder) == expected

    assert run("rays", :zlib.gzip(text) <> :zlib.gzip(text), folder) ==
             {2 * count, 2 * count, 2 * hits, 2 * hits, ""}

    assert run("rays", "", folder) == {0, 0, 0, 0, ""}
    # A line of megabytes.
    long = Map.put(@ray, "note", String.duplicate("x", 3_000_000))
    assert run("rays", lines([long, long]), folder) == {2, 2, 2, 2, ""}
    # Someone else than the recording says, nobody, and somebody in place of nobody.
    wrong = [Map.put(@ray, "hit", 8), Map.put(@ray, "targets", []), Map.put(@ray, "hit", nil)]
    assert run("rays", lines(wrong), folder) == {3, 0, 2, 0, ""}
  end

  test "lines that can't be used are told, and the others judged", %{tmp_dir: folder} do
    bad = [
      {~s({"origin":[1,2]), "-:2:15: "},
      {~s([1]), "-:2: this can't be used: origin"},
      {lines([Map.delete(@ray, "origin")]), "-:2: this can't be used: origin"},
      {lines([Map.put(@ray, "dir", [0, 0, 0])]), "-:2: this can't be used: a shot needs a direction"},
      {lines([Map.put(@ray, "dir", [0, 0, nil])]), "-:2: this can't be used: dir"},
      {lines([Map.put(@ray, "range", -1)]), "-:2: this can't be used: the number is out of range"},
      {lines([Map.put(@ray, "range", "far")]), "-:2: this can't be used: range"},
      {lines([Map.put(@ray, "hit", true)]), "-:2: this can't be used: hit"},
      {lines([Map.put(@ray, "targets", [[7, 1, 2, 3, -4, 5]])]), "-:2: this can't be used: targets"},
      {lines([Map.put(@ray, "targets", [[nil, 1, 2, 3, 4, 5]])]), "-:2: this can't be used: targets"},
      {lines([Map.put(@ray, "targets", [7])]), "-:2: this can't be used: targets"},
      {lines([Map.put(@ray, "targets", 7)]), "-:2: this can't be used: targets"},
      {lines([Map.put(@ray, "sectors", [[2, 0, 0]])]), "-:2: this can't be used: sectors"},
      {lines([Map.put(@ray, "sectors", [["1", 0, 0]])]), "-:2: this can't be used: sectors"}
    ]

    for {line, message} <- bad do
      text = lines([@ray]) <> String.trim_trailing(line) <> "\n" <> lines([@ray])
      assert {2, 2, 2, 2, error} = run("rays", text, folder, 1)
      assert error =~ message
      assert error =~ "roomfold hits: -: 1 line can't be used\n"
    end

    assert {0, 0, 0, 0, error} = run("rays", String.duplicate("x\n", 30), folder, 1)
    assert length(String.split(error, "\n", trim: true)) == 11
    assert error =~ "-: 30 lines can't be used"

    cut = binary_part(:zlib.gzip(String.duplicate(lines([@ray]), 1_000)), 0, 100)
    assert {out, error, 1} = Program.run(["hits", "--rays", "-", "--level", level(folder)], cut)
    assert error =~ "the end of the .gz is missing"
    assert out == "" or JSON.decode!(out)["agree"] == JSON.decode!(out)["rays"]
  end

  @missile %{
    "t" => 10,
    "t_end" => 30,
    "start" => [-64, 0, 16],
    "v" => [10, 0, 0],
    "r" => 6,
    "h" => 8,
    "hit" => 7
  }

  test "projectiles", %{tmp_dir: folder} do
    near = fn id, damageable -> for t <- 10..40, do: [t, 0, [[id, 96, 0, 0, 16, 56, damageable]]] end

    good = [
      Map.put(@missile, "near", near.(7, 1)),
      Map.merge(@missile, %{
        "near" => near.("seven", 1),
        "hit" => "seven",
        "v_after" => nil,
        "t_hit" => 20,
        "by" => nil
      }),
      # Decor stops it; nobody is close; a door is in its way, or falls into it.
      Map.merge(@missile, %{"near" => near.(7, 0), "hit" => nil}),
      Map.delete(@missile, "hit"),
      Map.merge(@missile, %{"near" => near.(7, 1), "hit" => nil, "sectors" => [[1, 0, 20]]}),
      Map.merge(@missile, %{"near" => near.(7, 1), "hit" => nil, "sector_moves" => [[11, 1, nil, 0]]}),
      # Too late for that one.
      Map.merge(@missile, %{"near" => near.(7, 1), "sector_moves" => [[39, 1, nil, 0]]}),
      # In one step through the whole room; and at rest.
      Map.merge(@missile, %{"v" => [4_000, 0, 0], "near" => [[10, 1, [[7, 96, 0, 0, 16, 56, 1]]]]}),
      Map.merge(@missile, %{"near" => near.(7, 1), "v" => [0, 0, 0], "hit" => nil}),
      # It turns after its first half step.
      Map.merge(@missile, %{"near" => near.(7, 1), "v" => [10, 0, 0], "v_after" => [-10, 0, 0], "hit" => nil})
    ]

    count = length(good)
    hits = Enum.count(good, & &1["hit"])
    assert run("projectiles", lines(good), folder) == {count, count, hits, hits, ""}

    for {change, message} <- [
          {%{"v" => nil}, "v"},
          {%{"r" => -1}, "collider"},
          {%{"h" => nil}, "h"},
          {%{"t_end" => 1.0e9}, "t_end"},
          {%{"t" => 1.0e17, "t_end" => 1.0e17}, "used: t\n"},
          {%{"start" => "here"}, "start"},
          {%{"hit" => []}, "hit"},
          {%{"near" => [[10, 1, [[7]]]]}, "targets"},
          {%{"sector_moves" => [["x", 0, 0, 0]]}, "sector_moves"}
        ] do
      text = lines([Map.merge(@missile, change), Map.put(@missile, "near", near.(7, 1))])
      assert {1, 1, 1, 1, error} = run("projectiles", text, folder, 1)
      assert error =~ message
    end
  end

  test "a line that is no JSON is told, also if it is a zero byte", %{tmp_dir: folder} do
    for line <- ["\0", " \0\t", "x"] do
      assert {out, error, 1} =
               Program.run(["hits", "--rays=-", "--level=" <> level(folder)], "\n \t\r\n" <> line <> "\n")

      assert out =~ ~s("rays": 0)
      assert error =~ ~r/roomfold hits: -:3:\d+: .*\nroomfold hits: -: 1 line can't be used\n/
    end
  end

  test "levels that are none are named; levels of all recordings are read", %{tmp_dir: folder} do
    path = Path.join(folder, "bad.json")

    for {text, message} <- [
          {"", "bad.json:1:1: the JSON text ends too early"},
          {~s({"sectors":[],\n"lines":5}), "bad.json:2:9: the level is not valid (a list)"},
          {"[]", "a level is an object"},
          {~s({"sectors":[]}), "(lines)"},
          {~s({"sectors":[{"floor":0}],"lines":[]}), "(ceil)"},
          {String.replace(@level, ~s("back":1), ~s("back":2)), "a line names a sector that doesn't exist"}
        ] do
      File.write!(path, text)
      assert {"", error, 1} = Program.run(["hits", "--rays", "-", "--level", path], "")
      assert error =~ message
    end

    assert {"", error, 1} = Program.run(["hits", "--rays", "/not/there", "--level", level(folder)])
    assert error =~ "/not/there: No such file"

    case Path.wildcard(Path.join(@shared, "maps/*.json.gz")) do
      [] ->
        IO.puts("left out: all levels (../shared/data/doom/maps is not there)")

      levels ->
        for path <- levels do
          assert {_, "", 0} = Program.run(["hits", "--rays", "-", "--level", path], "")
          {:ok, level} = Roomfold.Level.from_json(:zlib.gunzip(File.read!(path)))
          map = JSON.decode!(:zlib.gunzip(File.read!(path)))

          assert {length(level.walls), length(level.sectors)} ==
                   {length(map["lines"]), length(map["sectors"])}

          for wall <- level.walls, do: assert(tuple_size(wall) == 9)
        end
    end
  end
end
