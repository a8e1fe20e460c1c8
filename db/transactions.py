"""How SQLite is spoken to: pragmas, and the two kinds of transactions."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

log = logging.getLogger(__name__)

BUSY_SECONDS = 10
AGAIN_SECONDS = 1.0
# SQLite's primary result codes: BUSY, LOCKED, IOERR, FULL.
PASSING = {5, 6, 10, 13}
PRAGMAS = (
    "journal_mode=WAL",
    "foreign_keys=ON",
    f"busy_timeout={BUSY_SECONDS * 1000}",
    "synchronous=NORMAL",
    "secure_delete=ON",  # what members have erased doesn't stay in free pages
)
READERS_SECONDS = 1.0  # for others' reading to end
ERASED = "PRAGMA user_version"  # 1 while there is something to be written over
REWRITE = "INSERT INTO pictures_words(pictures_words) VALUES ('optimize')"

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def insistent(
    method: Callable[Arguments, Awaitable[Result]],
) -> Callable[Arguments, Awaitable[Result]]:
    """For what must be written in the end: repeats it while another program holds the file, or the
    disk is full. What has happened already (a picture drawn, an answer shown) can't be refused."""

    @wraps(method)
    async def insisting(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        while True:
            try:
                return await method(*args, **kwargs)
            except OperationalError as error:
                if not _passes(error):
                    raise
                log.warning("the database can't be written, trying again: %s", error.orig)
            await asyncio.sleep(AGAIN_SECONDS)

    return insisting


def _passes(error: OperationalError) -> bool:
    """Whether it is of the moment, not of the statement."""
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF in PASSING


class Transactions:
    def __init__(self, engine: AsyncEngine) -> None:
        self._file = engine.url.database or ""
        writing = engine.execution_options(writes=True)
        self._readers = async_sessionmaker(engine, expire_on_commit=False)
        self._writers = async_sessionmaker(writing, expire_on_commit=False)
        # SQLite's own waiting is polling, and not in order.
        self._turn = asyncio.Lock()

    def read(self) -> AsyncSession:
        return self._readers()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Holds the database's write lock; commits at its end, or rolls back."""
        async with self._turn, self._writers.begin() as session:
            yield session

    @asynccontextmanager
    async def erase(self) -> AsyncIterator[AsyncSession]:
        """Like `write`, for what is to leave the files too: the next `write_over` sees to that."""
        async with self.write() as session:
            yield session
            await session.execute(text(f"{ERASED} = 1"))

    async def write_over(self) -> None:
        """Afterwards no file of the database has the words that were erased. The index of words
        would only note that they are gone, and the log of changes keep them until it is full.

        It rewrites the whole index, so it is done once for all that were erased meanwhile. The
        database itself notes that there are some: no stop forgets them.
        """
        async with self._turn:
            async with self._readers() as session:
                if not await session.scalar(text(ERASED)):
                    return
            async with self._writers.begin() as session:
                await session.execute(text(REWRITE))
            if await asyncio.to_thread(_empty_log, self._file):
                async with self._writers.begin() as session:
                    await session.execute(text(f"{ERASED} = 0"))


def write_over(copy: sqlite3.Connection) -> None:
    """The same for a copy that has no log."""
    if copy.execute(ERASED).fetchone()[0]:
        copy.execute("PRAGMA secure_delete = ON")
        with copy:
            copy.execute(REWRITE)
            copy.execute(f"{ERASED} = 0")


def prepare(engine: Engine) -> None:
    """Sets the pragmas of every connection, and begins transactions as they should be begun.

    See "Serializable isolation / Savepoints / Transactional DDL" in SQLAlchemy's SQLite dialect.
    """
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begin)


def _empty_log(file: str) -> bool:
    """By a connection of its own, which doesn't wait for long: others' writing waits for it. False
    where another program reads meanwhile, or the disk is full."""
    try:
        with closing(sqlite3.connect(file, timeout=READERS_SECONDS)) as connection:
            (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        log.warning("the log of changes isn't emptied: %s", error)
        return False
    return not busy


def _connected(connection: Any, _record: Any) -> None:
    connection.create_function("casefold", 1, str.casefold, deterministic=True)  # of all letters
    connection.isolation_level = None  # sqlite3's own BEGIN comes late, and never before DDL
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:
    """Writers take the lock at once: a reader that becomes a writer can't wait its turn."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
