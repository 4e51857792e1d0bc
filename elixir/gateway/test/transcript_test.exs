defmodule Roomfold.Gateway.TranscriptTest do
  # The conversations of tests/vectors/channel.
  use Roomfold.GatewayCase

  @folder Path.expand("../../../tests/vectors/channel", __DIR__)

  for file <- Path.wildcard(@folder <> "/**/*.jsonl") do
    [first | steps] = file |> File.read!() |> String.split("\n", trim: true) |> Enum.map(&JSON.decode!/1)
    @about first
    @steps steps

    test "#{Path.basename(file)}: #{first["about"]}" do
      rules = if @about["rules"] == "doom", do: Roomfold.Rules.doom(), else: Roomfold.Rules.xr()
      {port, _} = start_gateway(room: [rules: rules, grace_ms: @about["grace_ms"] || 5_000])
      Enum.reduce(@steps, {%{}, %{}}, &step(&1, &2, port))
    end
  end

  test "there are some" do
    assert length(Path.wildcard(@folder <> "/**/*.jsonl")) >= 8
  end

  defp step(%{"client" => name} = step, {sockets, known}, port) do
    sockets = Map.put_new_lazy(sockets, name, fn -> Client.connect(port, hd(String.split(name, "/"))) end)
    socket = sockets[name]

    case step do
      %{"send" => message} ->
        tell(socket, filled(message, known))
        {sockets, known}

      %{"get" => pattern} ->
        pattern = filled(pattern, known)
        {sockets, Map.merge(known, found(pattern, Client.await(socket, loose(pattern)), %{}))}

      %{"drop" => true} ->
        :gen_tcp.close(socket)
        {Map.delete(sockets, name), known}
    end
  end

  # Bytes are written in base 64.
  defp tell(socket, [join_ref, ref, topic, event, %{"binary" => bytes}]) do
    sizes = for text <- [join_ref, ref, topic, event], do: byte_size(text)
    message = [0, sizes, join_ref, ref, topic, event, Base.decode64!(bytes)]
    Client.frame(socket, :binary, IO.iodata_to_binary(message))
  end

  defp tell(socket, message), do: Client.message(socket, message)

  # Variables that are known.
  defp filled("$" <> name, known), do: Map.get(known, name, "$" <> name)
  defp filled(%{} = map, known), do: Map.new(map, fn {key, value} -> {key, filled(value, known)} end)
  defp filled(list, known) when is_list(list), do: Enum.map(list, &filled(&1, known))
  defp filled(value, _), do: value

  # Those that are not fit everything.
  defp loose("$" <> _), do: "*"
  defp loose(%{} = map), do: Map.new(map, fn {key, value} -> {key, loose(value)} end)
  defp loose(list) when is_list(list), do: Enum.map(list, &loose/1)
  defp loose(value), do: value

  defp found("$" <> name, value, known), do: Map.put(known, name, value)

  defp found(%{} = pattern, value, known),
    do: Enum.reduce(pattern, known, fn {key, part}, known -> found(part, value[key], known) end)

  defp found([_ | _] = pattern, value, known),
    do: Enum.zip_reduce(pattern, value, known, fn part, value, known -> found(part, value, known) end)

  defp found(_, _, known), do: known
end
