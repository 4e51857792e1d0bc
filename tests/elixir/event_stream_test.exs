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
      assert_raise ArgumentError, said, fn -> EventStream.broadcast(stream, "t", [{"bell_rang", %{}}]) end
      assert_raise ArgumentError, said, fn -> EventStream.subscribers?(stream, "t") end

      rooms = :"rooms_of_#{module}"
      start_supervised!({Rooms, name: rooms, log: nil, stream: stream})
      assert {:error, error} = Room.publish({rooms, "a"}, {"user_joined", %{"user_id" => "tom"}})
      assert error.message == "the room has stopped: ** (ArgumentError) " <> said
    end
  end
end
