defmodule Roomfold.CliConvertTest do
  @moduledoc "`roomfold convert` against `Roomfold.Shape`, and there and back again."
  use ExUnit.Case, async: true

  alias Roomfold.{JSON, Shape}
  alias Roomfold.Test.Program

  @moduletag skip: Program.missing()
  @match Path.expand("../../priv/demo/freedm-0.12-demo1-MAP21.events.jsonl.gz", __DIR__)

  defp convert(text, arguments) do
    assert {out, error, code} = Program.run(["convert", "-" | arguments], text)
    assert {error, code} == {"", 0}
    out
  end

  defp lines(text), do: text |> String.split("\n", trim: true) |> Enum.map(&JSON.decode!/1)
  defp text(lines), do: Enum.map_join(lines, &(JSON.encode!(&1) <> "\n"))
  defp flat({name, payload}), do: Map.put(payload, "event", name)

  # Random changes, as entity events.
  defp events(count) do
    :rand.seed(:exsss, {4, 5, 6})

    value = fn ->
      Enum.random([
        1,
        1.0,
        -0.0,
        0.1,
        nil,
        true,
        "é\n\"",
        [],
        %{},
        [1, %{"b" => [2.5]}],
        9_007_199_254_740_993
      ])
    end

    id = fn -> Enum.random(["a", "b", "é", "with \"quotes\"", "tab\t"]) end

    for _ <- 1..count do
      components =
        for name <- ["kind", "n", "ü", "position"], :rand.uniform(3) > 1, into: %{} do
          {name, if(name == "kind", do: Enum.random(["bat", "other", 7, "x\\y"]), else: value.())}
        end

      case :rand.uniform(5) do
        1 -> {"delete", %{"entity_id" => id.()}}
        2 -> {"create", %{"entity_id" => id.(), "components" => components}}
        _ -> {"update", %{"entity_id" => id.(), "components" => components}}
      end
    end
  end

  test "events to the other shapes, a line each, as Shape.from_events says" do
    events = events(500)

    kinds = convert(text(Enum.map(events, &flat/1)), ["--to", "kind"])
    assert lines(kinds) === for(event <- events, do: elem(Shape.from_events([event], :kind), 1))

    components = convert(text(Enum.map(events, &flat/1)), ["--to", "component"])

    expected =
      for event <- events, {:ok, shape} = Shape.from_events([event], :component), shape != %{}, do: shape

    assert lines(components) === expected
  end

  test "the other shapes to events, as Shape.events says" do
    # Several entities in a line.
    groups = 400 |> events() |> Enum.reject(&(elem(&1, 0) == "delete")) |> Enum.chunk_every(4)

    for by <- [:component, :kind], options <- [[], [op: :create]] do
      shapes = for group <- groups, do: elem(Shape.from_events(group, by), 1)
      create = if options == [], do: [], else: ["--create"]
      found = convert(text(shapes), ["--to", "events"] ++ create)
      expected = for shape <- shapes, event <- elem(Shape.events(shape, by, options), 1), do: flat(event)
      assert lines(found) === expected
    end

    assert convert(~s({"deleted":["b","a"],"bats":[{"id":"c"}]}), ["--to", "events"]) ==
             ~s({"event":"delete","entity_id":"b"}\n{"event":"delete","entity_id":"a"}\n) <>
               ~s({"event":"update","entity_id":"c","components":{}}\n)
  end

  test "between component and kind" do
    assert convert(~s({"health":{"b":2,"a":1.50},"kind":{"a":"bat"}}), ["--to", "kind"]) ==
             ~s({"bats":[{"id":"a","health":1.50,"kind":"bat"}],"others":[{"id":"b","health":2}],"deleted":[],"created":[]}\n)

    assert convert(~s({"others":[{"id":"b","health":2}],"bats":[{"kind":"bat","id":"a"}],"deleted":["x"]}), [
             "--to",
             "component"
           ]) ==
             ~s({"health":{"b":2},"kind":{"a":"bat"},"deleted":["x"]}\n)
  end

  test "values keep their text, on one line" do
    event =
      ~s({ "event" : "update", "entity_id":"a",\n\t"components" : {"n" : 1.0e2 , "s":" \\u0041 \\" }{ ", "l":[ 1 ,\r\n -0 ]} })

    value = ~S("n":1.0e2,"s":" \u0041 \" }{ ","l":[1,-0])

    assert convert(event, ["--to", "events"]) ==
             ~s({"event":"update","entity_id":"a","components":{#{value}}}\n)

    assert convert(event, ["--to", "kind"]) ==
             ~s({"others":[{"id":"a",#{value}}],"deleted":[],"created":[]}\n)
  end

  test "--lossless there and back gives the same log" do
    stamped =
      for {{op, payload}, i} <- Enum.with_index(events(300), 1),
          do: flat({op, Map.merge(payload, %{"seq" => i, "at" => i * 10, "by" => "ann"})})

    for shape <- ["component", "kind"] do
      there = convert(text(stamped), ["--to", shape, "--lossless"])
      back = lines(convert(there, ["--to", "events"]))
      assert Enum.any?(stamped, &(&1["event"] == "update" and &1["components"] == %{}))
      assert back === stamped
      # And the other way round through both.
      other = if shape == "kind", do: "component", else: "kind"
      again = convert(convert(there, ["--to", other, "--lossless"]), ["--to", "events"])
      assert lines(again) === stamped
    end
  end

  test "a whole match there and back folds to the same" do
    expected = Program.run(["replay", @match])

    for shape <- ["component", "kind"] do
      assert {there, "roomfold convert: 53535 domain events stayed events\n", 0} =
               Program.run(["convert", @match, "--to", shape, "--lossless"])

      assert {back, "", 0} = Program.run(["convert", "-", "--to", "events"], there)
      assert Program.run(["replay", "-"], back) == expected
    end

    assert {same, "", 0} = Program.run(["convert", @match, "--to", "events"])
    assert same == @match |> File.read!() |> :zlib.gunzip()
  end

  test "objects that are none of several entities are refused in every shape, as replay does" do
    named = ~w(entities components kinds from creates updates deletes event event_name)
    values = [~s({"a":1}), ~s([{"id":"a"}])]

    lines =
      for(key <- named, value <- values, do: ~s({"#{key}":#{value}})) ++
        [
          ~s({"hp":{"a":1},"cre\\u0061tes":{"a":1}}),
          ~s({"hp":{"a":1},"seq":{"a":2}}),
          ~s({"seq":[{"id":"a"}],"bats":[]}),
          ~s({"hp":{"a":1},"deleted":{"a":3}}),
          ~s({"created":{"a":1}}),
          ~s({"event":"delete","entity_id":"a","event_name":{}}),
          ~s({"event":"delete","entity_id":"a","seq":[1]})
        ]

    told = lines |> Enum.join("\n") |> offences(&replay/1)
    assert Map.keys(told) == Enum.to_list(1..length(lines))

    for {line, i} <- Enum.with_index(lines, 1) do
      assert {"", error, 1} =
               Program.run(["convert", "-", "--to", in_turn(["events", "component", "kind"], i)], line)

      assert error == "roomfold convert: -:1:#{told[i]}\n"
    end
  end

  defp in_turn(list, i), do: Enum.at(list, rem(i, length(list)))

  # Of a text, what the program says first about each of its lines: {line => "column: what"}.
  defp offences(text, run) do
    for line <- text |> run.() |> String.split("\n") |> Enum.reverse(),
        [_, number, about] <- [Regex.run(~r/^-:(\d+):(\d+: .*)/s, line)],
        into: %{},
        do: {String.to_integer(number), about}
  end

  defp replay(text) do
    {_, told, _} = Program.run(["replay", "-", "--errors", "1000"], text)
    told
  end

  defp validate(text) do
    {told, "", 1} = Program.run(["validate", "-", "--first", "1000"], text)
    told
  end

  test "at and by may hold anything, are no component or kind, and go along" do
    for key <- ["at", "by"] do
      assert convert(~s({"hp":{"a":1},"#{key}":{"b":2}}), ["--to", "events"]) ==
               ~s({"event":"update","entity_id":"a","components":{"hp":1},"#{key}":{"b":2}}\n)

      assert convert(~s({"bats":[{"id":"a"}],"deleted":[],"#{key}":[{"id":"b"}]}), ["--to", "events"]) ==
               ~s({"event":"update","entity_id":"a","components":{},"#{key}":[{"id":"b"}]}\n)

      event = ~s({"event":"update","entity_id":"a","components":{"hp":1},"#{key}":{"b":[2,null]}}\n)

      for shape <- ["component", "kind"] do
        there = convert(event, ["--to", shape, "--lossless"])
        refute there == event
        assert convert(there, ["--to", "events"]) == event
      end
    end
  end

  test "a component called like another key of the line: the line stays an event" do
    event = ~s({"event":"create","entity_id":"a","components":{"seq":1},"seq":7}\n)
    assert convert(event, ["--to", "component", "--lossless"]) == event
    assert convert(event, ["--to", "component"]) == event

    assert convert(~s({"others":[{"id":"a","deleted":1}],"deleted":["b"]}), ["--to", "component"]) ==
             ~s({"event":"delete","entity_id":"b"}\n{"event":"update","entity_id":"a","components":{"deleted":1}}\n)
  end

  test "what can't be said by component or by kind stays an event, so that replay reads what convert wrote" do
    names =
      ~w(event event_name seq at by created deleted entities components kinds from creates updates deletes)

    events =
      for {name, i} <- Enum.with_index(["plain" | names]) do
        ~s({"event":"create","entity_id":"e#{i}","components":{"#{name}":1},"seq":#{2 * i + 1}}\n) <>
          ~s({"event":"update","entity_id":"e#{i}","components":{"#{name}":2},"seq":#{2 * i + 2}}\n)
      end

    text = Enum.join(events)
    state = Program.run(["replay", "-"], text)
    assert {world, "seq 30, folded 30, orphaned 0, stale 0, gaps 0, rejected 0\n", 0} = state
    assert {:ok, %{"e0" => %{"plain" => 2}, "e14" => %{"deletes" => 2}}} = JSON.decode(world)

    for shape <- ["component", "kind"], more <- [[], ["--lossless"]] do
      there = convert(text, ["--to", shape | more])
      assert Program.run(["replay", "-"], there) == state
      # Those of two lines each.
      stayed = for {event, i} <- Enum.with_index(events), String.contains?(there, event), do: i
      assert stayed == if(shape == "component", do: Enum.to_list(1..14), else: [])
    end

    # A kind's key has an s behind it; escapes hide nothing.
    kinds = ~w(entitie component kind create update delete \\u0064elete create\\u0064 from bat)

    creates =
      for kind <- kinds,
          do: ~s({"event":"create","entity_id":"#{kind}","components":{"kind":"#{kind}","n":1}}\n)

    there = convert(Enum.join(creates), ["--to", "kind"])
    assert Program.run(["replay", "-"], there) == Program.run(["replay", "-"], Enum.join(creates))
    stayed = for {kind, create} <- Enum.zip(kinds, creates), String.contains?(there, create), do: kind
    assert stayed == kinds -- ~w(create\\u0064 from bat)

    # Of several entities: the whole line.
    assert convert(~s({"kind":{"a":"delete","b":"bat"},"deleted":["c"]}), ["--to", "kind"]) ==
             ~s({"event":"delete","entity_id":"c"}\n) <>
               ~s({"event":"update","entity_id":"a","components":{"kind":"delete"}}\n) <>
               ~s({"event":"update","entity_id":"b","components":{"kind":"bat"}}\n)
  end

  test "behind an array nothing can stand: convert says the same place as validate" do
    event = ~s({"event":"delete","entity_id":"a"})

    for {text, column} <- [
          {"[#{event}]x", 37},
          {"[#{event}] \t#{event}", 39},
          {"[#{event}]]", 37},
          {"[]x", 3}
        ] do
      message = "-:1:#{column}: this byte can't stand here in JSON\n"
      assert {told, _, 1} = Program.run(["validate", "-"], text)
      assert String.starts_with?(told, message)
      assert {_, "roomfold convert: " <> ^message, 1} = Program.run(["convert", "-", "--to", "events"], text)
    end
  end

  test "an array, and lines without changes" do
    assert convert(~s([{"n":{"a":1}}, {"deleted":[]}, {"event_name":"x"}]), ["--to", "events"]) ==
             ~s({"event":"update","entity_id":"a","components":{"n":1}}\n{"event_name":"x"}\n)

    assert convert(~s({"deleted":[]}), ["--to", "kind"]) == ~s({"deleted":[],"created":[]}\n)
    assert convert(~s({"deleted":[]}), ["--to", "component", "--from", "component"]) == ""
    assert convert(~s({"n":{}}), ["--to", "component"]) == ""
    # Nothing is called so, as nothing stands under it.
    assert convert(~s({"id":{},"":{}}), ["--to", "events"]) == ""
  end

  test "a first line that says all there is is kept, since only it takes its seq and says what is gone" do
    begin = ~s({"others":[{"id":"a","hp":1},{"id":"b","hp":1}],"seq":10})
    event = ~s({"event":"update","entity_id":"a","components":{"hp":2},"seq":11})
    state = Program.run(["replay", "-"], begin <> "\n" <> event)
    assert {~s({"a":{"hp":2},"b":{"hp":1}}\n), "seq 11, folded 2, orphaned 0, " <> _, 0} = state

    for {text, i} <-
          Enum.with_index([
            "#{begin}\n#{event}\n",
            "[#{begin},#{event}]",
            " [ #{String.replace(begin, ",", ",\n")}\n, #{event} ]\n"
          ]),
        {shape, j} <- Enum.with_index(["events", "component", "kind", "packed"]) do
      more = in_turn([[], ["--lossless"]], i + j)
      there = convert(text, ["--to", shape | more])
      if shape != "packed", do: assert(String.starts_with?(there, begin <> "\n"))
      assert Program.run(["replay", "-"], there) == state
    end

    # Only the first, and alone too.
    assert convert(begin, ["--to", "component"]) == begin <> "\n"
    assert {later, note, 0} = Program.run(["convert", "-", "--to", "events"], event <> "\n" <> begin)
    assert later =~ ~r/\n{"event":"update","entity_id":"b"/

    assert note ==
             "roomfold convert: 1 line of all there is became changes, which delete nothing\n"

    assert convert("#{begin}\n#{event}", ["--to", "events", "--create"]) ==
             ~s({"event":"create","entity_id":"a","components":{"hp":1}}\n) <>
               ~s({"event":"create","entity_id":"b","components":{"hp":1}}\n) <> event <> "\n"

    for {text, message} <- [
          {~s({"as":[{"id":"a"},{"id":"a"}]}), "-:1:25: an entity is there twice (a)"},
          {~s({"as":[]} {}), "-:1:11: this byte can't stand here"}
        ] do
      assert {"", error, 1} = Program.run(["convert", "-", "--to", "events"], text)
      assert error =~ message
    end
  end

  @deep Map.new(61..65, &{&1, String.duplicate("[", &1) <> String.duplicate("]", &1)})

  # What no fold takes, whatever its rules and its schema.
  defp never do
    long = String.duplicate("x", 256)
    create = &~s({"event":"create","entity_id":"a","components":#{&1}})
    delete = &~s({"event":"delete","entity_id":#{&1}})
    kinds = &~s({"as":#{&1},"deleted":[]})

    [
      "{}",
      ~s({"seq":300}),
      ~s({"at":1,"by":"a"}),
      "[]",
      "[1]",
      "[{}]",
      "5",
      ~s("x"),
      "null",
      "true",
      "x",
      "\0",
      "\xff"
    ] ++
      ["{", ~s({"a"), delete.(~s("a")) <> " x", delete.(~s("a")) <> "}", ~s({"deleted":["a"]} {"deleted":[]})] ++
      Enum.map(["null", "5", "{}", ~s(""), ~s("#{long}"), ~s("\xff")], delete) ++
      [~s({"event":"delete"}), ~s({"event":"update","entity_id":"a"}), ~s({"event":"create","components":{}})] ++
      Enum.map(
        ["null", "[]", "5", ~s({"id":1}), ~s({"":1}), ~s({"#{long}":1}), ~s({"n":null,"id":null})],
        create
      ) ++
      Enum.map(
        ["1e999", "9223372036854775808", "[[-1e999]]", "[9223372036854775808]"],
        &create.(~s({"n":#{&1}}))
      ) ++
      Enum.map([~s({"n":1,"n":2}), ~s({"n":{"x":1,"x":2}}), ~s({"n":[{"x":1,"\\u0078":2}]})], create) ++
      Enum.map(
        ["[1,]", "01", ~s("\xff"), ~s("\\ud800"), ~s("\t"), "-", "nul", "[", @deep[63]],
        &create.(~s({"n":#{&1}}))
      ) ++
      Enum.map(["1e999", "[1,]", "01", ~s("\xff"), @deep[63], ~s({"x":1,"x":2})], &~s({"n":{"a":#{&1}}})) ++
      Enum.map(["1e999", "[1,]", "01", @deep[62], ~s({"x":1,"x":2})], &kinds.(~s([{"id":"a","n":#{&1}}]))) ++
      Enum.map(
        [~s({"a":1,"a":2}), ~s([{"a":1,"a":2}]), @deep[64]],
        &~s({"event_name":"user_joined","user_id":"u","x":#{&1}})
      ) ++
      Enum.map([~s({"a":1,"a":2}), @deep[64]], &~s({"event":"delete","entity_id":"a","x":#{&1}})) ++
      Enum.map([~s({"a":1,"a":2}), @deep[64]], &~s({"at":#{&1},"p":{}})) ++
      for(
        key <- ["event", "event_name"],
        name <- ["5", "null", ~s(""), "{}", "[]", ~s("#{long}")],
        do: ~s({"#{key}":#{name}})
      ) ++
      [~s({"event":"x"}), ~s({"event":"user_joined","user_id":"u"}), ~s({"event":"nix","seq":0})] ++
      for(
        name <- ~w(create update delete d\\u0065lete),
        do: ~s({"event_name":"#{name}","entity_id":"a","components":{}})
      ) ++
      [
        ~s({"event_name":"x","event":"create"}),
        ~s({"event_name":null,"event":null}),
        ~s({"event":null,"event_name":"x"})
      ] ++
      for seq <- ~w(0 -1 1.0 1.5 "1" 9007199254740992 9223372036854775808 1e3 1e999 [1] {} true),
          line <- [
            delete.(~s("a")),
            ~s({"event_name":"user_joined"}),
            ~s({"hp":{"a":1}}),
            kinds.(~s([{"id":"a"}])),
            ~s({"as":[]})
          ] do
        String.replace_suffix(line, "}", ~s(,"seq":#{seq}}))
      end ++
      for(value <- ["1", "null", ~s("x"), "true"], do: ~s({"a":#{value}})) ++
      [
        ~s({"a":{},"b":[]}),
        ~s({"b":[],"a":{}}),
        ~s({"a":{},"b":1}),
        ~s({"a":[],"b":1}),
        ~s({"a":{"b":1},"c":{"":1}})
      ] ++
      for(
        items <- [
          ~s([1]),
          ~s([{"x":1}]),
          ~s([{"id":7}]),
          ~s([{"id":""}]),
          ~s([{"id":"#{long}"}]),
          ~s([{"id":null}])
        ],
        do: ~s({"as":#{items}})
      ) ++
      Enum.map(
        [
          ~s([1]),
          ~s([{"x":1}]),
          ~s([{"id":7}]),
          ~s([{"id":"a"},5]),
          ~s([{"id":"a","":1}]),
          ~s([{"id":"a","#{long}":1}])
        ],
        kinds
      ) ++
      [
        ~s({"as":[{"id":"a"},{"id":"a"}]}),
        ~s({"as":[{"id":"a"}],"bs":[{"n":1,"id":"a"}]}),
        kinds.(~s([{"id":"a","id":"b"}]))
      ] ++
      for(
        key <- ["deleted", "created"],
        value <- [~s([7]), ~s([""]), ~s(["a",7]), "{}", "null", "5"],
        do: ~s({"#{key}":#{value}})
      ) ++
      [
        ~s({"p":{"":1}}),
        ~s({"p":{"#{long}":1}}),
        ~s({"id":{"a":1}}),
        ~s({"":{"a":1}}),
        ~s({"#{long}":{"a":1}})
      ] ++
      [~s({"p":{"a":1,"a":2}}), ~s({"p":{},"\\u0070":{}}), ~s({"\xff":{"a":1}}), ~s({"p":{"\xff":1}})] ++
      for key <- ~w(entities components kinds from creates updates deletes),
          value <- ["{}", "[]", ~s({"a":1}), ~s([{"id":"a"}]), "1"],
          do: ~s({"#{key}":#{value}})
  end

  # What some fold takes: fine for all, or by its rules, its schema, its limits, or what came before.
  defp sometimes do
    create = &~s({"event":"create","entity_id":"a","components":#{&1}})
    kinds = &~s({"as":#{&1},"deleted":[]})

    # The first has a seq of its own, and the last one that nothing can follow.
    # An entity that is listed twice: once after the other.
    [
      ~s({"event":"delete","entity_id":"zz","seq":3}),
      ~s({"event":"cr\\u0065ate","entity_id":"a\\u0000","components":{}}),
      ~s({"\\u0065vent":"delete","entity_id":"a"})
    ] ++
      Enum.map(
        ["1e300", @deep[62], @deep[61], ~s("#{String.duplicate("x", 70_000)}")],
        &create.(~s({"n":#{&1}}))
      ) ++
      [
        create.(~s({"position":"here","health":1})),
        create.(~s({"position":[1e99,0,0]})),
        create.(~s({"kind":"delete"}))
      ] ++
      [
        create.("{" <> Enum.map_join(1..65, ",", &~s("c#{&1}":1)) <> "}"),
        ~s({"event":"update","entity_id":"a","components":{"position":"here"}})
      ] ++
      [
        ~s({"position":{"a":"here"}}),
        kinds.(~s([{"id":"a","position":"here"}])),
        ~s({"n":{"a":#{@deep[62]}}}),
        kinds.(~s([{"id":"a","n":#{@deep[61]}}]))
      ] ++
      Enum.map(
        ["1e999", "9223372036854775808", @deep[63]],
        &~s({"event_name":"user_joined","user_id":"u","x":#{&1}})
      ) ++
      Enum.map(["1e999", @deep[63]], &~s({"event":"delete","entity_id":"a","x":#{&1}})) ++
      [
        ~s({"event":"delete","entity_id":"a","components":5}),
        ~s({"event":"delete","entity_id":"a","components":{"id":1}})
      ] ++
      [
        ~s({"event_name":"nix"}),
        ~s({"event_name":"user_joined","user_id":5}),
        ~s({"event_name":"player_hit","user_id":"a","damage":"much"})
      ] ++
      [~s({"event":"delete","entity_id":"zz","seq":null})] ++
      for(
        key <- ["at", "by"],
        value <- ["-1", ~s(""), "null", "[1]", @deep[63]],
        do: ~s({"event":"delete","entity_id":"a","#{key}":#{value}})
      ) ++
      [
        kinds.(~s([{"id":"a","n":1},{"id":"a","m":2}])),
        ~s({"bs":[{"id":"zz","n":1}],"as":[{"id":"zz","n":2,"m":3},{"id":"y"}],"created":["zz"]})
      ] ++
      [
        kinds.("[]"),
        ~s({"deleted":[]}),
        ~s({"created":[]}),
        ~s({"created":["a","a"]}),
        ~s({"deleted":["zz","zz"]}),
        ~s({"p":{}}),
        ~s({"p":{},"q":{}})
      ] ++
      [~s({"":{}}), ~s({"id":{}}), ~s({"":[{"id":"a"}],"deleted":[]}), ~s({"id":[{"id":"a"}],"deleted":[]})] ++
      [~s({"event":"delete","entity_id":"zz","seq":9007199254740991})]
  end

  @good ~s({"event":"create","entity_id":"zz","components":{}}\n)
  @shapes ["events", "component", "kind", "packed"]

  test "what no fold takes ends it, at the place and with the words of validate and replay" do
    # Each before a good one, so what is told about it stands in its own line or, if it is not finished, in the next.
    lines = never()
    text = @good <> Enum.map_join(lines, &(&1 <> "\n" <> @good))
    told = offences(text, &validate/1)
    replayed = offences(text, &replay/1)
    good = Map.new(@shapes, &{&1, convert(@good, ["--to", &1])})
    for {_, text} <- good, do: assert({~s({"zz":{}}\n), _, 0} = Program.run(["replay", "-"], text))

    for {line, i} <- Enum.with_index(lines) do
      own = 2 * i + 2
      [at | _] = for at <- [own, own + 1], told[at], do: at
      offence = "-:#{2 + at - own}:#{told[at]}"
      assert replayed[at] == told[at], line
      # Behind an unfinished line the file must not end, as that would be told. All shapes have their turn.
      behind = if at > own or rem(div(i, 4), 2) == 0, do: "\n" <> @good, else: ""
      refused(line, line <> behind, in_turn(@shapes, i), offence, good)
    end

    for {line, i} <- Enum.with_index(["{", ~s({"a"), ~s({"event":"delete","entity_id":"a)]) do
      {told, "", 1} = Program.run(["validate", "-"], @good <> line)
      [offence | _] = String.split(told, "\n")
      assert offence =~ ~r/^-:2:\d+: .*ends too early/
      assert String.starts_with?(replay(@good <> line), offence <> "\n")
      refused(line, line, in_turn(@shapes, i), offence, good)
    end
  end

  # convert ends at it, and what came before is there.
  defp refused(line, text, shape, offence, good) do
    assert {out, error, 1} = Program.run(["convert", "-", "--to", shape], @good <> text)
    assert error == "roomfold convert: #{offence}\n", "to #{shape}: #{line}"
    assert out == good[shape], "to #{shape}: #{line}"
  end

  test "control characters of a log don't reach the terminal" do
    name = ~S(a\u0000\u001b[2J\u007f\u009bé)

    for line <- [
          ~s({"event":"#{name}"}),
          ~s({"event":"create","entity_id":"a","components":{"#{name}":1e999}}),
          ~s({"#{name}":1})
        ] do
      assert {told, "", 1} = Program.run(["validate", "-"], line)
      assert [offence, _, ""] = String.split(told, "\n")
      assert offence =~ ~r/ \(a\?\?\[2J\?\?é\)$/
      assert {_, error, _} = Program.run(["replay", "-"], line)
      assert String.starts_with?(error, offence <> "\n")
      assert {"", error, 1} = Program.run(["convert", "-", "--to", "events"], line)
      assert error == "roomfold convert: #{offence}\n"
    end

    # Nor do those of rules, and of a recording's lines.
    name = ~S(a\u001b[2J\u007f\u009bé)
    rules = ~s({"format":"roomfold-rules","version":1,"events":{"#{name}":{}}})
    assert {"", error, 1} = Program.run(["replay", "/dev/null", "--rules", "-"], rules)
    assert error == "roomfold replay: -: the rules are not valid (event a?[2J??é: \"do\" is missing)\n"

    assert {_, error, 1} =
             Program.run(["hits", "--rays", "-", "--level", "priv/demo/freedm-0.12-MAP21.json.gz"], "\e[2J")

    assert [told, _, ""] = String.split(error, "\n")
    assert told =~ ~r/^roomfold hits: -:1:1: .* near .\?.$/
  end

  test "what some fold takes is converted, and means the same afterwards" do
    # Numbers and depths that a fold does not look at can't be packed.
    {unpackable, packable} =
      Enum.split_with(sometimes(), &String.contains?(&1, [@deep[63], "1e999", "9223372036854775808"]))

    same_afterwards(packable, @shapes)
    same_afterwards(unpackable, @shapes -- ["packed"])

    for line <- unpackable do
      assert {_, error, 1} = Program.run(["convert", "-", "--to", "packed"], @good <> line)
      assert error =~ ~r/^roomfold convert: -:2:\d+: (the number|lists and)/, line
    end
  end

  # Each line has entities of its own, so all of them can be told by the state at the end.
  defp same_afterwards(lines, shapes) do
    text =
      for {line, i} <- Enum.with_index(lines),
          into: "",
          do: Regex.replace(~r/"(a|y|zz)"/, @good <> line <> "\n", fn _, id -> ~s("#{id}#{i}") end)

    {state, _, 0} = Program.run(["replay", "-"], text)

    for shape <- shapes, more <- [[], ["--lossless"]] do
      assert {out, note, 0} = Program.run(["convert", "-", "--to", shape | more], text)
      assert note == "" or note =~ ~r/stayed (an event|events)$/
      assert {same, _, 0} = Program.run(["replay", "-"], out)
      assert JSON.decode!(same) === JSON.decode!(state)
      assert same == state
    end
  end

  test "--from refuses other shapes" do
    lines = %{
      "events" => ~s({"event":"delete","entity_id":"a"}),
      "component" => ~s({"n":{"a":1}}),
      "kind" => ~s({"bats":[{"id":"a"}]})
    }

    for {shape, line} <- lines, from <- ["auto" | Map.keys(lines)] do
      code = if from in ["auto", shape], do: 0, else: 1
      assert {_, error, ^code} = Program.run(["convert", "-", "--to", "kind", "--from", from], line)
      if code == 1, do: assert(error =~ "-:1:1: this line is of another shape than --from says")
    end
  end

  test "the first line that can't be read ends it, and what came before is there" do
    good = ~s({"n":{"a":1}}\n)

    for {line, place, message} <- [
          {~s({"a":1}), "1:2", "this is no event, no map of components and no map of kinds (a)"},
          {~s({"a":{},"b":[]}), "1:9", "maps and lists under the keys of one line (b)"},
          {~s({"b":[],"a":{}}), "1:9", "maps and lists under the keys of one line (a)"},
          {~s({"a":[1]}), "1:7", "an item of a kind must be an object"},
          {~s({"as":[{"x":1}]}), "1:8", "an item of a kind has no id"},
          {~s({"as":[{"id":7}]}), "1:14", "an id must be a string"},
          {~s({"as":[{"id":"a"}],"bs":[{"n":1,"id":"a"}]}), "1:38", "an entity is there twice (a)"},
          {~s({"deleted":[7]}), "1:13", "an id must be a string"},
          {~s({"deleted":[""]}), "1:13", "an id must be a string"},
          {~s({"p":{"":1}}), "1:7", "an id must be a string"},
          {~s({}), "1:1", "an event needs one name"},
          {~s({"seq":2,"at":1}), "1:1", "an event needs one name"},
          {~s({"id":{"a":1}}), "1:2", "a component's name must be 1 to 255 bytes"},
          {~s({"":{"a":1}}), "1:2", "a component's name must be 1 to 255 bytes"},
          {~s({"p":{"a":1,"a":2}}), "1:13", "same key twice"},
          {~s({"p":{},"\\u0070":{}}), "1:9", "same key twice"},
          {~s({"as":[{"id":"a","id":"b"}]}), "1:18", "same key twice"},
          {~s({"p":{"a":[1,]}}), "1:14", "can't stand here"},
          {~s({"p":{}} {}), "1:10", "can't stand here"},
          {~s(5), "1:1", "an event must be"},
          {~s([]), "1:1", "an event must be"},
          {~s([{"p":{}}]), "1:1", "an event must be"},
          {~s(nope), "1:2", "can't stand here"},
          {~s({"event":"x"}), "1:10", "no rule says"},
          {~s({"event":"delete"}), "1:1", "an id must be a string"},
          {~s({"event":"delete","entity_id":null}), "1:31", "an id must be a string"},
          {~s({"event":"create","entity_id":"a"}), "1:1", "components must be a map"},
          {~s({"event":"create","entity_id":"a","components":[]}), "1:48", "components must be a map"},
          {~s({"event":"create","entity_id":"a","components":{"id":1}}), "1:48", "a component's name"},
          {~s({"event":"create","event_name":"x"}), "1:32", "an event needs one name"},
          {~s({"event_name":7}), "1:15", "an event needs one name"},
          {~s({"a":#{String.duplicate("[", 66)}#{String.duplicate("]", 66)}}), "1:69", "nested too deeply"},
          {~s({"a":{"b":1e999}}), "1:11", "out of range (a)"},
          {~s({"a":{"b":"\xff"}}), "1:12", "not valid UTF-8"},
          {~s({"a":{"b":1), "2:1", "ends too early"}
        ] do
      [row, column] = String.split(place, ":")
      assert {out, error, 1} = Program.run(["convert", "-", "--to", "events"], good <> line <> "\n")
      assert out == ~s({"event":"update","entity_id":"a","components":{"n":1}}\n)
      assert error =~ "roomfold convert: -:#{String.to_integer(row) + 1}:#{column}: "
      assert error =~ message
    end

    none = ~s({"deleted":[]})

    for text <- ["[{}]", "[#{none} #{none}]", "[#{none}", "[#{none},", "[#{none}]x", "[#{none},]"] do
      assert {_, error, 1} = Program.run(["convert", "-", "--to", "kind"], text)
      assert error =~ ~r/-:1:\d+: /
    end
  end
end
