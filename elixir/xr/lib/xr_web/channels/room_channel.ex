defmodule XrWeb.RoomChannel do
  @moduledoc "A client's connection to a room."
  use XrWeb, :channel
  use Roomfold.Phoenix.Channel, rooms: Xr.Rooms, presence: XrWeb.Presence

  alias Roomfold.Gateway.Arena

  def authorize(room, _params, socket) do
    # What is no name is refused before a room is started for it.
    if room =~ ~r/\A[A-Za-z0-9_-]{1,64}\z/,
      do: with(:ok <- XrWeb.UserSocket.named(socket), do: admit(room, socket.assigns.user_id)),
      else:
        {:error, %{reason: "invalid_id", message: "a room's name has letters, digits, - and _, 64 at most"}}
  end

  defp admit(room, user) do
    with {:error, error} <- Arena.admit({Xr.Rooms, room}, user), do: {:error, Roomfold.Session.reason(error)}
  end

  def session(_params, _socket), do: Application.get_env(:xr, :session, [])
end
