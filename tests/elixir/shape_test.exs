defmodule ShapeTest do
  # The same facts in another shape, as text too, bring a world to the same state.
  use ExUnit.Case, async: true

  alias Roomfold.{JSON, Shape, World}

  @before [
    {"create",
     %{"entity_id" => "a", "components" => %{"kind" => "bat", "health" => 3, "position" => [1, 2, 3]}}},
    {"create", %{"entity_id" => "b", "components" => %{"health" => 1}}},
    {"create", %{"entity_id" => "c", "components" => %{"note" => ["x"]}}}
  ]

  @events [
    {"update", %{"entity_id" => "a", "components" => %{"health" => 2, "position" => [0, 0, 1]}}},
    {"delete", %{"entity_id" => "b"}},
    {"create", %{"entity_id" => "d", "components" => %{"kind" => "cat", "note" => "new"}}},
    {"create", %{"entity_id" => "c", "components" => %{}}},
    {"update", %{"entity_id" => "a", "components" => %{"kind" => nil, "lit" => true}}},
    {"update", %{"entity_id" => "nobody", "components" => %{"health" => 1}}}
  ]

  for impl <- [:native, :elixir], by <- [:component, :kind] do
    test "events by #{by}, folded as text and as events (#{impl})" do
      before = World.new!(impl: unquote(impl)) |> World.fold!(@before)
      {:ok, shape} = Shape.from_events(@events, unquote(by))
      {:ok, events} = Shape.events(shape, unquote(by))
      expected = World.fold!(World.copy(before) |> elem(1), @events)

      from_events = World.fold!(World.copy(before) |> elem(1), events)
      assert World.snapshot(from_events) == World.snapshot(expected)

      {:ok, from_text, report} = World.fold(before, {:json, JSON.encode!(shape)})
      assert World.snapshot(from_text) == World.snapshot(expected)
      assert {report.folded, report.orphaned, report.rejected} == {1, 1, []}
      assert World.seq(from_text) == 4
    end
  end

  for impl <- [:native, :elixir] do
    test "a snapshot by kind is all there is (#{impl})" do
      there = World.new!(impl: unquote(impl)) |> World.fold!(@before)
      text = JSON.encode!(World.snapshot(there, by: :kind))
      other = {"create", %{"entity_id" => "other", "components" => %{}}}

      world =
        World.new!(impl: unquote(impl)) |> World.fold!([other, hd(@before)]) |> World.fold!({:json, text})

      assert World.snapshot(world) == World.snapshot(there)
    end
  end

  # The native fold takes them elsewhere, to hold up nobody.
  for form <- [:lines, :array] do
    test "objects of very many entities among events (#{form})" do
      ids = for i <- 1..2_000, do: "e#{rem(i * 7919, 10_007)}"
      items = for {id, i} <- Enum.with_index(ids), do: %{"id" => id, "n" => i, "kind" => "bat"}

      texts = [
        ~s({"event":"create","entity_id":"other","components":{}}),
        JSON.encode!(%{"bats" => items}),
        JSON.encode!(%{"health" => Map.new(ids, &{&1, 5}), "deleted" => Enum.take(ids, 1_500)}),
        ~s({"event":"create","entity_id":"last","components":{}})
      ]

      text = if unquote(form) == :lines, do: Enum.join(texts, "\n"), else: "[" <> Enum.join(texts, ",") <> "]"

      [native, elixir] =
        for impl <- [:native, :elixir] do
          {:ok, world, report} = World.fold(World.new!(impl: impl), {:json, text})
          {World.seq(world), World.encode!(world, :snapshot, :json), Map.from_struct(report)}
        end

      assert native == elixir
      assert {4, snapshot, %{folded: 4, orphaned: 1_500, rejected: []}} = native
      assert map_size(JSON.decode!(snapshot)["entities"]) == 501
    end
  end

  test "shapes 2 to 4 and back say the same" do
    for by <- [:component, :kind] do
      {:ok, shape} = Shape.from_events(@events, by)
      {:ok, events} = Shape.events(shape, by)
      assert Shape.from_events(events, by) == {:ok, shape}
      assert shape["created"] == ["c", "d"]
      assert shape["deleted"] == ["b"]
    end
  end

  test "without creates and deletes there are no lists, but by kind" do
    update = {"update", %{"entity_id" => "a", "components" => %{"health" => 1}}}
    assert Shape.from_events([update], :entity) == {:ok, %{"a" => %{"health" => 1}}}
    assert Shape.from_events([update], :component) == {:ok, %{"health" => %{"a" => 1}}}

    assert Shape.from_events([update], :kind) ==
             {:ok, %{"others" => [%{"id" => "a", "health" => 1}], "created" => [], "deleted" => []}}
  end

  test "what is of no shape" do
    for {shape, by} <- [
          {%{"deleted" => "a"}, :kind},
          {%{"created" => %{}, "health" => %{"a" => 1}}, :component},
          {%{"health" => 1}, :component},
          {%{"bats" => [%{"health" => 1}]}, :kind}
        ] do
      assert {:error, %{reason: :invalid_snapshot}} = Shape.events(shape, by)
    end

    assert {:error, %{reason: :not_an_event}} = Shape.from_events([{"monster_moved", %{}}], :kind)
  end

  test "a struct is no shape, nor a column of one" do
    for odd <- [~D[2020-01-01], MapSet.new([1]), 1..3, nil, [1]] do
      assert {:error, %{reason: :invalid_snapshot}} = Roomfold.Shape.to_entities(odd, :component)
      assert {:error, %{reason: :invalid_snapshot}} = Roomfold.Shape.to_entities(%{"a" => odd}, :component)
      assert {:error, %{reason: :invalid_snapshot}} = Roomfold.Shape.events(odd, :entity)
    end
  end

  test "what is no diff of any shape, an improper list above all" do
    head = %{"from" => 1, "seq" => 2}

    columns =
      Map.merge(head, %{"components" => %{"n" => %{"a" => 1}}, "created" => ["a"], "deleted" => ["b"]})

    kinds = Map.merge(head, %{"kinds" => %{"as" => [%{"id" => "a"}], "deleted" => ["b"]}, "created" => ["a"]})
    plain = Map.merge(head, %{"creates" => %{"a" => %{}}, "updates" => %{}, "deletes" => ["b"]})
    for diff <- [columns, kinds, plain], do: assert({:ok, %{"deletes" => ["b"]}} = Shape.diff(diff))

    no_lists = [["a" | "b"], ["a" | nil], "a", %{}, nil, {}]

    for {diff, key} <- [{columns, "created"}, {columns, "deleted"}, {kinds, "created"}, {plain, "deletes"}],
        odd <- no_lists ++ [[1], [nil], ["a", %{}]] do
      assert {:error, %{reason: :invalid_diff} = error} = Shape.diff(%{diff | key => odd})
      assert error.message =~ key
    end

    for odd <- no_lists ++ [[1], [%{}], [%{"id" => "a"} | 1]] do
      assert {:error, %{reason: :invalid_diff}} = Shape.diff(put_in(kinds["kinds"]["as"], odd))
    end

    for odd <- [[], [1 | 2], nil, 1, 1..2],
        do: assert({:error, %{reason: :invalid_diff}} = Shape.diff(put_in(columns["components"]["n"], odd)))

    for odd <- [~D[2020-01-01], 2.0, nil, [1 | 2]] do
      assert {:error, %{reason: :invalid_diff}} = Shape.diff(odd)

      for key <- ["from", "seq"],
          do: assert({:error, %{reason: :invalid_diff}} = Shape.diff(%{plain | key => odd}))

      for {diff, key} <- [{columns, "components"}, {kinds, "kinds"}, {plain, "creates"}, {plain, "updates"}],
          do: assert({:error, %{reason: :invalid_diff}} = Shape.diff(%{diff | key => odd}))
    end

    assert {:error, %{reason: :invalid_diff}} = Shape.diff(%{})
    assert {:error, %{reason: :invalid_diff}} = Shape.diff(%{plain | "from" => 2, "seq" => 1})
  end

  test "what is no snapshot, no changes and no events, an improper list above all" do
    for {shape, by} <- [
          {%{"as" => [%{"id" => "a"} | 1]}, :kind},
          {%{"created" => ["a" | 1], "as" => []}, :kind},
          {%{"deleted" => ["a" | 1]}, :component},
          {%{"as" => [~D[2020-01-01]]}, :kind}
        ] do
      assert {:error, %{reason: :invalid_snapshot}} = Shape.events(shape, by)
    end

    assert {:error, %{reason: :invalid_snapshot}} = Shape.to_entities(%{"as" => [%{"id" => "a"} | 1]}, :kind)

    assert {:error, %{reason: :invalid_snapshot}} =
             Shape.snapshot(%{"seq" => 1, "kinds" => %{"as" => [1 | 2]}})

    good = {"update", %{"entity_id" => "a", "components" => %{"n" => 1}}}

    for {events, reason, index} <- [
          {[good | 1], :not_an_event, 1},
          {[good, 5], :not_an_event, 1},
          {5, :not_an_event, 0},
          {[good, {"create", %{}}], :invalid_id, 1},
          {[good, {"delete", %{"entity_id" => 5}}], :invalid_id, 1},
          {[good, {"create", %{"entity_id" => "a", "components" => [1]}}], :invalid_components, 1},
          {[good, {"update", %{"entity_id" => "a", "components" => nil}}], :invalid_components, 1},
          {[{"create", %{"entity_id" => "a", "components" => 1..2}}], :invalid_components, 0}
        ],
        by <- [:entity, :component, :kind] do
      assert {:error, %{reason: ^reason, index: ^index}} = Shape.from_events(events, by)
    end
  end
end
