# A log folded from the command line: priv/roomfold replay, against Python (json, and orjson if it is there) and jq, each
# with the fold of the same match written by hand (bench/peers/replay.py, replay.jq).
#
#     make bench            or      mix run bench/replay.exs [MATCH.events.jsonl.gz]
#
# All read the same JSON Lines from standard input, as plain text, and print the state; the time is that of the whole
# process. The states must be equal (jq: but for rounding to binary32).
Code.require_file("support.exs", __DIR__)

defmodule ReplayBench do
  @program Path.expand("../priv/roomfold", __DIR__)
  @peers Path.expand("peers", __DIR__)
  @shipped Path.expand("../priv/demo/freedm-0.12-demo1-MAP21.events.jsonl.gz", __DIR__)

  def main(arguments) do
    if File.exists?(@program) do
      compare(List.first(arguments) || @shipped)
      large()
    else
      IO.puts("left out: priv/roomfold (make program; it needs jansson and zlib)")
    end
  end

  defp contenders do
    python = fn module -> ["python3", Path.join(@peers, "replay.py"), module] end

    [
      {"roomfold replay", [@program, "replay", "-"]},
      {"python3, json", python.("json"), fn -> tool?("python3") end},
      {"python3, orjson", python.("orjson"), fn -> tool?("python3") and python_has?("orjson") end},
      {"jq", ["jq", "-n", "-c", "-f", Path.join(@peers, "replay.jq")], fn -> tool?("jq") end}
    ]
    |> Enum.flat_map(fn
      {name, command} -> [{name, command}]
      {name, command, there?} -> if there?.(), do: [{name, command}], else: left_out(name)
    end)
  end

  defp left_out(name) do
    IO.puts("left out: #{name} (it is not installed)")
    []
  end

  defp tool?(name), do: System.find_executable(name) != nil

  defp python_has?(module),
    do: match?({_, 0}, System.cmd("python3", ["-c", "import #{module}"], stderr_to_stdout: true))

  defp compare(match) do
    text = match |> File.read!() |> :zlib.gunzip()
    events = text |> :binary.matches("\n") |> length()
    input = Path.join(System.tmp_dir!(), "roomfold-bench-#{System.pid()}.jsonl")
    File.write!(input, text)
    IO.puts("#{Path.basename(match)}: #{events} events, #{byte_size(text)} bytes, the whole process\n")

    try do
      contenders = contenders()
      check(contenders, input)
      runs = for {name, command} <- contenders, do: {name, fn -> nil end, fn _ -> run(command, input) end}
      report(Bench.rounds(runs, 5), contenders, events)
    after
      File.rm(input)
    end
  end

  defp report(times, contenders, events) do
    ours = times["roomfold replay"]

    rows =
      for {name, _} <- contenders do
        [name, Bench.round1(times[name] / 1.0e6), div(times[name], events), Bench.ratio(times[name], ours)]
      end

    Bench.table(["who", "ms", "ns/event", "/ roomfold"], rows)
    Bench.csv("replay", ["who", "ms", "ns_per_event", "times_roomfold"], rows)
  end

  defp run([program | arguments], input) do
    script = ~s(exec "$0" "$@" <"$INPUT" 2>/dev/null)
    {out, 0} = System.cmd("sh", ["-c", script, program | arguments], env: [{"INPUT", input}])
    out
  end

  # Jq's numbers are not rounded to binary32, and it has one kind of number.
  defp check(contenders, input) do
    [{_, first} | _] =
      states = for {name, command} <- contenders, do: {name, Roomfold.JSON.decode!(run(command, input))}

    for {name, state} <- states do
      equal = if name == "jq", do: rounded(state) == rounded(first), else: state === first
      unless equal, do: raise("#{name} has another state")
    end
  end

  defp rounded(number) when is_number(number) do
    <<single::float-32>> = <<number::float-32>>
    single
  end

  defp rounded(list) when is_list(list), do: Enum.map(list, &rounded/1)
  defp rounded(map) when is_map(map), do: Map.new(map, fn {key, value} -> {key, rounded(value)} end)
  defp rounded(other), do: other

  # Memory does not grow with the log.
  defp large do
    if File.exists?("/usr/bin/time") and tool?("awk") do
      rows = for count <- [100_000, 1_000_000, 10_000_000], do: [count, peak(count)]
      IO.puts("Updates of 1,000 entities through a pipe, most memory in use")
      Bench.table(["events", "KB"], rows)
      Bench.csv("replay_memory", ["events", "kilobytes"], rows)
    else
      IO.puts("left out: memory (there is no /usr/bin/time or awk)")
    end
  end

  defp peak(count) do
    events = ~S"""
    BEGIN { for (i = 1; i <= count; i++) printf "{\"event\":\"%s\",\"entity_id\":\"e%d\",\"components\":{\"position\":[%d,1.5,2]},\"seq\":%d}\n", i <= 1000 ? "create" : "update", i % 1000, i % 977, i }
    """

    script = ~s[awk -v count="$1" "$EVENTS" | /usr/bin/time -f %M "$0" replay - --quiet 2>&1 >/dev/null]
    {out, 0} = System.cmd("sh", ["-c", script, @program, to_string(count)], env: [{"EVENTS", events}])
    out |> String.trim() |> String.to_integer()
  end
end

ReplayBench.main(System.argv())
