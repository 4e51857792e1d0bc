defmodule Roomfold.ReadmeTest do
  # The session of iex in README.md answers what it says, in a VM of its own.
  use ExUnit.Case, async: true

  import Roomfold.Test.Page

  if Roomfold.Test.Program.instrumented?() do
    IO.puts("left out: #{inspect(__MODULE__)}, it starts VMs, and this one is under a sanitizer")
    @moduletag :skip
  end

  test "ten lines of iex" do
    # The first block below the heading.
    [block | _] = blocks("README.md", "## Ten lines of iex")
    # Each thing that it says to answer was looked at.
    assert answers(block) == 6
    {out, status} = run(block)
    assert {status, out} == {0, out}
    assert length(String.split(out, "checked ")) - 1 == 6
  end

  test "what is not as written is found" do
    assert {out, 1} = run("1 + 1 #=> 3\n")
    assert out =~ "answers 2"
    assert {out, 1} = run("1 +\n2 #=> 3\n\n(4\n")
    assert out =~ "checked 1 +\n2"
    assert out =~ "no whole statement:\n(4"
    assert {_, 1} = run(~s(%{a: 1, b: {1, 2}} #=> %{b: {2, ...}, ...}\n))
    assert {_, 0} = run(~s(%{a: 1, b: {1, 2}} #=> %{b: {1, ...}, ...}\n))
  end
end
