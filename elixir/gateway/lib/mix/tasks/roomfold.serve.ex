defmodule Mix.Tasks.Roomfold.Serve do
  @shortdoc "Serves the page and a live room for development"
  @moduledoc """
  Serves the page with a live room, and the shipped match as a replay, until it is stopped.

      mix roomfold.serve [--port 4040] [--log FILE] [--until-eof]

    * `--port` - 4040, or another one if that is taken; 0: any that is free
    * `--log` - keeps the rooms in this SQLite database, so that they are still there when it is started again; else they are gone with it
    * `--until-eof` - ends at the end of its standard input: for programs that start it

  Topics: `room:NAME` for any name (each a room of its own, `Roomfold.Gateway.Arena`), `replay:match`, and `replay:NAME` for what
  a room has in its log. It is a development gateway, not Phoenix: for this machine only, never for production.
  """
  use Mix.Task

  alias Roomfold.{EventLog, Gateway}
  alias Roomfold.Gateway.Arena

  @options [port: :integer, log: :string, until_eof: :boolean]
  @usage "usage: mix roomfold.serve [--port 4040] [--log FILE] [--until-eof]"

  @impl true
  def run(args) do
    {opts, rest, invalid} = OptionParser.parse(args, strict: @options)

    with [_ | _] = wrong <- unusable(opts, rest, invalid),
         do: Mix.raise("mix roomfold.serve can't use #{Enum.join(wrong, ", ")}\n#{@usage}")

    Mix.Task.run("app.start")
    port = start!(opts[:port] || default_port(), opts[:log])
    ends = if opts[:until_eof], do: "its input", else: "Ctrl-C twice"

    Mix.shell().info(
      "Roomfold's development gateway, not Phoenix: http://localhost:#{port}/ (ends with #{ends})"
    )

    cond do
      opts[:until_eof] -> until_eof()
      iex?() -> :ok
      true -> Process.sleep(:infinity)
    end
  end

  defp unusable(opts, rest, invalid) do
    unknown = for {option, value} <- invalid, do: String.trim("#{option} #{value}")
    ports = for {:port, port} <- opts, port not in 0..65_535, do: "--port #{port}"
    unknown ++ ports ++ rest
  end

  defp default_port, do: if(Gateway.Yaws.free?(4040), do: 4040, else: 0)

  defp until_eof do
    case IO.read(:line) do
      line when is_binary(line) -> until_eof()
      _ -> System.halt(0)
    end
  end

  @doc false
  def start!(port, file \\ nil) do
    # If a child can't start, its error is printed, and does not end this process.
    Process.flag(:trap_exit, true)

    with {:ok, _} <- Roomfold.Rooms.start_link(name: __MODULE__.Rooms, log: log(file), room: Arena.options()),
         {:ok, _} <- Gateway.start_link(port: port, rooms: __MODULE__.Rooms, replays: %{"match" => &match/0}) do
      Gateway.port()
    else
      {:error, why} -> Mix.raise(reason(why))
    end
  end

  defp log(nil), do: {EventLog.Memory, []}

  defp log(file) do
    unless EventLog.SQLite.available?(),
      do: Mix.raise("--log needs SQLite, which was not there when this was built (make setup, then make)")

    {EventLog.SQLite, path: Path.expand(file)}
  end

  defp match do
    path =
      Path.join([to_string(:code.priv_dir(:roomfold)), "demo", "freedm-0.12-demo1-MAP21.events.jsonl.gz"])

    [events: path |> File.read!() |> :zlib.gunzip(), id: "match"] ++
      Keyword.take(Arena.options(), [:rules, :level])
  end

  defp reason(text) when is_binary(text), do: text
  defp reason(%{__exception__: true} = error), do: Exception.message(error)
  defp reason({:shutdown, {:failed_to_start_child, _, why}}), do: reason(why)
  defp reason({:shutdown, why}), do: reason(why)
  defp reason({%{__exception__: true} = error, _stack}), do: reason(error)
  defp reason(other), do: "the gateway could not start: #{inspect(other)}"

  defp iex?, do: Code.ensure_loaded?(IEx) and IEx.started?()
end
