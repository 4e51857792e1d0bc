defmodule Roomfold.AdmissionTest do
  # What a room takes in: C against Elixir, on events of all kinds by all kinds of senders.
  use ExUnit.Case, async: true

  alias Roomfold.{JSON, Rules, World}
  alias Roomfold.Room.Admission

  @runs String.to_integer(System.get_env("RUNS", "300"))

  defp world(impl) do
    World.new!(impl: impl, rules: Rules.doom(), max_entities: 6)
    |> World.fold!([
      {"create", %{"entity_id" => "tom", "components" => %{"health" => 5, "tags" => ["a"]}}},
      {"create", %{"entity_id" => "ann", "components" => %{"owner" => "bob", "frags" => "many"}}},
      {"create", %{"entity_id" => "box", "components" => %{"owner" => "tom"}}},
      {"create", %{"entity_id" => "rock", "components" => %{"owner" => 7}}}
    ])
  end

  defp both(items, at \\ 1_700_000_000_000) do
    native = world(:native)
    {:ok, {text, answers}} = native.impl.admit(native.state, at, items)
    assert {:ok, {text, Enum.reverse(answers)}} == Admission.admit(world(:elixir), at, items, :elixir)
    port = world(:port)
    assert {:ok, {text, answers}} == port.impl.admit(port.state, at, items)

    # The same in pieces.
    pieces = for {by, trusted, texts} <- items, do: {by, trusted, Enum.map(texts, &in_pieces/1)}
    assert {:ok, {text, answers}} == native.impl.admit(native.state, at, pieces)
    assert {:ok, {text, Enum.reverse(answers)}} == Admission.admit(world(:elixir), at, pieces, :elixir)
    assert {:ok, {text, answers}} == port.impl.admit(port.state, at, pieces)
    # Nothing was changed.
    assert World.snapshot(port) == World.snapshot(native)
    assert World.snapshot(native) == World.snapshot(world(:native))
    {text, Enum.reverse(answers), native}
  end

  defp in_pieces(text) do
    {head, rest} = String.split_at(text, :rand.uniform(byte_size(text) + 1) - 1)
    Enum.random([[head | rest], [head, [[], rest]], [[head], [rest, ""]]])
  end

  test "records are the events with seq, at and by, one a line, and fold whole" do
    items = [
      {"system", true, [~s({"event_name":"monster_moved","id":"box","position":[1,2,3]})]},
      {"tom", false,
       [
         ~s(  {"event":"update",\n"entity_id":"box",\r\n"components":{"lid":"o\\npen"}} ),
         ~s({"event_name":"door_triggered"})
       ]},
      {"t\"o\nm", false, [~s({"event_name":"door_triggered","user_id":"t\\"o\\u000am"})]}
    ]

    {text, answers, world} = both(items, 5)
    assert answers == [5, 6, 8]

    assert String.split(text, "\n") == [
             ~s({"event_name":"monster_moved","id":"box","position":[1,2,3],"seq":5,"at":5,"by":"system"}),
             ~s({"event":"update", "entity_id":"box",  "components":{"lid":"o\\npen"},"seq":6,"at":5,"by":"tom"}),
             ~s({"event_name":"door_triggered","seq":7,"at":5,"by":"tom"}),
             ~s({"event_name":"door_triggered","user_id":"t\\"o\\u000am","seq":8,"at":5,"by":"t\\"o\\nm"}),
             ""
           ]

    {:ok, world, report} = World.fold(world, {:json, text})

    assert {report.folded, report.gaps, report.stale, report.rejected_count, World.seq(world)} ==
             {4, 0, 0, 0, 8}
  end

  test "what is refused, why and where, leaves no trace" do
    for {by, text, reason, about, offset} <- [
          {"tom", "", :unexpected_end, nil, 0},
          {"tom", "  ", :unexpected_end, nil, 2},
          {"tom", "[]", :not_an_event, nil, nil},
          {"tom", "7", :not_an_event, nil, nil},
          {"tom", "x", :unexpected_byte, nil, 0},
          {"tom", ~s({"event_name":"door_triggered"} x), :unexpected_byte, nil, 32},
          {"tom", ~s({"event_name":"door_triggered"}{}), :unexpected_byte, nil, 31},
          {"tom", ~s({"event_name":"door_triggered"), :unexpected_end, nil, 30},
          {"tom", ~s({"event_name":"door_triggered","a":1,"a":2}), :duplicate_key, nil, 37},
          {"tom", ~s({"event_name":"door_triggered","far":1e999}), :number_out_of_range, nil, 37},
          {"tom", ~s({"event_name":"door_triggered","far":[{"x":-1.8e308}]}), :number_out_of_range, nil, 43},
          {"tom", ~s({"event_name":"moon_landed","id":"x","far":1e999}), :number_out_of_range, nil, 43},
          {"tom", ~s({"event":"update","entity_id":"tom","components":{"far":1e999}}), :number_out_of_range,
           "far", nil},
          {"tom", ~s({"a":1}), :invalid_name, nil, nil},
          {"tom", ~s({}), :invalid_name, nil, nil},
          {"tom", ~s({"event_name":7}), :invalid_name, nil, nil},
          {"tom", ~s({"event_name":"x","event":"create"}), :invalid_name, nil, nil},
          {"tom", ~s({"event_name":"moon_landed"}), :unknown_event, "moon_landed", nil},
          {"tom", ~s({"event_name":"create","entity_id":"x","components":{}}), :unknown_event, "create", nil},
          {"tom", ~s({"event_name":"door_triggered","seq":1}), :reserved_field, "seq", nil},
          {"tom", ~s({"event_name":"door_triggered","at":null}), :reserved_field, "at", nil},
          {"tom", ~s({"event_name":"door_triggered","by":"tom"}), :reserved_field, "by", nil},
          {"tom", ~s({"event_name":"door_triggered","user_id":"ann"}), :not_owned, "user_id", nil},
          {"tom", ~s({"event_name":"door_triggered","user_id":7}), :not_owned, "user_id", nil},
          {"tom", ~s({"event_name":"player_hit","user_id":"tom","health":1}), :not_allowed, "player_hit",
           nil},
          {"tom", ~s({"event_name":"player_moved","user_id":"ann"}), :not_owned, "user_id", nil},
          {"tom", ~s({"event":"update","entity_id":"ann","components":{"a":1}}), :not_owned, "entity_id",
           nil},
          {"tom", ~s({"event":"update","entity_id":"rock","components":{"a":1}}), :not_owned, "entity_id",
           nil},
          {"tom", ~s({"event":"delete","entity_id":"nobody"}), :not_owned, "entity_id", nil},
          {"tom", ~s({"event":"create","entity_id":"new","components":{"owner":"ann"}}), :not_owned,
           "entity_id", nil},
          {"tom", ~s({"event_name":"player_moved","user_id":"tom","position":[1,2]}), :wrong_type, "position",
           nil},
          {"tom", ~s({"event":"update","entity_id":"tom","components":7}), :invalid_components, nil, nil},
          {"tom", ~s({"event":"update","entity_id":"","components":{}}), :invalid_id, "entity_id", nil},
          {:system, ~s({"event_name":"player_killed","user_id":"tom","killer_id":"ann"}), :not_a_number,
           "frags", nil},
          {:system, ~s({"event_name":"player_hit","user_id":"tom","damage":"much"}), :not_a_number,
           "damage_taken", nil}
        ] do
      item = if by == :system, do: {"system", true, [text]}, else: {by, false, [text]}
      {written, answers, _} = both([item])
      assert {written, answers} == {"", [{0, reason, about, offset}]}, text
    end
  end

  test "users are kept from what is from the system; who speaks for the room may send everything" do
    for {event, from} <- [
          {~s({"event_name":"weapon_switched","user_id":"tom","weapon":"axe"}), :user},
          {~s({"event_name":"door_triggered"}), :any},
          {~s({"event_name":"player_hit","user_id":"tom","health":1}), :system},
          {~s({"event":"update","entity_id":"ann","components":{"a":1}}), nil}
        ] do
      name = JSON.decode!(event)["event_name"]
      if name, do: assert(Rules.sender(Rules.doom(), name) == from)
      for by <- ["system", "server"], do: assert({_, [5], _} = both([{by, true, [event]}]))
      {_, [answer], _} = both([{"tom", false, [event]}])

      refusals = %{:system => {0, :not_allowed, name, nil}, nil => {0, :not_owned, "entity_id", nil}}
      assert answer == Map.get(refusals, from, 5)
    end
  end

  test "numbers of any length that nobody wants: what is taken in can be read as a term" do
    nines = &String.duplicate("9", &1)

    good = [
      "1e308",
      "-1e-999",
      "0e999",
      nines.(30),
      "-" <> nines.(16_384),
      "[#{nines.(16_384)}]",
      nines.(300) <> ".5"
    ]

    bad = ["1e309", "-1e999", nines.(16_385), "-" <> nines.(16_385), nines.(400) <> ".5", "[1,[1e999]]"]
    # Also where an event looks like one before, without the number.
    plain = ~s({"event_name":"door_triggered","far":1234567890})

    for number <- good ++ bad do
      text = String.replace(plain, "1234567890", number)
      {written, answers, _} = both([{"tom", false, [plain]}, {"tom", false, [text]}, {"tom", false, [plain]}])
      lines = String.split(written, "\n", trim: true)

      assert {number in good, length(lines)} ==
               {match?([5, 6, 7], answers), if(number in good, do: 3, else: 2)}

      for line <- lines, do: assert({:ok, _} = Roomfold.JSON.decode(line))
      if number in bad, do: assert([5, {0, :number_out_of_range, nil, _}, 6] = answers)
    end
  end

  test "all of an item or nothing, and the others all the same" do
    good = ~s({"event_name":"door_triggered"})
    {text, answers, _} = both([{"tom", false, [good, "x", good]}, {"ann", false, [good]}, {"bob", false, []}])
    assert [{1, :unexpected_byte, nil, 0}, 5, 6] = answers
    assert [_, ""] = String.split(text, "\n")
  end

  test "what a batch makes belongs to who made it; what is refused makes nothing" do
    create = ~s({"event":"create","entity_id":"new","components":{"owner":"tom"}})
    change = ~s({"event":"update","entity_id":"new","components":{"a":1}})
    {_, answers, _} = both([{"tom", false, [create]}, {"tom", false, [change]}, {"ann", false, [change]}])
    assert [5, 6, {0, :not_owned, "entity_id", nil}] = answers
    {_, answers, _} = both([{"tom", false, [create, "x"]}, {"tom", false, [change]}])
    assert [{1, _, _, _}, {0, :not_owned, "entity_id", nil}] = answers
  end

  test "so does what the room makes, or a user under its own id: nobody takes it over in the same batch" do
    create = &~s({"event":"create","entity_id":"#{&1}","components":{"owner":#{&2}}})
    change = &~s({"event":"update","entity_id":"#{&1}","components":{"a":1}})
    refused = {0, :not_owned, "entity_id", nil}

    for {first, second, answer} <- [
          # Of the system, of the server, of a user; given away.
          {{"system", true, [create.("new", "null")]}, {"eve", false, [create.("new", ~s("eve"))]}, refused},
          {{"server", true, [~s({"event_name":"user_joined","user_id":"new"})]},
           {"eve", false, [create.("new", ~s("eve"))]}, refused},
          {{"new", false, [create.("new", "7")]}, {"eve", false, [create.("new", ~s("eve"))]}, refused},
          {{"system", true, [create.("new", ~s("eve"))]}, {"eve", false, [change.("new")]}, 6},
          {{"eve", false, [create.("new", ~s("eve"))]}, {"eve", false, [create.("new", ~s("tom"))]}, 6},
          # Of the world, too: it is not there any more as it was.
          {{"system", true, [create.("box", "null")]}, {"tom", false, [change.("box")]}, refused},
          {{"system", true, [create.("rock", ~s("tom"))]}, {"tom", false, [change.("rock")]}, 6},
          {{"tom", false, [create.("box", ~s("ann"))]}, {"tom", false, [change.("box")]}, refused},
          # What was refused has made nothing.
          {{"system", true, [create.("box", "null"), "x"]}, {"tom", false, [change.("box")]}, 5}
        ] do
      {_, [_, second_answer], _} = both([first, second])
      assert second_answer == answer, inspect({first, second})
    end
  end

  test "of thousands that a batch makes, each is whose it is" do
    create = &~s({"event":"create","entity_id":"n#{&1}","components":{"owner":"u#{rem(&1, 7)}"}})
    change = &~s({"event":"delete","entity_id":"n#{&1}"})
    world = World.new!(impl: :native)
    made = for n <- 1..3_000, do: {"system", true, [create.(n)]}
    # In between, what is refused is forgotten again.
    lost = for n <- 1..3_000, do: {"system", true, [create.(n + 1), create.(n + 2), "x"]}
    changed = for n <- 1..3_000, do: {"u#{rem(n, 5)}", false, [change.(n)]}
    items = Enum.concat(Enum.zip_with(made, lost, &[&1, &2])) ++ changed
    {:ok, {_, answers}} = world.impl.admit(world.state, 1, items)
    answers = answers |> Enum.reverse() |> Enum.drop(6_000)

    for {answer, n} <- Enum.zip(answers, 1..3_000),
        do: assert(is_integer(answer) == (rem(n, 7) == rem(n, 5)), "#{n}")
  end

  test "random events by random senders: C and Elixir say the same" do
    :rand.seed(:exsss, {1, 2, 3})

    for _ <- 1..@runs do
      both(for _ <- 1..Enum.random(1..4), do: random_item())
    end
  end

  defp random_item do
    by = Enum.random(["tom", "ann", "bob"])

    if Enum.random(1..4) == 1,
      do: {"system", true, [random_text()]},
      else: {by, false, for(_ <- 1..Enum.random(1..2), do: random_text())}
  end

  # One thing wrong at most, so that it is clear which error comes first.
  defp random_text do
    id = Enum.random(["tom", "ann", "bob", "box", "new"])

    payload =
      case Enum.random(1..6) do
        1 ->
          %{"event_name" => "player_moved", "user_id" => id, "position" => [1, 2.5, 3]}

        2 ->
          %{"event" => "update", "entity_id" => id, "components" => %{"health" => 3}}

        3 ->
          %{"event" => "create", "entity_id" => id, "components" => %{"owner" => Enum.random(["tom", "ann"])}}

        4 ->
          %{"event" => "delete", "entity_id" => id}

        5 ->
          %{"event_name" => "weapon_fired", "user_id" => id, "projectile_id" => Enum.random(["p", "box"])}

        6 ->
          %{"event_name" => Enum.random(["door_triggered", "monster_moved", "nonsense"]), "id" => id}
      end

    Roomfold.JSON.encode!(payload)
  end
end
