defmodule Roomfold.Projector do
  @moduledoc """
  Folds a stream into a world of its own and tells every so often what changed: the drop-in for an application that broadcasts events
  already, and for any number of other views of a room.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: MyStream)
      iex> stream = {Roomfold.EventStream.Local, MyStream}
      iex> {:ok, projector} = Roomfold.Projector.start_link(stream: stream, topic: "stream:1", publish: "diffs:1", every_ms: 10)
      iex> Roomfold.EventStream.subscribe(stream, "diffs:1")
      iex> Roomfold.EventStream.broadcast(stream, "stream:1", [{"user_joined", %{"user_id" => "tom", "position" => [0, 1, 2]}}])
      iex> receive do {"diff", diff} -> diff["creates"] end
      %{"tom" => %{"position" => [0.0, 1.0, 2.0]}}
      iex> Roomfold.Projector.get(projector, "tom")
      %{"position" => [0.0, 1.0, 2.0]}

  Events with a `seq` keep it (what was delivered twice is folded once); without a room, the projector numbers what arrives.
  """
  use GenServer

  alias Roomfold.{EventStream, Report, World}

  @own [:stream, :topic, :publish, :every_ms, :format, :world, :name]

  @doc """
  Starts one.

  ## Options

    * `:stream`, `:topic` - what it folds
    * `:publish` - the topic that gets the diffs, another one (none: nothing is published)
    * `:every_ms` - how often (50)
    * `:format` - `:term` (default): messages `{"diff", diff}`, and `{"snapshot", %{"seq" => seq, "entities" => map}}` when more happened than the world remembers; `:json` or
      `:packed`: `{"diff" | "snapshot", bytes}`
    * `:world` - to start from (`Roomfold.World.new/1` with the other options)
    * `:name` - of the process

  ## Examples

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: MyStream)
      iex> {:ok, projector} = Roomfold.Projector.start_link(stream: {Roomfold.EventStream.Local, MyStream}, topic: "stream:1", impl: :elixir)
      iex> Roomfold.Projector.snapshot(projector)
      %{}
  """
  @spec start_link(keyword) :: GenServer.on_start()
  def start_link(opts), do: GenServer.start_link(__MODULE__, opts, Keyword.take(opts, [:name]))

  @doc """
  An entity's components, or `nil`.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: MyStream)
      iex> {:ok, projector} = Roomfold.Projector.start_link(stream: {Roomfold.EventStream.Local, MyStream}, topic: "stream:1")
      iex> Roomfold.Projector.get(projector, "tom")
      nil
  """
  @spec get(GenServer.server(), String.t()) :: map | nil
  def get(projector, id), do: read(projector, &World.get(&1, id))

  @doc """
  Everything there is (`Roomfold.World.snapshot/2`).

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: MyStream)
      iex> {:ok, projector} = Roomfold.Projector.start_link(stream: {Roomfold.EventStream.Local, MyStream}, topic: "stream:1")
      iex> Roomfold.Projector.snapshot(projector, by: :kind)
      %{}
  """
  @spec snapshot(GenServer.server(), keyword) :: map
  def snapshot(projector, opts \\ []), do: read(projector, &World.snapshot(&1, opts))

  @doc """
  Runs a function on the world, in the projector.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: MyStream)
      iex> {:ok, projector} = Roomfold.Projector.start_link(stream: {Roomfold.EventStream.Local, MyStream}, topic: "stream:1")
      iex> Roomfold.Projector.read(projector, &Roomfold.World.seq/1)
      0
  """
  @spec read(GenServer.server(), (World.t() -> value)) :: value when value: term
  def read(projector, function), do: GenServer.call(projector, {:read, function})

  @doc """
  The report of all it folded.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: MyStream)
      iex> {:ok, projector} = Roomfold.Projector.start_link(stream: {Roomfold.EventStream.Local, MyStream}, topic: "stream:1")
      iex> Roomfold.Projector.report(projector).folded
      0
  """
  @spec report(GenServer.server()) :: Report.t()
  def report(projector), do: GenServer.call(projector, :report)

  # ---- the process ----

  @impl true
  def init(opts) do
    {own, world_opts} = Keyword.split(opts, @own)
    format = Keyword.get(own, :format, :term)

    unless format in [:term, :json, :packed],
      do: raise(ArgumentError, ":format must be :term, :json or :packed, got: #{inspect(format)}")

    if own[:publish] == own[:topic], do: raise(ArgumentError, ":publish must be another topic than :topic")
    stream = Keyword.fetch!(own, :stream)
    world = own[:world] || World.new!(world_opts)
    :ok = EventStream.subscribe(stream, Keyword.fetch!(own, :topic))

    {:ok,
     %{
       stream: stream,
       publish: own[:publish],
       every_ms: Keyword.get(own, :every_ms, 50),
       format: format,
       world: world,
       told: World.seq(world),
       report: %Report{},
       index: 0,
       timer: nil
     }}
  end

  @impl true
  def handle_call({:read, function}, _, state) do
    state = fold_waiting(state, [])
    {:reply, function.(state.world), state}
  end

  def handle_call(:report, _, state) do
    state = fold_waiting(state, [])
    {:reply, state.report, state}
  end

  @impl true
  def handle_info(:tell, state), do: {:noreply, tell(fold_waiting(%{state | timer: nil}, []))}

  def handle_info({name, payload} = event, state) when is_binary(name) and is_map(payload),
    do: {:noreply, fold_waiting(state, [event])}

  def handle_info(_, state), do: {:noreply, state}

  # Everything that waits is one batch.
  @batch 10_000
  defp fold_waiting(state, events), do: fold(state, waiting(events, length(events)))

  defp waiting(events, count) when count < @batch do
    receive do
      {name, payload} = event when is_binary(name) and is_map(payload) -> waiting([event | events], count + 1)
    after
      0 -> Enum.reverse(events)
    end
  end

  defp waiting(events, _), do: Enum.reverse(events)

  defp fold(state, []), do: state

  defp fold(state, events) do
    {:ok, world, report} = World.fold(state.world, events)
    report = Report.merge(state.report, report, offset: state.index)
    timer = state.timer || (state.publish && Process.send_after(self(), :tell, state.every_ms))
    %{state | world: world, report: report, index: state.index + length(events), timer: timer}
  end

  defp tell(%{publish: nil} = state), do: state

  defp tell(state) do
    seq = World.seq(state.world)
    if seq > state.told, do: EventStream.broadcast(state.stream, state.publish, [message(state)])
    %{state | told: seq}
  end

  defp message(%{format: :term} = state) do
    case World.diff(state.world, state.told) do
      {:ok, diff} ->
        {"diff", diff}

      {:error, %{reason: :history_gone}} ->
        {"snapshot", %{"seq" => World.seq(state.world), "entities" => World.snapshot(state.world)}}
    end
  end

  defp message(%{format: format} = state) do
    case World.encode(state.world, {:diff, state.told}, format) do
      {:ok, bytes} -> {"diff", bytes}
      {:error, %{reason: :history_gone}} -> {"snapshot", World.encode!(state.world, :snapshot, format)}
    end
  end
end
