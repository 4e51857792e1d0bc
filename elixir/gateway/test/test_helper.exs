# Without Yaws, what needs no network is tested all the same.
case Roomfold.Gateway.Yaws.load() do
  :ok ->
    ExUnit.start(capture_log: true, assert_receive_timeout: 30_000)

  {:error, why} ->
    IO.puts("Left out: everything over HTTP and WebSocket. #{why}")
    ExUnit.start(capture_log: true, assert_receive_timeout: 30_000, exclude: [:yaws])
end
