defmodule Roomfold.Room.State do
  @moduledoc false
  # A room as data: the struct, and how it starts. What happens to it stands in modules named after the concept:
  #
  #   Publishing   events come in
  #   Queue        what waits for the next tick
  #   Schedule     when the room has to be woken, and for what
  #   Ticks        time has passed: systems run
  #   Commit       what waited goes into the log, and then into the world
  #   Delivery     what connections are sent after that
  #   Presence     connections come and go
  #   Membership   the events that say which users joined and left
  #
  # Their functions return {effects, state}; the process around the state (Roomfold.Room.Effects, or a simulator) carries the effects
  # out, in order:
  #
  #   {:reply, to, answer}              to the caller who published
  #   {:append, after_seq, records}     to the log; its answer is passed to Commit.committed/3
  #   {:publish, records}               on the stream
  #   {:send, pids, message}            to connections: {:update, %Update{}}, {:presence, joins, leaves}, {:authority, user},
  #                                     {:replaced, term, number of the join}, {:behind, term, number, seq, bytes}, or, for good,
  #                                     {:slow, term, number, seq, bytes}
  #   {:fast, from, sends}              to the processes that write to sockets (Roomfold.Room.Fastlane), whose clients are at the seq `from`
  #   {:tell, update, answers}          an update with answers (Roomfold.Room.Update.with_answers/1 makes it of the effects for both)
  #   {:keep, seq, users}               a snapshot, in the log
  #   {:measure, name, numbers, facts}  for telemetry
  #   {:failed, source, kind, reason, stacktrace}  a system failed, or a callback: {module, name}
  #   {:refused, source, event, error}  an event of the room itself was refused; source: a system, the room's module, or nil
  #   {:stop, reason}
  #
  # `now` is in milliseconds and never goes back; the time in events (`at`) is `now` plus the offset.

  alias Roomfold.World
  alias Roomfold.Room.{Fastlane, Limits, Options, People, Queue, Schedule, System}

  # At most 32 keys with :__struct__: beyond, the VM keeps a map as a tree, and each look and change costs several times as much.
  defstruct [
    :options,
    :term,
    :world,
    :module_state,
    # what is the same throughout this life of the room: `offset` of the time in events; `resumes`: from which other life a client may come back
    # that needs only what it missed (Delivery.resumes/2)
    :life,
    :last_at,
    # the world's, which is not asked for it
    :seq,
    :kept_seq,
    :last_flush,
    :last_tick,
    :busy_at,
    :elected,
    # [%Batch.Item{}], newest first, and how many events they hold; a packed frame counts as one
    queue: [],
    queued: 0,
    packed?: false,
    # whether the stream has subscribers, who want events as terms
    heard?: false,
    # the batch that the log is writing, its items as they were in the queue, the number of the last item before it was built, and the
    # fields to restore if it fails, with the number of the last item `said` before: %{batch, waited, upto, undo}
    commit: nil,
    people: %People{},
    # the users in the room according to the log; `people` is ahead of it while events are being written
    logged_users: [],
    # users who have left, while the log has not yet all that was said until then: user → {number of the last item, whether the log
    # will say that they are there}
    leaving: %{},
    # users who came back before the log had that they left, with their parameters: that they joined is published after that
    returning: [],
    fastlane: %Fastlane{},
    # what each user may still send now
    limits: nil,
    systems: [],
    ticks: 0,
    # ticks that were left out
    shed: 0,
    # ticks that came due during the current commit: the newest waits for it, the others are left out
    held: 0,
    # whether it looks into its inbox at the next tick in any case, since there were events at the last one (Roomfold.Room.Inbox)
    armed?: false,
    # records that systems want to see, since they ran last, newest first: [[record]]
    news: [],
    # what systems want to see, to prepare and to reserve (System.asks/1)
    asks: System.asks([]),
    ids: 0
  ]

  @doc """
  world: as the log has it. facts: `term`, `resumes`, `users` who were in it, `last_at`, `kept_seq` of the last snapshot.
  """
  def open(%Options{} = options, world, facts, now, offset) do
    state = %__MODULE__{
      options: options,
      term: facts.term,
      world: world,
      # If the clock was put back since, the room's time must not stand still: it goes on from the log's.
      life: %{offset: max(offset, facts.last_at - now), resumes: facts.resumes},
      last_at: facts.last_at,
      seq: World.seq(world),
      kept_seq: facts.kept_seq,
      last_flush: now - ceil(options.tick_ms),
      last_tick: now,
      busy_at: Schedule.busy_from(options, now),
      people: People.restore(facts.users, now),
      logged_users: facts.users,
      limits: Limits.new(Options.rates(options), now)
    }

    {module_state, events} = init_module(options, world)

    systems = System.init_all(options.systems, World.read_only(world), Schedule.at(state, now))

    state = %{
      state
      | module_state: module_state,
        systems: systems,
        asks: System.asks(systems)
    }

    # A room whose first events can't be written does not start.
    case Queue.push_own(state, options.module, :system, events) do
      {[], state} -> state
      {[{:refused, _, _, error} | _], _} -> raise error
    end
  end

  defp init_module(%{module: nil}, _), do: {nil, []}

  defp init_module(options, world) do
    case options.module.init(options.id, World.read_only(world), options.args) do
      {:ok, state} -> {state, []}
      {:ok, state, events} when is_list(events) -> {state, events}
      other -> raise ArgumentError, init_answer(options.module, other)
    end
  end

  defp init_answer(module, other) do
    "#{inspect(module)}.init/3 must answer {:ok, state} or {:ok, state, list of events}, got: " <>
      inspect(other, limit: 5, printable_limit: 60)
  end

  @doc "Whether it looks into its inbox at the next tick without being woken."
  def armed(state, armed?), do: %{state | armed?: armed?}

  @doc "Whether the stream has subscribers; to be called before packed frames may be folded."
  def heard(state, heard?), do: %{state | heard?: heard?}
end
