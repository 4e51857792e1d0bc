defmodule Roomfold.Simulator.Log do
  @moduledoc """
  The log of the simulated cluster, as an adapter of `Roomfold.EventLog`: the data and rules of the log in memory, on a node of its own,
  reached over the simulated network. Its server is the node that asks. Who wrote what is noted.
  """
  @behaviour Roomfold.EventLog

  alias Roomfold.{Error, Simulator}
  alias Roomfold.EventLog.Memory.Ledger
  alias Roomfold.Simulator.Check

  import Simulator, only: [later_on: 3, message: 4, connected?: 2, chance: 1, update: 1, get: 0, now: 0]

  # writers: room → terms of the appends it took, newest first
  defstruct ledger: %Ledger{}, writers: %{}

  def new, do: %__MODULE__{}

  def count(log), do: log.ledger.rooms |> Map.values() |> Enum.map(& &1.seq) |> Enum.sum()

  @impl true
  def claim(node, room, meta, over), do: ask(node, {:claim, room, meta, over})
  @impl true
  def head(node, room), do: ask(node, {:head, room})
  @impl true
  def read(node, room, from, to, limits), do: ask(node, {:read, room, from, to, limits})
  @impl true
  def put_snapshot(node, room, term, seq, data), do: ask(node, {:put_snapshot, room, term, seq, data})
  @impl true
  def snapshot(node, room, at_most), do: ask(node, {:snapshot, room, at_most})
  @impl true
  def trim(node, room, from), do: ask(node, {:trim, room, from})
  @impl true
  def rooms(node), do: ask(node, :rooms)
  @impl true
  def delete(node, room, over), do: ask(node, {:delete, room, over})
  @impl true
  def verify(node, room), do: ask(node, {:verify, room})

  # Who asks and waits is answered at once: it does nothing else meanwhile.
  defp ask(node, request) do
    if connected?(node, :log),
      do: call(request),
      else: {:error, Error.new(:log_failed, detail: "it can't be reached")}
  end

  defp call(request) do
    state = get()
    {answer, ledger} = Ledger.call(state.log.ledger, request)
    Simulator.put(%{state | log: %{state.log | ledger: ledger}})
    answer
  end

  @doc "Hands in records for the room process `key`, which gets the answer as a message, if the network lets it."
  @impl true
  def submit(node, room, term, after_seq, records, opts) do
    reference = Simulator.get().number

    event =
      {:log,
       {:append, node, opts[:key], reference,
        {:append, room, term, after_seq, Enum.map(records, &IO.iodata_to_binary/1)}}}

    message(node, :log, Enum.random(1..15), event)
    # Some are delivered twice: the second one must change nothing.
    # Not at the very end: of two answers the wrong one may come first, and then the room is started anew.
    if now() < 12_000 and chance(3), do: message(node, :log, Enum.random(1..200), event)
    reference
  end

  @doc false
  def happens({:append, node, key, reference, request}) do
    delay = if now() < get().slow_disk_until, do: Enum.random(50..900), else: Enum.random(0..5)
    later_on(:log, delay, {:log, {:commit, node, key, reference, request}})
  end

  def happens({:commit, node, key, reference, {:append, room, term, _, records} = request}) do
    answer = call(if get().sabotage == :log, do: sabotaged(request), else: request)

    if answer == :ok do
      update(fn state -> update_in(state.log.writers[room], &[{term, length(records)} | &1 || []]) end)
      Check.appended(room, records)
    end

    message(:log, node, Enum.random(1..15), {:room, key, {:committed, reference, answer}})
  end

  # A log that takes whatever comes, from whoever: for the test that the simulator would notice.
  defp sabotaged({:append, room, _, _, records}) do
    case get().log.ledger.rooms[room] do
      nil -> {:append, room, 0, 0, records}
      %{term: term, seq: seq} -> {:append, room, term, seq, records}
    end
  end
end
