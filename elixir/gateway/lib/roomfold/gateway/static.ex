defmodule Roomfold.Gateway.Static do
  @moduledoc false
  # The file for a URL's path, if there is one.

  @types %{
    ".html" => "text/html; charset=utf-8",
    ".css" => "text/css; charset=utf-8",
    ".js" => "text/javascript; charset=utf-8",
    ".mjs" => "text/javascript; charset=utf-8",
    ".json" => "application/json",
    ".map" => "application/json",
    ".jsonl" => "application/jsonl",
    ".wasm" => "application/wasm",
    ".gz" => "application/gzip",
    ".svg" => "image/svg+xml",
    ".png" => "image/png",
    ".jpg" => "image/jpeg",
    ".webp" => "image/webp",
    ".ico" => "image/x-icon",
    ".glb" => "model/gltf-binary",
    ".woff2" => "font/woff2",
    ".md" => "text/plain; charset=utf-8",
    ".txt" => "text/plain; charset=utf-8"
  }

  @doc """
  A path below one of the folders, `[{prefix, folder}]`, the longest prefix first. A folder is its index.html; where there is only
  FILE.gz, it is FILE, encoded. Nothing hidden, nothing outside, no links that lead out.
  """
  def find(path, folders, gzip?) do
    with {:ok, names} <- names(path),
         {root, below} when root != nil <- below(names, folders) do
      full = Path.join([root | below])

      cond do
        not inside?(full, root) -> {:error, :not_found}
        File.dir?(full) -> index(full, path)
        true -> file(full) || zipped(full, gzip?) || {:error, :not_found}
      end
    else
      _ -> {:error, :not_found}
    end
  end

  # Decoded once; a segment that then still leads out, or is hidden, is refused.
  defp names(path) do
    names = for name <- String.split(path, "/"), name != "", do: URI.decode(name)
    if Enum.all?(names, &name?/1), do: {:ok, names}, else: :error
  rescue
    ArgumentError -> :error
  end

  defp name?(name) do
    String.valid?(name) and not String.starts_with?(name, ".") and
      not String.contains?(name, ["/", "\\", <<0>>, ":"])
  end

  defp below(names, folders) do
    Enum.find_value(folders, {nil, []}, fn {prefix, root} ->
      prefix = String.split(prefix, "/", trim: true)
      if List.starts_with?(names, prefix), do: {root, Enum.drop(names, length(prefix))}
    end)
  end

  # A link anywhere below the root may lead elsewhere.
  defp inside?(full, root) do
    full
    |> Path.relative_to(root)
    |> Path.split()
    |> Enum.scan(&Path.join(&2, &1))
    |> Enum.all?(&match?({:error, _}, :file.read_link(Path.join(root, &1))))
  end

  defp index(full, path) do
    cond do
      file = file(Path.join(full, "index.html")) -> if slash?(path), do: file, else: {:redirect, path <> "/"}
      true -> {:error, :not_found}
    end
  end

  defp slash?(path), do: String.ends_with?(path, "/")

  defp file(path) do
    case File.stat(path, time: :posix) do
      {:ok, %{type: :regular, size: size, mtime: mtime}} ->
        {:ok,
         %{
           path: path,
           type: Map.get(@types, String.downcase(Path.extname(path)), "application/octet-stream"),
           encoding: nil,
           etag: ~s("#{Integer.to_string(mtime, 36)}-#{Integer.to_string(size, 36)}")
         }}

      _ ->
        nil
    end
  end

  defp zipped(_, false), do: nil

  defp zipped(path, true) do
    with {:ok, file} <- file(path <> ".gz"),
         do:
           {:ok,
            %{file | type: Map.get(@types, Path.extname(path), "application/octet-stream"), encoding: "gzip"}}
  end
end
