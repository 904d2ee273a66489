#!/usr/bin/env python3
"""Writes numeric_wire.txt: values in units of 10^-8, and PostgreSQL's numeric_send of them as hex.

Asks a running server, through psql. Run: ./make_numeric_wire.py CONNINFO > numeric_wire.txt
"""
import random
import subprocess
import sys


def values(rng):
    yield 0
    for power in range(31):
        for near in (-1, 0, 1):
            yield 10**power + near
            yield -(10**power + near)
    for _ in range(200):
        magnitude = rng.randrange(10 ** rng.randint(1, 30)) * 10 ** rng.choice((0, 0, 4, 8))
        yield rng.choice((1, -1)) * (magnitude % 10**30)


def main():
    chosen = sorted(set(values(random.Random(10000))))
    listed = ",".join(f"('{value}')" for value in chosen)
    query = (
        "SELECT v || ' ' || encode(numeric_send((v::numeric * 0.00000001)::numeric(38,8)), 'hex')"
        f" FROM (VALUES {listed}) AS t(v)"
    )
    command = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--dbname", sys.argv[1]]
    subprocess.run(command, input=query, text=True, check=True)


main()
