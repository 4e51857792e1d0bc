defmodule Roomfold.ProjectorTest do
  use ExUnit.Case, async: true

  alias Roomfold.{EventStream, Projector, Room, World}

  setup do
    name = :"stream_#{System.unique_integer([:positive])}"
    module = Enum.random([EventStream.Local, EventStream.Group])
    start_supervised!({module, name: name})
    {:ok, stream: {module, name}}
  end

  defp joined(user, more \\ %{}), do: {"user_joined", Map.put(more, "user_id", user)}

  defp collect(world, seq) do
    if World.seq(world) == seq do
      world
    else
      assert_receive {"diff", diff}

      {:ok, world, _} =
        if is_binary(diff), do: World.apply_diff(world, {:json, diff}), else: World.apply_diff(world, diff)

      collect(world, seq)
    end
  end

  for module <- [EventStream.Local, EventStream.Group] do
    test "streams carry messages in order to whoever subscribed: #{inspect(module)}" do
      module = unquote(module)
      start_supervised!({module, name: :"carrier_#{inspect(module)}"})
      stream = {module, :"carrier_#{inspect(module)}"}
      refute EventStream.subscribers?(stream, "t")
      assert EventStream.subscribe(stream, "t") == :ok
      assert EventStream.subscribe(stream, "t") == :ok
      assert EventStream.subscribers?(stream, "t")
      assert EventStream.broadcast(stream, "t", Enum.to_list(1..100)) == :ok
      assert EventStream.broadcast(stream, "other", [:no]) == :ok
      for n <- 1..100, do: assert_received(^n)
      refute_received _

      # For who is one itself and does not count, as a room is.
      {_, name} = stream
      refute module.others?(name, self(), "t")
      assert module.broadcast_from(name, self(), "t", [:mine]) == :ok
      task = Task.async(fn -> {EventStream.subscribe(stream, "t"), receive(do: (message -> message))} end)
      until(fn -> module.others?(name, self(), "t") end)
      assert module.broadcast_from(name, self(), "t", [:theirs]) == :ok
      assert Task.await(task, 60_000) == {:ok, :theirs}
      refute_received _

      assert EventStream.unsubscribe(stream, "t") == :ok
      EventStream.broadcast(stream, "t", [:no])
      refute_received _
    end
  end

  defp until(is_so?), do: is_so?.() || (Process.sleep(1) && until(is_so?))

  test "tells what changed, as terms and as text, so that others are where it is", %{stream: stream} do
    for format <- [:term, :json] do
      topic = "diffs:#{format}"
      EventStream.subscribe(stream, topic)

      projector =
        start_supervised!(
          {Projector, stream: stream, topic: "s", publish: topic, every_ms: 3, format: format},
          id: format
        )

      for n <- 1..50 do
        EventStream.broadcast(stream, "s", [joined("u#{n}", %{"position" => [n, 0, 0]})])
        if rem(n, 10) == 0, do: Process.sleep(5)
      end

      world = collect(World.new!(), 50)
      assert World.snapshot(world) == Projector.snapshot(projector)
      assert Projector.get(projector, "u7") == %{"position" => [7.0, 0.0, 0.0]}
      EventStream.unsubscribe(stream, topic)
      stop_supervised!(format)
    end
  end

  test "what comes twice is folded once; what can't be used is reported", %{stream: stream} do
    projector = start_supervised!({Projector, stream: stream, topic: "s"})
    events = [joined("a", %{"seq" => 1}), joined("b", %{"seq" => 2})]
    EventStream.broadcast(stream, "s", events ++ events ++ [{"unheard_of", %{"seq" => 3}}, :no_event])
    report = Projector.report(projector)
    assert {report.folded, report.stale, report.rejected_count} == {2, 2, 1}
    assert [{4, %{reason: :unknown_event}}] = report.rejected
  end

  test "where nothing has changed nothing is told", %{stream: stream} do
    EventStream.subscribe(stream, "diffs")
    start_supervised!({Projector, stream: stream, topic: "s", publish: "diffs", every_ms: 1})
    EventStream.broadcast(stream, "s", [joined("a", %{"seq" => 1})])
    assert_receive {"diff", %{"seq" => 1}}
    EventStream.broadcast(stream, "s", [joined("a", %{"seq" => 1})])
    refute_receive {"diff", _}, 50
  end

  test "the first diff begins where the world is that it was given", %{stream: stream} do
    EventStream.subscribe(stream, "diffs")
    world = World.fold!(World.new!(), [joined("a"), joined("b")])
    start_supervised!({Projector, stream: stream, topic: "s", publish: "diffs", every_ms: 1, world: world})
    EventStream.broadcast(stream, "s", [joined("c")])
    assert_receive {"diff", %{"from" => 2, "seq" => 3, "creates" => creates}}
    assert Map.keys(creates) == ["c"]
  end

  test "however much waits, it is folded in its order, and reported by its place in all of it", %{
    stream: stream
  } do
    projector = start_supervised!({Projector, stream: stream, topic: "s"})
    :sys.suspend(projector)
    moves = for n <- 2..10_000, do: {"user_moved", %{"user_id" => "a", "position" => [n, 0, 0]}}
    EventStream.broadcast(stream, "s", [joined("a") | moves])
    :sys.resume(projector)
    assert Projector.get(projector, "a") == %{"position" => [10_000.0, 0.0, 0.0]}

    for _ <- 1..2 do
      EventStream.broadcast(stream, "s", [{"unheard_of", %{}}])
      Projector.report(projector)
    end

    assert [{10_000, _}, {10_001, _}] = Projector.report(projector).rejected
  end

  # A stream that refuses what it is told at first.
  defmodule Refuses do
    @behaviour EventStream
    @impl true
    def subscribe(_, _), do: :ok
    @impl true
    def unsubscribe(_, _), do: :ok
    @impl true
    def subscribers?(_, _), do: true
    @impl true
    def broadcast({to, refused}, _, messages) do
      if :counters.get(refused, 1) < 3 do
        :counters.add(refused, 1, 1)
        {:error, :nobody_here}
      else
        for message <- messages, do: send(to, message)
        :ok
      end
    end
  end

  test "what the stream has refused is told later" do
    stream = {Refuses, {self(), :counters.new(1, [])}}
    projector = start_supervised!({Projector, stream: stream, topic: "s", publish: "diffs", every_ms: 5})
    send(projector, joined("a"))
    assert_receive {"diff", %{"from" => 0, "seq" => 1, "creates" => %{"a" => %{}}}}
  end

  test "more than the world remembers is told as a snapshot", %{stream: stream} do
    EventStream.subscribe(stream, "diffs")
    opts = [stream: stream, topic: "s", publish: "diffs", every_ms: 1, history: 2]
    projector = start_supervised!({Projector, opts})
    # All of it is there before it looks.
    :sys.suspend(projector)
    EventStream.broadcast(stream, "s", for(n <- 1..10, do: joined("u#{n}")))
    :sys.resume(projector)
    assert_receive {"snapshot", %{"seq" => 10, "entities" => entities}}
    assert map_size(entities) == 10
  end

  test "one that comes later than the room begins with its world, and misses nothing", %{stream: stream} do
    room =
      start_supervised!({Room, id: "1", rooms: nil, stream: stream, tick_ms: 1, rules: Roomfold.Rules.xr()})

    writer = Task.async(fn -> for n <- 1..300, do: {:ok, ^n} = Room.publish(room, joined("u#{n}")) end)
    copy = fn -> elem(elem(Room.read(room, &World.copy/1), 1), 1) end
    Process.sleep(20)

    projectors =
      for n <- 1..20 do
        Process.sleep(5)
        opts = [stream: stream, topic: "stream:1", world: copy]
        start_supervised!({Projector, opts}, id: {:projector, n})
      end

    Task.await(writer, 60_000)
    all = Room.snapshot(room)

    for projector <- projectors do
      assert Projector.snapshot(projector) == all
      assert Projector.report(projector).gaps == 0
    end

    Process.flag(:trap_exit, true)

    for make <- [fn -> nil end, fn -> elem(Room.read(room, & &1), 1) end] do
      assert {:error, {%ArgumentError{message: message}, _}} =
               Projector.start_link(stream: stream, topic: "stream:1", world: make)

      assert message =~ ":world must be a"
    end
  end

  test "a world that is another's is refused; a copy of it is folded on", %{stream: stream} do
    theirs = start_supervised!({Projector, stream: stream, topic: "theirs"}, id: :theirs)
    EventStream.broadcast(stream, "theirs", [joined("a")])
    world = Projector.read(theirs, & &1)
    opts = [stream: stream, topic: "s"]
    error = assert_raise ArgumentError, fn -> Projector.start_link([world: world] ++ opts) end
    assert error.message =~ "Roomfold.World.copy/1"

    {:ok, copy} = World.copy(world)
    projector = start_supervised!({Projector, [world: copy] ++ opts})
    EventStream.broadcast(stream, "s", [joined("b")])
    assert Projector.snapshot(projector) == %{"a" => %{}, "b" => %{}}
  end

  test "bad options", %{stream: stream} do
    for {opts, message} <- [
          {[publish: "s"], ":publish must be another topic"},
          {[publish: :s], ":publish must be"},
          {[format: :xml], ":format must be"},
          {[every_ms: "x"], ":every_ms must be"},
          {[every_ms: -1], ":every_ms must be"},
          {[every_ms: 2 ** 32], ":every_ms must be 0 to 4,294,967,295 milliseconds"},
          {[stream: :x], ":stream must be"},
          {[stream: {NoSuchModule, :x}], ":stream must be"},
          {[stream: {EventStream.Local, [name: :x]}], ":stream must be"},
          {[stream: nil], ":stream must be"},
          {[topic: nil], ":topic must be"},
          {[world: %{}], ":world must be"},
          {[publsh: "d"], "unknown keys [:publsh]"},
          # Neither would be read.
          {[world: World.new!(), impl: :elixir], "[:impl] beside :world"},
          {[world: World.new!(), every: 5], "[:every] beside :world"},
          {[every_ms: 5, every_ms: 10], "given more than once: [:every_ms]"}
        ] do
      opts = Keyword.drop([stream: stream, topic: "s"], Keyword.keys(opts)) ++ opts
      assert assert_raise(ArgumentError, fn -> Projector.start_link(opts) end).message =~ message
    end
  end

  test "what is no projector" do
    for none <- ["p", nil, {Roomfold.Rooms, "1"}],
        ask <- [&Projector.get(&1, "tom"), &Projector.snapshot/1, &Projector.report/1] do
      error = assert_raise ArgumentError, fn -> ask.(none) end

      assert error.message =~
               "a projector is called by its process, as start_link/1 returns it, or its :name, got "
    end
  end
end
