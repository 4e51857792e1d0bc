defmodule Roomfold.Room.Update do
  @moduledoc """
  What a tick changed, as the room sends it to the processes of its sessions, encoded once for each format in use.

    * `:room`, `:term` - its id, and which of its lives this is of
    * `:from`, `:seq` - brings a world from the seq `from` to `seq`
    * `:frames` - format → `{:diff | :snapshot, bytes}`
    * `:events` - JSON text, `{"events": [..]}`, of the events that a diff does not show; `nil`: there were none, or no connection wants
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

  @doc false
  # Combines effects (Roomfold.Room.State): answers to sessions are sent with the update that they get anyway, as
  # {:tell, update, %{pid => [{ref, answer}]}}, so that each is woken once, by one message.
  def with_answers(effects) do
    case Enum.split_while(effects, &(not match?({:send, _, {:update, _}}, &1))) do
      {_, []} ->
        effects

      {front, [{:send, pids, {:update, update}} | back]} ->
        {answers, back} = gather(Enum.reverse(back), Map.new(pids, &{&1, []}), [])
        {answers, front} = gather(Enum.reverse(front), answers, [])
        front ++ [{:tell, update, answers} | back]
    end
  end

  # From the last to the first, so that answers and the remaining effects are in order again.
  defp gather([{:reply, {:session, pid, ref}, answer} = effect | effects], answers, left) do
    case answers do
      %{^pid => mine} -> gather(effects, %{answers | pid => [{ref, answer} | mine]}, left)
      _ -> gather(effects, answers, [effect | left])
    end
  end

  defp gather([effect | effects], answers, left), do: gather(effects, answers, [effect | left])
  defp gather([], answers, left), do: {answers, left}

  @doc false
  # The message to a session.
  def message(room, update, []), do: {:roomfold, room, {:update, update}}
  def message(room, update, answers), do: {:roomfold, room, {:update, update, answers}}
end
