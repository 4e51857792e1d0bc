defmodule Roomfold.Room.Fastlane do
  @moduledoc false
  # Connections that keep up get updates directly in the process that writes to their socket, without their session's process: one message,
  # made once for all that would write the same bytes. A connection that acknowledges too little goes back to its session.

  alias Roomfold.Room.Update

  # groups: connections that get the same messages, {lane, format, events?} → %{the session's pid → %{to, limit, acked}}
  # of: the session's pid → its group
  # sent: format → {bytes since the first connection, known}; known: {length of newest, newest, older}, lists of {seq, bytes up to
  # it}, newest first. `acked` counts the same bytes. Empty while the fast lane is empty.
  defstruct groups: %{}, of: %{}, sent: %{}

  # For at least this many updates it is known how many bytes they acknowledge; acknowledging an older one has no effect.
  @remembered 256

  @typedoc """
    * `to` - the process that gets the messages; `lane` - `{module, argument}`: `module.message(argument, frame)` makes one
    * `format`, `events?` - those of the session; `limit` - bytes that may be unacknowledged; `sent` - bytes that are so already
  """
  @type entry :: %{
          to: pid,
          lane: {module, term},
          format: atom,
          events?: boolean,
          limit: pos_integer,
          sent: non_neg_integer
        }

  @doc "Puts a session's connection into the fast lane; its client has been sent everything up to seq."
  def enter(fastlane, pid, seq, entry) do
    fastlane = leave(fastlane, pid)
    group = {entry.lane, entry.format, entry.events?}
    # The client may acknowledge seq before the first update.
    sent = Map.put_new(fastlane.sent, entry.format, {0, {1, [{seq, 0}], []}})
    {bytes, _} = sent[entry.format]
    member = %{to: entry.to, limit: entry.limit, acked: bytes - entry.sent}
    groups = Map.update(fastlane.groups, group, %{pid => member}, &Map.put(&1, pid, member))
    %{fastlane | groups: groups, of: Map.put(fastlane.of, pid, group), sent: sent}
  end

  @doc "Takes it out of the fast lane, if it was there."
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

  @doc "Takes a whole group out: the sessions that have to take over, as `publish/2` says them, and the fast lane without them."
  def leave_all(fastlane, {_, format, _} = group) do
    {members, groups} = Map.pop(fastlane.groups, group, %{})
    {sent, _} = Map.fetch!(fastlane.sent, format)
    behind = for {pid, %{acked: acked}} <- members, do: {pid, sent - acked}
    {behind, %{fastlane | groups: groups, of: Map.drop(fastlane.of, Map.keys(members))}}
  end

  @doc "Those of these sessions that are not in the fast lane."
  def others(%{of: of}, pids) when map_size(of) == 0, do: pids
  def others(%{of: of}, pids), do: Enum.reject(pids, &is_map_key(of, &1))

  @doc "A client has acknowledged a seq."
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

  # The bytes up to the newest update that it has received. The number never decreases.
  defp worth(sent, seq, acked) do
    case Enum.find(sent, fn {at, _} -> at <= seq end) do
      {_, bytes} -> max(bytes, acked)
      nil -> acked
    end
  end

  @doc """
  Sends an update: `{sends, behind, fastlane}`, where `sends` is `[{group, frames, [pid]}]`, and `behind` are the sessions that have to
  take over, `[{pid, unacknowledged bytes}]`; their clients do not get this update.
  """
  def publish(%{of: of} = fastlane, %Update{}) when map_size(of) == 0, do: {[], [], %{fastlane | sent: %{}}}

  def publish(fastlane, %Update{} = update) do
    {sends, behind} =
      Enum.flat_map_reduce(fastlane.groups, [], fn {{_, format, events?} = group, members}, behind ->
        {sent, _} = Map.fetch!(fastlane.sent, format)
        {to, slow} = divide(members, sent)
        {if(to == [], do: [], else: [{group, frames(update, format, events?), to}]), slow ++ behind}
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
