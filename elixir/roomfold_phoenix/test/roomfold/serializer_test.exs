defmodule Roomfold.Phoenix.SerializerTest do
  use ExUnit.Case, async: true

  alias Phoenix.Socket.Message
  alias Phoenix.Socket.V2.JSONSerializer
  alias Roomfold.Phoenix.Serializer

  defp both(raw) do
    [Serializer, JSONSerializer]
    |> Enum.map(fn serializer ->
      try do
        case serializer.decode!(raw, opcode: :text) do
          %Message{payload: {:json, text}} = message -> {:text, %{message | payload: Jason.decode!(text)}}
          message -> {:terms, message}
        end
      rescue
        error -> error.__struct__
      end
    end)
  end

  test "reads the envelope of what goes to rooms, and leaves the payload as text" do
    message = Serializer.decode!(~s(["1","2","room:x","user_moved",{"a":[1,{"b":"]}"}]}]), opcode: :text)

    assert message == %Message{
             join_ref: "1",
             ref: "2",
             topic: "room:x",
             event: "user_moved",
             payload: {:json, ~s({"a":[1,{"b":"]}"}]})}
           }
  end

  test "what it reads is what Phoenix would have read" do
    for {raw, how} <- [
          {~s(["1","2","room:x","e",{}]), :text},
          {~s([null,null,"room:x","e",{"a":1}]), :text},
          {~s(["1","2","room:x","phx_join",{"a":1}]), :terms},
          {~s(["1","2","other","e",{"a":1}]), :terms},
          {~s( ["1", "2", "room:x", "e", {"a":1} ] ), :terms},
          {~s(["1","2","room:\\u0041","e",{}]), :terms},
          {~s(["1","2","room:x\\"","e",{}]), :terms},
          {~s(["1","2","room:ä","e",{}]), :terms},
          {~s(["1","2","room:x","e",[1]]), :terms},
          {~s(["1","2","room:x","e",{"a":1},2]), :terms}
        ] do
      assert [{^how, message}, {:terms, message}] = both(raw)
    end

    for raw <- ["", "[", "{}", ~s(["1"]), ~s(["1","2","room:x","e"]), "null"],
        do: assert([error, error] = both(raw))
  end

  test "binary messages are Phoenix's" do
    push = <<0, 1, 1, 6, 1, "1", "2", "room:x", "e", 7, 8>>
    assert Serializer.decode!(push, opcode: :binary) == JSONSerializer.decode!(push, opcode: :binary)
  end
end

# Phoenix's own tests of its serializer, with ours in its place. Its sources have them, its package does not.
own = Path.join(Mix.Project.deps_paths()[:phoenix], "test/phoenix/socket/v2_json_serializer_test.exs")

case File.read(own) do
  {:ok, text} ->
    swapped =
      text
      |> String.replace("@serializer V2.JSONSerializer", "_ = V2\n  @serializer Roomfold.Phoenix.Serializer")
      |> String.replace("JSONSerializerTest do", "JSONSerializerTest.OnRoomfold do")

    if swapped =~ "@serializer Roomfold.Phoenix.Serializer" and swapped =~ "OnRoomfold do",
      do: Code.compile_string(swapped, own),
      else: raise("Phoenix's own test of its serializer looks otherwise than expected: #{own}")

  {:error, _} ->
    IO.puts("left out: Phoenix's own tests of its serializer, which its package does not bring along")
end
