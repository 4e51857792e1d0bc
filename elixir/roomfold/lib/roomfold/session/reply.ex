defmodule Roomfold.Session.Reply do
  @moduledoc false
  # The replies to what a client has sent, from the room's answers.

  alias Roomfold.Error
  alias Roomfold.Room.Text

  # What was published and is not answered yet, by the room's ref: the client's ref, and the event whose payload was the client's own text, or
  # nil.
  @type waiting :: %{term => {ref :: term, event :: String.t() | nil}}

  @doc "The replies to these answers, and what waits still. An answer to what was published before the session came back is left out."
  @spec answers(
          [{term, {:ok, [pos_integer] | Range.t()} | {:error, Error.t()}}],
          waiting,
          json :: module | atom
        ) ::
          {[Roomfold.Session.frame()], waiting}
  def answers([], waiting, _), do: {[], waiting}

  def answers([{room_ref, answer} | answers], waiting, json) do
    case waiting do
      %{^room_ref => {ref, event}} ->
        {replies, waiting} = answers(answers, Map.delete(waiting, room_ref), json)
        {reply(ref, event, answer, json) ++ replies, waiting}

      _ ->
        answers(answers, waiting, json)
    end
  end

  @doc "What waited when the room was gone: it may or may not be in its log."
  @spec lost(waiting) :: [Roomfold.Session.frame()]
  def lost(waiting), do: Enum.flat_map(waiting, fn {_, {ref, _}} -> error(ref, Error.new(:room_closed)) end)

  @doc "The reply that refuses a message; none without a ref."
  @spec error(ref :: term, Error.t()) :: [Roomfold.Session.frame()]
  def error(nil, _), do: []
  def error(ref, error), do: [{:reply, ref, :error, reason(error)}]

  @spec reason(Error.t()) :: map
  def reason(%Error{} = error) do
    where =
      for key <- [:index, :field, :component, :offset],
          value = Map.get(error, key),
          into: %{},
          do: {to_string(key), value}

    Map.merge(%{"reason" => to_string(error.reason), "message" => error.message}, where)
  end

  defp reply(nil, _, _, _), do: []
  defp reply(ref, _, {:ok, []}, _), do: [{:reply, ref, :ok, %{}}]
  defp reply(ref, _, {:ok, seqs}, _), do: [{:reply, ref, :ok, %{"seq" => List.last(seqs)}}]
  defp reply(ref, event, {:error, error}, json), do: error(ref, shifted(error, event, json))

  # Offsets count from where the client's own text begins in the text that the room reads.
  defp shifted(%Error{offset: offset} = error, event, json) when offset != nil and event != nil,
    do: Error.new(error.reason, offset: max(offset - Text.head_size(event, json), 0))

  defp shifted(error, _, _), do: error
end
