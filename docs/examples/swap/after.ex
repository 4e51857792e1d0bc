defmodule Cellar.World.After do
  @moduledoc "The same with Roomfold: the stream is folded and the diffs are made in C. Who asks it asks as before."

  alias Roomfold.{Projector, Rules}

  def start_link(opts) do
    Projector.start_link(
      stream: {Roomfold.Phoenix.PubSub, opts[:pubsub]},
      topic: opts[:stream],
      publish: opts[:diffs],
      every_ms: 50,
      rules: rules(),
      name: opts[:name] || __MODULE__
    )
  end

  def child_spec(opts), do: %{id: __MODULE__, start: {__MODULE__, :start_link, [opts]}}

  def get(world \\ __MODULE__, id), do: Projector.get(world, id)
  def snapshot(world \\ __MODULE__), do: Projector.snapshot(world)

  @doc "What an event does to the world: a table, in place of the reducer."
  def rules do
    poses = %{"pose" => {:field, "pose"}, "position" => {:field, "position"}}

    Rules.new!(%{
      "user_joined" => [{:create, "user_id", poses}],
      "user_moved" => [{:update, "user_id", poses}],
      "user_left" => [{:delete, "user_id"}]
    })
  end
end
