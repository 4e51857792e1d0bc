import Config

# For this machine only: whoever has this key can sign in as anybody.
config :xr, XrWeb.Endpoint,
  http: [ip: {127, 0, 0, 1}, port: String.to_integer(System.get_env("PORT", "4000"))],
  check_origin: ["//localhost", "//127.0.0.1"],
  secret_key_base: String.duplicate("development only ", 4)
