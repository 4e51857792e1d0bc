defmodule Roomfold.Simulator.Put do
  @moduledoc """
  What a session does to put something into the inbox of a room on its node, step by step: it looks whether there is space, inserts, counts. Between
  any two of them others run, the room too, and the session may be killed.

  A session does one thing at a time: before it does anything else, it has finished.
  """
  alias Roomfold.{Error, Simulator}
  alias Roomfold.Room.Inbox
  alias Roomfold.Simulator.Client

  import Simulator, only: [later_on: 3, chance: 1, get: 0, now: 0, update: 1, count: 1]

  # next: :insert or :count
  defstruct [:client, :room, :inbox, :reference, :sender, :texts, next: :insert]

  @doc "room: its key, with its inbox."
  def start(client, {room, inbox}, reference, sender, texts) do
    if Inbox.full?(inbox) do
      count(:full)
      answer = {:answer, reference, {:error, Error.new(:overloaded)}}
      later_on(home(room), 0, {:client, client, {:session, room, answer}})
    else
      count(:puts)

      wait(%__MODULE__{
        client: client,
        room: room,
        inbox: inbox,
        reference: reference,
        sender: sender,
        texts: texts
      })
    end
  end

  @doc "The next step, if the session has not been faster."
  def happens(client, reference) do
    case get().puts[client] do
      %{reference: ^reference} = put -> step(put)
      _ -> :ok
    end
  end

  @doc "All that is left to do."
  def finish(client) do
    with %{} = put <- get().puts[client] do
      step(put)
      finish(client)
    end
  end

  @doc "The session is killed."
  def kill(client) do
    if match?(%{next: :count}, get().puts[client]), do: count(:killed_before_counting)
    update(fn state -> %{state | puts: Map.delete(state.puts, client)} end)
  end

  @doc "The room does something to its inbox; just before, others do something to it, too."
  def race(room) do
    for {client, %{room: ^room}} <- get().puts, chance(50) do
      count(:races)
      if chance(30), do: step(get().puts[client]), else: finish(client)
    end
  end

  defp step(%{next: :insert} = put) do
    Inbox.insert(put.inbox, {:session, put.client, put.reference}, put.sender, put.texts, now())
    wait(%{put | next: :count})
  end

  # The simulator is the process that is to be woken.
  defp step(%{next: :count} = put) do
    update(fn state -> %{state | puts: Map.delete(state.puts, put.client)} end)
    Inbox.count(put.inbox)

    receive do
      :inbox -> later_on(home(put.room), Enum.random(0..2), {:room, put.room, :inbox})
    after
      0 -> true
    end
  end

  defp wait(put) do
    update(&put_in(&1.puts[put.client], put))
    delay = Enum.random([0, 0, 5, 40, 90])
    later_on(home(put.room), delay, {:client, put.client, {:put, put.reference}})
    if chance(1), do: Client.break(get().clients[put.client], 0..delay)
  end

  defp home(room), do: get().homes[room]
end
