defmodule Roomfold.Phoenix.Frame do
  @moduledoc false
  # A session's frames as messages of Phoenix's V2 protocol, for the transport. What a session has as text or bytes goes out as
  # it is: it was encoded once, for everybody.

  @push 0
  @reply 1

  @doc "What is sent to the transport process."
  def encode({:push, event, {:binary, data}}, socket) do
    {:socket_push, :binary,
     [
       <<@push, byte_size(join_ref(socket)), byte_size(socket.topic), byte_size(event)>>,
       join_ref(socket),
       socket.topic,
       event,
       data
     ]
     |> IO.iodata_to_binary()}
  end

  def encode({:push, event, payload}, socket) do
    {:socket_push, :text,
     ["[", json(socket.join_ref), ",null,", json(socket.topic), ?,, json(event), ?,, text(payload), ?]]}
  end

  def encode({:reply, ref, status, {:binary, data}}, socket) do
    status = Atom.to_string(status)
    head = <<@reply, byte_size(join_ref(socket)), byte_size(ref), byte_size(socket.topic), byte_size(status)>>
    {:socket_push, :binary, IO.iodata_to_binary([head, join_ref(socket), ref, socket.topic, status, data])}
  end

  def encode({:reply, ref, status, payload}, socket) do
    status = Atom.to_string(status)

    {:socket_push, :text,
     [
       [
         "[",
         json(socket.join_ref),
         ?,,
         json(ref),
         ?,,
         json(socket.topic),
         ",\"phx_reply\",{\"status\":\"",
         status
       ],
       ["\",\"response\":", text(payload), "}]"]
     ]}
  end

  defp join_ref(socket), do: to_string(socket.join_ref)

  defp text({:json, text}), do: text
  defp text(map), do: Phoenix.json_library().encode_to_iodata!(map)

  defp json(value), do: Phoenix.json_library().encode_to_iodata!(value)
end
