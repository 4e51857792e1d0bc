defmodule Roomfold.Room.Stream do
  @moduledoc false
  # A room's stream: what the room tells its subscribers there, and what others broadcast on it. Its process calls this with its own state
  # (Roomfold.Room.Server).

  require Logger
  alias Roomfold.{EventStream, Telemetry}
  alias Roomfold.Room.{Options, System, Text}

  @doc "Whether the room can notice what others broadcast on its stream; from now on it does."
  def listen(%{options: %{stream: nil}}), do: false
  def listen(server), do: EventStream.listen(server.options.stream, server.topic)

  @doc "Whether there are subscribers."
  def heard?(%{options: %{stream: nil}}), do: false

  def heard?(server) do
    others?(server)
  catch
    # That the stream fails is said when there is something to tell.
    _, _ -> true
  end

  defp others?(%{listens?: true, options: %{stream: {module, name}}} = server),
    do: module.others?(name, self(), server.topic)

  defp others?(server), do: EventStream.subscribers?(server.options.stream, server.topic)

  @doc """
  Publishes what has been committed. A stream that fails does not undo that: it is an effect, {:failed, ..}, to be carried out.
  """
  def publish(server, records) do
    Telemetry.span([:publish], %{room: server.options.id}, fn ->
      {broadcast(server, records), %{count: length(records)}, %{}}
    end)
  catch
    kind, reason -> System.failed(:stream, kind, reason, __STACKTRACE__)
  end

  # Events are decoded to terms only if there are subscribers.
  defp broadcast(server, records) do
    if records != [] and heard?(server) do
      json = Options.json(server.options)

      with {:error, reason} <- tell(server, Enum.map(records, &Text.decode(&1, json))),
           do: System.failed(:stream, :exit, reason, [])
    end
  end

  defp tell(%{listens?: true, options: %{stream: {module, name}}} = server, events),
    do: module.broadcast_from(name, self(), server.topic, events)

  defp tell(server, events), do: EventStream.broadcast(server.options.stream, server.topic, events)

  @doc "Somebody has broadcast on the room's stream, and probably expects the room to fold it."
  def stray(%{strays: 0} = server, name) do
    Logger.warning(
      "#{inspect(name)} was broadcast on #{inspect(server.topic)}, the stream of a room that runs: the room does not fold it. " <>
        "Use Roomfold.Room.publish/3. Further ones are only counted (strays of Roomfold.Room.info/1)"
    )

    count(%{server | strays: 1})
  end

  def stray(server, _), do: count(%{server | strays: server.strays + 1})

  defp count(server) do
    Telemetry.event([:stray], %{count: 1}, %{room: server.options.id})
    server
  end
end
