defmodule Roomfold.SQLiteCase do
  @moduledoc "Tests of `Roomfold.EventLog.SQLite`, each with a folder and a log of its own. Left out, with a line, where SQLite was not there to build it."
  use ExUnit.CaseTemplate

  alias Roomfold.EventLog.SQLite

  @library "priv/roomfold_log_nif.so"

  using do
    built = File.exists?(@library)
    unless built, do: IO.puts("left out: #{inspect(__CALLER__.module)}, #{@library} was not built")

    quote do
      import Roomfold.SQLiteCase
      @moduletag unquote(if built, do: :sqlite, else: :skip)
    end
  end

  setup context do
    folder = Path.join(System.tmp_dir!(), "roomfold-#{System.pid()}-#{System.unique_integer([:positive])}")
    File.mkdir_p!(folder)
    on_exit(fn -> File.rm_rf!(folder) end)
    path = Path.join(folder, "rooms.db")

    log = if context[:closed], do: nil, else: open(path)
    {:ok, folder: folder, path: path, log: log, reopen: &reopen(&1, path)}
  end

  @doc "A log on this file, stopped with the test."
  def open(path, opts \\ []) do
    opts = Keyword.merge([path: path, busy_timeout: 1_000], opts)
    id = System.unique_integer()
    pid = ExUnit.Callbacks.start_supervised!({SQLite, opts}, id: id, restart: :temporary)
    {SQLite, pid}
  end

  @doc """
  Whether this VM runs with a sanitizer's libraries: they need its runtime loaded first, so no VM that a test starts can have them.
  """
  def sanitized?, do: System.get_env("ROOMFOLD_CONFIG", "release") in ~w(asan tsan valgrind)

  @doc "The error with which a log does not start."
  def open_error(path, opts \\ []) do
    opts = Keyword.merge([path: path, busy_timeout: 50], opts)
    # Its exit would reach whoever is linked.
    task =
      Task.async(fn ->
        Process.flag(:trap_exit, true)
        SQLite.start_link(opts)
      end)

    {:error, error} = Task.await(task, :infinity)
    error
  end

  @doc "Runs it if the sqlite3 shell is there."
  def with_shell(fun) do
    if System.find_executable("sqlite3"),
      do: fun.(),
      else: IO.puts("left out: the sqlite3 shell is not installed")
  end

  @doc "What the shell says to these statements."
  def sqlite3(path, sql) do
    {out, 0} = System.cmd("sqlite3", ["-bail", path, sql], stderr_to_stdout: true)
    String.trim(out)
  end

  @doc "Runs it if this is root."
  def as_root(fun) do
    case System.cmd("id", ["-u"]) do
      {"0\n", 0} -> fun.()
      _ -> IO.puts("left out: mounting a file system needs root")
    end
  end

  @doc "A file system of its own in a folder, with these options of tmpfs: `{:ok, path}`."
  def mount(folder, options) do
    place = Path.join(folder, "mount")
    File.mkdir_p!(place)

    case System.cmd("mount", ["-t", "tmpfs", "-o", options, "tmpfs", place], stderr_to_stdout: true) do
      {_, 0} ->
        ExUnit.Callbacks.on_exit(fn -> System.cmd("umount", ["-l", place]) end)
        {:ok, place}

      {message, _} ->
        IO.puts("left out: can't mount a file system: #{String.trim(message)}")
        :error
    end
  end

  @doc "Has the shell lock a database; answers a function that unlocks it."
  def lock_database(path) do
    shell = Port.open({:spawn_executable, System.find_executable("sqlite3")}, [:binary, args: [path]])
    Port.command(shell, "BEGIN IMMEDIATE; SELECT 'locked';\n")
    said(shell, "locked\n")

    fn ->
      Port.command(shell, "COMMIT; SELECT 'free';\n")
      said(shell, "free\n")
      Port.close(shell)
    end
  end

  defp said(shell, text) do
    receive do
      {^shell, {:data, ^text}} -> :ok
    after
      30_000 -> ExUnit.Assertions.flunk("the sqlite3 shell does not answer")
    end
  end

  def reopen({SQLite, pid}, path) do
    GenServer.stop(pid)
    open(path)
  end
end
