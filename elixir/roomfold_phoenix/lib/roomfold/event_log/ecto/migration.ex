if Code.ensure_loaded?(Ecto.Migration) do
  defmodule Roomfold.EventLog.Ecto.Migration do
    @moduledoc """
    The tables of `Roomfold.EventLog.Ecto`, for a migration of the application.

    They can be read with any client: `SELECT record FROM roomfold_events WHERE room = 'lobby' ORDER BY seq`.

    | table | a row is |
    |---|---|
    | `roomfold_rooms` | a room: `term` of its writer, `seq` of its last record, `first` that is still kept |
    | `roomfold_events` | a record: JSON text, with a CRC-32 over room, seq and text |
    | `roomfold_snapshots` | a snapshot, taken after a record |
    | `roomfold_terms` | the newest term of all rooms |
    | `roomfold_versions` | the versions with which the records from `seq` on were written |
    """
    use Ecto.Migration

    @newest 1

    @doc "Brings the tables to a version, the newest by default."
    @spec up(keyword) :: :ok
    def up(opts \\ []) do
      version = Keyword.get(opts, :version, @newest)

      unless version in 1..@newest,
        do:
          raise(
            ArgumentError,
            "there is no version #{inspect(version)} of Roomfold's tables; the newest is #{@newest}"
          )

      # One row: the newest term of all rooms, so that terms only grow, even if a room is deleted.
      create table(:roomfold_terms, primary_key: false) do
        add :term, :bigint, null: false
      end

      execute("INSERT INTO roomfold_terms VALUES (0)")

      create table(:roomfold_rooms, primary_key: false) do
        add :room, :text, primary_key: true
        add :term, :bigint, null: false
        add :seq, :bigint, null: false
        add :first, :bigint, null: false
      end

      create table(:roomfold_events, primary_key: false) do
        add :room, :text, primary_key: true
        add :seq, :bigint, primary_key: true
        add :record, :text, null: false
        add :checksum, :bigint, null: false
      end

      create table(:roomfold_snapshots, primary_key: false) do
        add :room, :text, primary_key: true
        add :seq, :bigint, primary_key: true
        add :data, :binary, null: false
        add :checksum, :bigint, null: false
      end

      create table(:roomfold_versions, primary_key: false) do
        add :room, :text, primary_key: true
        add :seq, :bigint, primary_key: true
        add :meta, :text, null: false
      end

      :ok
    end

    @doc "Removes the tables and all rooms in them."
    @spec down(keyword) :: :ok
    def down(_opts \\ []) do
      for table <- [
            :roomfold_terms,
            :roomfold_versions,
            :roomfold_snapshots,
            :roomfold_events,
            :roomfold_rooms
          ],
          do: drop(table(table))

      :ok
    end
  end
end
