defmodule Roomfold.Cluster.Members do
  @moduledoc false
  # Which nodes take part, as data: what each has announced, and what follows for this node.
  #
  # Nodes must agree on their facts (versions, rules, schema), else they would fold one log into different worlds. A new node that
  # disagrees with the others is refused, and knows why. When two clusters that disagree meet, the larger one stays; of equal ones the
  # one with the smaller node name. A refused node takes part again when the nodes it disagreed with are gone.

  defstruct [:me, :facts, status: :joining, reason: nil, others: %{}]

  @type status :: :joining | :up | :draining | :refused
  @type t :: %__MODULE__{
          me: node,
          facts: map,
          status: status,
          reason: nil | String.t(),
          others: %{node => map}
        }

  @spec new(node, map) :: t
  def new(me, facts), do: %__MODULE__{me: me, facts: facts}

  @doc "What this node announces to the others."
  def hello(members) do
    %{node: members.me, facts: members.facts, status: members.status, peers: length(agreeing(members))}
  end

  @doc "Another node's announcement has arrived."
  def heard(members, %{node: node} = hello) when node != members.me,
    do: settle(%{members | others: Map.put(members.others, node, hello)})

  def heard(members, _), do: members

  @doc "A node is gone."
  def gone(members, node), do: settle(%{members | others: Map.delete(members.others, node)})

  @doc "All known nodes have answered, or the time for that is over."
  def joined(%{status: :joining} = members), do: settle(%{members | status: :up})
  def joined(members), do: members

  @doc "No more rooms may be placed on this node."
  def drain(members), do: %{members | status: :draining}

  @doc "Nodes that rooms may be placed on: those that agree with this one and are not draining; if all drain, all of them."
  def placeable(%{status: :refused}), do: []

  def placeable(members) do
    all = [hello(members) | agreeing(members)]
    up = for %{status: :up, node: node} <- all, do: node
    Enum.sort(if up == [], do: for(%{node: node} <- all, do: node), else: up)
  end

  @doc "Nodes that disagree with this one, and why."
  def refused(members) do
    for {node, %{facts: facts}} <- members.others,
        reason = difference(members.facts, facts),
        do: {node, reason}
  end

  defp agreeing(members) do
    for {_, other} <- members.others,
        other.status in [:up, :draining] and other.facts == members.facts,
        do: other
  end

  defp settle(%{status: :draining} = members), do: members

  defp settle(members) do
    case {overruled_by(members), members.status} do
      {nil, :refused} -> %{members | status: :up, reason: nil}
      {nil, _} -> members
      {other, _} -> %{members | status: :refused, reason: refusal(members, other)}
    end
  end

  defp refusal(members, other),
    do: "#{other.node} and this node differ: #{difference(members.facts, other.facts)}"

  # A node that takes part, disagrees and outweighs this one.
  defp overruled_by(members) do
    members.others
    |> Map.values()
    |> Enum.sort_by(& &1.node)
    |> Enum.find(fn other ->
      other.status in [:up, :draining] and other.facts != members.facts and outweighs?(other, members)
    end)
  end

  defp outweighs?(_other, %{status: status}) when status in [:joining, :refused], do: true

  defp outweighs?(other, members) do
    ours = length(agreeing(members))
    other.peers > ours or (other.peers == ours and other.node < members.me)
  end

  defp difference(facts, facts), do: nil

  defp difference(ours, theirs) do
    (Map.keys(ours) ++ Map.keys(theirs))
    |> Enum.uniq()
    |> Enum.sort()
    |> Enum.reject(&(ours[&1] == theirs[&1]))
    |> Enum.map_join(", ", &"#{&1} #{inspect(theirs[&1])} there, #{inspect(ours[&1])} here")
  end
end
