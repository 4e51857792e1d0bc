defmodule Roomfold.TelemetryTest do
  # What a host with the package telemetry gets. That package is not here (the companion for Phoenix is tested with it): a module of its name
  # stands where it would, and hands on what it is called with.
  use Roomfold.RoomsCase, async: false

  alias Roomfold.{EventLog, EventStream}

  setup do
    Application.put_env(:roomfold, __MODULE__, self())

    Code.compile_string("""
    defmodule :telemetry do
      def execute(name, numbers, facts) do
        if facts[:room] == "measured", do: send(Application.fetch_env!(:roomfold, #{inspect(__MODULE__)}), {name, numbers, facts})
        :ok
      end
    end
    """)

    :persistent_term.erase(Roomfold.Telemetry)

    on_exit(fn ->
      :code.purge(:telemetry)
      :code.delete(:telemetry)
      :persistent_term.put(Roomfold.Telemetry, false)
    end)

    rooms = start_rooms(room: [tick_ms: 20, idle_ms: :infinity])
    {:ok, room: {rooms, "measured"}}
  end

  defp start(name), do: [:roomfold, :room, name, :start]
  defp stop(name), do: [:roomfold, :room, name, :stop]

  test "each thing a room does is a span", %{room: room} do
    {:ok, _} = Room.publish(room, {"user_joined", %{"user_id" => "tom"}})

    for name <- [:commit, :fold, :publish] do
      start = start(name)
      stop = stop(name)
      assert_receive {^start, %{system_time: _, monotonic_time: from}, %{telemetry_span_context: context}}

      assert_receive {^stop, %{duration: duration, monotonic_time: to} = numbers,
                      %{telemetry_span_context: ^context} = facts}

      assert duration == to - from and duration >= 0

      case name do
        :commit -> assert {numbers.count, facts.error} == {1, nil}
        :fold -> assert numbers.seq == 1
        :publish -> assert numbers.count == 1
      end
    end

    {:ok, _} = Room.join(room, "ann")
    tick = start(:tick)
    tock = stop(:tick)
    assert_receive {^tick, _, %{number: 1}}
    assert_receive {^tock, %{queued: queued, messages: messages}, %{number: 1}}
    assert is_integer(queued) and is_integer(messages)
  end

  test "what is refused and what is left out is said", %{room: room} do
    {:ok, _} = Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
    {:ok, _} = EventLog.claim(Rooms.log(elem(room, 0)), "measured", %{})
    {:error, _} = Room.publish(room, {"user_joined", %{"user_id" => "ann"}})
    stop = stop(:commit)
    assert_receive {^stop, %{count: 1}, %{error: %Error{reason: :old_term}}}
    assert_receive {[:roomfold, :room, :commit, :failed], %{events: 1}, %{error: %Error{reason: :old_term}}}

    # A room that is held up leaves ticks out.
    {:ok, _} = Room.join(room, "ann")
    {:ok, :ok} = Room.read(room, fn _ -> Process.sleep(100) end)
    assert_receive {[:roomfold, :room, :tick, :shed], %{count: count}, %{reason: :late}} when count > 0
    assert Room.info(room).shed >= count
  end

  @tag :capture_log
  test "a system that fails, and what one says that is refused", %{room: {rooms, id}} do
    system = fn _, tick -> if rem(tick.number, 2) == 0, do: [{"nope", %{}}], else: raise("odd") end
    {:ok, _} = Room.ensure_started({rooms, id}, systems: [system])

    assert_receive {[:roomfold, :room, :failed], %{count: 1},
                    %{room: ^id, of: ^system, error: %RuntimeError{}}}

    assert_receive {[:roomfold, :room, :refused], %{count: 1}, facts}
    assert %{room: ^id, of: ^system, event: "nope", error: %Error{reason: :unknown_event}} = facts
  end

  @tag :capture_log
  test "a system that throws, and a callback that fails", %{room: {rooms, id}} do
    defmodule Refuses do
      use Roomfold.Room
      @impl true
      def authorize(_, _, _, _), do: raise("no")
    end

    system = fn _, tick -> if tick.number == 1, do: throw(:ball), else: [] end
    {:ok, pid} = Room.ensure_started({rooms, id}, systems: [system], module: Refuses)

    assert_receive {[:roomfold, :room, :failed], %{count: 1},
                    %{room: ^id, of: ^system, error: {:throw, :ball}}}

    {:error, _} = Room.publish(pid, {"user_moved", %{"user_id" => "tom"}}, by: "tom")

    assert_receive {[:roomfold, :room, :failed], %{count: 1},
                    %{room: ^id, of: {Refuses, :authorize}, error: %RuntimeError{}}}
  end

  @tag :capture_log
  test "what others broadcast on its stream", %{room: {rooms, id} = room} do
    {:ok, _} = Room.ensure_started(room)
    topic = EventStream.topic(id)
    :ok = EventStream.broadcast(Rooms.stream(rooms), topic, [{"user_left", %{"user_id" => "tom"}}])
    assert_receive {[:roomfold, :room, :stray], %{count: 1}, %{room: ^id}}
  end

  @tag :capture_log
  test "what fails in a span, and that the room's stream does", %{room: {rooms, id}} do
    # A stream that can't carry anything.
    defmodule Broken do
      def subscribers?(_, _), do: true
      def broadcast(_, _, _), do: raise("broken")
    end

    {:ok, pid} = Room.ensure_started({rooms, id}, stream: {Broken, :name})
    assert {:ok, 1} = Room.publish(pid, {"user_joined", %{"user_id" => "tom"}})

    assert_receive {[:roomfold, :room, :publish, :exception], %{duration: _},
                    %{kind: :error, reason: %RuntimeError{}, stacktrace: [_ | _]}}

    assert_receive {[:roomfold, :room, :failed], %{count: 1},
                    %{room: ^id, of: :stream, error: %RuntimeError{}}}

    assert Room.info(pid).failed == 1
  end
end
