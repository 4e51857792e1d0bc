defmodule Roomfold.Session.Lane do
  @moduledoc false
  # Whether the room sends to the client directly, past the session (`Roomfold.Room.Fastlane`), and what the room knows of the client's
  # acknowledgements then.

  # host: {pid, {module, argument}} of the session's option :fastlane, or nil; fast?: whether the room was asked, and has not sent to the
  # session since; told: the acknowledged seq that was passed to the room (-1: none yet), at told_at; tells?: whether a timer runs after which
  # the room is told of the newest one
  defstruct [:host, :told_at, fast?: false, told: -1, tells?: false]

  @type t :: %__MODULE__{}

  # The room is told of acknowledgements at most this often; of the last one in any case.
  @tell_ms 250

  @spec new(host :: {pid, {module, term}} | nil) :: t
  def new(host), do: %__MODULE__{host: host}

  @doc "The session has joined, or joined again."
  @spec joined(t) :: t
  def joined(lane), do: %{lane | fast?: false, told: -1}

  @doc "From now on the room sends to the client."
  @spec enter(t) :: t
  def enter(lane), do: %{lane | fast?: true}

  @doc "The room sends to the session again."
  @spec leave(t) :: t
  def leave(%{fast?: false} = lane), do: lane
  def leave(lane), do: %{lane | fast?: false}

  @doc "So it does, and knows of no more than acked."
  @spec leave(t, acked :: integer) :: t
  def leave(%{told: told} = lane, acked), do: %{lane | fast?: false, told: min(told, acked)}

  @doc "What to do about an acknowledgement: tell the room now, wait some milliseconds, or nothing."
  @spec tell(t, acked :: integer, now :: integer) :: {:now | {:later, pos_integer} | :nothing, t}
  def tell(%{fast?: true, tells?: false, told: told, told_at: told_at} = lane, acked, now)
      when acked > told do
    wait = if told_at, do: told_at + @tell_ms - now, else: 0

    if wait > 0,
      do: {{:later, wait}, %{lane | tells?: true}},
      else: {:now, %{lane | told: acked, told_at: now}}
  end

  def tell(lane, _, _), do: {:nothing, lane}

  @doc "The time to wait is over."
  @spec waited(t) :: t
  def waited(lane), do: %{lane | tells?: false}
end
