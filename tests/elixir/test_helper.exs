# A machine may be busy, or stand still: what is awaited is given time, and a minute is not enough for the tests of random input.
ExUnit.start(exclude: [], assert_receive_timeout: 30_000, timeout: 1_800_000)
