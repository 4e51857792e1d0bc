defmodule Roomfold.Simulator.Link do
  @moduledoc """
  What a `Roomfold.Session` of the simulated cluster does to the world outside it. Which client's session is at work is in the process dictionary.
  """
  @behaviour Roomfold.Session.Link

  alias Roomfold.{Error, Simulator}
  alias Roomfold.Room.{Inbox, Text}
  alias Roomfold.Simulator.{Client, Host, Put}

  import Simulator, only: [connected?: 2, get: 0]

  @impl true
  def join(id, user, opts) do
    key = Client.me()
    node = Client.node_of(key)

    with {:ok, room} <- Host.fetch(node, id),
         :ok <- answers(room, node),
         :ok <- Host.ask_log(room, Map.new(opts)) do
      watcher = get().number
      Simulator.update(&%{&1 | number: watcher + 1})
      Process.put({__MODULE__, :watcher}, watcher)
      {:ok, Host.join(room, key, user, Map.new(opts), watcher)}
    end
  end

  @impl true
  def leave(key), do: with({:ok, room} <- room(key), do: Host.leave(room, Client.me()))

  @impl true
  def catch_up(key, from, format),
    do: with({:ok, room} <- room(key), do: {:ok, Host.catch_up(room, from, format)})

  @impl true
  def publish(to, events, sender, _now) do
    reference = get().number
    Simulator.update(&%{&1 | number: reference + 1})
    hand_over(to, reference, sender, events)
    reference
  end

  defp hand_over({_, %Inbox{}} = to, reference, sender, events) do
    {:ok, texts} = Text.for_inbox(events, Host.implementation())
    Put.start(Client.me(), to, reference, sender, texts)
  end

  defp hand_over(key, reference, sender, events) do
    {:ok, texts} = Text.events(events, Host.implementation())

    with %{node: node} <- get().rooms[key] do
      event = {:room, key, {:publish, Client.me(), reference, sender, texts}}
      Simulator.message(Client.node_of(Client.me()), node, Enum.random(1..12), event)
    end
  end

  # `join` has watched it already, so that nothing gets between the two.
  @impl true
  def monitor(_key), do: Process.get({__MODULE__, :watcher})
  @impl true
  def demonitor(_watcher), do: true
  @impl true
  def now, do: Simulator.now()

  @impl true
  def later(message, milliseconds) do
    key = Client.me()

    Simulator.later_on(
      Client.node_of(key),
      milliseconds,
      {:client, key, {:session, nil, {:message, message}}}
    )
  end

  defp room(key) do
    case get().rooms[key] do
      nil -> {:error, Error.new(:room_closed)}
      room -> with :ok <- answers(room, Client.node_of(Client.me())), do: {:ok, room}
    end
  end

  defp answers(%{moves?: true}, _), do: {:error, Error.new(:room_closed)}

  defp answers(room, node) do
    if connected?(room.node, node) and not Simulator.frozen?(room.node),
      do: :ok,
      else: {:error, Error.new(:overloaded, detail: "no answer")}
  end
end
