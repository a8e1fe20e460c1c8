"""Files by their content: the same bytes are kept once, under their sha256."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence, Set
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

log = logging.getLogger(__name__)

SUFFIXES = ((b"\x89PNG", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"RIFF", ".webp"), (b"PK", ".zip"))
NAME = re.compile(r"[0-9a-f]{64}(\.[a-z]+)?")
PICTURE = re.compile(r"[0-9a-f]{64}\.(png|jpg|webp)")
UNCLAIMED = "unclaimed-"  # so begin folders beside the storage's own
YOUNG_SECONDS = 3600  # a file whose row is still being written
COARSE_SECONDS = 0.05  # the file system's clock ticks behind the process's


class DiskFull(OSError):
    """There is no room for a file."""


class Storage:
    """A name is the sha256 in hexadecimal with a suffix: "9f…c1.png".

    Args:
        needed: gives the names that some row mentions.
    """

    def __init__(self, folder: Path, needed: Callable[[], Awaitable[Set[str]]]) -> None:
        self.folder = folder
        self._needed = needed
        self._removing = Lock()  # nothing is removed between being found and being made young
        self._opened = time.time()
        self._swept = False

    async def put(self, data: bytes) -> str:
        """Keeps the bytes, through a power cut too. Raises DiskFull."""
        return await asyncio.to_thread(self._put, data)

    async def read(self, name: str) -> bytes:
        """Raises FileNotFoundError."""
        return await asyncio.to_thread(self.path(name).read_bytes)

    def path(self, name: str) -> Path:
        """Raises FileNotFoundError for what can't be a name, and so never leaves the folder."""
        if not NAME.fullmatch(name):
            raise FileNotFoundError(errno.ENOENT, "not a name of a stored file", name)
        return self.folder / name[:2] / name

    async def remove(self, name: str, put_before: float) -> None:
        """Removes a file unless the same bytes were put again after that time (in seconds of
        the epoch): their row is still being written, and a sweep will decide."""
        await asyncio.to_thread(self._remove_everywhere, self.path(name), put_before)

    async def sweep(self) -> int:
        """Removes the files that no row mentions, except young ones; says how many.

        At first, all are old that were there before: whoever would have written their rows is
        gone. Pictures of before are only set aside: a database that mentions them may have been
        left behind in a move, or an older one put in its place. Those that a row mentions again
        come back. What rows stop mentioning later, members delete.
        """
        return await asyncio.to_thread(self._sweep, await self._needed())

    def _put(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest() + _suffix(data)
        path = self.path(name)
        try:
            if not self._make_young(path, data):
                _make_folder(path.parent)
                _write_whole(path, data)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(error.errno, "no room", str(self.folder)) from error
            raise
        return name

    def _make_young(self, path: Path, data: bytes) -> bool:
        """False when there is no such file, or only what a bad disk has left of it."""
        with self._removing:
            try:
                os.utime(path)
                return path.read_bytes() == data
            except OSError:
                return False

    def _sweep(self, needed: Set[str]) -> int:
        self._bring_back(needed)
        forgotten = [path for path in self.folder.glob("??/*") if path.name not in needed]
        aside, oldest = 0, time.time() - YOUNG_SECONDS
        if not self._swept:
            oldest = self._opened - COARSE_SECONDS
            aside = self._set_aside(forgotten, oldest)
            self._swept = True  # only now: what couldn't be set aside must not be removed next time
        return aside + sum(self._remove(path, oldest) for path in forgotten)

    def _set_aside(self, forgotten: Sequence[Path], put_before: float) -> int:
        folder = self.folder.with_name(f"{UNCLAIMED}{datetime.now(UTC):%Y-%m-%d}")
        pictures = [path for path in forgotten if PICTURE.fullmatch(path.name)]
        aside = sum(self._remove(path, put_before, folder) for path in pictures)
        if aside:
            log.warning("%d pictures that the database doesn't know are in %s", aside, folder)
        return aside

    def _bring_back(self, needed: Set[str]) -> None:
        for path in self.folder.parent.glob(f"{UNCLAIMED}*/*"):
            if path.name in needed and not self.path(path.name).exists():
                _make_folder(self.path(path.name).parent)
                shutil.move(path, self.path(path.name))

    def _remove_everywhere(self, path: Path, put_before: float) -> None:
        for each in (path, *self.folder.parent.glob(f"{UNCLAIMED}*/{path.name}")):
            self._remove(each, put_before)

    def _remove(self, path: Path, put_before: float, aside: Path | None = None) -> bool:
        """To the folder `aside`, where there is one."""
        with self._removing:
            old = path.exists() and path.stat().st_mtime < put_before
            if old and aside:
                aside.mkdir(exist_ok=True)
                shutil.move(path, aside / path.name)
            elif old:
                path.unlink()
            return old


def _suffix(data: bytes) -> str:
    return next((suffix for start, suffix in SUFFIXES if data.startswith(start)), "")


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def _write_whole(path: Path, data: bytes) -> None:
    """The file is there whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix="new-", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.close()
            temporary.unlink(missing_ok=True)
            raise
    temporary.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Makes a new entry itself durable, where folders can be opened (not on Windows)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
