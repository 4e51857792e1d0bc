defmodule Roomfold.PhoenixTest.Transcript do
  @moduledoc false
  # Plays a conversation of tests/vectors/channel (its README says how they are written).
  import ExUnit.Assertions
  alias Roomfold.PhoenixTest.Client

  def files, do: Path.wildcard(Path.expand("../../../../tests/vectors/channel/*.jsonl", __DIR__))

  def read(file), do: file |> File.read!() |> String.split("\n", trim: true) |> Enum.map(&Jason.decode!/1)

  @doc "connect: a function of a user that answers a client."
  def play(steps, connect) do
    {clients, _} = Enum.reduce(steps, {%{}, %{}}, &step(&1, &2, connect))
    for {_, client} <- clients, do: Client.close(client)
  end

  defp step(%{"client" => name} = step, {clients, known}, connect) do
    clients = Map.put_new_lazy(clients, name, fn -> connect.(hd(String.split(name, "/"))) end)
    client = clients[name]

    case step do
      %{"send" => message} ->
        Client.send_text(client, Jason.encode!(filled(message, known)))
        {clients, known}

      %{"get" => pattern} ->
        pattern = filled(pattern, known)
        {message, client} = get(client, pattern |> loose() |> broadcast())
        {Map.put(clients, name, client), Map.merge(known, found(pattern, message, %{}))}

      %{"drop" => true} ->
        Client.close(client)
        {Map.delete(clients, name), known}

      other ->
        flunk("a step that is none: #{inspect(other)}")
    end
  end

  # Phoenix gives no order between what different senders say: the room, the presence (which broadcasts, so without the join's ref) and an
  # earlier join's channel that closes. Messages that are passed over for one of another sender are kept.
  defp get(client, pattern) do
    {same, other} = Enum.split_with(client.kept, &(sender(&1) == sender(pattern)))

    case Enum.split_while(same, &(not fits?(pattern, &1))) do
      {_, [message | later]} -> {message, %{client | kept: other ++ later}}
      {_, []} -> wait(%{client | kept: other}, pattern)
    end
  end

  defp wait(client, pattern) do
    case Client.receive_frame(client) do
      {{:text, text}, client} ->
        message = Jason.decode!(text)

        cond do
          fits?(pattern, message) -> {message, client}
          sender(message) == sender(pattern) -> wait(client, pattern)
          true -> wait(%{client | kept: client.kept ++ [message]}, pattern)
        end

      {other, _} ->
        flunk("#{inspect(pattern)} did not come: #{inspect(other)}")
    end
  end

  defp broadcast([_, ref, topic, "presence_diff", payload]), do: ["*", ref, topic, "presence_diff", payload]
  defp broadcast(pattern), do: pattern

  defp sender([_, _, _, "presence_" <> _, _]), do: :presence
  defp sender([join_ref | _]), do: join_ref

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

  defp fits?("*", _), do: true

  defp fits?(%{} = pattern, %{} = value),
    do: Enum.all?(pattern, fn {key, part} -> is_map_key(value, key) and fits?(part, value[key]) end)

  defp fits?(pattern, value) when is_list(pattern) and is_list(value),
    do: length(pattern) == length(value) and Enum.all?(Enum.zip(pattern, value), fn {a, b} -> fits?(a, b) end)

  defp fits?(pattern, value), do: pattern == value

  defp found("$" <> name, value, known), do: Map.put(known, name, value)

  defp found(%{} = pattern, value, known),
    do: Enum.reduce(pattern, known, fn {key, part}, known -> found(part, value[key], known) end)

  defp found([_ | _] = pattern, value, known),
    do: Enum.zip_reduce(pattern, value, known, fn part, value, known -> found(part, value, known) end)

  defp found(_, _, known), do: known
end
