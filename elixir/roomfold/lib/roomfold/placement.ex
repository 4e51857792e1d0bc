defmodule Roomfold.Placement do
  @moduledoc """
  Decides on which node a room runs, and finds it from all others: a behaviour, and its implementations.

    * `Roomfold.Placement.Local` - the default: a room runs on the node where it is used, and is known only there
    * `Roomfold.Placement.Global` - all connected nodes share the rooms: registered in `:global`, placed by consistent hashing
    * a module of your own, for example with Horde or syn, if the application uses one of them already

  A placement is `{module, options}`, given to `Roomfold.Rooms`:

      {Roomfold.Rooms,
       name: Xr.Rooms,
       placement: {Roomfold.Placement.Global, []},
       log: {:running, {Roomfold.EventLog.Shared, {Xr.Log, :"log@10.0.0.5"}}},
       stream: {Roomfold.EventStream.Group, Xr.Stream}}

  A registry knows where a room is; it does not decide which process may write it. The log does: a process that claims a room gets its
  newest *term*, and an append with an older term is refused (`Roomfold.EventLog`). So if a registry is wrong, in a network that is split, a
  room may be unavailable for a moment, but its events are never out of order.

  ## Your own

      defmodule MyApp.SynPlacement do
        @behaviour Roomfold.Placement

        @impl true
        def children(_rooms, _opts, _facts), do: []
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

  @doc "Processes that the placement needs; they are started before any room. `facts` are what nodes must agree on."
  @callback children(rooms, opts :: keyword, facts :: map) :: [Supervisor.child_spec() | {module, term}]
  @doc "The name under which a room's process is registered, as `GenServer.start_link/3` takes it."
  @callback name(rooms, Room.id(), opts :: keyword) :: GenServer.name()
  @doc "The process of a room, wherever it runs, or `nil`."
  @callback whereis(rooms, Room.id(), opts :: keyword) :: pid | nil
  @doc "The node on which to start a room that does not run."
  @callback node_for(rooms, Room.id(), opts :: keyword) :: {:ok, node} | {:error, Error.t()}
  @doc "From now on no room may be placed on this node (`Roomfold.Rooms.drain/2`)."
  @callback drain(rooms, opts :: keyword) :: :ok
  @doc "Two processes of one room have met, and both have lost the name. The caller has the newest term, and takes the name again."
  @callback reclaim(rooms, Room.id(), opts :: keyword) :: :ok | :taken

  @optional_callbacks drain: 2, reclaim: 3
end
