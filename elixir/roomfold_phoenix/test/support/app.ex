defmodule Roomfold.PhoenixTest.Presence do
  use Phoenix.Presence, otp_app: :roomfold_phoenix, pubsub_server: Roomfold.PhoenixTest.PubSub
end

defmodule Roomfold.PhoenixTest.RoomChannel do
  use Phoenix.Channel

  use Roomfold.Phoenix.Channel,
    rooms: Roomfold.PhoenixTest.Rooms,
    presence: Roomfold.PhoenixTest.Presence,
    session: [
      events_per_s: 50,
      burst_s: 1,
      max_input_bytes: 4_096,
      max_unacknowledged: 200_000,
      max_lag_ms: 200
    ]

  def authorize("closed", _params, _socket), do: {:error, %{reason: "closed"}}
  def authorize(_, _, _), do: :ok
end

defmodule Roomfold.PhoenixTest.UserSocket do
  use Phoenix.Socket

  channel "room:*", Roomfold.PhoenixTest.RoomChannel

  @impl true
  def connect(%{"token" => token}, socket, _) do
    case Phoenix.Token.verify(Roomfold.PhoenixTest.Endpoint, "user", token, max_age: 60) do
      {:ok, user} -> {:ok, assign(socket, :user_id, user)}
      {:error, _} -> :error
    end
  end

  def connect(_, _, _), do: :error

  @impl true
  def id(_), do: nil

  def token(user, opts \\ []), do: Phoenix.Token.sign(Roomfold.PhoenixTest.Endpoint, "user", user, opts)
end

defmodule Roomfold.PhoenixTest.Endpoint do
  use Phoenix.Endpoint, otp_app: :roomfold_phoenix

  socket "/stock", Roomfold.PhoenixTest.UserSocket,
    websocket: [check_origin: ["//127.0.0.1"], max_frame_size: 65_536]

  socket "/socket", Roomfold.PhoenixTest.UserSocket,
    websocket: [
      serializer: [{Roomfold.Phoenix.Serializer, "~> 2.0.0"}],
      check_origin: ["//127.0.0.1"],
      max_frame_size: 65_536
    ]
end
