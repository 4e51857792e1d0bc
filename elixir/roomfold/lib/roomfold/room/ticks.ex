defmodule Roomfold.Room.Ticks do
  @moduledoc false
  # Time has passed: users whose grace is over leave, systems run, what waits is folded, an idle room stops.

  alias Roomfold.Room.{Commit, Membership, Options, Queue, Schedule, System, Text}

  @doc "Does what is due."
  def wake(state, now) do
    {failures, state} = state |> Schedule.on_beat(now) |> Membership.expire(now)

    {effects, state} =
      cond do
        Schedule.idle?(state, now) -> {[{:stop, :idle}], state}
        not Schedule.ticking?(state) -> Commit.flush_if_due(state, now)
        now >= Schedule.tick_at(state) -> tick(state, now)
        true -> {[], state}
      end

    {failures ++ effects, state}
  end

  # Ticks that were missed are left out, never made up for.
  defp tick(%{commit: nil} = state, now) do
    passed = Schedule.ticks_since(state, now)
    due = state.last_tick + passed * state.options.tick_ms
    dt = due - state.last_tick
    {shed, state} = shed(state, passed, :late)
    state = %{state | last_tick: due, ticks: state.ticks + 1, held: 0}
    undo = %{systems: state.systems, news: state.news, said: state.ids}
    {failures, state} = run_systems(state, dt, now)
    {effects, state} = Commit.flush(state, now, undo)
    {shed ++ failures ++ effects, state}
  end

  # This tick waits for the commit. If the next one comes due before that, this one is left out.
  defp tick(state, now) do
    passed = Schedule.ticks_since(state, now)
    {shed, state} = shed(state, passed, :commit)
    {shed, %{state | held: passed}}
  end

  # Of all ticks that are due only the newest takes place; those that had to give way before are counted already.
  defp shed(state, passed, reason) do
    case passed - max(state.held, 1) do
      0 ->
        {[], state}

      count ->
        {[{:measure, [:tick, :shed], %{count: count}, %{reason: reason}}],
         %{state | shed: state.shed + count}}
    end
  end

  # With a client's authority the client runs them.
  defp run_systems(%{options: %{authority: :client}} = state, _, _), do: {[], %{state | news: []}}
  defp run_systems(%{systems: []} = state, _, _), do: {[], %{state | news: []}}

  defp run_systems(state, dt, now) do
    json = Options.json(state.options)
    events = for records <- Enum.reverse(state.news), record <- records, do: Text.decode(record, json)
    tick = %System.Tick{number: state.ticks, now: Schedule.at(state, now), dt_ms: dt, events: events}
    {answers, systems, failures} = System.tick_all(state.systems, state.world, tick)
    state = %{state | systems: systems, news: []}

    {refused, state} =
      Enum.flat_map_reduce(answers, state, fn {system, events}, state ->
        Queue.push_own(state, system, :system, events)
      end)

    {failures ++ refused, state}
  end
end
