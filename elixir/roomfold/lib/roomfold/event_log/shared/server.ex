defmodule Roomfold.EventLog.Shared.Server do
  @moduledoc false
  # Serves other nodes on the node that has the log. It only passes calls on, so that no caller waits for another: appends as they come (the
  # log gathers them), everything else in a task of its own.
  use GenServer

  require Logger
  alias Roomfold.{Error, EventLog}

  @functions [:claim, :head, :read, :put_snapshot, :snapshot, :trim, :rooms, :delete, :verify]

  def start_link(opts), do: GenServer.start_link(__MODULE__, opts, name: opts[:name])

  @impl true
  def init(opts), do: {:ok, %{log: opts[:log], tasks: opts[:tasks], waiting: %{}}}

  @impl true
  def handle_call({function, args}, from, state) when function in @functions do
    log = state.log

    Task.Supervisor.start_child(state.tasks, fn -> GenServer.reply(from, answer(log, function, args)) end)
    {:noreply, state}
  end

  # A log that fails here would leave its caller, on another node, waiting for ever.
  defp answer(log, function, args) do
    apply(EventLog, function, [log | args])
  catch
    kind, reason ->
      Logger.error(Exception.format(kind, reason, __STACKTRACE__))
      {:error, Error.new(:log_failed, detail: Exception.format_banner(kind, reason))}
  end

  @impl true
  def handle_info({:submit, reference, [room, term, after_seq, records, opts]}, state) do
    inner = EventLog.submit(state.log, room, term, after_seq, records, opts)
    {:noreply, put_in(state.waiting[inner], reference)}
  end

  def handle_info({inner, answer}, state) when is_map_key(state.waiting, inner) do
    Process.demonitor(inner, [:flush])
    {:noreply, answered(state, inner, answer)}
  end

  def handle_info({:DOWN, inner, _, _, reason}, state) when is_map_key(state.waiting, inner) do
    detail = "its process has stopped: #{inspect(reason)}"
    {:noreply, answered(state, inner, {:error, Error.new(:log_failed, detail: detail)})}
  end

  def handle_info(_, state), do: {:noreply, state}

  defp answered(state, inner, answer) do
    {reference, waiting} = Map.pop!(state.waiting, inner)
    send(reference, {reference, answer})
    %{state | waiting: waiting}
  end
end
