defmodule Roomfold.EventLog.SQLite.Server do
  @moduledoc false
  # The log's process: it gathers what comes in while the writer commits, and lends connections for reading.
  #
  # What is handed in: {:append, {to, reference}, op} as a message, {:change, op} as a call; an op as Library.run/2 takes it.
  use GenServer

  alias Roomfold.Error
  alias Roomfold.EventLog.SQLite.{Library, Recent, Writer}

  @synchronous [normal: 1, full: 2]
  # The ops of c_src/log/batch.h that it deals with itself.
  @delete 4
  @sweep 5
  # What one commit takes at most.
  @batch_ops 1_024
  @batch_bytes 8 * 1_048_576
  # Checkpointing: starts at this many pages of the WAL and repeats while more than @few_pages are left, at most @most_rounds times; the
  # writer does the rest.
  @checkpoint_pages 4_000
  @few_pages 256
  @most_rounds 8
  # Group commit, in microseconds: up to @few_rooms writers wait at most @max_wait for each other; with more of them commits start at
  # least @interval apart.
  @few_rooms 16
  @max_wait 1_000
  @interval 5_000
  # How long a room counts as one that writes.
  @window 100_000

  @impl true
  def init(opts) do
    Process.flag(:trap_exit, true)
    # All rooms wait for it, and it does little work.
    Process.flag(:priority, :high)

    with :ok <- no_folder(opts.path),
         {:ok, writing} <- open_writer(opts, System.monotonic_time(:millisecond) + opts.busy_timeout),
         {:ok, [checkpointing | readers]} <- open_readers(opts, opts.readers + 1, []) do
      state = %{
        connections: [checkpointing | readers] ++ [writing],
        writer: Writer.start_link(writing),
        committing: false,
        checkpointer: Writer.start_link(checkpointing),
        # the round of checkpointing, 0: none
        checkpointing: 0,
        readers: List.to_tuple(readers),
        next_reader: 0,
        queue: :queue.new(),
        waiting: 0,
        # the last commit: when it began, how many ops it had, and how long it took
        started: 0,
        last: 0,
        took: 0,
        # rooms of the last two commits, if there were few
        committed: Recent.new(),
        # rooms that wrote in this span of time and in the one before it, and when it began
        writing: Recent.new(),
        writing_since: now(),
        # the key of the timer that ends the wait for more, or nil
        gathering: nil,
        max_append_bytes: opts.max_append_bytes
      }

      # Removes the rest of rooms that were deleted before the last stop.
      {:ok, enqueue(state, nil, {@sweep, "", 0, 0, 0, ""})}
    else
      {:error, %Error{} = error} -> {:stop, error}
      error -> {:stop, of(opts.path, elem(Writer.error(error), 1))}
    end
  end

  # Before its lock file is made.
  defp no_folder(path) do
    if File.dir?(path),
      do: {:error, of(path, Error.new(:log_failed, detail: "this is a folder; :path names a file in one"))},
      else: :ok
  end

  # The message names the file that can't be opened, and the most usual reason in plain words.
  defp of(path, error),
    do: %{error | message: "#{inspect(path)}: #{error.message}#{missing(Path.dirname(path))}"}

  defp missing(folder), do: if(File.dir?(folder), do: "", else: " (there is no folder #{inspect(folder)})")

  # Another process may be about to close it: a log of this VM that was killed, or an earlier VM.
  defp open_writer(opts, deadline) do
    case open(opts, true) do
      {:error, {:log_locked, _}} = error ->
        if System.monotonic_time(:millisecond) < deadline do
          receive(after: (20 -> open_writer(opts, deadline)))
        else
          error
        end

      answer ->
        answer
    end
  end

  defp open_readers(_opts, 0, readers), do: {:ok, readers}

  defp open_readers(opts, count, readers) do
    with {:ok, reader} <- open(opts, false), do: open_readers(opts, count - 1, [reader | readers])
  end

  defp open(opts, writer?) do
    Library.open(opts.path, writer?, @synchronous[opts.synchronous], opts.busy_timeout, opts.max_bytes)
  end

  @impl true
  def handle_call(:reader, _from, state) do
    reader = elem(state.readers, state.next_reader)
    {:reply, {:ok, reader}, %{state | next_reader: rem(state.next_reader + 1, tuple_size(state.readers))}}
  end

  def handle_call({:change, op}, from, state), do: {:noreply, enqueue(state, {:call, from}, op)}

  @impl true
  def handle_info({:append, {to, reference}, {_, _, _, _, _, text} = op}, state) do
    if byte_size(text) > state.max_append_bytes do
      send(to, {reference, {:error, Error.new(:too_large)}})
      {:noreply, state}
    else
      state = enqueue(state, {:submit, to, reference}, op)
      {:noreply, gathered(%{state | writing: Recent.put(state.writing, elem(op, 1))})}
    end
  end

  def handle_info(:commit, %{committing: false, gathering: nil} = state), do: {:noreply, begin(state)}
  def handle_info(:commit, state), do: {:noreply, state}

  def handle_info({:commit, key}, %{gathering: key} = state),
    do: {:noreply, commit(%{state | gathering: nil})}

  def handle_info({:commit, _}, state), do: {:noreply, state}

  def handle_info({:committed, {:error, error}, _pages}, state) do
    # What waits is not tried: its callers learn that the process has ended.
    {:stop, {:log_failed, Exception.message(error)}, %{state | writer: nil}}
  end

  def handle_info({:committed, more, pages}, state) do
    state = checkpoint(%{requeue(state, more) | took: now() - state.started}, pages)
    {:noreply, if(state.waiting > 0, do: begin(state), else: state)}
  end

  def handle_info({:again, op}, state), do: {:noreply, enqueue(state, nil, op)}

  def handle_info({:checkpointed, pid, {:ok, left}}, %{checkpointer: pid, checkpointing: round} = state)
      when left > 0 do
    if left > @few_pages and round < @most_rounds do
      send(pid, :checkpoint)
      {:noreply, %{state | checkpointing: round + 1}}
    else
      send(state.writer, :checkpoint)
      {:noreply, state}
    end
  end

  def handle_info({:checkpointed, _, _}, state), do: {:noreply, %{state | checkpointing: 0}}

  def handle_info({:EXIT, writer, reason}, %{writer: writer} = state) do
    {:stop, reason, %{state | writer: nil}}
  end

  def handle_info({:EXIT, checkpointer, reason}, %{checkpointer: checkpointer} = state) do
    {:stop, reason, state}
  end

  def handle_info(_other, state), do: {:noreply, state}

  # The message is queued after all that have arrived already, so they are part of the same commit.
  defp enqueue(state, to, op) do
    if state.waiting == 0 and not state.committing, do: send(self(), :commit)
    %{state | queue: :queue.in({to, op}, state.queue), waiting: state.waiting + 1}
  end

  # Ops that need another commit have been answered. A deleted room's records are removed by an op of their own.
  defp requeue(state, more) do
    more =
      more
      |> Enum.map(fn op -> if elem(op, 0) == @delete, do: {@sweep, "", 0, 0, 0, ""}, else: op end)
      |> Enum.uniq()

    queue = Enum.reduce(more, state.queue, &:queue.in({nil, &1}, &2))
    %{state | queue: queue, waiting: state.waiting + length(more), committing: false}
  end

  # A commit costs much the same for one room as for a hundred. If many rooms write, at different times, they have to share commits.
  defp begin(state) do
    state = writing(state)
    left = state.started + @interval - now()

    cond do
      Recent.most(state.writing) <= @few_rooms -> commit(wait(state))
      all?(state) or left < 1_000 -> commit(state)
      true -> gather_until(state, div(left, 1_000))
    end
  end

  defp gather_until(state, milliseconds) do
    key = make_ref()
    Process.send_after(self(), {:commit, key}, milliseconds)
    %{state | gathering: key}
  end

  defp gathered(%{gathering: nil} = state), do: state
  defp gathered(state), do: if(all?(state), do: commit(%{state | gathering: nil}), else: state)

  # Whether there is nothing to wait for any more: all rooms that write now wait here, or were part of the last commit.
  defp all?(state), do: state.waiting + state.last >= Recent.most(state.writing)

  defp writing(%{writing: writing, writing_since: since} = state) do
    case now() - since do
      passed when passed < @window -> state
      passed when passed < 2 * @window -> %{state | writing: Recent.next(writing), writing_since: now()}
      _ -> %{state | writing: Recent.new(), writing_since: now()}
    end
  end

  # A room that was just answered may be about to append again: rooms that tick together would fall into two groups, each waiting for the
  # other's commit. So this waits for the rooms of the last two commits, at most for half the time of a commit.
  defp wait(state) do
    expected = Recent.count(state.committed)
    limit = min(div(state.took, 2), @max_wait)

    if state.waiting < expected and expected <= @few_rooms and limit > 0 do
      # The processes that it waits for must get to run.
      Process.flag(:priority, :normal)
      state = wait(state, expected, now() + limit)
      Process.flag(:priority, :high)
      state
    else
      state
    end
  end

  defp wait(%{waiting: waiting} = state, expected, deadline) do
    receive do
      {:append, _, _} = message ->
        {:noreply, state} = handle_info(message, state)
        wait(state, expected, deadline)
    after
      0 ->
        if waiting < expected and now() < deadline do
          :erlang.yield()
          wait(state, expected, deadline)
        else
          state
        end
    end
  end

  defp checkpoint(%{checkpointing: 0} = state, pages) when pages >= @checkpoint_pages do
    send(state.checkpointer, :checkpoint)
    %{state | checkpointing: 1}
  end

  defp checkpoint(state, _pages), do: state

  defp now, do: System.monotonic_time(:microsecond)

  defp commit(state) do
    case take(state.queue, [], @batch_ops, @batch_bytes) do
      {[], _} ->
        state

      {batch, queue} ->
        send(state.writer, {:commit, batch})
        count = length(batch)

        %{
          state
          | queue: queue,
            waiting: state.waiting - count,
            committing: true,
            started: now(),
            last: count,
            committed: committed(state.committed, batch, count)
        }
    end
  end

  # With many, it does not matter which they were.
  defp committed(recent, batch, count) when count <= @few_rooms,
    do: Enum.reduce(batch, Recent.next(recent), fn {_, op}, recent -> Recent.put(recent, elem(op, 1)) end)

  defp committed(recent, _, _), do: Recent.next(recent)

  defp take(queue, batch, ops, bytes) when ops == 0 or bytes <= 0, do: {Enum.reverse(batch), queue}

  defp take(queue, batch, ops, bytes) do
    case :queue.out(queue) do
      {{:value, {_, op} = entry}, queue} ->
        take(queue, [entry | batch], ops - 1, bytes - byte_size(elem(op, 5)))

      {:empty, queue} ->
        {Enum.reverse(batch), queue}
    end
  end

  # Commits everything that was submitted before, then closes the files.
  @impl true
  def terminate(_reason, state) do
    if state.writer, do: drain(%{state | gathering: nil})
    # The writer is closed last, and checkpoints the WAL.
    for connection <- state.connections, do: Library.close(connection)
  end

  defp drain(%{committing: false} = state) do
    case gather(state) do
      %{committing: true} = state -> drain(state)
      _ -> :ok
    end
  end

  defp drain(%{writer: writer} = state) do
    receive do
      {:committed, {:error, _}, _} -> :ok
      {:committed, _more, _} -> drain(%{state | committing: false})
      {:EXIT, ^writer, _} -> :ok
    end
  end

  # Also takes what is in the mailbox.
  defp gather(state) do
    receive do
      {:append, _, _} = message -> message |> handle_info(state) |> elem(1) |> gather()
      {:"$gen_call", from, {:change, op}} -> gather(enqueue(state, {:call, from}, op))
    after
      0 -> commit(state)
    end
  end
end
