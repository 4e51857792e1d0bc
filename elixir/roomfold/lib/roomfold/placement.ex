defmodule Roomfold.Placement do
  @moduledoc """
  On which node a room runs, and how it is found from all others: a behaviour, and what is there of it.

    * `Roomfold.Placement.Local` - the default: rooms run on the node that is asked, and are found there
    * `Roomfold.Placement.Global` - one room for all connected nodes: found by `:global`, placed by consistent hashing
    * a module of your own: over Horde or syn, say, if the application has one of them already

  A placement is `{module, options}`, given to `Roomfold.Rooms`:

      {Roomfold.Rooms,
       name: Xr.Rooms,
       placement: {Roomfold.Placement.Global, []},
       log: {:running, {Roomfold.EventLog.Shared, {Xr.Log, :"log@10.0.0.5"}}},
       stream: {Roomfold.EventStream.Group, Xr.Stream}}

  A registry says where a room is; it does not say who may write it. That is the log's business: whoever claims a room there has its newest
  *term*, and an append with an older one is refused (`Roomfold.EventLog`). So a registry that errs, in a network that is split, costs a room
  its availability for a moment, never its order.

  ## Your own

      defmodule MyApp.SynPlacement do
        @behaviour Roomfold.Placement

        @impl true
        def children(_rooms, _opts), do: []
        @impl true
        def name(rooms, id, _opts), do: {:via, :syn, {rooms, id}}
        @impl true
        def whereis(rooms, id, _opts), do: with(:undefined <- :syn.whereis_name({rooms, id}), do: nil)
        @impl true
        def node_for(_rooms, _id, _opts), do: {:ok, node()}
      end
  """

  alias Roomfold.{Error, Room}

  @type t :: {module, opts :: keyword}
  @typedoc "The name of the place, `Roomfold.Rooms`."
  @type rooms :: atom

  @doc "Processes it needs beside a place for rooms, started before it has rooms. `facts` are what nodes must agree on."
  @callback children(rooms, opts :: keyword, facts :: map) :: [Supervisor.child_spec() | {module, term}]
  @doc "The name a room's process is registered by: what `GenServer.start_link/3` takes."
  @callback name(rooms, Room.id(), opts :: keyword) :: GenServer.name()
  @doc "The process of a room, wherever it runs, or `nil`."
  @callback whereis(rooms, Room.id(), opts :: keyword) :: pid | nil
  @doc "The node that is to start a room that runs nowhere."
  @callback node_for(rooms, Room.id(), opts :: keyword) :: {:ok, node} | {:error, Error.t()}
  @doc "From now on no room is to be placed on this node (`Roomfold.Rooms.drain/2`)."
  @callback drain(rooms, opts :: keyword) :: :ok
  @doc "Two processes of one room have met and neither has its name now; the caller has its term: it takes the name again."
  @callback reclaim(rooms, Room.id(), opts :: keyword) :: :ok | :taken

  @optional_callbacks drain: 2, reclaim: 3
end
