import Config

config :logger, level: :warning

config :xr,
  # Short times, so that the tests need not wait.
  room: [tick_ms: 10, grace_ms: 300],
  session: [max_unacknowledged: 200_000, max_lag_ms: 500, max_input_bytes: 4_096]

config :xr, XrWeb.Endpoint,
  http: [ip: {127, 0, 0, 1}, port: 0],
  check_origin: ["//localhost", "//127.0.0.1"],
  secret_key_base: String.duplicate("for tests only ", 5)
