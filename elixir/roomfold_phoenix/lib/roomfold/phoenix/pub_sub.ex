defmodule Roomfold.Phoenix.PubSub do
  @moduledoc """
  Publishes the rooms' events on a `Phoenix.PubSub`, across nodes:

      {Roomfold.Rooms, name: Xr.Rooms, stream: {Roomfold.Phoenix.PubSub, Xr.PubSub}}

      Phoenix.PubSub.subscribe(Xr.PubSub, "stream:123")
      Roomfold.Room.publish({Xr.Rooms, "123"}, {"user_moved", %{"user_id" => "tom", "pose" => "sits"}}, by: "tom")
      # {"user_moved", %{"user_id" => "tom", "pose" => "sits", "seq" => 1, "at" => …, "by" => "tom"}}

  While a room runs, only the room should broadcast on its stream. Messages from others are not folded: the room counts them
  (`Roomfold.Room.info/1`, `:strays`) and logs the first one. Without rooms, a `Roomfold.Projector` folds everything that is broadcast:

      {Roomfold.Projector, stream: {Roomfold.Phoenix.PubSub, Xr.PubSub}, topic: "stream:123", publish: "diffs:123"}
  """
  @behaviour Roomfold.EventStream

  # PubSub would deliver twice to a process that subscribes twice.
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

  # Subscribers on other nodes are not known here.
  @impl true
  def subscribers?(pubsub, topic), do: Node.list() != [] or Registry.lookup(pubsub, topic) != []

  @impl true
  def others?(pubsub, than, topic),
    do: Node.list() != [] or Enum.any?(Registry.lookup(pubsub, topic), fn {pid, _} -> pid != than end)
end
