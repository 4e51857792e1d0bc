defmodule Roomfold.DemoTest do
  # It sets the locale, under any of which all other tests pass.
  use ExUnit.Case, async: true

  import ExUnit.CaptureIO

  alias Roomfold.{Demo, JSON}
  alias Roomfold.Demo.{Facts, Live, Plain, Recording, Screen, Story, Tracks}

  @moduletag :tmp_dir
  @priv Path.expand("../../priv/demo", __DIR__)
  @match Path.join(@priv, "freedm-0.12-demo1-MAP21.events.jsonl.gz")
  @expected Path.join(@priv, "freedm-0.12-demo1-MAP21.expected.json.gz")

  # A few events of a made-up game: a hit, a death, a miss that meets a wall, and a line that is no event.
  @lines [
    ~s({"event_name":"player_spawned","user_id":"ann","position":[0,0,0],"health":100,"seq":1,"at":1000}),
    ~s({"event_name":"player_spawned","user_id":"bob","position":[10,0,0],"health":100,"seq":2,"at":1000}),
    ~s({"event_name":"player_moved","user_id":"bob","position":[11,0,0],"seq":3,"at":1100}),
    ~s({"event_name":"weapon_fired","user_id":"ann","weapon":"ssg","hand_position":[0,1,0],"weapon_direction":[1,0,0],"range":64,"seq":4,"at":1200}),
    ~s({"event_name":"player_hit","user_id":"bob","damage":90,"health":10,"by_id":"ann","seq":5,"at":1200}),
    ~s({"event_name":"weapon_fired","user_id":"ann","weapon":"pistol","hand_position":[0,1,0],"weapon_direction":[0,0,1],"range":64,"seq":6,"at":1300}),
    ~s({"event_name":"player_killed","user_id":"bob","by_id":"ann","killer_id":"ann","seq":7,"at":1400}),
    ~s({"event":"update","entity_id":"nobody","components":{"health":1},"seq":8,"at":1500})
  ]

  setup do
    locale = System.get_env("LC_ALL")
    System.put_env("LC_ALL", "C")
    on_exit(fn -> if locale, do: System.put_env("LC_ALL", locale), else: System.delete_env("LC_ALL") end)
  end

  defp run(options) do
    me = self()
    text = capture_io(fn -> send(me, {:answer, Demo.run([speed: false] ++ options)}) end)
    assert_received {:answer, answer}
    {answer, text}
  end

  defp write(folder, name, text) do
    path = Path.join(folder, name)
    File.write!(path, text)
    path
  end

  defp events(lines), do: Recording.decode_lines(Enum.join(lines, "\n"))

  describe "the main job" do
    test "folds the shipped match, finds all four snapshots equal and writes the page", %{tmp_dir: folder} do
      page = Path.join(folder, "page.html")
      assert {:ok, text} = run(out: page)

      assert length(String.split(text, "  equal\n")) == 10
      assert text =~ "Every shot judged again"
      assert text =~ ~r/2,040 recorded shots .* 2,021/s
      assert text =~ ~r/A p99 of \d+ ms is (good|slow)/
      assert text =~ "the room at seq 58,335, from its log"
      assert text =~ "58,335 events"
      assert text =~ "151 operations"
      assert text =~ ~r/player2 +5 +4 +\. +9 +18\n/
      assert text =~ ~r/the level +\. +\. +\. +1 +1\n/
      assert text =~ "first kill: player1 kills player0 (super shotgun)"
      assert Enum.all?(String.split(text, "\n"), &(String.length(&1) <= 80 or &1 =~ page))
      assert for(<<byte <- text>>, byte > 126, do: byte) == []

      html = File.read!(page)
      assert text =~ page
      assert byte_size(html) < 1_500_000
      refute html =~ "{{"
    end

    test "ends with an error that names what differs", %{tmp_dir: folder} do
      expected = @expected |> File.read!() |> :zlib.gunzip() |> JSON.decode!()
      [first | rest] = expected["snapshots"]
      wrong = put_in(first, ["entities", "player1", "health"], -1)
      path = write(folder, "wrong.json", JSON.encode!(%{expected | "snapshots" => [wrong | rest]}))

      assert {{:error, message}, _} = run(expected: path, page: false)
      assert message =~ "the snapshot at seq 14583 differs: player1 has health"
      assert message =~ "expected -1"
    end

    test "ends with an error if the count of orphaned operations differs", %{tmp_dir: folder} do
      expected = @expected |> File.read!() |> :zlib.gunzip() |> JSON.decode!()
      snapshots = Enum.map(expected["snapshots"], &%{&1 | "orphaned" => 43})
      path = write(folder, "wrong.json", JSON.encode!(%{expected | "snapshots" => snapshots}))

      assert {{:error, message}, text} = run(expected: path, page: false)
      assert text =~ "64 entities, 43 orphaned"
      assert message =~ "the snapshot at seq 29167 differs: 86 orphaned, expected 43"
    end

    test "ends with an error if a snapshot is never reached", %{tmp_dir: folder} do
      match = write(folder, "small.jsonl", Enum.join(@lines, "\n"))
      expected = write(folder, "expected.json", ~s({"snapshots":[{"seq":9,"orphaned":0,"entities":{}}]}))
      assert {{:error, message}, _} = run(match: match, expected: expected, page: false)
      assert message =~ "ends before the snapshot expected at seq 9"
    end

    test "plays a recording without a level and without snapshots, and says so", %{tmp_dir: folder} do
      match = write(folder, "small.jsonl", Enum.join(["no event" | @lines], "\n"))
      page = Path.join(folder, "page.html")
      assert {:ok, text} = run(match: match, out: page)
      assert text =~ "a client's world"
      assert text =~ "A recorded match of 2 players, 0:00 long: 8 events"
      assert text =~ "nothing was compared"
      assert text =~ "1 thing could not be used; the first, in event 1:"
      assert text =~ ~r/ann +2 +1 +50 % +1 +0 +0 m/
      assert File.read!(page) =~ "no licence was named"
    end

    test "says what is wrong with files", %{tmp_dir: folder} do
      assert {{:error, message}, ""} = run(match: Path.join(folder, "none.jsonl"))
      assert message =~ "none.jsonl can't be read: no such file"

      assert {{:error, message}, ""} = run(match: write(folder, "empty.jsonl", "\n"))
      assert message =~ "holds no event"

      assert {{:error, message}, ""} = run(match: write(folder, "cut.jsonl.gz", <<0x1F, 0x8B, 8, 0>>))
      assert message =~ "is not a whole gzip file"

      assert {{:error, message}, ""} = run(match: @match, map: write(folder, "map.json", "[1]"))
      assert message =~ "map.json is not a JSON object"

      assert {{:error, message}, ""} = run(match: @match, expected: write(folder, "x.json", "{"))
      assert message =~ "x.json is not JSON"

      match = write(folder, "small.jsonl", Enum.join(@lines, "\n"))

      assert {{:error, message}, _} =
               run(match: match, room: false, out: Path.join(folder, "no/such/folder.html"))

      assert message =~ "folder.html can't be written"
    end

    test "the mix task knows its options" do
      assert_raise Mix.Error, ~r/don't know --fast/, fn -> Mix.Tasks.Roomfold.Demo.run(["--fast"]) end
      assert_raise Mix.Error, ~r/don't know file/, fn -> Mix.Tasks.Roomfold.Demo.run(["file"]) end
      args = ["--match", "/no/such/file", "--no-speed"]
      assert_raise Mix.Error, ~r/can't be read/, fn -> Mix.Tasks.Roomfold.Demo.run(args) end
    end
  end

  test "the fold by hand makes the world that it is measured beside" do
    {:ok, recording} = Recording.read([])
    world = Plain.fold(%{}, recording.events)
    last = List.last(recording.expected["snapshots"])
    assert Map.keys(world) == Map.keys(last["entities"])

    for {id, entity} <- world, {name, value} <- entity do
      value = if name in ["position", "velocity", "rotation"], do: Enum.map(value, &binary32/1), else: value
      assert {id, name, last["entities"][id][name]} == {id, name, value}
    end
  end

  defp binary32(number) do
    <<nearest::float-32>> = <<number::float-32>>
    nearest
  end

  test "how long an answer took is judged" do
    assert Live.verdict(99.4, 0.5) =~ "A p99 of 99 ms is good: people notice a delay from about 100 ms on."
    assert Live.verdict(192.0, 1.25) =~ "A p99 of 192 ms is slow:"
    assert Live.verdict(192.0, 1.25) =~ "works for 1.25 ms at a time (p99)"
  end

  describe "facts" do
    test "tell who was hit and how, and where rays end" do
      facts = Facts.read(events(@lines), nil)
      assert [%{whom: "bob", by: "ann", damage: 90, how: "ssg", at: 1200}] = facts.hits
      assert [%{whom: "bob", by: "ann", how: "ssg", at: 1400}] = facts.kills
      assert [hit, miss] = facts.rays
      assert {hit.by, hit.hit, hit.stopped_by, hit.to} == {"ann", "bob", :target, [11.0, 1.0, 0.0]}
      assert {miss.hit, miss.stopped_by, miss.to} == {nil, nil, [0, 1, 64]}
    end

    test "stop a ray that left no trace at the next wall" do
      wall = %{"x1" => -64, "y1" => -96, "x2" => 64, "y2" => -96, "front" => 0, "back" => nil, "flags" => 1}

      facts =
        Facts.read(events(@lines), %{"lines" => [wall, %{wall | "back" => 1, "y1" => -32, "y2" => -32}]})

      assert [_, %{stopped_by: :wall, to: [_, 1.0, 3.0]}] = facts.rays
    end

    test "stop a ray at the mark it left" do
      shot = Enum.at(@lines, 5)

      mark =
        ~s({"event":"create","entity_id":"puff-1","components":{"kind":"effect","position":[0.1,1,7]},"at":1300})

      assert [%{stopped_by: :mark, to: [0.0, 1.0, 7.0]}] = Facts.read(events([shot, mark]), nil).rays
      late = String.replace(mark, "1300", "1328")
      assert [%{stopped_by: nil}] = Facts.read(events([shot, late]), nil).rays
    end

    test "name the projectile's weapon, not the one held when it hits" do
      lines = [
        ~s({"event_name":"weapon_fired","user_id":"ann","weapon":"rocket","projectile_id":"rocket-1","at":1}),
        ~s({"event_name":"weapon_fired","user_id":"ann","weapon":"pistol","at":2}),
        ~s({"event_name":"player_hit","user_id":"bob","damage":9,"by_id":"ann","with":"rocket-1","at":3}),
        ~s({"event_name":"player_hit","user_id":"bob","damage":9,"by_id":"imp-7","with":"imp_fireball-2","at":4}),
        ~s({"event_name":"player_hit","user_id":"bob","damage":10000,"by_id":"ann","at":5})
      ]

      assert Enum.map(Facts.read(events(lines), nil).hits, & &1.how) == ["rocket", "imp_fireball", "telefrag"]
    end

    test "survive events of any shape" do
      names =
        ~w(weapon_fired monster_attacked player_hit monster_hit player_killed monster_died create player_moved)

      keys =
        ~w(user_id id by_id with weapon projectile_id position hand_position weapon_direction range damage at
                entity_id components)

      values = [nil, 1, "x", [], [1], ["a", "b", "c"], [0, 0, 0], %{}, %{"kind" => "effect", "position" => 3}]
      odd = for name <- names, key <- keys, value <- values, do: {name, Map.put(all(keys), key, value)}
      facts = Facts.read(odd, %{"lines" => [%{"back" => nil}, 3, %{"back" => nil, "x1" => "a"}]})
      assert facts.hits != []
      recording = %Recording{name: "odd", text: "", bytes: 0, events: odd}
      assert capture_io(fn -> Story.tell(recording, facts) end) =~ "Who killed whom"
    end

    defp all(keys) do
      known = %{
        "position" => [0, 0, 0],
        "hand_position" => [0, 0, 0],
        "weapon_direction" => [1, 0, 0],
        "at" => 1
      }

      keys |> Map.new(&{&1, "player"}) |> Map.merge(known) |> Map.merge(%{"range" => 9, "damage" => 1})
    end
  end

  test "tracks keep every change of every life" do
    diff = fn creates, updates, deletes ->
      %{"creates" => creates, "updates" => updates, "deletes" => deletes}
    end

    columns =
      %Tracks{}
      |> Tracks.push(1, diff.(%{"a" => %{"position" => [1.0, 2.0, 3.0], "health" => 5}}, %{}, []))
      |> Tracks.push(2, diff.(%{}, %{"a" => %{"position" => [1.5, 2.0, 3.0], "health" => nil}}, []))
      |> Tracks.push(4, diff.(%{"a" => %{"health" => 5}}, %{}, []))
      |> Tracks.push(6, diff.(%{}, %{}, ["a"]))
      |> Tracks.columns()

    assert columns["id"] == ["a", "a"]
    assert columns["born"] == [1, 3]
    assert columns["gone"] == [3, 2]

    assert columns["position"] == %{
             "life" => [0],
             "count" => [2],
             "seq" => [0, 1],
             "x" => [10_000, 5_000],
             "y" => [20_000, 0],
             "z" => [30_000, 0]
           }

    assert columns["names"] == ["health"]
    assert columns["values"] == [5, nil]

    assert columns["others"] == %{
             "life" => [0, 0, 1],
             "seq" => [0, 1, 0],
             "name" => [0, 0, 0],
             "value" => [0, 1, 0]
           }
  end

  test "tracks write binary32 in the shortest way that means the same" do
    <<tenth::float-32>> = <<0.1::float-32>>
    diff = %{"creates" => %{"a" => %{"x" => [tenth, -0.0, 1.0e300, 3]}}, "updates" => %{}, "deletes" => []}
    columns = %Tracks{} |> Tracks.push(1, diff) |> Tracks.columns()
    assert columns["values"] === [[0.1, -0.0, 1.0e300, 3]]
  end

  describe "the screen" do
    test "is plain ASCII under a POSIX locale, and not under UTF-8" do
      plain = capture_io(fn -> Screen.good("snapshot") end)
      assert plain == "snapshot  equal\n"
      System.put_env("LC_ALL", "de_DE.UTF-8")
      assert capture_io(fn -> Screen.good("snapshot") end) =~ "equal ✓"
    end

    test "wraps at 80 columns and keeps the margin" do
      text = capture_io(fn -> Screen.say("  " <> String.duplicate("word ", 30)) end)
      lines = String.split(text, "\n", trim: true)
      assert Enum.all?(lines, &(String.length(&1) <= 80 and String.starts_with?(&1, "  word")))
      assert text |> String.split() |> length() == 30
    end

    test "shows no bar where there is no terminal" do
      assert capture_io(fn -> Screen.progress(1, 2, "things") end) == ""
    end

    test "writes figures" do
      assert Enum.map([0, 7, 999, 1000, 1_234_567, -4321], &Screen.number/1) ==
               ~w(0 7 999 1,000 1,234,567 -4,321)

      assert Screen.time(61_999) == "1:01"
      assert Screen.decimal(2.25) in ["2.2", "2.3"]
    end
  end
end
