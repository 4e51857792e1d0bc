import Config

config :phoenix, json_library: Jason, filter_parameters: ["token", "secret"]
config :logger, level: :info

config :xr, XrWeb.Endpoint,
  adapter: Bandit.PhoenixAdapter,
  url: [host: "localhost"],
  pubsub_server: Xr.PubSub,
  render_errors: [formats: [json: XrWeb.ErrorJSON], layout: false],
  server: true

import_config "#{config_env()}.exs"
