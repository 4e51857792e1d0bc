defmodule Roomfold.Phoenix.Install do
  @moduledoc false
  # What `mix roomfold.install` does to a Phoenix project, as data: files in, changes out. Nothing is changed twice, and a file that does
  # not look as expected is left alone, with instructions on what to add.

  @type change ::
          {:create, path :: String.t(), text :: String.t()}
          | {:change, path :: String.t(), text :: String.t(), what :: String.t()}
          | {:unchanged, path :: String.t()}
          | {:by_hand, path :: String.t(), what :: String.t()}

  @doc """
  `read`: a function that returns a file's text, or nil if there is no such file. `roomfold`: the path of the dependency. Paths are relative
  to the project's folder.
  """
  @spec plan(atom, (String.t() -> String.t() | nil), roomfold :: Path.t()) :: [change]
  def plan(app, read, roomfold \\ "deps/roomfold") do
    names = names(app)

    [
      supervisor(names, read),
      file("#{names.web_path}/presence.ex", presence(names), read),
      file("#{names.web_path}/channels/room_channel.ex", channel(names), read),
      file("#{names.web_path}/channels/room_socket.ex", socket(names), read),
      endpoint(names, read),
      file("assets/js/room.js", client(roomfold), read),
      import_client(read)
    ]
  end

  defp names(app) do
    module = app |> Atom.to_string() |> Macro.camelize()
    %{app: app, module: module, web: module <> "Web", path: "lib/#{app}", web_path: "lib/#{app}_web"}
  end

  defp file(path, text, read) do
    if read.(path), do: {:unchanged, path}, else: {:create, path, text}
  end

  # ---- existing files ----

  defp supervisor(names, read) do
    path = "#{names.path}/application.ex"
    pubsub = ~r/^( *)\{Phoenix\.PubSub,[^\n]*\},?\n/m

    lines = [
      "{Roomfold.Rooms, name: #{names.module}.Rooms, stream: {Roomfold.Phoenix.PubSub, #{names.module}.PubSub}},",
      "#{names.web}.Presence,"
    ]

    edit(
      read,
      path,
      "Roomfold.Rooms",
      "the rooms and the presence among the supervisor's children, behind Phoenix.PubSub",
      lines,
      fn text ->
        behind(text, pubsub, lines)
      end
    )
  end

  defp endpoint(names, read) do
    path = "#{names.web_path}/endpoint.ex"
    use_line = ~r/^( *)use Phoenix\.Endpoint,[^\n]*\n/m

    lines = [
      "",
      "socket \"/rooms\", #{names.web}.RoomSocket,",
      "  websocket: [serializer: [{Roomfold.Phoenix.Serializer, \"~> 2.0.0\"}]]"
    ]

    edit(read, path, "RoomSocket", "the socket of the rooms", lines, fn text ->
      behind(text, use_line, lines)
    end)
  end

  defp import_client(read) do
    line = "import \"./room.js\""

    edit(read, "assets/js/app.js", "./room.js", "the import of the rooms' client", [line], fn text ->
      case Regex.scan(~r/^import [^\n]*\n/m, text, return: :index) do
        [] -> {:ok, line <> "\n" <> text}
        imports -> {:ok, insert(text, imports |> List.last() |> hd(), line <> "\n")}
      end
    end)
  end

  defp edit(read, path, mark, what, lines, change) do
    text = read.(path)

    cond do
      text == nil -> {:by_hand, path, advice(what, lines)}
      String.contains?(text, mark) -> {:unchanged, path}
      true -> changed(change.(text), path, what, lines)
    end
  end

  defp changed({:ok, text}, path, what, _), do: {:change, path, text, what}
  defp changed(:not_found, path, what, lines), do: {:by_hand, path, advice(what, lines)}

  defp advice(what, lines), do: what <> ":\n" <> Enum.map_join(lines, "\n", &("    " <> &1))

  # The lines go after the first match, with its indentation; an element of a list gets its comma.
  defp behind(text, pattern, lines) do
    case Regex.run(pattern, text, return: :index) do
      nil ->
        :not_found

      [{at, size}, {_, indent}] ->
        margin = String.duplicate(" ", indent)
        block = Enum.map_join(lines, "", fn line -> String.trim_trailing(margin <> line) <> "\n" end)
        {:ok, text |> with_comma({at, size}, hd(lines)) |> insert_behind(pattern, block)}
    end
  end

  defp with_comma(text, _, ""), do: text

  defp with_comma(text, {at, size}, _) do
    line = binary_part(text, at, size)

    if String.ends_with?(line, ",\n"),
      do: text,
      else: String.replace(text, line, String.trim_trailing(line) <> ",\n")
  end

  defp insert_behind(text, pattern, block) do
    [span | _] = Regex.run(pattern, text, return: :index)
    insert(text, span, block)
  end

  defp insert(text, {at, size}, block) do
    {head, tail} = :erlang.split_binary(text, at + size)
    head <> block <> tail
  end

  # ---- new files ----

  defp presence(names) do
    """
    defmodule #{names.web}.Presence do
      @moduledoc "Who is in which room."
      use Phoenix.Presence, otp_app: #{inspect(names.app)}, pubsub_server: #{names.module}.PubSub
    end
    """
  end

  defp channel(names) do
    """
    defmodule #{names.web}.RoomChannel do
      @moduledoc "A client's connection to a room (Roomfold.Phoenix.Channel)."
      use #{names.web}, :channel
      use Roomfold.Phoenix.Channel, rooms: #{names.module}.Rooms, presence: #{names.web}.Presence

      # May this user join this room? {:error, %{reason: "..."}} refuses.
      def authorize(_room, _params, _socket), do: :ok
    end
    """
  end

  defp socket(names) do
    """
    defmodule #{names.web}.RoomSocket do
      @moduledoc "Who a client is, it says by a token that this application signed: \#{inspect(__MODULE__)}.token(user_id)."
      use Phoenix.Socket

      channel "room:*", #{names.web}.RoomChannel

      @two_weeks 1_209_600

      def token(user_id), do: Phoenix.Token.sign(#{names.web}.Endpoint, "room user", user_id)

      @impl true
      def connect(%{"token" => token}, socket, _connect_info) do
        case Phoenix.Token.verify(#{names.web}.Endpoint, "room user", token, max_age: @two_weeks) do
          {:ok, user_id} -> {:ok, assign(socket, :user_id, user_id)}
          {:error, _} -> :error
        end
      end

      def connect(_params, _socket, _connect_info), do: :error

      @impl true
      def id(socket), do: "room_socket:\#{socket.assigns.user_id}"
    end
    """
  end

  defp client(roomfold) do
    """
    // The rooms' client. A page that has
    //   <meta name="room-token" content={MyAppWeb.RoomSocket.token(user_id)}>
    //   <main data-room="lobby">
    // is in that room; window.room is it.
    import {Socket} from "phoenix"
    import {Room} from "#{relative(Path.join(roomfold, "priv/static/roomfold.mjs"), "assets/js")}"

    const token = document.querySelector("meta[name='room-token']")?.content
    const name = document.querySelector("[data-room]")?.dataset.room

    if (token && name) {
      const socket = new Socket("/rooms", {params: {token}})
      const room = new Room(socket, `room:${name}`, {events: true})
      room.on("status", status => console.info("room:", status))
      socket.connect()
      room.join().catch(error => console.error("room:", error))
      window.room = room
    }
    """
  end

  # A path as a file in another folder has to write it.
  defp relative(path, from), do: below(Path.split(Path.expand(path)), Path.split(Path.expand(from)))

  defp below([same | path], [same | from]), do: below(path, from)
  defp below(path, from), do: Path.join(List.duplicate("..", length(from)) ++ path)
end
