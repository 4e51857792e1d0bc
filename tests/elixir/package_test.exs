defmodule Roomfold.PackageTest do
  # What is published: each module and each page has its place in the documentation, and the package has what it names.
  use ExUnit.Case, async: true

  @config Mix.Project.config()

  # `{module, its documentation}` of those that are not hidden.
  defp public_modules do
    for module <- Application.spec(:roomfold, :modules),
        to_string(module.module_info(:compile)[:source]) =~ "elixir/roomfold/lib/",
        not String.starts_with?(inspect(module), "Inspect."),
        {:docs_v1, _, _, _, documentation, _, _} <- [Code.fetch_docs(module)],
        documentation != :hidden,
        do: {module, documentation}
  end

  test "each public module has a documentation with an example, here or at its functions" do
    modules = public_modules()
    assert length(modules) > 40

    for {module, documentation} <- modules do
      assert %{"en" => text} = documentation, "#{inspect(module)} has none"
      {:docs_v1, _, _, _, _, _, functions} = Code.fetch_docs(module)
      texts = [text | for({_, _, _, %{"en" => text}, _} <- functions, do: text)]
      assert Enum.any?(texts, &(&1 =~ ~r/^ {4}\S/m)), "#{inspect(module)} has no example"
    end
  end

  test "each is in one group of the documentation" do
    groups = @config[:docs][:groups_for_modules]

    for {module, _} <- public_modules(),
        module != Roomfold,
        not String.starts_with?(inspect(module), "Mix.Tasks.") do
      found = for {name, pattern} <- groups, inspect(module) =~ pattern, do: name
      assert [_] = found, "#{inspect(module)} is in #{inspect(found)}"
    end
  end

  test "each page is in one group, and in the package" do
    grouped = @config[:docs][:groups_for_extras] |> Keyword.values() |> List.flatten()
    assert Enum.sort(grouped) == Enum.sort(Path.wildcard("docs/*.md"))

    files = @config[:package][:files]
    assert "docs" in files
    for name <- files, do: assert(File.exists?(name), name)
    for name <- @config[:docs][:extras], do: assert(String.starts_with?(name, files), name)
  end

  test "the companion that is published names a version of this package, the repository's its folder" do
    code = ~S"""
    Mix.start()
    Code.require_file("mix.exs")
    IO.inspect(List.keyfind(Mix.Project.config()[:deps], :roomfold, 0))
    """

    for {publish, dependency} <- [
          {nil, {:roomfold, [path: "../.."]}},
          {"1", {:roomfold, "~> #{@config[:version]}"}}
        ] do
      options = [cd: "elixir/roomfold_phoenix", env: [{"ROOMFOLD_PUBLISH", publish}], stderr_to_stdout: true]
      assert {said, 0} = System.cmd("elixir", ["-e", code], options)
      assert String.trim(said) == inspect(dependency)
    end
  end
end
