defmodule Roomfold.Phoenix.Install.Files do
  @moduledoc false
  # The texts that `mix roomfold.install` writes, laid out as the project's formatter would have them.

  @width 98
  @margin 6

  @doc "The rooms as a child of the supervisor, in lines."
  def rooms(names) do
    text = "{Roomfold.Rooms, name: #{names.module}.Rooms, stream: {Roomfold.Phoenix.PubSub, #{names.pubsub}}}"

    text
    |> Code.format_string!(line_length: @width - @margin - 1)
    |> IO.iodata_to_binary()
    |> Kernel.<>(",")
    |> String.split("\n")
  end

  def presence(names) do
    format("""
    defmodule #{names.web}.Presence do
      @moduledoc "Who is in which room."
      use Phoenix.Presence, otp_app: #{inspect(names.app)}, pubsub_server: #{names.pubsub}
    end
    """)
  end

  def channel(names) do
    format("""
    defmodule #{names.web}.RoomChannel do
      @moduledoc "A client's connection to a room (Roomfold.Phoenix.Channel)."
      # What comes in is not logged: moves come many times a second.
      use Phoenix.Channel, log_handle_in: false
      use Roomfold.Phoenix.Channel, rooms: #{names.module}.Rooms, presence: #{names.web}.Presence

      # May this user join this room? {:error, %{reason: "..."}} refuses.
      def authorize(_room, _params, _socket), do: :ok
    end
    """)
  end

  def socket(names) do
    format("""
    defmodule #{names.web}.RoomSocket do
      @moduledoc "The socket of the rooms. A client says who it is by a token that this application signed."
      use Phoenix.Socket

      channel "room:*", #{names.web}.RoomChannel

      @two_weeks 1_209_600

      def token(user_id), do: Phoenix.Token.sign(#{names.web}.Endpoint, "room user", user_id)

      @impl true
      def connect(%{"token" => token}, socket, _connect_info) when is_binary(token) do
        case Phoenix.Token.verify(#{names.web}.Endpoint, "room user", token, max_age: @two_weeks) do
          {:ok, user_id} -> {:ok, assign(socket, :user_id, user_id)}
          {:error, _} -> :error
        end
      end

      def connect(_params, _socket, _connect_info), do: :error

      @impl true
      def id(socket), do: "room_socket:\#{socket.assigns.user_id}"
    end
    """)
  end

  def test(names) do
    format("""
    defmodule #{names.web}.RoomChannelTest do
      use ExUnit.Case, async: true

      use Roomfold.Phoenix.Test,
        rooms: #{names.module}.Rooms,
        endpoint: #{names.web}.Endpoint,
        channel: #{names.web}.RoomChannel

      test "who joins is there, and moves", %{room: room} do
        {_, tom} = join_room(room, "tom")
        say!(tom, "user_moved", %{"user_id" => "tom", "position" => [1, 2, 3]})
        assert entity(room, "tom", & &1["position"])["position"] == [1.0, 2.0, 3.0]
      end

      test "nobody moves somebody else", %{room: room} do
        {_, eve} = join_room(room, "eve")
        assert refused!(eve, "user_moved", %{"user_id" => "tom"})["reason"] == "not_owned"
      end
    end
    """)
  end

  defp format(text) do
    formatted = Code.format_string!(text, line_length: @width, locals_without_parens: [channel: :*])
    IO.iodata_to_binary([formatted, "\n"])
  end

  @doc "`roomfold`: the path of the dependency."
  def client(names, roomfold) do
    """
    // The rooms' client. A page that has this element is in the room "lobby":
    //   <pre data-room="lobby" data-token={#{names.web}.RoomSocket.token(user_id)}></pre>
    import {Socket} from "phoenix"
    import {reconnectAfterMs, rejoinAfterMs, Room} from "#{relative(Path.join(roomfold, "priv/static/roomfold.mjs"), "assets/js")}"

    // element → {id, leave} of its room
    const rooms = new Map()

    function enter(element) {
      const id = element.dataset.room
      // Asked at each connection: a LiveView that has mounted again has renewed the token.
      const params = () => ({token: element.dataset.token})
      const socket = new Socket("/rooms", {params, reconnectAfterMs, rejoinAfterMs})
      const room = new Room(socket, `room:${id}`, {events: true})
      window.room = room

      // What is in the room, as text. Put what shows your room in its place.
      const line = ([id, components]) => `${id} ${JSON.stringify(components)}\\n`
      const draw = () => (element.textContent = Object.entries(room.world.toObject()).map(line).join(""))
      room.on("snapshot", draw)
      room.on("diff", draw)
      room.on("status", ({status, reason}) => console.info(`room ${id}: ${status} ${reason}`))
      room.on("refused", ({event, message}) => console.warn(`room ${id}: ${event} refused, ${message}`))

      rooms.set(element, {id, leave: () => room.leave().then(() => socket.disconnect())})
      socket.connect()
      return room.join().catch(error => error.reason === "left" || (element.textContent = error.message))
    }

    // Elements come and go without a new page, too, as by LiveView's navigation.
    function look() {
      const gone = [...rooms].filter(([element, {id}]) => !element.isConnected || element.dataset.room !== id)
      for (const [element] of gone) rooms.delete(element)
      const come = [...document.querySelectorAll("[data-room]")].filter(element => !rooms.has(element))
      // Left when the next is joined: who is in the same room on the next page has never been away.
      Promise.all(come.map(enter)).then(() => gone.forEach(([, {leave}]) => leave()))
    }

    look()
    new MutationObserver(look).observe(document, {childList: true, subtree: true, attributeFilter: ["data-room"]})
    """
  end

  # A path as a file in another folder has to write it.
  defp relative(path, from), do: below(Path.split(Path.expand(path)), Path.split(Path.expand(from)))

  defp below([same | path], [same | from]), do: below(path, from)
  defp below(path, from), do: Path.join(List.duplicate("..", length(from)) ++ path)
end
