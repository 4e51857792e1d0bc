defmodule Roomfold.Demo.Screen do
  @moduledoc false
  # What the demo prints: 80 columns, plain ASCII, colour and a moving bar only on a terminal.

  @width 28

  def title(text) do
    IO.puts("\n" <> colour(text, IO.ANSI.bright()))
    IO.puts(String.duplicate("-", String.length(text)))
  end

  def say(text), do: IO.puts(text)

  @doc "A table: the first column to the left, the others to the right."
  def table(header, rows) do
    rows = Enum.map(rows, fn row -> Enum.map(row, &to_string/1) end)

    widths =
      [header | rows]
      |> Enum.zip()
      |> Enum.map(fn column -> column |> Tuple.to_list() |> Enum.map(&String.length/1) |> Enum.max() end)

    IO.puts(colour(row(header, widths), IO.ANSI.faint()))
    for cells <- rows, do: IO.puts(row(cells, widths))
    :ok
  end

  defp row([first | cells], [width | widths]) do
    cells = Enum.zip_with(cells, widths, &String.pad_leading/2)
    Enum.join(["  " <> String.pad_trailing(first, width) | cells], "  ")
  end

  @doc "How far it is; on a terminal only."
  def progress(done, total, what) do
    if terminal?() and total > 0 do
      full = div(done * @width, total)
      bar = String.duplicate("#", full) <> String.duplicate(".", @width - full)
      IO.write("\r[#{bar}] #{number(done)} of #{number(total)} #{what} ")
    end
  end

  @doc "Clears the bar."
  def done, do: if(terminal?(), do: IO.write("\r" <> IO.ANSI.clear_line()))

  def number(integer) do
    integer
    |> Integer.digits()
    |> Enum.reverse()
    |> Enum.chunk_every(3)
    |> Enum.map(&Enum.reverse/1)
    |> Enum.reverse()
    |> Enum.map_join(",", &Enum.join/1)
  end

  def decimal(number, digits \\ 1), do: :erlang.float_to_binary(number / 1, decimals: digits)

  def time(milliseconds) do
    seconds = div(milliseconds, 1000)
    "#{div(seconds, 60)}:#{seconds |> rem(60) |> Integer.to_string() |> String.pad_leading(2, "0")}"
  end

  defp colour(text, code),
    do:
      if(terminal?() and System.get_env("NO_COLOR") in [nil, ""],
        do: [code, text, IO.ANSI.reset()],
        else: text
      )

  defp terminal?, do: match?({:ok, _}, :io.columns()) and System.get_env("CI") in [nil, ""]
end
