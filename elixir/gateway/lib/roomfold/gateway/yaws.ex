defmodule Roomfold.Gateway.Yaws do
  @moduledoc false
  # Yaws, embedded: found where its packages install it, and started without reading or writing a file.

  @folders ~w(/usr/lib/yaws/ebin /usr/lib/yaws-*/ebin /usr/lib/erlang/lib/yaws-*/ebin /usr/local/lib/yaws-*/ebin
    /opt/homebrew/lib/yaws-*/ebin)

  @doc "Makes Yaws available, or returns what to install."
  def load(folders \\ @folders) do
    if Code.ensure_loaded?(:yaws_api) do
      :ok
    else
      case Enum.flat_map(folders, &Path.wildcard/1) do
        [folder | _] -> loaded(folder)
        [] -> {:error, missing()}
      end
    end
  end

  defp loaded(folder) do
    Code.append_path(folder)
    if Code.ensure_loaded?(:yaws_api), do: :ok, else: {:error, missing()}
  end

  @doc "One readable line."
  def missing do
    "The development gateway needs Yaws for HTTP and WebSocket, which was not found. On Debian and Ubuntu: " <>
      "apt-get install erlang-yaws (make setup does it)."
  end

  @doc "The children to supervise; `listen/1` makes them listen."
  def children do
    case :application.load(:yaws) do
      :ok -> :ok
      {:error, {:already_loaded, :yaws}} -> :ok
    end

    :ok = :application.set_env(:yaws, :embedded, true)
    :ok = :application.set_env(:yaws, :id, ~c"roomfold")

    for {id, start, restart, shutdown, type, modules} <- :yaws_sup.child_specs() do
      %{id: id, start: start, restart: restart, shutdown: shutdown, type: type, modules: modules}
    end
  end

  @doc "Listens on both loopback addresses, IPv6 only if the system has it; every request goes to the module."
  def listen(port, module, opaque, send_timeout_ms) do
    # Removes its log messages about where it listens, which are partly wrong, and about its stop.
    :logger.remove_primary_filter(__MODULE__)
    :ok = :logger.add_primary_filter(__MODULE__, {&__MODULE__.quiet/2, []})

    general = [
      flags: [copy_errlog: false, fail_on_bind_err: true],
      max_connections: 4096,
      logdir: ~c".",
      ebin_dir: [],
      include_dir: []
    ]

    # Yaws wants a folder and looks for its own files in it; nothing of it is served, since every path is the module's.
    folder = to_charlist(Application.app_dir(:roomfold_gateway, "ebin"))

    servers =
      for address <- addresses(port) do
        [
          :yaws.create_sconf(folder,
            port: port,
            listen: address,
            servername: ~c"localhost",
            flags: [access_log: false, auth_log: false],
            appmods: [{~c"/", module}],
            allowed_scripts: [],
            opaque: opaque,
            soptions: [
              listen_opts: [
                backlog: 1024,
                nodelay: true,
                send_timeout: send_timeout_ms,
                send_timeout_close: true
              ]
            ]
          )
        ]
      end

    :yaws_api.setconf(:yaws.create_gconf(general, ~c"roomfold"), servers)
  end

  @doc false
  def quiet(%{msg: {:report, %{label: {:error_logger, :info_msg}, format: format}}}, _) do
    if Enum.any?([~c"Yaws: Listening", ~c"stop_ready"], &List.starts_with?(format, &1)),
      do: :stop,
      else: :ignore
  end

  def quiet(_, _), do: :ignore

  @v4 {127, 0, 0, 1}
  @v6 {0, 0, 0, 0, 0, 0, 0, 1}

  defp addresses(port), do: if(free?(@v6, [:inet6], port), do: [@v4, @v6], else: [@v4])

  @doc "A port that is free on both addresses."
  def free_port(tries \\ 20) do
    {:ok, socket} = :gen_tcp.listen(0, ip: @v4, reuseaddr: true)
    {:ok, port} = :inet.port(socket)
    free = not v6?() or free?(@v6, [:inet6], port)
    :gen_tcp.close(socket)
    if free or tries == 0, do: port, else: free_port(tries - 1)
  end

  defp v6?, do: free?(@v6, [:inet6], 0)

  @doc "Whether IPv4's loopback has the port."
  def free?(port), do: free?(@v4, [], port)

  defp free?(address, opts, port) do
    case :gen_tcp.listen(port, [ip: address, reuseaddr: true] ++ opts) do
      {:ok, socket} -> :gen_tcp.close(socket) == :ok
      {:error, _} -> false
    end
  end
end
