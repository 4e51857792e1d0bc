defmodule Roomfold.Phoenix.PubSubConformanceTest do
  use ExUnit.Case, async: true
  use Roomfold.EventStream.Conformance

  setup context do
    name = :"pubsub #{context.test}"
    start_supervised!({Phoenix.PubSub, name: name})
    {:ok, stream: {Roomfold.Phoenix.PubSub, name}}
  end
end
