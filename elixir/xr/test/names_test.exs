defmodule Xr.NamesTest do
  use ExUnit.Case, async: true

  # A process of its own: the application's is shared.
  defp names(opts),
    do: start_supervised!(%{id: make_ref(), start: {GenServer, :start_link, [Xr.Names, opts]}})

  defp claim(names, name, guest), do: GenServer.call(names, {:claim, name, guest})

  test "the first who asks has it" do
    names = names([])
    assert claim(names, "tom", "one") == :ok
    assert claim(names, "tom", "two") == {:error, :taken}
    assert claim(names, "tom", "one") == :ok
  end

  test "who has not used it for long has it no more" do
    names = names(free_after_ms: 0)
    assert claim(names, "tom", "one") == :ok
    assert claim(names, "tom", "two") == :ok
  end

  test "names that are none" do
    for name <- ["", "system", "SERVER", "arena", String.duplicate("x", 65), "a\0b", <<255>>],
        do: assert(Xr.Names.claim(name, "one") == {:error, :invalid})
  end
end
