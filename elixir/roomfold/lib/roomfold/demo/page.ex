defmodule Roomfold.Demo.Page do
  @moduledoc false
  # One HTML file that plays a match: the page's sources from priv/static with the match packed inside.

  alias Roomfold.{Hits, JSON, Level, Rules, World}
  alias Roomfold.Demo.{Facts, Recording, Tracks}

  @sources ~w(model.mjs geometry.mjs palette.mjs draw.mjs app.mjs)
  @styles ~w(palette.css replay.css)

  # Folds the match event by event, notes every change, and writes the page. `progress` is called with
  # the number of events done so far, now and then.
  def write(path, %Recording{} = recording, %Facts{} = facts, progress \\ fn _ -> :ok end) do
    {tracks, steps, seq, judged} = fold(recording, facts, progress)
    html = html(data(recording, facts, tracks, steps, seq, judged), recording)

    case File.write(path, html) do
      :ok -> {:ok, byte_size(html)}
      {:error, reason} -> {:error, "#{path} can't be written: #{:file.format_error(reason)}"}
    end
  end

  @report_every 1_000

  defp fold(recording, facts, progress) do
    rays = Map.new(facts.rays, &{&1.seq, &1})
    world = World.new!(impl: :native, rules: Rules.doom(), level: level(recording.map))
    start = %{world: world, tracks: %Tracks{}, steps: [], at: -1, done: 0, rays: rays, judged: []}
    state = Enum.reduce(recording.events, start, &fold_one(&1, &2, progress))
    {state.tracks, Enum.reverse(state.steps), World.seq(state.world), Enum.reverse(state.judged)}
  end

  defp level(map) do
    case Level.from_map(map) do
      {:ok, level} -> level
      _ -> nil
    end
  end

  # A shot in the world as it is when it is fired.
  defp judge(%{world: %{level: nil}} = state, _), do: state

  defp judge(
         state,
         {_, %{"hand_position" => from, "weapon_direction" => direction, "range" => range, "seq" => seq}}
       )
       when is_map_key(state.rays, seq) do
    ray = state.rays[seq]

    {:ok, [answer]} =
      Hits.cast(state.world, [%{origin: from, direction: direction, range: range, owner: ray.by}])

    judged = judged(ray, answer, Enum.zip_with(from, direction, &(&1 + &2 * range)))
    %{state | judged: [judged | state.judged]}
  end

  defp judge(state, _), do: state

  defp judged(ray, %Hits.Hit{} = hit, _), do: %{ray | to: Tuple.to_list(hit.point), hit: hit.id}
  defp judged(ray, _, ending), do: %{ray | to: ending, hit: nil}

  defp fold_one({_name, payload} = event, state, progress) do
    state = judge(state, event)
    from = World.seq(state.world)
    {:ok, world, _report} = World.fold(state.world, [event])
    {:ok, diff} = World.diff(world, from)
    seq = World.seq(world)
    if rem(state.done, @report_every) == 0, do: progress.(state.done)

    state = %{state | world: world, tracks: Tracks.push(state.tracks, seq, diff), done: state.done + 1}

    case payload do
      %{"at" => at} when is_integer(at) and at > state.at ->
        %{state | at: at, steps: [{at, seq} | state.steps]}

      _ ->
        state
    end
  end

  # The page's data: plain JSON. priv/static/replay/model.mjs reads it.
  def data(recording, facts, tracks, steps, seq, judged \\ []) do
    steps = if steps == [], do: [{0, 1}], else: steps
    [{start, _} | _] = steps

    %{
      "version" => 1,
      "name" => recording.name,
      "license" => (recording.map || recording.expected || %{})["license"],
      "source" => (recording.map || recording.expected || %{})["source"],
      "start" => start,
      "seq" => seq,
      "steps" => %{
        "at" => steps |> Enum.map(fn {at, _} -> at - start end) |> Tracks.differences(),
        "seq" => steps |> Enum.map(&elem(&1, 1)) |> Tracks.differences()
      },
      "lives" => Tracks.columns(tracks),
      # Named sets of rays: what was recorded, and what Roomfold.Hits makes of the same shots.
      "rays" =>
        for({name, [_ | _] = rays} <- [{"recorded", facts.rays}, {"judged", judged}], do: set(name, rays)),
      "hits" => Enum.map(facts.hits, &[&1.seq, &1.whom, &1.by, &1.damage, &1.how]),
      "kills" => Enum.map(facts.kills, &[&1.seq, &1.whom, &1.by, &1.how]),
      "map" => map(recording.map)
    }
  end

  defp set(name, rays), do: %{"name" => name, "rays" => Enum.map(rays, &ray/1)}

  # Millimetres are plenty for a line on a screen.
  defp ray(ray) do
    [ray.seq, ray.by | Enum.map(ray.from ++ ray.to, &round(&1 * 1000))] ++ [ray.hit]
  end

  defp map(%{"lines" => lines, "sectors" => sectors} = map) when is_list(lines) and is_list(sectors) do
    %{
      "name" => get_in(map, ["stats", "map"]),
      "lines" =>
        Enum.map(lines, &[&1["x1"], &1["y1"], &1["x2"], &1["y2"], &1["front"], &1["back"], &1["flags"]]),
      "sectors" => Enum.map(sectors, &[&1["floor"], &1["ceil"], &1["light"], &1["sky"]])
    }
  end

  defp map(_map), do: nil

  defp html(data, recording) do
    {:ok, json} = JSON.encode(data)
    static = Application.app_dir(:roomfold, "priv/static")

    read = &File.read!(Path.join([static, "replay", &1]))

    parts = %{
      "title" => escape(recording.name),
      "style" => Enum.map_join(@styles, "\n", read),
      "code" => Enum.map_join(@sources, "\n", &without_imports(read.(&1))),
      "match" => json |> deflate() |> Base.encode64(),
      "credit" => escape(credit(data["license"])),
      "notice" => escape(recording.notice || "No licence notice came with this recording.")
    }

    template = File.read!(Path.join(static, "replay.html"))
    Regex.replace(~r/\{\{(\w+)\}\}/, template, fn _, name -> Map.fetch!(parts, name) end)
  end

  defp credit(nil), do: "Recorded input: no licence was named."
  defp credit(license), do: "Recorded input and level: " <> String.replace(license, "(c)", "©")

  # The modules become one script; what they import from each other is then simply there.
  defp without_imports(source), do: Regex.replace(~r/^import .*\n/m, source, "")

  defp deflate(bytes) do
    z = :zlib.open()
    :ok = :zlib.deflateInit(z, 9, :deflated, -15, 9, :default)
    packed = :zlib.deflate(z, bytes, :finish)
    :zlib.close(z)
    IO.iodata_to_binary(packed)
  end

  defp escape(text) do
    text
    |> String.replace("&", "&amp;")
    |> String.replace("<", "&lt;")
    |> String.replace(">", "&gt;")
    |> String.replace("\"", "&quot;")
  end
end
