"""sha256 of weights, remembered by the files' sizes and times."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

Stamp = list[Any]  # path, bytes, nanoseconds; a list, because that is what JSON gives back


class Hashes:
    """Kept in a file that the chat process and the worker share."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def of(self, path: Path) -> str:
        """Of a file its sha256; of a folder one over the names and hashes of its safetensors."""
        marks = stamps(path)
        known = self._known()
        entry = known.get(str(path))
        if entry and entry["files"] == marks:
            return str(entry["hash"])
        found = _file_hash(path) if path.is_file() else _folder_hash(path)
        known = self._known()  # again, as hashing takes long and others write, too
        known[str(path)] = {"files": marks, "hash": found}
        self._remember(known)
        return found

    def _known(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def _remember(self, known: dict[str, Any]) -> None:
        """Whole or not at all."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        written = self._file.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps(known), encoding="utf-8")
        try:
            written.replace(self._file)
        except PermissionError:  # Windows, while the other one reads it
            written.unlink()


def stamps(path: Path) -> list[Stamp]:
    """Of a file, or of every file of weights below a folder."""
    files = [path] if path.is_file() else sorted(path.rglob("*.safetensors"))
    return [[str(f), f.stat().st_size, f.stat().st_mtime_ns] for f in files]


def _file_hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _folder_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.safetensors")):
        digest.update(file.relative_to(folder).as_posix().encode())
        digest.update(bytes.fromhex(_file_hash(file)))
    return digest.hexdigest()
