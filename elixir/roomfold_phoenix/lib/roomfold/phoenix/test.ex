defmodule Roomfold.Phoenix.Test do
  @moduledoc """
  Helpers for tests of your own rooms and channels, in addition to `Phoenix.ChannelTest`:

      defmodule XrWeb.RoomChannelTest do
        use ExUnit.Case, async: true
        use Roomfold.Phoenix.Test, rooms: Xr.Rooms, endpoint: XrWeb.Endpoint, channel: XrWeb.RoomChannel

        test "who joins is there, and moves", %{room: room} do
          {reply, tom} = join_room(room, "tom")
          assert reply["user"] == "tom"
          say!(tom, "user_moved", %{"user_id" => "tom", "position" => [1, 2, 3]})
          assert entity(room, "tom")["position"] == [1.0, 2.0, 3.0]
          assert_event room, "user_moved", %{"by" => "tom"}
        end

        test "nobody moves somebody else", %{room: room} do
          {_, eve} = join_room(room, "eve")
          assert refused!(eve, "user_moved", %{"user_id" => "tom"})["reason"] == "not_owned"
        end
      end

  Each test gets a room of its own: `room` is an unused id. Options: `:rooms`, and for channels `:endpoint`, `:channel` and `:topic`
  (`"room:"`). `Phoenix.ChannelTest` is imported if there is an endpoint.
  """

  import ExUnit.Assertions
  alias Roomfold.{EventLog, JSON, Room, Rooms}

  defmacro __using__(opts) do
    channels =
      if opts[:endpoint] do
        quote do
          import Phoenix.ChannelTest
          @endpoint unquote(opts[:endpoint])
        end
      end

    quote do
      import Roomfold.Phoenix.Test
      unquote(channels)

      @roomfold_test Keyword.validate!(unquote(opts), [
                       :endpoint,
                       :channel,
                       rooms: Roomfold.Rooms,
                       topic: "room:"
                     ])

      setup do
        Process.put(Roomfold.Phoenix.Test, @roomfold_test)
        {:ok, room: "test-#{System.unique_integer([:positive])}-#{System.os_time()}"}
      end
    end
  end

  @doc """
  Joins through the channel as a user; `assigns` are those that the application's `connect/3` would set (`%{user_id: user}`).
  Returns `{reply, socket}`.
  """
  defmacro join_room(room, user, params \\ Macro.escape(%{}), assigns \\ Macro.escape(%{})) do
    quote do
      opts = Process.get(Roomfold.Phoenix.Test)
      assigns = Map.merge(%{user_id: unquote(user)}, unquote(assigns))
      # Any socket would do: the channel is named below.
      socket = Phoenix.ChannelTest.socket(Phoenix.Socket, "test", assigns)

      {:ok, reply, socket} =
        Phoenix.ChannelTest.subscribe_and_join(
          socket,
          opts[:channel],
          opts[:topic] <> unquote(room),
          unquote(params)
        )

      {reply, socket}
    end
  end

  @doc "Sends an event through a channel and waits until it is in the room's log. Returns its seq."
  @spec say!(Phoenix.Socket.t(), String.t(), map) :: pos_integer
  def say!(socket, event, payload) do
    case answer(socket, event, payload) do
      {:ok, %{"seq" => seq}} -> seq
      {:error, reply} -> flunk("the room refused it: #{inspect(reply)}")
    end
  end

  @doc "Sends an event that the room must refuse. Returns the room's reply."
  @spec refused!(Phoenix.Socket.t(), String.t(), map) :: map
  def refused!(socket, event, payload) do
    case answer(socket, event, payload) do
      {:error, reply} -> reply
      {:ok, reply} -> flunk("the room took it: #{inspect(reply)}")
    end
  end

  defp answer(socket, event, payload) do
    ref = Phoenix.ChannelTest.push(socket, event, payload)

    receive do
      %Phoenix.Socket.Reply{ref: ^ref, status: status, payload: payload} -> {status, payload}
    after
      5_000 -> flunk("the channel does not answer")
    end
  end

  @doc "Waits until an entity of the room exists and the function returns true for it (it is called with `nil`, too)."
  @spec entity(Room.id(), String.t(), (map | nil -> as_boolean(term))) :: map | nil
  def entity(room, id, is_so? \\ & &1) do
    eventually(fn ->
      found = Room.get(named(room), id)
      if is_so?.(found), do: {:found, found}
    end)
    |> elem(1)
  end

  @doc """
  Waits until an event with this name, whose payload contains the given one, is in the room's log. Returns its payload.
  """
  @spec assert_event(Room.id(), String.t(), map) :: map
  def assert_event(room, name, payload \\ %{}) do
    eventually(fn ->
      Enum.find_value(events(room), fn {event, found} ->
        event == name and Enum.all?(payload, fn {key, value} -> found[key] == value end) && found
      end)
    end)
  end

  @doc "All events of a room, `[{name, payload}]`, from its log."
  @spec events(Room.id()) :: [Roomfold.World.event()]
  def events(room) do
    {rooms, id} = named(room)

    case EventLog.read(Rooms.log(rooms), id, 1) do
      {:ok, nil} -> []
      {:ok, %{text: text}} -> for line <- String.split(text, "\n", trim: true), do: event(JSON.decode!(line))
      {:error, %{reason: :no_room}} -> []
    end
  end

  defp event(%{"event_name" => name} = event), do: {name, Map.delete(event, "event_name")}
  defp event(%{"event" => name} = event), do: {name, Map.delete(event, "event")}

  @doc "Publishes as the server (`Roomfold.Room.publish/3`), or fails. Returns the seq."
  @spec publish!(Room.id(), Room.event(), keyword) :: pos_integer
  def publish!(room, event, opts \\ []) do
    case Room.publish(named(room), event, opts) do
      {:ok, seq} -> seq
      {:error, error} -> flunk("the room refused it: " <> error.message)
    end
  end

  @doc "Waits until a function returns a truthy value, and returns it; fails after `timeout` milliseconds."
  @spec eventually((() -> value), pos_integer) :: value when value: term
  def eventually(function, timeout \\ 5_000) do
    deadline = System.monotonic_time(:millisecond) + timeout
    eventually_until(function, deadline, timeout)
  end

  defp eventually_until(function, deadline, timeout) do
    cond do
      value = function.() ->
        value

      System.monotonic_time(:millisecond) > deadline ->
        flunk("it did not become so within #{timeout} ms")

      true ->
        Process.sleep(5)
        eventually_until(function, deadline, timeout)
    end
  end

  defp named(room), do: {Process.get(__MODULE__)[:rooms], room}
end
