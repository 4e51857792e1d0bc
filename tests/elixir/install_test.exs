defmodule Roomfold.InstallTest do
  @moduledoc "What a C user does: make install, compile against what is there, run; make uninstall."
  use ExUnit.Case, async: true

  alias Roomfold.Test.Program

  @moduletag :tmp_dir
  @example Path.expand("../../docs/examples/fold.c", __DIR__)

  @events """
  {"event":"create","entity_id":"ann","components":{"health":70}}
  {"event_name":"player_healed","user_id":"ann","amount":50}
  {"event_name":"unheard_of"}
  {"event":"update","entity_id":"ann","components":{"position":[1,2,3.1]}}
  """

  @printed """
  folded 3, orphaned 0, rejected 1
  event 2: no rule says what this event does
  ann has 100
  {"from":3,"seq":4,"creates":{},"updates":{"ann":{"position":[1,2,3.1]}},"deletes":[]}
  """

  @log_source """
  #include <roomfold/log.h>
  #include <stdio.h>
  #include <string.h>

  int main(int argc, char **argv) {
      rf_log *log;
      rf_log_error error;
      rf_str room = {argv[argc - 1], strlen(argv[argc - 1])}, records;
      uint64_t seq = 1, next = 0;
      if (rf_log_open(argv[1], 1000, &log, &error) != RF_OK) {
          printf("%s: %s\\n", rf_status_name(error.status), rf_status_message(error.status));
          return 2;
      }
      while (next != seq) {
          seq = next > 0 ? next : 1;
          if (rf_log_read(log, room, seq, 100, &records, &next, &error) != RF_OK) break;
          fwrite(records.data, 1, records.len, stdout);
      }
      rf_log_close(log);
      if (next == seq) return 0;
      puts(error.detail[0] ? error.detail : rf_status_message(error.status));
      return 1;
  }
  """

  cond do
    Program.missing() -> @moduletag skip: Program.missing()
    Program.instrumented?() -> @moduletag skip: "a sanitizer's library needs its flags"
    true -> :ok
  end

  defp sh(script, arguments) do
    System.cmd("sh", ["-ec", script, "sh" | arguments], stderr_to_stdout: true)
  end

  defp files(folder), do: folder |> Path.join("**") |> Path.wildcard() |> Enum.reject(&File.dir?/1)

  test "install, the example shared and static, the program, uninstall", %{tmp_dir: folder} do
    dest = Path.join(folder, "dest")
    place = ["DESTDIR=#{dest}", "PREFIX=/opt/roomfold", "CONFIG=release"]
    assert Program.make(["install" | place], into: "") == 0

    pkg_config =
      "PKG_CONFIG_PATH=\"$1/opt/roomfold/lib/pkgconfig\" PKG_CONFIG_SYSROOT_DIR=\"$1\" pkg-config roomfold"

    assert {version, 0} = sh("#{pkg_config} --modversion", [dest])
    assert String.trim(version) == Mix.Project.config()[:version]

    warnings = "-std=c17 -Wall -Wextra -Wconversion -Werror"
    compile = "${CC:-cc} #{warnings} \"$2\" -o \"$3\""
    shared = Path.join(folder, "shared")
    assert sh("#{compile} $(#{pkg_config} --cflags --libs)", [dest, @example, shared]) == {"", 0}
    run = ~s(printf '%s' "$2" | "$1")

    assert sh(loading(dest) <> run, [shared, @events]) == {@printed, 0}

    # Ours alone from the archive; and all of it, as docs/c-api.md says, where the system has an archive of its libc.
    ours = Path.join(folder, "ours")
    archive = ~s("$1/opt/roomfold/lib/libroomfold.a" -lm)
    assert sh("#{compile} $(#{pkg_config} --cflags) #{archive}", [dest, @example, ours]) == {"", 0}
    assert sh(run, [ours, @events]) == {@printed, 0}

    assert {flags, 0} = sh("#{pkg_config} --static --libs", [dest])
    assert "-lroomfold -lm" == flags |> String.split() |> Enum.drop(1) |> Enum.join(" ")

    if static_libc?(folder) do
      static = Path.join(folder, "static")
      link = "#{compile} -static $(#{pkg_config} --static --cflags --libs)"
      assert sh(link, [dest, @example, static]) == {"", 0}
      assert sh(run, [static, @events]) == {@printed, 0}
      # It needs no library to be there: no loader is asked for.
      refute File.read!(static) =~ "libroomfold.so"
    else
      IO.puts("left out: the example linked with -static (there is no static libc)")
    end

    read_log(dest, folder, compile)

    program = Path.join(dest, "opt/roomfold/bin/roomfold")

    assert {~s({"ann":{"health":70}}\n) <> _, 0} =
             sh(~s(printf '%s' '#{@events |> String.split("\n") |> hd()}' | "$1" replay - --quiet), [program])

    manual = File.read!(Path.join(dest, "opt/roomfold/share/man/man1/roomfold.1"))
    assert manual =~ "roomfold #{Mix.Project.config()[:version]}"
    refute manual =~ "@"

    assert Enum.map(files(dest), &File.stat!(&1).mode)
           |> Enum.map(&rem(&1, 0o1000))
           |> Enum.uniq()
           |> Enum.sort() ==
             [0o644, 0o755]

    assert Program.make(["uninstall" | place], into: "") == 0
    assert files(dest) == []
  end

  defp static_libc?(folder) do
    source = Path.join(folder, "empty.c")
    File.write!(source, "int main(void) { return 0; }\n")
    match?({_, 0}, sh("${CC:-cc} -static \"$1\" -o \"$1.out\" -lm 2>/dev/null", [source]))
  end

  # The file that was just built is found by the name in it, and by nothing that is installed elsewhere.
  defp loading(dest) do
    libraries = Path.join(dest, "opt/roomfold/lib")

    "DYLD_LIBRARY_PATH='#{libraries}' LD_LIBRARY_PATH='#{libraries}'; export DYLD_LIBRARY_PATH LD_LIBRARY_PATH; "
  end

  # A library of its own, where SQLite is there.
  defp read_log(dest, folder, compile) do
    if File.exists?(Path.join(dest, "opt/roomfold/lib/libroomfold_log.a")) do
      source = Path.join(folder, "log.c")
      path = Path.join(folder, "rooms.db")
      File.write!(source, @log_source)
      {:ok, log} = Roomfold.EventLog.SQLite.start_link(path: path)
      log = {Roomfold.EventLog.SQLite, log}
      {:ok, %{term: term}} = Roomfold.EventLog.claim(log, "lobby")
      records = for seq <- 1..5, do: ~s({"event":"create","entity_id":"e","components":{},"seq":#{seq}})
      :ok = Roomfold.EventLog.append(log, "lobby", term, 0, records)

      pkg_config =
        "PKG_CONFIG_PATH=\"$1/opt/roomfold/lib/pkgconfig:$PKG_CONFIG_PATH\" pkg-config --cflags --libs roomfold_log"

      # rf_status_message, and all else that isn't about logs, is in the library of the core, which comes along.
      flags = ~s[$(#{pkg_config} | sed "s|/opt/roomfold|$1/opt/roomfold|g")]
      reader = Path.join(folder, "reader")
      assert sh("#{compile} #{flags}", [dest, source, reader]) == {"", 0}
      read = fn path, room -> sh(loading(dest) <> ~s("$1" "$2" "$3" || exit $?), [reader, path, room]) end
      assert read.(path, "lobby") == {Enum.map_join(records, &(&1 <> "\n")), 0}
      assert read.(path, "attic") == {"there is no such room\n", 1}
      assert {"log_format: the file is not a log" <> _, 2} = read.(source, "lobby")
    else
      IO.puts("left out: libroomfold_log (SQLite was not there)")
    end
  end

  test "the page of the C API names every header" do
    page = File.read!(Path.expand("../../docs/c-api.md", __DIR__))
    headers = Path.wildcard(Path.expand("../../c_src/include/roomfold/*.h", __DIR__))
    assert length(headers) > 10
    for header <- headers, do: assert(page =~ Path.basename(header), "docs/c-api.md does not name #{header}")
  end
end
