"""Short ids of pictures and drafts: K7QX.

There are no vowels, so no word comes up, and no 0, O, 1, I, L or U, which are misread most. At
least one symbol is a digit, and one is a letter: a code of digits alone would pass for a seed.
"""

from __future__ import annotations

import secrets
from itertools import product

SYMBOLS = "23456789BCDFGHJKMNPQRSTVWXYZ"
DIGITS = frozenset("23456789")
SHORTEST = 4
LONGEST = 8  # far beyond any guild; what is longer was not meant as a code

# What was shown when a symbol is typed that no code has.
NEVER_SHOWN = str.maketrans({"O": "Q", "0": "Q", "I": "7", "L": "7", "1": "7", "U": "V"})
# Codes have both of each pair, so a typed one may have been either.
PAIRS = {
    symbol: symbol + pair.strip(symbol) for pair in ("2Z", "5S", "6G", "8B") for symbol in pair
}


def random_code(length: int = SHORTEST) -> str:
    """Uniformly one of the codes of this length."""
    while True:
        code = "".join(secrets.choice(SYMBOLS) for _ in range(length))
        if DIGITS.intersection(code) and not code.isdecimal():
            return code


def read_code(text: str) -> str:
    """A code as it was typed, in any case, marked up or with symbols that no code has."""
    typed = "".join(text.upper().split()).strip("`#·.,;:")
    return typed.translate(NEVER_SHOWN)


def readings(text: str) -> tuple[str, ...]:
    """Every code that may have been meant, first the one that was typed. Empty: it isn't one."""
    typed = read_code(text)
    if not SHORTEST <= len(typed) <= LONGEST or not set(SYMBOLS).issuperset(typed):
        return ()
    codes = map("".join, product(*(PAIRS.get(symbol, symbol) for symbol in typed)))
    return tuple(code for code in codes if DIGITS.intersection(code))
