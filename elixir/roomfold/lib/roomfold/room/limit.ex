defmodule Roomfold.Room.Limit do
  @moduledoc false
  # Token buckets: how many events and bytes a sender may send. A bucket holds at most `burst` seconds' worth.

  defstruct [:events, :bytes, :at]

  @type rates :: %{events: pos_integer, bytes: pos_integer, burst: pos_integer}

  @doc "A full one."
  def new(rates, now),
    do: %__MODULE__{events: rates.events * rates.burst, bytes: rates.bytes * rates.burst, at: now}

  @doc "Takes so much out, or says :limited and takes nothing. Times in milliseconds."
  def take(limit, rates, events, bytes, now) do
    passed = max(now - limit.at, 0) / 1000
    events_left = refill(limit.events, rates.events, rates.burst, passed)
    bytes_left = refill(limit.bytes, rates.bytes, rates.burst, passed)

    if events_left >= events and bytes_left >= bytes,
      do: {:ok, %__MODULE__{events: events_left - events, bytes: bytes_left - bytes, at: now}},
      else: {:limited, %__MODULE__{events: events_left, bytes: bytes_left, at: now}}
  end

  defp refill(tokens, rate, burst, passed), do: min(tokens + passed * rate, rate * burst * 1.0)
end
