defmodule Roomfold.Room.Effects do
  @moduledoc false
  # Carries out what the functions of a room's state want done (they are listed in Roomfold.Room.State), in the room's process and with its state
  # (Roomfold.Room.Server); and what the log answers to what it was given.

  alias Roomfold.{EventLog, Room, Telemetry}
  alias Roomfold.Room.{Commit, Complaints, Delivery, Snapshots, Stream, Times, Update}

  @doc "Carries them out, in order."
  def carry_out(server, effects), do: Enum.reduce(effects, server, &do_one/2)

  defp do_one({:reply, {:call, from}, answer}, server) do
    GenServer.reply(from, answer)
    server
  end

  defp do_one({:reply, {_, pid, ref}, answer}, server) do
    send(pid, {ref, answer})
    server
  end

  defp do_one({:append, _, _}, %{options: %{log: nil}} = server), do: carry_out_committed(server, :ok)

  defp do_one({:append, after_seq, records}, server) do
    options = server.options
    span = Telemetry.start([:commit], %{room: options.id})
    text = server.state.commit.batch.text
    opts = [text: text, watched: server.log != nil]
    ref = EventLog.submit(options.log, options.id, server.state.term, after_seq, records, opts)
    %{server | commit: ref, committing: {span, length(records)}}
  end

  defp do_one({:publish, records}, server) do
    case Stream.publish(server, records) do
      {:failed, _, _, _, _} = failed -> do_one(failed, server)
      _ -> server
    end
  end

  defp do_one({:send, pids, message}, server) do
    message = {:roomfold, server.options.id, message}
    for pid <- pids, do: send(pid, message)
    server
  end

  defp do_one({:tell, update, answers}, server) do
    for {pid, mine} <- answers, do: send(pid, Update.message(server.options.id, update, mine))
    server
  end

  defp do_one({:fast, from, sends}, server), do: Enum.reduce(sends, server, &send_fast(&1, from, &2))

  defp do_one({:keep, seq, users}, server), do: Snapshots.keep(server, seq, users)

  defp do_one({:measure, name, numbers, facts}, server) do
    Telemetry.event(name, numbers, Map.put(facts, :room, server.options.id))
    server
  end

  defp do_one({:failed, source, kind, reason, stacktrace}, server) do
    complaints = Complaints.failed(server.complaints, server.options.id, source, {kind, reason}, stacktrace)
    %{server | complaints: complaints}
  end

  defp do_one({:refused, source, event, error}, server) do
    %{
      server
      | complaints: Complaints.refused(server.complaints, server.options, source, event, error)
    }
  end

  defp do_one({:stop, reason}, server) do
    send(self(), {:stop, reason})
    server
  end

  # A host's module makes the messages. If it fails, its clients' sessions take over.
  defp send_fast({{{module, argument}, _, _} = group, frames, pids}, from, server) do
    messages = Enum.map(frames, &module.message(argument, &1))
    for pid <- pids, message <- messages, do: send(pid, message)
    server
  catch
    kind, reason ->
      failed = Room.System.failed({module, :message}, kind, reason, __STACKTRACE__)
      {effects, state} = Delivery.leave_fastlane(server.state, group, from)
      carry_out(%{server | state: state}, [failed | effects])
  end

  @doc "The log has answered the append that it was given."
  def committed(server, answer) do
    # Without :flush, which would let other processes run: a :DOWN message of the log that is already here belongs to no connection, and does no harm.
    Process.demonitor(server.commit)
    {span, count} = server.committing
    error = with {:error, error} <- answer, do: error, else: (_ -> nil)
    Telemetry.stop([:commit], span, %{count: count}, %{error: error})

    start = System.monotonic_time()
    server = carry_out_committed(%{server | commit: nil, committing: nil}, answer)
    %{server | times: Times.add_since(server.times, start)}
  end

  defp carry_out_committed(server, answer) do
    Telemetry.span([:fold], %{room: server.options.id}, fn ->
      {effects, state} = Commit.committed(server.state, answer, :erlang.monotonic_time(:millisecond))
      server = carry_out(%{server | state: state}, Update.with_answers(effects))
      {server, %{seq: server.state.seq}, %{}}
    end)
  end
end
