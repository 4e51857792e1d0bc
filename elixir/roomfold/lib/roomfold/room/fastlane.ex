defmodule Roomfold.Room.Fastlane do
  @moduledoc false
  # Connections that keep up get what a tick changed straight in the process that writes to their socket, past the session's own:
  # one message, made once for all of them that would write the same bytes. Whoever acknowledges too little goes back to its session.

  alias Roomfold.Room.Update

  # groups: what is written alike, {lane, format, events?} → %{pid of the session → %{to, limit, acked}}
  # of: pid of the session → its group
  # sent: format → {bytes since the first connection, known}, where known is {how many in newest, newest, older}, lists of {seq, bytes by
  # then}, newest first; acked is of the same count. Empty while nobody is in the fast lane.
  defstruct groups: %{}, of: %{}, sent: %{}

  # So many updates back, at least, it is known what an acknowledgement is worth; an older one is worth nothing.
  @remembered 256

  @typedoc """
    * `to` - the process that gets the messages; `lane` - `{module, argument}`: `module.message(argument, frame)` makes one
    * `format`, `events?` - as the session has them; `limit` - bytes that may be unacknowledged; `sent` - those that are already
  """
  @type entry :: %{
          to: pid,
          lane: {module, term},
          format: atom,
          events?: boolean,
          limit: pos_integer,
          sent: non_neg_integer
        }

  @doc "A session's connection joins the fast lane, with a client that has been sent everything up to seq."
  def enter(fastlane, pid, seq, entry) do
    fastlane = leave(fastlane, pid)
    group = {entry.lane, entry.format, entry.events?}
    # To acknowledge seq is worth something before the first update, too.
    sent = Map.put_new(fastlane.sent, entry.format, {0, {1, [{seq, 0}], []}})
    {bytes, _} = sent[entry.format]
    member = %{to: entry.to, limit: entry.limit, acked: bytes - entry.sent}
    groups = Map.update(fastlane.groups, group, %{pid => member}, &Map.put(&1, pid, member))
    %{fastlane | groups: groups, of: Map.put(fastlane.of, pid, group), sent: sent}
  end

  @doc "It leaves it, if it was in it."
  def leave(fastlane, pid) do
    case Map.pop(fastlane.of, pid) do
      {nil, _} ->
        fastlane

      {group, of} ->
        members = Map.delete(fastlane.groups[group], pid)

        groups =
          if members == %{},
            do: Map.delete(fastlane.groups, group),
            else: Map.put(fastlane.groups, group, members)

        %{fastlane | groups: groups, of: of}
    end
  end

  @doc "Those of these sessions that are not in it."
  def others(%{of: of}, pids) when map_size(of) == 0, do: pids
  def others(%{of: of}, pids), do: Enum.reject(pids, &is_map_key(of, &1))

  @doc "A client has a seq."
  def acked(fastlane, pid, seq) do
    case fastlane.of do
      %{^pid => {_, format, _} = group} ->
        {_, {_, newest, older}} = Map.fetch!(fastlane.sent, format)
        sent = if covers?(newest, seq), do: newest, else: older
        put_in(fastlane.groups[group][pid].acked, worth(sent, seq, fastlane.groups[group][pid].acked))

      _ ->
        fastlane
    end
  end

  defp covers?(newest, seq), do: match?({at, _} when at <= seq, List.last(newest))

  # The bytes by the newest update that it has. It is never less than it was.
  defp worth(sent, seq, acked) do
    case Enum.find(sent, fn {at, _} -> at <= seq end) do
      {_, bytes} -> max(bytes, acked)
      nil -> acked
    end
  end

  @doc """
  An update goes out: `{sends, behind, fastlane}`, where `sends` is `[{lane, frames, [pid]}]`, and `behind` are the sessions that have to
  take over, `[{pid, bytes that are not acknowledged}]`: they did not get this one.
  """
  def publish(%{of: of} = fastlane, %Update{}) when map_size(of) == 0, do: {[], [], %{fastlane | sent: %{}}}

  def publish(fastlane, %Update{} = update) do
    {sends, behind} =
      Enum.flat_map_reduce(fastlane.groups, [], fn {{lane, format, events?}, members}, behind ->
        {sent, _} = Map.fetch!(fastlane.sent, format)
        {to, slow} = divide(members, sent)
        {if(to == [], do: [], else: [{lane, frames(update, format, events?), to}]), slow ++ behind}
      end)

    fastlane = Enum.reduce(behind, fastlane, fn {pid, _}, fastlane -> leave(fastlane, pid) end)
    {sends, behind, counted(fastlane, update)}
  end

  defp divide(members, sent) do
    Enum.reduce(members, {[], []}, fn {pid, %{to: to, limit: limit, acked: acked}}, {tos, slow} ->
      if sent - acked > limit, do: {tos, [{pid, sent - acked} | slow]}, else: {[to | tos], slow}
    end)
  end

  defp frames(update, format, events?) do
    {kind, bytes} = Map.fetch!(update.frames, format)
    payload = if format == :json, do: {:json, bytes}, else: {:binary, bytes}
    state = {:push, Atom.to_string(kind), payload}

    if events? and update.events != nil,
      do: [state, {:push, "events", {:json, update.events}}],
      else: [state]
  end

  defp counted(fastlane, update) do
    sent =
      Enum.reduce(update.frames, fastlane.sent, fn {format, {_, frame}}, sent ->
        {bytes, known} = Map.get(sent, format, {0, {0, [], []}})
        bytes = bytes + byte_size(frame)
        Map.put(sent, format, {bytes, known(known, {update.seq, bytes})})
      end)

    %{fastlane | sent: sent}
  end

  defp known({@remembered, newest, _}, entry), do: {1, [entry], newest}
  defp known({count, newest, older}, entry), do: {count + 1, [entry | newest], older}
end
