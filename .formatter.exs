[
  inputs: [
    "{mix,.formatter}.exs",
    "elixir/roomfold/**/*.{ex,exs}",
    "tests/elixir/**/*.{ex,exs}",
    "bench/**/*.{ex,exs}"
  ],
  line_length: 110
]
