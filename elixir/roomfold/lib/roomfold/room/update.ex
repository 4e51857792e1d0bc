defmodule Roomfold.Room.Update do
  @moduledoc """
  What a tick changed, as the room sends it to the processes of its sessions: encoded once for each format in use.

    * `:room` - its id
    * `:from`, `:seq` - brings a world at `from` to `seq`
    * `:frames` - format → `{:diff | :snapshot, bytes}`
    * `:events` - JSON text, `{"events": [..]}`, of the events that a diff does not tell by itself; `nil`: there were none, or nobody wants
      them
  """
  defstruct [:room, :term, :from, :seq, :events, frames: %{}]

  @type t :: %__MODULE__{
          room: String.t(),
          term: non_neg_integer,
          from: non_neg_integer,
          seq: non_neg_integer,
          frames: %{atom => {:diff | :snapshot, binary}},
          events: binary | nil
        }
end
