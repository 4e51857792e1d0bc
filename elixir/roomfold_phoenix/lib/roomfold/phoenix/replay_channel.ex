defmodule Roomfold.Phoenix.ReplayChannel do
  @moduledoc """
  A channel that plays a recording, or a room's log, to one client.

      defmodule XrWeb.ReplayChannel do
        use XrWeb, :channel
        use Roomfold.Phoenix.ReplayChannel, rooms: Xr.Rooms
      end

  and in the socket, `channel "replay:*", XrWeb.ReplayChannel`. The client joins and reads it like a room, and may also push `pause`, `resume`,
  `seek` (`{"seq": n}` or `{"ms": n}`), `speed` (`{"speed": n}`) and `info`. Each reply contains the new position.

  The options are those of `Roomfold.Phoenix.Channel`, except `:presence`. The overridable functions are the same, where the room is the one
  that is played back, and also

      def replay(room, opts), do: Roomfold.Room.replay(room, opts)

  which starts the replay, linked to the channel: `{:ok, pid}` or `{:error, error}`. For a recording call `Roomfold.Replay.start_link/1`.
  """

  alias Roomfold.Phoenix.Channel
  alias Roomfold.{Error, Replay, Session}

  defmacro __using__(opts) do
    quote do
      use Roomfold.Phoenix.Channel, Roomfold.Phoenix.Channel.options!(unquote(opts), [])

      @doc false
      def room("replay:" <> id, _socket), do: {Keyword.get(@roomfold, :rooms, Roomfold.Rooms), id}
      @doc false
      def replay(room, opts), do: Roomfold.Room.replay(room, opts)

      @impl true
      def join(topic, params, socket),
        do: Roomfold.Phoenix.ReplayChannel.join(__MODULE__, @roomfold, topic, params, socket)

      @impl true
      def handle_in(event, payload, socket),
        do: Roomfold.Phoenix.ReplayChannel.handle_in(event, payload, socket)

      defoverridable room: 2, replay: 2, join: 3, handle_in: 3
    end
  end

  @doc false
  def join(module, opts, topic, params, socket) do
    params = if is_map(params), do: params, else: %{}

    with {:ok, user, room, session, socket} <- Channel.admit(module, opts, topic, params, socket),
         {:ok, replay} <- start(module, room, paused: params["paused"] == true),
         session = Session.new([room: replay, user: user] ++ session),
         {:ok, reply, socket} <- Channel.enter(session, nil, params, socket) do
      {:ok, Map.put(reply, "replay", Replay.where(replay)), Phoenix.Socket.assign(socket, :replay, replay)}
    end
  end

  defp start(module, room, opts) do
    case module.replay(room, opts) do
      {:ok, replay} -> {:ok, replay}
      {:error, %Error{} = error} -> {:error, Session.reason(error)}
    end
  end

  @doc false
  def handle_in(event, payload, socket) do
    case Replay.control(socket.assigns.replay, event, payload) do
      :ignore -> Channel.handle_in(event, payload, socket)
      {:ok, where} -> reply(:ok, where, socket)
      {:error, error} -> reply(:error, Session.reason(error), socket)
    end
  end

  defp reply(status, payload, socket),
    do: Channel.answer({[{:reply, Channel.ref(socket), status, payload}], socket.assigns.roomfold}, socket)
end
