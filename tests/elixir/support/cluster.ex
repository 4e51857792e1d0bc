defmodule Roomfold.ClusterCase do
  @moduledoc false
  # Tests on nodes that end with the test (Roomfold.Nodes).
  use ExUnit.CaseTemplate

  alias Roomfold.Nodes

  using do
    quote do
      import Roomfold.Nodes, except: [start_nodes: 1, start_nodes: 2, restart: 1]
      import Roomfold.ClusterCase
      import Roomfold.Eventually
      alias Roomfold.ClusterCase.{Client, Writer}
      alias Roomfold.{Cluster, EventLog, Nodes, Room, Rooms, World}
    end
  end

  def start_nodes(names, opts \\ []), do: names |> Nodes.start_nodes(opts) |> Enum.map(&ends_with_test/1)
  def restart(node), do: node |> Nodes.restart() |> ends_with_test()

  defp ends_with_test(node) do
    on_exit(fn -> Nodes.stop_nodes([node]) end)
    node
  end
end
