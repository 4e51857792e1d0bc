defmodule Roomfold.Room.Limit do
  @moduledoc false
  # Token buckets: how many events and bytes a sender may send. A bucket holds at most `burst` seconds' worth.

  # In thousandths of an event and of a byte: so many are added in a millisecond as the rate has in a second.
  defstruct [:events, :bytes, :at]

  @type rates :: %{events: pos_integer, bytes: pos_integer, burst: pos_integer}

  @doc "A full one."
  def new(rates, now),
    do: %__MODULE__{events: full(rates.events, rates.burst), bytes: full(rates.bytes, rates.burst), at: now}

  @doc "Takes so much out, or says :limited and takes nothing. Times in milliseconds."
  def take(limit, rates, events, bytes, now) do
    passed = max(now - limit.at, 0)
    events_left = min(limit.events + passed * rates.events, full(rates.events, rates.burst))
    bytes_left = min(limit.bytes + passed * rates.bytes, full(rates.bytes, rates.burst))
    {events, bytes} = {events * 1000, bytes * 1000}

    if events_left >= events and bytes_left >= bytes,
      do: {:ok, %__MODULE__{events: events_left - events, bytes: bytes_left - bytes, at: now}},
      else: {:limited, %__MODULE__{events: events_left, bytes: bytes_left, at: now}}
  end

  defp full(rate, burst), do: rate * burst * 1000
end
