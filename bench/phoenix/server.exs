# A server of bench/phoenix.exs, in an OS process of its own: a Phoenix endpoint, and a room of entities that all move with each tick.
# `mix run --no-start server.exs packed|lossless|json|jason ENTITIES` in elixir/xr. Orders come by standard input: "go HZ TICKS"; answers are lines of
# JSON: for each tick its seq and when it began, in microseconds.

defmodule Bench.Server do
  alias Roomfold.{JSON, Room, Rooms, Rules, Schema, Wire}

  @sets 4

  def start(kind, count) do
    Application.put_env(:phoenix, :json_library, Jason)

    Application.put_env(:bench, Bench.Endpoint,
      adapter: Bandit.PhoenixAdapter,
      http: [ip: {127, 0, 0, 1}, port: 0],
      server: true,
      secret_key_base: String.duplicate("bench", 13),
      pubsub_server: Bench.PubSub
    )

    for app <- [:roomfold, :phoenix, :bandit], do: {:ok, _} = Application.ensure_all_started(app)

    {:ok, _} =
      Supervisor.start_link(
        [
          {Phoenix.PubSub, name: Bench.PubSub},
          {Rooms, name: Bench.Rooms, log: nil, room: room(kind)},
          Bench.Endpoint
        ],
        strategy: :one_for_one
      )

    {:ok, {_, port}} = Bandit.PhoenixAdapter.server_info(Bench.Endpoint, :http)
    tick = prepare(kind, count)
    say(%{"port" => port, "pid" => String.to_integer(System.pid())})
    loop(tick)
  end

  defp loop(tick) do
    case IO.gets("") do
      "go " <> order ->
        [hz, ticks] = order |> String.split() |> Enum.map(&String.to_integer/1)
        start = System.monotonic_time(:microsecond)
        say(%{"times" => for(n <- 1..ticks, do: at(start + div((n - 1) * 1_000_000, hz), n, tick))})
        loop(tick)

      _ ->
        System.halt(0)
    end
  end

  defp at(due, n, tick) do
    wait = div(due - System.monotonic_time(:microsecond), 1_000)
    if wait > 0, do: Process.sleep(wait)
    time = System.os_time(:microsecond)
    [tick.(n), time]
  end

  defp say(map), do: IO.puts(JSON.encode!(map))

  # ---- a room of Roomfold's ----

  # As bench/wire.exs has it: a millimetre, and 10 bits for each of three numbers of a quaternion. JSON has 4 decimals.
  @quantised [
    {"position", {:f32, 3}, quantise: [step: 0.001, bounds: {-64, 64}], decimals: 4},
    {"rotation", {:f32, 4}, quantise: :smallest_three, bits: 10, decimals: 4}
  ]

  # float32, as Colyseus has them.
  @lossless [{"position", {:f32, 3}, decimals: 4}, {"rotation", {:f32, 4}, decimals: 4}]

  defp schema(:lossless), do: Schema.new!(@lossless)
  defp schema(_), do: Schema.new!(@quantised)

  # Nobody is told who comes and goes, as with the others.
  defp room(kind),
    do: [schema: schema(kind), rules: Rules.new!(%{}), tick_ms: 10, history: 100_000]

  defp prepare(:jason, count) do
    creates = Map.new(poses(count))
    :persistent_term.put(:snapshot, creates)

    # What an application would have at hand: a map of what changed.
    sets = for _ <- 1..@sets, do: Map.new(poses(count))

    fn n ->
      diff = %{"from" => n - 1, "seq" => n, "updates" => Enum.at(sets, rem(n, @sets))}
      Bench.Endpoint.broadcast!("plain:bench", "diff", diff)
      n
    end
  end

  # What a system of the room's would publish: one packed batch a tick.
  defp prepare(kind, count) do
    room = {Bench.Rooms, "bench"}
    {:ok, _} = Room.publish(room, {:packed, batch(kind, "create", count)}, by: :system)
    sets = for _ <- 1..@sets, do: batch(kind, "update", count)

    fn n ->
      {:ok, _..seq//1} = Room.publish(room, {:packed, Enum.at(sets, rem(n, @sets))}, by: :system)
      seq
    end
  end

  defp batch(kind, event, count) do
    events =
      for {id, components} <- poses(count), do: {event, %{"entity_id" => id, "components" => components}}

    {:ok, frame} = Wire.encode_events(events, schema: schema(kind))
    frame
  end

  defp poses(count),
    do: for(i <- 1..count, do: {"thing-#{i}", %{"position" => place(), "rotation" => turn()}})

  defp place, do: for(_ <- 1..3, do: Float.round((:rand.uniform() * 2 - 1) * 50, 4))

  defp turn do
    all = for _ <- 1..4, do: :rand.normal()
    size = :math.sqrt(Enum.sum(Enum.map(all, &(&1 * &1))))
    Enum.map(all, &Float.round(&1 / size, 4))
  end
end

defmodule Bench.RoomChannel do
  use Phoenix.Channel
  use Roomfold.Phoenix.Channel, rooms: Bench.Rooms
  def user(socket), do: socket.assigns.user
end

defmodule Bench.PlainChannel do
  # The same channel as one writes it without: a snapshot at the join, and what Phoenix broadcasts.
  use Phoenix.Channel
  def join(_, _, socket), do: {:ok, %{"entities" => :persistent_term.get(:snapshot)}, socket}
end

defmodule Bench.Socket do
  use Phoenix.Socket
  channel("room:*", Bench.RoomChannel)
  channel("plain:*", Bench.PlainChannel)
  def connect(%{"user" => user}, socket, _), do: {:ok, assign(socket, :user, user)}
  def id(_), do: nil
end

defmodule Bench.Endpoint do
  use Phoenix.Endpoint, otp_app: :bench
  socket("/socket", Bench.Socket, websocket: [serializer: [{Roomfold.Phoenix.Serializer, "~> 2.0.0"}]])
  socket("/stock", Bench.Socket, websocket: true)
end

if match?([_, _], System.argv()) do
  [kind, count] = System.argv()
  Logger.configure(level: :error)
  Bench.Server.start(String.to_atom(kind), String.to_integer(count))
end
