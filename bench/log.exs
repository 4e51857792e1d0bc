# Appends with the same durability: ten rooms that write at once into one log, against :disk_log.
#
# Each room appends batches of 1, 10 and 100 records of 150 bytes and waits until it is on the disk. In :disk_log rooms share a log, too, by
# what is its best: a process that takes what all ten have, writes it with blog_terms, and syncs once for all. It has no checksum, no rooms, no seqs
# and no index; it is what the same disk can do. Beside it, what many do: a :disk_log for each room, each with a sync of its own.
Code.require_file("support.exs", __DIR__)

defmodule Bench.Log do
  alias Roomfold.EventLog

  @rooms 10
  @text String.duplicate("x", 120)

  def records(room, from, count) do
    for seq <- from..(from + count - 1), do: ~s({"seq":#{seq},"room":"room#{room}","t":"#{@text}"})
  end

  # Ten processes, each `commits` appends one after the other; append.(room, after_seq, records).
  defp rooms(commits, batch, append) do
    1..@rooms
    |> Enum.map(fn room ->
      Task.async(fn ->
        for i <- 0..(commits - 1), do: append.(room, i * batch, records(room, i * batch + 1, batch))
      end)
    end)
    |> Task.await_many(:infinity)
  end

  def roomfold(commits, batch, opts) do
    setup = fn ->
      folder = Bench.folder()
      {:ok, pid} = EventLog.SQLite.start_link([path: Path.join(folder, "rooms.db")] ++ opts)
      log = {EventLog.SQLite, pid}
      terms = for room <- 1..@rooms, do: elem(EventLog.claim(log, "room#{room}"), 1).term
      {log, List.to_tuple(terms), folder}
    end

    run = fn {log, terms, folder} ->
      rooms(commits, batch, fn room, seq, records ->
        :ok = EventLog.append(log, "room#{room}", elem(terms, room - 1), seq, records)
      end)

      File.rm_rf!(folder)
    end

    {setup, run}
  end

  def shared(commits, batch) do
    setup = fn ->
      folder = Bench.folder()
      {spawn_link(fn -> writer(open(Path.join(folder, "log"))) end), folder}
    end

    run = fn {writer, folder} ->
      rooms(commits, batch, fn room, _seq, records ->
        reference = make_ref()
        send(writer, {self(), reference, for(record <- records, do: :erlang.term_to_binary({room, record}))})
        receive(do: (^reference -> :ok))
      end)

      File.rm_rf!(folder)
    end

    {setup, run}
  end

  defp open(path) do
    {:ok, log} = :disk_log.open(name: make_ref(), file: to_charlist(path))
    log
  end

  defp writer(log) do
    receive do
      message -> write(log, gather([message]))
    end

    writer(log)
  end

  defp gather(messages) do
    receive do
      message -> gather([message | messages])
    after
      0 -> messages
    end
  end

  defp write(log, messages) do
    :ok = :disk_log.blog_terms(log, for({_, _, terms} <- messages, term <- terms, do: term))
    :ok = :disk_log.sync(log)
    for {from, reference, _} <- messages, do: send(from, reference)
  end

  def each_its_own(commits, batch) do
    setup = fn ->
      folder = Bench.folder()
      {for(room <- 1..@rooms, do: open(Path.join(folder, "log#{room}"))), folder}
    end

    run = fn {logs, folder} ->
      rooms(commits, batch, fn room, _seq, records ->
        log = Enum.at(logs, room - 1)
        :ok = :disk_log.blog_terms(log, Enum.map(records, &:erlang.term_to_binary/1))
        :ok = :disk_log.sync(log)
      end)

      for log <- logs, do: :disk_log.close(log)
      File.rm_rf!(folder)
    end

    {setup, run}
  end

  def main do
    IO.puts("Appends of ten rooms into one log, each on the disk before it is answered (#{Bench.machine()})")
    commits = String.to_integer(System.get_env("COMMITS", "300"))

    rows =
      for batch <- [1, 10, 100] do
        contenders =
          for {name, {setup, run}} <- [
                roomfold: roomfold(commits, batch, []),
                normal: roomfold(commits, batch, synchronous: :normal),
                disk_log: shared(commits, batch),
                disk_logs: each_its_own(commits, batch)
              ],
              do: {name, setup, run}

        times = Bench.rounds(contenders, 5)
        rate = fn name -> round(commits * @rooms * batch * 1.0e9 / times[name]) end

        [batch, rate.(:roomfold), rate.(:normal), rate.(:disk_log), rate.(:disk_logs)] ++
          [Bench.ratio(times.disk_log, times.roomfold), Bench.ratio(times.disk_logs, times.roomfold)]
      end

    header = ~w(batch sqlite sqlite_normal disk_log disk_log_each ratio_shared ratio_each)
    Bench.table(header, rows)
    Bench.csv("log", header, rows)
  end
end

if File.exists?("priv/roomfold_log_nif.so"),
  do: Bench.Log.main(),
  else: IO.puts("left out: logs (Roomfold was built without SQLite)")
