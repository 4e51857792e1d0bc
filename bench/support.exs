defmodule Bench do
  @moduledoc """
  Rounds of contenders in turn, so that a machine that speeds up or slows down does so for all of them; medians
  and ratios; a table for people, CSV for later.
  """

  @doc """
  Runs each contender once per round, in turn, each in a process of its own.

  A contender is `{name, setup, run}`: `setup.()` makes what `run.(it)` is timed with; run returns nothing that matters. Or
  `{name, setup, run, finish}`: `finish.(it)` comes after that, and is not timed.
  Answers `%{name => median nanoseconds of a run}`.
  """
  def rounds(contenders, count) do
    for(_ <- 0..count, contender <- contenders, do: timed(contender))
    # The first round warms up.
    |> Enum.drop(length(contenders))
    |> Enum.group_by(&elem(&1, 0), &elem(&1, 1))
    |> Map.new(fn {name, times} -> {name, median(times)} end)
  end

  defp timed({name, setup, run}), do: {name, time(setup, run)}
  defp timed({name, setup, run, finish}), do: {name, time(setup, run, finish)}

  @doc "Nanoseconds of `run` in a fresh process."
  def time(setup, run, finish \\ & &1) do
    task =
      Task.async(fn ->
        it = setup.()
        :erlang.garbage_collect()
        start = System.monotonic_time(:nanosecond)
        run.(it)
        time = System.monotonic_time(:nanosecond) - start
        finish.(it)
        time
      end)

    Task.await(task, :infinity)
  end

  @doc """
  A function that returns the term where it lies. Captured in a contender's functions it would be on the heap of its process, and copied, all of
  it, when the garbage of whoever makes some is collected.
  """
  def keep({name, term}) do
    :persistent_term.put({__MODULE__, name}, term)
    fn -> :persistent_term.get({__MODULE__, name}) end
  end

  def median(times), do: times |> Enum.sort() |> Enum.at(div(length(times), 2))

  @doc "How many cores the VM kept busy while it ran."
  def cores(run) do
    :erlang.statistics(:runtime)
    start = System.monotonic_time(:millisecond)
    run.()
    {_, cpu} = :erlang.statistics(:runtime)
    Float.round(cpu / (System.monotonic_time(:millisecond) - start), 2)
  end

  @doc "A new folder. One that a run left, which was killed, is another's."
  def folder do
    folder =
      Path.join(System.tmp_dir!(), "roomfold-bench-#{System.pid()}-#{System.unique_integer([:positive])}")

    File.rm_rf!(folder)
    File.mkdir_p!(folder)
    folder
  end

  @doc "What this was measured on, in one line."
  def machine do
    cpu =
      case File.read("/proc/cpuinfo") do
        {:ok, text} -> text |> String.split("\n") |> Enum.find_value("unknown CPU", &model/1)
        _ -> "#{:erlang.system_info(:system_architecture)}"
      end

    "#{cpu}, #{System.schedulers_online()} cores, OTP #{System.otp_release()}, Elixir #{System.version()}"
  end

  @doc "The first line of a CSV: the machine and the day."
  def first_line, do: "# #{machine()}, #{Date.utc_today()}"

  defp model("model name" <> rest), do: rest |> String.split(":") |> List.last() |> String.trim()
  defp model(_), do: nil

  @doc "Prints rows of cells under a header, the first column to the left, the others to the right."
  def table(header, rows) do
    all = [header | rows] |> Enum.map(fn row -> Enum.map(row, &to_string/1) end)

    widths =
      all
      |> Enum.zip()
      |> Enum.map(fn column -> column |> Tuple.to_list() |> Enum.map(&String.length/1) |> Enum.max() end)

    for row <- all do
      [first | rest] = Enum.zip(row, widths)
      left = String.pad_trailing(elem(first, 0), elem(first, 1))

      IO.puts(
        Enum.join([left | Enum.map(rest, fn {cell, width} -> String.pad_leading(cell, width) end)], "  ")
      )
    end

    IO.puts("")
  end

  @doc "Adds lines to results/NAME.csv of this run."
  def csv(name, header, rows) do
    path = Path.join([__DIR__, "results", name <> ".csv"])
    File.mkdir_p!(Path.dirname(path))
    cell = &(&1 |> to_string() |> String.replace(",", ""))
    lines = Enum.map([header | rows], fn row -> Enum.map_join(row, ",", cell) <> "\n" end)
    File.write!(path, [first_line(), "\n" | lines])
  end

  @doc """
  Two jiffies can't be loaded into one VM: the second (JIFFY2=path, the folder with ebin and priv) gets one of its own,
  with these modules (`[{module, binary}]`) and `kept` under the persistent term `:bench`. nil, and a line, without.
  """
  def second_jiffy(modules, kept) do
    if path = System.get_env("JIFFY2") do
      # Paths go in front of one another: jiffy 2's must come last to be first.
      paths =
        Enum.map(:code.get_path(), &to_string/1) |> Enum.reverse() |> Kernel.++([Path.join(path, "ebin")])

      {:ok, peer, _} =
        :peer.start_link(%{
          connection: :standard_io,
          args: Enum.flat_map(paths, &[~c"-pa", String.to_charlist(&1)])
        })

      for {module, binary} <- modules, do: :peer.call(peer, :code, :load_binary, [module, ~c"bench", binary])
      :peer.call(peer, :persistent_term, :put, [:bench, kept], :infinity)
      peer
    else
      IO.puts("left out: jiffy 2 (JIFFY2 does not say where it is)")
      nil
    end
  end

  def ratio(a, b), do: :erlang.float_to_binary(a / b, decimals: 1)
  def round1(x), do: :erlang.float_to_binary(x / 1, decimals: 1)

  @doc "Whether a module of a peer can be had; says so in one line if not."
  def peer?(module, name) do
    found = Code.ensure_loaded?(module)
    unless found, do: IO.puts("left out: #{name} (not installed, or not in ERL_LIBS)")
    found
  end
end
