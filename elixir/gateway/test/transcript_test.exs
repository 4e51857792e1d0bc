defmodule Roomfold.Gateway.TranscriptTest do
  # The conversations of tests/vectors/channel.
  use Roomfold.GatewayCase

  alias Roomfold.ChannelTest.{Client, Transcript}

  for {name, about, steps} <- Transcript.all() do
    @about about
    @steps steps

    test "#{name}: #{about["about"]}" do
      {port, _} = start_gateway(room: Transcript.room(@about))

      Transcript.play(@steps, fn user ->
        {:ok, client} = Client.connect(port, "/socket/websocket?vsn=2.0.0&user_id=#{user}")
        client
      end)
    end
  end

  test "there are some", do: assert(length(Transcript.all()) >= 8)
end
