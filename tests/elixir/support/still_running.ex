defmodule Roomfold.StillRunning do
  @moduledoc false
  # A formatter of ExUnit beside its own: says which tests run for minutes, so that one that hangs, and takes the whole run with it, has a name.

  use GenServer

  @minute 60_000

  def init(_) do
    Process.send_after(self(), :look, @minute)
    {:ok, %{}}
  end

  def handle_cast({:module_started, module}, running), do: {:noreply, Map.put(running, module.name, now())}
  def handle_cast({:module_finished, module}, running), do: {:noreply, Map.delete(running, module.name)}
  def handle_cast({:test_started, test}, running), do: {:noreply, Map.put(running, key(test), now())}
  def handle_cast({:test_finished, test}, running), do: {:noreply, Map.delete(running, key(test))}
  def handle_cast(_, running), do: {:noreply, running}

  def handle_info(:look, running) do
    Process.send_after(self(), :look, @minute)
    for {what, since} <- running, ms = now() - since, ms > 2 * @minute, do: say(what, div(ms, 1_000))
    {:noreply, running}
  end

  defp say({module, test}, s), do: IO.puts("\nstill running after #{s} s: #{test} (#{inspect(module)})")
  # Of its tests, or its setup_all.
  defp say(module, s), do: IO.puts("\nstill running after #{s} s: #{inspect(module)}")

  defp key(test), do: {test.module, test.name}
  defp now, do: System.monotonic_time(:millisecond)
end
