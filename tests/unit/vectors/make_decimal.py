#!/usr/bin/env python3
"""Writes decimal.txt: tokens and what Python's decimal module makes of them.

Each line: token, mode (reject or round), column (price or volume), then the value in units of
10^-8 or the error's name. Run: ./make_decimal.py > decimal.txt
"""
import random
from decimal import ROUND_HALF_UP, Context, Decimal

CONTEXT = Context(prec=2000, Emax=10**6, Emin=-(10**6))
LIMITS = {"price": 10**20, "volume": 10**30}


def expected(token, mode, column):
    units = CONTEXT.multiply(Decimal(token), Decimal(10**8))
    cut = units.to_integral_value(rounding="ROUND_DOWN")
    if abs(int(cut)) >= LIMITS[column]:
        return "out_of_range"
    if units != cut:
        if mode == "reject":
            return "too_precise"
        units = units.to_integral_value(rounding=ROUND_HALF_UP)
        if abs(int(units)) >= LIMITS[column]:
            return "out_of_range"
    return str(int(units))


def tokens(rng):
    yield from (
        "0", "-0", "-0.0", "1", "0.1", "1e-9", "1E5", "1e-8", "4.9e-9", "5e-9", "-5e-9",
        "0.000000005", "0.0000000049999999999999999999", "0.00000000500000000000000000000000001",
        "999999999999.99999999", "999999999999.999999994", "999999999999.999999995",
        "1000000000000", "-1000000000000", "9999999999999999999999.99999999", "1e22", "1e21",
        "9999999999999999999999.999999995", "0.00000001", "0.10000000000000000000", "1E30",
        "1.230e-5", "1.50e1", "0e5", "0.00e-3", "0e999999", "0.0e-999999", "12345e-400",
    )
    for _ in range(400):
        whole = str(rng.randrange(10 ** rng.randint(1, 24)))
        fraction = "".join(rng.choices("0000123456789", k=rng.choice((0, 2, 7, 8, 8, 9, 10, 20))))
        exponent = rng.choice(("", "", "", f"e{rng.randint(-30, 30)}", f"E+{rng.randint(0, 12)}"))
        sign = rng.choice(("", "", "-"))
        yield sign + whole + ("." + fraction if fraction else "") + exponent


def main():
    rng = random.Random(20240808)
    for token in tokens(rng):
        for mode in ("reject", "round"):
            for column in LIMITS:
                print(token, mode, column, expected(token, mode, column))


main()
