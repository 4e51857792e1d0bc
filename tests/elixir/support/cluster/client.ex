defmodule Roomfold.ClusterCase.Client do
  @moduledoc false
  # A client of a room: holds a session as a channel would, folds what it gets into a world of its own, and joins again with its last seq when
  # the session is closed. It notes what must not be (gaps, steps back), and its longest silence.
  use GenServer

  alias Roomfold.{Session, World}

  def start(room, user, opts \\ []), do: GenServer.start(__MODULE__, {room, user, opts})
  def report(pid), do: GenServer.call(pid, :report, 50_000)

  @impl true
  def init({room, user, _opts}) do
    state = %{
      room: room,
      user: user,
      session: nil,
      world: World.new!(impl: :elixir, history: 1),
      seq: 0,
      term: nil,
      faults: [],
      joins: 0,
      closed: [],
      heard_at: now(),
      silence: 0
    }

    {:ok, join(state)}
  end

  @impl true
  def handle_call(:report, _, state) do
    report = %{
      seq: state.seq,
      world: World.snapshot(state.world),
      faults: state.faults,
      joins: state.joins,
      closed: state.closed,
      silence: state.silence,
      joined: state.session != nil
    }

    {:reply, report, %{state | silence: 0}}
  end

  @impl true
  def handle_info(:join, state), do: {:noreply, join(state)}
  def handle_info(_, %{session: nil} = state), do: {:noreply, state}

  def handle_info(message, state) do
    case Session.handle(state.session, message) do
      :ignore ->
        {:noreply, state}

      {:close, reason, frames, _session} ->
        state = got(%{state | session: nil, closed: [reason | state.closed]}, frames)
        Process.send_after(self(), :join, 50)
        {:noreply, state}

      {frames, session} ->
        {:noreply, got(%{state | session: session}, frames)}
    end
  end

  defp join(state) do
    session = Session.new(room: state.room, user: state.user, max_unacknowledged: 1_000_000_000)

    last = if state.joins > 0, do: %{"last_seq" => state.seq, "last_term" => state.term}, else: %{}

    case Session.join(session, Map.put(last, "format", "json")) do
      {:ok, reply, frames, session} ->
        got(%{state | session: session, term: reply["term"], joins: state.joins + 1}, frames)

      {:error, reason} ->
        Process.send_after(self(), :join, 50)
        %{state | closed: [reason["reason"] | state.closed]}
    end
  end

  defp got(state, frames), do: Enum.reduce(frames, state, &one/2)

  defp one({:push, "snapshot", {:json, text}}, state) do
    {:ok, world} = World.load({:json, IO.iodata_to_binary(text)}, impl: :elixir, history: 1)
    fresh(state, world)
  end

  defp one({:push, "diff", {:json, text}}, state) do
    case World.apply_diff(state.world, {:json, IO.iodata_to_binary(text)}) do
      {:ok, world, _report} -> fresh(state, world)
      {:error, error} -> %{state | faults: [error.message | state.faults]}
    end
  end

  defp one(_, state), do: state

  defp fresh(state, world) do
    seq = World.seq(world)
    faults = if seq < state.seq, do: ["back from #{state.seq} to #{seq}" | state.faults], else: state.faults
    silence = max(state.silence, now() - state.heard_at)
    %{state | world: world, seq: seq, faults: faults, silence: silence, heard_at: now()}
  end

  defp now, do: System.monotonic_time(:millisecond)
end
