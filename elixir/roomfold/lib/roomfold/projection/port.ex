defmodule Roomfold.Projection.Port do
  @moduledoc false
  # Worlds in a port program. A value contains where the world is, its version, and what it can be recreated from (Journal) if the program ends.
  #
  # Versions are counted twice. The program refuses calls for any but the newest; and `newest`, which all values of a world share, is still
  # known when the program has lost the world, so that an older value stays refused.
  @behaviour Roomfold.Projection

  alias Roomfold.{Error, Level, Report, Rules, Schema}
  alias Roomfold.Port, as: Pool
  alias Roomfold.Port.{Frames, Worker}
  alias Roomfold.Projection.Port.Journal

  @enforce_keys [:pool, :worker, :number, :version, :newest, :journal, :max_frame_bytes]
  defstruct [:pool, :worker, :number, :version, :newest, :journal, :max_frame_bytes]

  # How often a call is tried at which the program ends (one that takes too long: once more), and how often one that was lost with the program,
  # which may happen more often:
  @tries 3
  @losses 20
  @pause_ms 10
  # Why a world can't be recreated, however often that is tried.
  @for_good [:no_memory, :too_large, :invalid_snapshot, :world_full]
  @endless "it did not finish making a lost world again"
  # Bytes of a piece of a checkpoint, unless an entity has more: as a call's time is limited, whatever a frame may have. The program also makes
  # about as many entities at once as a piece holds.
  @part 8_388_608
  # Bytes of changes that are sent at once when a world is recreated.
  @piece 1_048_576
  # Bytes of their frame beside them, at most.
  @frame 64
  # More pieces than a checkpoint has.
  @many 0x7FFFFFFF

  @impl true
  def json, do: :elixir

  @impl true
  def new(schema, rules, limits), do: new(schema, rules, limits, Pool)

  @doc "The same, in a pool."
  def new(schema, rules, limits, pool) do
    Pool.ensure!(pool)
    seed = :rand.uniform(0xFFFFFFFFFFFFFFFF)

    limits =
      {limits.seq, seed, limits.max_entities, limits.max_value_bytes, limits.max_undeclared, limits.history}

    definition = {Schema.to_json(schema), Rules.to_json(rules), limits}
    number = System.unique_integer([:positive])

    state = %__MODULE__{
      pool: pool,
      worker: Pool.worker_name(pool, Pool.worker_for(pool)),
      number: number,
      version: 1,
      newest: newest(1),
      journal: Journal.new(definition),
      max_frame_bytes: Pool.max_frame_bytes(pool)
    }

    with {:ok, {:ok, 1}} <- attempt(state, {:new, number, 1, definition}, {:make, number}, @tries, @losses),
         do: {:ok, state},
         else: (failure -> failed(failure))
  end

  defp newest(version) do
    newest = :atomics.new(1, signed: false)
    :atomics.put(newest, 1, version)
    newest
  end

  # ---- changes ----

  @impl true
  def fold(state, {:list, events}), do: change(state, :fold, {:list, :erlang.term_to_binary(events)})
  def fold(state, {kind, bytes}), do: change(state, :fold, {kind, bytes})

  @impl true
  def apply_diff(state, {:packed, frame}), do: change(state, :apply_packed, frame)
  def apply_diff(state, diff), do: change(state, :apply_diff, :erlang.term_to_binary(diff))

  @impl true
  def load(state, {:packed, frame}), do: change(state, :load_packed, frame)
  def load(state, entities), do: change(state, :load, :erlang.term_to_binary(entities))

  defp change(%{journal: %{full: {:entity, id}}}, _, _), do: full(id)

  # The caller that raises the version is the only one to use the world until it has an answer.
  defp change(%{version: version} = state, name, argument) do
    state = here(state)

    if :atomics.compare_exchange(state.newest, 1, version, version + 1) == :ok do
      case call(state, name, argument) do
        {:ok, {:ok, raised, report}} when raised == version + 1 ->
          journal = Journal.add(state.journal, {version, name, own(argument)}, size(argument))
          {:ok, checkpoint(%{state | version: raised, journal: journal}), Report.from_native(report)}

        failure ->
          :atomics.put(state.newest, 1, version)
          failed(failure)
      end
    else
      {:error, Error.new(:folded_on)}
    end
  end

  defp size({_, bytes}), do: size(bytes)
  defp size(bytes) when is_binary(bytes), do: byte_size(bytes)
  defp size(_), do: 16

  # Copied, since a small part of a large binary would keep all of it.
  defp own({kind, bytes}), do: {kind, own(bytes)}

  defp own(bytes) when is_binary(bytes) do
    if :binary.referenced_byte_size(bytes) > 2 * byte_size(bytes) + 64, do: :binary.copy(bytes), else: bytes
  end

  defp own(other), do: other

  defp checkpoint(state),
    do: if(Journal.due?(state.journal), do: %{state | journal: checkpointed(state)}, else: state)

  # The world may be lost and recreated between two pieces; if that one has forgotten more, what was taken so far is of no use.
  defp checkpointed(%{journal: journal} = state, tries \\ @tries) do
    # A pool that was started again may have another limit.
    state = %{state | max_frame_bytes: Pool.max_frame_bytes(state.pool, state.max_frame_bytes)}

    case pieces(state, nil, @part, piece_bytes(state), []) do
      {:ok, pieces} when is_list(pieces) -> Journal.rebase(journal, state.version, pieces)
      {:ok, {:error, {:history_gone, _, _}}} when tries > 1 -> checkpointed(state, tries - 1)
      {:ok, {:error, {:too_large, about, _}}} -> Journal.too_long(journal, state.max_frame_bytes, about)
      _ -> Journal.put_off(journal)
    end
  end

  # Of so many bytes each, and of at most so many.
  defp pieces(state, place, bytes, most, taken) do
    case call(state, :checkpoint, {place, min(bytes, most)}) do
      {:ok, {:ok, piece, nil}} when is_binary(piece) ->
        {:ok, Enum.reverse(taken, [piece])}

      # nil is before all places.
      {:ok, {:ok, piece, next}} when is_binary(piece) and next > place ->
        pieces(state, next, @part, most, [piece | taken])

      # An entity has more.
      {:ok, {:error, {:too_large, _, _}}} when bytes < most ->
        pieces(state, place, 2 * bytes, most, taken)

      failure ->
        failure
    end
  end

  # What a frame has room for beside all else that restores a world.
  defp piece_bytes(state) do
    frame = restore(state, state.version, "", @many, state.journal.definition)
    max(state.max_frame_bytes - 4 - :erlang.external_size(frame), 0)
  end

  # Without a checkpoint all changes would be kept, for ever. id: of the entity that stands in its way.
  defp full(id) do
    what = if id, do: "entity #{inspect(id)}", else: "the world's schema and rules"
    why = "which a frame of a checkpoint has no room for (:max_frame_bytes), so no more changes can be kept"
    {:error, Error.new(:too_large, detail: "#{what}, #{why}")}
  end

  @impl true
  def open_hits(state, level, history) do
    hits = {history, level |> Level.to_terms() |> :erlang.term_to_binary()}
    state = here(state)

    with {:ok, {:ok, _, _}} <- read(state, :open_hits, hits),
         do: {:ok, %{state | journal: %{state.journal | hits: hits}}},
         else: (failure -> failed(failure))
  end

  @impl true
  def mark(%{journal: %{full: {:entity, id}}}, _), do: full(id)

  def mark(state, time) do
    state = here(state)

    with {:ok, {:ok, _, _}} <- read(state, :mark, time),
         do:
           {:ok, checkpoint(%{state | journal: Journal.add(state.journal, {state.version, :mark, time}, 16)})},
         else: (failure -> failed(failure))
  end

  # ---- copies ----

  @impl true
  def copy(state) do
    state = here(state)
    copy = %{state | number: System.unique_integer([:positive]), newest: newest(state.version)}

    with {:ok, {:ok, _}} <- read(state, :copy, copy.number, {:make, copy.number}),
         do: {:ok, copy},
         else: (failure -> failed(failure))
  end

  @doc "Frees the world's memory in the program."
  def release(state) do
    free = &ask(&1, {:free, state.number, 0, nil}, {:drop, state.number})
    with {:error, :down} <- free.(state), do: free.(moved(state))
    :ok
  end

  # ---- reads ----

  @impl true
  def get(state, id), do: state |> read(:get, id) |> value()

  @impl true
  def query(state, names), do: state |> read(:query, names) |> value()

  @impl true
  def snapshot(state, by), do: state |> read(:snapshot, by) |> value()

  @impl true
  def diff(state, from), do: state |> read(:diff, from) |> value()

  @impl true
  def encode(state, what, :packed, _), do: state |> read(:encode_packed, from(what)) |> value()

  def encode(state, what, :json, opts),
    do: state |> read(:encode, {from(what), opts.by, opts.frame}) |> value()

  defp from(:snapshot), do: nil
  defp from({:diff, from}), do: from

  @impl true
  def admit(state, at, items) do
    items = for {by, trusted, texts} <- items, do: {by, trusted, Enum.map(texts, &IO.iodata_to_binary/1)}

    with {:ok, {answers, text}} <- state |> read(:admit, {at, items}) |> value(),
         do: {:ok, {text, Enum.reverse(answers)}}
  end

  @impl true
  def fold_plain(state, frame), do: fold(state, {:plain, frame})

  @impl true
  def input_text(state, frame, user, move), do: state |> read(:input_text, {frame, user, move}) |> value()

  @impl true
  def events_text(state, frame), do: state |> read(:events_text, frame) |> value()

  @impl true
  def cast(state, {:packed, shots, owners}) do
    owners = for owner <- Tuple.to_list(owners), do: if(is_binary(owner), do: owner)

    with {:ok, {answers, ids}} <-
           state |> read(:cast, {:packed, shots, :erlang.term_to_binary(owners)}) |> value(),
         do: {:ok, {answers, List.to_tuple(ids)}}
  end

  def cast(state, shots), do: hits(state, :cast, shots)

  @impl true
  def overlap(state, zones), do: hits(state, :overlap, zones)

  defp hits(state, name, list) do
    with {:ok, answers} <- state |> read(name, :erlang.term_to_binary(list)) |> value(),
         do: {:ok, Enum.reverse(answers)}
  end

  @impl true
  def info(state) do
    with {:ok, {seq, start, count, memory}} <- state |> read(:info, nil) |> value(),
         do: {:ok, %{seq: seq, start: start, count: count, memory: memory}}
  end

  defp read(state, name, argument, touch \\ nil) do
    if :atomics.get(state.newest, 1) == state.version,
      do: call(state, name, argument, touch),
      else: {:error, Error.new(:folded_on)}
  end

  defp value({:ok, {:ok, value}}), do: {:ok, value}
  defp value(failure), do: failed(failure)

  # ---- calls ----

  # {:ok, the program's answer}, or {:error, error}.
  defp call(state, name, argument, touch \\ nil) do
    term = {name, state.number, state.version, argument}
    attempt(state, term, touch || {:use, state.number}, @tries, @losses)
  end

  defp attempt(state, term, touch, tries, losses) do
    case ask(state, term, touch) do
      {:ok, {:error, {:lost, _, _}}} when losses > 0 ->
        {microseconds, made} = :timer.tc(fn -> make_again(state) end)
        Worker.made_again(state.worker, microseconds)

        case made do
          # It would fail again.
          {:ok, {:error, {reason, _, _}}} when reason in @for_good -> made
          {:error, :too_large} -> made
          {:error, :timeout} when tries == 1 -> made
          {:error, :timeout} -> attempt(state, term, touch, tries - 1, losses - 1)
          {:error, :endless} when tries > 1 -> attempt(state, term, touch, tries - 1, losses - 1)
          {:error, :endless} -> made
          # If it was not made, the next try will show why.
          _ -> attempt(state, term, touch, tries, losses - 1)
        end

      {:error, :restarted} when losses > 0 ->
        attempt(state, term, touch, tries, losses - 1)

      # The worker is being restarted, or its pool is, or was stopped.
      {:error, :down} ->
        case Pool.revive(state.pool) do
          _ when losses > 0 ->
            moved = moved(state)
            if moved == state, do: Process.sleep(@pause_ms)
            attempt(moved, term, touch, tries, losses - 1)

          {:error, why} ->
            {:error, Error.new(:port_crashed, detail: why)}

          :ok ->
            {:error, :down}
        end

      {:error, :crashed} when tries > 1 ->
        attempt(state, term, touch, tries - 1, losses)

      # The machine may have stood still.
      {:error, :timeout} when tries > 1 ->
        attempt(state, term, touch, 1, losses)

      other ->
        other
    end
  end

  # A pool that was started again may have fewer programs than before: from its next change on, a value says where its world is.
  defp here(state), do: if(GenServer.whereis(state.worker), do: state, else: moved(state))
  defp moved(state), do: %{state | worker: Pool.worker_of(state.pool, state.worker, state.number)}

  # One call, one answer.
  defp ask(state, term, touch) do
    with {:ok, answer, _} <- ask_program(state, term, touch), do: {:ok, answer}
  end

  # With the run of the program that has given it.
  defp ask_program(state, term, touch) do
    with {:ok, bytes, run} <- Worker.call(state.worker, term, touch) do
      case Frames.decode(bytes) do
        {:ok, answer} when is_tuple(answer) ->
          {:ok, answer, run}

        _ ->
          Worker.distrust(state.worker, run)
          {:error, :crashed}
      end
    end
  end

  @reasons %{
    crashed: :port_crashed,
    restarted: :port_crashed,
    down: :port_crashed,
    timeout: :port_timeout,
    busy: :port_busy
  }

  defp failed({:error, %Error{}} = error), do: error

  defp failed({:error, :too_large}),
    do: {:error, Error.new(:too_large, detail: "a call to a port program (:max_frame_bytes)")}

  defp failed({:error, :endless}),
    do: {:error, Error.new(:port_crashed, detail: @endless)}

  defp failed({:error, failure}), do: {:error, Error.new(Map.fetch!(@reasons, failure))}
  defp failed({:ok, {:error, {:lost, _, _}}}), do: {:error, Error.new(:port_crashed)}

  defp failed({:ok, {:error, {reason, about, offset}}})
       when is_atom(reason) and (about == nil or is_binary(about)) and (offset == nil or is_integer(offset)),
       do: {:error, Error.from({reason, about, offset})}

  defp failed({:ok, _}), do: {:error, Error.new(:port_crashed)}

  # ---- recreating a world ----

  # Other processes may be doing the same: each step carries the version it belongs to, and is skipped if it has been done.
  defp make_again(state) do
    {{version, checkpoint}, changes} = Journal.plan(state.journal)

    with :ok <- start_again(state, version, checkpoint),
         :ok <- open_again(state, version) do
      replay(state, changes)
    end
  end

  defp start_again(state, version, nil) do
    with {:ok, {:ok, _}} <-
           ask(state, {:new, state.number, version, state.journal.definition}, {:make, state.number}),
         do: :ok
  end

  defp start_again(state, version, pieces), do: restore_all(state, version, pieces, 0, length(pieces))

  # again: how often the last one may be answered that the world is not there yet.
  defp restore_all(state, version, [piece | rest] = pieces, index, again) do
    definition = if rest == [], do: state.journal.definition

    case ask_program(state, restore(state, version, piece, index, definition), {:make, state.number}) do
      {:ok, {:ok, nil}, _} when rest != [] ->
        restore_all(state, version, rest, index + 1, again)

      # All have come: of a large world, the last one is repeated until its entities have been made, about a piece of them each time.
      {:ok, {:ok, nil}, _} when again > 0 ->
        restore_all(state, version, pieces, index, again - 1)

      {:ok, {:ok, nil}, run} ->
        Worker.distrust(state.worker, run, @endless)
        {:error, :endless}

      # Made, perhaps by another process.
      {:ok, {:ok, _}, _} ->
        :ok

      {:ok, failure, _} ->
        {:ok, failure}

      failure ->
        failure
    end
  end

  defp restore(state, version, piece, index, definition),
    do: {:restore, state.number, version, {piece, index, definition}}

  defp fits?(state, term), do: :erlang.external_size(term) + 4 <= state.max_frame_bytes

  defp open_again(%{journal: %{hits: nil}}, _), do: :ok
  defp open_again(state, version), do: again(state, {:open_hits, version, state.journal.hits})

  defp again(state, {name, version, argument}) do
    case ask(state, {name, state.number, version, argument}, {:use, state.number}) do
      {:ok, {:ok, _, _}} -> :ok
      # Another process is further.
      {:ok, {:error, {:folded_on, _, _}}} -> :ok
      other -> other
    end
  end

  # As many changes at once as a frame holds. One that alone is too long for that was a call that was not.
  defp replay(_, []), do: :ok

  defp replay(state, [{version, name, argument} = change | changes]) do
    if fits?(state, {:replay, state.number, 0, [change]}) do
      {piece, rest} = piece(state, changes, :erlang.external_size(change), [change])

      with {:ok, {:ok, _}} <- ask(state, {:replay, state.number, 0, piece}, {:use, state.number}),
           do: replay(state, rest)
    else
      with :ok <- again(state, {name, version, argument}), do: replay(state, changes)
    end
  end

  defp piece(state, [change | changes], bytes, taken) do
    bytes = bytes + :erlang.external_size(change)

    if bytes + @frame <= min(@piece, state.max_frame_bytes),
      do: piece(state, changes, bytes, [change | taken]),
      else: {Enum.reverse(taken), [change | changes]}
  end

  defp piece(_, [], _, taken), do: {Enum.reverse(taken), []}
end
