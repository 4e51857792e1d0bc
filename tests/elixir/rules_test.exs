defmodule Roomfold.RulesTest do
  use ExUnit.Case, async: true

  alias Roomfold.{Error, JSON, Rules, Schema, World}

  # What each means is checked with every implementation (Roomfold.Conformance).
  test "every event of xr/0 and doom/0 has a vector" do
    cases =
      for file <- Path.wildcard(Path.expand("../vectors/events/*.json", __DIR__)),
          vector <- JSON.decode!(File.read!(file), impl: :elixir),
          do: {Map.get(vector, "rules", "doom"), names(vector)}

    for {table, rules} <- [{"xr", Rules.xr()}, {"doom", Rules.doom()}] do
      shown = for {^table, names} <- cases, name <- names, uniq: true, do: name
      named = rules |> Rules.to_json() |> JSON.decode!() |> Map.fetch!("events") |> Map.keys()
      assert named -- shown == [], "#{table}: no vector has #{inspect(named -- shown)}"
    end
  end

  defp names(vector), do: for([name, %{}] <- Map.get(vector, "events", []), is_binary(name), do: name)

  test "what is no rule, with what is wrong with it" do
    for {events, said} <- [
          {%{"create" => []}, "entity events can't be redefined"},
          {%{"" => []}, "not a name"},
          {[{"e", []}], ~s(they are a map, as %{"user_left" => [{:delete, "user_id"}]}, got the list)},
          {Rules.xr(), "got a Roomfold.Rules"},
          {%{"e" => 5}, "not a rule"},
          {%{"e" => {:delete, "id"}},
           "not a rule, which is a list of operations or {from, operations}: {:delete"},
          {%{"e" => [{:updat, "id", %{}}]},
           "there are {:create, field, set}, {:update, field, set}, {:add, "},
          {%{"e" => [%{"op" => "paint"}]}, "there are create and update (entity, set), add ("},
          {%{"e" => [{:delete, :id}]}, ":id can't be a field, which must be a string"},
          {%{"e" => [{:update, "id", %{x: {:field, "x"}}}]},
           ":x can't be a component, which must be a string"},
          {%{"e" => {:nobody, []}}, ":nobody can't send events"},
          {%{"e" => [{:delete, ""}]}, "can't be a field"},
          {%{"e" => [{:delete, "seq"}]}, "can't be a field"},
          {%{"e" => [{:update, "id", %{"id" => {:field, "x"}}}]}, "can't be a component"},
          {%{"e" => [{:update, "id", %{"x" => 1}}]}, "not {:field, name} or {:value, constant}"},
          {%{"e" => [{:update, "id", %{"x" => {:value, :atom}}}]}, "can't be given"},
          {%{"e" => [{:add, "id", "x", {:value, "1"}}]}, "can't be given"},
          {%{"e" => [{:add, "id", "x", {:field, "n"}, {2, 1}}]}, "the wrong way round"},
          {%{"e" => [{:add, "id", "x", {:field, "n"}, {"a", nil}}]}, "bounds must be numbers"},
          {%{"e" => List.duplicate({:delete, "id"}, 17)}, "more than 16 operations"},
          {%{"e" => [{:update, "id", Map.new(1..65, &{"c#{&1}", {:value, 1}})}]}, "more than 64 components"},
          {%{
             "e" => for(i <- 1..5, do: {:update, "id", Map.new(1..20, &{"c#{&1}", {:field, "f#{i}_#{&1}"}})})
           }, "more than 64 fields"}
        ] do
      assert {:error, %Error{reason: :invalid_rules, message: message}} = Rules.new(events)
      assert message =~ said
    end
  end

  test "constants and bounds are what a component can be" do
    deep = Enum.reduce(1..56, 1, fn _, inner -> [inner] end)

    for odd <- [
          2 ** 63,
          -(2 ** 63) - 1,
          10 ** 400,
          [1, 2 ** 64],
          deep,
          <<255>>,
          <<1::3>>,
          [1 | 2],
          ~D[2020-01-01],
          1..2,
          %{a: 1},
          {1},
          self()
        ],
        operation <- [{:create, "id", %{"x" => {:value, odd}}}, {:update, "id", %{"x" => {:value, odd}}}] do
      assert {:error, %Error{reason: :invalid_rules, message: message}} = Rules.new(%{"e" => [operation]})
      assert message =~ "can't be given to"
    end

    for huge <- [2 ** 63, -(2 ** 70), 10 ** 400] do
      assert {:error, %Error{reason: :invalid_rules, message: message}} =
               Rules.new(%{"e" => [{:add, "id", "x", {:value, huge}}]})

      assert message =~ "can't be given to"

      for bounds <- [{huge, nil}, {nil, huge}] do
        assert {:error, %Error{reason: :invalid_rules, message: message}} =
                 Rules.new(%{"e" => [{:add, "id", "x", {:field, "n"}, bounds}]})

        assert message =~ "bounds must be numbers"
      end

      text =
        ~s({"format":"roomfold-rules","version":1,"events":{"e":{"do":[{"op":"update","entity":"id","set":{"x":{"value":#{huge}}}}]}}})

      assert {:error, %Error{reason: :invalid_rules}} = Rules.from_json(text)
    end

    for {events, said} <- [
          {%{"e" => [{:delete, "id"} | :end]}, "no proper list"},
          {%{"e" => [{:update, "id", ~D[2020-01-01]}]}, "not an operation"}
        ] do
      assert {:error, %Error{reason: :invalid_rules, message: message}} = Rules.new(events)
      assert message =~ said
    end

    for name <- [:doom, <<255>>, nil] do
      assert {:error, %Error{reason: :invalid_rules, message: message}} = Rules.new(%{}, name: name)
      assert message =~ "the name must be a string"
    end
  end

  test "an unknown key of a rule's JSON form is named" do
    text = ~s({"format":"roomfold-rules","version":1,"events":{"e":{"form":"user","do":[]}}})
    assert {:error, %Error{reason: :invalid_rules, message: message}} = Rules.from_json(text)
    assert message =~ ~s(event "e": unknown keys ["form"]; a rule has "from" and "do")
  end

  test "what is no schema, with what is wrong with it" do
    for {components, said} <- [
          {%{}, ~s(it is a list, as [{"position", {:f32, 3}}], got the map %{})},
          {"position", "got the string"},
          {[{"a", :f32} | :b], "got the list"},
          {["position"], ~s(a component is {name, type} or {name, type, options}, got the string "position")},
          {[{"a", :f32, 4}], "got the tuple"},
          {[{7, :f32}], "got the tuple"}
        ] do
      assert {:error, %Error{reason: :invalid_schema, message: message}} = Schema.new(components)
      assert message =~ said
    end
  end

  test "the JSON form round-trips, and the C core takes it too" do
    for rules <- [Rules.xr(), Rules.doom(), Roomfold.Generators.rules()] do
      assert Rules.from_json(Rules.to_json(rules)) == {:ok, rules}
      assert {:ok, _} = World.new(impl: :native, rules: rules)
    end
  end

  test "JSON forms that are none are refused by Elixir and C alike" do
    good = JSON.decode!(Rules.to_json(Rules.doom()))

    for change <- [
          &Map.put(&1, "version", 2),
          &Map.put(&1, "format", "x"),
          &Map.delete(&1, "events"),
          &Map.put(&1, "more", 1),
          &Map.put(&1, "events", []),
          &put_in(&1["events"]["door_moved"]["from"], "nobody"),
          &put_in(&1["events"]["door_moved"]["do"], %{}),
          &put_in(&1["events"]["door_moved"]["more"], 1),
          &put_in(&1["events"]["door_moved"]["do"], [%{"op" => "paint", "entity" => "id"}]),
          &put_in(&1["events"]["door_moved"]["do"], [%{"op" => "delete"}]),
          &put_in(&1["events"]["door_moved"]["do"], [%{"op" => "delete", "entity" => "id", "set" => %{}}]),
          &put_in(&1["events"]["door_moved"]["do"], [
            %{"op" => "put", "entity" => "id", "component" => "c", "value" => %{"value" => 1}}
          ]),
          &put_in(&1["events"]["door_moved"]["do"], [
            %{"op" => "update", "entity" => "id", "set" => %{"c" => %{"field" => "f", "value" => 1}}}
          ]),
          &put_in(&1["events"]["update"], %{"do" => []})
        ] do
      text = JSON.encode!(change.(good))
      assert {:error, %{reason: :invalid_rules}} = Rules.from_json(text)
      limits = {0, 1, 100, 100, 4, 10}

      assert {:error, {:invalid_rules, _, _}} =
               Roomfold.Native.world_new(Schema.to_json(Schema.default()), text, limits)
    end
  end

  test "schemas that are none are refused by Elixir and C alike" do
    good = JSON.decode!(Schema.to_json(Schema.default()))

    first = fn form, change ->
      update_in(form["components"], fn [head | rest] -> [change.(head) | rest] end)
    end

    for change <- [
          &Map.put(&1, "version", 2),
          &Map.delete(&1, "components"),
          &first.(&1, fn c -> Map.put(c, "type", "f16") end),
          &first.(&1, fn c -> Map.put(c, "count", 17) end),
          &first.(&1, fn c -> Map.put(c, "count", 0) end),
          &first.(&1, fn c -> Map.put(c, "name", "id") end),
          &first.(&1, fn c -> Map.put(c, "name", "rotation") end),
          &first.(&1, fn c -> Map.put(c, "more", 1) end),
          &first.(&1, fn c -> Map.put(c, "type", "bool") end),
          &Map.put(&1, "components", for(i <- 1..65, do: %{"name" => "c#{i}", "type" => "bool"}))
        ] do
      text = JSON.encode!(change.(good))
      assert {:error, %{reason: :invalid_schema}} = Schema.from_json(text)

      assert {:error, {:invalid_schema, _, _}} =
               Roomfold.Native.world_new(text, Rules.to_json(Rules.xr()), {0, 1, 100, 100, 4, 10})
    end
  end
end
