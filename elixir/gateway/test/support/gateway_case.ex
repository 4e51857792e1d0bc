defmodule Roomfold.GatewayCase do
  @moduledoc false
  # A gateway with rooms of its own for each test. One at a time: Yaws is one per VM.
  use ExUnit.CaseTemplate

  using do
    quote do
      @moduletag :yaws
      import Roomfold.GatewayCase
      alias Roomfold.{Gateway, JSON, Room}
      alias Roomfold.Gateway.Client
    end
  end

  @doc "Starts rooms and a gateway: `{port, rooms}`."
  def start_gateway(opts \\ []) do
    rooms = :"gateway_rooms_#{System.unique_integer([:positive])}"
    {room, opts} = Keyword.pop(opts, :room, [])
    start_supervised!({Roomfold.Rooms, name: rooms, room: Keyword.merge([tick_ms: 10], room)})
    start_supervised!({Roomfold.Gateway, Keyword.merge([port: 0, rooms: rooms], opts)})
    {Roomfold.Gateway.port(), rooms}
  end

  @doc "The processes of channels."
  def channels do
    for {_, pid, _, _} <- DynamicSupervisor.which_children(Roomfold.Gateway.Channels), is_pid(pid), do: pid
  end

  @doc "The processes of connections."
  def connections do
    for {_, pid, _, _} <- Supervisor.which_children(:yaws_ws_sup), is_pid(pid), do: pid
  end

  @doc "Waits until something is so; what it is then."
  def eventually(function, timeout \\ 30_000) do
    deadline = System.monotonic_time(:millisecond) + timeout
    eventually_until(function, deadline)
  end

  defp eventually_until(function, deadline) do
    cond do
      value = function.() -> value
      System.monotonic_time(:millisecond) > deadline -> ExUnit.Assertions.flunk("it did not become so")
      true -> Process.sleep(10) && eventually_until(function, deadline)
    end
  end
end
