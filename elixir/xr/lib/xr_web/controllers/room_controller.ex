defmodule XrWeb.RoomController do
  @moduledoc "The page, for a room or a replay, and which rooms there are."
  use XrWeb, :controller

  alias Roomfold.Room

  def start(conn, _), do: page(conn)

  def index(conn, _) do
    json(conn, %{rooms: for(id <- Roomfold.Rooms.running(Xr.Rooms), do: about(id))})
  end

  # It may stop while it is asked.
  defp about(id) do
    info = Room.info({Xr.Rooms, id})
    %{id: id, users: info.users, entities: info.entities, seq: info.seq}
  rescue
    Roomfold.Error -> %{id: id, users: [], entities: 0, seq: 0}
  end

  def show(conn, %{"id" => _}), do: page(conn)
  def replay(conn, %{"id" => _}), do: page(conn)

  # The page decides from its address what to show. When it connects it sends its attribute data-params, which proves that it is a page of this
  # application (only then Phoenix gives the socket its session).
  defp page(conn) do
    params = Jason.encode!(%{"_csrf_token" => Plug.CSRFProtection.get_csrf_token()})

    text =
      :roomfold
      |> Application.app_dir("priv/static/index.html")
      |> File.read!()
      |> String.replace(~s(data-params="{}"), ~s(data-params="#{Plug.HTML.html_escape(params)}"))

    conn |> put_resp_header("cache-control", "no-cache") |> html(text)
  end
end
