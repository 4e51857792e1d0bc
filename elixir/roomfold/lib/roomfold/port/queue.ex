defmodule Roomfold.Port.Queue do
  @moduledoc false
  # Calls to one port program: those in flight, which are answered in order, and those that wait until there are fewer.

  defstruct [
    :max_calls,
    :max_bytes,
    :max_waiting,
    on_way: :queue.new(),
    calls: 0,
    bytes: 0,
    waiting: :queue.new(),
    waiting_count: 0,
    # since when the program has worked on the first call in flight
    turn: 0
  ]

  @type call :: %{
          from: GenServer.from() | nil,
          bytes: iodata,
          size: non_neg_integer,
          since: integer
        }

  @doc "An empty queue. Limits: calls and bytes in flight (one call in any case), and calls that wait."
  def new(max_calls, max_bytes, max_waiting),
    do: %__MODULE__{max_calls: max_calls, max_bytes: max_bytes, max_waiting: max_waiting}

  def in_flight(queue), do: queue.calls
  def waiting(queue), do: queue.waiting_count

  @doc "Since when the oldest call has waited: the first in flight, or the first that waits. nil: there is none."
  def since(%{calls: calls, turn: turn, waiting: waiting}) do
    case :queue.peek(waiting) do
      {:value, %{since: since}} -> if calls > 0, do: min(turn, since), else: since
      :empty -> if calls > 0, do: turn
    end
  end

  @doc "Adds a call after those that wait."
  def add(%{waiting_count: count, max_waiting: max}, _) when count >= max, do: :full
  def add(queue, call), do: {:ok, add!(queue, call)}

  @doc "The same, however many wait."
  def add!(queue, call),
    do: %{queue | waiting: :queue.in(call, queue.waiting), waiting_count: queue.waiting_count + 1}

  @doc "The next call that may be sent, as this number."
  def next(%{waiting_count: 0}, _, _), do: :wait
  def next(%{calls: calls, max_calls: max}, _, _) when calls >= max, do: :wait

  def next(queue, number, now) do
    {{:value, call}, waiting} = :queue.out(queue.waiting)

    if queue.calls > 0 and queue.bytes + call.size > queue.max_bytes do
      :wait
    else
      # The bytes are in the pipe from now on.
      sent = {number, call.size, %{call | bytes: nil}}

      {:ok, call,
       %{
         queue
         | waiting: waiting,
           waiting_count: queue.waiting_count - 1,
           on_way: :queue.in(sent, queue.on_way),
           calls: queue.calls + 1,
           bytes: queue.bytes + call.size,
           turn: if(queue.calls == 0, do: now, else: queue.turn)
       }}
    end
  end

  @doc "Removes the call that was answered, which must be the first."
  def answered(queue, number, now) do
    case :queue.out(queue.on_way) do
      {{:value, {^number, size, call}}, on_way} ->
        {:ok, call, %{queue | on_way: on_way, calls: queue.calls - 1, bytes: queue.bytes - size, turn: now}}

      _ ->
        :error
    end
  end

  @doc "Whether the program has worked on the first call in flight since before a time."
  def late?(queue, before), do: queue.calls > 0 and queue.turn < before

  @doc "Splits off the calls that have waited since before a time."
  def expire(queue, before) do
    case :queue.peek(queue.waiting) do
      {:value, %{since: since}} when since < before ->
        {{:value, call}, waiting} = :queue.out(queue.waiting)
        {late, queue} = expire(%{queue | waiting: waiting, waiting_count: queue.waiting_count - 1}, before)
        {[call | late], queue}

      _ ->
        {[], queue}
    end
  end

  @doc "Removes the calls in flight, in order: they will not be answered. The time of those that wait starts over."
  def take_back(queue, now) do
    calls = for {_, _, call} <- :queue.to_list(queue.on_way), do: call
    waiting = for call <- :queue.to_list(queue.waiting), do: %{call | since: now}

    {calls, %{queue | on_way: :queue.new(), calls: 0, bytes: 0, waiting: :queue.from_list(waiting)}}
  end
end
