defmodule Roomfold.Session.Link do
  @moduledoc false
  # A session's side effects: it calls the room, monitors its process, reads the clock. This is the real module; the simulator of the tests has
  # another one.

  alias Roomfold.{Error, Room}

  @callback join(Room.t(), user :: String.t(), keyword) :: {:ok, map} | {:error, Error.t()}
  @callback leave(room :: term) :: :ok | {:error, Error.t()}
  @callback catch_up(room :: term, from :: non_neg_integer, format :: atom) ::
              {:ok, {non_neg_integer, term}} | {:error, Error.t()}
  @callback publish(room :: term, [Room.event()], {:user | :elected, user :: String.t()}, now :: integer) ::
              term
  @callback monitor(room :: term) :: term
  @callback demonitor(reference :: term) :: term
  @doc "A message to the session."
  @callback later(message :: term, milliseconds :: pos_integer) :: term
  @callback fastlane(room :: term, seq :: non_neg_integer, entry :: map) :: :ok
  @callback acked(room :: term, seq :: non_neg_integer) :: :ok
  # For sessions with the option :fastlane.
  @optional_callbacks fastlane: 3, acked: 2
  @doc "Milliseconds that never go back."
  @callback now() :: integer

  defdelegate join(room, user, opts), to: Room
  defdelegate leave(room), to: Room
  defdelegate catch_up(room, from, format), to: Room
  def publish(room, events, sender, now), do: Room.publish_from(room, sender, events, :session, now)
  defdelegate fastlane(room, seq, entry), to: Room
  defdelegate acked(room, seq), to: Room
  def later(message, milliseconds), do: Process.send_after(self(), message, milliseconds)
  def monitor(room), do: Process.monitor(room)
  def demonitor(reference), do: Process.demonitor(reference, [:flush])
  def now, do: :erlang.monotonic_time(:millisecond)
end
