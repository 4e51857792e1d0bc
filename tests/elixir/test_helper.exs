# A machine may be busy, or stand still: what is awaited is given time, and a minute is not enough for the tests of random input. Long runs (the
# names are those of the Makefile) and those under a sanitizer end when they end.
long? =
  Roomfold.SQLiteCase.sanitized?() or
    Enum.any?(~w(BITS CHAOS CRASHES ROOMFOLD_LONG RUNS SIMULATIONS), &System.get_env/1)

ExUnit.start(
  exclude: [],
  assert_receive_timeout: 30_000,
  timeout: if(long?, do: :infinity, else: 600_000),
  formatters: [ExUnit.CLIFormatter, Roomfold.StillRunning]
)
