ExUnit.start(exclude: [])
