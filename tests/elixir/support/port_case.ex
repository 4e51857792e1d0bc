defmodule Roomfold.PortCase do
  @moduledoc false
  # A pool of each test's own, and signals to its programs.
  use ExUnit.CaseTemplate

  alias Roomfold.World

  defmodule Pool do
    @moduledoc false
    use Roomfold.Port, size: 1
  end

  using do
    quote do
      import Roomfold.Eventually
      import Roomfold.PortCase
      alias Roomfold.PortCase.Pool
      alias Roomfold.{Error, World}
      @moduletag :capture_log
    end
  end

  @doc "Starts the pool: one program, unless the options say else."
  def start_pool(opts \\ []), do: start_supervised!({Pool, opts})

  def os_pid, do: hd(Roomfold.Port.info(Pool)).os_pid

  @doc "A shell that sends signals, and says when it has."
  def killer, do: Port.open({:spawn_executable, System.find_executable("sh")}, [:binary, :stream, args: []])

  def signal(killer, name, os_pid) do
    Port.command(killer, "kill -#{name} #{os_pid}; echo\n")

    receive do
      {^killer, {:data, _}} -> :ok
    end
  end

  def signal(name, os_pid) do
    {_, _} = System.cmd("sh", ["-c", "kill -#{name} #{os_pid}"], stderr_to_stdout: true)
    :ok
  end

  @doc "Whether the OS process ends, soon."
  def gone?(os_pid, tries \\ 3_000) do
    {_, status} = System.cmd("sh", ["-c", "kill -0 #{os_pid}"], stderr_to_stdout: true)

    cond do
      status != 0 or zombie?(os_pid) ->
        true

      tries == 0 ->
        false

      true ->
        Process.sleep(10)
        gone?(os_pid, tries - 1)
    end
  end

  # It has ended, and only its number is left until its parent asks.
  defp zombie?(os_pid) do
    case File.read("/proc/#{os_pid}/stat") do
      {:ok, stat} -> stat =~ ~r/\) Z /
      _ -> false
    end
  end

  @doc "KB of memory that an OS process has, or nil where nobody says."
  def memory(os_pid) do
    with {:ok, status} <- File.read("/proc/#{os_pid}/status"),
         [_, kb] <- Regex.run(~r/VmRSS:\s+(\d+) kB/, status),
         do: String.to_integer(kb),
         else: (_ -> nil)
  end

  @doc "Batches that create, change and delete, so that handles get free and are used again."
  def batch(number, size \\ 20) do
    for i <- 1..size do
      id = "e#{:erlang.phash2({number, i}, 50)}"

      case :erlang.phash2({i, number}, 10) do
        0 ->
          {"delete", %{"entity_id" => id}}

        k when k < 4 ->
          {"create",
           %{
             "entity_id" => id,
             "components" => %{"position" => [i, number * 0.1, 1], "kind" => "bat", "n" => number}
           }}

        _ ->
          {"update", %{"entity_id" => id, "components" => %{"health" => number, "tags" => ["a", i]}}}
      end
    end
  end

  def json(events) do
    text =
      Enum.map_join(events, "\n", fn {name, payload} ->
        Roomfold.JSON.encode!(Map.put(payload, "event", name))
      end)

    {:json, text}
  end

  def packed(events), do: {:packed, elem(Roomfold.Wire.encode_events(events, []), 1)}

  @doc "The same state, to the byte, and the same order in what is encoded."
  def same?(a, b) do
    World.seq(a) == World.seq(b) and World.snapshot(a) === World.snapshot(b) and
      World.encode!(a, :snapshot, :packed) == World.encode!(b, :snapshot, :packed)
  end
end
