defmodule Xr.Application do
  @moduledoc false
  use Application

  @impl true
  def start(_type, _args) do
    children = [
      {Phoenix.PubSub, name: Xr.PubSub},
      {Roomfold.Rooms,
       name: Xr.Rooms, stream: {Roomfold.Phoenix.PubSub, Xr.PubSub}, log: log(), room: room()},
      XrWeb.Presence,
      {Xr.Names, Keyword.take(room(), [:grace_ms])},
      XrWeb.Endpoint
    ]

    Supervisor.start_link(children, strategy: :one_for_one, name: Xr.Supervisor)
  end

  @impl true
  def config_change(changed, _new, removed), do: XrWeb.Endpoint.config_change(changed, removed)

  defp log do
    case Application.get_env(:xr, :log) do
      nil -> {Roomfold.EventLog.Memory, []}
      path -> {Roomfold.EventLog.SQLite, path: path}
    end
  end

  # Each room is the shipped level, with its monsters, doors and items.
  defp room, do: Keyword.merge(Roomfold.Gateway.Arena.options(), Application.get_env(:xr, :room, []))
end
