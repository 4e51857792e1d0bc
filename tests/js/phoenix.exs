# The Phoenix app for the tests of the page: `mix run --no-start ../../tests/js/phoenix.exs` in elixir/xr, with the orders of gateway.exs. The first line
# says where it is, and how a client in node gets in.

defmodule Orders do
  alias Roomfold.{JSON, Room, Rules, World}

  @match Path.expand("../../priv/demo/freedm-0.12-demo1-MAP21.events.jsonl.gz", __DIR__)
  @rooms Xr.Rooms

  def start do
    Logger.configure(level: :emergency)
    Application.put_env(:xr, :room, grace_ms: 1_000)
    Application.put_env(:xr, :session, [])
    http = [http: [ip: {127, 0, 0, 1}, port: 0], secret_key_base: String.duplicate("tests of the page", 4)]
    Application.put_env(:xr, XrWeb.Endpoint, Keyword.merge(Application.get_env(:xr, XrWeb.Endpoint), http))
    {:ok, _} = Application.ensure_all_started(:xr)
    {:ok, {_, port}} = Bandit.PhoenixAdapter.server_info(XrWeb.Endpoint, :http)

    say(%{
      "port" => port,
      "params" => %{"carl" => %{"token" => Roomfold.Phoenix.Token.sign(XrWeb.Endpoint, "carl")}}
    })

    loop()
  end

  defp say(value), do: IO.puts(JSON.encode!(value))

  defp loop do
    case IO.gets("") do
      line when is_binary(line) ->
        line |> JSON.decode!() |> order() |> say()
        loop()

      # Whoever started it is gone.
      _ ->
        System.halt(0)
    end
  end

  defp order(["publish", room, name, payload]) do
    {:ok, seq} = Room.publish({@rooms, room}, {name, payload})
    seq
  end

  defp order(["state_at", room, seq]) do
    {:ok, world} = Room.state_at({@rooms, room}, seq)
    World.snapshot(world)
  end

  # What the recorded match's first events make, folded here and now.
  defp order(["match_at", seq]) do
    lines = @match |> File.read!() |> :zlib.gunzip() |> String.split("\n", trim: true) |> Enum.take(seq)
    World.snapshot(World.fold!(World.new!(rules: Rules.doom()), {:json, Enum.join(lines, "\n")}))
  end

  # The processes of the sockets, which hold the channels.
  defp order(["drop connections"]) do
    sockets =
      for pid <- Process.list(),
          {:dictionary, dictionary} <- [Process.info(pid, :dictionary) || {:dictionary, []}],
          match?(
            {channel, :join, 3} when channel in [XrWeb.RoomChannel, XrWeb.ReplayChannel],
            dictionary[:"$initial_call"]
          ),
          uniq: true,
          do: :sys.get_state(pid).transport_pid

    Enum.each(sockets, &Process.exit(&1, :kill))
    length(sockets)
  end
end

Orders.start()
