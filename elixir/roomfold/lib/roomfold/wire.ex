defmodule Roomfold.Wire do
  @moduledoc "x"
  alias Roomfold.Wire.Frame
  @doc false
  def start(frame) do
    with {:ok, {seq, _, part, _}} <- Frame.catching(fn -> Frame.snapshot_start(frame) end),
         {:ok, schema} <- Frame.catching(fn -> Frame.schema(part) end),
         do: {:ok, seq, schema}
  end
end
