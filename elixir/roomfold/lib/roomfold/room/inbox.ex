defmodule Roomfold.Room.Inbox do
  @moduledoc false
  # The table where sessions of a room's own node put their clients' events. Messages would wake the room each time, only to keep them for the
  # next tick; here the first entry wakes it, and the tick takes all that have come since, in the order they came.
  #
  # counts: how many entries were put in since the inbox was last opened; and whether it is held (1). The process that raises the first from 0
  # wakes the room, unless the inbox is held; while it is above 0, or the inbox is held, the room must be sure to look again, because of a timer
  # or a message it waits for. A session inserts before it counts, the room opens before it takes, and it looks after it has let go, so that no
  # entry is left without a wake-up.
  #
  # At most `most` entries are put in until it is opened again: while its log hangs, a room keeps no more than that.
  #
  # The table belongs to the room's process and is deleted with it.

  defstruct [:room, :table, :counts, :most]

  @type t :: %__MODULE__{room: pid, table: :ets.table(), counts: :atomics.atomics_ref(), most: pos_integer}

  @key 0
  # Places in `counts`.
  @entries 1
  @held 2

  @doc "An empty inbox of the calling process, which is woken by the message `:inbox`."
  @spec new(pos_integer) :: t
  def new(most) do
    %__MODULE__{
      most: most,
      room: self(),
      # Objects with the same key keep their order, and are taken all at once.
      table: :ets.new(__MODULE__, [:duplicate_bag, :public]),
      counts: :atomics.new(2, signed: false)
    }
  end

  @doc """
  Adds an entry, with the time in milliseconds, for limits: it may be taken much later. If the room has ended nothing happens, as with a
  message.
  """
  @spec put(
          t,
          to :: term,
          sender :: term,
          [text :: binary | {name :: String.t(), payload :: binary}],
          now :: integer
        ) :: :ok | :full
  def put(%__MODULE__{} = inbox, to, sender, texts, now) do
    if full?(inbox) do
      :full
    else
      insert(inbox, to, sender, texts, now)
      count(inbox)
    end
  end

  # The steps of put/4: between any two of them other processes may run, also the room, and the caller may be killed (the simulator of the tests
  # runs them one by one).

  @doc false
  def full?(%__MODULE__{counts: counts, most: most}), do: :atomics.get(counts, @entries) >= most

  @doc false
  def insert(%__MODULE__{table: table}, to, sender, texts, now) do
    :ets.insert(table, {@key, to, sender, texts, now})
  rescue
    ArgumentError -> true
  end

  @doc false
  def count(%__MODULE__{counts: counts, room: room}) do
    if :atomics.add_get(counts, @entries, 1) == 1 and :atomics.get(counts, @held) == 0, do: send(room, :inbox)
    :ok
  end

  @doc "Whether there may be entries. Those that the caller knows of are seen."
  @spec any?(t) :: boolean
  def any?(inbox), do: :atomics.get(inbox.counts, @entries) > 0

  @doc "From now on the next entry wakes the room again, if the inbox is not held."
  @spec open(t) :: :ok
  def open(inbox), do: :atomics.put(inbox.counts, @entries, 0)

  @doc "From now on no entry wakes the room: it looks again by itself."
  @spec hold(t) :: :ok
  def hold(inbox), do: :atomics.put(inbox.counts, @held, 1)

  @doc "It does so no longer. The room has to look once more after this."
  @spec let_go(t) :: :ok
  def let_go(inbox), do: :atomics.put(inbox.counts, @held, 0)

  @doc "Takes all entries, oldest first: `{@key, to, sender, texts, milliseconds}`."
  @spec take(t) :: [tuple]
  def take(inbox), do: :ets.take(inbox.table, @key)
end
