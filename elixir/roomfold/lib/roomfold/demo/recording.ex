defmodule Roomfold.Demo.Recording do
  @moduledoc false
  # A recorded match: its events as text and as terms, its level, and the worlds that another program
  # folded from it. Files may be gzipped.

  alias Roomfold.JSON

  defstruct [:name, :text, :bytes, :events, :map, :expected, :rays, :notice]

  @shipped "freedm-0.12-demo1-MAP21.events.jsonl.gz"

  # Options: `:match`, `:map`, `:expected`. What isn't named is looked for beside the match.
  def read(options) do
    path = options[:match] || Path.join(folder(), @shipped)
    name = path |> Path.basename() |> String.replace(~r/(\.events)?\.jsonl?(\.gz)?$/, "")

    with {:ok, text} <- read_file(path),
         {:ok, map} <- read_json(options[:map] || find(path, map_names(name))),
         {:ok, expected} <- read_json(options[:expected] || find(path, ["#{name}.expected.json"])),
         {:ok, rays} <- read_rays(find(path, ["rays-#{name}.jsonl"])),
         {:ok, events} <- decode(path, text) do
      {:ok,
       %__MODULE__{
         name: name,
         text: text,
         bytes: byte_size(text),
         events: events,
         map: map,
         expected: expected,
         rays: rays,
         notice: notice(path)
       }}
    end
  end

  def folder, do: Application.app_dir(:roomfold, "priv/demo")

  # One event a line. A line that can't be read is left to the fold's report.
  def decode_lines(text) do
    for line <- :binary.split(text, "\n", [:global, :trim_all]),
        {:ok, event} <- [decode_line(line)],
        do: event
  end

  defp decode_line(line) do
    case JSON.decode(line) do
      {:ok, %{"event_name" => name} = event} when is_binary(name) ->
        {:ok, {name, Map.delete(event, "event_name")}}

      {:ok, %{"event" => name} = event} when is_binary(name) ->
        {:ok, {name, Map.delete(event, "event")}}

      _ ->
        :error
    end
  end

  defp decode(path, text) do
    case decode_lines(text) do
      [] -> {:error, "#{path} holds no event: it should be JSON Lines, one event a line"}
      events -> {:ok, events}
    end
  end

  defp read_file(path) do
    with {:ok, bytes} <- File.read(path),
         {:ok, text} <- gunzip(bytes) do
      {:ok, text}
    else
      {:error, :not_gzip} -> {:error, "#{path} is not a whole gzip file"}
      {:error, reason} -> {:error, "#{path} can't be read: #{:file.format_error(reason)}"}
    end
  end

  defp gunzip(<<0x1F, 0x8B, _::binary>> = bytes) do
    {:ok, :zlib.gunzip(bytes)}
  rescue
    _ -> {:error, :not_gzip}
  end

  defp gunzip(bytes), do: {:ok, bytes}

  defp read_json(nil), do: {:ok, nil}

  defp read_json(path) do
    with {:ok, text} <- read_file(path) do
      case JSON.decode(text) do
        {:ok, %{} = map} -> {:ok, map}
        {:ok, _} -> {:error, "#{path} is not a JSON object"}
        {:error, error} -> {:error, "#{path} is not JSON: #{Exception.message(error)}"}
      end
    end
  end

  # Every shot with its candidates and what came of it, one a line; nil if there is no such file.
  defp read_rays(nil), do: {:ok, nil}

  defp read_rays(path) do
    with {:ok, text} <- read_file(path) do
      {:ok,
       for(line <- String.split(text, "\n", trim: true), {:ok, %{} = ray} <- [JSON.decode(line)], do: ray)}
    end
  end

  # freedm-0.12-demo1-MAP21 was played on freedm-0.12-MAP21.
  defp map_names(name), do: ["#{String.replace(name, ~r/-demo\d+/, "")}.json"]

  defp find(path, names) do
    folders = for folder <- [".", "../maps", "../rays"], do: path |> Path.dirname() |> Path.join(folder)
    paths = for folder <- folders, name <- names, suffix <- ["", ".gz"], do: Path.join(folder, name <> suffix)
    Enum.find(paths, &File.regular?/1)
  end

  # The notice that travels with the recording, from its folder or the one above.
  defp notice(path) do
    folders = for folder <- [".", ".."], do: path |> Path.dirname() |> Path.join(folder)

    with [file | _] <- Enum.flat_map(folders, &Path.wildcard(Path.join(&1, "COPYRIGHT*"))),
         {:ok, text} <- File.read(file),
         true <- String.valid?(text) do
      text
    else
      _ -> nil
    end
  end
end
