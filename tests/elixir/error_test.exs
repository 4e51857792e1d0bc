defmodule Roomfold.ErrorTest do
  @moduledoc "The table of reasons: its page, and that each of them is shown by a test."
  use ExUnit.Case, async: true

  alias Roomfold.Error

  @root Path.expand("../..", __DIR__)

  test "docs/errors.md is made from the table, and has every reason with its message" do
    assert {"", 0} = System.cmd(Path.join(@root, "tools/errors-page"), ["--check"])
    page = File.read!(Path.join(@root, "docs/errors.md"))

    for reason <- Error.reasons() do
      assert [_, message, said] = Regex.run(~r/^\| `#{reason}` \| (.*?) \| (.+) \|$/m, page)
      assert Error.new(reason).message == message
      assert byte_size(said) > 10
    end
  end

  # By its name: as an atom, as clients and vectors have it, or as C does. The suite for event logs is published, and no test file.
  test "each reason is named by a test" do
    files =
      Path.wildcard(Path.join(@root, "tests/{c,elixir,js,vectors}/**/*.{c,exs,ex,mjs,json,jsonl}")) ++
        Path.wildcard(Path.join(@root, "elixir/*/test/**/*.exs")) ++
        [Path.join(@root, "elixir/roomfold/lib/roomfold/event_log/conformance.ex")]

    text = files |> Enum.reject(&(&1 == __ENV__.file)) |> Enum.map_join("\n", &File.read!/1)

    for reason <- Error.reasons() do
      assert text =~ ~r/:#{reason}\b|"#{reason}"|RF_#{String.upcase("#{reason}")}\b/,
             "no test names #{inspect(reason)}"
    end
  end

  test "numbers are places in the table, from 1" do
    assert Enum.sort(Enum.map(Error.reasons(), &Error.number/1)) == Enum.to_list(1..length(Error.reasons()))
  end
end
