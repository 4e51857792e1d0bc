defmodule Roomfold.Phoenix.Install do
  @moduledoc false
  # What `mix roomfold.install` does to a Phoenix project, as data: files in, changes out. Nothing is changed twice, and a file that does
  # not look as expected is left alone, with instructions on what to add.

  alias Roomfold.Phoenix.Install.{Files, Names}

  @type change ::
          {:create, path :: String.t(), text :: String.t()}
          | {:change, path :: String.t(), text :: String.t(), what :: String.t()}
          | {:unchanged, path :: String.t()}
          | {:by_hand, path :: String.t(), what :: String.t()}

  @type read :: (path :: String.t() -> text :: String.t() | nil)

  @doc """
  `read`: a function that returns a file's text, or nil if there is no such file. `roomfold`: the path of the dependency. Paths are relative
  to the project's folder.
  """
  @spec plan(Names.t(), read, roomfold :: Path.t()) :: [change]
  def plan(names, read, roomfold \\ "deps/roomfold") do
    channels = "#{names.web_path}/channels"

    [
      supervisor(names, read),
      presence(names, read),
      file("#{channels}/room_channel.ex", Files.channel(names), "Roomfold.Phoenix.Channel", read),
      file("#{channels}/room_socket.ex", Files.socket(names), "RoomChannel", read),
      endpoint(names, read),
      test(names, read)
      | client(names, roomfold, read)
    ]
  end

  # ---- new files ----

  # A file that is there and has not the mark is another one of that name.
  defp file(path, text, mark, read) do
    case read.(path) do
      nil -> {:create, path, text}
      there -> if says?(there, mark), do: {:unchanged, path}, else: {:by_hand, path, another(text)}
    end
  end

  defp another(text),
    do: advice("to be merged with this, there is another one", String.split(text, "\n", trim: true))

  # Phoenix's own generator puts it among the channels.
  defp presence(names, read) do
    path = "#{names.web_path}/presence.ex"
    theirs = "#{names.web_path}/channels/presence.ex"

    if read.(theirs),
      do: {:unchanged, theirs},
      else: file(path, Files.presence(names), "use Phoenix.Presence", read)
  end

  defp test(names, read) do
    path = "test/#{Path.basename(names.web_path)}/channels/room_channel_test.exs"
    if read.(path), do: {:unchanged, path}, else: {:create, path, Files.test(names)}
  end

  @no_bundler "there is none, so the client is for you to load (docs/phoenix.md, Without a bundler)"

  defp client(names, roomfold, read) do
    if read.("assets/js/app.js") do
      [file("assets/js/room.js", Files.client(names, roomfold), "roomfold.mjs", read), import_client(read)]
    else
      [{:by_hand, "assets/js/app.js", @no_bundler}]
    end
  end

  # ---- existing files ----

  defp supervisor(names, read) do
    path = "#{names.path}/application.ex"
    children = [{"Roomfold.Rooms", Files.rooms(names)}, {"#{names.web}.Presence", ["#{names.web}.Presence,"]}]

    edit(
      read,
      path,
      children,
      "the rooms and the presence among the children, behind PubSub and before the endpoint",
      fn text, lines ->
        # In an umbrella PubSub is the other application's, and runs already.
        if text =~ "{Phoenix.PubSub,",
          do: behind(text, ~r/^( *)\{Phoenix\.PubSub,[^\n]*\},?\n/m, lines),
          else: behind(text, ~r/^( *)#{Regex.escape(names.web)}\.Telemetry,?\n/m, lines)
      end
    )
  end

  defp endpoint(names, read) do
    lines = [
      "",
      "socket \"/rooms\", #{names.web}.RoomSocket,",
      "  websocket: [serializer: [{Roomfold.Phoenix.Serializer, \"~> 2.0.0\"}], max_frame_size: 131_072]"
    ]

    edit(
      read,
      "#{names.web_path}/endpoint.ex",
      [{"#{names.web}.RoomSocket", lines}],
      "the socket of the rooms",
      # On one line: behind the first of several it would stand within the call.
      &behind(&1, ~r/^( *)use Phoenix\.Endpoint,[^\n]*[^\n,]\n/m, &2)
    )
  end

  # Behind the last import, which may go over several lines.
  @import ~r/^import\s[^"']*["'][^"'\n]*["'][^\n]*\n/m

  defp import_client(read) do
    edit(
      read,
      "assets/js/app.js",
      [{"./room.js", ["import \"./room.js\""]}],
      "the import of the rooms' client",
      fn text, [line] ->
        case Regex.scan(@import, text, return: :index) do
          [] -> {:ok, line <> "\n" <> text}
          imports -> {:ok, insert(text, imports |> List.last() |> hd(), line <> "\n")}
        end
      end
    )
  end

  # parts: `[{what the file says if the part is there, the part's lines}]`
  defp edit(read, path, parts, what, change) do
    text = read.(path)
    missing = for {mark, lines} <- parts, text == nil or not says?(text, mark), line <- lines, do: line

    cond do
      missing == [] -> {:unchanged, path}
      text == nil -> {:by_hand, path, advice(what, missing)}
      true -> changed(change.(text, missing), path, what, missing)
    end
  end

  defp changed({:ok, text}, path, what, _), do: {:change, path, text, what}
  defp changed(:not_found, path, what, lines), do: {:by_hand, path, advice(what, lines)}

  defp advice(what, lines),
    do: what <> ":\n" <> Enum.map_join(lines, "\n", &String.trim_trailing("    " <> &1))

  # What a comment says is not there.
  defp says?(text, mark) do
    text |> String.split("\n") |> Enum.any?(&(String.contains?(&1, mark) and not (&1 =~ ~r"^\s*(#|//)")))
  end

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
end
