defmodule Roomfold.Generators do
  @moduledoc """
  Random events for PropEr: valid ones that meet each other (few ids, few names), and hostile ones of every kind. As terms
  and as JSON text, whole, truncated and changed.
  """
  import :proper_types,
    only: [frequency: 1, float: 2, integer: 2, oneof: 1, list: 1, tuple: 1, sized: 1, lazy: 1, resize: 2]

  alias Roomfold.{JSON, Rules}

  @ids ["a", "b", "c", "d", "e", "player-with-a-long-id-1", "player-with-a-long-id-2", "ü"]

  @doc "Rules with every operation, on few components."
  def rules do
    own =
      Rules.new!(%{
        "scored" => [
          {:add, "id", "score", {:field, "points"}, {-10, 1000}},
          {:add, "id", "health", {:field, "points"}, {0, nil}},
          {:add, "id", "ratio", {:field, "points"}}
        ],
        "tagged" => [
          {:put, "id", "tags", {:field, "tag"}},
          {:put, "id", "tags", {:value, "seen"}},
          {:take, "id", "tags", {:field, "untag"}}
        ],
        "swapped" => [
          {:update, "id",
           %{"position" => {:field, "position"}, "partner" => {:field, "other"}, "note" => {:value, nil}}},
          {:update, "other",
           %{"partner" => {:field, "id"}, "position" => {:field, "position"}, "count" => {:field, "points"}}},
          {:delete, "gone"}
        ],
        "made" => [
          {:create, "id",
           %{
             "kind" => {:value, "thing"},
             "position" => {:field, "position"},
             "label" => {:field, "tag"},
             "alive" => {:value, true}
           }}
        ],
        "noted" => []
      })

    Rules.merge(Rules.doom(), own)
  end

  def schema do
    Roomfold.Schema.new!(
      Roomfold.Schema.default().components ++
        [
          {"ratio", :f32},
          {"exact", {:f64, 2}},
          {"alive", :bool},
          {"label", :string},
          {"tags", :term},
          {"count", :i64}
        ]
    )
  end

  # ---- values ----

  def number do
    frequency([
      {10, float(-100.0, 100.0)},
      {5, integer(-100, 100)},
      {1,
       oneof(
         [0, -0.0, 0.0, 1.0, 9_007_199_254_740_992, 9_007_199_254_740_993, -9_007_199_254_740_993] ++
           extremes()
       )}
    ])
  end

  defp extremes do
    [
      9_223_372_036_854_775_807,
      -9_223_372_036_854_775_808,
      9_223_372_036_854_775_808,
      1.0e300,
      -1.0e300,
      3.4028236e38,
      1.0e-46,
      5.0e-324,
      1.0e19
    ]
  end

  def vector(count),
    do: frequency([{20, :proper_types.vector(count, number())}, {1, list(number())}, {1, any_value()}])

  def text do
    frequency([
      {10, oneof(["", "x", "red", "é", "\u{1F600}", "a\"b\\c\n\t", "\u0000", <<0x7F>>])},
      {1, oneof([<<0xFF>>, <<0xC3>>, "ok" <> <<0xED, 0xA0, 0x80>>])}
    ])
  end

  def any_value do
    sized(fn size -> any_value(min(size, 12)) end)
  end

  defp any_value(0), do: oneof([nil, true, false, number(), text()])

  defp any_value(size) do
    lazy(fn ->
      frequency([
        {6, any_value(0)},
        {1, resize(div(size, 2), list(any_value(div(size, 2))))},
        {1, let(pairs(key(), any_value(div(size, 2))), &Map.new/1)},
        {1, oneof([:atom, {1, 2}, <<1::3>>, %{a: 1}, %{1 => 2}, self()])},
        {1, let(integer(1, 2), &[&1 | :improper])}
      ])
    end)
  end

  defp let(type, fun), do: :proper_types.bind(type, fun, false)
  defp pairs(key, value), do: list(tuple([key, value]))
  defp key, do: frequency([{10, oneof(["a", "b", "c", "position", "é"])}, {1, text()}])

  def id,
    do:
      frequency([
        {30, oneof(@ids)},
        {1, oneof([nil, "", 7, <<0xFF>>, :x, [], String.duplicate("i", 255), String.duplicate("i", 256)])}
      ])

  # ---- components ----

  def components do
    frequency([{20, let(list(component()), &Map.new/1)}, {1, oneof([nil, [], "x", %{}, 5])}])
  end

  defp component do
    frequency([
      {6, tuple(["position", vector(3)])},
      {4, tuple(["rotation", vector(4)])},
      {3, tuple(["health", number()])},
      {2, tuple(["exact", vector(2)])},
      {2, tuple(["ratio", number()])},
      {2, tuple(["alive", oneof([true, false, nil, 1])])},
      {2, tuple(["label", text()])},
      {2, tuple(["tags", oneof([["a", "b"], ["b", "a", "b"], [], "x", nil, [1]])])},
      {2, tuple(["kind", oneof(["door", "monster", 5, nil])])},
      {4, tuple([oneof(["n1", "n2", "n3", "n4", "n5", "score", "note"]), any_value()])},
      {2, tuple([oneof(["position", "label", "n1", "n2", "health"]), nil])},
      {1, tuple([oneof(["id", "", <<0xFF>>, :atom, 5, String.duplicate("n", 256)]), any_value()])}
    ])
  end

  # ---- events ----

  def event do
    frequency([
      {6, entity_event("create")},
      {10, entity_event("update")},
      {3, entity_event("delete")},
      {10, domain_event()},
      {1,
       oneof([
         {"nobody_knows", %{}},
         {"", %{}},
         {String.duplicate("e", 256), %{}},
         {:create, %{}},
         {"create", []},
         {"create", %{a: 1}},
         5,
         nil,
         {1, 2, 3}
       ])}
    ])
  end

  defp entity_event(name) do
    let(tuple([seq(), id(), components()]), fn {seq, id, components} ->
      {name, Map.merge(seq, %{"entity_id" => id, "components" => components})}
    end)
  end

  defp domain_event do
    names = [
      "scored",
      "tagged",
      "swapped",
      "made",
      "noted",
      "player_spawned",
      "player_moved",
      "player_hit",
      "player_killed",
      "weapon_collected",
      "user_joined",
      "user_moved",
      "user_left",
      "door_moved"
    ]

    let(tuple([oneof(names), seq(), list(field())]), fn {name, seq, fields} ->
      {name, Map.merge(Map.new(fields), seq)}
    end)
  end

  defp field do
    frequency([
      {8, tuple([oneof(["id", "user_id", "item_id", "other", "gone", "killer_id"]), id()])},
      {4, tuple(["position", vector(3)])},
      {2, tuple(["rotation", vector(4)])},
      {3, tuple([oneof(["points", "damage", "health"]), frequency([{5, number()}, {1, any_value()}])])},
      {3, tuple([oneof(["tag", "untag", "weapon"]), frequency([{5, text()}, {1, any_value()}])])},
      {2, tuple([oneof(["pose", "at", "by", "ceiling"]), any_value()])}
    ])
  end

  # Mostly none; some that jump, repeat or make no sense.
  defp seq do
    frequency([
      {20, %{}},
      {3, let(integer(1, 60), &%{"seq" => &1})},
      {1, let(oneof([0, -1, 1.0, "1", nil, 1.5, 9_007_199_254_740_992, %{}, []]), &%{"seq" => &1})}
    ])
  end

  def events, do: list(event())

  # ---- JSON text ----

  @doc "Events that JSON can say, as JSON Lines or an array, perhaps truncated or with some bytes changed."
  def json do
    let(tuple([list(json_event()), oneof([:lines, :array, :pretty]), damage()]), fn {events, form, damage} ->
      events |> Enum.map(&encode/1) |> join(form) |> damaged(damage)
    end)
  end

  defp json_event do
    let(frequency([{12, event()}, {1, change()}]), fn event ->
      if sayable?(event), do: event, else: {"noted", %{}}
    end)
  end

  @doc "JSON Lines that speak of several entities at once, with creates among them."
  def changes do
    create = tuple([:create, seq(), oneof(@ids), list(tuple([component_name(), simple_value()]))])

    let(list(frequency([{3, change()}, {2, create}])), fn events ->
      Enum.map_join(events, "\n", fn
        {:create, seq, id, components} ->
          components = components |> Map.new() |> sayable() |> Map.delete("id")
          encode({"create", Map.merge(seq, %{"entity_id" => id, "components" => components})})

        {:change, object} ->
          encode({:change, sayable(object)})
      end)
    end)
  end

  defp sayable(object) do
    for {key, value} <- object,
        match?({:ok, _}, JSON.encode(%{key => value}, impl: :elixir)),
        into: %{},
        do: {key, value}
  end

  # Several entities at once, without a name; sometimes of both shapes, which is neither.
  defp change do
    entries =
      frequency([
        {5, pairs(component_name(), let(list(tuple([id(), simple_value()])), &Map.new/1))},
        {5, pairs(oneof(["monsters", "others", "é"]), list(frequency([{9, item()}, {1, simple_value()}])))},
        {2, pairs(oneof(["monsters", "others"]), list(own_item()))},
        {1, pairs(key(), simple_value())},
        {1, pairs(oneof(["kinds", "components", "from", "event"]), oneof([%{}, [], nil]))}
      ])

    lists = list(tuple([oneof(["created", "deleted"]), frequency([{9, list(id())}, {1, simple_value()}])]))

    # Lists in lists: each as long as the size allows would be too much.
    let(resize(3, tuple([entries, lists, seq()])), fn {entries, lists, seq} ->
      {:change, Map.new(entries) |> Map.merge(Map.new(lists)) |> Map.merge(seq)}
    end)
  end

  defp component_name, do: oneof(["position", "health", "label", "n1", "n2", "note", "id", "kind"])

  defp item do
    let(tuple([id(), list(tuple([component_name(), simple_value()]))]), fn {id, components} ->
      components |> Map.new() |> Map.put("id", id)
    end)
  end

  # Rarely the same id twice, so that it can be a snapshot.
  defp own_item do
    let(tuple([oneof([oneof(@ids), :proper_types.integer(1, 1000)]), item()]), fn {id, item} ->
      Map.put(item, "id", if(is_binary(id), do: id, else: "own#{id}"))
    end)
  end

  defp simple_value do
    frequency([
      {4, :proper_types.vector(3, number())},
      {4, number()},
      {2, text()},
      {2, oneof([nil, true, [], [1, [nil]], %{"b" => 1, "a" => [2.5]}])}
    ])
  end

  defp sayable?({:change, object}), do: match?({:ok, _}, JSON.encode(object, impl: :elixir))

  defp sayable?({name, payload}) when is_binary(name) and is_map(payload),
    do: match?({:ok, _}, JSON.encode([name, payload], impl: :elixir))

  defp sayable?(_), do: false

  defp encode({:change, object}), do: JSON.encode!(object, impl: :elixir)

  defp encode({name, payload}) do
    key = if name in ["create", "update", "delete"], do: "event", else: "event_name"
    JSON.encode!(Map.put(payload, key, name), impl: :elixir)
  end

  defp join(lines, :lines), do: Enum.join(lines, "\n")
  defp join(lines, :array), do: "[" <> Enum.join(lines, ",") <> "]"
  defp join(lines, :pretty), do: Enum.map_join(lines, "\r\n", &String.replace(&1, ",\"", " ,\n \""))

  defp damage do
    frequency([
      {6, []},
      {2, let(tuple([:cut, integer(0, 10_000)]), &[&1])},
      {3, list(tuple([:set, integer(0, 10_000), oneof(~c"{}[]\",:\\0e-.x\n\0" ++ [0xFF, 0xC3])]))},
      {2, let(tuple([:double, integer(0, 10_000), integer(1, 40)]), &[&1])}
    ])
  end

  defp damaged(text, damages), do: Enum.reduce(damages, text, &hit/2)

  defp hit(_, ""), do: ""
  defp hit({:cut, at}, text), do: binary_part(text, 0, rem(at, byte_size(text)))

  defp hit({:set, at, byte}, text) do
    at = rem(at, byte_size(text))
    <<before::binary-size(at), _, rest::binary>> = text
    before <> <<byte>> <> rest
  end

  defp hit({:double, at, len}, text) do
    at = rem(at, byte_size(text))
    len = min(len, byte_size(text) - at)
    <<before::binary-size(at), part::binary-size(len), rest::binary>> = text
    before <> part <> part <> rest
  end
end
