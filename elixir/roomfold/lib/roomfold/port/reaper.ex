defmodule Roomfold.Port.Reaper do
  @moduledoc false
  # Makes sure that no port program is left over. A program whose owner ends reads the end of its input, and ends too; but one that hangs, or was
  # stopped, does not. So this kills its OS process, also when the owner was killed.
  use GenServer

  def start_link(opts), do: GenServer.start_link(__MODULE__, [], opts)

  @doc "This process owns that OS process from now on (nil: none)."
  def owns(reaper, os_pid), do: GenServer.cast(reaper, {:owns, self(), os_pid})

  @doc "Kills an OS process, and forgets it: another process may get its number soon."
  def finish(reaper, os_pid), do: GenServer.cast(reaper, {:finish, self(), os_pid})

  @impl true
  def init([]) do
    Process.flag(:trap_exit, true)
    {:ok, %{}}
  end

  @impl true
  def handle_cast({:owns, owner, os_pid}, owners) do
    {monitor, _} = Map.get_lazy(owners, owner, fn -> {Process.monitor(owner), nil} end)
    {:noreply, Map.put(owners, owner, {monitor, os_pid})}
  end

  def handle_cast({:finish, owner, os_pid}, owners) do
    kill(os_pid)

    case owners do
      %{^owner => {monitor, ^os_pid}} -> {:noreply, %{owners | owner => {monitor, nil}}}
      _ -> {:noreply, owners}
    end
  end

  @impl true
  def handle_info({:DOWN, _, :process, owner, _}, owners) do
    {{_, os_pid}, owners} = Map.pop(owners, owner, {nil, nil})
    kill(os_pid)
    {:noreply, owners}
  end

  def handle_info(_, owners), do: {:noreply, owners}

  @impl true
  def terminate(_, owners), do: for({_, {_, os_pid}} <- owners, do: kill(os_pid))

  # The shell's built-in kill, so that nothing else has to be installed.
  defp kill(nil), do: :ok
  defp kill(os_pid), do: :os.cmd(~c"kill -9 #{os_pid} 2>/dev/null")
end
