defmodule Roomfold.Systems.Players do
  @moduledoc false
  # Who is a player for triggers and pick-ups: an entity of a kind. Their events name it as a user, so a user is one by its own name only.

  alias Roomfold.Error

  @doc "Whether a user may send this create or update, where `kind` is that of players."
  def authorize({_, %{"entity_id" => id, "components" => %{"kind" => kind}}}, user, kind) when id != user,
    do:
      {:error,
       Error.new(:not_allowed,
         component: "kind",
         detail: "only the user itself is a #{kind}, not what it owns"
       )}

  def authorize(_, _, _), do: :ok
end
