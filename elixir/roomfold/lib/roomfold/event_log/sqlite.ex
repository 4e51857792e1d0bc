defmodule Roomfold.EventLog.SQLite do
  @moduledoc """
  A log in a SQLite database: one file for all rooms of a node.

      children = [{Roomfold.EventLog.SQLite, path: "rooms.db", name: MyApp.Log}]
      log = {Roomfold.EventLog.SQLite, MyApp.Log}

  Appends that arrive during a commit share the next one, for all rooms. `:ok` means that the records are durable: with
  `synchronous: :full`, the default, they survive a power failure. With `:normal` a commit does not wait for the disk; it survives a crash of
  the VM, but a power failure may lose the last commits.

  A database has one writer on its machine: a second one, in any VM, gets `:log_locked`. Others may read it meanwhile, for example with the
  sqlite3 shell; `docs/event-log.md` describes the tables.

  If the disk fails (`:log_failed`) it is not known what was written: the process answers all callers and stops, its supervisor opens the file
  again, and rooms claim again. If the disk is full or read-only, or the database is locked by another process, the log keeps running: the next
  append may succeed.

  SQLite is needed at compile time; without it, `start_link/1` raises with instructions.
  """
  alias Roomfold.{Error, EventLog, JSON, OptionList}
  alias Roomfold.EventLog.SQLite.{Library, Server, Writer}

  @behaviour EventLog

  @own [:path, :synchronous, :busy_timeout, :max_bytes, :max_append_bytes, :readers]
  @max_int 2_147_483_647
  # The ops of c_src/log/batch.h.
  @append 0
  @claim 1
  @snapshot 2
  @trim 3
  @delete 4
  # Rooms that are read at a time.
  @names 10_000

  @doc """
  Whether this was compiled with SQLite.

      iex> adapter = if Roomfold.EventLog.SQLite.available?(), do: Roomfold.EventLog.SQLite, else: Roomfold.EventLog.Memory
      iex> adapter in [Roomfold.EventLog.SQLite, Roomfold.EventLog.Memory]
      true
  """
  @spec available?() :: boolean
  def available?, do: Library.loaded?()

  @doc """
  Opens a database, or creates it.

  ## Options

    * `:path` - of its file; its folder must exist. Beside it SQLite keeps files with `-wal` and `-shm`, the log one with `.lock`. It is no URI,
      and not `":memory:"`: for that there is `Roomfold.EventLog.Memory`
    * `:synchronous` - `:full` (default) or `:normal`, see above
    * `:busy_timeout` - milliseconds to wait for a lock of another process, when opening and for each commit (5,000)
    * `:max_bytes` - of the database; beyond that, appends return `:log_full` (no limit)
    * `:max_append_bytes` - of the records of one append; beyond that it returns `:too_large` (16 MB). Rooms append up to 8 MB at once,
      or what somebody has published in one call
    * `:readers` - connections for reading (2)
    * `:name` and the other options of `GenServer.start_link/3`

  The error is a `Roomfold.Error`: `:log_locked`, `:log_readonly`, `:log_full`, `:log_failed`, `:log_format` (not a log, or one of another
  version) or `:log_damaged`.

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
      opts |> OptionList.validate!(@own ++ OptionList.server(), "a log in SQLite") |> Keyword.split(@own)

    own = options!(own)
    # Raises if the library is not there.
    Library.sqlite_version()
    GenServer.start_link(Server, own, opts)
  end

  # `shutdown`: time to commit what waits and to put the files in order.
  @doc false
  def child_spec(opts),
    do: %{id: {__MODULE__, opts[:path]}, start: {__MODULE__, :start_link, [opts]}, shutdown: 30_000}

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

    check_path!(opts[:path])
    check!(opts.synchronous in [:full, :normal], ":synchronous must be :full or :normal")

    for {key, low} <- [busy_timeout: 0, max_bytes: 0, max_append_bytes: 1, readers: 1] do
      check!(is_integer(opts[key]) and opts[key] >= low, "#{inspect(key)} must be an integer from #{low}")
    end

    %{opts | busy_timeout: min(opts.busy_timeout, @max_int)}
  end

  # What SQLite takes for something else than a file, would have no lock, and maybe no place on a disk.
  defp check_path!(":memory:"),
    do:
      raise(
        ArgumentError,
        ":path must be the name of a file, got: \":memory:\"; a log in memory is a Roomfold.EventLog.Memory"
      )

  defp check_path!("file:" <> _ = path) do
    raise ArgumentError,
          ":path must be the name of a file, not a URI, got: #{inspect(path)}; a file that is called so is #{inspect("./" <> path)}"
  end

  defp check_path!(path) do
    check!(
      is_binary(path) and path != "" and :binary.match(path, <<0>>) == :nomatch,
      ":path must be the name of a file, a string, got: #{inspect(path)}"
    )
  end

  defp check!(true, _message), do: :ok
  defp check!(false, message), do: raise(ArgumentError, message)

  @impl EventLog
  def claim(server, room, meta, over) do
    {term, only_over} = over(over)

    with {:ok, text} <- JSON.encode(meta, impl: :elixir),
         {:ok, head} <- change(server, {@claim, room, term, 0, only_over, text}),
         do: {:ok, head(head)}
  end

  defp over(:any), do: {0, 0}
  defp over(term), do: {term, 1}

  @impl EventLog
  def head(server, room) do
    case reading(server, :head, [room]) do
      nil -> {:ok, nil}
      {:error, _} = error -> error
      head -> {:ok, head(head)}
    end
  end

  # Records are passed as one text, and split in C.
  @impl EventLog
  def submit(server, room, term, after_seq, records, opts) do
    text = opts[:text] || IO.iodata_to_binary(for record <- records, do: [record, ?\n])
    {server, to, reference} = answered(server, opts[:watched])
    if server, do: send(server, {:append, to, {@append, room, term, after_seq, length(records), text}})
    reference
  end

  # The receiver of the answer: the caller, or an alias that is also a monitor. A monitor for each append would cost the log's process, for
  # which everybody waits, two more signals.
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
           reading(server, :read, [room, from, to, limits.max_bytes, limits.max_events]) do
      {:ok, if(last >= from, do: %{text: text, first: from, seq: last})}
    end
  end

  @impl EventLog
  def put_snapshot(server, room, term, seq, data),
    do: change(server, {@snapshot, room, term, seq, 0, data})

  @impl EventLog
  def snapshot(server, room, at_most) do
    with {:ok, seq, data} <- reading(server, :snapshot, [room, at_most]) do
      {:ok, if(seq > 0, do: {seq, data})}
    end
  end

  @impl EventLog
  def trim(server, room, keep_from), do: change(server, {@trim, room, 0, keep_from, 0, ""})

  @impl EventLog
  def delete(server, room, over) do
    {term, only_over} = over(over)
    change(server, {@delete, room, term, 0, only_over, ""})
  end

  @impl EventLog
  def rooms(server), do: rooms(server, "", [])

  defp rooms(server, last, found) do
    with {:ok, 0, names} <- reading(server, :rooms, [last, @names]) do
      case :binary.split(names, <<0>>, [:global, :trim]) do
        [] -> {:ok, Enum.concat(Enum.reverse(found))}
        names -> rooms(server, List.last(names), [names | found])
      end
    end
  end

  @impl EventLog
  def verify(server, :all) do
    with :ok <- reading(server, :check, []), do: EventLog.verify_by_reading({__MODULE__, server}, :all)
  end

  def verify(server, room), do: EventLog.verify_by_reading({__MODULE__, server}, room)

  @impl EventLog
  def on_node(name, node), do: {name, node}

  # Reads do not wait for commits: the process only lends a connection, which is of use on its node.
  defp reading(server, function, args) do
    with {:ok, reader} <- EventLog.call(server, :reader) do
      case there(node(reader), function, [reader | args]) do
        {:error, {_, _}} = error -> Writer.error(error)
        answer -> answer
      end
    end
  end

  defp there(node, function, args) when node == node(), do: apply(Library, function, args)

  defp there(node, function, args) do
    :erpc.call(node, Library, function, args)
  catch
    kind, reason ->
      {:error, Error.new(:log_failed, detail: "on #{node}: " <> Exception.format_banner(kind, reason))}
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
