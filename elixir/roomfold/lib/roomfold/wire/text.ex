defmodule Roomfold.Wire.Text do
  @moduledoc false
  # Packed input and packed events, decoded, as the text of events: what c_src/core/wire_text.c does.

  alias Roomfold.{Error, JSON}

  @entity_events ["create", "update", "delete"]
  @poses ["head", "left", "right"]

  def input(input, user, move) do
    poses = Map.take(input, @poses)
    moved = if poses == %{}, do: [], else: [{move, Map.put(poses, "user_id", user)}]
    IO.iodata_to_binary(for {name, payload} <- moved ++ input["events"], do: line(name, payload))
  end

  @doc "The events of a plain frame; `find` answers an entity's id by its handle, or nil."
  def events(events, find) do
    with :ok <- plain(events) do
      {:ok,
       IO.iodata_to_binary(
         for {name, payload} <- events, id = id(payload["entity_id"], find) do
           line(name, Map.put(payload, "entity_id", id))
         end
       )}
    end
  end

  defp plain(events) do
    Enum.find_value(events, :ok, fn
      {_, %{"seq" => _}} -> {:error, Error.new(:reserved_field)}
      {name, payload} -> if entity?(name, payload), do: nil, else: {:error, Error.new(:not_supported)}
    end)
  end

  # Others travel under their names, with all they have.
  defp entity?(name, payload) when name in @entity_events do
    (is_tuple(payload["entity_id"]) or
       (is_binary(payload["entity_id"]) and byte_size(payload["entity_id"]) in 1..255)) and
      is_map_key(payload, "components") != (name == "delete") and is_map(Map.get(payload, "components", %{}))
  end

  defp entity?(_, _), do: false

  defp id({:handle, handle, _}, find), do: find.(handle)
  defp id(id, _), do: id

  # What is there twice, in the payload and as its name, is seen when it is read.
  defp line(name, payload) do
    key = if name in @entity_events, do: "event", else: "event_name"
    "{" <> fields = JSON.encode!(payload, impl: :elixir)

    [
      ?{,
      ?",
      key,
      ~s(":),
      JSON.encode!(name, impl: :elixir),
      if(fields == "}", do: "", else: ","),
      fields,
      "\n"
    ]
  end
end
