defmodule Roomfold.DocTest do
  use ExUnit.Case, async: true

  doctest Roomfold
  doctest Roomfold.Cluster
  doctest Roomfold.Error
  doctest Roomfold.EventLog
  doctest Roomfold.EventLog.Memory
  if Roomfold.EventLog.SQLite.available?(), do: doctest(Roomfold.EventLog.SQLite)
  doctest Roomfold.JSON
  doctest Roomfold.Port
  doctest Roomfold.Projection
  doctest Roomfold.Report
  doctest Roomfold.Rules
  doctest Roomfold.Schema
  doctest Roomfold.World
  doctest Roomfold.Hits
  doctest Roomfold.Hits.Hit
  doctest Roomfold.Level
  doctest Roomfold.Shape
  doctest Roomfold.Room
  doctest Roomfold.Rooms
  doctest Roomfold.Session
  doctest Roomfold.EventStream
  doctest Roomfold.EventStream.Local
  doctest Roomfold.EventStream.Group
  doctest Roomfold.Projector
  doctest Roomfold.Replay
  doctest Roomfold.Wire
end
