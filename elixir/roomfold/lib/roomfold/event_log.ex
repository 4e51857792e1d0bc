defmodule Roomfold.EventLog do
  @moduledoc """
  Who keeps the events of rooms. (The behaviour and its facade.)
  """
  alias Roomfold.Error

  @type log :: {module, GenServer.server()}
  @type room :: String.t()
  @type head :: %{term: non_neg_integer, seq: non_neg_integer, meta: map}

  def claim({module, server}, room, meta), do: module.claim(server, room, meta)
  def head({module, server}, room), do: module.head(server, room)

  def submit({module, server}, room, term, after_seq, records, opts \\ []),
    do: module.submit(server, room, term, after_seq, records, opts)

  def append(log, room, term, after_seq, records) do
    ref = submit(log, room, term, after_seq, records)

    receive do
      {^ref, answer} ->
        Process.demonitor(ref, [:flush])
        answer

      {:DOWN, ^ref, _, _, reason} ->
        {:error, Error.new(:log_failed, detail: inspect(reason))}
    end
  end

  def read({module, server}, room, from, to, opts \\ []), do: module.read(server, room, from, to, opts)

  def put_snapshot({module, server}, room, term, seq, binary),
    do: module.put_snapshot(server, room, term, seq, binary)

  def snapshot({module, server}, room, at_most), do: module.snapshot(server, room, at_most)
end
