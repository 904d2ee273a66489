#!/usr/bin/env python3
"""Writes timestamp.txt: RFC 3339 texts and their microseconds since 1970, from Python's datetime.

Each line: the text, a tab, the microseconds. Run: ./make_timestamp.py > timestamp.txt
"""
import random
from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1)


def unix_us(local, offset_minutes):
    utc = local - timedelta(minutes=offset_minutes)
    return (utc - EPOCH) // timedelta(microseconds=1)


def zone(rng, offset_minutes):
    if offset_minutes == 0:
        return rng.choice(("Z", "z", "+00:00", "-00:00"))
    hours, minutes = divmod(abs(offset_minutes), 60)
    return f"{'-' if offset_minutes < 0 else '+'}{hours:02}:{minutes:02}"


def main():
    rng = random.Random(19700101)
    for i in range(600):
        if i % 3 == 0:  # the days around month ends and leap days
            year = rng.choice((4, 100, 400, 1900, 1970, 1999, 2000, 2023, 2024, 2100, 9996))
            local = datetime(year, rng.choice((1, 2, 3, 12)), 1)
            local += timedelta(days=rng.randint(27, 29), seconds=rng.randrange(86400))
        else:
            local = datetime(1, 1, 3) + timedelta(seconds=rng.randrange(315_537_000_000))
        digits = rng.randint(0, 9)
        fraction = "".join(rng.choices("0123456789", k=digits))
        microseconds = int((fraction + "000000")[:6])
        offset = rng.choice((0, 0, rng.randint(-1439, 1439)))
        text = f"{local.year:04}-{local:%m-%d}{rng.choice('TTTt ')}{local:%H:%M:%S}"
        text += ("." + fraction if fraction else "") + zone(rng, offset)
        print(text, unix_us(local, offset) + microseconds, sep="\t")


main()
