"""Opens the database, migrating it first where its schema is an older one."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from db.access import Access
from db.answers import Answers
from db.drafts import Drafts
from db.history import History, needed_files
from db.jobs import Jobs
from db.migrations import HEAD, revision_of
from db.moderation import Moderation
from db.moving import Moving
from db.privacy import Privacy
from db.settings import Settings
from db.statistics import Statistics
from db.storage import Storage
from db.transactions import PASSING, Transactions, prepare

log = logging.getLogger(__name__)

# SQLite's primary result codes: PERM, READONLY, CANTOPEN, PROTOCOL, besides those that pass.
OUT_OF_REACH = PASSING | {3, 8, 14, 15}
SAMPLE = 400  # rows of each index
DAY_SECONDS = 86400


class DatabaseBroken(Exception):
    """The database can't be read: its file is damaged."""


class DatabaseAway(Exception):
    """The database can't be reached: another program holds it, its rights don't let it be opened,
    or the disk below it is full or fails."""


@dataclass(frozen=True, slots=True)
class Database:
    """An opened database with the folder of its files."""

    engine: AsyncEngine
    access: Access
    answers: Answers
    jobs: Jobs
    history: History
    moving: Moving
    drafts: Drafts
    moderation: Moderation
    privacy: Privacy
    settings: Settings
    statistics: Statistics
    storage: Storage
    transactions: Transactions

    @classmethod
    async def open(cls, path: Path, storage: Path) -> Self:
        """Creates or migrates the file where needed. Raises DatabaseNewer, DatabaseBroken,
        DatabaseAway."""
        try:
            await asyncio.to_thread(_migrate, path)
        except sqlite3.Error as error:
            raise _told(error) from error
        except DBAPIError as error:
            raise _told(error.orig) from error
        address = URL.create("sqlite+aiosqlite", database=str(path))
        # An error's text goes into the log: without tokens and members' words.
        # What was counted for the choice of indexes is read by new connections.
        engine = create_async_engine(address, hide_parameters=True, pool_recycle=DAY_SECONDS)
        prepare(engine.sync_engine)
        transactions = Transactions(engine)
        files = Storage(storage, lambda: needed_files(transactions))
        return cls(
            engine=engine,
            access=Access(transactions),
            answers=Answers(transactions),
            jobs=Jobs(transactions),
            history=History(transactions, files),
            moving=Moving(transactions),
            drafts=Drafts(transactions),
            moderation=Moderation(transactions),
            privacy=Privacy(transactions, files),
            settings=Settings(transactions),
            statistics=Statistics(transactions),
            storage=files,
            transactions=transactions,
        )

    async def look(self, whole: bool = False) -> None:
        """Reads a little of it, or all. Raises DatabaseBroken, DatabaseAway."""
        query = "PRAGMA quick_check" if whole else "SELECT id FROM jobs LIMIT 1"
        try:
            async with self.engine.connect() as connection:
                found = await connection.scalar(text(query))
        except DBAPIError as error:
            raise _told(error.orig) from error
        if whole and found != "ok":
            raise DatabaseBroken(found)

    async def analyze(self) -> None:
        """Counts what SQLite chooses indexes by: that a guild has many pictures, and one picture
        few that came from it. A sample, of a few hundredths of a second."""
        async with self.engine.execution_options(writes=True).begin() as connection:
            await connection.execute(text(f"PRAGMA analysis_limit = {SAMPLE}"))
            await connection.execute(text("ANALYZE"))

    async def close(self) -> None:
        try:
            await self.transactions.write_over()
        except DBAPIError as error:  # locked or full: the next start does it
            log.warning("what was erased isn't written over yet: %s", error.orig)
        await self.engine.dispose()


def _told(error: BaseException | None) -> DatabaseBroken | DatabaseAway:
    away = getattr(error, "sqlite_errorcode", 0) & 0xFF in OUT_OF_REACH
    return DatabaseAway(str(error)) if away else DatabaseBroken(str(error))


def _migrate(path: Path) -> None:
    """Brings the schema up to date; alembic is slow to import, so only when it is needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)  # as the pictures are; its log gets the same
    revision = revision_of(path)
    if revision == HEAD:
        return
    if revision is not None:
        _copy(path, path.with_name(f"{path.name}.before-{HEAD}"))
    from db.migrations.upgrade import upgrade

    upgrade(path)
    if revision is not None:
        _empty_free_pages(path)


def _empty_free_pages(path: Path) -> None:
    """Of what older versions deleted, which left it in them. Takes some seconds, and as much room
    again: without that they stay."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM")
    except sqlite3.OperationalError as error:
        log.warning("the database keeps its free pages: %s", error)


def _copy(path: Path, copy: Path) -> None:
    copy.touch(mode=0o600)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
