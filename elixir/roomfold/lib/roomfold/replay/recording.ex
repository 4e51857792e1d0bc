defmodule Roomfold.Replay.Recording do
  @moduledoc false
  # A recording: JSON Lines with a time in each. It becomes a log in memory, numbered anew, that is read like any other.
  alias Roomfold.{Error, EventLog, JSON}
  alias Roomfold.Room.{Options, Text}

  # Times, of events and between them, are exact up to here.
  @most_ms 9_007_199_254_740_991

  @doc "A log with the recording's events. The error's index is that of the line, from 0."
  @spec log(String.t(), Options.t()) :: {:ok, EventLog.t()} | {:error, Error.t()}
  def log(text, options) do
    {:ok, pid} = EventLog.Memory.start_link([])
    log = {EventLog.Memory, pid}

    with {:ok, records} <- records(Text.lines(text), 1, -@most_ms, Options.json(options), []),
         {:ok, %{term: term}} <- EventLog.claim(log, options.id, %{}),
         :ok <- EventLog.append(log, options.id, term, 0, records),
         do: {:ok, log}
  end

  defp records([], _, _, _, records), do: {:ok, Enum.reverse(records)}

  # A clock that went back stood still: an event is played when all before it have been.
  defp records([line | lines], seq, latest, json, records) do
    with {:ok, event} <- JSON.decode(line, impl: json),
         {:ok, at} <- time(event),
         :ok <- named(event) do
      at = max(at, latest)

      record =
        if match?(%{"seq" => ^seq, "at" => ^at}, event),
          do: line,
          else: JSON.encode!(Map.merge(event, %{"seq" => seq, "at" => at}), impl: json)

      records(lines, seq + 1, at, json, [record | records])
    else
      {:error, error} -> {:error, Error.put(error, index: seq - 1)}
    end
  end

  @doc "An event's time in milliseconds."
  @spec time(term) :: {:ok, integer} | {:error, Error.t()}
  def time(%{"at" => at}) when is_integer(at) and abs(at) <= @most_ms, do: {:ok, at}

  def time(%{"at" => at}) when is_integer(at),
    do: {:error, Error.new(:number_out_of_range, field: "at", detail: "it is milliseconds up to 2^53-1")}

  def time(_), do: {:error, Error.new(:not_an_event, field: "at")}

  # An event has one name. One without a name is about several entities, all in maps or all in lists.
  defp named(event) do
    others = event |> Map.drop(["seq", "at", "by"]) |> Map.values()

    case Map.values(Map.take(event, ["event_name", "event"])) do
      [name] when is_binary(name) and byte_size(name) in 1..255 -> :ok
      [] when others != [] -> if several?(others), do: :ok, else: {:error, Error.new(:invalid_name)}
      _ -> {:error, Error.new(:invalid_name)}
    end
  end

  defp several?(values), do: Enum.all?(values, &is_map/1) or Enum.all?(values, &is_list/1)
end
