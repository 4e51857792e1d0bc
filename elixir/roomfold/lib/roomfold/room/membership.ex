defmodule Roomfold.Room.Membership do
  @moduledoc false
  # The events by which a room's log knows its users: one when a user joins, one when the grace of a user who went away is over. Each is
  # published once, by the room itself, and in this order.

  alias Roomfold.{JSON, World}
  alias Roomfold.Room.{Callbacks, Options, People, Queue, Residents}

  @doc """
  Publishes that a user has joined. If the events by which the user left are not in the log yet, the world still has the user: then this
  waits for them (`settled/2`).
  """
  def announce_joined(state, user, params) do
    if leaving?(state, user) do
      {[], %{state | returning: state.returning ++ [{user, params}]}}
    else
      push(state, Callbacks.joined(state, user, params))
    end
  end

  @doc """
  To be called when nothing up to an item's number waits any more, as it was folded or refused: who has left by then is not there, whatever
  the log says, and that users are back is published, if they had to wait for that.
  """
  def settled(%{leaving: leaving, returning: []} = state, _) when leaving == %{}, do: {[], state}

  def settled(state, upto) do
    {done, leaving} = Enum.split_with(state.leaving, fn {_, {number, _}} -> number <= upto end)
    gone = for {user, {_, true}} <- done, do: user
    state = %{state | leaving: Map.new(leaving), logged_users: state.logged_users -- gone}

    Enum.flat_map_reduce(state.returning, %{state | returning: []}, fn {user, params}, state ->
      announce_joined(state, user, params)
    end)
  end

  @doc "Users whose grace is over leave."
  def expire(state, now) do
    case People.expire(state.people, state.options.grace_ms, now) do
      # On almost every tick.
      {_, []} -> {[], state}
      {people, gone} -> let_go(state, people, gone)
    end
  end

  defp let_go(state, people, gone) do
    # A user whose return was not published yet has not left again either.
    {returned, returning} = Enum.split_with(state.returning, fn {user, _} -> user in gone end)
    state = %{state | people: people, returning: returning}
    said = for user <- gone -- Enum.map(returned, &elem(&1, 0)), do: {user, Callbacks.left(state, user)}
    {events, failures} = said |> Enum.map(&elem(&1, 1)) |> Enum.unzip()
    {failed, state} = push(state, {Enum.concat(events), Enum.concat(failures)})
    {more, state} = note(state, said)
    {failed ++ more, state}
  end

  # Who leaves by another event than user_left, or by none, is in the log for ever, but need not leave again when the room comes back. Where
  # the module has failed, it may do better then.
  defp note(state, said) do
    leaving =
      for {user, {events, []}} <- said,
          into: state.leaving,
          do: {user, {state.ids, not Enum.any?(events, &left?(&1, user))}}

    state = %{state | leaving: leaving}
    if state.commit == nil and state.queue == [], do: settled(state, state.ids), else: {[], state}
  end

  # Events that are text or packed already may say it.
  defp left?({"user_left", %{"user_id" => user}}, user), do: true
  defp left?({"user_left", {:json, _}}, _), do: true
  defp left?({format, _}, _), do: format in [:json, :packed]
  defp left?(_, _), do: false

  defp push(state, {events, failures}) do
    {refused, state} = Queue.push_own(state, state.options.module, :server, events)
    {failures ++ refused, state}
  end

  @doc "The users in the room as the log has it, after a batch."
  def logged(state, batch) do
    if server?(batch.items) do
      places = for %{sender: :server, seqs: seqs} <- batch.items, seq <- seqs, do: seq - batch.first
      records = List.to_tuple(batch.records)
      json = Options.json(state.options)
      Enum.reduce(places, state.logged_users, &Residents.after_event(elem(records, &1), &2, json))
    else
      state.logged_users
    end
  end

  defp server?([%{sender: :server} | _]), do: true
  defp server?([_ | items]), do: server?(items)
  defp server?([]), do: false

  defp leaving?(%{leaving: leaving}, user) when is_map_key(leaving, user), do: true

  # The server may have said it without the room.
  defp leaving?(state, user) do
    there? = user in state.logged_users or World.get(state.world, user) != nil
    there? and Enum.any?(unlogged(state), &leaves?(&1, user, Options.json(state.options)))
  end

  # The server's events that wait, or that the log is writing. They have not been checked yet.
  defp unlogged(state) do
    items = if state.commit, do: state.commit.batch.items ++ state.queue, else: state.queue
    for %{sender: :server, texts: texts} <- items, text <- texts, is_binary(text), do: text
  end

  defp leaves?(text, user, json),
    do: match?({:ok, %{"event_name" => "user_left", "user_id" => ^user}}, JSON.decode(text, impl: json))
end
