defmodule Roomfold.Projection.Native do
  @moduledoc false
  # A thin layer over the NIF: {ref, version}, errors and reports.
  @behaviour Roomfold.Projection

  alias Roomfold.{Error, Level, Native, Report, Rules, Schema}

  @impl true
  def new(schema, rules, limits) do
    seed = :rand.uniform(0xFFFFFFFFFFFFFFFF)

    limits =
      {limits.seq, seed, limits.max_entities, limits.max_value_bytes, limits.max_undeclared, limits.history}

    # Worlds of the same texts share what they compile to.
    schema = Schema.to_json(schema, impl: :native)
    schema |> Native.world_new(Rules.to_json(rules, impl: :native), limits) |> state()
  end

  @impl true
  def fold({ref, version}, input), do: ref |> Native.world_fold(version, input) |> changed(ref)

  @impl true
  def admit({ref, version}, at, items), do: ref |> Native.world_admit(version, at, items) |> result()

  @impl true
  def fold_plain(state, frame), do: fold(state, {:plain, frame})

  @impl true
  def input_text({ref, version}, frame, user, move),
    do: ref |> Native.world_input(version, frame, user, move) |> result()

  @impl true
  def events_text({ref, version}, frame), do: ref |> Native.world_events_text(version, frame) |> result()

  @impl true
  def copy({ref, version}), do: ref |> Native.world_copy(version) |> state()

  @impl true
  def get({ref, version}, id), do: ref |> Native.world_get(version, id) |> result()

  @impl true
  def query({ref, version}, names), do: ref |> Native.world_query(version, names) |> result()

  @impl true
  def snapshot({ref, version}, by), do: ref |> Native.world_snapshot(version, by) |> result()

  @impl true
  def diff({ref, version}, from), do: ref |> Native.world_diff(version, from) |> result()

  @impl true
  def encode({ref, version}, what, :packed, _),
    do: ref |> Native.world_encode_packed(version, from(what)) |> result()

  def encode({ref, version}, what, :json, opts) do
    from = from(what)
    ref |> Native.world_encode(version, from, opts.by, opts.frame) |> result()
  end

  defp from(:snapshot), do: nil
  defp from({:diff, from}), do: from

  @impl true
  def apply_diff({ref, version}, {:packed, frame}),
    do: ref |> Native.world_apply_packed(version, frame) |> whole(ref)

  def apply_diff({ref, version}, diff), do: ref |> Native.world_apply_diff(version, diff) |> changed(ref)

  @impl true
  def load({ref, version}, {:packed, frame}),
    do: ref |> Native.world_load_packed(version, frame) |> whole(ref)

  def load({ref, version}, entities), do: ref |> Native.world_load(version, entities) |> changed(ref)

  @impl true
  def open_hits({ref, version} = state, level, history) do
    ref |> Native.hits_open(version, history, Level.to_terms(level)) |> done(state)
  end

  @impl true
  def cast({ref, version}, {:packed, _, _} = shots) do
    with {:ok, {answers, ids}} <- ref |> Native.hits_cast(version, shots) |> result(),
         do: {:ok, {answers, ids |> Enum.reverse() |> List.to_tuple()}}
  end

  def cast({ref, version}, shots), do: ref |> Native.hits_cast(version, shots) |> result()

  @impl true
  def overlap({ref, version}, zones), do: ref |> Native.hits_overlap(version, zones) |> result()

  @impl true
  def mark({ref, version} = state, time), do: ref |> Native.hits_mark(version, time) |> done(state)

  defp done(:ok, state), do: {:ok, state}
  defp done({:error, error}, _), do: {:error, Error.from(error)}

  @impl true
  def info({ref, version}) do
    with {:ok, {seq, start, count, memory}} <- result(Native.world_info(ref, version)) do
      {:ok, %{seq: seq, start: start, count: count, memory: memory}}
    end
  end

  defp state({:ok, ref, version}), do: {:ok, {ref, version}}
  defp state({:error, error}), do: {:error, Error.from(error)}

  defp changed({:ok, version, report}, ref), do: {:ok, {ref, version}, Report.from_native(report)}
  defp changed({:error, error}, _ref), do: {:error, Error.from(error)}

  # A frame is applied as a whole or not at all: there is nothing to report.
  defp whole({:ok, version}, ref), do: {:ok, {ref, version}, %Report{}}
  defp whole({:error, error}, _ref), do: {:error, Error.from(error)}

  defp result({:ok, value}), do: {:ok, value}
  defp result({:error, error}), do: {:error, Error.from(error)}
end
