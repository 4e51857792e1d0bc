defmodule Roomfold.Demo.Tracks do
  @moduledoc false
  # Every entity's life, from its create to its delete or replacement, with each change of each component
  # and the seq that made it: what a player needs to show any moment without folding. It is made from a
  # world's diffs alone, one for each event, so it knows nothing of rules or of the game.
  #
  # `columns/1` gives lists of small integers, mostly differences, that deflate well:
  #
  #   id, born, gone    one entry a life, in order of birth; born as differences, gone after birth, 0: never
  #   position          life (differences), count; then for each sample seq (differences, the first after
  #                     birth) and x, y, z (differences, in units of 0.1 mm)
  #   others            life (differences), seq (after birth), name and value (indexes of names, values)

  defstruct open: %{}, closed: [], count: 0

  @units_per_metre 10_000
  @largest_binary32 3.4028234663852886e38

  def push(%__MODULE__{} = tracks, seq, diff) do
    tracks = Enum.reduce(diff["deletes"], tracks, &close(&2, &1, seq))

    tracks =
      Enum.reduce(diff["creates"], tracks, fn {id, components}, tracks ->
        tracks |> close(id, seq) |> open(id, seq, components)
      end)

    open =
      Enum.reduce(diff["updates"], tracks.open, fn {id, changes}, open -> sample(open, id, seq, changes) end)

    %{tracks | open: open}
  end

  defp open(tracks, id, seq, components) do
    life = %{number: tracks.count, id: id, born: seq, gone: nil, positions: [], others: []}
    open = sample(Map.put(tracks.open, id, life), id, seq, components)
    %{tracks | open: open, count: tracks.count + 1}
  end

  defp close(tracks, id, seq) do
    case Map.pop(tracks.open, id) do
      {nil, _} -> tracks
      {life, open} -> %{tracks | open: open, closed: [%{life | gone: seq} | tracks.closed]}
    end
  end

  defp sample(open, id, seq, changes) do
    Map.update!(open, id, fn life ->
      Enum.reduce(changes, life, fn
        {"position", [_x, _y, _z] = position}, life -> %{life | positions: [{seq, position} | life.positions]}
        {name, value}, life -> %{life | others: [{seq, name, value} | life.others]}
      end)
    end)
  end

  def columns(%__MODULE__{} = tracks) do
    lives = Enum.sort_by(Map.values(tracks.open) ++ tracks.closed, & &1.number)

    Map.merge(
      %{
        "id" => Enum.map(lives, & &1.id),
        "born" => lives |> Enum.map(& &1.born) |> differences(),
        "gone" => Enum.map(lives, &if(&1.gone, do: &1.gone - &1.born, else: 0)),
        "position" => position_columns(lives)
      },
      other_columns(lives)
    )
  end

  defp position_columns(lives) do
    lives = for life <- lives, life.positions != [], do: %{life | positions: Enum.reverse(life.positions)}

    %{
      "life" => lives |> Enum.map(& &1.number) |> differences(),
      "count" => Enum.map(lives, &length(&1.positions)),
      "seq" =>
        Enum.flat_map(lives, fn life ->
          life.positions |> Enum.map(fn {seq, _} -> seq - life.born end) |> differences()
        end),
      "x" => axis(lives, 0),
      "y" => axis(lives, 1),
      "z" => axis(lives, 2)
    }
  end

  defp axis(lives, index) do
    lives
    |> Enum.flat_map(& &1.positions)
    |> Enum.map(fn {_seq, position} -> round(Enum.at(position, index) * @units_per_metre) end)
    |> differences()
  end

  defp other_columns(lives) do
    rows =
      for life <- lives,
          {seq, name, value} <- Enum.reverse(life.others),
          do: {life, seq, name, shorten(value)}

    names = rows |> Enum.map(&elem(&1, 2)) |> Enum.uniq()
    values = rows |> Enum.map(&elem(&1, 3)) |> Enum.uniq()
    name_index = index(names)
    value_index = index(values)

    %{
      "names" => names,
      "values" => values,
      "others" => %{
        "life" => rows |> Enum.map(fn {life, _, _, _} -> life.number end) |> differences(),
        "seq" => Enum.map(rows, fn {life, seq, _, _} -> seq - life.born end),
        "name" => Enum.map(rows, fn {_, _, name, _} -> Map.fetch!(name_index, name) end),
        "value" => Enum.map(rows, fn {_, _, _, value} -> Map.fetch!(value_index, value) end)
      }
    }
  end

  defp index(list), do: list |> Enum.with_index() |> Map.new()

  @doc false
  def differences(numbers) do
    {differences, _last} = Enum.map_reduce(numbers, 0, fn number, last -> {number - last, number} end)
    differences
  end

  # A binary32 comes out of a world as its exact binary64; the shortest decimals that mean it are enough.
  defp shorten(list) when is_list(list), do: Enum.map(list, &shorten/1)
  defp shorten(map) when is_map(map), do: Map.new(map, fn {key, value} -> {key, shorten(value)} end)
  defp shorten(float) when is_float(float), do: if(binary32?(float), do: shorten(float, 0), else: float)
  defp shorten(value), do: value

  defp shorten(float, 15), do: float

  defp shorten(float, decimals) do
    short = Float.round(float, decimals)
    if <<short::float-32>> == <<float::float-32>>, do: short, else: shorten(float, decimals + 1)
  end

  defp binary32?(float) do
    abs(float) <= @largest_binary32 and
      (
        <<nearest::float-32>> = <<float::float-32>>
        nearest == float
      )
  end
end
