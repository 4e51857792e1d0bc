defmodule Roomfold.Conformance do
  @moduledoc """
  What every implementation of `Roomfold.Projection` must do: the vectors of `tests/vectors/events`, and the contract of a world.

      defmodule MyProjectionTest do
        use Roomfold.Conformance, impl: MyProjection
      end

  A vector is a JSON file: a list of cases, each with `name`, `events` (a list of `[name, payload]`), or `text` (a string of JSON), perhaps
  `schema`, `rules` (their JSON forms, or the name of our own: "xr" or "doom", the default), `options` and `before` (events folded first), and what must come of it: `snapshot`, `report`
  (the counts that are not 0), `rejected` (`[index, reason, about, offset]`), `seq`, `diff` (from the seq after `before`), `by_kind`, `by_component`.
  """

  @vectors Path.expand("../../vectors/events", __DIR__)

  defmacro __using__(opts) do
    files = Path.wildcard(Path.join(@vectors, "*.json"))

    quote do
      use ExUnit.Case, async: true
      alias Roomfold.{Conformance, JSON, Schema, Wire, World}

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

        {won, lost} = folds |> Task.await_many(60_000) |> Enum.split_with(&match?({:ok, _, _}, &1))
        assert [{:ok, world, _}] = won
        assert Enum.all?(lost, &match?({:error, %{reason: :folded_on}}, &1))
        assert World.count(world) == 1
      end

      test "any process may read the newest version" do
        world = World.fold!(World.new!(impl: @impl_under_test), [{"user_joined", %{"user_id" => "tom"}}])
        reads = for _ <- 1..8, do: Task.async(fn -> World.get(world, "tom") end)
        assert Enum.uniq(Task.await_many(reads, 60_000)) == [%{}]
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

        for {wrong, detail} <- [
              {%{}, "it needs from, seq, and creates, updates and deletes"},
              {%{"from" => 1}, "it needs from, seq, and creates, updates and deletes"},
              {%{diff | "creates" => %{1 => %{}}}, "an id is a string, got 1"},
              {%{diff | "updates" => %{nil: %{}}}, "an id is a string, got nil"},
              {%{diff | "updates" => []}, "\"creates\" and \"updates\" are maps"},
              {%{diff | "deletes" => "tom"}, "\"deletes\" is not a list"},
              {%{diff | "deletes" => [1]}, "\"deletes\" holds what is no id"},
              {%{diff | "from" => 2}, "from is not the larger one"},
              {%{diff | "seq" => 0}, "nothing can change without a seq"},
              {%{"from" => 1, "seq" => 2, "components" => %{}, "created" => [], "deleted" => []},
               "Shape.diff/1"}
            ] do
          assert {:error, %{reason: :invalid_diff} = error} = World.apply_diff(copy, wrong)
          assert error.detail =~ detail
        end

        assert World.snapshot(copy) == %{"tom" => %{}}
      end

      test "a snapshot that does not fit is refused" do
        load = &World.load(&1, impl: @impl_under_test)

        assert {:error, %{reason: :invalid_snapshot, component: "position", detail: detail}} =
                 load.(%{"a" => %{"position" => "here"}})

        assert detail == "the value does not fit the component's type: it takes a list of 3 numbers"

        assert {:error, %{reason: :invalid_snapshot}} = load.(%{"" => %{}})
        assert {:error, %{reason: :invalid_snapshot}} = load.(%{"a" => []})
        assert {:error, %{reason: :invalid_snapshot, detail: "an id is a string, got 1"}} = load.(%{1 => %{}})
      end

      test "what a component takes is said of a value that does not fit" do
        types = [a: :f32, b: {:f64, 2}, c: :i64, d: :bool, e: :string]
        odd = %{"a" => "1", "b" => [1], "c" => 1.5, "d" => 0, "e" => 1}

        takes = [
          {"a", "it takes a number"},
          {"b", "it takes a list of 2 numbers"},
          {"c", "it takes an integer"},
          {"d", "it takes true or false"},
          {"e", "it takes a string"}
        ]

        world = World.new!(impl: @impl_under_test, schema: Schema.new!(types))
        create = {"create", %{"entity_id" => "x", "components" => odd}}
        json = JSON.encode!(Map.put(elem(create, 1), "event", "create"))
        {:ok, frame} = Wire.encode_events([create], schema: world.schema)
        diff = %{"from" => 3, "seq" => 4, "creates" => %{"x" => odd}, "updates" => %{}, "deletes" => []}

        for input <- [[create], {:json, json}, {:packed, frame}, diff], reduce: world do
          world ->
            {:ok, world, report} =
              if is_map(input), do: World.apply_diff(world, input), else: World.fold(world, input)

            assert Enum.sort(for {_, error} <- report.rejected, do: {error.component, error.detail}) == takes
            assert Enum.all?(report.rejected, fn {_, error} -> error.reason == :wrong_type end)
            world
        end
      end

      test "what is no plain map is taken for what it is: entries, some of which can't be used" do
        for {odd, key} <- [{~D[2020-01-01], ":calendar"}, {MapSet.new([1]), ":map"}, {1..3, ":first"}] do
          world = World.new!(impl: @impl_under_test)

          {:ok, world, report} =
            World.fold(world, [
              {"create", %{"entity_id" => "a", "components" => odd}},
              {"update", %{"entity_id" => "a", "components" => odd}},
              {"create", %{"entity_id" => "b", "components" => %{"x" => odd, "health" => odd}}},
              {"create", odd}
            ])

          count = map_size(odd)
          assert {report.folded, report.rejected_count} == {2, 2 * count + 3}
          assert {0, %{reason: :invalid_component_name, detail: detail}} = hd(report.rejected)
          assert detail =~ key

          assert [{2, :wrong_type, "health"}, {2, :unsupported_value, "x"}, {3, :not_an_event, nil}] =
                   for(
                     {index, error} <- Enum.take(report.rejected, -3),
                     do: {index, error.reason, error.component}
                   )

          assert World.snapshot(world) == %{"a" => %{}, "b" => %{}}

          diff = %{"from" => 4, "seq" => 5, "creates" => %{}, "updates" => %{}, "deletes" => []}

          for key <- ["creates", "updates", "deletes"],
              do: assert({:error, %{reason: :invalid_diff}} = World.apply_diff(world, %{diff | key => odd}))

          assert {:ok, _, report} = World.apply_diff(world, %{diff | "creates" => %{"c" => odd}})
          assert {report.folded, report.rejected_count} == {1, count}

          assert {:error, %{reason: :invalid_snapshot, message: message}} =
                   World.load(%{"a" => odd}, impl: @impl_under_test)

          assert message =~ "a component's name must be"
        end
      end

      test "components that are none, in a snapshot and in a diff" do
        for load <- [%{"a" => nil}, {:json, ~s({"seq":1,"entities":{"a":null}})}] do
          assert {:error, error} = World.load(load, impl: @impl_under_test)
          assert error.message == "the snapshot is not valid: components must be a map"
        end

        diff = %{"from" => 0, "seq" => 1, "creates" => %{"a" => 3}, "updates" => %{}, "deletes" => []}
        assert {:ok, world, report} = World.apply_diff(World.new!(impl: @impl_under_test), diff)
        assert [{0, %{reason: :invalid_components}}] = report.rejected
        assert World.count(world) == 0
      end

      test "nothing has changed without a seq" do
        world = World.new!(impl: @impl_under_test)
        diff = %{"from" => 0, "seq" => 0, "creates" => %{}, "updates" => %{}, "deletes" => []}

        assert {:error, %{reason: :invalid_diff}} =
                 World.apply_diff(world, %{diff | "creates" => %{"a" => %{}}})

        assert {:error, %{reason: :invalid_diff}} = World.apply_diff(world, %{diff | "deletes" => ["a"]})
        assert {:ok, world, _} = World.apply_diff(world, diff)
        assert World.seq(world) == 0
      end

      test "a seq beyond 2^53 - 1" do
        for by <- ["entities", "components", "kinds"], seq <- [2 ** 53, 2 ** 70] do
          assert {:error, %{reason: :invalid_snapshot, message: message}} =
                   World.load({:json, ~s({"seq":#{seq},"#{by}":{}})}, impl: @impl_under_test)

          assert message =~ "from 0 to 2^53 - 1"
        end

        text = ~s({"seq":9007199254740991,"entities":{}})
        assert {:ok, world} = World.load({:json, text}, impl: @impl_under_test)
        assert World.encode(world, :snapshot, :json) == {:ok, text}

        for from <- [2 ** 53, 2 ** 64, 10 ** 400] do
          assert {:error, %{reason: :seq_ahead}} = World.diff(world, from)
          assert {:error, %{reason: :seq_ahead}} = World.encode(world, {:diff, from}, :json)
          assert {:error, %{reason: :seq_ahead}} = World.encode(world, {:diff, from}, :packed)
        end
      end

      test "a constant that does not fit the schema, in a whole sentence" do
        rules = Roomfold.Rules.new!(%{"hurt" => [{:update, "id", %{"health" => {:value, "badly"}}}]})
        assert {:error, error} = World.new(impl: @impl_under_test, rules: rules)
        assert error.message == ~s(the rules are not valid: event "hurt": "badly" does not fit "health")
      end

      test "constants as deep and as large as they may be" do
        deep = Enum.reduce(1..55, 1, fn _, inner -> [inner] end)
        constants = [deep, 2 ** 63 - 1, -(2 ** 63), 1.7976931348623157e308, -0.0]

        for constant <- constants do
          rules = Roomfold.Rules.new!(%{"set" => [{:create, "id", %{"x" => {:value, constant}}}]})
          world = World.new!(impl: @impl_under_test, rules: rules)
          world = World.fold!(world, [{"set", %{"id" => "a"}}])
          found = World.get(world, "a")["x"]
          assert :erlang.term_to_binary(found) == :erlang.term_to_binary(constant)
        end
      end

      test "names that are no strings are asked for by nobody" do
        world = World.new!(impl: @impl_under_test)

        for name <- [nil, :health, 1, <<1::3>>],
            do: assert_raise(Roomfold.Error, ~r/are strings/, fn -> World.query(world, [name]) end)
      end

      test "shots and zones with numbers that nothing holds have errors of their own" do
        ball = %{"shape" => "sphere", "radius" => 1}

        world =
          World.fold!(World.new!(impl: @impl_under_test, level: %Roomfold.Level{}), [
            {"create",
             %{"entity_id" => "bat", "components" => %{"position" => [3, 0, 0], "collider" => ball}}}
          ])

        ray = {0, 1, 0, 1, 0, 0, 9}
        shot = %{origin: {0, 1, 0}, direction: {1, 0, 0}, range: 9}
        zone = %{position: {3, 1, 0}, collider: Map.put(ball, "at", "centre")}

        for huge <- [10 ** 400, 2 ** 63, -(2 ** 64)] do
          shots = for(at <- 0..6, do: put_elem(ray, at, huge)) ++ [ray]
          assert {:ok, answers} = Roomfold.Hits.cast(world, shots)
          assert %{id: "bat"} = List.last(answers)

          for {{:error, error}, index} <- answers |> Enum.drop(-1) |> Enum.with_index() do
            assert error.reason == :invalid_argument
            assert error.message =~ "shot #{index}: "
            assert error.message =~ "seven numbers"
          end

          odd = [
            %{shot | origin: {huge, 0, 0}},
            %{shot | direction: [huge, 0, 0]},
            %{shot | range: huge},
            Map.put(shot, :at, {:time, huge}),
            Map.put(shot, :at, {:seq, huge}),
            Map.put(shot, :collider, %{"shape" => "sphere", "radius" => huge})
          ]

          assert {:ok, answers} = Roomfold.Hits.cast(world, odd ++ [shot])
          assert %{id: "bat"} = List.last(answers)
          fields = for {:error, error} <- answers, do: {error.reason, error.field}

          assert fields ==
                   for(field <- ~w(origin direction range at at collider), do: {:invalid_argument, field})

          assert {:ok, [{:error, error}, [%{id: "bat"}]]} =
                   Roomfold.Hits.overlap(world, [%{zone | position: {huge, 0, 0}}, zone])

          assert error.message =~ ~s(zone 0: field "position": )
          assert error.message =~ "three numbers"
          assert {:error, %{reason: :number_out_of_range}} = Roomfold.Hits.mark(world, huge)
        end
      end

      test "shots and zones that are no list" do
        world = World.new!(impl: @impl_under_test, level: %Roomfold.Level{})
        ray = {0, 1, 0, 1, 0, 0, 9}

        for shots <- [nil, %{}, 1..3, [ray | ray], [%{} | :end], {:packed, <<1>>, {}}] do
          assert {:error, %{reason: :invalid_argument}} = Roomfold.Hits.cast(world, shots)
          assert {:error, %{reason: :invalid_argument}} = Roomfold.Hits.overlap(world, shots)
        end

        assert {:error, error} = Roomfold.Hits.cast(world, [ray | :end])
        assert error.message =~ "a list of shots, the list ends with the atom :end"
      end

      test "a hit where the shot begins has the direction as its normal, negated bit for bit" do
        ball = %{"shape" => "sphere", "radius" => 1}

        world =
          World.fold!(World.new!(impl: @impl_under_test), [
            {"create",
             %{"entity_id" => "bat", "components" => %{"position" => [0, -1, 0], "collider" => ball}}}
          ])

        for {zero, negated} <- [{0, -0.0}, {0.0, -0.0}, {-0.0, 0.0}] do
          assert {:ok, [hit]} = Roomfold.Hits.cast(world, [{0, 0, 0, 2, zero, zero, 9}])
          assert :erlang.term_to_binary(hit.normal) == :erlang.term_to_binary({-1.0, negated, negated})
        end
      end

      test "levels that are none" do
        for level <- [
              %{sectors: [{0, 1} | :end]},
              %{walls: nil},
              %{boxes: ~D[2020-01-01]},
              %{sectors: [{10 ** 400, 1}]},
              %{sectors: [{0, 1.0e10}]},
              %{walls: [{0, 0, 1, 1, 2 ** 63, nil, nil, nil, 1}]},
              %{walls: [{0, 0, 1, 1, nil, 1.0e10, nil, nil, 1}]},
              %{walls: [{0, 0, 1, 1, nil, nil, :front, nil, 1}]},
              %{sectors: [{0, 1}], walls: [{0, 0, 1, 1, nil, nil, 0, 0xFFFFFFFF, 1}]},
              %{walls: [{0, 0, 1, 1, nil, nil, nil, 0xFFFFFFFF, 1}]},
              %{walls: [{0, 0, 1, 1, nil, nil, 0xFFFFFFFF, nil, 1}]},
              %{triangles: [{{0, 0, 0}, {1, 1, 1}, {2 ** 64, 2, 5}, 1}]}
            ] do
          level = struct!(Roomfold.Level, level)
          assert {:error, %{reason: :invalid_level}} = World.new(impl: @impl_under_test, level: level)
        end
      end

      test "encodes and reads back what it encoded" do
        schema =
          Roomfold.Schema.new!([
            {"position", {:f32, 3}, decimals: 2},
            {"exact", {:f64, 2}},
            {"health", :i64},
            {"name", :string},
            {"lit", :bool}
          ])

        events = [
          {"create",
           %{"entity_id" => "a", "components" => %{"position" => [0.125, -0.004, 7], "kind" => "bat"}}},
          {"create", %{"entity_id" => "b", "components" => %{"exact" => [0.1, 1.0e22], "name" => "q\"\n"}}},
          {"create", %{"entity_id" => "c", "components" => %{"lit" => true, "n" => [1, 2.0, nil]}}},
          {"update", %{"entity_id" => "a", "components" => %{"health" => -3, "kind" => nil}}},
          {"delete", %{"entity_id" => "c"}},
          {"create", %{"entity_id" => "d", "components" => %{"kind" => "bat"}}}
        ]

        new = fn -> World.new!(impl: @impl_under_test, schema: schema) end
        {:ok, world, _} = World.fold(new.(), events)

        expected = %{
          {:snapshot, :entity} =>
            ~S({"seq":6,"entities":{"a":{"position":[0.12,0,7],"health":-3},"b":{"exact":[0.1,1e+22],"name":"q\"\n"},"d":{"kind":"bat"}}}),
          {:snapshot, :component} =>
            ~S({"seq":6,"components":{"position":{"a":[0.12,0,7]},"exact":{"b":[0.1,1e+22]},"health":{"a":-3},"name":{"b":"q\"\n"},"kind":{"d":"bat"}}}),
          {:snapshot, :kind} =>
            ~S({"seq":6,"kinds":{"bats":[{"id":"d","kind":"bat"}],"others":[{"id":"a","position":[0.12,0,7],"health":-3},{"id":"b","exact":[0.1,1e+22],"name":"q\"\n"}]}}),
          {{:diff, 3}, :entity} =>
            ~S({"from":3,"seq":6,"creates":{"d":{"kind":"bat"}},"updates":{"a":{"health":-3,"kind":null}},"deletes":["c"]}),
          {{:diff, 3}, :component} =>
            ~S({"from":3,"seq":6,"components":{"health":{"a":-3},"kind":{"a":null,"d":"bat"}},"created":["d"],"deleted":["c"]}),
          {{:diff, 3}, :kind} =>
            ~S({"from":3,"seq":6,"kinds":{"bats":[{"id":"d","kind":"bat"}],"others":[{"id":"a","health":-3,"kind":null}],"deleted":["c"]},"created":["d"]})
        }

        for {{what, by}, text} <- expected do
          assert World.encode!(world, what, :json, by: by) == text
        end

        for by <- [:entity, :component, :kind] do
          text = World.encode!(world, :snapshot, :json, by: by)
          {:ok, loaded} = World.load({:json, text}, impl: @impl_under_test, schema: schema)

          assert World.encode!(loaded, :snapshot, :json, by: :kind) ==
                   World.encode!(world, :snapshot, :json, by: :kind)

          assert World.seq(loaded) == 6

          before = World.fold!(new.(), Enum.take(events, 3))

          {:ok, after_diff, _} =
            World.apply_diff(before, {:json, World.encode!(world, {:diff, 3}, :json, by: by)})

          assert World.snapshot(after_diff) == World.snapshot(world)
        end
      end

      test "what can't be encoded or read back is an error" do
        {:ok, world, _} =
          World.fold(World.new!(impl: @impl_under_test), [{"user_joined", %{"user_id" => "tom"}}])

        assert {:error, %{reason: :seq_ahead}} = World.encode(world, {:diff, 2}, :json)

        assert {:error, %{reason: :invalid_utf8}} =
                 World.encode(world, :snapshot, :json, frame: {nil, nil, <<255>>, "e"})

        assert_raise ArgumentError, ~r/by must be/, fn -> World.encode(world, :snapshot, :json, by: :size) end

        assert_raise ArgumentError, ~r/frame must be/, fn ->
          World.encode(world, :snapshot, :json, frame: {1, 2, 3, 4})
        end

        assert_raise ArgumentError, ~r/format must be/, fn -> World.encode(world, :snapshot, :xml) end
        assert_raise ArgumentError, ~r/what to encode/, fn -> World.encode(world, {:diff, -1}, :json) end

        load = &World.load({:json, &1}, impl: @impl_under_test)
        assert {:error, %{reason: :unexpected_end, offset: 8}} = load.(~s({"seq":1))
        assert {:error, %{reason: :invalid_snapshot}} = load.(~s({"entities":{}}))
        assert {:error, %{reason: :invalid_snapshot}} = load.(~s({"seq":-1,"entities":{}}))
        assert {:error, %{reason: :invalid_snapshot}} = load.(~s({"seq":1,"components":{"health":[]}}))
        assert {:error, %{reason: :invalid_snapshot}} = load.(~s({"seq":1,"kinds":{"bats":[{"kind":"bat"}]}}))

        assert {:error, %{reason: :invalid_snapshot}} =
                 load.(~s({"seq":1,"kinds":{"bats":[{"id":"a"},{"id":"a"}]}}))

        apply_diff = &World.apply_diff(world, {:json, &1})
        assert {:error, %{reason: :invalid_diff}} = apply_diff.(~s([]))
        assert {:error, %{reason: :invalid_diff}} = apply_diff.(~s({"from":1,"seq":2}))

        assert {:error, %{reason: :invalid_diff}} =
                 apply_diff.(~s({"from":1,"seq":2,"kinds":{"deleted":[]},"created":1}))

        assert {:error, %{reason: :seq_mismatch}} =
                 apply_diff.(~s({"from":2,"seq":2,"components":{},"created":[],"deleted":[]}))

        assert World.count(world) == 1
        World.fold!(world, [])
        assert {:error, %{reason: :folded_on}} = World.encode(world, :snapshot, :json)
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
        names = for i <- 1..500, do: {"no_event_#{i}", "no_id_#{i}", "no_component_#{i}", "no_value_#{i}"}

        events =
          for {event, id, component, value} <- names,
              name <- ["create", event],
              do: {name, %{"entity_id" => id, "components" => %{component => value}}}

        World.fold!(World.new!(impl: @impl_under_test), events)

        for strings <- names, string <- Tuple.to_list(strings) do
          assert_raise ArgumentError, fn -> String.to_existing_atom(string) end
        end
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

    rules = rules(Map.get(vector, "rules", "doom"))

    options = for {name, value} <- Map.get(vector, "options", %{}), do: {String.to_existing_atom(name), value}
    World.new!([impl: impl, schema: schema, rules: rules] ++ options)
  end

  defp ok!({:ok, value}), do: value

  defp rules("xr"), do: Rules.xr()
  defp rules("doom"), do: Rules.doom()
  defp rules(form), do: Rules.from_json!(JSON.encode!(form, impl: :elixir))

  defp fold!(world, []), do: world
  defp fold!(world, events), do: World.fold!(world, Enum.map(events, &List.to_tuple/1))

  defp input(%{"text" => text}), do: {:json, text}
  defp input(%{"text_hex" => hex}), do: {:json, Base.decode16!(hex, case: :mixed)}
  defp input(%{"events" => events}), do: Enum.map(events, &if(is_list(&1), do: List.to_tuple(&1), else: &1))
end
