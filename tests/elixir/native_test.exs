defmodule Roomfold.NativeTest do
  use ExUnit.Case

  alias Roomfold.{Native, World}

  test "worlds outlive their library's code: it is loaded again while they are used" do
    events = for i <- 1..100, do: {"create", %{"entity_id" => "e#{i}", "components" => %{"n" => i}}}
    world = World.fold!(World.new!(impl: :native), events)

    readers =
      for _ <- 1..4 do
        Task.async(fn ->
          for _ <- 1..200, do: World.encode!(world, :snapshot, :json)
        end)
      end

    # Not by purge/1, which ends those who are still in the old code.
    loaded =
      for _ <- 1..20, :code.soft_purge(Native) do
        assert {:module, Native} = :code.load_file(Native)
      end

    assert loaded != []

    [text] = readers |> Task.await_many(60_000) |> Enum.concat() |> Enum.uniq()
    assert text == World.encode!(World.fold!(World.new!(impl: :elixir), events), :snapshot, :json)
    assert World.seq(World.fold!(world, [{"delete", %{"entity_id" => "e1"}}])) == 101
  end

  test "a library that was not there, and is when its module is loaded again, counts as loaded" do
    for module <- [Native, Roomfold.EventLog.SQLite.Library], module.loaded?() do
      :persistent_term.put(module, "there is no such file")
      refute module.loaded?()
      :code.soft_purge(module)
      assert {:module, ^module} = :code.load_file(module)
      assert module.loaded?()
    end
  end
end
