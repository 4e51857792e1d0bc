defmodule Roomfold.Gateway.MixProject do
  use Mix.Project

  def project do
    [
      app: :roomfold_gateway,
      version: "0.1.0",
      elixir: "~> 1.14",
      elixirc_paths: elixirc_paths(Mix.env()),
      # No Hex: it must run where that can't be reached.
      deps: [{:roomfold, path: "../.."}],
      # Found when the gateway starts (Roomfold.Gateway.Yaws).
      xref: [exclude: [:yaws, :yaws_api, :yaws_sup]]
    ]
  end

  def application, do: [extra_applications: [:logger, :crypto, :inets, :ssl, :compiler]]

  defp elixirc_paths(:test), do: ["lib", "test/support", Path.expand("../../tests/channel", __DIR__)]
  defp elixirc_paths(_env), do: ["lib"]
end
