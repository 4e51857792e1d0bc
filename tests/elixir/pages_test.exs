defmodule Roomfold.PagesTest do
  # What the pages of docs show in Elixir answers what they say.
  use ExUnit.Case, async: true

  import Roomfold.Eventually

  alias Roomfold.{Room, Rules}
  alias Roomfold.Test.{Page, Program}

  if Program.instrumented?() do
    IO.puts("left out: #{inspect(__MODULE__)}, it starts VMs, and this one is under a sanitizer")
    @moduletag :skip
  end

  setup_all do
    for block <- Page.blocks("docs/rooms.md", "### A system of your own"), do: Code.compile_string(block)
    :ok
  end

  for {page, count} <- [{"docs/hits.md", 4}, {"docs/rules.md", 3}] do
    test page do
      text = Enum.join(Page.blocks(unquote(page), "## In Elixir"), "\n")
      assert Page.answers(text) == unquote(count)
      assert {out, 0} = Page.run(text)
      assert length(String.split(out, "checked ")) - 1 == unquote(count)
    end
  end

  describe "docs/rooms.md" do
    test "the system burns who stands in the lava, once a second" do
      rules =
        Rules.merge(
          Rules.xr(),
          Rules.new!(%{"user_hurt" => [{:add, "user_id", "health", {:field, "amount"}}]})
        )

      {:ok, room} =
        Room.start_link(
          id: "lava",
          rooms: nil,
          rules: rules,
          systems: [Function.capture(Lava, :burn, 2)],
          tick_ms: 1
        )

      for {id, x} <- [{"ann", 12}, {"bob", 9}] do
        components = %{"position" => [x, 0, 0], "health" => 10}
        assert {:ok, _} = Room.publish(room, {"create", %{"entity_id" => id, "components" => components}})
      end

      assert eventually(fn -> Room.get(room, "ann")["health"] < 10 end)
      assert Room.get(room, "bob")["health"] == 10
    end

    test "the module locks the door, and opens it" do
      {:ok, room} = Room.start_link(id: "doors", rooms: nil, rules: Rules.doom(), module: Doors)

      for id <- ~w(ann door),
          do: {:ok, _} = Room.publish(room, {"create", %{"entity_id" => id, "components" => %{}}})

      push = {"door_triggered", %{"user_id" => "ann", "id" => "door"}}
      assert {:error, %{message: message}} = Room.publish(room, push, by: "ann")
      assert message =~ "the door is locked"
      key = %{"entity_id" => "ann", "components" => %{"key" => "red"}}
      assert {:ok, _} = Room.publish(room, {"update", key})
      assert {:ok, _} = Room.publish(room, push, by: "ann")
      assert eventually(fn -> Room.get(room, "door")["state"] == "open" end)
    end

    test "a name that nobody has had is a new room, and its past is empty" do
      assert Room.get("a name nobody has had", "tom") == nil
      assert Room.whereis("a name nobody has had") != nil
      assert {:error, %{reason: :no_room}} = Room.state_at("another one", 1)
      assert {:error, %{reason: :no_room}} = Room.diff("another one", 0, 1)
      assert {:error, %{reason: :no_room}} = Room.fork("another one", 0)
      assert {:error, %{reason: :no_room}} = Room.refold("another one", Rules.doom())
      assert {:error, %{reason: :no_room}} = Room.hashes("another one", 10)
      assert {:error, %{reason: :no_room}} = Room.replay("another one")
      assert Room.whereis("another one") == nil
      assert Room.stop("another one") == :ok
    end

    test "an event that does nothing is in the log all the same" do
      assert {:ok, 1} = Room.publish("quiet", {"user_joined", %{}})
      moved = %{"user_id" => "nobody", "position" => [1, 2, 3]}
      assert {:ok, 2} = Room.publish("quiet", {"user_moved", moved})
      assert Room.snapshot("quiet") == %{}
    end
  end

  describe "docs/phoenix.md" do
    test "a lamp of one's own breaks of white light, and is lit no more" do
      [rules, module | _] = Page.blocks("docs/phoenix.md", "## Your own events")
      [rules, _child] = String.split(rules, "\n\n{Roomfold.Rooms,")
      {rules, _} = Code.eval_string(rules)
      [{module, _}] = Code.compile_string(module)
      {:ok, room} = Room.start_link(id: "lamps", rooms: nil, rules: rules, module: module)

      light = fn color ->
        Room.publish(room, {"lamp_lit", %{"user_id" => "tom", "lamp_id" => "l", "color" => color}}, by: "tom")
      end

      placed = %{"user_id" => "tom", "lamp_id" => "l", "position" => [1, 0, 2]}
      assert {:ok, 1} = Room.publish(room, {"lamp_placed", placed}, by: "tom")
      assert {:ok, 2} = light.("red")
      assert {:ok, 3} = light.("white")
      assert eventually(fn -> Room.get(room, "l")["broken"] end)
      assert {:error, %{message: message}} = light.("red")
      assert message =~ "the lamp is broken"
      assert Room.get(room, "l")["color"] == "white"
    end
  end
end
