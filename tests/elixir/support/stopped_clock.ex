defmodule Roomfold.StoppedClock do
  @moduledoc false
  # What a session does to the world outside it, at the time that the test says; and the room does not answer in time as often as it says.
  alias Roomfold.Session.Link
  @behaviour Link

  def set(milliseconds), do: Process.put(__MODULE__, milliseconds)
  def deaf(times), do: Process.put({__MODULE__, :deaf}, times)

  @impl true
  def now, do: Process.get(__MODULE__, 0)
  @impl true
  def later(message, milliseconds), do: send(self(), {:later, message, milliseconds})

  @impl true
  def catch_up(room, from, format) do
    case Process.get({__MODULE__, :deaf}, 0) do
      0 ->
        Link.catch_up(room, from, format)

      times ->
        deaf(times - 1)
        {:error, Roomfold.Error.new(:overloaded)}
    end
  end

  @impl true
  defdelegate join(room, user, opts), to: Link
  @impl true
  defdelegate leave(room), to: Link
  # To a room with another clock.
  @impl true
  def publish(room, events, sender, _), do: Link.publish(room, events, sender, Link.now())
  @impl true
  defdelegate fastlane(room, seq, entry), to: Link
  @impl true
  defdelegate acked(room, seq), to: Link
  @impl true
  defdelegate monitor(room), to: Link
  @impl true
  defdelegate demonitor(reference), to: Link
end
