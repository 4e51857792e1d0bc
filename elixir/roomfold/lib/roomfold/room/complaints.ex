defmodule Roomfold.Room.Complaints do
  @moduledoc false
  # What goes wrong in a room's own code. A system mostly makes the same mistake on each tick: each time is counted, the first time and
  # then one in a thousand is logged.

  require Logger
  alias Roomfold.Room.{Options, Text}
  alias Roomfold.Telemetry

  @every 1_000
  # A system may make up a name for each event: beyond this many, new ones count as one.
  @most 64

  defstruct counts: %{refused: 0, failed: 0}, known: %{}

  @type kind :: :refused | :failed

  @type t :: %__MODULE__{}

  @doc """
  A system failed, or a callback, `{module, name}`: it raised, exited or threw. Or a process did that they have linked to the room, `:linked`, or
  the room's stream, `:stream`, or the module of a host's fast lane, `{module, :message}`.
  """
  @spec failed(t, String.t(), term, {:error | :exit | :throw, term}, Exception.stacktrace()) :: t
  def failed(complaints, room, source, {kind, reason}, stacktrace) do
    error = if kind == :error, do: reason, else: {kind, reason}
    Telemetry.event([:failed], %{count: 1}, %{room: room, of: source, error: error})

    log(complaints, :failed, {source, kind(kind, reason), place(stacktrace)}, fn count ->
      {what, consequence} = consequence(source)

      Logger.error("""
      #{what} of the room #{room} failed, and #{consequence}#{times(count)}#{named(source)}
      #{Exception.format(kind, reason, stacktrace)}\
      """)
    end)
  end

  defp kind(:error, exception), do: exception.__struct__
  # Of a process that has raised: a crash has its stacktrace beside it.
  defp kind(:exit, {%{__exception__: true} = exception, [_ | _]}), do: {:exit, exception.__struct__}
  defp kind(kind, _), do: kind

  defp consequence({_, callback}) when callback in [:authorize, :prepare],
    do: {"a callback", "the event that it was asked about was refused"}

  defp consequence({_, :message}), do: {"a host's fast lane", "its clients' sessions take over"}
  defp consequence({_, _}), do: {"a callback", "gave no events"}
  defp consequence(:stream), do: {"the stream", "its subscribers were not told"}
  defp consequence(:linked), do: {"a linked process", "the room goes on without it"}
  defp consequence(_), do: {"a system", "was left out of that tick"}

  defp named({module, callback}), do: ": #{callback} of #{inspect(module)}"
  defp named(source) when source in [:linked, :stream], do: ""
  defp named(system), do: ": #{inspect(system)}"

  @doc "An event of the room itself was refused; source: a system, the room's module, or nil."
  @spec refused(t, Options.t(), term, Roomfold.World.event() | binary, Roomfold.Error.t()) :: t
  def refused(complaints, %Options{id: room} = options, source, event, error) do
    name = Text.label(event, Options.json(options))
    Telemetry.event([:refused], %{count: 1}, %{room: room, of: source, event: name, error: error})

    log(complaints, :refused, {source, name, error.reason}, fn count ->
      Logger.warning(
        "#{speaker(source)} of the room #{room} published #{inspect(name)}, which was refused#{times(count)}: #{error.message}"
      )
    end)
  end

  defp log(complaints, kind, about, write) do
    {count, complaints} = add(complaints, kind, about)
    if count != :quiet, do: write.(count)
    complaints
  end

  defp times(1), do: " (further ones are counted, and one in 1,000 is logged)"
  defp times(count), do: " (#{count} times so far)"

  # Without arguments and other parts that change from one failure to the next.
  defp place([{module, function, _, where} | _]), do: {module, function, where[:line]}
  defp place(_), do: nil

  defp speaker(nil), do: "the default"
  defp speaker(source) when is_atom(source), do: inspect(source)
  defp speaker(source), do: "the system #{inspect(source)}"

  @doc "How many there were of a kind."
  def count(complaints, kind), do: Map.fetch!(complaints.counts, kind)

  @doc """
  Counts one: `{count, complaints}` if it is to be logged, with how many of the same there were; else `{:quiet, complaints}`. Those with equal
  `about` are the same.
  """
  @spec add(t, kind, about :: term) :: {pos_integer | :quiet, t}
  def add(%{counts: counts, known: known} = complaints, kind, about) do
    key = if map_size(known) < @most or is_map_key(known, {kind, about}), do: {kind, about}, else: :others
    count = Map.get(known, key, 0) + 1
    counts = Map.update!(counts, kind, &(&1 + 1))
    log = if count == 1 or rem(count, @every) == 0, do: count, else: :quiet
    {log, %{complaints | counts: counts, known: Map.put(known, key, count)}}
  end
end
