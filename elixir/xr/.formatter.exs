[
  import_deps: [],
  locals_without_parens: [
    channel: 2,
    socket: 3,
    plug: 1,
    plug: 2,
    get: 3,
    pipe_through: 1,
    pipeline: 2,
    scope: 3
  ],
  inputs: ["{mix,.formatter}.exs", "{config,lib,test}/**/*.{ex,exs}"],
  line_length: 110
]
