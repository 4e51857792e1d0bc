defmodule Roomfold.Room.People do
  @moduledoc false
  # Who is in the room: connections (a process each), and the users behind them, of whom one is away when its last
  # connection has gone, and has left when it has been away for the time of grace.

  alias Roomfold.Error

  # connections: pid → %{user, format, events?, number}, where number is of the join; users: id → %{count, since, away: nil | since when}; away: how many are
  defstruct connections: %{}, users: %{}, order: 0, away: 0

  @doc "Users of an earlier life of the room: away since now."
  def restore(users, now) do
    users = Map.new(users, &{&1, %{count: 0, since: 0, away: now}})
    %__MODULE__{users: users, away: map_size(users)}
  end

  @doc "Whether a process may be a connection of this user: one of another user's would lose it, and be sent what is for that one."
  def admits(people, pid, user) do
    case people.connections do
      %{^pid => %{user: other}} when other != user -> {:error, taken(other)}
      _ -> :ok
    end
  end

  defp taken(user) do
    Error.new(:not_supported,
      detail:
        "this process is #{inspect(user)} in this room already; each user's connection is a process of its own"
    )
  end

  @doc "Answers whether the user is new here. events?: it wants events that a diff does not tell."
  def join(people, pid, user, format, events? \\ true) do
    people = if is_map_key(people.connections, pid), do: elem(leave(people, pid, 0), 0), else: people
    known = people.users[user]
    order = people.order + 1
    entry = known || %{count: 0, since: order, away: nil}
    # Who comes back from an earlier life of the room stands behind those who are here.
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

  @doc "The number of the join by which a process is a connection; nil: it is none."
  def number(people, pid) do
    case people.connections do
      %{^pid => %{number: number}} -> number
      _ -> nil
    end
  end

  @doc "A connection is gone. Answers its user, or nil if it was none."
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

  @doc "Those whose grace is over are no users any more."
  def expire(%{away: 0} = people, _, _), do: {people, []}

  def expire(people, grace, now) do
    gone = for {user, %{away: away}} <- people.users, away != nil and now - away >= grace, do: user
    {%{people | users: Map.drop(people.users, gone), away: people.away - length(gone)}, Enum.sort(gone)}
  end

  @doc "When the next grace is over; nil: nobody is away."
  def next_expiry(%{away: 0}, _), do: nil

  def next_expiry(people, grace) do
    people.users
    |> Enum.flat_map(fn {_, %{away: away}} -> if away, do: [away + grace], else: [] end)
    |> Enum.min(fn -> nil end)
  end

  @doc "Ids of those who are here or away for a moment, in the order of their ids."
  def users(people), do: people.users |> Map.keys() |> Enum.sort()

  def here?(people, user), do: match?(%{^user => %{count: count}} when count > 0, people.users)

  @doc "Who has been here longest; nil: nobody is here."
  def eldest(people) do
    people.users
    |> Enum.filter(fn {_, %{count: count}} -> count > 0 end)
    |> Enum.min_by(fn {_, %{since: since}} -> since end, fn -> {nil, nil} end)
    |> elem(0)
  end

  def formats(people), do: for({_, %{format: format}} <- people.connections, uniq: true, do: format)

  @doc "Whether anybody wants events besides diffs."
  def events?(people), do: Enum.any?(people.connections, fn {_, %{events?: events?}} -> events? end)
end
