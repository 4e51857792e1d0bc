defmodule Roomfold.MixProject do
  use Mix.Project

  @version "0.1.0"

  def project do
    [
      app: :roomfold,
      version: @version,
      elixir: "~> 1.14",
      description: "Rooms as ordered streams of events: folded, diffed and replayed in C",
      package: package(),
      docs: docs(),
      elixirc_paths: elixirc_paths(Mix.env()),
      test_paths: ["tests/elixir"],
      compilers: [:roomfold_native | Mix.compilers()],
      # None, ever: Mix refuses to load a project that lists one where Hex can't be reached.
      deps: [],
      # PropEr is not a dependency either: the tests use the system's, which Mix would hide from Elixir 1.15 on.
      prune_code_paths: Mix.env() != :test,
      xref: [exclude: [:proper, :proper_types]]
    ]
  end

  def application do
    [mod: {Roomfold.Application, []}, extra_applications: [:logger, :crypto]]
  end

  defp elixirc_paths(:test), do: ["elixir/roomfold/lib", "tests/elixir/support"]
  defp elixirc_paths(_env), do: ["elixir/roomfold/lib"]

  # For ExDoc, by whoever publishes: it is no dependency.
  defp docs do
    [
      main: "readme",
      assets: %{"docs/images" => "docs/images"},
      extras: ["README.md", "CHANGELOG.md" | Path.wildcard("docs/*.md")],
      groups_for_extras: [
        Use:
          ~w(docs/getting-started.md docs/phoenix.md docs/rooms.md docs/rules.md docs/event-model.md docs/hits.md
          docs/browser-client.md docs/page.md docs/errors.md),
        Operate: ~w(docs/event-log.md docs/scaling.md docs/telemetry.md docs/cli.md docs/port.md),
        Internals: ~w(docs/architecture.md docs/wire-format.md docs/wire-figures.md docs/c-api.md)
      ],
      groups_for_modules: [
        Worlds: ~r/^Roomfold\.(World|Rules|Schema|Report|Error|Shape|Projection|Projector|Port|JSON|Wire)$/,
        Rooms: ~r/^Roomfold\.(Room|Rooms|Session|Replay)(\.|$)/,
        Systems: ~r/^Roomfold\.Systems\./,
        Hits: ~r/^Roomfold\.(Hits|Level)(\.|$)/,
        "Logs and streams": ~r/^Roomfold\.Event(Log|Stream)(\.|$)/,
        "Several nodes": ~r/^Roomfold\.(Cluster|Placement)(\.|$)/
      ]
    ]
  end

  defp package do
    [
      licenses: ["MIT"],
      links: %{},
      files:
        ~w(mix.exs .formatter.exs Makefile tools c_src elixir/roomfold priv/rules priv/static priv/demo docs
        README.md CHANGELOG.md LICENSE)
    ]
  end
end

defmodule Mix.Tasks.Compile.RoomfoldNative do
  @moduledoc false
  # Builds the C part by calling make, which decides what there is to do. It must work where this
  # package is a dependency: so it needs no network, and no library but libc.
  use Mix.Task.Compiler

  @libraries ["priv/roomfold_nif.so", "priv/roomfold_log_nif.so", "priv/roomfold_port"]

  @impl true
  def run(_args) do
    before = Enum.map(@libraries, &File.stat/1)

    case make(["native"], [{"ERTS_INCLUDE_DIR", erts_include_dir()} | ei_dir()]) do
      0 ->
        # Where priv/ is new, the build folder has no link to it yet.
        Mix.Project.build_structure()
        {if(Enum.map(@libraries, &File.stat/1) == before, do: :noop, else: :ok), []}

      _ ->
        Mix.raise("The C part of roomfold could not be built, see above. #{remedy()}")
    end
  end

  @impl true
  def clean do
    make(["clean-native"], [])
    :ok
  end

  defp make(goals, env) do
    # Plain quotes in messages; and what an outer make passes on (its job server) is not for this one.
    env = [{"LC_ALL", "C"}, {"MAKEFLAGS", nil}, {"MAKELEVEL", nil} | env]
    options = [env: env, into: IO.binstream(), stderr_to_stdout: true]
    {_, status} = System.cmd(find_make(), ["-s", "-j#{System.schedulers_online()}" | goals], options)
    status
  end

  # It must be GNU make, which has another name on the BSDs.
  defp find_make do
    [System.get_env("MAKE"), "gmake", "make"]
    |> Enum.reject(&(&1 in [nil, ""]))
    |> Enum.find_value(&System.find_executable/1) ||
      Mix.raise("roomfold builds its C part with make, which was not found. #{remedy()}")
  end

  defp erts_include_dir do
    dir = Path.join([:code.root_dir(), "erts-#{:erlang.system_info(:version)}", "include"])

    if File.exists?(Path.join(dir, "erl_nif.h")) do
      dir
    else
      Mix.raise("roomfold needs Erlang's header erl_nif.h, and #{dir} does not have it. #{remedy()}")
    end
  end

  # Without ei the port program is left out, with a line of make's.
  defp ei_dir do
    case :code.lib_dir(:erl_interface) do
      dir when is_list(dir) ->
        if File.exists?(Path.join(dir, "lib/libei.a")), do: [{"EI_DIR", to_string(dir)}], else: []

      _ ->
        []
    end
  end

  defp remedy do
    "It takes a C compiler, make and Erlang's headers. On Debian and Ubuntu: apt-get install gcc libc6-dev make " <>
      "erlang-dev. On macOS: xcode-select --install."
  end
end
