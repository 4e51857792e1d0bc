defmodule Roomfold.Gateway.Serializer do
  @moduledoc false
  # The V2 protocol of Phoenix's channels: JSON texts [join_ref, ref, topic, event, payload], and binary messages. JSON text is
  # put into the message as it is. Of clients' messages to rooms only the envelope is decoded: the payload stays text, which the room checks in
  # C.

  alias Roomfold.JSON

  @push 0
  @reply 1

  # Deep enough for a payload of 64 levels.
  @max_depth 66

  @doc "A client's message as a map; or `{:error, readable reason}`."
  def decode(:text, text) do
    with :other <- envelope(text), do: whole(text)
  end

  def decode(
        :binary,
        <<@push, join_size, ref_size, topic_size, event_size, join_ref::binary-size(join_size),
          ref::binary-size(ref_size), topic::binary-size(topic_size), event::binary-size(event_size),
          data::binary>>
      ) do
    if Enum.all?([join_ref, ref, topic, event], &String.valid?/1),
      do: message(presence(join_ref), presence(ref), topic, event, {:binary, data}),
      else: {:error, "not UTF-8"}
  end

  def decode(:binary, _), do: {:error, "not a binary push"}

  defp presence(""), do: nil
  defp presence(ref), do: ref

  defp whole(text) do
    case JSON.decode(text, max_depth: @max_depth) do
      {:ok, [join_ref, ref, topic, event, payload]} -> message(join_ref, ref, topic, event, payload)
      {:ok, _} -> {:error, "a message is [join_ref, ref, topic, event, payload]"}
      {:error, error} -> {:error, "not JSON: " <> error.message}
    end
  end

  # Four plain strings (or null), then an object: anything else is decoded as a whole.
  defp envelope("[" <> rest) do
    with {:ok, join_ref, rest} <- plain(rest),
         {:ok, ref, rest} <- plain(rest),
         {:ok, "room:" <> _ = topic, rest} <- plain(rest),
         {:ok, event, "{" <> _ = rest} when event != nil <- plain(rest),
         false <- String.starts_with?(event, "phx_"),
         true <- String.ends_with?(rest, "}]") do
      message(join_ref, ref, topic, event, {:json, binary_part(rest, 0, byte_size(rest) - 1)})
    else
      _ -> :other
    end
  end

  defp envelope(_), do: :other

  defp plain("null," <> rest), do: {:ok, nil, rest}

  defp plain("\"" <> rest) do
    with [text, rest] <- :binary.split(rest, "\","), true <- plain?(text), do: {:ok, text, rest}
  end

  defp plain(_), do: :other

  # Nothing that needs escaping in a JSON string.
  defp plain?(text),
    do: for(<<byte <- text>>, byte < 0x20 or byte > 0x7E or byte in [?", ?\\], do: byte) == []

  defp message(join_ref, ref, topic, event, payload)
       when (is_nil(join_ref) or (is_binary(join_ref) and byte_size(join_ref) <= 255)) and
              (is_nil(ref) or (is_binary(ref) and byte_size(ref) <= 255)) and
              is_binary(topic) and is_binary(event) and byte_size(topic) <= 255 and byte_size(event) <= 255,
       do: {:ok, %{join_ref: join_ref, ref: ref, topic: topic, event: event, payload: payload}}

  defp message(_, _, _, _, _), do: {:error, "refs, topic and event are texts of at most 255 bytes"}

  @doc "A message of the channel: `{:text | :binary, bytes}`."
  def push(join_ref, topic, event, payload), do: message_of(join_ref, nil, topic, event, payload)

  @doc "That the channel has closed or crashed: messages with the join's ref in both places."
  def last(join_ref, topic, event, payload), do: message_of(join_ref, join_ref, topic, event, payload)

  defp message_of(join_ref, _, topic, event, {:binary, data}) do
    join_ref = join_ref || ""

    {:binary,
     <<@push, byte_size(join_ref), byte_size(topic), byte_size(event), join_ref::binary, topic::binary,
       event::binary, data::binary>>}
  end

  defp message_of(join_ref, ref, topic, event, payload) do
    head = JSON.encode!([join_ref, ref, topic, event])
    {:text, IO.iodata_to_binary([binary_part(head, 0, byte_size(head) - 1), ",", json(payload), "]"])}
  end

  @doc "The answer to a message."
  def reply(join_ref, ref, topic, status, {:binary, data}) do
    [join_ref, ref, status] = Enum.map([join_ref, ref, status], &to_string/1)

    {:binary,
     <<@reply, byte_size(join_ref), byte_size(ref), byte_size(topic), byte_size(status), join_ref::binary,
       ref::binary, topic::binary, status::binary, data::binary>>}
  end

  def reply(join_ref, ref, topic, status, payload) do
    response = ["{\"status\":\"", to_string(status), "\",\"response\":", json(payload), "}"]
    message_of(join_ref, ref, topic, "phx_reply", {:json, response})
  end

  defp json({:json, text}), do: text
  defp json(map), do: JSON.encode!(map)
end
