defmodule Roomfold.EventStream.Local do
  @moduledoc """
  Sends events to the processes of one node, with a Registry. That links each subscriber to it: one that does not trap exits ends with it, and so
  subscribes again where its supervisor restarts it.

      iex> {:ok, pid} = Roomfold.EventStream.Local.start_link(name: LocalStream)
      iex> Process.alive?(pid)
      true
  """
  alias Roomfold.EventStream

  @behaviour EventStream

  @doc false
  def child_spec(opts) do
    %{id: {__MODULE__, opts[:name]}, start: {__MODULE__, :start_link, [opts]}, type: :supervisor}
  end

  @doc """
  Starts it under a `:name`.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: BusyStream)
      iex> Roomfold.EventStream.subscribers?({Roomfold.EventStream.Local, BusyStream}, "stream:1")
      false
  """
  @spec start_link(keyword) :: {:ok, pid} | {:error, term}
  def start_link(opts), do: Registry.start_link(keys: :duplicate, name: EventStream.name!(opts))

  @impl true
  def subscribe(name, topic) do
    unless self() in pids(name, topic), do: {:ok, _} = Registry.register(name, topic, nil)
    :ok
  end

  @impl true
  def unsubscribe(name, topic), do: running(name, fn -> Registry.unregister(name, topic) end)

  @impl true
  def broadcast(name, topic, messages) do
    for pid <- pids(name, topic), message <- messages, do: send(pid, message)
    :ok
  end

  @impl true
  def broadcast_from(name, from, topic, messages) do
    for pid <- pids(name, topic), pid != from, message <- messages, do: send(pid, message)
    :ok
  end

  @impl true
  def others?(name, than, topic), do: Enum.any?(pids(name, topic), &(&1 != than))

  @impl true
  def subscribers?(name, topic), do: pids(name, topic) != []

  defp pids(name, topic), do: running(name, fn -> for {pid, _} <- Registry.lookup(name, topic), do: pid end)

  defp running(name, _) when not is_atom(name), do: EventStream.not_running!(__MODULE__, name)

  defp running(name, ask) do
    ask.()
  rescue
    error in ArgumentError ->
      if Process.whereis(name),
        do: reraise(error, __STACKTRACE__),
        else: EventStream.not_running!(__MODULE__, name)
  end
end
