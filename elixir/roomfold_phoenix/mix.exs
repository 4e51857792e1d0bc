defmodule RoomfoldPhoenix.MixProject do
  use Mix.Project

  @version "0.1.0"

  def project do
    [
      app: :roomfold_phoenix,
      version: @version,
      elixir: "~> 1.14",
      description: "Roomfold's rooms over Phoenix channels, PubSub and presence",
      package: [licenses: ["MIT"], links: %{}],
      elixirc_paths: elixirc_paths(Mix.env()),
      deps: deps()
    ]
  end

  def application, do: [extra_applications: [:logger]]

  defp elixirc_paths(:test), do: ["lib", "test/support", Path.expand("../../tests/channel", __DIR__)]
  defp elixirc_paths(_env), do: ["lib"]

  defp deps do
    [
      roomfold(),
      dep(:phoenix, "~> 1.7"),
      dep(:phoenix_pubsub, "~> 2.1"),
      dep(:telemetry, "~> 1.0"),
      dep(:jason, "~> 1.2"),
      dep(:ecto_sql, "~> 3.10", optional: true),
      dep(:postgrex, ">= 0.17.0", optional: true),
      dep(:bandit, "~> 1.5", only: :test)
    ] ++
      copies_of(
        ~w(plug plug_crypto mime phoenix_template websock websock_adapter thousand_island hpax ecto db_connection decimal castore)a
      )
  end

  # The repository's, and for the package of Hex (ROOMFOLD_PUBLISH=1 mix hex.build) the one that is published with it.
  defp roomfold do
    if System.get_env("ROOMFOLD_PUBLISH"), do: {:roomfold, "~> #{@version}"}, else: {:roomfold, path: "../.."}
  end

  # With ROOMFOLD_DEPS, a folder of the packages' sources, nothing is asked of Hex.
  defp dep(name, requirement, opts \\ []) do
    case System.get_env("ROOMFOLD_DEPS") do
      nil -> {name, requirement, opts}
      folder -> {name, [path: Path.join(folder, Atom.to_string(name)), override: true] ++ opts}
    end
  end

  # Path dependencies bring theirs along as packages of Hex, unless they are overridden.
  defp copies_of(names) do
    case System.get_env("ROOMFOLD_DEPS") do
      nil -> []
      folder -> for name <- names, do: {name, path: Path.join(folder, Atom.to_string(name)), override: true}
    end
  end
end
