defmodule Roomfold.ClusterCase.Writer do
  @moduledoc false
  # Publishes one event after the other, numbered, by a user, and remembers which seq each was acknowledged with. What was not
  # acknowledged it does not send again: it may be in the log or not.
  use GenServer

  alias Roomfold.Room

  def start(room, user), do: GenServer.start(__MODULE__, {room, user})
  @doc "How many were acknowledged."
  def count(pid), do: GenServer.call(pid, :count, 50_000)
  @doc "Until it is told to go on. What it had sent has been answered then."
  def pause(pid), do: GenServer.call(pid, {:pause, true}, 50_000)
  def go_on(pid), do: GenServer.call(pid, {:pause, false}, 50_000)
  def stop(pid), do: GenServer.call(pid, :stop, 50_000)

  @impl true
  def init({room, user}) do
    send(self(), :next)

    {:ok,
     %{
       room: room,
       user: user,
       number: 1,
       acknowledged: [],
       errors: %{},
       last_at: now(),
       longest: 0,
       paused: false
     }}
  end

  @impl true
  def handle_info(:next, %{paused: true} = state) do
    Process.send_after(self(), :next, 20)
    {:noreply, state}
  end

  def handle_info(:next, state) do
    event = {"user_moved", %{"user_id" => state.user, "position" => [state.number, 0, 0]}}

    {pause, state} =
      case Room.publish(state.room, event, by: state.user, timeout: 3_000) do
        {:ok, seq} ->
          longest = max(state.longest, now() - state.last_at)
          state = %{state | last_at: now(), longest: longest}
          {2, %{state | acknowledged: [{seq, state.number} | state.acknowledged]}}

        {:error, error} ->
          {20, %{state | errors: Map.update(state.errors, error.reason, 1, &(&1 + 1))}}
      end

    Process.send_after(self(), :next, pause)
    {:noreply, %{state | number: state.number + 1}}
  end

  def handle_info(_, state), do: {:noreply, state}

  @impl true
  def handle_call(:count, _, state), do: {:reply, length(state.acknowledged), state}

  def handle_call({:pause, paused}, _, state),
    do: {:reply, :ok, %{state | paused: paused, last_at: now()}}

  def handle_call(:stop, _, state) do
    answer = Map.take(state, [:errors, :longest]) |> Map.put(:acknowledged, Enum.reverse(state.acknowledged))
    {:stop, :normal, answer, state}
  end

  defp now, do: System.monotonic_time(:millisecond)
end
