defmodule Roomfold do
  @moduledoc """
  Multiplayer rooms as ordered streams of events, folded in C.

      iex> {:ok, 1} = Roomfold.Room.publish("a first room", {"user_joined", %{"user_id" => "tom", "position" => [0, 1, 2]}})
      iex> {:ok, 2} = Roomfold.Room.publish("a first room", {"user_moved", %{"user_id" => "tom", "position" => [3, 1, 2]}}, by: "tom")
      iex> Roomfold.Room.get("a first room", "tom")
      %{"position" => [3.0, 1.0, 2.0]}
      iex> {:ok, before} = Roomfold.Room.state_at("a first room", 1)
      iex> Roomfold.World.get(before, "tom")
      %{"position" => [0.0, 1.0, 2.0]}

    * `Roomfold.World` - the state of a room: fold events into it, read it, see what changed
    * `Roomfold.Rules` - what domain events do, as data
    * `Roomfold.Schema` - which components have a type
    * `Roomfold.Hits` - what is hit: rays and moving shapes, now and in the past
    * `Roomfold.Room` - a room that runs: publish events, join, ask for any past; `Roomfold.Rooms` - many of them, by id
    * `Roomfold.Session` - one client's connection to a room, as plain data
    * `Roomfold.Replay` - the past of a room, played as a room
    * `Roomfold.EventLog` - storage for a room's events: memory, SQLite, or a module of your own
    * `Roomfold.EventStream` - publishes them to other processes and nodes
    * `Roomfold.Projection` - the implementations, and how to compare your own with the one in C
    * `Roomfold.JSON` - strict JSON, in C and in Elixir
    * `Roomfold.Report`, `Roomfold.Error` - what was left out, and why
  """

  @version Mix.Project.config()[:version]

  @doc """
  The package's version.

      iex> Version.match?(Roomfold.version(), ">= 0.1.0")
      true
  """
  @spec version() :: String.t()
  def version, do: @version

  @doc """
  Information about the native library; raises if it can't be loaded.

      iex> is_binary(Roomfold.native_info().compiler)
      true
  """
  @spec native_info() :: map
  def native_info, do: Roomfold.Native.info()
end
