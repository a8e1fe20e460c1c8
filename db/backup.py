"""The whole history in one file, made while Semilla runs, and everything from such a file."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from db.migrations import revision_of
from db.storage import NAME
from db.transactions import write_over

DATABASE, PICTURES = "semilla.db", "pictures"
MISSING = "missing"  # in the archive: names of files that were gone already when it was made
SUM = "sha256"  # in the archive: of the database; the other files are named after theirs
EXPECTED = re.compile(
    rf"{DATABASE}|{SUM}|{MISSING}|{PICTURES}/([0-9a-f]{{2}})/\1[0-9a-f]{{62}}(\.[a-z]+)?"
)
FILES = """
    SELECT file FROM pictures WHERE deleted IS NULL AND file != ''
    UNION SELECT blurred FROM pictures WHERE deleted IS NULL
    UNION SELECT recipe ->> 'initial_image' FROM pictures WHERE deleted IS NULL AND file != ''
    UNION SELECT recipe ->> 'initial_image' FROM jobs WHERE state IN ('QUEUED', 'RUNNING', 'FAILED')
"""


@dataclass(frozen=True, slots=True)
class Written:
    """How many files a backup has, and how many are left out because they are damaged."""

    files: int
    damaged: int


class Damaged(Exception):
    """A file's content isn't what its name says."""


class BadBackup(Exception):
    """The file is no backup of Semilla's, or not whole any more."""


def back_up(data: Path, target: Path) -> Written:
    """Writes the database and every file that it names; of those that are damaged the recipes.

    The database is copied as it is at one moment (SQLite's online backup), whatever is written
    meanwhile. Tokens and the page's key are left out. Only its user can read it. Raises BadBackup
    when the database is damaged, sqlite3.Error and OSError.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        copy, archive = Path(folder) / DATABASE, Path(folder) / "archive"
        _copy(data / DATABASE, copy)
        with tarfile.open(archive, "w") as writer:
            names = _named(copy)
            gone, damaged = _add_all(writer, data, names)
            _forget(copy, gone)
            writer.add(copy, DATABASE)
            for name, content in ((SUM, _sum(copy)), (MISSING, "\n".join(gone))):
                (Path(folder) / name).write_text(content, encoding="utf-8")
                writer.add(Path(folder) / name, name)
        _sync(archive)
        archive.chmod(0o600)  # members' words and pictures are in it
        archive.replace(target)
    return Written(len(names) - len(gone), damaged)


def unpack(archive: Path, folder: Path) -> int:
    """Unpacks a backup and looks at every row and file; says how many files.

    Raises BadBackup, DatabaseNewer and OSError, this also where there is no room.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if archive.stat().st_size > shutil.disk_usage(folder).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    _extract(archive, folder)
    try:
        revision_of(folder / DATABASE)
        named = set(_named(folder / DATABASE))
        missing = set(_read(folder / MISSING).splitlines())
        whole = _read(folder / SUM) in ("", _sum(folder / DATABASE))
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise BadBackup(str(error)) from error
    if not whole:
        raise BadBackup(DATABASE)
    for name in named:
        if not (NAME.fullmatch(name) and (name in missing or _whole(folder, name))):
            raise BadBackup(name)
    for path in (folder / PICTURES).glob("*/*"):
        if path.name not in named:
            path.unlink()
    return len(named - missing)


def new_owners(unpacked: Path, data: Path) -> list[str]:
    """Who would own Semilla by a backup, and doesn't by the database that is there."""
    return [member for (member,) in _added(unpacked, data, "SELECT member FROM owners")]


def new_places(unpacked: Path, data: Path) -> list[str]:
    """The names of where Semilla would be switched on by a backup, and isn't now."""
    active = "SELECT guild FROM places WHERE state = 'ACTIVE'"
    names = dict(_rows(unpacked / DATABASE, "SELECT guild, name FROM places"))
    return [names[guild] or guild for (guild,) in _added(unpacked, data, active)]


def put_in_place(unpacked: Path, data: Path) -> Path:
    """Moves what was unpacked into the data folder, whose lock must be held. What was there is
    kept in the folder that is given back."""
    before = data / f"before-restore-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    before.mkdir()
    for name in (f"{DATABASE}-wal", f"{DATABASE}-shm", DATABASE, PICTURES):
        if (data / name).exists():
            (data / name).rename(before / name)
    for name in (PICTURES, DATABASE):
        if (unpacked / name).exists():
            shutil.move(unpacked / name, data / name)
    return before


def _copy(source: Path, copy: Path) -> None:
    if not source.exists():
        raise FileNotFoundError(2, "there is no database", str(source))
    with closing(sqlite3.connect(source)) as reader, closing(sqlite3.connect(copy)) as writer:
        reader.backup(writer)
        writer.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        write_over(writer)


def _extract(archive: Path, folder: Path) -> None:
    """What a backup may have in it, and nothing else. Raises BadBackup, OSError."""
    try:
        # Packed, or with holes that its size leaves out, it could grow without end.
        with tarfile.open(archive, "r:") as reader:
            for member in reader:
                solid = member.isfile() and not member.issparse()
                expected = solid and EXPECTED.fullmatch(member.name)
                if expected and (content := reader.extractfile(member)):
                    _write(content, folder / member.name)
                    # As old as it was: a file that is younger than its row is taken for a new one.
                    os.utime(folder / member.name, (member.mtime, member.mtime))
    except (tarfile.TarError, ValueError, OverflowError) as error:  # also a time of no clock
        raise BadBackup(str(error)) from error


def _write(content: IO[bytes], target: Path) -> None:
    """By hand, as tarfile's own safe way came with Python 3.11.4."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    with target.open("wb") as file:
        shutil.copyfileobj(content, file)


def _named(database: Path) -> list[str]:
    """The files that its rows name, once the database itself has been found whole."""
    if not database.exists():
        raise BadBackup(DATABASE)
    with closing(sqlite3.connect(database)) as connection:
        (found,) = connection.execute("PRAGMA integrity_check").fetchone()
        if found != "ok":
            raise BadBackup(f"{DATABASE}: {found}")
        return [name for (name,) in connection.execute(FILES) if name]


def _added(unpacked: Path, data: Path, query: str) -> list[Any]:
    return sorted(_rows(unpacked / DATABASE, query) - _rows(data / DATABASE, query))


def _rows(database: Path, query: str) -> set[Any]:
    if not database.exists():
        return set()
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as each:
        return set(each.execute(query))
    return set()


def _add_all(archive: tarfile.TarFile, data: Path, names: Sequence[str]) -> tuple[list[str], int]:
    """Those that couldn't be added, and how many of them are damaged. The others have been deleted
    since the database was copied, or a member has had them erased though others' pictures were
    drawn over them."""
    gone, damaged = [], 0
    for name in names:
        try:
            _add(archive, data, name)
        except (FileNotFoundError, Damaged) as error:
            gone.append(name)
            damaged += isinstance(error, Damaged)
    return gone, damaged


def _add(archive: tarfile.TarFile, data: Path, name: str) -> None:
    """Raises FileNotFoundError, Damaged and OSError."""
    inside = f"{PICTURES}/{name[:2]}/{name}"
    try:
        content = (data / inside).read_bytes()
    except OSError as error:
        if error.errno == errno.EIO:  # a bad sector: the other pictures can still be saved
            raise Damaged(name) from error
        raise
    if not _is_of(content, name):
        raise Damaged(name)
    entry = archive.gettarinfo(data / inside, inside)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _forget(copy: Path, gone: list[str]) -> None:
    """Their rows keep the recipes."""
    names = [(name,) for name in gone]
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.executemany("UPDATE pictures SET file = '' WHERE file = ?", names)
        connection.executemany("UPDATE pictures SET blurred = '' WHERE blurred = ?", names)


def _read(path: Path) -> str:
    """Empty for a backup of before there was such a file in it."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _whole(folder: Path, name: str) -> bool:
    path = folder / PICTURES / name[:2] / name
    return path.is_file() and _is_of(path.read_bytes(), name)


def _is_of(content: bytes, name: str) -> bool:
    return name.startswith(hashlib.sha256(content).hexdigest())


def _sync(path: Path) -> None:
    with path.open("r+b") as file:  # Windows syncs only what may be written
        os.fsync(file.fileno())
