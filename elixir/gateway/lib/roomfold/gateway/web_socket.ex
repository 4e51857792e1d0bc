defmodule Roomfold.Gateway.WebSocket do
  @moduledoc false
  # One connection (the callbacks of a Yaws WebSocket): messages in, to the channels; messages of the channels out. Only this
  # process waits for the network.

  alias Roomfold.Gateway.{Connection, Serializer}

  @doc false
  def init([_arg, {user, config}]) do
    timer(config.idle_ms)
    {:ok, {Connection.new(user, config), now()}}
  end

  @doc false
  def handle_message({:close, status, reason}, state), do: {:close, {status, reason}, state}

  def handle_message({kind, data}, {connection, _}) when kind in [:text, :binary] do
    with {:ok, message} <- Serializer.decode(kind, data) do
      {messages, connection} = Connection.incoming(connection, message)
      {:reply, messages, {connection, now()}}
    else
      {:error, reason} -> {:close, {1008, short(reason)}, {connection, now()}}
    end
  end

  @doc false
  def handle_info({:roomfold_send, message}, state), do: {:reply, message, state}

  def handle_info({:DOWN, monitor, :process, pid, reason}, {connection, heard}) do
    {messages, connection} = Connection.ended(connection, monitor, pid, reason)
    {:reply, messages, {connection, heard}}
  end

  def handle_info(:idle?, {connection, heard} = state) do
    left = heard + connection.config.idle_ms - now()

    if left > 0 do
      timer(left)
      {:noreply, state}
    else
      {:close, {1008, "idle: a heartbeat was expected"}, state}
    end
  end

  def handle_info(_, state), do: {:noreply, state}

  defp timer(ms), do: Process.send_after(self(), :idle?, ms)
  defp now, do: System.monotonic_time(:millisecond)

  # The most that fits into a close frame.
  defp short(reason), do: String.slice(reason, 0, 60)
end
