defmodule Roomfold.Room.Queue do
  @moduledoc false
  # What waits for the next tick, and what the room itself puts there.

  alias Roomfold.Room.{Batch, Options, Text}

  @doc """
  Queues events of the room itself, each by itself. source: a system, or the room's module. One that can't be written as JSON is a
  mistake in its source: it is left out and reported, or it would end the room, again after each restart.
  """
  def push_own(state, source, sender, events) do
    json = Options.json(state.options)

    Enum.flat_map_reduce(events, state, fn event, state ->
      case Text.event(event, json) do
        {:ok, text} -> {[], push(state, source, sender, [text])}
        {:error, error} -> {[{:refused, source, event, error}], state}
      end
    end)
  end

  defp push(state, source, sender, texts) do
    %{ids: ids, queue: queue, queued: queued} = state
    item = %Batch.Item{to: nil, of: source, sender: sender, texts: texts, number: ids + 1}
    note_frame(%{state | ids: ids + 1, queue: [item | queue], queued: queued + length(texts)})
  end

  @doc "To be called after a push: the newest item may be a packed frame."
  def note_frame(%{queue: [%{texts: [{:packed, _}]} | _]} = state), do: %{state | packed?: true}
  def note_frame(state), do: state

  # What one commit takes, as records: a log takes no more than so much in one append (`max_append_bytes` of Roomfold.EventLog.SQLite), and
  # nobody's large events are to keep the others' out.
  @most_bytes 8_388_608
  # What a record has besides the event's text, without the sender's id.
  @added_bytes 64

  @doc "Items, oldest first, in two: those of the next commit, one at least, and those that wait for another one."
  def split([item | rest] = items, %{options: %{log: log}}) do
    if log == nil or Enum.reduce(items, 0, &(bytes(&1) + &2)) <= @most_bytes,
      do: {items, []},
      else: split(rest, [item], @most_bytes - bytes(item))
  end

  def split([], _), do: {[], []}

  defp split([], taken, _), do: {Enum.reverse(taken), []}

  defp split([item | rest] = items, taken, left) do
    case left - bytes(item) do
      left when left < 0 -> {Enum.reverse(taken), items}
      left -> split(rest, [item | taken], left)
    end
  end

  defp bytes(%{texts: texts, sender: sender}), do: bytes(texts, @added_bytes + by(sender), 0)
  defp bytes([text | texts], each, sum), do: bytes(texts, each, sum + Text.size(text) + each)
  defp bytes([], _, sum), do: sum

  # Its id may have to be escaped, to six times its length.
  defp by({:user, user}), do: 6 * byte_size(user)
  defp by(_), do: 0

  @doc "Puts items back that were taken, newest first."
  def return(state, items) do
    %{state | queue: state.queue ++ items, queued: state.queued + count(items)}
  end

  defp count(items), do: Enum.reduce(items, 0, &(length(&1.texts) + &2))

  @doc """
  After a commit that has failed: what the room said by itself waits again, before all that came since, as nobody would say it again. Not so what
  systems have said in the tick that is undone, after the item with the number `said`: they are put back themselves, and say it again. `items`: of
  the batch; `waited`: the same as they were in the queue.
  """
  def put_back(state, items, waited, said) do
    numbers =
      for %{to: nil} = item <- items, not undone?(item, said, state), into: MapSet.new(), do: item.number

    again = for item <- waited, item.number in numbers, do: item
    queue = Enum.reject(state.queue, &undone?(&1, said, state))
    return(%{state | queue: queue, queued: count(queue)}, Enum.reverse(again))
  end

  defp undone?(%{to: nil, sender: :system, of: source, number: number}, said, state),
    do: number > said and List.keymember?(state.systems, source, 0)

  defp undone?(_, _, _), do: false

  @doc "Whether packed frames wait to be folded, or the room's own code may add some before they are."
  def frames?(state), do: state.packed? or state.systems != [] or state.options.module != nil
end
