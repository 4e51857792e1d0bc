defmodule Roomfold.Projector do
  @moduledoc """
  Folds a stream into a world of its own and publishes at intervals what changed: for an application that already broadcasts events,
  and for any number of other views of a room.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: MatchStream)
      iex> stream = {Roomfold.EventStream.Local, MatchStream}
      iex> {:ok, projector} = Roomfold.Projector.start_link(stream: stream, topic: "stream:1", publish: "diffs:1", every_ms: 10)
      iex> Roomfold.EventStream.subscribe(stream, "diffs:1")
      iex> Roomfold.EventStream.broadcast(stream, "stream:1", [{"user_joined", %{"user_id" => "tom", "position" => [0, 1, 2]}}])
      iex> receive do {"diff", diff} -> diff["creates"] end
      %{"tom" => %{"position" => [0.0, 1.0, 2.0]}}
      iex> Roomfold.Projector.get(projector, "tom")
      %{"position" => [0.0, 1.0, 2.0]}

  Events with a `seq` keep it (one that is delivered twice is folded once); events without one are numbered as they arrive.

  A projector knows what it hears. One that starts later than the room begins with the room's world:

      iex> Roomfold.Room.publish("plaza", {"user_joined", %{"user_id" => "tom"}})
      iex> world = fn -> {:ok, {:ok, copy}} = Roomfold.Room.read("plaza", &Roomfold.World.copy/1); copy end
      iex> {:ok, projector} = Roomfold.Projector.start_link(stream: Roomfold.Rooms.stream(), topic: "stream:plaza", world: world)
      iex> {:ok, 2} = Roomfold.Room.publish("plaza", {"user_joined", %{"user_id" => "ann"}})
      iex> Roomfold.Projector.snapshot(projector)
      %{"ann" => %{}, "tom" => %{}}

  What a stream loses (another node could not be reached, or the room crashed between its commit and the broadcast) is missing here, too: the
  report counts it in `gaps`. A room without a log that starts anew numbers from 1 again, and what it says then is `stale`. In both cases
  start another projector.
  """
  use GenServer

  alias Roomfold.{Called, EventStream, OptionList, Report, Timer, World}
  alias Roomfold.Room.{Options, Read}

  @own [:stream, :topic, :publish, :every_ms, :format, :world, :name]

  @doc false
  def child_spec(opts), do: %{super(opts) | id: {__MODULE__, opts[:name] || {opts[:stream], opts[:topic]}}}

  @doc """
  Starts a projector.

  ## Options

    * `:stream`, `:topic` - the events to fold
    * `:publish` - the topic for the diffs, another one than `:topic` (none: nothing is published)
    * `:every_ms` - milliseconds between diffs (50)
    * `:format` - `:term` (default): messages `{"diff", diff}`, or
      `{"snapshot", %{"seq" => seq, "entities" => map}}` if more has changed than the world remembers; `:json` or
      `:packed`: `{"diff" | "snapshot", bytes}`
    * `:world` - the world to start from, of which it becomes the owner: of another's, such as a room's, a copy
      (`Roomfold.World.copy/1`); or a function that makes it, called when the projector has subscribed, so that it misses nothing, and again when a
      supervisor restarts it (a world that was given can be started from only once). By default `Roomfold.World.new/1` with the other options
    * `:name` - of the process

  ## Examples

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: StartStream)
      iex> {:ok, projector} = Roomfold.Projector.start_link(stream: {Roomfold.EventStream.Local, StartStream}, topic: "stream:1", impl: :elixir)
      iex> Roomfold.Projector.snapshot(projector)
      %{}
  """
  @spec start_link(keyword) :: GenServer.on_start()
  def start_link(opts) do
    check!(opts)
    GenServer.start_link(__MODULE__, opts, Keyword.take(opts, [:name]))
  end

  defp check!(opts) do
    opts |> OptionList.once!("a projector") |> check_names!()
    must! = &Options.must!(&1, opts[&1], &2, &3)
    must!.(:stream, &Options.carrier?/1, "{module, name} of a stream that runs")
    must!.(:topic, &is_binary/1, "a topic, a string")
    must!.(:publish, &(&1 == nil or is_binary(&1)), "a topic, a string, or nil")
    must!.(:publish, &(&1 != opts[:topic]), "another topic than :topic")
    world? = &(&1 == nil or is_struct(&1, World) or is_function(&1, 0))
    must!.(:world, world?, "a Roomfold.World, or a function that makes one")
    check_world!(opts[:world])
    every_ms = Keyword.get(opts, :every_ms, 50)

    every_ms? = &(is_integer(&1) and &1 in 0..Timer.longest())
    Options.must!(:every_ms, every_ms, every_ms?, "0 to 4,294,967,295 milliseconds, a whole number")

    format = Keyword.get(opts, :format, :term)
    Options.must!(:format, format, &(&1 in [:term, :json, :packed]), ":term, :json or :packed")
  end

  defp check_names!(opts) do
    others = Keyword.keys(opts) -- @own

    if opts[:world] != nil and others != [],
      do: raise(ArgumentError, "#{inspect(others)} beside :world: a world has its options already")

    Keyword.validate!(opts, @own ++ World.options())
  end

  defp check_world!(world) do
    own = "a world of its own (Roomfold.World.copy/1 makes one of a world that is read only)"
    Options.must!(:world, world, &(not match?(%World{read_only?: true}, &1)), own)
  end

  @doc """
  An entity's components, or `nil`.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: EntityStream)
      iex> {:ok, projector} = Roomfold.Projector.start_link(stream: {Roomfold.EventStream.Local, EntityStream}, topic: "stream:1")
      iex> Roomfold.Projector.get(projector, "tom")
      nil
  """
  @spec get(GenServer.server(), String.t()) :: map | nil
  def get(projector, id) when is_binary(id), do: read(projector, &World.get(&1, id))

  @doc """
  All entities (`Roomfold.World.snapshot/2`).

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: SnapshotStream)
      iex> {:ok, projector} = Roomfold.Projector.start_link(stream: {Roomfold.EventStream.Local, SnapshotStream}, topic: "stream:1")
      iex> Roomfold.Projector.snapshot(projector, by: :kind)
      %{}
  """
  @spec snapshot(GenServer.server(), keyword) :: map
  def snapshot(projector, opts \\ []), do: read(projector, &World.snapshot(&1, opts))

  @doc """
  Runs a function on the world, in the projector's process. It can't fold that world; what it raises is raised in the caller.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: ReadStream)
      iex> {:ok, projector} = Roomfold.Projector.start_link(stream: {Roomfold.EventStream.Local, ReadStream}, topic: "stream:1")
      iex> Roomfold.Projector.read(projector, &Roomfold.World.seq/1)
      0
  """
  @spec read(GenServer.server(), (World.t() -> value)) :: value when value: term
  def read(projector, function) when is_function(function, 1) do
    {:ok, value} = Read.answered(call(projector, {:read, function}))
    value
  end

  @doc """
  The report of everything folded so far.

      iex> {:ok, _} = Roomfold.EventStream.Local.start_link(name: ReportStream)
      iex> {:ok, projector} = Roomfold.Projector.start_link(stream: {Roomfold.EventStream.Local, ReportStream}, topic: "stream:1")
      iex> Roomfold.Projector.report(projector).folded
      0
  """
  @spec report(GenServer.server()) :: Report.t()
  def report(projector), do: call(projector, :report)

  @what "a projector is called by its process, as start_link/1 returns it, or its :name"

  defp call(projector, request),
    do: projector |> Called.process!(@what) |> GenServer.call(request, Timer.call_ms())

  # ---- the process ----

  @impl true
  def init(opts) do
    {own, world_opts} = Keyword.split(opts, @own)
    stream = Keyword.fetch!(own, :stream)
    :ok = EventStream.subscribe(stream, Keyword.fetch!(own, :topic))
    world = world(own[:world], world_opts)

    {:ok,
     %{
       stream: stream,
       publish: own[:publish],
       every_ms: Keyword.get(own, :every_ms, 50),
       format: Keyword.get(own, :format, :term),
       world: world,
       told: World.seq(world),
       report: %Report{},
       index: 0,
       timer: nil
     }}
  end

  defp world(nil, opts), do: World.new!(opts)
  defp world(%World{} = world, _), do: world

  defp world(make, _) do
    world = make.()
    Options.must!(:world, world, &is_struct(&1, World), "a function that makes a Roomfold.World")
    check_world!(world)
    world
  end

  @impl true
  def handle_call({:read, function}, _, state) do
    state = fold_waiting(state, [])
    {:reply, Read.run(function, state.world), state}
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

  # All waiting events are one batch.
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
    later(%{state | world: world, report: report, index: state.index + length(events)})
  end

  defp later(%{publish: nil} = state), do: state

  defp later(state),
    do: %{state | timer: state.timer || Process.send_after(self(), :tell, state.every_ms)}

  defp tell(state) do
    seq = World.seq(state.world)

    # What the stream has refused is in the next diff.
    if seq == state.told or EventStream.broadcast(state.stream, state.publish, [message(state)]) == :ok,
      do: %{state | told: seq},
      else: later(state)
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
