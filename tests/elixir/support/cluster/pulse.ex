defmodule Roomfold.ClusterCase.Pulse do
  @moduledoc false
  # A system whose events can be told apart: pulse 1, 2, 3 and so on, as the world counts them. Two authorities, or one that goes on
  # from an old world, would give one number twice.
  alias Roomfold.{Rules, World}

  def system(world, _tick) do
    beats = (World.get(world, "heart") || %{})["beats"] || 0
    [{"pulse", %{"id" => "heart", "beats" => beats + 1}}]
  end

  def rules do
    Rules.new!(
      Map.merge(Rules.xr().events, %{
        "pulse" => {:system, [{:create, "id", %{"beats" => {:field, "beats"}}}]}
      }),
      name: "pulse"
    )
  end
end
