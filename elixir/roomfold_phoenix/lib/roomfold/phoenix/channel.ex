defmodule Roomfold.Phoenix.Channel do
  @moduledoc """
  A channel that connects a client to a room: a thin layer over `Roomfold.Session`.

      defmodule XrWeb.RoomChannel do
        use XrWeb, :channel
        use Roomfold.Phoenix.Channel, rooms: Xr.Rooms, presence: XrWeb.Presence
      end

  and in the socket, `channel "room:*", XrWeb.RoomChannel`. The user's id comes from a token that the application signed, never from the client:
  either the socket's `connect/3` verifies a token and assigns `:user_id`, or the channel does, with the option `:token`. In the room a user is a
  string: an id that is an integer, as of a database, is written as one.

  ## Options

    * `:rooms` - where the rooms are (`Roomfold.Rooms`)
    * `:presence` - a `Phoenix.Presence` that tracks the user; the client gets its `presence_state` and `presence_diff`
    * `:token` - options of `Roomfold.Phoenix.Token.verify/4`: a join needs a `token`, which names the user
    * `:session` - options of `Roomfold.Session.new/1`: limits

  ## Overridable functions

  Each of these has a default:

      def room("room:" <> id, _socket), do: id                 # or {rooms, id}, or a pid on any node
      def user(socket), do: socket.assigns[:user_id]
      def authorize(_room, _params, _socket), do: :ok          # or {:error, %{reason: "full"}}
      def session(_params, _socket), do: []                    # more options of Roomfold.Session.new/1
      def presence_meta(_params, _socket), do: %{}

  The callbacks of a channel can be overridden, too; `super` calls those of this module.
  """

  alias Roomfold.Phoenix.{Frame, Token}
  alias Roomfold.{Error, Session}

  # The serializers whose messages Frame writes.
  @serializers [Phoenix.Socket.V2.JSONSerializer, Roomfold.Phoenix.Serializer]

  defmacro __using__(opts) do
    quote do
      @roomfold Roomfold.Phoenix.Channel.options!(unquote(opts), [:presence])

      @doc false
      def room("room:" <> id, _socket), do: id
      @doc false
      def user(socket), do: socket.assigns[:user_id]
      @doc false
      def authorize(_room, _params, _socket), do: :ok
      @doc false
      def session(_params, _socket), do: []
      @doc false
      def presence_meta(_params, _socket), do: %{}

      @impl true
      def join(topic, params, socket),
        do: Roomfold.Phoenix.Channel.join(__MODULE__, @roomfold, topic, params, socket)

      @impl true
      def handle_in(event, payload, socket), do: Roomfold.Phoenix.Channel.handle_in(event, payload, socket)
      @impl true
      def handle_info(message, socket), do: Roomfold.Phoenix.Channel.handle_info(message, socket)
      @impl true
      def terminate(reason, socket), do: Roomfold.Phoenix.Channel.terminate(reason, socket)

      defoverridable room: 2,
                     user: 1,
                     authorize: 3,
                     session: 2,
                     presence_meta: 2,
                     join: 3,
                     handle_in: 3,
                     handle_info: 2,
                     terminate: 2
    end
  end

  @doc false
  # Checked when the channel is compiled: what is misspelt would be left out without a word, and a session's options fail at the first join.
  def options!(opts, more) do
    opts = Keyword.validate!(opts, [:rooms, :token, :session] ++ more)
    Session.new([room: "any", user: "any"] ++ Keyword.get(opts, :session, []))
    opts
  end

  @doc false
  def join(module, opts, topic, params, socket) do
    params = if is_map(params), do: params, else: %{}

    with {:ok, user, room, limits, socket} <- admit(module, opts, topic, params, socket) do
      meta = if opts[:presence], do: {opts[:presence], module.presence_meta(params, socket)}
      session = Session.new([room: room, user: user, fastlane: fastlane(socket)] ++ limits)
      enter(session, meta, params, socket)
    end
  end

  @doc false
  # The user, the room and the session's options.
  def admit(module, opts, topic, params, socket) do
    room = module.room(topic, socket)

    with {:ok, socket} <- identify(opts[:token], room, params, socket),
         {:ok, user} <- user(module.user(socket)),
         :ok <- module.authorize(room, params, socket) do
      limits = Keyword.merge(Keyword.get(opts, :session, []), module.session(params, socket))
      {:ok, user, place(room, opts), limits, socket}
    end
  end

  @doc false
  # Joins by a session; meta: `{presence, meta}` or nil.
  def enter(session, meta, params, socket) do
    # With a Presence of the application, the room need not send who comes and goes.
    asked = if meta, do: Map.delete(params, "presence"), else: params
    asked = if Frame.binary?(lane(socket)), do: asked, else: Map.put(asked, "format", "json")

    with {:ok, reply, frames, session} <- Session.join(session, asked) do
      send(self(), {__MODULE__, :joined})
      socket = Phoenix.Socket.assign(socket, roomfold: session, roomfold_first: {frames, meta})
      {:ok, reply, socket}
    end
  end

  # Diffs go from the room directly to the process of the socket, as messages shared with other sockets.
  defp fastlane(%{serializer: serializer} = socket) when serializer in @serializers,
    do: {socket.transport_pid, {Frame, lane(socket)}}

  defp fastlane(_), do: nil

  defp lane(socket), do: {socket.topic, socket.join_ref}

  defp place(id, opts) when is_binary(id), do: {Keyword.get(opts, :rooms, Roomfold.Rooms), id}
  defp place(room, _), do: room

  defp identify(nil, _, _, socket), do: {:ok, socket}

  defp identify(opts, room, params, socket) do
    case Token.verify(socket.endpoint, params["token"], room, opts) do
      {:ok, user} -> {:ok, Phoenix.Socket.assign(socket, :user_id, user)}
      {:error, error} -> {:error, Session.reason(error)}
    end
  end

  defp user(user) when is_binary(user) and user != "", do: {:ok, user}
  # What a database calls its users.
  defp user(user) when is_integer(user), do: {:ok, Integer.to_string(user)}

  defp user(_) do
    message = "who the user is, is not known: the socket has no :user_id (a string or an integer)"
    {:error, Session.reason(%Error{reason: :unknown_user, message: message})}
  end

  @doc false
  def handle_in(event, payload, socket) do
    socket.assigns.roomfold |> Session.input(event, payload, ref(socket)) |> answer(socket)
  end

  @doc false
  def ref(socket), do: if(socket.ref, do: Phoenix.Channel.socket_ref(socket))

  @doc false
  # Nothing can be pushed during a join. Messages from the room may arrive before the one that ends the join.
  def handle_info(message, %{assigns: %{roomfold_first: {frames, meta}} = assigns} = socket) do
    socket = %{socket | assigns: Map.delete(assigns, :roomfold_first)}
    {:noreply, socket} = answer({frames, socket.assigns.roomfold}, socket)
    track(meta, socket)
    handle_info(message, socket)
  end

  def handle_info({__MODULE__, :joined}, socket), do: {:noreply, socket}

  def handle_info(message, socket) do
    case Session.handle(socket.assigns.roomfold, message) do
      :ignore ->
        {:noreply, socket}

      {:close, reason, frames, _} ->
        push(frames, socket)

        # Not {:stop, ..}: clients would get a close, and not come back. With an error they join again.
        exit({:shutdown, {:roomfold, reason}})

      frames_and_session ->
        answer(frames_and_session, socket)
    end
  end

  defp track(nil, _), do: :ok

  defp track({presence, meta}, socket) do
    {:ok, _} = presence.track(socket, socket.assigns.roomfold.user, meta)
    Phoenix.Channel.push(socket, "presence_state", presence.list(socket))
  end

  @doc false
  # A client that leaves has left; one whose connection breaks may come back.
  def terminate({:shutdown, :left}, %{assigns: %{roomfold: session}}), do: Session.leave(session)
  def terminate(_, _), do: :ok

  @doc false
  def answer({frames, session}, socket) do
    push(frames, socket)
    {:noreply, Phoenix.Socket.assign(socket, :roomfold, Session.flushed(session))}
  end

  defp push(frames, socket), do: Enum.each(frames, &push_one(&1, socket))

  # Without waiting for the answer.
  defp push_one({:reply, nil, _, _}, _), do: :ok

  # Tests of channels, and other serializers, get terms.
  defp push_one(frame, %{serializer: serializer} = socket) when serializer in @serializers do
    send(socket.transport_pid, Frame.message(lane(socket), plain(frame)))
  end

  defp push_one(frame, socket), do: as_terms(frame, socket)

  defp plain({:reply, ref, status, payload}), do: {:reply, elem(ref, 3), status, payload}
  defp plain(push), do: push

  defp as_terms({:push, event, payload}, socket), do: Phoenix.Channel.push(socket, event, term(payload))
  defp as_terms({:reply, ref, status, payload}, _), do: Phoenix.Channel.reply(ref, {status, term(payload)})

  defp term({:json, text}), do: Roomfold.JSON.decode!(IO.iodata_to_binary(text))
  defp term(payload), do: payload
end
