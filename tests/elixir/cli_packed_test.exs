defmodule Roomfold.CliPackedTest do
  @moduledoc "Logs of packed frames: `roomfold convert --to packed` against `Roomfold.Wire`, and back; every command reads them."
  use ExUnit.Case, async: true

  alias Roomfold.{JSON, Rules, Schema, Wire, World}
  alias Roomfold.Test.Program

  @moduletag skip: Program.missing()
  @moduletag :tmp_dir
  @match Path.expand("../../priv/demo/freedm-0.12-demo1-MAP21.events.jsonl.gz", __DIR__)
  @readers [~w(replay --quiet), ~w(convert --to events)]

  defp file(frames), do: IO.iodata_to_binary(for frame <- frames, do: [<<byte_size(frame)::32>>, frame])

  defp frames(file), do: for(<<size::32, frame::binary-size(size) <- file>>, do: frame)

  defp flat({name, payload}) when name in ["create", "update", "delete"], do: Map.put(payload, "event", name)
  defp flat({name, payload}), do: Map.put(payload, "event_name", name)

  defp unflat(%{"event" => name} = event), do: {name, Map.delete(event, "event")}
  defp unflat(%{"event_name" => name} = event), do: {name, Map.delete(event, "event_name")}

  defp text(events), do: Enum.map_join(events, &(JSON.encode!(flat(&1)) <> "\n"))
  defp events(text), do: text |> String.split("\n", trim: true) |> Enum.map(&unflat(JSON.decode!(&1)))

  defp pack(text, arguments \\ []) do
    assert {packed, "", 0} = Program.run(["convert", "-", "--to", "packed" | arguments], text)
    packed
  end

  defp unpack(packed, arguments \\ []) do
    assert {text, "", 0} = Program.run(["convert", "-", "--to", "events" | arguments], packed)
    text
  end

  @schema """
  {"format":"roomfold-schema","version":1,"components":[{"name":"position","type":"f32","count":3},{"name":"d","type":"f64","count":2},
  {"name":"n","type":"i64"},{"name":"b","type":"bool"},{"name":"s","type":"string"},{"name":"t","type":"term"},{"name":"f","type":"f32"}]}
  """

  @defs [
    {"position", {:f32, 3}},
    {"d", {:f64, 2}},
    {"n", :i64},
    {"b", :bool},
    {"s", :string},
    {"t", :term},
    {"f", :f32}
  ]

  defp random_value do
    Enum.random([
      0,
      -0.0,
      1.5,
      0.1,
      1.0e300,
      -7,
      9_007_199_254_740_993,
      -9_223_372_036_854_775_808,
      nil,
      true,
      false,
      "",
      "é\n\"\u0000",
      String.duplicate("long", 20),
      [],
      %{},
      [1, 2.0, 3],
      [1.0e-45, 3.0e38, -0.0],
      [0.1, 2],
      %{"b" => [1, %{"" => nil}], "a" => "a"}
    ])
  end

  defp random_event(seq) do
    id = Enum.random(["a", "b", "é", "a longer one", String.duplicate("x", 255)])

    components =
      for name <- ~w(position d n b s t f kind other),
          :rand.uniform(3) == 1,
          into: %{},
          do: {name, random_value()}

    more = for name <- ~w(by at a z), :rand.uniform(5) == 1, into: %{}, do: {name, random_value()}
    more = if seq, do: Map.put(more, "seq", seq), else: more

    case :rand.uniform(8) do
      1 ->
        {"delete", Map.put(more, "entity_id", id)}

      2 ->
        {"delete", Map.merge(more, %{"entity_id" => id, "components" => 1})}

      3 ->
        {Enum.random(["player_moved", "", "x"]), Map.merge(more, %{"user_id" => id, "position" => [1, 2, 3]})}

      5 ->
        {"create", Map.merge(more, %{"entity_id" => id, "components" => components})}

      _ ->
        {"update", Map.merge(more, %{"entity_id" => id, "components" => components})}
    end
  end

  defp random_events(count) do
    seqs = Stream.iterate(1, &(&1 + Enum.random([1, 1, 1, 2])))

    seqs
    |> Enum.take(count)
    |> Enum.map(&random_event(Enum.random([&1, &1, &1, nil])))
    |> Enum.reject(fn {name, _} -> name == "" end)
  end

  test "frames are those of Roomfold.Wire, to the byte, and read back as they were", %{tmp_dir: folder} do
    path = Path.join(folder, "schema.json")
    File.write!(path, @schema)
    schema = Schema.new!(@defs)

    for run <- 1..4 do
      :rand.seed(:exsss, {run, 5, 1})
      events = random_events(300)
      assert [<<0x11, _::binary>> = snapshot, frame] = frames(pack(text(events), ["--schema", path]))
      assert {:ok, frame} == Wire.encode_events(events, schema: schema)
      assert {:ok, %{"seq" => 0, "entities" => [], "schema" => ^schema}} = Wire.decode(snapshot)

      # Declared components come back as the schema keeps them, all else as it was.
      back = unpack(file([snapshot, frame]))
      assert {:ok, frame} == Wire.encode_events(events(back), schema: schema)
      assert pack(back, ["--schema", path]) == file([snapshot, frame])
      # Without the snapshot it has to be said which schema it is; a frame may also stand alone.
      assert unpack(file([frame]), ["--schema", path]) == unpack(file([snapshot, frame]))
      assert unpack(frame, ["--schema", path]) == unpack(file([snapshot, frame]))

      fold = fn input ->
        {:ok, world, report} = World.fold(World.new!(schema: schema, rules: Rules.doom()), input)
        {World.snapshot(world), report}
      end

      assert fold.({:packed, frame}) == fold.({:json, back})
    end
  end

  test "a match: every command says the same of both", %{tmp_dir: folder} do
    path = Path.join(folder, "match.packed")
    text = :zlib.gunzip(File.read!(@match))
    File.write!(path, pack(text))
    assert File.stat!(path).size * 2 < byte_size(text)
    zipped = path <> ".gz"
    File.write!(zipped, :zlib.gzip(File.read!(path)))

    for command <- [
          ~w(replay),
          ~w(replay --until 20000 --by kind),
          ~w(validate --first 3),
          ~w(inspect --json)
        ] do
      {out, error, code} = Program.run(command ++ [@match])

      for other <- [path, zipped] do
        assert {packed, ^error, ^code} = Program.run(command ++ [other])
        assert String.replace(packed, other, @match) == out
      end
    end

    for shape <- ~w(component kind) do
      assert {lines, _, 0} = Program.run(["convert", @match, "--to", shape, "--lossless"])
      packed = pack(lines)
      assert packed == pack(unpack(packed))
      assert {state, _, 0} = Program.run(["replay", "-"], packed)
      assert {^state, _, 0} = Program.run(["replay", @match])
    end
  end

  test "what a world encodes is a log: a snapshot, and batches behind it" do
    schema = Schema.new!([{"position", {:f64, 3}}, {"health", :i64}], words: ["bat"])
    world = World.new!(schema: schema)
    at = fn id, x -> {"update", %{"entity_id" => id, "components" => %{"position" => [x, 0.1, 0.7]}}} end

    creates =
      for i <- 1..50,
          do:
            {"create",
             %{"entity_id" => "e#{i}", "components" => %{"kind" => "bat", "health" => i, "t" => [1, 1.0]}}}

    # More entities than the seq says events.
    many = {"create", %{"entity_id" => "z", "components" => %{}}}
    world = World.fold!(world, Enum.take(creates, 3) ++ [many])
    {:ok, world} = World.load(World.snapshot(World.fold!(world, creates)), schema: schema, seq: 20)
    {before, snapshot} = {World.snapshot(world), World.encode!(world, :snapshot, :packed)}
    moves = for i <- 1..30, do: at.("e#{i}", i / 10)
    {:ok, events} = Wire.encode_events(moves, schema: schema)
    later = World.fold!(world, moves)

    replay = fn bytes ->
      assert {state, error, 0} = Program.run(["replay", "-"], bytes)
      {JSON.decode!(state), hd(String.split(error, ","))}
    end

    packed = file([snapshot, events])
    assert replay.(packed) == {World.snapshot(later), "seq 50"}
    # One frame alone needs no length.
    assert replay.(snapshot) == {before, "seq 20"}
    # Where it begins is no event: in lines it is one that says all there is, packed it is a snapshot again.
    text = unpack(packed)
    assert %{"others" => items, "seq" => 20} = JSON.decode!(hd(String.split(text, "\n")))
    assert length(items) == 51
    assert {state, _, 0} = Program.run(["convert", "-", "--to", "packed"], packed)
    assert [<<0x11, _::binary>>, ^events] = frames(state)
    assert replay.(state) == replay.(packed)
    assert {_, "seq 50"} = replay.(text)
  end

  test "what is damaged, cut off or something else is told; what came before is used" do
    packed =
      pack(
        text(for i <- 1..2_500, do: {"create", %{"entity_id" => "e#{i}", "components" => %{}, "seq" => i}})
      )

    assert [_, _, _, _] = frames = frames(packed)
    [snapshot, first, second, third] = frames
    {:ok, handles} = Wire.encode_events([{"delete", %{"entity_id" => "e"}}], handles: %{"e" => 3}, known: 1)
    diff = World.encode!(World.new!(), {:diff, 0}, :packed)
    size = byte_size(second)

    cases = [
      {binary_part(packed, 0, byte_size(packed) - 1), 2_000, "frame 4 is cut off"},
      {file([snapshot, first]) <> <<0, 0>>, 1_000, "frame 3 is cut off"},
      {file([snapshot, first]) <> <<0, 0, 0, 0>>, 1_000, "frame 3: it can't have 0 bytes"},
      {file([snapshot, first]) <> <<255, 255, 255, 255>> <> second, 1_000,
       "frame 3: it can't have 4294967295 bytes"},
      # A length that lies costs what is there.
      {file([snapshot, first]) <> <<7, 255, 255, 255>> <> second, 1_000, "frame 3 is cut off"},
      {file([snapshot, first, binary_part(second, 0, size - 1)]), 1_000,
       "frame 3, byte #{size - 1}: the packed frame is not valid"},
      {file([snapshot, first, snapshot]), 1_000, "frame 3: a log has frames of events"},
      {file([snapshot, first, diff]), 1_000, "frame 3: a log has frames of events"},
      {file([snapshot, first, "nonsense"]), 1_000, "frame 3: a log has frames of events"},
      {file([snapshot, first, handles]), 1_000, "frame 3, byte 1: it says entities by handle"},
      {file([binary_part(snapshot, 0, 9)]), 0, "frame 1, byte 3: the packed frame is not valid"},
      {<<0x13>>, 0, "frame 1, byte 1: the packed frame is not valid"},
      {file([snapshot, first, <<0x13, 0, 0, 0>>, third]), 1_000,
       "frame 3, byte 4: the packed frame was made with another"}
    ]

    for {bytes, events, message} <- cases, command <- @readers do
      assert {out, error, 1} = Program.run(command ++ ["-"], bytes)
      assert error =~ message
      if command == ~w(replay --quiet), do: assert(map_size(JSON.decode!(out)) == events)
      if command == ~w(convert --to events), do: assert(length(events(out)) == events)
    end
  end

  test "events that frames can't say end it, by line and column" do
    good = ~s({"event":"create","entity_id":"a","components":{}}\n)

    for {line, message} <- [
          {~s({"event":"create","entity_id":"a","components":{"n":123456789012345678901}}),
           "-:2:53: the number is out"},
          {~s({"event_name":"x","a":1,"a":2}), "-:2:25: an object has the same key twice"},
          {~s({"event_name":"create"}), "-:2:15: no rule says"},
          {~s({"event_name":"x","t":#{String.duplicate("[", 63)}#{String.duplicate("]", 63)}}),
           "-:2:85: lists and"}
        ] do
      assert {packed, error, 1} =
               Program.run(["convert", "-", "--to", "packed"], good <> line <> "\n" <> good)

      assert error =~ message
      assert {~s({"a":{}}\n), _, 0} = Program.run(["replay", "-"], packed)
    end

    {:ok, frame} = Wire.encode_events([{"x", %{"event_name" => "y"}}])
    assert {"", error, 1} = Program.run(["convert", "-", "--to", "events"], frame)
    assert error =~ "frame 1, byte"
    assert error =~ "an event needs one name"
  end

  test "a first line with a value that the schema rejects ends it at that value" do
    for {items, column} <- [
          {~s([{"id":"a","position":"here"}]), 29},
          {~s([{"id":"b","position":[1,2,3]},{"id":"a","position":[1,2,1e99]}]), 59},
          {~s([{"health":1,"id":"a"},\n{"id":"b","health":1.5}]), nil}
        ] do
      begin = ~s({"as":#{items},"seq":3}\n)
      place = if column, do: "1:#{column}", else: "2:20"
      assert {told, "", 1} = Program.run(["validate", "-"], begin)
      [offence | _] = String.split(told, "\n", parts: 2)
      assert offence =~ ~r/^-:#{place}: (the value does not fit|the number is out)/
      assert {"", error, 1} = Program.run(["convert", "-", "--to", "packed"], begin)
      assert error == "roomfold convert: #{offence}\n"
    end
  end

  test "a frame that nobody would read is not written", %{tmp_dir: folder} do
    file = Path.join(folder, "long.jsonl")
    long = String.duplicate("a", 134_217_728)

    File.write!(file, [
      ~s({"event_name":"note","text":"short"}\n{"event_name":"note","text":"),
      long,
      ~s("}\n)
    ])

    assert {packed, error, 1} = Program.run(["convert", file, "--to", "packed"])
    assert error =~ "the value is larger than the limit"
    assert [_snapshot] = frames(packed)
  end

  test "--from packed refuses lines; a packed log has no rooms" do
    assert {"", error, 1} = Program.run(~w(convert - --from packed --to events), ~s({"event_name":"x"}))
    assert error =~ "not a log of packed frames"

    assert {out, "", 0} =
             Program.run(~w(convert - --from packed --to events), pack(~s({"event_name":"x","a":1})))

    assert out == ~s({"event_name":"x","a":1}\n)
    assert {"", error, 2} = Program.run(~w(replay - --room lobby), pack(""))
    assert error =~ "this is no database"
  end
end
