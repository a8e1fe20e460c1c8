"""Short ids of pictures and drafts: K7QX.

No vowels and no look-alikes, so that no word comes up and nothing is misread. At least one digit.
"""

from __future__ import annotations

import secrets

SYMBOLS = "23456789BCDFGHJKMNPQRSTVWXYZ"
DIGITS = frozenset("23456789")
LENGTH = 4
TRIES = 8  # with a quarter of the codes taken, eight tries fail once in 65,000

# What a person may read for a symbol that was shown.
LOOK_ALIKES = str.maketrans(
    {"O": "Q", "0": "Q", "L": "Z", "I": "7", "1": "7", "U": "V", "A": "4", "E": "3"}
)


def random_code(length: int = LENGTH) -> str:
    """Uniformly one of the codes of this length with at least one digit."""
    while True:
        code = "".join(secrets.choice(SYMBOLS) for _ in range(length))
        if DIGITS.intersection(code):
            return code


def read_code(text: str) -> str:
    """A code as it was typed, with what people misread put right."""
    typed = "".join(text.upper().split()).strip("`#·.,;:")
    return typed.translate(LOOK_ALIKES)
