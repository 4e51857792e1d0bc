defmodule Roomfold.SupervisedTest do
  # Everything of which an application may have several: they are children of one supervisor, without ids of the user's.
  use ExUnit.Case, async: true

  alias Roomfold.{EventLog, EventStream, Projector, Room, Rooms}

  test "two of each run in one supervisor" do
    folder =
      Path.join(System.tmp_dir!(), "supervised-#{System.unique_integer([:positive])}-#{System.os_time()}")

    File.mkdir_p!(folder)
    on_exit(fn -> File.rm_rf!(folder) end)

    children =
      for n <- 1..2 do
        stream = {EventStream.Local, name(Stream, n)}

        [
          stream: {EventStream.Local, name: name(Stream, n)},
          group: {EventStream.Group, name: name(Group, n)},
          memory: {EventLog.Memory, name: name(Memory, n)},
          projector: {Projector, stream: stream, topic: "stream:a"},
          other_topic: {Projector, stream: stream, topic: "stream:b"},
          port: {Roomfold.Port, name: name(Pool, n), size: 1},
          rooms: {Rooms, name: name(Rooms, n), stream: stream},
          room: {Room, id: "room #{n}", rooms: name(Rooms, n)}
        ] ++
          if(EventLog.SQLite.available?(),
            do: [sqlite: {EventLog.SQLite, path: Path.join(folder, "#{n}.db")}],
            else: []
          )
      end

    children = children |> Enum.concat() |> Keyword.values()
    {:ok, supervisor} = Supervisor.start_link(children, strategy: :one_for_one)
    assert Supervisor.count_children(supervisor).active == length(children)
    assert Supervisor.stop(supervisor) == :ok
  end

  defp name(module, n), do: Module.concat([__MODULE__, module, "N#{n}"])
end
