defmodule Roomfold.KilledVM do
  @moduledoc "A script in a VM of its own, which says `pid` and its number first, and is killed while it works."

  @doc """
  Runs a program with its arguments to its end, or kills it (-9) so many milliseconds after the first line for which `begins?` is true. Returns
  the lines that it printed, without that of its pid, and its exit status. What it was about to say when it was killed is left out.
  """
  @spec run([String.t()], non_neg_integer | nil, (String.t() -> boolean)) :: {[String.t()], non_neg_integer}
  def run([program | arguments], kill_after, begins?) do
    port = Port.open({:spawn_executable, program}, [:binary, :exit_status, line: 1_000, args: arguments])
    listen(%{port: port, os_pid: nil, kill_after: kill_after, begins?: begins?}, [])
  end

  @doc "The command that runs a script with the code of this VM."
  @spec elixir([String.t()]) :: [String.t()]
  def elixir([_script | _] = arguments) do
    ebin = Path.dirname(to_string(:code.which(Roomfold)))
    [System.find_executable("elixir"), "--erl", "+fnu", "-pa", ebin | arguments]
  end

  defp listen(%{port: port} = vm, said) do
    receive do
      {^port, {:data, {:eol, "pid " <> os_pid = line}}} ->
        listen(begun(%{vm | os_pid: os_pid}, line), said)

      {^port, {:data, {:eol, line}}} ->
        listen(begun(vm, line), [line | said])

      {^port, {:data, {:noeol, _}}} ->
        listen(vm, said)

      {:kill, ^port} ->
        {_, 0} = System.cmd("kill", ["-9", vm.os_pid])
        listen(vm, said)

      {^port, {:exit_status, status}} ->
        {Enum.reverse(said), status}
    end
  end

  defp begun(%{kill_after: nil} = vm, _), do: vm

  defp begun(vm, line) do
    if vm.begins?.(line) do
      Process.send_after(self(), {:kill, vm.port}, vm.kill_after)
      %{vm | kill_after: nil}
    else
      vm
    end
  end
end
