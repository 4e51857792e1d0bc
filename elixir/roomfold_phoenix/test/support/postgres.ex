defmodule Roomfold.PhoenixTest.Repo do
  use Ecto.Repo, otp_app: :roomfold_phoenix, adapter: Ecto.Adapters.Postgres
end

defmodule Roomfold.PhoenixTest.AddRoomfold do
  use Ecto.Migration
  def up, do: Roomfold.EventLog.Ecto.Migration.up(version: 1)
  def down, do: Roomfold.EventLog.Ecto.Migration.down()
end

defmodule Roomfold.PhoenixTest.Postgres do
  @moduledoc false
  # A PostgreSQL for the tests: the one at ROOMFOLD_POSTGRES_URL, or one of their own in a temporary folder, if its programs are there.

  def start do
    {:ok, _} = Application.ensure_all_started(:postgrex)
    {:ok, _} = Application.ensure_all_started(:ecto_sql)

    cond do
      url = System.get_env("ROOMFOLD_POSTGRES_URL") -> repo(url: url)
      programs = programs() -> own(programs)
      true -> :none
    end
  end

  defp programs do
    found = System.find_executable("initdb")

    if found,
      do: Path.dirname(found),
      else: Path.wildcard("/usr/lib/postgresql/*/bin") |> Enum.sort() |> List.last()
  end

  defp own(programs) do
    folder =
      Path.join(System.tmp_dir!(), "roomfold-postgres-#{System.pid()}-#{System.unique_integer([:positive])}")

    File.mkdir_p!(folder)
    {_, 0} = System.cmd("chmod", ["777", folder])
    data = Path.join(folder, "data")
    port = free_port()

    {_, 0} =
      as_nobody_special([
        "#{programs}/initdb",
        "-D",
        data,
        "-U",
        "roomfold",
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8"
      ])

    options = "-p #{port} -k #{folder} -c listen_addresses=127.0.0.1 -c fsync=off"

    {_, 0} =
      as_nobody_special([
        "#{programs}/pg_ctl",
        "-D",
        data,
        "-o",
        options,
        "-l",
        Path.join(folder, "log"),
        "-w",
        "start"
      ])

    System.at_exit(fn _ ->
      Supervisor.stop(Roomfold.PhoenixTest.Repo)
      as_nobody_special(["#{programs}/pg_ctl", "-D", data, "-m", "immediate", "stop"])
      File.rm_rf(folder)
    end)

    repo(hostname: "127.0.0.1", port: port, username: "roomfold", database: "postgres")
  end

  # PostgreSQL refuses to run as root.
  defp as_nobody_special(command) do
    case System.cmd("id", ["-u"]) do
      {"0\n", 0} ->
        System.cmd("su", ["postgres", "-s", "/bin/sh", "-c", Enum.map_join(command, " ", &"'#{&1}'")],
          stderr_to_stdout: true,
          cd: "/"
        )

      _ ->
        System.cmd(hd(command), tl(command), stderr_to_stdout: true)
    end
  end

  defp free_port do
    {:ok, socket} = :gen_tcp.listen(0, ip: {127, 0, 0, 1})
    {:ok, port} = :inet.port(socket)
    :gen_tcp.close(socket)
    port
  end

  defp repo(opts) do
    {:ok, pid} = Roomfold.PhoenixTest.Repo.start_link([pool_size: 10] ++ opts)
    Process.unlink(pid)

    Ecto.Migrator.run(Roomfold.PhoenixTest.Repo, [{1, Roomfold.PhoenixTest.AddRoomfold}], :up,
      all: true,
      log: false
    )

    :ok
  end
end
