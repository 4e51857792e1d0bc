defmodule XrWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :xr

  @session [store: :cookie, key: "_xr", signing_salt: "guests", same_site: "Lax"]

  # A cookie that comes with another site's page is worth nothing: the origin is checked.
  socket "/socket", XrWeb.UserSocket,
    websocket: [
      serializer: [{Roomfold.Phoenix.Serializer, "~> 2.0.0"}],
      connect_info: [session: @session],
      check_csrf: false,
      error_handler: {XrWeb.UserSocket, :refuse, []},
      max_frame_size: 131_072
    ]

  plug Plug.RequestId
  plug Plug.Telemetry, event_prefix: [:phoenix, :endpoint]

  # The page of the development gateway, unchanged: the package's own files.
  plug Plug.Static,
    at: "/demo",
    from: {:roomfold, "priv/demo"},
    gzip: true,
    content_types: %{"COPYRIGHT-freedoom.txt" => "text/plain; charset=utf-8"}

  plug Plug.Static, at: "/", from: {:roomfold, "priv/static"}, gzip: true

  plug Plug.Session, @session
  plug XrWeb.Guest
  plug Plug.Head
  plug XrWeb.Router
end
