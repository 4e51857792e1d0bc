defmodule Roomfold.PhoenixTest.Case do
  @moduledoc false
  # A room of its own for each test, and clients of the endpoint, `/socket` with our serializer and `/stock` with Phoenix's.
  use ExUnit.CaseTemplate

  alias Roomfold.ChannelTest.Client
  alias Roomfold.PhoenixTest.{Endpoint, UserSocket}

  using do
    quote do
      import Roomfold.PhoenixTest.Case
      alias Roomfold.{PhoenixTest, Room}
      alias Roomfold.ChannelTest.Client
      alias Roomfold.PhoenixTest.{Endpoint, UserSocket}

      @rooms PhoenixTest.Rooms

      setup do
        {:ok, room: "r#{System.unique_integer([:positive])}"}
      end
    end
  end

  def connect!(user, path \\ "/socket") do
    token = UserSocket.token(user)
    {:ok, client} = Client.connect(Endpoint.port(), "#{path}/websocket?vsn=2.0.0&token=#{token}")
    client
  end

  def join!(user, room, params \\ %{}, path \\ "/socket"),
    do: user |> connect!(path) |> join_as!("room:" <> room, params)

  def join_as!(client, topic, params) do
    {[_, _, _, _, answer], client} = Client.join(client, topic, params)
    %{"status" => "ok", "response" => reply} = answer
    {reply, client}
  end

  @doc "The processes of a room's channels."
  def channels(room), do: Map.keys(:sys.get_state(Roomfold.Room.whereis(room)).monitors)

  @doc "From the room's log: which server events there were about a user."
  def comings_and_goings({rooms, id}, user) do
    {:ok, %{text: text}} = Roomfold.EventLog.read(Roomfold.Rooms.log(rooms), id, 1)

    for line <- String.split(text, "\n", trim: true),
        event = Jason.decode!(line),
        event["by"] == "server" and event["user_id"] == user,
        do: event["event_name"]
  end

  @doc "Waits until something is so; what it is then."
  def eventually(function, timeout \\ 30_000),
    do: eventually_until(function, System.monotonic_time(:millisecond) + timeout)

  defp eventually_until(function, deadline) do
    cond do
      value = function.() -> value
      System.monotonic_time(:millisecond) > deadline -> ExUnit.Assertions.flunk("it never became so")
      true -> Process.sleep(10) && eventually_until(function, deadline)
    end
  end
end
