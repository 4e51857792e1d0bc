defmodule Roomfold.HitsTest do
  use ExUnit.Case, async: true

  alias Roomfold.{Hits, Level, World}

  @box %{"shape" => "box", "radius" => 0.5, "height" => 2}

  defp create(id, position, more \\ %{}) do
    components = Map.merge(%{"position" => position, "collider" => @box}, more)
    {"create", %{"entity_id" => id, "components" => components}}
  end

  defp update(id, components), do: {"update", %{"entity_id" => id, "components" => components}}
  defp world(impl, events, opts \\ []), do: World.fold!(World.new!([impl: impl] ++ opts), events)
  defp east(more \\ %{}), do: Map.merge(%{origin: {0, 1, 0}, direction: {1, 0, 0}, range: 100}, more)

  defp ids(world, shot) do
    case Hits.cast(world, [shot]) do
      {:ok, [nil]} -> nil
      {:ok, [hits]} when is_list(hits) -> Enum.map(hits, &(&1.id || {&1.kind, &1.number}))
      {:ok, [%Hits.Hit{} = hit]} -> hit.id || {hit.kind, hit.number}
    end
  end

  for impl <- [:native, :port, :elixir] do
    describe "#{impl}" do
      @impl_under_test impl

      test "targets follow the fold" do
        world = world(@impl_under_test, [create("a", [10, 0, 0]), create("b", [20, 0, 0])])
        assert ids(world, east()) == "a"
        world = World.fold!(world, [update("a", %{"position" => [30, 0, 0]})])
        assert ids(world, east()) == "b"
        world = World.fold!(world, [update("b", %{"collider" => nil})])
        assert ids(world, east()) == "a"
        world = World.fold!(world, [update("a", %{"state" => "dead"})])
        assert ids(world, east()) == nil
        world = World.fold!(world, [create("a", [5, 0, 0])])
        assert ids(world, east()) == "a"
        world = World.fold!(world, [{"delete", %{"entity_id" => "a"}}])
        assert ids(world, east()) == nil
      end

      test "owners, layers, and all that a shot passes" do
        level = %Level{
          boxes: [{{15, 0, -1}, {16, 3, 1}, 1}],
          triangles: [{{25, 0, -9}, {25, 9, 0}, {25, 0, 9}, 1}]
        }

        world =
          world(
            @impl_under_test,
            [
              create("tom", [0, 0, 0]),
              create("shield", [2, 0, 0], %{"owner" => "tom"}),
              create("ghost", [5, 0, 0], %{"collider" => Map.put(@box, "layers", 2)}),
              create("bat", [10, 0, 0]),
              create("eve", [20, 0, 0])
            ],
            level: level
          )

        assert ids(world, east()) == "tom"
        assert ids(world, east(%{owner: "tom"})) == "ghost"
        assert ids(world, east(%{owner: "tom", mask: 1})) == "bat"
        assert ids(world, east(%{owner: "tom", pierce: true})) == ["ghost", "bat", {:box, 0}]

        assert ids(world, east(%{owner: "tom", all: true})) ==
                 ["ghost", "bat", {:box, 0}, "eve", {:triangle, 0}]

        assert ids(world, {0, 1, 0, 0, 1, 0, 50}) == "tom"
        assert ids(world, east(%{owner: "tom", mask: 4})) == nil
      end

      test "the living are in a layer of their own" do
        level = %Level{boxes: [{{15, 0, -1}, {16, 3, 1}, 0xFFFFFFFF}]}

        world =
          world(@impl_under_test, [create("shells", [5, 0, 0]), create("bat", [10, 0, 0], %{"health" => 3})],
            level: level
          )

        assert ids(world, east()) == "shells"
        assert ids(world, east(%{mask: 2})) == "bat"
        world = World.fold!(world, [update("bat", %{"health" => nil})])
        assert ids(world, east(%{mask: 2})) == {:box, 0}
      end

      test "shapes that move" do
        world = world(@impl_under_test, [create("bat", [10, 0, 1.2])])
        assert ids(world, east()) == nil

        assert ids(world, east(%{collider: %{"shape" => "sphere", "radius" => 0.75, "at" => "centre"}})) ==
                 "bat"

        assert ids(world, east(%{collider: %{"shape" => "box", "radius" => 0.75, "height" => 0.1}})) == "bat"

        {:ok, [hit]} =
          Hits.cast(world, [east(%{collider: %{"shape" => "box", "radius" => 0.75, "height" => 0.1}})])

        assert {hit.distance, hit.point, hit.normal} == {8.75, {8.75, 1.0, 0.0}, {-1.0, 0.0, 0.0}}
      end

      test "doors that entities open" do
        lines =
          ~s([{"x1":64,"y1":-64,"x2":64,"y2":64,"front":0,"back":1,"flags":4},{"x1":640,"y1":-64,"x2":640,"y2":64,"front":1,"back":null,"flags":1}])

        {:ok, level} =
          Level.from_json(~s({"sectors":[{"floor":0,"ceil":128},{"floor":0,"ceil":0}],"lines":#{lines}}))

        world = World.new!(impl: @impl_under_test, level: level)
        assert ids(world, east()) == {:wall, 0}

        world =
          World.fold!(world, [{"create", %{"entity_id" => "sector-1", "components" => %{"ceiling" => 4}}}])

        assert ids(world, east()) == {:wall, 1}
        world = World.fold!(world, [update("sector-1", %{"ceiling" => 0.5})])
        assert ids(world, east()) == {:wall, 0}
        {:ok, copy} = World.copy(world)
        assert ids(copy, east()) == {:wall, 0}
        world = World.fold!(world, [update("sector-1", %{"ceiling" => 3})])
        assert ids(world, east()) == {:wall, 1}
        world = World.fold!(world, [{"delete", %{"entity_id" => "sector-1"}}])
        assert ids(world, east()) == {:wall, 0}
      end

      test "who is near" do
        world = world(@impl_under_test, for(i <- 1..5, do: create("m#{i}", [i * 3, 0, 0])))

        near = fn radius ->
          %{position: [0, 1, 0], collider: %{"shape" => "sphere", "radius" => radius, "at" => "centre"}}
        end

        box = %{position: {6, 0, 0}, collider: %{"shape" => "box", "size" => [2, 1, 2]}}
        assert {:ok, [some, [], one]} = Hits.overlap(world, [near.(8.5), near.(1), box])
        assert Enum.map(some, & &1.id) == ["m1", "m2", "m3"]
        assert Enum.map(some, & &1.distance) == [2.5, 5.5, 8.5]
        assert Enum.map(one, & &1.id) == ["m2"]
      end

      test "the past" do
        world = world(@impl_under_test, [create("bat", [10, 0, 0])])
        assert {:ok, [{:error, %{reason: :unknown_moment}}]} = Hits.cast(world, [east(%{at: {:seq, 1}})])
        {:ok, world} = Hits.mark(world, 1_000)
        world = World.fold!(world, [update("bat", %{"position" => [10, 0, 8]})])
        {:ok, world} = Hits.mark(world, 1_100)
        world = World.fold!(world, [update("bat", %{"position" => [10, 0, 50]})])

        assert ids(world, east()) == nil
        assert {:ok, [hit]} = Hits.cast(world, [east(%{at: {:seq, 1}})])
        assert {hit.id, hit.seq, hit.blend} == {"bat", 1, 0.0}
        there = east(%{origin: {0, 1, 4}, at: {:time, 1_050}})
        assert {:ok, [hit]} = Hits.cast(world, [there])
        assert {hit.id, hit.seq, hit.blend} == {"bat", 1, 0.5}

        assert {:ok, [[hit]]} =
                 Hits.overlap(world, [%{position: {10, 0, 4}, collider: @box, at: {:time, 1_050}}])

        assert hit.id == "bat"

        for at <- [{:seq, 0}, {:seq, 3}, {:time, 999}, {:time, 1_101}] do
          assert {:ok, [{:error, %{reason: :unknown_moment, index: 0}}]} = Hits.cast(world, [east(%{at: at})])
        end

        assert {:error, %{reason: :invalid_argument, message: message}} = Hits.mark(world, 1_050)
        assert message =~ "the time is before the last mark"
        {:ok, world} = Hits.mark(world, 2_200)
        assert {:ok, [{:error, %{reason: :unknown_moment}}]} = Hits.cast(world, [east(%{at: {:seq, 1}})])
      end

      test "bad shots are answered one by one" do
        world = world(@impl_under_test, [create("bat", [10, 0, 0])])

        shots = [
          east(),
          east(%{direction: {0, 0, 0}}),
          east(%{origin: {1.0e10, 0, 0}}),
          east(%{range: -1}),
          east(%{collider: %{"shape" => "sphere", "radius" => -1}}),
          east(%{collider: %{"shape" => "capsule", "radius" => 1, "height" => 2}}),
          east(%{collider: %{"shape" => "disc"}}),
          east(%{origin: nil}),
          east(%{owner: :tom}),
          east(%{mask: -1}),
          east(%{at: {:day, 1}}),
          %{},
          :shot,
          {1, 2, 3},
          east()
        ]

        {:ok, answers} = Hits.cast(world, shots)
        assert {%Hits.Hit{id: "bat"}, %Hits.Hit{id: "bat"}} = {hd(answers), List.last(answers)}
        errors = for {:error, error} <- answers, do: {error.index, error.reason}

        assert errors == [
                 {1, :zero_direction},
                 {2, :number_out_of_range},
                 {3, :number_out_of_range},
                 {4, :invalid_collider},
                 {5, :invalid_collider},
                 {6, :invalid_argument},
                 {7, :invalid_argument},
                 {8, :invalid_argument},
                 {9, :invalid_argument},
                 {10, :invalid_argument},
                 {11, :invalid_argument},
                 {12, :invalid_argument},
                 {13, :invalid_argument}
               ]

        {:error, error} = Enum.find(answers, &match?({:error, %{field: "range"}}, &1))
        assert error.message =~ ~r/^shot 3: field "range": the number is out of range: it must be 0 or more$/
        assert {:ok, [{:error, %{reason: :invalid_argument}}]} = Hits.overlap(world, [%{position: {0, 0, 0}}])
      end

      test "a shot or a zone that is none: which key, and what is wrong with it" do
        world = world(@impl_under_test, [create("bat", [10, 0, 0])])

        for {shot, field, said} <- [
              {Map.put(east(), :onwer, "tom"), "onwer", "a shot has [:origin, :direction, :range, :owner"},
              {%{"origin" => [0, 1, 0]}, "origin", ":collider, :at], which are atoms"},
              {Map.delete(east(), :direction), "direction", "it is missing"},
              {Map.delete(east(), :range), "range", "it is missing"},
              {east(%{origin: {0, 1}}), "origin", "it must be three numbers"},
              {east(%{range: "far"}), "range", "it must be a number"},
              {east(%{owner: :tom}), "owner", "it must be an id"},
              {east(%{mask: -1}), "mask", "it must be bits"},
              {east(%{all: 1}), "all", "it must be true or false"},
              {east(%{pierce: nil}), "pierce", "it must be true or false"},
              {east(%{at: 5}), "at", "it must be {:seq, n} or {:time, ms}"},
              {east(%{collider: %{"shape" => "disc"}}), "collider", ~s(a map with "shape" => "box")},
              {:shot, nil, "a shot is a map or {ox, oy, oz, dx, dy, dz, range}"},
              {{1, 2, 3}, nil, "seven numbers"}
            ] do
          assert {:ok, [{:error, error}, %{id: "bat"}]} = Hits.cast(world, [shot, east()])
          assert %{reason: :invalid_argument, index: 0, field: ^field} = error
          assert error.message =~ ~r/^shot 0: / and error.message =~ said, error.message
        end

        assert {:ok, [{:error, %{message: message}}]} = Hits.cast(world, [{1, 2, 3}])
        assert message =~ "seven numbers"

        for {zone, field, said} <- [
              {%{position: {0, 0, 0}}, "collider", "it is missing"},
              {%{position: {0, 0, 0}, collider: @box, radius: 3}, "radius",
               "a zone has [:position, :collider, :mask, :at]"},
              {%{position: nil, collider: @box}, "position", "it must be three numbers"},
              {%{position: {0, 0, 0}, collider: nil}, "collider", "it must be a map"},
              {7, nil, "a zone is a map"}
            ] do
          assert {:ok, [{:error, error}]} = Hits.overlap(world, [zone])
          assert %{reason: :invalid_argument, field: ^field} = error
          assert error.message =~ ~r/^zone 0: / and error.message =~ said, error.message
        end
      end

      test "an entity whose collider has a shape that nobody knows is no error, and no target" do
        odd =
          {"create",
           %{
             "entity_id" => "odd",
             "components" => %{"position" => [5, 0, 0], "collider" => %{"shape" => "cube"}}
           }}

        world = World.new!(impl: @impl_under_test)
        assert {:ok, world, %{rejected: []}} = World.fold(world, [odd])
        assert {:ok, [nil]} = Hits.cast(world, [east()])
      end

      test "packed shots mean the same" do
        world =
          world(@impl_under_test, [
            create("tom", [0, 0, 0]),
            create("bat", [10, 0, 0]),
            create("eve", [0, 0, 10])
          ])

        rays = [
          {{0, 1, 0}, {1, 0, 0}, 0},
          {{0, 1, 0}, {1, 0, 0}, 1},
          {{0, 1, 0}, {0, 0, 1}, 1},
          {{0, 1, 0}, {0, 1, 1}, 1},
          {{0, 1, 0}, {0, 0, 0}, 0},
          {{0, 1, 0}, {1, 0, 0}, 2}
        ]

        packed =
          for {{ox, oy, oz}, {dx, dy, dz}, owner} <- rays, into: <<>> do
            for(number <- [ox, oy, oz, dx, dy, dz, 50], into: <<>>, do: <<number::float-64-little>>) <>
              <<0::32, owner::32-little>>
          end

        {:ok, {answers, ids}} = Hits.cast(world, {:packed, packed, {"tom"}})

        found =
          for <<kind, 0::24, number::32-little, t::binary-size(8) <- answers>> do
            case kind do
              1 -> {elem(ids, number - 1), t}
              0 -> nil
              255 -> :error
            end
          end

        {:ok, [_, bat, eve]} =
          Hits.cast(world, [
            east(%{range: 50}),
            east(%{range: 50, owner: "tom"}),
            east(%{direction: {0, 0, 1}, range: 50, owner: "tom"})
          ])

        assert [{"tom", _}, {"bat", t1}, {"eve", t2}, nil, :error, :error] = found
        assert {t1, t2} == {<<bat.t::float-64-little>>, <<eve.t::float-64-little>>}
      end

      test "a level that is none is refused" do
        good = {0, 0, 1, 1, nil, nil, nil, nil, 1}

        for {level, said} <- [
              {%Level{walls: [{0, 0, 1, 1}]}, "wall 0: it is {x1, z1, x2, z2, bottom"},
              {%Level{walls: [good, {0, 0, 1, 1, nil, nil, 0, 1, 1}]}, "wall 1: there are no such sectors"},
              {%Level{walls: [good, {0, 0, 1, 1, 2, 1, nil, nil, 1}]}, "wall 1: its bottom is above its top"},
              {%Level{walls: [{0, 0, 1, 1.0e10, nil, nil, nil, nil, 1}]}, "wall 0: its lengths are numbers"},
              {%Level{walls: [{0, 0, 1, 1, nil, nil, -1, nil, 1}]}, "wall 0: its front"},
              {%Level{walls: [{0, 0, 1, 1, nil, nil, nil, nil, -1}]}, "wall 0: its layers are bits"},
              {%Level{walls: [good | :end]}, ":walls is not a list"},
              {%Level{boxes: [{{1, 0, 0}, {0, 1, 1}, 1}]}, "box 0: its first corner is not its lowest"},
              {%Level{boxes: [{{0, 0, 0}, {1, 1, 1}}]}, "box 0: it is {lowest corner"},
              {%Level{triangles: [{{0, 0, 0}, {0, 1, 0}, 1}]}, "triangle 0: it is {a, b, c, layers}"},
              {%Level{triangles: [{{0, 0, 0}, {0, 1, 0}, {0, nil, 1}, 1}]}, "triangle 0: its lengths"},
              {%Level{sectors: [{0, "high"}]}, "sector 0: its lengths are numbers"},
              {%Level{sectors: :none}, ":sectors is not a list"}
            ] do
          assert {:error, %{reason: :invalid_level, message: message}} =
                   World.new(impl: @impl_under_test, level: level)

          assert message =~ said
        end
      end

      test "who was none for a while, or replaced, between two marks" do
        world = world(@impl_under_test, [create("bat", [0, 0, 0]), create("new", [50, 0, 0])], history: 4)
        {:ok, world} = Hits.mark(world, 1_000)
        world = World.fold!(world, [update("bat", %{"state" => "dead"})])
        assert ids(world, east(%{origin: {-5, 1, 0}, range: 9})) == nil
        changes = [update("bat", %{"state" => nil, "position" => [8, 0, 0]}), create("new", [58, 0, 0])]
        # More than is remembered.
        world = World.fold!(world, changes ++ List.duplicate(update("nobody", %{"health" => 1}), 9))
        {:ok, world} = Hits.mark(world, 1_100)
        across = fn x -> %{origin: {x, 1, -5}, direction: {0, 0, 1}, range: 10, at: {:time, 1_050}} end

        assert for(x <- [0, 4, 8, 50, 54, 58], do: ids(world, across.(x))) == [
                 nil,
                 "bat",
                 nil,
                 "new",
                 nil,
                 nil
               ]

        # A time may be an integer beyond what floats tell apart.
        {:ok, world} = Hits.mark(world, 9_007_199_254_740_993)
        assert ids(world, %{across.(8) | at: {:time, 9_007_199_254_740_993}}) == "bat"
      end

      test "a sector's entity: its number, its heights, and whatever else it is" do
        {:ok, level} =
          Level.from_map(%{
            "sectors" => [%{"floor" => 0, "ceil" => 128}, %{"floor" => 0, "ceil" => 128}],
            "lines" => [
              %{"x1" => 64, "y1" => -64, "x2" => 64, "y2" => 64, "front" => 0, "back" => 1, "flags" => 4}
            ]
          })

        # After each change, which a cast follows: whether the door is shut.
        shut = fn world, events ->
          world = World.fold!(world, events)
          {world, ids(world, east(%{range: 5})) == {:wall, 0}}
        end

        heights = fn event, heights ->
          [{event, %{"entity_id" => "sector-1", "components" => heights}}]
        end

        world = World.new!(impl: @impl_under_test, level: level)
        {world, true} = shut.(world, heights.("create", %{"ceiling" => 0}))
        # What is out of range says nothing.
        {world, false} = shut.(world, heights.("update", %{"ceiling" => -2.0e9}))
        {world, true} = shut.(world, heights.("update", %{"ceiling" => 0}))
        # A lift is there to be hit, too.
        {world, true} = shut.(world, heights.("update", %{"position" => [9, 0, 0], "collider" => @box}))
        {world, false} = shut.(world, heights.("update", %{"ceiling" => 4}))
        assert ids(world, east()) == "sector-1"
        {world, true} = shut.(world, heights.("update", %{"ceiling" => 0.5}))
        {world, false} = shut.(world, [{"delete", %{"entity_id" => "sector-1"}}])

        others = ["sector-01", "sector-+1", "sector-1 ", "sector-"]
        close = &{"create", %{"entity_id" => &1, "components" => %{"ceiling" => 0}}}
        assert {_, false} = shut.(world, Enum.map(others, close))
      end

      test "a wall without length and triangles without area are hit by nothing" do
        level = %Level{
          walls: [{5, 0, 5, 0, nil, nil, nil, nil, 1}],
          triangles: [
            {{6, 0, -1}, {6, 0, 1}, {6, 0, 3}, 1},
            {{7, 1, 0}, {7, 1, 0}, {7, 1, 0}, 1},
            {{8, -5, -5}, {8, -5, -5}, {8, 5, 5}, 1}
          ]
        }

        world = World.new!(impl: @impl_under_test, level: level)
        sphere = %{"shape" => "sphere", "radius" => 1}
        box = %{"shape" => "box", "radius" => 1, "height" => 2}
        rays = for y <- [0, 1], do: %{origin: {0, y, 0}, direction: {1, 0, 0}, range: 20}
        shots = rays ++ for ray <- rays, shape <- [sphere, box], do: Map.put(ray, :collider, shape)
        assert Hits.cast(world, shots) == {:ok, List.duplicate(nil, 6)}
      end

      test "an owner that is too long for an id is nobody" do
        world = world(@impl_under_test, [create("bat", [10, 0, 0], %{"owner" => String.duplicate("x", 256)})])
        assert ids(world, east()) == "bat"
        long = east(%{owner: String.duplicate("x", 256)})
        assert {:ok, [{:error, %{reason: :invalid_id}}]} = Hits.cast(world, [long])
      end

      if System.get_env("ROOMFOLD_LONG") do
        test "who comes after a million others can be hit" do
          others = for i <- 1..1_048_576, do: {"create", %{"entity_id" => "e#{i}", "components" => %{}}}
          world = world(@impl_under_test, others ++ [create("bat", [10, 0, 0])], max_entities: 2_000_000)
          assert ids(world, east()) == "bat"
        end
      end

      test "a copy has no past" do
        world = world(@impl_under_test, [create("bat", [10, 0, 0])])
        {:ok, world} = Hits.mark(world, 1_000)
        {:ok, copy} = World.copy(world)
        assert {:ok, [%{id: "bat"}]} = Hits.cast(world, [east(%{at: {:seq, 1}})])
        assert {:ok, [{:error, %{reason: :unknown_moment}}]} = Hits.cast(copy, [east(%{at: {:seq, 1}})])
      end

      test "packed shots with what is no number, and owners that are none: the same first error" do
        world = world(@impl_under_test, [create("bat", [10, 0, 0])])

        [fine, nan, infinite, far] = [
          <<1.0::float-64-little>>,
          <<-1::64>>,
          <<0x7FF0::16, 0::48>>,
          <<2.0e9::float-64-little>>
        ]

        infinite = infinite |> :binary.bin_to_list() |> Enum.reverse() |> :binary.list_to_bin()

        asked =
          for {at, number} <- [
                {0, nan},
                {0, infinite},
                {0, far},
                {4, nan},
                {4, infinite},
                {6, nan},
                {1, fine}
              ],
              owner <- [0, 1, 2, 3, 4],
              do: {at, number, owner}

        shots =
          for {at, number, owner} <- asked, into: <<>> do
            numbers = for i <- 0..6, do: if(i == at, do: number, else: fine)
            IO.iodata_to_binary([numbers, <<0::32, owner::32-little>>])
          end

        owners = {"tom", String.duplicate("x", 256), :tom}
        {:ok, {answers, {}}} = Hits.cast(world, {:packed, shots, owners})

        reasons =
          for <<kind, 0::24, number::32-little, 0::64 <- answers>>,
            do:
              if(kind == 255, do: Enum.find(Roomfold.Error.reasons(), &(Roomfold.Error.number(&1) == number)))

        for {{at, number, owner}, reason} <- Enum.zip(asked, reasons) do
          expected =
            cond do
              owner in [3, 4] -> :invalid_argument
              at in [0, 6] -> :number_out_of_range
              owner == 2 -> :invalid_id
              at == 4 -> :number_out_of_range
              true -> nil
            end

          assert {at, number, owner, reason} == {at, number, owner, expected}
        end
      end

      test "a ray is seven numbers, and nothing else that is a tuple" do
        world = world(@impl_under_test, [create("bat", [10, 0, 0]), create("rat", [12, 0, 0])])
        within = {:all, 0, nil, {0, 1, 0}, {1, 0, 0}, 50, nil, nil}

        for shots <- [[within], [within, east()], [{}, {1}, within]] do
          {:ok, answers} = Hits.cast(world, shots)
          for {:error, error} <- answers, do: assert(error.message =~ "seven numbers")
          assert length(for {:error, _} <- answers, do: 1) == length(shots -- [east()])
        end
      end

      test "a world that was folded on is not asked" do
        world = world(@impl_under_test, [create("bat", [10, 0, 0])])
        World.fold!(world, [])
        assert {:error, %{reason: :folded_on}} = Hits.cast(world, [east()])
        assert {:error, %{reason: :folded_on}} = Hits.overlap(world, [])
        assert {:error, %{reason: :folded_on}} = Hits.mark(world, 1)
      end
    end
  end

  defmodule WithoutHits do
    @moduledoc "An implementation that can't set anything up for shots."
    alias Roomfold.Projection.Elixir, as: Oracle
    defdelegate new(schema, rules, limits), to: Oracle
    defdelegate copy(world), to: Oracle
    defdelegate fold(world, input), to: Oracle
    def open_hits(_, _, history), do: raise("set up for shots: #{inspect(history)}")
  end

  test "worlds without a level, with the usual past: nothing is set up before the first shot" do
    for hits <- [[], [history_ms: 1000], [history_states: 128, history_ms: 1000]] do
      assert {:ok, world} = World.new(impl: WithoutHits, hits: hits)
      assert {:ok, _} = World.copy(world)
    end

    assert_raise RuntimeError, ~r/{500.0, 128}/, fn ->
      World.new(impl: WithoutHits, hits: [history_ms: 500])
    end
  end

  # ---- native against elixir: random scenes and shots, equal to the bit (RUNS=n for more) ----

  # Now and then the same places, so that things touch and tie. With :any, numbers of every size that a space takes.
  defp place(:any), do: Enum.random([-1, 1]) * any_size()

  defp place(range) do
    if :rand.uniform(3) == 1, do: :rand.uniform(9) - 5.0, else: (:rand.uniform() - 0.5) * range
  end

  @sizes [0.0, 5.0e-324, 1.0e-310, 1.0e-200, 1.0e-160, 1.0e-141, 1.0e-120, 1.0e-60, 1.0e-21, 1.0e-9, 1.0] ++
           [1.5, 1.0e3, 1.0e6, 999_999_999.0]

  defp any_size do
    case :rand.uniform(4) do
      1 -> Enum.random(@sizes)
      2 -> Enum.random(@sizes) * :rand.uniform()
      3 -> :rand.uniform(5) * 0.5
      4 -> :rand.uniform() * 10
    end
  end

  defp point(:any), do: {place(:any), place(:any), place(:any)}
  defp point(range), do: {place(range), place(range / 2), place(range)}
  defp size(:any), do: any_size()
  defp size(_), do: Enum.random([0.0, 0.5, 1, 2.5, :rand.uniform()])

  defp collider(range) do
    Enum.random([
      %{"shape" => "box", "radius" => size(range), "height" => size(range)},
      %{"shape" => "box", "size" => [size(range), size(range), size(range)]},
      %{"shape" => "sphere", "radius" => size(range)},
      %{"shape" => "capsule", "radius" => size(range), "height" => min(size(range) * 3, 1.0e9)}
    ])
    |> Map.merge(Enum.random([%{}, %{"at" => "centre"}, %{"layers" => Enum.random([1, 2, 3])}]))
  end

  defp moving(range),
    do:
      Enum.random([
        nil,
        nil,
        %{"shape" => "sphere", "radius" => size(range), "at" => "centre"},
        collider(range)
      ])

  defp target(i, range) do
    {x, y, z} = point(range)

    owner =
      Enum.random([
        %{},
        %{"owner" => "t#{:rand.uniform(4)}"},
        %{"state" => Enum.random(["dead", "awake"])},
        %{"health" => 5}
      ])

    {"create",
     %{
       "entity_id" => "t#{i}",
       "components" => Map.merge(%{"position" => [x, y, z], "collider" => collider(range)}, owner)
     }}
  end

  defp wall(range) do
    back = Enum.random([nil, 0, 1])
    {bottom, top} = Enum.random([{nil, nil}, {nil, 1}, {-1.5, nil}, {-2, 2}])
    [x1, z1, x2, z2] = for _ <- 1..4, do: place(range)
    {x1, z1, x2, z2, bottom, top, Enum.random([0, 1]), back, Enum.random([1, 2])}
  end

  defp box(range) do
    {x, y, z} = point(range)
    # Within the space.
    above = fn at -> min(at + size(range), 1.0e9) end
    {{x, y, z}, {above.(x), above.(y), above.(z)}, 1}
  end

  # Corners that are far from one another, or close.
  defp triangle(range) do
    {x, y, z} = a = point(range)
    by = fn at -> if abs(at) < 9.0e8, do: at + Enum.random([0.0, 0.5, -0.25]), else: at end
    corner = fn -> if :rand.uniform(2) == 1, do: point(range), else: {by.(x), by.(y), by.(z)} end
    {a, corner.(), corner.(), Enum.random([1, 2])}
  end

  defp level(range) do
    %Level{
      sectors: [{-1, 3}, {Enum.random([-1, 0.5]), Enum.random([3, 1])}],
      walls: for(_ <- 1..6, do: wall(range)),
      boxes: for(_ <- 1..3, do: box(range)),
      triangles: for(_ <- 1..4, do: triangle(range))
    }
  end

  defp way(range) do
    any = if range == :any, do: Enum.random([1, 1.0e100, 1.0e200]), else: 1
    {x, y, z} = point(if range == :any, do: :any, else: 2)
    Enum.random([{1, 0, 0}, {0, 0, -1}, {0, -1, 0}, {1, 0, 1}, {x * any, y * any, z}])
  end

  defp shot(range) do
    more =
      Enum.random([
        %{},
        %{all: true},
        %{pierce: true},
        %{owner: "t1"},
        %{mask: 2},
        %{at: {:seq, 12}},
        %{at: {:time, 1000 + :rand.uniform(120)}}
      ])

    far = Enum.random([0, 5, 40] ++ if(range == :any, do: [any_size()], else: []))
    shot = Map.merge(%{origin: point(range), direction: way(range), range: far}, more)
    with %{} = collider <- moving(range), do: Map.put(shot, :collider, collider), else: (nil -> shot)
  end

  defp zone(range) do
    Map.merge(
      %{position: point(range), collider: collider(range)},
      Enum.random([%{}, %{mask: 2}, %{at: {:time, 1000 + :rand.uniform(110)}}])
    )
  end

  defp moved(i, range) do
    {x, y, z} = point(range)
    {"update", %{"entity_id" => "t#{i}", "components" => %{"position" => [x, y, z]}}}
  end

  # Targets that come, go and move between two marks; all that each implementation answers.
  defp play(range, seed) do
    :rand.seed(:exsss, seed)
    level = level(range)
    targets = Enum.map(1..12, &target(&1, range))
    door = {"create", %{"entity_id" => "sector-1", "components" => %{"ceiling" => Enum.random([0, 1, 3])}}}

    changes =
      Enum.map(Enum.take_random(1..12, 6), &moved(&1, range)) ++
        [door, target(3, range), {"delete", %{"entity_id" => "t5"}}]

    shots = for _ <- 1..60, do: shot(range)
    zones = for _ <- 1..20, do: zone(range)
    schema = Roomfold.Schema.new!([{"position", if(range == :any, do: {:f64, 3}, else: {:f32, 3})}])

    [native, elixir] =
      for impl <- [:native, :elixir] do
        world = World.fold!(World.new!(impl: impl, level: level, schema: schema), targets)
        {:ok, world} = Hits.mark(world, 1_000)
        world = World.fold!(world, changes)
        {:ok, world} = Hits.mark(world, 1_100)
        {:ok, hits} = Hits.cast(world, shots)
        {:ok, near} = Hits.overlap(world, zones)
        hits ++ near
      end

    Enum.zip([shots ++ zones, native, elixir])
  end

  for {name, range, some} <- [{"", 20, 12.5}, {", whatever the size of the numbers", :any, 12.5}] do
    test "native and elixir answer the same#{name}" do
      runs = String.to_integer(System.get_env("RUNS", "40"))

      for run <- 1..runs, {asked, a, b} <- play(unquote(range), {run, 2, 3}) do
        assert :erlang.term_to_binary(a) == :erlang.term_to_binary(b),
               "run #{run}: #{inspect({asked, a, b}, limit: :infinity)}"

        if a not in [nil, []], do: send(self(), :hit)
      end

      {:messages, hits} = Process.info(self(), :messages)
      assert length(hits) > unquote(some) * runs, "hardly anything was hit"
    end
  end

  # ---- random stories: who comes, changes and goes, is marked and shot at, now and then ----

  defp look do
    Enum.random([
      @box,
      %{"shape" => "sphere", "radius" => 1, "at" => "centre"},
      %{
        "shape" => "capsule",
        "radius" => 0.5,
        "height" => 3,
        "layers" => Enum.random([1, 2, -1, 2.0, 0.5, "x"])
      },
      %{"shape" => "box", "size" => Enum.random([[1, 2, 3], [1, 2], [0, 1, 0]])},
      %{"shape" => "cone"},
      nil
    ])
  end

  defp spot, do: [Enum.random([0, 1, 2, 5, 8.5, -3, 1.0e9, 2.0e9]), 0, Enum.random([0, 1, -1])]
  defp someone, do: Enum.random(["a", "b", "c", "sector-0", "sector-1", "sector-01", "sector-2"])

  defp some_components do
    for {name, any} <- [
          {"position", &spot/0},
          {"collider", &look/0},
          {"state", fn -> Enum.random(["dead", nil, "awake"]) end},
          {"owner", fn -> Enum.random(["a", "b", nil, String.duplicate("z", 300)]) end},
          {"health", fn -> Enum.random([nil, 5]) end},
          {"floor", fn -> Enum.random([0, 1.5, nil, 3.0e9]) end},
          {"ceiling", fn -> Enum.random([0, 2, 4, nil, -9_000_000_000]) end}
        ],
        :rand.uniform(3) == 1,
        into: %{},
        do: {name, any.()}
  end

  defp happening do
    case :rand.uniform(10) do
      n when n <= 2 -> create(someone(), spot(), some_components())
      3 -> {"delete", %{"entity_id" => someone()}}
      n when n <= 7 -> update(someone(), %{"position" => spot()})
      _ -> update(someone(), some_components())
    end
  end

  defp moment(time) do
    Enum.random([
      %{},
      %{at: {:time, time - Enum.random([0, 3, 17.5, 40, 101, 300])}},
      %{at: {:seq, Enum.random([0, 1, 3, 8, 13, 30, 2.5])}}
    ])
  end

  defp step(time) do
    case :rand.uniform(12) do
      n when n <= 4 ->
        {:fold, for(_ <- 1..Enum.random([1, 2, 3, 12]), do: happening())}

      n when n <= 7 ->
        {:mark, time + Enum.random([0, 10, 35, -1, 400])}

      8 ->
        :copy

      _ ->
        origin = {Enum.random([-20, 0, 2, 4.25]), Enum.random([0.5, 1, 2.5, 4.5]), Enum.random([0, 0.5, -5])}
        way = Enum.random([{1, 0, 0}, {0, 0, 1}, {1, 0, 0.1}])
        how = Enum.random([%{}, %{all: true}, %{pierce: true}, %{owner: "a"}, %{mask: 2}])
        shot = Map.merge(%{origin: origin, direction: way, range: Enum.random([30, 8, 0])}, how)
        zone = %{position: {Enum.random([0, 3, 6]), 0, 0}, collider: %{"shape" => "sphere", "radius" => 4}}
        {:cast, Map.merge(shot, moment(time)), Map.merge(zone, moment(time))}
    end
  end

  defp take({:fold, events}, world) do
    {:ok, world, report} = World.fold(world, events)
    {report, world}
  end

  defp take({:mark, time}, world) do
    case Hits.mark(world, time) do
      {:ok, world} -> {:ok, world}
      error -> {error, world}
    end
  end

  defp take(:copy, world), do: {:ok, elem(World.copy(world), 1)}
  defp take({:cast, shot, zone}, world), do: {{Hits.cast(world, [shot]), Hits.overlap(world, [zone])}, world}

  test "in random stories the implementations answer the same" do
    level = %Level{
      sectors: [{0, 4}, {0, 3}],
      walls: [{4, -9, 4, 9, -5, 9, 0, 1, 1}, {7, -9, 7, 9, nil, nil, 0, nil, 2}],
      boxes: [{{12, 0, -1}, {13, 2, 1}, 1}]
    }

    declared = [
      [{"position", {:f32, 3}}, {"health", :i64}],
      [{"position", {:f64, 3}}, {"floor", :f32}, {"ceiling", :i64}, {"state", :string}, {"owner", :string}],
      []
    ]

    for run <- 1..String.to_integer(System.get_env("RUNS", "40")) do
      :rand.seed(:exsss, {run, 3, 5})

      opts = [
        level: Enum.random([level, nil]),
        schema: Roomfold.Schema.new!(Enum.random(declared)),
        history: Enum.random([3, 1000]),
        hits: Enum.random([[], [history_ms: 100, history_states: 3]])
      ]

      {steps, _} =
        Enum.map_reduce(1..40, 1000, fn _, time ->
          step = step(time)
          {step, with({:mark, later} <- step, do: max(later, time), else: (_ -> time))}
        end)

      [native, port, elixir] =
        for impl <- [:native, :port, :elixir],
            do: elem(Enum.map_reduce(steps, World.new!([impl: impl] ++ opts), &take/2), 0)

      for {step, a, b, c} <- Enum.zip([steps, native, port, elixir]) do
        [a, b, c] = for answer <- [a, b, c], do: {step, :erlang.term_to_binary(answer)}
        assert a == c, "run #{run}: native and elixir: #{inspect(step)}"
        assert a == b, "run #{run}: native and port: #{inspect(step)}"
      end
    end
  end

  test "levels: what is wrong is named" do
    assert {:error, %{reason: :unexpected_end}} = Level.from_json("{")

    assert {:error, %{reason: :invalid_level, message: message}} =
             Level.from_json(~s({"sectors":[{"floor":1}],"lines":[]}))

    assert message =~ "sector 0: there is no ceil"
    line = ~s("x1":0,"y1":0,"x2":1,"y2":1)

    for {lines, said} <- [
          {~s([{#{line},"front":0},{#{line},"front":1}]), "line 1: front: there is no sector 1"},
          {~s([{#{line},"front":0,"back":3,"flags":4}]), "line 0: back: there is no sector 3"},
          {~s([{#{line},"back":0,"flags":4}]), "line 0: it has a back, and no front"},
          {~s([{#{line},"front":0.5}]), "line 0: front is an integer from 0, got 0.5"},
          {~s([{#{line},"back":-1}]), "line 0: back is an integer from 0, got -1"},
          {~s([{#{line},"flags":"4"}]), ~s(line 0: flags is an integer from 0, got the string "4")},
          {~s([{"x1":"0","y1":0,"x2":1,"y2":1}]), ~s(line 0: x1 is a number, got the string "0")},
          {~s([{"x1":0,"y1":1e300,"x2":1,"y2":1}]), "line 0: y1 is out of range"},
          {~s([[0,0,1,1]]), "line 0: it is an object, got the list"}
        ] do
      assert {:error, %{message: message}} =
               Level.from_json(~s({"sectors":[{"floor":0,"ceil":1}],"lines":#{lines}}))

      assert message =~ said
    end

    assert {:error, %{message: message}} = Level.from_json(~s({"lines":[]}))
    assert message =~ "sectors"
  end

  test "levels: front, back and flags may be missing, and whole numbers may be floats" do
    assert {:ok, level} =
             Level.from_json(
               ~s({"sectors":[{"floor":0,"ceil":1}],"lines":[{"x1":0,"y1":0,"x2":32,"y2":0,"back":7},) <>
                 ~s({"x1":0,"y1":0,"x2":32,"y2":0,"front":0.0,"back":0.0,"flags":4.0}]})
             )

    assert [{_, _, _, _, nil, nil, nil, nil, _}, {_, _, _, _, nil, nil, 0, 0, _}] = level.walls
  end

  test "levels whose numbers or lists are none are errors, not exceptions" do
    huge = "1" <> String.duplicate("0", 400)
    line = ~s("x1":0,"y1":0,"x2":1,"y2":1)

    for text <- [
          ~s({"sectors":[{"floor":#{huge},"ceil":1}],"lines":[]}),
          ~s({"sectors":[{"floor":0,"ceil":1e308}],"lines":[]}),
          ~s({"sectors":[],"lines":[{"x1":-#{huge},"y1":0,"x2":1,"y2":1}]}),
          ~s({"sectors":[{"floor":0,"ceil":1}],"lines":[{#{line},"back":0,"flags":4}]}),
          ~s({"sectors":[{"floor":0,"ceil":1}],"lines":[{#{line},"front":0,"back":4294967295,"flags":4}]})
        ] do
      assert {:error, %{reason: :invalid_level}} = Level.from_json(text)
    end

    for form <- [
          %{"sectors" => [%{} | 1]},
          %{"sectors" => [], "lines" => [1 | 2]},
          %{"sectors" => [], "lines" => %{}},
          5
        ] do
      assert {:error, %{reason: :invalid_level}} = Level.from_map(form)
    end

    assert {:error, %{reason: :invalid_level}} =
             Level.from_map(%{"sectors" => [%{"floor" => 0, "ceil" => 1} | 1], "lines" => []})

    for unit <- [0, -1, "x", nil],
        do:
          assert_raise(ArgumentError, ~r/:unit is a number above 0/, fn ->
            Level.from_json(~s({"sectors":[],"lines":[]}), unit: unit)
          end)
  end
end
