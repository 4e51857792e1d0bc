defmodule Roomfold.Gateway.DoctestTest do
  use ExUnit.Case

  @moduletag :yaws

  doctest Roomfold.Gateway
  doctest Roomfold.Gateway.Arena
end
