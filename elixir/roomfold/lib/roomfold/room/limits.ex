defmodule Roomfold.Room.Limits do
  @moduledoc false
  # What each user may still send into a room, and how often it may join (`{:join, user}`). A full bucket need not be kept. Buckets are in two maps: those used in the current period, and
  # those used in the one before; a period is as long as an empty bucket takes to fill. So at its end all buckets of the older map are full, and
  # the map is dropped at once, without a walk over it.

  alias Roomfold.Room.Limit

  # recent, older: whose => Limit.t; since: when the current period began
  defstruct [:rates, :refill_ms, :since, recent: %{}, older: %{}]

  @type t :: %__MODULE__{
          rates: Limit.rates(),
          refill_ms: pos_integer,
          since: integer,
          recent: %{whose => Limit.t()},
          older: %{whose => Limit.t()}
        }
  @type whose :: String.t() | {:join, String.t()}

  @spec new(Limit.rates(), now :: integer) :: t
  def new(rates, now), do: %__MODULE__{rates: rates, refill_ms: Limit.refill_ms(rates), since: now}

  @doc "Starts the next period if it is time. To be called before take/6."
  @spec forget(t, now :: integer) :: t
  def forget(%__MODULE__{since: since, refill_ms: refill_ms} = limits, now) when now - since < refill_ms,
    do: limits

  def forget(limits, now), do: %{limits | since: now, recent: %{}, older: limits.recent}

  @doc "Like `Limit.take/5`, for somebody's bucket. Takes and returns the field `recent` alone, so that a batch of calls changes the struct once."
  @spec take(recent :: map, t, whose, non_neg_integer, non_neg_integer, now :: integer) ::
          {:ok | :limited, recent :: map}
  def take(recent, %__MODULE__{rates: rates, older: older}, whose, events, bytes, now) do
    limit =
      case recent do
        %{^whose => limit} -> limit
        _ -> of_older(older, whose, rates, now)
      end

    {verdict, limit} = Limit.take(limit, rates, events, bytes, now)
    {verdict, Map.put(recent, whose, limit)}
  end

  defp of_older(older, whose, rates, now) do
    case older do
      %{^whose => limit} -> limit
      _ -> Limit.new(rates, now)
    end
  end
end
