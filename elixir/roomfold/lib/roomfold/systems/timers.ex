defmodule Roomfold.Systems.Timers do
  @moduledoc """
  Events at fixed times: a door that opens every minute and closes 15 seconds later.

      {Roomfold.Systems.Timers, [
        [every: 60_000, events: [{0, {"door_opened", %{"id" => "gate"}}}, {15_000, {"door_closed", %{"id" => "gate"}}}]],
        [every: 5_000, events: [{0, {"bell_rang", %{}}}]]
      ]}

  A timer is a cycle of `:every` milliseconds with events at times within it. Cycles are counted from the epoch, so they do not depend
  on when a room was started. In a cycle of several events, each is a state that lasts until the next one: when the room starts, also after
  a crash, the event whose state should be in force is sent at once.
  """
  @behaviour Roomfold.Room.System

  @impl true
  def init(timers, _world, now) do
    unless is_list(timers) and not match?([{_, _} | _], timers),
      do:
        raise(ArgumentError, "timers are a list of lists, [[every: .., events: ..]], got: #{inspect(timers)}")

    Enum.map(timers, &timer(&1, now))
  end

  defp timer(opts, now) do
    {every, events} = if Keyword.keyword?(opts), do: {opts[:every], opts[:events]}, else: {nil, nil}

    unless is_integer(every) and every > 0 and match?([_ | _], events) and
             Keyword.keys(opts) -- [:every, :events] == [] and
             Enum.all?(events, &within?(&1, every)) do
      raise ArgumentError,
            "a timer needs :every, in milliseconds, and :events, [{time below :every, event}], got: #{inspect(opts)}"
    end

    events = Enum.sort_by(events, &elem(&1, 0))
    {every, events, if(match?([_], events), do: now, else: before_in_force(events, every, now))}
  end

  defp within?({at, {name, payload}}, every),
    do: is_integer(at) and at in 0..(every - 1) and is_binary(name) and is_map(payload)

  defp within?(_, _), do: false

  # Just before the last event that was due.
  defp before_in_force(events, every, now) do
    start = now - Integer.mod(now, every)

    case for({at, _} <- events, start + at <= now, do: start + at) do
      [] -> start - every + elem(List.last(events), 0) - 1
      times -> List.last(times) - 1
    end
  end

  @impl true
  def events(_), do: []

  @impl true
  def tick(_world, tick, timers) do
    Enum.flat_map_reduce(timers, [], fn {every, events, since}, timers ->
      {due(events, every, since, tick.now), [{every, events, tick.now} | timers]}
    end)
    |> then(fn {events, timers} -> {events, Enum.reverse(timers)} end)
  end

  # At most one cycle: events that were due long ago are of no use.
  defp due(events, every, since, now) do
    since = max(since, now - every)
    first = since - Integer.mod(since, every)

    for start <- Enum.uniq([first, first + every]),
        {at, event} <- events,
        start + at > since,
        start + at <= now,
        do: event
  end
end
