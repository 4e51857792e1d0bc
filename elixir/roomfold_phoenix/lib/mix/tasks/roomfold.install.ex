defmodule Mix.Tasks.Roomfold.Install do
  @shortdoc "Adds rooms to a Phoenix project"

  @moduledoc """
  Adds rooms to the Phoenix project in this folder: the supervisor's children, a channel, a socket with signed tokens, a presence,
  and the import of the client.

      mix roomfold.install [--dry-run]

  It prints what it has changed. It can be run again: existing parts are left alone. A file that does not look like that of a new Phoenix project
  is not changed; instead it prints what to add there.
  """
  use Mix.Task

  alias Roomfold.Phoenix.Install

  @impl true
  def run(args) do
    {options, rest, invalid} = OptionParser.parse(args, strict: [dry_run: :boolean])

    unless rest == [] and invalid == [] do
      Mix.raise("mix roomfold.install takes --dry-run and nothing else")
    end

    app = Mix.Project.config()[:app]
    web = "lib/#{app}_web"

    unless File.dir?(web) do
      Mix.raise(
        "there is no #{web} here: run this in the folder of a Phoenix project (in an umbrella, of its web application)"
      )
    end

    changes = Install.plan(app, &read/1, roomfold())
    Enum.each(changes, &carry_out(&1, options[:dry_run] == true))

    if Enum.all?(changes, &match?({:unchanged, _}, &1)),
      do: Mix.shell().info("Everything is there already."),
      else: next(app)
  end

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
    Mix.shell().info("* by hand  #{path} does not look as expected; it needs #{what}")
  end

  defp next(app) do
    module = app |> Atom.to_string() |> Macro.camelize()

    Mix.shell().info("""

    Now a page that has these two is in the room "lobby":

        <meta name="room-token" content={#{module}Web.RoomSocket.token(user_id)} />
        <main data-room="lobby">

    and from iex:

        Roomfold.Room.publish({#{module}.Rooms, "lobby"}, {"user_joined", %{"user_id" => "tom"}})
    """)
  end
end
