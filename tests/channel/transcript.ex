defmodule Roomfold.ChannelTest.Transcript do
  @moduledoc false
  # Plays a conversation of tests/vectors/channel (its README says how they are written) with whatever speaks the protocol: the development
  # gateway, and Phoenix.
  import ExUnit.Assertions
  alias Roomfold.ChannelTest.Client
  alias Roomfold.JSON

  @folder Path.expand("../vectors/channel", __DIR__)

  @doc "All of them: `{name, about, steps}`."
  def all do
    for file <- Path.wildcard(@folder <> "/**/*.jsonl") do
      [about | steps] = file |> File.read!() |> String.split("\n", trim: true) |> Enum.map(&JSON.decode!/1)
      {Path.relative_to(file, @folder), about, steps}
    end
  end

  @doc "Options of the room that one is about."
  def room(about) do
    rules = if about["rules"] == "doom", do: Roomfold.Rules.doom(), else: Roomfold.Rules.xr()
    [rules: rules, grace_ms: about["grace_ms"] || 5_000, tick_ms: 10]
  end

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
        tell(client, filled(message, known))
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

  # Bytes are written in base 64.
  defp tell(client, [join_ref, ref, topic, event, %{"binary" => bytes}]) do
    texts = for text <- [join_ref, ref, topic, event], do: text || ""
    Client.send_binary(client, [0, Enum.map(texts, &byte_size/1), texts, Base.decode64!(bytes)])
  end

  defp tell(client, message), do: Client.send_text(client, JSON.encode!(message))

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
      {{kind, data}, client} when kind in [:text, :binary] ->
        message = message(kind, data)

        cond do
          fits?(pattern, message) -> {message, client}
          sender(message) == sender(pattern) -> wait(client, pattern)
          true -> wait(%{client | kept: client.kept ++ [message]}, pattern)
        end

      {other, _} ->
        flunk("#{inspect(pattern)} did not come: #{inspect(other)}")
    end
  end

  defp message(:text, text), do: JSON.decode!(text)

  defp message(
         :binary,
         <<0, join::8, topic::8, event::8, join_ref::binary-size(join), name::binary-size(topic),
           kind::binary-size(event), data::binary>>
       ),
       do: [join_ref, nil, name, kind, %{"binary" => Base.encode64(data)}]

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
