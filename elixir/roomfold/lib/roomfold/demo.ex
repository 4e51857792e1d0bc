defmodule Roomfold.Demo do
  @moduledoc false
  # Folds a recorded match, checks it, tells its story, measures, and makes a page of it.

  alias Roomfold.{Report, Rules, World}
  alias Roomfold.Demo.{Facts, Live, Measure, Page, Recording, Screen, Shots, Story}

  @slice 1_000
  @out "roomfold-demo.html"

  # Options: see mix roomfold.demo. Returns :ok or {:error, message}.
  def run(options) do
    with {:ok, recording} <- Recording.read(options) do
      Screen.title("Roomfold: #{recording.name}")
      Screen.say(Story.opening(recording))

      with :ok <- check(recording) do
        facts = Facts.read(recording.events, recording.map)
        Story.tell(recording, facts)
        shots(Shots.judge(recording.rays, recording.map))

        with :ok <- if(Keyword.get(options, :room, true), do: Live.run(recording), else: :ok) do
          if Keyword.get(options, :speed, true), do: Measure.run(recording)

          if Keyword.get(options, :page, true),
            do: page(recording, facts, options[:out] || @out),
            else: :ok
        end
      end
    end
  end

  # ---- folding and checking ----

  defp check(recording) do
    Screen.title("Folded in C")
    lines = String.split(recording.text, "\n", trim: true)
    snapshots = snapshots(recording.expected)

    start = %{
      world: World.new!(rules: Rules.doom()),
      report: %Report{},
      left: snapshots,
      done: 0,
      total: length(lines)
    }

    state = lines |> slices(Enum.map(snapshots, & &1["seq"])) |> Enum.reduce_while(start, &fold_slice/2)
    Screen.done()

    case state do
      {:error, message} ->
        {:error, message}

      %{left: [snapshot | _]} ->
        {:error, "the stream ends before the snapshot expected at seq #{snapshot["seq"]}"}

      state ->
        summary(state, snapshots)
    end
  end

  defp snapshots(%{"snapshots" => snapshots}) when is_list(snapshots),
    do: Enum.sort_by(snapshots, & &1["seq"])

  defp snapshots(_expected), do: []

  # Slices of lines; one ends wherever a snapshot is expected.
  defp slices(lines, ends) do
    lines
    |> Enum.with_index(1)
    |> Enum.chunk_while([], &slice(&1, &2, ends), &{:cont, Enum.reverse(&1), []})
  end

  defp slice({line, number}, lines, ends) do
    lines = [line | lines]
    if number in ends or length(lines) == @slice, do: {:cont, Enum.reverse(lines), []}, else: {:cont, lines}
  end

  defp fold_slice([], state), do: {:cont, state}

  defp fold_slice(lines, state) do
    {:ok, world, report} = World.fold(state.world, {:json, Enum.join(lines, "\n")})
    report = Report.merge(state.report, report, offset: state.done)
    state = %{state | world: world, report: report, done: state.done + length(lines)}
    Screen.progress(state.done, state.total, "events")

    case state.left do
      [snapshot | left] ->
        if snapshot["seq"] == World.seq(world), do: compare(snapshot, left, state), else: {:cont, state}

      [] ->
        {:cont, state}
    end
  end

  defp compare(snapshot, left, state) do
    Screen.done()

    case difference(snapshot, state) do
      nil ->
        entities = "#{map_size(snapshot["entities"])} entities, #{snapshot["orphaned"]} orphaned"
        seq = String.pad_leading(Screen.number(snapshot["seq"]), 9)
        Screen.good("  at event #{seq}: #{String.pad_trailing(entities, 27)}")
        {:cont, %{state | left: left}}

      difference ->
        {:halt, {:error, "the snapshot at seq #{snapshot["seq"]} differs: #{difference}"}}
    end
  end

  defp difference(snapshot, %{world: world, report: report}) do
    found = World.snapshot(world)
    expected = snapshot["entities"]

    cond do
      found !== expected ->
        first_difference(found, expected)

      report.orphaned != snapshot["orphaned"] ->
        "#{report.orphaned} orphaned, expected #{snapshot["orphaned"]}"

      true ->
        nil
    end
  end

  defp first_difference(found, expected) do
    id = (Map.keys(found) ++ Map.keys(expected)) |> Enum.sort() |> Enum.find(&(found[&1] !== expected[&1]))

    case {found[id], expected[id]} do
      {nil, _} -> "#{id} is missing"
      {_, nil} -> "#{id} should not be there"
      {found, expected} -> "#{id} #{first_component(found, expected)}"
    end
  end

  defp first_component(found, expected) do
    name =
      Enum.find(Map.keys(Map.merge(found, expected)), &(Map.fetch(found, &1) !== Map.fetch(expected, &1)))

    "has #{name} #{inspect(found[name])}, expected #{inspect(expected[name])}"
  end

  defp summary(%{world: world, report: report}, snapshots) do
    Screen.say(
      "  #{Screen.number(report.folded)} events folded into a world of #{World.count(world)} entities. " <>
        "#{Screen.number(report.orphaned)} operations came after their entity had gone, as the recording has it."
    )

    if snapshots == [] do
      Screen.say("  No expected snapshots were found for this recording, so nothing was compared.")
    else
      Screen.note("  Every entity and every component equals what another program made of the same events.")
    end

    rejected(report)
  end

  defp rejected(%{rejected_count: 0}), do: :ok

  defp rejected(%{rejected: [{index, first} | _], rejected_count: count}) do
    what = if count == 1, do: "1 thing", else: "#{Screen.number(count)} things"
    Screen.say("  #{what} could not be used; the first, in event #{index + 1}: #{Exception.message(first)}")
  end

  # ---- shots ----

  defp shots(nil),
    do: Screen.note("  Left out: the shots judged again (no rays-*.jsonl with this recording).")

  defp shots(shots) do
    Screen.title("Every shot judged again")

    Screen.say(
      "  #{Screen.number(shots.rays)} recorded shots at boxes, walls and doors where they were then: " <>
        "#{Screen.number(shots.agree)} answers are the engine's (#{percent(shots.agree, shots.rays)}), and of the " <>
        "#{Screen.number(shots.hits)} that hit somebody #{Screen.number(shots.hits_agree)} " <>
        "(#{percent(shots.hits_agree, shots.hits)})."
    )

    Screen.note(
      "  One at a time from Elixir, #{Screen.decimal(shots.microseconds / max(shots.rays, 1))} microseconds each with the " <>
        "index made new for each, by the #{Roomfold.native_info().simd} path."
    )
  end

  defp percent(_, 0), do: "-"
  defp percent(part, all), do: Screen.decimal(100 * part / all) <> " %"

  # ---- the page ----

  defp page(recording, facts, path) do
    Screen.title("The page")
    total = length(recording.events)
    written = Page.write(path, recording, facts, &Screen.progress(&1, total, "events packed"))
    Screen.done()

    with {:ok, bytes} <- written do
      Screen.say("  #{Path.expand(path)}")

      Screen.note(
        "  #{div(bytes, 1024)} KB in one file that plays the match: open it in a browser, no server, no network."
      )
    end
  end
end
