defmodule Roomfold.Gateway.Topic do
  @moduledoc false
  # What a topic refers to: a room or a replay.

  alias Roomfold.{Error, Replay, Room, Rooms, Session}
  alias Roomfold.Gateway.Arena

  @doc "Whether this kind of topic exists."
  def known?("room:" <> id), do: id != ""
  def known?("replay:" <> name), do: name != ""
  def known?(_), do: false

  @doc "A session for the topic, and the replay if it is one; or the reply with the error."
  def open(topic, params, user, config) when is_map(params) do
    case topic do
      "room:" <> id -> room(id, user, config)
      "replay:" <> name -> replay(name, params, user, config)
    end
  end

  def open(_, _, _, _), do: {:error, Session.reason(Error.new(:invalid_argument, detail: "the payload"))}

  defp room(id, user, config) do
    with :ok <- valid(id),
         {:ok, _} <- Room.ensure_started({config.rooms, id}, config.room),
         :ok <- admit(id, user, config) do
      {:ok, session({config.rooms, id}, user, config), nil}
    else
      {:error, %Error{} = error} -> {:error, Session.reason(error)}
    end
  end

  # The demo's room has names of its own.
  defp admit(id, user, config) do
    case Rooms.options(config.rooms, id, config.room) do
      %{module: Arena} -> Arena.admit({config.rooms, id}, user)
      _ -> :ok
    end
  end

  defp valid(id), do: if(byte_size(id) <= 255, do: :ok, else: {:error, Error.new(:invalid_id, field: "room")})

  # Linked to the channel: it ends with the channel.
  defp replay(name, params, user, config) do
    opts = [paused: params["paused"] == true]

    case start_replay(name, opts, config) do
      {:ok, replay} -> {:ok, session(replay, user, config), replay}
      {:error, %Error{} = error} -> {:error, Session.reason(error)}
    end
  end

  defp start_replay(name, opts, config) do
    case config.replays[name] do
      nil -> recorded(name, opts, config)
      own when is_function(own, 0) -> Replay.start_link(own.() ++ opts)
      own -> Replay.start_link(own ++ opts)
    end
  end

  # A replay does not start the room.
  defp recorded(id, opts, config), do: Room.replay({config.rooms, id}, opts)

  defp session(room, user, config), do: Session.new([room: room, user: user] ++ config.session)
end
