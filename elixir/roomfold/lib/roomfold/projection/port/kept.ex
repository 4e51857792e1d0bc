defmodule Roomfold.Projection.Port.Kept do
  @moduledoc false
  # What a world can be made from again: how it was made or its last checkpoint, and what was done since. All of it is bytes.
  #
  # Of two checkpoints the older one is used, with all that was done since then: so a world that is made again also
  # knows a part of its history. The older one goes when there is a third.

  @enforce_keys [:definition]
  # definition: {schema, rules, limits}; hits: what open_hits was given; base and changes: {version, checkpoint | nil,
  # [change], bytes, count}, the last change first
  defstruct [:definition, hits: nil, older: nil, base: {1, nil, [], 0, 0}, limit: 1_048_576]

  @type change :: {version :: pos_integer, name :: atom, argument :: term}

  # Kept are changes as large as this, or so many times a checkpoint.
  @least_bytes 1_048_576
  @times_checkpoint 16
  @most_changes 4_096

  def new(definition), do: %__MODULE__{definition: definition}

  @doc "One more change, of about so many bytes."
  def add(kept, change, size) do
    {version, checkpoint, changes, bytes, count} = kept.base
    %{kept | base: {version, checkpoint, [change | changes], bytes + size, count + 1}}
  end

  @doc "Whether a checkpoint is due."
  def due?(%{base: {_, _, _, bytes, count}, limit: limit}), do: bytes > limit or count >= @most_changes

  @doc "With a checkpoint of the world at a version."
  def rebase(kept, version, checkpoint) do
    limit = max(@least_bytes, @times_checkpoint * byte_size(checkpoint))
    %{kept | older: kept.base, base: {version, checkpoint, [], 0, 0}, limit: limit}
  end

  @doc "There can be no checkpoint now: not to be asked for again soon."
  def put_off(kept), do: %{kept | limit: kept.limit * 2}

  @doc "Where to start from: {version, checkpoint | nil}; and all changes since, in their order."
  @spec plan(%__MODULE__{}) :: {{pos_integer, binary | nil}, [change]}
  def plan(%{older: nil, base: {version, checkpoint, changes, _, _}}),
    do: {{version, checkpoint}, Enum.reverse(changes)}

  def plan(%{older: {version, checkpoint, older, _, _}, base: {_, _, changes, _, _}}),
    do: {{version, checkpoint}, Enum.reverse(older, Enum.reverse(changes))}

  @doc "Bytes that are kept."
  def bytes(%{older: older, base: base}), do: bytes_of(older) + bytes_of(base)

  defp bytes_of(nil), do: 0
  defp bytes_of({_, checkpoint, _, bytes, _}), do: byte_size(checkpoint || "") + bytes
end
