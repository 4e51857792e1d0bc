defmodule Roomfold.Projection.NativeTest do
  use Roomfold.Conformance, impl: :native
end

defmodule Roomfold.Projection.PortTest do
  use Roomfold.Conformance, impl: :port
end

defmodule Roomfold.Projection.ElixirTest do
  use Roomfold.Conformance, impl: :elixir
end

defmodule Roomfold.ProjectionTest do
  use ExUnit.Case, async: true

  alias Roomfold.{Projection, Rules, Schema, World}

  defp events(count) do
    for i <- 1..count do
      if rem(i, 3) == 1,
        do: {"create", %{"entity_id" => "e#{rem(i, 7)}", "components" => %{"position" => [i * 0.1, 0, 1]}}},
        else: {"update", %{"entity_id" => "e#{rem(i, 7)}", "components" => %{"health" => i}}}
    end
  end

  defp reducer({"create", %{"entity_id" => id, "components" => components}}, world),
    do: Map.put(world, id, components)

  defp reducer({"update", %{"entity_id" => id, "components" => components}}, world) do
    if is_map_key(world, id), do: Map.update!(world, id, &Map.merge(&1, components)), else: world
  end

  test "compare: a reducer that agrees, whatever the size of the chunks" do
    for every <- [1, 7, 1_000] do
      assert {:ok, report} = Projection.compare(events(500), &reducer/2, every: every)
      assert report.folded == 500
    end
  end

  test "compare: the first event after which a reducer differs" do
    wrong = fn
      {"update", %{"entity_id" => "e3", "components" => %{"health" => 500}}}, world -> world
      event, world -> reducer(event, world)
    end

    assert {:different, found} = Projection.compare(events(500), wrong, every: 64)
    assert %{index: 499, id: "e3", component: "health", world: 500} = found
    assert found.event == Enum.at(events(500), 499)
  end

  test "compare: a difference that heals is seen if one looks after each event" do
    wrong = fn
      {"update", %{"entity_id" => "e3", "components" => %{"health" => 311}}}, world -> world
      event, world -> reducer(event, world)
    end

    assert {:ok, _} = Projection.compare(events(500), wrong, every: 500)
    assert {:different, %{index: 310, component: "health"}} = Projection.compare(events(500), wrong, every: 1)
  end

  test "compare: an entity that only one of them has" do
    never_deletes = fn
      {"delete", _}, world -> world
      event, world -> reducer(event, world)
    end

    stream = events(10) ++ [{"delete", %{"entity_id" => "e1"}}]

    assert {:different, %{index: 10, id: "e1", component: nil, world: nil}} =
             Projection.compare(stream, never_deletes)
  end

  test "compare: a view of what the reducer has, and the oracle in place of C" do
    reducer = fn event, {count, world} -> {count + 1, reducer(event, world)} end

    assert {:ok, _} =
             Projection.compare(events(100), reducer, initial: {0, %{}}, view: &elem(&1, 1), impl: :elixir)
  end

  test "options that are no options" do
    for impl <- [:rust, "native", nil],
        do: assert_raise(ArgumentError, ~r/impl must be :native, .* got: /, fn -> World.new(impl: impl) end)

    assert_raise ArgumentError, ~r/:history/, fn -> World.new(history: 0) end

    assert_raise ArgumentError,
                 ~r/unknown options: \[:colour\]; a world has \[:impl, .*:max_undeclared\]/,
                 fn ->
                   World.new(colour: 1)
                 end

    assert_raise ArgumentError, ~r/the options of a world are a keyword list, got the map %{}/, fn ->
      World.new(%{})
    end

    assert_raise ArgumentError, ~r/a keyword list, got the map/, fn -> World.load(%{}, %{}) end
    assert_raise ArgumentError, ~r/:rules must be/, fn -> World.new(rules: %{}) end
    assert_raise ArgumentError, ~r/:by must be/, fn -> World.snapshot(World.new!(), by: :name) end
    assert_raise ArgumentError, ~r/unknown keys \[:bi\]/, fn -> World.snapshot(World.new!(), bi: :kind) end

    for none <- [:kind, nil, %{}] do
      assert_raise ArgumentError, ~r/the options of a snapshot are a keyword list, got /, fn ->
        World.snapshot(World.new!(), none)
      end

      for format <- [:json, :packed] do
        assert_raise ArgumentError, ~r/the options of an encoding are a keyword list, got /, fn ->
          World.encode(World.new!(), :snapshot, format, none)
        end
      end
    end
  end

  test "how long it is remembered where everything was is checked before an implementation sees it" do
    for {hits, said} <- [
          {[history_ms: -1], ~r/:history_ms must be a number from 0, got: -1/},
          {[history_ms: "x"], ~r/:history_ms must be/},
          {[history_ms: 10 ** 400], ~r/:history_ms must be/},
          {[history_states: 0], ~r/:history_states must be an integer in 1..4096, got: 0/},
          {[history_states: 1.5], ~r/:history_states must be/},
          {[history_states: 4097], ~r/:history_states must be/},
          {[history: 1], ~r/unknown keys \[:history\]/},
          {%{}, ~r/the options of a world's :hits are a keyword list, got the map/},
          {:x, ~r/the options of a world's :hits are a keyword list, got the atom :x/}
        ],
        impl <- [:native, :port, :elixir] do
      assert_raise ArgumentError, said, fn -> World.new(impl: impl, hits: hits) end
    end

    for impl <- [:native, :port, :elixir],
        hits <- [[history_ms: 0], [history_states: 1], [history_states: 4096]],
        do: assert({:ok, _} = World.new(impl: impl, hits: hits))
  end

  test "rules whose constants don't fit the schema are refused by both" do
    rules = Rules.new!(%{"hurt" => [{:update, "id", %{"health" => {:value, "badly"}}}]})

    for impl <- [:native, :elixir] do
      assert {:error, %{reason: :invalid_rules}} = World.new(impl: impl, rules: rules)
      assert {:ok, _} = World.new(impl: impl, rules: rules, schema: Schema.new!([]))
    end
  end
end
