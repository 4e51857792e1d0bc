defmodule Xr.Names do
  @moduledoc """
  Whose a name is: whoever's who took it first, as long as one of his connections has it, and for a time of grace to come back.

  An owner is a browser, known by its signed session cookie, or a token's user. There is no registration here, but nobody can speak in
  another one's name.
  """
  use GenServer

  def start_link(opts), do: GenServer.start_link(__MODULE__, opts, name: __MODULE__)

  @doc "Takes a name for the calling process, whose owner may have it already."
  @spec claim(name :: String.t(), owner :: term) :: :ok | {:error, :taken | :invalid}
  def claim(name, owner) do
    if valid?(name), do: GenServer.call(__MODULE__, {:claim, name, owner, self()}), else: {:error, :invalid}
  end

  defp valid?(name) do
    is_binary(name) and byte_size(name) in 1..64 and String.printable?(name) and
      String.downcase(name) not in ["system", "server", "arena"]
  end

  # names: name → {owner, how many connections}; of: monitor → name
  @impl true
  def init(opts), do: {:ok, %{names: %{}, of: %{}, grace_ms: Keyword.get(opts, :grace_ms, 5_000)}}

  @impl true
  def handle_call({:claim, name, owner, pid}, _, state) do
    case state.names[name] do
      {other, _} when other != owner -> {:reply, {:error, :taken}, state}
      known -> {:reply, :ok, take(state, name, owner, known, pid)}
    end
  end

  defp take(state, name, owner, known, pid) do
    count = if known, do: elem(known, 1), else: 0
    names = Map.put(state.names, name, {owner, count + 1})
    %{state | names: names, of: Map.put(state.of, Process.monitor(pid), name)}
  end

  @impl true
  def handle_info({:DOWN, monitor, _, _, _}, state) do
    {name, of} = Map.pop!(state.of, monitor)
    names = Map.update!(state.names, name, fn {owner, count} -> {owner, count - 1} end)
    Process.send_after(self(), {:free, name}, state.grace_ms)
    {:noreply, %{state | names: names, of: of}}
  end

  # If nobody has come back.
  def handle_info({:free, name}, state) do
    case state.names do
      %{^name => {_, 0}} -> {:noreply, %{state | names: Map.delete(state.names, name)}}
      _ -> {:noreply, state}
    end
  end
end
