defmodule Roomfold.Room.Delivery do
  @moduledoc false
  # What connections are sent: an update after each fold, through their sessions or the fast lane; and what one needs that joins or lags.

  alias Roomfold.Room.{Fastlane, Frames, People}

  @doc "What has changed since the seq `from`, that of the last update, goes to all connections; records: the events folded since then."
  def update(state, records, from) do
    if map_size(state.people.connections) == 0,
      do: {[], state},
      else: send_update(state, Frames.update(state, from, state.seq, records))
  end

  defp send_update(state, update) do
    slow = Fastlane.others(state.fastlane, Map.keys(state.people.connections))
    {sends, behind, fastlane} = Fastlane.publish(state.fastlane, update)

    to_sessions = if slow == [], do: [], else: [{:send, slow, {:update, update}}]
    fast = if sends == [], do: [], else: [{:fast, update.from, sends}]
    {to_sessions ++ fast ++ told(:behind, behind, state, update.from), %{state | fastlane: fastlane}}
  end

  defp told(what, sessions, state, from) do
    for {pid, bytes} <- sessions,
        number = People.number(state.people, pid),
        do: {:send, [pid], {what, state.term, number, from, bytes}}
  end

  @doc "The host's module can't make the messages of a group of the fast lane: from the seq that its clients have on, their sessions take over."
  def leave_fastlane(state, group, from) do
    {sessions, fastlane} = Fastlane.leave_all(state.fastlane, group)
    {told(:slow, sessions, state, from), %{state | fastlane: fastlane}}
  end

  @doc """
  A session whose client has been sent everything up to seq wants its frames to bypass it. If the room is already past that seq,
  an update is on its way to the session, which will ask again.
  """
  def enter_fastlane(state, pid, seq, entry) do
    if seq == state.seq and is_map_key(state.people.connections, pid),
      do: %{state | fastlane: Fastlane.enter(state.fastlane, pid, seq, entry)},
      else: state
  end

  @doc "The client of a session in the fast lane has acknowledged a seq."
  def acked(state, pid, seq), do: %{state | fastlane: Fastlane.acked(state.fastlane, pid, seq)}

  @doc """
  The frame for a connection that joins. how: `format`, `last_seq` and `last_term` of a client that comes back.

  A JSON diff is valid in the next life of the room, too, as far as its log has what there was in the one before (`resumes/2`). Handles of packed
  frames, and everything of a room without a log, are valid only in the life they come from. Who does not say from which life it comes may be
  from another room of this name: it gets a snapshot.
  """
  def missing(state, %{format: format} = how) do
    same? = how[:last_term] == state.term or (format == :json and resumed?(state.life.resumes, how))

    if is_integer(how[:last_seq]) and same?,
      do: Frames.missing(state.world, how.last_seq, format),
      else: Frames.snapshot(state.world, format)
  end

  @doc """
  Which clients of another life have a world of this room's log, by the log's heads before this life claimed it and after: `{term, seq}` of the
  life before this one, if it was folded in the same way, else nil. What it had up to that seq is in the log. What a log that was set back (to a
  backup, say) has lost was in no life that it knows, or is after that seq; and it gives no term again.
  """
  def resumes(before, head), do: if(before != nil and before.meta == head.meta, do: {before.term, before.seq})

  defp resumed?({term, upto}, %{last_term: term, last_seq: seq}), do: seq <= upto
  defp resumed?(_, _), do: false

  @doc "What a connection that lags needs to go on from a seq: `{seq, frame}`."
  def catch_up(state, from, format),
    do: {state.seq, missing(state, %{format: format, last_seq: from, last_term: state.term})}
end
