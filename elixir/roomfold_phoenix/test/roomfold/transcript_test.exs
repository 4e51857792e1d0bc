defmodule Roomfold.Phoenix.TranscriptTest do
  # The conversations of tests/vectors/channel, which the development gateway must pass as well.
  use ExUnit.Case, async: true

  alias Roomfold.PhoenixTest.{Client, Endpoint, PlacedSocket, Transcript}

  for file <- Transcript.files(), path <- ["/placed", "/placed_stock"] do
    [about | steps] = Transcript.read(file)
    @about about
    @steps steps

    test "#{Path.basename(file)} through #{path}: #{about["about"]}" do
      rules = if @about["rules"] == "doom", do: Roomfold.Rules.doom(), else: Roomfold.Rules.xr()
      rooms = :"transcript_#{System.unique_integer([:positive])}"
      room = [rules: rules, grace_ms: @about["grace_ms"] || 5_000, tick_ms: 10]
      start_supervised!({Roomfold.Rooms, name: rooms, room: room})

      Transcript.play(@steps, fn user ->
        token = PlacedSocket.token(user, rooms)
        {:ok, client} = Client.connect(Endpoint.port(), "#{unquote(path)}/websocket?vsn=2.0.0&token=#{token}")
        client
      end)
    end
  end

  test "there are some", do: assert(length(Transcript.files()) >= 5)
end
