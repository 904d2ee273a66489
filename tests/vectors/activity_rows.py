#!/usr/bin/env python3
"""Writes activity_rows.tsv beside this file: rows of the activity log, the bytes that are hashed
(`ual-row/v1`), and their SHA-256. An implementation of its own, from the description of the format
alone, that shares nothing with the daemon or the SQL functions.

Columns: id, ts_us, agent_id, action_type, payload, user, session, metadata, created_us, tenant,
rowbytes_hex, hash. Times are microseconds since 1970. \\N is NULL. Texts stand as they are, UTF-8
without any escaping: none of them holds a tab or a newline.
"""

import hashlib
import pathlib
import struct
import uuid

US_FROM_1970_TO_2000 = 946_684_800_000_000


def field(value):
    if value is None:
        return b"\xff\xff\xff\xff"
    return struct.pack(">i", len(value)) + value


def text(value):
    return None if value is None else value.encode("utf-8")


def jsonb(value):
    return None if value is None else b"\x01" + value.encode("utf-8")


def identifier(value):
    return None if value is None else uuid.UUID(value).bytes


def time(unix_us):
    return struct.pack(">q", unix_us - US_FROM_1970_TO_2000)


def row_bytes(row):
    (row_id, at, agent, action, payload, user, session, metadata, created, tenant) = row
    return b"ual-row/v1\n" + struct.pack(">h", 10) + b"".join(
        field(part) for part in (
            struct.pack(">q", row_id), time(at), text(agent), text(action), jsonb(payload),
            identifier(user), identifier(session), jsonb(metadata), time(created),
            identifier(tenant)))


def cell(value):
    shown = "\\N" if value is None else str(value)
    assert not set(shown) & set("\t\n\r")
    return shown


T = 1_767_323_045_678_901  # 2026-01-02T03:04:05.678901Z
USER = "11111111-2222-3333-4444-555555555555"
SESSION = "00000000-0000-0000-0000-000000000001"
TENANT = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"

FIRST = (1, T, "agent-7", "decision", '{"b": 1, "aa": "x"}', USER, None, None, T + 1)
SECOND = (2, T, None, "système", '{"n": 0.00001230, "é": "\\u000f€\\n/\x7f"}', None, SESSION,
          "{}", T + 1)
THIRD = (3, US_FROM_1970_TO_2000 - 1, "", "x", "[]", None, None, "null", US_FROM_1970_TO_2000)

ROWS = [
    FIRST + (None,),
    SECOND + (None,),
    THIRD + (None,),
    FIRST + (TENANT,),
    SECOND + (TENANT,),
    THIRD + ("ffffffff-ffff-ffff-ffff-ffffffffffff",),
    # The ends of what fits: id, year 0001, year 9999, the longest texts in multi-byte characters.
    (2**63 - 1, -62_135_596_800_000_000, "€" * 100, "é" * 50, '"\\\\\\"\\b\\f\\r\\t\\u0001"', USER,
     SESSION, '{"": null, "a": [true, false, {"b": {}}]}', 253_402_300_799_999_999, TENANT),
    # Before 1970, NULL everywhere it may be, a number beyond 2^53, text outside the first plane.
    (4, -1, None, " ", "9007199254740993", None, None, None, 0, None),
    (5, T, "a\\tb\\\\N", "x", '"😂"', None, None, '{"k": -0.0000000001}', T, TENANT),
]


def main():
    # The three rows in the format of nine fields, whose hashes were published with it: they differ
    # by the count and the last field alone, and so vouch for the rest of this file.
    published = {
        1: "a6ffcc5b2412a35f2e7079f15d10a2d668d706b1da739a2869ccc5b1fd3682fd",
        2: "70c5eb5a9fa3540d31e5afae84ad7318ae1ef106155d202da849b3ece6cdf168",
        3: "fac0d693c9cc43b8731483bf7cfc550e3acc7542e75b0558688c2d9c9875c941",
    }
    for row in ROWS[:3]:
        ten = row_bytes(row)
        nine = ten[:11] + struct.pack(">h", 9) + ten[13:-4]
        assert hashlib.sha256(nine).hexdigest() == published[row[0]], row[0]

    lines = []
    for row in ROWS:
        encoded = row_bytes(row)
        lines.append("\t".join([cell(value) for value in row] +
                               [encoded.hex(), hashlib.sha256(encoded).hexdigest()]))
    target = pathlib.Path(__file__).with_name("activity_rows.tsv")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
