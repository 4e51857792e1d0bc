defmodule XrWeb.ReplayChannel do
  @moduledoc "A recording played to one client: the shipped match, or what a room has in its log."
  use XrWeb, :channel
  use Roomfold.Phoenix.ReplayChannel, rooms: Xr.Rooms

  alias Roomfold.Gateway.Arena

  @match "demo/freedm-0.12-demo1-MAP21.events.jsonl.gz"

  def replay({_, "match"}, opts) do
    events = :roomfold |> Application.app_dir("priv/" <> @match) |> File.read!() |> :zlib.gunzip()

    Roomfold.Replay.start_link(
      [events: events, id: "match"] ++ opts ++ Keyword.take(Arena.options(), [:rules, :level])
    )
  end

  def replay(room, opts), do: Roomfold.Room.replay(room, opts)

  def authorize(_room, _params, socket), do: XrWeb.UserSocket.named(socket)

  def session(_params, _socket), do: Application.get_env(:xr, :session, [])
end
