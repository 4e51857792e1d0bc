# A VM that writes a log until it is killed, and says what was acknowledged: elixir -pa EBIN writer.exs PATH ROOMS APPENDS full|normal
#
# Prints its process id, then "ROOM SEQ" for each append after its acknowledgement. What a record says follows from room and seq. It stops
# after APPENDS in each room; -1 is never.
alias Roomfold.EventLog

defmodule Crash.Writer do
  def record(room, seq),
    do: ~s({"seq":#{seq},"room":"#{room}","text":"#{String.duplicate("x", rem(seq * 37, 300))}"})

  def run(log, room, appends) do
    {:ok, head} = EventLog.claim(log, room, %{"schema" => 1})
    loop(log, room, head.term, head.seq, appends)
  end

  defp loop(_log, _room, _term, _seq, 1), do: :ok

  defp loop(log, room, term, seq, appends) do
    last = seq + :rand.uniform(20)
    :ok = EventLog.append(log, room, term, seq, for(seq <- (seq + 1)..last, do: record(room, seq)))
    IO.write("#{room} #{last}\n")

    if :rand.uniform(50) == 1 do
      :ok = EventLog.put_snapshot(log, room, term, last, "snapshot of #{room} at #{last}")
      :ok = EventLog.trim(log, room, max(1, last - 2_000))
    end

    loop(log, room, term, last, appends - 1)
  end
end

[path, rooms, appends, synchronous] = System.argv()

{:ok, pid} =
  EventLog.SQLite.start_link(path: path, synchronous: if(synchronous == "full", do: :full, else: :normal))

log = {EventLog.SQLite, pid}
IO.write("pid #{System.pid()}\n")

1..String.to_integer(rooms)
|> Enum.map(fn i ->
  Task.async(fn -> Crash.Writer.run(log, "room#{i}", String.to_integer(appends) + 1) end)
end)
|> Task.await_many(:infinity)

GenServer.stop(pid)
