defmodule Roomfold.Gateway.Loopback do
  @moduledoc false
  # Requests that a gateway without a login accepts: from this machine, by its own name, and from pages served here. Any page in the browser can
  # reach a loopback port, also by a host name of its own that resolves to it: so both headers are checked.

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
