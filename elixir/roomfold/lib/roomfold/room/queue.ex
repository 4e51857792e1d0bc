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

  @doc """
  Puts back, before all that came since, what nobody would say again of a batch that the log refused: joins and leaves, and what the room's
  module has said. They stay until they are in the log. `waited`: the batch's items as they were in the queue.
  """
  def put_back(state, batch, waited) do
    numbers = for item <- batch.items, again?(item, state), into: MapSet.new(), do: item.number
    items = for item <- waited, item.number in numbers, do: item
    %{state | queue: state.queue ++ Enum.reverse(items), queued: state.queued + length(items)}
  end

  defp again?(%{to: nil, sender: :server}, _), do: true
  # Systems are put back themselves, and say it again.
  defp again?(%{to: nil, of: source}, state) when source != nil,
    do: source == state.options.module and not List.keymember?(state.systems, source, 0)

  defp again?(_, _), do: false

  @doc "Whether packed frames wait to be folded, or the room's own code may add some before they are."
  def frames?(state), do: state.packed? or state.systems != [] or state.options.module != nil
end
