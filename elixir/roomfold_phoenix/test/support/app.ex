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

defmodule Roomfold.PhoenixTest.TokenChannel do
  @moduledoc false
  # A token at each join, perhaps for one room only.
  use Phoenix.Channel
  use Roomfold.Phoenix.Channel, rooms: Roomfold.PhoenixTest.Rooms, token: [max_age: 60]

  def room("token:" <> id, _socket), do: id
end

defmodule Roomfold.PhoenixTest.PlacedChannel do
  @moduledoc false
  # Rooms of a place that the test names, or of another node.
  use Phoenix.Channel
  use Roomfold.Phoenix.Channel, presence: Roomfold.PhoenixTest.Presence

  def room("room:" <> id, socket) do
    case socket.assigns.place do
      rooms when is_atom(rooms) ->
        {rooms, id}

      {node, rooms} ->
        {:ok, pid} = :erpc.call(node, Roomfold.Room, :ensure_started, [{rooms, id}])
        pid
    end
  end
end

defmodule Roomfold.PhoenixTest.OverruledChannel do
  @moduledoc false
  # Every step of the channel is another one; where there is more to it, `super` does the rest.
  use Phoenix.Channel
  use Roomfold.Phoenix.Channel, presence: Roomfold.PhoenixTest.Presence, session: [max_input_bytes: 4_096]

  def room("mine:" <> id, _socket), do: {Roomfold.PhoenixTest.Rooms, id}
  def user(socket), do: "mr " <> socket.assigns.user_id
  def authorize(_room, %{"word" => "sesame"}, _socket), do: :ok
  def authorize({_, id}, _params, _socket), do: {:error, %{reason: "the word of #{id}?"}}
  def session(params, _socket), do: [max_input_bytes: params["bytes"] || 64]
  def presence_meta(params, _socket), do: %{device: params["device"]}

  def join("mine:closed", _, _), do: {:error, %{reason: "closed"}}

  def join(topic, params, socket) do
    with {:ok, reply, socket} <- super(topic, params, socket),
         do: {:ok, Map.put(reply, "hello", true), socket}
  end

  def handle_in("ping", payload, socket), do: {:reply, {:ok, payload}, socket}
  def handle_in(event, payload, socket), do: super("player_" <> event, payload, socket)

  def handle_info({:say, text}, socket) do
    push(socket, "said", %{text: text})
    {:noreply, socket}
  end

  def handle_info(message, socket), do: super(message, socket)

  def terminate(reason, socket) do
    Phoenix.PubSub.broadcast(Roomfold.PhoenixTest.PubSub, "ends", {socket.topic, reason})
    super(reason, socket)
  end
end

defmodule Roomfold.PhoenixTest.ReplayChannel do
  use Phoenix.Channel
  use Roomfold.Phoenix.ReplayChannel

  def room("replay:" <> id, socket), do: {socket.assigns.place, id}
end

defmodule Roomfold.PhoenixTest.UserSocket do
  use Phoenix.Socket

  channel "room:*", Roomfold.PhoenixTest.RoomChannel
  channel "token:*", Roomfold.PhoenixTest.TokenChannel
  channel "mine:*", Roomfold.PhoenixTest.OverruledChannel

  @impl true
  def connect(%{"token" => token}, socket, _) do
    case Roomfold.Phoenix.Token.verify(Roomfold.PhoenixTest.Endpoint, token, nil, max_age: 60) do
      {:ok, user} -> {:ok, assign(socket, :user_id, user)}
      {:error, _} -> :error
    end
  end

  def connect(%{"guest" => _}, socket, _), do: {:ok, socket}
  def connect(_, _, _), do: :error

  @impl true
  def id(_), do: nil

  def token(user, opts \\ []), do: Roomfold.Phoenix.Token.sign(Roomfold.PhoenixTest.Endpoint, user, opts)
end

defmodule Roomfold.PhoenixTest.PlacedSocket do
  @moduledoc false
  # As UserSocket; the token is of a user and a place.
  use Phoenix.Socket

  channel "room:*", Roomfold.PhoenixTest.PlacedChannel
  channel "replay:*", Roomfold.PhoenixTest.ReplayChannel

  @impl true
  def connect(%{"token" => token}, socket, _) do
    with {:ok, {user, place}} <- Phoenix.Token.verify(Roomfold.PhoenixTest.Endpoint, "placed", token) do
      {:ok, socket |> assign(:user_id, user) |> assign(:place, place)}
    else
      _ -> :error
    end
  end

  @impl true
  def id(_), do: nil

  def token(user, place), do: Phoenix.Token.sign(Roomfold.PhoenixTest.Endpoint, "placed", {user, place})
end

defmodule Roomfold.PhoenixTest.Endpoint do
  use Phoenix.Endpoint, otp_app: :roomfold_phoenix

  @ours [
    serializer: [{Roomfold.Phoenix.Serializer, "~> 2.0.0"}],
    check_origin: ["//127.0.0.1"],
    max_frame_size: 65_536
  ]

  socket "/stock", Roomfold.PhoenixTest.UserSocket,
    websocket: [check_origin: ["//127.0.0.1"], max_frame_size: 65_536]

  socket "/socket", Roomfold.PhoenixTest.UserSocket, websocket: @ours
  socket "/placed", Roomfold.PhoenixTest.PlacedSocket, websocket: @ours

  socket "/placed_stock", Roomfold.PhoenixTest.PlacedSocket,
    websocket: [check_origin: ["//127.0.0.1"], max_frame_size: 65_536]

  def port do
    {:ok, {_, port}} = Bandit.PhoenixAdapter.server_info(__MODULE__, :http)
    port
  end
end

defmodule Roomfold.PhoenixTest.App do
  @moduledoc false
  # What the tests share, under one supervisor: here, and on the nodes that tests start.
  alias Roomfold.PhoenixTest

  def start do
    Supervisor.start_link(
      [
        {Phoenix.PubSub, name: PhoenixTest.PubSub},
        PhoenixTest.Presence,
        {Roomfold.Rooms,
         name: PhoenixTest.Rooms,
         stream: {Roomfold.Phoenix.PubSub, PhoenixTest.PubSub},
         room: [rules: Roomfold.Rules.doom(), tick_ms: 10, grace_ms: 300]},
        PhoenixTest.Endpoint
      ],
      strategy: :one_for_one
    )
  end
end
