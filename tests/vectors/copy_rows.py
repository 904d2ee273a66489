#!/usr/bin/env python3
"""Writes copy_rows.tsv beside this file: rows and the COPY BINARY tuples they must become. An
implementation of its own, from PostgreSQL's description of the format alone, with nothing but the
standard library.

The first column names the kind, the last one is the tuple in hex. \\N is NULL. Times are
microseconds since 1970, decimals are counts of 10^-8. Texts stand as they are, UTF-8 without any
escaping; dead letters have their raw bytes in hex.

    tick   time symbol bid ask mid volume source metadata tenant
    event  id time agent_id action_type payload user session metadata created tenant
    dead   received session_id peer listener producer tenant seq verdict field raw raw_length
           sqlstate
"""

import hashlib
import pathlib
import struct
import uuid

US_FROM_1970_TO_2000 = 946_684_800_000_000


def field(value):
    if value is None:
        return struct.pack(">i", -1)
    return struct.pack(">i", len(value)) + value


def text(value):
    return None if value is None else value.encode("utf-8")


def jsonb(value):
    return None if value is None else b"\x01" + value.encode("utf-8")


def identifier(value):
    return None if value is None else uuid.UUID(value).bytes


def bigint(value):
    return None if value is None else struct.pack(">q", value)


def time(unix_us):
    return bigint(unix_us - US_FROM_1970_TO_2000)


def numeric(units):
    """NUMERIC with dscale 8, by way of its decimal text."""
    if units is None:
        return None
    whole, fraction = divmod(abs(units), 10**8)
    whole_text = str(whole)
    whole_text = "0" * (-len(whole_text) % 4) + whole_text
    every = whole_text + f"{fraction:08d}"
    digits = [int(every[i:i + 4]) for i in range(0, len(every), 4)]
    weight = len(whole_text) // 4 - 1
    while digits and digits[0] == 0:
        del digits[0]
        weight -= 1
    while digits and digits[-1] == 0:
        del digits[-1]
    if not digits:
        weight = 0
    sign = 0x4000 if units < 0 else 0
    return struct.pack(">hhHh", len(digits), weight, sign, 8) + b"".join(
        struct.pack(">h", digit) for digit in digits)


def row(*fields):
    return struct.pack(">h", len(fields)) + b"".join(field(part) for part in fields)


def tick_bytes(at, symbol, bid, ask, mid, volume, source, metadata, tenant):
    return row(time(at), text(symbol), numeric(bid), numeric(ask), numeric(mid), numeric(volume),
               text(source), jsonb(metadata), identifier(tenant))


def event_bytes(row_id, at, agent, action, payload, user, session, metadata, created, tenant):
    hashed = (bigint(row_id), time(at), text(agent), text(action), jsonb(payload),
              identifier(user), identifier(session), jsonb(metadata), time(created),
              identifier(tenant))
    digest = hashlib.sha256(b"ual-row/v1\n" + row(*hashed)).hexdigest()
    return row(*hashed, text(digest))


def dead_bytes(at, session, peer, listener, producer, tenant, seq, verdict, name, raw, raw_length,
               state):
    return row(time(at), bigint(session), text(peer), text(listener), text(producer),
               identifier(tenant), bigint(seq), text(verdict), text(name), raw, bigint(raw_length),
               text(state))


ONE = 10**8
T = 1_723_160_054_024_619  # 2024-08-08T23:34:14.024619Z
USER = "11111111-2222-3333-4444-555555555555"
SESSION = "00000000-0000-0000-0000-000000000001"
TENANT = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
LONG = "".join(f"{n:04d}€é" for n in range(400))

TICKS = [
    (T, "BTCUSDT", 61_000_12345678, 61_000_50000000, 61_000_31172839, 150_000000, "binance",
     '{"u": 400900217}', None),
    (T, "X", 0, 0, 0, 0, None, None, None),
    (T, "CLK20", -37_63000000, -37_62000000, -37_62500000, 1, "", "{}", TENANT),
    # The ends of what fits.
    (253_402_300_799_999_999, "€" * 20, 10**20 - 1, -(10**20 - 1), 1, 10**30 - 1, "é" * 50, None,
     "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    (-62_135_596_800_000_000, "\x01", -1, 1, 10**12, 10**4, "\x7f", '{"": ""}',
     "00000000-0000-0000-0000-000000000000"),
    # Base-10000 digits: empty ones inside, at either end, and just over a digit's edge.
    (US_FROM_1970_TO_2000, "A", 9999_99999999, 10000 * ONE, 10000_00000001, 1_0000_0000 * ONE, "s",
     None, None),
    (US_FROM_1970_TO_2000 - 1, "A", 1000, 10_000, 99_990_000, 100_010_000, "s", None, None),
    (0, "A", 1_00000000_00000000, 20_00000000_00010000, 3_0001_0000_00000000, None, "s", None,
     None),
    (T, "LONG", ONE, ONE, ONE, None, "s", '{"text": "' + LONG + '"}', None),
]

EVENTS = [
    (1, T, "agent-7", "decision", '{"b": 1, "aa": "x"}', USER, None, None, T + 1, None),
    (2**63 - 1, -1, None, "système", '"😂"', None, SESSION, "null", 0, TENANT),
    (77, T, "", " ", '{"text": "' + LONG + '"}', USER, SESSION, '{"k": [' + "1, " * 500 + "1]}", T,
     None),
]

DEAD = [
    (T, 1, "127.0.0.1:5000", "main", None, None, None, "not_json", None, b"\x00\xff{", 3, None),
    (T, 2**63 - 1, "[::1]:65535", "tls", "feed-é", TENANT, 2**63 - 1, "too_precise", "bid",
     b'{"bid":0.123456789}', 19, None),
    (T, 12, "", "", "feed-a", None, 5, "line_too_long", None, b"a" * 4096, 3_000_000_000, None),
    (T, 3, "unix", "local", "feed-a", TENANT, 9, "refused_by_server", None, b"{}", 2, "22003"),
]


def cell(value):
    if isinstance(value, bytes):
        return value.hex()
    shown = "\\N" if value is None else str(value)
    assert not set(shown) & set("\t\n\r")
    return shown


def main():
    lines = []
    for kind, rows, encode in (("tick", TICKS, tick_bytes), ("event", EVENTS, event_bytes),
                               ("dead", DEAD, dead_bytes)):
        for values in rows:
            lines.append("\t".join([kind] + [cell(value) for value in values] +
                                   [encode(*values).hex()]))
    target = pathlib.Path(__file__).with_name("copy_rows.tsv")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
