#!/bin/bash
# manual.sh TICKD FOLDER: fails unless FOLDER/tickd.1 has each command and option that `--help` shows,
# FOLDER/tickd.yaml.5 each setting that `config show` prints, and groff finds nothing wrong with them.
set -euo pipefail
tickd=$1 folder=$2
failed=0 looked=0
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

complain() {
    printf 'manual: %s\n' "$1"
    failed=1
}

# Without fonts and escapes: what a reader sees.
plain() { sed -e 's/\\f[BIPR]//g' -e 's/\\-/-/g' -e 's/\\e/\\/g' -e 's/\\(aq/'"'"'/g' -e 's/\\(ti/~/g' -e 's/\\(ha/^/g' "$1"; }

shown_commands() { awk '/^Subcommands:/ { on = 1; next } /^[^ ]/ { on = 0 } on && /^  [a-z]/ { print $1 }' <<<"$1"; }

# The part of the page below `.SS tickd COMMAND`.
section() { awk -v head=".SS $1" '/^\.S[SH]/ { on = $0 == head || index($0, head " ") == 1 } on' "$temp/tickd.1"; }

walk() { # WORD...
    local help text each option
    help=$("$tickd" "${@:2}" --help)
    looked=$((looked + 1))
    if [ $# -gt 1 ]; then
        text=$(section "$*")
        [ -n "$text" ] || complain "tickd.1 has nothing about: $*"
        while read -r option; do
            [ "$option" = --help ] || grep -q -- "^$option\b" <<<"$text" || complain "tickd.1: $* lacks $option"
        done < <(grep -oE '^  (-[a-z],)?--[a-z-]+' <<<"$help" | sed 's/.*--/--/')
    fi
    while read -r each; do
        [ -z "$each" ] || walk "$@" "$each"
    done < <(shown_commands "$help")
}

# `section.setting`, one a line, of the YAML on stdin; a list's as `section[].setting`.
settings() {
    awk '
        /^[a-z_]+:/ { section = $1; sub(/:.*/, "", section); list = ""; next }
        /^  - / { list = "[]"; sub(/^  - /, "    ") }
        /^  +[a-z_]+:/ { key = $1; sub(/:.*/, "", key); print section list "." key }'
}

plain "$folder/tickd.1" >"$temp/tickd.1"
plain "$folder/tickd.yaml.5" >"$temp/tickd.yaml.5"
walk tickd
[ "$looked" -gt 30 ] || complain "only $looked commands were found in --help"
for code in 0 1 69 75 78; do
    grep -qx "$code" "$temp/tickd.1" || complain "tickd.1 lacks the exit code $code"
done

: >"$temp/empty.yaml"
found=0
while read -r setting; do
    found=$((found + 1))
    grep -qxF -- "$setting" "$temp/tickd.yaml.5" || complain "tickd.yaml.5 lacks $setting"
done < <("$tickd" --config "$temp/empty.yaml" config show | settings)
[ "$found" -gt 50 ] || complain "only $found settings were found in config show"

if command -v groff >/dev/null; then
    for page in tickd.1 tickd.yaml.5; do
        warnings=$(groff -man -Tutf8 -ww -z "$folder/$page" 2>&1)
        [ -z "$warnings" ] || complain "$page: $warnings"
    done
fi
exit "$failed"
