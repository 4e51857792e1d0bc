defmodule Roomfold.Native do
  @moduledoc false
  # The NIF library, and nothing else. Errors are {:error, {reason, about, offset}}; a world is {ref, version}: every call that
  # changes one returns the next version, and all calls refuse any but the newest.
  @on_load :load
  @not_started "the application :roomfold was not started"

  @doc false
  # A release loads all modules before its runtime.exs is read: there it is the application that loads the library, when it starts.
  def load do
    if release?() and Process.whereis(Roomfold.Supervisor) == nil,
      do: :persistent_term.put(__MODULE__, @not_started),
      else: load_if_wanted()

    :ok
  end

  @doc false
  # Before any other process of the application.
  def start, do: if(release?(), do: load_if_wanted())

  defp release?, do: :code.get_mode() == :embedded

  defp load_if_wanted do
    if Application.get_env(:roomfold, :native, true),
      do: load_library(),
      else: :persistent_term.put(__MODULE__, "config :roomfold, native: false")
  end

  defp load_library do
    path = :filename.join(:code.priv_dir(:roomfold), ~c"roomfold_nif")

    case :erlang.load_nif(path, 0) do
      # It may be there now, and not have been when this was loaded before.
      :ok -> :persistent_term.erase(__MODULE__)
      # The application has been started before.
      {:error, {:reload, _}} -> :persistent_term.erase(__MODULE__)
      # The module stays loaded: calls raise with the reason, and :elixir still works.
      {:error, {_, message}} -> :persistent_term.put(__MODULE__, to_string(message))
    end
  end

  # Whether the library was loaded.
  def loaded?, do: :persistent_term.get(__MODULE__, nil) == nil

  def info, do: not_loaded()
  def json_decode(_text, _max_depth), do: not_loaded()
  def json_encode(_term), do: not_loaded()
  def world_new(_schema_json, _rules_json, _limits), do: not_loaded()
  def world_fold(_ref, _version, _input), do: not_loaded()
  def world_admit(_ref, _version, _at, _items), do: not_loaded()
  def world_input(_ref, _version, _frame, _user, _move), do: not_loaded()
  def world_events_text(_ref, _version, _frame), do: not_loaded()
  def world_copy(_ref, _version), do: not_loaded()
  def world_get(_ref, _version, _id), do: not_loaded()
  def world_query(_ref, _version, _names), do: not_loaded()
  def world_snapshot(_ref, _version, _by), do: not_loaded()
  def world_diff(_ref, _version, _from), do: not_loaded()
  def world_encode(_ref, _version, _from, _by, _frame), do: not_loaded()
  def world_encode_packed(_ref, _version, _from), do: not_loaded()
  def world_load_packed(_ref, _version, _frame), do: not_loaded()
  def world_apply_packed(_ref, _version, _frame), do: not_loaded()
  def world_apply_diff(_ref, _version, _diff), do: not_loaded()
  def world_load(_ref, _version, _entities), do: not_loaded()
  def world_info(_ref, _version), do: not_loaded()
  def hits_open(_ref, _version, _options, _level), do: not_loaded()
  def hits_mark(_ref, _version, _time), do: not_loaded()
  def hits_cast(_ref, _version, _shots), do: not_loaded()
  def hits_overlap(_ref, _version, _zones), do: not_loaded()

  # Like `raise`, but compilers and Dialyzer know that the library replaces it; so it is not said to return nothing.
  @spec not_loaded() :: term
  defp not_loaded do
    reason = :persistent_term.get(__MODULE__, "it was not built")

    message = """
    Roomfold's native library priv/roomfold_nif.so could not be loaded: #{reason}

    #{remedy(reason)} Without it, use impl: :elixir.
    """

    :erlang.nif_error(RuntimeError.exception(message))
  end

  defp remedy(@not_started),
    do: "In a release, start it before what uses it: Application.ensure_all_started(:roomfold)."

  defp remedy(_) do
    """
    Build it with `mix compile` (or `make build` in the package); that needs make, a C compiler and Erlang's headers
    (Debian: apt install make gcc erlang-dev).\
    """
  end
end
