defmodule Roomfold.RoomJSONTest do
  # Rooms where C reads no JSON: all of a room uses what goes with its worlds. Each in a VM of its own, which must come to the end.
  use ExUnit.Case, async: true

  @impls %{"elixir" => [impl: :elixir], "a module" => [impl: Own]}

  @code """
  defmodule Own do
    # A projection that says nothing of JSON.
    @behaviour Roomfold.Projection
    alias Roomfold.Projection.Elixir, as: Plain

    for {name, arity} <- Plain.module_info(:exports), name not in [:module_info, :__info__, :json, :behaviour_info] do
      args = Macro.generate_arguments(arity, __MODULE__)
      def unquote(name)(unquote_splicing(args)), do: Plain.unquote(name)(unquote_splicing(args))
    end
  end

  defmodule Echo do
    use Roomfold.Room
    def authorize(_, _, _, _), do: :ok
    def handle_event({"spoke", %{"text" => "hello"}}, _, state), do: {[{"spoke", %{"text" => "echo"}}], state}
    def handle_event({"spoke", %{"text" => "unknown"}}, _, state), do: {[{:json, ~s({"id":1,"event_name":"nobody"})}], state}
    def handle_event(_, _, state), do: {[], state}
  end

  defmodule Ears do
    def init(_, _, _), do: nil
    def events(_), do: ["spoke"]
    def prepares, do: ["spoke"]
    def prepare(event, _, _), do: event
    def tick(_, %{events: events}, state), do: {for({"spoke", %{"text" => "echo"}} <- events, do: {"heard", %{}}), state}
  end

  alias Roomfold.{Replay, Room, Rooms, Rules, Session}
  false = Roomfold.Native.loaded?()
  Code.ensure_loaded!(Roomfold.Projection.Elixir)
  rules = Rules.new!(%{"user_joined" => [{:create, "user_id", %{}}], "user_left" => [{:delete, "user_id"}],
    "spoke" => {:any, []}, "heard" => []})
  opts = [rules: rules, module: Echo, systems: [Ears], tick_ms: 2, snapshot_every: 3, grace_ms: 50, upcasters: [& &1]] ++ impl

  {:ok, _} = Rooms.start_link(name: Place, room: opts)
  room = {Place, "den"}
  :ok = Room.subscribe(room)

  # The name is not where the room writes it, or has to be decoded.
  {:ok, 1} = Room.publish(room, {"user_joined", %{"user_id" => "tom"}})
  {:ok, _, _, session} = Session.join(Session.new(room: room, user: "ann"), %{"events" => true})
  {:ok, _} = Room.publish(room, {:json, ~s({"text":"hello","event_name":"spoke"})})
  {:ok, _} = Room.publish(room, {:json, ~s({"event_name":"sp\\\\u006fke","text":"hello"})})
  {:ok, _} = Room.publish(room, {"spoke", %{"text" => "unknown"}})
  receive do {"heard", %{"by" => "system"}} -> :ok after 20_000 -> raise "nobody heard" end

  # What a client sends, also where it is no JSON.
  answer = fn session, ref, wait ->
    receive do
      message ->
        case Session.handle(session, message) do
          :ignore -> wait.(session, ref, wait)
          {:close, reason, _, _} -> raise reason
          {frames, session} -> List.keyfind(frames, ref, 1) || wait.(session, ref, wait)
        end
    after 20_000 -> raise "no answer"
    end
  end

  {[], session} = Session.input(session, "spoke", {:json, ~s({"text":)}, "1")
  {:reply, "1", :error, %{"reason" => "unexpected_end", "offset" => 8}} = answer.(session, "1", answer)
  {[], session} = Session.input(session, "spoke", {:json, ~s({"text":"from ann"})}, "2")
  {:reply, "2", :ok, _} = answer.(session, "2", answer)
  {[], _} = Session.input(session, "ack", {:json, ~s({"seq":1})})
  true = Room.info(room).refused > 0
  0 = Room.info(room).failed

  # It comes back, and knows who was there.
  pid = Room.whereis(room)
  Process.exit(pid, :kill)
  wait = fn wait -> if Process.alive?(pid), do: wait.(wait) end
  wait.(wait)
  ["ann"] = Room.info(room).users
  seq = Room.seq(room)
  Room.stop(room)

  # Its past.
  {:ok, _} = Room.state_at(room, 2)
  {:ok, [_ | _]} = Room.hashes(room, 2)
  other = Rules.new!(%{"user_joined" => []})
  {:different, %{seq: 1, event: %{"user_id" => "tom"}}} = Room.refold(room, other)
  {:ok, fork} = Room.fork(room, seq)
  {:ok, _} = Room.publish(fork, {"spoke", %{"text" => "in the fork"}})
  {:ok, replay} = Room.replay(room, paused: true)
  :ok = Replay.seek(replay, seq)

  # A recording.
  {:ok, _} = Roomfold.EventStream.Local.start_link(name: Stream)
  :ok = Roomfold.EventStream.subscribe({Roomfold.EventStream.Local, Stream}, "stream:film")
  film = ~s({"user_id":"tom","at":1000,"event_name":"user_joined"}\\n{"text":"x","at":1060,"event_name":"spoke"})
  {:ok, replay} = Replay.start_link([events: film, id: "film", rules: rules, stream: {Roomfold.EventStream.Local, Stream}, paused: true] ++ impl)
  {:ok, _, _, session} = Session.join(Session.new(room: replay, user: "ann"), %{"events" => true})
  {:ok, %{"paused" => true}} = Replay.control(replay, "seek", {:json, ~s({"seq":0})})
  :ok = Replay.resume(replay)
  receive do {"spoke", %{"text" => "x"}} -> :ok after 20_000 -> raise "it does not play" end
  %{error: nil, seq: 2} = Replay.info(replay)
  %{"tom" => %{}} = Room.snapshot(replay)
  IO.write("all of it")
  """

  setup do
    folder =
      Path.join(System.tmp_dir!(), "roomfold-#{System.os_time()}-#{System.unique_integer([:positive])}")

    on_exit(fn -> File.rm_rf!(folder) end)
    %{folder: folder, ebin: Path.dirname(to_string(:code.which(Roomfold)))}
  end

  for {name, impl} <- @impls do
    test "where no C is wanted: #{name}", %{ebin: ebin} do
      config = "Application.put_env(:roomfold, :native, false, persistent: true)"
      assert {"all of it", 0} = run(ebin, [config], unquote(impl))
    end

    test "where none was built: #{name}", %{ebin: ebin, folder: folder} do
      bare = Path.join([folder, "roomfold", "ebin"])
      File.mkdir_p!(Path.dirname(bare))
      File.cp_r!(ebin, bare)
      assert {"all of it", 0} = run(bare, [], unquote(impl))
    end
  end

  defp run(ebin, before, impl) do
    start = "{:ok, _} = Application.ensure_all_started(:roomfold); Logger.configure(level: :none)"
    code = Enum.flat_map(before ++ [start], &["-e", &1])
    all = ["-pa", ebin] ++ code ++ ["-e", "impl = #{inspect(impl)}\n" <> @code]
    System.cmd("elixir", all, stderr_to_stdout: true)
  end
end
