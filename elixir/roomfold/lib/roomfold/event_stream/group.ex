defmodule Roomfold.EventStream.Group do
  @moduledoc """
  Sends events to the processes of all connected nodes, with a scope of `:pg`. It must run under the same name on each of
  them.

      iex> {:ok, pid} = Roomfold.EventStream.Group.start_link(name: MyGroup)
      iex> Process.alive?(pid)
      true
  """
  alias Roomfold.EventStream

  @behaviour EventStream

  @doc false
  def child_spec(opts), do: %{id: {__MODULE__, opts[:name]}, start: {__MODULE__, :start_link, [opts]}}

  @doc """
  Starts it under a `:name`.

      iex> {:ok, _} = Roomfold.EventStream.Group.start_link(name: NodesGroup)
      iex> Roomfold.EventStream.subscribers?({Roomfold.EventStream.Group, NodesGroup}, "stream:1")
      false
  """
  @spec start_link(keyword) :: {:ok, pid} | {:error, term}
  def start_link(opts), do: :pg.start_link(EventStream.name!(opts))

  @impl true
  def subscribe(name, topic) do
    runs!(name)
    if self() in :pg.get_local_members(name, topic), do: :ok, else: :pg.join(name, topic, self())
  end

  @impl true
  def unsubscribe(name, topic) do
    runs!(name)
    :pg.leave(name, topic, self())
    :ok
  end

  # Messages of one broadcast arrive in order: Erlang keeps the order between two processes, and all come from the caller.
  @impl true
  def broadcast(name, topic, messages) do
    for pid <- members(name, topic), message <- messages, do: send(pid, message)
    :ok
  end

  @impl true
  def broadcast_from(name, from, topic, messages) do
    for pid <- members(name, topic), pid != from, message <- messages, do: send(pid, message)
    :ok
  end

  @impl true
  def others?(name, than, topic), do: Enum.any?(members(name, topic), &(&1 != than))

  @impl true
  def subscribers?(name, topic), do: members(name, topic) != []

  # Of a scope that does not run, :pg says that it has no members.
  defp members(name, topic) do
    with [] <- :pg.get_members(name, topic) do
      runs!(name)
      []
    end
  end

  # A scope has a table of its name. Another process of this name would be asked what it does not understand, and might end.
  defp runs!(name) do
    pid = is_atom(name) && Process.whereis(name)
    unless pid && :ets.info(name, :owner) == pid, do: EventStream.not_running!(__MODULE__, name)
  end
end
