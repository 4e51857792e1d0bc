defmodule Roomfold.ListTest do
  @moduledoc "Lists of events are read a group at a time: whatever stands beside an event, it is folded as by itself."
  use ExUnit.Case, async: true

  alias Roomfold.{Rules, Schema, World}

  @schema Schema.new!([
            {"position", {:f32, 3}},
            {"rotation", {:f32, 4}},
            {"speed", :f64},
            {"matrix", {:f32, 16}},
            {"hp", :f64},
            {"mp", :f64},
            {"a_name_of_many_bytes_a", {:f32, 2}},
            {"a_name_or_many_bytes_a", {:f32, 2}}
          ])

  defp rules do
    Rules.new!(%{
      "moved" => [{:update, "who", %{"position" => {:field, "to"}, "speed" => {:field, "fast"}}}],
      "named" => [{:update, "who", %{"name" => {:field, "as"}}}]
    })
  end

  defp update(id, components), do: {"update", %{"entity_id" => id, "components" => components}}
  defp plain(i), do: update("e#{rem(i, 5)}", %{"position" => [i, 0.5, -i], "rotation" => [0, 0, 0, i * 1.0]})

  # Own keys and names, as decoded events have.
  defp outside(event), do: event |> :erlang.term_to_binary() |> :erlang.binary_to_term()

  defp specimens do
    full = %{
      "position" => [1.5, 2, 3],
      "rotation" => [0, 0, 0, 1],
      "speed" => 2,
      "matrix" => Enum.to_list(1..16)
    }

    [
      {"create", %{"entity_id" => "new", "components" => full}},
      {"create", %{"entity_id" => "new", "components" => %{}}},
      {"create", %{"entity_id" => "e1", "components" => %{"speed" => 1.25}}},
      {"delete", %{"entity_id" => "e2"}},
      {"delete", %{"entity_id" => "nobody", "components" => %{"position" => 1}}},
      {"delete", %{}},
      update("e1", full),
      update("nobody", full),
      update("", full),
      update(<<255>>, full),
      update(:e1, full),
      update("e1", %{"position" => [1, 2]}),
      update("e1", %{"position" => [1, 2, 3, 4]}),
      update("e1", %{"position" => [1, 2 | 3]}),
      update("e1", %{"position" => []}),
      update("e1", %{"position" => 1.0, "rotation" => [0, 0, 0, 1]}),
      update("e1", %{"position" => [1, "2", 3]}),
      update("e1", %{"position" => [1, 1.0e39, 3]}),
      update("e1", %{"position" => [1, 9_007_199_254_740_993, 3]}),
      update("e1", %{"position" => [1, 2 ** 70, 3]}),
      update("e1", %{"speed" => [1]}),
      update("e1", %{"hp" => 1, "position" => [7, 7, 7]}),
      update("e1", %{"mp" => 2.5, "position" => [7, 7, 8]}),
      update("e1", %{"hp" => 3, "mp" => 4}),
      update("e1", %{"a_name_of_many_bytes_a" => [1, 2]}),
      update("e1", %{"a_name_or_many_bytes_a" => [3, 4]}),
      update("e1", %{"" => 1}),
      update("e1", %{"speed" => nil, "position" => [9, 9, 9]}),
      update("e1", %{"health" => 5, "position" => [9, 9, 8]}),
      update("e1", %{1 => 2}),
      update("e1", %{}),
      update("e1", [1]),
      {"update", %{"entity_id" => "e1", "seq" => 1, "components" => full}},
      {"update", %{"entity_id" => "e1", "seq" => 1_000, "components" => %{"speed" => 3}}},
      {"update", %{"entity_id" => "e1", "seq" => 0, "components" => %{"speed" => 3}}},
      {"update", %{"entity_id" => "e1", "other" => [1 | 2], "components" => %{"speed" => 4}}},
      {"update", %{"components" => %{"speed" => 4}}},
      {"update", %{:entity_id => "e1", "components" => %{}}},
      {"update", Map.new(1..9, &{"key #{&1}", &1})},
      {"update", %{}},
      {"update", "payload"},
      {"moved", %{"who" => "e1", "to" => [4, 5, 6], "fast" => 1}},
      {"moved", %{"who" => "e1", "to" => [4, 5], "fast" => 1}},
      {"moved", %{"who" => "", "to" => [4, 5, 6]}},
      {"moved", %{"to" => [4, 5, 6]}},
      {"named", %{"who" => "e1", "as" => "Anna"}},
      {"unknown", %{"who" => "e1"}},
      {"", %{"who" => "e1"}},
      {:update, %{"entity_id" => "e1"}},
      {"update", %{"entity_id" => "e1"}, 3},
      {},
      "event",
      17
    ]
  end

  defp worlds do
    creates =
      for i <- 0..4,
          do: {"create", %{"entity_id" => "e#{i}", "components" => elem(plain(i), 1)["components"]}}

    for impl <- [:native, :elixir],
        do: World.fold!(World.new!(impl: impl, schema: @schema, rules: rules()), creates)
  end

  defp same!(events) do
    [{report, native}, {oracle, elixir}] =
      for world <- worlds() do
        {:ok, world, report} = World.fold(world, events)
        {report, world}
      end

    seen = fn world -> {World.seq(world), World.snapshot(world), World.diff(world, 5)} end
    assert report == oracle
    assert :erlang.term_to_binary(seen.(native)) == :erlang.term_to_binary(seen.(elixir))
  end

  test "every kind of event at every place of a group" do
    for specimen <- specimens(), place <- 0..17 do
      {before, rest} = Enum.split(Enum.map(1..18, &plain/1), place)
      same!(before ++ [specimen | rest])
    end
  end

  test "all of them in every order, with keys and names of their own" do
    :rand.seed(:exsss, 4)
    for _ <- 1..200, do: same!(specimens() |> Enum.shuffle() |> Enum.map(&outside/1))
  end

  test "lists of every length, proper or not" do
    for length <- 0..50 do
      events = Enum.map(1..length//1, &plain/1)
      same!(events)
      if length > 0, do: same!(Enum.reduce(Enum.reverse(events), :tail, &[&1 | &2]))
    end
  end

  test "an event that needs more time than its group's slice has" do
    long = update("e1", %{"list" => Enum.to_list(1..30_000)})

    for place <- [0, 1, 15, 16, 17, 31, 40] do
      {before, rest} = Enum.split(Enum.map(1..40, &plain/1), place)
      same!(before ++ [long | rest])
      same!(before ++ [long, long | rest])
    end
  end
end
