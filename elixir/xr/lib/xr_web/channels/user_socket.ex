defmodule XrWeb.UserSocket do
  @moduledoc """
  Identifies a client: by a token (`Roomfold.Phoenix.Token.sign(XrWeb.Endpoint, "tom")`), or else as a guest, known by the page's signed
  cookie and its CSRF token, under a name that no other client has taken (`Xr.Names`). The name is checked when the client joins, so that
  the page can show the answer.
  """
  use Phoenix.Socket

  channel "room:*", XrWeb.RoomChannel
  channel "replay:*", XrWeb.ReplayChannel

  @impl true
  def connect(%{"token" => token}, socket, _info) do
    case Roomfold.Phoenix.Token.verify(XrWeb.Endpoint, token) do
      {:ok, user} -> {:ok, assign(socket, user_id: user, owner: {:token, user})}
      {:error, error} -> {:error, {403, error.message}}
    end
  end

  def connect(%{"user_id" => name}, socket, %{session: %{"guest" => guest}}),
    do: {:ok, assign(socket, user_id: name, owner: {:guest, guest})}

  def connect(_params, _socket, _info), do: {:error, {403, "neither a token nor a guest of the page"}}

  @impl true
  def id(_socket), do: nil

  @doc "Whether the client may go by its name: `:ok`, or what a join is answered."
  def named(socket) do
    name = socket.assigns.user_id

    case Xr.Names.claim(name, socket.assigns.owner) do
      :ok ->
        :ok

      {:error, :taken} ->
        refuse("name_taken", "the name #{name} is somebody else's here")

      {:error, :invalid} ->
        refuse("invalid_name", "a name has 1 to 64 bytes, and is none of the room's own")
    end
  end

  defp refuse(reason, message), do: {:error, %{reason: reason, message: message, field: "user_id"}}

  @doc false
  def refused(conn, {status, reason}), do: Plug.Conn.send_resp(conn, status, reason)
end
