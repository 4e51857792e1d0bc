defmodule Roomfold.Conformance do
  @moduledoc """
  What every implementation of `Roomfold.Projection` must do: the vectors of `tests/vectors/events`, and the contract of a world.

      defmodule MyProjectionTest do
        use Roomfold.Conformance, impl: MyProjection
      end

  A vector is a JSON file: a list of cases, each with `name`, `events` (a list of `[name, payload]`), or `text` (a string of JSON), perhaps
  `schema`, `rules` (their JSON forms; by default the DOOM rules), `options` and `before` (events folded first), and what must come of it: `snapshot`, `report`
  (the counts that are not 0), `rejected` (`[index, reason, about, offset]`), `seq`, `diff` (from the seq after `before`), `by_kind`, `by_component`.
  """

  @vectors Path.expand("../../vectors/events", __DIR__)

  defmacro __using__(opts) do
    files = Path.wildcard(Path.join(@vectors, "*.json"))

    quote do
      use ExUnit.Case, async: true
      alias Roomfold.{Conformance, World}

      @impl_under_test unquote(opts[:impl])

      for file <- unquote(files) do
        @external_resource file
        for vector <- Roomfold.Conformance.read(file) do
          @tag vector: vector
          test "#{Path.basename(file, ".json")}: #{vector["name"]}", %{vector: vector} do
            Conformance.check(vector, @impl_under_test)
          end
        end
      end

      test "a world that has been folded on is an error, whatever it is asked" do
        world = World.new!(impl: @impl_under_test)
        new = World.fold!(world, [{"user_joined", %{"user_id" => "tom"}}])
        assert {:error, %{reason: :folded_on}} = World.fold(world, [])
        assert {:error, %{reason: :folded_on}} = World.diff(world, 0)
        assert {:error, %{reason: :folded_on}} = World.copy(world)
        assert {:error, %{reason: :folded_on}} = World.apply_diff(world, World.diff!(new, 0))

        for read <- [
              &World.seq/1,
              &World.count/1,
              &World.info/1,
              &World.snapshot/1,
              &World.get(&1, "tom"),
              &World.query(&1, [])
            ] do
          assert_raise Roomfold.Error, ~r/folded on/, fn -> read.(world) end
        end

        assert inspect(world) =~ "folded on"
        assert World.get(new, "tom") == %{}
      end

      test "only one of two that fold the same world gets it" do
        world = World.new!(impl: @impl_under_test)

        folds =
          for id <- 1..8,
              do: Task.async(fn -> World.fold(world, [{"user_joined", %{"user_id" => "user#{id}"}}]) end)

        {won, lost} = folds |> Task.await_many() |> Enum.split_with(&match?({:ok, _, _}, &1))
        assert [{:ok, world, _}] = won
        assert Enum.all?(lost, &match?({:error, %{reason: :folded_on}}, &1))
        assert World.count(world) == 1
      end

      test "any process may read the newest version" do
        world = World.fold!(World.new!(impl: @impl_under_test), [{"user_joined", %{"user_id" => "tom"}}])
        reads = for _ <- 1..8, do: Task.async(fn -> World.get(world, "tom") end)
        assert Enum.uniq(Task.await_many(reads)) == [%{}]
      end

      test "history: as far back as it goes, and no further" do
        world = World.new!(impl: @impl_under_test, history: 4, seq: 10)
        world = World.fold!(world, for(id <- 1..3, do: {"user_joined", %{"user_id" => "user#{id}"}}))
        assert {:ok, %{"creates" => creates}} = World.diff(world, 10)
        assert map_size(creates) == 3
        assert {:error, %{reason: :history_gone}} = World.diff(world, 9)
        assert {:error, %{reason: :seq_ahead}} = World.diff(world, 14)
        world = World.fold!(world, [{"user_left", %{"user_id" => "user1", "seq" => 20}}])
        assert {:error, %{reason: :history_gone}} = World.diff(world, 15)
        assert World.diff!(world, 16)["deletes"] == ["user1"]
      end

      test "a diff is applied where it starts, or not at all" do
        world = World.fold!(World.new!(impl: @impl_under_test), [{"user_joined", %{"user_id" => "tom"}}])
        {:ok, copy} = World.copy(world)
        diff = World.diff!(world, 0)
        assert {:error, %{reason: :seq_mismatch}} = World.apply_diff(copy, diff)
        assert {:error, %{reason: :invalid_diff}} = World.apply_diff(copy, %{"from" => 1})
        assert {:error, %{reason: :invalid_diff}} = World.apply_diff(copy, %{diff | "creates" => %{1 => %{}}})
        assert {:error, %{reason: :invalid_diff}} = World.apply_diff(copy, %{diff | "deletes" => "tom"})
        assert World.snapshot(copy) == %{"tom" => %{}}
      end

      test "a snapshot that does not fit is refused" do
        load = &World.load(&1, impl: @impl_under_test)

        assert {:error, %{reason: :invalid_snapshot, component: "position"}} =
                 load.(%{"a" => %{"position" => "here"}})

        assert {:error, %{reason: :invalid_snapshot}} = load.(%{"" => %{}})
        assert {:error, %{reason: :invalid_snapshot}} = load.(%{"a" => []})
        assert {:error, %{reason: :invalid_snapshot}} = load.(%{1 => %{}})
      end

      test "delivering twice is harmless" do
        events = [
          {"user_joined", %{"user_id" => "tom", "seq" => 1}},
          {"user_left", %{"user_id" => "tom", "seq" => 2}}
        ]

        world = World.fold!(World.new!(impl: @impl_under_test), events)
        {:ok, world, report} = World.fold(world, events)
        assert {report.stale, report.folded, World.seq(world), World.count(world)} == {2, 0, 2, 0}
      end

      test "reports keep a thousand entries and count them all" do
        {:ok, _, report} =
          World.fold(World.new!(impl: @impl_under_test), List.duplicate({"nobody_knows", %{}}, 1_500))

        assert {length(report.rejected), report.rejected_count} == {1_000, 1_500}
        assert {999, %{index: 999, reason: :unknown_event}} = List.last(report.rejected)
      end

      test "hostile input makes no atoms" do
        world = World.new!(impl: @impl_under_test)
        before = :erlang.system_info(:atom_count)

        events =
          for i <- 1..500,
              do: {"update", %{"entity_id" => "i#{i}", "components" => %{"never_seen_#{i}" => "x#{i}"}}}

        World.fold!(world, events)
        assert :erlang.system_info(:atom_count) - before < 50
      end
    end
  end

  import ExUnit.Assertions
  alias Roomfold.{JSON, Rules, Schema, World}

  def read(file), do: file |> File.read!() |> JSON.decode!(impl: :elixir)

  def check(vector, impl) do
    world = vector |> world(impl) |> fold!(Map.get(vector, "before", []))
    from = World.seq(world)
    {:ok, world, report} = World.fold(world, input(vector))

    expected =
      Map.merge(%{"folded" => 0, "orphaned" => 0, "stale" => 0, "gaps" => 0}, vector["report"] || %{})

    found =
      Map.new(expected, fn {count, _} -> {count, Map.fetch!(report, String.to_existing_atom(count))} end)

    assert found == expected, inspect(report)

    rejected =
      for {index, error} <- report.rejected,
          do: [index, to_string(error.reason), error.component || error.field, error.offset]

    assert rejected == Enum.map(Map.get(vector, "rejected", []), &Enum.take(&1 ++ [nil, nil], 4))
    assert report.rejected_count == length(rejected)

    for {key, ask} <- [
          {"snapshot", &World.snapshot/1},
          {"by_kind", &World.snapshot(&1, by: :kind)},
          {"by_component", &World.snapshot(&1, by: :component)},
          {"seq", &World.seq/1},
          {"diff", &World.diff!(&1, from)}
        ],
        is_map_key(vector, key) do
      assert_bits(ask.(world), vector[key], key)
    end
  end

  # 0.0 is not -0.0.
  defp assert_bits(found, expected, what) do
    assert found === expected, "#{what}: #{inspect(found)}, expected #{inspect(expected)}"
    assert :erlang.term_to_binary(found) == :erlang.term_to_binary(expected), what
  end

  defp world(vector, impl) do
    schema =
      if form = vector["schema"],
        do: ok!(Schema.from_json(JSON.encode!(form, impl: :elixir))),
        else: Schema.default()

    rules =
      if form = vector["rules"], do: Rules.from_json!(JSON.encode!(form, impl: :elixir)), else: Rules.doom()

    options = for {name, value} <- Map.get(vector, "options", %{}), do: {String.to_existing_atom(name), value}
    World.new!([impl: impl, schema: schema, rules: rules] ++ options)
  end

  defp ok!({:ok, value}), do: value

  defp fold!(world, []), do: world
  defp fold!(world, events), do: World.fold!(world, Enum.map(events, &List.to_tuple/1))

  defp input(%{"text" => text}), do: {:json, text}
  defp input(%{"text_hex" => hex}), do: {:json, Base.decode16!(hex, case: :mixed)}
  defp input(%{"events" => events}), do: Enum.map(events, &if(is_list(&1), do: List.to_tuple(&1), else: &1))
end
