defmodule Roomfold.Port.Worker do
  @moduledoc false
  # Owns one port program: writes calls to it, passes on its answers, which come in the same order, and restarts it when it crashes or hangs.
  #
  # Each caller gets an answer, or an error that means that the call has not been done and will not be. Worlds are lost with the program; their
  # callers recreate them (Roomfold.Projection.Port).
  use GenServer, restart: :permanent, shutdown: 5_000

  require Logger
  alias Roomfold.Port.{Frames, Program, Queue, Reaper}
  alias Roomfold.Port.Worlds
  alias Roomfold.Timer

  # How many bytes of calls are gathered before they are written, if calls come fast. With more, the program would have to wait.
  @gather 98_304
  @first_pause_ms 10
  @longest_pause_ms 1_000
  # A check that comes later than this is put off, once: the machine has stood still, or this process has, and the answer may be here, behind it.
  @late_ms 100

  @type failure :: :restarted | :crashed | :timeout | :busy | :too_large | :down
  @typedoc "What the call does with a world: uses it, creates it (by number), or releases it."
  @type touch :: {:use | :make | :drop, number :: pos_integer} | nil

  # All data passes through here, and hardly any is kept: with a larger heap it is collected less often.
  @heap [min_heap_size: 8_192, min_bin_vheap_size: 524_288]

  def start_link(opts), do: GenServer.start_link(__MODULE__, opts, name: opts[:name], spawn_opt: @heap)

  @doc "The answer's term, not decoded, and which run of the program has given it."
  @spec call(GenServer.server(), tuple, touch) ::
          {:ok, binary, run :: reference} | {:error, failure}
  def call(worker, term, touch) do
    # Large binaries are not copied.
    bytes = :erlang.term_to_iovec(term)

    GenServer.call(worker, {:call, bytes, :erlang.iolist_size(bytes), touch}, :infinity)
  catch
    :exit, {reason, _} when reason not in [:calling_self] ->
      {:error, if(reason == :noproc, do: :down, else: :restarted)}
  end

  @no_answer "it answered what is no answer"

  @doc "An answer was invalid: the run of the program that gave it can't be trusted any more. If it has ended, this does nothing to the next one."
  def distrust(worker, run, words \\ @no_answer), do: GenServer.cast(worker, {:distrust, run, words})

  @doc "A lost world was recreated, which took this many microseconds."
  def made_again(worker, microseconds), do: GenServer.cast(worker, {:made_again, microseconds})

  def info(worker), do: GenServer.call(worker, :info, Timer.call_ms())

  # ---- the process ----

  @impl true
  def init(opts) do
    Process.flag(:trap_exit, true)

    state = %{
      opts: Map.new(opts),
      program: Program.path!(opts[:program]),
      port: nil,
      os_pid: nil,
      # the program since it was last started
      run: nil,
      frames: nil,
      queue: Queue.new(opts[:max_in_flight], opts[:max_in_flight_bytes], opts[:max_waiting]),
      next: 0,
      out: [],
      out_bytes: 0,
      ticking: false,
      worlds: Worlds.new(opts[:max_worlds]),
      # how many programs in a row ended without an answer
      failures: 0,
      restarts: 0,
      # how often a world was recreated, and the total time in microseconds
      made_again: {0, 0}
    }

    {:ok, open(state)}
  end

  defp open(state) do
    port =
      Port.open({:spawn_executable, state.program}, [
        :binary,
        :stream,
        :use_stdio,
        :exit_status,
        args: state.opts[:args] || ["#{state.opts.max_frame_bytes}"],
        # Calls in flight have limits of their own, so callers are never suspended.
        busy_limits_port: :disabled,
        busy_limits_msgq: :disabled
      ])

    os_pid =
      case Port.info(port, :os_pid) do
        {:os_pid, os_pid} -> os_pid
        # It has ended already.
        nil -> nil
      end

    Reaper.owns(state.opts.reaper, os_pid)
    %{state | port: port, os_pid: os_pid, run: make_ref(), frames: Frames.new(state.opts.max_frame_bytes)}
  end

  @impl true
  def handle_call({:call, bytes, size, touch}, {caller, _} = from, state) do
    if size + 4 > state.opts.max_frame_bytes do
      {:reply, {:error, :too_large}, state, wait(state)}
    else
      {worlds, dropped} = Worlds.touch(state.worlds, touch, caller)
      state = free(%{state | worlds: worlds}, dropped)

      case Queue.add(state.queue, %{from: from, bytes: bytes, size: size, since: now()}) do
        {:ok, queue} -> %{state | queue: queue} |> pump() |> noreply()
        :full -> {:reply, {:error, :busy}, state, wait(state)}
      end
    end
  end

  def handle_call(:info, _, state) do
    {made_again, made_again_us} = state.made_again

    info = %{
      os_pid: state.os_pid,
      worlds: Worlds.count(state.worlds),
      in_flight: Queue.in_flight(state.queue),
      waiting: Queue.waiting(state.queue),
      restarts: state.restarts,
      made_again: made_again,
      made_again_us: made_again_us
    }

    {:reply, info, state, wait(state)}
  end

  @impl true
  def handle_cast({:distrust, run, words}, %{run: run} = state),
    do: state |> down(:crashed, words) |> noreply()

  def handle_cast({:distrust, _, _}, state), do: noreply(state)

  def handle_cast({:made_again, microseconds}, %{made_again: {count, sum}} = state),
    do: noreply(%{state | made_again: {count + 1, sum + microseconds}})

  @impl true
  def handle_info({port, {:data, data}}, %{port: port} = state) do
    {good?, answers, frames} =
      case Frames.read(state.frames, data) do
        {:ok, answers, frames} -> {true, answers, frames}
        {:error, answers} -> {false, answers, nil}
      end

    # What comes before something that is none is an answer.
    case answered(answers, %{state | frames: frames}) do
      {:ok, state} when good? -> state |> pump() |> noreply()
      {_, state} -> state |> down(:crashed, @no_answer) |> noreply()
    end
  end

  # Nothing is left to be killed, and its number may be another one's by now.
  def handle_info({port, {:exit_status, status}}, %{port: port} = state) do
    Reaper.owns(state.opts.reaper, nil)
    state |> lost(:crashed, ended(status)) |> noreply()
  end

  def handle_info({:EXIT, port, _}, %{port: port} = state),
    do: %{state | port: nil} |> down(:crashed, "it has ended") |> noreply()

  # No more messages wait: time to write.
  def handle_info(:timeout, state), do: state |> flush() |> noreply()

  def handle_info({:tick, due}, state) do
    state = %{state | ticking: false}
    late = if due, do: now() - due, else: 0
    state = if late > @late_ms, do: tick_in(state, min(late, state.opts.timeout), nil), else: tick(state)
    noreply(state)
  end

  def handle_info(:open, %{port: nil} = state), do: state |> open() |> pump() |> noreply()

  def handle_info({:DOWN, _, :process, owner, _}, state) do
    {worlds, gone} = Worlds.owner_down(state.worlds, owner)
    %{state | worlds: worlds} |> free(gone) |> noreply()
  end

  # From a program that was abandoned.
  def handle_info(_, state), do: noreply(state)

  @impl true
  def terminate(_, state) do
    if state.port, do: close(state.port)
    if state.os_pid, do: Reaper.finish(state.opts.reaper, state.os_pid)
  end

  defp noreply(state), do: {:noreply, state, wait(state)}

  defp wait(%{out_bytes: 0}), do: :infinity
  defp wait(_), do: 0

  defp now, do: System.monotonic_time(:millisecond)

  # ---- out ----

  # Sends as many calls as may be in flight.
  defp pump(%{port: nil} = state), do: ticking(state)
  defp pump(%{out_bytes: bytes} = state) when bytes >= @gather, do: state |> flush() |> pump()

  defp pump(state) do
    case Queue.next(state.queue, state.next, now()) do
      {:ok, call, queue} ->
        {:ok, frame} = Frames.write(state.next, call.bytes, call.size, state.opts.max_frame_bytes)

        pump(%{
          state
          | queue: queue,
            next: rem(state.next + 1, 0x1_0000_0000),
            out: [state.out | frame],
            out_bytes: state.out_bytes + call.size + 8
        })

      :wait ->
        ticking(state)
    end
  end

  defp flush(%{port: nil} = state), do: %{state | out: [], out_bytes: 0}

  defp flush(state) do
    # The program may just have ended; then the message about it is in the mailbox.
    try do
      Port.command(state.port, state.out)
    rescue
      ArgumentError -> :ok
    end

    %{state | out: [], out_bytes: 0}
  end

  # Worlds that are not needed any more.
  defp free(state, []), do: state

  defp free(state, [number | more]) do
    bytes = :erlang.term_to_iovec({:free, number, 0, more})
    call = %{from: nil, bytes: bytes, size: :erlang.iolist_size(bytes), since: now()}
    pump(%{state | queue: Queue.add!(state.queue, call)})
  end

  # ---- in ----

  defp answered([], state), do: {:ok, state}

  defp answered([{number, term} | answers], state) do
    case Queue.answered(state.queue, number, now()) do
      {:ok, call, queue} ->
        if call.from, do: GenServer.reply(call.from, {:ok, term, state.run})
        answered(answers, %{state | queue: queue, failures: 0})

      :error ->
        {:error, state}
    end
  end

  # ---- failures ----

  # Checks again when the oldest call may be late, and not before.
  defp ticking(%{ticking: true} = state), do: state

  defp ticking(state) do
    case Queue.since(state.queue) do
      nil ->
        state

      since ->
        wait = max(since + state.opts.timeout + 1 - now(), 1)
        tick_in(state, wait, now() + wait)
    end
  end

  # due: when it should come, or nil if it counts whenever that is.
  defp tick_in(state, ms, due) do
    Process.send_after(self(), {:tick, due}, ms)
    %{state | ticking: true}
  end

  # A program that hangs holds up all waiting calls: that does not make them late.
  defp tick(state) do
    if state.port && Queue.late?(state.queue, now() - state.opts.timeout) do
      down(state, :timeout, "no answer within #{state.opts.timeout} ms")
    else
      {late, queue} = Queue.expire(state.queue, now() - state.opts.timeout)
      for call <- late, call.from, do: GenServer.reply(call.from, {:error, :busy})
      ticking(%{state | queue: queue})
    end
  end

  defp ended(status) when status > 128, do: "it was ended by signal #{status - 128}"
  defp ended(status), do: "it ended with exit code #{status}"

  # Ends the program.
  defp down(state, why, words) do
    if state.port, do: close(state.port)
    if state.os_pid, do: Reaper.finish(state.opts.reaper, state.os_pid)
    lost(state, why, words)
  end

  # The call that it was working on may have been the cause; the later ones have done nothing.
  defp lost(state, why, words) do
    {calls, queue} = Queue.take_back(state.queue, now())

    for {call, index} <- Enum.with_index(calls), call.from do
      GenServer.reply(call.from, {:error, if(index == 0, do: why, else: :restarted)})
    end

    Logger.warning("roomfold_port #{state.os_pid} was restarted: #{words}")

    %{
      state
      | port: nil,
        os_pid: nil,
        run: nil,
        queue: queue,
        out: [],
        out_bytes: 0,
        failures: state.failures + 1,
        restarts: state.restarts + 1
    }
    |> reopen()
  end

  # At once, unless it failed before its first answer: a program that can't start is not tried all the time.
  defp reopen(%{failures: 1} = state), do: state |> open() |> pump()

  defp reopen(state) do
    pause = min(@first_pause_ms * Integer.pow(2, min(state.failures - 2, 10)), @longest_pause_ms)
    Process.send_after(self(), :open, pause)
    ticking(state)
  end

  defp close(port) do
    # What it still sends is ignored.
    Process.unlink(port)
    Port.close(port)
  rescue
    ArgumentError -> true
  end
end
