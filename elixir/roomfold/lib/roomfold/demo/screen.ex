defmodule Roomfold.Demo.Screen do
  @moduledoc false
  # What the demo prints: 80 columns; colour and a moving bar on a terminal only; plain ASCII where the locale
  # is not UTF-8.

  @bar 30
  @columns 80

  def title(text) do
    IO.puts(["\n", style(text, :bright)])
    IO.puts(style(String.duplicate(if(unicode?(), do: "─", else: "-"), String.length(text)), :faint))
  end

  @doc "A paragraph, wrapped."
  def say(text), do: text |> wrap() |> Enum.each(&IO.puts/1)

  @doc "A remark, wrapped and less prominent."
  def note(text), do: text |> wrap() |> Enum.each(&IO.puts(style(&1, :faint)))

  @doc "A line about something that was checked."
  def good(text), do: IO.puts([text, "  ", style(if(unicode?(), do: "equal ✓", else: "equal"), :green)])

  @doc "A table: the first column to the left, the others to the right."
  def table(header, rows) do
    rows = Enum.map(rows, fn row -> Enum.map(row, &to_string/1) end)

    widths =
      [header | rows] |> Enum.zip_with(fn column -> column |> Enum.map(&String.length/1) |> Enum.max() end)

    IO.puts(style(row(header, widths), :faint))
    for cells <- rows, do: IO.puts(row(cells, widths))
    :ok
  end

  defp row([first | cells], [width | widths]) do
    cells = Enum.zip_with(cells, widths, &String.pad_leading/2)
    String.trim_trailing(Enum.join(["  " <> String.pad_trailing(first, width) | cells], "  "))
  end

  @doc "Labels, numbers and bars of that length."
  def chart(rows) do
    label = rows |> Enum.map(fn {label, _} -> String.length(label) end) |> Enum.max()
    most = rows |> Enum.map(&elem(&1, 1)) |> Enum.max() |> max(1)

    for {name, count} <- rows do
      bar = String.duplicate(if(unicode?(), do: "▇", else: "#"), max(1, round(@bar * count / most)))
      figure = String.pad_leading(number(count), 9)
      IO.puts(["  ", String.pad_trailing(name, label), figure, "  ", style(bar, :cyan)])
    end

    :ok
  end

  @doc "The progress, on a terminal only, in one line that moves."
  def progress(done, total, what) do
    if terminal?() and total > 0 do
      full = min(@bar, div(done * @bar, total))
      {on, off} = if unicode?(), do: {"█", "░"}, else: {"#", "."}
      bar = String.duplicate(on, full) <> String.duplicate(off, @bar - full)
      IO.write(["\r", style(bar, :cyan), " #{number(done)} of #{number(total)} #{what} "])
    end
  end

  @doc "Clears the bar."
  def done, do: if(terminal?(), do: IO.write("\r" <> IO.ANSI.clear_line()))

  def number(integer) when integer < 0, do: "-" <> number(-integer)

  def number(integer) do
    integer
    |> Integer.digits()
    |> Enum.reverse()
    |> Enum.chunk_every(3)
    |> Enum.map_join(",", &Enum.join/1)
    |> String.reverse()
  end

  def decimal(number, digits \\ 1), do: :erlang.float_to_binary(number / 1, decimals: digits)

  def times(ratio), do: decimal(ratio) <> if(unicode?(), do: " ×", else: " x")

  @doc "Minutes and seconds of milliseconds."
  def time(milliseconds) do
    seconds = div(milliseconds, 1000)
    "#{div(seconds, 60)}:#{seconds |> rem(60) |> Integer.to_string() |> String.pad_leading(2, "0")}"
  end

  @doc "A short label and its description."
  def entry(label, text) do
    [first | rest] = wrap(text, @columns - 9)
    IO.puts(["  ", String.pad_leading(label, 5), "  ", first])
    for line <- rest, do: IO.puts([String.duplicate(" ", 9), line])
    :ok
  end

  # Lines of limited width, all with the indentation of the text.
  defp wrap(text, columns \\ @columns) do
    [margin] = Regex.run(~r/^ */, text)

    text
    |> String.split(" ", trim: true)
    |> Enum.reduce([], fn
      word, [line | lines] when byte_size(line) + byte_size(word) < columns -> [line <> " " <> word | lines]
      word, lines -> [margin <> word | lines]
    end)
    |> Enum.reverse()
  end

  defp style(text, name) do
    if terminal?() and System.get_env("NO_COLOR") in [nil, ""],
      do: [apply(IO.ANSI, name, []), text, IO.ANSI.reset()],
      else: text
  end

  defp terminal?, do: IO.ANSI.enabled?() and System.get_env("TERM") not in [nil, "", "dumb"]

  # POSIX: the first of these that is set decides.
  defp unicode? do
    locale = Enum.find_value(["LC_ALL", "LC_CTYPE", "LANG"], "", &present(System.get_env(&1)))
    locale |> String.downcase() |> String.contains?(["utf-8", "utf8"])
  end

  defp present(value), do: if(value not in [nil, ""], do: value)
end
