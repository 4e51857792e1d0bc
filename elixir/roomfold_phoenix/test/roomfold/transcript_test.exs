defmodule Roomfold.Phoenix.TranscriptTest do
  # The conversations of tests/vectors/channel, which the development gateway must pass as well.
  use ExUnit.Case, async: true

  alias Roomfold.ChannelTest.{Client, Transcript}
  alias Roomfold.PhoenixTest.{Endpoint, PlacedSocket}

  for {name, about, steps} <- Transcript.all(), path <- ["/placed", "/placed_stock"] do
    @about about
    @steps steps

    test "#{name} through #{path}: #{about["about"]}" do
      rooms = :"transcript_#{System.unique_integer([:positive])}"
      start_supervised!({Roomfold.Rooms, name: rooms, room: Transcript.room(@about)})

      Transcript.play(@steps, fn user ->
        token = PlacedSocket.token(user, rooms)
        {:ok, client} = Client.connect(Endpoint.port(), "#{unquote(path)}/websocket?vsn=2.0.0&token=#{token}")
        client
      end)
    end
  end

  test "there are some", do: assert(length(Transcript.all()) >= 8)
end
