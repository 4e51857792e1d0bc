defmodule Xr.NamesTest do
  use ExUnit.Case, async: true

  # A process of its own: the application's is shared.
  defp names(opts),
    do: start_supervised!(%{id: make_ref(), start: {GenServer, :start_link, [Xr.Names, opts]}})

  defp connection, do: spawn(fn -> Process.sleep(:infinity) end)
  defp claim(names, name, owner, pid), do: GenServer.call(names, {:claim, name, owner, pid})

  test "whoever takes it first has it, in as many tabs as he likes" do
    names = names([])
    assert claim(names, "tom", "one", connection()) == :ok
    assert claim(names, "tom", "two", connection()) == {:error, :taken}
    assert claim(names, "tom", "one", connection()) == :ok
    assert claim(names, "ann", "two", connection()) == :ok
  end

  test "it is free when his last connection is gone, and the grace is over" do
    names = names(grace_ms: 20)
    [a, b] = [connection(), connection()]
    :ok = claim(names, "tom", "one", a)
    :ok = claim(names, "tom", "one", b)
    Process.exit(a, :kill)
    Process.sleep(60)
    assert claim(names, "tom", "two", connection()) == {:error, :taken}
    Process.exit(b, :kill)
    assert free?(names, 3_000)
  end

  defp free?(_, 0), do: false

  defp free?(names, tries) do
    claim(names, "tom", "two", connection()) == :ok or (Process.sleep(10) && free?(names, tries - 1))
  end

  test "who comes back within the grace keeps it" do
    names = names(grace_ms: 50)
    a = connection()
    :ok = claim(names, "tom", "one", a)
    Process.exit(a, :kill)
    :ok = claim(names, "tom", "one", connection())
    Process.sleep(100)
    assert claim(names, "tom", "two", connection()) == {:error, :taken}
  end

  test "each time he goes he has the whole grace, however shortly before he had gone already" do
    # None of these ends by itself during the test: what a timer would say is said here, when it is over.
    names = names(grace_ms: 3_600_000)
    a = connection()
    :ok = claim(names, "tom", "one", a)
    first = away(names, a)
    b = connection()
    :ok = claim(names, "tom", "one", b)
    second = away(names, b)
    send(names, {:free, "tom", first})
    assert claim(names, "tom", "two", connection()) == {:error, :taken}
    send(names, {:free, "tom", second})
    assert claim(names, "tom", "two", connection()) == :ok
  end

  # His last connection goes: which absence that is.
  defp away(names, connection) do
    monitor = Process.monitor(connection)
    Process.exit(connection, :kill)
    assert_receive {:DOWN, ^monitor, _, _, _}
    absence(names, 3_000)
  end

  defp absence(_, 0), do: flunk("it was not noticed")

  defp absence(names, tries) do
    case :sys.get_state(names).names["tom"] do
      {_, 0, absence} -> absence
      _ -> Process.sleep(10) && absence(names, tries - 1)
    end
  end

  test "names that are none, and those of things in the level" do
    for name <- ["imp-1", "sector-68", "sector-68-trigger", "projectile-1-1", "fireball-imp-1-1"],
        do: assert(Xr.Names.claim(name, "one") == {:error, :invalid}, name)

    for name <- ["", "system", "SERVER", "arena", String.duplicate("x", 65), "a\0b", <<255>>],
        do: assert(Xr.Names.claim(name, "one") == {:error, :invalid})
  end
end
