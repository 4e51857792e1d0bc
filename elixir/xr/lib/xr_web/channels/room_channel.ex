defmodule XrWeb.RoomChannel do
  @moduledoc "A client's connection to a room."
  use XrWeb, :channel
  use Roomfold.Phoenix.Channel, rooms: Xr.Rooms, presence: XrWeb.Presence

  def authorize(room, _params, socket) do
    # What is no name is refused before a room is started for it.
    if room =~ ~r/\A[A-Za-z0-9_-]{1,64}\z/,
      do: XrWeb.UserSocket.named(socket),
      else:
        {:error, %{reason: "invalid_id", message: "a room's name has letters, digits, - and _, 64 at most"}}
  end

  def session(_params, _socket), do: Application.get_env(:xr, :session, [])
end
