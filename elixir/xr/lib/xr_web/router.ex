defmodule XrWeb.Router do
  use Phoenix.Router

  import Plug.Conn
  import Phoenix.Controller

  pipeline :page do
    plug :fetch_session
    plug XrWeb.Guest
    plug :protect_from_forgery
    plug :put_secure_browser_headers
  end

  scope "/", XrWeb do
    pipe_through :page

    get "/", RoomController, :start
    get "/rooms", RoomController, :index
    get "/rooms/:id", RoomController, :show
    get "/replays/:id", RoomController, :replay
  end
end
