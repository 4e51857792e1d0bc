defmodule Roomfold.SQLiteCase do
  @moduledoc "Tests of `Roomfold.EventLog.SQLite`, each with a folder and a log of its own. Left out, with a line, where SQLite was not there to build it."
  use ExUnit.CaseTemplate

  alias Roomfold.EventLog.SQLite

  @library "priv/roomfold_log_nif.so"

  using opts do
    built = File.exists?(@library)
    unless built, do: IO.puts("left out: #{inspect(__CALLER__.module)}, #{@library} was not built")

    quote do
      import Roomfold.SQLiteCase
      @moduletag unquote(if built, do: :sqlite, else: :skip)
      @moduletag timeout: unquote(opts[:timeout] || 120_000)
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

  def reopen({SQLite, pid}, path) do
    GenServer.stop(pid)
    open(path)
  end
end
