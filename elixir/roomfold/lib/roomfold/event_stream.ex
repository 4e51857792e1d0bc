defmodule Roomfold.EventStream do
  @moduledoc """
  Publish and subscribe for the events of rooms: topics, and processes that subscribe to them.

  A stream is `{module, name}`: a module with this behaviour, and the name it was started with. This package has
  `Roomfold.EventStream.Local` (a Registry, for the processes of one node) and `Roomfold.EventStream.Group` (`:pg`, for those of all
  connected nodes). `Roomfold.EventStream.Conformance` tests an adapter of your own.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: MyStream)
      iex> stream = {Roomfold.EventStream.Local, MyStream}
      iex> Roomfold.EventStream.subscribe(stream, "stream:123")
      :ok
      iex> Roomfold.EventStream.broadcast(stream, "stream:123", [{"user_moved", %{"user_id" => "tom", "seq" => 1}}])
      :ok
      iex> receive do event -> event end
      {"user_moved", %{"user_id" => "tom", "seq" => 1}}

  A room publishes on the topic `topic(id)`: each event as a message of its own, `{name, payload}`, in the order of their seqs.
  """

  alias Roomfold.{Error, OptionList}
  alias Roomfold.Room.Options

  @type t :: {module, name :: atom}
  @type topic :: String.t()

  @doc "Subscribes the calling process; it gets each message once, however often this is called."
  @callback subscribe(name :: atom, topic) :: :ok | {:error, term}
  @callback unsubscribe(name :: atom, topic) :: :ok
  @doc "Sends each message, in this order, to every subscriber."
  @callback broadcast(name :: atom, topic, messages :: [term]) :: :ok | {:error, term}
  @doc """
  Whether the topic has subscribers. A room whose stream has none need not decode events to terms. A stream that can't know
  returns `true`.
  """
  @callback subscribers?(name :: atom, topic) :: boolean

  @doc """
  Like `c:broadcast/3` and `c:subscribers?/2`, but without the given process, which is a subscriber itself. Optional, both or neither: with
  them a room notices what others broadcast on its stream, and logs that it is not folded.
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
  Subscribes the calling process to a topic.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: OneStream)
      iex> Roomfold.EventStream.subscribe({Roomfold.EventStream.Local, OneStream}, "stream:123")
      :ok
      iex> Roomfold.EventStream.subscribe(OneStream, "stream:123")
      ** (ArgumentError) a stream is {module, name}, with the name it runs under, got the atom OneStream
  """
  @spec subscribe(t, topic) :: :ok | {:error, term}
  def subscribe({module, name}, topic) when is_binary(topic), do: module.subscribe(name, topic)
  def subscribe(stream, topic), do: wrong!(stream, topic)

  @doc """
  Ends the calling process's subscription to a topic.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: TwoStream)
      iex> Roomfold.EventStream.unsubscribe({Roomfold.EventStream.Local, TwoStream}, "stream:123")
      :ok
  """
  @spec unsubscribe(t, topic) :: :ok
  def unsubscribe({module, name}, topic) when is_binary(topic), do: module.unsubscribe(name, topic)
  def unsubscribe(stream, topic), do: wrong!(stream, topic)

  @doc """
  Sends each message, in this order, to every subscriber.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: SomeStream)
      iex> Roomfold.EventStream.broadcast({Roomfold.EventStream.Local, SomeStream}, "stream:123", [{"bell_rang", %{}}])
      :ok
  """
  @spec broadcast(t, topic, [term]) :: :ok | {:error, term}
  def broadcast({module, name}, topic, messages) when is_binary(topic) and is_list(messages),
    do: module.broadcast(name, topic, messages)

  def broadcast({_, _}, topic, other) when is_binary(topic),
    do: raise(ArgumentError, "what is broadcast is a list of messages, got #{Error.got(other)}")

  def broadcast(stream, topic, _), do: wrong!(stream, topic)

  @doc """
  Whether a topic has subscribers.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: HeardStream)
      iex> Roomfold.EventStream.subscribers?({Roomfold.EventStream.Local, HeardStream}, "stream:123")
      false
  """
  @spec subscribers?(t, topic) :: boolean
  def subscribers?({module, name}, topic) when is_binary(topic), do: module.subscribers?(name, topic)
  def subscribers?(stream, topic), do: wrong!(stream, topic)

  defp wrong!({_, _}, topic), do: raise(ArgumentError, "a topic is a string, got #{Error.got(topic)}")

  defp wrong!(stream, _),
    do:
      raise(
        ArgumentError,
        "a stream is {module, name}, with the name it runs under, got #{Error.got(stream)}"
      )

  @doc false
  # The options of a stream that is to be started.
  @spec name!(keyword) :: atom
  def name!(opts), do: Options.name!(OptionList.validate!(opts, [:name], "a stream")[:name])

  @doc false
  @spec not_running!(module, term) :: no_return
  def not_running!(_, name) when not is_atom(name),
    do: raise(ArgumentError, "a stream's name is an atom, got #{Error.got(name)}")

  def not_running!(module, name) do
    raise ArgumentError,
          "the stream #{inspect(name)} does not run: start {#{inspect(module)}, name: #{inspect(name)}} before what uses it"
  end

  @doc false
  # Subscribes a room to its own topic, if the stream can leave it out of its own broadcasts. Returns whether it did.
  def listen({module, name}, topic) do
    if Code.ensure_loaded?(module) and function_exported?(module, :broadcast_from, 4),
      do: module.subscribe(name, topic) == :ok,
      else: false
  end
end
