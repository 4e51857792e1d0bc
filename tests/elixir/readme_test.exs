defmodule Roomfold.ReadmeTest do
  # The sessions of iex in README.md answer what it says, in a VM of their own.
  use ExUnit.Case, async: true

  @script Path.expand("readme/session.exs", __DIR__)

  # The first block of Elixir behind a line that has this text.
  defp block(text) do
    [_, behind] = "README.md" |> File.read!() |> String.split(text, parts: 2)
    [_, block] = Regex.run(~r/```elixir\n(.*?)```/s, behind)
    block
  end

  defp run(block) do
    file = Path.join(System.tmp_dir!(), "roomfold-readme-#{System.unique_integer([:positive])}")
    File.write!(file, block)
    ebin = Path.dirname(to_string(:code.which(Roomfold)))
    args = ["--erl", "+fnu", "-pa", ebin, @script, file]
    answer = System.cmd(System.find_executable("elixir"), args, stderr_to_stdout: true)
    File.rm!(file)
    answer
  end

  if System.get_env("ROOMFOLD_CONFIG", "release") in ~w(asan tsan valgrind) do
    IO.puts("left out: #{inspect(__MODULE__)}, it starts VMs, and this one is under a sanitizer")
    @moduletag :skip
  end

  for {name, text, count} <- [
        {"ten lines of iex", "## Ten lines of iex", 6},
        {"the match, by hand", "the match of the demo, by hand", 3}
      ] do
    test name do
      block = block(unquote(text))
      # Each thing that it says to answer was looked at.
      assert length(String.split(block, "#=>")) - 1 == unquote(count)
      {out, status} = run(block)
      assert {status, out} == {0, out}
      assert length(String.split(out, "checked ")) - 1 == unquote(count)
    end
  end

  test "what is not as written is found" do
    assert {out, 1} = run("1 + 1 #=> 3\n")
    assert out =~ "answers 2"
    assert {_, 1} = run(~s(%{a: 1, b: {1, 2}} #=> %{b: {2, ...}, ...}\n))
    assert {_, 0} = run(~s(%{a: 1, b: {1, 2}} #=> %{b: {1, ...}, ...}\n))
  end
end
