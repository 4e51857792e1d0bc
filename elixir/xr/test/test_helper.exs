# The WebSocket client of the companion's tests.
Code.require_file("../../roomfold_phoenix/test/support/client.ex", __DIR__)
ExUnit.start(capture_log: true)
