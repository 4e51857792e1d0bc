defmodule XrWeb.Router do
  use Phoenix.Router

  scope "/", XrWeb do
    get "/", RoomController, :lobby
    get "/gateway.json", RoomController, :about
    get "/rooms", RoomController, :index
    get "/rooms/:id", RoomController, :show
    get "/replays/:id", RoomController, :replay
  end
end
