defmodule Roomfold.Projection.Port.Journal do
  @moduledoc false
  # What a world can be recreated from: its definition or its last checkpoint, and the changes since. All of it is bytes.
  #
  # Two checkpoints are kept, and the older one is used, with all changes since: so a recreated world also has a part of its history. The
  # older one is dropped when there is a third.

  # A checkpoint is due when the changes have more bytes than the first of these; and than many times the last checkpoint, as that costs more
  # than a fold of as many bytes, but fewer times for a large one, as all of it is kept, and once for one of the most bytes. Or when there are
  # so many changes.
  @least_bytes 1_048_576
  @many_bytes 8_388_608
  @most_bytes 1_073_741_824
  @times 64
  @times_of_many 16
  @most_changes 4_096
  # What a change takes beside its bytes.
  @change_bytes 128

  @enforce_keys [:definition]
  # definition: {schema, rules, limits}; hits: the arguments of open_hits; older and base: {version, checkpoint, [change], bytes, count}, the
  # checkpoint as a list of its pieces, or nil, the last change first; limit and most: of the changes' bytes and of their count, until a
  # checkpoint is due; full: {:entity, id}, no more changes are to be kept, because of this entity
  defstruct [
    :definition,
    hits: nil,
    older: nil,
    base: {1, nil, [], 0, 0},
    limit: @least_bytes,
    most: @most_changes,
    full: nil
  ]

  @type change :: {version :: pos_integer, name :: atom, argument :: term}

  def new(definition), do: %__MODULE__{definition: definition}

  @doc "Adds a change, of about this many bytes."
  def add(journal, change, size) do
    {version, checkpoint, changes, bytes, count} = journal.base
    %{journal | base: {version, checkpoint, [change | changes], bytes + size, count + 1}}
  end

  @doc "Whether a checkpoint is due."
  def due?(%{base: {_, _, _, bytes, count}} = journal), do: bytes > journal.limit or count >= journal.most

  @doc "Adds a checkpoint of the world at a version, in pieces."
  def rebase(journal, version, checkpoint) do
    %{
      journal
      | older: journal.base,
        base: {version, checkpoint, [], 0, 0},
        limit: limit(IO.iodata_length(checkpoint)),
        most: @most_changes
    }
  end

  defp limit(size) do
    Enum.max([
      @least_bytes,
      min(@times * size, @many_bytes),
      min(@times_of_many * size, @most_bytes),
      size
    ])
  end

  @doc "A checkpoint failed: the next try is put off."
  def put_off(journal), do: %{journal | limit: 2 * journal.limit, most: 2 * journal.most}

  @doc """
  A checkpoint was refused, as this entity is longer than a frame, which has at most so many bytes. As much is kept without one as with that
  of a world of a frame; then it is tried a last time, and if it is still refused, the journal is full.
  """
  def too_long(journal, max_frame_bytes, entity) do
    {_, _, _, bytes, count} = journal.base
    bound = @times_of_many * max(max_frame_bytes, @least_bytes)
    journal = put_off(journal)

    %{
      journal
      | limit: min(journal.limit, bound),
        most: min(journal.most, div(bound, @change_bytes)),
        full: if(bytes > bound or count * @change_bytes > bound, do: {:entity, entity})
    }
  end

  @doc "The start, {version, checkpoint | nil}, and all changes since, in order."
  @spec plan(%__MODULE__{}) :: {{pos_integer, [binary] | nil}, [change]}
  def plan(%{older: nil, base: {version, checkpoint, changes, _, _}}),
    do: {{version, checkpoint}, Enum.reverse(changes)}

  def plan(%{older: {version, checkpoint, older, _, _}, base: {_, _, changes, _, _}}),
    do: {{version, checkpoint}, Enum.reverse(older, Enum.reverse(changes))}

  @doc "How many bytes are kept."
  def bytes(%{older: older, base: base}), do: bytes_of(older) + bytes_of(base)

  defp bytes_of(nil), do: 0
  defp bytes_of({_, checkpoint, _, bytes, _}), do: IO.iodata_length(checkpoint || []) + bytes
end
