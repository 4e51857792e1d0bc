defmodule Roomfold.Gateway.Listener do
  @moduledoc false
  # Makes Yaws listen, and knows the address.
  use GenServer

  alias Roomfold.Gateway.{HTTP, Yaws}

  def start_link(config), do: GenServer.start_link(__MODULE__, config)
  def port(listener), do: GenServer.call(listener, :port)

  @impl true
  def init(config) do
    port = if config.port == 0, do: Yaws.free_port(), else: config.port

    if Yaws.free?(port) do
      :ok = Yaws.listen(port, HTTP, [gateway: %{config | port: port}], config.send_timeout_ms)
      {:ok, port}
    else
      {:stop, {:shutdown, "port #{port} is in use: choose another one"}}
    end
  end

  @impl true
  def handle_call(:port, _, port), do: {:reply, port, port}
end
