defmodule Roomfold.Room.Versions do
  @moduledoc false
  # In which versions a room's records and snapshots are written. Upcasters lead from an older one to the room's; nothing leads back.

  alias Roomfold.{Error, EventLog}
  alias Roomfold.Room.Options

  @doc "Those of a room with these options, as the log keeps them."
  @spec of(Options.t()) :: %{String.t() => term}
  def of(options) do
    %{
      "format" => 1,
      "rules" => options.rules_version,
      "rules_name" => options.rules.name,
      "schema" => options.schema_version
    }
  end

  @doc "Refuses a log that has records of a newer version: the room would leave out what it does not know, and keep what came of it."
  @spec check(Options.t(), EventLog.head() | nil) :: :ok | {:error, Error.t()}
  def check(_, nil), do: :ok

  def check(options, %{seq: last, versions: versions}) do
    ours = of(options)

    case Enum.find(versions, fn {first, theirs} -> first <= last and newer?(theirs, ours) end) do
      nil -> :ok
      {first, theirs} -> {:error, newer(options, first, theirs, ours)}
    end
  end

  defp newer?(theirs, ours) do
    Enum.any?(["format", "rules", "schema"], fn key ->
      is_integer(theirs[key]) and theirs[key] > ours[key]
    end)
  end

  defp newer(options, first, theirs, ours) do
    Error.new(:log_newer,
      detail: "room #{options.id}, from seq #{first} on: #{said(theirs)}; the room's options: #{said(ours)}"
    )
  end

  defp said(versions) do
    "format #{versions["format"]}, rules #{versions["rules"]} (#{inspect(versions["rules_name"])}), schema #{versions["schema"]}"
  end
end
