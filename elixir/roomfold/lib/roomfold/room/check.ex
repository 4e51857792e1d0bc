defmodule Roomfold.Room.Check do
  @moduledoc false
  # Whether a sender may send an event: by the rules (which senders it allows), by ownership (a user may change entities with its id, or with
  # its id as `owner`), and by the fields that only the room sets. The values are checked by the fold.

  alias Roomfold.{Error, JSON, World}
  alias Roomfold.Room.Text

  @reserved Text.reserved()
  @entity_events Text.entity_events()

  @typedoc "A user's id, or who speaks for the room."
  @type sender :: {:user, String.t()} | :system | :server

  @doc """
  `owners`: entities that this batch has created so far, whoever did, id → owner. Returns it with those that the event creates.
  """
  @spec event(term, sender, World.t(), map) :: {:ok, map} | {:error, Error.t()}
  def event({name, payload} = event, sender, world, owners) when is_binary(name) and is_map(payload) do
    with :ok <- keys(payload),
         :ok <- known(name, world.rules),
         :ok <- not_reserved(payload),
         :ok <- may_send(name, sender, world.rules) do
      own(event, sender, world, owners)
    end
  end

  def event(_, _, _, _), do: error(:not_an_event)

  defp keys(payload),
    do: if(Enum.all?(:maps.keys(payload), &is_binary/1), do: :ok, else: error(:not_an_event))

  defp not_reserved(payload) do
    case Enum.find(@reserved, &is_map_key(payload, &1)) do
      nil -> :ok
      field -> error(:reserved_field, field: field)
    end
  end

  defp known(name, rules) do
    if name in @entity_events or Roomfold.Rules.sender(rules, name),
      do: :ok,
      else: error(:unknown_event, event: name)
  end

  defp may_send(name, _, _) when name in @entity_events, do: :ok

  defp may_send(name, sender, rules) do
    case {Roomfold.Rules.sender(rules, name), sender} do
      {:any, _} -> :ok
      {:user, {:user, _}} -> :ok
      {:system, {:user, _}} -> error(:not_allowed, event: name)
      # The room itself may send everything.
      {_, _} -> :ok
    end
  end

  # ---- ownership ----

  defp own({name, payload}, sender, world, owners) do
    with :ok <- own_name(payload, sender),
         do: own_operations(operations(name, world.rules), payload, sender, world, owners)
  end

  # No user may publish as another user, even where no rule uses the field.
  defp own_name(%{"user_id" => id}, {:user, user}) when id != user, do: error(:not_owned, field: "user_id")
  defp own_name(_, _), do: :ok

  defp operations("create", _), do: [{:create, "entity_id", :components}]
  defp operations("update", _), do: [{:update, "entity_id", :components}]
  defp operations("delete", _), do: [{:delete, "entity_id"}]
  defp operations(name, rules), do: elem(rules.events[name], 1)

  defp own_operations([], _, _, _, owners), do: {:ok, owners}

  defp own_operations([operation | operations], payload, sender, world, owners) do
    field = elem(operation, 1)
    id = payload[field]

    cond do
      # An operation whose id is missing is skipped; an invalid id is rejected by the fold.
      not is_binary(id) or byte_size(id) not in 1..255 ->
        own_operations(operations, payload, sender, world, owners)

      may_touch?(operation, id, payload, sender, world, owners) ->
        own_operations(operations, payload, sender, world, made(operation, id, payload, owners))

      true ->
        error(:not_owned, field: field)
    end
  end

  defp may_touch?(_, user, _, {:user, user}, _, _), do: true

  defp may_touch?(operation, id, payload, {:user, user}, world, owners) do
    case {owner(id, world, owners), operation} do
      {{:ok, owner}, _} -> owner == user
      {:nobody, {:create, _, set}} -> new_owner(set, payload) == user
      {:nobody, _} -> false
    end
  end

  # The room itself.
  defp may_touch?(_, _, _, _, _, _), do: true

  defp made({:create, _, set}, id, payload, owners), do: Map.put(owners, id, new_owner(set, payload))
  defp made(_, _, _, owners), do: owners

  defp owner(id, world, owners) do
    case owners do
      %{^id => owner} -> {:ok, owner}
      _ -> with nil <- World.get(world, id), do: :nobody, else: (components -> {:ok, components["owner"]})
    end
  end

  defp new_owner(:components, %{"components" => %{"owner" => owner}}), do: owner
  defp new_owner(%{"owner" => {:field, field}}, payload), do: payload[field]
  defp new_owner(%{"owner" => {:value, value}}, _), do: value
  defp new_owner(_, _), do: nil

  # ---- details of a refusal ----

  @doc """
  Adds to a `:not_owned` error who the sender is, and who owns the entity. (This tells a client nothing new: it has the component `owner`
  of all entities in its room.)
  """
  @spec explain(Error.t(), String.t(), sender, World.t(), atom) :: Error.t()
  def explain(%Error{reason: :not_owned, field: field} = error, text, {:user, user}, world, json)
      when field != nil do
    # The fold can read numbers that JSON can't decode.
    case JSON.decode(text, impl: json) do
      {:ok, payload} ->
        Error.put(error, detail: "the sender is #{inspect(user)}, #{whose(payload, field, world)}")

      {:error, _} ->
        error
    end
  end

  def explain(error, _, _, _, _), do: error

  defp whose(payload, "user_id", _), do: "not #{short(payload["user_id"])}"

  defp whose(payload, field, world) do
    id = payload[field]
    name = payload["event_name"] || payload["event"]

    case {owner(id, world, %{}), List.keyfind(operations(name, world.rules), field, 1)} do
      {{:ok, owner}, _} -> "#{short(id)} has #{owner(owner)}"
      {:nobody, {:create, _, set}} -> "#{short(id)} would have #{owner(new_owner(set, payload))}"
      # Another user may have created it in the same batch.
      {:nobody, _} -> "there is no #{short(id)} of its own"
    end
  end

  defp owner(nil), do: "no owner"
  defp owner(owner), do: "the owner #{short(owner)}"

  defp short(value), do: inspect(value, limit: 5, printable_limit: 60)

  defp error(reason, where \\ []), do: {:error, Error.new(reason, where)}
end
