[
  # They have words of their own that take no parentheses.
  subdirectories: ["elixir/roomfold_phoenix", "elixir/xr"],
  inputs: [
    "{mix,.formatter}.exs",
    "elixir/roomfold/**/*.{ex,exs}",
    "tests/elixir/**/*.{ex,exs}",
    "tests/channel/*.ex",
    "elixir/gateway/{mix,.formatter}.exs",
    "elixir/gateway/{lib,test}/**/*.{ex,exs}",
    "bench/**/*.{ex,exs}"
  ],
  line_length: 110
]
