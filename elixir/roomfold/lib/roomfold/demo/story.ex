defmodule Roomfold.Demo.Story do
  @moduledoc false
  # What happened in a match, in words and figures.

  alias Roomfold.Demo.{Facts, Recording, Screen}

  @modes %{"coop" => "co-operative game", "single" => "game"}
  @weapons %{"ssg" => "super shotgun", "bfg" => "BFG", "plasma" => "plasma gun"}
  @most_kinds 12

  def opening(%Recording{} = recording) do
    about = recording.expected || %{}
    level = about["map"] || get_in(recording.map || %{}, ["stats", "map"])
    mode = Map.get(@modes, about["mode"], about["mode"] || "match")
    players = recording.events |> players() |> length()

    "A recorded #{mode} of #{count(players, "player")}#{if level, do: " on #{level}"}, " <>
      "#{Screen.time(length_of(recording.events))} long: #{Screen.number(length(recording.events))} events, " <>
      "#{Screen.decimal(recording.bytes / 1_000_000)} MB of JSON."
  end

  def tell(%Recording{events: events}, %Facts{} = facts) do
    players = players(events)

    Screen.title("Players")
    shooting(events, facts, players)

    Screen.title("Who killed whom")
    kills(facts, players)

    Screen.title("Moments")
    moments(events, facts, players)

    Screen.title("Events by kind")
    Screen.chart(kinds(events))
  end

  # ---- players ----

  defp players(events) do
    for({"player_spawned", %{"user_id" => id}} when is_binary(id) <- events, uniq: true, do: id)
    |> Enum.sort()
  end

  defp shooting(events, facts, players) do
    shots = Enum.frequencies(for {"weapon_fired", %{"user_id" => id}} <- events, do: id)
    hits = Enum.frequencies(for %{by: by, whom: whom} <- facts.hits, by != whom, do: by)
    kills = Enum.frequencies(for %{by: by, whom: whom} <- facts.kills, by != whom, do: by)
    deaths = Enum.frequencies(Enum.map(facts.kills, & &1.whom))
    run = distances(events)

    rows =
      for id <- players do
        {fired, hit} = {Map.get(shots, id, 0), Map.get(hits, id, 0)}
        accuracy = if fired > 0, do: "#{round(100 * hit / fired)} %", else: "-"
        metres = "#{Screen.number(round(Map.get(run, id, 0.0)))} m"
        [id, fired, hit, accuracy, Map.get(kills, id, 0), Map.get(deaths, id, 0), metres]
      end

    Screen.table(["player", "shots", "hits", "accuracy", "kills", "deaths", "distance run"], rows)
    Screen.note("  A shotgun's shot is several rays, each counted; a hit is one that did damage.")
  end

  # Teleports and respawns do not count as distance: no player runs two metres in a 35th of a second.
  defp distances(events) do
    {_places, sums} =
      Enum.reduce(events, {%{}, %{}}, fn
        {"player_moved", %{"user_id" => id, "position" => [x, _, z]}}, {places, sums}
        when is_number(x) and is_number(z) ->
          {px, pz} = Map.get(places, id, {x, z})
          step = :math.sqrt((x - px) * (x - px) + (z - pz) * (z - pz))
          {Map.put(places, id, {x, z}), Map.update(sums, id, step, &(&1 + if(step < 2, do: step, else: 0.0)))}

        {"player_spawned", %{"user_id" => id}}, {places, sums} ->
          {Map.delete(places, id), sums}

        _, state ->
          state
      end)

    sums
  end

  # ---- who killed whom ----

  defp kills(%Facts{kills: []}, _players), do: Screen.say("  Nobody died.")

  # Monsters are counted together; kills by no entity are counted for the level.
  defp kills(facts, players) do
    side = fn
      nil -> "the level"
      id -> if id in players, do: id, else: "monsters"
    end

    pairs = Enum.frequencies_by(facts.kills, &{side.(&1.by), side.(&1.whom)})
    killers = players ++ present(pairs, 0, ["monsters", "the level"])
    victims = players ++ present(pairs, 1, ["monsters"])

    rows =
      for killer <- killers do
        counts = for victim <- victims, do: Map.get(pairs, {killer, victim}, 0)
        [killer | Enum.map(counts, &if(&1 == 0, do: ".", else: &1))] ++ [Enum.sum(counts)]
      end

    Screen.table(["killer"] ++ victims ++ ["all"], rows)
  end

  defp present(pairs, place, sides) do
    Enum.filter(sides, fn side -> Enum.any?(pairs, fn {pair, _count} -> elem(pair, place) == side end) end)
  end

  # ---- moments ----

  defp moments(events, facts, players) do
    start = start_of(events)

    [&first_kill/2, &double_kill/2, &longest_run/2, &hardest/2, &farthest/2, &odd_deaths/2]
    |> Enum.flat_map(& &1.(facts, players))
    |> Enum.sort_by(&elem(&1, 0))
    |> case do
      [] -> Screen.say("  Nothing to tell.")
      moments -> for {at, text} <- moments, do: Screen.entry(Screen.time(at - start), text)
    end
  end

  defp first_kill(facts, players) do
    case Enum.find(facts.kills, &(&1.by in players and &1.by != &1.whom)) do
      nil -> []
      kill -> [{kill.at, "first kill: #{kill.by} kills #{name(kill.whom)}#{with_what(kill.how)}"}]
    end
  end

  # The two kills of one player that lie closest together, if within three seconds.
  defp double_kill(facts, players) do
    pairs =
      for id <- players,
          kills = Enum.filter(facts.kills, &(&1.by == id and &1.whom != id)),
          [first, second] <- Enum.chunk_every(kills, 2, 1, :discard),
          do: {second.at - first.at, first, second}

    case Enum.min_by(pairs, &elem(&1, 0), fn -> nil end) do
      {gap, first, second} when gap <= 3000 ->
        soon = if gap == 0, do: "at once", else: "within #{Screen.decimal(gap / 1000)} s"

        [
          {first.at,
           "#{first.by} kills #{name(first.whom)} and #{name(second.whom)} #{soon}#{with_what(second.how)}"}
        ]

      _ ->
        []
    end
  end

  # The most kills between two deaths of one's own.
  defp longest_run(facts, players) do
    {_runs, best} =
      Enum.reduce(facts.kills, {%{}, {0, nil, nil}}, fn kill, {runs, best} ->
        runs = Map.delete(runs, kill.whom)

        if kill.by in players and kill.by != kill.whom do
          run = Map.get(runs, kill.by, 0) + 1
          {Map.put(runs, kill.by, run), if(run > elem(best, 0), do: {run, kill.by, kill.at}, else: best)}
        else
          {runs, best}
        end
      end)

    case best do
      {run, by, at} when run >= 3 -> [{at, "longest run: the #{ordinal(run)} kill of #{by} without dying"}]
      _ -> []
    end
  end

  # All pellets of one moment count together.
  defp hardest(facts, _players) do
    facts.hits
    |> Enum.filter(&(is_integer(&1.damage) and &1.by != nil and not Facts.crushed?(&1)))
    |> Enum.group_by(&{&1.at, &1.by, &1.whom})
    |> Enum.max_by(fn {_, hits} -> damage(hits) end, fn -> nil end)
    |> case do
      nil ->
        []

      {{at, by, whom}, [hit | _] = hits} ->
        [{at, "hardest hit: #{name(by)} takes #{damage(hits)} from #{name(whom)}#{with_what(hit.how)}"}]
    end
  end

  defp damage(hits), do: hits |> Enum.map(& &1.damage) |> Enum.sum()

  # The shot that killed from farthest away.
  defp farthest(facts, players) do
    shots = Map.new(facts.rays, &{{&1.at, &1.by, &1.hit}, &1})

    for(
      kill <- facts.kills,
      kill.by in players,
      ray = shots[{kill.at, kill.by, kill.whom}],
      do: {reach(ray), kill}
    )
    |> Enum.max_by(&elem(&1, 0), fn -> nil end)
    |> case do
      nil ->
        []

      {metres, kill} ->
        [{kill.at, "farthest kill: #{kill.by} hits #{name(kill.whom)} from #{round(metres)} m"}]
    end
  end

  defp reach(%{from: from, to: to}) do
    :math.sqrt(Enum.sum(Enum.zip_with(from, to, fn a, b -> (a - b) * (a - b) end)))
  end

  defp odd_deaths(facts, players) do
    for kill <- facts.kills, kill.whom in players, text = odd_death(kill), do: {kill.at, text}
  end

  defp odd_death(%{by: nil, whom: whom}), do: "#{whom} is killed by the level"
  defp odd_death(%{by: whom, whom: whom} = kill), do: "#{whom} dies by own hand#{with_what(kill.how)}"
  defp odd_death(%{how: "telefrag"} = kill), do: "#{name(kill.by)} arrives where #{kill.whom} stood"
  defp odd_death(_kill), do: nil

  # Players by their id, monsters by their kind.
  defp name("player" <> _ = id), do: id

  defp name(id) do
    words = Facts.words(id)
    if String.first(words) in ~w(a e i o u), do: "an " <> words, else: "a " <> words
  end

  defp with_what(nil), do: ""
  defp with_what(how), do: " (#{Map.get(@weapons, how, Facts.words(how))})"

  defp ordinal(number) when rem(number, 100) in 11..13, do: "#{number}th"
  defp ordinal(number) when rem(number, 10) == 1, do: "#{number}st"
  defp ordinal(number) when rem(number, 10) == 2, do: "#{number}nd"
  defp ordinal(number) when rem(number, 10) == 3, do: "#{number}rd"
  defp ordinal(number), do: "#{number}th"

  # ---- events ----

  defp kinds(events) do
    rows = events |> Enum.frequencies_by(&elem(&1, 0)) |> Enum.sort_by(fn {name, count} -> {-count, name} end)
    {shown, rest} = Enum.split(rows, @most_kinds)
    total = rest |> Enum.map(&elem(&1, 1)) |> Enum.sum()
    if rest == [], do: shown, else: shown ++ [{"#{length(rest)} other kinds", total}]
  end

  defp length_of(events) do
    times = for {_, %{"at" => at}} <- events, is_integer(at), do: at
    if times == [], do: 0, else: List.last(times) - hd(times)
  end

  defp start_of(events) do
    Enum.find_value(events, 0, fn {_, event} -> if is_integer(event["at"]), do: event["at"] end)
  end

  defp count(1, what), do: "1 #{what}"
  defp count(number, what), do: "#{number} #{what}s"
end
