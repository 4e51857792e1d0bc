defmodule Roomfold.Demo.Story do
  @moduledoc false
  # What happened in a match, in words and figures.

  alias Roomfold.Demo.{Facts, Recording, Screen}

  def opening(%Recording{} = recording) do
    about = recording.expected || %{}
    mode = Map.get(about, "mode", "match")
    level = about["map"] || get_in(recording.map || %{}, ["stats", "map"])
    players = recording.events |> players() |> length()

    "A recorded #{mode} of #{count(players, "player")}#{if level, do: " on #{level}"}, #{Screen.time(length_of(recording.events))} long, " <>
      "#{Screen.number(length(recording.events))} events, #{Screen.decimal(recording.bytes / 1_000_000)} MB of JSON."
  end

  def tell(%Recording{} = recording, %Facts{} = facts) do
    Screen.title("What happened")
    players(recording.events, facts)
    kills(facts)
    moments(recording, facts)
    kinds(recording.events)
  end

  # ---- players ----

  defp players(events),
    do: for({"player_spawned", %{"user_id" => id}} <- events, uniq: true, do: id) |> Enum.sort()

  defp players(events, facts) do
    shots = frequencies(for {"weapon_fired", %{"user_id" => id}} <- events, do: id)
    hits = frequencies(for %{by: by, whom: whom} <- facts.hits, by != nil and by != whom, do: by)
    kills = frequencies(for %{by: by, whom: whom} <- facts.kills, by != nil and by != whom, do: by)
    deaths = frequencies(Enum.map(facts.kills, & &1.whom))
    run = distances(events)

    rows =
      for id <- players(events) do
        fired = Map.get(shots, id, 0)
        hit = Map.get(hits, id, 0)

        [
          id,
          fired,
          hit,
          if(fired > 0, do: "#{round(100 * hit / fired)} %", else: "-"),
          Map.get(kills, id, 0),
          Map.get(deaths, id, 0),
          "#{round(Map.get(run, id, 0.0))} m"
        ]
      end

    Screen.table(["player", "shots", "hits", "hits/shot", "kills", "deaths", "distance"], rows)
    Screen.say("  (a shotgun's shot is several rays; a hit is one that did damage)\n")
  end

  # Teleports and respawns are no distance: nobody runs two metres in a 35th of a second.
  defp distances(events) do
    {_, sums} =
      Enum.reduce(events, {%{}, %{}}, fn
        {"player_moved", %{"user_id" => id, "position" => [x, _, z]}}, {places, sums} ->
          {px, pz} = Map.get(places, id, {x, z})
          step = :math.sqrt((x - px) * (x - px) + (z - pz) * (z - pz))
          {Map.put(places, id, {x, z}), Map.update(sums, id, step, &(&1 + if(step < 2, do: step, else: 0.0)))}

        {"player_spawned", %{"user_id" => id, "position" => [x, _, z]}}, {places, sums} ->
          {Map.put(places, id, {x, z}), sums}

        _, state ->
          state
      end)

    sums
  end

  # ---- who killed whom ----

  defp kills(%Facts{kills: []}), do: Screen.say("Nobody died.\n")

  defp kills(facts) do
    pairs = frequencies(Enum.map(facts.kills, &{kind_of(&1.by), kind_of(&1.whom)}))
    killers = pairs |> Map.keys() |> Enum.map(&elem(&1, 0)) |> Enum.uniq() |> Enum.sort()
    victims = pairs |> Map.keys() |> Enum.map(&elem(&1, 1)) |> Enum.uniq() |> Enum.sort() |> Enum.take(7)

    rows =
      for killer <- killers do
        cells = for victim <- victims, do: Map.get(pairs, {killer, victim}, ".")

        total =
          pairs |> Enum.filter(fn {{by, _}, _} -> by == killer end) |> Enum.map(&elem(&1, 1)) |> Enum.sum()

        [killer | cells] ++ [total]
      end

    Screen.table(["who killed whom" | victims] ++ ["all"], rows)
    Screen.say("")
  end

  # Players by their id, monsters by their kind, and what nobody did by the world.
  defp kind_of(nil), do: "the world"
  defp kind_of("player" <> _ = id), do: id
  defp kind_of(id), do: String.replace(id, ~r/-\d+$/, "")

  # ---- moments ----

  defp moments(recording, facts) do
    start = recording.events |> hd() |> elem(1) |> Map.get("at", 0)

    for line <- [first_kill(facts, start), streak(facts), hardest(facts, start), doors(recording.events)],
        line,
        do: Screen.say(line)

    Screen.say("")
  end

  defp first_kill(%{kills: kills}, start) do
    case Enum.find(kills, & &1.by) do
      nil ->
        nil

      kill ->
        "First kill: #{kill.by} kills #{kill.whom}#{with_what(kill.how)} at #{Screen.time(kill.at - start)}."
    end
  end

  defp streak(%{kills: kills}) do
    {_, best} =
      Enum.reduce(kills, {%{}, {0, nil}}, fn kill, {runs, best} ->
        runs = Map.delete(runs, kill.whom)
        run = Map.get(runs, kill.by, 0) + 1

        {Map.put(runs, kill.by, run),
         if(kill.by && kill.by != kill.whom, do: max(best, {run, kill.by}), else: best)}
      end)

    case best do
      {run, who} when run >= 3 -> "Longest run: #{who} kills #{run} without dying."
      _ -> nil
    end
  end

  defp hardest(%{hits: []}, _), do: nil

  defp hardest(%{hits: hits}, start) do
    hit = Enum.max_by(hits, &(&1.damage || 0))

    "Hardest hit: #{hit.by || "the world"} takes #{hit.damage} from #{hit.whom}#{with_what(hit.how)} at #{Screen.time(hit.at - start)}."
  end

  defp doors(events) do
    moved = for({"door_moved", %{"id" => id}} <- events, uniq: true, do: id) |> length()
    if moved > 0, do: "#{count(moved, "sector")} moved (doors and lifts)."
  end

  defp with_what(nil), do: ""
  defp with_what(how), do: " (#{String.replace(how, "_", " ")})"

  # ---- events ----

  defp kinds(events) do
    rows = events |> Enum.map(&elem(&1, 0)) |> frequencies() |> Enum.sort_by(&(-elem(&1, 1)))
    {shown, rest} = Enum.split(rows, 10)

    others =
      if rest == [],
        do: [],
        else: [["#{length(rest)} other kinds", Screen.number(rest |> Enum.map(&elem(&1, 1)) |> Enum.sum())]]

    Screen.table(
      ["event", "count"],
      Enum.map(shown, fn {name, count} -> [name, Screen.number(count)] end) ++ others
    )
  end

  defp length_of(events) do
    times = for {_, %{"at" => at}} <- events, is_integer(at), do: at
    if times == [], do: 0, else: List.last(times) - hd(times)
  end

  defp frequencies(list), do: Enum.frequencies(list)
  defp count(1, what), do: "1 #{what}"
  defp count(number, what), do: "#{number} #{what}s"
end
