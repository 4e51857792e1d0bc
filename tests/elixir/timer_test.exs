defmodule Roomfold.TimerTest do
  use ExUnit.Case, async: true

  alias Roomfold.Timer

  test "a call can wait for the longest time, and not longer" do
    {:ok, agent} = Agent.start_link(fn -> 1 end)
    assert Agent.get(agent, & &1, Timer.timeout!(:timeout, Timer.longest())) == 1
    assert catch_error(Agent.get(agent, & &1, Timer.longest() + 1)) == :timeout_value

    for time <- [:infinity, 0, Timer.longest()], do: assert(Timer.timeout!(:timeout, time) == time)

    for none <- [Timer.longest() + 1, -1, 1.5, nil, "5"] do
      error = assert_raise ArgumentError, fn -> Timer.timeout!(:timeout, none) end

      assert error.message ==
               ":timeout must be 0 to 4,294,967,295 milliseconds or :infinity, got: #{inspect(none)}"
    end
  end

  test "a message comes at its time, or before a time that no timer reaches" do
    now = System.monotonic_time(:millisecond)
    Timer.send_at(:now, now + 5, now)
    assert_receive :now, 5_000
    assert System.monotonic_time(:millisecond) >= now + 5

    timer = Timer.send_at(:never, now + 10 ** 30, now)
    assert Process.cancel_timer(timer) in (Timer.longest() - 3_600_000)..Timer.longest()
  end
end
