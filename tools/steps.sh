# shellcheck shell=sh
# For the scripts that run many things: one failing step does not keep the others from running, and the
# end says what ran, what was left out and why.

set -u
cd "$(dirname "$0")/.." || exit 1

# shellcheck disable=SC2034 # for whoever sources this
make="${MAKE:-make} -j $(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)"
passed=0
failed=""
left_out=""
second_try=""
failed_tests=""

# What runs beside this shell: Ctrl-C reaches none of it, as it is in groups of its own, or ignores it.
runner=""
reader=""
log=""
# shellcheck disable=SC2086 # none, or one
trap 'kill $runner $reader 2>/dev/null; rm -f "$log"; exit 130' INT TERM

# In CI a warning is an error. Only here: not where somebody else's CI builds us as a dependency.
[ "${CI:-}" != true ] || export WERROR=1

have() {
    command -v "$1" >/dev/null 2>&1
}

# step NAME COMMAND...
step() {
    step_name=$1
    shift
    printf '\n== %s\n' "$step_name"
    began=$(date +%s)
    if "$@"; then
        passed=$((passed + 1))
        printf '== %s: %s s\n' "$step_name" "$(($(date +%s) - began))"
    else
        printf '== %s: FAILED after %s s\n' "$step_name" "$(($(date +%s) - began))"
        failed="$failed  $step_name
"
    fi
}

# mix_tests NAME: mix test in this folder, for 15 minutes at most: what hangs fails. Tests of real nodes, disks and time limits can fail on a machine that stands still for
# seconds: what failed is tried once more, alone. The end names what failed at first; what fails twice has failed.
mix_tests() {
    log=$(mktemp)
    logged "$log" 900 mix test --warnings-as-errors
    status=$?
    names=$(sed -n 's/^ *[0-9][0-9]*) \(test\|property\|doctest\) /    /p' "$log")
    # 2: tests have failed; anything else has nothing to do with them.
    if [ "$status" = 2 ]; then
        printf '\n-- what failed, once more\n'
        logged "$log" 300 mix test --failed
        status=$?
        [ "$status" != 0 ] || second_try="$second_try  $1:
$names
"
    fi
    rm -f "$log"
    [ "$status" = 0 ] || failed_tests="$failed_tests$names
"
    return "$status"
}

# logged FILE SECONDS COMMAND...: limited, shows and keeps what it says. Not by a pipe: whoever reads that waits for all who can still write, such
# as a process that a test has left behind.
logged() {
    log_file=$1
    shift
    : >"$log_file"
    tail -n +1 -f "$log_file" &
    reader=$!
    limited "$@" >>"$log_file" 2>&1
    log_status=$?
    # It looks once a second.
    sleep 2
    kill "$reader"
    wait "$reader" 2>/dev/null
    reader=""
    return "$log_status"
}

# limited SECONDS COMMAND...: ended then, where there is a program for that. Without the terminal: in a process group of its own, as timeout makes
# it, who reads from that is stopped.
limited() {
    seconds=$1
    shift
    ! have timeout || set -- timeout -k 10 "$seconds" "$@"
    "$@" </dev/null &
    runner=$!
    wait "$runner"
    limited_status=$?
    runner=""
    # 137: killed, as it did not end at once.
    case $limited_status in
        124 | 137) printf '\n-- it did not end within %s s\n' "$seconds" ;;
    esac
    return "$limited_status"
}

# leave_out WHAT WHY
leave_out() {
    left_out="$left_out  $1: $2
"
}

# The last command of a script.
finish() {
    printf '\n%s steps passed.\n' "$passed"
    [ -z "$left_out" ] || printf 'Left out:\n%s' "$left_out"
    [ -z "$second_try" ] || printf 'Passed only at the second try, which is a fault of the test or of the code:\n%s' "$second_try"
    [ -z "$failed" ] || printf 'FAILED:\n%s%s' "$failed" "$failed_tests"
    [ -z "$failed" ]
}

# c_tests FOLDER [WRAPPER...]: runs the tests that were built there, several at once. They find their data from the root.
c_tests() {
    folder=$1
    shift
    for source in tests/c/test_*.c; do echo "$folder/$(basename "$source" .c)"; done | tools/side-by-side "$@"
}

format_c() {
    tools/c-files | xargs clang-format --dry-run -Werror
}

made_pages() {
    tools/wire-page --check && tools/errors-page --check && tools/wire-figures --check
}

style_steps() {
    step "layers" tools/check-layers
    step "pages made from tables" made_pages

    # Other versions lay out some lines differently: 1.14, the oldest that will do, is the one that counts.
    if elixir --short-version 2>/dev/null | grep -q '^1\.14\.'; then
        step "mix format" mix format --check-formatted
    else
        leave_out "mix format" "this is not Elixir 1.14"
    fi

    # Other versions lay out some lines differently: 14, Debian 12's, is the one that counts.
    if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
        step "clang-format" format_c
    else
        leave_out "clang-format" "version 14 is not installed"
    fi

    if have shellcheck; then
        step "shellcheck" tools/check-scripts
    else
        leave_out "shellcheck" "it is not installed"
    fi
}
