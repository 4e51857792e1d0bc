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
  alias Roomfold.{Error, EventLog, JSON}
  alias Roomfold.EventLog.SQLite.{Library, Server, Writer}

  @behaviour EventLog

  @max_int 2_147_483_647
  # The ops of c_src/log/batch.h.
  @append 0
  @claim 1
  @snapshot 2
  @trim 3
  @delete 4
  # Rooms that are read at a time.
  @names 10_000

  @doc "Whether SQLite was there when this was built."
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
  """
  @spec start_link(keyword) :: GenServer.on_start()
  def start_link(opts) do
    {own, opts} =
      Keyword.split(opts, [:path, :synchronous, :busy_timeout, :max_bytes, :max_append_bytes, :readers])

    own = options!(own)
    # Without the library it raises here and now.
    Library.sqlite_version()
    GenServer.start_link(Server, own, opts)
  end

  # `shutdown`: time to commit what waits and to put the files in order.
  @doc false
  def child_spec(opts),
    do: %{id: __MODULE__, start: {__MODULE__, :start_link, [opts]}, shutdown: 30_000}

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
end
