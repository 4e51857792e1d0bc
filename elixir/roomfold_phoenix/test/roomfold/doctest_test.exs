defmodule Roomfold.Phoenix.DoctestTest do
  use ExUnit.Case, async: true
  doctest Roomfold.Phoenix.Token
end
