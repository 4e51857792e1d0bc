defmodule Roomfold.EventLog.Memory.Ledger do
  @moduledoc false
  # A log as data; the process around it is Roomfold.EventLog.Memory, or a simulator.
  #
  # rooms by name; records by seq; snapshots by seq

  alias Roomfold.Error

  defstruct term: 0, rooms: %{}

  @doc "Returns {answer, ledger}."
  def call(ledger, {:append, name, term, after_seq, records}) do
    change(ledger, name, fn room ->
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
  end

  def call(ledger, {:claim, name, meta, over}) do
    room =
      Map.get_lazy(ledger.rooms, name, fn ->
        %{term: 0, seq: 0, first: 1, versions: [], records: %{}, snapshots: %{}}
      end)

    if over in [:any, room.term] do
      term = ledger.term + 1
      room = %{room | term: term, versions: add_version(room.versions, room.seq + 1, meta)}
      {{:ok, head_of(room)}, %{ledger | term: term, rooms: Map.put(ledger.rooms, name, room)}}
    else
      {{:error, Error.new(:old_term)}, ledger}
    end
  end

  def call(ledger, {:put_snapshot, name, term, seq, data}) do
    change(ledger, name, fn room ->
      cond do
        room.term != term -> {:error, Error.new(:old_term)}
        seq == 0 or seq > room.seq or seq < room.first - 1 -> {:error, Error.new(:wrong_seq)}
        true -> {:ok, put_in(room.snapshots[seq], data)}
      end
    end)
  end

  def call(ledger, {:trim, name, keep_from}) do
    change(ledger, name, fn room ->
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
  end

  def call(ledger, {:delete, name, over}) do
    allowed = fn room -> if over in [:any, room.term], do: :ok, else: {:error, Error.new(:old_term)} end

    case look(ledger, name, allowed) do
      :ok -> {:ok, %{ledger | rooms: Map.delete(ledger.rooms, name)}}
      error -> {error, ledger}
    end
  end

  def call(ledger, question), do: {ask(ledger, question), ledger}

  defp ask(ledger, {:head, name}) do
    room = ledger.rooms[name]
    {:ok, room && head_of(room)}
  end

  defp ask(ledger, {:read, name, from, to, limits}), do: look(ledger, name, &read_piece(&1, from, to, limits))
  defp ask(ledger, {:snapshot, name, at_most}), do: look(ledger, name, &newest_snapshot(&1, at_most))
  defp ask(ledger, :rooms), do: {:ok, Enum.sort(Map.keys(ledger.rooms))}

  defp ask(ledger, {:verify, :all}),
    do: {:ok, ledger.rooms |> Map.values() |> Enum.map(&map_size(&1.records)) |> Enum.sum()}

  defp ask(ledger, {:verify, name}), do: look(ledger, name, &{:ok, map_size(&1.records)})

  defp look(ledger, name, fun) do
    case ledger.rooms do
      %{^name => room} -> fun.(room)
      _ -> {:error, Error.new(:no_room)}
    end
  end

  defp change(ledger, name, fun) do
    case look(ledger, name, fun) do
      {:ok, room} -> {:ok, put_in(ledger.rooms[name], room)}
      error -> {error, ledger}
    end
  end

  defp head_of(room) do
    {_, meta} = hd(room.versions)

    room
    |> Map.take([:term, :seq, :first])
    |> Map.merge(%{meta: meta, versions: Enum.reverse(room.versions)})
  end

  # Newest first. A version without a record is replaced.
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
