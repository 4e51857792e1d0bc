defmodule Roomfold.Gateway do
  @moduledoc """
  A development gateway, not Phoenix: serves the page and speaks the V2 protocol of Phoenix's channels over WebSocket, so that
  the browser client and the whole conversation run where Phoenix can't be had. Loopback only, without any login: never for production.

      {:ok, gateway} = Roomfold.Gateway.start_link(port: 4040, rooms: Xr.Rooms)

  then `new Socket("ws://localhost:4040/socket", {params: {user_id: "tom"}})` with the npm `phoenix` client. Its topics:

    * `"room:ID"` - a room (`Roomfold.Session` has the conversation)
    * `"replay:NAME"` - a recording, or what the room of that id has in its log, played for this client alone. It takes pushes
      `pause`, `resume`, `seek` (`{"seq": n}` or `{"ms": n}`), `speed` (`{"speed": n}`) and `info`, each answered with where it is then.

  HTTP and WebSocket are done by Yaws (Debian: erlang-yaws). One gateway runs in a VM at a time, since Yaws does.
  """
  use Supervisor

  alias Roomfold.Gateway.{Config, Listener, Yaws}

  @doc """
  Starts the gateway.

  ## Options

    * `:port` - 4040; 0: any free one (`port/1`)
    * `:rooms` - a `Roomfold.Rooms` (the default one)
    * `:room` - options of rooms that it starts (`Roomfold.Room.start_link/1`)
    * `:session` - options of its sessions (`Roomfold.Session.new/1`)
    * `:replays` - `%{name => options of Roomfold.Replay, or a function without arguments that returns them}`
    * `:static` - `[{"/prefix", folder}]`: files to serve (`priv/static` at `/` and `priv/demo` at `/demo`)
    * `:max_message_bytes` - of one message from a client (131,072); `:max_channels` - of one connection (100)
    * `:idle_ms` - the time after which a client that sends nothing, not even a heartbeat, is disconnected (60,000)
    * `:send_timeout_ms` - the time after which a client that does not read is disconnected (10,000)

  ## Examples

      iex> {:ok, gateway} = Roomfold.Gateway.start_link(port: 0)
      iex> Roomfold.Gateway.port(gateway) in 1..65_535
      true
      iex> Supervisor.stop(gateway)
      :ok
  """
  @spec start_link(keyword) :: Supervisor.on_start()
  def start_link(opts \\ []) do
    config = Config.new(opts)

    with :ok <- Yaws.load(), do: Supervisor.start_link(__MODULE__, config, name: __MODULE__)
  end

  @impl true
  def init(config) do
    children =
      [{DynamicSupervisor, name: Config.channels(), strategy: :one_for_one}] ++
        Yaws.children() ++ [{Listener, config}]

    Supervisor.init(children, strategy: :one_for_all)
  end

  @doc "The port it listens on."
  @spec port(Supervisor.supervisor()) :: :inet.port_number()
  def port(gateway \\ __MODULE__) do
    {_, pid, _, _} = gateway |> Supervisor.which_children() |> List.keyfind!(Listener, 0)
    Listener.port(pid)
  end
end
