# Evaluates a session of iex as a page writes it, line by line: elixir -pa EBIN session.exs FILE, which has a line for each statement and behind
# "#=>" what it answers: a pattern, in which ", ..." leaves out the rest. flush() answers the messages.
defmodule Messages do
  # What comes until nothing does.
  def flush do
    receive do
      message -> [message | flush()]
    after
      500 -> []
    end
  end
end

defmodule Session do
  def run(lines) do
    binding =
      for line <- lines, String.trim(line) != "", reduce: {[], env()}, do: (state -> line(line, state))

    tuple_size(binding)
  end

  defp env do
    import Messages, warn: false
    __ENV__
  end

  defp line(line, {binding, env}) do
    {code, expected} =
      case String.split(line, "#=>") do
        [code] -> {code, nil}
        [code, expected] -> {code, String.trim(expected)}
      end

    {value, binding, env} = Code.eval_quoted_with_env(Code.string_to_quoted!(code), binding, env)
    if expected, do: check(code, value, expected)
    {binding, env}
  end

  defp check(code, value, expected) do
    pattern = if String.trim(code) == "flush()", do: "[#{rest(expected)}]", else: rest(expected)
    # A NaN or -0.0 does not appear; 1 and 1.0 are told apart.
    {matches?, _} = Code.eval_string("match?(#{pattern}, value)", value: value)

    unless matches? do
      IO.puts("#{String.trim(code)}\nanswers #{inspect(value)}\nand not  #{expected}")
      System.halt(1)
    end

    IO.puts("checked #{String.trim(code)}")
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
