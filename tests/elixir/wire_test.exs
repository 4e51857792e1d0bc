defmodule Roomfold.WireTest do
  @moduledoc "The packed format: the same bytes from C and from the oracle, and what comes back from them, for random streams."
  use ExUnit.Case, async: true

  alias Roomfold.{Generators, JSON, Schema, Wire, World}

  @runs String.to_integer(System.get_env("RUNS", "50"))
  @impls [:native, :elixir]

  # Half of the numbers are out of bounds; rotations are unit quaternions more often than not (turned/1).
  defp quantised do
    Schema.new!(
      [
        {"position", {:f32, 3}, quantise: [step: 0.01, bounds: {-50, 50}]},
        {"rotation", {:f32, 4}, quantise: :smallest_three, bits: 9},
        {"ratio", :f32, quantise: [step: 0.5]},
        {"exact", {:f64, 2}, quantise: [step: 0.25, bounds: {-64, 64}]},
        {"alive", :bool},
        {"label", :string},
        {"tags", :term},
        {"health", :i64}
      ],
      words: ["a", "player-with-a-long-id-", "n", "kind", "red", "", ["a", "b"], %{"a" => nil}, nil, 1.5]
    )
  end

  defp schema(:lossless), do: Generators.schema()
  defp schema(:quantised), do: quantised()

  defp world(impl, mode, opts \\ []) do
    World.new!([impl: impl, rules: Generators.rules(), schema: schema(mode)] ++ opts)
  end

  defp check(property, opts \\ []) do
    result = :proper.quickcheck(property, [{:numtests, @runs}, {:max_size, 40}, :quiet, :long_result] ++ opts)

    assert result == true,
           "#{:persistent_term.get(__MODULE__, "")}\na counterexample: #{inspect(result, limit: :infinity, printable_limit: :infinity)}"
  end

  # PropEr runs in a process of its own, and can't show an exception on newer VMs.
  defp holds(fun) do
    fun.()
    true
  rescue
    error ->
      :persistent_term.put(__MODULE__, Exception.format(:error, error, __STACKTRACE__))
      false
  end

  defp turned(events), do: Enum.map(events, &turn/1)

  defp turn({name, %{"components" => %{"rotation" => rotation}} = payload}),
    do: {name, put_in(payload["components"]["rotation"], unit(rotation))}

  defp turn({name, %{"rotation" => rotation} = payload}),
    do: {name, %{payload | "rotation" => unit(rotation)}}

  defp turn(event), do: event

  defp unit([a, b, c, d] = all) when is_float(a) and is_float(b) and is_number(c) and is_number(d) do
    size = :math.sqrt(Enum.sum(Enum.map(all, &(&1 * &1))))
    if size > 0 and size < 1.0e6, do: Enum.map(all, &(&1 / size)), else: all
  rescue
    ArithmeticError -> all
  end

  defp unit(other), do: other

  defp bits(term), do: :erlang.term_to_binary(term)

  defp froms(world), do: max(World.seq(world) - 12, 0)..World.seq(world)

  # What a receiver has of a value.
  defp received(mode, world) do
    {:ok, loaded} = World.load({:packed, World.encode!(world, :snapshot, :packed)}, impl: :elixir)
    if mode == :lossless, do: assert(bits(World.snapshot(loaded)) == bits(World.snapshot(world)))
    World.snapshot(loaded)
  end

  for mode <- [:lossless, :quantised], history <- [1024, 6] do
    test "the same bytes from both, #{mode}, #{history} seqs remembered" do
      check(
        :proper.forall(:proper_types.list(Generators.events()), fn batches ->
          holds(fn ->
            start = for impl <- @impls, do: world(impl, unquote(mode), history: unquote(history))

            for events <- batches, reduce: start do
              worlds ->
                events = turned(events)
                [native, elixir] = worlds = for world <- worlds, do: World.fold!(world, events)

                assert World.encode(native, :snapshot, :packed) == World.encode(elixir, :snapshot, :packed)

                for from <- froms(native) do
                  assert {from, World.encode(native, {:diff, from}, :packed)} ==
                           {from, World.encode(elixir, {:diff, from}, :packed)}
                end

                worlds
            end
          end)
        end)
      )
    end
  end

  for mode <- [:lossless, :quantised], impl <- @impls do
    test "a diff applied to the snapshot it starts from gives the snapshot it ends at, #{mode}, #{impl}" do
      check(
        :proper.forall({Generators.events(), Generators.events(), Generators.events()}, fn {before, then,
                                                                                            later} ->
          holds(fn ->
            sender = World.fold!(world(:native, unquote(mode), history: 4096), turned(before))
            {:ok, replica} = load(sender, unquote(impl))
            {:ok, copy} = World.copy(sender)
            from = World.seq(sender)
            sender = World.fold!(sender, turned(then))
            replica = follow(replica, sender, from, unquote(mode))
            copy = apply_frame(copy, sender, from)
            assert_near(copy, sender, unquote(mode))
            from = World.seq(sender)
            sender = World.fold!(sender, turned(later))
            follow(replica, sender, from, unquote(mode))
          end)
        end)
      )
    end
  end

  defp load(sender, impl),
    do:
      World.load({:packed, World.encode!(sender, :snapshot, :packed)}, impl: impl, rules: Generators.rules())

  defp apply_frame(replica, sender, from) do
    {:ok, replica, _} = World.apply_diff(replica, {:packed, World.encode!(sender, {:diff, from}, :packed)})
    replica
  end

  defp follow(replica, sender, from, mode) do
    replica = apply_frame(replica, sender, from)
    assert World.seq(replica) == World.seq(sender)
    assert bits(World.snapshot(replica)) == bits(received(mode, sender))
    assert names(replica) == names(sender)
    replica
  end

  defp names(world) do
    {:ok, frame} = Wire.decode(World.encode!(world, :snapshot, :packed))
    for entity <- frame["entities"], do: {entity["handle"], entity["id"]}
  end

  # A copy has exactly what has not changed since, and the rest as a receiver has it; or what a receiver gets the same for as for the new
  # value: then the diff does not show it.
  defp assert_near(copy, sender, mode) do
    exact = World.snapshot(sender)
    [received, had] = for world <- [sender, copy], do: received(mode, world)
    assert Map.keys(World.snapshot(copy)) == Map.keys(exact)

    for {id, components} <- World.snapshot(copy) do
      assert Map.keys(components) == Map.keys(exact[id])

      for {name, value} <- components,
          do: assert(value in [exact[id][name], received[id][name]] or had[id][name] == received[id][name])
    end
  end

  # A receiver has -4.5 for both values. (Found by chance, in the test above.)
  test "a change within a step is not in the diff" do
    sender =
      World.fold!(world(:native, :quantised), [
        {"create", %{"entity_id" => "d", "components" => %{"ratio" => -4.537}}}
      ])

    {:ok, copy} = World.copy(sender)
    sender = World.fold!(sender, [{"update", %{"entity_id" => "d", "components" => %{"ratio" => -4.443}}}])
    copy = apply_frame(copy, sender, 1)
    assert_near(copy, sender, :quantised)
    assert_in_delta World.get(copy, "d")["ratio"], -4.537, 0.001
  end

  test "a diff of several batches is what one follows in any steps" do
    check(
      :proper.forall({Generators.events(), Generators.events(), Generators.events()}, fn {a, b, c} ->
        holds(fn ->
          sender = World.fold!(world(:native, :quantised, history: 4096), turned(a))
          {:ok, slow} = load(sender, :native)
          {:ok, fast} = load(sender, :elixir)
          first = World.seq(sender)
          sender = World.fold!(sender, turned(b))
          fast = apply_frame(fast, sender, first)
          second = World.seq(sender)
          sender = World.fold!(sender, turned(c))
          fast = apply_frame(fast, sender, second)
          slow = apply_frame(slow, sender, first)
          assert World.snapshot(fast) == World.snapshot(slow)
        end)
      end)
    )
  end

  test "events: a packed batch folds as the list does" do
    check(
      :proper.forall(:proper_types.list(Generators.events()), fn batches ->
        holds(fn ->
          for mode <- [:lossless, :quantised] do
            opts = [history: 20, max_entities: 6, max_value_bytes: 60, max_undeclared: 4]
            start = {world(:native, mode, opts), world(:native, mode, opts), world(:elixir, mode, opts)}

            for events <- batches, reduce: start do
              {by_list, native, elixir} ->
                events =
                  Enum.filter(events, &match?({:ok, _}, Wire.encode_events([&1], schema: schema(mode))))

                {:ok, frame} = Wire.encode_events(events, schema: schema(mode))
                {:ok, by_list, report} = World.fold(by_list, events)
                {:ok, native, packed} = World.fold(native, {:packed, frame})
                {:ok, elixir, oracle} = World.fold(elixir, {:packed, frame})
                assert same_report(packed) == same_report(report)
                assert same_report(oracle) == same_report(report)
                assert bits(World.snapshot(native)) == bits(World.snapshot(by_list))
                assert bits(World.snapshot(elixir)) == bits(World.snapshot(by_list))
                assert World.seq(native) == World.seq(by_list)
                from = max(World.seq(native) - 9, 0)
                assert World.diff(native, from) == World.diff(by_list, from)
                {:ok, decoded} = Wire.decode(frame, schema: schema(mode))
                assert {:ok, frame} == Wire.encode_events(decoded["events"], schema: schema(mode))
                {by_list, native, elixir}
            end
          end
        end)
      end)
    )
  end

  # Which of a term's several errors is reported is not fixed.
  defp same_report(report) do
    update_in(report.rejected, fn rejected ->
      for {index, error} <- rejected do
        if error.reason in [:too_large, :number_out_of_range],
          do: {index, error.component},
          else: {index, error}
      end
    end)
  end

  test "events by handle: who is gone is orphaned, whoever has the handle now" do
    for impl <- @impls do
      world = World.new!(impl: impl)

      world =
        World.fold!(
          world,
          for(id <- ["a", "b", "c"], do: {"create", %{"entity_id" => id, "components" => %{"health" => 1}}})
        )

      known = World.seq(world)
      hit = fn id, health -> {"update", %{"entity_id" => id, "components" => %{"health" => health}}} end
      handles = %{"a" => 0, "b" => 1, "c" => 2}

      {:ok, frame} =
        Wire.encode_events([hit.("a", 2), hit.("b", 3), {"delete", %{"entity_id" => "c"}}],
          handles: handles,
          known: known
        )

      world =
        World.fold!(world, [
          {"delete", %{"entity_id" => "b"}},
          {"create", %{"entity_id" => "new", "components" => %{}}}
        ])

      {:ok, world, report} = World.fold(world, {:packed, frame})
      assert {report.folded, report.orphaned} == {3, 1}
      assert World.snapshot(world) == %{"a" => %{"health" => 2}, "new" => %{}}

      {:ok, ahead} = Wire.encode_events([hit.("a", 2)], handles: handles, known: 100)
      assert {:error, %{reason: :seq_ahead, offset: 1}} = World.fold(world, {:packed, ahead})
      assert World.seq(world) == 8
    end
  end

  test "events: a frame with more or fewer events than it says is refused, by its last byte" do
    move = fn x -> {"update", %{"entity_id" => "a", "components" => %{"position" => [x, 2, 3]}}} end
    # Runs of plain updates, which are checked together, with other events between them.
    events = Enum.intersperse(for(x <- 1..12, do: move.(x)), {"delete", %{"entity_id" => "b"}})
    events = Enum.map(1..5, move) ++ [{"noticed", %{"what" => "a"}}] ++ Enum.map(1..5, move) ++ events
    count = length(events)
    {:ok, frame} = Wire.encode_events(events, [])
    # 0x13, known, seq, the schema's tag, the texts, and then how many events there are: all of them a byte.
    <<head::binary-4, texts, rest::binary>> = frame

    at = Enum.reduce(1..texts, 0, fn _, at -> at + 1 + :binary.at(rest, at) end)
    <<texts_bytes::binary-size(at), ^count, body::binary>> = rest

    for impl <- @impls do
      world = World.new!(impl: impl) |> World.fold!([{"create", %{"entity_id" => "a", "components" => %{}}}])

      for said <- 0..(count + 3), said != count do
        lying = head <> <<texts>> <> texts_bytes <> <<said>> <> body
        assert {:error, %{reason: :invalid_frame}} = World.fold(world, {:packed, lying})
      end

      assert {:ok, _, %{folded: folded, rejected_count: 1}} = World.fold(world, {:packed, frame})
      assert folded == count - 1
    end
  end

  test "a world that follows is a world: it folds on, and gives new entities the lowest free handles" do
    for impl <- @impls do
      events = for i <- 0..9, do: {"create", %{"entity_id" => "e#{i}", "components" => %{"health" => i}}}

      sender =
        World.new!()
        |> World.fold!(events)
        |> World.fold!(for(i <- [2, 7], do: {"delete", %{"entity_id" => "e#{i}"}}))

      {:ok, world} = World.load({:packed, World.encode!(sender, :snapshot, :packed)}, impl: impl)

      world =
        World.fold!(
          world,
          for(id <- ["x", "y", "z"], do: {"create", %{"entity_id" => id, "components" => %{"health" => 0}}})
        )

      assert for({id, _} <- World.query(world, ["health"]), do: id) == ~w(e0 e1 x e3 e4 e5 e6 y e8 e9 z)
    end
  end

  # Its handles are those of the world it follows: where all of a page's entities are gone, it has no such page.
  test "a world that follows can be read everywhere, although it lacks pages" do
    create =
      for i <- 1..300, do: {"create", %{"entity_id" => "e#{i}", "components" => %{"health" => i, "n" => i}}}

    delete = for i <- 1..299, do: {"delete", %{"entity_id" => "e#{i}"}}
    leader = World.fold!(World.new!(), create ++ delete)
    frame = World.encode!(leader, :snapshot, :packed)

    seen =
      for impl <- [:native, :port, :elixir] do
        {:ok, world} = World.load({:packed, frame}, impl: impl)
        assert World.snapshot(world) == World.snapshot(leader)
        from = World.seq(world)

        for by <- [:entity, :component, :kind], what <- [:snapshot, {:diff, from}] do
          text = World.encode!(world, what, :json, by: by)
          if what == :snapshot, do: assert(text == World.encode!(leader, :snapshot, :json, by: by))
        end

        assert World.query(world, ["health"]) == World.query(leader, ["health"])
        world = World.fold!(world, [{"create", %{"entity_id" => "new", "components" => %{"n" => 1}}}])
        texts = for by <- [:entity, :component, :kind], do: World.encode!(world, {:diff, from}, :json, by: by)
        {texts, World.diff(world, from), World.encode!(world, {:diff, from}, :packed), World.snapshot(world)}
      end

    assert [same, same, same] = seen
  end

  test "large frames: folded in slices, loaded and applied away from normal schedulers" do
    ids = for i <- 1..20_000, do: "entity-#{i}"

    creates =
      for id <- ids,
          do: {"create", %{"entity_id" => id, "components" => %{"position" => [1, 2, 3], "n" => id}}}

    moves = for id <- ids, do: {"update", %{"entity_id" => id, "components" => %{"position" => [1, 2, 4]}}}
    {:ok, first} = Wire.encode_events(creates)
    {:ok, second} = Wire.encode_events(moves ++ moves ++ moves)
    assert byte_size(first) > 512 * 1024

    world = World.new!(history: 100_000)
    {:ok, world, report} = World.fold(world, {:packed, first})
    assert report.folded == 20_000
    from = World.seq(world)
    {:ok, replica} = World.load({:packed, World.encode!(world, :snapshot, :packed)})
    {:ok, world, report} = World.fold(world, {:packed, second})
    assert {report.folded, report.rejected_count} == {60_000, 0}
    {:ok, replica, _} = World.apply_diff(replica, {:packed, World.encode!(world, {:diff, from}, :packed)})
    assert World.snapshot(replica) == World.snapshot(world)
    assert World.get(world, "entity-7") == %{"position" => [1.0, 2.0, 4.0], "n" => "entity-7"}
  end

  # ---- bad input ----

  defp some_frames do
    sender = World.fold!(world(:native, :quantised), some_events())
    seq = World.seq(sender)
    {:ok, before} = World.copy(sender)

    sender =
      World.fold!(sender, [
        {"update",
         %{
           "entity_id" => "a1",
           "components" => %{"position" => [1.25, 2, 3], "n1" => nil, "n2" => "é", "label" => nil}
         }},
        {"update",
         %{
           "entity_id" => "player-with-a-long-id-7",
           "components" => %{"rotation" => [0, 0.61, 0, 0.79], "exact" => [1, 1.0e9]}
         }},
        {"delete", %{"entity_id" => "b"}},
        {"create", %{"entity_id" => "new", "components" => %{"tags" => ["a", "b"], "alive" => true}}}
      ])

    {:ok, events} = Wire.encode_events(some_events(), schema: quantised())

    {before,
     %{
       snapshot: World.encode!(sender, :snapshot, :packed),
       diff: World.encode!(sender, {:diff, seq}, :packed),
       events: events
     }}
  end

  defp some_events do
    [
      {"create",
       %{
         "entity_id" => "a1",
         "components" => %{"position" => [1, 2, 3], "n1" => [1, %{"k" => 2.5}], "label" => "red"},
         "at" => 5
       }},
      {"create",
       %{
         "entity_id" => "player-with-a-long-id-7",
         "components" => %{"rotation" => [0, 0.6, 0, 0.8], "exact" => [1, 2], "health" => -3}
       }},
      {"create",
       %{"entity_id" => "b", "components" => %{"kind" => "door", "ratio" => 0.5, "position" => "no"}}},
      {"scored", %{"id" => "a1", "points" => 5, "seq" => 9}},
      {"delete", %{"entity_id" => "nobody"}}
    ]
  end

  defp use_frame(:snapshot, frame, _, impl), do: World.load({:packed, frame}, impl: impl)
  defp use_frame(:diff, frame, world, _), do: World.apply_diff(world, {:packed, frame})
  defp use_frame(:events, frame, world, _), do: World.fold(world, {:packed, frame})

  test "a frame that is cut anywhere is an error that says where, and changes nothing" do
    {before, frames} = some_frames()

    for impl <- @impls, {kind, frame} <- frames, size <- 0..(byte_size(frame) - 1) do
      world = receiver(before, impl)
      assert {:error, error} = use_frame(kind, binary_part(frame, 0, size), world, impl)
      assert error.reason == :invalid_frame and error.offset in 0..size, inspect({kind, size, error})

      if rem(size, 10) == 0,
        do:
          assert(
            World.encode!(world, :snapshot, :packed) ==
              World.encode!(receiver(before, impl), :snapshot, :packed)
          )
    end
  end

  defp receiver(before, impl) do
    {:ok, world} = load(before, impl)
    world
  end

  for impl <- [:native, :port, :elixir] do
    test "nothing of a refused snapshot is loaded: the same world takes the whole one, #{impl}" do
      {_, %{snapshot: frame}} = some_frames()
      {:ok, start} = Wire.decode(frame)
      {:ok, expected} = World.load({:packed, frame}, impl: :elixir)
      module = Roomfold.Projection.module(unquote(impl))

      limits = %{
        seq: start["seq"],
        history: 16,
        max_entities: 100,
        max_value_bytes: 1000,
        max_undeclared: 8
      }

      for size <- (byte_size(frame) - 1)..0//-5 do
        {:ok, state} = module.new(start["schema"], Generators.rules(), limits)
        bad = binary_part(frame, 0, size)
        assert {:error, %{reason: :invalid_frame}} = module.load(state, {:packed, bad})
        assert {:ok, %{count: 0}} = module.info(state)
        assert {:ok, snapshot} = module.snapshot(state, :entity)
        assert snapshot == %{}
        {:ok, state, _} = module.load(state, {:packed, frame})
        assert {:ok, snapshot} = module.snapshot(state, :entity)
        assert bits(snapshot) == bits(World.snapshot(expected))
      end
    end
  end

  test "both say the same of frames with changed bytes" do
    {before, frames} = some_frames()
    :rand.seed(:exsss, {1, 2, 3})

    for {kind, frame} <- frames, _ <- 1..(@runs * 10) do
      at = :rand.uniform(byte_size(frame)) - 1
      <<head::binary-size(at), byte, rest::binary>> = frame
      bad = <<head::binary, Bitwise.bxor(byte, Bitwise.bsl(1, :rand.uniform(8) - 1)), rest::binary>>
      [native, elixir] = for impl <- @impls, do: outcome(use_frame(kind, bad, receiver(before, impl), impl))
      assert native == elixir, inspect({kind, at, bad, native, elixir}, limit: :infinity)
    end
  end

  defp outcome({:ok, world}), do: {:ok, bits(World.snapshot(world)), World.encode!(world, :snapshot, :packed)}

  defp outcome({:ok, world, report}),
    do: {outcome({:ok, world}), report.folded, report.orphaned, report.rejected_count}

  defp outcome({:error, error}), do: error.reason

  test "frames of others, or for others, are refused" do
    {before, frames} = some_frames()

    for impl <- @impls do
      world = receiver(before, impl)

      assert {:error, %{reason: :unknown_version, offset: 0}} =
               World.apply_diff(world, {:packed, frames.snapshot})

      assert {:error, %{reason: :unknown_version, offset: 0}} = World.fold(world, {:packed, frames.diff})

      assert {:error, %{reason: :unknown_version, offset: 0}} =
               World.load({:packed, frames.events}, impl: impl)

      <<_, rest::binary>> = frames.diff

      assert {:error, %{reason: :unknown_version}} =
               World.apply_diff(world, {:packed, <<0x22, rest::binary>>})

      other = World.fold!(World.new!(impl: impl), [{"noted", %{"seq" => World.seq(world)}}])
      assert {:error, %{reason: :schema_mismatch}} = World.apply_diff(other, {:packed, frames.diff})
      assert {:error, %{reason: :schema_mismatch}} = World.fold(other, {:packed, frames.events})
      {:ok, world, _} = World.apply_diff(world, {:packed, frames.diff})
      assert {:error, %{reason: :seq_mismatch}} = World.apply_diff(world, {:packed, frames.diff})
    end
  end

  test "limits of the receiver hold" do
    {_, frames} = some_frames()

    for impl <- @impls,
        {opts, reason} <- [
          [max_entities: 1] |> then(&{&1, :world_full}),
          {[max_undeclared: 0], :too_many_components},
          {[max_value_bytes: 2], :too_large}
        ] do
      assert {:error, %{reason: ^reason}} = World.load({:packed, frames.snapshot}, [impl: impl] ++ opts)
    end
  end

  test "input of a client goes there and back" do
    schema = quantised()
    pose = %{"position" => [1.0, -2.5, 1.0e9], "rotation" => [0.0, 0.0, 0.0, 1.0]}

    input = %{
      "ack" => 12,
      "input" => 3,
      "head" => pose,
      "right" => %{pose | "position" => [1.0, 2.0, 3.0]},
      "events" => [{"grab", %{"id" => "a"}}]
    }

    {:ok, frame} = Wire.encode_input(input, schema: schema)
    assert {:ok, decoded} = Wire.decode(frame, schema: schema)
    assert decoded["head"]["position"] == pose["position"]
    assert_in_delta Enum.at(decoded["right"]["position"], 2), 3.0, 0.01
    assert decoded["events"] == input["events"] and decoded["ack"] == 12 and decoded["input"] == 3
    refute is_map_key(decoded, "left")

    for size <- 0..(byte_size(frame) - 1),
        do:
          assert(
            {:error, %{reason: :invalid_frame}} = Wire.decode(binary_part(frame, 0, size), schema: schema)
          )
  end

  # ---- recorded matches ----

  @shared Path.expand("../../../shared/data/doom/matches", __DIR__)
  unless File.dir?(@shared),
    do: IO.puts("left out: packed frames of nine of ten matches (../shared/data/doom/matches is not there)")

  @matches if File.dir?(@shared), do: @shared, else: Path.expand("../../priv/demo", __DIR__)

  defp match_schema(:lossless), do: Schema.default()

  defp match_schema(:quantised) do
    Schema.new!(
      [
        {"position", {:f32, 3}, quantise: [step: 0.001, bounds: {-500, 500}]},
        {"rotation", {:f32, 4}, quantise: :smallest_three},
        {"velocity", {:f32, 3}, quantise: [step: 0.01]},
        {"floor", :f32, quantise: [step: 0.125]},
        {"kind", :term}
      ],
      words: ["monster", "player", "imp-", "plasma-", "type", "state", "dead"]
    )
  end

  # A diff for each tick of the game; each is applied, and every so often what came of it is compared.
  for file <- Path.wildcard(Path.join(@matches, "*.events.jsonl.gz")), mode <- [:lossless, :quantised] do
    @tag match: file, tmp_dir: true
    test "#{Path.basename(file, ".events.jsonl.gz")}: diffs lead from snapshot to snapshot, #{mode}", %{
      match: file,
      tmp_dir: tmp
    } do
      ticks =
        file
        |> File.read!()
        |> :zlib.gunzip()
        |> String.split("\n", trim: true)
        |> Enum.chunk_by(&(Regex.run(~r/"at":(\d+)/, &1) |> List.last()))

      world = World.new!(schema: match_schema(unquote(mode)), rules: Roomfold.Rules.doom())
      {:ok, replica} = load(world, :native)

      start = {world, replica, [frame_line(World.encode!(world, :snapshot, :packed))]}

      {world, replica, lines} =
        for {tick, number} <- Enum.with_index(ticks), reduce: start do
          {world, replica, lines} ->
            from = World.seq(world)
            world = World.fold!(world, {:json, Enum.join(tick, "\n")})
            frame = World.encode!(world, {:diff, from}, :packed)
            {:ok, replica, _} = World.apply_diff(replica, {:packed, frame})
            lines = [lines | frame_line(frame)]
            check? = rem(number, 500) == 0
            if check?, do: assert_match(replica, world, unquote(mode))
            {world, replica, if(check?, do: [lines | world_line(replica)], else: lines)}
        end

      assert_match(replica, world, unquote(mode))
      assert_same_in_javascript([lines | world_line(replica)], tmp)
    end
  end

  # For tests/js/frames.mjs: frames to apply, and what must have come of them.
  defp frame_line(frame), do: [~s({"frame":"), Base.encode64(frame), ~s("}\n)]

  # Numbers as they are, not as short as a binary32 may be written.
  defp world_line(world),
    do: [JSON.encode!(%{"seq" => World.seq(world), "entities" => World.snapshot(world)}), "\n"]

  @node System.find_executable("node")
  unless @node, do: IO.puts("left out: packed frames of the matches in JavaScript (node is not installed)")

  defp assert_same_in_javascript(lines, folder) do
    if @node do
      file = Path.join(folder, "frames.jsonl")
      File.write!(file, lines)
      script = Path.expand("../js/frames.mjs", __DIR__)
      assert {_, 0} = System.cmd(@node, [script, file], stderr_to_stdout: true)
    end
  end

  defp assert_match(replica, world, mode) do
    {:ok, received} = load(world, :native)
    assert World.snapshot(replica) == World.snapshot(received)
    assert World.seq(replica) == World.seq(world)

    if mode == :lossless,
      do: assert(World.snapshot(replica) == World.snapshot(world)),
      else: assert_bound(replica, world)
  end

  # A millimetre's half, and what binary32 adds.
  defp assert_bound(replica, world) do
    received = World.snapshot(replica)

    for {id, %{"position" => exact}} <- World.snapshot(world),
        {a, b} <- Enum.zip(exact, received[id]["position"]) do
      assert abs(a - b) <= 0.00055
    end
  end

  # ---- the vectors that decoders in other languages share ----

  @vectors Path.expand("../vectors/wire", __DIR__)

  defp vectors(name),
    do: @vectors |> Path.join(name <> ".json") |> File.read!() |> JSON.decode!(impl: :elixir)

  defp frame(%{"hex" => hex}), do: Base.decode16!(hex, case: :lower)

  # Whoever believes a frame that says it is large dies here: 32 MB are a thousand times what the largest of them needs.
  defp in_small_heap(fun) do
    {pid, ref} =
      spawn_monitor(fn ->
        Process.flag(:max_heap_size, %{size: 4_000_000, kill: true, error_logger: false})
        exit({:outcome, fun.()})
      end)

    receive do
      {:DOWN, ^ref, :process, ^pid, {:outcome, outcome}} -> outcome
      {:DOWN, ^ref, :process, ^pid, reason} -> flunk("the reader died: #{inspect(reason)}")
    end
  end

  for impl <- @impls do
    test "shared vectors: streams, #{impl}" do
      for %{"name" => name, "steps" => [first | steps]} <- vectors("streams") do
        {:ok, world} = World.load({:packed, frame(first)}, impl: unquote(impl))
        assert {name, World.seq(world), World.snapshot(world)} == {name, first["seq"], first["entities"]}

        for step <- steps, reduce: world do
          world ->
            assert World.seq(world) == step["from"]
            {:ok, world, _} = World.apply_diff(world, {:packed, frame(step)})
            assert {name, World.seq(world), World.snapshot(world)} == {name, step["seq"], step["entities"]}
            world
        end
      end
    end

    test "shared vectors: events, #{impl}" do
      for vector <- vectors("events") do
        {:ok, empty} =
          World.load({:packed, Base.decode16!(vector["snapshot"], case: :lower)},
            impl: unquote(impl),
            rules: Roomfold.Rules.doom()
          )

        events = for [name, payload] <- vector["events"], do: {name, payload}
        assert {:ok, frame(vector)} == Wire.encode_events(events, schema: empty.schema)
        {:ok, world, report} = World.fold(empty, {:packed, frame(vector)})
        assert {report.folded, report.rejected_count} == {vector["folded"], vector["rejected"]}
        assert World.snapshot(world) == vector["entities"]
      end
    end
  end

  for impl <- [:port | @impls] do
    test "shared vectors: bad frames, #{impl}" do
      [_, _, %{"steps" => [first | _]} | _] = vectors("streams")

      for vector <- vectors("bad") do
        {:ok, world} = World.load({:packed, frame(first)}, impl: unquote(impl))
        before = World.encode!(world, :snapshot, :packed)

        outcome =
          in_small_heap(fn ->
            case frame(vector) do
              <<0x12, _::binary>> = diff -> World.apply_diff(world, {:packed, diff})
              other -> World.load({:packed, other}, impl: unquote(impl))
            end
          end)

        reason = with {:error, error} <- outcome, do: Atom.to_string(error.reason), else: (_ -> nil)
        assert {vector["name"], reason} == {vector["name"], vector["reason"]}

        if reason do
          {:error, error} = outcome
          assert error.offset in 0..byte_size(frame(vector)), "#{vector["name"]}: #{inspect(error)}"
          assert World.encode!(world, :snapshot, :packed) == before, vector["name"]
        end
      end
    end
  end

  test "shared vectors: input" do
    for vector <- vectors("inputs") do
      {:ok, %{"schema" => schema}} = Wire.decode(Base.decode16!(vector["snapshot"], case: :lower))

      sent =
        update_in(vector["input"]["events"], fn events ->
          for [name, payload] <- events, do: {name, payload}
        end)

      assert {:ok, frame(vector)} == Wire.encode_input(sent["input"], schema: schema)
      {:ok, decoded} = Wire.decode(frame(vector), schema: schema)
      events = for {name, payload} <- decoded["events"], do: [name, payload]
      assert decoded |> Map.delete("frame") |> Map.put("events", events) == vector["decoded"]
    end
  end

  test "the page is up to date" do
    assert {"", 0} = System.cmd(Path.expand("../../tools/wire-page", __DIR__), ["--check"])
  end

  test "a schema of many components: a mask's byte speaks of the first seven alone" do
    schema = Schema.new!(for number <- 0..39, do: {"c#{number}", {:f32, 3}})

    events = [
      {"create", %{"entity_id" => "a", "components" => %{"c0" => [1, 2, 3]}}},
      {"create", %{"entity_id" => "b", "components" => %{"c6" => [4, 5, 6], "c32" => [7, 8, 9]}}},
      {"update", %{"entity_id" => "a", "components" => %{"c1" => [1, 1, 1], "c39" => [2, 2, 2]}}},
      {"update", %{"entity_id" => "b", "components" => %{"c6" => [3, 2, 1]}}},
      {"create", %{"entity_id" => "c", "components" => %{"c0" => [9, 9, 9]}}}
    ]

    {:ok, frame} = Wire.encode_events(events, schema: schema)

    for impl <- @impls do
      new = fn -> World.new!(impl: impl, schema: schema) end

      assert World.snapshot(World.fold!(new.(), {:packed, frame})) ==
               World.snapshot(World.fold!(new.(), events))
    end
  end

  test "events that are none are an error with their index" do
    good = {"user_left", %{"user_id" => "tom"}}
    odd = [~D[2020-01-01], MapSet.new([1]), 1..3]

    for {events, index} <- [{[good | :end], 1}, {[good, nil], 1}] ++ for(map <- odd, do: {[{"foo", map}], 0}) do
      assert {:error, %{reason: :not_an_event, index: ^index}} = Wire.encode_events(events)
    end

    for map <- odd do
      event = {"create", %{"entity_id" => "a", "components" => map}}
      assert {:error, %{reason: :unsupported_value, index: 1}} = Wire.encode_events([good, event])
    end
  end

  test "input that is none is an error that says what of it" do
    pose = %{"position" => [1, 2, 3], "rotation" => [0, 0, 0, 1]}
    good = %{"input" => 1, "ack" => 2, "head" => pose, "events" => [{"jump", %{}}]}
    assert {:ok, frame} = Wire.encode_input(Map.merge(good, %{:a => 1, 1 => 2, {1} => nil, "left" => nil}))
    assert Wire.encode_input(good) == {:ok, frame}

    for odd <- [~D[2020-01-01], 1..2, MapSet.new(), [], nil, {:a}] do
      assert {:error, %{reason: :invalid_argument, field: nil}} = Wire.encode_input(odd)
    end

    for {key, odd} <-
          for(key <- ["input", "ack"], odd <- ["1", -1, 1.0, nil, :a, {1}, [1 | 2], 2 ** 64], do: {key, odd}) ++
            [{"ack", 2 ** 53}] ++
            for(
              key <- ["head", "left", "right"],
              odd <- [false, 5, [], {1, 2}, 1..2, [position: 1]],
              do: {key, odd}
            ) ++
            for(odd <- [nil, %{}, 5, "x", {}, 1..2], do: {"events", odd}) do
      assert {:error, %{reason: :invalid_argument, field: ^key} = error} =
               Wire.encode_input(%{good | "head" => pose} |> Map.put(key, odd))

      assert error.message =~ "got "
    end

    assert {:error, %{reason: :invalid_argument, field: "input"}} =
             Wire.encode_input(Map.delete(good, "input"))

    for odd <- [nil, {1, 2, 3}, [1, 2 | 3], ["1", 2, 3], [{1}, 2, 3], %{}] do
      assert {:error, %{reason: :wrong_type, field: "position", detail: "it takes a list of 3 numbers"}} =
               Wire.encode_input(%{good | "head" => %{pose | "position" => odd}})
    end

    for {event, reason} <- [
          {nil, :not_an_event},
          {{:jump, %{}}, :not_an_event},
          {{"jump", ~D[2020-01-01]}, :not_an_event},
          {{"jump", %{a: 1}}, :not_an_event},
          {{"jump", []}, :not_an_event},
          {{"jump", %{"a" => %{1 => 2}}}, :unsupported_value},
          {{"jump", %{"a" => {1, {2}}}}, :unsupported_value},
          {{"jump", %{"a" => [1 | 2]}}, :unsupported_value},
          {{<<255>>, %{}}, :invalid_utf8}
        ] do
      assert {:error, %{reason: ^reason, index: 1}} =
               Wire.encode_input(%{good | "events" => [{"jump", %{}}, event]})

      assert {:error, %{reason: ^reason, index: 1}} = Wire.encode_events([{"jump", %{}}, event])
    end

    assert {:error, %{reason: :not_an_event, index: 1}} =
             Wire.encode_input(%{good | "events" => [{"jump", %{}} | :end]})
  end

  test "options of frames that mean nothing raise what they should be" do
    event = {"update", %{"entity_id" => "a", "components" => %{}}}

    for {opts, message} <- [
          {[known: -5], ":known is a seq, got -5"},
          {[handles: 5], ":handles is a map of ids, got 5"},
          {[handles: %{"a" => :x}], ~s(the handle of "a" is an integer from 0, got the atom :x)},
          {[schema: 5], ":schema must be a Roomfold.Schema, got 5"}
        ] do
      assert_raise ArgumentError, message, fn -> Wire.encode_events([event], opts) end
    end

    assert_raise ArgumentError, ":schema must be a Roomfold.Schema, got 5", fn ->
      Wire.encode_input(%{"input" => 1}, schema: 5)
    end
  end
end
