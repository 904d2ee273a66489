#!/usr/bin/env python3
"""Writes log_trees.tsv beside this file: roots of the RFC 6962 trees of 0 to 130 leaves, of which
leaf i is the byte i. By the RFC's recursion and by carrying odd nodes upwards, which must agree.

Columns: size, root in hex.
"""

import hashlib
import pathlib


def leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def by_recursion(data):
    if not data:
        return hashlib.sha256().digest()
    if len(data) == 1:
        return leaf(data[0])
    split = 1 << (len(data) - 1).bit_length() - 1
    return node(by_recursion(data[:split]), by_recursion(data[split:]))


def by_levels(data):
    level = [leaf(each) for each in data] or [hashlib.sha256().digest()]
    while len(level) > 1:
        odd = level[len(level) - len(level) % 2:]
        level = [node(a, b) for a, b in zip(level[::2], level[1::2])] + odd
    return level[0]


def main():
    lines = []
    for size in range(131):
        data = [bytes([i]) for i in range(size)]
        root = by_recursion(data)
        assert root == by_levels(data), size
        lines.append(f"{size}\t{root.hex()}")
    target = pathlib.Path(__file__).with_name("log_trees.tsv")
    target.write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
