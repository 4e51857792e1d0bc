defmodule Roomfold.RoomReadTest do
  # Whoever reads a world that is not its own does it no harm.
  use Roomfold.RoomsCase, async: true

  import Bitwise

  alias Roomfold.{EventStream, Projector, Replay}

  @line ~s({"event_name":"user_joined","user_id":"tom","at":1})

  # Each with a function that asks it whether it is well.
  defp readers do
    name = :"stream_#{System.unique_integer([:positive])}"
    start_supervised!({EventStream.Local, name: name})
    projector = start_supervised!({Projector, stream: {EventStream.Local, name}, topic: "s"})
    {:ok, replay} = Replay.start_link(events: @line, paused: true)

    [
      {start_room(), &Room.read/2, &Room.get/2, &Room.snapshot/2},
      {start_room(impl: :elixir), &Room.read/2, &Room.get/2, &Room.snapshot/2},
      {replay, &Room.read/2, &Room.get/2, &Room.snapshot/2},
      {projector, &Projector.read/2, &Projector.get/2, &Projector.snapshot/2}
    ]
  end

  test "what a reader's function raises, exits with or throws does so in the caller" do
    for {pid, read, _, _} <- readers() do
      assert_raise RuntimeError, "broken", fn -> read.(pid, fn _ -> raise "broken" end) end
      assert_raise KeyError, fn -> read.(pid, fn world -> Map.fetch!(world, :nothing) end) end
      assert catch_exit(read.(pid, fn _ -> exit(:gone) end)) == :gone
      assert catch_throw(read.(pid, fn _ -> throw(:ball) end)) == :ball
      assert_raise FunctionClauseError, fn -> read.(pid, :no_function) end
      assert Process.alive?(pid)
    end
  end

  test "questions that are none are the caller's mistake" do
    for {pid, _, get, snapshot} <- readers() do
      for id <- [nil, :tom, 7, 'tom'],
          do: assert_raise(FunctionClauseError, fn -> get.(pid, id) end)

      assert_raise ArgumentError, ~r/:by must be/, fn -> snapshot.(pid, by: :nope) end
      assert_raise ArgumentError, ~r/unknown keys \[:bi\]/, fn -> snapshot.(pid, bi: :kind) end
      assert get.(pid, "tom") == nil
    end
  end

  test "the world can't be folded by who reads it, a copy can" do
    joined = {"user_joined", %{"user_id" => "eve"}}

    for {pid, read, get, _} <- readers() do
      for fold <- [
            &World.fold(&1, [joined]),
            &World.apply_diff(&1, %{}),
            &World.apply_diff(&1, {:json, "{}"}),
            &Roomfold.Hits.mark(&1, 0)
          ] do
        answer = read.(pid, fold)
        assert {:error, %Error{reason: :not_supported, detail: detail}} = with({:ok, it} <- answer, do: it)
        assert detail =~ "World.copy/1"
      end

      copied = read.(pid, fn world -> World.fold!(elem(World.copy(world), 1), [joined]) end)
      assert World.count(with({:ok, it} <- copied, do: it)) == 1
      assert get.(pid, "eve") == nil
    end
  end

  test "what is no option of a join is named, and the room goes on" do
    {:ok, replay} = Replay.start_link(events: @line, paused: true)

    for room <- [start_room(), replay] do
      {:ok, %{term: term}} = Room.join(room, "tom")
      Room.leave(room)

      for {name, value} <- [
            format: :xml,
            format: "json",
            events: "yes",
            last_seq: -1,
            last_seq: 1.5,
            last_seq: :none,
            last_term: -1,
            last_term: "1",
            params: [a: 1],
            params: nil
          ] do
        opts = Keyword.merge([last_seq: 0, last_term: term], [{name, value}])
        assert_raise ArgumentError, ~r/#{inspect(name)} must be/, fn -> Room.join(room, "tom", opts) end
      end

      # A seq that no room will ever have is one that has to be brought up to date.
      for format <- [:json, :packed], seq <- [9_007_199_254_740_991, 1 <<< 70] do
        {:ok, joined} = Room.join(room, "tom", format: format, last_seq: seq, last_term: term)
        assert {:snapshot, _} = joined.frame
      end

      {:ok, _, [{:push, "snapshot", _}], _} =
        Session.join(Session.new(room: room, user: "tom"), %{"last_seq" => 1 <<< 70, "last_term" => term})

      assert Process.alive?(room)
    end
  end
end
