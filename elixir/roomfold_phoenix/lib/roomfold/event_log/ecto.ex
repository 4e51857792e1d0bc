if Code.ensure_loaded?(Ecto.Adapters.SQL) do
  defmodule Roomfold.EventLog.Ecto do
    @moduledoc """
    A log in the application's PostgreSQL database, through its Repo: all nodes share it, so rooms can move between them.

        # a migration of the application
        defmodule MyApp.Repo.Migrations.AddRoomfold do
          use Ecto.Migration
          def up, do: Roomfold.EventLog.Ecto.Migration.up(version: 1)
          def down, do: Roomfold.EventLog.Ecto.Migration.down()
        end

        # in the supervision tree, after the Repo
        {Roomfold.Rooms, name: MyApp.Rooms, log: {Roomfold.EventLog.Ecto, repo: MyApp.Repo}}

    Appends that arrive during a transaction share the next one, for all rooms. The statement that advances the room also checks term and seq, so
    if two nodes write the same room, one is refused (`:old_term`, `:wrong_seq`). While the database can't be reached, appends return
    `:log_failed`; rooms continue when it is back. The Repo does not log these queries; its telemetry events are as always.

    ## Options

      * `:repo` - required
      * `:name` and the other options of `GenServer.start_link/3`
      * `:timeout` - of a transaction, in milliseconds (15,000)
    """
    use GenServer

    alias Roomfold.{Error, EventLog, JSON}

    @behaviour EventLog

    # The most that one transaction takes.
    @batch 1_024
    @piece_events 5_000

    @doc "Starts the log; see the options above."
    @spec start_link(keyword) :: GenServer.on_start()
    def start_link(opts) do
      Keyword.validate!(opts, [:repo, :timeout, :name, :debug, :spawn_opt, :hibernate_after])
      {own, opts} = Keyword.split(opts, [:repo, :timeout])
      config = %{repo: Keyword.fetch!(own, :repo), timeout: Keyword.get(own, :timeout, 15_000)}
      GenServer.start_link(__MODULE__, config, opts)
    end

    @doc false
    def child_spec(opts), do: %{id: {__MODULE__, opts[:name]}, start: {__MODULE__, :start_link, [opts]}}

    # ---- calls that need only the Repo of the process ----

    # Higher by a random number, so that a database that was set back (to a backup, or to a replica that had not everything) does not give a term
    # again that clients know from what was lost.
    @next_term "UPDATE roomfold_terms SET term = term + 1 + floor(random() * 65536)::bigint RETURNING term"

    @impl EventLog
    def claim(server, room, meta, over) do
      with {:ok, meta} <- JSON.encode(meta, impl: :elixir) do
        transaction(server, fn config ->
          # Locks that row: one claim at a time.
          [[term]] = rows(config, @next_term, [])

          if over == :any or over == term_of(config, room),
            do: claimed(config, room, term, meta),
            else: {:error, Error.new(:old_term)}
        end)
      end
    end

    defp term_of(config, room) do
      case rows(config, "SELECT term FROM roomfold_rooms WHERE room = $1 FOR UPDATE", [room]) do
        [[term]] -> term
        [] -> 0
      end
    end

    defp claimed(config, room, term, meta) do
      [[seq]] =
        rows(
          config,
          """
          INSERT INTO roomfold_rooms AS r (room, term, seq, first) VALUES ($1, $2, 0, 1)
          ON CONFLICT (room) DO UPDATE SET term = EXCLUDED.term RETURNING r.seq
          """,
          [room, term]
        )

      # A version without a record is replaced.
      rows(config, "DELETE FROM roomfold_versions WHERE room = $1 AND seq > $2", [room, seq])

      case rows(config, "SELECT meta FROM roomfold_versions WHERE room = $1 ORDER BY seq DESC LIMIT 1", [room]) do
        [[^meta]] ->
          :ok

        _ ->
          rows(config, "INSERT INTO roomfold_versions (room, seq, meta) VALUES ($1, $2, $3)", [
            room,
            seq + 1,
            meta
          ])
      end

      {:ok, head_of(config, room)}
    end

    @impl EventLog
    def head(server, room), do: query(server, fn config -> {:ok, head_of(config, room)} end)

    # One statement sees one state of the database; two could see two.
    @head """
    SELECT r.term, r.seq, r.first, v.seq, v.meta FROM roomfold_rooms AS r JOIN roomfold_versions AS v ON v.room = r.room
    WHERE r.room = $1 ORDER BY v.seq
    """

    defp head_of(config, room) do
      with [[term, seq, first | _] | _] = found <- rows(config, @head, [room]) do
        versions = for [_, _, _, from, meta] <- found, do: {from, JSON.decode!(meta, impl: :elixir)}
        {_, meta} = List.last(versions)
        %{term: term, seq: seq, first: first, meta: meta, versions: versions}
      else
        [] -> nil
      end
    end

    @impl EventLog
    def submit(server, room, term, after_seq, records, _opts) do
      records = Enum.map(records, &IO.iodata_to_binary/1)

      if Enum.any?(records, &(&1 == "" or :binary.match(&1, ["\n", <<0>>]) != :nomatch)) do
        EventLog.answer_self({:error, Error.new(:invalid_record)})
      else
        {server, reference} = EventLog.watch(server)
        if server, do: send(server, {:append, reference, room, term, after_seq, records})
        reference
      end
    end

    # The room's last and first seq, and the records whose sizes add up to this many bytes, but at least one.
    @read """
    SELECT r.seq, r.first, e.seq, e.record, e.checksum FROM roomfold_rooms AS r LEFT JOIN LATERAL
      (SELECT seq, record, checksum FROM
        (SELECT seq, record, checksum, sum(octet_length(record) + 1) OVER (ORDER BY seq) AS total FROM
          (SELECT * FROM roomfold_events WHERE room = r.room AND seq BETWEEN $2 AND least($3, r.seq) ORDER BY seq LIMIT $4) AS bounded) AS summed
      WHERE total <= $5 OR seq = $2) AS e ON true
    WHERE r.room = $1 ORDER BY e.seq
    """

    @impl EventLog
    def read(server, room, from, to, limits) do
      query(server, fn config ->
        parameters = [room, from, to, min(limits.max_events, @piece_events), limits.max_bytes]

        case rows(config, @read, parameters) do
          [] ->
            {:error, Error.new(:no_room)}

          [[_, first | _] | _] when from < first ->
            {:error, Error.new(:log_trimmed, detail: "the first is #{first}")}

          [[seq | _] | _] when from > seq or from > to ->
            {:ok, nil}

          rows ->
            piece(for([_, _, seq | record] <- rows, seq, do: [seq | record]), room, from)
        end
      end)
    end

    defp piece(found, room, from) do
      case check(found, room, from) do
        {:ok, last} ->
          {:ok,
           %{
             text: IO.iodata_to_binary(for([_, record, _] <- found, do: [record, ?\n])),
             first: from,
             seq: last
           }}

        error ->
          error
      end
    end

    # Every record must have its checksum, and none may be missing.
    defp check(found, room, from) do
      Enum.reduce_while(found, {:ok, from - 1}, fn [seq, record, checksum], {:ok, last} ->
        if seq == last + 1 and checksum == checksum(room, seq, record),
          do: {:cont, {:ok, seq}},
          else: {:halt, damaged(room, last + 1)}
      end)
      |> case do
        {:ok, last} when last < from -> damaged(room, from)
        result -> result
      end
    end

    defp damaged(room, seq),
      do: {:error, Error.new(:log_damaged, detail: "room #{inspect(room)}, seq #{seq}")}

    defp checksum(room, seq, record), do: :erlang.crc32([room, 0, Integer.to_string(seq), 0, record])

    @impl EventLog
    def put_snapshot(server, room, term, seq, data) do
      transaction(server, fn config ->
        case rows(config, "SELECT term, seq, first FROM roomfold_rooms WHERE room = $1 FOR SHARE", [room]) do
          [] ->
            {:error, Error.new(:no_room)}

          [[newer, _, _]] when newer != term ->
            {:error, Error.new(:old_term)}

          [[_, last, first]] when seq == 0 or seq > last or seq < first - 1 ->
            {:error, Error.new(:wrong_seq)}

          _ ->
            rows(
              config,
              """
              INSERT INTO roomfold_snapshots (room, seq, data, checksum) VALUES ($1, $2, $3, $4)
              ON CONFLICT (room, seq) DO UPDATE SET data = EXCLUDED.data, checksum = EXCLUDED.checksum
              """,
              [room, seq, data, checksum(room, seq, data)]
            )

            :ok
        end
      end)
    end

    @impl EventLog
    def snapshot(server, room, at_most) do
      query(server, fn config ->
        newest =
          "SELECT seq, data, checksum FROM roomfold_snapshots WHERE room = $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1"

        case rows(config, newest, [room, at_most]) do
          [] ->
            if exists?(config, room), do: {:ok, nil}, else: {:error, Error.new(:no_room)}

          [[seq, data, sum]] ->
            if sum == checksum(room, seq, data), do: {:ok, {seq, data}}, else: damaged(room, seq)
        end
      end)
    end

    defp exists?(config, room), do: rows(config, "SELECT 1 FROM roomfold_rooms WHERE room = $1", [room]) != []

    @impl EventLog
    def trim(server, room, keep_from) do
      begun =
        transaction(server, fn config ->
          case rows(config, "SELECT first FROM roomfold_rooms WHERE room = $1 FOR UPDATE", [room]) do
            [] ->
              {:error, Error.new(:no_room)}

            [[first]] ->
              [[newest]] =
                rows(config, "SELECT coalesce(max(seq), 0) FROM roomfold_snapshots WHERE room = $1", [room])

              keep_from(config, room, first, min(keep_from, newest + 1))
          end
        end)

      with :ok <- begun, do: query(server, &forget(&1, room))
    end

    defp keep_from(_, _, first, keep) when keep <= first, do: :ok

    defp keep_from(config, room, _, keep) do
      rows(config, "UPDATE roomfold_rooms SET first = $2 WHERE room = $1", [room, keep])
      rows(config, "DELETE FROM roomfold_snapshots WHERE room = $1 AND seq < $2", [room, keep - 1])
      :ok
    end

    # In pieces, and without the room's lock: who appends to the room would wait for all of it, and all other rooms with it. A room that was made
    # again meanwhile has its own first.
    @forget_events 10_000
    @forget """
    WITH gone AS (DELETE FROM roomfold_events WHERE room = $1 AND seq IN
      (SELECT seq FROM roomfold_events WHERE room = $1 AND seq < (SELECT first FROM roomfold_rooms WHERE room = $1)
       ORDER BY seq LIMIT $2) RETURNING 1)
    SELECT count(*) FROM gone
    """

    defp forget(config, room) do
      case rows(config, @forget, [room, @forget_events]) do
        [[@forget_events]] -> forget(config, room)
        _ -> :ok
      end
    end

    @impl EventLog
    def rooms(server) do
      query(server, fn config ->
        {:ok,
         for(
           [room] <- rows(config, "SELECT room FROM roomfold_rooms ORDER BY room COLLATE \"C\"", []),
           do: room
         )}
      end)
    end

    @impl EventLog
    def delete(server, room, over) do
      transaction(server, fn config ->
        # Locked first: else an append that is under way would leave its records to the next room of this name.
        case term_of(config, room) do
          0 ->
            {:error, Error.new(:no_room)}

          term when over not in [:any, term] ->
            {:error, Error.new(:old_term)}

          _ ->
            for table <- ~w(events snapshots versions rooms),
                do: rows(config, "DELETE FROM roomfold_#{table} WHERE room = $1", [room])

            :ok
        end
      end)
    end

    @impl EventLog
    def verify(server, room), do: EventLog.verify_by_reading({__MODULE__, server}, room)

    # ---- queries ----

    defp query(server, function) do
      with {:ok, config} <- config(server), do: guarded(fn -> function.(config) end)
    end

    defp transaction(server, function) do
      with {:ok, config} <- config(server) do
        guarded(fn ->
          {:ok, answer} = config.repo.transaction(fn -> function.(config) end, options(config))
          answer
        end)
      end
    end

    defp config(server), do: EventLog.call(server, :config)

    defp rows(config, sql, parameters) do
      %{rows: rows} = Ecto.Adapters.SQL.query!(config.repo, sql, parameters, options(config))
      rows || []
    end

    # Not in the application's log: a room appends many times a second. (Ecto's telemetry tells of it all the same.)
    defp options(config), do: [timeout: config.timeout, log: false]

    # That the Repo does not run is a RuntimeError, or an exit if it ends meanwhile.
    defp guarded(function) do
      function.()
    rescue
      error in [DBConnection.ConnectionError, Postgrex.Error, RuntimeError] -> {:error, failed(error)}
    catch
      :exit, reason -> {:error, Error.new(:log_failed, detail: Exception.format_exit(reason))}
    end

    defp failed(error), do: Error.new(:log_failed, detail: Exception.message(error))

    # ---- the process: appends of all rooms in one transaction ----

    @impl GenServer
    def init(config), do: {:ok, config}

    @impl GenServer
    def handle_call(:config, _, config), do: {:reply, {:ok, config}, config}

    @impl GenServer
    def handle_info({:append, _, _, _, _, _} = first, config) do
      appends = [first | waiting(@batch - 1)]

      appends
      |> commit(config)
      |> Enum.each(fn {reference, answer} -> send(reference, {reference, answer}) end)

      {:noreply, config}
    end

    def handle_info(_, config), do: {:noreply, config}

    defp waiting(0), do: []

    defp waiting(count) do
      receive do
        {:append, _, _, _, _, _} = append -> [append | waiting(count - 1)]
      after
        0 -> []
      end
    end

    # What the database refuses must not fail the others: then each is tried alone.
    defp commit(appends, config) do
      case guarded(fn -> commit_together(appends, config) end) do
        {:ok, answers} -> answers
        {:refused, _} when tl(appends) != [] -> Enum.flat_map(appends, &commit([&1], config))
        {_, error} -> for {:append, reference, _, _, _, _} <- appends, do: {reference, {:error, error}}
      end
    end

    defp commit_together(appends, config) do
      append = fn -> appends |> rounds() |> Enum.flat_map(&append_round(&1, config)) end
      config.repo.transaction(append, options(config))
    rescue
      error in Postgrex.Error -> {:refused, failed(error)}
    end

    # A statement advances each room once; rooms in the order of their names, so that two nodes never wait for each other.
    defp rounds(appends) do
      appends
      |> Enum.group_by(fn {:append, _, room, _, _, _} -> room end)
      |> Enum.sort()
      |> Enum.flat_map(fn {_, appends} -> Enum.with_index(appends) end)
      |> Enum.group_by(&elem(&1, 1), &elem(&1, 0))
      |> Enum.sort()
      |> Enum.map(&elem(&1, 1))
    end

    @move """
    UPDATE roomfold_rooms AS r SET seq = r.seq + a.count
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS a(room, term, seq, count)
    WHERE r.room = a.room AND r.term = a.term AND r.seq = a.seq RETURNING r.room
    """

    @insert """
    INSERT INTO roomfold_events (room, seq, record, checksum)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[])
    """

    defp append_round(appends, config) do
      columns = for {:append, _, room, term, seq, records} <- appends, do: [room, term, seq, length(records)]
      moved = config |> rows(@move, Enum.zip_with(columns, & &1)) |> List.flatten() |> MapSet.new()

      events =
        for {:append, _, room, _, after_seq, records} <- appends,
            MapSet.member?(moved, room),
            {record, seq} <- Enum.with_index(records, after_seq + 1),
            do: [room, seq, record, checksum(room, seq, record)]

      if events != [], do: rows(config, @insert, Enum.zip_with(events, & &1))

      for {:append, reference, room, term, _, _} <- appends do
        {reference, if(MapSet.member?(moved, room), do: :ok, else: refusal(config, room, term))}
      end
    end

    defp refusal(config, room, term) do
      case rows(config, "SELECT term, seq FROM roomfold_rooms WHERE room = $1", [room]) do
        [] -> {:error, Error.new(:no_room)}
        [[^term, seq]] -> {:error, Error.new(:wrong_seq, detail: "the last is #{seq}")}
        _ -> {:error, Error.new(:old_term)}
      end
    end
  end
end
