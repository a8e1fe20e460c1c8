"""The schema's history. A new revision: a file in versions/, and its name at the end here."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

REVISIONS = (
    *("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011"),
    "0012",
)
HEAD = REVISIONS[-1]


class DatabaseNewer(Exception):
    """The database was written by a newer Semilla than this one."""


def revision_of(path: Path) -> str | None:
    """The schema that a database file has, None for a new one. Raises DatabaseNewer, sqlite3.Error."""
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as connection:
        known = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.execute(known).fetchone() is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row and row[0] not in REVISIONS:
        raise DatabaseNewer(f"{path} has the schema {row[0]}; this Semilla knows {HEAD}")
    return str(row[0]) if row else None
