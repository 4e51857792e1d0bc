defmodule Roomfold.EventLog do
  @moduledoc """
  Storage for the events of rooms: a behaviour, and the functions that callers use.

  A log is `{module, server}`: the adapter and its process. Adapters are

    * `Roomfold.EventLog.Memory` - for tests, and rooms that need not outlive the VM
    * `Roomfold.EventLog.SQLite` - the embedded default: one database for all rooms of a node
    * a module of your own with this behaviour; `Roomfold.EventLog.Conformance` is its test

  A record is one event as a flat JSON object on one line, as the room folds it, including its `"seq"`. The log does not parse it: it
  numbers records by position, from `after_seq + 1`.

  Only the last process that claimed a room may write it: `claim/3` returns a *term*, and an append with an older term is refused, as is one
  that does not start where the log ends. Terms only grow, even after a `delete/2`.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> {:ok, head} = Roomfold.EventLog.claim(log, "lobby", %{"schema" => 1})
      iex> head.seq
      0
      iex> Roomfold.EventLog.append(log, "lobby", head.term, 0, [~s({"seq":1,"event_name":"user_joined","user_id":"tom"})])
      :ok
      iex> {:ok, piece} = Roomfold.EventLog.read(log, "lobby", 1)
      iex> {piece.first, piece.seq, piece.text}
      {1, 1, ~s({"seq":1,"event_name":"user_joined","user_id":"tom"}\\n)}
      iex> {:error, error} = Roomfold.EventLog.append(log, "lobby", head.term - 1, 1, [~s({"seq":2})])
      iex> error.reason
      :old_term
  """

  alias Roomfold.{Called, Error, OptionList}

  @type server :: GenServer.server()
  @type t :: {module, server}
  @typedoc "1 to 255 bytes of UTF-8, without a zero byte."
  @type room :: String.t()
  @type seq :: non_neg_integer
  @typedoc "A room's term: it grows with each claim in a log. 0: nobody has claimed the room."
  @type room_term :: non_neg_integer
  @typedoc """
  Where a room's log stands.

    * `:term` - the newest term; after `claim/3` that of the caller
    * `:seq` - of the last record, 0 if there is none
    * `:first` - the first seq that is still kept (`seq + 1` if none is)
    * `:meta` - as given at the last claim
    * `:versions` - `{seq, meta}`, oldest first: the meta of the records from that seq on
  """
  @type head :: %{
          term: room_term,
          seq: seq,
          first: pos_integer,
          meta: map,
          versions: [{pos_integer, map}]
        }
  @typedoc "Records as JSON Lines, each with its line break; `:first` and `:seq` are those of the first and the last one."
  @type piece :: %{text: binary, first: pos_integer, seq: pos_integer}
  @type error :: {:error, Error.t()}

  @callback claim(server, room, meta :: map, over :: room_term | :any) :: {:ok, head} | error
  @callback head(server, room) :: {:ok, head | nil} | error
  @callback submit(server, room, room_term, after_seq :: seq, records :: [iodata], keyword) :: reference
  @callback read(server, room, from :: pos_integer, to :: pos_integer, %{
              max_bytes: pos_integer,
              max_events: pos_integer
            }) :: {:ok, piece | nil} | error
  @callback put_snapshot(server, room, room_term, seq :: pos_integer, binary) :: :ok | error
  @callback snapshot(server, room, at_most :: seq) :: {:ok, {pos_integer, binary} | nil} | error
  @callback trim(server, room, keep_from :: pos_integer) :: :ok | error
  @callback rooms(server) :: {:ok, [room]} | error
  @callback delete(server, room, over :: room_term | :any) :: :ok | error
  @callback verify(server, room | :all) :: {:ok, non_neg_integer} | error
  @doc "Optional, for a log that each node may have of its own: how the one that `server` is on that node is called from any other."
  @callback on_node(server, node) :: server
  @optional_callbacks on_node: 2

  @max_seq Roomfold.Seq.max()
  @max_bytes 1_048_576
  # For messages.
  @process "a log that runs is {module, server}, with the name or the pid of its process"

  defguardp is_seq(seq) when is_integer(seq) and seq >= 0

  @doc """
  Makes the caller the only writer of this room, and creates the room if it is new.

  `meta` is a map of JSON values that describes the records to come: versions of schema, rules and format. The log remembers from which
  record on it applies (`t:head/0`).

  ## Options

    * `:over` - the newest term that the caller knows of, 0 if the room must not be there yet. If it is another by now, the error is
      `:old_term` and nothing is claimed: of several who claim over one term, one succeeds. By default (`:any`) it succeeds whoever has the room

  ## Examples

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> {:ok, first} = Roomfold.EventLog.claim(log, "lobby", %{"schema" => 1})
      iex> {:ok, second} = Roomfold.EventLog.claim(log, "lobby", %{"schema" => 2})
      iex> {second.term > first.term, second.meta}
      {true, %{"schema" => 2}}
      iex> {:error, error} = Roomfold.EventLog.claim(log, "lobby", %{}, over: 0)
      iex> error.reason
      :old_term
  """
  @spec claim(t, room, map, keyword) :: {:ok, head} | error
  def claim({module, server}, room, meta \\ %{}, opts \\ []) do
    unless is_map(meta), do: raise(ArgumentError, "the meta of a claim is a map, got #{Error.got(meta)}")
    over = over!(opts)
    with :ok <- check_room(room), do: module.claim(server, room, meta, over)
  end

  defp over!(opts) do
    case OptionList.validate!(opts, [over: :any], "a claim or a delete")[:over] do
      :any -> :any
      term when is_seq(term) -> min(term, @max_seq)
      other -> raise ArgumentError, ":over must be a term, 0 or :any, got: #{inspect(other)}"
    end
  end

  @doc """
  Where a room's log stands; `nil` if there is no such room.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> {:ok, %{term: term}} = Roomfold.EventLog.claim(log, "lobby")
      iex> :ok = Roomfold.EventLog.append(log, "lobby", term, 0, [~s({"seq":1}), ~s({"seq":2})])
      iex> {:ok, head} = Roomfold.EventLog.head(log, "lobby")
      iex> {head.first, head.seq}
      {1, 2}
      iex> Roomfold.EventLog.head(log, "cellar")
      {:ok, nil}
  """
  @spec head(t, room) :: {:ok, head | nil} | error
  def head({module, server}, room) do
    with :ok <- check_room(room), do: module.head(server, room)
  end

  @doc """
  Submits records to be appended after `after_seq`, all of them or none, and returns at once: rooms share a commit.

  After the commit the caller gets `{reference, :ok | {:error, error}}`, or `{:DOWN, reference, :process, _, reason}` if the log dies first
  (it may have committed or not: `claim/3` shows which). Either message ends the reference; to stop waiting, call
  `Process.demonitor(reference, [:flush])`.

  ## Options

    * `:text` - the same records as one text, one a line, if the caller has it: an adapter that needs the text then does not have to build it
    * `:watched` - `true`: the caller monitors the log (`monitor/1`) while it waits. Then an adapter need not set up a monitor for each
      append, and if the log dies the caller may learn of it from its own monitor only

  The error is `:old_term` (another process has claimed the room since), `:wrong_seq` (the log does not end at `after_seq`), `:no_room`,
  `:invalid_record`, `:too_large`, or one of the disk: `:log_full`, `:log_locked`, `:log_readonly`, `:log_failed`, `:log_damaged`. Other
  appends in the same commit are not affected.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> {:ok, %{term: term}} = Roomfold.EventLog.claim(log, "lobby")
      iex> first = Roomfold.EventLog.submit(log, "lobby", term, 0, [~s({"seq":1})])
      iex> second = Roomfold.EventLog.submit(log, "lobby", term, 1, [~s({"seq":2})])
      iex> {Roomfold.EventLog.await(first), Roomfold.EventLog.await(second)}
      {:ok, :ok}
  """
  @spec submit(t, room, room_term, seq, [iodata], keyword) :: reference
  def submit({module, server}, room, term, after_seq, records, opts \\ [])
      when is_seq(term) and is_seq(after_seq) and is_list(records) do
    with :ok <- check_room(room),
         :ok <- check_seqs(after_seq, records) do
      module.submit(server, room, min(term, @max_seq), after_seq, records, opts)
    else
      error -> answer_self(error)
    end
  end

  @doc """
  Like `submit/6`, but waits for the answer.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> {:ok, %{term: term}} = Roomfold.EventLog.claim(log, "lobby")
      iex> Roomfold.EventLog.append(log, "lobby", term, 0, [~s({"seq":1})])
      :ok
      iex> {:error, error} = Roomfold.EventLog.append(log, "lobby", term, 0, [~s({"seq":1})])
      iex> error.reason
      :wrong_seq
  """
  @spec append(t, room, room_term, seq, [iodata]) :: :ok | error
  def append(log, room, term, after_seq, records) do
    await(submit(log, room, term, after_seq, records))
  end

  @doc """
  Waits for the answer to a `submit/6`.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> {:ok, %{term: term}} = Roomfold.EventLog.claim(log, "lobby")
      iex> reference = Roomfold.EventLog.submit(log, "lobby", term, 7, [~s({"seq":8})])
      iex> {:error, error} = Roomfold.EventLog.await(reference)
      iex> error.reason
      :wrong_seq
  """
  @spec await(reference) :: :ok | error
  def await(reference) when is_reference(reference) do
    receive do
      {^reference, answer} ->
        Process.demonitor(reference, [:flush])
        answer

      {:DOWN, ^reference, :process, _, reason} ->
        stopped(reason)
    end
  end

  defp stopped(reason),
    do: {:error, Error.new(:log_failed, detail: "its process has stopped: #{inspect(reason)}")}

  @doc """
  The records from `from` on, up to `to` or as many as the limits allow, but at least one; `nil` if there are none.

  To read on, start from the piece's `seq + 1`. Every record is checked: `:log_damaged` names the room and the seq. For records that were
  trimmed the error is `:log_trimmed`.

  ## Options

    * `:max_bytes` - of text (1 MB)
    * `:max_events` - (no limit but `max_bytes`)

  ## Examples

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> {:ok, %{term: term}} = Roomfold.EventLog.claim(log, "lobby")
      iex> :ok = Roomfold.EventLog.append(log, "lobby", term, 0, for(seq <- 1..5, do: ~s({"seq":\#{seq}})))
      iex> Roomfold.EventLog.read(log, "lobby", 2, :infinity, max_events: 2)
      {:ok, %{first: 2, seq: 3, text: ~s({"seq":2}\\n{"seq":3}\\n)}}
      iex> Roomfold.EventLog.read(log, "lobby", 6)
      {:ok, nil}
  """
  @spec read(t, room, pos_integer, pos_integer | :infinity, keyword) :: {:ok, piece | nil} | error
  def read({module, server}, room, from, to \\ :infinity, opts \\ []) do
    span!(from, to)
    limits = limits!(opts)

    with :ok <- check_room(room),
         {:ok, piece} <- module.read(server, room, min(from, @max_seq), min(to, @max_seq), limits),
         do: {:ok, if(from <= @max_seq, do: piece)}
  end

  @doc """
  The same as a stream of texts, piece by piece. Raises where `read/5` returns an error.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> {:ok, %{term: term}} = Roomfold.EventLog.claim(log, "lobby")
      iex> :ok = Roomfold.EventLog.append(log, "lobby", term, 0, for(seq <- 1..5, do: ~s({"seq":\#{seq}})))
      iex> Enum.to_list(Roomfold.EventLog.stream(log, "lobby", 2, 4, max_events: 2))
      [~s({"seq":2}\\n{"seq":3}\\n), ~s({"seq":4}\\n)]
  """
  @spec stream(t, room, pos_integer, pos_integer | :infinity, keyword) :: Enumerable.t()
  def stream({_, _} = log, room, from, to \\ :infinity, opts \\ []) do
    span!(from, to)
    _ = limits!(opts)

    Stream.unfold(from, fn from ->
      # Integers are smaller than atoms.
      case from <= to && read(log, room, from, to, opts) do
        {:ok, %{text: text, seq: seq}} -> {text, seq + 1}
        {:error, error} -> raise error
        _ -> nil
      end
    end)
  end

  @doc """
  Keeps a snapshot of the room as it was after the record `seq`: any bytes. One that is already there is replaced.

  The seq must be that of a record, or of the last one trimmed; else the error is `:wrong_seq`.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> {:ok, %{term: term}} = Roomfold.EventLog.claim(log, "lobby")
      iex> :ok = Roomfold.EventLog.append(log, "lobby", term, 0, [~s({"seq":1})])
      iex> Roomfold.EventLog.put_snapshot(log, "lobby", term, 1, "the room at 1")
      :ok
      iex> {:error, error} = Roomfold.EventLog.put_snapshot(log, "lobby", term, 2, "the room at 2")
      iex> error.reason
      :wrong_seq
  """
  @spec put_snapshot(t, room, room_term, pos_integer, binary) :: :ok | error
  def put_snapshot({module, server}, room, term, seq, snapshot)
      when is_seq(term) and is_seq(seq) and is_binary(snapshot) do
    with :ok <- check_room(room),
         do: module.put_snapshot(server, room, min(term, @max_seq), min(seq, @max_seq), snapshot)
  end

  @doc """
  The newest snapshot at or below a seq, as `{seq, bytes}`; `nil` if there is none.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> {:ok, %{term: term}} = Roomfold.EventLog.claim(log, "lobby")
      iex> :ok = Roomfold.EventLog.append(log, "lobby", term, 0, [~s({"seq":1}), ~s({"seq":2})])
      iex> :ok = Roomfold.EventLog.put_snapshot(log, "lobby", term, 2, "the room at 2")
      iex> {Roomfold.EventLog.snapshot(log, "lobby"), Roomfold.EventLog.snapshot(log, "lobby", 1)}
      {{:ok, {2, "the room at 2"}}, {:ok, nil}}
  """
  @spec snapshot(t, room, seq | :infinity) :: {:ok, {pos_integer, binary} | nil} | error
  def snapshot({module, server}, room, at_most \\ :infinity) when at_most == :infinity or is_seq(at_most) do
    with :ok <- check_room(room), do: module.snapshot(server, room, min(at_most, @max_seq))
  end

  @doc """
  Deletes the records below `keep_from`, but none after the newest snapshot; and the snapshots that are no longer followed by a record.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> {:ok, %{term: term}} = Roomfold.EventLog.claim(log, "lobby")
      iex> :ok = Roomfold.EventLog.append(log, "lobby", term, 0, for(seq <- 1..5, do: ~s({"seq":\#{seq}})))
      iex> :ok = Roomfold.EventLog.put_snapshot(log, "lobby", term, 3, "the room at 3")
      iex> :ok = Roomfold.EventLog.trim(log, "lobby", 3)
      iex> {:ok, head} = Roomfold.EventLog.head(log, "lobby")
      iex> {head.first, head.seq}
      {3, 5}
      iex> {:error, error} = Roomfold.EventLog.read(log, "lobby", 1)
      iex> error.reason
      :log_trimmed
  """
  @spec trim(t, room, pos_integer) :: :ok | error
  def trim({module, server}, room, keep_from) when is_integer(keep_from) and keep_from > 0 do
    with :ok <- check_room(room), do: module.trim(server, room, min(keep_from, @max_seq))
  end

  @doc """
  The names of all rooms, in the order of their bytes.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> for room <- ["lobby", "cellar"], do: {:ok, _} = Roomfold.EventLog.claim(log, room)
      iex> Roomfold.EventLog.rooms(log)
      {:ok, ["cellar", "lobby"]}
  """
  @spec rooms(t) :: {:ok, [room]} | error
  def rooms({module, server}), do: module.rooms(server)

  @doc """
  Deletes a room. A process that holds its term can't write any more, even if the room is created again.

  ## Options

    * `:over` - the newest term that the caller knows of. If it is another by now, the error is `:old_term` and nothing is deleted. By default
      (`:any`) the room is deleted whoever has it

  ## Examples

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> {:ok, %{term: term}} = Roomfold.EventLog.claim(log, "lobby")
      iex> :ok = Roomfold.EventLog.delete(log, "lobby")
      iex> {:ok, again} = Roomfold.EventLog.claim(log, "lobby")
      iex> {again.seq, again.term > term}
      {0, true}
      iex> {:error, error} = Roomfold.EventLog.delete(log, "lobby", over: term)
      iex> error.reason
      :old_term
  """
  @spec delete(t, room, keyword) :: :ok | error
  def delete({module, server}, room, opts \\ []) do
    over = over!(opts)
    with :ok <- check_room(room), do: module.delete(server, room, over)
  end

  @doc """
  Reads and checks all records and snapshots of a room, or of all rooms, and returns the number of records.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> {:ok, %{term: term}} = Roomfold.EventLog.claim(log, "lobby")
      iex> :ok = Roomfold.EventLog.append(log, "lobby", term, 0, [~s({"seq":1}), ~s({"seq":2})])
      iex> {Roomfold.EventLog.verify(log, "lobby"), Roomfold.EventLog.verify(log)}
      {{:ok, 2}, {:ok, 2}}
  """
  @spec verify(t, room | :all) :: {:ok, non_neg_integer} | error
  def verify(log, room \\ :all)
  def verify({module, server}, :all), do: module.verify(server, :all)

  def verify({module, server}, room) do
    with :ok <- check_room(room), do: module.verify(server, room)
  end

  @doc """
  For adapters whose reads check what they read: `verify/2` by reading everything.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> {:ok, %{term: term}} = Roomfold.EventLog.claim(log, "lobby")
      iex> :ok = Roomfold.EventLog.append(log, "lobby", term, 0, [~s({"seq":1}), ~s({"seq":2})])
      iex> Roomfold.EventLog.verify_by_reading(log, :all)
      {:ok, 2}
  """
  @spec verify_by_reading(t, room | :all) :: {:ok, non_neg_integer} | error
  def verify_by_reading(log, :all) do
    with {:ok, rooms} <- rooms(log) do
      Enum.reduce_while(rooms, {:ok, 0}, fn room, {:ok, sum} ->
        case verify_by_reading(log, room) do
          {:ok, count} -> {:cont, {:ok, sum + count}}
          # It was deleted meanwhile.
          {:error, %{reason: :no_room}} -> {:cont, {:ok, sum}}
          error -> {:halt, error}
        end
      end)
    end
  end

  def verify_by_reading(log, room) do
    case head(log, room) do
      {:ok, nil} -> {:error, Error.new(:no_room)}
      {:ok, head} -> verify_records(log, room, head.first, head.seq, 0)
      error -> error
    end
  end

  defp verify_records(log, room, from, to, count) when from > to do
    with :ok <- verify_snapshots(log, room, :infinity), do: {:ok, count}
  end

  defp verify_records(log, room, from, to, count) do
    case read(log, room, from, to) do
      {:ok, %{seq: last}} -> verify_records(log, room, last + 1, to, count + last - from + 1)
      # It was trimmed, or deleted and made again, while we read.
      {:ok, nil} -> verify_by_reading(log, room)
      {:error, %{reason: :log_trimmed}} -> verify_by_reading(log, room)
      error -> error
    end
  end

  defp verify_snapshots(log, room, at_most) do
    case snapshot(log, room, at_most) do
      {:ok, nil} -> :ok
      {:ok, {seq, _}} -> verify_snapshots(log, room, seq - 1)
      error -> error
    end
  end

  @doc false
  def check_room(room, field \\ "room") do
    if room?(room), do: :ok, else: {:error, Error.new(:invalid_id, field: field, detail: zero_byte(room))}
  end

  # It is UTF-8, too.
  defp zero_byte(room) do
    if is_binary(room) and String.valid?(room) and String.contains?(room, <<0>>),
      do: "a room's has no zero byte"
  end

  @doc false
  # What may be a room's name.
  def room?(room), do: is_binary(room) and byte_size(room) in 1..255 and text?(room)

  # UTF-8 without a zero byte. (`:binary.match/2` that finds nothing uses up the rest of the caller's time slice, at each append.)
  defp text?(<<0, _::binary>>), do: false
  defp text?(<<_::utf8, rest::binary>>), do: text?(rest)
  defp text?(rest), do: rest == ""

  defp check_seqs(after_seq, records) do
    if after_seq + length(records) <= @max_seq, do: :ok, else: {:error, Error.new(:invalid_seq)}
  end

  @doc """
  The largest possible seq, 2^53 - 1.

      iex> Roomfold.EventLog.max_seq()
      9_007_199_254_740_991
  """
  @spec max_seq() :: pos_integer
  def max_seq, do: @max_seq

  @doc """
  Monitors the log's process: `{:DOWN, reference, :process, _, reason}` comes when it has ended, or its node can't be reached.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> log = {Roomfold.EventLog.Memory, pid}
      iex> reference = Roomfold.EventLog.monitor(log)
      iex> GenServer.stop(pid)
      iex> receive do {:DOWN, ^reference, :process, _, reason} -> reason end
      :normal
  """
  @spec monitor(t) :: reference
  def monitor({_module, server}), do: Process.monitor(GenServer.whereis(server) || gone())

  @doc false
  # Whether other nodes may have another log that they call the same.
  @spec own?(t | nil) :: boolean
  def own?({module, server}),
    do: is_atom(server) and Code.ensure_loaded?(module) and function_exported?(module, :on_node, 2)

  def own?(nil), do: false

  @doc false
  # What a room on that node has as its log, for callers here.
  @spec on_node(t | nil, node) :: t | nil
  def on_node({module, server} = log, node),
    do: if(node != node() and own?(log), do: {module, module.on_node(server, node)}, else: log)

  def on_node(nil, _), do: nil

  # Without a process of that name: one that has ended.
  defp gone, do: spawn(fn -> :ok end)

  @doc """
  For adapters' `submit`: sends an answer that is known without asking the log, as a message like the others.

      iex> reference = Roomfold.EventLog.answer_self(:ok)
      iex> Roomfold.EventLog.await(reference)
      :ok
  """
  @spec answer_self(:ok | error) :: reference
  def answer_self(answer) do
    reference = make_ref()
    send(self(), {reference, answer})
    reference
  end

  @doc """
  For adapters that are processes: like `GenServer.call/3`, but returns the error `:log_failed` if the process does not exist or stops.

      iex> {:error, error} = Roomfold.EventLog.call(:nobody, :head)
      iex> error.reason
      :log_failed
  """
  @spec call(server, term) :: term
  def call(server, request) do
    server |> Called.process!(@process) |> GenServer.call(request, :infinity)
  catch
    :exit, {reason, _} -> stopped(reason)
  end

  @doc """
  For adapters' `submit`: the server to send to (`nil` if there is none) and a reference for the answer. The server answers with
  `send(reference, {reference, answer})`; until then the reference is a monitor of it.

      iex> pid = spawn(fn -> receive(do: ({:please, from} -> send(from, {from, :ok}))) end)
      iex> {server, reference} = Roomfold.EventLog.watch(pid)
      iex> send(server, {:please, reference})
      iex> Roomfold.EventLog.await(reference)
      :ok
  """
  @spec watch(server) :: {pid | {atom, node} | nil, reference}
  def watch(server) do
    case server |> Called.process!(@process) |> GenServer.whereis() do
      nil ->
        reference = make_ref()
        send(self(), {:DOWN, reference, :process, server, :noproc})
        {nil, reference}

      server ->
        {server, :erlang.monitor(:process, server, alias: :reply_demonitor)}
    end
  end

  defp span!(from, to) do
    unless is_integer(from) and from > 0,
      do: raise(ArgumentError, "the first seq is an integer above 0, got #{Error.got(from)}")

    unless to == :infinity or is_seq(to),
      do: raise(ArgumentError, "the last seq is an integer from 0, or :infinity, got #{Error.got(to)}")
  end

  defp limits!(opts) do
    opts = OptionList.validate!(opts, [max_bytes: @max_bytes, max_events: @max_seq], "a read")
    %{max_bytes: positive!(opts, :max_bytes), max_events: positive!(opts, :max_events)}
  end

  defp positive!(opts, key) do
    case opts[key] do
      value when is_integer(value) and value > 0 -> min(value, @max_seq)
      value -> raise ArgumentError, "#{inspect(key)} must be a positive integer, got: #{inspect(value)}"
    end
  end
end
