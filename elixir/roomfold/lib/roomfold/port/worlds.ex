defmodule Roomfold.Port.Worlds do
  @moduledoc false
  # The worlds of a port program, with their owners and when they were used last. A world is released when the process that created it ends, or,
  # if there are too many, when it is the least recently used. Its value recreates it on the next use.

  # worlds: number => {owner, used}; owners: process => {monitor, numbers}
  defstruct [:max, worlds: %{}, owners: %{}, clock: 0]

  def new(max), do: %__MODULE__{max: max}
  def count(worlds), do: map_size(worlds.worlds)

  @doc "Notes what a call does with a world, and returns the numbers of the worlds to release for it."
  def touch(worlds, nil, _), do: {worlds, []}

  def touch(worlds, {:use, number}, _) do
    clock = worlds.clock + 1

    case worlds.worlds do
      %{^number => {owner, _}} ->
        {%{worlds | worlds: %{worlds.worlds | number => {owner, clock}}, clock: clock}, []}

      _ ->
        {worlds, []}
    end
  end

  def touch(worlds, {:drop, number}, _), do: {forget(worlds, number), []}

  def touch(worlds, {:make, number}, caller) do
    worlds = if is_map_key(worlds.worlds, number), do: worlds, else: adopt(worlds, number, caller)
    {worlds, _} = touch(worlds, {:use, number}, caller)
    if count(worlds) > worlds.max, do: thin(worlds), else: {worlds, []}
  end

  defp adopt(worlds, number, owner) do
    {monitor, numbers} = Map.get_lazy(worlds.owners, owner, fn -> {Process.monitor(owner), MapSet.new()} end)

    %{
      worlds
      | worlds: Map.put(worlds.worlds, number, {owner, worlds.clock}),
        owners: Map.put(worlds.owners, owner, {monitor, MapSet.put(numbers, number)})
    }
  end

  @doc "An owner has ended: its worlds are released."
  def owner_down(worlds, owner) do
    case Map.pop(worlds.owners, owner) do
      {nil, _} ->
        {worlds, []}

      {{_, numbers}, owners} ->
        numbers = MapSet.to_list(numbers)
        {%{worlds | owners: owners, worlds: Map.drop(worlds.worlds, numbers)}, numbers}
    end
  end

  # A tenth at a time, so that this does not run for each new world.
  defp thin(worlds) do
    numbers =
      worlds.worlds
      |> Enum.sort_by(fn {_, {_, used}} -> used end)
      |> Enum.take(max(div(worlds.max, 10), 1))
      |> Enum.map(&elem(&1, 0))

    {Enum.reduce(numbers, worlds, &forget(&2, &1)), numbers}
  end

  defp forget(worlds, number) do
    case Map.pop(worlds.worlds, number) do
      {nil, _} -> worlds
      {{owner, _}, left} -> %{worlds | worlds: left, owners: disown(worlds.owners, owner, number)}
    end
  end

  defp disown(owners, owner, number) do
    {monitor, numbers} = Map.fetch!(owners, owner)
    numbers = MapSet.delete(numbers, number)

    if MapSet.size(numbers) == 0 do
      Process.demonitor(monitor, [:flush])
      Map.delete(owners, owner)
    else
      Map.put(owners, owner, {monitor, numbers})
    end
  end
end
