defmodule Roomfold.Timer do
  @moduledoc false
  # How long one may wait. What `receive` takes bounds calls and the options that say how long something takes; a timer takes a little more.

  @longest_ms 4_294_967_295

  @doc "The longest time, in milliseconds: 49 days."
  @spec longest() :: pos_integer
  def longest, do: @longest_ms

  @doc "How long a caller waits for an answer, if it does not say: a machine may stand still for a while."
  @spec call_ms() :: pos_integer
  def call_ms, do: 15_000

  @doc "Raises ArgumentError unless a call can wait for so long."
  @spec timeout!(atom, term) :: timeout
  def timeout!(_, :infinity), do: :infinity
  def timeout!(_, ms) when is_integer(ms) and ms in 0..@longest_ms, do: ms

  def timeout!(name, other) do
    raise ArgumentError,
          "#{inspect(name)} must be 0 to 4,294,967,295 milliseconds or :infinity, got: #{inspect(other)}"
  end

  @doc """
  Sends the caller a message at a time of this VM's clock, in milliseconds. One that is farther away than the longest time comes earlier:
  whoever gets it looks again.
  """
  @spec send_at(term, integer, integer) :: reference
  def send_at(message, at, now),
    do: Process.send_after(self(), message, min(at, now + @longest_ms), abs: true)
end
