defmodule XrWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :xr

  @session [store: :cookie, key: "_xr", signing_salt: "guests", same_site: "Lax"]

  socket "/socket", XrWeb.UserSocket,
    websocket: [
      serializer: [{Roomfold.Phoenix.Serializer, "~> 2.0.0"}],
      connect_info: [session: @session],
      error_handler: {XrWeb.UserSocket, :refused, []},
      max_frame_size: 131_072
    ]

  plug Plug.RequestId
  plug Plug.Telemetry, event_prefix: [:phoenix, :endpoint]

  # The page of the development gateway, unchanged: the package's own files.
  plug Plug.Static, at: "/demo", from: {:roomfold, "priv/demo"}, gzip: true
  plug Plug.Static, at: "/", from: {:roomfold, "priv/static"}

  plug Plug.Session, @session
  plug Plug.Head
  plug XrWeb.Router
end
