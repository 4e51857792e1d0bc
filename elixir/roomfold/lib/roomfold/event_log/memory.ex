defmodule Roomfold.EventLog.Memory do
  @moduledoc """
  A log in the memory of one process, gone with it: for tests, and for rooms that need not outlive the VM.

      {:ok, pid} = Roomfold.EventLog.Memory.start_link(name: MyLog)
      log = {Roomfold.EventLog.Memory, MyLog}

  """
  use GenServer

  alias Roomfold.{Error, EventLog, JSON}

  @behaviour EventLog

  @doc """
  A log of its own. Options are those of `GenServer.start_link/3`.

      iex> {:ok, pid} = Roomfold.EventLog.Memory.start_link()
      iex> Roomfold.EventLog.rooms({Roomfold.EventLog.Memory, pid})
      {:ok, []}
  """
  @spec start_link(GenServer.options()) :: GenServer.on_start()
  def start_link(opts \\ []), do: GenServer.start_link(__MODULE__, [], opts)

  @impl EventLog
  def claim(server, room, meta) do
    with {:ok, meta} <- as_json(meta), do: EventLog.call(server, {:claim, room, meta})
  end

  @impl EventLog
  def head(server, room), do: EventLog.call(server, {:head, room})

  @impl EventLog
  def submit(server, room, term, after_seq, records, _opts) do
    records = Enum.map(records, &IO.iodata_to_binary/1)

    if Enum.any?(records, &(&1 == "" or :binary.match(&1, ["\n", <<0>>]) != :nomatch)) do
      EventLog.answer_self({:error, Error.new(:invalid_record)})
    else
      {server, reference} = EventLog.watch(server)
      if server, do: send(server, {:append, reference, room, term, after_seq, records})
      reference
    end
  end

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
  def delete(server, room), do: EventLog.call(server, {:delete, room})

  @impl EventLog
  def verify(server, room), do: EventLog.call(server, {:verify, room})

  # What a log that writes to a disk would give back.
  defp as_json(meta) do
    with {:ok, text} <- JSON.encode(meta, impl: :elixir), do: JSON.decode(text, impl: :elixir)
  end

  # --- the process: rooms by name; records by seq; snapshots by seq

  @impl GenServer
  def init(_), do: {:ok, %{term: 0, rooms: %{}}}

  @impl GenServer
  def handle_info({:append, reference, name, term, after_seq, records}, state) do
    {answer, state} =
      change(state, name, fn room ->
        cond do
          room.term != term ->
            {:error, Error.new(:old_term)}

          room.seq != after_seq ->
            {:error, Error.new(:wrong_seq, detail: "the last is #{room.seq}")}

          true ->
            {added, seq} =
              Enum.map_reduce(records, after_seq, fn record, seq -> {{seq + 1, record}, seq + 1} end)

            {:ok, %{room | seq: seq, records: Enum.into(added, room.records)}}
        end
      end)

    send(reference, {reference, answer})
    {:noreply, state}
  end

  def handle_info(_other, state), do: {:noreply, state}

  @impl GenServer
  def handle_call({:claim, name, meta}, _from, state) do
    term = state.term + 1

    room =
      Map.get_lazy(state.rooms, name, fn ->
        %{term: 0, seq: 0, first: 1, versions: [], records: %{}, snapshots: %{}}
      end)

    room = %{room | term: term, versions: add_version(room.versions, room.seq + 1, meta)}
    {:reply, {:ok, head_of(room)}, %{state | term: term, rooms: Map.put(state.rooms, name, room)}}
  end

  def handle_call({:head, name}, _from, state) do
    room = state.rooms[name]
    {:reply, {:ok, room && head_of(room)}, state}
  end

  def handle_call({:read, name, from, to, limits}, _from, state) do
    {:reply, look(state, name, &read_piece(&1, from, to, limits)), state}
  end

  def handle_call({:put_snapshot, name, term, seq, data}, _from, state) do
    {answer, state} =
      change(state, name, fn room ->
        cond do
          room.term != term -> {:error, Error.new(:old_term)}
          seq == 0 or seq > room.seq or seq < room.first - 1 -> {:error, Error.new(:wrong_seq)}
          true -> {:ok, put_in(room.snapshots[seq], data)}
        end
      end)

    {:reply, answer, state}
  end

  def handle_call({:snapshot, name, at_most}, _from, state) do
    {:reply, look(state, name, &newest_snapshot(&1, at_most)), state}
  end

  def handle_call({:trim, name, keep_from}, _from, state) do
    {answer, state} =
      change(state, name, fn room ->
        newest = room.snapshots |> Map.keys() |> Enum.max(fn -> 0 end)
        first = max(room.first, min(keep_from, newest + 1))

        {:ok,
         %{
           room
           | first: first,
             records: Map.drop(room.records, Enum.to_list(room.first..(first - 1)//1)),
             snapshots: Map.filter(room.snapshots, fn {seq, _} -> seq >= first - 1 end)
         }}
      end)

    {:reply, answer, state}
  end

  def handle_call(:rooms, _from, state), do: {:reply, {:ok, Enum.sort(Map.keys(state.rooms))}, state}

  def handle_call({:delete, name}, _from, state) do
    {:reply, look(state, name, fn _ -> :ok end), %{state | rooms: Map.delete(state.rooms, name)}}
  end

  def handle_call({:verify, :all}, _from, state) do
    {:reply, {:ok, state.rooms |> Map.values() |> Enum.map(&map_size(&1.records)) |> Enum.sum()}, state}
  end

  def handle_call({:verify, name}, _from, state) do
    {:reply, look(state, name, &{:ok, map_size(&1.records)}), state}
  end

  defp look(state, name, fun) do
    case state.rooms do
      %{^name => room} -> fun.(room)
      _ -> {:error, Error.new(:no_room)}
    end
  end

  defp change(state, name, fun) do
    case look(state, name, fun) do
      {:ok, room} -> {:ok, put_in(state.rooms[name], room)}
      error -> {error, state}
    end
  end

  defp head_of(room) do
    {_, meta} = hd(room.versions)

    room
    |> Map.take([:term, :seq, :first])
    |> Map.merge(%{meta: meta, versions: Enum.reverse(room.versions)})
  end

  # Newest first here. One that no record was written in is replaced.
  defp add_version([{_, meta} | _] = versions, _seq, meta), do: versions
  defp add_version([{seq, _} | versions], seq, meta), do: add_version(versions, seq, meta)
  defp add_version(versions, seq, meta), do: [{seq, meta} | versions]

  defp read_piece(room, from, _to, _limits) when from < room.first,
    do: {:error, Error.new(:log_trimmed, detail: "the first is #{room.first}")}

  defp read_piece(room, from, to, limits) do
    case min(to, room.seq) do
      to when from > to -> {:ok, nil}
      to -> {:ok, collect(room.records, from, min(to, from + limits.max_events - 1), limits.max_bytes)}
    end
  end

  defp collect(records, from, to, max_bytes) do
    {lines, _, seq} =
      Enum.reduce_while(from..to, {[], 0, from - 1}, fn seq, {lines, bytes, last} ->
        line = Map.fetch!(records, seq)
        bytes = bytes + byte_size(line) + 1

        if bytes > max_bytes and lines != [],
          do: {:halt, {lines, bytes, last}},
          else: {:cont, {[[line, ?\n] | lines], bytes, seq}}
      end)

    %{text: IO.iodata_to_binary(Enum.reverse(lines)), first: from, seq: seq}
  end

  defp newest_snapshot(room, at_most) do
    case room.snapshots |> Map.keys() |> Enum.filter(&(&1 <= at_most)) do
      [] -> {:ok, nil}
      seqs -> {:ok, {Enum.max(seqs), room.snapshots[Enum.max(seqs)]}}
    end
  end
end
