defmodule Roomfold.Phoenix.FastlaneTest do
  # Diffs go from the room to the processes of the sockets, encoded once.
  use Roomfold.PhoenixTest.Case, async: false

  for path <- ["/socket", "/stock"] do
    test "a channel that is busy keeps nobody waiting for diffs, through #{path}", %{room: room} do
      {_, tom} = join!("tom", room, %{}, unquote(path))
      {_, tom} = settled(tom, room)
      [channel] = channels({@rooms, room})
      :sys.suspend(channel)
      {:ok, seq} = write(room, 1)
      {diff, _} = await_seq(tom, seq)
      assert diff["updates"]["tom"]["text"] == "1" or diff["creates"]["tom"]["text"] == "1"
      :sys.resume(channel)
    end
  end

  test "a tick is encoded once for all who read the same, and put into a message once", %{room: room} do
    clients =
      for n <- 1..20 do
        {_, client} = join!("user#{n}", room)
        client
      end

    {:ok, seq} = write(room, 0)
    clients = for client <- clients, do: client |> await_seq(seq) |> elem(1)
    {:ok, seq} = write(room, 1)
    clients = for client <- clients, do: client |> await_seq(seq) |> elem(1)

    pid = Room.whereis({@rooms, room})
    :erlang.trace(pid, true, [:call])
    calls = [{Roomfold.World, :encode, 3}, {Roomfold.Phoenix.Frame, :message, 2}]
    for call <- calls, do: :erlang.trace_pattern(call, true, [:local])

    {:ok, seq} = write(room, 2)
    for client <- clients, do: await_seq(client, seq)
    for call <- calls, do: :erlang.trace_pattern(call, false, [:local])

    assert_received {:trace, ^pid, :call, {Roomfold.World, :encode, [_, {:diff, _}, :json]}}
    assert_received {:trace, ^pid, :call, {Roomfold.Phoenix.Frame, :message, [_, {:push, "diff", _}]}}
    refute_received {:trace, ^pid, :call, _}
  end

  test "packed frames are binary messages", %{room: room} do
    {reply, tom} = join!("tom", room, %{"format" => "packed", "versions" => [1]})
    assert {reply["format"], reply["version"]} == {"packed", 1}
    {bytes, tom} = await_binary(tom, "snapshot")
    {:ok, world} = Roomfold.World.load({:packed, bytes})

    {world, _} =
      for n <- 1..30, reduce: {world, tom} do
        {world, tom} ->
          {:ok, seq} = write(room, n)
          follow(world, tom, seq)
      end

    assert Roomfold.World.snapshot(world) == Room.snapshot({@rooms, room})
  end

  for size <- [250, 251] do
    test "a topic that a binary message has no room for is read as JSON: an id of #{size} bytes", %{
      room: room
    } do
      room = String.pad_trailing(room, unquote(size), "x")
      {reply, tom} = join!("tom", room, %{"format" => "packed", "versions" => [1]})

      if unquote(size) == 250 do
        assert reply["format"] == "packed"
        {bytes, _} = await_binary(tom, "snapshot")
        assert {:ok, _} = Roomfold.World.load({:packed, bytes})
      else
        assert reply["format"] == "json"
        {snapshot, tom} = Client.await_event(tom, "snapshot")
        assert snapshot["seq"] == reply["seq"]
        {_, tom} = settled(tom, room)
        {:ok, seq} = write(room, 1)
        await_seq(tom, seq)
      end
    end
  end

  # A world made of what came is the room's, seq by seq.
  defp follow(world, client, seq) do
    {bytes, client} = await_binary(client, "diff")
    {:ok, world, _} = Roomfold.World.apply_diff(world, {:packed, bytes})
    if Roomfold.World.seq(world) < seq, do: follow(world, client, seq), else: {world, client}
  end

  defp await_binary(client, event) do
    case Client.receive_frame(client) do
      {{:binary, <<0, j, t, e, _::binary-size(j), _::binary-size(t), name::binary-size(e), data::binary>>},
       client} ->
        if name == event, do: {data, client}, else: await_binary(client, event)

      {{:text, _}, client} ->
        await_binary(client, event)
    end
  end

  defp write(room, n),
    do: Room.publish({@rooms, room}, {"update", %{"entity_id" => "tom", "components" => %{"text" => "#{n}"}}})

  defp settled(client, room) do
    {:ok, seq} = write(room, 0)
    await_seq(client, seq)
  end

  defp await_seq(client, seq) do
    {diff, client} = Client.await_event(client, "diff")
    if diff["seq"] >= seq, do: {diff, client}, else: await_seq(client, seq)
  end
end
