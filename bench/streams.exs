defmodule Streams do
  @moduledoc "Event streams: 90 % updates, 5 % creates, 5 % deletes, with position and rotation, seeded."

  @doc """
  A world of `count` entities and `batches` batches of `size` events on it. Answers `{create_events, batches}`, each event
  `{name, payload}`. Terms are as decoded from outside: no two events share a key.
  """
  def make(count, batches, size, seed \\ 1) do
    :rand.seed(:exsss, seed)
    creates = creates(count)
    alive = Map.new(1..count, &{&1, &1})

    {batches, _} =
      Enum.map_reduce(1..batches, {alive, count, count + 1}, fn _, state ->
        Enum.map_reduce(1..size, state, fn _, state -> event(state) end)
      end)

    {outside(creates), Enum.map(batches, &outside/1)}
  end

  @doc "Creates of so many entities; these share their keys, as literals do."
  def creates(count), do: for(i <- 1..count, do: create(i))

  @doc "The same as JSON Lines: one binary per event."
  def lines(events), do: Enum.map(events, &line/1)

  defp line({name, payload}), do: Roomfold.JSON.encode!(Map.put(payload, "event", name))

  # alive: a map from 1..count to ids, so that a random one can be picked and removed.
  defp event({alive, count, next}) do
    case :rand.uniform(20) do
      1 ->
        {create(next), {Map.put(alive, count + 1, next), count + 1, next + 1}}

      2 ->
        at = :rand.uniform(count)
        id = alive[at]
        alive = alive |> Map.put(at, alive[count]) |> Map.delete(count)
        {{"delete", %{"entity_id" => name(id)}}, {alive, count - 1, next}}

      _ ->
        {{"update", %{"entity_id" => name(alive[:rand.uniform(count)]), "components" => components()}},
         {alive, count, next}}
    end
  end

  defp create(id), do: {"create", %{"entity_id" => name(id), "components" => components()}}
  defp name(id), do: "entity_#{id}"

  defp components do
    %{"position" => for(_ <- 1..3, do: number(50)), "rotation" => for(_ <- 1..4, do: number(1))}
  end

  defp number(range), do: Float.round((:rand.uniform() * 2 - 1) * range, 4)

  defp outside(events),
    do: Enum.map(events, fn event -> event |> :erlang.term_to_binary() |> :erlang.binary_to_term() end)
end
