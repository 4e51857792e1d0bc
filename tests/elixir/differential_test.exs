defmodule Roomfold.DifferentialTest do
  @moduledoc "The C core against the oracle: random streams, valid and hostile, must come out equal to the bit."
  use ExUnit.Case, async: true

  alias Roomfold.{Generators, World}

  # Random streams of each kind; RUNS=1000 mix test tests/elixir/differential_test.exs is a long run.
  @runs String.to_integer(System.get_env("RUNS", "40"))

  @options [history: 20, max_entities: 6, max_value_bytes: 60, max_undeclared: 4]

  defp world(impl, opts \\ []) do
    World.new!([impl: impl, rules: Generators.rules(), schema: Generators.schema()] ++ opts)
  end

  defp check(property, opts \\ []) do
    result = :proper.quickcheck(property, [{:numtests, @runs}, {:max_size, 40}, :quiet, :long_result] ++ opts)

    assert result == true,
           "#{noted()}\na counterexample: #{inspect(result, limit: :infinity, printable_limit: :infinity)}"
  end

  # PropEr runs in a process of its own.
  defp note(why), do: :persistent_term.put(__MODULE__, why)
  defp noted, do: :persistent_term.get(__MODULE__, "")

  # 0.0 and -0.0 are told apart.
  defp bits(term), do: :erlang.term_to_binary(term)

  # Both fold the same; then everything that can be asked must be equal.
  defp equal?(inputs, opts) do
    Enum.reduce(inputs, {world(:native, opts), world(:elixir, opts)}, fn input, {native, elixir} ->
      {:ok, native, report} = World.fold(native, input)
      {:ok, elixir, oracle} = World.fold(elixir, input)
      same!(:report, one_of_several(report), one_of_several(oracle))
      same!(:seq, World.seq(native), World.seq(elixir))

      for by <- [:entity, :component, :kind],
          do: same!(by, World.snapshot(native, by: by), World.snapshot(elixir, by: by))

      for from <- max(World.seq(native) - 22, 0)..World.seq(native) do
        same!({:diff, from}, World.diff(native, from), World.diff(elixir, from))
      end

      for what <- [:snapshot, {:diff, World.seq(native)}, {:diff, max(World.seq(native) - 11, 0)}],
          by <- [:entity, :component, :kind] do
        same!(
          {:encode, what, by},
          World.encode(native, what, :json, by: by),
          World.encode(elixir, what, :json, by: by)
        )
      end

      same!(:query, World.query(native, ["position", "n1"]), World.query(elixir, ["position", "n1"]))
      {native, elixir}
    end)

    true
  rescue
    # Debian's PropEr can't show an exception on newer VMs; it shrinks what is false, and the last reason stays.
    error ->
      note(Exception.format(:error, error, __STACKTRACE__))
      false
  catch
    {:different, why} ->
      note(why)
      false
  end

  # Which of a term's several errors is reported is not fixed.
  defp one_of_several(report) do
    several = [:unsupported_value, :invalid_utf8, :too_deep, :too_large, :number_out_of_range]

    update_in(report.rejected, fn rejected ->
      for {index, error} <- rejected do
        if error.component && error.reason in several,
          do: {index, {:one_of_several, error.component}},
          else: {index, error}
      end
    end)
  end

  defp same!(what, native, oracle) do
    unless native === oracle and bits(native) == bits(oracle) do
      throw(
        {:different,
         "#{inspect(what)}\nnative: #{inspect(native, limit: :infinity)}\noracle: #{inspect(oracle, limit: :infinity)}"}
      )
    end
  end

  test "lists of events" do
    check(:proper.forall(:proper_types.list(Generators.events()), &equal?(&1, [])))
  end

  test "lists of events in a small world" do
    check(:proper.forall(:proper_types.list(Generators.events()), &equal?(&1, @options)))
  end

  test "JSON text" do
    check(
      :proper.forall(:proper_types.list(Generators.json()), fn texts ->
        equal?(Enum.map(texts, &{:json, &1}), @options)
      end)
    )
  end

  test "several entities at once" do
    check(
      :proper.forall(:proper_types.resize(5, :proper_types.list(Generators.changes())), fn texts ->
        equal?(Enum.map(texts, &{:json, &1}), @options)
      end)
    )
  end

  test "JSON text and lists mean the same" do
    check(
      :proper.forall(Generators.events(), fn events ->
        events = Enum.filter(events, &match?({_, %{}}, &1))
        equal?([events], [])
      end)
    )
  end

  test "a diff applied to what it starts from gives what it ends at" do
    for impl <- [:native, :elixir] do
      check(
        :proper.forall({Generators.events(), Generators.events()}, fn {before, then} ->
          world = World.fold!(world(impl, history: 1_048_576), before)
          from = World.seq(world)
          {:ok, copy} = World.copy(world)
          world = World.fold!(world, then)

          texts =
            for by <- [:entity, :component, :kind],
                do: {:json, World.encode!(world, {:diff, from}, :json, by: by)}

          Enum.all?([World.diff!(world, from) | texts], fn diff ->
            {:ok, copy} = World.copy(copy)
            {:ok, copy, report} = World.apply_diff(copy, diff)

            report.rejected_count == 0 and World.snapshot(copy) === World.snapshot(world) and
              World.seq(copy) == World.seq(world)
          end)
        end)
      )
    end
  end

  # Shapes by component don't have entities without components.
  defp not_empty(snapshot),
    do: for({id, components} <- snapshot, components != %{}, into: %{}, do: {id, components})

  test "a snapshot loaded is the snapshot" do
    for impl <- [:native, :elixir] do
      check(
        :proper.forall(Generators.events(), fn events ->
          world = World.fold!(world(impl), events)
          snapshot = World.snapshot(world)

          {:ok, loaded} =
            World.load(snapshot,
              impl: impl,
              rules: Generators.rules(),
              schema: Generators.schema(),
              seq: World.seq(world)
            )

          from_text =
            for by <- [:entity, :component, :kind] do
              {:ok, loaded} =
                World.load({:json, World.encode!(world, :snapshot, :json, by: by)},
                  impl: impl,
                  rules: Generators.rules(),
                  schema: Generators.schema()
                )

              World.snapshot(loaded) === if(by == :component, do: not_empty(snapshot), else: snapshot)
            end

          Enum.all?(from_text) and World.snapshot(loaded) === snapshot and
            World.diff!(loaded, World.seq(world))["creates"] == %{}
        end)
      )
    end
  end
end
