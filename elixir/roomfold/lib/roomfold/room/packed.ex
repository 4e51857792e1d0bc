defmodule Roomfold.Room.Packed do
  @moduledoc false
  # Packed frames that come into a room: clients' input, which is converted to text at once, and batches of events by the room's own
  # code, which stay packed if nobody wants their text. And a client's own text, which comes beside its event's name.

  alias Roomfold.{Error, Projection, World}
  alias Roomfold.Room.{Batch, Callbacks, Text}

  @entity_events Text.entity_events()

  @doc "Events that were published together: a user's input as texts; a frame of the room itself stays as it is."
  def unpack([{:packed, frame}], {:user, user}, state),
    do: text(state.world, :input_text, [frame, user, state.options.move])

  def unpack([{name, text}], _, _) when is_binary(name), do: {:ok, [Text.joined(name, text)]}

  def unpack([{:packed, _}] = texts, _, _), do: {:ok, texts}
  def unpack([text] = texts, _, _) when is_binary(text), do: {:ok, texts}

  def unpack(texts, _, _) do
    if Enum.all?(texts, &is_binary/1),
      do: {:ok, texts},
      else: {:error, Error.new(:invalid_argument, detail: "a packed frame is published by itself")}
  end

  @doc "Whether frames can be folded as they are: only if nobody sees the events themselves."
  def stays?(%{options: options} = state) do
    options.log == nil and not state.heard? and state.asks.wanted == [] and options.impl == :native and
      not Callbacks.exports?(state, :handle_event, 3) and
      Enum.all?(@entity_events, &(&1 in options.diff_tells))
  end

  @doc "Folds a frame that must be plain."
  def fold(%World{impl: Projection.Native} = world, frame) do
    case Projection.Native.fold_plain(world.state, frame) do
      {:ok, state, report} -> {:ok, %{world | state: state}, report}
      error -> error
    end
  end

  @doc "The item with its frame converted to texts, or `{item, error}`."
  def texts(%Batch.Item{texts: [{:packed, frame}]} = item, world) do
    case text(world, :events_text, [frame]) do
      {:ok, texts} -> %{item | texts: texts, packed?: true}
      {:error, error} -> {item, error}
    end
  end

  def texts(item, _), do: item

  defp text(%World{impl: impl, state: state}, function, arguments) do
    if function_exported?(impl, function, length(arguments) + 1) do
      with {:ok, text} <- apply(impl, function, [state | arguments]),
           do: {:ok, Text.lines(text)}
    else
      {:error, Error.new(:not_supported, detail: "packed input, by #{inspect(impl)}")}
    end
  end
end
