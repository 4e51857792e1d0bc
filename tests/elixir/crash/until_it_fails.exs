# A VM that appends to a log until that fails: elixir -pa EBIN until_it_fails.exs PATH
#
# Prints the error, the last seq that was acknowledged, and whether the log's process ended.
alias Roomfold.EventLog

[path] = System.argv()
Logger.configure(level: :none)
Process.flag(:trap_exit, true)
{:ok, pid} = EventLog.SQLite.start_link(path: path)
log = {EventLog.SQLite, pid}
{:ok, head} = EventLog.claim(log, "room1", %{})

until_it_fails = fn until_it_fails, seq ->
  case EventLog.append(log, "room1", head.term, seq, ["{}"]) do
    :ok -> until_it_fails.(until_it_fails, seq + 1)
    {:error, error} -> {seq, error}
  end
end

{acknowledged, error} = until_it_fails.(until_it_fails, 0)
IO.write("#{error.reason} #{error.detail}\n#{acknowledged}\n")

receive do
  {:EXIT, ^pid, {reason, _}} -> IO.write("ended: #{reason}\n")
after
  2_000 -> IO.write("goes on\n")
end
