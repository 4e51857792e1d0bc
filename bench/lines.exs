# Writes the stream of the other benchmarks as JSON Lines: mix run bench/lines.exs FILE
Code.require_file("streams.exs", __DIR__)

[path] = System.argv()
{creates, batches} = Streams.make(1_000, 60, 1_000)

File.write!(
  path,
  Enum.map([creates | batches], fn events ->
    events |> Streams.lines() |> Enum.intersperse("\n") |> Kernel.++(["\n"])
  end)
)
