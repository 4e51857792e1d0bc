defmodule Roomfold.Room.UpdateTest do
  use ExUnit.Case, async: true
  alias Roomfold.Room.Update

  @update %Update{room: "lobby", from: 0, seq: 2}

  test "what sessions are answered goes with their update, in order; all else stays as it is" do
    effects = [
      {:reply, {:session, :ann, 1}, {:ok, 1..1}},
      {:publish, ["..."]},
      {:reply, {:session, :ann, 2}, {:error, :refused}},
      # has left meanwhile, or is on the fast lane
      {:reply, {:session, :bob, 3}, {:ok, 2..2}},
      {:reply, {:tag, :ann, 4}, {:ok, 2..2}},
      {:reply, {:call, :from}, {:ok, 2..2}},
      {:send, [:ann, :eve], {:update, @update}},
      {:stop, :idle}
    ]

    assert Update.with_answers(effects) == [
             {:publish, ["..."]},
             {:reply, {:session, :bob, 3}, {:ok, 2..2}},
             {:reply, {:tag, :ann, 4}, {:ok, 2..2}},
             {:reply, {:call, :from}, {:ok, 2..2}},
             {:tell, @update, %{ann: [{1, {:ok, 1..1}}, {2, {:error, :refused}}], eve: []}},
             {:stop, :idle}
           ]
  end

  test "without an update each is answered by itself" do
    effects = [{:reply, {:session, :ann, 1}, {:ok, 1..1}}, {:send, [:ann], {:presence, [], []}}]
    assert Update.with_answers(effects) == effects
  end

  test "the message says answers only where there are some" do
    assert Update.message("lobby", @update, []) == {:roomfold, "lobby", {:update, @update}}

    assert Update.message("lobby", @update, [{1, :ok}]) ==
             {:roomfold, "lobby", {:update, @update, [{1, :ok}]}}
  end
end
