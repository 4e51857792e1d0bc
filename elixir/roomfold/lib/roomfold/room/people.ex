defmodule Roomfold.Room.People do
  @moduledoc false
  # Who is in the room: connections (a process each), and their users. A user is away when the last connection has gone, and has left after
  # being away for the time of grace.

  alias Roomfold.Error

  # connections: pid → %{user, format, events?, number of the join}; users: id → %{count, since, away: nil | since when};
  # away: how many users are away
  defstruct connections: %{}, users: %{}, order: 0, away: 0

  @doc "Users from before the room was restarted: they are away from now on."
  def restore(users, now) do
    users = Map.new(users, &{&1, %{count: 0, since: 0, away: now}})
    %__MODULE__{users: users, away: map_size(users)}
  end

  @doc "Whether a process may be a connection of this user: not if it is another user's, who would lose it, nor if the user has that many."
  def admits(people, pid, user, most \\ :infinity) do
    case people do
      %{connections: %{^pid => %{user: ^user}}} -> :ok
      %{connections: %{^pid => %{user: other}}} -> {:error, taken(other)}
      %{users: %{^user => %{count: count}}} when count >= most -> {:error, too_many(user, count)}
      _ -> :ok
    end
  end

  defp too_many(user, count),
    do:
      Error.new(:rate_limited,
        detail: "#{inspect(user)} has #{count} connections to this room, and may have no more"
      )

  defp taken(user) do
    Error.new(:not_supported,
      detail:
        "this process is already a connection of #{inspect(user)} to this room; each user needs a process of its own"
    )
  end

  @doc "Returns `{people, whether the user is new here}`. events?: the connection wants events that a diff does not show."
  def join(people, pid, user, format, events? \\ true) do
    people = if is_map_key(people.connections, pid), do: elem(leave(people, pid, 0), 0), else: people
    known = people.users[user]
    order = people.order + 1
    entry = known || %{count: 0, since: order, away: nil}
    # A user from before a restart counts as joining now.
    entry = if entry.since == 0, do: %{entry | since: order}, else: entry

    connection = %{user: user, format: format, events?: events?, number: order}

    people = %{
      people
      | connections: Map.put(people.connections, pid, connection),
        users: Map.put(people.users, user, %{entry | count: entry.count + 1, away: nil}),
        order: order,
        away: if(entry.away, do: people.away - 1, else: people.away)
    }

    {people, known == nil}
  end

  @doc "The number of a connection's join; nil if the process is not a connection."
  def number(people, pid) do
    case people.connections do
      %{^pid => %{number: number}} -> number
      _ -> nil
    end
  end

  @doc "A connection has gone. Returns `{people, its user}`; nil if the process was not a connection."
  def leave(people, pid, now) do
    case Map.pop(people.connections, pid) do
      {nil, _} ->
        {people, nil}

      {%{user: user}, connections} ->
        entry = people.users[user]
        entry = %{entry | count: entry.count - 1, away: if(entry.count == 1, do: now)}
        away = if entry.away, do: people.away + 1, else: people.away
        {%{people | connections: connections, users: Map.put(people.users, user, entry), away: away}, user}
    end
  end

  @doc "Removes users whose grace is over: `{people, ids}`."
  def expire(%{away: 0} = people, _, _), do: {people, []}

  def expire(people, grace, now) do
    gone = for {user, %{away: away}} <- people.users, away != nil and now - away >= grace, do: user
    {%{people | users: Map.drop(people.users, gone), away: people.away - length(gone)}, Enum.sort(gone)}
  end

  @doc "When the next grace is over; nil if no user is away."
  def next_expiry(%{away: 0}, _), do: nil

  def next_expiry(people, grace) do
    people.users
    |> Enum.flat_map(fn {_, %{away: away}} -> if away, do: [away + grace], else: [] end)
    |> Enum.min(fn -> nil end)
  end

  @doc "Ids of the users who are here or away, sorted."
  def users(people), do: people.users |> Map.keys() |> Enum.sort()

  def here?(people, user), do: match?(%{^user => %{count: count}} when count > 0, people.users)

  @doc "The user who has been here longest; nil if no user is here."
  def eldest(people) do
    people.users
    |> Enum.filter(fn {_, %{count: count}} -> count > 0 end)
    |> Enum.min_by(fn {_, %{since: since}} -> since end, fn -> {nil, nil} end)
    |> elem(0)
  end

  def formats(people), do: for({_, %{format: format}} <- people.connections, uniq: true, do: format)

  @doc "Whether any connection wants events besides diffs."
  def events?(people), do: Enum.any?(people.connections, fn {_, %{events?: events?}} -> events? end)
end
