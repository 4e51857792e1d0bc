defmodule Roomfold.EventLog.SQLite.Library do
  @moduledoc false
  # The NIF library of c_src/log, and nothing else. Errors are {:error, {reason, detail}}. Every function of a connection runs on a dirty I/O scheduler.
  #
  # An op for run/2 is {kind, room, term, seq, count, bytes}, its kind one of log_op_kind in c_src/log/batch.h.
  @on_load :load

  @doc false
  def load do
    path = :filename.join(:code.priv_dir(:roomfold), ~c"roomfold_log_nif")

    case :erlang.load_nif(path, 0) do
      # It may be there now, and not have been when this was loaded before.
      :ok -> :persistent_term.erase(__MODULE__)
      # The module stays loaded: calls raise with the reason.
      {:error, {_, message}} -> :persistent_term.put(__MODULE__, to_string(message))
    end

    :ok
  end

  # Whether the library was loaded.
  def loaded?, do: :persistent_term.get(__MODULE__, nil) == nil

  def sqlite_version, do: not_loaded()
  def open(_path, _writer, _synchronous, _busy_ms, _max_bytes), do: not_loaded()
  def close(_ref), do: not_loaded()
  def run(_ref, _ops), do: not_loaded()
  def head(_ref, _room), do: not_loaded()
  def read(_ref, _room, _from, _to, _max_bytes, _max_events), do: not_loaded()
  def snapshot(_ref, _room, _at_most), do: not_loaded()
  def rooms(_ref, _after, _limit), do: not_loaded()
  def checkpoint(_ref), do: not_loaded()
  def check(_ref), do: not_loaded()

  # Like `raise`, but compilers and Dialyzer know that the library replaces it; so it is not said to return nothing.
  @spec not_loaded() :: term
  defp not_loaded do
    reason = :persistent_term.get(__MODULE__, "it was not built")

    message = """
    Roomfold's log library priv/roomfold_log_nif.so could not be loaded: #{reason}

    Roomfold.EventLog.SQLite needs SQLite 3.20 or later, found by pkg-config. Install it (Debian: apt install libsqlite3-dev pkg-config; \
    macOS: brew install sqlite pkg-config) and build with `mix compile` (or `make build` in the package). Without it, use another log, \
    such as Roomfold.EventLog.Memory.
    """

    :erlang.nif_error(RuntimeError.exception(message))
  end
end
