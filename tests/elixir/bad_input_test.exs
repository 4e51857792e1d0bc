defmodule Roomfold.BadInputTest do
  @moduledoc """
  Bad input, kind by kind, in each form it can come in and with every implementation: it is reported with index, place and reason, and the events
  before and behind it are folded. A frame is used whole or not at all.
  """
  use ExUnit.Case, async: true

  alias Roomfold.{Report, Wire, World}

  @impls [:native, :port, :elixir]

  defp create(id, components), do: {"create", %{"entity_id" => id, "components" => components}}
  defp line(id, components), do: ~s({"event":"create","entity_id":"#{id}","components":#{components}})
  defp deep(levels), do: String.duplicate("[", levels) <> String.duplicate("]", levels)
  defp nested(levels), do: Enum.reduce(2..levels, [], fn _, inner -> [inner] end)

  # Where a line's components begin.
  @at byte_size(~s({"event":"create","entity_id":"x","components":))

  # What it is, the event, and where and why it is refused: {reason, component or field, offset in the line}.
  defp texts do
    [
      {"malformed JSON", ~s({"event":"create",}), {:unexpected_byte, nil, 18}},
      {"malformed JSON: a number", line("x", ~s({"n":01})), {:unexpected_byte, nil, @at + 6}},
      {"malformed JSON: a control character", line("x", ~s({"n":"\t"})), {:unexpected_byte, nil, @at + 6}},
      {"a wrong type", line("x", ~s({"position":"here"})), {:wrong_type, "position", nil}},
      {"components of a wrong type", line("x", "[]"), {:invalid_components, nil, nil}},
      {"an unknown event", ~s({"event_name":"unheard_of","user_id":"tom"}), {:unknown_event, nil, nil}},
      {"no event at all", "[1,2]", {:not_an_event, nil, nil}},
      {"an absurd size: a value", line("x", ~s({"n":"#{String.duplicate("x", 70_000)}"})),
       {:too_large, "n", nil}},
      {"an absurd size: a name", ~s({"event_name":"#{String.duplicate("e", 256)}"}),
       {:invalid_name, nil, nil}},
      {"deep nesting: 63 levels of a value", line("x", ~s({"n":#{deep(63)}})),
       {:too_deep, nil, @at + 5 + 62}},
      {"deep nesting: 100,000 levels", line("x", ~s({"n":#{deep(100_000)}})), {:too_deep, nil, @at + 5 + 62}},
      {"a number out of range", line("x", ~s({"position":[1e300,0,0]})),
       {:number_out_of_range, "position", nil}},
      {"a number that nothing holds", line("x", ~s({"n":1e400})), {:number_out_of_range, "n", nil}},
      {"an integer beyond 64 bits", line("x", ~s({"n":9223372036854775808})),
       {:number_out_of_range, "n", nil}},
      {"an id of 0 bytes", line("", "{}"), {:invalid_id, "entity_id", nil}},
      {"an id of 100,000 bytes", line(String.duplicate("i", 100_000), "{}"), {:invalid_id, "entity_id", nil}},
      {"a duplicate key", line("x", ~s({"n":1,"n":2})), {:duplicate_key, nil, @at + 7}},
      {"invalid UTF-8", line("x", ~s({"n":") <> <<0xFF>> <> ~s("})), {:invalid_utf8, nil, @at + 6}},
      {"a seq that is none", ~s({"event":"delete","entity_id":"x","seq":1.5}), {:invalid_seq, nil, nil}}
    ]
  end

  defp lists do
    [
      {"no event at all", :atom, {:not_an_event, nil, nil}},
      {"a name that is an atom", {:create, %{}}, {:not_an_event, nil, nil}},
      {"a key that is no binary", {"create", %{a: 1}}, {:not_an_event, nil, nil}},
      {"a wrong type", create("x", %{"health" => "much"}), {:wrong_type, "health", nil}},
      {"components of a wrong type", create("x", [1]), {:invalid_components, nil, nil}},
      {"an unknown event", {"unheard_of", %{"user_id" => "tom"}}, {:unknown_event, nil, nil}},
      {"an absurd size: a value", create("x", %{"n" => String.duplicate("x", 70_000)}),
       {:too_large, "n", nil}},
      {"an absurd size: a name", {String.duplicate("e", 256), %{}}, {:invalid_name, nil, nil}},
      {"deep nesting: 63 levels", create("x", %{"n" => nested(63)}), {:too_deep, "n", nil}},
      {"deep nesting: 100,000 levels", create("x", %{"n" => nested(100_000)}), {:too_deep, "n", nil}},
      {"a number out of range", create("x", %{"position" => [1.0e300, 0, 0]}),
       {:number_out_of_range, "position", nil}},
      {"an integer beyond 64 bits", create("x", %{"n" => 2 ** 63}), {:number_out_of_range, "n", nil}},
      {"an integer of 300,000 bits", create("x", %{"n" => 2 ** 300_000}), {:number_out_of_range, "n", nil}},
      {"an id of 0 bytes", create("", %{}), {:invalid_id, "entity_id", nil}},
      {"an id of 100,000 bytes", create(String.duplicate("i", 100_000), %{}),
       {:invalid_id, "entity_id", nil}},
      {"invalid UTF-8: an id", create(<<0xFF>>, %{}), {:invalid_id, "entity_id", nil}},
      {"invalid UTF-8: a value", create("x", %{"n" => [<<0xC3>>]}), {:invalid_utf8, "n", nil}},
      {"what JSON has not", create("x", %{"n" => self()}), {:unsupported_value, "n", nil}}
    ]
  end

  # A create that can't have all its components is an entity all the same.
  defp check(world, input, {reason, about, offset}, start) do
    assert {:ok, world, %Report{} = report} = World.fold(world, input)
    assert [{1, error}] = report.rejected
    assert {error.reason, error.index, error.component || error.field} == {reason, 1, about}
    assert error.offset == if(offset, do: start + offset)
    assert error.message =~ "event 1"
    assert World.get(world, "before") == %{"health" => 1}
    assert World.get(world, "behind") == %{"health" => 2}
    assert World.seq(world) == 3
    assert World.count(world) in 2..3
  end

  for impl <- @impls do
    test "as text, #{impl}: index, byte or place, reason; the rest is folded" do
      first = line("before", ~s({"health":1})) <> "\n"

      for {what, text, expected} <- texts() do
        batch = first <> text <> "\n" <> line("behind", ~s({"health":2}))

        try_one(what, fn ->
          check(World.new!(impl: unquote(impl)), {:json, batch}, expected, byte_size(first))
        end)
      end
    end

    test "as a list, #{impl}: index, place, reason; the rest is folded" do
      for {what, event, expected} <- lists() do
        batch = [create("before", %{"health" => 1}), event, create("behind", %{"health" => 2})]
        try_one(what, fn -> check(World.new!(impl: unquote(impl)), batch, expected, 0) end)
      end
    end

    test "a world that has been folded on says so, #{impl}" do
      world = World.new!(impl: unquote(impl))
      {:ok, newest, _} = World.fold(world, [create("a", %{})])
      assert {:error, %{reason: :folded_on} = error} = World.fold(world, [create("b", %{})])
      assert error.message =~ "use the newest one"
      assert World.snapshot(newest) == %{"a" => %{}}
    end

    # Frames of events and input (of snapshots and diffs: wire_test.exs): a byte that says a count, a length, a number of a text.
    test "frames of events, #{impl}: cut anywhere, or with a lying byte, nothing of them is folded" do
      events = [
        create("a", %{"position" => [1, 2, 3], "kind" => "k"}),
        {"user_moved", %{"user_id" => "a", "pose" => [1]}}
      ]

      {:ok, frame} = Wire.encode_events(events)
      world = World.new!(impl: unquote(impl))

      for size <- 0..(byte_size(frame) - 1) do
        assert {:error, error} = World.fold(world, {:packed, binary_part(frame, 0, size)})
        assert error.reason == :invalid_frame and error.offset in 0..size
      end

      for at <- 1..(byte_size(frame) - 1), byte <- [0xFF, 0x7F] do
        <<head::binary-size(at), _, rest::binary>> = frame
        {:ok, copy} = World.copy(world)

        case World.fold(copy, {:packed, <<head::binary, byte, rest::binary>>}) do
          {:ok, _, _} ->
            :ok

          {:error, error} ->
            assert error.reason in [:invalid_frame, :seq_ahead, :schema_mismatch, :history_gone]
            assert error.offset in 0..byte_size(frame)
            assert World.count(copy) == 0 and World.seq(copy) == 0
        end
      end

      <<_, rest::binary>> = frame
      assert {:error, error} = World.fold(world, {:packed, <<0x23, rest::binary>>})
      assert {error.reason, error.offset} == {:unknown_version, 0}
      assert World.count(world) == 0
      assert {:ok, _, %{folded: 2}} = World.fold(world, {:packed, frame})
    end
  end

  defp try_one(what, fun) do
    fun.()
  rescue
    error in ExUnit.AssertionError -> reraise %{error | message: "#{what}: #{error.message}"}, __STACKTRACE__
  end
end
