defmodule Roomfold.Simulator.Check do
  @moduledoc """
  What must be true of every run:

    * a room's log has its seqs without a gap, and terms that only grow
    * no system event is in it twice, and none is left out
    * who joined has not joined again before leaving, and leaves once
    * what was acknowledged is in it, at the seq that was said
    * what a session puts into an inbox is taken in its order, and soon when nothing is in the way; nothing stays behind there
    * who publishes is answered
    * what a client sees is at each moment what the log says at that seq, and never goes back
    * when all is well again, every room has one process and every client is where its room is
  """
  alias Roomfold.{JSON, Simulator, World}
  alias Roomfold.ClusterCase.Pulse
  alias Roomfold.Simulator.Host

  import Simulator, only: [get: 0, now: 0, fault: 1]

  # From then on all goes well, and nothing waits longer than that: a tick and its commit, or until a session is known to be gone.
  @calm 9_000
  @soon 300

  # The log folded as it grows: {world, %{seq => hash of the state}}.
  defp reference(room),
    do: Process.get({__MODULE__, get().seed, room}) || {new_world(), %{0 => hash(new_world())}}

  defp new_world, do: World.new!(impl: Host.implementation(), rules: Pulse.rules(), history: 1)

  @doc "Records have come into a room's log."
  def appended(room, records) do
    folded =
      Enum.reduce(records, reference(room), fn record, {world, hashes} ->
        {:ok, world, _} = World.fold(world, {:json, record})
        {world, Map.put(hashes, World.seq(world), hash(world))}
      end)

    Process.put({__MODULE__, get().seed, room}, folded)
  end

  @doc "A client sees this world."
  def seen(client, seq, world) do
    {_, hashes} = reference(client.room)

    if seq < client.seq, do: fault("#{inspect(client.key)} goes back from #{client.seq} to #{seq}")

    cond do
      not is_map_key(hashes, seq) ->
        fault("#{inspect(client.key)} sees #{seq}, which is not in the log")

      hashes[seq] != hash(world) ->
        fault("#{inspect(client.key)} at #{seq} sees another world than the log has")

      true ->
        :ok
    end
  end

  defp hash(world), do: :erlang.phash2(World.snapshot(world), 4_294_967_296)

  @doc "A room has taken this from its inbox."
  def taken(room, entries) do
    for {_, {:session, client, reference}, _, _, at} <- entries do
      if reference < Map.get(get().taken, {room.key, client}, 0),
        do: fault("what #{inspect(client)} put in is taken out of order")

      Simulator.update(&put_in(&1.taken[{room.key, client}], reference))

      if now() > @calm and now() - at > @soon,
        do: fault("what #{inspect(client)} put into #{room.options.id} lay there for #{now() - at} ms")
    end
  end

  @doc "The end of a run."
  def finish do
    state = get()

    for id <- Simulator.rooms() do
      records = records(state, id)
      seqs(id, records)
      terms(id, state.log.writers[id] || [])
      system_events(id, records)
      people(id, records)
      acknowledged(id, records, for({^id, seq, user, number} <- state.acknowledged, do: {seq, user, number}))
      together(id, state, length(records))
      Process.delete({__MODULE__, state.seed, id})
    end
  end

  defp records(state, id) do
    case state.log.ledger.rooms[id] do
      nil -> []
      room -> for seq <- 1..room.seq//1, do: JSON.decode!(room.records[seq])
    end
  end

  defp seqs(id, records) do
    if Enum.map(records, & &1["seq"]) != Enum.to_list(1..length(records)//1),
      do: fault("the seqs in the log of #{id} have a gap")
  end

  # Newest first.
  defp terms(id, writers) do
    terms = Enum.map(writers, &elem(&1, 0))
    if terms != Enum.sort(terms, :desc), do: fault("the terms in the log of #{id} go back")
  end

  defp system_events(id, records) do
    beats = for %{"event_name" => "pulse", "beats" => beats} <- records, do: beats

    if beats != Enum.to_list(1..length(beats)//1),
      do: fault("system events of #{id}, twice or missing: #{inspect(beats)}")
  end

  defp people(id, records) do
    Enum.reduce(records, MapSet.new(), fn record, here ->
      case record do
        %{"event_name" => "user_joined", "user_id" => user} ->
          if user in here, do: fault("#{user} joins #{id} twice, at #{record["seq"]}")
          MapSet.put(here, user)

        %{"event_name" => "user_left", "user_id" => user} ->
          if user not in here, do: fault("#{user} leaves #{id} twice, at #{record["seq"]}")
          MapSet.delete(here, user)

        _ ->
          here
      end
    end)
  end

  defp acknowledged(id, records, acknowledged) do
    by_seq = Map.new(records, &{&1["seq"], &1})

    for {seq, user, number} <- acknowledged do
      unless match?(%{"user_id" => ^user, "position" => [^number, _, _]}, by_seq[seq]),
        do: fault("seq #{seq} of #{id} was acknowledged to #{user} for its event #{number}, and is not there")
    end
  end

  defp together(id, state, head) do
    rooms = for {_, room} <- state.rooms, room.options.id == id, do: room
    if length(rooms) != 1, do: fault("#{length(rooms)} processes of #{id} at the end")

    for room <- rooms, left = :ets.info(room.inbox.table, :size), left > 0 do
      fault("#{left} left in the inbox of #{id} at the end")
    end

    for {key, %{room: ^id} = client} <- state.clients do
      if client.session == nil, do: fault("#{inspect(key)} has no connection at the end")

      if client.session && client.session.waiting != %{},
        do: fault("#{inspect(key)} waits for #{map_size(client.session.waiting)} answers at the end")

      # What was committed a moment ago may be on its way.
      if client.seq < head - 10,
        do: fault("#{inspect(key)} is at #{client.seq} at the end, the room at #{head}")
    end
  end
end
