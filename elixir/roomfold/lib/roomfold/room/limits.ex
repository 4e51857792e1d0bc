defmodule Roomfold.Room.Limits do
  @moduledoc false
  # What each user may still send into a room. A bucket that is full again says nothing: buckets are kept in two maps, of those who sent since
  # a moment and of those who did in the time before it, as long as an empty one takes to be full. When it has passed again, all that is
  # in the older map is full, and is forgotten in one go: nobody ever walks over them.

  alias Roomfold.Room.Limit

  # recent, older: user => Limit.t; since: when recent began
  defstruct [:rates, :refill_ms, :since, recent: %{}, older: %{}]

  @type t :: %__MODULE__{
          rates: Limit.rates(),
          refill_ms: pos_integer,
          since: integer,
          recent: %{String.t() => Limit.t()},
          older: %{String.t() => Limit.t()}
        }

  @spec new(Limit.rates(), now :: integer) :: t
  def new(rates, now), do: %__MODULE__{rates: rates, refill_ms: Limit.refill_ms(rates), since: now}

  @doc "Forgets whose bucket is full by now. To be called before anything is taken."
  @spec forget(t, now :: integer) :: t
  def forget(%__MODULE__{since: since, refill_ms: refill_ms} = limits, now) when now - since < refill_ms,
    do: limits

  def forget(limits, now), do: %{limits | since: now, recent: %{}, older: limits.recent}

  @doc "As `Limit.take/5`, of a user's. `recent` are the limits' own, as those before have left them: who takes many puts them back once."
  @spec take(recent :: map, t, String.t(), non_neg_integer, non_neg_integer, now :: integer) ::
          {:ok | :limited, recent :: map}
  def take(recent, %__MODULE__{rates: rates, older: older}, user, events, bytes, now) do
    limit =
      case recent do
        %{^user => limit} -> limit
        _ -> of_older(older, user, rates, now)
      end

    {verdict, limit} = Limit.take(limit, rates, events, bytes, now)
    {verdict, Map.put(recent, user, limit)}
  end

  defp of_older(older, user, rates, now) do
    case older do
      %{^user => limit} -> limit
      _ -> Limit.new(rates, now)
    end
  end
end
