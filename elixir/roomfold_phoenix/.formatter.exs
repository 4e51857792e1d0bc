[
  locals_without_parens: [add: 2, add: 3, create: 1, create: 2, channel: 2, socket: 3],
  inputs: ["{mix,.formatter}.exs", "{config,lib,test}/**/*.{ex,exs}"],
  line_length: 110
]
