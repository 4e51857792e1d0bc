defmodule Roomfold.Room.Inbox do
  @moduledoc false
  # Where sessions of a room's own node put what their clients publish. A message would wake the room each time, to do nothing but keep it
  # for the next tick; here the first one wakes it, and the tick takes what has come since, in the order it came.
  #
  # count is how many were put in since it was last opened. Whoever raises it from 0 wakes the room: while it is above 0, the room has to be
  # sure to come back, by a timer or by what it waits for. Who puts something in does so before it counts, and the room opens before it
  # takes: nothing is left behind without somebody who wakes it.
  #
  # No more than `most` are put in until it is opened again: a room whose log hangs has no more to keep than its queue.
  #
  # The table belongs to the room and goes with it.

  defstruct [:room, :table, :count, :most]

  @type t :: %__MODULE__{room: pid, table: :ets.table(), count: :atomics.atomics_ref(), most: pos_integer}

  @key 0

  @doc "An empty one of the calling process, which is woken by the message `:inbox`."
  @spec new(pos_integer) :: t
  def new(most) do
    %__MODULE__{
      most: most,
      room: self(),
      # What has the same key keeps its order, and is taken in one piece.
      table: :ets.new(__MODULE__, [:duplicate_bag, :public]),
      count: :atomics.new(1, signed: false)
    }
  end

  @doc "If the room has gone nothing happens, as with a message. With the time, for limits: it may be taken much later."
  @spec put(t, to :: term, sender :: term, [binary]) :: :ok | :full
  def put(%__MODULE__{} = inbox, to, sender, texts) do
    if full?(inbox) do
      :full
    else
      insert(inbox, to, sender, texts, :erlang.monotonic_time(:millisecond))
      count(inbox)
    end
  end

  # The steps of put/4: between any two of them others run, the room as well, and whoever takes them may be killed (the simulator of the
  # tests takes them one by one).

  @doc false
  def full?(%__MODULE__{count: count, most: most}), do: :atomics.get(count, 1) >= most

  @doc false
  def insert(%__MODULE__{table: table}, to, sender, texts, now) do
    :ets.insert(table, {@key, to, sender, texts, now})
  rescue
    ArgumentError -> true
  end

  @doc false
  def count(%__MODULE__{count: count, room: room}) do
    if :atomics.add_get(count, 1, 1) == 1, do: send(room, :inbox)
    :ok
  end

  @doc "Whether there may be something in it. What the caller knows to have been put in, it sees."
  @spec any?(t) :: boolean
  def any?(inbox), do: :atomics.get(inbox.count, 1) > 0

  @doc "From now on the next one wakes the room again."
  @spec open(t) :: :ok
  def open(inbox), do: :atomics.put(inbox.count, 1, 0)

  @doc "All that is in it, oldest first: `{@key, to, sender, texts, milliseconds}`."
  @spec take(t) :: [tuple]
  def take(inbox), do: :ets.take(inbox.table, @key)
end
