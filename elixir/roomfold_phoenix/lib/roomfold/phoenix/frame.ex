defmodule Roomfold.Phoenix.Frame do
  @moduledoc false
  # A session's frames as messages of Phoenix's V2 protocol, for the process of the socket. Text and bytes are sent as they are: they were
  # encoded once, for all clients.

  @push 0
  @reply 1

  @doc "Whether a topic and a join ref fit into binary messages, which have one byte for the length of each."
  def binary?({topic, join_ref}), do: byte_size(topic) <= 255 and byte_size(to_string(join_ref)) <= 255

  @doc "The message to the process of the socket, for a client that joined a topic with a ref: a string, or what else it sent (a number)."
  def message({topic, join_ref}, {:push, event, {:binary, data}}) do
    join_ref = to_string(join_ref)
    head = <<@push, byte_size(join_ref), byte_size(topic), byte_size(event)>>
    {:socket_push, :binary, IO.iodata_to_binary([head, join_ref, topic, event, data])}
  end

  def message({topic, join_ref}, {:push, event, payload}),
    do: text([json(join_ref), ",null,", json(topic), ?,, json(event), ?,, payload(payload)])

  def message({topic, join_ref}, {:reply, ref, status, {:binary, data}}) do
    join_ref = to_string(join_ref)
    status = Atom.to_string(status)
    head = <<@reply, byte_size(join_ref), byte_size(ref), byte_size(topic), byte_size(status)>>
    {:socket_push, :binary, IO.iodata_to_binary([head, join_ref, ref, topic, status, data])}
  end

  def message({topic, join_ref}, {:reply, ref, status, payload}) do
    response = ["{\"status\":\"", Atom.to_string(status), "\",\"response\":", payload(payload), ?}]
    text([json(join_ref), ?,, json(ref), ?,, json(topic), ",\"phx_reply\",", response])
  end

  # One binary, so that processes share it instead of copying it.
  defp text(parts), do: {:socket_push, :text, IO.iodata_to_binary([?[, parts, ?]])}

  defp payload({:json, text}), do: text
  defp payload(map), do: json(map)

  defp json(value), do: Phoenix.json_library().encode_to_iodata!(value)
end
