"""How SQLite is spoken to: pragmas, and the two kinds of transactions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

BUSY_SECONDS = 10
PRAGMAS = (
    "journal_mode=WAL",
    "foreign_keys=ON",
    f"busy_timeout={BUSY_SECONDS * 1000}",
    "synchronous=NORMAL",
)


class Transactions:
    def __init__(self, engine: AsyncEngine) -> None:
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


def prepare(engine: Engine) -> None:
    """Sets the pragmas of every connection, and begins transactions as they should be begun.

    See "Serializable isolation / Savepoints / Transactional DDL" in SQLAlchemy's SQLite dialect.
    """
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begin)


def _connected(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # sqlite3's own BEGIN comes late, and never before DDL
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:
    """Writers take the lock at once: a reader that becomes a writer can't wait its turn."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
