defmodule Roomfold.Phoenix.Serializer do
  @moduledoc """
  Phoenix's V2 serializer, but clients' messages to rooms keep their payload as text: only the envelope is decoded, and the payload is
  passed to C as it is, so that it is not decoded twice.

      socket "/socket", XrWeb.UserSocket,
        websocket: [serializer: [{Roomfold.Phoenix.Serializer, "~> 2.0.0"}]]

  This applies to topics that begin with `room:`, and to all events except those of the protocol (`phx_join` …). Phoenix decodes everything
  else.
  """
  @behaviour Phoenix.Socket.Serializer

  alias Phoenix.Socket.Message
  alias Phoenix.Socket.V2.JSONSerializer

  @impl true
  defdelegate fastlane!(broadcast), to: JSONSerializer

  @impl true
  defdelegate encode!(message), to: JSONSerializer

  @impl true
  def decode!(raw, opts) do
    with {:ok, :text} <- Keyword.fetch(opts, :opcode),
         {:ok, message} <- envelope(IO.iodata_to_binary(raw)) do
      message
    else
      _ -> JSONSerializer.decode!(raw, opts)
    end
  end

  # [join_ref, ref, topic, event, payload]: the first four are short strings, or null. Anything unusual is left to Phoenix.
  defp envelope("[" <> rest) do
    with {:ok, join_ref, rest} <- string_or_null(rest),
         {:ok, ref, rest} <- string_or_null(rest),
         {:ok, "room:" <> _ = topic, rest} <- string_or_null(rest),
         {:ok, event, rest} when is_binary(event) <- string_or_null(rest),
         false <- String.starts_with?(event, "phx_"),
         {:ok, payload} <- payload(rest) do
      {:ok, %Message{join_ref: join_ref, ref: ref, topic: topic, event: event, payload: {:json, payload}}}
    else
      _ -> :other
    end
  end

  defp envelope(_), do: :other

  defp string_or_null("null," <> rest), do: {:ok, nil, rest}

  defp string_or_null("\"" <> rest) do
    with {at, 2} <- :binary.match(rest, "\","), text = binary_part(rest, 0, at), true <- plain?(text) do
      {:ok, text, binary_part(rest, at + 2, byte_size(rest) - at - 2)}
    else
      _ -> :other
    end
  end

  defp string_or_null(_), do: :other

  # Nothing that needs escaping in a JSON string.
  defp plain?(<<byte, rest::binary>>) when byte >= 0x20 and byte < 0x7F and byte not in [?", ?\\],
    do: plain?(rest)

  defp plain?(rest), do: rest == ""

  defp payload("{" <> _ = text) do
    size = byte_size(text) - 2

    if size > 0 and binary_part(text, size, 2) == "}]",
      do: {:ok, binary_part(text, 0, size + 1)},
      else: :other
  end

  defp payload(_), do: :other
end
