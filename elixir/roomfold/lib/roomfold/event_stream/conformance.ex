defmodule Roomfold.EventStream.Conformance do
  @moduledoc """
  What every stream must do: tests for adapters of `Roomfold.EventStream`, yours too.

      defmodule MyStreamTest do
        use ExUnit.Case, async: true
        use Roomfold.EventStream.Conformance

        setup do
          start_supervised!({MyStream, name: MyStreamTest})
          {:ok, stream: {MyStream, MyStreamTest}}
        end
      end

  Each test wants a stream as `stream` in its context, and uses topics of its own. A carrier may deliver late (within a second), but keeps
  the order of what one process broadcasts on a topic.
  """

  alias Roomfold.EventStream

  @doc "A topic that no other test uses."
  @spec topic() :: EventStream.topic()
  def topic, do: "stream:conformance #{System.unique_integer([:positive])}"

  @doc "Messages of a broadcast, `first` to `last`."
  @spec messages(integer, integer) :: [{String.t(), map}]
  def messages(first, last), do: for(n <- first..last//1, do: {"bell_rang", %{"n" => n}})

  @doc "A process that subscribes to a topic and hands on to the caller what it receives, as `{pid, message}`."
  @spec listener(EventStream.t(), EventStream.topic()) :: pid
  def listener(stream, topic) do
    parent = self()

    pid =
      spawn_link(fn ->
        :ok = EventStream.subscribe(stream, topic)
        send(parent, {self(), :subscribed})
        hand_on(parent)
      end)

    receive do: ({^pid, :subscribed} -> pid)
  end

  defp hand_on(parent) do
    receive do
      :stop ->
        :ok

      message ->
        send(parent, {self(), message})
        hand_on(parent)
    end
  end

  @doc "Ends a listener, and waits until it has ended."
  @spec stop(pid) :: :ok
  def stop(pid) do
    monitor = Process.monitor(pid)
    send(pid, :stop)
    receive do: ({:DOWN, ^monitor, _, _, _} -> :ok)
  end

  @doc false
  defmacro __using__(_opts), do: [delivering(), leaving(), excepting(), carrying_rooms()]

  defp delivering do
    quote do
      import Roomfold.EventStream.Conformance
      alias Roomfold.EventStream

      test "a subscriber gets each message of its topic, in order", %{stream: stream} do
        topic = topic()
        assert EventStream.subscribe(stream, topic) == :ok
        assert EventStream.broadcast(stream, topic, messages(1, 50)) == :ok
        assert EventStream.broadcast(stream, topic(), messages(0, 0)) == :ok
        assert EventStream.broadcast(stream, topic, messages(51, 100)) == :ok
        for message <- messages(1, 100), do: assert_next(message)
        refute_receive _, 50
      end

      test "every subscriber gets all, whoever broadcasts", %{stream: stream} do
        topic = topic()
        listeners = for _ <- 1..3, do: listener(stream, topic)

        tasks =
          for n <- 1..3,
              do: Task.async(fn -> EventStream.broadcast(stream, topic, messages(n * 10, n * 10 + 9)) end)

        for task <- tasks, do: assert(Task.await(task, 60_000) == :ok)

        for pid <- listeners do
          numbers = for _ <- 1..30, do: assert_receive({^pid, {"bell_rang", %{"n" => n}}}, 30_000) && n
          # The order of each who broadcasts is kept; between them there is none.
          for n <- 1..3,
              do: assert(Enum.filter(numbers, &(div(&1, 10) == n)) == Enum.to_list((n * 10)..(n * 10 + 9)))
        end
      end

      test "who subscribes twice gets each message once", %{stream: stream} do
        topic = topic()
        assert EventStream.subscribe(stream, topic) == :ok
        assert EventStream.subscribe(stream, topic) == :ok
        assert EventStream.broadcast(stream, topic, messages(1, 1)) == :ok
        assert_next({"bell_rang", %{"n" => 1}})
        refute_receive _, 50
      end

      test "a topic is any text, a message any term", %{stream: stream} do
        for topic <- [topic() <> "ä €", topic() <> <<0>>, topic() <> String.duplicate("x", 1_000)] do
          assert EventStream.subscribe(stream, topic) == :ok
          message = {"any", %{"topic" => topic, "values" => [1, 2.5, nil, true, %{}], pid: self()}}
          assert EventStream.broadcast(stream, topic, [message]) == :ok
          assert_next(message)
        end
      end

      test "no messages, or nobody to get them, is no error", %{stream: stream} do
        topic = topic()
        assert EventStream.broadcast(stream, topic, messages(1, 3)) == :ok
        assert EventStream.subscribe(stream, topic) == :ok
        assert EventStream.broadcast(stream, topic, []) == :ok
        refute_receive _, 50
      end

      defp assert_next(message) do
        assert_receive next, 30_000
        assert next == message
      end
    end
  end

  defp leaving do
    quote do
      test "who has unsubscribed gets no more, until it subscribes again", %{stream: stream} do
        topic = topic()
        assert EventStream.unsubscribe(stream, topic) == :ok
        assert EventStream.subscribe(stream, topic) == :ok
        assert EventStream.unsubscribe(stream, topic) == :ok
        assert EventStream.broadcast(stream, topic, messages(1, 1)) == :ok
        refute_receive _, 50
        assert EventStream.subscribe(stream, topic) == :ok
        assert EventStream.broadcast(stream, topic, messages(2, 2)) == :ok
        assert_next({"bell_rang", %{"n" => 2}})
      end

      test "a subscriber that has ended is in nobody's way", %{stream: stream} do
        topic = topic()
        pid = listener(stream, topic)
        other = listener(stream, topic)
        assert EventStream.subscribers?(stream, topic)
        assert stop(pid) == :ok
        assert EventStream.broadcast(stream, topic, messages(1, 1)) == :ok
        assert_next({other, {"bell_rang", %{"n" => 1}}})
        assert EventStream.subscribers?(stream, topic)
      end

      test "whether anybody would get a message: true while somebody would", %{stream: stream} do
        topic = topic()
        # A carrier that can't know answers true.
        assert is_boolean(EventStream.subscribers?(stream, topic))
        assert EventStream.subscribe(stream, topic) == :ok
        assert EventStream.subscribers?(stream, topic) == true
      end
    end
  end

  defp excepting do
    quote do
      test "a subscriber may be left out, if the carrier can do that", %{stream: {module, name} = stream} do
        can =
          for {function, arity} <- [broadcast_from: 4, others?: 3],
              do: function_exported?(module, function, arity)

        assert can in [[true, true], [false, false]], "broadcast_from/4 and others?/3 go together"

        if can == [true, true] do
          topic = topic()
          assert EventStream.subscribe(stream, topic) == :ok
          assert is_boolean(module.others?(name, self(), topic))
          pid = listener(stream, topic)
          assert module.others?(name, self(), topic) == true
          assert module.broadcast_from(name, self(), topic, messages(1, 2)) == :ok
          for message <- messages(1, 2), do: assert_next({pid, message})
          refute_receive _, 50
        end
      end
    end
  end

  defp carrying_rooms do
    quote do
      test "a room's events come in the order of their seqs", %{stream: stream} do
        id = "conformance #{System.unique_integer([:positive])}"
        {:ok, room} = Roomfold.Room.start_link(id: id, rooms: nil, stream: stream)
        assert EventStream.subscribe(stream, EventStream.topic(id)) == :ok

        for n <- 1..20 do
          event = {"create", %{"entity_id" => "e#{n}", "components" => %{"n" => n}}}
          assert Roomfold.Room.publish(room, event) == {:ok, n}
        end

        for n <- 1..20 do
          entity = "e#{n}"
          assert_receive {"create", %{"entity_id" => ^entity, "seq" => ^n, "by" => "server"}}, 30_000
        end

        refute_receive _, 50
        GenServer.stop(room)
      end
    end
  end
end
