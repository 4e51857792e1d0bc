defmodule Roomfold.Gateway.SerializerTest do
  use ExUnit.Case, async: true

  alias Roomfold.Gateway.Serializer
  alias Roomfold.JSON

  defp decoded({:text, text}), do: JSON.decode!(text)

  test "reads what the client sends as text" do
    assert Serializer.decode(:text, ~s(["1","2","replay:a","speed",{"speed":2}])) ==
             {:ok, %{join_ref: "1", ref: "2", topic: "replay:a", event: "speed", payload: %{"speed" => 2}}}

    assert {:ok, %{join_ref: nil, ref: nil}} = Serializer.decode(:text, ~s([null,null,"a","b",{}]))
  end

  test "leaves what is said in a room as text: the room checks it" do
    said = fn text -> with {:ok, message} <- Serializer.decode(:text, text), do: message.payload end

    for payload <- [
          ~s({"user_id":"tom"}),
          ~s({}),
          ~s({"é":"\u00e9"}),
          ~s({"position":[1,}),
          ~s({"a":1},{"b":2})
        ],
        do: assert(said.(~s(["1","2","room:a","user_moved",#{payload}])) == {:json, payload})

    # What is not quite as plain is read as a whole, with the same outcome.
    for text <- [
          ~s( ["1","2","room:a","user_moved",{"x":1}]),
          ~s(["1", "2","room:a","user_moved",{"x":1}]),
          ~s(["1","2","room:\\u0061","user_moved",{"x":1}]),
          ~s(["1","2","room:a","phx_join",{"x":1}]),
          ~s(["1","2","replay:a","seek",{"x":1}]),
          ~s(["1","2","room:a","user_moved",{"x":1}]\n)
        ],
        do: assert(said.(text) == %{"x" => 1})

    assert said.(~s(["1","2","room:a","user_moved",[{}]])) == [%{}]
    assert {:error, "not JSON" <> _} = Serializer.decode(:text, ~s(["1","2","room:a,"user_moved",{}]))
    long = String.duplicate("x", 256)
    assert {:error, "refs" <> _} = Serializer.decode(:text, ~s(["#{long}","2","room:a","b",{}]))
  end

  test "reads what it sends as bytes" do
    message = <<0, 1, 2, 6, 5, "1", "23", "room:a", "input", 1, 2, 255>>

    assert Serializer.decode(:binary, message) ==
             {:ok,
              %{
                join_ref: "1",
                ref: "23",
                topic: "room:a",
                event: "input",
                payload: {:binary, <<1, 2, 255>>}
              }}

    assert {:ok, %{join_ref: nil, payload: {:binary, ""}}} =
             Serializer.decode(:binary, <<0, 0, 1, 1, 1, "1ab">>)
  end

  test "refuses everything else, with a reason" do
    long = String.duplicate("x", 256)

    for text <- [
          "",
          "{}",
          "[]",
          "[1,2,3,4]",
          "[null,null,\"a\",\"b\",{},1]",
          ~s([1,"2","a","b",{}]),
          ~s(["1",2,"a","b",{}]),
          ~s(["1","2",3,"b",{}]),
          ~s(["1","2","a",null,{}]),
          ~s(["1","2","#{long}","b",{}]),
          ~s(["#{long}","2","a","b",{}]),
          ~s(["1","2","a","b",#{String.duplicate("[", 66)}#{String.duplicate("]", 66)}])
        ],
        do: assert({:error, reason} = Serializer.decode(:text, text), text) && assert(is_binary(reason))

    for bytes <- ["", <<0>>, <<1, 0, 0, 0, 0>>, <<0, 1, 1, 1, 1, "abc">>, <<0, 0, 0, 1, 1, 255, "a">>],
        do: assert({:error, _} = Serializer.decode(:binary, bytes))
  end

  test "writes messages; what is text already stands there as it is" do
    assert decoded(Serializer.push("1", "room:\"a\"", "diff", %{"seq" => 1})) ==
             ["1", nil, "room:\"a\"", "diff", %{"seq" => 1}]

    assert Serializer.push("1", "a", "diff", {:json, ["{\"x\":", "1.50}"]}) ==
             {:text, ~s(["1",null,"a","diff",{"x":1.50}])}

    assert decoded(Serializer.reply("1", "2", "a", :ok, %{"seq" => 1})) ==
             ["1", "2", "a", "phx_reply", %{"status" => "ok", "response" => %{"seq" => 1}}]

    assert decoded(Serializer.last("1", "a", "phx_close", %{})) == ["1", "1", "a", "phx_close", %{}]
  end

  test "writes bytes as Phoenix's client reads them" do
    assert Serializer.push("12", "a", "snapshot", {:binary, <<255>>}) ==
             {:binary, <<0, 2, 1, 8, "12", "a", "snapshot", 255>>}

    assert Serializer.push(nil, "a", "b", {:binary, <<255>>}) == {:binary, <<0, 0, 1, 1, "ab", 255>>}

    assert Serializer.reply("1", "23", "a", :error, {:binary, <<255>>}) ==
             {:binary, <<1, 1, 2, 1, 5, "1", "23", "a", "error", 255>>}
  end
end
