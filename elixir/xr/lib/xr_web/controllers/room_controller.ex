defmodule XrWeb.RoomController do
  @moduledoc "The page, for a room or a replay, and which rooms there are."
  use XrWeb, :controller

  alias Roomfold.Room

  def lobby(conn, _), do: redirect(conn, to: "/rooms/lobby")

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

  def show(conn, %{"id" => _}), do: page(conn, "index.html")
  def replay(conn, %{"id" => _}), do: page(conn, "replay.html")

  defp page(conn, file) do
    conn
    |> put_resp_content_type("text/html")
    |> put_resp_header("cache-control", "no-cache")
    |> send_file(200, Application.app_dir(:roomfold, "priv/static/" <> file))
  end

  # What the page asks its server.
  def about(conn, _) do
    json(conn, %{server: "Phoenix", socket: "/socket", replays: ["match"]})
  end
end
