#!/usr/bin/env python3
"""Runs clang-tidy over our sources, on every core, and remembers what it found clean.

    tidy.py BUILD_FOLDER [FILE...]

BUILD_FOLDER has a compile_commands.json of clang's. A file is looked at again only when its
preprocessed text, with comments, or .clang-tidy has changed: the first run takes minutes, the next
seconds. Exit code 1: something was found.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
# The product. Tests are judged by two compilers and by running: they would triple the time.
FOLDERS = ("ingest", "verify", "daemon", "manual", "bench")
TIDY = "clang-tidy-19"


def fingerprint(entry):
    """What clang-tidy's answer depends on, or nothing when the file does not preprocess."""
    command = entry.get("arguments") or shlex.split(entry["command"])
    if "ccache" in os.path.basename(command[0]):
        command = command[next(i for i, word in enumerate(command) if "clang" in word):]
    if "-o" in command:
        at = command.index("-o")
        command = command[:at] + command[at + 2:]
    run = subprocess.run([word for word in command if word != "-c"] + ["-E", "-C"],
                         cwd=entry["directory"], capture_output=True, check=False)
    if run.returncode != 0:
        return None
    digest = hashlib.sha256((CHECKOUT / ".clang-tidy").read_bytes())
    digest.update(run.stdout)
    return digest.hexdigest()


def examine(entry, build, clean):
    """The file's findings as text; empty when there are none."""
    mark = fingerprint(entry)
    if mark and (clean / mark).exists():
        return ""
    run = subprocess.run([TIDY, "-p", str(build), "--quiet", entry["file"]],
                         cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if run.returncode == 0:
        if mark:
            (clean / mark).touch()
        return ""
    return run.stdout + (run.stderr if not run.stdout.strip() else "")


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: tidy.py BUILD_FOLDER [FILE...]")
    build = pathlib.Path(sys.argv[1]).resolve()
    only = {str(pathlib.Path(name).resolve()) for name in sys.argv[2:]}
    clean = build / "tidy-clean"
    clean.mkdir(exist_ok=True)
    entries = [entry for entry in json.loads((build / "compile_commands.json").read_text())
               if entry["file"].startswith(tuple(f"{CHECKOUT / folder}/" for folder in FOLDERS))
               and (not only or entry["file"] in only)]
    found = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for entry, text in zip(entries, pool.map(lambda e: examine(e, build, clean), entries)):
            if text:
                found += 1
                print(f"{os.path.relpath(entry['file'], CHECKOUT)}:\n{text}", flush=True)
    print(f"clang-tidy: {len(entries)} files, {found} with findings", flush=True)
    sys.exit(1 if found or not entries else 0)


if __name__ == "__main__":
    main()
