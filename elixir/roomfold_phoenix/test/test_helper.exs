alias Roomfold.PhoenixTest

{:ok, _} =
  Supervisor.start_link(
    [
      {Phoenix.PubSub, name: PhoenixTest.PubSub},
      PhoenixTest.Presence,
      {Roomfold.Rooms,
       name: PhoenixTest.Rooms,
       stream: {Roomfold.Phoenix.PubSub, PhoenixTest.PubSub},
       room: [rules: Roomfold.Rules.doom(), tick_ms: 10, grace_ms: 300]},
      PhoenixTest.Endpoint
    ],
    strategy: :one_for_one
  )

{:ok, _} = Application.ensure_all_started(:postgrex)
{:ok, _} = Application.ensure_all_started(:ecto_sql)
Application.put_env(:roomfold_phoenix, :postgres, PhoenixTest.Postgres.start())

# What a server writes when a client misbehaves is shown where a test fails.
ExUnit.start(capture_log: true)
