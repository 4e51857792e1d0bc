defmodule Roomfold.GettingStartedTest do
  # docs/getting-started.md, from its rules to its fork, answers what it says.
  use Roomfold.SQLiteCase, async: true

  alias Roomfold.Test.{Page, Program}

  if Program.instrumented?() do
    IO.puts("left out: #{inspect(__MODULE__)}, it starts VMs, and this one is under a sanitizer")
    @moduletag :skip
  end

  @page "docs/getting-started.md"

  @tag :closed
  test "the whole page, from the rules on, is one session", %{folder: folder} do
    text = Enum.join(Page.blocks(@page, "## 2. Rules"), "\n")
    assert {out, 0} = Page.run(text, cd: folder)
    assert length(String.split(out, "checked ")) - 1 == Page.answers(text)
    assert Page.answers(text) == 21

    # And the program reads what it wrote, as the page has it.
    if is_nil(Program.missing()) do
      assert File.read!(@page) =~ "priv/roomfold replay arena.db --room hall --rules rules.json\n"
      arguments = ["replay", Path.join(folder, "arena.db"), "--room", "hall", "--rules"]
      assert {state, report, 0} = Program.run(arguments ++ [Path.join(folder, "rules.json")])
      assert report == "seq 5, folded 5, orphaned 0, stale 0, gaps 0, rejected 0\n"
      assert state =~ ~s("health":70)
    end
  end

  test "the dependency is one that Mix takes" do
    [deps | _] = Page.blocks(@page, "## 1. A project")

    for line <- String.split(deps, "\n", trim: true) do
      assert {{:roomfold, [{kind, where}]}, _} = Code.eval_string(line)
      assert kind in [:path, :git] and is_binary(where)
    end
  end
end
