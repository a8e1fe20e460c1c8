from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from db.history import Asker
from db.migrations import HEAD, REVISIONS, DatabaseNewer
from db.migrations.upgrade import upgrade
from db.models import Base
from db.session import Database, DatabaseBroken
from tests.rows import GUILD, MEMBER, draw

OPENING = """
import asyncio, sys
from pathlib import Path
from db.session import Database
async def main() -> None:
    database = await Database.open(Path(sys.argv[1]), Path(sys.argv[2]))
    await database.jobs.waiting()
    await database.close()
asyncio.run(main())
assert not {"alembic", "torch"}.intersection(sys.modules)
"""


def query(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement).fetchall()


async def reopened(path: Path) -> Database:
    return await Database.open(path, path.with_name("pictures"))


def file_of(database: Database) -> Path:
    assert database.engine.url.database
    return Path(database.engine.url.database)


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
async def test_the_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    engine = create_engine(f"sqlite:///{file_of(database)}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    unknown = [each for each in differences if "pictures_words" not in str(each)]
    assert unknown == []


async def test_a_new_database_needs_no_copy(database: Database) -> None:
    assert query(file_of(database), "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert not list(file_of(database).parent.glob("*.before-*"))


async def test_it_waits_for_others_keeps_its_word_and_its_references(database: Database) -> None:
    async with database.engine.connect() as connection:
        pragmas = "journal_mode", "foreign_keys", "busy_timeout", "synchronous", "secure_delete"
        values = [(await connection.exec_driver_sql(f"PRAGMA {name}")).scalar() for name in pragmas]
    assert values == ["wal", 1, 10_000, 1, 1]


async def test_an_up_to_date_database_opens_without_alembic(database: Database) -> None:
    path = file_of(database)
    arguments = [sys.executable, "-c", OPENING, str(path), str(path.with_name("pictures"))]
    assert (await (await asyncio.create_subprocess_exec(*arguments)).wait()) == 0


@pytest.mark.parametrize("old", REVISIONS[:-1])
async def test_an_older_database_is_copied_and_then_keeps_all_it_has(
    tmp_path: Path, old: str
) -> None:
    path = tmp_path / "con espacios %40 y ñ.db"
    upgrade(path, old)
    database = await reopened(path)
    made = await draw(database, "un árbol verde")
    await database.close()
    _back_to(path, old)

    database = await reopened(path)
    found = await database.history.search(Asker(GUILD, MEMBER), "arbol")
    assert [picture.code for picture in found] == [made.code]
    await database.close()
    copy = path.with_name(f"{path.name}.before-{HEAD}")
    assert query(copy, "SELECT version_num FROM alembic_version") == [(old,)]
    assert query(copy, "SELECT code FROM pictures") == [(made.code,)]
    assert os.name == "nt" or stat.S_IMODE(copy.stat().st_mode) == 0o600


async def test_older_pictures_of_channels_for_adults_come_up_only_there(tmp_path: Path) -> None:
    path = tmp_path / "semilla.db"
    database = await reopened(path)
    made, other = await draw(database), await draw(database)
    await database.close()
    of_made = "SELECT answer_id FROM jobs JOIN pictures ON jobs.id = job_id WHERE code = "
    query(path, f"UPDATE answers SET age_restricted = 1 WHERE id IN ({of_made}'{made.code}')")
    _back_to(path, "0007")

    database = await reopened(path)
    found = await database.history.search(Asker(GUILD, MEMBER))
    assert [each.code for each in found] == [other.code]
    found = await database.history.search(Asker(GUILD, MEMBER, adults=True))
    assert [each.code for each in found] == [other.code, made.code]
    await database.close()


async def test_of_older_pictures_it_is_known_which_have_a_members_photo_under_them(
    tmp_path: Path,
) -> None:
    path = tmp_path / "semilla.db"
    database = await reopened(path)
    own, above_own, over, above, highest = [await draw(database) for _ in range(5)]
    await database.close()
    below = {above_own: own.file, over: "ab" * 32, above: over.file, highest: above.file}
    for drawn, file in below.items():
        changed = f"recipe = json_set(recipe, '$.initial_image', '{file}')"
        query(path, f"UPDATE pictures SET {changed} WHERE id = {drawn.id}")
        query(path, f"UPDATE jobs SET {changed} WHERE id = {drawn.job_id}")
    _back_to(path, "0009")

    await (await reopened(path)).close()
    found = "SELECT id FROM pictures WHERE over_photo ORDER BY id"
    assert query(path, found) == [(over.id,), (above.id,), (highest.id,)]
    found = "SELECT id FROM jobs WHERE over_photo ORDER BY id"
    assert query(path, found) == [(over.job_id,), (above.job_id,), (highest.job_id,)]


async def test_what_older_versions_left_of_erased_words_goes_with_the_update(
    tmp_path: Path,
) -> None:
    path = tmp_path / "semilla.db"
    database = await reopened(path)
    await draw(database, "a red marigold")
    await database.close()
    with closing(sqlite3.connect(path)) as older:
        older.executescript("""
            PRAGMA secure_delete = OFF;
            DELETE FROM pictures;
            DELETE FROM jobs;
            DROP INDEX answers_tokens;
            UPDATE alembic_version SET version_num = '0011';
        """)
    assert path.read_bytes().count(b"marigold") > 1

    await (await reopened(path)).close()
    assert b"marigold" not in path.read_bytes()


async def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "semilla.db"
    query(path, "CREATE TABLE styles (somebody TEXT)")  # in the way of the last table
    with pytest.raises(Exception, match="styles already exists"):
        await reopened(path)
    assert query(path, "SELECT name FROM sqlite_master") == [("styles",)]
    query(path, "DROP TABLE styles")
    database = await reopened(path)
    assert await draw(database)
    await database.close()


async def test_a_newer_database_is_refused_and_not_touched(database: Database) -> None:
    await draw(database)
    path = file_of(database)
    await database.close()
    query(path, "UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(DatabaseNewer, match="9999"):
        await reopened(path)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.before-*"))


async def test_what_is_not_a_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "semilla.db"
    path.write_bytes(b"my shopping list" * 100)
    with pytest.raises(DatabaseBroken, match="not a database"):
        await reopened(path)
    assert path.read_bytes() == b"my shopping list" * 100


def _back_to(path: Path, revision: str) -> None:
    """The schema as that revision left it, with the rows of now."""
    columns = ("reviews.aside", "reviews.moderator", "reviews.roles")
    columns += ("jobs.over_photo", "pictures.over_photo")
    tokens = ["DROP INDEX answers_tokens"]
    parents = [*tokens, "DROP INDEX jobs_of_parents", "DROP INDEX pictures_held"]
    parents += ["ALTER TABLE records DROP COLUMN by"]
    bans = [f"ALTER TABLE bans ADD COLUMN {name} NOT NULL DEFAULT ''" for name in ("by", "by_name")]
    again = [*parents, *bans]
    again += [f"ALTER TABLE {c.replace('.', ' DROP COLUMN ')}" for c in columns]
    names = ("answers_of_members", "pictures_blurred", "pictures_over")
    indexes = [*again, *(f"DROP INDEX {name}" for name in names)]
    adults = ["ALTER TABLE pictures DROP COLUMN age_restricted", *indexes]
    spent = ["DROP TABLE spent", *adults]
    orders = ["DROP INDEX jobs_of_members", *spent]
    moderation = orders + [f"DROP TABLE {name}" for name in ("bans", "records", "reviews")]
    columns = ("answers.age_restricted", "answers.trusted", "pictures.held_for", "pictures.blurred")
    moderation += [f"ALTER TABLE {c.replace('.', ' DROP COLUMN ')}" for c in columns]
    access = ["DROP TABLE places", "DROP TABLE owners", *moderation]
    private = ["ALTER TABLE places DROP COLUMN private"]
    later = {
        "0001": ["DROP TABLE pictures_words", *access],
        "0002": access,
        "0003": private + moderation,
        "0004": private + orders,
        "0005": private + spent,
        "0006": spent,
        "0007": adults,
        "0008": indexes,
        "0009": again,
        "0010": [*parents, *bans],
        "0011": tokens,
    }
    triggers = query(path, "SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for statement in [*(f"DROP TRIGGER {name}" for (name,) in triggers), *later[revision]]:
        query(path, statement)
    query(path, f"UPDATE alembic_version SET version_num = '{revision}'")
