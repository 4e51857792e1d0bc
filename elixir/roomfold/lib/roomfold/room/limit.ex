defmodule Roomfold.Room.Limit do
  @moduledoc false
  # Token buckets: how many events and bytes a sender may send. A bucket holds at most `burst` seconds' worth.

  # {events, bytes, at}, in thousandths of an event and of a byte: a millisecond adds as many of these as the rate has units per second. A tuple,
  # since it changes with each input.
  @type t :: {integer, integer, integer}
  @type rates ::
          {events :: pos_integer, bytes :: pos_integer, most_events :: pos_integer, most_bytes :: pos_integer}

  @defaults [events_per_s: 120, bytes_per_s: 131_072, burst_s: 2]

  @doc "The default options."
  @spec defaults() :: keyword(pos_integer)
  def defaults, do: @defaults

  @doc "Rates from events and bytes per second, and how many seconds' worth a bucket holds."
  @spec rates(events :: pos_integer, bytes :: pos_integer, burst :: pos_integer) :: rates
  def rates(events, bytes, burst), do: {events, bytes, events * burst * 1000, bytes * burst * 1000}

  @doc "How long an empty bucket takes to fill, in milliseconds."
  @spec refill_ms(rates) :: pos_integer
  def refill_ms({events, bytes, most_events, most_bytes}),
    do: max(div(most_events, events), div(most_bytes, bytes))

  @doc "A full bucket."
  @spec new(rates, now :: integer) :: t
  def new({_, _, events, bytes}, now), do: {events, bytes, now}

  @doc "Takes events and bytes out of a bucket, or returns :limited and takes nothing. Times in milliseconds; an earlier time counts as the latest."
  @spec take(t | nil, rates, non_neg_integer, non_neg_integer, now :: integer) ::
          {:ok | :limited, t} | :no_limit
  def take(
        {events_left, bytes_left, at},
        {event_rate, byte_rate, most_events, most_bytes},
        events,
        bytes,
        now
      ) do
    now = max(now, at)
    passed = now - at
    events_left = min(events_left + passed * event_rate, most_events)
    bytes_left = min(bytes_left + passed * byte_rate, most_bytes)
    {events, bytes} = {events * 1000, bytes * 1000}

    if events_left >= events and bytes_left >= bytes,
      do: {:ok, {events_left - events, bytes_left - bytes, now}},
      else: {:limited, {events_left, bytes_left, now}}
  end

  # Without a bucket. This clause is last, because senders normally have one.
  def take(nil, _, _, _, _), do: :no_limit
end
