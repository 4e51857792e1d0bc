defmodule Roomfold.WireStreamsTest do
  @moduledoc """
  The property of a diff on the bytes that C makes (tests/c/test_wire_streams.c): applied to the snapshot it starts from it
  gives the snapshot it ends at, packed and as JSON, in every implementation. `SEED` and `RUNS` choose the streams; a failure names its own.
  """
  use ExUnit.Case, async: true

  alias Roomfold.{JSON, World}
  alias Roomfold.Test.Program

  @root Path.expand("../..", __DIR__)
  @program "build/test/test_wire_streams"
  @seed String.to_integer(System.get_env("SEED", "1"))
  @runs String.to_integer(System.get_env("RUNS", "60"))
  @at_once 100

  cond do
    Program.instrumented?() ->
      @moduletag skip: "a sanitizer's run builds no second library"

    not match?({_, 0}, System.cmd("sh", ["-c", "pkg-config --exists check jansson zlib"])) ->
      IO.puts("left out: random streams as frames (they need check and jansson: make setup)")
      @moduletag skip: "check or jansson is not there"

    true ->
      :ok
  end

  setup_all do
    assert Program.make(["CONFIG=test", @program]) == 0
    :ok
  end

  defp lines(args) do
    {text, 0} = System.cmd(Path.join(@root, @program), args, cd: @root)
    for line <- String.split(text, "\n", trim: true), do: JSON.decode!(line, max_depth: 128)
  end

  for impl <- [:native, :port, :elixir] do
    test "random streams, #{impl}, SEED=#{@seed} RUNS=#{@runs}" do
      for first <- @seed..(@seed + @runs - 1)//@at_once do
        written = lines(["write", "#{first}", "#{min(@at_once, @seed + @runs - first)}"])
        Enum.reduce(written, nil, &follow(&1, &2, unquote(impl)))
      end
    end
  end

  # Who has the world of which frames.
  defp follow(%{"stream" => name}, _, _), do: %{name: name, packed: %{}, json: %{}}

  defp follow(%{"to" => to, "packed" => hex, "json" => text}, at, impl) do
    frame = Base.decode16!(hex, case: :lower)
    packed = take(at.packed[to], {:packed, frame}, impl: impl)
    json = take(at.json[to], {:json, text}, impl: impl, schema: packed.schema)
    %{at | packed: Map.put(at.packed, to, packed), json: Map.put(at.json, to, json)}
  end

  defp follow(%{"of" => of, "seq" => seq, "entities" => entities, "whole" => whole}, at, impl) do
    where = "#{at.name}, #{impl}, seq #{seq}"
    assert World.seq(at.packed[of]) == seq and World.seq(at.json[of]) == seq, where
    assert bits(World.snapshot(at.packed[of])) == bits(entities), where
    {:ok, loaded} = World.load({:json, whole}, impl: impl, schema: at.packed[of].schema)
    assert bits(World.snapshot(at.json[of])) == bits(World.snapshot(loaded)), "#{where}, as JSON"
    at
  end

  # 0x11 is a snapshot's first byte.
  defp take(_, {:packed, <<0x11, _::binary>>} = frame, opts), do: ok!(World.load(frame, opts))
  defp take(_, {:json, "{\"seq\"" <> _} = frame, opts), do: ok!(World.load(frame, opts))
  defp take(world, frame, _), do: ok!(World.apply_diff(world, frame))

  defp ok!({:ok, world}), do: world
  defp ok!({:ok, world, _}), do: world

  # 0.0 is not -0.0.
  defp bits(term), do: :erlang.term_to_binary(term)
end
