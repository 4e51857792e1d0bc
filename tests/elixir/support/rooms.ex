defmodule Roomfold.RoomsCase do
  @moduledoc false
  # A place for rooms of each test's own, and how to talk to a session.
  use ExUnit.CaseTemplate

  alias Roomfold.{Room, Session}

  using do
    quote do
      import Roomfold.Eventually
      import Roomfold.RoomsCase
      alias Roomfold.{Error, Room, Rooms, Session, World}
    end
  end

  @doc "Starts a place; its name."
  def start_rooms(opts \\ []) do
    name = :"rooms_#{System.unique_integer([:positive])}"
    start_supervised!({Roomfold.Rooms, Keyword.put(opts, :name, name)}, id: name)
    name
  end

  @doc "A room that needs no place, no log and no stream."
  def start_room(opts \\ []) do
    opts = Keyword.merge([id: "room", rooms: nil, tick_ms: 5], opts)
    start_supervised!(%{id: make_ref(), start: {Room, :start_link, [opts]}, restart: :temporary})
  end

  def join!(room, user, params \\ %{}, opts \\ []) do
    {:ok, reply, frames, session} = Session.join(Session.new([room: room, user: user] ++ opts), params)
    {reply, frames, session}
  end

  @doc "Handles messages until a frame comes that the function wants: {what it answered, session}."
  def await(session, function, timeout \\ 30_000) do
    deadline = System.monotonic_time(:millisecond) + timeout
    await_until(session, function, deadline)
  end

  defp await_until(session, function, deadline) do
    receive do
      # An answer that came together with one that was awaited before.
      {:answered, frame} ->
        case found([frame], function) do
          nil -> await_until(session, function, deadline)
          {:found, answer} -> {answer, session}
        end

      message ->
        case Session.handle(session, message) do
          :ignore ->
            await_until(session, function, deadline)

          {:close, reason, frames, session} ->
            found(frames ++ [{:closed, reason}], function) ||
              ExUnit.Assertions.flunk("closed: #{inspect({reason, session})}")

          {frames, session} ->
            case found(frames, function) do
              nil -> await_until(session, function, deadline)
              {:found, answer} -> keep_answers(frames, function) && {answer, session}
            end
        end
    after
      max(deadline - System.monotonic_time(:millisecond), 0) ->
        ExUnit.Assertions.flunk("the frame did not come")
    end
  end

  defp keep_answers(frames, function) do
    for {:reply, _, _, _} = frame <- frames,
        found([frame], function) == nil,
        do: send(self(), {:answered, frame})
  end

  defp found(frames, function) do
    Enum.find_value(frames, fn frame ->
      case function.(frame) do
        nil -> nil
        false -> nil
        answer -> {:found, answer}
      end
    end)
  end

  @doc "For await/2: the payload of a push, decoded."
  def push(event) do
    fn
      {:push, ^event, payload} -> decoded(payload)
      _ -> nil
    end
  end

  def reply(ref) do
    fn
      {:reply, ^ref, status, payload} -> {status, payload}
      _ -> nil
    end
  end

  def decoded({:json, text}), do: Roomfold.JSON.decode!(IO.iodata_to_binary(text))
  def decoded(payload), do: payload
end
