defmodule Roomfold.CliValidateTest do
  @moduledoc "`roomfold validate`: what is an offence, and where it stands."
  use ExUnit.Case, async: true

  alias Roomfold.Test.Program

  @moduletag skip: Program.missing()
  @match Path.expand("../../priv/demo/freedm-0.12-demo1-MAP21.events.jsonl.gz", __DIR__)

  test "the shipped match has none" do
    assert Program.run(["validate", @match]) == {"#{@match}: 58335 events, 0 offences\n", "", 0}
  end

  # A line, and its offences as {column, a part of the message}.
  @lines [
    {~S({"event":"create","entity_id":"a","components":{},"at":1.5,"by":"ann","seq":7}), []},
    {~S({"event":"update","entity_id":"nobody","components":{"health":1}}), []},
    {~S({"event":"create","entity_id":"a","components":{"position":[1,2],"health":1}}),
     [{60, "does not fit the component's type (position takes a list of 3 numbers)"}]},
    {~S({"event":"create","entity_id":"a","components":{"health":1.5,"position":[1,2,1e99],"x":{"health":0}}}),
     [{58, "type (health takes an integer)"}, {73, "out of range (position)"}]},
    {~S({"event":"create","entity_id":"","components":{}}), [{31, "an id must be a string"}]},
    {~S({"event":"create","components":{}}), [{1, "an id must be a string"}]},
    {~S({"event":"create","entity_id":"a"}), [{1, "components must be a map"}]},
    {~S({"event":"create","entity_id":"a","components":[]}), [{48, "components must be a map"}]},
    {~S({"event":"create","entity_id":"a","components":{"id":1,"b":2}}), [{48, "component's name"}]},
    {~S({"event":"teleport","entity_id":"a"}), [{10, "no rule says what this event does (teleport)"}]},
    {~S({"at":1,"event_name":"nix"}), [{22, "no rule says what this event does (nix)"}]},
    {~S({"event_name":"player_hit","user_id":7}), [{38, "an id must be a string"}]},
    {~S({"event_name":"player_hit","user_id":"a","damage":"much"}),
     [{1, "only a number can be added, and only to a number (damage_taken)"}]},
    {~S({"event_name":7}), [{15, "needs one name"}]},
    {~S({}), [{1, "needs one name"}]},
    {~S({"event_name":"door_triggered","seq":0}), [{38, "seq must be an integer from 1"}]},
    {~S({"event_name":"door_triggered","seq":9}),
     [{38, "this seq is not above the one before (9 after 22)"}]},
    {~S({"event_name":"door_triggered","seq":25}), [{38, "seqs are missing before this one (25 after 22)"}]},
    {~S({"event_name":"door_triggered","at":"now"}), [{37, "at must be a number"}]},
    {~S({"event_name":"door_triggered","at":-1}), [{37, "at must be a number"}]},
    {~S({"event_name":"door_triggered","at":9007199254740992}), [{37, "at must be a number"}]},
    {~S({"event_name":"door_triggered","at":1e300}),
     [{37, "at must be a number of milliseconds, below 2^53"}]},
    {~S({"event_name":"door_triggered","by":["ann"]}), [{37, "by must be a string"}]},
    {~S({"event_name":"door_triggered","by":null,"at":null}), []},
    {~S({"event_name":"door_triggered",), [{1, "can't stand here", 1}]},
    {~S([1]), [{1, "an event must be"}]},
    {~S(  x), [{3, "can't stand here"}]},
    {~S({"a":1,"a":2,"event_name":"door_triggered"}), [{8, "same key twice"}]},
    {~s({"event_name":"door_triggered","a":"\xff"}), [{37, "not valid UTF-8"}]},
    {~s({"event_name":"door_triggered","a":#{String.duplicate("[", 64)}#{String.duplicate("]", 64)}}),
     [{99, "nested too deeply"}]}
  ]

  test "every kind of offence, with its line and column" do
    text = Enum.map_join(@lines, &(elem(&1, 0) <> "\n"))

    expected =
      for {{_, offences}, line} <- Enum.with_index(@lines, 1), offence <- offences do
        case offence do
          {column, message} -> {"#{line}:#{column}", message}
          {column, message, later} -> {"#{line + later}:#{column}", message}
        end
      end

    assert {out, "", 1} = Program.run(["validate", "-", "--first", "1000"], text)
    {told, [summary]} = out |> String.split("\n", trim: true) |> Enum.split(-1)
    assert length(told) == length(expected)

    for {line, {place, message}} <- Enum.zip(told, expected) do
      assert String.starts_with?(line, "-:#{place}: "), "#{line}: expected at #{place}"
      assert line =~ message
    end

    assert summary == "-: #{length(@lines)} events, #{length(expected)} offences"
  end

  test "a number that nothing holds, where nobody looks, hides nothing of an event" do
    text = """
    {"event":"create","entity_id":"a","components":{},"seq":1}
    {"far":1e999,"event":"update","entity_id":"a","components":{"health":1},"seq":4,"at":5,"by":7}
    {"far":[1e999],"event":"update","entity_id":"a","components":{"n":1e999,"position":"here"},"seq":5}
    {"far":-1e999,"event_name":"nix","seq":6}
    {"far":1e999,"seq":7}
    """

    assert {told, "", 1} = Program.run(["validate", "-"], text)

    assert told == """
           -:2:79: seqs are missing before this one (4 after 1)
           -:2:93: by must be a string of 1 to 255 bytes
           -:3:67: the number is out of range (n)
           -:3:84: the value does not fit the component's type (position takes a list of 3 numbers)
           -:4:28: no rule says what this event does (nix)
           -:5:2: this is no event, no map of components and no map of kinds (far)
           -: 5 events, 6 offences
           """

    for until <- [1, 3],
        do: assert({~s({"a":{}}\n), _, 0} = Program.run(["replay", "-", "--until", "#{until}"], text))

    assert {~s({"a":{"health":1}}\n), _, 0} = Program.run(["replay", "-", "--until", "4"], text)
    assert {table, "", 0} = Program.run(["inspect", "-", "--json"], text)

    assert %{"names" => %{"create" => 1, "update" => 2, "nix" => 1}, "unreadable" => 1} =
             Roomfold.JSON.decode!(table)
  end

  test "the first ones only" do
    text = String.duplicate("x\n", 3_000)
    assert {out, "", 1} = Program.run(["validate", "-", "--first", "2"], text)

    assert out ==
             "-:1:1: this byte can't stand here in JSON\n-:2:1: this byte can't stand here in JSON\n" <>
               "... and 2998 more\n-: 3000 events, 3000 offences\n"

    assert {out, "", 1} = Program.run(["validate", "-", "--first", "99999999999999999999"], text)
    assert length(String.split(out, "\n")) == 1_003
    assert {out, "", 1} = Program.run(["validate", "-"], text)
    assert length(String.split(out, "\n")) == 23

    assert Program.run(["validate", "-", "--first", "0"], "x") ==
             {"... and 1 more\n-: 1 event, 1 offence\n", "", 1}
  end

  test "the rules say which events there are" do
    event = ~s({"event_name":"door_triggered"})
    assert {_, "", 0} = Program.run(["validate", "-"], event)

    for rules <- ~w(xr none) do
      assert {"-:1:15: no rule" <> _, "", 1} = Program.run(["validate", "-", "--rules", rules], event)
    end
  end
end
