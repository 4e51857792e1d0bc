defmodule Roomfold.PhoenixTest.Peers do
  @moduledoc false
  # Nodes of their own, for tests of what goes on between them: each runs the application of the tests (PhoenixTest.App).
  # They have addresses of their own on this machine and one port, and need no epmd. This node is none of theirs.

  @doc "Starts so many, connected with one another: `[{peer, node, port of its endpoint}]`. They end with the calling test."
  def start!(count) do
    port = free_port()
    cookie = Base.encode16(:crypto.strong_rand_bytes(8))
    peers = for number <- 1..count, do: start_one!(number, port, cookie)
    [{_, first, _} | others] = peers
    for {peer, _, _} <- others, do: true = :peer.call(peer, :net_kernel, :connect_node, [first])
    peers
  end

  def call({peer, _, _}, module, function, args), do: :peer.call(peer, module, function, args, 15_000)

  @doc "Ends a node, without a word to the others."
  def stop({peer, _, _}), do: :peer.stop(peer)

  defp start_one!(number, port, cookie) do
    host = "127.0.0.#{number}"

    args =
      ~w(-setcookie #{cookie} -start_epmd false -erl_epmd_port #{port} -kernel net_ticktime 5) ++
        ~w(-kernel prevent_overlapping_partitions false) ++
        ["-kernel", "inet_dist_use_interface", "{127,0,0,#{number}}", "+fnu"]

    {:ok, peer, node} =
      :peer.start_link(%{
        name: ~c"roomfold_#{System.unique_integer([:positive])}",
        host: String.to_charlist(host),
        longnames: true,
        connection: :standard_io,
        args: Enum.map(args, &String.to_charlist/1)
      })

    :ok = :peer.call(peer, :code, :add_pathsa, [:code.get_path()])
    {:ok, _} = :peer.call(peer, :application, :ensure_all_started, [:elixir])
    for app <- [:logger, :phoenix, :roomfold_phoenix], do: configure(peer, app)
    for app <- [:roomfold, :phoenix, :bandit], do: {:ok, _} = ensure(peer, app)
    :peer.call(peer, __MODULE__, :run, [])
    {peer, node, :peer.call(peer, Roomfold.PhoenixTest.Endpoint, :port, [])}
  end

  defp configure(peer, app) do
    env = for {key, value} <- Application.get_all_env(app), not is_function(value), do: {key, value}
    :peer.call(peer, :application, :set_env, [[{app, env}]])
  end

  defp ensure(peer, app), do: :peer.call(peer, :application, :ensure_all_started, [app], 15_000)

  @doc false
  # Starts the application in a process that stays.
  def run do
    me = self()

    spawn(fn ->
      {:ok, _} = Roomfold.PhoenixTest.App.start()
      send(me, :started)
      Process.sleep(:infinity)
    end)

    receive do: (:started -> :ok)
  end

  # Free on the first of the addresses, and so, most likely, on all.
  defp free_port do
    {:ok, socket} = :gen_tcp.listen(0, ip: {127, 0, 0, 1})
    {:ok, port} = :inet.port(socket)
    :gen_tcp.close(socket)
    port
  end
end

defmodule Roomfold.PhoenixTest.Listener do
  @moduledoc false
  # Keeps what it hears on a topic.

  def start(pubsub, topic) do
    me = self()

    spawn(fn ->
      Process.register(self(), __MODULE__)
      :ok = Phoenix.PubSub.subscribe(pubsub, topic)
      send(me, :listening)
      listen([])
    end)

    receive do: (:listening -> :ok)
  end

  def heard do
    send(__MODULE__, {:heard?, self()})
    receive do: ({:heard, all} -> all)
  end

  defp listen(heard) do
    receive do
      {:heard?, from} ->
        send(from, {:heard, Enum.reverse(heard)})
        listen(heard)

      event ->
        listen([event | heard])
    end
  end
end
