defmodule Roomfold.Wire.Text do
  @moduledoc false
  # Converts decoded input and events to events as text: the same bytes as c_src/core/wire/wire_text.c and fold/wire_events_json.c.

  alias Roomfold.{Error, JSON}

  @entity_events ["create", "update", "delete"]
  @poses ["head", "left", "right"]

  def input(input, user, move) do
    poses = for pose <- @poses, is_map_key(input, pose), do: {pose, input[pose]}
    moved = if poses == [], do: [], else: [{move, [{"user_id", user} | poses]}]
    events = for {name, payload} <- input["events"], do: {name, Enum.sort(payload)}
    IO.iodata_to_binary(for {name, pairs} <- moved ++ events, do: line(name, pairs))
  end

  @doc "The events of a plain frame, in its order; `find` returns an entity's id by its handle, or nil."
  def events(events, find) do
    with :ok <- plain(events) do
      {lines, _} = Enum.flat_map_reduce(events, MapSet.new(), &said(&1, &2, find))
      {:ok, IO.iodata_to_binary(lines)}
    end
  end

  # gone: ids that were deleted earlier in the frame. A later entity with the same id has another handle.
  defp said({:entity, name, [{"entity_id", entity} | pairs]}, gone, find) do
    id = with {:handle, handle, _} <- entity, do: find.(handle)

    if id == nil or (is_tuple(entity) and MapSet.member?(gone, id)) do
      {[], gone}
    else
      {[line(name, [{"entity_id", id} | pairs])], if(name == "delete", do: MapSet.put(gone, id), else: gone)}
    end
  end

  defp plain(events) do
    Enum.find_value(events, :ok, fn {kind, _, pairs} ->
      cond do
        List.keymember?(pairs, "seq", 0) -> {:error, Error.new(:reserved_field)}
        kind == :named -> {:error, Error.new(:not_supported)}
        true -> nil
      end
    end)
  end

  # A name that is also in the payload is found when the text is read.
  defp line(name, pairs) do
    key = if name in @entity_events, do: "event", else: "event_name"
    [object([{key, name} | pairs]), ?\n]
  end

  defp object(pairs), do: [?{, Enum.map_intersperse(pairs, ?,, &member/1), ?}]

  defp member({key, {:components, pairs}}), do: [json(key), ?:, object(pairs)]
  defp member({key, value}), do: [json(key), ?:, json(value)]

  defp json(term), do: JSON.encode!(term, impl: :elixir)
end
