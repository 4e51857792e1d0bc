defmodule Roomfold.Telemetry do
  @moduledoc false
  # Events for `:telemetry`, if the application has it (docs/telemetry.md lists them).

  @type span :: {start :: integer, context :: reference | nil, facts :: map}

  @spec event([atom], map, map) :: :ok
  def event(name, measurements, metadata) do
    if loaded?(), do: execute(name, measurements, metadata)
    :ok
  end

  @doc "Like `:telemetry.span/3`: start, and stop or exception. The function returns `{value, measurements, metadata}`."
  @spec span([atom], map, (() -> {value, map, map})) :: value when value: term
  def span(name, facts, function) do
    if loaded?(), do: measured(name, facts, function), else: elem(function.(), 0)
  end

  defp measured(name, facts, function) do
    span = start(name, facts)

    try do
      {value, numbers, more} = function.()
      stop(name, span, numbers, more)
      value
    catch
      kind, reason ->
        stacktrace = __STACKTRACE__
        finish(name, :exception, span, %{}, %{kind: kind, reason: reason, stacktrace: stacktrace})
        :erlang.raise(kind, reason, stacktrace)
    end
  end

  @doc "Starts a span that ends in another function."
  @spec start([atom], map) :: span
  def start(name, facts) do
    now = System.monotonic_time()

    if loaded?() do
      context = make_ref()
      numbers = %{monotonic_time: now, system_time: System.system_time()}
      execute(name ++ [:start], numbers, Map.put(facts, :telemetry_span_context, context))
      {now, context, facts}
    else
      {now, nil, facts}
    end
  end

  @spec stop([atom], span, map, map) :: :ok
  def stop(name, span, numbers, more \\ %{}) do
    if loaded?(), do: finish(name, :stop, span, numbers, more)
    :ok
  end

  defp finish(name, how, {start, context, facts}, numbers, more) do
    now = System.monotonic_time()
    facts = facts |> Map.merge(more) |> Map.put(:telemetry_span_context, context)
    execute(name ++ [how], Map.merge(numbers, %{duration: now - start, monotonic_time: now}), facts)
  end

  defp execute(name, measurements, metadata),
    do: apply(:telemetry, :execute, [[:roomfold, :room | name], measurements, metadata])

  # Checked once: the application has it from the start, or never.
  defp loaded? do
    case :persistent_term.get(__MODULE__, nil) do
      nil ->
        loaded = Code.ensure_loaded?(:telemetry)
        :persistent_term.put(__MODULE__, loaded)
        loaded

      loaded ->
        loaded
    end
  end
end
