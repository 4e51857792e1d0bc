defmodule Roomfold.Simulator.Client do
  @moduledoc """
  Clients of the simulated cluster: each is connected to some node, where its session is, folds what it gets into a world of its own, sends
  numbered events, acknowledges, and connects again, with its last seq, when its connection breaks.

  What a connection delivers it delivers in order, or it breaks.
  """
  alias Roomfold.{Session, Simulator, World}
  alias Roomfold.Simulator.{Check, Host, Link, Put}

  import Simulator, only: [later: 2, later_on: 3, chance: 1, get: 0, now: 0]

  # life: of its connection; line: when the last frame on its way arrives
  defstruct [:key, :user, :room, :format, :node, :session, :world, :term, life: 0, line: 0, seq: 0, number: 0]

  def start_all do
    for room <- Simulator.rooms(), index <- 1..3 do
      key = {room, index}
      format = Enum.random([:json, :packed])
      client = %__MODULE__{key: key, user: "user-#{room}-#{index}", room: room, format: format}
      Simulator.update(&put_in(&1.clients[key], %{client | world: World.new!(impl: Host.implementation())}))
      later(Enum.random(0..500), {:client, key, :connect})
      later(Enum.random(500..1_000), {:client, key, :send})
      later(Enum.random(500..1_000), {:client, key, :acknowledge})
    end
  end

  @doc "Whose session is at work."
  def me, do: Process.get(__MODULE__)

  @doc "The node of a client's session, or `nil`."
  def node_of(key), do: get().clients[key].session && get().clients[key].node

  def happens(key, {:put, reference}), do: Put.happens(key, reference)

  def happens(key, event) do
    Process.put(__MODULE__, key)
    if is_tuple(event) and elem(event, 0) in [:input, :goodbye, :session, :down], do: Put.finish(key)
    happen(get().clients[key], event)
  end

  # ---- the client's own ----

  defp happen(%{session: nil} = client, :connect) do
    up =
      for node <- Simulator.nodes(), %{up: true, thaws: nil, draining: false} <- [get().nodes[node]], do: node

    case up do
      [] -> again(client)
      up -> connect(%{client | node: near(client.room, up), life: client.life + 1})
    end
  end

  defp happen(_, :connect), do: :ok

  defp happen(client, :send) do
    # In the end there are pauses: who was not woken by the one who put something in is not woken by the next one.
    {pause, bursts, burst} = if now() < 8_000, do: {20..400, 3, 12}, else: {200..1_500, 60, 2}
    later(Enum.random(pause), {:client, client.key, :send})

    if client.session && now() < 14_000 do
      client = send_some(client, if(chance(bursts), do: burst, else: 1))
      if now() < 12_000 and chance(1), do: goodbye(client)
    end
  end

  defp happen(client, :acknowledge) do
    later(Enum.random(100..800), {:client, client.key, :acknowledge})

    if client.session do
      event = {:input, client.life, "ack", %{"seq" => client.seq}, nil}
      later_on(client.node, Enum.random(1..40), {:client, client.key, event})
    end
  end

  # Its connection breaks, and the session's process with it.
  defp happen(%{session: session, life: life} = client, {:broken, life}) when session != nil do
    room = get().rooms[session.pid]
    Put.kill(client.key)
    save(%{client | session: nil})

    if room do
      event = {:room, room.key, {:gone, client.key, session.monitor}}
      later_on(room.node, Enum.random(1..200), event)
    end

    again(client)
  end

  defp happen(_, {:broken, _}), do: :ok

  # ---- on the session's node ----

  defp happen(%{session: session, life: life} = client, {:input, life, event, payload, ref})
       when session != nil do
    {frames, session} = Session.input(session, event, payload, ref)
    deliver(client, session, frames)
  end

  defp happen(_, {:input, _, _, _, _}), do: :ok

  defp happen(%{session: session, life: life} = client, {:goodbye, life}) when session != nil do
    Simulator.count(:goodbyes)
    Session.leave(session)
    again(save(%{client | session: nil}))
  end

  defp happen(_, {:goodbye, _}), do: :ok

  # Erlang's alias of a process that has come to another room.
  defp happen(%{session: %{pid: key}} = client, {:session, key, event}), do: to_session(client, event)

  defp happen(%{session: session} = client, {:session, _, {:message, _} = event}) when session != nil,
    do: to_session(client, event)

  defp happen(_, {:session, _, _}), do: :ok

  defp happen(%{session: %{pid: key, monitor: watcher}} = client, {:down, key, watcher}) do
    handle(client, {:DOWN, watcher, :process, key, :gone})
  end

  defp happen(_, {:down, _, _}), do: :ok

  # ---- what arrives at the client ----

  defp happen(%{life: life} = client, {:frames, life, frames}),
    do: Enum.each(frames, &frame(get().clients[client.key], &1))

  defp happen(_, {:frames, _, _}), do: :ok

  defp to_session(client, {:message, message}), do: handle(client, message)
  defp to_session(client, {:answer, reference, answer}), do: handle(client, {reference, answer})

  defp handle(client, message) do
    case Session.handle(client.session, message) do
      :ignore -> :ok
      {:close, _, frames, session} -> close(client, session, frames)
      {frames, session} -> deliver(client, session, frames)
    end
  end

  defp close(client, session, frames) do
    deliver(client, session, frames)
    later(Enum.random(1..50), {:client, client.key, {:broken, client.life}})
  end

  # On the node of the room its input goes by the inbox.
  defp near(room, up) do
    home = Host.node_of(room)
    if home in up and chance(50), do: home, else: Enum.random(up)
  end

  defp send_some(client, 0), do: client

  defp send_some(client, count) do
    client = save(%{client | number: client.number + 1})
    payload = %{"user_id" => client.user, "position" => [client.number, 0, 0]}
    # From a channel, or the client's own text.
    payload = if chance(50), do: payload, else: {:json, Roomfold.JSON.encode!(payload, impl: :elixir)}
    event = {:input, client.life, "user_moved", payload, client.number}
    later_on(client.node, Enum.random(1..40), {:client, client.key, event})
    send_some(client, count - 1)
  end

  defp goodbye(client),
    do: later_on(client.node, Enum.random(1..60), {:client, client.key, {:goodbye, client.life}})

  defp connect(client) do
    save(client)

    session =
      Session.new(
        room: client.room,
        user: client.user,
        link: Link,
        max_unacknowledged: 8_000,
        max_lag_ms: 2_000,
        events_per_s: 1_000
      )

    last = if client.term, do: %{"last_seq" => client.seq, "last_term" => client.term}, else: %{}
    # `join` asks where we are.
    save(%{client | session: session})

    case Session.join(
           session,
           Map.merge(last, %{"format" => Atom.to_string(client.format), "presence" => true})
         ) do
      {:ok, reply, frames, session} ->
        Simulator.count(:joins)
        client = get().clients[client.key]
        deliver(client, session, [{:joined, reply} | frames])

      {:error, _} ->
        Simulator.count(:refused_joins)
        again(save(%{client | session: nil}))
    end
  end

  defp again(client), do: later(Enum.random(50..400), {:client, client.key, :connect})

  # In order: a frame comes after those before it.
  defp deliver(client, session, frames) do
    line = max(client.line, now() + Enum.random(1..30))
    client = save(%{client | session: session, line: line})
    frames = if get().sabotage == :session and chance(50), do: Enum.drop(frames, 1), else: frames
    if frames != [], do: later(line - now(), {:client, client.key, {:frames, client.life, frames}})

    if chance(1) and chance(20), do: break(client, 1..30)
  end

  @doc "Its connection breaks then, but not at the very end."
  def break(client, delays) do
    if now() < 12_000, do: later(Enum.random(delays), {:client, client.key, {:broken, client.life}})
  end

  # ---- frames ----

  defp frame(client, {:joined, reply}), do: save(%{client | term: reply["term"]})

  defp frame(client, {:push, "term", %{"term" => term}}), do: save(%{client | term: term})

  defp frame(client, {:push, "snapshot", payload}) do
    case World.load(bytes(payload), impl: Host.implementation(), history: 1) do
      {:ok, world} ->
        arrived(client, world)

      {:error, error} ->
        Simulator.fault("#{inspect(client.key)}: a snapshot could not be read: #{error.message}")
    end
  end

  defp frame(client, {:push, "diff", payload}) do
    case World.apply_diff(client.world, bytes(payload)) do
      {:ok, world, _} ->
        arrived(client, world)

      {:error, error} ->
        Simulator.fault("#{inspect(client.key)} at #{client.seq}: a diff does not fit: #{error.message}")
    end
  end

  defp frame(client, {:reply, number, :ok, %{"seq" => seq}}) do
    Simulator.update(&%{&1 | acknowledged: [{client.room, seq, client.user, number} | &1.acknowledged]})
  end

  defp frame(_, {:reply, _, :error, _}), do: Simulator.count(:refused)
  defp frame(_, {:push, _, _}), do: :ok

  defp bytes({:json, text}), do: {:json, IO.iodata_to_binary(text)}
  defp bytes({:binary, frame}), do: {:packed, frame}

  defp arrived(client, world) do
    seq = World.seq(world)
    Check.seen(client, seq, world)
    save(%{client | world: world, seq: seq})
  end

  defp save(client) do
    Simulator.update(&put_in(&1.clients[client.key], client))
    client
  end
end
