defmodule Xr.Names do
  @moduledoc """
  Owners of names. A name belongs to the owner that took it first, as long as one of its connections uses it, and for a time of grace after that.

  An owner is a browser, known by its signed session cookie, or a token's user. There is no registration here, but no user can publish under
  the name of another one. Ids of the level's own entities (`imp-1`, `sector-68`) can't be taken.
  """
  use GenServer

  alias Roomfold.Gateway.Arena

  def start_link(opts), do: GenServer.start_link(__MODULE__, opts, name: __MODULE__)

  @doc "Takes a name for the calling process, whose owner may have it already."
  @spec claim(name :: String.t(), owner :: term) :: :ok | {:error, :taken | :invalid}
  def claim(name, owner) do
    if valid?(name), do: GenServer.call(__MODULE__, {:claim, name, owner, self()}), else: {:error, :invalid}
  end

  defp valid?(name) do
    is_binary(name) and byte_size(name) in 1..64 and String.printable?(name) and
      String.downcase(name) not in ["system", "server", "arena"] and not Arena.reserved?(name)
  end

  # names: name → {owner, how many connections, a ref of this absence if there are none}; of: monitor → name
  @impl true
  def init(opts), do: {:ok, %{names: %{}, of: %{}, grace_ms: Keyword.get(opts, :grace_ms, 5_000)}}

  @impl true
  def handle_call({:claim, name, owner, pid}, _, state) do
    case state.names[name] do
      {other, _, _} when other != owner -> {:reply, {:error, :taken}, state}
      known -> {:reply, :ok, take(state, name, owner, known, pid)}
    end
  end

  defp take(state, name, owner, known, pid) do
    count = if known, do: elem(known, 1), else: 0
    names = Map.put(state.names, name, {owner, count + 1, nil})
    %{state | names: names, of: Map.put(state.of, Process.monitor(pid), name)}
  end

  @impl true
  def handle_info({:DOWN, monitor, _, _, _}, state) do
    {name, of} = Map.pop!(state.of, monitor)
    {:noreply, %{state | names: Map.update!(state.names, name, &gone(&1, name, state)), of: of}}
  end

  # If the owner has not come back; an owner that came back and left again has another time of grace.
  def handle_info({:free, name, away}, state) do
    case state.names do
      %{^name => {_, 0, ^away}} -> {:noreply, %{state | names: Map.delete(state.names, name)}}
      _ -> {:noreply, state}
    end
  end

  defp gone({owner, 1, nil}, name, state) do
    away = make_ref()
    Process.send_after(self(), {:free, name, away}, state.grace_ms)
    {owner, 0, away}
  end

  defp gone({owner, count, nil}, _, _), do: {owner, count - 1, nil}
end
