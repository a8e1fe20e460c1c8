from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import product

import pytest

from db.codes import DIGITS, SYMBOLS, random_code, read_code, readings
from db.history import Asker
from db.session import Database
from tests.rows import GUILD, MEMBER, draw

ASKER = Asker(GUILD, MEMBER)


async def test_a_code_is_four_symbols_with_a_digit_and_without_vowels(database: Database) -> None:
    codes = {(await draw(database)).code for _ in range(20)}
    assert len(codes) == 20
    for code in codes | {random_code() for _ in range(2000)}:
        assert len(code) == 4
        assert DIGITS.intersection(code)
        assert not code.isdecimal(), "or it would pass for a seed"
        assert set(code) <= set("23456789BCDFGHJKMNPQRSTVWXYZ")


@pytest.mark.parametrize(
    ("shown", "typed"),
    [
        ("K7QX", "k7qx"),
        ("K7QX", " `k7qx`. "),
        ("K7QX", "#K7QX"),
        ("K7QX", "K7OX"),
        ("K7QX", "K70X"),
        ("K7QX", "klqx"),
        ("K7QX", "KIQX"),
        ("K7QX", "K1QX"),
        ("K7VX", "k7ux"),
    ],
)
def test_what_no_code_has_is_read_as_what_was_shown(shown: str, typed: str) -> None:
    assert read_code(typed) == shown


@pytest.mark.parametrize(("a", "b"), ["2Z", "5S", "6G", "8B"])
async def test_look_alikes_that_codes_have_are_understood(
    database: Database, a: str, b: str
) -> None:
    made = await _with_codes(database, [f"K7{a}X"])
    found = await database.history.get(ASKER, f"k7{b}x")
    assert found is not None
    assert found.id == made[0]


async def test_of_two_look_alikes_the_one_that_was_typed_is_meant(database: Database) -> None:
    made = await _with_codes(database, ["K75X", "K7SX"])
    for code, number in zip(["K75X", "K7SX"], made, strict=True):
        found = await database.history.get(ASKER, code)
        assert found is not None
        assert found.id == number


async def test_a_typing_mistake_that_fits_two_pictures_gives_neither(database: Database) -> None:
    await _with_codes(database, ["K257", "KZS7"])
    assert await database.history.get(ASKER, "K2S7") is None


async def test_a_deleted_pictures_code_does_not_lead_to_a_look_alike(database: Database) -> None:
    await _with_codes(database, ["K75X", "K7SX"])
    assert await database.history.delete(ASKER, "K75X")
    assert await database.history.get(ASKER, "K75X") is None


@pytest.mark.parametrize("text", ["", "K7", "CCCC", "K7Ñ2", "a red cat", "5" * 5000, "%_%_", "'"])
async def test_what_cannot_be_a_code_finds_nothing(database: Database, text: str) -> None:
    await draw(database)
    assert readings(text) == ()
    assert await database.history.get(ASKER, text) is None


async def test_a_guild_with_100_000_codes_gets_new_short_ones(database: Database) -> None:
    _use_up(database, _all_short_codes()[:100_000])
    codes = [await database.drafts.save(GUILD, MEMBER, {}) for _ in range(50)]
    assert {len(code) for code in codes} == {4}


async def test_five_symbols_when_every_short_code_is_taken(database: Database) -> None:
    short = _all_short_codes()
    assert len(short) == 28**4 - 20**4
    _use_up(database, short)
    assert len(await database.drafts.save(GUILD, MEMBER, {})) == 5
    assert len(await database.drafts.save("web:other", MEMBER, {})) == 4


def _all_short_codes() -> list[str]:
    codes = ["".join(symbols) for symbols in product(SYMBOLS, repeat=4)]
    return [code for code in codes if DIGITS.intersection(code)]


def _use_up(database: Database, codes: list[str]) -> None:
    """Drafts with chosen codes, written past the code that chooses them."""
    _execute(
        database,
        "INSERT INTO drafts (guild, code, member, options, created)"
        f" VALUES ('{GUILD}', ?, '{MEMBER}', '{{}}', '2026-01-01 00:00:00')",
        [(code,) for code in codes],
    )


async def _with_codes(database: Database, codes: list[str]) -> list[int]:
    """Pictures with chosen codes, as a guild has them by chance; their ids."""
    made = [(await draw(database)).id for _ in codes]
    # First out of each other's way, then to where they should be.
    _execute(database, "UPDATE pictures SET code = id WHERE id = ?", [(each,) for each in made])
    changed = list(zip(codes, made, strict=True))
    _execute(database, "UPDATE pictures SET code = ? WHERE id = ?", changed)
    return made


def _execute(database: Database, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    path = database.engine.url.database
    assert path is not None
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(statement, rows)
