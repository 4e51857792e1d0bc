defmodule Roomfold.LogOver do
  @moduledoc false
  # A log in memory (its process is that of Roomfold.EventLog.Memory), of which a test has some functions do something else.

  @functions [
    claim: 4,
    head: 2,
    submit: 6,
    read: 5,
    put_snapshot: 5,
    snapshot: 3,
    trim: 3,
    rooms: 1,
    delete: 3,
    verify: 2
  ]

  defmacro __using__(_) do
    functions =
      for {name, arity} <- @functions do
        arguments = Macro.generate_arguments(arity, __MODULE__)

        quote do
          @impl true
          def unquote(name)(unquote_splicing(arguments)),
            do: Roomfold.EventLog.Memory.unquote(name)(unquote_splicing(arguments))
        end
      end

    quote do
      @behaviour Roomfold.EventLog
      unquote_splicing(functions)
      defoverridable Roomfold.EventLog
    end
  end
end
