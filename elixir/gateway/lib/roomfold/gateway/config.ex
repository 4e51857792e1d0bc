defmodule Roomfold.Gateway.Config do
  @moduledoc false
  # The options of a gateway, checked.

  @enforce_keys [:rooms, :static]
  defstruct [
    :rooms,
    :static,
    port: 4040,
    room: [],
    session: [],
    replays: %{},
    max_message_bytes: 131_072,
    max_channels: 100,
    idle_ms: 60_000,
    send_timeout_ms: 10_000
  ]

  @doc "The gateway's description of itself, shown wherever possible."
  def notice, do: "development gateway, not Phoenix"

  def channels, do: Roomfold.Gateway.Channels

  def new(opts) do
    config = struct!(__MODULE__, Keyword.merge([rooms: Roomfold.Rooms, static: static()], opts))

    unless config.port in 0..65_535, do: raise(ArgumentError, "port: 0 to 65,535")

    for key <- [:max_message_bytes, :max_channels, :idle_ms, :send_timeout_ms],
        value = Map.fetch!(config, key),
        not (is_integer(value) and value > 0),
        do: raise(ArgumentError, "#{key}: a positive integer")

    # What is wrong with a session's options would else be found at the first join.
    Roomfold.Session.new([room: "any", user: "any"] ++ config.session)
    %{config | static: Enum.sort_by(config.static, fn {prefix, _} -> -byte_size(prefix) end)}
  end

  defp static do
    priv = to_string(:code.priv_dir(:roomfold))
    [{"/", Path.join(priv, "static")}, {"/demo", Path.join(priv, "demo")}]
  end
end
