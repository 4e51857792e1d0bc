defmodule Bench.Encode do
  @moduledoc "Encoding a tick's diff for everybody, and from the bytes of sockets to the bytes for sockets, without the sockets."

  alias Phoenix.Socket.{Broadcast, Message, V2}
  alias Roomfold.Phoenix.{Frame, Serializer}
  alias Roomfold.{JSON, Room, Rooms, Rules, Schema, World}

  @entities 1_000
  @rounds 15
  @times 20

  @schema [
    {"position", {:f32, 3}, quantise: [step: 0.001, bounds: {-64, 64}], decimals: 4},
    {"rotation", {:f32, 4}, quantise: :smallest_three, bits: 10, decimals: 4}
  ]

  # ---- encoding ----

  @doc "A diff of entities that all have moved, as a message for the processes of sockets."
  def run do
    world = moved()
    # What an application would have at hand: the very numbers of the JSON text, as terms.
    diff = JSON.decode!(World.encode!(world, {:diff, @entities}, :json))

    contenders = [
      {"Roomfold packed", fn -> framed(world, :packed) end},
      {"Roomfold JSON", fn -> framed(world, :json) end},
      {"Jason by Phoenix's serializer", fn -> plain(diff) end}
    ]

    setup = fn run -> fn -> run end end

    times =
      Bench.rounds(for({name, run} <- contenders, do: {name, setup.(run), &repeat(&1, @times)}), @rounds)

    size = fn {:socket_push, _, data} -> IO.iodata_length(data) end
    {first, first_size} = {times["Roomfold packed"], size.(framed(world, :packed))}

    rows =
      for {name, run} <- contenders do
        bytes = size.(run.())
        us = Bench.round1(times[name] / @times / 1_000)
        [name, us, Bench.ratio(times[name], first), bytes, Bench.ratio(bytes, first_size)]
      end

    IO.puts(
      "Encoding a diff of #{@entities} changed entities once for all sockets, medians of #{@rounds} rounds in turn"
    )

    Bench.table(["", "us", "x packed", "bytes", "x packed"], rows)
    Bench.csv("phoenix_encode", ~w(who us times_packed bytes times_bytes_packed), rows)
  end

  defp framed(world, format) do
    bytes = World.encode!(world, {:diff, @entities}, format)
    payload = if format == :json, do: {:json, bytes}, else: {:binary, bytes}
    Frame.message({"room:bench", "1"}, {:push, "diff", payload})
  end

  defp plain(diff),
    do: V2.JSONSerializer.fastlane!(%Broadcast{topic: "room:bench", event: "diff", payload: diff})

  defp moved do
    [schema: Schema.new!(@schema), history: 4 * @entities]
    |> World.new!()
    |> World.fold!(events("create"))
    |> World.fold!(events("update"))
  end

  defp events(name) do
    for i <- 1..@entities do
      components = %{"position" => place(), "rotation" => turn()}
      components = if name == "create", do: Map.put(components, "owner", "tom"), else: components
      {name, %{"entity_id" => "thing-#{i}", "components" => components}}
    end
  end

  defp place, do: for(_ <- 1..3, do: Float.round((:rand.uniform() * 2 - 1) * 50, 4))

  defp turn do
    all = for _ <- 1..4, do: :rand.normal()
    size = :math.sqrt(Enum.sum(Enum.map(all, &(&1 * &1))))
    Enum.map(all, &Float.round(&1 / size, 4))
  end

  # ---- from socket bytes in to diff bytes out ----

  @doc """
  A thousand messages of a client, as they come from its socket; they are read, checked, folded, and the diff is a message for
  sockets. The same in Elixir: Phoenix's serializer, a map of entities, Phoenix's serializer.
  """
  def input do
    {:ok, _} = Rooms.start_link(name: Bench.Inputs, log: nil, room: room())
    sets = for _ <- 1..4, do: messages(events("update"))
    creates = Map.new(events("create"), fn {_, %{"entity_id" => id, "components" => c}} -> {id, c} end)

    contenders = [
      {"Roomfold packed", fn -> joined(:packed) end, &through_room(&1, sets, 8)},
      {"Roomfold JSON", fn -> joined(:json) end, &through_room(&1, sets, 8)},
      {"Jason and a map", fn -> creates end, &through_map(&1, sets, 8)}
    ]

    # The clock also counts that a room waits for its tick: what is compared is processor time.
    found = for _ <- 0..@rounds, {name, setup, run} <- contenders, do: {name, cpu(setup, run)}
    found = found |> Enum.drop(length(contenders)) |> Enum.group_by(&elem(&1, 0), &elem(&1, 1))
    mean = fn name -> Enum.sum(found[name]) / @rounds / 8 / @entities * 1_000 end
    first = mean.("Roomfold packed")

    rows =
      for {name, _, _} <- contenders,
          do: [name, Bench.round1(mean.(name)), Bench.ratio(mean.(name), first)]

    IO.puts(
      "From #{@entities} messages of sockets to one diff for sockets, means of #{@rounds} rounds in turn, processor time"
    )

    Bench.table(["", "us an event", "x packed"], rows)
    Bench.csv("phoenix_input", ~w(who us_an_event times_packed), rows)
  end

  # Milliseconds, of all schedulers.
  defp cpu(setup, run) do
    Task.async(fn ->
      it = setup.()
      :erlang.garbage_collect()
      {before, _} = :erlang.statistics(:runtime)
      run.(it)
      {later, _} = :erlang.statistics(:runtime)
      later - before
    end)
    |> Task.await(:infinity)
  end

  defp room do
    [
      schema: Schema.new!(@schema),
      rules: Rules.new!(%{}),
      tick_ms: 1,
      user_events_per_s: 100_000_000,
      user_bytes_per_s: 100_000_000_000
    ]
  end

  defp messages(events) do
    for {{name, payload}, n} <- Enum.with_index(events),
        do: JSON.encode!(["1", "#{n}", "room:bench", name, payload])
  end

  defp joined(format) do
    room = {Bench.Inputs, "#{format}"}
    {:ok, _} = Room.publish(room, events("create"))
    {:ok, %{pid: pid}} = Room.join(room, "tom", format: format, events: false)
    {pid, format}
  end

  defp through_room(_, _, 0), do: :ok

  defp through_room({pid, format}, sets, n) do
    events =
      for raw <- Enum.at(sets, rem(n, 4)) do
        %Message{event: event, payload: payload} = Serializer.decode!(raw, opcode: :text)
        {event, payload}
      end

    {:ok, seqs} = Room.publish(pid, events, by: "tom")
    await(List.last(seqs), format)
    through_room({pid, format}, sets, n - 1)
  end

  defp await(seq, format) do
    receive do
      {:roomfold, _, {:update, %{seq: at, frames: %{^format => {kind, bytes}}}}} ->
        payload = if format == :json, do: {:json, bytes}, else: {:binary, bytes}
        {:socket_push, _, _} = Frame.message({"room:bench", "1"}, {:push, "#{kind}", payload})
        if at < seq, do: await(seq, format)
    end
  end

  defp through_map(_, _, 0), do: :ok

  defp through_map(entities, sets, n) do
    {entities, changed} =
      Enum.reduce(Enum.at(sets, rem(n, 4)), {entities, %{}}, fn raw, {entities, changed} ->
        %Message{event: "update", payload: payload} = V2.JSONSerializer.decode!(raw, opcode: :text)
        %{"entity_id" => id, "components" => components} = payload
        # It is the sender's, and it is there.
        %{"owner" => "tom"} = entity = Map.fetch!(entities, id)
        {Map.put(entities, id, Map.merge(entity, components)), Map.put(changed, id, components)}
      end)

    {:socket_push, _, data} = plain(%{"from" => 0, "seq" => n, "updates" => changed})
    _ = IO.iodata_length(data)
    through_map(entities, sets, n - 1)
  end

  defp repeat(_, 0), do: :ok

  defp repeat(run, times) do
    run.()
    repeat(run, times - 1)
  end
end
