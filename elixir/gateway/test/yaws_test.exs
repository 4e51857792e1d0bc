defmodule Roomfold.Gateway.YawsTest do
  use ExUnit.Case, async: true

  alias Roomfold.Gateway.Yaws

  # In a VM of its own, that has not found it yet.
  test "what is not there is said in one line, with what to install" do
    ebin = Application.app_dir(:roomfold_gateway, "ebin")
    code = "IO.inspect(Roomfold.Gateway.Yaws.load([]))"
    {out, 0} = System.cmd("elixir", ["-pa", ebin, "-e", code], env: [{"ERL_LIBS", nil}])

    if out =~ ":ok" do
      IO.puts("Left out: a system without Yaws, since it stands in Erlang's own folder here")
    else
      assert out =~ "{:error,"
      assert out =~ "apt-get install erlang-yaws"
    end

    refute Yaws.missing() =~ "\n"
  end
end
