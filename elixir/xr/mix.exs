defmodule Xr.MixProject do
  use Mix.Project

  def project do
    [
      app: :xr,
      version: "0.1.0",
      elixir: "~> 1.14",
      elixirc_paths: elixirc_paths(Mix.env()),
      deps: deps(),
      # Everything that was compiled is in it: where it runs there need be no compiler.
      releases: [xr: [include_executables_for: [:unix], applications: [runtime_tools: :permanent]]]
    ]
  end

  def application, do: [mod: {Xr.Application, []}, extra_applications: [:logger]]

  # The WebSocket client that the companion's tests have, too.
  defp elixirc_paths(:test), do: ["lib", "test/support", Path.expand("../../tests/channel", __DIR__)]
  defp elixirc_paths(_env), do: ["lib"]

  defp deps do
    [
      {:roomfold, path: "../.."},
      {:roomfold_phoenix, path: "../roomfold_phoenix"},
      # Of the development gateway only its room is used (Roomfold.Gateway.Arena).
      {:roomfold_gateway, path: "../gateway"},
      dep(:phoenix, "~> 1.7"),
      dep(:phoenix_pubsub, "~> 2.1"),
      dep(:plug, "~> 1.14"),
      dep(:bandit, "~> 1.5"),
      dep(:jason, "~> 1.2"),
      dep(:telemetry, "~> 1.0")
    ] ++
      copies_of(~w(plug_crypto mime phoenix_template websock websock_adapter thousand_island hpax castore
        ecto_sql postgrex ecto db_connection decimal)a)
  end

  # With ROOMFOLD_DEPS, a folder of the packages' sources, nothing is asked of Hex.
  defp dep(name, requirement) do
    case System.get_env("ROOMFOLD_DEPS") do
      nil -> {name, requirement}
      folder -> {name, path: Path.join(folder, Atom.to_string(name)), override: true}
    end
  end

  defp copies_of(names) do
    if System.get_env("ROOMFOLD_DEPS"), do: Enum.map(names, &dep(&1, nil)), else: []
  end
end
