defmodule Roomfold.Port.Frames do
  @moduledoc false
  # The stream of bytes between the VM and the port program: a length (4 bytes, big-endian, of what follows), the number of the call (4 bytes), a term.
  # A length is not trusted: only bytes that have arrived are kept, and a frame longer than the limit is an error.

  @enforce_keys [:limit]
  # parts: what has arrived of the next frame, the last first; size: their bytes; want: how many are needed
  defstruct [:limit, parts: [], size: 0, want: 8]

  @type t :: %__MODULE__{}
  @type frame :: {call :: non_neg_integer, term :: binary}

  @doc "For frames of at most this many bytes after the length."
  def new(limit), do: %__MODULE__{limit: limit}

  @doc "A frame to be written, as iodata, if it is not too long."
  @spec write(non_neg_integer, iodata, size :: non_neg_integer, limit :: pos_integer) ::
          {:ok, iodata} | :too_long
  def write(call, term, size, limit) do
    if size + 4 <= limit, do: {:ok, [<<size + 4::32, call::32>> | term]}, else: :too_long
  end

  @doc "Adds a piece of the stream, and returns the frames that are complete now; of a stream that is none from here on those before that."
  @spec read(t, binary) :: {:ok, [frame], t} | {:error, [frame]}
  def read(%{size: size, want: want} = frames, data) when size + byte_size(data) < want,
    do: {:ok, [], %{frames | parts: [data | frames.parts], size: size + byte_size(data)}}

  def read(%{parts: []} = frames, data), do: take(frames, data, [])

  def read(frames, data) do
    data = [data | frames.parts] |> Enum.reverse() |> IO.iodata_to_binary()
    take(%{frames | parts: [], size: 0}, data, [])
  end

  defp take(%{limit: limit} = frames, data, found) do
    case data do
      <<length::32, _::binary>> when length < 4 or length > limit ->
        {:error, Enum.reverse(found)}

      <<length::32, call::32, term::binary-size(length - 4), rest::binary>> ->
        take(frames, rest, [{call, term} | found])

      <<length::32, _::binary>> ->
        {:ok, Enum.reverse(found), rest(frames, data, length + 4)}

      _ ->
        {:ok, Enum.reverse(found), rest(frames, data, 8)}
    end
  end

  defp rest(frames, "", _), do: %{frames | parts: [], size: 0, want: 8}
  defp rest(frames, data, want), do: %{frames | parts: [data], size: byte_size(data), want: want}

  @doc "Decodes an answer; it can't create atoms, nor take more memory than its size suggests."
  @spec decode(binary) :: {:ok, term} | :error
  # Compressed terms, which the program never writes, could become a thousand times as large.
  def decode(<<131, 80, _::binary>>), do: :error

  def decode(term) do
    {:ok, :erlang.binary_to_term(term, [:safe])}
  rescue
    ArgumentError -> :error
  end
end
