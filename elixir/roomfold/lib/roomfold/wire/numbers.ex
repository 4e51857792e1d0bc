defmodule Roomfold.Wire.Numbers do
  @moduledoc false
  # The numbers of the packed format, from its table.

  @table Path.expand("../../../../../c_src/include/roomfold/wire.inl", __DIR__)
  @external_resource @table

  @rows ~r/^RF_WIRE_(\w+)\((\w+), (\d+), /m
        |> Regex.scan(File.read!(@table), capture: :all_but_first)
        |> Enum.map(fn [kind, name, number] ->
          {String.downcase(kind), String.downcase(name), String.to_integer(number)}
        end)

  @doc "name to number of one kind of rows: frame, type, quantise, op, seq, pose, number."
  defmacro rows(kind), do: Macro.escape(for {^kind, name, number} <- @rows, into: %{}, do: {name, number})

  @doc "One number, known at compile time."
  defmacro number(kind, name) do
    {_, _, number} = Enum.find(@rows, &match?({^kind, ^name, _}, &1))
    number
  end
end
