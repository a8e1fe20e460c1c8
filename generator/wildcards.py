"""Lists of words that a seed draws from: wildcards/NAME.txt in the owner's folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from generator.grammar import WILDCARD


def find(folders: Sequence[Path], name: str) -> Path | None:
    """In the first folder that has it."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return None
    files = (folder / "wildcards" / f"{name}.txt" for folder in folders)
    return next((file for file in files if file.is_file()), None)


def lines(file: Path | None) -> tuple[str, ...]:
    if file is None:
        return ()
    read = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return tuple(s for s in map(str.strip, read) if s and not s.startswith("#"))


def named(folders: Sequence[Path], text: str) -> dict[str, Path]:
    """Those that a text names, and those that these name, by their names."""
    found: dict[str, Path] = {}
    texts = [text]
    while texts:
        for name in map(str.strip, WILDCARD.findall(texts.pop())):
            file = find(folders, name)
            if file is not None and name not in found:
                found[name] = file
                texts.append("\n".join(lines(file)))
    return found
