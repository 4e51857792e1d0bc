defmodule Roomfold.Test.Page do
  @moduledoc "The sessions of iex in a page of the docs, run in a VM of their own: each thing that it says to answer is looked at."

  @script Path.expand("../readme/session.exs", __DIR__)

  @doc "The blocks of Elixir of a page, from a line that has this text on."
  def blocks(path, from) do
    [_, behind] = path |> File.read!() |> String.split(from, parts: 2)
    for [_, block] <- Regex.scan(~r/```elixir\n(.*?)```/s, behind), do: block
  end

  @doc "How many answers it names."
  def answers(text), do: length(String.split(text, "#=>")) - 1

  @doc "What came of it: the output, with a line `checked …` for each answer, and the exit code."
  def run(text, options \\ []) do
    file = Path.join(System.tmp_dir!(), "roomfold-page-#{System.unique_integer([:positive])}-#{System.pid()}")
    File.write!(file, text)
    ebin = Path.expand(Path.dirname(to_string(:code.which(Roomfold))))
    args = ["--erl", "+fnu", "-pa", ebin, @script, file]
    answer = System.cmd(System.find_executable("elixir"), args, [stderr_to_stdout: true] ++ options)
    File.rm!(file)
    answer
  end
end
