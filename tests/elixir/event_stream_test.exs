defmodule Roomfold.EventStream.LocalTest do
  use ExUnit.Case, async: true
  use Roomfold.EventStream.Conformance

  setup context do
    name = :"local #{context.test}"
    start_supervised!({Roomfold.EventStream.Local, name: name})
    {:ok, stream: {Roomfold.EventStream.Local, name}}
  end

  test "on one node it is known that nobody listens", %{stream: {module, name} = stream} do
    refute EventStream.subscribers?(stream, "nobody's")
    EventStream.subscribe(stream, "mine")
    refute module.others?(name, self(), "mine")
    EventStream.unsubscribe(stream, "mine")
    refute EventStream.subscribers?(stream, "mine")
  end
end

defmodule Roomfold.EventStream.GroupTest do
  use ExUnit.Case, async: true
  use Roomfold.EventStream.Conformance

  setup context do
    name = :"group #{context.test}"
    start_supervised!({Roomfold.EventStream.Group, name: name})
    {:ok, stream: {Roomfold.EventStream.Group, name}}
  end
end
