defmodule Roomfold.DefinitionsTest do
  @moduledoc "Worlds of the same schema and rules share what these compile to, and never notice."
  # Alone, as one test looks at the VM's memory.
  use ExUnit.Case

  alias Roomfold.{Native, Rules, Schema, World}

  # The number-th of many rules, each of which counts in its own steps.
  defp rules(number) do
    Rules.new!(%{
      "up" => [{:add, "id", "n", {:value, number}}],
      "#{number}" => [{:update, "id", %{"only" => {:value, number}}}]
    })
  end

  @schemas [Schema.new!(n: :i64), Schema.new!(n: :f64), Schema.new!([n: :term], words: ["only"])]

  defp schema(number), do: Enum.at(@schemas, rem(number, 3))

  defp new(impl, number), do: World.new!(impl: impl, schema: schema(number), rules: rules(number))

  @events [
    {"create", %{"entity_id" => "a", "components" => %{"n" => 1}}},
    {"up", %{"id" => "a"}},
    {"3", %{"id" => "a"}},
    {"update", %{"entity_id" => "a", "components" => %{"n" => 1.5}}},
    {"up", %{"id" => "a"}}
  ]

  # All that can be seen of what a world does with the events.
  defp seen(world, events \\ @events) do
    {:ok, world, report} = World.fold(world, events)

    {World.snapshot(world), World.encode!(world, :snapshot, :json), World.encode!(world, :snapshot, :packed),
     report}
  end

  defp expected(number), do: seen(new(:elixir, number))

  for impl <- [:native, :port] do
    test "#{impl}: equal and different ones side by side" do
      numbers = [0, 3, 1, 3, 4, 0, 2, 5, 3]
      worlds = for number <- numbers, do: {number, new(unquote(impl), number)}
      plain = World.new!(impl: unquote(impl), schema: schema(3))
      for {number, world} <- Enum.reverse(worlds), do: assert(seen(world) == expected(number))
      assert seen(plain) == seen(World.new!(impl: :elixir, schema: schema(3)))
    end

    test "#{impl}: made by many processes at once, more different ones than are kept" do
      expected = Map.new(0..39, &{&1, expected(&1)})

      1..60
      |> Task.async_stream(
        fn seed ->
          for i <- 1..10, number = rem(seed * 7 + i * i, if(rem(seed, 2) == 0, do: 4, else: 40)) do
            {number, seen(new(unquote(impl), number))}
          end
        end,
        max_concurrency: 16,
        timeout: :infinity
      )
      |> Enum.each(fn {:ok, worlds} -> for {number, seen} <- worlds, do: assert(seen == expected[number]) end)
    end

    test "#{impl}: what is shared stays when worlds that have it go" do
      kept = new(unquote(impl), 3)

      for number <- [3 | Enum.to_list(100..120)] do
        {pid, ref} =
          spawn_monitor(fn ->
            seen(new(unquote(impl), number))
            {:ok, _copy} = World.copy(new(unquote(impl), number))
          end)

        assert_receive {:DOWN, ^ref, :process, ^pid, :normal}
      end

      # 3 is no longer among those that are kept, but the world still has it.
      {:ok, copy} = World.copy(kept)
      assert seen(copy) == expected(3)
      assert seen(kept) == expected(3)
      assert seen(new(unquote(impl), 3)) == expected(3)
    end

    test "#{impl}: rules that don't fit say so as often as they are tried" do
      bad = Rules.new!(%{"up" => [{:update, "id", %{"n" => {:value, "much"}}}]})

      for _ <- 1..3 do
        assert {:error, %{reason: :invalid_rules}} =
                 World.new(impl: unquote(impl), schema: schema(0), rules: bad)
      end

      assert seen(new(unquote(impl), 0)) == expected(0)
    end
  end

  test "what does not compile is not kept, and the next error is the same" do
    limits = {0, 1, 100, 100, 4, 10}
    good = Schema.to_json(schema(0))

    for _ <- 1..2 do
      assert {:error, {:unexpected_end, _, 9}} = Native.world_new(good, ~s({"events"), limits)
      assert {:error, {:invalid_schema, "format", nil}} = Native.world_new("{}", nil, limits)
      assert {:error, {:invalid_rules, _, nil}} = Native.world_new(good, "{}", limits)
      assert {:error, {:unexpected_end, _, 0}} = Native.world_new(good, "", limits)
      assert {:ok, _, 1} = Native.world_new(good, nil, limits)
    end
  end

  test "C and Elixir write the same text" do
    for number <- 0..3, {module, value} <- [{Rules, rules(number)}, {Schema, schema(number)}] do
      assert module.to_json(value, impl: :native) == module.to_json(value)
    end

    assert Rules.to_json(Rules.doom(), impl: :native) == Rules.to_json(Rules.doom())
    quantised = Schema.new!([{"position", {:f32, 3}, quantise: [step: 0.001], decimals: 3}])
    assert Schema.to_json(quantised, impl: :native) == Schema.to_json(quantised)
  end

  test "worlds are made, used and dropped while the library is loaded again" do
    expected = Map.new(0..5, &{&1, expected(&1)})

    makers =
      for maker <- 1..4 do
        Task.async(fn ->
          for i <- 1..200,
              number = rem(maker + i, 6),
              do: assert(seen(new(:native, number)) == expected[number])
        end)
      end

    # Not by purge/1, which ends those who are still in the old code.
    for _ <- 1..20, :code.soft_purge(Native), do: assert({:module, Native} = :code.load_file(Native))
    Task.await_many(makers, :infinity)
    assert seen(new(:native, 3)) == expected[3]
  end

  # Without the VM's allocators, as under a sanitizer, it does not count.
  unless Roomfold.SQLiteCase.sanitized?() do
    test "many worlds of the same rules need hardly more memory than one" do
      rules = Rules.merge(Rules.doom(), rules(1))
      first = World.new!(rules: rules)
      before = :erlang.memory(:system)
      worlds = for _ <- 1..500, do: World.new!(rules: rules)
      used = :erlang.memory(:system) - before
      # By themselves they would take 27 KB each.
      assert used < 500 * 8_000
      assert [first | worlds] |> Enum.map(&World.seq/1) |> Enum.uniq() == [0]
    end
  end
end
