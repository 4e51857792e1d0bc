defmodule Roomfold.EventStream do
  @moduledoc """
  Who carries the events of rooms: topics, and processes that subscribe to them.

  A stream is `{module, name}`, a module with this behaviour and what it was started as. In this package there are
  `Roomfold.EventStream.Local` (a Registry; the processes of one node) and `Roomfold.EventStream.Group` (`:pg`; of all
  connected nodes). `Roomfold.EventStream.Conformance` tests an adapter of your own.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: MyStream)
      iex> stream = {Roomfold.EventStream.Local, MyStream}
      iex> Roomfold.EventStream.subscribe(stream, "stream:123")
      :ok
      iex> Roomfold.EventStream.broadcast(stream, "stream:123", [{"user_moved", %{"user_id" => "tom", "seq" => 1}}])
      :ok
      iex> receive do event -> event end
      {"user_moved", %{"user_id" => "tom", "seq" => 1}}

  A room publishes on `topic/1` of its id: each event as a message of its own, `{name, payload}`, in the order of their seqs.
  """

  @type t :: {module, name :: atom}
  @type topic :: String.t()

  @doc "Makes the calling process a subscriber; once, however often it is called."
  @callback subscribe(name :: atom, topic) :: :ok | {:error, term}
  @callback unsubscribe(name :: atom, topic) :: :ok
  @doc "Sends each message, in this order, to every subscriber."
  @callback broadcast(name :: atom, topic, messages :: [term]) :: :ok | {:error, term}
  @doc """
  Whether anybody would get a message. A room whose stream has no subscribers need not make terms of events. A carrier
  that can't know answers `true`.
  """
  @callback subscribers?(name :: atom, topic) :: boolean

  @doc """
  As `c:broadcast/3` and `c:subscribers?/2`, for a process that is a subscriber itself and does not count. Optional, both or neither: with
  them a room hears what others broadcast on its stream, and says that it is not folded.
  """
  @callback broadcast_from(name :: atom, pid, topic, messages :: [term]) :: :ok | {:error, term}
  @callback others?(name :: atom, pid, topic) :: boolean
  @optional_callbacks broadcast_from: 4, others?: 3

  @doc """
  The topic of a room's events.

      iex> Roomfold.EventStream.topic("123")
      "stream:123"
  """
  @spec topic(room :: String.t()) :: topic
  def topic(room) when is_binary(room), do: "stream:" <> room

  @doc """
  Makes the calling process a subscriber.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: OneStream)
      iex> Roomfold.EventStream.subscribe({Roomfold.EventStream.Local, OneStream}, "stream:123")
      :ok
  """
  @spec subscribe(t, topic) :: :ok | {:error, term}
  def subscribe({module, name}, topic) when is_binary(topic), do: module.subscribe(name, topic)

  @doc """
  The calling process gets no more messages of this topic.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: TwoStream)
      iex> Roomfold.EventStream.unsubscribe({Roomfold.EventStream.Local, TwoStream}, "stream:123")
      :ok
  """
  @spec unsubscribe(t, topic) :: :ok
  def unsubscribe({module, name}, topic) when is_binary(topic), do: module.unsubscribe(name, topic)

  @doc """
  Sends each message, in this order, to every subscriber.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: SomeStream)
      iex> Roomfold.EventStream.broadcast({Roomfold.EventStream.Local, SomeStream}, "stream:123", [{"bell_rang", %{}}])
      :ok
  """
  @spec broadcast(t, topic, [term]) :: :ok | {:error, term}
  def broadcast({module, name}, topic, messages) when is_binary(topic) and is_list(messages),
    do: module.broadcast(name, topic, messages)

  @doc """
  Whether anybody would get a message.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: HeardStream)
      iex> Roomfold.EventStream.subscribers?({Roomfold.EventStream.Local, HeardStream}, "stream:123")
      false
  """
  @spec subscribers?(t, topic) :: boolean
  def subscribers?({module, name}, topic), do: module.subscribers?(name, topic)

  @doc false
  # For the room whose stream it is: whether it can hear what others broadcast there.
  def listen({module, name}, topic) do
    if Code.ensure_loaded?(module) and function_exported?(module, :broadcast_from, 4),
      do: module.subscribe(name, topic) == :ok,
      else: false
  end
end
