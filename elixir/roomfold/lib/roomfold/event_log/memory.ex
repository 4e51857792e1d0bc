defmodule Roomfold.EventLog.Memory do
  @moduledoc """
  A log in the memory of one process; it is lost when the process ends. For tests, and for rooms that need not outlive the VM.

      {:ok, pid} = Roomfold.EventLog.Memory.start_link(name: MyLog)
      log = {Roomfold.EventLog.Memory, MyLog}

  """
  use GenServer

  alias Roomfold.{Error, EventLog, JSON, OptionList}
  alias Roomfold.EventLog.Memory.Ledger

  @behaviour EventLog

  @doc false
  def child_spec(opts), do: %{super(opts) | id: {__MODULE__, opts[:name]}}

  @doc """
  Starts a log; the options are those of `GenServer.start_link/3`.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> Roomfold.EventLog.rooms({Roomfold.EventLog.Memory, pid})
      {:ok, []}
  """
  @spec start_link([GenServer.option()]) :: GenServer.on_start()
  def start_link(opts \\ []),
    do:
      GenServer.start_link(
        __MODULE__,
        nil,
        OptionList.validate!(opts, OptionList.server(), "a log in memory")
      )

  @impl EventLog
  def claim(server, room, meta, over) do
    with {:ok, meta} <- as_json(meta), do: EventLog.call(server, {:claim, room, meta, over})
  end

  @impl EventLog
  def head(server, room), do: EventLog.call(server, {:head, room})

  @impl EventLog
  def submit(server, room, term, after_seq, records, _opts) do
    records = Enum.map(records, &IO.iodata_to_binary/1)

    if Enum.all?(records, &line?/1) do
      {server, reference} = EventLog.watch(server)
      if server, do: send(server, {:append, reference, room, term, after_seq, records})
      reference
    else
      EventLog.answer_self({:error, Error.new(:invalid_record)})
    end
  end

  # A list of patterns would be compiled for each record, which takes several times as long as searching twice.
  defp line?(record),
    do: record != "" and :binary.match(record, "\n") == :nomatch and :binary.match(record, <<0>>) == :nomatch

  @impl EventLog
  def read(server, room, from, to, limits),
    do: EventLog.call(server, {:read, room, from, to, limits})

  @impl EventLog
  def put_snapshot(server, room, term, seq, data),
    do: EventLog.call(server, {:put_snapshot, room, term, seq, data})

  @impl EventLog
  def snapshot(server, room, at_most), do: EventLog.call(server, {:snapshot, room, at_most})

  @impl EventLog
  def trim(server, room, keep_from), do: EventLog.call(server, {:trim, room, keep_from})

  @impl EventLog
  def rooms(server), do: EventLog.call(server, :rooms)

  @impl EventLog
  def delete(server, room, over), do: EventLog.call(server, {:delete, room, over})

  @impl EventLog
  def verify(server, room), do: EventLog.call(server, {:verify, room})

  @impl EventLog
  def on_node(name, node), do: {name, node}

  # The same that a log on a disk would return.
  defp as_json(meta) do
    with {:ok, text} <- JSON.encode(meta, impl: :elixir), do: JSON.decode(text, impl: :elixir)
  end

  # --- the process

  # Terms begin at the time, so that no other log in memory, of this room or another VM's, has given the same before.
  @impl GenServer
  def init(_), do: {:ok, %Ledger{term: System.os_time(:microsecond)}}

  @impl GenServer
  def handle_call(request, _from, ledger) do
    {answer, ledger} = Ledger.call(ledger, request)
    {:reply, answer, ledger}
  end

  @impl GenServer
  def handle_info({:append, reference, name, term, after_seq, records}, ledger) do
    {answer, ledger} = Ledger.call(ledger, {:append, name, term, after_seq, records})
    send(reference, {reference, answer})
    {:noreply, ledger}
  end

  def handle_info(_other, ledger), do: {:noreply, ledger}
end
