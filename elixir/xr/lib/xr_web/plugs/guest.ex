defmodule XrWeb.Guest do
  @moduledoc "Gives each browser a signed cookie, so that a guest can keep its name."
  @behaviour Plug
  import Plug.Conn

  @impl true
  def init(opts), do: opts

  @impl true
  def call(conn, _) do
    if get_session(conn, "guest"),
      do: conn,
      else: put_session(conn, "guest", Base.url_encode64(:crypto.strong_rand_bytes(12)))
  end
end
