"""Files by their content: the same bytes are kept once, under their sha256."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import tempfile
import time
from pathlib import Path

SUFFIXES = ((b"\x89PNG", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"RIFF", ".webp"))
YOUNG_SECONDS = 3600  # a file whose row is still being written


class DiskFull(OSError):
    """There is no room for a file."""


class Storage:
    """A name is the sha256 in hexadecimal with a suffix: "9f…c1.png"."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, data: bytes) -> str:
        """Keeps the bytes, through a power cut too. Raises DiskFull."""
        return await asyncio.to_thread(self._put, data)

    async def read(self, name: str) -> bytes:
        """Raises FileNotFoundError."""
        return await asyncio.to_thread(self.path(name).read_bytes)

    def path(self, name: str) -> Path:
        return self.folder / name[:2] / name

    async def remove(self, name: str) -> None:
        await asyncio.to_thread(self.path(name).unlink, missing_ok=True)

    async def sweep(self, known: set[str]) -> int:
        """Removes old files that are not known; says how many."""
        return await asyncio.to_thread(self._sweep, known)

    def _put(self, data: bytes) -> str:
        suffix = next((end for start, end in SUFFIXES if data.startswith(start)), "")
        name = hashlib.sha256(data).hexdigest() + suffix
        path = self.path(name)
        if path.exists():
            os.utime(path)  # young again, so that a sweep leaves it
            return name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(path, data)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(error.errno, "no room", str(self.folder)) from error
            raise
        return name

    def _sweep(self, known: set[str]) -> int:
        removed = 0
        oldest = time.time() - YOUNG_SECONDS
        for path in self.folder.glob("??/*"):
            if path.name not in known and path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
                removed += 1
        return removed


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
    """Makes the rename itself durable, where folders can be opened (not on Windows)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
