defmodule Roomfold.Room.Publishing do
  @moduledoc false
  # Events come into a room: unpacked, checked against limits, and queued.

  alias Roomfold.Error
  alias Roomfold.Room.{Batch, Commit, Limits, Packed, Queue, Schedule}

  @doc """
  sender: `{:user, id}`, `:system`, `:server`, or `{:elected, id}`: a user who claims to be the room's authority. The events are
  texts (Roomfold.Room.Text), or one packed frame (Roomfold.Room.Packed).
  """
  def publish(state, to, sender, texts, now) do
    with {[], state} <- publish_all(state, [{nil, to, sender, texts, now}], now),
         do: state |> Queue.note_frame() |> Commit.flush_between_ticks(now)
  end

  @doc """
  What sessions have put into the inbox, `[{_, to, sender, texts, when}]`, oldest first: like `publish/5` of each at its time in a
  room that ticks, but the room's state is changed only once. If the room no longer ticks, it waits until it is due.
  """
  def publish_all(state, entries, now) do
    state = Schedule.on_beat(state, now)
    %{ids: ids, queue: queue, queued: queued} = state
    %{recent: recent} = limits = Limits.forget(state.limits, now)
    gathered = gather(entries, state, limits, {[], ids, recent, queue, queued})
    {replies, ids, recent, queue, queued} = gathered
    limits = %{limits | recent: recent}
    busy_at = if ids == state.ids, do: state.busy_at, else: now

    {Enum.reverse(replies),
     %{state | ids: ids, limits: limits, queue: queue, queued: queued, busy_at: busy_at}}
  end

  # An entry that is queued is answered after the commit, any other one at once.
  defp gather([{_, to, sender, texts, at} | entries], state, limits, gathered) do
    {replies, ids, recent, queue, queued} = gathered

    with {:ok, sender} <- authority(state, sender),
         {:ok, [_ | _] = texts} <- Packed.unpack(texts, sender, state),
         count = length(texts),
         {:ok, recent} <- within_limit(recent, limits, sender, texts, at),
         :ok <- room_in_queue(state, queued, count) do
      item = %Batch.Item{to: to, sender: sender, texts: texts, number: ids + 1}
      gather(entries, state, limits, {replies, ids + 1, recent, [item | queue], queued + count})
    else
      {:limited, recent} ->
        refusal = {:reply, to, {:error, Error.new(:rate_limited)}}
        gather(entries, state, limits, {[refusal | replies], ids, recent, queue, queued})

      # An error, or an entry without events.
      answer ->
        gather(entries, state, limits, put_elem(gathered, 0, [{:reply, to, answer} | replies]))
    end
  end

  defp gather([], _, _, gathered), do: gathered

  defp authority(%{options: %{authority: :client}, elected: user}, {:elected, user}), do: {:ok, :system}

  defp authority(state, {:elected, user}) do
    detail = "the room's authority is #{speaker(state)}, the sender is #{inspect(user)}"
    {:error, Error.new(:not_allowed, detail: detail)}
  end

  defp authority(_, sender), do: {:ok, sender}

  defp speaker(%{options: %{authority: :room}}), do: "the room itself"
  defp speaker(%{elected: nil}), do: "a user, and none is connected"
  defp speaker(%{elected: user}), do: inspect(user)

  defp within_limit(recent, limits, {:user, user}, texts, now),
    do: Limits.take(recent, limits, user, length(texts), :erlang.iolist_size(texts), now)

  defp within_limit(recent, _, _, _, _), do: {:ok, recent}

  defp room_in_queue(state, queued, count) do
    if queued + count <= state.options.max_queue, do: :ok, else: {:error, Error.new(:overloaded)}
  end
end
