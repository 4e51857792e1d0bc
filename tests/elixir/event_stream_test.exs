defmodule Roomfold.EventStream.LocalTest do
  use ExUnit.Case, async: true
  use Roomfold.EventStream.Conformance

  setup context do
    name = :"local #{context.test}"
    start_supervised!({Roomfold.EventStream.Local, name: name})
    {:ok, stream: {Roomfold.EventStream.Local, name}}
  end

  test "on one node it is known that nobody listens", %{stream: {module, name} = stream} do
    refute EventStream.subscribers?(stream, "nobody's")
    EventStream.subscribe(stream, "mine")
    refute module.others?(name, self(), "mine")
    EventStream.unsubscribe(stream, "mine")
    refute EventStream.subscribers?(stream, "mine")
  end

  test "a subscriber ends with the stream, or is told", %{stream: stream} do
    test = self()

    start = fn traps? ->
      spawn(fn ->
        Process.flag(:trap_exit, traps?)
        :ok = EventStream.subscribe(stream, "mine")
        send(test, :subscribed)
        receive do: ({:EXIT, _, reason} -> send(test, {:told, reason}))
      end)
    end

    [ends, _told] = for traps? <- [false, true], do: start.(traps?)
    for _ <- 1..2, do: assert_receive(:subscribed)
    monitor = Process.monitor(ends)
    stop_supervised!({Roomfold.EventStream.Local, elem(stream, 1)})
    assert_receive {:DOWN, ^monitor, :process, ^ends, :shutdown}
    assert_receive {:told, :shutdown}
  end
end

defmodule Roomfold.EventStream.GroupTest do
  use ExUnit.Case, async: true
  use Roomfold.EventStream.Conformance

  setup context do
    name = :"group #{context.test}"
    start_supervised!({Roomfold.EventStream.Group, name: name})
    {:ok, stream: {Roomfold.EventStream.Group, name}}
  end
end

defmodule Roomfold.EventStreamTest do
  use ExUnit.Case, async: true

  alias Roomfold.{EventStream, Room, Rooms}

  test "who listens to a stream that does not run is told what to start" do
    for module <- [EventStream.Local, EventStream.Group] do
      said =
        "the stream NoSuchStream does not run: start {#{inspect(module)}, name: NoSuchStream} before what uses it"

      stream = {module, NoSuchStream}
      assert_raise ArgumentError, said, fn -> EventStream.subscribe(stream, "t") end
      assert_raise ArgumentError, said, fn -> EventStream.unsubscribe(stream, "t") end
      assert_raise ArgumentError, said, fn -> EventStream.broadcast(stream, "t", [{"bell_rang", %{}}]) end
      assert_raise ArgumentError, said, fn -> EventStream.subscribers?(stream, "t") end

      rooms = :"rooms_of_#{module}"
      start_supervised!({Rooms, name: rooms, log: nil, stream: stream})
      assert {:error, error} = Room.publish({rooms, "a"}, {"user_joined", %{"user_id" => "tom"}})
      assert error.message == "the room has stopped: ** (ArgumentError) " <> said
    end
  end

  test "what is no stream, no topic, no list of messages" do
    start_supervised!({EventStream.Local, name: __MODULE__.Local})
    start_supervised!({EventStream.Group, name: __MODULE__.Group})
    functions = [&EventStream.subscribe/2, &EventStream.unsubscribe/2, &EventStream.subscribers?/2]
    asked = [(&EventStream.broadcast(&1, &2, [])) | functions]

    for stream <- [{EventStream.Local, __MODULE__.Local}, {EventStream.Group, __MODULE__.Group}],
        ask <- asked do
      {module, name} = stream

      for {none, message} <- [
            {name, "a stream is {module, name}, with the name it runs under, got the atom #{inspect(name)}"},
            {"stream", ~s(a stream is {module, name}, with the name it runs under, got the string "stream")},
            {nil, "a stream is {module, name}, with the name it runs under, got nil"},
            {{module, "stream"}, ~s(a stream's name is an atom, got the string "stream")}
          ],
          do: assert(assert_raise(ArgumentError, fn -> ask.(none, "t") end).message == message)

      for topic <- [:t, nil, 1] do
        error = assert_raise ArgumentError, fn -> ask.(stream, topic) end
        assert error.message == "a topic is a string, got #{Roomfold.Error.got(topic)}"
      end

      error = assert_raise ArgumentError, fn -> EventStream.broadcast(stream, "t", {"bell_rang", %{}}) end
      assert error.message =~ "a list of messages, got the tuple"
    end

    # Another process is not asked: one that is no stream might end by it.
    start_supervised!({Rooms, name: __MODULE__.Rooms, log: nil})
    pid = Process.whereis(__MODULE__.Rooms)

    for ask <- asked do
      error = assert_raise ArgumentError, fn -> ask.({EventStream.Group, __MODULE__.Rooms}, "t") end
      assert error.message =~ "the stream #{inspect(__MODULE__.Rooms)} does not run"
    end

    assert Process.whereis(__MODULE__.Rooms) == pid
  end

  test "a stream has a name, and nothing else" do
    for module <- [EventStream.Local, EventStream.Group],
        {opts, message} <- [
          {[], ":name must be an atom, got: nil"},
          {[name: "stream"], ~s(:name must be an atom, got: "stream")},
          {[name: Named, keys: :unique], "unknown keys [:keys]"},
          {Named, "the options of a stream are a keyword list, got the atom Named"}
        ] do
      assert assert_raise(ArgumentError, fn -> module.start_link(opts) end).message =~ message
    end
  end
end
