defmodule XrWeb.Presence do
  @moduledoc "Who is in which room, over all nodes."
  use Phoenix.Presence, otp_app: :xr, pubsub_server: Xr.PubSub
end
