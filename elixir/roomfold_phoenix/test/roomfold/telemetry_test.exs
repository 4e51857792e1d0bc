defmodule Roomfold.Phoenix.TelemetryTest do
  # Here, where the package telemetry is: the events of docs/telemetry.md.
  use ExUnit.Case, async: true

  alias Roomfold.{Error, EventLog, PhoenixTest, Room}

  test "what a room measures is sent" do
    id = "measured"
    me = self()

    names =
      for name <- [[:tick, :stop], [:fold, :stop], [:publish, :stop], [:commit, :stop], [:commit, :failed]],
          do: [:roomfold, :room | name]

    :ok =
      :telemetry.attach_many(
        "test",
        names,
        fn name, numbers, facts, _ ->
          if facts.room == id, do: send(me, {Enum.drop(name, 2), numbers, facts})
        end,
        nil
      )

    room = {PhoenixTest.Rooms, id}
    {:ok, _} = Room.join(room, "tom")
    assert_receive {[:tick, :stop], %{duration: _, queued: _}, %{number: _}}
    assert_receive {[:commit, :stop], %{duration: duration, count: 1}, _} when duration > 0
    assert_receive {[:fold, :stop], %{duration: _, seq: 1}, _}
    assert_receive {[:publish, :stop], %{count: 1}, _}

    {:ok, _} = EventLog.claim(Roomfold.Rooms.log(PhoenixTest.Rooms), id, %{})
    {:error, _} = Room.publish(room, {"door_triggered", %{}})
    assert_receive {[:commit, :failed], %{events: 1}, %{error: %Error{reason: :old_term}}}
  after
    :telemetry.detach("test")
  end
end
