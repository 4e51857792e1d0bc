defmodule Mix.Tasks.Roomfold.Demo do
  @shortdoc "Folds a recorded match, checks it, says what happened and writes a page that plays it"

  @moduledoc """
  Folds a recorded deathmatch of four players in C, checks the world against snapshots that another program
  computed, says what happened in words and figures, plays the match through a room and out of its log, measures the C fold
  beside pure Elixir, and writes one HTML file that plays the match.

      mix roomfold.demo [--out FILE] [--no-page] [--no-speed] [--no-room] [--match FILE [--map FILE] [--expected FILE]]

  ## Options

    * `--out` - where the page goes (`roomfold-demo.html`)
    * `--no-page` - no page
    * `--no-speed` - no measurements
    * `--no-room` - not through a room
    * `--match` - another recording: JSON Lines, plain or .gz; without it the one that comes with Roomfold
    * `--map`, `--expected` - its level and its snapshots; looked for beside it if they are not named

  It ends with an error if the world differs from any expected snapshot, in a room's past or at a client too.
  """
  use Mix.Task

  @switches [
    match: :string,
    map: :string,
    expected: :string,
    out: :string,
    page: :boolean,
    speed: :boolean,
    room: :boolean
  ]

  @impl true
  def run(args) do
    case OptionParser.parse(args, strict: @switches) do
      {options, [], []} ->
        demo(options)

      {_, rest, invalid} ->
        Mix.raise(
          "don't know #{Enum.map_join(invalid, ", ", &elem(&1, 0))}#{Enum.join(rest, ", ")}; see mix help roomfold.demo"
        )
    end
  end

  defp demo(options) do
    Mix.Task.run("app.start")

    case Roomfold.Demo.run(options) do
      :ok -> :ok
      {:error, message} -> Mix.raise(message)
    end
  end
end
