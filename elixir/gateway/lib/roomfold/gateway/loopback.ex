defmodule Roomfold.Gateway.Loopback do
  @moduledoc false
  # Who may speak to a gateway without a login: this machine, by its own name, and pages that came from here. Any page in the
  # browser can reach a loopback port, also by a name of its own that leads there: so both headers count.

  @hosts ["localhost", "127.0.0.1", "[::1]"]

  def host(host, port) do
    if host in names(port), do: :ok, else: {:error, 403, "the gateway answers to localhost only"}
  end

  def origin(nil, _), do: :ok

  def origin("http://" <> host, port) do
    if host in names(port), do: :ok, else: refused()
  end

  def origin(_, _), do: refused()

  defp refused, do: {:error, 403, "the gateway answers to its own pages only"}

  # A browser leaves the port out where it is HTTP's own.
  defp names(80), do: @hosts ++ Enum.map(@hosts, &(&1 <> ":80"))
  defp names(port), do: Enum.map(@hosts, &"#{&1}:#{port}")
end
