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
    full = fn tokens, rate -> min(tokens + passed * rate, rate * rates.burst * 1.0) end

    limit = %{
      limit
      | events: full.(limit.events, rates.events),
        bytes: full.(limit.bytes, rates.bytes),
        at: now
    }

    if limit.events >= events and limit.bytes >= bytes,
      do: {:ok, %{limit | events: limit.events - events, bytes: limit.bytes - bytes}},
      else: {:limited, limit}
  end
end
