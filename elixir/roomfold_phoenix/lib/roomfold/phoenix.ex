defmodule Roomfold.Phoenix do
  @moduledoc """
  Roomfold's rooms in a Phoenix application (`docs/phoenix.md`; `mix roomfold.install` adds what it needs).

    * `Roomfold.Phoenix.Channel` - a channel that is a client's connection to a room
    * `Roomfold.Phoenix.ReplayChannel` - one that plays a recording, or what a room has in its log
    * `Roomfold.Phoenix.PubSub` - the rooms' events on the application's `Phoenix.PubSub`
    * `Roomfold.Phoenix.Serializer` - in place of Phoenix's V2 serializer, so that what clients send to rooms is read in C
    * `Roomfold.Phoenix.Token` - who a user is, signed
    * `Roomfold.Phoenix.Test` - helpers for tests of your own rooms
    * `Roomfold.EventLog.Ecto` - the rooms' log in the application's Postgres database

  In the supervision tree, behind `Phoenix.PubSub`:

      {Roomfold.Rooms, name: Xr.Rooms, stream: {Roomfold.Phoenix.PubSub, Xr.PubSub}}

  In the socket:

      channel "room:*", Xr.RoomChannel
  """
end
