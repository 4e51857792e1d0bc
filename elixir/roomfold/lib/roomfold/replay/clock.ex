defmodule Roomfold.Replay.Clock do
  @moduledoc false
  # How far a replay is: a position that moves at some speed unless it is paused, and how late events were played.
  #
  # Positions are milliseconds from the first event; `now` is any clock in milliseconds.

  # since, from: it was at `from` when the clock showed `since`
  defstruct [:since, :duration, :speed, from: 0, paused?: false, late_max: 0, late_sum: 0, late_count: 0]

  @type t :: %__MODULE__{}

  @spec new(number, keyword, number) :: t
  def new(duration, opts, now),
    do: %__MODULE__{duration: duration, speed: opts[:speed] || 1, paused?: opts[:paused] == true, since: now}

  @spec speed?(term) :: boolean
  def speed?(speed), do: is_number(speed) and speed >= 0.01 and speed <= 100

  @spec position(t, number) :: number
  def position(%{paused?: true} = clock, _), do: clock.from

  def position(clock, now), do: min(clock.from + (now - clock.since) * clock.speed, clock.duration * 1.0)

  @doc "When it will be at a position, if it runs on."
  @spec reaches(t, number) :: float
  def reaches(clock, position), do: clock.since + (position - clock.from) / clock.speed

  @spec go(t, number, number) :: t
  def go(clock, position, now), do: %{clock | since: now, from: position}

  @spec pause(t, number) :: t
  def pause(clock, now), do: %{go(clock, position(clock, now), now) | paused?: true}

  @spec resume(t, number) :: t
  def resume(clock, now), do: %{go(clock, position(clock, now), now) | paused?: false}

  @spec speed(t, number, number) :: t
  def speed(clock, speed, now), do: %{go(clock, position(clock, now), now) | speed: speed}

  @doc "Events that belong to these positions were played at this one."
  @spec played(t, [number], number) :: t
  def played(clock, positions, at) do
    Enum.reduce(positions, clock, fn position, clock ->
      late = (at - position) / clock.speed

      %{
        clock
        | late_max: max(clock.late_max, late),
          late_sum: clock.late_sum + late,
          late_count: clock.late_count + 1
      }
    end)
  end

  @doc "By how many milliseconds of real time events were late, on average."
  @spec late_mean(t) :: number
  def late_mean(%{late_count: 0}), do: 0
  def late_mean(clock), do: clock.late_sum / clock.late_count
end
