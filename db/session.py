"""Opens the database: pragmas, transactions, migrations at start."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sqlalchemy import event
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    async_sessionmaker,
    create_async_engine,
)

from db.answers import Answers
from db.drafts import Drafts
from db.history import History
from db.jobs import Jobs
from db.migrations import HEAD, REVISIONS
from db.settings import Settings
from db.storage import Storage
from db.transactions import Transactions

BUSY_SECONDS = 10


class DatabaseNewer(Exception):
    """The database was written by a newer Semilla than this one."""


@dataclass(frozen=True, slots=True)
class Database:
    """An opened database with the folder of its files."""

    engine: AsyncEngine
    answers: Answers
    jobs: Jobs
    history: History
    drafts: Drafts
    settings: Settings
    storage: Storage

    @classmethod
    async def open(cls, path: Path, storage: Path) -> Self:
        """Creates or migrates the file where needed. Raises DatabaseNewer."""
        path.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(_migrate, path)
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        event.listen(engine.sync_engine, "connect", _set_pragmas)
        event.listen(engine.sync_engine, "begin", _begin)
        transactions = Transactions(
            async_sessionmaker(engine, expire_on_commit=False),
            async_sessionmaker(engine.execution_options(writes=True), expire_on_commit=False),
        )
        files = Storage(storage)
        return cls(
            engine=engine,
            answers=Answers(transactions),
            jobs=Jobs(transactions),
            history=History(transactions, files),
            drafts=Drafts(transactions),
            settings=Settings(transactions),
            storage=files,
        )

    async def close(self) -> None:
        await self.engine.dispose()


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # sqlite3's own BEGIN is deferred and late; ours is in _begin
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "synchronous=NORMAL",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:
    """Writers take the lock at once: a reader that becomes a writer can't wait its turn."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(path: Path) -> None:
    """Brings the schema up to date; alembic is slow to import, so only when it is needed."""
    revision = _revision(path)
    if revision == HEAD:
        return
    if revision is not None and revision not in REVISIONS:
        raise DatabaseNewer(f"{path} has revision {revision}")
    if revision is not None:
        _copy(path, path.with_name(f"{path.name}.before-{HEAD}"))
    from db.migrations.upgrade import upgrade

    upgrade(path)


def _revision(path: Path) -> str | None:
    if not path.exists():
        return None
    connection = sqlite3.connect(path)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None
    except sqlite3.OperationalError:
        return None
    finally:
        connection.close()


def _copy(path: Path, copy: Path) -> None:
    source, target = sqlite3.connect(path), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
