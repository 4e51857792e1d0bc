defmodule Roomfold.Headset do
  @moduledoc false
  # A recorded headset and two hands: `{milliseconds, poses}` and `{milliseconds, button}`, from the files of tests/data/vr.

  @parts ["head", "left", "right"]

  @doc "Samples and buttons in one list, by their times."
  def read(csv, buttons) do
    [_header | rows] = csv |> File.read!() |> :zlib.gunzip() |> String.split("\n", trim: true)

    pressed =
      for line <- buttons |> File.read!() |> :zlib.gunzip() |> String.split("\n", trim: true),
          event = Roomfold.JSON.decode!(line),
          do: {event["t_ms"], {"hand_button", Map.take(event, ["hand", "name", "button"])}}

    Enum.sort_by(Enum.map(rows, &sample/1) ++ pressed, &elem(&1, 0))
  end

  defp sample(row) do
    [t | numbers] = for text <- String.split(row, ","), do: elem(Float.parse(text), 0)

    poses =
      for {part, seven} <- Enum.zip(@parts, Enum.chunk_every(numbers, 7)), into: %{} do
        {position, rotation} = Enum.split(seven, 3)
        {part, %{"position" => position, "rotation" => rotation}}
      end

    {t, poses}
  end

  @doc "As packed input: poses as they are, a button as an event of the user's."
  def input({_, {name, payload}}, n, user),
    do: Roomfold.Wire.encode_input(%{"input" => n, "events" => [{name, Map.put(payload, "user_id", user)}]})

  def input({_, poses}, n, _), do: Roomfold.Wire.encode_input(Map.put(poses, "input", n))

  @doc "The rules that know buttons: a hand has the last one that was pressed or touched."
  def rules do
    buttons = %{"hand_button" => {:user, [{:update, "user_id", %{"button" => {:field, "name"}}}]}}
    Roomfold.Rules.merge(Roomfold.Rules.xr(), Roomfold.Rules.new!(buttons))
  end
end
