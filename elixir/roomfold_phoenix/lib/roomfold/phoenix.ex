defmodule Roomfold.Phoenix do
  @moduledoc """
  Roomfold's rooms in a Phoenix application (`docs/phoenix.md`; `mix roomfold.install` adds what it needs).

    * `Roomfold.Phoenix.Channel` - a channel that is a client's connection to a room
    * `Roomfold.Phoenix.ReplayChannel` - one that plays a recording or a room's log
    * `Roomfold.Phoenix.PubSub` - the rooms' events on the application's `Phoenix.PubSub`
    * `Roomfold.Phoenix.Serializer` - replaces Phoenix's V2 serializer, so that clients' messages to rooms are decoded in C
    * `Roomfold.Phoenix.Token` - signed tokens with a user's id
    * `Roomfold.Phoenix.Test` - helpers for tests of your own rooms
    * `Roomfold.EventLog.Ecto` - the rooms' log in the application's Postgres database

  In the supervision tree, after `Phoenix.PubSub`:

      {Roomfold.Rooms, name: Xr.Rooms, stream: {Roomfold.Phoenix.PubSub, Xr.PubSub}}

  In the socket:

      channel "room:*", Xr.RoomChannel
  """
end
