defmodule Roomfold.Phoenix.PresenceTest do
  use Roomfold.PhoenixTest.Case, async: true

  alias Roomfold.PhoenixTest.{Peers, PlacedSocket}

  test "several tabs are one user, who comes and goes once", %{room: room} do
    {_, tom} = join!("tom", room)
    {state, tom} = Client.await_event(tom, "presence_state")
    assert Map.keys(state) in [[], ["tom"]]
    {_, ann} = join!("ann", room)
    {_, second} = join!("ann", room)
    metas = metas(state)

    {tom, metas} =
      follow(tom, metas, fn metas ->
        Enum.sort(Map.keys(metas)) == ["ann", "tom"] and length(metas["ann"]) == 2
      end)

    eventually(fn -> Room.get({@rooms, room}, "tom") && Room.get({@rooms, room}, "ann") end)
    Client.close(ann)
    {tom, metas} = follow(tom, metas, fn metas -> length(metas["ann"] || []) == 1 end)
    Client.close(second)
    {_, _} = follow(tom, metas, fn metas -> (metas["ann"] || []) == [] end)
    eventually(fn -> Room.get({@rooms, room}, "ann") == nil end)
    assert comings_and_goings({@rooms, room}, "ann") == ["user_joined", "user_left"]
  end

  test "who comes back within the grace has never left", %{room: room} do
    {:ok, _} = Room.ensure_started({@rooms, room}, grace_ms: 2_000)
    {_, ann} = join!("ann", room)
    eventually(fn -> Room.get({@rooms, room}, "ann") end)
    Client.close(ann)
    eventually(fn -> Room.info({@rooms, room}).connections == 0 end)
    {_, ann} = join!("ann", room)
    # Longer than the grace.
    Process.sleep(2_500)
    assert comings_and_goings({@rooms, room}, "ann") == ["user_joined"]
    {_, _} = Client.call(ann, "phx_leave", %{})
    eventually(fn -> comings_and_goings({@rooms, room}, "ann") == ["user_joined", "user_left"] end)
  end

  @tag timeout: 120_000
  test "a tab on each of two nodes is one user; whose node is gone leaves after the grace", %{room: room} do
    [{_, node, _} = one, two] = Peers.start!(2)

    tom = joined!(one, "tom", room, @rooms)
    {state, tom} = Client.await_event(tom, "presence_state")
    first = joined!(one, "ann", room, @rooms)
    second = joined!(two, "ann", room, {node, @rooms})
    _eve = joined!(two, "eve", room, {node, @rooms})

    # The presence of both nodes, as the first shows it.
    {tom, metas} =
      follow(tom, metas(state), fn metas -> length(metas["ann"] || []) == 2 and metas["eve"] != nil end)

    assert Peers.call(one, Room, :info, [{@rooms, room}]).users == ["ann", "eve", "tom"]
    Client.close(first)
    {tom, metas} = follow(tom, metas, fn metas -> length(metas["ann"]) == 1 end)
    # What she does on the other node, tom sees on this one.
    {answer, second} = Client.call(second, "player_moved", %{"user_id" => "ann", "position" => [1, 2, 3]})
    assert answer["status"] == "ok"
    assert Peers.call(one, Room, :get, [{@rooms, room}, "ann"])["position"] == [1.0, 2.0, 3.0]
    Client.close(second)
    {_, _} = follow(tom, metas, fn metas -> metas["ann"] == [] end)

    at = fn user -> Peers.call(one, PhoenixTest.Case, :comings_and_goings, [{@rooms, room}, user]) end
    eventually(fn -> at.("ann") == ["user_joined", "user_left"] end)
    assert at.("eve") == ["user_joined"]
    Peers.stop(two)
    eventually(fn -> at.("eve") == ["user_joined", "user_left"] end, 60_000)
    assert at.("tom") == ["user_joined"]
  end

  defp joined!({_, _, port}, user, room, place) do
    {:ok, client} =
      Client.connect(port, "/placed/websocket?vsn=2.0.0&token=#{PlacedSocket.token(user, place)}")

    {_, client} = join_as!(client, "room:" <> room, %{})
    client
  end

  defp metas(state), do: Map.new(state, fn {user, %{"metas" => metas}} -> {user, metas} end)

  defp follow(client, metas, done) do
    if done.(metas) do
      {client, metas}
    else
      {diff, client} = Client.await_event(client, "presence_diff")
      refs = fn list -> Enum.map(list, & &1["phx_ref"]) end

      metas =
        Enum.reduce(diff["joins"], metas, fn {user, %{"metas" => new}}, metas ->
          Map.update(metas, user, new, &(&1 ++ new))
        end)

      metas =
        Enum.reduce(diff["leaves"], metas, fn {user, %{"metas" => gone}}, metas ->
          Map.update(metas, user, [], fn all -> Enum.reject(all, &(&1["phx_ref"] in refs.(gone))) end)
        end)

      follow(client, metas, done)
    end
  end
end
