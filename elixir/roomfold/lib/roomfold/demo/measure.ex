defmodule Roomfold.Demo.Measure do
  @moduledoc false
  # The same match folded in several ways, side by side in this run: medians of rounds in turn.

  alias Roomfold.{JSON, Rules, World}
  alias Roomfold.Demo.{Plain, Recording, Screen}

  @rounds 5
  @batch 1_000
  # The pure Elixir fold is written to be plain, not fast: it gets a part of the match.
  @oracle_events 3_000

  def run(%Recording{} = recording) do
    Screen.title("How fast it is, in this run")
    events = recording.events
    batches = Enum.chunk_every(events, @batch)
    lines = String.split(recording.text, "\n", trim: true)
    texts = lines |> Enum.chunk_every(@batch) |> Enum.map(&Enum.join(&1, "\n"))
    part = lines |> Enum.take(@oracle_events) |> Enum.join("\n")
    count = length(events)

    ways = [
      {:c_json, count, fn -> fold(:native, Enum.map(texts, &{:json, &1})) end},
      {:map_json, count,
       fn -> Enum.reduce(lines, %{}, fn line, world -> Plain.fold(world, decode(line)) end) end},
      {:c_terms, count, fn -> fold(:native, batches) end},
      {:map_terms, count, fn -> Plain.fold(%{}, events) end},
      {:oracle, min(@oracle_events, count), fn -> fold(:elixir, [{:json, part}]) end}
    ]

    rates = rates(ways)
    Screen.done()

    rows = [
      row("JSON text    in C (:native)", rates.c_json, nil),
      row("             decoded in C, folded into Elixir maps by hand", rates.map_json, rates.c_json),
      row("             in Elixir (:elixir), plain on purpose", rates.oracle, rates.c_json),
      row("Elixir terms in C (:native)", rates.c_terms, nil),
      row("             folded into Elixir maps by hand", rates.map_terms, rates.c_terms)
    ]

    Screen.table(["", "events/s", "C is"], rows)

    Screen.note(
      "  Medians of #{@rounds} rounds in turn, batches of #{Screen.number(@batch)} events, one process. The maps by hand " <>
        "check nothing, report nothing and yield no diff; :elixir is what the tests compare with: plain, not fast " <>
        "(measured on the first #{Screen.number(min(@oracle_events, count))} events)."
    )
  end

  defp row(name, rate, nil), do: [name, Screen.number(round(rate)), ""]
  defp row(name, rate, c), do: [name, Screen.number(round(rate)), Screen.times(c / rate)]

  defp decode(line) do
    {name, payload} = Map.split(JSON.decode!(line), ["event", "event_name"])
    [{name |> Map.values() |> hd(), payload}]
  end

  defp fold(impl, inputs),
    do: Enum.reduce(inputs, World.new!(impl: impl, rules: Rules.doom()), &World.fold!(&2, &1))

  # Events a second of each way.
  defp rates(ways) do
    total = (@rounds + 1) * length(ways)

    # The events lie outside of the measured process: on its heap, whoever makes garbage would have all of them copied when it is collected.
    :persistent_term.put(__MODULE__, Map.new(ways, fn {name, _, way} -> {name, way} end))

    times =
      for {round, i} <- Enum.with_index(0..@rounds), {{name, count, _}, j} <- Enum.with_index(ways) do
        Screen.progress(i * length(ways) + j, total, "measurements")
        {round, name, count / seconds(name)}
      end

    :persistent_term.erase(__MODULE__)

    # The first round warms up.
    times
    |> Enum.reject(&(elem(&1, 0) == 0))
    |> Enum.group_by(&elem(&1, 1), &elem(&1, 2))
    |> Map.new(fn {name, rates} -> {name, rates |> Enum.sort() |> Enum.at(div(length(rates), 2))} end)
  end

  # In a process of its own, so that no measurement pays for another's garbage.
  defp seconds(name) do
    task =
      Task.async(fn ->
        way = :persistent_term.get(__MODULE__)[name]
        start = System.monotonic_time(:nanosecond)
        way.()
        System.monotonic_time(:nanosecond) - start
      end)

    Task.await(task, :infinity) / 1.0e9
  end
end
