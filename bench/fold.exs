# Folding: lists of terms and JSON text, against what people write by hand.
#
#     make bench            or      mix run bench/fold.exs
#
# Peers: nested Elixir maps; an ETS table; the ETS table with a diff batcher, which like us also yields what changed.
# For JSON: a decoder, then the map fold: jiffy (Debian: erlang-jiffy), Jason and jiffy 2 where ERL_LIBS has them.
# A jiffy 2 beside jiffy 1 goes into JIFFY2=path/to/jiffy (the folder with ebin and priv) and runs in a VM of its own.
Code.require_file("support.exs", __DIR__)
Code.require_file("streams.exs", __DIR__)

defmodule MapWorld do
  @moduledoc "The idiomatic projection: a map of maps and a reducer."
  def fold(events, world), do: Enum.reduce(events, world, &apply_event/2)

  def apply_event({"update", %{"entity_id" => id, "components" => components}}, world) do
    case world do
      %{^id => entity} -> %{world | id => Map.merge(entity, components)}
      _ -> world
    end
  end

  def apply_event({"create", %{"entity_id" => id, "components" => components}}, world),
    do: Map.put(world, id, components)

  def apply_event({"delete", %{"entity_id" => id}}, world), do: Map.delete(world, id)

  # As a decoder gives it: one flat map.
  def apply_decoded(%{"event" => name} = payload, world), do: apply_event({name, payload}, world)
end

defmodule EtsWorld do
  @moduledoc "The table such applications keep by hand, without and with the batcher that collects a diff."
  def new, do: :ets.new(:world, [:set, :public, read_concurrency: true])

  def fold(events, table), do: Enum.each(events, &apply_event(&1, table))

  defp apply_event({"update", %{"entity_id" => id, "components" => components}}, table) do
    case :ets.lookup(table, id) do
      [{_, entity}] -> :ets.insert(table, {id, Map.merge(entity, components)})
      [] -> false
    end
  end

  defp apply_event({"create", %{"entity_id" => id, "components" => components}}, table),
    do: :ets.insert(table, {id, components})

  defp apply_event({"delete", %{"entity_id" => id}}, table), do: :ets.delete(table, id)

  @doc "Folds and answers what changed: creates, updates and deletes."
  def fold_with_diff(events, table) do
    Enum.reduce(events, {%{}, %{}, %{}}, fn event, diff ->
      apply_event(event, table)
      note(event, diff)
    end)
  end

  defp note({"update", %{"entity_id" => id, "components" => components}}, {creates, updates, deletes}) do
    case creates do
      %{^id => entity} -> {%{creates | id => Map.merge(entity, components)}, updates, deletes}
      _ -> {creates, Map.update(updates, id, components, &Map.merge(&1, components)), deletes}
    end
  end

  defp note({"create", %{"entity_id" => id, "components" => components}}, {creates, updates, deletes}) do
    {Map.put(creates, id, components), Map.delete(updates, id), Map.delete(deletes, id)}
  end

  defp note({"delete", %{"entity_id" => id}}, {creates, updates, deletes}) do
    {Map.delete(creates, id), Map.delete(updates, id), Map.put(deletes, id, true)}
  end
end

defmodule FoldBench do
  alias Roomfold.World

  @batch 1_000
  @batches 20
  @rounds 7

  def run do
    IO.puts("Folding, #{Bench.machine()}")

    IO.puts(
      "#{@batches} batches of #{@batch} events a round, medians of #{@rounds} rounds in turn, ns per event\n"
    )

    rows = Enum.map([100, 1_000, 10_000, 100_000], &terms/1)

    header = ~w(entities map ets ets+diff roomfold roomfold+diff x\ faster\ peer x\ ets+diff)
    Bench.table(header, rows)
    Bench.csv("fold_terms", header, rows)
    json(1_000)
    memory()
  end

  defp native(creates) do
    {:ok, world} = World.new(impl: :native)
    {:ok, world, _} = World.fold(world, creates)
    world
  end

  defp terms(count) do
    {creates, batches} = Streams.make(count, @batches, @batch)

    ets = fn ->
      table = EtsWorld.new()
      EtsWorld.fold(creates, table)
      table
    end

    times =
      Bench.rounds(
        [
          {:map, fn -> MapWorld.fold(creates, %{}) end,
           fn world -> Enum.reduce(batches, world, &MapWorld.fold/2) end},
          {:ets, ets, fn table -> Enum.each(batches, &EtsWorld.fold(&1, table)) end},
          {:ets_diff, ets, fn table -> Enum.each(batches, &EtsWorld.fold_with_diff(&1, table)) end},
          {:roomfold, fn -> native(creates) end,
           fn world ->
             Enum.reduce(batches, world, fn batch, world ->
               {:ok, world, _} = World.fold(world, batch)
               world
             end)
           end},
          {:roomfold_diff, fn -> native(creates) end,
           fn world ->
             Enum.reduce(batches, world, fn batch, world ->
               from = World.seq(world)
               {:ok, world, _} = World.fold(world, batch)
               {:ok, _} = World.diff(world, from)
               world
             end)
           end}
        ],
        @rounds
      )

    ns = Map.new(times, fn {name, time} -> {name, time / (@batch * @batches)} end)
    peer = min(ns.map, ns.ets)

    [count | Enum.map([ns.map, ns.ets, ns.ets_diff, ns.roomfold, ns.roomfold_diff], &Bench.round1/1)] ++
      [Bench.ratio(peer, ns.roomfold), Bench.ratio(ns.ets_diff, ns.roomfold_diff)]
  end

  defp json(count) do
    {creates, batches} = Streams.make(count, @batches, @batch)
    lines = Enum.map(batches, &Streams.lines/1)
    texts = Enum.map(lines, &Enum.join(&1, "\n"))

    peers =
      for {name, module, decode} <- [
            {"jiffy " <> version(:jiffy), :jiffy, &__MODULE__.jiffy/1},
            {"Jason", Jason, &__MODULE__.jason/1}
          ],
          Bench.peer?(module, name) do
        {name, fn -> MapWorld.fold(creates, %{}) end, fn world -> decode_and_fold(lines, world, decode) end}
      end

    ours =
      {"roomfold", fn -> native(creates) end,
       fn world ->
         Enum.reduce(texts, world, fn text, world ->
           {:ok, world, _} = World.fold(world, {:json, text})
           world
         end)
       end}

    times = Bench.rounds(peers ++ second_jiffy(creates, lines) ++ [ours], @rounds)
    ns = Map.new(times, fn {name, time} -> {name, time / (@batch * @batches)} end)

    rows =
      for {name, time} <- Enum.sort_by(ns, &elem(&1, 1)) do
        [name, Bench.round1(time), Bench.ratio(time, ns["roomfold"])]
      end

    IO.puts("JSON Lines to folded world, #{count} entities, ns per event; peers: decode, then the map fold")
    Bench.table(["", "ns/event", "x roomfold"], rows)
    Bench.csv("fold_json", ["who", "ns_per_event", "times_roomfold"], rows)
  end

  def jiffy(line), do: :jiffy.decode(line, [:return_maps])
  def jason(line), do: apply(Jason, :decode!, [line])

  def decode_and_fold(batches, world, decode) do
    Enum.reduce(batches, world, fn lines, world ->
      Enum.reduce(lines, world, fn line, world -> MapWorld.apply_decoded(decode.(line), world) end)
    end)
  end

  defp version(application) do
    Application.load(application)
    to_string(Application.spec(application, :vsn) || "")
  end

  # Two jiffies can't be loaded into one VM: the second gets one of its own, and is timed inside it.
  defp second_jiffy(creates, lines) do
    path = System.get_env("JIFFY2")

    if path do
      paths =
        Enum.flat_map([path, Path.join(path, "ebin") | []], &["-pa", &1]) ++
          Enum.flat_map(:code.get_path(), &["-pz", to_string(&1)])

      {:ok, peer, _} =
        :peer.start_link(%{connection: :standard_io, args: Enum.map(paths, &String.to_charlist/1)})

      for module <- [MapWorld, __MODULE__], do: load(peer, module)
      # The work goes over once; only the fold is timed.
      :peer.call(peer, :persistent_term, :put, [:bench, {creates, lines}], :infinity)

      [
        {"jiffy 2", fn -> peer end,
         fn peer -> :peer.call(peer, __MODULE__, :timed_in_peer, [], :infinity) end}
      ]
    else
      IO.puts("left out: jiffy 2 (JIFFY2 does not say where it is)")
      []
    end
  end

  def timed_in_peer do
    {creates, lines} = :persistent_term.get(:bench)
    decode_and_fold(lines, MapWorld.fold(creates, %{}), &__MODULE__.jiffy/1)
    :ok
  end

  defp load(peer, module) do
    {^module, binary, file} = :code.get_object_code(module) || raise("no code of #{module}")
    :peer.call(peer, :code, :load_binary, [module, file, binary])
  end

  defp memory do
    rows =
      for count <- [1_000, 10_000, 100_000] do
        creates = Streams.creates(count)
        map = bytes(fn -> MapWorld.fold(creates, %{}) end)
        {:ok, world, _} = World.fold(elem(World.new(impl: :native), 1), creates)
        ours = World.info(world).memory
        [count, Bench.round1(map / count), Bench.round1(ours / count), Bench.ratio(map, ours)]
      end

    IO.puts("Memory, bytes per entity")
    Bench.table(["entities", "map", "roomfold", "x less"], rows)
    Bench.csv("memory", ~w(entities map roomfold times_less), rows)
  end

  # As a process that lives long keeps it.
  defp bytes(make), do: :erts_debug.size(make.()) * :erlang.system_info(:wordsize)
end

FoldBench.run()
