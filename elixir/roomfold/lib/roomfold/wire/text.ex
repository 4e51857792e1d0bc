defmodule Roomfold.Wire.Text do
  @moduledoc false
  # Converts decoded input and events to events as text, like c_src/core/wire/wire_text.c.

  alias Roomfold.{Error, JSON}

  @entity_events ["create", "update", "delete"]
  @poses ["head", "left", "right"]

  def input(input, user, move) do
    poses = Map.take(input, @poses)
    moved = if poses == %{}, do: [], else: [{move, Map.put(poses, "user_id", user)}]
    IO.iodata_to_binary(for {name, payload} <- moved ++ input["events"], do: line(name, payload))
  end

  @doc "The events of a plain frame; `find` returns an entity's id by its handle, or nil."
  def events(events, find) do
    with :ok <- plain(events) do
      {lines, _} = Enum.flat_map_reduce(events, MapSet.new(), &said(&1, &2, find))
      {:ok, IO.iodata_to_binary(lines)}
    end
  end

  # gone: ids that were deleted earlier in the frame. A later entity with the same id has another handle.
  defp said({name, %{"entity_id" => entity} = payload}, gone, find) do
    id = with {:handle, handle, _} <- entity, do: find.(handle)

    if id == nil or (is_tuple(entity) and MapSet.member?(gone, id)) do
      {[], gone}
    else
      {[line(name, %{payload | "entity_id" => id})],
       if(name == "delete", do: MapSet.put(gone, id), else: gone)}
    end
  end

  defp plain(events) do
    Enum.find_value(events, :ok, fn
      {_, %{"seq" => _}} -> {:error, Error.new(:reserved_field)}
      {name, payload} -> if entity?(name, payload), do: nil, else: {:error, Error.new(:not_supported)}
    end)
  end

  # All other events are written under their names, with all their fields.
  defp entity?(name, payload) when name in @entity_events do
    (is_tuple(payload["entity_id"]) or
       (is_binary(payload["entity_id"]) and byte_size(payload["entity_id"]) in 1..255)) and
      is_map_key(payload, "components") != (name == "delete") and is_map(Map.get(payload, "components", %{}))
  end

  defp entity?(_, _), do: false

  # A name that is also in the payload is found when the text is read.
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
