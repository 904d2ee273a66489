#!/usr/bin/env python3
"""Compares results of Google Benchmark: before-N.json with after-N.json of each round N.

    compare_benchmarks.py [--threshold PERCENT] FOLDER

Prints for each benchmark both median times and the median of the rounds' ratios, after over
before. Exit code 1: one of them takes more than PERCENT longer; 2: there is nothing to compare.
"""

import argparse
import json
import pathlib
import statistics
import sys

NS_PER = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def times_of(path):
    """Processor time in ns of each benchmark in the file, by name."""
    content = json.loads(path.read_text())
    times = {}
    for run in content["benchmarks"]:
        if run.get("run_type", "iteration") != "iteration" or run.get("error_occurred"):
            continue
        times[run["name"]] = run["cpu_time"] * NS_PER[run["time_unit"]]
    return times


def time_text(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.2f} {unit}"
    return f"{ns:.2f} ns"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threshold", type=float, default=10)
    parser.add_argument("folder", type=pathlib.Path)
    given = parser.parse_args()

    rounds = []
    for before in sorted(given.folder.glob("before-*.json")):
        after = before.with_name(before.name.replace("before-", "after-"))
        rounds.append((times_of(before), times_of(after)))
    names = [] if not rounds else [
        name for name in rounds[0][1]
        if all(name in before and name in after for before, after in rounds)
    ]
    if not names:
        print("no benchmark is in both", file=sys.stderr)
        return 2

    width = max(len(name) for name in names)
    print(f"{'benchmark':{width}}  {'before':>10}  {'after':>10}  {'ratio':>7}  of the rounds")
    slower = []
    for name in names:
        ratios = [after[name] / before[name] for before, after in rounds]
        ratio = statistics.median(ratios)
        mark = ""
        if ratio > 1 + given.threshold / 100:
            slower.append(name)
            mark = "  SLOWER"
        before = statistics.median(before[name] for before, _ in rounds)
        after = statistics.median(after[name] for _, after in rounds)
        print(f"{name:{width}}  {time_text(before):>10}  {time_text(after):>10}  {ratio:6.2f}x"
              f"  {min(ratios):.2f} to {max(ratios):.2f}{mark}")
    if slower:
        print(f"{len(slower)} of {len(names)} take more than {given.threshold:g} % longer")
        return 1
    print(f"none of {len(names)} takes more than {given.threshold:g} % longer")
    return 0


if __name__ == "__main__":
    sys.exit(main())
