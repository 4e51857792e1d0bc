import Config

if config_env() == :prod do
  secret =
    System.get_env("SECRET_KEY_BASE") ||
      raise "SECRET_KEY_BASE is not set: a random text of 64 bytes or more, the same on all nodes"

  host = System.get_env("PHX_HOST", "localhost")
  port = String.to_integer(System.get_env("PORT", "4000"))

  config :xr, XrWeb.Endpoint,
    url: [host: host, port: String.to_integer(System.get_env("PHX_PORT", "#{port}"))],
    http: [ip: {0, 0, 0, 0, 0, 0, 0, 0}, port: port],
    secret_key_base: secret

  # Rooms are kept in this database; without it they are gone when the node stops.
  config :xr, log: System.get_env("XR_LOG")
end
