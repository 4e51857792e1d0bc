# Evaluates a session of iex as a page writes it, statement by statement: elixir -pa EBIN session.exs FILE, which has behind
# "#=>" what one answers: a pattern, in which ", ..." leaves out the rest. flush() answers the messages. As in iex a statement
# ends with the first line at which it is whole.
defmodule Messages do
  # As in iex: what is there, without waiting for more. Who pastes a page does not wait either.
  def flush do
    receive do
      message -> [message | flush()]
    after
      0 -> []
    end
  end
end

defmodule Session do
  def run(lines) do
    {_, _, left} = Enum.reduce(lines, {[], env(), ""}, &line/2)
    if String.trim(left) != "", do: stop("this is no whole statement:\n#{left}")
  end

  defp env do
    import Messages, warn: false
    %{__ENV__ | module: nil, function: nil}
  end

  defp line(line, {binding, env, before}) do
    {code, expected} =
      case String.split(line, "#=>") do
        [code] -> {before <> code <> "\n", nil}
        [code, expected] -> {before <> code, String.trim(expected)}
      end

    case Code.string_to_quoted(code) do
      {:ok, quoted} ->
        {value, binding, env} = Code.eval_quoted_with_env(quoted, binding, env)
        if expected, do: check(code, value, expected)
        {binding, env, ""}

      {:error, _} when expected == nil ->
        {binding, env, code}

      {:error, error} ->
        stop("#{code}\ncan't be read: #{inspect(error)}")
    end
  end

  defp check(code, value, expected) do
    pattern = if String.trim(code) == "flush()", do: "[#{rest(expected)}]", else: rest(expected)
    # A NaN or -0.0 does not appear; 1 and 1.0 are told apart.
    {matches?, _} = Code.eval_string("match?(#{pattern}, value)", value: value)

    unless matches?, do: stop("#{String.trim(code)}\nanswers #{inspect(value)}\nand not  #{expected}")

    IO.puts("checked #{String.trim(code)}")
  end

  defp stop(why) do
    IO.puts(why)
    System.halt(1)
  end

  # Of a map there may be more; of a tuple one more.
  defp rest(done \\ "", pattern) do
    case String.split(pattern, ", ...", parts: 2) do
      [end_of_it] -> done <> end_of_it
      [before, behind] -> rest(left_out(done <> before), behind)
    end
  end

  defp left_out(before), do: if(in_map?(String.reverse(before), 0), do: before, else: before <> ", _")

  defp in_map?("}" <> rest, depth), do: in_map?(rest, depth + 1)
  defp in_map?("{%" <> _, 0), do: true
  defp in_map?("{" <> _, 0), do: false
  defp in_map?("{" <> rest, depth), do: in_map?(rest, depth - 1)
  defp in_map?(<<_::utf8, rest::binary>>, depth), do: in_map?(rest, depth)
end

{:ok, _} = Application.ensure_all_started(:roomfold)
[file] = System.argv()
file |> File.read!() |> String.split("\n") |> Session.run()
IO.puts("all as written")
