# A VM that forks a room until it is killed: elixir -pa EBIN forker.exs PATH SEQ
#
# Prints its process id, then "fork N" before it makes the fork of that id, and "made N" after.
[path, seq] = System.argv()
{:ok, _} = Application.ensure_all_started(:roomfold)

{:ok, _} =
  Roomfold.Rooms.start_link(
    name: Forker,
    log: {Roomfold.EventLog.SQLite, path: path},
    room: [snapshot_every: 0, rules_version: 2]
  )

IO.write("pid #{System.pid()}\n")

Enum.each(Stream.iterate(1, &(&1 + 1)), fn n ->
  IO.write("fork #{n}\n")

  case Roomfold.Room.fork({Forker, "origin"}, String.to_integer(seq), id: "fork #{n}") do
    {:ok, _} -> IO.write("made #{n}\n")
    # It was made by an earlier VM.
    {:error, %{reason: :invalid_argument}} -> :ok
  end
end)
