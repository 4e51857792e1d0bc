defmodule Roomfold.RoomComplaintsTest do
  use ExUnit.Case, async: true

  alias Roomfold.Room.Complaints

  defp add_all(abouts, complaints \\ %Complaints{}) do
    Enum.map_reduce(abouts, complaints, fn about, complaints ->
      Complaints.add(complaints, :refused, about)
    end)
  end

  test "said the first time, and once in a thousand; counted each time" do
    {said, complaints} = add_all(List.duplicate(:a, 2_000) ++ [:b])
    assert Enum.reject(said, &(&1 == :quiet)) == [1, 1_000, 2_000, 1]
    assert Complaints.count(complaints, :refused) == 2_001
    assert Complaints.count(complaints, :failed) == 0
    assert {1, complaints} = Complaints.add(complaints, :failed, :a)
    assert Complaints.count(complaints, :failed) == 1
  end

  test "whatever is made up, no more than so many are told apart" do
    {said, complaints} = add_all(1..1_000)
    assert Enum.count(said, &(&1 == 1)) == 65
    assert Complaints.count(complaints, :refused) == 1_000
    assert map_size(complaints.known) == 65
    assert {:quiet, _} = Complaints.add(complaints, :refused, :new)
  end
end
