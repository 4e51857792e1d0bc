defmodule XrWeb.UserSocket do
  @moduledoc """
  Who a client is: a token says it (`Roomfold.Phoenix.Token.sign(XrWeb.Endpoint, "tom")`); or else it is a guest, known by the page's signed
  cookie and its token against forgery, under a name that nobody else has taken (`Xr.Names`).
  """
  use Phoenix.Socket

  channel "room:*", XrWeb.RoomChannel
  channel "replay:*", XrWeb.ReplayChannel

  @impl true
  def connect(%{"token" => token}, socket, _info) do
    case Roomfold.Phoenix.Token.verify(XrWeb.Endpoint, token) do
      {:ok, user} -> {:ok, assign(socket, :user_id, user)}
      {:error, error} -> {:error, {403, error.message}}
    end
  end

  def connect(%{"user_id" => name}, socket, %{session: %{"guest" => guest}}) do
    case Xr.Names.claim(name, guest) do
      :ok -> {:ok, assign(socket, :user_id, name)}
      {:error, reason} -> {:error, {403, "the name is #{reason}"}}
    end
  end

  def connect(_params, _socket, _info), do: {:error, {403, "neither a token nor a guest's name"}}

  @impl true
  def id(socket), do: "user:" <> socket.assigns.user_id

  @doc false
  def refuse(conn, {status, reason}), do: Plug.Conn.send_resp(conn, status, reason)
end
