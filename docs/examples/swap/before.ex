defmodule Cellar.World.Before do
  @moduledoc "The cellar's world as one writes it in Elixir alone: a process that folds a stream into a map, and tells what changed."
  use GenServer

  @every_ms 50

  def start_link(opts), do: GenServer.start_link(__MODULE__, opts, name: opts[:name] || __MODULE__)

  def get(world \\ __MODULE__, id), do: GenServer.call(world, {:get, id})
  def snapshot(world \\ __MODULE__), do: GenServer.call(world, :snapshot)

  @doc "What an event does to the world: the reducer."
  def apply_event({"user_joined", %{"user_id" => id} = payload}, world),
    do: Map.put(world, id, Map.take(payload, ["pose", "position"]))

  def apply_event({"user_moved", %{"user_id" => id} = payload}, world) do
    case world do
      %{^id => known} -> Map.put(world, id, Map.merge(known, Map.take(payload, ["pose", "position"])))
      _ -> world
    end
  end

  def apply_event({"user_left", %{"user_id" => id}}, world), do: Map.delete(world, id)
  def apply_event(_, world), do: world

  @impl true
  def init(opts) do
    :ok = Phoenix.PubSub.subscribe(opts[:pubsub], opts[:stream])
    :timer.send_interval(@every_ms, :tell)
    {:ok, %{world: %{}, told: %{}, pubsub: opts[:pubsub], diffs: opts[:diffs]}}
  end

  @impl true
  def handle_call({:get, id}, _, state), do: {:reply, state.world[id], state}
  def handle_call(:snapshot, _, state), do: {:reply, state.world, state}

  @impl true
  def handle_info(:tell, %{world: same, told: same} = state), do: {:noreply, state}

  def handle_info(:tell, state) do
    changed = for {id, entity} <- state.world, state.told[id] != entity, into: %{}, do: {id, entity}
    gone = Map.keys(state.told) -- Map.keys(state.world)
    :ok = Phoenix.PubSub.broadcast(state.pubsub, state.diffs, {"diff", %{"changed" => changed, "gone" => gone}})
    {:noreply, %{state | told: state.world}}
  end

  def handle_info(event, state), do: {:noreply, %{state | world: apply_event(event, state.world)}}
end
