defmodule Roomfold.Nodes do
  @moduledoc false
  # Real nodes, each a VM of its own on an address of its own, whose connections one may cut. They are talked to over their
  # standard input, which no cut touches.

  import Roomfold.Eventually
  alias Roomfold.{EventLog, JSON, World}
  alias Roomfold.EventLog.Shared

  @rooms __MODULE__.Rooms
  @log __MODULE__.Log
  @stream __MODULE__.Stream
  @cookie "roomfold"

  def rooms, do: @rooms
  def stream, do: @stream
  def room(id), do: {@rooms, id}

  @doc """
  Starts nodes; they are not connected yet. A node is %{peer: pid, node: name, os_pid: string, opts: keyword}. Options: `:cookie`, and
  `:net_ticktime`, the seconds (60) after which one that says nothing counts as down.

  Each test has a net of its own: addresses 127.x.y.1 and up, so that tests may run side by side.
  """
  def start_nodes(names, opts \\ []) do
    net = "127.#{Enum.random(1..250)}.#{Enum.random(1..250)}"

    names
    |> Enum.with_index(1)
    |> Task.async_stream(fn {name, host} -> start_node(name, "#{net}.#{host}", opts) end,
      timeout: :infinity,
      max_concurrency: 4
    )
    |> Enum.map(fn {:ok, node} -> node end)
  end

  @doc "A killed node, started again by the same name."
  def restart(%{node: node, opts: opts}) do
    [name, address] = node |> Atom.to_string() |> String.split("@")
    start_node(name, address, opts)
  end

  defp start_node(name, address, opts) do
    tuple = address |> String.split(".") |> Enum.join(",")
    cookie = Keyword.get(opts, :cookie, @cookie)
    ticktime = "#{Keyword.get(opts, :net_ticktime, 60)}"

    args =
      ["-start_epmd", "false", "-erl_epmd_port", "9371", "-setcookie", cookie] ++
        ["-kernel", "inet_dist_use_interface", "{#{tuple}}", "net_ticktime", ticktime] ++
        ["-elixir", "ansi_enabled", "false", "-pa"] ++
        Enum.filter(:code.get_path(), &(to_string(&1) =~ ~r"/(roomfold|elixir|logger|ex_unit)/ebin"))

    {:ok, peer, node} =
      :peer.start(%{
        name: to_charlist(name),
        host: to_charlist(address),
        longnames: true,
        connection: :standard_io,
        wait_boot: 60_000,
        args: Enum.map(args, &to_charlist/1)
      })

    started = %{peer: peer, node: node, os_pid: nil, opts: opts}
    {:ok, _} = on(started, :application, :ensure_all_started, [:elixir])
    {:ok, _} = on(started, :application, :ensure_all_started, [:logger])
    :ok = on(started, Logger, :configure, [[level: :emergency]])
    {:ok, _} = on(started, :application, :ensure_all_started, [:roomfold])
    %{started | os_pid: on(started, System, :pid, [])}
  end

  def stop_nodes(nodes) do
    for %{peer: peer} = node <- nodes, Process.alive?(peer) do
      # One that a test has frozen does not see that its input ends: it would stay, and with it whoever reads what the tests write.
      System.cmd("kill", ["-KILL", node.os_pid], stderr_to_stdout: true)

      try do
        :peer.stop(peer)
      catch
        :exit, _ -> :ok
      end
    end

    :ok
  end

  @doc "Runs a function there, in a process that lives on."
  def on(%{peer: peer}, module, function, args), do: :peer.call(peer, module, function, args, 60_000)

  @doc "The log that one node has and the others use."
  def start_log(node, path) do
    log = if EventLog.SQLite.available?(), do: {EventLog.SQLite, path: path}, else: {EventLog.Memory, []}

    {:ok, _} = on(node, __MODULE__, :start_there, [{Shared, name: @log, log: log}])
    shared_log(node)
  end

  def shared_log(node), do: {Shared, {@log, node.node}}

  def start_rooms(node, log, opts \\ []) do
    {placement, opts} = Keyword.pop(opts, :placement, {Roomfold.Placement.Global, []})

    room = [
      tick_ms: 10,
      idle_ms: :infinity,
      grace_ms: 30_000,
      snapshot_every: 500,
      user_events_per_s: 10_000,
      user_bytes_per_s: 10_000_000
    ]

    {:ok, _} = on(node, __MODULE__, :start_there, [{Roomfold.EventStream.Group, name: @stream}])

    rooms =
      {Roomfold.Rooms,
       name: @rooms,
       log: {:running, log},
       stream: {Roomfold.EventStream.Group, @stream},
       placement: placement,
       room: Keyword.merge(room, opts)}

    on(node, __MODULE__, :start_there, [rooms])
  end

  @doc false
  # Linked to a process that stays, for the one of a call ends with it.
  def start_there(child) do
    case Process.whereis(__MODULE__.Supervisor) do
      nil ->
        {:ok, pid} = Supervisor.start_link([], strategy: :one_for_one, name: __MODULE__.Supervisor)
        Process.unlink(pid)

      _ ->
        :ok
    end

    Supervisor.start_child(__MODULE__.Supervisor, child)
  end

  @doc "Stops the rooms there, as the end of their application would."
  def stop_rooms(node) do
    for id <- [{Roomfold.Rooms, @rooms}, {Roomfold.EventStream.Group, @stream}] do
      :ok = on(node, Supervisor, :terminate_child, [__MODULE__.Supervisor, id])
      :ok = on(node, Supervisor, :delete_child, [__MODULE__.Supervisor, id])
    end
  end

  @doc "The room's node, and the one that is not."
  def home_and_away(context, id) do
    [one | _] = context.others
    pid = on(one, Roomfold.Room, :whereis, [room(id)])
    home = Enum.find(context.others, &(&1.node == node(pid)))
    [away] = context.others -- [home]
    {home, away}
  end

  def connect(nodes), do: connect(nodes, nodes)

  # A node that has just lost another one may refuse it for a moment.
  def connect(nodes, others) do
    for a <- nodes,
        b <- others,
        a.node != b.node,
        do: eventually(fn -> on(a, Node, :connect, [b.node]) == true end)

    :ok
  end

  @doc "Nobody of the one side reaches anybody of the other."
  def split(side, other) do
    for a <- side, b <- other do
      # Two different ones: each side is a stranger to the other.
      on(a, Node, :set_cookie, [b.node, :split_one])
      on(b, Node, :set_cookie, [a.node, :split_other])
      on(a, Node, :disconnect, [b.node])
    end

    :ok
  end

  def heal(side, other) do
    for a <- side, b <- other do
      on(a, Node, :set_cookie, [b.node, String.to_atom(@cookie)])
      on(b, Node, :set_cookie, [a.node, String.to_atom(@cookie)])
    end

    connect(side, other)
  end

  def signal(node, signal), do: {_, 0} = System.cmd("kill", ["-#{signal}", node.os_pid])

  # ---- run there ----

  @doc "The room's world as it was at a seq."
  def before(id, seq) do
    {:ok, world} = Roomfold.Room.state_at(room(id), seq)
    World.snapshot(world)
  end

  @doc "The same by a replay."
  def played(id, seq) do
    {:ok, replay} = Roomfold.Room.replay(room(id), paused: true)
    :ok = Roomfold.Replay.seek(replay, seq)
    Roomfold.Room.snapshot(replay)
  end

  @doc "The nodes that :global has exchanged its names with, and the names it has."
  def global_knows do
    {elem(:sys.get_state(:global_name_server), 3), :global.registered_names()}
  end

  @doc "All records of a room's log, decoded."
  def records(log, id) do
    for text <- EventLog.stream(log, id, 1),
        line <- String.split(text, "\n", trim: true),
        do: JSON.decode!(line)
  end

  @doc "What they make of an empty world, up to a seq, in Elixir."
  def fold(log, id, rules, seq \\ :infinity) do
    text = Enum.join(EventLog.stream(log, id, 1, seq))
    {:ok, world, _} = World.fold(World.new!(impl: :elixir, rules: rules), {:json, text})
    World.snapshot(world)
  end
end
