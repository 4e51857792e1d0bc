defmodule Roomfold.Hits.Hit do
  @moduledoc """
  What was hit, and where.

      iex> world = Roomfold.World.new!()
      iex> box = %{"shape" => "box", "radius" => 0.5, "height" => 2}
      iex> components = %{"position" => [10, 0, 0], "collider" => box}
      iex> world = Roomfold.World.fold!(world, [{"create", %{"entity_id" => "bat", "components" => components}}])
      iex> shot = %{origin: {0, 1, 0}, direction: {1, 0, 0}, range: 19}
      iex> {:ok, [hit]} = Roomfold.Hits.cast(world, [shot])
      iex> {hit.kind, hit.id, hit.t, hit.distance, hit.point, hit.normal}
      {:entity, "bat", 0.5, 9.5, {9.5, 1.0, 0.0}, {-1.0, 0.0, 0.0}}

    * `:kind` - `:entity`, `:wall`, `:box` or `:triangle`
    * `:id` - of the entity
    * `:number` - of the wall, box or triangle
    * `:t` - 0 at the shot's origin, 1 at the end of its range
    * `:distance` - the same in metres; for a zone: from its centre to the nearest point of the entity's collider
    * `:point` - the position of the shot at the hit; for a zone: that nearest point
    * `:normal` - of the surface that was hit, towards the shot
    * `:seq`, `:blend` - the past state it was tested against (`nil`: now), and the fraction of the way to the next state (0 to below 1)
  """

  @type point :: {float, float, float}
  @type t :: %__MODULE__{
          kind: :entity | :wall | :box | :triangle,
          id: String.t() | nil,
          number: non_neg_integer | nil,
          t: float,
          distance: float,
          point: point,
          normal: point,
          seq: non_neg_integer | nil,
          blend: float
        }

  defstruct [:kind, :id, :number, :t, :distance, :point, :normal, :seq, blend: 0.0]
end
