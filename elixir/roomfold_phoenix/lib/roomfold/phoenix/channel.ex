defmodule Roomfold.Phoenix.Channel do
  @moduledoc """
  A channel that connects a client to a room: thin over `Roomfold.Session`.

      defmodule XrWeb.RoomChannel do
        use XrWeb, :channel
        use Roomfold.Phoenix.Channel, rooms: Xr.Rooms, presence: XrWeb.Presence
      end

  and in the socket, `channel "room:*", XrWeb.RoomChannel`. Who the user is, the socket has to know: `connect/3` puts `:user_id` into its
  assigns, from a token that the application signed, never from what the client says.

  ## Options

    * `:rooms` - where the rooms are (`Roomfold.Rooms`)
    * `:presence` - a `Phoenix.Presence`; it tracks the user, and the client gets `presence_state` and `presence_diff` of it
    * `:session` - options of `Roomfold.Session.new/1`: limits

  ## What can be overruled

  Each of these has a default:

      def room("room:" <> id, _socket), do: id
      def user(socket), do: socket.assigns.user_id
      def authorize(_room, _params, _socket), do: :ok          # or {:error, %{reason: "full"}}
      def presence_meta(_params, _socket), do: %{}

  and so can every callback of a channel; `super` is what this one does.
  """

  alias Roomfold.Phoenix.Frame
  alias Roomfold.Session

  defmacro __using__(opts) do
    quote do
      @roomfold unquote(opts)

      @doc false
      def room("room:" <> id, _socket), do: id
      @doc false
      def user(socket), do: socket.assigns.user_id
      @doc false
      def authorize(_room, _params, _socket), do: :ok
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
                     presence_meta: 2,
                     join: 3,
                     handle_in: 3,
                     handle_info: 2,
                     terminate: 2
    end
  end

  @doc false
  def join(module, opts, topic, params, socket) do
    room = module.room(topic, socket)
    params = if is_map(params), do: params, else: %{}

    with :ok <- module.authorize(room, params, socket),
         session =
           Session.new(
             [room: {Keyword.get(opts, :rooms, Roomfold.Rooms), room}, user: module.user(socket)] ++
               Keyword.get(opts, :session, [])
           ),
         # With a Presence of the application's, the room need not say who comes and goes.
         {:ok, reply, frames, session} <-
           Session.join(session, if(opts[:presence], do: Map.delete(params, "presence"), else: params)) do
      send(self(), {__MODULE__, :joined, frames, opts[:presence], module.presence_meta(params, socket)})
      {:ok, reply, Phoenix.Socket.assign(socket, :roomfold, session)}
    end
  end

  @doc false
  def handle_in(event, payload, socket) do
    ref = if socket.ref, do: Phoenix.Channel.socket_ref(socket)
    socket.assigns.roomfold |> Session.input(event, payload, ref) |> answer(socket)
  end

  @doc false
  def handle_info({__MODULE__, :joined, frames, presence, meta}, socket) do
    push(frames, socket)

    if presence do
      {:ok, _} = presence.track(socket, socket.assigns.roomfold.user, meta)
      Phoenix.Channel.push(socket, "presence_state", presence.list(socket))
    end

    {:noreply, socket}
  end

  def handle_info(message, socket) do
    case Session.handle(socket.assigns.roomfold, message) do
      :ignore ->
        {:noreply, socket}

      {:close, reason, frames, session} ->
        push(frames, socket)
        {:stop, {:shutdown, {:roomfold, reason}}, Phoenix.Socket.assign(socket, :roomfold, session)}

      frames_and_session ->
        answer(frames_and_session, socket)
    end
  end

  @doc false
  # Whoever leaves has left; whose connection breaks may come back.
  def terminate({:shutdown, :left}, %{assigns: %{roomfold: session}}), do: Session.leave(session)
  def terminate(_, _), do: :ok

  defp answer({frames, session}, socket) do
    push(frames, socket)
    {:noreply, Phoenix.Socket.assign(socket, :roomfold, session)}
  end

  defp push(frames, socket), do: Enum.each(frames, &push_one(&1, socket))

  # Tests of channels, and other serializers, get terms.
  defp push_one(frame, %{serializer: serializer} = socket) do
    if serializer in [Phoenix.Socket.V2.JSONSerializer, Roomfold.Phoenix.Serializer] do
      send(socket.transport_pid, Frame.encode(frame_for(frame), socket))
    else
      as_terms(frame, socket)
    end
  end

  defp frame_for({:reply, ref, status, payload}), do: {:reply, elem(ref, 3), status, payload}
  defp frame_for(push), do: push

  defp as_terms({:push, event, payload}, socket), do: Phoenix.Channel.push(socket, event, term(payload))
  defp as_terms({:reply, ref, status, payload}, _), do: Phoenix.Channel.reply(ref, {status, term(payload)})

  defp term({:json, text}), do: Roomfold.JSON.decode!(IO.iodata_to_binary(text))
  defp term(payload), do: payload
end
