defmodule Roomfold.Test.Program do
  @moduledoc "The program `priv/roomfold`, built when it is first asked for, and run as a user would."

  @root Path.expand("../../..", __DIR__)
  @path Path.join(@root, "priv/roomfold")

  @doc "Why the tests of the program can't run; nil if they can."
  def missing do
    :global.trans({__MODULE__, self()}, fn ->
      with :unknown <- :persistent_term.get(__MODULE__, :unknown) do
        why = build()
        if why, do: IO.puts("left out: tests of priv/roomfold (#{why})")
        :persistent_term.put(__MODULE__, why)
        why
      end
    end)
  end

  defp build do
    cond do
      System.find_executable("pkg-config") == nil -> "there is no pkg-config"
      make(["program"]) != 0 -> "make program failed"
      not File.exists?(@path) -> "jansson or zlib is not there"
      true -> nil
    end
  end

  @doc "Runs make in the project's folder."
  def make(goals, options \\ []) do
    env = [{"LC_ALL", "C"}, {"MAKEFLAGS", nil}, {"MAKELEVEL", nil}]
    make = System.find_executable("gmake") || "make"

    {_, code} =
      System.cmd(make, ["-s" | goals], Keyword.merge([cd: @root, env: env, into: IO.stream()], options))

    code
  end

  @doc "A sanitizer's or valgrind's build takes memory and time of its own."
  def instrumented?, do: System.get_env("ROOMFOLD_CONFIG", "release") not in ["release", "test", "debug"]

  def path, do: @path

  @doc "Runs it with these arguments: what it wrote on its two outputs, and its exit code."
  def run(arguments, input \\ "") do
    shell(~s(exec "$ROOMFOLD" "$@"), input, arguments)
  end

  @doc "The same for a shell script, in which `$ROOMFOLD` is the program."
  def shell(script, input \\ "", arguments \\ []) do
    folder = Path.join(System.tmp_dir!(), "roomfold-#{System.unique_integer([:positive])}-#{System.pid()}")
    File.mkdir_p!(folder)

    try do
      File.write!(Path.join(folder, "in"), input)
      script = ~s({ #{script}\n} <"$0/in" >"$0/out" 2>"$0/err")
      {"", code} = System.cmd("sh", ["-c", script, folder | arguments], env: [{"ROOMFOLD", @path}])
      {File.read!(Path.join(folder, "out")), File.read!(Path.join(folder, "err")), code}
    after
      File.rm_rf!(folder)
    end
  end
end
