defmodule Roomfold.Room.Commit do
  @moduledoc false
  # From the queue into the log and then into the world: flush/3 hands the log a batch, committed/3 folds it when the log has it. One
  # batch at a time. Frames that nobody wants as text, in a room without a log, are folded at once.

  alias Roomfold.{Error, Hits, World}

  alias Roomfold.Room.{
    Batch,
    Callbacks,
    Delivery,
    Gate,
    Membership,
    Options,
    Packed,
    Queue,
    Residents,
    Schedule,
    Text
  }

  # ---- into the log ----

  @doc "Everything that waits goes to the log, unless a commit is still running."
  def flush(state, now, undo \\ %{})

  def flush(%{commit: nil, queue: [_ | _]} = state, now, undo) do
    items = Enum.reverse(state.queue)
    state = %{state | queue: [], queued: 0, last_flush: now}

    cond do
      not state.packed? -> append(state, items, [], now, undo)
      Packed.stays?(state) -> fold_packed(%{state | packed?: false}, items, now)
      true -> append_as_text(%{state | packed?: false}, items, now, undo)
    end
  end

  def flush(state, _, _), do: {[], state}

  @doc "The same if it is time, in a room that does not tick."
  def flush_if_due(state, now) do
    if state.queue != [] and now >= Schedule.flush_at(state), do: flush(state, now), else: {[], state}
  end

  @doc "The same; a room that ticks waits for its next tick."
  def flush_between_ticks(state, now),
    do: if(Schedule.ticking?(state), do: {[], state}, else: flush_if_due(state, now))

  defp append_as_text(state, items, now, undo) do
    {items, refused} =
      items |> Enum.map(&Packed.texts(&1, state.world)) |> Enum.split_with(&is_struct(&1, Batch.Item))

    append(state, items, refused, now, undo)
  end

  defp append(state, items, refused, now, undo) do
    {items, rest} = Queue.split(items, state)
    state = if rest == [], do: state, else: Queue.return(state, Enum.reverse(rest))
    upto = if rest == [], do: state.ids, else: hd(rest).number - 1

    case Batch.build(items, context(state, now)) do
      {:ok, %{items: []} = batch} ->
        {failed, state} = Membership.settled(state, upto)
        {refusals(refused ++ batch.refused) ++ failed, state}

      {:ok, batch} ->
        state = %{state | commit: %{batch: batch, waited: items, upto: upto, undo: undo}}
        {refusals(refused ++ batch.refused) ++ [{:append, batch.first - 1, batch.records}], state}

      # As if the log had refused it.
      {:error, error} ->
        batch = %Batch{items: items, records: Enum.flat_map(items, & &1.texts)}
        commit = %{batch: batch, waited: items, upto: upto, undo: undo}
        {effects, state} = committed(%{state | commit: commit}, {:error, error}, now)
        {refusals(refused) ++ effects, state}
    end
  end

  defp context(state, now) do
    %{
      world: state.world,
      seq: state.seq,
      at: Schedule.at(state, now),
      json: Options.json(state.options),
      max_event_bytes: state.options.max_event_bytes,
      adjust: Gate.adjust(state)
    }
  end

  # ---- without a log and without text ----

  # Frames are folded as they are, with the texts between them, in the order they came.
  defp fold_packed(state, items, now) do
    from = state.seq

    {effects, {state, records}} =
      items
      |> Enum.chunk_by(&match?(%{texts: [{:packed, _}]}, &1))
      |> Enum.flat_map_reduce({state, []}, &fold_chunk(&1, &2, now))

    {failed, state} = state |> stamped(now) |> Membership.settled(state.ids)
    {updates, state} = Delivery.update(state, records, from)
    {[{:publish, records}] ++ updates ++ effects ++ failed, state}
  end

  defp fold_chunk([%{texts: [{:packed, _}]} | _] = items, {state, records}, _) do
    {effects, state} = Enum.flat_map_reduce(items, state, &fold_frame/2)
    {effects, {state, records}}
  end

  defp fold_chunk(items, {state, records}, now) do
    {:ok, batch} = Batch.build(items, context(state, now))
    {:ok, world, report} = World.fold(state.world, {:json, batch.text})
    effects = refusals(batch.refused) ++ replies(batch, report)
    seq = state.seq + length(batch.records)
    state = %{state | world: world, seq: seq, logged_users: Membership.logged(state, batch)}
    {effects, {state, records ++ batch.records}}
  end

  defp fold_frame(%{texts: [{:packed, frame}]} = item, state) do
    {answer, world} =
      case Packed.fold(state.world, frame) do
        {:ok, world, %{rejected: [{_, error} | _]}} -> {{:error, error}, world}
        {:ok, world, _} -> {{:ok, (state.seq + 1)..World.seq(world)//1}, world}
        {:error, error} -> {{:error, error}, state.world}
      end

    {frame_reply(item, answer), %{state | world: world, seq: World.seq(world)}}
  end

  defp frame_reply(item, {:error, error}), do: [refusal(item, error)]
  defp frame_reply(%{to: nil}, _), do: []
  defp frame_reply(%{to: to}, answer), do: [{:reply, to, answer}]

  # ---- what the log answers ----

  @doc "The log has written the batch, or refused it."
  def committed(%{commit: %{batch: batch, upto: upto}} = state, :ok, now) do
    {:ok, world, report} = World.fold(state.world, {:json, batch.text})
    from = state.seq
    state = Schedule.on_beat(state, now)
    state = stamped(%{state | commit: nil, world: world, seq: from + length(batch.records)}, now)
    state = %{state | news: news(state, batch.records), logged_users: Membership.logged(state, batch)}

    {failed, state} = Membership.settled(state, upto)
    {caused, failures, state} = Callbacks.caused(state, batch.records)
    {updates, state} = Delivery.update(state, batch.records, from)
    {keeps, state} = keep(state)
    effects = [{:publish, batch.records}] ++ updates ++ replies(batch, report) ++ keeps
    {refused, state} = Queue.push_own(state, state.options.module, :system, caused)
    {more, state} = flush_between_ticks(state, now)
    {effects ++ failed ++ failures ++ refused ++ more, state}
  end

  def committed(%{commit: %{batch: batch, waited: waited, undo: undo}} = state, {:error, error}, _) do
    {said, fields} = Map.pop(undo, :said, state.ids)
    # What is too large for the log will be so the next time, too.
    {lost, again} =
      if error.reason == :too_large, do: {batch.items, []}, else: {published(batch), batch.items}

    state = %{state | commit: nil} |> Map.merge(fields) |> Queue.put_back(again, waited, said)
    replies = for item <- lost, do: refusal(item, error)
    failed = {:measure, [:commit, :failed], %{events: length(batch.records)}, %{error: error}}

    # Another process writes this room now, or the log does not end where we left it: our state is of no use any more.
    stop = if error.reason in [:old_term, :wrong_seq, :no_room], do: [{:stop, error.reason}], else: []
    {failures, state} = if state.queue == [], do: Membership.settled(state, state.ids), else: {[], state}
    {[failed | replies] ++ failures ++ stop, state}
  end

  defp published(batch), do: Enum.reject(batch.items, &(&1.to == nil))

  # Folded events happened now: this is where everything was at that time.
  defp stamped(state, now) do
    state = %{state | last_at: Schedule.at(state, now)}
    if state.options.rewind, do: %{state | world: mark(state.world, state.last_at)}, else: state
  end

  defp mark(world, time) do
    {:ok, world} = Hits.mark(world, time)
    world
  end

  defp news(%{asks: %{wanted: []}}, _), do: []
  defp news(%{asks: %{wanted: :all}} = state, records), do: [records | state.news]

  defp news(state, records) do
    json = Options.json(state.options)
    [Enum.filter(records, &(Text.name(&1, json) in state.asks.wanted)) | state.news]
  end

  defp keep(%{options: %{snapshot_every: 0}} = state), do: {[], state}

  defp keep(%{seq: seq} = state) do
    if seq - state.kept_seq >= state.options.snapshot_every,
      do: {[{:keep, seq, Residents.to_keep(state)}], %{state | kept_seq: seq}},
      else: {[], state}
  end

  # ---- answers to those who published ----

  defp refusals(refused) do
    Enum.flat_map(refused, fn
      {item, error} -> [refusal(item, error)]
      {item, error, failure} -> [refusal(item, error), failure]
    end)
  end

  # Nobody waits for an answer to the room's own events; that one was refused is reported all the same.
  defp refusal(%{to: nil, of: source, texts: [text | _]}, error), do: {:refused, source, text, error}
  defp refusal(%{to: to}, error), do: {:reply, to, {:error, error}}

  defp replies(batch, report) do
    case report.rejected do
      [] -> accepted(batch.items)
      rejected -> replies(batch, Map.new(Enum.reverse(rejected)), batch.items)
    end
  end

  defp replies(batch, rejected, items) do
    Enum.flat_map(items, fn %{to: to, seqs: seqs} = item ->
      case Enum.find_value(seqs, &rejected[&1 - batch.first]) do
        nil when to == nil -> []
        nil -> [accepted(item)]
        error -> [refusal(item, Error.put(error, index: nil))]
      end
    end)
  end

  defp accepted([%{to: nil} | items]), do: accepted(items)
  defp accepted([item | items]), do: [accepted(item) | accepted(items)]
  defp accepted([]), do: []

  defp accepted(%{to: to, seqs: seqs, packed?: packed?}),
    do: {:reply, to, {:ok, if(packed?, do: seqs, else: listed(seqs))}}

  defp listed(seq..seq), do: [seq]
  defp listed(seqs), do: Enum.to_list(seqs)
end
