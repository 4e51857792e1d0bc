defmodule Roomfold.EventLog.Memory do
  @moduledoc """
  A log in the memory of a process.
  """
  use GenServer
  alias Roomfold.Error

  def start_link(opts), do: GenServer.start_link(__MODULE__, [], Keyword.take(opts, [:name]))
  def claim(server, room, meta), do: GenServer.call(server, {:claim, room, meta})
  def head(server, room), do: GenServer.call(server, {:head, room})

  def submit(server, room, term, after_seq, records, _opts) do
    ref = Process.monitor(server)
    GenServer.cast(server, {:append, self(), ref, room, term, after_seq, records})
    ref
  end

  def read(server, room, from, to, _), do: GenServer.call(server, {:read, room, from, to})

  def put_snapshot(server, room, term, seq, binary),
    do: GenServer.call(server, {:put_snapshot, room, term, seq, binary})

  def snapshot(server, room, at_most), do: GenServer.call(server, {:snapshot, room, at_most})

  @impl true
  def init(_), do: {:ok, %{}}
  @impl true
  def handle_call({:claim, room, meta}, _, rooms) do
    entry = Map.get(rooms, room, %{term: 0, seq: 0, meta: %{}, records: %{}, snapshots: %{}})
    entry = %{entry | term: entry.term + 1, meta: meta}
    {:reply, {:ok, Map.take(entry, [:term, :seq, :meta])}, Map.put(rooms, room, entry)}
  end

  def handle_call({:head, room}, _, rooms),
    do: {:reply, {:ok, rooms[room] && Map.take(rooms[room], [:term, :seq, :meta])}, rooms}

  defp append(room, term, after_seq, records, rooms) do
    case rooms[room] do
      nil ->
        {{:error, Error.new(:no_room)}, rooms}

      %{term: newer} when newer != term ->
        {{:error, Error.new(:old_term)}, rooms}

      %{seq: seq} when seq != after_seq ->
        {{:error, Error.new(:wrong_seq)}, rooms}

      entry ->
        {kept, seq} =
          Enum.reduce(records, {entry.records, after_seq}, fn r, {kept, seq} ->
            {Map.put(kept, seq + 1, IO.iodata_to_binary(r)), seq + 1}
          end)

        {:ok, Map.put(rooms, room, %{entry | records: kept, seq: seq})}
    end
  end

  def handle_call({:read, room, from, to}, _, rooms) do
    last = min(to, rooms[room].seq)

    if from > last do
      {:reply, {:ok, nil}, rooms}
    else
      text = Enum.map_join(from..last, "\n", &rooms[room].records[&1])
      {:reply, {:ok, %{text: text, first: from, last: last}}, rooms}
    end
  end

  def handle_call({:put_snapshot, room, _, seq, binary}, _, rooms),
    do: {:reply, :ok, put_in(rooms[room].snapshots[seq], binary)}

  def handle_call({:snapshot, room, at_most}, _, rooms) do
    found =
      if rooms[room],
        do: rooms[room].snapshots |> Enum.filter(&(elem(&1, 0) <= at_most)) |> Enum.max(fn -> nil end)

    {:reply, {:ok, found}, rooms}
  end

  @impl true
  def handle_cast({:append, pid, ref, room, term, after_seq, records}, rooms) do
    {answer, rooms} = append(room, term, after_seq, records, rooms)
    send(pid, {ref, answer})
    {:noreply, rooms}
  end
end
