defmodule Roomfold.Room.Schedule do
  @moduledoc false
  # When a room ticks, folds what waits, or stops; and what time its events have.
  #
  # A room with connections or systems folds at ticks only. Without them it folds as soon as an event comes, but not more often than
  # it would tick. A tick without systems and with an empty queue does nothing, so the room rests through it, and keeps its beat. If there were
  # events at the last tick, though, it does not rest through the next one (`armed?`): so nobody need wake it before that.

  alias Roomfold.Room.People

  @doc "The time in events of this moment; it never goes back."
  def at(state, now), do: max(state.last_at, now + state.life.offset)

  @doc "When the room wants to be woken: milliseconds as `now`, or :never."
  def wake_at(state) do
    expiry = People.next_expiry(state.people, state.options.grace_ms)

    cond do
      resting?(state) -> expiry
      ticking?(state) -> min(tick_at(state), expiry)
      state.queue != [] and state.commit == nil -> min(flush_at(state), expiry)
      true -> min(idle_at(state), expiry)
    end
    |> woken_at()
  end

  defp woken_at(nil), do: :never
  defp woken_at(at), do: ceil(at)

  @doc "Whether the next `Ticks.wake/2` is a tick."
  def tick_due?(state, now), do: state.commit == nil and beat_due?(state, now)

  @doc "The same; or one that has to wait for the commit."
  def beat_due?(state, now), do: ticking?(state) and not resting?(state) and now >= tick_at(state)

  @doc "Whether the room folds at ticks only."
  def ticking?(state), do: state.systems != [] or map_size(state.people.connections) > 0

  defp resting?(state),
    do: state.systems == [] and state.queue == [] and not state.armed? and ticking?(state)

  @doc "Skips the ticks that a room has rested through: its next one comes on the beat. To be called before the queue or the people change."
  def on_beat(state, now) do
    if resting?(state) do
      missed = max(floor((now - state.last_tick) / state.options.tick_ms), 0)
      %{state | last_tick: state.last_tick + missed * state.options.tick_ms, held: 0}
    else
      state
    end
  end

  @doc "When the next tick is due; during a commit, the next one that would have to wait for it."
  def tick_at(%{commit: nil} = state), do: state.last_tick + state.options.tick_ms
  def tick_at(state), do: state.last_tick + (state.held + 1) * state.options.tick_ms

  @doc """
  How many ticks have come due since the last one, when `tick_at/1` has come: as many as it says at least, whatever a quotient of floats is
  rounded to.
  """
  def ticks_since(state, now) do
    due = if state.commit, do: state.held + 1, else: 1
    max(floor((now - state.last_tick) / state.options.tick_ms), due)
  end

  @doc "When a room that does not tick may fold again."
  def flush_at(state), do: state.last_flush + state.options.tick_ms

  # How long a room waits at least for what it was started for.
  @first_ms 1_000

  @doc "The last time at which a room that has just been started had something to do."
  def busy_from(%{idle_ms: idle_ms}, now) when idle_ms < @first_ms, do: now + @first_ms - idle_ms
  def busy_from(_, now), do: now

  @doc "Whether the room has had nothing to do for so long that it stops."
  def idle?(state, now), do: now >= idle_at(state)

  # nil, which is larger than any number: not before something else happens.
  defp idle_at(%{options: %{idle_ms: :infinity}}), do: nil

  defp idle_at(%{queue: [], commit: nil} = state) do
    if map_size(state.people.connections) == 0, do: state.busy_at + state.options.idle_ms
  end

  defp idle_at(_), do: nil
end
