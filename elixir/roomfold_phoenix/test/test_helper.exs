{:ok, _} = Roomfold.PhoenixTest.App.start()

# What a server writes when a client misbehaves is shown where a test fails.
ExUnit.start(capture_log: true, assert_receive_timeout: 30_000)
