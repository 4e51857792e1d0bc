defmodule Roomfold.Rooms.Own do
  @moduledoc false
  # What rooms of a place were given besides the place's options, so that one that stopped comes back as it was. For as long as the place
  # lives on this node, and for so many rooms and bytes at most: then those are forgotten that were given longest ago.
  use GenServer

  alias Roomfold.Timer

  @most_rooms 10_000
  @most_bytes 67_108_864

  def start_link(rooms), do: GenServer.start_link(__MODULE__, rooms, name: name(rooms))

  @doc "Remembers a room's options, in place of those it had."
  def put(rooms, id, opts), do: GenServer.call(name(rooms), {:put, id, opts}, Timer.call_ms())

  @doc "What it was given, [] if nothing is known."
  def get(rooms, id) do
    case :ets.lookup(name(rooms), id) do
      [{_, _, _, opts}] -> opts
      [] -> []
    end
  end

  @doc "Forgets them."
  def delete(rooms, id), do: GenServer.call(name(rooms), {:delete, id}, Timer.call_ms())

  defp name(rooms), do: Module.concat(rooms, Own)

  # table: {id, number, bytes, options}; order: {number, id}, the oldest first; bytes: of all
  @impl true
  def init(rooms) do
    table = :ets.new(name(rooms), [:named_table, read_concurrency: true])
    {:ok, %{table: table, order: :ets.new(:order, [:ordered_set, :private]), bytes: 0}}
  end

  @impl true
  def handle_call({:put, id, opts}, _, state) do
    state = forget(state, id)
    number = System.unique_integer([:monotonic])
    bytes = :erlang.external_size(opts)
    :ets.insert(state.table, {id, number, bytes, opts})
    :ets.insert(state.order, {number, id})
    {:reply, :ok, limit(%{state | bytes: state.bytes + bytes})}
  end

  def handle_call({:delete, id}, _, state), do: {:reply, :ok, forget(state, id)}

  defp forget(state, id) do
    case :ets.take(state.table, id) do
      [{_, number, bytes, _}] ->
        :ets.delete(state.order, number)
        %{state | bytes: state.bytes - bytes}

      [] ->
        state
    end
  end

  defp limit(state) do
    if full?(state) do
      [{_, id}] = :ets.lookup(state.order, :ets.first(state.order))
      limit(forget(state, id))
    else
      state
    end
  end

  # The table's memory is without the larger binaries, which it shares with others; as bytes, other terms are smaller than they are there.
  defp full?(%{table: table, bytes: bytes}) do
    :ets.info(table, :size) > @most_rooms or bytes > @most_bytes or
      (:ets.info(table, :memory) * :erlang.system_info(:wordsize) > @most_bytes and
         :ets.info(table, :size) > 0)
  end
end
