defmodule Roomfold.Demo do
  @moduledoc false
  # The main job: a recorded match folded, checked, told, measured and made into a page.

  alias Roomfold.{Report, Rules, World}
  alias Roomfold.Demo.{Facts, Measure, Page, Recording, Screen, Story}

  @slice 1_000

  def run(options) do
    with {:ok, recording} <- Recording.read(options) do
      Screen.title("Roomfold: #{recording.name}")
      Screen.say(Story.opening(recording))

      with :ok <- check(recording) do
        facts = Facts.read(recording.events, recording.map)
        Story.tell(recording, facts)
        Measure.run(recording)
        page(recording, facts, options)
      end
    end
  end

  # ---- folding and checking ----

  defp check(recording) do
    Screen.title("Folding in C")
    lines = String.split(recording.text, "\n", trim: true)
    snapshots = if recording.expected, do: recording.expected["snapshots"], else: []

    state = %{
      world: World.new!(rules: Rules.doom()),
      report: %Report{},
      left: snapshots,
      done: 0,
      total: length(lines)
    }

    state = lines |> slices(snapshots) |> Enum.reduce_while(state, &fold_slice/2)
    Screen.done()

    case state do
      {:error, message} ->
        {:error, message}

      %{world: world, report: report} ->
        Screen.say(
          "#{Screen.number(report.folded)} events folded, #{report.orphaned} operations came too late for their entity"
        )

        unless snapshots == [],
          do: Screen.say("The world has #{World.count(world)} entities at seq #{World.seq(world)}.")

        if snapshots == [],
          do: Screen.say("No expected snapshots were found for this match, so nothing was compared.")

        rejected(report)
    end
  end

  defp rejected(%{rejected_count: 0}), do: :ok

  defp rejected(%{rejected: [{_, first} | _], rejected_count: count}) do
    Screen.say("#{count} things could not be used; the first: #{Exception.message(first)}")
  end

  # Slices of lines that end wherever a snapshot is expected.
  defp slices(lines, snapshots) do
    ends = Enum.map(snapshots, & &1["seq"])
    lines |> Enum.with_index(1) |> Enum.chunk_while([], &slice(&1, &2, ends), &{:cont, Enum.reverse(&1), []})
  end

  defp slice({line, seq}, lines, ends) do
    lines = [line | lines]
    if seq in ends or length(lines) == @slice, do: {:cont, Enum.reverse(lines), []}, else: {:cont, lines}
  end

  defp fold_slice([], state), do: {:cont, state}

  defp fold_slice(lines, state) do
    {:ok, world, report} = World.fold(state.world, {:json, Enum.join(lines, "\n")})
    report = Report.merge(state.report, report, offset: state.done)
    state = %{state | world: world, report: report, done: state.done + length(lines)}
    Screen.progress(state.done, state.total, "events")

    case state.left do
      [snapshot | left] ->
        if snapshot["seq"] == World.seq(world),
          do: compare(snapshot, %{state | left: left}),
          else: {:cont, state}

      [] ->
        {:cont, state}
    end
  end

  defp compare(snapshot, state) do
    case difference(snapshot, state) do
      nil ->
        Screen.done()
        entities = map_size(snapshot["entities"])

        Screen.say(
          "snapshot at seq #{snapshot["seq"]}: equal (#{entities} entities, #{snapshot["orphaned"]} orphaned)"
        )

        {:cont, state}

      difference ->
        {:halt, {:error, "The snapshot at seq #{snapshot["seq"]} differs: #{difference}"}}
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
    "#{inspect(id)} is #{inspect(found[id])}, expected #{inspect(expected[id])}"
  end

  # ---- the page ----

  defp page(recording, facts, options) do
    if Keyword.get(options, :page, true) do
      Screen.title("The page")
      path = options[:out] || "roomfold-demo.html"
      total = length(recording.events)
      written = Page.write(path, recording, facts, &Screen.progress(&1, total, "events packed"))
      Screen.done()

      with {:ok, bytes} <- written do
        Screen.say(
          "#{path} (#{div(bytes, 1024)} KB) plays the match: open it in a browser; it needs no server and no network."
        )
      end
    else
      :ok
    end
  end
end
