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

  @doc """
  Effects of `Roomfold.Room.State`, in which what a session is answered goes with the update that it gets anyway, `{:tell, update, %{pid => [{ref, answer}]}}`:
  one message, for which it is woken once.
  """
  def with_answers(effects) do
    case Enum.find(effects, &match?({:send, _, {:update, _}}, &1)) do
      {:send, pids, _} -> gather(effects, Map.new(pids, &{&1, []}), [])
      nil -> effects
    end
  end

  defp gather([{:reply, {:session, pid, ref}, answer} | effects], answers, others)
       when is_map_key(answers, pid),
       do: gather(effects, Map.update!(answers, pid, &[{ref, answer} | &1]), others)

  defp gather([effect | effects], answers, others), do: gather(effects, answers, [effect | others])

  defp gather([], answers, others) do
    answers = Map.new(answers, fn {pid, mine} -> {pid, Enum.reverse(mine)} end)

    Enum.reduce(others, [], fn
      {:send, _, {:update, update}}, effects -> [{:tell, update, answers} | effects]
      effect, effects -> [effect | effects]
    end)
  end

  @doc "The message to a session."
  def message(room, update, []), do: {:roomfold, room, {:update, update}}
  def message(room, update, answers), do: {:roomfold, room, {:update, update, answers}}
end
