# The port against the NIF: packed batches to many worlds at once, and what a call costs.
#
#     make bench            or      mix run bench/port.exs
#
# Peers: the same core in the VM (:native); and, for the round trip, the plainest port there is: `cat`.
Code.require_file("support.exs", __DIR__)
Code.require_file("streams.exs", __DIR__)

defmodule PortBench do
  alias Roomfold.{Wire, World}

  @batch 1_000
  @batches 200
  # How many batches a world may be ahead of the one before it, in turn.
  @ahead 8
  @rounds 9
  @calls 2_000

  def run do
    IO.puts("The port beside the NIF, #{Bench.machine()}\n")
    throughput()
    round_trips()
  end

  # ---- throughput ----

  defp throughput do
    IO.puts("""
    Packed batches of #{@batch} events (90 % updates, 5 % creates, 5 % deletes) to worlds of 1,000 entities, each folded by a process of its own,
    #{@batches} batches each; million events a second, medians of #{@rounds} rounds in turn. In turn: none is more than #{@ahead} batches ahead of the next one, as
    it is with rooms whose ticks come together: so all are in flight until the end. In a row: each folds its batches as fast as it can, so that its world
    stays in the cache; there the worlds of one program may be done long before those of another. CPU: microseconds
    a batch that the VM and the programs computed, together (Linux); what is left where all cores are busy, whatever else the machine does.
    """)

    {creates, batches} = Streams.make(1_000, @batches, @batch)
    creates = frame(creates)
    frames = Enum.map(batches, &frame/1)

    header = [
      "worlds at once",
      "batches",
      "native",
      "port",
      "port / native",
      "CPU native",
      "CPU port",
      "native / port"
    ]

    rows =
      for {count, turns} <- [{1, false}, {16, true}, {16, false}, {32, true}],
          do: row(count, turns, creates, frames)

    Bench.table(header, rows)
    Bench.csv("port", header, rows)
  end

  defp row(count, turns, creates, frames) do
    Roomfold.Port.ping()
    used = :ets.new(:cpu, [:public])

    contenders =
      for impl <- [:native, :port] do
        setup = fn -> {start(impl, count, creates, frames, turns), cpu()} end
        finish = fn {_, before} -> :ets.insert(used, {{impl, make_ref()}, cpu() - before}) end
        {impl, setup, fn {tasks, _} -> together(tasks) end, finish}
      end

    times = Bench.rounds(contenders, @rounds)
    [native, port] = for impl <- [:native, :port], do: count * @batches * @batch * 1_000 / times[impl]

    [cpu_native, cpu_port] =
      for impl <- [:native, :port],
          do:
            Bench.median(Enum.map(:ets.match(used, {{impl, :_}, :"$1"}), &hd/1)) / (count * @batches) / 1_000

    speeds = Enum.map([native, port, port / native, cpu_native, cpu_port], &round2/1)

    [count, if(turns, do: "in turn", else: "in a row") | speeds] ++
      [if(cpu_port > 0, do: round2(cpu_native / cpu_port), else: "-")]
  end

  # Nanoseconds that the VM and the programs have computed; 0 where the system does not say.
  defp cpu do
    pids = [System.pid() | for(%{os_pid: pid} <- Roomfold.Port.info(), do: pid)]

    for pid <- pids,
        path <- Path.wildcard("/proc/#{pid}/task/*/schedstat"),
        {:ok, line} <- [File.read(path)],
        reduce: 0 do
      sum -> sum + (line |> String.split() |> hd() |> String.to_integer())
    end
  end

  defp frame(events) do
    {:ok, frame} = Wire.encode_events(events, [])
    frame
  end

  # Folders that wait for the word.
  defp start(impl, count, creates, frames, turns) do
    turns = turns && %{done: :atomics.new(count, []), waits: :atomics.new(count, [])}

    for i <- 1..count do
      task =
        Task.async(fn ->
          world = World.fold!(World.new!(impl: impl), {:packed, creates})

          receive do
            {:go, next} when is_map(turns) ->
              turn =
                Map.merge(turns, %{
                  me: i,
                  before: rem(i + count - 2, count) + 1,
                  next: rem(i, count) + 1,
                  pid: next
                })

              Enum.reduce(frames, world, &in_turn(&1, &2, turn))

            {:go, _} ->
              Enum.reduce(frames, world, &World.fold!(&2, {:packed, &1}))
          end

          :ok
        end)

      # It has its world.
      wait(task.pid)
      task
    end
  end

  # Each counts its batches where the next one sees it, and tells it only if it waits: a message for each batch would wake those that wait
  # for the port. (To give way is not enough: a process that has a scheduler for itself is given way to by nobody.)
  defp in_turn(frame, world, turn) do
    stay_back(turn)
    world = World.fold!(world, {:packed, frame})
    :atomics.add(turn.done, turn.me, 1)
    if :atomics.exchange(turn.waits, turn.next, 0) == 1, do: send(turn.pid, :on)
    world
  end

  defp stay_back(turn) do
    if ahead?(turn) do
      :atomics.put(turn.waits, turn.me, 1)
      # It may have been done just before that.
      if ahead?(turn), do: receive(do: (:on -> :ok))
      stay_back(turn)
    end
  end

  defp ahead?(turn), do: :atomics.get(turn.done, turn.me) - :atomics.get(turn.done, turn.before) >= @ahead

  defp wait(pid) do
    unless Process.info(pid, :status) == {:status, :waiting} and
             match?({:current_function, {__MODULE__, _, _}}, Process.info(pid, :current_function)) do
      Process.sleep(1)
      wait(pid)
    end
  end

  defp together(tasks) do
    for {task, next} <- Enum.zip(tasks, tl(tasks) ++ [hd(tasks)]), do: send(task.pid, {:go, next.pid})
    Task.await_many(tasks, :infinity)
  end

  # ---- round trips ----

  defp round_trips do
    IO.puts("One call after the other, #{@calls} a round; microseconds a call\n")
    world = fn impl -> fn -> World.fold!(World.new!(impl: impl), Streams.creates(100)) end end
    get = fn world -> for _ <- 1..@calls, do: World.get(world, "entity_7") end

    times =
      Bench.rounds(
        [
          {:cat, &cat/0, fn port -> for _ <- 1..@calls, do: echo(port) end},
          {:ping, fn -> Roomfold.Port.ping() end, fn _ -> for _ <- 1..@calls, do: Roomfold.Port.ping() end},
          {:port_get, world.(:port), get},
          {:native_get, world.(:native), get}
        ],
        @rounds
      )

    us = fn name -> times[name] / @calls / 1_000 end
    header = ["call", "us", "/ cat"]

    rows =
      for {name, words} <- [
            cat: "a byte to cat and back",
            ping: "an empty call",
            port_get: "an entity, port",
            native_get: "an entity, native"
          ],
          do: [words, round2(us.(name)), round2(us.(name) / us.(:cat))]

    Bench.table(header, rows)
    Bench.csv("port_call", header, rows)
  end

  defp cat, do: Port.open({:spawn_executable, System.find_executable("cat")}, [:binary, :stream])

  defp echo(port) do
    Port.command(port, "x")

    receive do
      {^port, {:data, _}} -> :ok
    end
  end

  defp round2(number), do: :erlang.float_to_binary(number * 1.0, decimals: 2)
end

PortBench.run()
