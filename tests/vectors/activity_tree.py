#!/usr/bin/env python3
"""Writes activity_tree.tsv beside this file: roots of RFC 6962 trees, by the recursion of the RFC
(sections 2.1), which the daemon does not use.

Columns: size, root. The entries are SHA256(byte 0), SHA256(byte 1) and so on.
"""

import hashlib
import pathlib


def sha256(data):
    return hashlib.sha256(data).digest()


def root(entries):
    if not entries:
        return sha256(b"")
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0])
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return sha256(b"\x01" + root(entries[:split]) + root(entries[split:]))


def main():
    # The RFC's reference log (testonly/constants.go of transparency-dev/merkle), size 8.
    reference = [bytes.fromhex(h) for h in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f")]
    assert root(reference).hex() == (
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
    entries = [sha256(bytes([n])) for n in range(256)]
    lines = [f"{size}\t{root(entries[:size]).hex()}" for size in range(257)]
    pathlib.Path(__file__).with_name("activity_tree.tsv").write_text(
        "\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
