defmodule Roomfold.Gateway.Connection do
  @moduledoc false
  # The channels of one connection, like those of a Phoenix socket: routes messages, and returns the immediate replies.

  alias Roomfold.Gateway.{Channel, Serializer, Topic}

  # channels: topic → {pid, monitor, join_ref}; topics: monitor → topic
  defstruct [:user, :config, channels: %{}, topics: %{}]

  def new(user, config), do: %__MODULE__{user: user, config: config}

  @doc "A message from the client: returns messages for it, and the new connection."
  def incoming(connection, %{topic: "phoenix", event: "heartbeat"} = message),
    do: {[Serializer.reply(nil, message.ref, "phoenix", :ok, %{})], connection}

  def incoming(connection, %{event: "phx_join"} = message) do
    case connection.channels[message.topic] do
      nil ->
        join(connection, message)

      {pid, monitor, join_ref} ->
        Channel.replace(pid, monitor)
        closed = Serializer.last(join_ref, message.topic, "phx_close", %{})
        {messages, connection} = connection |> delete(message.topic, monitor) |> join(message)
        {[closed | messages], connection}
    end
  end

  def incoming(connection, %{topic: topic} = message) do
    case connection.channels[topic] do
      {pid, _, join_ref} when message.join_ref in [nil, join_ref] ->
        if message.event == "phx_leave",
          do: Channel.leave(pid, message.ref),
          else: Channel.input(pid, message.event, message.payload, message.ref)

        {[], connection}

      # To a join that is over.
      {_, _, _} ->
        {[], connection}

      nil when message.event == "phx_leave" ->
        {[Serializer.reply(message.join_ref, message.ref, topic, :ok, %{})], connection}

      nil ->
        {[unmatched(message)], connection}
    end
  end

  defp join(connection, message) do
    cond do
      not Topic.known?(message.topic) ->
        {[unmatched(message)], connection}

      map_size(connection.channels) >= connection.config.max_channels ->
        {[answer(message, :error, %{"reason" => "too many channels joined"})], connection}

      true ->
        joined(connection, message)
    end
  end

  defp joined(connection, %{topic: topic, join_ref: join_ref} = message) do
    case Channel.join(topic, join_ref, message.payload, connection.user, connection.config) do
      {:ok, pid, monitor, reply} ->
        {[answer(message, :ok, reply)],
         %{
           connection
           | channels: Map.put(connection.channels, topic, {pid, monitor, join_ref}),
             topics: Map.put(connection.topics, monitor, topic)
         }}

      {:error, reply} ->
        {[answer(message, :error, reply)], connection}
    end
  end

  defp answer(message, status, payload),
    do: Serializer.reply(message.join_ref, message.ref, message.topic, status, payload)

  defp unmatched(message),
    do: Serializer.reply(nil, message.ref, message.topic, :error, %{"reason" => "unmatched topic"})

  @doc "A channel has ended, in good order or not; in the latter case the client joins again."
  def ended(connection, monitor, _pid, reason) do
    case connection.topics do
      %{^monitor => topic} ->
        {_, _, join_ref} = connection.channels[topic]
        {[last(join_ref, topic, reason)], delete(connection, topic, monitor)}

      _ ->
        {[], connection}
    end
  end

  # The client comes back, with the last seq that it has.
  defp last(join_ref, topic, {:shutdown, {:again, reason}}),
    do: Serializer.last(join_ref, topic, "phx_error", %{"reason" => reason})

  defp last(join_ref, topic, {:shutdown, _}), do: Serializer.last(join_ref, topic, "phx_close", %{})

  defp last(join_ref, topic, _),
    do: Serializer.last(join_ref, topic, "phx_error", %{"reason" => "channel_crash"})

  defp delete(connection, topic, monitor) do
    %{
      connection
      | channels: Map.delete(connection.channels, topic),
        topics: Map.delete(connection.topics, monitor)
    }
  end
end
