[
  locals_without_parens: [channel: 2, socket: 3],
  inputs: ["{mix,.formatter}.exs", "{config,lib,test}/**/*.{ex,exs}"],
  line_length: 110
]
