"""sha256 of weights, remembered by the files' sizes and times."""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

CHUNK_BYTES = 1 << 22
Stamp = list[Any]  # path, bytes, nanoseconds; a list, because that is what JSON gives back


class Later(Exception):
    """A large model, which nobody has hashed yet, isn't hashed now."""

    def __init__(self, name: str, bytes: int) -> None:
        super().__init__(name)
        self.name = name
        self.bytes = bytes


class Closed(Exception):
    """Nobody waits for the hash any more."""


class Hashes:
    """Kept in a file that the chat process and the worker share."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._closed = False

    def close(self) -> None:
        """Whoever is hashing stops, with Closed."""
        self._closed = True

    def of(self, path: Path) -> str:
        """Of a file its sha256; of a folder one over the names and hashes of its safetensors.

        Raises Closed and OSError.
        """
        marks = stamps(path)
        if found := self._found(path, marks):
            return found
        hash = self._of_file(path) if path.is_file() else self._of_folder(path)
        known = self._known()  # only now, as hashing takes long and others write, too
        known[str(path)] = {"files": marks, "hash": hash}
        self._remember(known)
        return hash

    def unread(self, path: Path) -> int:
        """The bytes that have to be read for it; none where it is known. Raises OSError."""
        marks = stamps(path)
        return 0 if self._found(path, marks) else sum(size for _, size, _ in marks)

    def _found(self, path: Path, marks: list[Stamp]) -> str | None:
        entry = self._known().get(str(path))
        return str(entry["hash"]) if entry and entry["files"] == marks else None

    def _known(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def _remember(self, known: dict[str, Any]) -> None:
        """Whole or not at all: on a full disk, and on Windows while the other one reads it."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        written = self._file.with_suffix(f".{secrets.token_hex(4)}")
        try:
            written.write_text(json.dumps(known), encoding="utf-8")
            written.replace(self._file)
        except OSError:
            written.unlink(missing_ok=True)

    def _of_file(self, file: Path) -> str:
        digest = hashlib.sha256()
        with file.open("rb") as opened:
            while piece := opened.read(CHUNK_BYTES):
                if self._closed:
                    raise Closed(file)
                digest.update(piece)
        return digest.hexdigest()

    def _of_folder(self, folder: Path) -> str:
        digest = hashlib.sha256()
        for file in sorted(folder.rglob("*.safetensors")):
            digest.update(file.relative_to(folder).as_posix().encode())
            digest.update(bytes.fromhex(self._of_file(file)))
        return digest.hexdigest()


def stamps(path: Path) -> list[Stamp]:
    """Of a file, or of every file of weights below a folder."""
    files = [path] if path.is_file() else sorted(path.rglob("*.safetensors"))
    return [stamp(each) for each in files]


def stamp(file: Path) -> Stamp:
    """Asks once: there may be thousands of files, on a disk that is far away."""
    found = file.stat()
    return [str(file), found.st_size, found.st_mtime_ns]
