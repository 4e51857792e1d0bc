# A machine may be busy: what is awaited is given time.
ExUnit.start(exclude: [], assert_receive_timeout: 2_000)
