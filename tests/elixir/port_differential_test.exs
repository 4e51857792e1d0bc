defmodule Roomfold.Port.DifferentialTest do
  @moduledoc "The port against the NIF: the same core, so what is compared is all that goes through a pipe, to the bit."
  use ExUnit.Case, async: true

  alias Roomfold.{Generators, Schema, Wire, World}

  # Each call goes to another process and back: fewer runs than within one.
  @runs String.to_integer(System.get_env("RUNS", "20"))

  @options [history: 20, max_entities: 6, max_value_bytes: 60, max_undeclared: 4]

  defp both(opts) do
    for impl <- [:native, :port],
        do: World.new!([impl: impl, rules: Generators.rules(), schema: Generators.schema()] ++ opts)
  end

  # PropEr runs in a process of its own, and can't show an exception on newer VMs.
  defp check(type, fun) do
    property =
      :proper.forall(type, fn generated ->
        try do
          fun.(generated)
          true
        rescue
          error ->
            :persistent_term.put(__MODULE__, Exception.format(:error, error, __STACKTRACE__))
            false
        end
      end)

    result = :proper.quickcheck(property, [{:numtests, @runs}, {:max_size, 30}, :quiet, :long_result])

    assert result == true,
           "#{:persistent_term.get(__MODULE__, "")}\na counterexample: #{inspect(result, limit: :infinity)}"
  end

  defp same!(what, [native, port], ask), do: assert({what, bits(ask.(native))} == {what, bits(ask.(port))})
  defp bits(term), do: :erlang.term_to_binary(term)

  defp fold(worlds, input) do
    [{native, report}, {port, by_port}] =
      for world <- worlds do
        {:ok, world, report} = World.fold(world, input)
        {world, report}
      end

    assert report == by_port
    [native, port]
  end

  defp same_everything!([native, _] = worlds) do
    seq = World.seq(native)
    same!(:seq, worlds, &World.seq/1)
    for by <- [:entity, :component, :kind], do: same!({:snapshot, by}, worlds, &World.snapshot(&1, by: by))

    for from <- [seq, max(seq - 11, 0), max(seq - 25, 0), seq + 1],
        do: same!({:diff, from}, worlds, &World.diff(&1, from))

    for what <- [:snapshot, {:diff, max(seq - 11, 0)}] do
      same!({:packed, what}, worlds, &World.encode(&1, what, :packed))

      for by <- [:entity, :component, :kind],
          do: same!({:json, what, by}, worlds, &World.encode(&1, what, :json, by: by))
    end

    same!(:query, worlds, &World.query(&1, ["position", "n1", "n1"]))
    same!(:get, worlds, &World.get(&1, "a1"))
  end

  for {name, options} <- [{"", []}, {" in a small world", @options}] do
    test "lists of events, valid and hostile#{name}" do
      check(:proper_types.list(Generators.events()), fn batches ->
        batches |> Enum.reduce(both(unquote(options)), &fold(&2, &1)) |> same_everything!()
      end)
    end
  end

  test "JSON text, and objects about several entities" do
    check(:proper_types.list(:proper_types.oneof([Generators.json(), Generators.changes()])), fn texts ->
      texts |> Enum.reduce(both(@options), &fold(&2, {:json, &1})) |> same_everything!()
    end)
  end

  test "packed events, diffs, and a snapshot that was loaded" do
    check({Generators.events(), Generators.events()}, fn {before, then} ->
      good = &match?({:ok, _}, Wire.encode_events([&1], schema: Generators.schema()))
      {:ok, frame} = Wire.encode_events(Enum.filter(before, good), schema: Generators.schema())
      [native, _] = worlds = fold(both(history: 10_000), {:packed, frame})
      copies = for world <- worlds, do: elem(World.copy(world), 1)
      from = World.seq(native)
      [native, _] = worlds = fold(worlds, then)
      same_everything!(worlds)

      patched =
        for copy <- copies do
          {:ok, copy, report} = World.apply_diff(copy, World.diff!(native, from))
          assert report.rejected_count == 0
          copy
        end

      same!(:patched, [native, List.last(patched)], &World.snapshot/1)
      same!(:patched, patched, &World.encode(&1, :snapshot, :packed))

      loaded =
        for impl <- [:native, :port] do
          opts = [impl: impl, rules: Generators.rules()]
          {:ok, from_frame} = World.load({:packed, World.encode!(native, :snapshot, :packed)}, opts)
          opts = opts ++ [schema: Generators.schema(), seq: World.seq(native)]
          {:ok, from_terms} = World.load(World.snapshot(native), opts)
          {from_frame, from_terms}
        end

      same_everything!(Enum.map(loaded, &elem(&1, 0)))
      same_everything!(Enum.map(loaded, &elem(&1, 1)))
    end)
  end

  test "terms that are no JSON, and lists that the format writes as bytes" do
    schema = Schema.new!([{"v", {:f64, 3}}, {"w", :term}, {"one", {:f32, 1}}])

    values =
      [
        [1, 2, 255],
        [0, 0, 0, 0],
        ~c"abc",
        [1 | 2],
        [],
        [[]],
        {1, 2},
        self(),
        make_ref(),
        &is_list/1,
        fn -> 1 end,
        :atom,
        <<5::3>>
      ] ++
        [
          1.0e308,
          -0.0,
          0,
          5.0e-324,
          123_456_789_012_345_678_901,
          -9_223_372_036_854_775_808,
          9_223_372_036_854_775_807,
          9_223_372_036_854_775_808
        ] ++
        [
          %{"a" => %{1 => 2}},
          %{:a => 1},
          "text",
          <<255>>,
          "",
          nil,
          true,
          false,
          Map.new(1..40, &{"k#{&1}", [&1]})
        ]

    events =
      for value <- values,
          name <- ["v", "w", "one", ""],
          do: {"create", %{"entity_id" => "e", "components" => %{name => value}}}

    whole =
      values ++
        [
          {"create", []},
          {"create", %{:entity_id => "e"}},
          {:create, %{}},
          {"x", %{}, 1},
          {"create", %{"entity_id" => "e", "components" => [1, 2]}}
        ]

    for list <- Enum.map(events, &[&1]) ++ [whole, [1, 2, 3], [{"create", %{"entity_id" => "e"}} | :tail], []] do
      worlds = for impl <- [:native, :port], do: World.new!(impl: impl, schema: schema)
      same!(:snapshot, fold(worlds, list), &World.snapshot/1)
    end
  end
end
