defmodule Roomfold.PlacementTest do
  use ExUnit.Case, async: true

  import Roomfold.Eventually
  alias Roomfold.{Cluster, Room, Rooms}
  alias Roomfold.Cluster.Members
  alias Roomfold.Placement.{Global, Rendezvous}

  defmodule Slow do
    # As Local, but the place takes a while to start.
    @behaviour Roomfold.Placement
    alias Roomfold.Placement.Local

    @impl true
    def children(_, [test: test], _) do
      start = fn ->
        send(test, {:starts, self()})
        receive(do: (:go_on -> :ignore), after: (30_000 -> :ignore))
      end

      [%{id: __MODULE__, start: {:erlang, :apply, [start, []]}}]
    end

    @impl true
    defdelegate name(rooms, id, opts), to: Local
    @impl true
    defdelegate whereis(rooms, id, opts), to: Local
    @impl true
    defdelegate node_for(rooms, id, opts), to: Local
  end

  test "a room that is placed here while the place still starts is started when it has" do
    rooms = :"rooms_#{System.unique_integer([:positive])}"

    others =
      Task.async(fn ->
        child = receive(do: ({:starts, child} -> child))
        asks = Task.async(fn -> Rooms.start_here(rooms, "1", []) end)
        publishes = Task.async(fn -> Room.publish({rooms, "1"}, {"user_joined", %{"user_id" => "tom"}}) end)
        early = Task.yield(asks, 50)
        send(child, :go_on)
        {early, Task.await(asks, 30_000), Task.await(publishes, 30_000)}
      end)

    start_supervised!({Rooms, name: rooms, log: nil, placement: {Slow, test: others.pid}})
    assert {nil, {:ok, pid}, {:ok, 1}} = Task.await(others, 60_000)
    assert Room.whereis({rooms, "1"}) == pid
  end

  defmodule Late do
    # As Local, but that a process has ended is known a while later, as on nodes that tell one another.
    @behaviour Roomfold.Placement
    alias Roomfold.Placement.Local

    @impl true
    def children(_, _, _), do: []
    @impl true
    defdelegate name(rooms, id, opts), to: Local
    @impl true
    defdelegate node_for(rooms, id, opts), to: Local

    @impl true
    def whereis(rooms, id, ended: pid, asked: asked) do
      :counters.add(asked, 1, 1)
      if :counters.get(asked, 1) <= 7, do: pid, else: Local.whereis(rooms, id, [])
    end
  end

  test "a name that still belongs to a process that has ended is waited for" do
    rooms = :"rooms_#{System.unique_integer([:positive])}"
    {ended, monitor} = spawn_monitor(fn -> :ok end)
    assert_receive {:DOWN, ^monitor, _, _, _}
    asked = :counters.new(1, [])
    start_supervised!({Rooms, name: rooms, log: nil, placement: {Late, ended: ended, asked: asked}})
    from = System.monotonic_time(:millisecond)
    assert {:ok, 1} = Room.publish({rooms, "1"}, {"user_joined", %{"user_id" => "tom"}})
    # Seven times, each wait twice as long as the one before: 5 + 10 + 20 … milliseconds.
    assert System.monotonic_time(:millisecond) - from >= 500

    # A name that stays with it is no room.
    :counters.put(asked, 1, -1_000)
    assert {:error, %{reason: :no_room}} = Room.publish({rooms, "2"}, {"user_joined", %{"user_id" => "tom"}})
  end

  test "a room that starts beside a process of it that is about to end is one of its node's rooms when that has ended" do
    rooms = :"rooms_#{System.unique_integer([:positive])}"
    start_supervised!({Rooms, name: rooms, placement: {Global, []}})
    {:ok, old} = Room.ensure_started({rooms, "1"})
    # As after a split: nobody finds it, but it runs.
    :global.unregister_name({Global, rooms, "1"})
    {:ok, new} = Room.ensure_started({rooms, "1"})
    assert new != old and Process.alive?(old)
    assert Rooms.processes(rooms) == [{"1", old}]
    # Its term is old, so it stops as soon as it has anything to say.
    {:error, %{reason: :old_term}} = Room.publish(old, {"user_joined", %{"user_id" => "tom"}})
    eventually(fn -> Rooms.processes(rooms) == [{"1", new}] end)
    assert Rooms.drain(rooms) == {:ok, 1}
    refute Process.alive?(new)
  end

  test "wrong options of a placement are named: a room without the home that it was given would have two histories" do
    name = :"rooms_#{System.unique_integer([:positive])}"

    for {placement, said} <- [
          {{Global, node: [node()]}, ~r/unknown keys \[:node\]/},
          {{Global, nodes: []}, ~r/:nodes must be a list of nodes/},
          {{Global, nodes: node()}, ~r/:nodes must be a list of nodes/},
          {{Roomfold.Placement.Local, nodes: [node()]}, ~r/unknown keys \[:nodes\]/}
        ] do
      assert {:error, {{%ArgumentError{message: message}, _}, _}} =
               start_supervised({Rooms, name: name, log: nil, placement: placement})

      assert message =~ said
    end
  end

  describe "consistent hashing" do
    @nodes [:a@h, :b@h, :c@h, :d@h]

    test "gives every node its share" do
      counts = Enum.frequencies_by(1..4_000, &Rendezvous.node_for(@nodes, "room #{&1}"))
      assert Enum.sort(Map.keys(counts)) == @nodes
      assert Enum.all?(Map.values(counts), &(&1 in 850..1_150))
    end

    test "moves only the rooms of the node that goes" do
      for id <- 1..500, id = "room #{id}" do
        was = Rendezvous.node_for(@nodes, id)
        now = Rendezvous.node_for(@nodes -- [:c@h], id)
        assert if(was == :c@h, do: now != :c@h, else: now == was)
      end
    end

    test "does not depend on the order of nodes, and knows that there may be none" do
      assert Rendezvous.node_for(@nodes, "x") == Rendezvous.node_for(Enum.reverse(@nodes), "x")
      assert Rendezvous.node_for([], "x") == nil
    end
  end

  describe "members" do
    @facts %{"rules" => 1}
    defp up(node, facts \\ @facts), do: node |> Members.new(facts) |> Members.joined()
    defp hello(node, facts, opts \\ []), do: Map.merge(Members.hello(up(node, facts)), Map.new(opts))

    test "those that agree share the rooms" do
      members = :a@h |> up() |> Members.heard(hello(:b@h, @facts))
      assert Members.placeable(members) == [:a@h, :b@h]
      assert Members.placeable(Members.gone(members, :b@h)) == [:a@h]
    end

    test "who comes new and differs is refused, with the reason, until the others are gone" do
      members = :a@h |> Members.new(@facts) |> Members.heard(hello(:b@h, %{"rules" => 2}))
      assert members.status == :refused
      assert members.reason == "b@h and this node differ: rules 2 there, 1 here"
      assert Members.placeable(members) == []
      members = Members.joined(members)
      assert members.status == :refused
      assert Members.gone(members, :b@h).status == :up
    end

    test "those who are there go on without whoever differs" do
      newcomer = %{Members.hello(Members.new(:b@h, %{"rules" => 2})) | status: :joining}
      members = :z@h |> up() |> Members.heard(newcomer)
      assert {members.status, Members.placeable(members)} == {:up, [:z@h]}
      assert [{:b@h, "rules 2 there, 1 here"}] = Members.refused(members)
    end

    test "of two clusters that meet and differ the larger stays, of equals the first by name; both sides see it alike" do
      a = up(:a@h)
      b = up(:b@h, %{"rules" => 2})
      assert Members.heard(a, Members.hello(b)).status == :up
      assert Members.heard(b, Members.hello(a)).status == :refused

      b = Members.heard(b, hello(:c@h, %{"rules" => 2}))
      assert Members.heard(a, Members.hello(b)).status == :refused
      assert Members.heard(b, Members.hello(a)).status == :up
    end

    test "a node that drains gets no rooms, unless all do" do
      members = :a@h |> up() |> Members.heard(hello(:b@h, @facts, status: :draining))
      assert Members.placeable(members) == [:a@h]
      assert Members.placeable(Members.drain(members)) == [:a@h, :b@h]
    end

    test "what a node says of itself it need not hear" do
      members = up(:a@h)
      assert Members.heard(members, Members.hello(members)) == members
    end
  end

  describe "Roomfold.Placement.Global on a single node" do
    setup do
      name = :"rooms_#{System.unique_integer([:positive])}"
      start_supervised!({Rooms, name: name, placement: {Global, []}})
      {:ok, rooms: name}
    end

    test "rooms as ever", %{rooms: rooms} do
      room = {rooms, "1"}
      assert Room.whereis(room) == nil
      assert {:ok, 1} = Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
      assert is_pid(Room.whereis(room))
      assert Rooms.running(rooms) == ["1"]
      assert %{status: :up, nodes: [node], refused: []} = Cluster.info(rooms)
      assert node == node()
    end

    test "a drain stops them in good order; asked for again they are back", %{rooms: rooms} do
      for id <- 1..3, do: {:ok, 1} = Room.publish({rooms, "#{id}"}, {"user_joined", %{"user_id" => "tom"}})
      assert Rooms.drain(rooms) == {:ok, 3}
      assert Rooms.running(rooms) == []
      assert Cluster.info(rooms).status == :draining
      # There is no other node, so it is still here that they run.
      assert {:ok, 2} = Room.publish({rooms, "1"}, {"user_joined", %{"user_id" => "ann"}})
    end

    test "of two processes with one name, the one with the newest term keeps it", %{rooms: rooms} do
      {:ok, old} = Room.ensure_started({rooms, "1"})
      # As on the other side of a split: the registry there does not know of the first.
      :yes = :global.re_register_name({Global, rooms, "1"}, self())
      :global.unregister_name({Global, rooms, "1"})
      {:ok, new} = Room.ensure_started({rooms, "1"})
      assert Room.info(new).term > Room.info(old).term

      monitor = Process.monitor(old)
      :global.unregister_name({Global, rooms, "1"})
      assert Global.conflict(:name, old, new) == :none
      assert_receive {:DOWN, ^monitor, _, _, {:shutdown, :old_term}}
      assert Room.info(new).seq == 0
      assert Room.whereis({rooms, "1"}) == new
    end
  end

  test "a room at home on a node that is away is unavailable, not started elsewhere" do
    name = :"rooms_#{System.unique_integer([:positive])}"
    start_supervised!({Rooms, name: name, placement: {Global, nodes: [:away@nowhere]}})
    assert {:error, error} = Room.publish({name, "1"}, {"user_joined", %{"user_id" => "tom"}})

    assert {error.reason, error.message} ==
             {:node_away, "the node that has the room can't be reached: the room is at home on away@nowhere"}
  end

  defmodule Own do
    @moduledoc false
    # What an application that has a registry already would write.
    @behaviour Roomfold.Placement

    @impl true
    def children(rooms, _, _), do: [{Registry, keys: :unique, name: registry(rooms)}]
    @impl true
    def name(rooms, id, _), do: {:via, Registry, {registry(rooms), id}}
    @impl true
    def node_for(_, _, _), do: {:ok, node()}

    @impl true
    def whereis(rooms, id, _) do
      with :undefined <- Registry.whereis_name({registry(rooms), id}), do: nil
    end

    defp registry(rooms), do: Module.concat(rooms, Own)
  end

  test "a place that does not run, or not any more, is an error, not a crash" do
    name = :"rooms_#{System.unique_integer([:positive])}"
    assert {:error, %{reason: :no_room}} = Room.publish({name, "1"}, {"user_joined", %{"user_id" => "tom"}})
    start_supervised!({Rooms, name: name, placement: {Global, []}}, id: name)
    assert {:ok, 1} = Room.publish({name, "1"}, {"user_joined", %{"user_id" => "tom"}})
    stop_supervised!(name)
    assert {:error, error} = Room.join({name, "1"}, "tom")
    assert error.message =~ "does not run on this node"
  end

  test "so it is for streams and the past; who asks for a process, or ends one, is told by the same error" do
    room = {:rooms_nowhere, "1"}

    for {call, answers?} <- [
          {&Room.state_at(&1, 0), true},
          {&Room.diff(&1, 0, 1), true},
          {&Room.fork(&1, 0), true},
          {&Room.refold(&1, Roomfold.Rules.xr()), true},
          {&Room.hashes(&1, 1), true},
          {&Room.replay/1, true},
          {&Room.subscribe/1, true},
          {&Room.unsubscribe/1, true},
          {&Room.whereis/1, false},
          {&Room.stop/1, false}
        ] do
      error = if answers?, do: elem(call.(room), 1), else: assert_raise(Roomfold.Error, fn -> call.(room) end)
      assert {error.reason, error.message =~ ":rooms_nowhere does not run on this node"} == {:no_room, true}
    end
  end

  test "a placement of the application's own" do
    name = :"rooms_#{System.unique_integer([:positive])}"
    start_supervised!({Rooms, name: name, placement: {Own, []}})
    assert {:ok, 1} = Room.publish({name, "1"}, {"user_joined", %{"user_id" => "tom"}})
    assert Registry.count(Module.concat(name, Own)) == 1
    assert Rooms.running(name) == ["1"]
    # It says nothing of draining, so there is nothing to be told.
    assert Rooms.drain(name) == {:ok, 1}
    assert Room.whereis({name, "1"}) == nil
  end

  test "the one of the documentation compiles, and has all that a placement needs" do
    {:docs_v1, _, _, _, %{"en" => text}, _, _} = Code.fetch_docs(Roomfold.Placement)
    [code] = Regex.run(~r/^    defmodule .*?^    end$/ms, text)
    warnings = ExUnit.CaptureIO.capture_io(:stderr, fn -> send(self(), Code.compile_string(code)) end)
    assert_received [{module, _}]
    refute warnings =~ "behaviour"

    for {name, arity} <- [children: 3, name: 3, whereis: 3, node_for: 3],
        do: assert(function_exported?(module, name, arity))
  end
end
