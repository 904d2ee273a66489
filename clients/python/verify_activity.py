#!/usr/bin/env python3
"""Verifies tickd's activity log: a second implementation, from docs/activity-log.md alone.

It needs Python 3.9 or newer, its standard library, and the commands `psql` (to read a database) and
`openssl` (to check signatures). It shares no code with tickd.

    verify_activity.py --database CONNINFO [--key VKEY] [--checkpoint FILE]... [--max-age SECONDS]
    verify_activity.py --database CONNINFO --export FOLDER     only reads, for another machine
    verify_activity.py --from FOLDER [--key VKEY] ...          verifies what was exported

Prints a JSON line for each finding, each level and the result, as `tickd verify activity --json`
does. Exit code: 0 nothing found, 1 tampering, 2 could not verify.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
import uuid

QUERIES = {
    "rows": "SELECT id, timestamp, agent_id, action_type, action_payload, user_id, session_id,"
            " metadata, created_at, tenant_id, hash_sha256"
            " FROM public.unified_activity_log ORDER BY id",
    "records": "SELECT index, kind, tenant_id, tseq, first_id, row_count, root, record, entry"
               " FROM tickd.activity_batch ORDER BY index",
    "head": "SELECT origin, size, frontier, root FROM tickd.activity_head",
    "tenant_heads": "SELECT tenant_key, tseq, last_entry FROM tickd.activity_tenant_head"
                    " ORDER BY tenant_key",
    "checkpoints": "SELECT size, note FROM tickd.activity_checkpoint ORDER BY size",
}
LEVELS = ["rows", "batches", "log", "root", "key", "history", "fresh"]
NO_TENANT = bytes(16)
ID_MAX = 2**63 - 1


class CouldNotVerify(Exception):
    """Why there is no verdict: exit code 2."""


# --- reading ------------------------------------------------------------------------------------


def export(conninfo, folder):
    """Every table the log consists of, in one snapshot, as COPY BINARY files."""
    lines = ["\\set ON_ERROR_STOP on", "SET row_security = off;", "SET search_path = pg_catalog;",
             "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"]
    for name, query in QUERIES.items():
        lines.append(f"\\copy ({query}) TO '{folder}/{name}.bin' WITH (FORMAT binary)")
    run = subprocess.run(["psql", "-X", "-q", "-d", conninfo],
                         input="\n".join(lines) + "\n", text=True, capture_output=True, check=False,
                         env={**os.environ, "PGCLIENTENCODING": "UTF8"})
    if run.returncode != 0:
        raise CouldNotVerify("psql: " + " ".join(run.stderr.split()))


def tuples(path, count):
    """The tuples of a COPY BINARY file: for each, its fields and the bytes of the first ten."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise CouldNotVerify(str(error)) from error
    if data[:11] != b"PGCOPY\n\xff\r\n\0" or len(data) < 19:
        raise CouldNotVerify(f"{path} is no COPY BINARY file")
    at = 19 + struct.unpack_from(">I", data, 15)[0]
    while True:
        if len(data) < at + 2:
            raise CouldNotVerify(f"{path} is cut off")
        fields = struct.unpack_from(">h", data, at)[0]
        at += 2
        if fields == -1:
            return
        if fields != count:
            raise CouldNotVerify(f"{path} does not have {count} columns")
        begin, values, hashed = at, [], b""
        for place in range(count):
            if place == 10:
                hashed = data[begin:at]
            if len(data) < at + 4:
                raise CouldNotVerify(f"{path} is cut off")
            length = struct.unpack_from(">i", data, at)[0]
            at += 4
            values.append(None if length < 0 else data[at:at + length])
            at += max(length, 0)
        yield values, hashed


def number(field):
    return None if field is None else int.from_bytes(field, "big", signed=True)


def bytea_array(field):
    if struct.unpack_from(">i", field, 0)[0] == 0:
        return []
    count, at, found = struct.unpack_from(">i", field, 12)[0], 20, []
    for _ in range(count):
        length = struct.unpack_from(">i", field, at)[0]
        found.append(field[at + 4:at + 4 + length])
        at += 4 + length
    return found


# --- hashes and trees ---------------------------------------------------------------------------


def sha(data):
    return hashlib.sha256(data).digest()


def leaf(held):
    return sha(b"\x00" + held)


def node(left, right):
    return sha(b"\x01" + left + right)


def root_of(leaves):
    """RFC 6962, level by level: an odd node is carried upwards as it is."""
    if not leaves:
        return sha(b"")
    while len(leaves) > 1:
        pairs = [node(a, b) for a, b in zip(leaves[::2], leaves[1::2])]
        leaves = pairs + ([leaves[-1]] if len(leaves) % 2 else [])
    return leaves[0]


def subtrees_of(leaves):
    """The roots of the complete subtrees, largest first."""
    found, at = [], 0
    for bit in range(len(leaves).bit_length() - 1, -1, -1):
        if len(leaves) >> bit & 1:
            found.append(root_of(leaves[at:at + (1 << bit)]))
            at += 1 << bit
    return found


class Tree:
    """Roots of prefixes of a growing list of leaves; each append costs O(log n)."""

    def __init__(self):
        self.size, self.edge = 0, []

    def append(self, value):
        bits = self.size
        while bits & 1:
            value = node(self.edge.pop(), value)
            bits >>= 1
        self.edge.append(value)
        self.size += 1

    def root(self):
        if not self.edge:
            return sha(b"")
        value = self.edge[-1]
        for left in reversed(self.edge[:-1]):
            value = node(left, value)
        return value


# --- records ------------------------------------------------------------------------------------

NUMBER = "(0|[1-9][0-9]{0,18})"
WORD = "([!-~]+)"
HEX32, HEX64 = "([0-9a-f]{32})", "([0-9a-f]{64})"
UUID = "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
TEXT = "([ -~]*)"
HEAD = f"origin {TEXT}\nindex {NUMBER}\n"
TAIL = f"time {NUMBER}\nnonce {HEX32}\n"
FORMS = {
    "seg": re.compile(HEAD + f"tenant (?:-|{UUID})\ntseq {NUMBER}\ntprev {HEX64}\n"
                      f"ids (-?{NUMBER}) {NUMBER}\nroot {HEX64}\n"
                      f"((?:src [!-~]+ {NUMBER} {NUMBER}\n)*)writer {WORD} {NUMBER}\n" + TAIL),
    "genesis": re.compile(HEAD + f"row {TEXT}\n" + TAIL),
    "heartbeat": re.compile(HEAD + TAIL),
    "key": re.compile(HEAD + f"vkey {TEXT}\nfrom_index {NUMBER}\n" + TAIL),
}


def parse_record(data):
    """The record as a dictionary, or None when the text is not of its kind's form."""
    if any(byte != 10 and not 32 <= byte <= 126 for byte in data) or len(data) > 1 << 20:
        return None
    text = data.decode("ascii")
    kind = re.match(r"ual-(seg|genesis|heartbeat|key)/v1\n", text)
    if not kind:
        other = re.match(f"[ -~]*\n{HEAD}", text)
        return other and {"kind": "other", "origin": other[1], "index": int(other[2]), "time": 0}
    kind = kind[1]
    found = FORMS[kind].fullmatch(text, len(f"ual-{kind}/v1\n"))
    if not found:
        return None
    numbers = [part for line in text.split("\n") for part in line.split(" ")[1:]
               if re.fullmatch("-?[0-9]+", part) and not line.startswith(("origin", "nonce", "root",
                                                                         "tprev", "tenant", "row",
                                                                         "vkey"))]
    if any(abs(int(part)) > ID_MAX for part in numbers if len(part) < 40):
        return None
    record = {"kind": kind, "origin": found[1], "index": int(found[2]),
              "time": int(found[found.re.groups - 1])}
    if kind == "genesis":
        record["row"] = found[3]
    elif kind == "key":
        record["vkey"], record["from_index"] = found[3], int(found[4])
    elif kind == "seg":
        record["tenant"] = uuid.UUID(found[3]).bytes if found[3] else None
        record["tseq"] = int(found[4])
        record["tprev"] = bytes.fromhex(found[5])
        record["first_id"], record["row_count"] = int(found[6]), int(found[8])
        if found[6] == "-0" or record["row_count"] < 1 or \
                record["first_id"] > ID_MAX - record["row_count"]:
            return None
        record["root"] = bytes.fromhex(found[9])
        record["sources"] = []
        for line in found[10].splitlines():
            _, name, after, newest = line.split(" ")
            if int(newest) < int(after):
                return None
            record["sources"].append((name, int(after), int(newest)))
    return record


# --- signed notes -------------------------------------------------------------------------------


def unbase64(text):
    """The bytes, or None unless the text is their only base64 form."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data).decode() == text else None


def parse_key(text):
    """A vkey as (name, id, public key, text), or None."""
    found = re.fullmatch(r"([!-*,-~]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", text.strip())
    data = found and unbase64(found[3])
    if not data or len(data) != 33 or data[0] != 1:
        return None
    key_id = sha(found[1].encode() + b"\n" + data)[:4]
    return (found[1], key_id, data[1:], text.strip()) if key_id.hex() == found[2] else None


def parse_checkpoint(note):
    """A checkpoint as a dictionary; a text that says what is wrong when it is none."""
    if len(note) > 65536 or any(byte < 32 and byte != 10 or byte == 127 for byte in note):
        return "control characters, or too long"
    text, blank, signatures = note.rpartition(b"\n\n")
    text += b"\n"
    if not blank or not signatures.endswith(b"\n"):
        return "no signed note"
    lines = signatures[:-1].split(b"\n")
    if len(lines) > 16:
        return "more than 16 signatures"
    signed = []
    for line in lines:
        found = re.fullmatch("\u2014 ([!-*,-~]+) (.+)".encode(), line)
        data = found and unbase64(found[2].decode("latin-1"))
        if not data or len(data) < 5:
            return "a malformed signature"
        signed.append((found[1].decode(), data[:4], data[4:]))
    found = re.fullmatch(rb"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/=]+)\n", text)
    root = found and unbase64(found[3].decode())
    if not root or len(root) != 32 or int(found[2]) > ID_MAX:
        return "not origin, size and root, a line each"
    return {"origin": found[1].decode("utf-8", "replace"), "size": int(found[2]), "root": root,
            "text": text, "signatures": signed}


def openssl_verifies(public_key, message, signature):
    """Ed25519, by `openssl pkeyutl`."""
    if len(signature) != 64:
        return False
    der = bytes.fromhex("302a300506032b6570032100") + public_key
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for name, data in (("key", der), ("message", message), ("signature", signature)):
            paths[name] = os.path.join(folder, name)
            with open(paths[name], "wb") as file:
                file.write(data)
        run = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER",
                              "-inkey", paths["key"], "-rawin", "-in", paths["message"],
                              "-sigfile", paths["signature"]], capture_output=True, check=False)
    return run.returncode == 0


def signature_state(note, key):
    state = "unknown"
    for name, key_id, signature in note["signatures"]:
        if (name, key_id) != key[:2]:
            continue
        if not openssl_verifies(key[2], note["text"], signature):
            return "bad"
        state = "good"
    return state


# --- the verification ---------------------------------------------------------------------------


class Verification:
    def __init__(self, folder, key, outside, age_max):
        self.folder, self.key, self.outside, self.age_max = folder, key, outside, age_max
        self.findings = []
        self.checked = [0] * len(LEVELS)
        self.origin, self.size, self.broken_at = None, 0, None
        self.not_judged = 0
        self.tree, self.moments, self.time = Tree(), {}, 0
        self.batches, self.keys = [], []
        self.covered = None

    def say(self, level, what, detail, **place):
        self.findings.append({"finding": what, "level": level, **place, "detail": detail})

    def file(self, name):
        return os.path.join(self.folder, name + ".bin")

    def run(self):
        stored = [(number(size), note) for (size, note), _ in tuples(self.file("checkpoints"), 2)]
        parsed = [(size, parse_checkpoint(note)) for size, note in stored]
        watched = {size for size, _ in stored} | {note["size"] for _, note in self.outside}
        watched |= {note["size"] for _, note in parsed if isinstance(note, dict)}
        chains = self.records(watched)
        self.heads(chains)
        self.overlaps()
        if self.size == 0:
            raise CouldNotVerify("the log has no records: nothing can be judged")
        self.checkpoints(parsed)
        self.rows()
        if self.key and self.covered is None and self.not_judged == 0 and \
                all(found["level"] == 4 for found in self.findings):
            raise CouldNotVerify("no checkpoint is signed by the key")

    # levels 2 and 3: records

    def records(self, watched):
        chains, sources = {}, {}
        for fields, _ in tuples(self.file("records"), 9):
            index = number(fields[0])
            self.checked[2] += 1
            if index < self.size:
                self.say(2, "extra", "a second record of this index", record=index)
                continue
            if index > self.size:
                self.say(2, "missing", "records are not there up to the next", record=self.size)
                if self.broken_at is None:
                    self.broken_at = self.size
                    self.say(3, "missing", "the tree ends before this record", record=self.size)
            self.size = index + 1
            entry = sha(fields[7])
            if fields[8] != entry:
                self.say(2, "modified", "its entry is not the hash of its text", record=index)
            record = parse_record(fields[7])
            self.time = record["time"] if record else 0
            if record is None:
                self.say(2, "modified", "its text is no record", record=index)
            else:
                self.record(record, fields, index)
                if record["kind"] == "seg":
                    self.sources(record, index, sources)
                    self.chain(record, index, entry, chains)
            self.tree.append(leaf(entry))
            if self.size in watched and self.broken_at is None:
                self.moments[self.size] = (self.tree.root(), self.time)
        return chains

    def record(self, record, fields, index):
        if record["index"] != index:
            self.say(2, "reordered", f"its text is that of record {record['index']}", record=index)
        self.origin = self.origin or record["origin"]
        if record["origin"] != self.origin:
            self.say(2, "modified", "its text is of another log", record=index)
        if (record["kind"] == "genesis") != (index == 0):
            self.say(2, "modified", "a genesis is the first record and no other", record=index)
        if record.get("row", "ual-row/v1") != "ual-row/v1":
            self.say(2, "modified", "its row format is another", record=index)
        columns = [record["kind"].encode()] + [None] * 5
        if record["kind"] == "seg":
            columns[1:] = [record["tenant"], struct.pack(">q", record["tseq"]),
                           struct.pack(">q", record["first_id"]),
                           struct.pack(">i", min(record["row_count"], 2**31 - 1)), record["root"]]
        if fields[1:7] != columns:
            self.say(2, "modified", "a column is not what its text says", record=index)
        if record["kind"] == "key":
            if record["from_index"] != index + 1:
                self.say(2, "modified", "its from_index is not the next", record=index)
            self.keys.append((record["from_index"], record["vkey"]))
        if record["kind"] == "seg":
            self.batches.append((record["first_id"], index,
                                 record["first_id"] + record["row_count"], record["root"],
                                 record["tenant"]))

    def sources(self, record, index, sources):
        for name, after, newest in record["sources"]:
            before = sources.get(name)
            if before and after < before[1] and (after, newest) != before:
                self.say(2, "extra", f"producer {name} was committed before", record=index)
            sources[name] = (after, newest)

    def chain(self, record, index, entry, chains):
        key = record["tenant"] or NO_TENANT
        tseq, before = chains.get(key, (0, bytes(32)))
        if record["tseq"] > tseq + 1:
            self.say(2, "missing", "its tenant's records before it", record=index)
        elif record["tseq"] < tseq + 1:
            self.say(2, "reordered", "its tseq was there before", record=index)
        elif record["tprev"] != before:
            self.say(2, "modified", "its tprev is another", record=index)
        chains[key] = (record["tseq"], entry)

    def heads(self, chains):
        heads = 0
        for (origin, size, frontier, root), _ in tuples(self.file("head"), 4):
            heads += 1
            size = number(size)
            if heads > 1:
                self.say(3, "extra", "a second head", size=size)
            if origin.decode() != self.origin:
                self.say(3, "modified", "the head is of another log", size=size)
            if size > self.size:
                self.say(3, "truncated", "the head is ahead of the log", size=size)
            elif size < self.size:
                self.say(2, "extra", "behind what the head counts", record=size)
            elif self.broken_at is None:
                if root != self.tree.root():
                    self.say(3, "modified", "the head's root", size=size)
                if bytea_array(frontier) != self.tree.edge:
                    self.say(3, "modified", "the head's frontier", size=size)
        if heads == 0:
            self.say(3, "missing", "there is no head")
        seen = set()
        for (tenant, tseq, entry), _ in tuples(self.file("tenant_heads"), 3):
            seen.add(tenant)
            if tenant not in chains or number(tseq) > chains[tenant][0]:
                self.say(2, "truncated", f"the head of tenant {uuid.UUID(bytes=tenant)} is ahead")
            elif number(tseq) < chains[tenant][0]:
                self.say(2, "extra", f"the head of tenant {uuid.UUID(bytes=tenant)} is behind")
            elif entry != chains[tenant][1]:
                self.say(2, "modified", f"the head of tenant {uuid.UUID(bytes=tenant)}")
        for tenant in chains.keys() - seen:
            self.say(2, "missing", f"the head of tenant {uuid.UUID(bytes=tenant)}")

    def overlaps(self):
        self.batches.sort(key=lambda batch: batch[:2])
        disjoint = []
        for batch in self.batches:
            if disjoint and batch[0] < disjoint[-1][2]:
                self.say(2, "extra", "these ids are in an earlier record", record=batch[1],
                         first_id=batch[0], last_id=min(batch[2], disjoint[-1][2]) - 1)
            else:
                disjoint.append(batch)
        self.batches = disjoint

    # levels 3 to 6: checkpoints

    def terms(self):
        """Keys and the size behind which each begins to sign."""
        if not self.key:
            return []
        texts = [vkey for _, vkey in self.keys]
        at = texts.index(self.key[3]) if self.key[3] in texts else -1
        terms = [(self.key, self.keys[at][0] if at >= 0 else 0)]
        return terms + [(parse_key(vkey), begin) for begin, vkey in self.keys[at + 1:]]

    def judge(self, note, terms, handed_over, where=""):
        """good, bad (and says so) or not_judged."""
        if not terms:
            return "good"
        if 0 < note["size"] <= terms[0][1]:
            self.not_judged += 1
            return "not_judged"
        self.checked[4] += 1
        term, why = None, None
        for place, each in enumerate(terms):
            if place > 0 and note["size"] <= each[1]:
                break
            if place > 0 and each[1] not in handed_over:
                why = "the key before does not hand over"
                break
            term = each[0]
        if why is None:
            state = signature_state(note, term) if term else "of a key that is none"
            why = None if state == "good" else f"signature {state}"
        if why:
            self.say(4, "bad_signature", where + why, size=note["size"])
            return "bad"
        return "good"

    def vouch(self, note, state, handed_over):
        moment = self.moments.get(note["size"])
        if state == "good" and moment and moment[0] == note["root"]:
            handed_over.add(note["size"])
            self.covered = max(self.covered or 0, note["size"])

    def checkpoints(self, stored):
        terms, handed_over, kept = self.terms(), set(), []
        for where, note in self.outside:
            state = self.judge(note, terms, handed_over, where + ": ")
            self.vouch(note, state, handed_over)
            kept.append((where, note, state))
        self.checked[3] = 1
        for size, note in stored:
            if isinstance(note, str):
                self.say(4, "bad_signature", note, size=size)
                continue
            self.checked[3] += 1
            if note["size"] != size:
                self.say(3, "modified", "the checkpoint there is of another size", size=size)
            if note["origin"] != self.origin:
                self.say(3, "modified", "the checkpoint is of another log", size=size)
            moment = self.moments.get(note["size"])
            if note["size"] > self.size:
                self.say(3, "truncated", "the log ends before this checkpoint", size=size)
            elif moment and moment[0] != note["root"]:
                self.say(3, "modified", "the records do not have this root", size=size)
            self.vouch(note, self.judge(note, terms, handed_over), handed_over)
        for where, note, state in kept:
            self.checked[5] += 1
            if state != "bad":
                self.history(where, note, bool(terms))
        if self.age_max is not None:
            self.fresh()

    def history(self, where, note, signed):
        size, moment = note["size"], self.moments.get(note["size"])
        if note["origin"] != self.origin:
            self.say(5, "forked", where + ": of another log", size=size)
        elif size > self.size:
            self.say(5, "truncated", where + ": the log ends before it", size=size)
        elif self.broken_at is not None and size > self.broken_at:
            self.say(5, "missing", where + ": a record before it is not there", size=size)
        elif moment and moment[0] != note["root"]:
            forked = signed and (self.covered or 0) >= size
            self.say(5, "forked" if forked else "modified", where + ": another history", size=size)

    def fresh(self):
        self.checked[6] = 1
        newest = self.moments.get(self.covered, (None, 0))[1]
        if newest == 0:
            self.say(6, "stale", "no checkpoint of the log is good")
        elif time.time() - newest / 1e6 > self.age_max:
            self.say(6, "stale", "the newest signed record is older", size=self.covered)

    # levels 0, 1, and 2 for rows outside

    def rows(self):
        batches, at = self.batches, 0
        leaves, changed, expected, whole = [], [], None, True
        if batches:
            expected = batches[0][0]

        def close():
            nonlocal at, leaves, expected, whole
            first, index, end, root, _ = batches[at]
            if expected < end:
                self.say(1, "missing", "committed and not there", record=index, first_id=expected,
                         last_id=end - 1)
                whole = False
            if whole and root_of(leaves) != root:
                self.say(1, "modified", "its rows have another root", record=index,
                         first_id=first, last_id=end - 1)
            self.changed(changed, index)
            leaves, whole = [], True
            at += 1
            if at < len(batches):
                expected = batches[at][0]

        for fields, hashed in tuples(self.file("rows"), 11):
            row_id = number(fields[0])
            self.checked[0] += 1
            while at < len(batches) and row_id >= batches[at][2]:
                close()
            row_hash = sha(b"ual-row/v1\n\x00\x0a" + hashed)
            right = row_hash.hex().encode() == fields[10]
            if at == len(batches) or row_id < batches[at][0] or row_id < expected:
                self.outside_row(row_id)
                if not right:
                    self.say(0, "modified", "not its hash", first_id=row_id, last_id=row_id)
                continue
            _, index, _, _, tenant = batches[at]
            if row_id > expected:
                self.say(1, "missing", "committed and not there", record=index, first_id=expected,
                         last_id=row_id - 1)
                whole = False
            expected = row_id + 1
            if not right:
                changed.append((row_id, fields[10], hashed[12:]))
                if len(changed) == 64:
                    self.changed(changed, index)
            if fields[9] != tenant:
                self.say(1, "modified", "its tenant is not its batch's", record=index,
                         first_id=row_id, last_id=row_id)
            leaves.append(leaf(row_hash))
        while at < len(batches):
            close()
        self.checked[1] = len(batches)

    def changed(self, changed, index):
        for row_id, stored, rest in changed:
            moved = [other for other, _, _ in changed if other != row_id and stored == sha(
                b"ual-row/v1\n\x00\x0a\x00\x00\x00\x08" + struct.pack(">q", other) + rest
            ).hex().encode()]
            self.say(0, "reordered" if moved else "modified",
                     f"committed as row {moved[0]}" if moved else "not its hash", record=index,
                     first_id=row_id, last_id=row_id)
        changed.clear()

    def outside_row(self, row_id):
        last = next((f for f in reversed(self.findings)
                     if f["level"] == 2 and f["detail"] == "in no batch"), None)
        if last and last["last_id"] + 1 == row_id:
            last["last_id"] = row_id
        else:
            self.say(2, "extra", "in no batch", first_id=row_id, last_id=row_id)

    def report(self):
        for found in self.findings:
            print(json.dumps(found, separators=(",", ":")))
        asked = [True, True, True, True, bool(self.key), bool(self.outside),
                 self.age_max is not None]
        for level, name in enumerate(LEVELS):
            count = sum(found["level"] == level for found in self.findings)
            state = "not_asked" if not asked[level] else "failed" if count else "passed"
            print(json.dumps({"level": level, "name": name, "state": state,
                              "checked": self.checked[level], "findings": count}))
        print(json.dumps({"result": "tampered" if self.findings else "clean",
                          "findings": len(self.findings), "origin": self.origin, "size": self.size,
                          "root": base64.b64encode(self.tree.root()).decode(),
                          "covered": self.covered, "rows": self.checked[0],
                          "batches": self.checked[1]}))
        return 1 if self.findings else 0


def read_file(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise CouldNotVerify(str(error)) from error


def outside_checkpoints(paths):
    found = []
    for path in paths:
        names = [path]
        if os.path.isdir(path):
            names = sorted(os.path.join(path, name) for name in os.listdir(path)
                           if name.startswith("checkpoint")
                           and os.path.isfile(os.path.join(path, name)))
            if not names:
                raise CouldNotVerify(f"no checkpoint in {path}")
        for name in names:
            note = parse_checkpoint(read_file(name))
            if isinstance(note, str):
                raise CouldNotVerify(f"{name} is no checkpoint: {note}")
            found.append((name, note))
    return found


def verify(options, parser):
    key = None
    if options.key:
        key = parse_key(options.key)
        if key is None and os.path.isfile(options.key):
            key = parse_key(read_file(options.key).decode("utf-8", "replace").split("\n")[0])
        if key is None:
            parser.error("--key is neither a verifier key nor a file of one")
    outside = outside_checkpoints(options.checkpoint)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.export or getattr(options, "from") or temporary
        if options.database is not None:
            os.makedirs(folder, exist_ok=True)
            export(options.database, os.path.abspath(folder))
            if options.export:
                return 0
        verification = Verification(folder, key, outside, options.max_age)
        verification.run()
        return verification.report()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--database", help="connection string for psql")
    parser.add_argument("--export", metavar="FOLDER", help="only write what was read, there")
    parser.add_argument("--from", metavar="FOLDER", help="verify what --export wrote")
    parser.add_argument("--key", metavar="VKEY", help="the log's verifier key, or a file of it")
    parser.add_argument("--checkpoint", metavar="FILE", action="append", default=[],
                        help="a checkpoint kept outside the database, or a folder of them")
    parser.add_argument("--max-age", metavar="SECONDS", type=float,
                        help="greatest age of the newest signed record")
    options = parser.parse_args()
    if (options.database is None) == (getattr(options, "from") is None):
        parser.error("either --database or --from")
    try:
        return verify(options, parser)
    except CouldNotVerify as error:
        print(json.dumps({"result": "could_not_verify", "error": str(error)}))
        return 2


if __name__ == "__main__":
    sys.exit(main())
