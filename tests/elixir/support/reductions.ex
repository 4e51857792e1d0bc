defmodule Roomfold.Reductions do
  @moduledoc false

  @doc "How many reductions the calling process spends on a call."
  def reductions(function) do
    {:reductions, before} = Process.info(self(), :reductions)
    function.()
    {:reductions, behind} = Process.info(self(), :reductions)
    behind - before
  end
end
