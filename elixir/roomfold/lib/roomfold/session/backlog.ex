defmodule Roomfold.Session.Backlog do
  @moduledoc false
  # What a client was sent and has not acknowledged. One that leaves too much of it unacknowledged lags, and is sent nothing more until it has
  # caught up.

  # sent: {seq, bytes}, oldest first; bytes: of all of them; acked: the highest seq that the client has acknowledged (-1: none yet);
  # lagging: since when it lags, or nil
  defstruct sent: :queue.new(), bytes: 0, acked: -1, lagging: nil

  @type t :: %__MODULE__{}

  @spec new() :: t
  def new, do: %__MODULE__{}

  @doc "The room has sent to the client directly, so many bytes up to seq, until it lagged."
  @spec behind(seq :: integer, bytes :: non_neg_integer, acked :: integer, now :: integer) :: t
  def behind(seq, bytes, acked, now),
    do:
      drop(
        %__MODULE__{sent: :queue.in({seq, bytes}, :queue.new()), bytes: bytes, acked: acked, lagging: now},
        acked
      )

  @doc "The client was sent bytes that bring it to seq."
  @spec sent(t, seq :: integer, bytes :: non_neg_integer) :: t
  def sent(%{sent: sent, bytes: all} = backlog, seq, bytes),
    do: %{backlog | sent: :queue.in({seq, bytes}, sent), bytes: all + bytes}

  @doc "The client has everything up to seq."
  @spec acknowledged(t, seq :: integer) :: t
  def acknowledged(%{acked: acked} = backlog, seq), do: drop(%{backlog | acked: max(acked, seq)}, seq)

  @spec lags(t, now :: integer) :: t
  def lags(backlog, now), do: %{backlog | lagging: now}

  @doc "Whether a client that lags has read enough to be sent something again."
  @spec caught_up?(t, most :: non_neg_integer) :: boolean
  def caught_up?(%{lagging: lagging, bytes: bytes}, most), do: lagging != nil and bytes <= div(most, 2)

  @spec catches_up(t) :: t
  def catches_up(backlog), do: %{backlog | lagging: nil}

  defp drop(%{sent: sent, bytes: bytes} = backlog, seq) do
    {sent, bytes} = drop(sent, bytes, seq)
    %{backlog | sent: sent, bytes: bytes}
  end

  defp drop(sent, all, seq) do
    case :queue.peek(sent) do
      {:value, {at, bytes}} when at <= seq -> drop(:queue.drop(sent), all - bytes, seq)
      _ -> {sent, all}
    end
  end
end
