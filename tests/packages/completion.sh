#!/bin/bash
# completion.sh TICKD TICKD.BASH: walks every `--help` and fails unless it is text, and each command and
# each option that it shows is completed, and nothing else.
set -euo pipefail
tickd=$1
# shellcheck source=/dev/null
. "$2"
failed=0 looked=0

complain() {
    printf 'completion: %s\n' "$1"
    failed=1
}

# completed WORD...: what TAB behind these words offers, sorted, a word each.
completed() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _tickd
    printf '%s\n' "${COMPREPLY[@]}" | sort
}

# What --help shows: commands stand below `Subcommands:`, options begin with a dash.
shown_commands() { awk '/^Subcommands:/ { on = 1; next } /^[^ ]/ { on = 0 } on && /^  [a-z]/ { print $1 }' <<<"$1"; }
shown_options() { grep -oE '^  -[^ ]*' <<<"$1" | tr ', ' '\n' | grep '^-'; }

walk() { # TICKD-COMMAND...
    local help wanted offered each
    help=$("$tickd" "${@:2}" --help | tr -d '\0')
    if "$tickd" "${@:2}" --help | LC_ALL=C grep -aq '[^ -~]'; then complain "$*: --help prints what is no text"; fi
    looked=$((looked + 1))
    wanted=$({
        shown_commands "$help"
        shown_options "$help"
        echo --config # of the program itself, and understood everywhere
    } | sort -u)
    offered=$(cd "$empty" && completed "$@" '' | sed '/^$/d')
    [ "$wanted" = "$offered" ] || complain "$* <TAB>: $(diff <(echo "$wanted") <(echo "$offered") | grep '^[<>]' | tr '\n' ' ')"
    while read -r each; do
        [ -z "$each" ] || walk "$@" "$each"
    done < <(shown_commands "$help")
}

expect() { # WANTED WORD...
    local offered
    offered=$(completed "${@:2}" | tr '\n' ' ')
    [ "$offered" = "$1 " ] || complain "${*:2}<TAB>: wanted '$1', offered '$offered'"
}

empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
walk tickd
[ "$looked" -gt 30 ] || complain "only $looked commands were found in --help"

cd "$empty"
touch 'a file.ndjson' other.gz
expect "send serve spool" tickd s
expect "migrate" tickd db mig
expect "--no-progress" tickd send --no
expect "a file.ndjson" tickd send --to host:1 a
expect "a file.ndjson other.gz" tickd send --token-file ''
expect "" tickd send --to ''
expect "binary csv ndjson table" tickd query ticks --format ''
expect "committed" tickd send --ack c
expect "migrate" tickd --config serve db mig # a value is no command
expect "check-proof" tickd verify --config x ch
exit "$failed"
