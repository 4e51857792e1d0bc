defmodule XrWeb.RoomChannel do
  @moduledoc "A client's connection to a room."
  use XrWeb, :channel
  use Roomfold.Phoenix.Channel, rooms: Xr.Rooms, presence: XrWeb.Presence

  # A name is a room's, and what is no name is refused before a room is started for it.
  def authorize(room, _params, _socket) do
    if room =~ ~r/\A[A-Za-z0-9_-]{1,64}\z/,
      do: :ok,
      else:
        {:error, %{reason: "invalid_id", message: "a room's name has letters, digits, - and _, 64 at most"}}
  end

  def session(_params, _socket), do: Application.get_env(:xr, :session, [])
end
