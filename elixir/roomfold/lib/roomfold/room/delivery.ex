defmodule Roomfold.Room.Delivery do
  @moduledoc false
  # What connections are sent: an update after each fold, through their sessions or the fast lane; and what one needs that joins or lags.

  alias Roomfold.World
  alias Roomfold.Room.{Fastlane, Frames, People, Update}

  @doc "What has changed since the last update goes to all connections; records: the events folded since then."
  def update(state, records) do
    seq = World.seq(state.world)

    if map_size(state.people.connections) == 0 do
      {[], %{state | shared_seq: seq}}
    else
      frames = Map.new(People.formats(state.people), &{&1, Frames.changed(state.world, state.shared_seq, &1)})

      update = %Update{
        room: state.options.id,
        term: state.term,
        from: state.shared_seq,
        seq: seq,
        frames: frames,
        events: if(People.events?(state.people), do: Frames.told(records, state.options))
      }

      send_update(%{state | shared_seq: seq}, update)
    end
  end

  defp send_update(state, update) do
    slow = Fastlane.others(state.fastlane, Map.keys(state.people.connections))
    {sends, behind, fastlane} = Fastlane.publish(state.fastlane, update)

    behind =
      for {pid, bytes} <- behind,
          number = People.number(state.people, pid),
          do: {:send, [pid], {:behind, state.term, number, update.from, bytes}}

    to_sessions = if slow == [], do: [], else: [{:send, slow, {:update, update}}]
    fast = if sends == [], do: [], else: [{:fast, sends}]
    {to_sessions ++ fast ++ behind, %{state | fastlane: fastlane}}
  end

  @doc """
  A session whose client has been sent everything up to seq wants its frames to bypass it. If the room is already past that seq,
  an update is on its way to the session, which will ask again.
  """
  def enter_fastlane(state, pid, seq, entry) do
    if seq == state.shared_seq and is_map_key(state.people.connections, pid),
      do: %{state | fastlane: Fastlane.enter(state.fastlane, pid, seq, entry)},
      else: state
  end

  @doc "The client of a session in the fast lane has acknowledged a seq."
  def acked(state, pid, seq), do: %{state | fastlane: Fastlane.acked(state.fastlane, pid, seq)}

  @doc """
  The frame for a connection that joins. how: `format`, `last_seq` and `last_term` of a client that comes back.

  A JSON diff is valid in the next life of the room, too, as far as its log has what there was in the one before (`resumes/2`). Handles of packed
  frames, and everything of a room without a log, are valid only in the life they come from.
  """
  def missing(state, %{format: format} = how) do
    same? = how[:last_term] == state.term or (format == :json and resumed?(state.resumes, how))

    if is_integer(how[:last_seq]) and same?,
      do: Frames.missing(state.world, how.last_seq, format),
      else: Frames.snapshot(state.world, format)
  end

  @doc """
  Which clients of other lives have a world of this room's log, by the log's heads before this life claimed it and after: `{since, life}`.

  since: the seq from which on events were folded in the same way as now. life: `{term, seq}` of the life before this one, if it was folded in the same
  way; what it had up to that seq is in the log. What a log that was set back (to a backup, say) has lost was in no life that it knows, or is after that seq;
  and it gives no term again.
  """
  def resumes(before, head) do
    {first, _} = List.last(head.versions)
    same? = before != nil and before.meta == head.meta
    {if(first == 1, do: 0, else: first), if(same?, do: {before.term, before.seq})}
  end

  # One that does not say from which life it comes is believed.
  defp resumed?({since, _}, %{last_term: nil, last_seq: seq}), do: seq >= since
  defp resumed?({_, {term, upto}}, %{last_term: term, last_seq: seq}), do: seq <= upto
  defp resumed?(_, _), do: false

  @doc "What a connection that lags needs to go on from a seq: `{seq, frame}`."
  def catch_up(state, from, format),
    do: {World.seq(state.world), missing(state, %{format: format, last_seq: from, last_term: state.term})}
end
