defmodule Mix.Tasks.Roomfold.Serve do
  @shortdoc "Serves the page and a live room for development"
  @moduledoc """
  Serves the page with a live room, and the shipped match as a replay, until it is stopped.

      mix roomfold.serve [--port 4040]

  Topics: `room:NAME` for any name (each a room of its own, `Roomfold.Gateway.Arena`), `replay:match`, and `replay:NAME` for what
  a room has in its log. It is a development gateway, not Phoenix: for this machine only, never for production.
  """
  use Mix.Task

  alias Roomfold.Gateway
  alias Roomfold.Gateway.Arena

  @impl true
  def run(args) do
    {opts, rest, invalid} = OptionParser.parse(args, strict: [port: :integer])

    if rest != [] or invalid != [],
      do: Mix.raise("usage: mix roomfold.serve [--port 4040]")

    Mix.Task.run("app.start")
    port = start!(Keyword.get(opts, :port, 4040))

    Mix.shell().info(
      "Roomfold's development gateway, not Phoenix: http://localhost:#{port}/ (ends with Ctrl-C twice)"
    )

    unless iex?(), do: Process.sleep(:infinity)
  end

  @doc false
  def start!(port) do
    {:ok, _} = Roomfold.Rooms.start_link(name: __MODULE__.Rooms, room: Arena.options())

    # What can't start says so in words, not by ending this process.
    Process.flag(:trap_exit, true)

    case Gateway.start_link(port: port, rooms: __MODULE__.Rooms, replays: %{"match" => &match/0}) do
      {:ok, _} -> Gateway.port()
      {:error, why} -> Mix.raise(reason(why))
    end
  end

  defp match do
    path =
      Path.join([to_string(:code.priv_dir(:roomfold)), "demo", "freedm-0.12-demo1-MAP21.events.jsonl.gz"])

    [events: path |> File.read!() |> :zlib.gunzip(), id: "match"] ++
      Keyword.take(Arena.options(), [:rules, :level])
  end

  defp reason(text) when is_binary(text), do: text
  defp reason({:shutdown, {:failed_to_start_child, _, why}}), do: reason(why)
  defp reason({:shutdown, why}), do: reason(why)
  defp reason(other), do: "the gateway could not start: #{inspect(other)}"

  defp iex?, do: Code.ensure_loaded?(IEx) and IEx.started?()
end
