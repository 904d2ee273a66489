#!/bin/bash
# hardened_binary.sh BINARY: reads the built program and fails unless it is what an attacker should meet.
set -euo pipefail
binary=$1
failed=0

expect() { # WHAT PATTERN TEXT
    if grep -Eq -- "$2" <<<"$3"; then return; fi
    printf 'hardened_binary: %s: %s\n' "$binary" "$1"
    failed=1
}

header=$(readelf -hW "$binary")
segments=$(readelf -lW "$binary")
dynamic=$(readelf -dW "$binary")
symbols=$(readelf -W --dyn-syms "$binary")

expect "is no position-independent executable" 'Type:[[:space:]]+DYN' "$header"
expect "is not marked PIE" 'FLAGS_1.*PIE' "$dynamic"
expect "has no RELRO" 'GNU_RELRO' "$segments"
expect "binds lazily, so RELRO is not full" 'BIND_NOW|FLAGS_1.*NOW' "$dynamic"
expect "has an executable stack" 'GNU_STACK.* RW ' "$segments"
expect "has no stack protector" '__stack_chk_fail' "$symbols"
expect "has no fortified calls" '__(memcpy|memset|snprintf|vsnprintf|fprintf)_chk' "$symbols"
if grep -Eq 'LOAD.* RWE' <<<"$segments"; then
    printf 'hardened_binary: %s: has memory that is writable and executable\n' "$binary"
    failed=1
fi
# Libraries that come without it keep the linker from marking the whole; our own functions have it.
if grep -q 'X86-64' <<<"$header"; then
    expect "main does not begin with endbr64" 'endbr64' \
        "$(objdump -d --no-show-raw-insn --disassemble=main "$binary")"
fi
exit "$failed"
