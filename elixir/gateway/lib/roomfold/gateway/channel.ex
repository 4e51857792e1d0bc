defmodule Roomfold.Gateway.Channel do
  @moduledoc false
  # A joined topic: a process around a Roomfold.Session. It passes messages for the client to the process of the connection and never
  # waits for it, so that a client that does not read blocks only itself.
  use GenServer, restart: :temporary

  alias Roomfold.{Replay, Session}
  alias Roomfold.Gateway.{Config, Serializer, Topic}

  defstruct [:topic, :join_ref, :connection, :monitor, :session, :replay]

  @doc "Joins for the calling process: `{:ok, pid, monitor, reply}`, or `{:error, reply}`."
  def join(topic, join_ref, params, user, config) do
    key = make_ref()
    argument = {self(), key, topic, join_ref, params, user, config}
    {:ok, pid} = DynamicSupervisor.start_child(Config.channels(), {__MODULE__, argument})
    monitor = Process.monitor(pid)

    receive do
      {^key, {:ok, reply}} ->
        {:ok, pid, monitor, reply}

      {^key, {:error, reply}} ->
        Process.demonitor(monitor, [:flush])
        {:error, reply}

      {:DOWN, ^monitor, _, _, _} ->
        {:error, %{"reason" => "join crashed"}}
    end
  end

  @doc "A message from the client. Waits until it has been read, so that a flood fills the client's buffers and not ours."
  def input(pid, event, payload, ref), do: call(pid, {:input, event, payload, ref})

  @doc "The client leaves."
  def leave(pid, ref), do: call(pid, {:leave, ref})

  @doc "Ends it for another join of the same topic; returns when it has ended."
  def replace(pid, monitor) do
    GenServer.cast(pid, :replaced)

    receive do
      {:DOWN, ^monitor, _, _, _} -> :ok
    end
  end

  # A :DOWN message tells that it has ended.
  defp call(pid, request) do
    GenServer.call(pid, request, :infinity)
  catch
    :exit, _ -> :ok
  end

  def start_link(argument), do: GenServer.start_link(__MODULE__, argument)

  @impl true
  def init({connection, _, topic, join_ref, _, _, _} = argument) do
    state = %__MODULE__{
      topic: topic,
      join_ref: join_ref,
      connection: connection,
      monitor: Process.monitor(connection)
    }

    {:ok, state, {:continue, argument}}
  end

  @impl true
  def handle_continue({connection, key, topic, _, params, user, config}, state) do
    with {:ok, session, replay} <- Topic.open(topic, params, user, config),
         {:ok, reply, frames, session} <- Session.join(session, params) do
      send(connection, {key, {:ok, Map.merge(reply, about(replay))}})
      {:noreply, emit(frames, %{state | session: session, replay: replay})}
    else
      {:error, reply} ->
        send(connection, {key, {:error, reply}})
        {:stop, {:shutdown, :refused}, state}
    end
  end

  defp about(nil), do: %{"gateway" => Config.notice()}
  defp about(replay), do: Map.put(about(nil), "replay", Replay.where(replay))

  @impl true
  def handle_call({:input, event, payload, ref}, _, state) do
    {frames, session} = said(state, event, payload, ref)
    {:reply, :ok, emit(frames, %{state | session: session})}
  end

  def handle_call({:leave, ref}, _, state) do
    Session.leave(state.session)
    emit([{:reply, ref, :ok, %{}}], state)
    {:stop, {:shutdown, :left}, :ok, state}
  end

  @impl true
  def handle_cast(:replaced, state), do: {:stop, {:shutdown, :replaced}, state}

  @impl true
  def handle_info({:DOWN, monitor, _, _, _}, %{monitor: monitor} = state),
    do: {:stop, {:shutdown, :closed}, state}

  def handle_info(message, state) do
    case Session.handle(state.session, message) do
      {frames, session} ->
        {:noreply, emit(frames, %{state | session: session})}

      {:close, reason, frames, session} ->
        {:stop, {:shutdown, {:again, reason}}, emit(frames, %{state | session: session})}

      :ignore ->
        {:noreply, state}
    end
  end

  defp said(%{replay: nil} = state, event, payload, ref),
    do: Session.input(state.session, event, payload, ref)

  defp said(%{replay: replay, session: session}, event, payload, ref) do
    case Replay.control(replay, event, payload) do
      :ignore -> Session.input(session, event, payload, ref)
      {:ok, where} -> {[{:reply, ref, :ok, where}], session}
      {:error, error} -> {[{:reply, ref, :error, Session.reason(error)}], session}
    end
  end

  defp emit(frames, state) do
    for frame <- frames,
        message = message(frame, state),
        do: send(state.connection, {:roomfold_send, message})

    state
  end

  defp message({:push, event, payload}, state),
    do: Serializer.push(state.join_ref, state.topic, event, payload)

  # Without waiting for the answer.
  defp message({:reply, nil, _, _}, _), do: nil

  defp message({:reply, ref, status, payload}, state),
    do: Serializer.reply(state.join_ref, ref, state.topic, status, payload)
end
