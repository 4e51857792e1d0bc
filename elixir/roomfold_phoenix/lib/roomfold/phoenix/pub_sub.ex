defmodule Roomfold.Phoenix.PubSub do
  @moduledoc """
  Carries the rooms' events on a `Phoenix.PubSub`, across nodes:

      {Roomfold.Rooms, name: Xr.Rooms, stream: {Roomfold.Phoenix.PubSub, Xr.PubSub}}

      Phoenix.PubSub.subscribe(Xr.PubSub, "stream:123")
      Roomfold.Room.publish({Xr.Rooms, "123"}, {"user_moved", %{"user_id" => "tom", "pose" => "sits"}}, by: "tom")
      # {"user_moved", %{"user_id" => "tom", "pose" => "sits", "seq" => 1, "at" => …, "by" => "tom"}}

  While a room runs, only the room broadcasts on its stream: what others broadcast there it does not fold, but counts
  (`Roomfold.Room.info/1`, `:strays`) and says so in the log, once. Without rooms, a `Roomfold.Projector` folds whatever is broadcast:

      {Roomfold.Projector, stream: {Roomfold.Phoenix.PubSub, Xr.PubSub}, topic: "stream:123", publish: "diffs:123"}
  """
  @behaviour Roomfold.EventStream

  # PubSub would deliver twice to who subscribes twice.
  @impl true
  def subscribe(pubsub, topic) do
    Phoenix.PubSub.unsubscribe(pubsub, topic)
    Phoenix.PubSub.subscribe(pubsub, topic)
  end

  @impl true
  def unsubscribe(pubsub, topic), do: Phoenix.PubSub.unsubscribe(pubsub, topic)

  @impl true
  def broadcast(pubsub, topic, messages),
    do: each(messages, &Phoenix.PubSub.broadcast(pubsub, topic, &1))

  @impl true
  def broadcast_from(pubsub, from, topic, messages),
    do: each(messages, &Phoenix.PubSub.broadcast_from(pubsub, from, topic, &1))

  defp each(messages, broadcast) do
    Enum.reduce_while(messages, :ok, fn message, :ok ->
      case broadcast.(message) do
        :ok -> {:cont, :ok}
        error -> {:halt, error}
      end
    end)
  end

  # Who listens on other nodes is not known here.
  @impl true
  def subscribers?(pubsub, topic), do: Node.list() != [] or Registry.lookup(pubsub, topic) != []

  @impl true
  def others?(pubsub, than, topic),
    do: Node.list() != [] or Enum.any?(Registry.lookup(pubsub, topic), fn {pid, _} -> pid != than end)
end
