defmodule Roomfold.Gathering do
  @moduledoc false
  # A process, here or on another node, that subscribes to a stream and keeps what comes.

  @doc "Starts one that outlives who started it."
  def start(stream, topic) do
    parent = self()

    pid =
      spawn(fn ->
        :ok = Roomfold.EventStream.subscribe(stream, topic)
        send(parent, {self(), :subscribed})
        gather([])
      end)

    receive do: ({^pid, :subscribed} -> pid)
  end

  defp gather(events) do
    receive do
      {:ask, from} ->
        send(from, {self(), Enum.reverse(events)})
        gather(events)

      event ->
        gather([event | events])
    end
  end

  @doc "What has come so far; from the same node."
  def gathered(pid) do
    send(pid, {:ask, self()})
    receive do: ({^pid, events} -> events)
  end
end
