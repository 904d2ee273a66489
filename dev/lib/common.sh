# What the tools in dev/ share: words to the person at the terminal, and building a preset.
# Sourced. Everything said here goes to stderr, so that a tool's stdout is only its result.
# shellcheck shell=bash

tickd_checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)

# shellcheck disable=SC2034 # the tools use them
if [ -t 2 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    c_bold=$'\e[1m' c_red=$'\e[31m' c_green=$'\e[32m' c_off=$'\e[0m'
else
    c_bold='' c_red='' c_green='' c_off=''
fi

say() { printf '%s\n' "$*" >&2; }

# A step begins.
heading() { printf '%s%s%s\n' "$c_bold" "$*" "$c_off" >&2; }

# A fact, aligned: fact LABEL TEXT...
fact() {
    local label=$1
    shift
    printf '  %-12s %s\n' "$label" "$*" >&2
}

# Ends the tool: what went wrong, then what to do about it, a line each.
die() {
    printf '%s%s: %s%s\n' "$c_red" "${0##*/}" "$1" "$c_off" >&2
    shift
    [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
    exit 1
}

seconds_now() { printf '%s' "${EPOCHREALTIME/,/.}"; }

# seconds_between BEGIN END: with two decimals.
seconds_between() { awk -v b="$1" -v e="$2" 'BEGIN { printf "%.2f", e - b }'; }

# Until the tool that started it is gone, says every second how far the command writing LOG is.
_report_progress() { # WHAT LOG
    local begin=$SECONDS fetched set_up
    while kill -0 $$ 2>/dev/null; do
        fetched=$(grep -c '^Get:' "$2" 2>/dev/null || true)
        set_up=$(grep -c '^Setting up' "$2" 2>/dev/null || true)
        printf '\r  %s: %d s, %s files fetched, %s packages installed ' \
            "$1" $((SECONDS - begin)) "${fetched:-0}" "${set_up:-0}" >&2
        sleep 1
    done
}

# quietly WHAT LOG COMMAND...: runs COMMAND with all it says in LOG, tells how far it is, and on
# failure shows the end of LOG. Gives COMMAND's exit code.
quietly() {
    local what=$1 log=$2 begin=$SECONDS reporter='' status=0
    shift 2
    : >"$log"
    if [ -t 2 ]; then
        _report_progress "$what" "$log" &
        reporter=$!
    else
        say "  $what ..."
    fi
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ -n "$reporter" ]; then
        kill "$reporter" 2>/dev/null || true
        wait "$reporter" 2>/dev/null || true
        printf '\r\e[K' >&2
    fi
    if [ "$status" -eq 0 ]; then
        say "  $what: done in $((SECONDS - begin)) s"
    else
        say "  $what: failed after $((SECONDS - begin)) s. The end of $log:"
        tail -n 15 "$log" | sed 's/^/    /' >&2
    fi
    return "$status"
}

# build_preset PRESET [TARGET...]: configures when needed and builds. On a terminal ninja shows its
# one moving line; elsewhere only failures are printed.
build_preset() {
    local preset=$1 folder=$tickd_checkout/build/$1 target log arguments=()
    shift
    mkdir -p "$folder"
    log=$folder/configure.log
    if ! (cd "$tickd_checkout" && cmake --preset "$preset") >"$log" 2>&1; then
        say "configuring the preset $preset failed ($log):"
        tail -n 30 "$log" >&2
        return 1
    fi
    for target in "$@"; do arguments+=(--target "$target"); done
    arguments+=(--parallel "$(nproc)")
    [ -t 2 ] || arguments+=(-- --quiet)
    cmake --build "$folder" "${arguments[@]}" >&2
}
