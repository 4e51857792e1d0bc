defmodule Roomfold.Room.Presence do
  @moduledoc false
  # Connections join and leave; the others are told, and in a room with a client's authority it passes on.

  alias Roomfold.Error
  alias Roomfold.Room.{Commit, Delivery, Fastlane, Frames, Limits, Membership, People, Schedule}

  @doc "Whether a client that joins has seen a later term than this room's: then the log must be asked which room process is current."
  def suspects_newer_term?(state, how), do: is_integer(how[:last_term]) and how[:last_term] > state.term

  # Each makes a snapshot, and may make events in the log.
  @join_events 10

  @doc "Whether a user may join just now: a tenth as often as it may send events, and apart from these."
  def limited(state, user, now) do
    %{rates: {_, _, most, _}} = limits = Limits.forget(state.limits, now)

    case Limits.take(limits.recent, limits, {:join, user}, min(@join_events, div(most, 1000)), 0, now) do
      {:ok, recent} -> {:ok, %{state | limits: %{limits | recent: recent}}}
      {:limited, _} -> {:error, Error.new(:rate_limited)}
    end
  end

  @doc """
  A connection joins. how: `format`, `events` (whether it wants those that a diff does not tell), and of a client that comes back
  `last_seq` and `last_term` (nil: the first time). Returns the answer to it, too: `{answer, effects, state}`.
  """
  def join(state, pid, user, how, now) do
    state = Schedule.on_beat(state, now)
    was = state.people
    {people, new?} = People.join(state.people, pid, user, how.format, Map.get(how, :events, true))
    fastlane = Fastlane.leave(state.fastlane, pid)
    state = %{state | people: people, fastlane: fastlane, busy_at: now}
    state = if Schedule.ticking?(%{state | people: was}), do: state, else: %{state | last_tick: now}
    answer = Frames.joined(state, pid, state.seq, here(people), Delivery.missing(state, how))

    {failures, state} =
      if new?, do: Membership.announce_joined(state, user, how[:params] || %{}), else: {[], state}

    presence = if People.here?(was, user), do: [], else: tell_all(was, [user], [])
    {elected, state} = with {[], state} <- elect(state), do: {authority(state, pid), state}
    {answer, replaced(state, pid, was) ++ failures ++ presence ++ elected, state}
  end

  # A process that was a connection already: its earlier session gets nothing any more.
  defp replaced(state, pid, was) do
    case People.number(was, pid) do
      nil -> []
      number -> [{:send, [pid], {:replaced, state.term, number}}]
    end
  end

  defp here(people), do: for({user, %{count: count}} <- people.users, count > 0, do: user) |> Enum.sort()

  @doc "A connection has gone; `goodbye?`: its user has said goodbye and gets no grace."
  def leave(state, pid, goodbye?, now) do
    was = state.people
    state = %{Schedule.on_beat(state, now) | fastlane: Fastlane.leave(state.fastlane, pid)}

    case People.leave(was, pid, if(goodbye?, do: now - state.options.grace_ms, else: now)) do
      {_, nil} ->
        {[], state}

      {people, user} ->
        presence = if People.here?(people, user), do: [], else: tell_all(people, [], [user])
        {elected, state} = elect(%{state | people: people, busy_at: now})
        {failures, state} = Membership.expire(state, now)
        {flushed, state} = Commit.flush_between_ticks(state, now)
        {presence ++ elected ++ failures ++ flushed, state}
    end
  end

  defp tell_all(people, joins, leaves) do
    case Map.keys(people.connections) do
      [] -> []
      pids -> [{:send, pids, {:presence, joins, leaves}}]
    end
  end

  # Who joins has to know, too, while it stays as it is.
  defp authority(%{options: %{authority: :room}}, _), do: []
  defp authority(state, pid), do: [{:send, [pid], {:authority, state.elected}}]

  # With a client's authority: the user who has been here longest.
  defp elect(%{options: %{authority: :room}} = state), do: {[], state}

  defp elect(state) do
    case People.eldest(state.people) do
      elected when elected == state.elected ->
        {[], state}

      elected ->
        {[{:send, Map.keys(state.people.connections), {:authority, elected}}], %{state | elected: elected}}
    end
  end
end
