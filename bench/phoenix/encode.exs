defmodule Bench.Encode do
  @moduledoc "Encoding of a tick, and from the bytes of a socket to the bytes for all sockets, without the sockets."
  def run, do: :ok
  def input, do: :ok
end
