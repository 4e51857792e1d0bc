defmodule Xr.Names do
  @moduledoc """
  Whose a name is: whoever took it first. There is no registration here, but nobody can speak in another one's name.

  An owner is a browser, known by its signed session cookie, or a token's user. A name that nobody has used for an hour is free again.
  """
  use GenServer

  @max 10_000
  @free_after_ms 3_600_000

  def start_link(opts \\ []), do: GenServer.start_link(__MODULE__, opts, name: __MODULE__)

  @doc "Takes a name for somebody who may have it already."
  @spec claim(name :: String.t(), owner :: term) :: :ok | {:error, :taken | :invalid | :full}
  def claim(name, owner) do
    if valid?(name), do: GenServer.call(__MODULE__, {:claim, name, owner}), else: {:error, :invalid}
  end

  defp valid?(name) do
    is_binary(name) and byte_size(name) in 1..64 and String.printable?(name) and
      String.downcase(name) not in ["system", "server", "arena"]
  end

  @impl true
  def init(opts), do: {:ok, %{names: %{}, free_after: Keyword.get(opts, :free_after_ms, @free_after_ms)}}

  @impl true
  def handle_call({:claim, name, owner}, _, state) do
    now = System.monotonic_time(:millisecond)
    state = if map_size(state.names) >= @max, do: forget(state, now), else: state

    case state.names[name] do
      {other, at} when other != owner and now - at < state.free_after -> {:reply, {:error, :taken}, state}
      nil when map_size(state.names) >= @max -> {:reply, {:error, :full}, state}
      _ -> {:reply, :ok, put_in(state.names[name], {owner, now})}
    end
  end

  defp forget(state, now) do
    %{state | names: Map.filter(state.names, fn {_, {_, at}} -> now - at < state.free_after end)}
  end
end
