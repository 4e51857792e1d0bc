defmodule Roomfold.EventLog.SQLite do
  @moduledoc """
  A log in a SQLite database: one file for all rooms of a node.

      children = [{Roomfold.EventLog.SQLite, path: "rooms.db", name: MyApp.Log}]
      log = {Roomfold.EventLog.SQLite, MyApp.Log}

  What waits while a commit is on its way to the disk shares the next one, whichever rooms it is for. An answer `:ok` means that it is there: with
  `synchronous: :full`, the default, also if the power goes now. With `:normal` a commit waits for no disk; it survives the VM's death, but a power failure
  may take the last ones.

  A database has one writer on its machine: a second one, in whichever VM, gets `:log_locked`. Anybody may read it meanwhile, with the
  sqlite3 shell too; `docs/event-log.md` describes the tables.

  If the disk fails (`:log_failed`) nobody knows what is on it: the process answers everybody and stops, so that its supervisor opens the file again and rooms claim
  anew. With a full disk, a read-only one or a database that somebody else has locked it goes on: the next append may do.

  It needs SQLite when it is built; without, `start_link/1` raises and says what to install.
  """
  # Time to commit what waits and to put the files in order.
  use GenServer, shutdown: 30_000

  alias Roomfold.{Error, EventLog, JSON}
  alias Roomfold.EventLog.SQLite.{Library, Recent, Writer}

  @behaviour EventLog

  @synchronous [normal: 1, full: 2]
  @max_int 2_147_483_647
  # The ops of c_src/log/batch.h.
  @append 0
  @claim 1
  @snapshot 2
  @trim 3
  @delete 4
  @sweep 5
  # What one commit takes at most.
  @batch_ops 1_024
  @batch_bytes 8 * 1_048_576
  @names 10_000
  # Of the WAL, when it is time to bring home what it has. It begins anew when all is home; while commits go on, there is always
  # something left, less each time, until it is so little that the one who commits is not held up by it.
  @checkpoint_pages 4_000
  @few_pages 256
  @most_rounds 8
  # Waiting for more to share a commit: for few rooms at most so many microseconds; for many, commits begin at least so far apart.
  @few_rooms 16
  @max_wait 1_000
  @interval 5_000
  # How long a room counts as one that writes.
  @window 100_000

  @doc """
  Whether SQLite was there when this was built.

      iex> adapter = if Roomfold.EventLog.SQLite.available?(), do: Roomfold.EventLog.SQLite, else: Roomfold.EventLog.Memory
      iex> adapter in [Roomfold.EventLog.SQLite, Roomfold.EventLog.Memory]
      true
  """
  @spec available?() :: boolean
  def available?, do: Library.loaded?()

  @doc """
  Opens a database, or makes it.

  ## Options

    * `:path` - of its file; its folder must exist. SQLite keeps files beside it with `-wal` and `-shm`, the log one with `.lock`
    * `:synchronous` - `:full` (default) or `:normal`, see above
    * `:busy_timeout` - how many milliseconds to wait for a lock that somebody else has: at opening, and for each commit (5,000)
    * `:max_bytes` - of the database; beyond, appends answer `:log_full` (no limit)
    * `:max_append_bytes` - of the records of one append, else `:too_large` (16 MB)
    * `:readers` - connections for reading (2)
    * `:name` and the other options of `GenServer.start_link/3`

  The error is a `Roomfold.Error`: `:log_locked`, `:log_readonly`, `:log_full`, `:log_failed`, `:log_format` (no log, or of another version) or `:log_damaged`.

  ## Examples

      iex> path = Path.join(System.tmp_dir!(), "rooms-\#{System.unique_integer([:positive])}-\#{System.os_time()}.db")
      iex> {:ok, pid} = Roomfold.EventLog.SQLite.start_link(path: path)
      iex> {:ok, %{term: term}} = Roomfold.EventLog.claim({Roomfold.EventLog.SQLite, pid}, "lobby")
      iex> :ok = Roomfold.EventLog.append({Roomfold.EventLog.SQLite, pid}, "lobby", term, 0, [~s({"seq":1})])
      iex> GenServer.stop(pid)
      iex> {:ok, pid} = Roomfold.EventLog.SQLite.start_link(path: path)
      iex> {:ok, head} = Roomfold.EventLog.head({Roomfold.EventLog.SQLite, pid}, "lobby")
      iex> GenServer.stop(pid)
      iex> for file <- Path.wildcard(path <> "*"), do: File.rm(file)
      iex> head.seq
      1
  """
  @spec start_link(keyword) :: GenServer.on_start()
  def start_link(opts) do
    {own, opts} =
      Keyword.split(opts, [:path, :synchronous, :busy_timeout, :max_bytes, :max_append_bytes, :readers])

    own = options!(own)
    # Without the library it raises here and now.
    Library.sqlite_version()
    GenServer.start_link(__MODULE__, own, opts)
  end

  @doc false
  def options!(opts) do
    defaults = %{
      synchronous: :full,
      busy_timeout: 5_000,
      max_bytes: 0,
      max_append_bytes: 16 * 1_048_576,
      readers: 2
    }

    opts = Map.merge(defaults, Map.new(opts))

    check!(is_binary(opts[:path]) and opts[:path] != "", ":path must be the name of a file")
    check!(opts.synchronous in [:full, :normal], ":synchronous must be :full or :normal")

    for {key, low} <- [busy_timeout: 0, max_bytes: 0, max_append_bytes: 1, readers: 1] do
      check!(is_integer(opts[key]) and opts[key] >= low, "#{inspect(key)} must be an integer from #{low}")
    end

    %{opts | busy_timeout: min(opts.busy_timeout, @max_int)}
  end

  defp check!(true, _message), do: :ok
  defp check!(false, message), do: raise(ArgumentError, message)

  # --- for callers

  @impl EventLog
  def claim(server, room, meta) do
    with {:ok, text} <- JSON.encode(meta, impl: :elixir),
         {:ok, head} <- change(server, {@claim, room, 0, 0, 0, text}),
         do: {:ok, head(head)}
  end

  @impl EventLog
  def head(server, room) do
    case reading(server, &Library.head(&1, room)) do
      nil -> {:ok, nil}
      {:error, _} = error -> error
      head -> {:ok, head(head)}
    end
  end

  # Records go through the VM as one text, to be taken apart in C.
  @impl EventLog
  def submit(server, room, term, after_seq, records, opts) do
    text = opts[:text] || IO.iodata_to_binary(for record <- records, do: [record, ?\n])
    {server, to, reference} = answered(server, opts[:watched])
    if server, do: send(server, {:append, to, {@append, room, term, after_seq, length(records), text}})
    reference
  end

  # Whom the answer is sent to: the caller, or an alias that is a monitor besides. Each time to begin and to end one would be two more signals
  # for the process that everybody waits for.
  defp answered(server, true) do
    reference = make_ref()
    {GenServer.whereis(server), {self(), reference}, reference}
  end

  defp answered(server, _) do
    {server, reference} = EventLog.watch(server)
    {server, {reference, reference}, reference}
  end

  @impl EventLog
  def read(server, room, from, to, limits) do
    with {:ok, last, text} <-
           reading(server, &Library.read(&1, room, from, to, limits.max_bytes, limits.max_events)) do
      {:ok, if(last >= from, do: %{text: text, first: from, seq: last})}
    end
  end

  @impl EventLog
  def put_snapshot(server, room, term, seq, data),
    do: change(server, {@snapshot, room, term, seq, 0, data})

  @impl EventLog
  def snapshot(server, room, at_most) do
    with {:ok, seq, data} <- reading(server, &Library.snapshot(&1, room, at_most)) do
      {:ok, if(seq > 0, do: {seq, data})}
    end
  end

  @impl EventLog
  def trim(server, room, keep_from), do: change(server, {@trim, room, 0, keep_from, 0, ""})

  @impl EventLog
  def delete(server, room), do: change(server, {@delete, room, 0, 0, 0, ""})

  @impl EventLog
  def rooms(server), do: rooms(server, "", [])

  defp rooms(server, last, found) do
    with {:ok, 0, names} <- reading(server, &Library.rooms(&1, last, @names)) do
      case :binary.split(names, <<0>>, [:global, :trim]) do
        [] -> {:ok, Enum.concat(Enum.reverse(found))}
        names -> rooms(server, List.last(names), [names | found])
      end
    end
  end

  @impl EventLog
  def verify(server, :all) do
    with :ok <- reading(server, &Library.check/1),
         {:ok, rooms} <- rooms(server) do
      Enum.reduce_while(rooms, {:ok, 0}, fn room, {:ok, sum} ->
        case verify(server, room) do
          {:ok, count} -> {:cont, {:ok, sum + count}}
          # Deleted meanwhile.
          {:error, %{reason: :no_room}} -> {:cont, {:ok, sum}}
          error -> {:halt, error}
        end
      end)
    end
  end

  def verify(server, room) do
    case head(server, room) do
      {:ok, nil} -> {:error, Error.new(:no_room)}
      {:ok, head} -> verify_records(server, room, head.first, head.seq, 0)
      error -> error
    end
  end

  defp verify_records(server, room, from, to, count) when from > to do
    with :ok <- verify_snapshots(server, room, EventLog.max_seq()), do: {:ok, count}
  end

  defp verify_records(server, room, from, to, count) do
    case read(server, room, from, to, %{max_bytes: 1_048_576, max_events: to}) do
      {:ok, %{seq: last}} -> verify_records(server, room, last + 1, to, count + last - from + 1)
      # It was trimmed or deleted while we read.
      {:error, %{reason: :log_trimmed}} -> verify(server, room)
      {:error, _} = error -> error
    end
  end

  defp verify_snapshots(server, room, at_most) do
    case snapshot(server, room, at_most) do
      {:ok, nil} -> :ok
      {:ok, {seq, _}} -> verify_snapshots(server, room, seq - 1)
      error -> error
    end
  end

  # Reads don't wait for commits: the process only lends a connection.
  defp reading(server, fun) do
    with {:ok, reader} <- EventLog.call(server, :reader) do
      case node(reader) == node() && fun.(reader) do
        false -> {:error, Error.new(:log_failed, detail: "its file is on the node #{node(reader)}")}
        {:error, {_, _}} = error -> Writer.error(error)
        answer -> answer
      end
    end
  end

  defp change(server, op), do: EventLog.call(server, {:change, op})

  # Versions are lines of "seq meta".
  defp head({:ok, term, seq, first, versions}) do
    versions =
      for line <- String.split(versions, "\n", trim: true) do
        [seq, meta] = String.split(line, " ", parts: 2)
        {String.to_integer(seq), JSON.decode!(meta, impl: :elixir)}
      end

    {_, meta} = List.last(versions)
    %{term: term, seq: seq, first: first, meta: meta, versions: versions}
  end

  # --- the process: it gathers what comes in while the writer commits

  @impl GenServer
  def init(opts) do
    Process.flag(:trap_exit, true)
    # All rooms wait for it, and it has little to do.
    Process.flag(:priority, :high)

    with {:ok, writing} <- open_writer(opts, System.monotonic_time(:millisecond) + opts.busy_timeout),
         {:ok, [checkpointing | readers]} <- open_readers(opts, opts.readers + 1, []) do
      state = %{
        connections: [checkpointing | readers] ++ [writing],
        writer: Writer.start_link(writing),
        committing: false,
        checkpointer: Writer.start_link(checkpointing),
        # in which round
        checkpointing: 0,
        readers: List.to_tuple(readers),
        next_reader: 0,
        queue: :queue.new(),
        waiting: 0,
        # the last commit: when it began, for how many, and how long it took
        started: 0,
        last: 0,
        took: 0,
        # rooms of the last two commits, if they were few
        committed: Recent.new(),
        # rooms that wrote in this span of time and in the one before it, and when it began
        writing: Recent.new(),
        writing_since: now(),
        # the key of the timer that ends the wait for more, or nil
        gathering: nil,
        max_append_bytes: opts.max_append_bytes
      }

      # What rooms that were deleted before the last stop have left.
      {:ok, enqueue(state, nil, {@sweep, "", 0, 0, 0, ""})}
    else
      error -> {:stop, of(opts.path, elem(Writer.error(error), 1))}
    end
  end

  # Of a file that can't be opened one wants to know which it is.
  defp of(path, error), do: %{error | message: "#{inspect(path)}: #{error.message}"}

  # Whoever had it open may just be closing it: a log of this VM that was killed, or the VM before this one.
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

  @impl GenServer
  def handle_call(:reader, _from, state) do
    reader = elem(state.readers, state.next_reader)
    {:reply, {:ok, reader}, %{state | next_reader: rem(state.next_reader + 1, tuple_size(state.readers))}}
  end

  def handle_call({:change, op}, from, state), do: {:noreply, enqueue(state, {:call, from}, op)}

  @impl GenServer
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
    # What waits is not tried: whoever waits learns that the process is gone.
    {:stop, {:log_failed, Exception.message(error)}, %{state | writer: nil}}
  end

  def handle_info({:committed, more, pages}, state) do
    state = checkpoint(%{requeue(state, more) | took: now() - state.started}, pages)
    {:noreply, if(state.waiting > 0, do: begin(state), else: state)}
  end

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

  # The message comes behind all that is waiting already, which so comes into the same commit.
  defp enqueue(state, to, op) do
    if state.waiting == 0 and not state.committing, do: send(self(), :commit)
    %{state | queue: :queue.in({to, op}, state.queue), waiting: state.waiting + 1}
  end

  # Ops that go on have been answered. A deleted room's records are swept up by an op of their own.
  defp requeue(state, more) do
    more =
      more
      |> Enum.map(fn op -> if elem(op, 0) == @delete, do: {@sweep, "", 0, 0, 0, ""}, else: op end)
      |> Enum.uniq()

    queue = Enum.reduce(more, state.queue, &:queue.in({nil, &1}, &2))
    %{state | queue: queue, waiting: state.waiting + length(more), committing: false}
  end

  # A commit costs much the same for one room as for a hundred. Where many write, each at times of its own, it is not begun for each.
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

  # No need to wait any longer. Those of the commit that began just now have had their turn.
  defp all?(state), do: state.waiting + state.last >= Recent.most(state.writing)

  defp writing(%{writing: writing, writing_since: since} = state) do
    case now() - since do
      passed when passed < @window -> state
      passed when passed < 2 * @window -> %{state | writing: Recent.next(writing), writing_since: now()}
      _ -> %{state | writing: Recent.new(), writing_since: now()}
    end
  end

  # Whoever was answered just now may be about to append again: rooms that tick together would fall into two groups, each waiting for
  # the other's commit. So those of the last two commits are waited for, for half a commit at most.
  defp wait(state) do
    expected = Recent.count(state.committed)
    limit = min(div(state.took, 2), @max_wait)

    if state.waiting < expected and expected <= @few_rooms and limit > 0 do
      # Those who are waited for must get to run.
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

  # Of many, nobody asks who they were.
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

  # Everything that was handed in before is committed; then the files are put in order.
  @impl GenServer
  def terminate(_reason, state) do
    if state.writer, do: drain(%{state | gathering: nil})
    # The one that writes is the last, to bring home the WAL.
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

  # Takes what is in the mailbox, too.
  defp gather(state) do
    receive do
      {:append, _, _} = message -> message |> handle_info(state) |> elem(1) |> gather()
      {:"$gen_call", from, {:change, op}} -> gather(enqueue(state, {:call, from}, op))
    after
      0 -> commit(state)
    end
  end
end
