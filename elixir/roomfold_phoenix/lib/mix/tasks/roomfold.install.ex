defmodule Mix.Tasks.Roomfold.Install do
  @shortdoc "Adds rooms to a Phoenix project"

  @moduledoc """
  Adds rooms to the Phoenix project in this folder: the supervisor's children, a channel with its test, a socket with signed tokens, a
  presence, and the import of the client.

      mix roomfold.install [--dry-run]

  It prints what it has changed, with `--dry-run` what it would change. It can be run again: existing parts are left alone. A file that does
  not look like that of a new Phoenix project is not changed; instead it prints what to add there. In an umbrella it is run in the folder of
  the web application (`apps/my_app_web`).
  """
  use Mix.Task

  alias Roomfold.Phoenix.Install
  alias Roomfold.Phoenix.Install.Names

  @impl true
  def run(args) do
    {options, rest, invalid} = OptionParser.parse(args, strict: [dry_run: :boolean])

    unless rest == [] and invalid == [] do
      Mix.raise("mix roomfold.install takes --dry-run and nothing else")
    end

    if Mix.Project.umbrella?() do
      Mix.raise(
        "this is an umbrella: run mix roomfold.install in the folder of its web application (apps/..._web)"
      )
    end

    names = names(Mix.Project.config()[:app])
    dry = options[:dry_run] == true
    changes = Install.plan(names, &read/1, roomfold())
    Enum.each(changes, &carry_out(&1, dry))

    cond do
      Enum.all?(changes, &match?({:unchanged, _}, &1)) -> Mix.shell().info("Everything is there already.")
      dry -> Mix.shell().info("\nNothing was written (--dry-run).")
      true -> next(names, by_hand: Enum.count(changes, &match?({:by_hand, _, _}, &1)))
    end
  end

  defp names(app) do
    case Names.find(app, &read/1, &pubsub(app, &1)) do
      {:ok, names} ->
        names

      :error ->
        Mix.raise("there is no lib/#{app}_web/endpoint.ex here: run this in the folder of a Phoenix project")
    end
  end

  # What the endpoint is configured to use.
  defp pubsub(app, endpoint), do: Application.get_env(app, Module.concat([endpoint]), [])[:pubsub_server]

  # The path depends on how the dependency was declared, and in an umbrella on where dependencies are.
  defp roomfold, do: Map.get(Mix.Project.deps_paths(), :roomfold, "deps/roomfold")

  defp read(path) do
    case File.read(path) do
      {:ok, text} -> text
      {:error, _} -> nil
    end
  end

  defp carry_out({:create, path, text}, dry) do
    unless dry do
      File.mkdir_p!(Path.dirname(path))
      File.write!(path, text)
    end

    Mix.shell().info("* creating #{path}")
  end

  defp carry_out({:change, path, text, what}, dry) do
    unless dry, do: File.write!(path, text)
    Mix.shell().info("* changing #{path}: #{what}")
  end

  defp carry_out({:unchanged, path}, _), do: Mix.shell().info("* as it was #{path}")

  defp carry_out({:by_hand, path, what}, _) do
    Mix.shell().info("* by hand  #{path}: #{what}")
  end

  defp next(names, by_hand: count) do
    if count > 0, do: Mix.shell().info("\nLeft to you: what is named \"by hand\" above.")
    from = if count > 0, do: "With that", else: "Now"

    Mix.shell().info("""

    #{from} a page that has this element is in the room "lobby", as a guest#{home(names)}:

        <pre data-room="lobby" data-token={#{names.web}.RoomSocket.token("guest-\#{:rand.uniform(9999)}")}></pre>

    Where users log in, it is token(@current_user.id) instead. Phoenix logs what sockets connect with; this line in
    config/config.exs keeps tokens out of it:

        config :phoenix, :filter_parameters, ["password", "token"]

    Then start iex -S mix phx.server, open the page in two tabs, and say there:

        Roomfold.Room.publish({#{names.module}.Rooms, "lobby"}, {"user_joined", %{"user_id" => "tom"}})
    """)
  end

  defp home(names) do
    path = "#{names.web_path}/controllers/page_html/home.html.heex"
    if File.exists?(path), do: "; put it, say, at the top of\n#{path}", else: ""
  end
end
