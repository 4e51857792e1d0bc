defmodule Roomfold.Room.Complaints do
  @moduledoc false
  # What a room has to say again and again, since a system makes the same mistake on each tick: it is counted each time, and said the
  # first time and then once in a thousand.

  @every 1_000
  # A system may make up a name for each event: what is new beyond so many is taken for the same.
  @most 64

  defstruct counts: %{refused: 0, failed: 0}, known: %{}

  @type kind :: :refused | :failed

  @doc "How often there was one of a kind."
  def count(complaints, kind), do: Map.fetch!(complaints.counts, kind)

  @doc """
  Once more: `{how_often, complaints}` if it is to be said, how often there was this one by now, else `{:quiet, complaints}`. `about` is what makes it another
  one than those before.
  """
  @spec add(%__MODULE__{}, kind, about :: term) :: {pos_integer | :quiet, %__MODULE__{}}
  def add(%{counts: counts, known: known} = complaints, kind, about) do
    key = if map_size(known) < @most or is_map_key(known, {kind, about}), do: {kind, about}, else: :others
    count = Map.get(known, key, 0) + 1
    counts = Map.update!(counts, kind, &(&1 + 1))
    say = if count == 1 or rem(count, @every) == 0, do: count, else: :quiet
    {say, %{complaints | counts: counts, known: Map.put(known, key, count)}}
  end
end
