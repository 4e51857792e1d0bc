import Config

config :phoenix, :json_library, Jason
config :logger, level: :warning

config :roomfold_phoenix, Roomfold.PhoenixTest.Endpoint,
  adapter: Bandit.PhoenixAdapter,
  http: [ip: {127, 0, 0, 1}, port: 0],
  server: true,
  secret_key_base: String.duplicate("roomfold", 8),
  pubsub_server: Roomfold.PhoenixTest.PubSub
