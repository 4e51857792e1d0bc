# The peers of `bench/rooms.exs many`: the same players in rooms that one would write by hand, and processes that only wake one another as
# often as these do.
defmodule Bench.ByHand do
  @moduledoc """
  Rooms of GenServers: players send JSON text when it comes, the room decodes it, checks who speaks, and folds it into a map of maps; at a
  tick it hands what came to the log (`:disk_log`, one process that syncs once for all rooms that wait), answers when it is on the disk, and
  sends all of its players one diff, encoded once. No limits, no rules, no snapshots, no replay, nobody who comes back. JSON by Jason where it is there, else
  by Roomfold.

  `work: :none` leaves out whatever is not waking: a player's input is put into the room's table, and at a tick the room takes what is there and
  sends each player a message. That is what the VM takes for these processes whatever they do.
  """

  alias Bench.{Player, Spread}

  defmodule Log do
    @moduledoc false
    use GenServer

    def init(folder) do
      {:ok, log} = :disk_log.open(name: make_ref(), file: to_charlist(Path.join(folder, "events.LOG")))
      {:ok, log}
    end

    def handle_info({:append, from, lines}, log) do
      waiting = gather([{from, lines}])
      :ok = :disk_log.log_terms(log, Enum.flat_map(waiting, &elem(&1, 1)))
      :ok = :disk_log.sync(log)
      for {from, _} <- waiting, do: send(from, :committed)
      {:noreply, log}
    end

    defp gather(waiting) do
      receive do
        {:append, from, lines} -> gather([{from, lines} | waiting])
      after
        0 -> waiting
      end
    end

    def terminate(_, log), do: :disk_log.close(log)
  end

  defmodule Room do
    @moduledoc false
    use GenServer

    def start_link(opts), do: GenServer.start_link(__MODULE__, opts)

    def init(opts) do
      table = :ets.new(__MODULE__, [:duplicate_bag, :public])
      due = System.monotonic_time(:millisecond) + :rand.uniform(opts.tick_ms)
      state = %{players: [], world: %{}, queue: [], commit: nil, seq: 0, due: due, table: table}
      {:ok, state |> Map.merge(opts) |> next_tick()}
    end

    defp next_tick(state) do
      due = max(state.due + state.tick_ms, System.monotonic_time(:millisecond))
      Process.send_after(self(), :tick, due, abs: true)
      %{state | due: due}
    end

    def handle_call({:join, pid}, _, state),
      do: {:reply, state.table, %{state | players: [pid | state.players]}}

    def handle_cast({:input, from, user, ref, text}, state) do
      %{"user_id" => ^user} = fields = Bench.ByHand.decode(text)
      {:noreply, %{state | queue: [{from, ref, user, fields} | state.queue]}}
    end

    def handle_info(:tick, %{work: :none} = state) do
      answers =
        for {_, from, ref} <- :ets.take(state.table, 0), reduce: %{} do
          answers -> Map.update(answers, from, [ref], &[ref | &1])
        end

      for pid <- state.players, do: send(pid, {:diff, "", Map.get(answers, pid, [])})
      {:noreply, next_tick(state)}
    end

    # One commit at a time.
    def handle_info(:tick, %{commit: nil, queue: [_ | _] = queue} = state) do
      lines = Enum.map(Enum.reverse(queue), fn {_, _, user, fields} -> {user, fields} end)
      send(state.log, {:append, self(), lines})
      {:noreply, next_tick(%{state | commit: queue, queue: []})}
    end

    def handle_info(:tick, state), do: {:noreply, next_tick(state)}

    def handle_info(:committed, %{commit: commit} = state) do
      {world, changed, answers} =
        for {from, ref, user, fields} <- Enum.reverse(commit), reduce: {state.world, %{}, %{}} do
          {world, changed, answers} ->
            fields = Map.delete(fields, "user_id")

            {Map.update(world, user, fields, &Map.merge(&1, fields)),
             Map.update(changed, user, fields, &Map.merge(&1, fields)),
             Map.update(answers, from, [ref], &[ref | &1])}
        end

      seq = state.seq + length(commit)
      diff = Bench.ByHand.encode(%{"from" => state.seq, "seq" => seq, "updates" => changed})
      for pid <- state.players, do: send(pid, {:diff, diff, Map.get(answers, pid, [])})
      {:noreply, %{state | commit: nil, world: world, seq: seq}}
    end
  end

  # Found once: to ask whether it is loaded is a call to a process.
  @json if Code.ensure_loaded?(Jason), do: Jason, else: Roomfold.JSON

  def decode(text), do: @json.decode!(text)
  def encode(term), do: @json.encode!(term)
  def json, do: @json

  @doc "A player, as Bench.Player: an input each so many ms, at times of its own."
  def start(room, user, period_ms, tally, work) do
    parent = self()

    pid =
      :proc_lib.spawn_opt(
        fn ->
          table = GenServer.call(room, {:join, self()}, :infinity)
          send(parent, {self(), :joined})

          me = %{
            room: room,
            user: user,
            period: period_ms * 1000,
            texts: Player.texts(user),
            tally: :persistent_term.get(tally),
            work: work
          }

          receive do:
                    (:go ->
                       loop(now() + :rand.uniform(period_ms * 1000), now(), 0, Map.put(me, :table, table)))
        end,
        [:link, min_heap_size: 1_000]
      )

    receive do: ({^pid, :joined} -> pid)
  end

  defp loop(at, now, n, me) do
    receive do
      {:diff, _, refs} ->
        now = now()
        for ref <- refs, do: Spread.add(me.tally.acknowledged, now - ref)
        loop(at, now, n, me)
    after
      max(div(at - now + 999, 1000), 0) ->
        now = now()
        say(me, now, Player.text(me.texts, n))
        loop(at + me.period, now, n + 1, me)
    end
  end

  defp say(%{work: :none, table: table}, now, _), do: :ets.insert(table, {0, self(), now})
  defp say(me, now, {:json, text}), do: GenServer.cast(me.room, {:input, self(), me.user, now, text})

  defp now, do: :erlang.monotonic_time(:microsecond)

  @doc "So many rooms: the processes of their log, and of each of them."
  def rooms(count, tick_ms, folder, work) do
    {:ok, log} = GenServer.start_link(Log, folder)
    {log, for(_ <- 1..count, do: elem(Room.start_link(%{tick_ms: tick_ms, log: log, work: work}), 1))}
  end
end
