#!/usr/bin/env python3
"""Reads ticks from tickd's packed segments: a second implementation, from docs/segments.md alone.

It needs Python 3.9 or newer and `psql`; with numpy it is a hundred times as fast. Use it as a
module (`decode`, `read`), or:

    read_ticks.py --database CONNINFO --symbol S [--from TIME] [--to TIME] [--metadata]

prints CSV: time, symbol, bid, ask, mid, volume, source (and metadata), in order of time. TIME is
anything PostgreSQL reads as timestamptz; `from` is included, `to` is not.

    read_ticks.py --file FILE     the same for a COPY BINARY file of the columns data, metadata
"""

import argparse
import csv
import datetime
import os
import struct
import subprocess
import sys
import tempfile

try:
    import numpy
except ImportError:
    numpy = None

NUMBERS = ("time", "bid", "ask", "mid", "volume")
TEXTS = ("symbol", "source")
ABSENT, OFFSETS, STEPS = 0, 1, 2
FROM_REFERENCE, BITMAP = 1, 2
NARROW = 2**62  # sums of two below it still fit an int64


class NotASegment(Exception):
    """Why the bytes cannot be read."""


class Segment:
    """Columns of one segment, lists (or numpy arrays of int64) of the same length.

    time: microseconds since 1970. bid, ask, mid, volume: units of 10^-8. volume is None when no
    tick has one; has_volume tells which have, None: all. symbol, source: a list of texts and, a
    tick each, the number of one (one behind the last: none), or None: all have the first. metadata:
    a list of texts and None, if it was asked for.
    """

    def __init__(self):
        self.count = 0
        self.time = self.bid = self.ask = self.mid = self.volume = self.has_volume = None
        self.symbol = self.source = self.metadata = None

    def text(self, column, i):
        texts, slots = getattr(self, column)
        number = 0 if slots is None else int(slots[i])
        return texts[number] if number < len(texts) else None


def mid_of(bid, ask):
    total = bid + ask
    return (total + 1) // 2 if total >= 0 else -((1 - total) // 2)


class _Taker:
    def __init__(self, data):
        self.data, self.at = bytes(data), 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise NotASegment("it ends before its columns do")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, count, signed=False):
        return int.from_bytes(self.take(count), "little", signed=signed)


def _slots(data, width, count, fast):
    if fast:
        return numpy.frombuffer(data, dtype=f"<u{width}").astype(numpy.int64)
    return [int.from_bytes(data[i * width:(i + 1) * width], "little") for i in range(count)]


def _bits(data, count):
    return [bool(data[i // 8] >> (i % 8) & 1) for i in range(count)]


def _values(column, data, count):
    """A column's values, without its reference. Python's integers where 64 bits may not do."""
    kind, _, width, exponent, base, step = column
    factor = 10**exponent
    reach = (256**width - 1) * factor
    last = count - 1 if kind == STEPS else 1
    fast = (numpy is not None and width <= 4 and factor < NARROW
            and -NARROW < base + min(step, 0) * last
            and abs(base) + (reach + abs(step)) * last < NARROW)
    if width == 0:
        slots = numpy.zeros(count, numpy.int64) if fast else [0] * count
    else:
        slots = _slots(data, width, count, fast)
    if kind == STEPS and slots[0] != 0:
        raise NotASegment("the first of its steps is not 0")
    if fast:
        if kind == OFFSETS:
            return base + factor * slots
        steps = step + factor * slots
        steps[0] = base
        return numpy.cumsum(steps)
    if kind == OFFSETS:
        return [base + factor * slot for slot in slots]
    values = [base]
    for slot in slots[1:]:
        values.append(values[-1] + step + factor * slot)
    return values


def _plus(values, others):
    if numpy is not None and isinstance(values, numpy.ndarray) and isinstance(others, numpy.ndarray):
        return values + others
    return [int(a) + int(b) for a, b in zip(values, others)]


def _mids(bid, ask):
    if numpy is not None and isinstance(bid, numpy.ndarray) and isinstance(ask, numpy.ndarray):
        total = bid + ask
        return numpy.where(total >= 0, (total + 1) // 2, -((1 - total) // 2))
    return [mid_of(int(b), int(a)) for b, a in zip(bid, ask)]


def decode(data, metadata=None, with_metadata=False):
    """The ticks of one segment. Raises NotASegment."""
    taker = _Taker(data)
    if taker.number(1) != 1:
        raise NotASegment("it is of another version")
    metadata_presence, count = taker.number(1), taker.number(2)
    if not 1 <= count <= 4096 or metadata_presence > 2:
        raise NotASegment("it has a count or a presence that no segment has")
    columns = {}
    for name in NUMBERS:
        kind, flags, width, exponent = struct.unpack("<4B", taker.take(4))
        base, step = taker.number(16, signed=True), taker.number(8, signed=True)
        allowed = {"ask": FROM_REFERENCE, "mid": FROM_REFERENCE, "volume": BITMAP}.get(name, 0)
        if (kind > 2 or flags & ~allowed or width not in (0, 1, 2, 4, 8, 16) or exponent > 38
                or (kind == STEPS and flags & BITMAP) or (kind == ABSENT and width != 0)
                or (kind == ABSENT and name != "volume")
                or (name == "time" and (kind != STEPS or step < 0))):
            raise NotASegment(f"it describes a column {name} that there cannot be")
        columns[name] = (kind, flags, width, exponent, base, 0 if kind == OFFSETS else step)
    texts = {name: (taker.number(2), taker.number(2)) for name in TEXTS}
    segment = Segment()
    segment.count = count
    has_metadata = _bits(taker.take((count + 7) // 8), count) if metadata_presence == 2 \
        else [metadata_presence == 1] * count
    if columns["volume"][1] & BITMAP:
        segment.has_volume = _bits(taker.take((count + 7) // 8), count)
    dictionaries = {}
    for name in TEXTS:
        width, entries = texts[name]
        if width > 2 or (width == 0 and entries > 1) or (name == "symbol" and entries == 0):
            raise NotASegment(f"it describes a column {name} that there cannot be")
        dictionaries[name] = [taker.take(taker.number(1)).decode() for _ in range(entries)]
    parts = {name: taker.take(columns[name][2] * count) for name in NUMBERS}
    for name in TEXTS:
        width, entries = texts[name]
        slots = None
        if width:
            slots = _slots(taker.take(width * count), width, count, numpy is not None)
            if max(slots) >= entries + (name == "source"):
                raise NotASegment(f"it refers to a {name} that it does not have")
        setattr(segment, name, (dictionaries[name], slots))
    if taker.at != len(taker.data):
        raise NotASegment("it goes on behind its columns")
    for name in NUMBERS:
        if columns[name][0] == ABSENT:
            continue
        values = _values(columns[name], parts[name], count)
        if columns[name][1] & FROM_REFERENCE:
            values = _plus(values, segment.bid if name == "ask" else _mids(segment.bid, segment.ask))
        setattr(segment, name, values)
    if with_metadata:
        segment.metadata = _metadata(metadata, has_metadata)
    return segment


def _metadata(metadata, has):
    wanted = sum(has)
    if not metadata:
        if wanted:
            raise NotASegment("its metadata are missing")
        return [None] * len(has)
    taker = _Taker(metadata)
    if taker.number(1) != 1 or taker.number(4) != wanted:
        raise NotASegment("its metadata are not its own")
    lengths = [taker.number(4) for _ in range(wanted)]
    texts = iter([taker.take(length).decode() for length in lengths])
    if taker.at != len(taker.data):
        raise NotASegment("its metadata are not its own")
    return [next(texts) if each else None for each in has]


# --- reading the table --------------------------------------------------------------------------


def copied(data):
    """The tuples of a COPY BINARY stream."""
    if data[:11] != b"PGCOPY\n\xff\r\n\0":
        raise NotASegment("it is no COPY BINARY stream")
    at = 19 + struct.unpack_from(">I", data, 15)[0]
    while (fields := struct.unpack_from(">h", data, at)[0]) != -1:
        at += 2
        values = []
        for _ in range(fields):
            length = struct.unpack_from(">i", data, at)[0]
            at += 4
            values.append(None if length < 0 else data[at:at + length])
            at += max(length, 0)
        yield values


def _quoted(text):
    return "'" + text.replace("'", "''") + "'"


def query(symbol, begin, end, with_metadata):
    """docs/segments.md, "How to ask it"."""
    columns = "data, metadata" if with_metadata else "data, NULL::bytea"
    bounds = ""
    if begin is not None:
        bounds += (f" AND first_time >= date_trunc('day', timestamptz {_quoted(begin)}, 'UTC')"
                   f" AND last_time >= {_quoted(begin)}")
    if end is not None:
        bounds += f" AND first_time < {_quoted(end)}"
    return " UNION ALL ".join(
        f"SELECT {columns} FROM public.price_segment WHERE symbol {which}{bounds}"
        for which in ("= " + _quoted(symbol), "IS NULL"))


def read(conninfo, symbol, begin=None, end=None, with_metadata=False):
    """Segments that may hold ticks of the symbol within [begin, end), which are timestamptz texts,
    and the bounds in microseconds since 1970 (None: open)."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "segments.bin")
        lines = ["\\set ON_ERROR_STOP on", "SET max_parallel_workers_per_gather = 0;",
                 f"\\copy ({query(symbol, begin, end, with_metadata)}) TO '{file}' (FORMAT binary)",
                 "SELECT " + ", ".join(
                     "NULL" if bound is None else
                     f"(extract(epoch FROM timestamptz {_quoted(bound)}) * 1000000)::bigint"
                     for bound in (begin, end)) + ";"]
        run = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-d", conninfo], text=True,
                             input="\n".join(lines) + "\n", capture_output=True, check=False,
                             env={**os.environ, "PGCLIENTENCODING": "UTF8"})
        if run.returncode != 0:
            raise RuntimeError("psql: " + " ".join(run.stderr.split()))
        bounds = [int(bound) if bound else None for bound in run.stdout.strip().split("|")]
        with open(file, "rb") as stream:
            rows = list(copied(stream.read()))
    return [decode(data, metadata, with_metadata) for data, metadata in rows], bounds


def decimal(units):
    units = int(units)
    sign, units = ("-" if units < 0 else ""), abs(units)
    return f"{sign}{units // 10**8}.{units % 10**8:08}"


def instant(time_us):
    time = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=int(time_us))
    return time.isoformat(timespec="microseconds") + "Z"


def rows(segments, symbol=None, begin_us=None, end_us=None):
    """The wanted ticks as tuples, in order of time."""
    found = []
    for segment in segments:
        for i in range(segment.count):
            if ((symbol is not None and segment.text("symbol", i) != symbol)
                    or (begin_us is not None and segment.time[i] < begin_us)
                    or (end_us is not None and segment.time[i] >= end_us)):
                continue
            has_volume = segment.volume is not None and (
                segment.has_volume is None or segment.has_volume[i])
            found.append((int(segment.time[i]), segment.text("symbol", i), segment.bid[i],
                          segment.ask[i], segment.mid[i], segment.volume[i] if has_volume else None,
                          segment.text("source", i),
                          segment.metadata[i] if segment.metadata else None))
    found.sort(key=lambda row: row[0])
    return found


def main():
    parser = argparse.ArgumentParser(description="Prints ticks from packed segments as CSV.")
    parser.add_argument("--database", help="what psql connects to")
    parser.add_argument("--file", help="a COPY BINARY file of data and metadata instead")
    parser.add_argument("--symbol")
    parser.add_argument("--from", dest="begin")
    parser.add_argument("--to", dest="end")
    parser.add_argument("--metadata", action="store_true")
    options = parser.parse_args()
    bounds = [None, None]
    try:
        if options.file:
            with open(options.file, "rb") as stream:
                segments = [decode(data, metadata, options.metadata)
                            for data, metadata in copied(stream.read())]
        elif options.database and options.symbol:
            segments, bounds = read(options.database, options.symbol, options.begin, options.end,
                                    options.metadata)
        else:
            parser.error("either --file, or --database and --symbol")
    except (NotASegment, RuntimeError, OSError) as error:
        sys.exit(f"read_ticks: {error}")
    out = csv.writer(sys.stdout, lineterminator="\n")
    for time, symbol, bid, ask, mid, volume, source, metadata in rows(
            segments, options.symbol, *bounds):
        row = [instant(time), symbol, decimal(bid), decimal(ask), decimal(mid),
               "" if volume is None else decimal(volume), source or ""]
        out.writerow(row + ([metadata or ""] if options.metadata else []))


if __name__ == "__main__":
    main()
