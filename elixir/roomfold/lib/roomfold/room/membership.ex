defmodule Roomfold.Room.Membership do
  @moduledoc false
  # The events by which a room's log knows its users: one when a user joins, one when the grace of a user who went away is over. Each is
  # published once, by the room itself, and in this order.

  alias Roomfold.{Rules, World}
  alias Roomfold.Room.{Options, People, Queue, Recovery, Text}

  @doc """
  Publishes that a user has joined. If the event that the user left is not in the log yet, the world still has the user: then this
  waits for it (`announce_returned/1`).
  """
  def announce_joined(state, user, params) do
    if leaving?(state, user),
      do: {[], %{state | returning: state.returning ++ [{user, params}]}},
      else: Queue.push_own(state, state.options.module, :server, joined(state, user, params))
  end

  @doc "To be called after a fold: publishes that users are back, where the log has by now that they left."
  def announce_returned(%{returning: []} = state), do: {[], state}

  def announce_returned(state) do
    Enum.flat_map_reduce(state.returning, %{state | returning: []}, fn {user, params}, state ->
      announce_joined(state, user, params)
    end)
  end

  @doc "Users whose grace is over leave."
  def expire(state, now) do
    {people, gone} = People.expire(state.people, state.options.grace_ms, now)
    # A user whose return was not published yet has not left again either.
    {returned, returning} = Enum.split_with(state.returning, fn {user, _} -> user in gone end)
    state = %{state | people: people, returning: returning}
    events = Enum.flat_map(gone -- Enum.map(returned, &elem(&1, 0)), &left(state, &1))
    Queue.push_own(state, state.options.module, :server, events)
  end

  @doc "The users in the room according to the log, after a batch."
  def logged(state, batch) do
    if server?(batch.items) do
      places = for %{sender: :server, seqs: seqs} <- batch.items, seq <- seqs, do: seq - batch.first
      records = List.to_tuple(batch.records)
      Enum.reduce(places, state.logged_users, &Recovery.person(elem(records, &1), &2))
    else
      state.logged_users
    end
  end

  defp server?([%{sender: :server} | _]), do: true
  defp server?([_ | items]), do: server?(items)
  defp server?([]), do: false

  defp leaving?(state, user) do
    user in state.logged_users and
      Enum.any?(unlogged(state), &match?({"user_left", %{"user_id" => ^user}}, &1))
  end

  # The room's own events that wait, or that the log is writing.
  defp unlogged(state) do
    json = Options.json(state.options)
    items = if state.commit, do: state.commit.batch.items ++ state.queue, else: state.queue
    for %{sender: :server, texts: texts} <- items, text <- texts, do: Text.decode(text, json)
  end

  defp joined(%{options: %{module: nil}} = state, user, params),
    do: default_joined(user, params, state.world)

  defp joined(state, user, params),
    do: state.options.module.joined(user, params, state.world, state.module_state)

  defp left(%{options: %{module: nil}} = state, user), do: default_left(user, state.world)
  defp left(state, user), do: state.options.module.left(user, state.world, state.module_state)

  @doc "The callback `joined` of a room's module that has none of its own."
  def default_joined(user, _params, world) do
    if Rules.sender(world.rules, "user_joined") && World.get(world, user) == nil,
      do: [{"user_joined", %{"user_id" => user}}],
      else: []
  end

  @doc "The callback `left` of a room's module that has none of its own."
  def default_left(user, world) do
    if Rules.sender(world.rules, "user_left"), do: [{"user_left", %{"user_id" => user}}], else: []
  end
end
