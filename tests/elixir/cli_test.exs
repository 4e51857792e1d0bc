defmodule Roomfold.CliTest do
  @moduledoc "What all commands of the program have in common: usage, help, kinds of files, pipes, memory."
  use ExUnit.Case, async: true

  alias Roomfold.Test.Program

  @moduletag skip: Program.missing()
  @moduletag :tmp_dir

  @match Path.expand("../../priv/demo/freedm-0.12-demo1-MAP21.events.jsonl.gz", __DIR__)
  @level Path.expand("../../priv/demo/freedm-0.12-MAP21.json.gz", __DIR__)
  @commands ~w(replay inspect validate convert hits)
  @readers [["replay"], ["inspect"], ["validate"], ["convert", "--to", "events"]]

  defp event(n), do: ~s({"event":"create","entity_id":"e#{n}","components":{"health":#{n}}})

  # As many events as wanted, of 100 entities, on standard output.
  defp stream(count) do
    ~S"""
    awk 'BEGIN { for (i = 1; i <= COUNT; i++) printf "{\"event\":\"%s\",\"entity_id\":\"e%d\",\"components\":{\"position\":[%d,1.5,2]},\"seq\":%d,\"at\":%d}\n", (i <= 100 ? "create" : "update"), i % 100, i, i, i * 10 }'
    """
    |> String.replace("COUNT", to_string(count))
    |> String.trim()
  end

  describe "usage" do
    test "help lists the commands, and each has its own" do
      for arguments <- [["--help"], ["-h"], ["help"]] do
        assert {text, "", 0} = Program.run(arguments)
        for command <- @commands, do: assert(text =~ ~r/^  #{command} /m)
      end

      for command <- @commands, arguments <- [[command, "--help"], ["help", command], [command, "x", "-h"]] do
        assert {"usage: roomfold " <> text, "", 0} = Program.run(arguments)
        assert text =~ command
        assert Enum.all?(String.split(text, "\n"), &(String.length(&1) <= 120))
      end
    end

    test "the manual names every option that the help texts name" do
      manual = "../../docs/roomfold.1" |> Path.expand(__DIR__) |> File.read!() |> String.replace("\\-", "-")

      for command <- @commands do
        {help, _, 0} = Program.run([command, "--help"])
        options = Regex.scan(~r/--[a-z]+/, help) |> List.flatten() |> Enum.uniq()
        assert options != []
        for option <- options, do: assert(manual =~ option, "#{option} of #{command}")
        assert manual =~ ".B #{command}\n"
      end
    end

    test "the version is the package's" do
      assert Program.run(["--version"]) == {"#{Mix.Project.config()[:version]}\n", "", 0}
    end

    test "wrong usage is exit code 2 and says what is wrong" do
      for {arguments, message} <- [
            {[], "a command is missing"},
            {["play"], "there is no command play"},
            {["help", "play"], "there is no command play"},
            {["replay"], "a file is missing"},
            {["inspect"], "a file is missing"},
            {["validate"], "a file is missing"},
            {["convert", "--to", "kind"], "a file is missing"},
            {["convert", "-"], "--to is needed"},
            {["convert", "-", "--to", "zip"],
             "--to zip: there is no such choice; it takes events, component, kind or packed\n"},
            {["replay", "a", "b"], "b: one file at a time"},
            {["replay", "-", "--colour"], "there is no option --colour"},
            {["replay", "-", "--until"], "--until needs a value"},
            {["replay", "-", "--until", "-1"], "--until -1: a whole number is needed"},
            {["replay", "-", "--until", "9999999999999999999999"],
             "--until 9999999999999999999999: a seq is at most 9007199254740991\n"},
            {["replay", "-", "--until", "9007199254740992"], "a seq is at most 9007199254740991\n"},
            {["replay", "-", "--until="], "a whole number is needed"},
            {["replay", "-", "--by", "kinds"],
             "--by kinds: there is no such choice; it takes entity, component or kind\n"},
            {["replay", "-", "--strict=yes"], "--strict takes no value"},
            {["hits", "--level", "x"], "--level and one of --rays and --projectiles are needed"},
            {["hits", "--level=x", "--rays=y", "--projectiles", "z"],
             "--level and one of --rays and --projectiles are needed"},
            {["hits", "x"], "x: files are named by --rays, --projectiles and --level"},
            {["hits", "--rays"], "--rays needs a value"},
            {["hits", "--colour", "x"], "there is no option --colour"}
          ] do
        assert {"", error, 2} = Program.run(arguments)
        assert error =~ message
        assert length(String.split(error, "\n", trim: true)) == 1
      end
    end

    test "an option that takes a value takes one" do
      for {command, options} <- [
            {"replay", ~w(--rules=doom --schema=x --room=x --until=1 --by=kind --errors=1)},
            {"inspect", ~w(--rules=doom --schema=x --room=x)},
            {"validate", ~w(--rules=doom --schema=x --room=x --first=1)},
            {"convert", ~w(--to=kind --from=events --schema=x --room=x)},
            {"hits", ~w(--rays=x --projectiles=x --level=x)}
          ],
          option <- options do
        [name, value] = String.split(option, "=")

        for again <- [[option], [name, value]] do
          assert Program.run([command, option | again]) ==
                   {"", "roomfold #{command}: #{name} #{value}: it has a value already\n", 2}
        end
      end

      assert {_, _, 0} = Program.run(["replay", "-", "--quiet", "--quiet"], event(1))
    end

    test "options may have their value behind =, and files may look like options", %{tmp_dir: folder} do
      File.write!(Path.join(folder, "--by"), event(1))
      script = ~s(cd "$1" && "$ROOMFOLD" replay --quiet --by=kind -- --by)

      assert Program.shell(script, "", [folder]) ==
               {~s({"others":[{"id":"e1","health":1}]}\n), "", 0}
    end
  end

  describe "rules and schemas" do
    test "doom and xr are built in, none means entity events only", %{tmp_dir: folder} do
      joined = ~s({"event_name":"user_joined","user_id":"u","position":[1,2,3]})
      hit = ~s({"event_name":"player_hit","user_id":"u","health":3,"damage":4})
      both = joined <> "\n" <> hit
      position = ~s("position":[1.0,2.0,3.0])

      for rules <- [[], ["--rules", "doom"]] do
        assert {out, _, 0} = Program.run(["replay", "-" | rules], both)
        assert out == ~s({"u":{#{position},"health":3,"damage_taken":4}}\n)
      end

      assert {out, error, 0} = Program.run(["replay", "-", "--rules", "xr"], both)
      assert out == ~s({"u":{#{position}}}\n)
      assert error =~ "-:2:15: no rule says what this event does (player_hit)"
      assert {"{}\n", error, 1} = Program.run(["replay", "-", "--rules", "none"], both)
      assert error =~ "nothing in it could be used"

      own = Path.join(folder, "own.json")

      File.write!(
        own,
        ~s({"format":"roomfold-rules","version":1,"events":{"lit":{"do":[{"op":"update","entity":"id","set":{"lit":{"value":true}}}]}}})
      )

      assert {~s({"e1":{"health":1,"lit":true}}\n), _, 0} =
               Program.run(
                 ["replay", "-", "--rules", own],
                 (event(1) <> ~s({"event_name":"lit","id":"e1"}))
                 |> String.replace("}{", "}\n{")
               )
    end

    test "the built-in tables are those of priv/rules" do
      for name <- ~w(doom xr) do
        file = Path.expand("../../priv/rules/#{name}.json", __DIR__)

        assert Program.run(["replay", @match, "--rules", name]) ==
                 Program.run(["replay", @match, "--rules", file])
      end
    end

    test "a schema of one's own", %{tmp_dir: folder} do
      schema = Path.join(folder, "schema.json")

      File.write!(
        schema,
        ~s({"format":"roomfold-schema","version":1,"components":[{"name":"health","type":"f32"},{"name":"at","type":"f64","count":2}]})
      )

      text =
        ~s({"event":"create","entity_id":"a","components":{"health":0.1,"at":[0.1,1e21],"position":[1,2]}})

      assert {~s({"a":{"health":0.10000000149011612,"at":[0.1,1e+21],"position":[1,2]}}\n), _, 0} =
               Program.run(["replay", "-", "--schema", schema], text)
    end

    test "errors say where", %{tmp_dir: folder} do
      bad = Path.join(folder, "bad.json")

      for {text, option, message} <- [
            {"{\n  \"format\": nope}", "--rules", "bad.json:2:14: this byte can't stand here in JSON"},
            {"{}", "--rules", ~s|bad.json: the rules are not valid (they need "format": "roomfold-rules",|},
            {~s({"format":"roomfold-rules","version":1,"events":{"lit":{"do":[{"op":"paint"}]}}}), "--rules",
             "bad.json: the rules are not valid (event lit: there is no such operation: paint)"},
            {"{}", "--schema", "bad.json: the schema is not valid"},
            {"", "--schema", "bad.json:1:1: the JSON text ends too early"}
          ] do
        File.write!(bad, text)

        for command <- ~w(replay inspect validate) do
          assert {"", error, 1} = Program.run([command, "-", option, bad], "{}")
          assert error =~ message
        end
      end

      for command <- ~w(replay inspect validate) do
        assert {"", error, 1} = Program.run([command, "-", "--rules", "doomed"])

        assert error ==
                 "roomfold #{command}: --rules doomed: there is no such file, and none of the rules built in is called so: doom, xr, none\n"

        # A file that is there, and can't be read.
        assert {"", error, 1} = Program.run([command, "-", "--rules", folder])
        assert error == "roomfold #{command}: #{folder}: Is a directory\n"
      end
    end
  end

  describe "what is read" do
    test "a log that is not there, a folder, a database" do
      for command <- @readers do
        assert {"", error, 1} = Program.run(command ++ ["/not/there.jsonl"])
        assert error =~ "/not/there.jsonl: No such file or directory"
        assert {"", error, 1} = Program.run(command ++ [System.tmp_dir!()])
        assert error == "roomfold #{hd(command)}: #{System.tmp_dir!()}: Is a directory\n"
        assert {"", error, 1} = Program.run(command ++ ["-"], "SQLite format 3\0" <> :binary.copy(<<0>>, 84))
        assert error =~ "a database can't be read from a pipe"
      end
    end

    test "line ends, empty lines, a missing last one, a byte order mark: all the same" do
      lines = Enum.map(1..3, &event/1)
      plain = Enum.join(lines, "\n") <> "\n"
      {expected, report, 0} = Program.run(["replay", "-"], plain)
      assert expected =~ ~s("e3":{"health":3})

      for text <- [
            Enum.join(lines, "\n"),
            Enum.join(lines, "\r\n") <> "\r\n",
            "\uFEFF" <> plain,
            "\uFEFF\r\n\n  \n" <> Enum.join(lines, "\n\n\r\n"),
            "[" <> Enum.join(lines, ",\n") <> "]",
            "\uFEFF [ " <> Enum.join(lines, ",") <> " ] \r\n",
            String.replace(plain, ",", ",\n  ")
          ] do
        assert Program.run(["replay", "-"], text) == {expected, report, 0}
        assert Program.run(["replay", "-"], :zlib.gzip(text)) == {expected, report, 0}
        assert {"-: 3 events, 0 offences\n", "", 0} = Program.run(["validate", "-"], text)
        assert {events, "", 0} = Program.run(["convert", "-", "--to", "events"], text)
        assert events == plain
      end

      assert Program.run(
               ["replay", "-"],
               :zlib.gzip(hd(lines) <> "\n") <> :zlib.gzip(Enum.join(tl(lines), "\n"))
             ) ==
               {expected, report, 0}
    end

    test "nothing" do
      for text <- ["", "\n\r\n  ", "\uFEFF", "[]", " [ ]\n", :zlib.gzip("")] do
        assert {"{}\n", "seq 0, folded 0," <> _, 0} = Program.run(["replay", "-"], text)
        assert {"-: 0 events, 0 offences\n", "", 0} = Program.run(["validate", "-"], text)
        assert {"", "", 0} = Program.run(["convert", "-", "--to", "kind"], text)
        assert {table, "", 0} = Program.run(["inspect", "-"], text)
        assert table =~ ~r/events +0\n/
      end
    end

    test "a .gz that is cut off or damaged: what could be read is used, and that is told" do
      whole = File.read!(@match)
      cut = binary_part(whole, 0, 400_000)
      assert {state, error, 1} = Program.run(["replay", "-"], cut)
      assert [_, events] = Regex.run(~r/the end of the \.gz is missing; .*: (\d+) events/, error)
      assert error =~ "folded #{events}, "
      assert String.to_integer(events) > 20_000

      assert {^state, _, 0} = Program.run(["replay", @match, "--until", events])
      assert {told, _, 1} = Program.run(["validate", "-"], cut)
      assert told == "-: #{events} events, 0 offences\n"
      assert {table, _, 1} = Program.run(["inspect", "-", "--json"], cut)
      assert Roomfold.JSON.decode!(table)["events"] == String.to_integer(events)
      assert {lines, error, 1} = Program.run(["convert", "-", "--to", "events"], cut)
      assert error =~ "what came before was converted: #{events} lines"
      assert length(String.split(lines, "\n", trim: true)) == String.to_integer(events)

      <<start::binary-size(300_000), _, rest::binary>> = whole
      damaged = start <> <<0>> <> rest
      assert {_, error, 1} = Program.run(["replay", "-"], damaged)
      assert error =~ "the .gz is damaged here"
    end

    test "what starts as a .gz is one to its end: what stands behind it is told, zero bytes may" do
      good = :zlib.gzip(event(1) <> "\n" <> event(2) <> "\n")
      <<first, rest::binary>> = :zlib.gzip(event(3))

      for {behind, at} <- [
            {"\n", 0},
            {"\x1f", 0},
            {<<Bitwise.bxor(first, 1), rest::binary>>, 0},
            {:binary.copy(<<0>>, 100_000) <> "x", 100_000},
            {<<0, first, rest::binary>>, 1}
          ],
          command <- @readers do
        assert {out, error, 1} = Program.run(command ++ ["-"], good <> behind)
        place = byte_size(good) + at

        assert error =~
                 "-: behind the .gz, at byte #{place} of the file, stands something else; what came before"

        assert {^out, _, 0} = Program.run(command ++ ["-"], good)
      end

      for behind <- [:binary.copy(<<0>>, 200_000), <<0>>, :zlib.gzip(""), :zlib.gzip("") <> <<0, 0>>],
          command <- @readers do
        assert Program.run(command ++ ["-"], good <> behind) == Program.run(command ++ ["-"], good)
      end

      # The second member is cut off, or damaged.
      assert {_, error, 1} = Program.run(["replay", "-"], good <> <<first>> <> binary_part(rest, 0, 20))
      assert error =~ "the end of the .gz is missing; what came before was used: 2 events"

      assert {_, error, 1} =
               Program.run(["replay", "-"], good <> <<first, 0x8B, 7>> <> binary_part(rest, 2, 20))

      assert error =~ "the .gz is damaged here; what came before was used: 2 events"
    end

    test "the same text gives what a fold of it gives, wherever it is cut into pieces" do
      # A megabyte, so that the program reads it in several pieces: values over several lines, bad lines, CR LF.
      :rand.seed(:exsss, {1, 2, 3})

      odd = [
        "nonsense",
        "[1,2]",
        "{",
        ~s({"event":"create","entity_id":"x","components":{"a":1}),
        "",
        " \t ",
        ~s({"event":"update","entity_id":"e1","components":{"health":"many"}}),
        ~s({"event":"update",\n\n"entity_id":"e2",\r\n"components":\n{"note":{"a":[1,\n{"b":2}]}}}),
        ~s({"event":"delete","entity_id":"e3"}),
        ~s({"event":"update","entity_id":"nobody","components":{"health":1}}),
        ~s({"event_name":"nix"}),
        ~s({"event":"create","entity_id":"long","components":{"text":"#{String.duplicate("é}\\n{", 3000)}"}})
      ]

      text =
        for _ <- 1..20_000, into: "" do
          line = if :rand.uniform(10) == 1, do: Enum.random(odd), else: event(:rand.uniform(50))
          line <> Enum.random(["\n", "\n", "\r\n", "\n\n"])
        end

      assert byte_size(text) > 1_000_000
      world = Roomfold.World.new!(impl: :native, rules: Roomfold.Rules.doom())
      {:ok, world, report} = Roomfold.World.fold(world, {:json, text})
      assert report.rejected_count > 500 and report.orphaned > 100
      assert {state, told, 0} = Program.run(["replay", "-"], text)
      assert Roomfold.JSON.decode!(state) === Roomfold.World.snapshot(world)

      assert told =~
               "seq #{Roomfold.World.seq(world)}, folded #{report.folded}, orphaned #{report.orphaned}, " <>
                 "stale 0, gaps 0, rejected #{report.rejected_count}\n"
    end

    test "lines and columns count from 1, a byte order mark does not" do
      text = "\uFEFF\n\n" <> String.duplicate(event(1) <> "\n", 30_000) <> "  {\"event\" 1}\n" <> "x"
      assert {"-:30003:12: this byte" <> rest, "", 1} = Program.run(["validate", "-"], text)
      assert rest =~ "-:30004:1: this byte"
      assert {_, "-:30003:12: " <> _, 0} = Program.run(["replay", "-"], text)
      assert {_, error, 1} = Program.run(["convert", "-", "--to", "kind"], text)
      assert error =~ "-:30003:12: this byte"
      assert {"-:1:2: this" <> _, "", 1} = Program.run(["validate", "-"], "\uFEFF{1")
    end

    test "line numbers beyond 2^31" do
      if System.get_env("ROOMFOLD_LONG") do
        script = ~s[{ yes "" | head -c 2200000000; echo x; } 2>/dev/null | "$ROOMFOLD" validate -]
        assert {"-:2200000001:1: this byte" <> _, "", 1} = Program.shell(script)
      else
        IO.puts("left out: line numbers beyond 2^31 (2 GB: set ROOMFOLD_LONG)")
      end
    end
  end

  describe "pipes" do
    test "who has read enough ends it without a word" do
      for command <- [
            "replay --quiet",
            "convert --to kind",
            "inspect --json",
            "validate --rules none --first 1000"
          ] do
        # The reader is gone before the first line is read.
        script = ~s[exec 3>&1; { { "$ROOMFOLD" #{command} "$1"; echo "code $?" >&3; } | exec true; }]

        for _ <- 1..3 do
          assert {code, error, 0} = Program.shell(~s(#{script}), "", [@match])
          # Short output may have been written before the reader went.
          assert code in ["code 1\n", "code 0\n"]
          refute error =~ "pipe"
        end
      end

      script =
        ~s[{ gzip -dc "$1"; gzip -dc "$1"; } 2>/dev/null | { "$ROOMFOLD" convert --to kind -; echo "code $?" >&2; } | head -n 1]

      assert {line, error, 0} = Program.shell(script, "", [@match])
      assert line == ~s({"doors":[{"id":"sector-68","kind":"door"}],"deleted":[],"created":["sector-68"]}\n)
      assert error =~ "code 1\n"
      refute error =~ "ipe"
    end

    test "a full disk and a closed output are errors" do
      if File.exists?("/dev/full") do
        for command <- ["replay --quiet", "convert --to kind", "inspect", "validate"] do
          assert {"", error, 1} = Program.shell(~s("$ROOMFOLD" #{command} "$1" >/dev/full), "", [@match])
          assert error =~ "standard output: No space left on device"
          assert {"", error, 1} = Program.shell(~s("$ROOMFOLD" #{command} "$1" >&-), "", [@match])
          assert error =~ "standard output: Bad file descriptor"
        end

        for command <- ["--help", "replay --help", "help", "--version", "hits --rays - --level #{@level}"] do
          assert {"", error, 1} = Program.shell(~s("$ROOMFOLD" #{command} >/dev/full))
          assert error =~ "standard output: No space left on device"
        end
      else
        IO.puts("left out: a full disk (there is no /dev/full)")
      end
    end

    test "with its outputs closed it writes to no file that it reads" do
      event = ~s({"event":"create","entity_id":"a","components":{"n":1}}\n)
      path = Path.join(System.tmp_dir!(), "roomfold-closed-#{System.pid()}.jsonl")
      on_exit(fn -> File.rm(path) end)

      for command <- ["replay -", "validate -", "inspect -", "convert - --to component"] do
        File.write!(path, event)
        assert {"", error, 1} = Program.shell(~s("$ROOMFOLD" #{command} <>"$1" >&-), "", [path])
        assert error =~ "standard output: Bad file descriptor"
        assert {_, "", _} = Program.shell(~s("$ROOMFOLD" #{command} <>"$1" 2>&-), "", [path])
        assert File.read!(path) == event
      end
    end

    test "a file that is as large as files may be is an error" do
      script = ~s(ulimit -f 1; "$ROOMFOLD" convert "$1" --to events >"$2"; code=$?; exit $code)

      file =
        Path.join(System.tmp_dir!(), "roomfold-#{System.pid()}-#{System.unique_integer([:positive])}.jsonl")

      try do
        assert {"", error, 1} = Program.shell(script, "", [@match, file])
        assert error == "roomfold convert: standard output: File too large\n"
      after
        File.rm(file)
      end
    end

    test "standard input is only one file" do
      for command <- [
            ~w(replay - --rules -),
            ~w(inspect - --schema -),
            ~w(validate /not/there --rules - --schema -),
            ~w(convert - --to kind --schema -)
          ] do
        assert {"", error, 2} = Program.run(command, event(1))

        assert error ==
                 "roomfold #{hd(command)}: standard input (-) can be only one of the log, the rules and the schema\n"
      end

      assert {"", error, 2} = Program.run(~w(hits --rays - --level -))
      assert error =~ "standard input (-) can be only one of the recording and the level"
    end

    test "a file of which nothing is an event is a failure, but not for inspect if there is one" do
      utf16 = :unicode.characters_to_binary(event(1) <> "\n", :utf8, {:utf16, :little})

      for text <- ["x", "1\n2\n", "[1]", "{}", utf16] do
        for command <- [~w(replay), ~w(inspect)] do
          assert {_, error, 1} = Program.run(command ++ ["-"], text)
          assert error =~ "roomfold #{hd(command)}: -: nothing in it could be used\n"
        end

        for command <- [~w(validate), ~w(convert --to events)],
            do: assert({_, _, 1} = Program.run(command ++ ["-"], text))
      end

      assert {_, "", 0} = Program.run(~w(inspect -), ~s(x\n{"event_name":"nix"}))
    end

    test "as many rejected events are told as are wanted, at most 1,000, and how many more there are" do
      text = String.duplicate("x\n", 1500) <> event(1)

      for {errors, told} <- [{"0", 0}, {"3", 3}, {"1000", 1000}, {"1400", 1000}, {"2000", 1000}] do
        assert {_, error, 0} = Program.run(["replay", "-", "--errors", errors], text)
        lines = String.split(error, "\n", trim: true)
        assert Enum.count(lines, &(&1 =~ "can't stand here")) == told
        assert "... and #{1500 - told} more" in lines
      end
    end

    test "commands in a row" do
      script = ~s[gzip -dc "$1" | "$ROOMFOLD" convert --to component --lossless - 2>/dev/null |
        "$ROOMFOLD" convert --to events - | gzip | "$ROOMFOLD" replay -]
      assert Program.shell(script, "", [@match]) == Program.run(["replay", @match])
    end

    test "progress shows on a terminal only" do
      # The second half comes after more than a look at the clock's interval.
      input = ~s[{ #{stream(20_000)}; sleep 0.5; #{stream(20_000)}; }]

      if System.find_executable("script") && match?({:unix, :linux}, :os.type()) do
        inner = ~s["$ROOMFOLD" replay --quiet "$PIPE" >/dev/null]

        script =
          ~s[PIPE=$0/pipe; export PIPE; mkfifo "$PIPE"; #{input} >"$PIPE" & script -qec '#{inner}' /dev/null; wait]

        assert {shown, _, 0} = Program.shell(script)
        assert shown =~ ~r/\r\d+ events\e\[K.*\r\e\[K/s
      else
        IO.puts("left out: progress on a terminal (there is no script(1) of Linux)")
      end

      assert {_, error, 0} = Program.shell(~s[#{input} | "$ROOMFOLD" replay -])
      refute error =~ "\r"
    end
  end

  describe "memory" do
    @tag skip: Program.missing() || (Program.instrumented?() && "a sanitizer needs more memory")
    test "does not grow with the log" do
      if match?({:unix, :linux}, :os.type()) do
        # 100 MB of events in 16 MB of address space, program and libraries included.
        run = fn command, count ->
          Program.shell(~s[#{stream(count)} | { ulimit -v 16000; exec "$ROOMFOLD" #{command}; } | wc -l])
        end

        assert {"1\n", "seq 1000000, folded 1000000," <> _, 0} = squeeze(run.("replay -", 1_000_000))
        assert {"1\n", "seq 200000, " <> _, 0} = squeeze(run.("replay - --until 200000", 1_000_000))
        assert {"1\n", "", 0} = squeeze(run.("validate -", 300_000))
        assert {"1\n", "", 0} = squeeze(run.("inspect - --json", 300_000))
        assert {"300000\n", "", 0} = squeeze(run.("convert - --to component", 300_000))
      else
        IO.puts("left out: flat memory (ulimit -v is Linux's)")
      end
    end

    @tag skip: Program.missing() || (Program.instrumented?() && "a sanitizer needs more memory")
    test "that is not enough: what was folded is printed, and that it failed is said" do
      if match?({:unix, :linux}, :os.type()) do
        creates =
          ~S[awk 'BEGIN { for (i = 1; i <= 200000; i++) printf "{\"event\":\"create\",\"entity_id\":\"e%d\",\"components\":{\"kind\":\"k%d\"},\"by\":\"u%d\"}\n", i, i, i }']

        squeezed = fn command ->
          Program.shell(~s[#{creates} 2>/dev/null | { ulimit -v 12000; exec "$ROOMFOLD" #{command}; }])
        end

        assert {state, error, 1} = squeezed.("replay -")
        assert error =~ "roomfold replay: -: there is not enough memory"
        assert [_, folded] = Regex.run(~r/ folded (\d+),/, error)
        assert map_size(Roomfold.JSON.decode!(state)) == String.to_integer(folded)
        assert {_, error, 1} = squeezed.("replay - --by component")
        assert error =~ "roomfold replay: there is not enough memory"
        assert {_, error, 1} = squeezed.("inspect -")
        assert error =~ "there is not enough memory"
        assert {"-: " <> _, error, 1} = squeezed.("validate -")
        assert error =~ "there is not enough memory"
      else
        IO.puts("left out: too little memory (ulimit -v is Linux's)")
      end
    end

    defp squeeze({out, error, code}), do: {String.replace(out, " ", ""), error, code}
  end
end
