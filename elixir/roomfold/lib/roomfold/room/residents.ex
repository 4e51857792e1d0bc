defmodule Roomfold.Room.Residents do
  @moduledoc false
  # Who is in the room as its log has it, so that a room that comes back knows who has to be waited for. The server may say user_joined of whom it
  # likes, who then is there until it says otherwise; where the room says it of a user who has connected, the event says `connected`.

  alias Roomfold.{JSON, World}
  alias Roomfold.Room.People

  @doc "What is said of a user who has connected, as the log is to have it."
  def connected(events, user), do: Enum.map(events, &mark(&1, user))

  defp mark({"user_joined", %{"user_id" => user} = payload}, user),
    do: {"user_joined", Map.put(payload, "connected", true)}

  defp mark(event, _), do: event

  @doc """
  Who is in the room after an event: its record, and who was before. Who came and who left is in the server's events; the line's end says
  whose it is, before anything is decoded.
  """
  def after_event(line, users, json) do
    with true <- String.ends_with?(line, ~s("by":"server"})),
         {:ok, %{"event_name" => name, "user_id" => user} = event} when is_binary(user) <-
           JSON.decode(line, impl: json) do
      case {name, event} do
        {"user_joined", %{"connected" => true}} -> Enum.sort(Enum.uniq([user | users]))
        {"user_left", _} -> List.delete(users, user)
        _ -> users
      end
    else
      _ -> users
    end
  end

  @doc "For a snapshot: besides those in the log, who is connected or away for a moment as what was there before."
  def to_keep(%{logged_users: logged, people: people, world: world}) do
    others = for user <- People.users(people), user not in logged, World.get(world, user) != nil, do: user
    Enum.sort(others ++ logged)
  end
end
