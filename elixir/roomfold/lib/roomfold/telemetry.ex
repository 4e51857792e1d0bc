defmodule Roomfold.Telemetry do
  @moduledoc false
  # What a room measures, for `:telemetry` if the host has it (docs/telemetry.md lists the events).

  @spec event([atom], map, map) :: :ok
  def event(name, measurements, metadata) do
    if loaded?(), do: apply(:telemetry, :execute, [[:roomfold, :room | name], measurements, metadata])
    :ok
  end

  # Asked once: a host that has it has it from the start.
  defp loaded? do
    case :persistent_term.get(__MODULE__, nil) do
      nil ->
        loaded = Code.ensure_loaded?(:telemetry)
        :persistent_term.put(__MODULE__, loaded)
        loaded

      loaded ->
        loaded
    end
  end
end
