defmodule Roomfold.JSONTest do
  @moduledoc "Both implementations, on the same vectors and the same random input."
  use ExUnit.Case, async: true
  import :proper_types, only: [binary: 0]

  alias Roomfold.{Generators, JSON}

  @vectors Path.expand("../vectors/json_syntax.jsonl", __DIR__)
  @suite System.get_env("ROOMFOLD_JSON_TEST_SUITE")
  # Random inputs of each kind; RUNS=5000 mix test tests/elixir/json_test.exs is a long run.
  @runs String.to_integer(System.get_env("RUNS", "200"))

  for impl <- [:native, :elixir] do
    describe "#{impl}" do
      @describetag impl: impl

      test "accepts and refuses what the vectors say, at the offset they say", %{impl: impl} do
        for line <- File.stream!(@vectors) do
          vector = JSON.decode!(line, impl: :elixir)
          text = vector["text"] || Base.decode16!(vector["hex"], case: :mixed)
          depth = Map.get(vector, "max_depth", 64)

          case JSON.decode(text, impl: impl, max_depth: depth) do
            {:ok, value} ->
              assert vector["accept"], "#{vector["name"]}: accepted as #{inspect(value)}"

              if canonical = vector["canonical"] do
                assert JSON.decode!(canonical, impl: impl) === value, vector["name"]
              end

            {:error, error} ->
              refute vector["accept"], "#{vector["name"]}: #{Exception.message(error)}"

              assert {to_string(error.reason), error.offset} == {vector["reason"], vector["offset"]},
                     vector["name"]
          end
        end
      end

      if @suite do
        test "decides every y_ and n_ case of JSONTestSuite", %{impl: impl} do
          files = Path.wildcard(Path.join(@suite, "[yn]_*.json"))
          assert length(files) > 250

          for file <- files do
            expected = if String.starts_with?(Path.basename(file), "y_"), do: :ok, else: :error
            assert {^expected, _} = JSON.decode(File.read!(file), impl: impl), file
          end
        end
      else
        IO.puts("left out: JSONTestSuite for #{impl} (ROOMFOLD_JSON_TEST_SUITE does not name its folder)")
      end

      test "numbers round-trip", %{impl: impl} do
        :rand.seed(:exsss, 1)

        for _ <- 1..20_000 do
          <<float::float>> = finite()
          assert {:ok, back} = JSON.decode(JSON.encode!(float, impl: impl), impl: impl)
          assert <<back::float>> == <<float::float>>
        end

        for integer <- [0, -1, 2 ** 63, -(2 ** 63) - 1, 10 ** 400, -(10 ** 40)] do
          assert JSON.decode!(JSON.encode!(integer, impl: impl), impl: impl) === integer
        end
      end

      test "integers have at most 16,384 digits", %{impl: impl} do
        digits = String.duplicate("7", 16_384)
        longest = String.to_integer(digits)

        for {sign, integer} <- [{"", longest}, {"-", -longest}] do
          assert JSON.decode!("[" <> sign <> digits <> "]", impl: impl) === [integer]
          assert JSON.encode!([integer], impl: impl) == "[" <> sign <> digits <> "]"
          text = "[1, " <> sign <> digits <> "7]"
          assert {:error, %{reason: :number_out_of_range, offset: 4}} = JSON.decode(text, impl: impl)
          assert {:error, error} = JSON.encode([integer * 10], impl: impl)
          assert {error.reason, error.offset} == {:number_out_of_range, nil}
        end
      end

      test "limits", %{impl: impl} do
        assert {:error, %{reason: :too_large}} = JSON.decode("[1]", impl: impl, max_bytes: 2)
        assert {:error, %{reason: :too_deep, offset: 1}} = JSON.decode("[[]]", impl: impl, max_depth: 1)
        deep = Enum.reduce(1..513, [], fn _, inner -> [inner] end)
        assert {:error, %{reason: :too_deep}} = JSON.encode(deep, impl: impl)
      end

      # Terms can share parts: without a limit a small one could be any amount of text.
      if impl == :native and System.get_env("ROOMFOLD_LONG") do
        test "text of more than a gigabyte is too large, also behind a long string", %{impl: impl} do
          [first, part] =
            for {byte, megabytes} <- [{"a", 100}, {"b", 10}], do: :binary.copy(byte, megabytes * 1_048_576)

          assert {:error, %{reason: :too_large}} =
                   JSON.encode([first | List.duplicate(part, 100)], impl: impl)
        end
      end

      test "refuses what JSON can't say", %{impl: impl} do
        for {term, said} <- [
              {:atom, "got the atom :atom"},
              {{1}, "got the tuple {1}"},
              {[1 | 2], "got the list [1 | 2]"},
              {%{a: 1}, "keys must be strings, got the atom :a"},
              {%{1 => 1}, "keys must be strings, got 1"},
              {<<1::3>>, "got <<1::size(3)>>"},
              {self(), "got #PID<"},
              {[fn -> 1 end], "got #Function<"},
              {%{"a" => nil, "b" => [true, 1, 1.5, "x", [], %{}, {1, 2}]},
               ~s|got the tuple {1, 2} under "b"|},
              {%{"a" => %{"b" => %{c: 1}}}, ~s|keys must be strings, got the atom :c under "b"|},
              {%{"day" => ~D[2026-01-01]}, ~s|got a Date under "day"|}
            ] do
          assert {:error, %{reason: :unsupported_value} = error} = JSON.encode(term, impl: impl),
                 inspect(term)

          assert error.message =~ ": " <> said
        end

        for term <- [<<0xFF>>, [<<0xC3>>], %{<<0xED, 0xA0, 0x80>> => 1}] do
          assert {:error, %{reason: :invalid_utf8}} = JSON.encode(term, impl: impl), inspect(term)
        end
      end

      test "input makes no atoms", %{impl: impl} do
        names = for n <- 1..1_000, do: {"never_seen_#{n}_#{impl}", "nor_this_#{n}"}
        text = JSON.encode!(Map.new(names), impl: impl)
        JSON.decode!(text, impl: impl)

        for {key, value} <- names, string <- [key, value] do
          assert_raise ArgumentError, fn -> String.to_existing_atom(string) end
        end
      end
    end
  end

  defp finite do
    bytes = :rand.bytes(8)
    if match?(<<_::1, 0x7FF::11, _::52>>, bytes), do: finite(), else: bytes
  end

  test "both read and write the same" do
    same(
      :proper.forall(Generators.any_value(), fn value ->
        JSON.encode(value, impl: :native) == JSON.encode(value, impl: :elixir)
      end)
    )
  end

  test "both say the same of damaged text" do
    same(:proper.forall(Generators.json(), &decode_alike?/1))
    same(:proper.forall(binary(), &decode_alike?/1))
  end

  defp decode_alike?(text), do: JSON.decode(text, impl: :native) === JSON.decode(text, impl: :elixir)

  defp same(property),
    do: assert(:proper.quickcheck(property, [{:numtests, @runs}, :quiet, :long_result]) == true)
end
