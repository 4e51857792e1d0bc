defmodule Roomfold.Phoenix.PubSub do
  @moduledoc """
  Carries the rooms' events on a `Phoenix.PubSub`, across nodes:

      {Roomfold.Rooms, name: Xr.Rooms, stream: {Roomfold.Phoenix.PubSub, Xr.PubSub}}

      Phoenix.PubSub.subscribe(Xr.PubSub, "stream:123")
      Roomfold.Room.publish({Xr.Rooms, "123"}, {"user_moved", %{"user_id" => "tom", "pose" => "sits"}}, by: "tom")
      # {"user_moved", %{"user_id" => "tom", "pose" => "sits", "seq" => 1, "at" => …, "by" => "tom"}}

  While a room runs, only the room broadcasts on its stream. Without rooms, a `Roomfold.Projector` folds whatever is broadcast:

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
  def broadcast(pubsub, topic, messages) do
    Enum.reduce_while(messages, :ok, fn message, :ok ->
      case Phoenix.PubSub.broadcast(pubsub, topic, message) do
        :ok -> {:cont, :ok}
        error -> {:halt, error}
      end
    end)
  end

  # Who listens on other nodes is not known here.
  @impl true
  def subscribers?(pubsub, topic), do: Node.list() != [] or Registry.lookup(pubsub, topic) != []
end
