defmodule Roomfold.Phoenix.Install.Names do
  @moduledoc false
  # What a Phoenix project calls its modules, and where it has them. Both may differ from the application's name: `mix phx.new --module`,
  # and umbrellas, whose web application is all of its own.

  @type t :: %{
          app: atom,
          module: String.t(),
          web: String.t(),
          pubsub: String.t(),
          path: String.t(),
          web_path: String.t()
        }

  @doc """
  The names of the project whose application is `app`, or `:error` where there is no endpoint. `pubsub`: a function from the endpoint's module
  to the PubSub of its configuration, or `nil`.
  """
  @spec find(atom, Roomfold.Phoenix.Install.read(), (String.t() -> module | nil)) :: {:ok, t} | :error
  def find(app, read, pubsub \\ fn _ -> nil end) do
    with web_path when web_path != nil <-
           Enum.find(["lib/#{app}_web", "lib/#{app}"], &read.(&1 <> "/endpoint.ex")),
         [_, web] <- Regex.run(~r/^defmodule ([\w.]+)\.Endpoint do/m, read.(web_path <> "/endpoint.ex")) do
      module = String.replace_suffix(web, "Web", "")
      pubsub = with nil <- pubsub.(web <> ".Endpoint"), do: module <> ".PubSub"
      pubsub = if is_atom(pubsub), do: inspect(pubsub), else: pubsub
      {:ok, %{app: app, module: module, web: web, pubsub: pubsub, path: "lib/#{app}", web_path: web_path}}
    else
      _ -> :error
    end
  end
end
